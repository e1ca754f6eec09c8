"""The only path from flags to `fit`: every trainer is a `Recipe` handed to `main`."""

import dataclasses
import importlib.util
import os
import pathlib
import sys
import time
import zlib
from collections.abc import Callable

from trainers import agreement
from trainers import checkpoints
from trainers import cluster
from trainers import flags
from trainers import jax_devices
from trainers import strategy
from zoo import commands


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a paper fixed.

    Attributes:
        method: module of the game in `zoo`, and name of the command.
        title: first line of `--help`.
        optimizers: (flags, steps in all) → player → Keras optimizer.
        network: the set of networks used where `--network` is not given.
        networks: set of networks → flag → default, for flags whose default depends on it.
        l2: see `zoo.optimizers.PlayerOptimizers`.
    """

    method: str
    title: str
    optimizers: Callable
    network: str
    networks: dict
    l2: float = 0.0


def main(recipe: Recipe, argv: list | None = None) -> None:
    """Train, measure, save and picture one game; exits with a message where that is impossible.

    Exit codes: 0 done, 1 training failed (a loss became NaN), 2 bad input, 75 another worker is
    gone (start all again), 130 and 143 stopped by SIGINT and SIGTERM with everything saved.
    """
    began = time.time()
    argv = sys.argv if argv is None else argv
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with commands.exit_on_bad_input():
        args = flags.parse(recipe, argv)
        _check_backend(args)
        strategy.check(args.strategy, args.tpu, args.devices)
        here = cluster.read(args.strategy)
    with agreement.lost_workers(here):
        with commands.exit_on_bad_input():
            run = Run(recipe, args, argv, here)
        try:
            stopped_by = run.train()
        except FloatingPointError as error:
            last = run.directory / checkpoints.FOLDER
            print(f"error: {error}; the checkpoints before it are kept in {last}", file=sys.stderr)
            sys.exit(1)
        if stopped_by:
            print(
                f"\nstopped and saved at step {run.step} of {run.steps}; to go on, run again:\n"
                f"  {command(argv)}"
            )
            sys.exit(128 + stopped_by)
        if here.rank == 0:
            from trainers import report

            report.write(run, time.time() - began)
        if run.workers:
            # A worker that left earlier would be missed if the chief had to measure again.
            run.workers.gather([0])


class Run:
    """One run directory: the game, its data, and how far it has come.

    Raises:
        ValueError, OSError: the flags cannot be satisfied; nothing was overwritten.
    """

    def __init__(self, recipe: Recipe, args, argv: list, here=cluster.ALONE):
        self.recipe, self.args, self.argv = recipe, args, argv
        self.directory = pathlib.Path(args.run_dir)
        self.chief = here.rank == 0
        from zoo import datasets

        # Only the chief writes.
        if self.chief:
            _writable(self.directory)
        # Missing data is the commonest error and is found without TensorFlow, so it comes first;
        # but workers must meet before TensorFlow runs anything, and reading a set may run it.
        together = here is not cluster.ALONE
        placed, where = self._meet(here) if together else (None, "")
        self.data = datasets.load(
            args.dataset,
            image_size=args.image_size or None,
            train_split=args.train_split,
            test_split=args.test_split,
            download=args.download,
        )
        if not together:
            placed, where = strategy.build(args.strategy, args.tpu, args.devices)
        per = args.steps_per_execution
        self.epoch_steps = max(per, len(self.data.train) // args.batch_size // per * per)
        self.steps = args.epochs * self.epoch_steps
        self.workers = (
            agreement.Workers(placed, here.rank, len(here.addresses)) if together else None
        )
        self.settings = self._settings()
        self._check_batch(placed)
        with placed.scope():
            self.game = self._game(placed)
        # Outside the scope, where reading a file on one worker would call for the others.
        self.step = self._begin()
        if self.chief:
            self._introduce(where)

    def _meet(self, here):
        others = len(here.addresses) - 1
        print(
            f"worker {here.rank} of {', '.join(here.addresses)}: waiting until all are there"
            if others
            else f"the only worker, {here.addresses[0]}",
            flush=True,
        )
        args = self.args
        return strategy.build(args.strategy, args.tpu, args.devices, len(here.addresses))

    def _settings(self):
        """What a resumed run must have in common with this one; the same on all workers."""
        from trainers import settings

        found = settings.wanted(self.recipe, self.args, self.steps)
        if self.workers:
            checksum = zlib.crc32(self.data.train.tobytes())
            self.workers.compare(
                settings.of_workers(found, self.args) | {"training data": checksum}
            )
        return found

    def _begin(self):
        """Compare the settings and read the newest checkpoint; its step, the same everywhere."""
        from trainers import settings

        def start():
            settings.settle(
                self.directory, self.settings, self.args, self.game, self.data, command(self.argv)
            )
            checkpoints.restore(self.game, self.directory / checkpoints.FOLDER)

        if self.workers is None:
            start()
        else:
            self.workers.begin(start)
            self.workers.adopt(agreement.state_of(self.game))
        return checkpoints.step_of(self.game)

    def _introduce(self, where):
        x, n = "×".join(map(str, self.data.shape)), len(self.data.train)
        print(
            f"{self.recipe.title.rstrip('.')}: network {self.args.network}, "
            f"{self.game.count_params():,} parameters\n"
            f"{n:,} training examples of {x} from {self.args.dataset}; {where}\n"
            f"writing to {self.directory}",
            flush=True,
        )
        if self.step:
            print(f"going on from step {self.step} of {self.steps}", flush=True)

    def _check_batch(self, placed):
        batch, replicas = self.args.batch_size, placed.num_replicas_in_sync
        if batch > len(self.data.train):
            raise ValueError(
                f"--batch_size={batch} is more than the {len(self.data.train)} "
                f"training examples of {self.data.name}"
            )
        if batch % replicas:
            raise ValueError(
                f"--batch_size={batch} cannot be shared by {replicas} replicas; "
                f"take {batch // replicas * replicas or replicas}"
            )

    def _game(self, placed):
        import keras

        import zoo

        args = self.args
        keras.mixed_precision.set_global_policy(args.precision)
        arguments = {name: getattr(args, name) for name in flags.constructor(self.recipe.method)}
        game = zoo.method(self.recipe.method)(self.data.shape, **arguments)
        game.compile(
            self.recipe.optimizers(args, self.steps),
            l2=self.recipe.l2,
            jit_compile=args.jit_compile and placed.num_replicas_in_sync == 1,
            # Keras' loop over several steps does not run under MultiWorkerMirroredStrategy.
            steps_per_execution=1 if self.workers else args.steps_per_execution,
        )
        if not args.sync_batch_norm:
            strategy.unsynchronised(game)
        return game

    def train(self) -> int | None:
        """Take the steps that are missing; returns the signal that stopped it, if one did."""
        from trainers import callbacks

        with callbacks.StopOnSignal(self.workers) as stop:
            epoch, done = divmod(self.step, self.epoch_steps)
            watchers = [callbacks.StopOnNaN(), stop, *(self._writers(epoch) if self.chief else ())]
            for steps, first, last in self._stretches(epoch, done):
                self._fit(steps, first, last, watchers)
                if stop.ask():
                    break
        self.step = checkpoints.step_of(self.game)
        return stop.received

    def _writers(self, epoch):
        from trainers import callbacks

        self.history = callbacks.History(self.directory / "history.csv", epoch)
        folder = self.directory / checkpoints.FOLDER
        return [
            callbacks.Throughput(self.args.batch_size),
            callbacks.Evaluate(self.data, self.args.evaluate_every, self.directory),
            self.history,
            *_tensorboard(self.directory),
            callbacks.Checkpoint(folder, self.args.keep_checkpoints),
        ]

    def _fit(self, steps, first, last, watchers):
        from zoo import datasets

        taken = checkpoints.step_of(self.game)
        talk = 1 if sys.stdout.isatty() else 2
        self.game.fit(
            datasets.batches(self.data.train, self.args.batch_size, self.args.seed, taken),
            steps_per_epoch=steps,
            initial_epoch=first,
            epochs=last,
            callbacks=watchers,
            verbose=talk if self.chief else 0,
            shuffle=False,
        )

    def _stretches(self, epoch, done):
        """(steps per epoch, first epoch, last epoch) of what is left to train.

        A run that was stopped inside an epoch ends that epoch first.
        """
        if done:
            yield self.epoch_steps - done, epoch, epoch + 1
            epoch += 1
        if epoch < self.args.epochs:
            yield self.epoch_steps, epoch, self.args.epochs


def _check_backend(args):
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend not in ("tensorflow", "jax"):
        raise ValueError(f"training needs KERAS_BACKEND=tensorflow or jax; it is {backend!r}")
    if importlib.util.find_spec(backend) is None:
        other = "jax" if backend == "tensorflow" else "tensorflow"
        raise ValueError(f"{backend} is not installed; install it, or set KERAS_BACKEND={other}")
    if backend == "jax":
        jax_devices.check(args.strategy, args.tpu, args.devices, args.sync_batch_norm)


def _tensorboard(directory):
    import keras

    # Keras writes these logs with TensorFlow, on every backend; history.csv holds the same numbers.
    if importlib.util.find_spec("tensorflow") is None:
        return []
    return [keras.callbacks.TensorBoard(directory / "tensorboard", write_graph=False)]


def _writable(directory):
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"--run_dir={directory} cannot be written to ({error.strerror}); choose another"
        ) from None
    return directory


def command(argv: list) -> str:
    """What to type to run `argv` again."""
    return commands.typed(f"trainers.{pathlib.Path(argv[0]).stem}", argv[1:])
