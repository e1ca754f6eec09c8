"""The only path from flags to `fit`: every trainer is a `Recipe` handed to `main`."""

import contextlib
import importlib.util
import os
import pathlib
import sys
import time

import zoo
from trainers.distribute import agreement
from trainers.distribute import cluster
from trainers.distribute import jax_devices
from trainers.distribute import strategy
from trainers.runs import checkpoints
from trainers.runs import directory
from trainers.runs import flags
from trainers.runs import loggers
from trainers.runs import signals
from trainers.runs.recipe import Recipe
from zoo import keras_settings
from zoo.cli import commands


def main(recipe: Recipe, argv: list | None = None) -> None:
    """Train, measure, save and picture one game; exits with a message if that is impossible.

    Exit codes: 0 done, 1 training failed (a loss or a weight became NaN), 2 bad input, 75 another
    worker is gone or the disk failed (start all again), 130 and 143 stopped by SIGINT and SIGTERM
    with everything saved.
    """
    argv = sys.argv if argv is None else argv
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    signals.listen()
    with contextlib.ExitStack() as until_the_end:
        with commands.exit_on_bad_input():
            args = flags.parse(recipe, argv)
            _check_backend(args)
            strategy.check(args.strategy, args.tpu, args.devices)
            here = cluster.read(args.strategy)
        until_the_end.enter_context(agreement.another_start(here))
        with commands.exit_on_bad_input():
            # Only the chief writes.
            if here.rank == 0:
                until_the_end.enter_context(directory.held(pathlib.Path(args.run_dir)))
                # Before TensorFlow, whose import takes seconds and prints lines of its own.
                print(recipe.title, flush=True)
            run = Run(recipe, args, argv, here)
        try:
            stopped_by = run.train()
        except FloatingPointError as error:
            last = run.directory / checkpoints.FOLDER
            kept = f"the checkpoints before it are kept in {last}"
            kept = kept if checkpoints.any_in(last) else "nothing was saved yet"
            print(f"error: {error}; {kept}", file=sys.stderr)
            sys.exit(1)
        if stopped_by:
            print(
                f"\nstopped and saved at step {run.step} of {run.steps}; to resume, run again:\n"
                f"  {command(argv)}"
            )
            sys.exit(128 + stopped_by)
        if here.rank == 0:
            from trainers.runs import report

            report.write(run, command(argv))
        if run.workers:
            # All workers stay until here, because the chief may have to measure again.
            run.workers.gather([0])


