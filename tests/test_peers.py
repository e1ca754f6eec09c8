"""`benchmarks/peers.py`: both libraries train the same networks on the same losses."""

import concurrent.futures
import importlib.util
import multiprocessing

import keras
import numpy as np
import pytest
import scripts
import torch_weights

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("torch"), reason="the extra bench is not installed"
)


def in_a_process(function, *arguments):
    """PyTorch does not load beside TensorFlow."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(function, *arguments).result()


@pytest.fixture(scope="module")
def peers():
    return scripts.load("benchmarks/peers.py")


@pytest.mark.slow
@pytest.mark.parametrize("case", ["bigan", "gan"])
def test_losses_are_equal(peers, case):
    game = peers.made(case)
    networks = {
        name: [layer.get_weights() for layer in network.layers if layer.weights]
        for name, network in game.named_networks().items()
    }
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (16, *game.image_shape)).astype("float32")
    z = rng.normal(size=(16, game.latent_dim)).astype("float32")
    expected = game((keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(z)), training=True)
    found = in_a_process(torch_weights.losses, case, networks, x, z)
    np.testing.assert_allclose(found, [float(expected[p]) for p in game.players], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["PyTorch, two passes", "PyTorch, shared pass, fused"])
def test_a_step_trains_every_weight_of_both_players(loop):
    assert all(in_a_process(torch_weights.moved, loop, "gan"))
