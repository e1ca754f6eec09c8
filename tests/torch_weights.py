"""Losses of `benchmarks/torch_peers.py` with weights of Keras, in a process without Keras."""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "benchmarks"))


def losses(case, networks, x, z):
    """The losses of both players, in training mode.

    Args:
        case: key of `torch_peers.GAMES`.
        networks: name → list of the layers' weights, in Keras' layout.
        x, z: arrays of one batch.
    """
    import torch
    import torch_peers

    game = torch_peers.GAMES[case]()
    for name, layers in networks.items():
        copy(layers, getattr(game, name if hasattr(game, name) else "others"))
    x = x.transpose(0, 3, 1, 2).copy() if x.ndim == 4 else x
    found = game.losses(game.made(torch.from_numpy(x), torch.from_numpy(z)))
    return [loss.item() for loss in found]


def moved(loop, case):
    """For each weight, the discriminator's first, whether one step changed it."""
    import torch
    import torch_peers

    torch.manual_seed(0)
    game = torch_peers.GAMES[case]()
    weights = [*game.discriminator.parameters(), *game.others.parameters()]
    before = [weight.detach().clone() for weight in weights]
    torch_peers.LOOPS[loop](game, [(1e-3, 0.5)] * 2)(torch.randn(100, 2))
    return [bool((a != b).any()) for a, b in zip(weights, before, strict=True)]


def copy(layers, module, spatial=(7, 7, 64)):
    """Give a PyTorch module the weights of Keras' layers, which are paired by their shapes."""
    import torch

    left = [as_torch(weights, spatial) for weights in layers]
    for own in (m for m in module.modules() if hasattr(m, "weight")):
        state = [value for value in own.state_dict().values() if value.ndim]
        shapes = [tuple(value.shape) for value in state]
        place = next(i for i, w in enumerate(left) if [a.shape for a in w] == shapes)
        for value, array in zip(state, left.pop(place), strict=True):
            value.copy_(torch.from_numpy(np.ascontiguousarray(array)))
    assert not left


def as_torch(weights, spatial):
    """Arrays of a Keras layer in PyTorch's layout. `spatial`: shape that a Dense layer flattens."""
    kernel = weights[0]
    if kernel.ndim == 4:  # (h, w, in, out) → (out, in, h, w); transposed, (h, w, out, in) too
        return [kernel.transpose(3, 2, 0, 1), *weights[1:]]
    if kernel.ndim == 1:  # gain, bias, mean and variance of batch norm
        return [channels_first(value, spatial, 0) for value in weights]
    return [channels_first(channels_first(kernel, spatial, 0), spatial, 1).T, *weights[1:]]


def channels_first(array, spatial, axis):
    """`array` with axis `axis` in the order (c, h, w) instead of (h, w, c), if it has that size."""
    if array.shape[axis] != np.prod(spatial):
        return array
    order = np.arange(np.prod(spatial)).reshape(spatial).transpose(2, 0, 1).ravel()
    return np.take(array, order, axis=axis)