class Run:
    """One run directory: the game, its data, and the number of steps done.

    Raises:
        ValueError, OSError: the flags cannot be satisfied; nothing was overwritten.
    """

    def __init__(self, recipe: Recipe, args, argv: list, here=cluster.ALONE):
        self.recipe, self.args, self.argv = recipe, args, argv
        self.began = time.time()
        self.directory = pathlib.Path(args.run_dir)
        self.chief = here.rank == 0
        # Missing data is the commonest error and is found without TensorFlow, so it comes first;
        # but workers must meet before TensorFlow runs anything, and reading a set may run it.
        together = here is not cluster.ALONE
        placed, where = self._meet(here) if together else (None, "")
        self.data = self._load()
        if not together:
            placed, where = strategy.build(args.strategy, args.tpu, args.devices)
        self.source = self._source()
        per = args.steps_per_execution
        method = zoo.method(recipe.method)
        self.parts = self.data.parts(method.inputs)
        # Examples that one step takes from the stream: a batch for every phase that wants its own.
        self.step_examples = args.batch_size * method.batches_for(**vars(args))
        parts = self.parts if isinstance(self.parts, tuple) else (self.parts,)
        self.epoch_steps = max(per, len(parts[0]) // self.step_examples // per * per)
        self.steps = args.epochs * self.epoch_steps
        self.workers = (
            agreement.Workers(placed, here.rank, len(here.addresses)) if together else None
        )
        self.per_call = 1 if together else per  # MultiWorkerMirroredStrategy has no loop
        self.settings = self._settings()
        self._check_test()
        self._check_batch(placed, min(map(len, parts)))
        with placed.scope():
            self.game = self._game(placed)
        if self.source:
            self.source.give(self.game)
        # Outside the scope, in which reading a file would wait for the other workers.
        self.step = self._begin()
        if self.chief:
            from trainers.runs import report

            report.introduce(self, where)
            self.loggers = loggers.begin(self)

    def _load(self):
        from zoo import datasets

        args = self.args
        same = ("train_split", "test_split", "download", "cache", "cache_dir")
        options = {flag: getattr(args, flag) for flag in same} | {"other": args.dataset_b}
        return datasets.load(args.dataset, image_size=args.image_size or None, **options)

    def _meet(self, here):
        # Before the rendezvous: the import takes seconds, and no worker must be lost between the
        # rendezvous and the start of the cluster.
        import tensorflow  # noqa: F401

        cluster.meet(here)
        args = self.args
        met = strategy.build(args.strategy, args.tpu, args.devices, len(here.addresses))
        signals.take_back()
        return met

    def _source(self):
        """The game of `--start_from`, or None; read outside the scope, like checkpoints."""
        from trainers.runs import start

        return start.read(self.args.start_from)

    def _settings(self):
        """Settings that a resumed run must share with this one; the same on all workers."""
        from trainers.runs import settings

        found = settings.wanted(self.recipe, self.args, self.data, self.steps)
        found |= settings.of_source(self.directory, self.args, self.source)
        if self.workers:
            self.workers.compare(settings.of_workers(found, self.args))
        return found

    def _begin(self):
        """Compare the settings and read the newest checkpoint; its step, the same everywhere."""
        from trainers.runs import settings

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
        step, source = checkpoints.step_of(self.game), self.args.start_from
        if source and not (self.source or step):
            raise ValueError(f"--start_from={source} is gone, and no checkpoint is sound")
        return step

    def _check_test(self):
        """Before training, for every measurement at its end compares test examples."""
        for data in filter(None, (self.data, self.data.other)):
            if len(data.test) < 2:
                raise ValueError(
                    f"{data.name} must have 2 test examples or more; got {len(data.test)} beside "
                    f"{len(data.train)} for training"
                )

    def _check_batch(self, placed, least):
        batch, replicas = self.args.batch_size, placed.num_replicas_in_sync
        if self.step_examples > least:
            phases = self.step_examples // batch
            times = f" for each of {phases} phases" if phases > 1 else ""
            sets = filter(None, (self.data, self.data.other))
            names = " and ".join(data.name for data in sets if len(data.train) <= least)
            raise ValueError(
                f"--batch_size={batch}{times} is more than the {least} training examples of {names}"
            )
        if batch % replicas:
            raise ValueError(
                f"--batch_size={batch} cannot be shared by {replicas} replicas; "
                f"take {batch // replicas * replicas or replicas}"
            )

    def _game(self, placed):
        import keras

        args = self.args
        keras.config.set_floatx("float32")  # keras.json may say float16
        keras.mixed_precision.set_global_policy(args.precision)
        arguments = {name: getattr(args, name) for name in flags.constructor(self.recipe.method)}
        method = zoo.method(self.recipe.method)
        if "y" in method.inputs:
            arguments["classes"] = len(self.data.conditions)
        game = method(self.data.shape, **arguments)
        game.compile(
            self.recipe.optimizers(args, self.steps),
            l2=self.recipe.l2,
            jit_compile=args.jit_compile and placed.num_replicas_in_sync == 1,
            steps_per_execution=self.per_call,
        )
        if not args.sync_batch_norm:
            strategy.unsynchronised(game)
        return game

    def train(self) -> int | None:
        """Take the steps that are missing; returns the signal that stopped it, if one did.

        Raises:
            FloatingPointError: a loss or a weight became NaN or infinite.
        """
        from trainers.runs import stopping
        from trainers.runs import training

        with stopping.StopOnSignal(self.workers) as stop:
            watchers = training.watchers(self, stop)
            for stretch in training.stretches(self.step, self.epoch_steps, self.args.epochs):
                self.game.fit(**training.arguments(self, *stretch), callbacks=watchers)
                if stop.ask():
                    break
        self.step = checkpoints.step_of(self.game)
        return stop.received


def _check_backend(args):
    backend = keras_settings.check_backend("training")
    if importlib.util.find_spec(backend) is None:
        other = "jax" if backend == "tensorflow" else "tensorflow"
        raise ValueError(f"{backend} is not installed; install it, or set KERAS_BACKEND={other}")
    if backend == "jax":
        jax_devices.check(args.strategy, args.tpu, args.devices, args.sync_batch_norm)


def command(argv: list) -> str:
    """The command line that runs `argv` again."""
    return commands.typed(f"trainers.{pathlib.Path(argv[0]).stem}", argv)
