"""The only path from flags to `fit`: every trainer is a `Recipe` handed to `main`."""

import dataclasses
import importlib.util
import os
import pathlib
import shlex
import sys
import time
from collections.abc import Callable

from trainers import flags
from trainers import jax_devices


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

    Exit codes: 0 done, 1 training failed (a loss became NaN), 2 bad input, 130 and 143 stopped by
    SIGINT and SIGTERM with everything saved.
    """
    began = time.time()
    argv = sys.argv if argv is None else argv
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        args = flags.parse(recipe, argv)
        _check_backend(args)
        run = Run(recipe, args, argv)
    except (ValueError, OSError) as error:
        _fail(2, error)
    try:
        stopped_by = run.train()
    except FloatingPointError as error:
        last = run.directory / "checkpoints"
        _fail(1, f"{error}; the checkpoints before it are kept in {last}")
    if stopped_by:
        print(
            f"\nstopped and saved at step {run.step} of {run.steps}; to go on, run again:\n"
            f"  {command(argv)}"
        )
        sys.exit(128 + stopped_by)
    if not run.worker:
        from trainers import report

        report.write(run, time.time() - began)


class Run:
    """One run directory: the game, its data, and how far it has come.

    Raises:
        ValueError, OSError: the flags cannot be satisfied; nothing was overwritten.
    """

    def __init__(self, recipe: Recipe, args, argv: list):
        self.recipe, self.args, self.argv = recipe, args, argv
        directory = pathlib.Path(args.run_dir)
        from trainers import strategy
        from zoo import datasets

        # Missing data is the commonest error and is found without TensorFlow, so it comes first;
        # but workers must meet before TensorFlow runs anything, and reading a set may run it.
        together = args.strategy == "multi_worker_mirrored"
        placed, where = strategy.build(args.strategy) if together else (None, "")
        # Every worker saves what it needs to go on; only the chief writes to the run itself.
        self.worker = strategy.worker_index() if together else 0
        self.directory = _writable(
            directory / f"worker-{self.worker}" if self.worker else directory
        )
        self.data = datasets.load(
            args.dataset,
            image_size=args.image_size or None,
            train_split=args.train_split,
            test_split=args.test_split,
            download=args.download,
        )
        from trainers import checkpoints
        from trainers import settings

        if not together:
            placed, where = strategy.build(args.strategy, args.tpu)
        self._check_batch(placed)
        per = args.steps_per_execution
        self.epoch_steps = max(per, len(self.data.train) // args.batch_size // per * per)
        self.steps = args.epochs * self.epoch_steps
        with placed.scope():
            self.game = self._game(placed)
        settings.settle(self.directory, recipe, args, self.game, self.data, command(argv))
        self.step = checkpoints.restore(self.game, self.directory / "checkpoints")
        x, n = "×".join(map(str, self.data.shape)), len(self.data.train)
        print(
            f"{self.recipe.title.rstrip('.')}: network {args.network}, "
            f"{self.game.count_params():,} parameters\n"
            f"{n:,} training examples of {x} from {args.dataset}; {where}\n"
            f"writing to {self.directory}"
        )
        if self.step:
            print(f"going on from step {self.step} of {self.steps}")

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
            steps_per_execution=args.steps_per_execution,
        )
        return game

    def train(self) -> int | None:
        """Take the steps that are missing; returns the signal that stopped it, if one did."""
        from trainers import callbacks
        from trainers import checkpoints
        from zoo import datasets

        epoch, done = divmod(self.step, self.epoch_steps)
        stop = callbacks.StopOnSignal()
        self.throughput = callbacks.Throughput(self.args.batch_size)
        self.history = callbacks.History(self.directory / "history.csv", epoch)
        watchers = [
            callbacks.StopOnNaN(),
            stop,
            self.throughput,
            callbacks.Evaluate(self.data, self.args.evaluate_every, self.directory),
            self.history,
            *_tensorboard(self.directory),
            callbacks.Checkpoint(self.directory / "checkpoints"),
        ]
        verbose = 1 if sys.stdout.isatty() else 2
        for steps, first, last in self._stretches(epoch, done):
            if stop.received:
                break
            taken = checkpoints.step_of(self.game)
            examples = self.data.train
            self.game.fit(
                datasets.batches(examples, self.args.batch_size, self.args.seed, taken),
                steps_per_epoch=steps,
                initial_epoch=first,
                epochs=last,
                callbacks=watchers,
                verbose=verbose,
                shuffle=False,
            )
        self.step = checkpoints.step_of(self.game)
        return stop.received

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
        jax_devices.check(args.strategy, args.tpu)


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
    return shlex.join(["python", "-m", f"trainers.{pathlib.Path(argv[0]).stem}", *argv[1:]])


def _fail(code, message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
