"""The circle: its points, the bound for codes of one coordinate, and the experiment."""

import json
import types

import numpy as np
import pytest

from trainers.bigan import RECIPE
from trainers.circle import __main__ as circle
from trainers.circle import measuring
from trainers.runs import flags
from zoo import datasets
from zoo import metrics
from zoo.metrics import antipodes


def test_points_are_uniform_on_the_circle():
    data = datasets.load("circle")
    assert data.train.shape == (100_000, 2) and data.test.shape == (10_000, 2)
    for points in (data.train, data.test):
        assert points.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)
        counts = np.histogram(np.arctan2(*points.T), 36, (-np.pi, np.pi))[0]
        expected = len(points) / 36
        assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected))
    np.testing.assert_array_equal(datasets.load("circle").train, data.train)
    assert data.classes == ("all",) and not data.train_labels.any()
    with pytest.raises(ValueError, match="image_size"):
        datasets.load("circle", image_size=8)


def test_points_have_one_list_and_take_the_networks_for_points():
    assert datasets.POINTS == (*datasets.MIXTURES, "circle")
    assert set(datasets.POINTS) < set(datasets.LOCAL) < set(datasets.KINDS)
    for name in datasets.POINTS:
        assert name in flags.COMMON["dataset"][1]
        assert datasets.load(name).shape == (2,)
        assert flags.parse(RECIPE, ["bigan", f"--dataset={name}"]).network == "mixture"


def test_no_modes_are_counted_on_the_circle():
    game = types.SimpleNamespace(
        inputs=("x", "z"),
        has_encoder=True,
        latent_dim=2,
        observed=lambda x, seed: x,
        encode=lambda x: x,
        decode=lambda z: z,
        prior_codes=lambda n, seed: np.random.default_rng(seed).normal(size=(n, 2)),
    )
    figures = metrics.evaluate(game, datasets.load("circle"), test_limit=100)
    assert figures["x_cycle"] == 0
    assert not {"modes", "high_quality", "reverse_kl", "knn_code"} & set(figures)


def random_encoder(seed, latent_dim=1):
    """A continuous map of the plane: three layers, with weights large enough to wind."""
    rng = np.random.default_rng(seed)
    sizes = (2, 40, 40, latent_dim)
    weights = [rng.normal(size=pair) * 3 / np.sqrt(pair[0]) for pair in zip(sizes, sizes[1:])]
    shifts = [rng.normal(size=size) for size in sizes[1:]]

    def encode(x):
        for weight, shift in zip(weights[:-1], shifts[:-1], strict=True):
            x = np.tanh(x @ weight + shift)
        return x @ weights[-1] + shifts[-1]

    return encode


def lookup(encode, n=3001):
    """The best that a decoder can do with no regard to continuity: a table of the circle's codes.

    An odd number of angles, so that the table holds no two opposite points.
    """
    x = antipodes.around(encode, lambda z: np.zeros((len(z), 2)), 1.0, 2 * n)["x"][::2]
    codes = encode(x)[:, 0]
    order = np.argsort(codes)
    middles = (codes[order][1:] + codes[order][:-1]) / 2
    return lambda z: x[order][np.searchsorted(middles, np.ravel(z))]


