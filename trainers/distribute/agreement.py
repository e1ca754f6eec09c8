"""Messages between workers outside the training step.

The state of a game is the same on every worker after every step, so one copy of it is enough: the
chief's. It alone reads and writes checkpoints, and sends the values it read to the others. So no
second file can be of another step, a worker needs no persistent disk, and a run may resume with
fewer or more workers than it began with.
"""

import contextlib
import os
import sys
import zlib

from trainers.runs import checkpoints

# EX_TEMPFAIL of sysexits.h.
TRY_AGAIN = 75

# Numbers per collective call, so that a large game is not in memory three times.
_PIECE = 2**22


class Workers:
    """The workers of a strategy, seen from one of them.

    Every method is a collective: all workers call it, in the same order.

    Attributes:
        placed: the strategy.
        rank: index of this worker; the chief is 0.
        count: how many there are.
    """

    def __init__(self, placed, rank: int, count: int):
        self.placed, self.rank, self.count = placed, rank, count

    def gather(self, numbers: list):
        """The whole numbers (0 to 65535) that every worker gave: array (workers, numbers)."""
        import numpy as np

        table = np.zeros((self.count, len(numbers)), np.float32)
        table[self.rank] = numbers
        return self._sum(table).astype(int)

    def compare(self, values: dict) -> None:
        """Make sure that all workers have the same `values` (name → anything with a `repr`).

        Call it before any variable is made in the strategy's scope: workers that build different
        games fail with an unhelpful error or deadlock.

        Raises:
            ValueError: on every worker, naming the difference.
        """
        # The names first, because only tables of one size can be added up.
        for said in ({"trainer, or version of it,": list(values)}, values):
            checksums = [zlib.crc32(repr(value).encode()) for value in said.values()]
            table = self.gather([half for checksum in checksums for half in halves(checksum)])
            differs = (table != table[0]).reshape(self.count, -1, 2).any(axis=2)
            if differs.any():
                other = differs.any(axis=1).argmax()
                names = [name for name, here in zip(said, differs[other], strict=True) if here]
                mine = f" (here: {said[names[0]]!r})" if said is values else ""
                raise ValueError(
                    f"worker {other} was started with another {' and another '.join(names)}{mine} "
                    "than worker 0; start all with the same command, on the same data"
                )

    def begin(self, start) -> None:
        """Run `start` on the chief.

        Raises:
            ValueError: on every worker, if `start` raised ValueError or OSError.
        """
        fault = None
        if self.rank == 0:
            try:
                start()
            except (ValueError, OSError) as error:
                fault = error
        failed = self.gather([fault is not None]).any()
        if failed:
            raise fault or ValueError("the chief (worker 0) failed to start; see its log")

    def adopt(self, variables: list) -> None:
        """Give `variables` the chief's values on every worker, bit for bit."""
        import numpy as np

        values = [variable.numpy() for variable in variables]
        own = np.frombuffer(b"".join(_padded(value) for value in values), np.uint16)
        chief = self.rank == 0
        received = np.empty_like(own)
        for first in range(0, len(own), _PIECE):
            piece = own[first : first + _PIECE]
            # float32 holds 16 bits exactly, and every device and network adds it up.
            received[first : first + _PIECE] = self._sum(piece * np.float32(chief))
        if chief:
            return
        bits, at = received.tobytes(), 0
        for variable, value in zip(variables, values, strict=True):
            found = np.frombuffer(bits, value.dtype, value.size, at)
            variable.assign(found.reshape(value.shape))
            at += len(_padded(value))

    def _sum(self, numbers):
        """Σ over workers of a float32 array."""
        import tensorflow as tf

        mine = iter([tf.constant(numbers)])
        # One replica of each worker contributes its array.
        values = self.placed.experimental_distribute_values_from_function(
            lambda _: next(mine, tf.zeros_like(numbers))
        )
        return self.placed.reduce("SUM", values, axis=None).numpy()


def _padded(value):
    """Bytes of an array, an even number of them."""
    raw = value.tobytes()
    return raw + bytes(len(raw) % 2)


def halves(checksum: int) -> list:
    """32 bits as two numbers that `gather` takes."""
    return [checksum >> 16, checksum & 0xFFFF]


def state_of(game) -> list:
    """Every variable that decides how training of `game` continues: the content of a checkpoint."""
    from zoo.training.keras_methods import noise_states

    return [*game.weights, *game.optimizer.variables, *noise_states(game).values()]


@contextlib.contextmanager
def another_start(here):
    """Ends this process with code `TRY_AGAIN` if a new start may succeed: another worker is
    gone, which TensorFlow notices within some ten seconds, or the disk failed.

    Args:
        here: see `trainers.distribute.cluster`.
    """
    alone = len(here.addresses) == 1
    try:
        yield
    except Exception as error:
        if _is_of_the_disk(error):
            told = "the disk failed; nothing that was saved is lost; start again once it works"
        elif not alone and _is_loss(error):
            told = (
                f"worker {here.rank} lost another worker, and nothing beyond the last checkpoint; "
                "start all of them again"
            )
        else:
            raise
        reason = str(error).replace("\n", " ")[:300]
        print(f"error: {told} ({type(error).__name__}: {reason})", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        if alone:
            sys.exit(TRY_AGAIN)
        # An orderly exit would wait for those that are gone.
        os._exit(TRY_AGAIN)


def _is_of_the_disk(error):
    """Whether it is a system error, except a closed output pipe."""
    unread = isinstance(error, checkpoints.Unreadable)
    return unread or (isinstance(error, OSError) and not isinstance(error, ConnectionError))


def _is_loss(error):
    """Whether another worker is gone.

    InternalError is excluded: workers that built different games raise it too, and restarting would
    not help.
    """
    import tensorflow as tf

    kinds = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
    )
    return isinstance(error, kinds)
