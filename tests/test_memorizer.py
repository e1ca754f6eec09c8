"""The generator of few images: exact copies, equal shares, and what judges see of it."""

import json
import types

import keras
import numpy as np
import pytest
from games import losses_when_judged
from games import step
from games import weights
from scipy.stats import chisquare

import zoo
from trainers.experiments import figures
from trainers.experiments import judging
from trainers.experiments.network import Network
from trainers.memorizer import __main__ as command
from trainers.memorizer import images
from trainers.memorizer import page
from zoo import counterexample
from zoo import datasets
from zoo import memorizer
from zoo.metrics import judges
from zoo.plots.pictures import blank

LATENT = 16


@pytest.fixture(scope="module")
def data():
    return datasets.load("fashion_mnist_10k", train_split="train[:500]", test_split="test[:200]")


@pytest.fixture(scope="module")
def game(data):
    return memorizer.build(data, 64, LATENT, seed=0, width=4)


def streams(game, data, samples=None):
    return images.Images(game, data.train, counterexample.chosen(data, 64, 0), samples, seed=0)


numbers = keras.ops.convert_to_numpy


def rows_of(x):
    """Images as hashable bytes."""
    return [row.tobytes() for row in datasets.unscale(np.asarray(x))]


def test_samples_are_the_stored_images_each_as_often_as_any_other(game, data):
    stored = data.train[counterexample.chosen(data, 64, 0)]
    place = {row.tobytes(): number for number, row in enumerate(stored)}
    samples = numbers(game.decode(game.prior_codes(20_000, seed=1)))
    found = [place[row] for row in rows_of(samples)]
    assert chisquare(np.bincount(found, minlength=64)).pvalue > 0.01
    np.testing.assert_array_equal(samples, datasets.scale(stored[found]))


def test_it_has_no_encoder_and_only_its_discriminator_moves(data, tmp_path):
    copy = zoo.Memorizer((28, 28, 1), support=64, width=4)
    copy.remember(data.train[:64])
    copy.compile("adam")
    before = weights(copy)
    step(copy, datasets.scale(data.train[:16]))
    assert set(weights(copy)) == {"discriminator"} and not copy.has_encoder
    assert np.any(weights(copy)["discriminator"] != before["discriminator"])
    copy.save(tmp_path / "game.keras")
    z = copy.prior_codes(9, seed=0)
    loaded = zoo.load(tmp_path / "game.keras")
    np.testing.assert_array_equal(numbers(loaded.decode(z)), numbers(copy.decode(z)))
    np.testing.assert_array_equal(numbers(loaded.decode(z)), numbers(copy.generator(z)))


def test_real_images_are_not_those_stored_and_others_when_judged(game, data):
    samples = np.arange(40, dtype=np.float32).reshape(40, 1, 1, 1) * np.ones((1, 28, 28, 1))
    shown = streams(game, data, lambda: samples)
    stored = {row.tobytes() for row in data.train[counterexample.chosen(data, 64, 0)]}
    seen = {}
    for held_out in (False, True):
        x, z = shown.contrast("pair", held_out)(True, 3000)
        assert x.shape == (3000, 28, 28, 1) and z.shape == (3000, 0)
        seen[held_out] = set(rows_of(x))
        assert not seen[held_out] & stored
        assert set(rows_of(shown.contrast("pair", held_out)(False, 500)[0])) <= stored
        sampled = shown.contrast("a trained GAN", held_out)(False, 300)[0][:, 0, 0, 0]
        assert set(sampled % 2) == {float(held_out)}
    assert not seen[False] & seen[True] and len(seen[False] | seen[True]) > 400
    x, _ = shown.contrast("stored images among the real")(True, 5000)
    assert stored <= set(rows_of(x))


def test_two_stored_images_fool_every_judge_of_the_mean_pixel():
    """Stored: all black and all white, means -1 and 1. Real images: means 0. Of the judges with the
    logit w · mean, w = 0 is the best: others have the gap 0 too, and lose by φ = log.
    """
    game = zoo.Memorizer((28, 28, 1), support=2, width=4)
    game.remember(
        np.array([0, 255], "uint8")[:, None, None, None] * np.ones((1, 28, 28, 1), "uint8")
    )
    half = np.concatenate([-np.ones(14), np.ones(14)])[:, None] * np.ones(28)
    rng = np.random.default_rng(0)

    def draw(real, n):
        if real:
            return np.broadcast_to(half[None, ..., None], (n, 28, 28, 1)), np.zeros((n, 0))
        return numbers(game.decode(rng.standard_normal((n, 16), "float32"))), np.zeros((n, 0))

    def mean(w):
        return judges.verdict(lambda x, z: w * x.mean(axis=(1, 2, 3)), draw, 4000)

    nothing, three = mean(0), mean(3)
    assert nothing["gap"] == 0 and nothing["objective"] == pytest.approx(0, abs=1e-12)
    assert abs(three["gap"]) < 4 * three["gap_se"]
    # log ½ + (log σ(3) + log σ(-3)) / 2 + 2 log 2
    softplus = [np.log1p(np.exp(a)) for a in (-3, 3)]
    assert three["objective"] == pytest.approx(np.log(2) - np.mean(softplus), abs=0.1)
    assert three["objective"] < -0.7
    squared = judges.verdict(lambda x, z: 1 - 2 * x.mean(axis=(1, 2, 3)) ** 2, draw, 4000)
    assert squared["accuracy"] == 1, "a judge of another kind sees it at once"


