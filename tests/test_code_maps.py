"""Codes that have height and width, with networks of the caller's own, from a step to a client."""

import keras
import numpy as np
import pytest
from games import examples
from games import state
from games import step
from games import weights
from keras import layers

import zoo
from zoo import latent
from zoo import metrics
from zoo import models
from zoo import scores
from zoo.audit import audit
from zoo.datasets import Dataset

SHAPE, CODE, CLASSES = (8, 8, 1), (2, 2, 3), 3
SIZE = 12


def encoder(outputs=1):
    x = keras.Input(SHAPE)
    hidden = layers.Conv2D(4, 3, 2, "same", activation="relu")(x)
    made = [layers.Conv2D(CODE[-1], 3, 2, "same")(hidden) for _ in range(outputs)]
    return keras.Model(x, made if outputs > 1 else made[0])


def generator(classes=0):
    z, y = keras.Input(CODE), keras.Input((), dtype="int32")
    hidden = z
    if classes:
        hidden = layers.Add()([z, layers.Reshape(CODE)(layers.Embedding(classes, SIZE)(y))])
    hidden = layers.Conv2DTranspose(4, 3, 2, "same", activation="relu")(hidden)
    x = layers.Conv2DTranspose(1, 3, 2, "same", activation="tanh")(hidden)
    return keras.Model([z, y] if classes else z, x)


def judge(*shapes, more=(), features=False):
    """Logit of inputs of these shapes, outputs of the sizes in `more`, the hidden layer."""
    inputs = [keras.Input(shape) for shape in shapes]
    flat = [layers.Flatten()(part) for part in inputs]
    hidden = layers.Dense(6)(layers.Concatenate()(flat) if flat[1:] else flat[0])
    outputs = [layers.Dense(size)(hidden) for size in (1, *more)] + [hidden] * features
    ends = [part if part[1:] else part[0] for part in (inputs, outputs)]
    return keras.Model(*ends)


# Every method that draws codes, but for the naive encoder, whose generator is another game's, and
# UNIT, whose codes are maps with its own networks.
OWN = {
    "aae": lambda: {"encoder": encoder(), "code_discriminator": judge(CODE)},
    "acgan": lambda: {
        "generator": generator(CLASSES),
        "discriminator": judge(SHAPE, more=(CLASSES,)),
        "inverse": encoder(),
    },
    "ali": lambda: {"encoder": encoder(2), "discriminator": judge(SHAPE, CODE)},
    "alpha_gan": lambda: {
        "encoder": encoder(),
        "discriminator": judge(SHAPE),
        "code_discriminator": judge(CODE),
    },
    "bigan": lambda: {"encoder": encoder(), "discriminator": judge(SHAPE, CODE)},
    "bigbigan": lambda: {"encoder": encoder(2), "discriminator": judge(SHAPE, CODE, more=(1, 1))},
    "gan": lambda: {"discriminator": judge(SHAPE)},
    "latent_regressor": lambda: {"encoder": encoder(), "discriminator": judge(SHAPE)},
    "vae": lambda: {"encoder": encoder(2)},
    "vae_gan": lambda: {"encoder": encoder(2), "discriminator": judge(SHAPE, features=True)},
    "wgan": lambda: {"critic": judge(SHAPE)},
}
ARGUMENTS = {
    "acgan": {"classes": CLASSES},
    "wgan": {"critic_steps": 1},
    "vae": {"likelihood": "gaussian"},
}


def make(method="aae", **arguments):
    networks = {"generator": generator()} | OWN[method]()
    arguments = ARGUMENTS.get(method, {}) | arguments
    game = zoo.method(method)(SHAPE, latent_dim=CODE, **networks, **arguments)
    game.compile("sgd", run_eagerly=keras.backend.backend() == "tensorflow")
    return game


numbers = keras.ops.convert_to_numpy


@pytest.fixture(scope="module")
def game():
    """A game that can do whatever a game can: its encoder is stochastic, it scores pairs."""
    played = make("ali", ema=0.5)
    step(played, examples(), steps=2)
    return played


