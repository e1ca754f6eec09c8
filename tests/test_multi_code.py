"""The multi-code prior: a generator whose maps and readout are known."""

import argparse
import json

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops
from test_inversion import game_of

import zoo
from zoo import datasets
from zoo.inversion import MultiCode
from zoo.inversion import restore
from zoo.inversion import tasks

SHAPE, CODE, CHANNELS = (4, 4, 2), 3, 5
ARGS = argparse.Namespace(images=4, seed=0)


def linear(seed=0, dtype="float32"):
    """The game of z → map (4, 4, 5) → image: a matrix, then a readout of the channels."""
    rng = np.random.default_rng(seed)
    generator = keras.Sequential(
        [
            keras.Input((CODE,)),
            layers.Dense(16 * CHANNELS, use_bias=False, dtype=dtype),
            layers.Reshape((4, 4, CHANNELS), name="maps", dtype=dtype),
            layers.Conv2D(2, 1, use_bias=False, name="readout"),
        ]
    )
    generator.set_weights([rng.normal(0, 0.3, w.shape) for w in generator.get_weights()])
    return game_of(generator)


def test_one_code_with_weights_of_one_is_the_generator():
    game = linear()
    z = game.prior_codes(4, seed=1)
    made = MultiCode(game, codes=1).compose(z[:, None], np.ones((4, 1, CHANNELS), "float32"))
    np.testing.assert_allclose(made, game.decode(z), atol=1e-6)


def test_a_layer_has_a_name_and_a_number():
    assert {MultiCode(linear(), layer, codes=1).layer for layer in ("maps", 0, "0")} == {"maps"}


def test_equal_codes_are_one_code_and_weights_scale_their_channels():
    game, z = linear(), np.random.default_rng(0).normal(size=(2, 1, CODE)).astype("float32")
    weights = np.random.default_rng(1).normal(size=(2, 3, CHANNELS)).astype("float32")
    made = MultiCode(game, "maps", codes=3).compose(np.repeat(z, 3, axis=1), weights)
    maps = np.reshape(z[:, 0] @ game.generator.get_weights()[0], (2, 4, 4, CHANNELS))
    expected = maps * weights.mean(axis=1)[:, None, None] @ game.generator.get_weights()[1][0, 0]
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_more_codes_reach_what_one_cannot():
    game = linear()
    codes = np.random.default_rng(2).normal(size=(2, 4, CODE)).astype("float32")
    weights = 1 + np.random.default_rng(3).normal(size=(2, 4, CHANNELS)).astype("float32")
    x = ops.convert_to_numpy(MultiCode(game, codes=4).compose(codes, weights))
    x /= np.abs(x).max()
    one, four = (restore(game, x, codes=codes, steps=300).errors for codes in (1, 4))
    assert np.all(four < 1e-3 * np.mean(x**2)) and np.all(one > 20 * four)


def test_images_do_not_depend_on_their_neighbours_and_the_best_is_kept():
    game = linear()
    x = np.random.default_rng(4).uniform(-1, 1, (3, *SHAPE)).astype("float32")
    found = restore(game, x, codes=2, steps=40)
    np.testing.assert_allclose(restore(game, x[1:2], codes=2, steps=40).images, found.images[1:2])
    np.testing.assert_allclose(
        found.errors, np.mean((found.images - x) ** 2, axis=(1, 2, 3)), rtol=1e-4
    )
    start = restore(game, x, codes=2, steps=1, learning_rate=1e-9).errors
    assert np.all(found.errors < start)
    # A rate that is far too high may end anywhere, but not above its start.
    assert np.all(restore(game, x, codes=2, steps=40, learning_rate=30).errors <= 1.0001 * start)


