"""CycleGAN: what its paper claims, on numbers that can be checked by hand."""

import dataclasses

import keras
import numpy as np
import pytest
from games import TRANSLATORS
from games import examples
from games import half
from games import make
from keras import ops

import zoo
from trainers.runs import drawings
from zoo import datasets
from zoo import metrics
from zoo import models
from zoo.training.pool import Pool


def with_maps(a_to_b, b_to_a, judge_a=half, judge_b=half, **arguments):
    """A game whose networks are these functions."""
    game = make("cyclegan", "mlp", **arguments)
    game.a_to_b, game.b_to_a = a_to_b, b_to_a
    game.discriminator_a, game.discriminator_b = judge_a, judge_b
    return game


def losses(game, a, b):
    return {player: float(loss) for player, loss in game((a, b), training=True).items()}


def test_the_true_maps_of_an_inverted_world_cost_the_identity_terms_only():
    a = examples(n=8)
    b = -examples(n=8, seed=1)
    found = losses(with_maps(ops.negative, ops.negative, identity=0.0), a, b)
    # Of D = ½: ½ (¼ + ¼) in each domain; its translations cost (½ − 1)² in each.
    assert found["discriminators"] == pytest.approx(0.5)
    assert found["generators"] == pytest.approx(0.5)
    # F(b) = −b is 2|b| from b.
    kept = losses(with_maps(ops.negative, ops.negative, cycle=4.0, identity=0.25), a, b)
    moved = 2 * np.abs(a).mean() + 2 * np.abs(b).mean()
    assert kept["generators"] == pytest.approx(0.5 + 4.0 * 0.25 * moved, rel=1e-5)


def test_the_identity_costs_the_adversarial_term_alone_and_a_cycle_is_weighed():
    a, b = examples(n=8), examples(n=8, seed=1)

    def knows(x):  # 1 of a, 0 of all else
        return ops.full((8, 1), float(np.array_equal(np.array(x), a)))

    found = losses(with_maps(lambda x: x, lambda x: x, knows, lambda x: 1 - knows(x)), a, b)
    assert found == {"generators": 2.0, "discriminators": 0.0}
    # A → B adds ½, B → A does nothing: both cycles end ½ away, and so do the images of B.
    game = with_maps(lambda x: x + 0.5, lambda x: x, cycle=3.0, identity=2.0)
    assert losses(game, a, b)["generators"] == pytest.approx(0.5 + 3 * (0.5 + 0.5 + 2 * 0.5))


def values(tensor):
    return ops.convert_to_numpy(tensor).ravel().tolist()


def test_a_pool_exchanges_half_of_the_examples_for_stored_ones_once_it_is_full():
    pool = Pool(4, (1,), keras.random.SeedGenerator(0))

    def call(*numbers, training=True):
        return values(pool(np.array(numbers, np.float32)[:, None], training=training))

    # A batch that goes round the end of the pool while it fills.
    assert call(1, 2, 3) == [1, 2, 3] and call(4, 5, 6) == [4, 5, 6]
    assert values(pool.stored) == [5, 6, 3, 4]
    exchanged = 0
    for first in range(10, 810, 4):
        batch, before = [first, first + 1, first + 2, first + 3], values(pool.stored)
        returned = call(*batch)
        assert sorted(returned + values(pool.stored)) == sorted(batch + before)
        exchanged += sum(new != old for new, old in zip(batch, returned))
    # 800 draws of ½: four standard deviations to either side.
    assert abs(exchanged - 400) < 4 * np.sqrt(200)
    before = values(pool.stored)
    assert call(1, 2, training=False) == [1, 2] and values(pool.stored) == before
    # More than fit: the fifth is returned as it is.
    assert call(1, 2, 3, 4, 5)[4] == 5


def pooled(seed=0):
    game = make("cyclegan", "mlp", pool=8, seed=seed)
    game.compile()
    return game


def fitted(game, steps=3):
    a = examples(n=4 * steps)
    return game.fit(a, -a, batch_size=4, verbose=0, shuffle=False).history


def near(history):
    """`history`, but for the last bits, in which trainings on several threads differ."""
    return {name: pytest.approx(values, rel=1e-6) for name, values in history.items()}


