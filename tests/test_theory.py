"""`python -m trainers.theory`: its figures by hand, its runs continued, and its pages."""

import json
import time
import types

import keras
import numpy as np
import pytest

import zoo
from trainers.experiments import planning
from trainers.theory import __main__ as command
from trainers.theory import capacity
from trainers.theory import collapse
from trainers.theory import cycles
from trainers.theory import points
from trainers.theory import quality
from trainers.theory import stability
from trainers.theory import training
from zoo import datasets
from zoo import metrics
from zoo.datasets import stacked
from zoo.metrics import classifier


def digits(n=40):
    """Images whose every pixel is their label."""
    labels = np.arange(n) % 10
    images = np.broadcast_to(labels[:, None, None, None], (n, 4, 4, 1)).astype(np.uint8)
    names = tuple("0123456789")
    return datasets.Dataset("mnist", images, images, labels, labels, names, "made by hand.")


def test_stacked_digits_have_their_three_digits_in_the_label_and_are_always_the_same():
    data = stacked.of_digits(digits(), train=500, test=300)
    assert data.train.shape == (500, 4, 4, 3) and data.test.shape == (300, 4, 4, 3)
    for images, labels in ((data.train, data.train_labels), (data.test, data.test_labels)):
        assert (images == images[:, :1, :1]).all()
        r, g, b = images[:, 0, 0].astype(int).T
        np.testing.assert_array_equal(labels, 100 * r + 10 * g + b)
    assert len(data.classes) == 1000 and data.classes[7] == "007"
    assert len(np.unique(data.train_labels)) > 300, "channels are drawn independently"
    np.testing.assert_array_equal(stacked.of_digits(digits(), 500, 300).train, data.train)
    assert not np.array_equal(data.train_labels[:300], data.test_labels)


def test_only_grey_images_of_ten_classes_are_stacked():
    with pytest.raises(ValueError, match="grey images of 10 classes"):
        stacked.of_digits(stacked.of_digits(digits(), 5, 5))


def test_stacked_modes_are_triples_of_the_classifier_s_answers():
    space = classifier.load("mnist")
    images = datasets.scale(datasets.load("fashion_mnist_10k").test[:300])
    answers = space.probabilities(images).argmax(axis=1)
    found, first = np.unique(answers, return_index=True)
    assert len(found) >= 3, "what the classifier makes of clothes"
    a, b, c = (images[i, ..., 0] for i in first[:3])
    # Four equal shares and a double one: sum p ln(1000 p) over 1/6 (four times) and 2/6.
    triples = [(a, b, c), (c, b, a), (a, a, a), (b, c, a), (b, b, c), (b, b, c)]
    samples = np.stack([np.stack(triple, axis=-1) for triple in triples])
    figures = metrics.count_stacked_modes(samples, space)
    assert (figures["modes"], figures["modes_total"]) == (5, 1000)
    by_hand = 4 / 6 * np.log(1000 / 6) + 2 / 6 * np.log(2000 / 6)
    assert figures["reverse_kl"] == pytest.approx(by_hand)
    single = metrics.count_stacked_modes(samples[:1], space)
    assert single["modes"] == 1 and single["reverse_kl"] == pytest.approx(np.log(1000))
    for wrong in (samples[..., :1], samples[:0]):
        with pytest.raises(ValueError, match="images must be"):
            metrics.count_stacked_modes(wrong, space)


def run(p, support, **others):
    known = {"support_usable": True, "support": support, "support_low": 1.0, "support_high": 9e9}
    return {"parameters": p, "birthday": "", "controls_passed": True} | known | others