def test_only_what_is_known_is_fitted():
    game = linear()
    x = np.random.default_rng(5).uniform(-1, 1, (1, *SHAPE)).astype("float32")
    mask = np.ones_like(x)
    mask[:, 1:3] = 0
    first, other = (
        restore(game, image, codes=2, steps=30, mask=mask).images
        for image in (x, np.where(mask == 1, x, 0.5).astype("float32"))
    )
    np.testing.assert_array_equal(first, other)

    def grey(images):
        return ops.mean(images, axis=-1, keepdims=True)

    found = restore(game, x.mean(axis=-1, keepdims=True), grey, codes=2, steps=30)
    assert found.images.shape == x.shape
    expected = np.mean((found.images.mean(axis=-1) - x.mean(axis=-1)) ** 2)
    assert found.errors[0] == pytest.approx(expected, rel=1e-3)


def test_a_second_call_of_a_kind_compiles_nothing_and_sees_new_weights():
    game, traced = linear(), []

    def halved(images):
        traced.append(images.shape)
        return images / 2

    x = np.random.default_rng(6).uniform(-1, 1, (3, *SHAPE)).astype("float32")
    first = restore(game, x, halved, codes=2, steps=10)
    count = len(traced)
    # Neither the number of images nor that of the steps is part of the compiled function.
    again = restore(game, x[:1], halved, codes=2, steps=20, learning_rate=0.01, seed=1)
    assert count and len(traced) == count
    # One kernel turned round: the images, which have no bias, change their sign.
    kernel = game.generator.get_layer("readout").kernel
    kernel.assign(-kernel)
    other = restore(game, -x, halved, codes=2, steps=10)
    np.testing.assert_allclose(other.images, -first.images, atol=1e-5)
    assert len(traced) == count and again.images.shape == (1, *SHAPE)
    restore(game, x, halved, codes=3, steps=1)
    assert len(traced) > count


