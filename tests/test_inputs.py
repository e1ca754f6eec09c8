"""Games that take labels, two sets of images, fresh batches for every phase, gradient penalties.

The methods here are written as a user would write them, and keep the contract of training: who
moves, what is drawn, one replica like two, saving.
"""

import itertools

import keras
import numpy as np
import pytest
from games import state
from games import weights
from keras import ops

import zoo
from zoo import datasets
from zoo.game import Game
from zoo.gradients import gradient_penalty
from zoo.gradients import input_gradient
from zoo.losses import absolute_error
from zoo.losses import accepted
from zoo.losses import rejected

SHAPE, CLASSES = (8, 8, 1), 3


class Labelled(Game):
    """Class-conditional GAN with an auxiliary classifier (Odena et al. 2017, arXiv:1610.09585)."""

    inputs = ("x", "y", "z")
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    schedule = (("discriminator",), ("generator",))
    scores = {"score_x": ("discriminator", "x")}

    def build_networks(self, draw):
        hidden = draw.feature_discriminator()
        named = keras.layers.Dense(CLASSES)(keras.layers.Flatten()(hidden.outputs[1]))
        self.discriminator = keras.Model(hidden.input, [hidden.outputs[0], named])
        z, label = keras.Input((self.latent_dim,)), keras.Input((), dtype="int32")
        code = z * keras.layers.Embedding(CLASSES, self.latent_dim)(label)
        self.generator = keras.Model([z, label], draw.generator()(code))

    def play(self, x, y, z):
        real, real_class = self.discriminator(x)
        fake, fake_class = self.discriminator(self.generator([z, y]))
        name = keras.losses.sparse_categorical_crossentropy
        named = ops.mean(name(y, real_class, from_logits=True))
        drawn = ops.mean(name(y, fake_class, from_logits=True))
        return {
            "discriminator": accepted(real) + rejected(fake) + named,
            "generator": accepted(fake) + drawn,
        }


class TwoDomains(Game):
    """Two domains and no code (Zhu et al. 2017, arXiv:1703.10593)."""

    inputs = ("a", "b")
    players = {"generators": ("to_a", "to_b"), "discriminators": ("of_a", "of_b")}
    schedule = (("generators",), ("discriminators",))

    def build_networks(self, draw):
        for name in ("to_a", "to_b"):
            image = keras.Input(self.image_shape)
            hidden = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
            made = keras.layers.Conv2D(1, 3, padding="same", activation="tanh")(hidden)
            setattr(self, name, keras.Model(image, made))
        self.of_a, self.of_b = draw.discriminator(), draw.discriminator()

    def play(self, a, b):
        fake_a, fake_b = self.to_a(b), self.to_b(a)
        cycle = absolute_error(a, self.to_a(fake_b)) + absolute_error(b, self.to_b(fake_a))
        judged = [self.of_a(a), self.of_b(b)], [self.of_a(fake_a), self.of_b(fake_b)]
        real, fake = ([ops.square(1 - s) for s in judged[0]], [ops.square(s) for s in judged[1]])
        fooled = sum(ops.mean(ops.square(1 - s)) for s in judged[1])
        return {
            "generators": fooled + 10 * cycle / 64,
            "discriminators": sum(ops.mean(term) for term in real + fake),
        }


class WGANGP(Game):
    """Five steps of a critic with a gradient penalty to one of the generator (arXiv:1704.00028)."""

    players = {"critic": ("critic",), "generator": ("generator",)}
    schedule = (("critic",),) * 5 + (("generator",),)
    fresh_batches = True
    scores = {"score_x": ("critic", "x")}

    def build_networks(self, draw):
        x = keras.Input(self.image_shape)
        hidden = keras.layers.Dense(16, "softplus")(keras.layers.Flatten()(x))
        self.critic = keras.Model(x, keras.layers.Dense(1)(hidden))
        self.generator = draw.generator()

    def play(self, x, z):
        fake = self.generator(z)
        mix = keras.random.uniform((ops.shape(x)[0], 1, 1, 1), seed=self.seed_generator)
        penalty = gradient_penalty(self.critic, mix * x + (1 - mix) * fake)
        real, drawn = ops.mean(self.critic(x)), ops.mean(self.critic(fake))
        return {"critic": drawn - real + 10 * penalty, "generator": -drawn}


class ThreeScores(Game):
    """One discriminator with three outputs, as BigBiGAN's (arXiv:1907.02544)."""

    players = {"discriminator": ("discriminator",)}
    schedule = (("discriminator",),)
    scores = {
        "score_xz": ("discriminator", "xz", 0),
        "score_x": ("discriminator", "xz", 1),
        "score_z": ("discriminator", "xz", 2),
    }

    def build_networks(self, draw):
        self.encoder, self.generator = draw.encoder(), draw.generator()
        x, z = keras.Input(self.image_shape), keras.Input((self.latent_dim,))
        f, h = keras.layers.Dense(8)(keras.layers.Flatten()(x)), keras.layers.Dense(8)(z)
        both = keras.layers.Concatenate()([f, h])
        heads = [keras.layers.Dense(1)(part) for part in (both, f, h)]
        self.discriminator = keras.Model([x, z], heads)

    def play(self, x, z):
        return {"discriminator": sum(map(accepted, self.discriminator([x, z])))}


