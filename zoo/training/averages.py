"""Exponential moving averages of networks of a game, kept as networks of their own.

They are part of the game, hence of its checkpoints. Batch norm statistics are averaged with the
weights; integers, such as counts, are those of the network. The average of GAN weights is less
noisy than the last of them (Yazıcı et al. 2019, arXiv:1806.04498).

After step t (`optimizer.iterations`, counted from 1) an average keeps decay_t of itself and takes
the rest from the network: decay_t = min(ema, (1 + t) / (10 + t)). The first steps, at which the
initial weights should be forgotten, thus weigh less than they would at the decay `ema` itself. t is
part of a checkpoint, so a resumed run continues the same average.
"""

import keras
from keras import ops

from zoo.networks import own


def create(game) -> dict:
    """Copies of the networks of `game` that it names in `averaged`: name → network."""
    copies = {}
    for name in game.averaged:
        if name in game.named_networks():
            copies[name] = keras.models.clone_model(getattr(game, name))
            own.set_weights(copies[name], getattr(game, name).get_weights())
            copies[name].trainable = False
            setattr(game, f"average_{name}", copies[name])
    return copies


def in_use(game, name: str):
    """The network `name` that makes codes and images: its average, if there is one."""
    return game.averages.get(name) or getattr(game, name)


def update(game) -> None:
    """Move every average by 1 - decay_t of the way to the weights of its network."""
    if not game.averages:
        return
    t = ops.cast(game.optimizer.iterations, "float32")
    moved = 1 - ops.minimum(game.ema, (1 + t) / (10 + t))
    for name, average in game.averages.items():
        for mean, value in zip(average.weights, getattr(game, name).weights, strict=True):
            # Counts and the like have no average.
            real = keras.backend.is_float_dtype(mean.dtype)
            mean.assign(mean + moved * (value - mean) if real else value)
