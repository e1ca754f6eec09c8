"""ACGAN: what its paper claims, on numbers that can be checked by hand."""

import games
import numpy as np
import pytest
from keras import ops

import zoo
from zoo import datasets
from zoo import metrics
from zoo.losses import class_error

X, Z = games.examples(n=6), np.random.default_rng(1).normal(size=(6, 3)).astype("float32")
Y = np.array([0, 1, 2, 0, 1, 2], "int32")


def losses(game):
    return {player: float(loss) for player, loss in game((X, Y, Z), training=True).items()}


@pytest.fixture(scope="module")
def game():
    return games.make("acgan", "mlp")


def judged(game, of):
    """`game` with a discriminator that is undecided, and whose class logits are `of` Y."""
    game = games.make("acgan", "mlp")
    game.discriminator = lambda x: (ops.zeros((len(Y), 1)), of(ops.one_hot(Y, 3)))
    return losses(game)


def test_a_classifier_that_is_right_costs_nothing_and_one_that_knows_nothing_log_classes(game):
    right, blind = judged(game, lambda y: 1000 * y), judged(game, ops.zeros_like)
    assert right["discriminator"] == pytest.approx(2 * np.log(2), rel=1e-5)
    assert right["generator"] == pytest.approx(np.log(2), rel=1e-5)
    assert blind["discriminator"] == pytest.approx(2 * np.log(2) + 2 * np.log(3), rel=1e-5)
    assert blind["generator"] == pytest.approx(np.log(2) + np.log(3), rel=1e-5)


def test_the_class_error_is_minus_the_logarithm_of_the_chance_of_the_label():
    logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]).astype("float32")
    found = float(class_error(logits + 7, np.array([1, 1])))
    assert found == pytest.approx(-(np.log(0.25) + np.log(0.8)) / 2, rel=1e-5)


