"""Callbacks of `fit` that end training: a loss or weight that is not finite, and signals."""

import math
import signal
import time

import keras
import numpy as np

from trainers.runs import checkpoints


class StopOnNaN(keras.callbacks.Callback):
    """Ends training at the first loss or weight that is not a finite number, before it is saved.

    Losses are computed before the update, so weights about to be saved are checked too.
    """

    def on_train_batch_end(self, batch, logs=None):
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            step = checkpoints.step_of(self.model)
            raise FloatingPointError(
                f"the loss of {', '.join(bad)} became {logs[bad[0]]} by step {step}"
            )
        if self.model.stop_training:
            check_weights(self.model)

    def on_epoch_end(self, epoch, logs=None):
        check_weights(self.model)


def check_weights(game) -> None:
    """Raises FloatingPointError if a weight is not a finite number."""
    for variable in game.weights:
        value = keras.ops.convert_to_numpy(variable)
        if not np.isfinite(value).all():
            bad, step = value[~np.isfinite(value)].flat[0], checkpoints.step_of(game)
            raise FloatingPointError(f"a weight of {variable.path} became {bad} by step {step}")


class StopOnSignal(keras.callbacks.Callback):
    """Ctrl-C (SIGINT) and SIGTERM let the step finish and end training; a second one kills.

    Use it as a context around everything that a signal must not interrupt. If several workers
    train, a signal to any of them ends all at the same step, within about `AGREE_S` seconds.

    Attributes:
        received: the signal that ends training, or None.
    """

    AGREE_S = 1.0

    def __init__(self, workers=None):
        super().__init__()
        self.workers, self.received = workers, None
        self.mine, self.period, self.left, self.asked = 0, 1, 1, time.monotonic()

    def __enter__(self):
        self.previous = {
            s: signal.signal(s, self._receive) for s in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *raised):
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _receive(self, number, frame):
        self.mine = number
        # A second signal of either kind ends the process at once, without waiting for Python.
        for second in self.previous:
            signal.signal(second, signal.SIG_DFL)

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.workers is None or not self.left:
            self.model.stop_training = self.ask() or self.model.stop_training

    def ask(self) -> bool:
        """Whether training is to end; of several workers, all ask at the same moment."""
        self.received = (self._agreed() if self.workers else self.mine) or None
        return self.received is not None

    def _agreed(self):
        """The signal that any worker received; checked rarely, so the check costs nothing."""
        elapsed, self.asked = time.monotonic() - self.asked, time.monotonic()
        calls = min(1 + int(self.AGREE_S * self.period / max(elapsed, 1e-3)), 1000)
        said = self.workers.gather([self.mine, calls])
        # All must ask at the same call, so the chief's clock decides which is next.
        self.period = self.left = int(said[0, 1])
        return int(said[:, 0].max())
