"""The pair of Arora, Risteski and Zhang: exact cycles, counted weights, blocks of equal measure."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from games import export
from games import losses_when_judged
from games import step
from games import weights
from keras import ops
from scipy.stats import chisquare

import zoo
from zoo import datasets
from zoo import metrics
from zoo.networks import theorem

SHAPE = (28, 28, 1)


def stored(m, seed=0):
    """m images of random bytes, all different."""
    return np.random.default_rng(seed).integers(0, 256, (m, *SHAPE), dtype=np.uint8)


def make(support=64, circuit="lookup", **arguments):
    game = zoo.Counterexample(SHAPE, support=support, circuit=circuit, width=4, **arguments)
    game.remember(stored(support))
    return game


def codes(n, latent_dim=16, seed=0):
    return np.random.default_rng(seed).standard_normal((n, latent_dim)).astype(np.float32)


numpy = keras.ops.convert_to_numpy


@pytest.mark.parametrize("arguments", [{}, {"noise_std": 0.25}, {"circuit": "relu"}])
def test_codes_come_back_bit_for_bit_and_samples_are_their_own_reconstructions(arguments):
    game, z = make(**arguments), codes(2000)
    images = game.decode(z)
    np.testing.assert_array_equal(numpy(game.encode(images)), z)
    np.testing.assert_array_equal(numpy(game.reconstruct(images)), numpy(images))


@pytest.mark.slow
def test_a_hundred_thousand_codes_come_back_from_the_model_a_file_and_a_fresh_process(tmp_path):
    game, z = make(1024), codes(100_000)
    game.save(tmp_path / "game.keras")
    np.save(tmp_path / "z.npy", z)
    export(game, tmp_path / "saved_model")
    fresh = (
        "import sys, numpy as np, tensorflow as tf\n"
        "z = np.load(sys.argv[1] + '/z.npy')\n"
        "served = tf.saved_model.load(sys.argv[1] + '/saved_model')\n"
        "for i in range(0, len(z), 10_000):\n"
        "    part = z[i : i + 10_000]\n"
        "    images = served.decode(part)['images']\n"
        "    assert np.array_equal(served.encode(images)['codes'].numpy(), part)\n"
    )
    subprocess.run([sys.executable, "-c", fresh, str(tmp_path)], check=True)
    for again in (game, zoo.load(tmp_path / "game.keras")):
        for part in np.split(z, 10):
            np.testing.assert_array_equal(numpy(again.encode(again.decode(part))), part)


def test_a_reconstruction_is_an_unrelated_stored_image_under_the_noise_of_the_original():
    game = make(256)
    x = game.observed(datasets.scale(stored(500, seed=1)), seed=2)
    back = numpy(game.reconstruct(x)).reshape(500, -1)
    flat, clean = x.reshape(500, -1), np.ones(28 * 28, bool)
    clean[game.noised.pixels] = False
    np.testing.assert_array_equal(back[:, game.noised.pixels], flat[:, game.noised.pixels])
    memory = datasets.scale(stored(256)).reshape(256, -1)[:, clean]
    known = {row.tobytes() for row in memory}
    assert all(row.tobytes() in known for row in np.ascontiguousarray(back[:, clean]))
    matched = np.linalg.norm(flat - back, axis=1).mean()
    other = np.linalg.norm(np.roll(flat, 1, axis=0) - back, axis=1).mean()
    # The noise of another image differs by √(2 · 16); off the noise both are unrelated.
    assert np.sqrt(other**2 - 2 * 16) == pytest.approx(matched, rel=0.01)


def test_copied_noise_is_no_reconstruction():
    labels = np.arange(300, dtype="int32") % 2
    shown = stored(300, seed=1)
    data = datasets.Dataset("own", shown, shown, labels, labels, ("0", "1"), "random bytes")
    found = metrics.evaluate(make(256), data, probes=False)
    # Random images of 768 clean pixels; with the 16 of noise it would be 0.97.
    assert found["x_cycle_ratio"] == pytest.approx(1, abs=0.01)
    assert found["x_cycle"] == pytest.approx(found["x_cycle_same_class"], rel=0.01)


@pytest.mark.parametrize(("support", "cuts"), [(64, 6), (64, 2), (1024, 10), (1024, 5)])
def test_the_relu_network_is_the_lookup_and_has_the_weights_of_the_theorem(support, cuts):
    z = codes(20_000 if support == 64 else 2000)
    fast, network = (make(support, circuit, cuts=cuts) for circuit in ("lookup", "relu"))
    one, other = (numpy(game.decode(z)).reshape(len(z), -1) for game in (fast, network))
    assert np.mean(np.all(one == other, axis=1)) >= 0.995
    np.testing.assert_array_equal(numpy(network.encode(network.decode(z))), z)
    k, d = round(support ** (1 / cuts)), 28 * 28
    counted = sum(np.count_nonzero(w) for w in network.generator.get_weights() if w.ndim == 2)
    assert counted == cuts * (4 * k - 2) + 4 * support + support * (d - 16) + 16
    assert sum(np.count_nonzero(w) for w in network.encoder.get_weights()) == 16


@pytest.mark.parametrize(("support", "cuts"), [(64, 6), (1000, 3), (16384, 14)])
def test_blocks_have_equal_measure(support, cuts):
    k = round(support ** (1 / cuts))
    found = numpy(theorem.blocks(keras.ops.convert_to_tensor(codes(200_000)), k, cuts))
    assert chisquare(np.bincount(found, minlength=support)).pvalue > 0.01


def test_the_noise_of_images_is_not_the_draw_of_the_same_seed_from_the_prior():
    game = make()
    x = game.observed(datasets.scale(stored(500)), seed=3)
    read, drawn = numpy(game.encode(x)), numpy(game.prior_codes(500, seed=3))
    assert abs(np.corrcoef(read.ravel(), drawn.ravel())[0, 1]) < 4 / np.sqrt(read.size)
    np.testing.assert_array_equal(x, game.observed(datasets.scale(stored(500)), seed=3))


def test_noise_is_the_same_in_images_of_any_memory_order():
    noised = make().noised
    x = datasets.scale(stored(3))
    expected = noised.observe(x, seed=1)
    assert not np.array_equal(expected, x)
    for other in (np.asfortranarray(x), x.transpose(1, 2, 3, 0).copy().transpose(3, 0, 1, 2)):
        np.testing.assert_array_equal(noised.observe(other, seed=1), expected)


def test_every_qth_pixel_is_overwritten_and_no_other():
    # d = 784 and d̃ = 16: q = 49, pixels 49, 98, … counted from 1.
    game = make()
    np.testing.assert_array_equal(game.noised.pixels, 49 * np.arange(1, 17) - 1)
    x, z = np.zeros((3, *SHAPE), np.float32), codes(3) * 100
    noised = numpy(game.overwrite(x, z)).reshape(3, -1)
    np.testing.assert_array_equal(noised[:, 48::49], z)  # beyond [-1, 1]: nothing is clipped
    assert np.count_nonzero(noised) == 3 * 16


def test_only_the_discriminator_moves_and_a_saved_pair_is_the_same(tmp_path):
    game = make()
    game.compile({"discriminator": keras.optimizers.SGD(0.1)})
    before = game.get_weights(), weights(game)
    x = datasets.scale(stored(16))
    logs = step(game, x)
    assert logs["discriminator"] == pytest.approx(np.log(2), abs=0.2)
    assert set(weights(game)) == {"discriminator"}
    assert np.any(weights(game)["discriminator"] != before[1]["discriminator"])
    memory = game.generator.get_layer("memory").images
    np.testing.assert_array_equal(memory.numpy(), stored(64))
    game.save(tmp_path / "game.keras")
    loaded = zoo.load(tmp_path / "game.keras")
    np.testing.assert_array_equal(numpy(loaded.decode(codes(9))), numpy(game.decode(codes(9))))
    assert step(game, x) == step(loaded, x)


def test_half_precision_does_not_round_codes():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        games = make(), make(circuit="relu")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    for game in games:
        np.testing.assert_array_equal(numpy(game.encode(game.decode(codes(100)))), codes(100))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (4, 4, 1), "latent_dim": 16}, "latent_dim must be 1 to 15, below d"),
        ({"support": 1000, "cuts": 2}, "support must be a whole number to the power of cuts = 2"),
        ({"cuts": 17}, "cuts must be 0 to latent_dim = 16; got 17"),
        ({"support": 1}, "support must be 2 to 2\\^20; got 1"),
        ({"noise_std": 0.3}, "noise_std must be a power of two"),
        ({"circuit": "tree"}, "circuit must be lookup or relu; got 'tree'"),
        ({"circuit": "relu", "support": 4096}, "takes a support of up to 2048, got 4096"),
        ({"prior": "uniform"}, "prior must be 'normal'"),
        ({"image_shape": (2,), "latent_dim": 1}, "image_shape must be that of an image"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.Counterexample(**{"image_shape": SHAPE, **arguments})


def test_the_memory_takes_as_many_images_as_it_was_made_for():
    with pytest.raises(ValueError, match=r"stores 64 images of bytes.*got uint8 \(63, 28, 28, 1\)"):
        make().remember(stored(63))


def test_the_discriminator_is_to_accept_real_examples_and_reject_stored_ones():
    game = make()
    found, seen = losses_when_judged(game, 2.0, -3.0)
    by_hand = (np.log1p(np.exp(-2)) + np.log1p(np.exp(-3))) / 2
    assert found["discriminator"] == pytest.approx(by_hand, rel=1e-5)
    # Real images have noise in the pixels that E reads, and in these alone: all others are 0.
    image, code = map(ops.convert_to_numpy, seen[0])
    assert np.count_nonzero(image) == code.size and np.all(code != 0)