def test_the_inverse_of_a_linear_generator_is_free_and_translation_there_and_back_the_identity():
    """G(z, y) = W z + b_y, W orthonormal, Wᵀ b_y = 0, and I(x) = Wᵀ x, whatever y."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 6)))[0].astype("float32")
    w, offsets = basis[:, :3], basis[:, 3:].T

    def generator(pair, training=None):
        z, y = pair
        flat = ops.matmul(z, w.T) + ops.take(offsets, y, axis=0)
        return ops.reshape(flat, (-1, 8, 8, 1))

    game = games.make("acgan", "mlp")
    game.generator = generator
    game.inverse = lambda x, training=None: ops.matmul(ops.reshape(x, (-1, 64)), w)
    assert losses(game)["inverse"] == pytest.approx(0, abs=1e-10)
    x = generator((Z, Y))
    there = game.translate(x, 2)
    np.testing.assert_allclose(there, generator((Z, np.full(6, 2))), atol=1e-6)
    np.testing.assert_allclose(game.translate(there, Y), x, atol=1e-6)


def test_classes_are_asked_for_by_number_by_row_or_take_turns(game):
    images = np.array(game.decode(Z, Y))
    np.testing.assert_array_equal(images, game.decode(Z))
    np.testing.assert_array_equal(np.array(game.decode(Z, 1))[Y == 1], images[Y == 1])
    assert np.abs(np.array(game.decode(Z, 1)) - images)[Y != 1].max() > 1e-4


def test_a_class_stands_beside_the_code_at_a_tenth_of_its_scale(game):
    # What is in the generator before it: the code and, at the place of the class, a tenth.
    given = np.concatenate([Z, np.eye(3, dtype="float32")[Y] / 10], axis=1)
    np.testing.assert_allclose(
        game.generator([Z, Y], training=False),
        game.generator.layers[-1](given, training=False),
        atol=1e-6,
    )


@pytest.mark.parametrize("network", ["dcgan", "mixture"])
def test_classes_that_share_a_generator_differ_in_its_last_linear_layer_alone(network):
    apart, shared = (games.make("acgan", network, shared=s) for s in (False, True))
    last = [layer for layer in shared.generator.layers if layer.weights][-1]
    # One set of weights for each class.
    kernel, bias = (np.array(w) for w in last.get_weights())
    channels = shared.image_shape[-1]
    assert kernel.shape[-1] == bias.size == 3 * channels
    mine = np.random.default_rng(0).normal(size=(*kernel.shape[:-1], channels, 3))
    # Class 1 becomes minus class 0: so do its images, of tanh or of nothing.
    mine[..., 1] = -mine[..., 0]
    last.set_weights([mine.reshape(kernel.shape), 0 * bias])
    zero, one, two = (np.array(shared.decode(Z, y)) for y in range(3))
    np.testing.assert_allclose(one, -zero, atol=1e-6)
    assert (
        np.abs(two - zero).max() > 0.1 * np.abs(zero).max() > 0
        and two.shape == apart.decode(Z, 2).shape
    )
    games.step(shared, games.batch(shared))


def test_the_generator_heeds_the_inverse_only_where_they_are_joint(game):
    joint = games.make("acgan", "mlp", joint=0.25)
    joint.set_weights(game.get_weights())
    apart, found = losses(game), losses(joint)
    assert found["inverse"] == pytest.approx(apart["inverse"], rel=1e-5) and apart["inverse"] > 0.1
    extra = found["generator"] - apart["generator"]
    assert extra == pytest.approx(0.25 * apart["inverse"], rel=1e-3)
    with pytest.raises(ValueError, match="joint must be 0 or more; got -1"):
        games.make("acgan", "mlp", joint=-1)


def test_labels_may_be_a_column_and_must_be_classes():
    game = games.make("acgan", "mlp", eager=True)
    x = np.asarray(X)
    flat, column = (game.evaluate(x, y, verbose=0) for y in (Y, np.reshape(Y, (-1, 1))))
    assert flat == column
    for labels, message in (
        (np.asarray(Y) + 1, "must be whole numbers from 0 to 2, one of its 3 classes; got 1 to 3"),
        (np.asarray(Y) - 1, "must be whole numbers from 0 to 2, .* got -1 to 1"),
        (np.asarray(Y) / 2, "must be whole numbers from 0 to 2, .* got 0 to 1"),
        (np.where(Y == 1, np.nan, Y), "must be whole numbers from 0 to 2, .* got nan to nan"),
    ):
        for learn in (game.fit, game.evaluate):
            with pytest.raises(ValueError, match=message):
                learn(x, labels, verbose=0)
    with pytest.raises(ValueError, match=r"must be whole numbers of shape \(n,\); got .*3\)"):
        game.fit(x, np.eye(3, dtype="int32")[np.asarray(Y)], verbose=0)


def test_labels_of_codes_are_one_for_all_or_one_for_each(game):
    z = game.prior_codes(3, seed=0)
    for ask, first in ((game.decode, z), (game.translate, game.decode(z))):
        with pytest.raises(ValueError, match=r"must be one for all or of shape \(3,\); got .*2,\)"):
            ask(first, [0, 1])
        with pytest.raises(ValueError, match="labels y of ACGAN must be numbers; got <U1"):
            ask(first, "1")
        with pytest.raises(ValueError, match="must be whole numbers from 0 to"):
            ask(first, np.int64(game.classes))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="classes must be 2 or more; got 1"):
        zoo.ACGAN((8, 8, 1), classes=1)


class Copies:
    """Makes the first test image of the class that is asked for."""

    def __init__(self, data):
        first = [np.flatnonzero(data.test_labels == y)[0] for y in range(10)]
        self.images = datasets.scale(data.test[first])

    def prior_codes(self, n, seed):
        return np.zeros((n, 1), "float32")

    def decode(self, z, y):
        return self.images[y]

    def translate(self, x, y):
        return self.images[y]


def test_samples_are_held_against_the_class_that_was_asked_for(monkeypatch):
    monkeypatch.setattr(metrics.translation, "MOST", 500)
    data = datasets.load("fashion_mnist_10k")
    copies = Copies(data)
    judge = metrics.classifier.load("fashion_mnist")
    right = judge.probabilities(copies.images).argmax(axis=1) == np.arange(10)
    found = metrics.translation.class_asked(copies, data, seed=0)
    # 500 samples are 50 of each class.
    assert found["class_asked"] == right.mean()
    assert abs(found["class_asked_real"] - judge.test_accuracy) < 0.05
    assert abs(found["class_translated"] - right.mean()) < 0.1
    assert metrics.translation.class_asked(copies, datasets.load("grid25"), seed=0) == {}
    # Of a set that was changed, images are judged as they were before.
    turned = datasets.load("fashion_mnist_10k[rotate]")
    assert metrics.translation.class_asked(Copies(turned), turned, seed=0) == found
    outlines = datasets.load("fashion_mnist_10k[outline]")
    assert metrics.translation.class_asked(Copies(outlines), outlines, seed=0) == {}


def test_two_sets_are_two_classes():
    data = datasets.load("fashion_mnist_10k").paired(datasets.load("fashion_mnist_10k[invert]"))
    x, y = data.parts(zoo.ACGAN.inputs)
    np.testing.assert_array_equal(x[y == 0], data.train)
    np.testing.assert_array_equal(x[y == 1], data.other.train)
    assert data.conditions == ("fashion_mnist_10k", "fashion_mnist_10k[invert]")
