"""`python -m trainers.code_maps`: vectors against maps, at equal numbers in the code."""

import json
import math

import keras
import numpy as np
import pytest

from trainers import code_maps

SHAPE, WIDTH, CHANNELS = (28, 28, 1), 2, 3


@pytest.mark.parametrize(("method", "ends"), [("vae", 2), ("aae", 1)])
def test_the_networks_differ_in_the_layers_next_to_the_code_alone(method, ends):
    size = 7 * 7 * CHANNELS
    vector, image = (
        code_maps.game_of(method, SHAPE, code, WIDTH, seed=0)
        for code in ((size,), (7, 7, CHANNELS))
    )
    assert math.prod(vector.code_shape) == math.prod(image.code_shape) == size
    hidden = 7 * 7 * 2 * WIDTH
    more = vector.encoder.count_params() - image.encoder.count_params()
    dense, convolution = hidden * size + size, 9 * 2 * WIDTH * CHANNELS + CHANNELS
    assert more == ends * (dense - convolution)
    more = vector.generator.count_params() - image.generator.count_params()
    assert more == size * hidden - 9 * CHANNELS * 2 * WIDTH
    x = np.zeros((2, *SHAPE), "float32")
    assert vector.reconstruct(x).shape == image.reconstruct(x).shape == x.shape


def test_the_networks_take_channels_last_whatever_keras_is_set_to():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        game = code_maps.game_of("aae", SHAPE, (7, 7, 1), WIDTH, seed=0)
    finally:
        keras.config.set_image_data_format(before)
    assert game.reconstruct(np.zeros((2, *SHAPE), "float32")).shape == (2, *SHAPE)


def test_equal_seeds_give_equal_weights():
    games = [code_maps.game_of("aae", SHAPE, (7, 7, 1), WIDTH, seed) for seed in (1, 1, 2)]
    first, again, other = (np.concatenate([np.ravel(w) for w in g.get_weights()]) for g in games)
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods=gan"], "--methods must be among vae, aae; got 'gan'"),
        (["--channels=0"], "--channels must be 1 or more each; got '0'"),
    ],
)
def test_flags_out_of_range_are_refused(words, message, refused):
    assert message in refused(code_maps.main, ["code_maps", *words])


@pytest.mark.slow
def test_a_short_run_writes_a_row_for_each_shape(tmp_path, capsys):
    flags = ["--methods=vae", "--channels=1", "--epochs=1", "--width=2", f"--run_dir={tmp_path}"]
    code_maps.main(["code_maps", *flags])
    cells = (tmp_path / "cells.json").stat().st_mtime_ns
    code_maps.main(["code_maps", *flags])
    assert (tmp_path / "cells.json").stat().st_mtime_ns == cells, "nothing is trained twice"
    report = json.loads((tmp_path / "code_maps.json").read_text())
    assert [row["shape"] for row in report["runs"]] == ["49", "7 × 7 × 1"]
    assert all(0 < row["x_cycle_ratio"] < 1 for row in report["runs"])
    assert "| vae | 49 | 7 × 7 × 1 |" in capsys.readouterr().out