class TestBound:
    @pytest.mark.parametrize("seed", range(10))
    def test_holds_for_any_continuous_encoder_and_any_decoder(self, seed):
        encode = random_encoder(seed)
        smooth, broken = random_encoder(seed + 100, 1), lookup(encode)
        decoders = [broken, lambda z: np.concatenate([smooth(np.repeat(z, 2, 1)), z], axis=1)]
        for decode in [*decoders, lambda z: np.zeros((len(z), 2))]:
            pair = antipodes.opposite_pair(encode, decode)
            assert pair["pair_code_gap"] < 1e-4
            assert pair["pair_error"] >= pair["pair_bound"] - 1e-6
            errors = antipodes.around(encode, decode)["errors"]
            # The table may answer the pair's two nearly equal codes apart, but not all of them.
            assert max(errors.max(), pair["pair_error"]) > 0.99

    def test_is_reached_and_not_by_the_mean(self):
        # Codes are angles; within 0.01 of the cut E runs all the way back to 0.
        back = 0.01

        def encode(x):
            turn = np.arctan2(x[:, 1], x[:, 0])
            there = np.clip(turn, -np.pi + back, np.pi - back)
            beyond = turn - there
            return (there - beyond * (np.pi - back) / back)[:, None]

        def decode(z):
            return np.concatenate([np.cos(z), np.sin(z)], axis=1)

        # Continuous where arctan2 is not: both ends of the way back are code 0.
        np.testing.assert_allclose(encode(np.array([[-1, 1e-9], [-1, -1e-9]])), 0, atol=1e-5)
        seen = antipodes.around(encode, decode)
        assert seen["errors"].max() == pytest.approx(2, abs=1e-3)
        # Along the way back the error runs from 0 to 2R and back; its mean there is 4/π.
        assert seen["errors"].mean() == pytest.approx(4 / np.pi * back / np.pi, rel=0.1)
        assert seen["slopes"].max() == pytest.approx((np.pi - back) / back, rel=0.02)
        assert np.median(seen["slopes"]) == pytest.approx(1, rel=1e-3)
        pair = antipodes.opposite_pair(encode, decode)
        assert pair["pair_error"] == pytest.approx(2, abs=1e-3)
        # The pair is (1, 0) and (-1, 0), whichever of them comes first.
        assert np.sin(pair["pair_angle"]) == pytest.approx(0, abs=1e-6)

    def test_radius_and_exact_inverse_in_the_plane(self):
        seen = antipodes.around(lambda x: 3 * x, lambda z: z / 3, radius=5.0, n=100)
        np.testing.assert_allclose(np.linalg.norm(seen["x"], axis=1), 5, rtol=1e-6)
        assert seen["errors"].max() < 1e-5
        np.testing.assert_allclose(seen["slopes"], 3, rtol=1e-3)
        pair = antipodes.opposite_pair(lambda x: x[:, :1], lambda z: np.zeros((2, 2)), 5.0)
        assert pair["pair_angle"] == pytest.approx(np.pi / 2, abs=1e-6)
        assert pair["pair_bound"] == 5 and pair["pair_error"] == pytest.approx(5)

    def test_errors(self):
        with pytest.raises(ValueError, match="one coordinate"):
            antipodes.opposite_pair(lambda x: x, lambda z: z)
        with pytest.raises(ValueError, match="finite"):
            antipodes.opposite_pair(lambda x: x[:, :1] * np.nan, lambda z: z)
        for radius, n in ((0.0, 10), (1.0, 11), (1.0, 2)):
            with pytest.raises(ValueError, match="even"):
                antipodes.around(lambda x: x, lambda z: z, radius, n)


class TestExperiment:
    @pytest.mark.parametrize("steps", [0, pytest.param(60, marks=pytest.mark.slow)])
    def test_continues_and_writes_its_page_figures_and_picture(self, steps, tmp_path, capsys):
        arguments = ["--seeds=1", f"--steps={steps}", "--width=1", "--angles=2000"]
        circle.main(["circle", *arguments, "--cells=1", f"--run_dir={tmp_path}"])
        assert "stopped after 1 cells" in capsys.readouterr().out
        circle.main(["circle", *arguments, f"--run_dir={tmp_path}"])
        page = (tmp_path / "report.md").read_text()
        assert "`python -m trainers.circle --seeds=1" in page
        lines = [line for line in page.splitlines() if line.startswith("|")]
        one, two = json.loads((tmp_path / "cells.json").read_text())
        assert (one["latent_dim"], two["latent_dim"]) == (1, 2)
        assert lines[2].startswith(f"| 1 | 0 | {one['error_max']:.3f} |")
        assert "–" in lines[3] and "–" not in lines[2]
        # However little it has learned.
        assert one["error_max"] >= 0.995 and one["pair_error"] + 1e-6 >= one["pair_bound"] > 0.99
        assert "pair_error" not in two
        assert (tmp_path / "circle.png").stat().st_size > 50_000

    @pytest.mark.slow
    def test_two_coordinates_get_below_the_radius_and_one_does_not(self):
        args = types.SimpleNamespace(steps=1500, width=4, batch_size=256)
        figures = {d: measuring.measure(measuring.train(d, 7, args), 10_000)[0] for d in (1, 2)}
        assert figures[1]["error_max"] >= 0.999 and figures[1]["pair_error"] >= 0.999
        assert figures[1]["error_mean"] < 0.3
        assert figures[2]["error_max"] < 0.3
        # The way back is where E is steep.
        assert figures[1]["slope_e_max"] > 10 * figures[1]["slope_e_median"]
        assert figures[2]["slope_e_max"] < 5 * figures[2]["slope_e_median"]

    @pytest.mark.parametrize(
        "argument, said",
        [("--angles=7", "--angles must be even"), ("--seeds=0", "--seeds"), ("x", "unexpected"),
         ("--step=1", "step")],
    )  # fmt: skip
    def test_bad_input_is_one_line(self, argument, said, tmp_path, refused):
        words = ["circle", f"--run_dir={tmp_path}", argument]
        error = refused(circle.main, words).strip().splitlines()[-1]
        assert error.startswith("error: ") and said in error