def test_a_function_that_cannot_be_hashed_is_taken():
    class Halved:
        __hash__ = None

        def __call__(self, images):
            return images / 2

    x = np.random.default_rng(6).uniform(-1, 1, (1, *SHAPE)).astype("float32")
    assert restore(linear(), x, Halved(), codes=2, steps=1).images.shape == (1, *SHAPE)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"layer": "dense_9"}, "layer must be one of maps, or its number; got 'dense_9'"),
        ({"layer": 3}, "layer must be one of maps, or its number; got 3"),
        ({"codes": 0}, "codes must be a whole number, 1 or more; got 0"),
        ({"codes": 2.5}, "codes must be a whole number, 1 or more; got 2.5"),
        ({"steps": 0}, "steps must be 1 or more; got 0"),
        ({"learning_rate": 0}, "learning_rate must be above 0; got 0"),
        ({"mask": np.full((1, *SHAPE), 0.5)}, "mask must be 0 or 1; got 0.5"),
        (
            {"mask": np.ones((1, 4, 4, 1))},
            r"mask must be of shape \(1, 4, 4, 2\); got \(1, 4, 4, 1",
        ),
        ({"mask": np.zeros((1, *SHAPE))}, "mask must be 1 at a pixel of every image; got none of"),
        ({"observed": np.zeros((1, 2, 2, 2))}, r"observed must be of shape .* got \(1, 2, 2, 2\)"),
        ({"observed": np.zeros(SHAPE)}, r"must be of shape \(n, 4, 4, 2\); got \(4, 4, 2\)"),
        ({"observed": np.full((1, *SHAPE), 255.0)}, "the pixels of observed go from 255 to 255;"),
        ({"observed": np.full((1, *SHAPE), np.nan)}, "observed must be finite .* got NaN"),
        ({"observed": np.zeros((1, *SHAPE), np.uint8)}, "observed must be finite .* got uint8"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        restore(linear(), **({"observed": np.zeros((1, *SHAPE))} | arguments))


def test_noise_may_leave_the_range_of_pixels_and_what_is_hidden_has_none():
    x = np.random.default_rng(7).normal(0, 3, (1, *SHAPE))
    mask = np.ones_like(x)
    x[0, 0, 0, 0], mask[0, 0, 0, 0] = 255, 0
    assert restore(linear(), x, codes=2, steps=1, mask=mask).images.shape == x.shape


def test_a_game_in_half_precision_is_searched():
    game = linear(dtype="mixed_bfloat16")
    x = ops.convert_to_numpy(game.decode(game.prior_codes(2, 1))).astype("float32")
    found = restore(game, x, codes=2, steps=60)
    assert found.images.dtype == np.float32
    assert np.all(found.errors < 0.1 * np.mean(x**2))


def tall(directory):
    """A data set of images of 64 × 16 pixels."""
    images = np.random.default_rng(0).integers(0, 256, (20, 64, 16)).astype("uint8")
    np.savez(directory / "data.npz", train=images, test=images)
    return datasets.load(f"npz:{directory / 'data.npz'}")


def test_the_hole_of_images_that_are_no_squares(tmp_path):
    _, rows, columns, _ = np.nonzero(tasks.Tasks(None, tall(tmp_path), ARGS).hole)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (21, 42, 5, 10)


def test_all_but_the_hole_is_known(tmp_path):
    masks = {}

    class Recorded(tasks.Tasks):
        def restore(self, name, codes, observed, steps=None, mask=None, degrade=None):
            masks[name] = mask
            self.shown[name] = self.x
            return argparse.Namespace(images=np.zeros_like(self.x))

    args = argparse.Namespace(images=4, seed=0, steps=4)
    measured = Recorded(None, tall(tmp_path), args)
    measured.measure(1)
    np.testing.assert_array_equal(masks.pop("hole filled") == 0, measured.hole)
    assert set(masks.values()) == {None}


def test_generators_that_are_no_chain_are_refused():
    with pytest.raises(ValueError, match="must be a chain of layers, .* got that of network 'mlp'"):
        MultiCode(zoo.GAN(SHAPE, latent_dim=CODE, network="mlp", width=2))


@pytest.mark.slow
def test_the_command_measures_every_task_beside_its_baseline(tmp_path, capsys):
    words = ["gan_fashion_mnist", "--dataset=fashion_mnist_10k", "--images=2", "--codes=2"]
    tasks.main(["tasks", *words, "--steps=3", f"--out={tmp_path}"])
    printed = capsys.readouterr().out
    figures = json.loads((tmp_path / "tasks.json").read_text())["figures"]
    assert list(figures) == ["of the baseline", "one code", "2 codes"]
    for name, row in figures.items():
        known = set(tasks.TASKS) - {"coloured"}  # these images are grey
        assert known <= set(row) and np.isfinite([row[t] for t in known]).all()
        assert "coloured" not in row
        assert ("moved" in row) == (name != "of the baseline")
    # Twice the mean squared error is 3 dB less.
    assert tasks.psnr(np.ones(8), np.zeros(8)) == pytest.approx(6.0206)
    assert printed.count("moved by the direction") == 2 and (tmp_path / "tasks.png").exists()


@pytest.mark.slow
def test_colours_are_found_from_grey(tmp_path, capsys):
    game = zoo.GAN((8, 8, 3), latent_dim=CODE, network="dcgan", width=4)
    game.save(tmp_path / "game.keras")
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3)).astype("uint8")
    np.savez(tmp_path / "data.npz", train=images, test=images)
    words = [f"{tmp_path / 'game.keras'}", f"--dataset=npz:{tmp_path / 'data.npz'}"]
    tasks.main(["tasks", *words, "--images=2", "--codes=2", "--steps=3", f"--out={tmp_path}"])
    assert "| colourisation | grey |" in capsys.readouterr().out
    figures = json.loads((tmp_path / "tasks.json").read_text())["figures"]
    x = images[:2] / 127.5 - 1
    error = np.mean((x - x.mean(axis=-1, keepdims=True)) ** 2)
    assert figures["of the baseline"]["coloured"] == pytest.approx(10 * np.log10(4 / error))
    for way in ("one code", "2 codes"):
        assert np.isfinite(figures[way]["coloured"])


def test_the_command_names_bad_input(refused):
    for words, message in (
        ([], "give one model; got 0"),
        (["gan_fashion_mnist", "--codes=1"], "--codes must be 2 or more; got 1"),
        (["gan_fashion_mnist", "--layer=x", "--dataset=fashion_mnist_10k"], "layer must be one of"),
    ):
        assert message in refused(tasks.main, ["tasks", *words])
