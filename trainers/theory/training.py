"""Short trainings of equal length, without a run directory."""

import math

from zoo import datasets


def stages(game, images, batch_size: int, steps: tuple):
    """Trains a game with the optimizers of its class; yields each of `steps`, when it is reached.

    Args:
        game: a `zoo.game.Game` that is not compiled.
        images: as `Dataset.train`.
        batch_size: examples of every phase that takes examples of its own.
        steps: increasing numbers of training steps.
    """
    lengths = [after - before for before, after in zip((0, *steps), steps)]
    game.compile(steps_per_execution=math.gcd(25, *lengths))
    for reached, length in zip(steps, lengths, strict=True):
        # A stage goes on in the stream where the one before it stopped.
        stream = datasets.batches(
            images, batch_size * game.batches_per_step, game.seed, start_step=reached - length
        )
        game.fit(stream, steps_per_epoch=length, verbose=0, shuffle=False)
        yield reached


def train(game, images, batch_size: int, steps: int):
    """The game itself, trained for `steps` steps; see `stages`."""
    for _ in stages(game, images, batch_size, (steps,)):
        pass
    return game
