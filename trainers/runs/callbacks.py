"""Callbacks of `fit`: measuring, pictures, history, checkpoints."""

import csv
import importlib.util
import time

import keras

from trainers.runs import checkpoints
from trainers.runs import drawings
from trainers.runs import stopping
from zoo import metrics
from zoo import run_files

# The metrics of `zoo.metrics.cheap` that are kept between epochs.
WATCHED = (
    *("x_cycle_ratio", "class_kept", "z_cycle_ratio", "code_std", "mmd", "modes", "high_quality"),
    *("translation_ab_ratio", "translation_ba_ratio", "cycle_ab_ratio", "cycle_ba_ratio"),
)


class Throughput(keras.callbacks.Callback):
    """Adds images/s, over the epoch so far, to the logs."""

    def __init__(self, batch_size: int):
        super().__init__()
        self.batch_size = batch_size

    def on_epoch_begin(self, epoch, logs=None):
        self.started, self.images = None, 0

    def on_train_batch_end(self, batch, logs=None):
        # The clock starts after the first batch of an epoch, which may compile.
        if self.started is None:
            self.started, self.last = time.perf_counter(), batch
        self.images += (batch - self.last) * self.batch_size
        self.last = batch
        elapsed = time.perf_counter() - self.started
        logs["images_per_s"] = self.rate = self.images / elapsed if self.images else 0.0

    def on_epoch_end(self, epoch, logs=None):
        logs["images_per_s"] = self.rate


class TimeLeft(keras.callbacks.Callback):
    """Adds minutes_left, of the whole run, to Keras' log line; comes after callbacks that log.

    The rate is that of this process so far, measurements and checkpoints included. The first call
    of a process compiles, and does not count.

    Args:
        steps: number of steps that are left to train.
        clock: function that returns seconds.
    """

    def __init__(self, steps: int, clock=time.monotonic):
        super().__init__()
        self.left, self.clock, self.taken, self.began = steps, clock, 0, None

    def on_epoch_begin(self, epoch, logs=None):
        self.last = -1

    def on_train_batch_end(self, batch, logs=None):
        taken, self.last = batch - self.last, batch
        self.left -= taken
        if self.began is None:
            self.began = self.clock()
        else:
            self.taken += taken
        self._show(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._show(logs)

    def _show(self, logs):
        if self.taken:
            seconds = (self.clock() - self.began) / self.taken * self.left
            logs["minutes_left"] = round(seconds / 60, 1)


class Evaluate(keras.callbacks.Callback):
    """Every few epochs: the quick metrics into the logs, and the pictures of an epoch.

    Not if training was stopped inside an epoch of `epoch_steps` steps, which will be ended.
    """

    def __init__(self, data, every: int, directory, epoch_steps: int):
        super().__init__()
        self.data, self.every, self.directory = data, every, directory
        self.epoch_steps = epoch_steps

    def on_epoch_end(self, epoch, logs=None):
        if not self.every or (epoch + 1) % self.every:
            return
        if checkpoints.step_of(self.model) % self.epoch_steps:
            return
        figures = metrics.cheap(self.model, self.data)
        logs.update({name: figures[name] for name in WATCHED if name in figures})
        drawings.of_epoch(self.model, self.data, self.directory, f"epoch-{epoch + 1:04d}.png")


class History(keras.callbacks.Callback):
    """Keeps one row per epoch in `history.csv`, rewritten whole, so that a resumed run has no gap.

    `rows` holds every epoch so far: epoch (from 1), losses, images/s, metrics, and wall_s, the
    seconds that all processes of this run have taken until then, start-up included (the time of a
    process after its last row is not known). An epoch that one process began and another ended has
    the losses and images/s of the latter. If a row cannot be read, all rows are dropped and a
    message is printed; training does not depend on them.

    Args:
        epochs_done: number of epochs in the checkpoint from which training resumes.
        began: start of this process, as from `time.time()`.
    """

    def __init__(self, path, epochs_done: int, began: float):
        super().__init__()
        self.path, self.rows, self.began, self.before = path, [], began, 0.0
        if path.exists():
            try:
                rows = _rows(path)
                self.rows = [row for row in rows if row["epoch"] <= epochs_done]
                self.before = max((row.get("wall_s", 0.0) for row in rows), default=0.0)
            except (ValueError, TypeError, KeyError, csv.Error) as error:
                print(f"{path} is damaged ({error}); its rows start again", flush=True)

    def seconds(self) -> float:
        """Seconds that all processes of this run have taken so far, as recorded in rows."""
        return self.before + time.time() - self.began

    def on_epoch_end(self, epoch, logs=None):
        self.rows = [row for row in self.rows if row["epoch"] < epoch + 1]
        row = {"epoch": epoch + 1, **{k: float(v) for k, v in logs.items()}}
        self.rows.append(row | {"wall_s": round(self.seconds(), 1)})
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with open(run_files.partial(self.path), "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        run_files.replace(self.path)


def _rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


class Checkpoint(keras.callbacks.Callback):
    """Saves the game at the end of every epoch, when training stops, and in between by time.

    Args:
        keep: how many of the newest are kept.
        minutes: after which the game is saved inside an epoch.
        clock: function that returns seconds.
    """

    def __init__(self, directory, keep: int, minutes: float, clock=time.monotonic):
        super().__init__()
        self.directory, self.keep, self.saved = directory, keep, None
        self.seconds, self.clock, self.written = 60 * minutes, clock, clock()

    def on_train_batch_end(self, batch, logs=None):
        due = self.clock() - self.written >= self.seconds
        if due:
            stopping.check_weights(self.model)
        # Save before evaluating: SIGKILL may follow soon after SIGTERM.
        if due or self.model.stop_training:
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        self._save()

    def _save(self):
        step = checkpoints.step_of(self.model)
        if step != self.saved:
            checkpoints.write(self.model, self.directory, self.keep)
        self.saved, self.written = step, self.clock()


def tensorboard(directory) -> list:
    """Keras' callback that logs under `directory`, if TensorFlow is installed to write it.

    Keras writes these logs with TensorFlow on every backend; history.csv holds the same numbers.
    """
    if importlib.util.find_spec("tensorflow") is None:
        return []
    return [keras.callbacks.TensorBoard(directory / "tensorboard", write_graph=False)]
