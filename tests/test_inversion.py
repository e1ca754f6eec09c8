"""Inversion by optimisation: a linear generator, whose best codes are known in closed form."""

import json

import games
import keras
import numpy as np
import pytest
from keras import layers

import zoo
from zoo import latent
from zoo import models
from zoo.audit import __main__ as audit
from zoo.inversion import __main__ as command
from zoo.inversion import search
from zoo.inversion import tasks
from zoo.training.gradients import values_and_input_gradient

SHAPE, CODE = (4, 4, 2), 3
# Objectives of about 10, in float32, do not tell codes apart that are closer than this.
ROUNDING = 1e-3


def game_of(generator, code=CODE, **arguments):
    """A GAN with a generator of our own."""
    x = keras.Input(SHAPE)
    judge = keras.Model(x, layers.Dense(1)(layers.Flatten()(x)))
    networks = {"generator": generator, "discriminator": judge}
    return zoo.GAN(SHAPE, latent_dim=code, network="mlp", width=4, **networks, **arguments)


def linear(seed=0, code=(CODE,)):
    """The game of G(z) = Wz + b, with W (32, d) and b (32,)."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(code))
    w, b = rng.normal(0, 0.3, (32, size)).astype("float32"), rng.normal(0, 0.1, 32)
    dense = layers.Dense(32)
    steps = [layers.Flatten()] * (len(code) > 1) + [dense, layers.Reshape(SHAPE)]
    generator = keras.Sequential([keras.Input(code), *steps])
    dense.set_weights([w.T, b])
    return game_of(generator, code if len(code) > 1 else size), w, b


def curved(**arguments):
    """The game of a generator with a hidden layer of tanh."""
    keras.utils.set_random_seed(0)
    hidden = layers.Dense(24, "tanh", kernel_initializer=keras.initializers.RandomNormal(0, 0.5))
    last = layers.Dense(32, "tanh", kernel_initializer=keras.initializers.RandomNormal(0, 0.3))
    generator = keras.Sequential([keras.Input((CODE,)), hidden, last, layers.Reshape(SHAPE)])
    return game_of(generator, **arguments)


def images(n, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, (n, *SHAPE)).astype("float32")


@pytest.mark.parametrize("weight", [0.0, 2.0])
@pytest.mark.parametrize("masked", ["no", "pixels", "channels"])
def test_codes_of_a_linear_generator_are_those_of_least_squares(masked, weight):
    game, w, b = linear()
    x = images(5)
    rng = np.random.default_rng(2)
    shape = {"no": None, "pixels": (5, 4, 4, 1), "channels": (5, *SHAPE)}[masked]
    mask = None if shape is None else rng.integers(0, 2, shape)
    found = search(game, x, 300, 2, mask=mask, prior_weight=weight)
    known = np.broadcast_to(1 if mask is None else mask, x.shape).reshape(5, 32)
    for i in range(5):
        rows = known[i] == 1
        part, target = w[rows], x[i].reshape(-1)[rows] - b[rows]
        best = np.linalg.solve(part.T @ part + weight / 2 * np.eye(CODE), part.T @ target)
        np.testing.assert_allclose(found.codes[i], best, atol=ROUNDING)
        error = np.mean((part @ best - target) ** 2)
        assert found.errors[i] == pytest.approx(error, rel=1e-4)
    if mask is not None:
        hidden = np.where(np.broadcast_to(mask, x.shape) == 1, x, -x)
        again = search(game, hidden, 300, 2, mask=mask, prior_weight=weight)
        np.testing.assert_array_equal(again.codes, found.codes)


def test_with_orthonormal_columns_the_prior_divides_the_code():
    game, w, b = linear()
    w = np.linalg.qr(w)[0].astype("float32")
    game.generator.set_weights([w.T, b])
    x = images(3)
    found = search(game, x, 300, 1, prior_weight=1.0)
    by_hand = (x.reshape(3, 32) - b) @ w / 1.5
    np.testing.assert_allclose(found.codes, by_hand, atol=ROUNDING)


def test_codes_that_have_height_and_width():
    game, w, b = linear(code=(1, 2, 2))
    x = images(2)
    found = search(game, x, 300, 1)
    assert found.codes.shape == (2, 1, 2, 2)
    best = np.linalg.lstsq(w, x.reshape(2, 32).T - b[:, None], rcond=None)[0].T
    np.testing.assert_allclose(found.codes.reshape(2, 4), best, atol=ROUNDING)


def test_known_codes_are_found_again_and_restarts_help():
    game = curved()
    known = np.array(game.prior_codes(40, seed=7))
    x = np.array(game.decode(known))
    found, one = search(game, x, 300, restarts=4), search(game, x, 300, restarts=1)
    near = np.linalg.norm(found.codes - known, axis=1) < 0.05 * np.linalg.norm(known, axis=1)
    assert near.mean() >= 0.95
    assert found.errors.mean() < one.errors.mean()
    made = np.array(game.decode(found.codes))
    np.testing.assert_allclose(found.errors, ((made - x) ** 2).mean((1, 2, 3)), atol=1e-7)


def test_a_generator_that_was_replaced_is_searched():
    game, x = curved(), images(2)
    first = search(game, x, 5)
    other = curved()
    other.generator.set_weights([w + 0.1 for w in other.generator.get_weights()])
    game.generator = other.generator
    found, expected = search(game, x, 5), search(other, x, 5)
    np.testing.assert_allclose(found.curve, expected.curve, rtol=1e-5)
    assert np.abs(found.curve - first.curve).max() > 1e-4


def test_the_curve_is_that_of_the_best_so_far():
    game, x = curved(), images(4)
    found = search(game, x, 60, restarts=3, seed=5)
    assert found.curve.shape == (61, 4)
    starts = np.array(game.decode(0.3 * game.prior_codes(3, 5)))
    first = ((starts[None] - x[:, None]) ** 2).mean((2, 3, 4)).min(axis=1)
    np.testing.assert_allclose(found.curve[0], first, rtol=1e-5)
    assert (np.diff(found.curve, axis=0) <= 0).all() and (found.curve[-1] < first).all()
    np.testing.assert_array_equal(found.curve[-1], found.errors)


def test_a_search_from_the_best_codes_returns_them():
    game = curved()
    known = np.array(game.prior_codes(3, seed=7))
    found = search(game, np.array(game.decode(known)), 40, start=known)
    np.testing.assert_allclose(found.codes, known, atol=1e-5)
    assert found.errors.max() < 1e-12


def test_an_image_alone_has_the_code_that_it_has_among_64():
    game = games.make("bigan")
    x = games.examples(n=64)
    for start in (None, "encoder"):
        among = search(game, x, 60, restarts=2, start=start)
        for i in (0, 13, 63):
            alone = search(game, x[i : i + 1], 60, restarts=2, start=start)
            np.testing.assert_allclose(alone.codes[0], among.codes[i], atol=1e-5)
            assert alone.errors[0] == pytest.approx(among.errors[i], rel=1e-5)
        assert np.ptp(among.codes, axis=0).min() > 0.01


def test_the_hybrid_begins_at_the_codes_of_the_encoder():
    game, x = games.make("bigan"), games.examples(n=5)
    codes = np.array(game.encode(x))
    by_name, by_codes = (search(game, x, 20, start=start) for start in ("encoder", codes))
    np.testing.assert_allclose(by_name.codes, by_codes.codes, atol=1e-5)
    error = ((np.array(game.decode(codes)) - x) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(by_name.curve[0], error, rtol=1e-5)


def test_codes_of_the_uniform_prior_stay_in_the_box():
    free, boxed = curved(), curved(prior="uniform")
    x = np.array(free.decode(np.full((2, CODE), [[2.0], [-2.0]], "float32")))
    assert np.abs(search(free, x, 100, 1).codes).max() > 1.5
    assert np.abs(search(boxed, x, 100, 1).codes).max() == 1
    outside = search(boxed, x, 1, start=np.full((2, CODE), [[2.0], [-2.0]]), learning_rate=1e-3)
    assert np.abs(outside.codes).max() == 1


def test_weights_that_change_after_the_first_search_are_those_that_are_searched():
    game, w, b = linear()
    x = images(2)
    search(game, x, 5, 1)
    game.generator.set_weights([-w.T, b])
    found = search(game, x, 300, 1)
    best = np.linalg.lstsq(-w, x.reshape(2, 32).T - b[:, None], rcond=None)[0].T
    np.testing.assert_allclose(found.codes, best, atol=ROUNDING)


def test_values_come_with_their_gradients():
    x = keras.ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
    found = values_and_input_gradient(lambda y: keras.ops.sum(y**2, axis=1), x)
    values, gradient = map(keras.ops.convert_to_numpy, found)
    np.testing.assert_allclose(values, [5, 25], rtol=1e-6)
    np.testing.assert_allclose(gradient, [[2, 4], [6, 8]], rtol=1e-6)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"images": np.zeros((0, *SHAPE))}, "images must be an array of one image or more"),
        ({"images": np.zeros((2, 4, 4, 1), "float32")}, r"must be of shape \(4, 4, 2\); got"),
        ({"images": np.zeros((2, *SHAPE), "uint8")}, "takes floats in .-1, 1.: pass zoo.datasets"),
        ({"images": np.full((2, *SHAPE), np.nan, "float32")}, "images must be finite; got NaN"),
        ({"steps": 0}, "steps must be 1 or more; got 0"),
        ({"restarts": 0}, "restarts must be 1 or more; got 0"),
        ({"prior_weight": -1.0}, "prior_weight must be 0 or more; got -1.0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0; got 0.0"),
        ({"start": "middle"}, "start must be None, \"encoder\" or codes; got 'middle'"),
        ({"start": "encoder"}, "start must be None or codes for GAN, which has no encoder; got"),
        ({"start": np.zeros((2, 4))}, r"start must be finite codes of shape \(2, 3\); got .*4\)"),
        ({"start": np.full((2, 3), np.nan)}, r"start must be finite codes .* got NaN or infinity"),
        ({"mask": np.ones((2, 4, 4))}, r"mask must be of shape .* or \(2, 4, 4, 1\); got \(2, 4,"),
        ({"mask": np.ones((2, 4))}, r"of shape \(2, 4, 4, 2\) or \(2, 4, 4, 1\); got \(2, 4\)"),
        ({"mask": np.full((2, 4, 4, 1), 0.5)}, "mask must be 0 or 1; got 0.5"),
        ({"mask": np.arange(2).reshape(2, 1, 1, 1) * np.ones((2, 4, 4, 1))}, "got none of image 0"),
    ],
)
def test_what_cannot_be_searched_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        search(linear()[0], **{"images": images(2)} | wrong)


def test_the_shape_of_a_mask_of_grey_images_is_named_once():
    with pytest.raises(ValueError, match=r"mask must be of shape \(2, 8, 8, 1\); got \(2, 8, 8\)"):
        search(games.make("gan"), games.examples(n=2), mask=np.ones((2, 8, 8)))


def test_games_that_cannot_be_searched_are_named():
    x = games.examples(n=2)
    for method in ("acgan", "cyclegan", "unit"):
        with pytest.raises(ValueError, match="must have a generator that takes codes alone; got"):
            search(games.make(method), x)
    with pytest.raises(ValueError, match="must be 0 for .* than \"normal\"; got 1.0 for 'uniform'"):
        search(curved(prior="uniform"), images(2), prior_weight=1.0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a BiGAN, a GAN and images for them."""
    folder = tmp_path_factory.mktemp("tiny")
    rng = np.random.default_rng(0)
    arrays = {"train": rng.integers(0, 256, (20, 8, 8)), "test": rng.integers(0, 256, (20, 8, 8))}
    np.savez(folder / "data.npz", **{name: a.astype("uint8") for name, a in arrays.items()})
    for method in ("bigan", "gan"):
        games.make(method).save(folder / f"{method}.keras")
    return folder