def batch(game, n, seed=0):
    """n examples of every part of a batch of `game`."""
    rng = np.random.default_rng(seed)
    parts = {
        "y": lambda: rng.integers(0, CLASSES, n).astype("int32"),
        "images": lambda: rng.uniform(-1, 1, (n, *SHAPE)).astype("float32"),
    }
    return tuple(parts.get(name, parts["images"])() for name in game.inputs if name != "z")


def make(game_class, rate=1e-3, **arguments):
    game = game_class(SHAPE, latent_dim=3, width=4, **arguments)
    game.compile({player: keras.optimizers.SGD(rate) for player in game.players})
    return game


def step(game, parts, steps=1):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        stream, count = tf.data.Dataset.from_tensors(parts).repeat(steps), {}
    else:
        stream, count = (parts for _ in itertools.count()), {"steps_per_epoch": steps}
    history = game.fit(stream, verbose=0, shuffle=False, **count).history
    return {name: values[-1] for name, values in history.items()}


METHODS = (Labelled, TwoDomains, WGANGP)
every_method = pytest.mark.parametrize("game_class", METHODS)


@every_method
def test_every_player_moves_and_logs_its_loss(game_class):
    game = make(game_class)
    before = weights(game)
    logs = step(game, batch(game, 12))
    after = weights(game)
    assert {n for n in after if np.any(after[n] != before[n])} == set(after)
    assert set(logs) == {*game.players, "loss"}
    assert np.isfinite(list(logs.values())).all()


@every_method
def test_a_saved_game_takes_the_same_next_step(game_class, tmp_path):
    kept = make(game_class)
    step(kept, batch(kept, 12), steps=2)
    kept.save(tmp_path / "game.keras")
    loaded = zoo.load(tmp_path / "game.keras")
    parts = batch(kept, 12, seed=1)
    assert step(kept, parts) == step(loaded, parts)
    for a, b in zip(state(kept), state(loaded), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("game_class", [Labelled, TwoDomains])
def test_two_replicas_give_the_update_of_one(game_class, two_devices):
    one = make(game_class)
    with two_devices.scope():
        two = make(game_class)
    parts, start = batch(one, 24), weights(one)
    step(one, parts, steps=2)
    with two_devices.scope():
        step(two, parts, steps=2)
    for name, vector in weights(one).items():
        moved = np.linalg.norm(vector - start[name])
        assert np.linalg.norm(weights(two)[name] - vector) < 0.01 * moved, name


def test_every_phase_has_examples_of_its_own_and_two_replicas_share_them():
    game = make(WGANGP)
    assert game.batches_per_step == 6
    rows = ops.arange(24)
    phases = [set(ops.convert_to_numpy(game.share((rows,), i)[0]).tolist()) for i in range(6)]
    assert set.union(*phases) == set(range(24)) and sum(map(len, phases)) == 24
    halves = [ops.arange(0, 12), ops.arange(12, 24)]
    for number, phase in enumerate(phases):
        shared = [ops.convert_to_numpy(game.share((half,), number)[0]) for half in halves]
        assert set(np.concatenate(shared).tolist()) == phase
    with pytest.raises(ValueError, match="must be a multiple of 6, .*; got 13"):
        step(game, batch(game, 13))


def test_methods_without_fresh_batches_play_every_phase_on_the_whole_batch():
    game = zoo.method("alpha_gan")(SHAPE, latent_dim=3, width=4)
    assert game.batches_per_step == 1 and len(game.schedule) == 3
    rows = (np.arange(5),)
    assert all(game.share(rows, phase) is rows for phase in range(3))


def test_inputs_must_be_the_arguments_of_play():
    def play(self, x, y):
        return {}

    with pytest.raises(
        ValueError, match=r"inputs of Wrong must be .*\('x', 'y'\); got \('x', 'z'\)"
    ):
        type("Wrong", (Game,), {"play": play})


def test_a_batch_without_labels_is_refused_by_name():
    game = make(Labelled)
    with pytest.raises(ValueError, match="Labelled must have the parts x, y; got 1 of 2"):
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


def test_a_data_set_gives_the_parts_that_a_method_asks_for():
    data = datasets.load("fashion_mnist_10k")
    assert data.parts(("x", "z")) is data.train
    x, y = data.parts(Labelled.inputs)
    assert x is data.train and y is data.train_labels
    shoes, bags = (datasets.load(f"fashion_mnist_10k[class={c}]") for c in ("7", "Bag"))
    assert set(shoes.train_labels) == set(shoes.test_labels) == {7}
    assert len(shoes.train) == (data.train_labels == 7).sum()
    np.testing.assert_array_equal(bags.train, data.train[data.train_labels == 8])
    a, b = shoes.paired(bags).parts(TwoDomains.inputs)
    assert a is shoes.train and b is bags.train


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: datasets.load("grid25").parts(("x", "b")), "name it with --dataset_b"),
        (lambda: datasets.load("circle").parts(("x", "y", "z")), "circle has no labels"),
        (lambda: datasets.load("fashion_mnist_10k[class=hat]"), "must be one of .*; got 'hat'"),
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