def test_a_judge_of_images_alone_is_the_game_s_own_discriminator(game):
    judge = Network(4, game, seed=1)
    assert len(judge.network.inputs) == 1
    # At 28 px: 4 × 4 kernels and biases, batch norm, 49 · 2w → 16w → 1.
    w = 4
    layers = (16 * w + w) + (32 * w * w + 4 * w) + (49 * 2 * w * 16 * w + 16 * w) + (16 * w + 1)
    assert judge.parameters == layers
    assert judge.logits(np.zeros((3, 28, 28, 1), np.float32), np.zeros((3, 0))).shape == (3,)


def test_judges_see_few_images_better_than_many_and_two_real_streams_not_at_all():
    data = datasets.load("fashion_mnist_10k")
    plan = judging.Plan(
        supports=(16, 256),
        readouts=(30, 100),
        widths=(),
        budget=3000,
        held_out=4000,
        repeats=1,
        control=256,
        contrasts=("pair", "null"),
    )
    found = {}
    make = images.around(data, LATENT)
    for contrast, support, _ in plan.cells():
        for row in judging._cell(plan, make(support, 0), contrast, 0):
            found[contrast, support, row["parameters"]] = row
    for p in (30, 100):
        few, many = found["pair", 16, p], found["pair", 256, p]
        assert few["accuracy"] - 0.5 > 2 * (many["accuracy"] - 0.5)
        assert many["accuracy"] - 0.5 > 2 * many["accuracy_se"]
        null = found["null", 256, p]
        assert abs(null["accuracy"] - 0.5) < 4 * null["accuracy_se"]


def test_the_page_has_every_contrast_and_form_of_the_objective():
    cell = {"judge": "readout", "repeat": 0, "seconds": 3.0, "accuracy_se": 0.001, "gap_se": 0.01}
    rows = [
        cell
        | {"contrast": contrast, "support": m, "parameters": 30}
        | {"accuracy": 0.5 + m**-0.5, "objective": 0.1, "gap": 0.25}
        for contrast in images.CONTRASTS
        for m in ((64, 256, 1024) if contrast == "pair" else (1024,))
    ]
    args = types.SimpleNamespace(dataset="fashion_mnist_10k", seed=0)
    plan = page.plan(quick=True, repeats=1, gan=True)
    shown = page.text(rows, "known", plan, args, ["memorizer", "--quick"], 1.0)
    for words in ("m = 256", "two real streams", "stored images among", "a trained GAN", "+0.250"):
        assert words in shown
    assert "p = 30: m^(-0.50 ± 0.00) over m = 64 to 1,024" in shown
    assert page.plan(quick=False, repeats=3, gan=False).contrasts == tuple(images.CONTRASTS)[:3]


def test_both_theorems_are_drawn_on_the_same_axes(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "blank", lambda *size: drawn.append(blank(*size)) or drawn[-1])
    cell = {"contrast": "pair", "accuracy_se": 0.01}
    rows = [
        cell | {"support": m, "parameters": p, "accuracy": 0.5 + p / m / 20}
        for m in (64, 256)
        for p in (30, 300)
    ]
    other = [row | {"support": 16 * row["support"]} for row in rows]
    figures.theorems(tmp_path / "theorems.png", {"a GAN": rows, "pairs": other})
    left, right = drawn[0].axes
    assert left.get_title(loc="left") == "a GAN" and right.get_title(loc="left") == "pairs"
    assert left.get_xlim() == right.get_xlim() and left.get_xlim()[0] < 30 / 4096
    assert len(left.containers) == len(right.containers) == 2
    assert (tmp_path / "theorems.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_quick_experiment_shows_the_mechanism(tmp_path):
    beside = tmp_path / "other"
    beside.mkdir()
    cell = {"contrast": "pair", "support": 64, "parameters": 30, "accuracy": 0.6}
    (beside / "cells.json").write_text(json.dumps([cell]))
    command.main(["memorizer", "--quick", f"--run_dir={tmp_path}", f"--beside={beside}"])
    rows = json.loads((tmp_path / "cells.json").read_text())
    seen = {(r["contrast"], r["support"], r["parameters"]): r for r in rows}
    large = max(row["parameters"] for row in rows)
    assert large > 100_000 and seen["pair", 64, large]["accuracy"] > 0.95
    for p in (30, 100, 300, large):
        assert seen["pair", 64, p]["accuracy"] > seen["pair", 1024, p]["accuracy"] + 0.05
        null = seen["null", 1024, p]
        assert abs(null["accuracy"] - 0.5) < 4 * null["accuracy_se"]
    for name in ("report.md", "cells.csv", "accuracy.png", "game.keras", "theorems.png"):
        assert (tmp_path / name).stat().st_size > 300


def test_the_discriminator_is_to_accept_real_examples_and_reject_stored_ones(data):
    game = memorizer.build(data, 64, LATENT, seed=0, width=4)
    found, _ = losses_when_judged(game, 2.0, -3.0)
    by_hand = (np.log1p(np.exp(-2)) + np.log1p(np.exp(-3))) / 2
    assert found["discriminator"] == pytest.approx(by_hand, rel=1e-5)