@pytest.mark.parametrize(
    "words, rows",
    [
        (["bigan.keras"], ["encoder", "prior, 3 steps", "encoder, 3 steps"]),
        (["bigan.keras", "--start=encoder"], ["encoder", "encoder, 3 steps"]),
        (["gan.keras"], ["prior, 3 steps"]),
    ],
)
def test_the_command_measures_every_way(words, rows, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tiny)
    flags = ["--dataset=npz:data.npz", "--images=2", "--steps=3", f"--out={tmp_path / 'out'}"]
    command.main(["inversion", *words, *flags])
    shown = capsys.readouterr().out
    assert "npz:data.npz: 2 test images, seed 0" in shown
    found = json.loads((tmp_path / "out" / "inversion.json").read_text())
    assert list(found["images"]) == rows
    known = ["encoder"] * (words[0] != "gan.keras") + ["prior, one search", "prior, best of 4"]
    assert list(found["codes"]) == known
    for row in [*rows, *known]:
        assert f"| {row} | " in shown
    for picture in ("inversion.png", "curves.png"):
        assert (tmp_path / "out" / picture).stat().st_size > 2000
    for row, figures in found["images"].items():
        assert len(figures["curve"]) == 1 + 3 * (row != "encoder")
        assert figures["curve"][-1] == pytest.approx(figures["error"], rel=1e-4)
    errors = [figures["error"] for figures in found["images"].values()]
    assert len(errors) == 1 or errors[-1] <= errors[0]  # the hybrid is never worse than its start