def test_the_slope_is_that_of_a_power_law_and_leaves_out_runs_without_a_bound():
    rows = [run(p, 3 * p**0.8) for p in (100, 400, 1600)]
    rows += [run(6400, None, support_high=None), run(6400, 1.0, support_usable=False)]
    exponent, error, runs = capacity.slope(rows)
    assert exponent == pytest.approx(0.8) and error == pytest.approx(0, abs=1e-9)
    assert runs == 3
    # By hand: ln y = 0, 1, 0, 1 at ln x = 0, 0, 1, 1: slope 0, residuals ± ½, error √(1/2/1).
    noisy = [run(np.exp(x), np.exp(y)) for x, y in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert capacity.slope(noisy)[:2] == pytest.approx((0, np.sqrt(0.5)))
    assert capacity.slope(rows[:2]) is None
    assert capacity.slope([run(100, 5.0)] * 4) is None, "one p gives no slope"


def test_bounds_are_named_as_what_they_are():
    assert quality.bound(run(1, 1234.0, support_low=987.0, support_high=2345.0)) == (
        "1,200 (990 to 2,300)"
    )
    assert quality.bound(run(1, 9.0, support_high=None, support_low=1234.0)) == "above 1,200"
    assert quality.bound(run(1, None, support_low=None)) == "none"
    assert quality.bound(run(1, 9.0, support_usable=False)) == "too alike"
    assert "a control failed" in quality.bound(run(1, 9.0, controls_passed=False))
    assert quality.bound({"diverged": True}) == "–"


@pytest.mark.parametrize("method", capacity.METHODS)
def test_only_the_discriminator_grows(method):
    small, large = (capacity.game_of(method, (28, 28, 1), multiple, 3) for multiple in (1, 4))
    w = capacity.SMALLEST
    first = small.discriminator.layers[1]
    assert first.kernel.shape[-1] == w
    assert [layer for layer in large.discriminator.layers if "conv" in layer.name][0].kernel.shape[
        -1
    ] == 4 * w
    for a, b in zip(small.generator.get_weights(), large.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cells_are_measured_once_some_at_a_time(tmp_path):
    path, measured = tmp_path / "cells.json", []

    def measure(cell):
        measured.append(cell["seed"])
        yield {"part": 0}
        yield {"part": 1}

    wanted = [{"method": "gan", "seed": seed} for seed in range(3)]
    rows = planning.resume(path, wanted, measure, most=2)
    assert measured == [0, 1] and len(rows) == 4
    assert planning.resume(path, wanted, measure)[-1] == {"method": "gan", "seed": 2, "part": 1}
    assert measured == [0, 1, 2]
    assert len(json.loads(path.read_text())) == 6


def test_only_wanted_cells_are_on_a_page_and_only_if_all_are_there(capsys):
    rows = [{"seed": seed, "part": part} for seed in (0, 2, 1) for part in (0, 1)]
    wanted = [{"seed": 1}, {"seed": 0}]
    assert planning.finished(wanted, rows, 0) == [rows[4], rows[5], rows[0], rows[1]]
    assert planning.finished([*wanted, {"seed": 3}], rows, 7) == []
    assert "stopped after 7 cells" in capsys.readouterr().out


def test_rows_are_grouped_in_the_order_in_which_they_come():
    rows = [{"method": m, "seed": s} for s in (1, 0) for m in ("vae", "gan")]
    assert planning.groups(rows, "method") == [(("vae",), rows[::2]), (("gan",), rows[1::2])]
    assert planning.groups(rows, "seed", "method")[1] == ((1, "gan"), [rows[1]])


def test_a_training_that_diverged_has_a_row_and_no_file(tmp_path):
    samples = np.full((3, 28, 28, 1), np.nan, np.float32)
    path, began = tmp_path / "gan_0.npz", time.monotonic()
    row = quality.row(samples, None, path, {"parameters": 7}, began)
    assert row.pop("seconds") >= 0 and row == {"parameters": 7, "diverged": True}
    assert not path.exists()


@pytest.mark.slow
def test_training_stops_at_every_stage_and_goes_on_as_if_it_had_not():
    train, *_ = points.standardised("ring8")
    game, whole = (points.game_of("aae", 8, 2, seed=0) for _ in range(2))
    reached = [
        (steps, int(game.optimizer.iterations))
        for steps in training.stages(game, train, 16, (2, 5))
    ]
    assert reached == [(2, 2), (5, 5)]
    training.train(whole, train, 16, 5)
    for a, b in zip(game.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_points_are_scaled_and_round_parts_stay_round():
    train, test, mean, std = points.standardised("ring8")
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-5)
    assert train.std(axis=0).mean() == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(test * std + mean, datasets.load("ring8").test, atol=1e-5)
    with pytest.raises(ValueError, match="must be a set of points; got fashion_mnist_10k"):
        points.standardised("fashion_mnist_10k")


@pytest.mark.slow
def test_a_bound_on_weights_bounds_the_slopes():
    game = points.game_of("aae", 16, 2, seed=1, bound=1.5)
    train, *_ = points.standardised("ring8")
    training.train(game, train, 32, 20)
    for network in (game.encoder, game.generator):
        for weight in network.trainable_variables[::2]:
            assert np.linalg.norm(weight.numpy()) <= 1.5 + 1e-4
    slopes, _ = metrics.lipschitz(game.decode, np.asarray(game.prior_codes(50, 0)))
    assert slopes.max() <= 1.5**3
    free = points.game_of("aae", 16, 2, seed=1)
    assert np.linalg.norm(free.encoder.trainable_variables[2].numpy()) > 3


def linear(name, matrix):
    x = keras.Input((2,))
    layer = keras.layers.Dense(2)
    network = keras.Model(x, layer(x), name=name)
    layer.set_weights([np.array(matrix, np.float32), np.zeros(2, np.float32)])
    return network


def test_errors_are_those_of_a_pair_made_by_hand():
    x = np.random.default_rng(0).standard_normal((300, 2)).astype(np.float32)
    eye, half = np.eye(2), np.eye(2) / 2
    perfect = zoo.AAE((2,), **points.SIZES, encoder=linear("encoder", eye),
                      generator=linear("generator", eye))  # fmt: skip
    found = cycles.errors(perfect, x, 0)
    assert found["sum"] == 0 and found["x_cycle_most"] == 0
    halved = zoo.AAE((2,), **points.SIZES, encoder=linear("encoder", eye),
                     generator=linear("generator", half))  # fmt: skip
    found = cycles.errors(halved, x, 0)
    assert found["sum"] == pytest.approx(found["x_cycle_ratio"] + found["z_cycle_ratio"])
    others = metrics.cycles(x, x / 2, 0)["x_cycle_mismatched"]
    assert found["x_cycle_most"] == pytest.approx(np.linalg.norm(x, axis=1).max() / 2 / others)


def test_trainings_that_diverged_are_left_out_of_the_page(monkeypatch):
    rows = [{"method": "aae", "sum": 1.0}, {"method": "aae", "diverged": True}]
    assert cycles.finite(rows) == (rows[:1], "1 of 2 rows diverged and are left out.")
    assert cycles.finite(rows[:1]) == (rows[:1], "")
    cell = {"method": "aae", "set": "ring8", "units": 4, "depth": 1, "bound": 0.0, "seed": 0}
    args = types.SimpleNamespace(dataset="ring8", steps=4)

    def diverged(*_):
        generator = linear("generator", np.full((2, 2), np.nan))
        return zoo.AAE((2,), **points.SIZES, generator=generator)

    monkeypatch.setattr(points, "game_of", diverged)
    for experiment in (cycles, stability):
        for row in experiment.measure(cell, args, None):
            assert row["diverged"] and row["seconds"] >= 0
        assert experiment.write(rows[1:], args, None) == ["1 of 1 rows diverged and are left out."]


def test_the_gap_of_a_ring_is_a_chord_less_the_modes():
    assert stability.gap(*datasets.MIXTURES["ring8"]) == pytest.approx(
        2 * np.sin(np.pi / 8) - 0.06, abs=1e-6
    )
    assert stability.gap(*datasets.MIXTURES["grid25"]) == pytest.approx(2 - 0.3, abs=1e-6)


def test_slopes_are_compared_with_what_their_bounds_allow():
    rows = [
        {"bound": bound, "lipschitz_e_max": e, "lipschitz_g_max": g}
        for bound, e, g in ((2.0, 2.0, 6.0), (1.0, 0.5, 0.25), (0.0, 99.0, 99.0))
    ]
    # Three layers: 2³ = 8 and 1 are allowed; without a bound there is nothing to compare with.
    assert stability.largest_share(rows) == 6 / 8


def test_least_sums_are_those_of_the_best_network():
    row = {"method": "aae", "depth": 2, "steps": 10}
    rows = [
        row | {"set": name, "units": units, "sum": value}
        for name, units, value in (("a", 16, 0.5), ("a", 64, 0.25), ("b", 16, 0.125))
    ]
    said = cycles.floors(rows)
    assert "AAE on a: 0.250 with 64 units" in said and "AAE on b: 0.125 with 16 units" in said


def test_the_page_puts_published_rows_beside_stacked_digits_only():
    assert collapse._beside("fashion_mnist_10k") == []
    text = "\n".join(collapse._beside(stacked.NAME))
    for method, modes, kl, _ in collapse.PUBLISHED:
        assert f"| {method} | {modes} | {kl} |" in text


@pytest.mark.slow
@pytest.mark.parametrize("experiment", command.EXPERIMENTS)
def test_the_quick_command_writes_a_page_and_continues(experiment, tmp_path, capsys):
    words = ["theory", experiment, "--quick", "--steps=25", f"--run_dir={tmp_path}"]
    command.main([*words, "--cells=1"])
    assert "stopped after 1 cells" in capsys.readouterr().out
    command.main(words)
    page = (tmp_path / "report.md").read_text()
    rows = json.loads((tmp_path / "cells.json").read_text())
    asked = types.SimpleNamespace(dataset="", steps=0, seeds=3, quick=True, methods="")
    module = __import__(f"trainers.theory.{experiment}", fromlist=["cells"])
    command.settle(module, asked)
    for cell in module.cells(asked):
        assert any(cell.items() <= row.items() for row in rows), cell
    assert page.startswith(f"# {module.TITLE}\n\n`python -m trainers.theory {experiment} --quick")
    for line in page.splitlines():
        if line.startswith("!["):
            picture = tmp_path / line.rpartition("(")[2].rstrip(")")
            assert picture.stat().st_size > 5000, line


def test_cycles_need_four_steps_and_take_a_set_once(tmp_path, refused):
    words = ["theory", "cycles", "--steps=3", f"--run_dir={tmp_path / 'run'}"]
    assert "--steps must be 4 or more; got 3" in refused(command.main, words)
    args = types.SimpleNamespace(dataset=cycles.CONTROL, methods=["aae"], seeds=1, quick=True)
    assert len(cycles.cells(args)) == 2