@pytest.mark.slow
def test_a_game_with_a_pool_resumes_and_judges_other_images_than_one_without(tmp_path):
    game, plain = pooled(), make("cyclegan", "mlp")
    plain.compile()
    whole = [fitted(game), fitted(game)]
    half, without = pooled(), [fitted(plain), fitted(plain)]
    assert fitted(half) == near(whole[0])
    half.save(tmp_path / "half.keras")
    again = keras.saving.load_model(tmp_path / "half.keras")
    assert fitted(again) == near(whole[1])
    np.testing.assert_allclose(again.pool_a.stored, game.pool_a.stored, atol=1e-6)
    assert whole[1]["discriminators"] != without[1]["discriminators"]


@pytest.mark.slow
def test_replicas_share_the_pool_of_the_first(two_devices):
    with two_devices.scope():
        game = pooled()
    history = fitted(game)
    assert np.isfinite(history["generators"]).all()
    # Three steps, two examples of each on the first replica.
    assert game.pool_a.seen.numpy() == 6
    assert np.abs(game.pool_a.stored.numpy()[:6]).max(axis=(1, 2, 3)).min() > 0


@pytest.mark.parametrize("arguments", [{"cycle": -1.0}, {"identity": -0.5}, {"pool": -1}])
def test_negative_weights_are_refused(arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"{name} must be 0 or more; got {value}"):
        zoo.CycleGAN((8, 8, 1), **arguments)


def test_what_needs_codes_is_refused_in_words():
    game = make("cyclegan", "mlp")
    with pytest.raises(ValueError, match="CycleGAN has no generator; methods that have one: gan"):
        game.decode(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="CycleGAN has no generator, .*game.translate"):
        models.of_game(game)
    with pytest.raises(ValueError, match=r"no encoder, .* by game\.translate\(x, domain\)"):
        game.predict(np.zeros((2, 8, 8, 1)))


@pytest.mark.parametrize("method", ["cyclegan", "unit"])
def test_images_of_an_odd_side_are_refused(method):
    with pytest.raises(ValueError, match="must be even; got 9 × 8"):
        zoo.method(method)((9, 8, 1), width=4)


class Constant:
    """A game that translates to B by `to_b` and to A by doing nothing."""

    def __init__(self, to_b):
        self.to_b = to_b

    def translate(self, x, domain):
        return self.to_b(x) if domain else x


