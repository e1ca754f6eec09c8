"""The steps that a run lacks, with what watches them and writes while they are taken."""

import math
import sys

from trainers.runs import callbacks
from trainers.runs import checkpoints
from zoo import datasets


def take(run) -> int | None:
    """Take the steps that `run` (a `trainers.runs.run.Run`) lacks, as far as nothing stops it.

    Returns:
        The signal that stopped it, or None.

    Raises:
        FloatingPointError: a loss or a weight became NaN or infinite.
    """
    with callbacks.StopOnSignal(run.workers) as stop:
        # In this order: what stops, what must not be saved, what saves.
        watchers = [stop, callbacks.StopOnNaN(), *(_writers(run) if run.chief else ())]
        for steps, first, last in stretches(run.step, run.epoch_steps, run.args.epochs):
            _fit(run, steps, first, last, watchers)
            if stop.ask():
                break
    return stop.received


def stretches(step: int, epoch_steps: int, epochs: int):
    """(steps per epoch, first epoch, last epoch) of what is left to train after `step` steps.

    A run that was stopped inside an epoch ends that epoch first, unless `epochs` are over.
    """
    epoch, done = divmod(step, epoch_steps)
    if done and epoch < epochs:
        yield epoch_steps - done, epoch, epoch + 1
        epoch += 1
    if epoch < epochs:
        yield epoch_steps, epoch, epochs


def _writers(run):
    args, folder = run.args, run.directory / checkpoints.FOLDER
    epochs = run.step // run.epoch_steps
    run.history = callbacks.History(run.directory / "history.csv", epochs, run.began)
    return [
        callbacks.Throughput(run.step_examples),
        callbacks.Evaluate(run.data, args.evaluate_every, run.directory, run.epoch_steps),
        run.history,
        *callbacks.tensorboard(run.directory),
        callbacks.Checkpoint(folder, args.keep_checkpoints),
    ]


def _fit(run, steps, first, last, watchers):
    game, args = run.game, run.args
    # Keras takes whole calls only, and would go beyond the end of an epoch.
    per_call = math.gcd(steps, run.per_call)
    if per_call != game.steps_per_execution:
        game.steps_per_execution, game.train_function = per_call, None
    talk = 1 if sys.stdout.isatty() else 2
    game.fit(
        datasets.batches(run.parts, run.step_examples, args.seed, checkpoints.step_of(game)),
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=last,
        callbacks=watchers,
        verbose=talk if run.chief else 0,
        shuffle=False,
    )