def test_the_figures_of_the_command_are_those_of_the_codes():
    game, _, _ = linear()
    x = images(4)
    figures, returned = command.measure(game, x, command.Way("", None, 20), seed=3)
    codes = search(game, x, 20, 1, seed=3).codes
    np.testing.assert_array_equal(returned, np.array(game.decode(codes)))
    assert figures["error"] == pytest.approx(np.mean((returned - x) ** 2), rel=1e-6)
    length = np.mean(np.linalg.norm(codes, axis=1) / np.sqrt(CODE))
    assert figures["length"] == pytest.approx(length, rel=1e-5)
    known = np.array(game.prior_codes(4, seed=9))
    found = command.recover(game, known, command.Way("", None, 300), seed=3)
    assert found["images_found"] == found["codes_found"] == 1 and found["error"] < 1e-6
    short = command.recover(game, known, command.Way("", None, 1), seed=3)
    assert short["images_found"] == short["codes_found"] == 0


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "give one model; got 0"),
        (["bigan.keras", "gan.keras"], "give one model; got 2"),
        (["nothing.keras"], "nothing.keras"),
        (["bigan.keras", "--images=1"], "--images must be 2 or more; got 1"),
        (["bigan.keras", "--steps=0"], "--steps must be 1 or more; got 0"),
        (["bigan.keras", "--start=middle"], "--start must be prior or encoder; got 'middle'"),
        (["gan.keras", "--start=encoder"], "--start must be prior for GAN, which has no encoder"),
        (
            ["bigan.keras", "--dataset=fashion_mnist_10k"],
            "must have images of shape (8, 8, 1); got",
        ),
    ],
)
def test_errors_of_the_command(words, said, tiny, tmp_path, monkeypatch, refused):
    monkeypatch.chdir(tiny)
    # Of two flags of one name the last one counts.
    words = ["--dataset=npz:data.npz", f"--out={tmp_path / 'out'}", *words]
    assert said in refused(command.main, ["inversion", *words])