@pytest.fixture(scope="module")
def data():
    """120 images of two classes that differ in brightness."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = rng.integers(0, 128, (120, *SHAPE)) + 127 * labels[:, None, None, None]
    images = images.astype("uint8")
    return Dataset("bright", images, images, labels, labels, ("dark", "light"), "made")


def test_every_method_of_the_package_is_tried():
    assert set(OWN) | {"naive_encoder", "cyclegan", "unit"} == set(zoo.METHODS)


# Each takes seconds, most of them to trace one more set of networks.
FAST = ("aae", "ali", "vae")


@pytest.mark.parametrize(
    "method", [m if m in FAST else pytest.param(m, marks=pytest.mark.slow) for m in OWN]
)
def test_a_step_moves_every_network_and_a_file_brings_all_of_it_back(method, tmp_path):
    kept = make(method)
    before = weights(kept)
    assert np.isfinite(step(kept, examples())["loss"])
    assert all(np.any(new != before[name]) for name, new in weights(kept).items())
    assert kept.noise(5).shape == kept.normal_noise(5).shape == (5, *CODE)
    assert kept.code_shape == kept.latent_dim == CODE
    assert kept.decode(kept.prior_codes(5, 0)).shape == (5, *SHAPE)
    kept.save(tmp_path / "game.keras")
    loaded = zoo.load(tmp_path / "game.keras")
    assert loaded.latent_dim == CODE
    assert step(kept, examples(seed=1)) == step(loaded, examples(seed=1))
    for a, b in zip(state(kept), state(loaded), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_preset_keeps_the_shape(game, tmp_path):
    game.save_to_preset(str(tmp_path), precision="float32")
    again = zoo.ALI.from_preset(str(tmp_path))
    assert again.code_shape == CODE
    np.testing.assert_array_equal(
        numbers(game.encode(examples())), numbers(again.encode(examples()))
    )


def test_what_a_trained_game_does_has_the_shape_of_the_code(game):
    x = examples()
    codes = numbers(game.encode(x))
    assert codes.shape == (16, *CODE)
    assert [numbers(part).shape for part in game.posterior(x)] == [(16, *CODE)] * 2
    np.testing.assert_array_equal(numbers(game.reconstruct(x)), numbers(game.decode(codes)))
    assert scores.discriminate(game, x)["score_xz"].shape == (16,)
    assert scores.anomaly(game, x)["feature_error"].shape == (16,)
    assert numbers(game.prior_codes(4000, 0)).std(axis=0) == pytest.approx(1, abs=0.1)


def test_metrics_are_those_of_the_codes_as_vectors(game, data):
    figures = metrics.evaluate(game, data, test_limit=60, train_limit=60)
    x = zoo.datasets.scale(data.test)[metrics.arrays.subset(120, 60, 0)]
    codes = numbers(game.encode(x)).reshape(60, SIZE)
    draws = numbers(game.prior_codes(120, 0)).reshape(120, SIZE)
    recovered = numbers(game.encode(game.decode(draws[:60].reshape(-1, *CODE)))).reshape(60, SIZE)
    expected = {
        "code_largest_mean": np.abs(codes.mean(axis=0)).max(),
        "mmd": metrics.mmd(codes, draws[:60], draws[60:])["mmd"],
        "z_cycle": np.linalg.norm(draws[:60] - recovered, axis=1).mean(),
    }
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, rel=1e-4), name
    accuracies = [name for name in figures if name.startswith(("knn", "probe"))]
    assert len(accuracies) == 10 and np.isfinite([*figures.values()]).all()


def test_an_audit_is_made(game, data):
    figures = audit(models.of(game), data, samples=200, progress=lambda part: None)
    assert figures["x_cycle_ratio"] > 0 and figures["active_units_total"] == SIZE


def test_paths_go_through_the_codes_as_vectors(game):
    a, b = (numbers(game.encode(examples(n=2, seed=seed))) for seed in (0, 1))
    images = latent.interpolate(game, a, b, steps=3)
    assert images.shape == (2, 3, *SHAPE)
    way = latent.path("normal", a, b, steps=3)
    middle = latent.slerp(a.reshape(2, -1), b.reshape(2, -1), np.array([0.5]))
    np.testing.assert_allclose(way[:, 1].reshape(2, 1, -1), middle)
    for place, codes in enumerate((a, way[:, 1].astype("float32"), b)):
        np.testing.assert_allclose(images[:, place], numbers(game.decode(codes)), atol=1e-6)


def test_a_traversal_and_an_edit_change_the_numbers_of_a_code(game, data):
    x = examples(n=3)
    codes = numbers(game.encode(x))
    moved = codes.copy()
    moved[:, 1, 0, 2] = 1.5
    images = latent.traverse(game, codes, coordinates=[8], values=[1.5])
    np.testing.assert_allclose(images[:, 0, 0], numbers(game.decode(moved)), atol=1e-6)
    known = numbers(game.encode(zoo.datasets.scale(data.train)))
    vector = latent.class_vector(known, data.train_labels, to=1)
    assert vector.shape == CODE
    expected = numbers(game.decode(codes + 0.5 * vector.astype("float32")))
    edited = latent.edit(game, x, vector, strengths=[0.5])
    np.testing.assert_allclose(edited[:, 0], expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"codes of ALI are \(n, 12\), n >= 1; got \(3, 4\)"):
        latent.traverse(game, codes[:, 0, 0, :1] * np.ones((3, 4), "float32"))


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        (
            "bigan",
            {"latent_dim": CODE},
            "latent_dim must be a whole number for network 'dcgan'.*"
            r"got \(2, 2, 3\).*own: discriminator, encoder, generator",
        ),
        (
            "counterexample",
            {"latent_dim": CODE, "support": 8},
            r"latent_dim must be 1 to 63, .*got",
        ),
        ("bigan", {"latent_dim": (2, 3)}, r"\(height, width, channels\), .*; got \(2, 3\)"),
        ("bigan", {"latent_dim": (2, 0, 3)}, r"each 1 or more; got \(2, 0, 3\)"),
        ("bigan", {"latent_dim": CODE, "prior": "mixture"}, r"must be 2 for mixture; got \(2, 2"),
    ],
)
def test_what_needs_a_vector_says_so(method, arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.method(method)(SHAPE, **arguments)


def test_a_network_of_another_code_is_refused():
    with pytest.raises(ValueError, match=r"\(latent_dim is \(1, 2, 3\)\); got \(2, 2, 3\)"):
        zoo.BiGAN(SHAPE, latent_dim=(1, 2, 3), generator=generator(), **OWN["bigan"]())


@pytest.mark.slow
@pytest.mark.tensorflow("exports are SavedModels")
def test_an_export_is_served_and_its_client_decodes_what_it_encodes(game, tmp_path):
    from client_server import running

    from export import contract
    from export import doctor
    from export import write
    from export.client import Client

    version = tmp_path / "maps" / "1"
    version.mkdir(parents=True)
    write.write(game, version, max_batch_size=4)
    assert contract.read(version)["latent"] == {"prior": "normal", "dimension": SIZE}
    x = examples(n=5)
    with (
        running("--model_name=maps", f"--model_base_path={tmp_path / 'maps'}") as app,
        Client(app.address, "maps", max_batch_size=4) as client,
    ):
        codes = client.encode(x)
        assert codes.shape == (5, *CODE)
        np.testing.assert_allclose(codes, numbers(game.encode(x)), atol=1e-6)
        np.testing.assert_allclose(client.decode(codes), numbers(game.reconstruct(x)), atol=1e-6)
        drawn = client.encode_sample(x, np.arange(5))
        assert drawn.shape == (5, *CODE) and np.any(drawn[0] != codes[0])
        assert client.sample(np.arange(5)).shape == (5, *SHAPE)
        with pytest.raises(ValueError, match=r"codes of decode must have shape .*; got \(5, 12\)"):
            client.decode(codes.reshape(5, -1))
    served = models.load(str(tmp_path / "maps"))
    mine = models.of(game)
    np.testing.assert_array_equal(served.prior(3, 0), mine.prior(3, 0))
    np.testing.assert_allclose(served.encode(x), numbers(mine.encode(x)), atol=1e-6)
    ways = [latent.interpolate(model, codes[:1], codes[1:2], 3) for model in (served, mine)]
    np.testing.assert_allclose(*ways, atol=1e-6)
    assert doctor.examine(version), "see the table"
