"""Encoders and generators of points in the plane, of any width, depth and bound on weights."""

import functools

import keras

import zoo
from zoo import datasets

# Of the discriminators, which are those of the method.
SIZES = {"network": "mixture", "width": 4, "latent_dim": 2}
BATCH = 256


@functools.cache
def standardised(name: str) -> tuple:
    """(training points, test points, mean, standard deviation) of a set, scaled to 0 and 1.

    The standard deviation is one number, of all coordinates: round parts stay round.
    """
    data = datasets.load(name)
    if len(data.shape) != 1:
        raise ValueError(
            f"--dataset must be a set of points; got {name}, with examples of {data.shape}"
        )
    mean, std = data.train.mean(axis=0), data.train.std(axis=0).mean()
    return (data.train - mean) / std, (data.test - mean) / std, mean, std


def game_of(method: str, units: int, depth: int, seed: int, bound: float = 0.0):
    """A game whose encoder and generator are `depth` hidden layers of `units` rectified units.

    `bound`: the largest Frobenius norm of a layer's weights, which bounds its Lipschitz constant;
    that of a network is then at most bound ** (depth + 1). 0 for none.
    """
    networks = {
        name: network(name, units, depth, 2 * seed + place, bound)
        for place, name in enumerate(("encoder", "generator"))
    }
    return zoo.method(method)((2,), **SIZES, seed=seed, **networks)


def network(name: str, units: int, depth: int, seed: int, bound: float):
    """(n, 2) → (n, 2)."""
    inputs = x = keras.Input((2,))
    for layer in range(depth + 1):
        last = layer == depth
        x = keras.layers.Dense(
            2 if last else units,
            activation="linear" if last else "relu",
            kernel_initializer=keras.initializers.HeNormal(seed=100 * seed + layer),
            kernel_constraint=keras.constraints.MaxNorm(bound, axis=[0, 1]) if bound else None,
            name="features" if layer == depth - 1 else None,
        )(x)
    return keras.Model(inputs, x, name=name)
