"""The line at the end of a run: what it got, by its figures, and what to try."""

import dataclasses
import importlib
import math
import types

import numpy as np
import pytest

import zoo
from trainers.runs import flags
from trainers.runs import verdict
from zoo import datasets
from zoo import metrics


def run_of(method, *argv, examples=8000, step=None):
    """The parts of a `trainers.runs.run.Run` that a verdict needs, computed as it does."""
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    args = flags.parse(recipe, [method, *argv])
    taken = args.batch_size * zoo.method(method).batches_for(**vars(args))
    epoch_steps = examples // taken
    return types.SimpleNamespace(
        recipe=recipe,
        args=args,
        parts=np.empty((examples, 1)),
        step_examples=taken,
        epoch_steps=epoch_steps,
        steps=args.epochs * epoch_steps,
        step=args.epochs * epoch_steps if step is None else step,
    )


@pytest.mark.parametrize("method", [m for m in zoo.METHODS if m not in ("cyclegan", "unit")])
@pytest.mark.parametrize("network", ["", "--network=mlp"])
def test_the_recipe_itself_is_never_short(method, network):
    assert verdict.of_plan(run_of(method, *filter(None, [network]))) == ""


def test_a_short_run_is_told_how_long_the_recipe_is():
    # The 1,080 photographs of a newcomer: 33 steps of 32 in an epoch; the recipe has 64 · 250.
    said = verdict.of_plan(run_of("bigan", "--dataset=folder:x", "--epochs=6", examples=1080))
    assert said == (
        "198 steps are few: the recipe takes 16,000 (64 epochs of 8,000 examples), "
        "as --epochs=485 does"
    )
    assert verdict.of_plan(run_of("bigan", "--dataset=mnist", "--epochs=5", examples=60_000)) == ""
    # Every recipe of points is for the set that is given.
    said = verdict.of_plan(run_of("gan", "--dataset=grid25", "--epochs=1", examples=100_000))
    assert "the recipe takes 40,000 (40 epochs of 100,000 examples)" in said


GOOD = {
    "x_cycle": 9.3,
    "x_cycle_ratio": 0.43,
    "x_cycle_same_class": 17.3,
    "x_cycle_class_mean": 12.3,
    "class_kept": 0.754,
    "classes": 10.0,
    "classes_total": 10.0,
}
KNOWN = "reconstructions resemble their images: they are closer than another image of the class"


def test_a_good_run_gets_a_calm_line():
    said = verdict.of_end(run_of("bigan"), GOOD)
    assert said == (
        f"samples cover 10 of 10 classes; {KNOWN} (x-cycle ratio 0.43), 75 % keep the class"
    )
    # Also one that is short.
    assert verdict.of_end(run_of("bigan", step=90), GOOD) == said


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"classes": 3.0}, "samples cover 3 of 10 classes: collapsed"),
        ({"x_cycle_ratio": 0.99}, "reconstructions are unrelated to their images"),
        ({"x_cycle": 12.4}, "not than the mean of the class: they may show the class alone"),
        ({"x_cycle": 18.0}, "reconstructions are not closer than another image of the class"),
        ({"class_kept": 0.3}, "30 % keep the class"),
    ],
)
def test_a_bad_run_is_told_what_to_try(figures, words):
    short = verdict.of_end(run_of("bigan", step=90), GOOD | figures)
    assert words in short
    assert "; 90 steps are few, the recipe takes 16,000" in short
    assert short.endswith(": try --epochs=64")
    whole = verdict.of_end(run_of("bigan"), GOOD | figures)
    assert words in whole and "few" not in whole
    assert whole.endswith("try another --seed, a lower --learning_rate, or --epochs=128")


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"sample_spread_ratio": 0.9}, "samples vary 90 % as much as test examples"),
        ({"sample_spread_ratio": 0.1}, "samples vary 10 % as much as test examples: collapsed; "),
        ({"modes": 3.0, "modes_total": 8.0, "high_quality": 0.9}, "3 of 8 modes, 90 % of them"),
        ({"modes": 8.0, "modes_total": 8.0, "high_quality": 0.1}, "8 of 8 modes, 10 % of them"),
        ({"class_asked": 0.99}, "99 % of samples have the class asked"),
        ({"mmd": math.nan}, "diverged"),
        (
            {"translation_ab_ratio": 0.38, "translation_ab_identity": 0.79},
            "A to B: ratio to the truth 0.38, below that of no translation, 0.79",
        ),
        (
            {"translation_ba_ratio": 0.9, "translation_ba_identity": 0.79},
            "B to A: ratio to the truth 0.90, not below that of no translation, 0.79; ",
        ),
        (
            {"translation_ba_ratio": 1.01, "translation_ba_identity": 1.16},
            "B to A: unrelated to the truth (1.01; 1 is another image's); try ",
        ),
        ({"domain_ab": 0.9, "cycle_ab_ratio": 0.4}, "A to B: 90 % are taken for the target"),
        ({"domain_ab": 0.9, "cycle_ab_ratio": 0.99}, "the target, and do not come back; try "),
    ],
)
def test_what_was_measured_is_said(figures, words):
    assert words in verdict.of_end(run_of("gan"), figures)


def test_samples_far_from_every_mode_have_not_diverged():
    figures = {"modes": 0.0, "modes_total": 8.0, "high_quality": 0.0, "reverse_kl": math.nan}
    said = verdict.of_end(run_of("gan", "--dataset=ring8", step=20), figures)
    assert said.startswith("samples cover 0 of 8 modes, 0 % of them within 3 standard deviations")
    assert ": collapsed; 20 steps are few, " in said


class Repeating:
    """Decodes codes (n, 1) to the training images of a set, or to one image."""

    inputs = ("x", "z")

    def __init__(self, data, collapsed):
        self.data, self.collapsed = data, collapsed

    def prior_codes(self, n, seed):
        return np.random.default_rng(seed).integers(len(self.data.train), size=(n, 1))

    def observed(self, x, seed):
        return x

    def decode(self, z):
        rows = np.zeros(len(z), int) if self.collapsed else z[:, 0]
        return datasets.scale(self.data.train[rows])


def test_variety_of_real_images_and_of_one():
    data = datasets.load("fashion_mnist_10k")
    found = metrics.sample_variety(Repeating(data, collapsed=False), data)
    assert found["sample_spread_ratio"] == pytest.approx(1, abs=0.03)
    assert found["classes"] == found["classes_total"] == 10
    found = metrics.sample_variety(Repeating(data, collapsed=True), data)
    assert found["sample_spread"] == 0 and found["classes"] == 1
    # Where all test examples are equal there is nothing to compare with.
    equal = dataclasses.replace(data, test=np.zeros_like(data.test[:20]))
    assert "sample_spread_ratio" not in metrics.sample_variety(Repeating(data, False), equal)


class Both(Repeating):
    """Decodes odd codes to images of the set, even ones to images of its second domain."""

    def decode(self, z):
        rows = z[:, 0]
        sets = [datasets.scale(one.train[rows]) for one in (self.data, self.data.other)]
        return np.where(rows[:, None, None, None] % 2, *sets)


def test_variety_of_two_sets_is_that_of_both():
    data = datasets.load("fashion_mnist_10k")
    data = dataclasses.replace(data, other=datasets.load("fashion_mnist_10k[invert]"))
    found = metrics.sample_variety(Both(data, collapsed=False), data)
    assert found["sample_spread_ratio"] == pytest.approx(1, abs=0.03)
    assert "classes" not in found
