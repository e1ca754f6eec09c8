"""The steps that a run lacks: their number, the calls of `fit`, and its callbacks."""

import math
import sys

from trainers.runs import callbacks
from trainers.runs import checkpoints
from trainers.runs import stopping
from zoo import datasets


def stretches(step: int, epoch_steps: int, epochs: int):
    """(steps per epoch, first epoch, last epoch) of the training that is left after `step` steps.

    A run that was stopped inside an epoch ends that epoch first, unless `epochs` are over.
    """
    epoch, done = divmod(step, epoch_steps)
    if done and epoch < epochs:
        yield epoch_steps - done, epoch, epoch + 1
        epoch += 1
    if epoch < epochs:
        yield epoch_steps, epoch, epochs


def watchers(run, stop: stopping.StopOnSignal) -> list:
    """The callbacks of `fit`; those that write are the chief's alone."""
    # In this order: callbacks that stop, that refuse to save, that save, that only show.
    first = [stop, stopping.StopOnNaN()]
    if not run.chief:
        return first
    args, folder = run.args, run.directory / checkpoints.FOLDER
    epochs = run.step // run.epoch_steps
    run.history = callbacks.History(run.directory / "history.csv", epochs, run.began)
    return [
        *first,
        callbacks.Throughput(run.step_examples),
        callbacks.Evaluate(run.data, args.evaluate_every, run.directory, run.epoch_steps),
        run.history,
        *callbacks.tensorboard(run.directory),
        callbacks.Checkpoint(folder, args.keep_checkpoints, args.checkpoint_minutes),
        *run.loggers,
        callbacks.TimeLeft(run.steps - run.step),
    ]


def arguments(run, steps: int, first: int, last: int) -> dict:
    """Arguments of `fit` for one of `stretches`; the game is told how many steps a call has.

    Keras makes whole calls only and would go beyond the end of an epoch.
    """
    game = run.game
    per_call = math.gcd(steps, run.per_call)
    if per_call != game.steps_per_execution:
        game.steps_per_execution, game.train_function = per_call, None
    return {
        "x": datasets.batches(
            run.parts, run.step_examples, run.args.seed, checkpoints.step_of(game)
        ),
        "steps_per_epoch": steps,
        "initial_epoch": first,
        "epochs": last,
        "verbose": (1 if sys.stdout.isatty() else 2) if run.chief else 0,
        "shuffle": False,
    }
