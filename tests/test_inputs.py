"""Games that take labels, two sets of images, fresh batches for every phase, gradient penalties."""

import dataclasses

import keras
import numpy as np
import pytest
from games import batch
from games import step
from keras import ops
from written import CLASSES
from written import ThreeScores

import zoo
from zoo import datasets
from zoo.game import Game
from zoo.training import steps
from zoo.training.gradients import gradient_penalty
from zoo.training.gradients import input_gradient

SHAPE = (8, 8, 1)


def make(game_class, **arguments):
    game = game_class(SHAPE, latent_dim=3, width=4, **arguments)
    game.compile(keras.optimizers.SGD(1e-3))
    return game


def test_every_phase_has_examples_of_its_own_and_two_replicas_share_them():
    game = make(zoo.WGAN)
    assert game.batches_per_step == 6
    rows = ops.arange(24)
    phases = [
        set(ops.convert_to_numpy(steps.share(game, (rows,), i)[0]).tolist()) for i in range(6)
    ]
    assert set.union(*phases) == set(range(24)) and sum(map(len, phases)) == 24
    halves = [ops.arange(0, 12), ops.arange(12, 24)]
    for number, phase in enumerate(phases):
        shared = [ops.convert_to_numpy(steps.share(game, (half,), number)[0]) for half in halves]
        assert set(np.concatenate(shared).tolist()) == phase
    uneven = [ops.convert_to_numpy(steps.share(game, (rows[:8],), i)[0]).tolist() for i in range(6)]
    assert uneven == [[0, 6], [1, 7], [2], [3], [4], [5]]
    few = [ops.convert_to_numpy(steps.share(game, (rows[:2],), i)[0]).tolist() for i in range(6)]
    assert few == [[0], [1], [1], [1], [1], [1]]


def test_methods_without_fresh_batches_play_every_phase_on_the_whole_batch():
    game = zoo.method("alpha_gan")(SHAPE, latent_dim=3, width=4)
    assert game.batches_per_step == 1 and len(game.schedule) == 3
    rows = (np.arange(5),)
    assert all(steps.share(game, rows, phase) is rows for phase in range(3))


def test_inputs_must_be_the_arguments_of_play():
    def play(self, x, y):
        return {}

    with pytest.raises(
        ValueError, match=r"inputs of Wrong must be .*\('x', 'y'\); got \('x', 'z'\)"
    ):
        type("Wrong", (Game,), {"play": play})


def test_a_batch_without_labels_is_refused_by_name():
    game = make(zoo.ACGAN, classes=CLASSES)
    with pytest.raises(ValueError, match="ACGAN must have the parts x, y; got 1 of 2"):
        step(game, batch(game, 6)[:1])


def test_each_score_is_the_output_that_it_names():
    game = ThreeScores(SHAPE, latent_dim=3, width=4)
    x = ops.convert_to_tensor(batch(game, 5)[0])
    heads = game.discriminator([x, game.encode(x)], training=False)
    scores = zoo.scores.discriminate(game, x)
    assert list(scores) == ["score_xz", "score_x", "score_z"]
    for score, head in zip(scores.values(), heads, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(score), ops.convert_to_numpy(head)[:, 0])
    assert len({float(ops.sum(score)) for score in scores.values()}) == 3
    assert set(zoo.scores.anomaly(game, x)) == set(zoo.scores.anomaly_terms(game))


def test_a_score_of_an_output_that_is_not_there_is_refused():
    wrong = {"scores": {"score_x": ("discriminator", "xz", 3)}}
    with pytest.raises(ValueError, match="score_x .* has 2 inputs and 3 outputs"):
        type("Wrong", (ThreeScores,), wrong)(SHAPE, latent_dim=3, width=4)


def test_the_gradient_of_every_example_is_its_own():
    x = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
    gradient = input_gradient(lambda y: ops.sum(y**2, axis=1), x)
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), [[2, 4], [6, 8]], rtol=1e-6)
    # Gradients (3, 4) for every example have length 5, which is 4 from 1.
    slope = ops.convert_to_tensor([[3.0], [4.0]])
    penalty = gradient_penalty(lambda y: ops.matmul(y, slope), x)
    assert float(penalty) == pytest.approx(16, rel=1e-5)