@pytest.mark.parametrize("module", [command, tasks])
def test_models_of_points_are_refused(module, tmp_path, refused):
    zoo.GAN((2,), latent_dim=2, network="mixture", width=4).save(tmp_path / "game.keras")
    words = [f"{tmp_path / 'game.keras'}", "--dataset=ring8", f"--out={tmp_path / 'out'}"]
    assert "give a model of images; " in refused(module.main, ["inversion", *words])


def test_an_inverted_model_has_codes_cycles_and_an_anomaly_score():
    game, w, b = linear()
    z = np.random.default_rng(7).normal(size=(3, CODE)).astype("float32")
    x = np.array(game.decode(z))
    far = x + 0.1 * np.sign(np.random.default_rng(8).normal(size=x.shape)).astype("float32")
    model = models.inverted(game, steps=200, name="GAN, inverted")
    assert models.of_game(game).encode is None
    np.testing.assert_allclose(model.encode(x), z, atol=1e-2)
    scores = latent.anomaly_scores(model, np.concatenate([x, far]))
    # The features of this discriminator are those before its only dense layer: the image itself.
    back = w @ np.linalg.pinv(w)
    apart = (far - x).reshape(3, -1)
    expected = np.abs(apart - apart @ back).sum(axis=1)
    np.testing.assert_allclose(scores["feature_error"], scores["reconstruction_error"], rtol=1e-4)
    np.testing.assert_allclose(scores["reconstruction_error"][3:], expected, rtol=0.02)
    np.testing.assert_allclose(scores["reconstruction_error"][:3], 0, atol=0.1)


@pytest.mark.slow
def test_a_plain_gan_is_audited_with_a_search_in_place_of_its_encoder(tmp_path, capsys):
    words = ["gan_fashion_mnist", "--against=fashion_mnist_10k", "--invert=20", f"--out={tmp_path}"]
    audit.main(["audit", *words, "--examples=100", "--samples=200"])
    (found,) = json.loads((tmp_path / "audit.json").read_text())["models"].values()
    assert found["n_test"] == 100 and found["x_cycle_ratio"] < 0.7 and found["class_kept"] > 0.3
    printed = capsys.readouterr().out
    assert "fashion_mnist_10k; E is a search of 20 steps\n" in printed and "x-cycle" in printed