def pair(name="invert", n=60):
    """Noise and what a map makes of it, as a pair of known truth."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 128, (2, n, 8, 8, 1)).astype("uint8")
    labels = np.arange(n) % 2
    parts = {"train": images[0], "test": images[1], "train_labels": labels, "test_labels": labels}
    data = datasets.Dataset(name="noise", classes=("a", "b"), source="made here", **parts)
    return data.paired(data.mapped(name))


@pytest.mark.parametrize("method", TRANSLATORS)
def test_a_domain_is_0_or_1(method):
    game = make(method)
    for wrong in (2, -1, "b"):
        with pytest.raises(ValueError, match=rf"domain must be 0 \(A\) or 1 \(B\); got {wrong!r}"):
            game.translate(examples(n=2), wrong)


def test_of_points_translations_are_measured_and_no_modes():
    pair = [datasets.load(name) for name in ("ring8", "circle")]
    a, b = (dataclasses.replace(one, train=one.train[:50], test=one.test[:50]) for one in pair)
    game = zoo.CycleGAN((2,), network="mixture", width=1)
    figures = metrics.evaluate(game, dataclasses.replace(a, other=b), probes=False)
    assert "cycle_ab_ratio" in figures and "modes" not in figures


def test_the_report_shows_few_images_of_either_domain_above_their_translations():
    data = datasets.load("fashion_mnist_10k")
    few = dataclasses.replace(data, test=data.test[:7], test_labels=data.test_labels[:7])
    game = zoo.CycleGAN(data.shape, width=1)
    shown = drawings.of_report(game, dataclasses.replace(few, other=few))
    order = np.random.default_rng(0).permutation(7)
    images, translations = shown["samples"][:12], shown["samples"][12:]
    np.testing.assert_array_equal(images[:7], datasets.scale(few.test[order]))
    np.testing.assert_allclose(translations[:7], game.translate(images[:7], 0), atol=1e-5)
    assert (images[7:] == 1).all() and (translations[7:] == 1).all() and len(translations) == 12


def test_translations_are_measured_beside_the_identity_map():
    data = pair()
    right = metrics.translation.two_domains(Constant(lambda x: -x), data, seed=0, limit=60)
    nothing = metrics.translation.two_domains(Constant(lambda x: x), data, seed=0, limit=60)
    assert right["translation_ab"] == pytest.approx(0, abs=1e-5)
    assert nothing["translation_ab_ratio"] == pytest.approx(right["translation_ab_identity"])
    assert nothing["translation_ab_ratio"] == nothing["translation_ab_identity"] > 1
    # A perfect cycle says nothing of the translation.
    assert nothing["cycle_ab"] == 0 and right["cycle_ab_ratio"] > 1
    assert right["domain_ab"] == right["domain_ab_real"] == 1 and nothing["domain_ab"] == 0
    assert right["n_test"] == 60 and not [key for key in right if key.startswith("class_kept")]
    assert set(right) - {"n_test"} < set(metrics.translation.KEYS)


def test_images_are_counted_in_the_smaller_set_and_a_diverged_translator_has_no_domain():
    a, b = (datasets.load(f"fashion_mnist_10k[class={c}]") for c in ("Sneaker", "Bag"))
    data = dataclasses.replace(a, test=a.test[:30], test_labels=a.test_labels[:30]).paired(b)
    found = metrics.translation.two_domains(Constant(lambda x: x + np.nan), data, seed=0, limit=60)
    assert found["n_test"] == 30
    assert np.isnan([found["domain_ab"], found["cycle_ab"]]).all()


def test_without_known_pairs_only_cycles_and_domains_are_measured():
    shoes, bags = (datasets.load(f"fashion_mnist_10k[class={c}]") for c in ("Sneaker", "Bag"))
    data = shoes.paired(bags)
    found = metrics.translation.two_domains(Constant(lambda x: x), data, seed=0, limit=50)
    assert not [key for key in found if key.startswith("translation")]
    assert found["domain_ab"] < 0.1 and found["domain_ab_real"] > 0.9
    # What is left as it was is of no class of the target, as real images of it are.
    reached = found["class_reached_ab"], found["class_reached_ab_untouched"]
    assert reached[0] == reached[1] < 0.1 and found["class_reached_ab_real"] > 0.8
    assert not [key for key in found if key.startswith("class_kept")]
    table = metrics.table(found)
    assert "A to B: of a class of the target" in table
    assert "A to B and back, ratio" in table and "to the truth" not in table


def test_each_pool_holds_the_translations_to_its_own_domain():
    game, seen = make("cyclegan", "mlp", pool=4, eager=True), {"a": [], "b": []}
    game.a_to_b = lambda x, training=None: 0 * x + 0.5
    game.b_to_a = lambda x, training=None: 0 * x - 0.5

    def judge(domain):
        def score(x, training=None):
            seen[domain].append(float(keras.ops.mean(x)))
            return keras.ops.zeros((len(x), 1))

        return score

    game.discriminator_a, game.discriminator_b = judge("a"), judge("b")
    x = np.zeros((4, 8, 8, 1), "float32")
    game((x, x), training=True)
    assert seen == {"a": [0, -0.5, -0.5], "b": [0, 0.5, 0.5]}


def test_classes_of_two_sets_are_compared_by_name():
    clothes = datasets.load("fashion_mnist_10k", train_split="train[:500]", test_split="test[:300]")
    digits = dataclasses.replace(clothes, name="digits", classes=tuple("0123456789"))
    found = metrics.translation.two_domains(
        Constant(lambda x: x), digits.paired(clothes), seed=0, limit=300
    )
    assert "class_kept_ab" not in found and found["class_reached_ab"] == 1


def test_classes_of_inverted_images_are_those_of_the_images_before():
    data = datasets.load("fashion_mnist_10k", train_split="train[:500]", test_split="test[:300]")
    data = data.paired(data.mapped("invert"))
    right, none = (
        metrics.translation.two_domains(Constant(to_b), data, seed=0, limit=300)
        for to_b in (lambda x: -x, lambda x: x)
    )
    assert right["class_kept_ab"] == right["class_kept_ab_real"] > 0.8
    assert none["class_kept_ab"] == none["class_kept_ab_untouched"] < 0.5