def test_labels_follow_their_images_and_two_domains_do_not():
    images = np.arange(30, dtype="uint8").reshape(30, 1, 1, 1)
    labels = np.arange(30)
    for start in (0, 7):
        stream = iter(datasets.batches((images, labels), 8, seed=3, start_step=start))
        for _ in range(5):
            x, y = (np.array(part) for part in next(stream))
            np.testing.assert_array_equal(datasets.unscale(x).ravel(), y)
            assert y.dtype == np.int32
    other = np.arange(100, 117, dtype="uint8").reshape(17, 1, 1, 1)
    stream = iter(datasets.batches((images, other), 15, seed=3))
    a, b = zip(*(next(stream) for _ in range(34)))
    a, b = (
        datasets.unscale(np.concatenate([np.array(p) for p in part])).ravel() for part in (a, b)
    )
    # 510 examples: 17 passes through one set, 30 through the other.
    assert (np.unique(a, return_counts=True)[1] == 17).all() and len(set(a)) == 30
    assert (np.unique(b, return_counts=True)[1] == 30).all() and len(set(b)) == 17
    resumed = next(iter(datasets.batches((images, other), 15, seed=3, start_step=20)))
    np.testing.assert_array_equal(datasets.unscale(np.array(resumed[1])).ravel(), b[300:315])
    # Sets of one size have orders of their own, too.
    same = [np.array(part).ravel() for part in next(iter(datasets.batches((images,) * 2, 30, 3)))]
    assert np.mean(same[0] == same[1]) < 0.3 and set(same[0]) == set(same[1])


def test_a_data_set_gives_the_parts_that_a_method_asks_for():
    data = datasets.load("fashion_mnist_10k")
    assert data.parts(("x", "z")) is data.train
    x, y = data.parts(zoo.ACGAN.inputs)
    assert x is data.train and y is data.train_labels
    shoes, bags = (datasets.load(f"fashion_mnist_10k[class={c}]") for c in ("7", "Bag"))
    assert set(shoes.train_labels) == set(shoes.test_labels) == {7}
    assert len(shoes.train) == (data.train_labels == 7).sum()
    np.testing.assert_array_equal(bags.train, data.train[data.train_labels == 8])
    # A name goes before a number, and the case of its letters counts if two differ in it.
    for classes, name, number in ((("1", "2", "0"), "1", 0), (("a", "A", "b"), "A", 1)):
        labels = {"train_labels": np.arange(800) % 3, "test_labels": np.arange(200) % 3}
        named = dataclasses.replace(shoes, classes=classes, **labels)
        assert set(named.of_class(name).test_labels) == {number}
    a, b = shoes.paired(bags).parts(zoo.CycleGAN.inputs)
    assert a is shoes.train and b is bags.train


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: datasets.load("grid25").parts(("x", "b")), "name it with --dataset_b"),
        (lambda: datasets.load("circle").parts(("x", "y", "z")), "circle has no labels"),
        (lambda: datasets.load("fashion_mnist_10k[class=hat]"), "must be one of .*; got 'hat'"),
        (
            lambda: datasets.load("grid25[class=0]", train_split="train[:1]"),
            "class of grid25 .*; got '0', which none of the 1 training examples has",
        ),
        (
            lambda: datasets.load("grid25[class=0]", test_split="train[:1]"),
            "class of grid25 .*; got '0', which none of the 1 test examples has",
        ),
        (
            lambda: datasets.load("fashion_mnist_10k").paired(datasets.load("grid25")),
            r"of one shape; got \(28, 28, 1\) .* \(2,\) of grid25",
        ),
        (
            lambda: datasets.load("grid25").paired(datasets.load("ring8")).parts(("x", "z")),
            "takes one data set; got ring8 as a second",
        ),
    ],
)
def test_data_that_a_method_cannot_use_is_refused_in_words(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
