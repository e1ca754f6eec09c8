"""What a Keras user types first does what Keras' own models make one expect."""

import importlib
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from games import ARGUMENTS
from games import SHAPES
from games import examples
from games import make
from games import state
from keras import layers
from keras import ops

import zoo
from trainers.runs import flags
from zoo import datasets

ROOT = pathlib.Path(__file__).parent.parent

# On TensorFlow a graph takes longer to trace than these tests' steps take; on JAX not.
EAGER = keras.backend.backend() == "tensorflow"


def door(method="bigan", **arguments):
    network = arguments.get("network", "dcgan" if method == "bigbigan" else "mlp")
    arguments = {"network": network, "latent_dim": 3, "width": 4} | arguments
    arguments |= ARGUMENTS.get((method, network), {})
    return zoo.method(method)(SHAPES[network], **arguments)


def pixels(n=4):
    return np.random.default_rng(0).integers(0, 256, (n, *SHAPES["mlp"]), dtype="uint8")


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.Adam(3e-4, beta_1=0.25)])
def test_one_optimizer_becomes_one_for_each_player(optimizer):
    game = door()
    game.compile(optimizer, run_eagerly=EAGER)
    own = game.optimizer.by_player
    assert set(own) == set(game.players)
    assert len({id(o) for o in own.values()} | {id(optimizer)}) == len(own) + 1
    for one in own.values():
        if isinstance(optimizer, str):
            assert isinstance(one, keras.optimizers.Adam)
        else:
            expected = optimizer.get_config() | {"name": one.name}
            assert one.get_config() == pytest.approx(expected)
    assert np.isfinite(game.fit(examples("mlp"), verbose=0).history["loss"][0])


@pytest.mark.parametrize("name", ["loss", "metrics", "loss_weights", "weighted_metrics"])
def test_losses_and_metrics_of_keras_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be left out: the losses of a game are"):
        door().compile("adam", **{name: ["mse"]})


def test_networks_in_float16_are_not_trained():
    game = door()
    game.encoder.layers[-1].dtype_policy = "mixed_float16"
    with pytest.raises(ValueError, match="BiGAN must not compute in float16, .* mixed_bfloat16"):
        game.compile("adam")


class Unordered(keras.utils.PyDataset):
    """One batch of images."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return (self.x,)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of Keras, emitted again here
def test_pixels_of_0_to_1_give_a_warning():
    game, x = door(), (examples("mlp") + 1) / 2
    game.compile(run_eagerly=EAGER)
    for call, given in ((game.fit, x), (game.evaluate, x), (game.fit, Unordered(x))):
        with pytest.warns(UserWarning, match=r"no pixel of x is negative: .* by 2 \* x - 1"):
            call(given, verbose=0)
    with pytest.raises(ValueError, match=r"zoo\.datasets\.scale"):
        game.fit(Unordered(255 * x), verbose=0)


@pytest.mark.parametrize("given", [lambda x: (x,), lambda x: (x, x), lambda x: Unordered(x)])
def test_validation_data_are_checked_before_training(given):
    game, before = door(), None
    game.compile(run_eagerly=EAGER)
    before = game.encoder.get_weights()[0]
    with pytest.raises(ValueError, match=r"zoo\.datasets\.scale"):
        game.fit(examples("mlp"), validation_data=given(pixels()), verbose=0)
    np.testing.assert_array_equal(game.encoder.get_weights()[0], before)


def test_streams_of_dicts_or_with_weights_are_refused():
    tf = pytest.importorskip("tensorflow")
    game, x, y = door(), examples("mlp"), np.zeros(16)
    game.compile(run_eagerly=EAGER)
    named = tf.data.Dataset.from_tensor_slices({"image": x, "label": y}).batch(8)
    with pytest.raises(ValueError, match=r"got a dict of image, label: map it to \(x\)"):
        game.fit(named, verbose=0, shuffle=False)
    weighed = tf.data.Dataset.from_tensor_slices((x, y, y)).batch(8)
    with pytest.raises(ValueError, match="must have at most 2 parts; got 3: losses of games take"):
        game.fit(weighed, verbose=0, shuffle=False)


def test_a_list_of_images_and_weights_of_examples_are_refused():
    game, x = door(), examples("mlp")
    game.compile(run_eagerly=EAGER)
    for call in (game.fit, game.evaluate, game.predict):
        with pytest.raises(ValueError, match=r"must be one array; got a list of 16: give np.stack"):
            call(list(x))
    for call in (game.fit, game.evaluate):
        with pytest.raises(ValueError, match="sample_weight must be left out"):
            call(x, sample_weight=np.ones(16))


def test_labels_of_a_game_without_classes_may_be_any_numbers():
    class Scored(zoo.GAN):
        """A game whose y is a score."""

        inputs = ("x", "y", "z")

        def play(self, x, y, z):
            return super().play(x, z)

    game = Scored(SHAPES["mlp"], network="mlp", latent_dim=3, width=4)
    game.compile(run_eagerly=EAGER)
    scores = np.linspace(-1, 1, 16, dtype="float32")
    assert np.isfinite(game.fit(examples("mlp"), scores, verbose=0).history["loss"][0])


def test_a_loss_for_each_example_is_refused():
    class Unreduced(zoo.GAN):
        """A game."""

        def play(self, x, z):
            losses = super().play(x, z)
            return losses | {"generator": losses["generator"] * ops.ones(len(x))}

    game = Unreduced(SHAPES["mlp"], network="mlp", latent_dim=3, width=4)
    game.compile(run_eagerly=EAGER)
    with pytest.raises(ValueError, match=r"the loss of generator must be a scalar; got \(16,\)"):
        game.fit(examples("mlp"), verbose=0)


def test_rates_and_averages_are_those_of_the_players():
    game = door("gan")
    game.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), run_eagerly=EAGER)
    with pytest.raises(AttributeError, match="set game.optimizer.by_player.*discriminator, gener"):
        game.optimizer.learning_rate = 1e-3
    game.fit(examples("mlp"), batch_size=8, verbose=0)
    for player, optimizer in game.optimizer.by_player.items():
        averages = optimizer._model_variables_moving_average
        for weight, average in zip(game.variables_of(player), averages, strict=True):
            np.testing.assert_array_equal(weight.numpy(), average.numpy())
    with pytest.raises(ValueError, match="losses of games are not scaled"):
        game.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)))


class Weighted(zoo.GAN):
    """A game whose further arguments have another name."""

    def __init__(self, image_shape, weight: float = 1.0, **others):
        self.weight = weight
        super().__init__(image_shape, **others)


def test_own_classes_are_saved_as_games_and_not_as_presets(tmp_path):
    game = Weighted(SHAPES["mlp"], weight=0.5, network="mlp", latent_dim=3, width=4)
    game.save(tmp_path / "game.keras")
    assert zoo.load(tmp_path / "game.keras").weight == 0.5
    with pytest.raises(ValueError, match="a preset is of a method of the package; got .*Weighted"):
        game.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


def test_a_frozen_network_stays_frozen_when_it_is_loaded(tmp_path):
    game, x = door(), examples("mlp")
    game.encoder.trainable = False
    first = next(layer for layer in game.generator.layers if layer.weights)
    first.trainable = False
    game.compile("sgd", run_eagerly=EAGER)
    game.fit(x, verbose=0)
    game.save(tmp_path / "game.keras")
    loaded = zoo.load(tmp_path / "game.keras")
    places = [place for place, one in enumerate(loaded.generator.layers) if not one.trainable]
    assert places == [game.generator.layers.index(first)]
    before = loaded.encoder.get_weights()
    loaded.fit(x, verbose=0)
    for one, other in zip(before, loaded.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_of_no_player_stays_fixed_whatever_the_flag_of_the_game():
    game, x = door("naive_encoder"), examples("mlp")
    before = game.generator.get_weights()
    game.trainable = False
    game.trainable = True
    game.compile("sgd", run_eagerly=EAGER)
    game.fit(x, verbose=0)
    for one, other in zip(before, game.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", zoo.METHODS)
def test_without_an_optimizer_the_recipe_s_is_taken(method):
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    game = door(method)
    game.compile()
    # Rates of the method; a recipe may give others for one of its networks.
    words = ["train", "--network=mlp", "--learning_rate="]
    words += ["--dataset_b=mnist"] * ("b" in game.inputs)
    wanted = recipe.optimizers(flags.parse(recipe, words), 100)
    assert set(game.optimizer.by_player) == set(wanted)
    for player, optimizer in game.optimizer.by_player.items():
        assert type(optimizer) is type(wanted[player])
        one, other = optimizer.get_config(), wanted[player].get_config()
        assert {k: v for k, v in one.items() if k != "learning_rate"} == pytest.approx(
            {k: v for k, v in other.items() if k != "learning_rate"}
        )
        rates = [float(o.learning_rate) for o in (optimizer, wanted[player])]
        assert rates[0] == pytest.approx(rates[1])


def test_fit_takes_labels_and_validation_data_and_evaluate_gives_the_same_losses():
    game = door()
    game.compile("adam")
    x, y = examples("mlp"), np.arange(16)
    logs = game.fit(x, y, validation_data=(x, y), epochs=2, batch_size=8, verbose=0).history
    names = {*game.players, "loss"}
    assert set(logs) == names | {f"val_{name}" for name in names}
    found = game.evaluate(x, batch_size=8, verbose=0, return_dict=True)
    assert found == pytest.approx({n: logs[f"val_{n}"][-1] for n in names}, rel=1e-5)
    assert game.evaluate(x, batch_size=8, verbose=0) == pytest.approx(
        [found[name] for name in game.metrics_names]
    )


def test_evaluate_plays_in_inference_mode_and_changes_nothing():
    game = door()
    game.compile("adam", run_eagerly=EAGER)
    x = examples("mlp")
    game.fit(x, verbose=0)
    before = state(game)
    found = game.evaluate(x, verbose=0, return_dict=True)
    for old, new in zip(before, state(game), strict=True):
        np.testing.assert_array_equal(old, new)
    # A new game of the same seed draws the noise that `evaluate` draws.
    losses = game((x, door().noise(len(x))), training=False)
    for player, loss in losses.items():
        assert found[player] == pytest.approx(float(loss), rel=1e-5)


def test_validation_does_not_change_what_is_learned():
    plain, watched = door(), door()
    x = examples("mlp")
    for game, more in ((plain, {}), (watched, {"validation_data": x})):
        game.compile("adam", run_eagerly=EAGER)
        game.fit(x, epochs=2, batch_size=8, shuffle=False, verbose=0, **more)
    for one, other in zip(state(plain), state(watched), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_streams_with_and_without_labels_are_fitted_and_evaluated():
    tf = pytest.importorskip("tensorflow")
    game = door()
    game.compile("adam")
    x = examples("mlp")
    for arrays in (x, (x, np.arange(16))):
        stream = tf.data.Dataset.from_tensor_slices(arrays).batch(8)
        game.fit(stream, validation_data=stream, shuffle=False, verbose=0)
        assert np.all(np.isfinite(game.evaluate(stream, verbose=0)))
        assert game.predict(stream, verbose=0).shape == x.shape


def test_predict_calling_and_reconstruct_are_one():
    game, x = door(), examples("mlp")
    expected = keras.ops.convert_to_numpy(game.reconstruct(x))
    np.testing.assert_allclose(game.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(game(x)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.tensorflow("reads a SavedModel")
def test_an_export_of_keras_reconstructs(tmp_path):
    import tensorflow as tf

    game, x = door(), examples("mlp")
    game.export(tmp_path / "saved", verbose=False)
    saved = tf.saved_model.load(tmp_path / "saved")
    served = saved.serve(x)
    np.testing.assert_allclose(served, game.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


def test_a_method_without_encoder_says_what_makes_images(tmp_path):
    game = make("gan")
    for call in (lambda: game.predict(examples()), lambda: game.export(tmp_path / "saved")):
        with pytest.raises(ValueError, match=r"GAN has no encoder.*game\.decode"):
            call()
    assert np.all(np.isfinite(game.evaluate(examples(), verbose=0)))


def as_it_is(call):
    return {"verbose": 0} if call in ("fit", "evaluate", "predict") else {}


@pytest.mark.parametrize("call", ["fit", "evaluate", "encode", "predict", "features"])
@pytest.mark.parametrize("kind", ["uint8", "int64", "float32", "far"])
def test_pixels_of_another_scale_are_refused_with_the_remedy(call, kind):
    game = door()
    game.compile("adam", run_eagerly=EAGER)
    x = examples("mlp", n=4) * 5 if kind == "far" else pixels().astype(kind)
    with pytest.raises(ValueError, match=r"zoo\.datasets\.scale"):
        getattr(game, call)(x, **as_it_is(call))
    getattr(game, call)(datasets.scale(pixels()), **as_it_is(call))


@pytest.mark.parametrize(
    "method, call",
    [
        ("ali", lambda game, x: game.posterior(x)),
        ("acgan", lambda game, x: game.invert(x)),
        ("acgan", lambda game, x: game.translate(x, 0)),
        ("cyclegan", lambda game, x: game.translate(x, 1)),
        ("unit", lambda game, x: game.encode(x, 1)),
        ("unit", lambda game, x: game.translate(x, 0)),
    ],
)
def test_methods_of_one_game_refuse_pixels_of_another_scale(method, call):
    game = door(method)
    with pytest.raises(ValueError, match=r"zoo\.datasets\.scale"):
        call(game, pixels())
    call(game, datasets.scale(pixels()))


@pytest.mark.parametrize("y", [12, -1, 0.5, [0, 9], np.array([0, 9])])
def test_a_class_that_does_not_exist_is_not_drawn(y):
    game = door("acgan")
    codes = game.prior_codes(2, 0)
    with pytest.raises(ValueError, match="labels y of ACGAN must be whole numbers from 0 to"):
        game.decode(codes, y)
    last = game.decode(codes, game.classes - 1)
    np.testing.assert_array_equal(last, game.decode(codes, [game.classes - 1] * 2))


@pytest.mark.parametrize("call", ["fit", "evaluate", "encode"])
def test_images_without_their_channel_are_refused_with_the_remedy(call):
    game = door("aae")
    game.compile("adam")
    x, silent = examples("mlp")[..., 0], as_it_is(call)
    with pytest.raises(ValueError, match=r"must be of shape \(8, 8, 1\); got \(8, 8\).*\.\.\., N"):
        getattr(game, call)(x, **silent)
    with pytest.raises(ValueError, match=r"must be of shape \(8, 8, 1\); got \(4, 8, 1\)$"):
        getattr(game, call)(examples("mlp")[:, :4], **silent)
    if call == "encode":
        with pytest.raises(ValueError, match=r"give x\[None\] for a single one"):
            game.encode(examples("mlp")[0])


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_a_stream_of_pixels_of_another_scale_is_refused(kind):
    tf = pytest.importorskip("tensorflow")
    game = door()
    game.compile("adam", run_eagerly=EAGER)
    stream = tf.data.Dataset.from_tensor_slices(pixels().astype(kind)).batch(2)
    for call in (game.fit, game.evaluate):
        with pytest.raises(ValueError, match=r"zoo\.datasets\.scale"):
            call(stream, verbose=0)


def test_points_may_lie_anywhere():
    game = door(network="mixture")
    game.compile("adam", run_eagerly=EAGER)
    losses = game.fit(100 * examples("mixture"), verbose=0).history
    assert np.isfinite([losses[player][0] for player in game.players]).all()


def test_presets_are_read_and_written_through_the_class(tmp_path):
    game = door()
    game.save_to_preset(str(tmp_path / "mine"), precision="float32")
    again = zoo.BiGAN.from_preset(str(tmp_path / "mine"))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(game.encode(examples("mlp"))),
        keras.ops.convert_to_numpy(again.encode(examples("mlp"))),
    )
    assert isinstance(zoo.Game.from_preset("bigan_fashion_mnist"), zoo.BiGAN)
    with pytest.raises(ValueError, match="of class BiGAN, not VAE; zoo.BiGAN.from_preset"):
        zoo.VAE.from_preset(str(tmp_path / "mine"))


def test_names_are_listed_before_anything_heavy_is_imported():
    code = (
        "import sys, zoo; names = dir(zoo)\n"
        "assert set(zoo.__all__) <= set(names) and 'tensorflow' not in sys.modules\n"
        "assert 'keras' not in sys.modules and zoo.datasets.scale\n"
        "assert 'keras' not in sys.modules and all(hasattr(zoo, n) for n in zoo.__all__)\n"
        "assert issubclass(zoo.BiGAN, zoo.Game)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    classes = {*zoo.METHODS.values(), *zoo.CONSTRUCTIONS.values(), "Game"}
    assert classes <= set(zoo.__all__)


class LeastSquares(zoo.BiGAN):
    """Another objective (Mao et al. 2017, arXiv:1611.04076): what a user writes is `play`."""

    def play(self, x, z):
        encoded = self.discriminator([x, self.encoder(x)])
        generated = self.discriminator([self.generator(z), z])
        far = [ops.mean(ops.square(logit - 1)) for logit in (encoded, generated)]
        near = [ops.mean(ops.square(logit)) for logit in (encoded, generated)]
        return {"discriminator": far[0] + near[1], "encoder_generator": near[0] + far[1]}


class Denoiser(zoo.Game):
    """A method with networks of its own alone: none of a set is drawn."""

    inputs = ("x",)
    players = {"both": ("encoder", "generator")}
    schedule = (("both",),)

    def build_networks(self, draw):
        x, z = keras.Input(self.image_shape), keras.Input((self.latent_dim,))
        code = layers.Dense(self.latent_dim)(layers.GlobalAveragePooling2D()(x))
        self.encoder = keras.Model(x, code)
        image = layers.Dense(3, "tanh")(layers.Reshape((1, 1, -1))(z))
        self.generator = keras.Model(z, layers.UpSampling2D(self.image_shape[:2])(image))

    def play(self, x):
        noisy = x + keras.random.normal(ops.shape(x), seed=self.seed_generator)
        return {"both": ops.mean(ops.square(x - self.generator(self.encoder(noisy))))}


def _summary(game, x):
    lines = []
    game.summary(print_fn=lambda line, **_: lines.append(line))
    for name, network in game.named_networks().items():
        assert name in lines[0] and f"{network.count_params():,}" in lines[0]


def _labels(game, x):
    game.fit(x, np.arange(len(x)), shuffle=False, verbose=0)
    alone = door()
    alone.compile("adam", run_eagerly=EAGER)
    alone.fit(x, shuffle=False, verbose=0)
    for one, other in zip(state(game), state(alone), strict=True):
        np.testing.assert_array_equal(one, other)


def _of_players(game, x):
    each = {"discriminator": "sgd", "encoder_generator": keras.optimizers.SGD(0.5)}
    game.compile(each, run_eagerly=EAGER)
    game.fit(x, verbose=0)
    own = game.optimizer.by_player
    assert all(type(o) is keras.optimizers.SGD for o in own.values())
    assert float(own["encoder_generator"].learning_rate) == 0.5


def _least_squares(game, x):
    x = ops.convert_to_tensor(x)
    game = LeastSquares(SHAPES["mlp"], network="mlp", latent_dim=3, width=4)
    game.compile("adam", run_eagerly=EAGER)
    found = game.evaluate(x, verbose=0, return_dict=True)
    z = keras.random.normal((len(x), 3), seed=keras.random.SeedGenerator(game.seed))
    pairs = game.discriminator([x, game.encode(x)]), game.discriminator([game.decode(z), z])
    real, fake = (keras.ops.convert_to_numpy(logit) for logit in pairs)
    expected = np.mean((real - 1) ** 2) + np.mean(fake**2)
    assert found["discriminator"] == pytest.approx(expected, rel=1e-4)
    assert np.isfinite(game.fit(x, verbose=0).history["loss"][0])


def _own_networks_of_any_shape(game, x):
    game = Denoiser((48, 64, 3), latent_dim=4)
    game.compile(run_eagerly=EAGER)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 48, 64, 3)).astype("float32")
    assert np.isfinite(game.fit(x, verbose=0).history["both"][0])
    assert game.predict(x, verbose=0).shape == x.shape


# Row → what a user types there; the other rows have tests above.
ROWS = {
    "summary()": _summary,
    "fit(x, y), labels are ignored": _labels,
    "compile({player: optimizer})": _of_players,
    "a subclass with a play of its own": _least_squares,
    "a subclass with networks of its own": _own_networks_of_any_shape,
}


@pytest.mark.parametrize("row", ROWS)
def test_what_else_a_keras_user_types(row):
    game = door()
    game.compile("adam", run_eagerly=EAGER)
    ROWS[row](game, examples("mlp"))


@pytest.mark.tensorflow("TensorBoard writes with TensorFlow")
def test_the_callbacks_of_keras_work_and_zoo_load_reads_their_checkpoint(tmp_path):
    game, x, callbacks = door(), examples("mlp"), keras.callbacks
    game.compile("adam", run_eagerly=EAGER)
    game.fit(
        x,
        validation_data=x,
        epochs=2,
        verbose=0,
        callbacks=[
            callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_loss"),
            callbacks.CSVLogger(tmp_path / "log.csv"),
            callbacks.TensorBoard(tmp_path / "board"),
            callbacks.TerminateOnNaN(),
            callbacks.EarlyStopping("val_loss", patience=5),
        ],
    )
    assert (tmp_path / "log.csv").read_text().count("\n") == 3
    assert any((tmp_path / "board").rglob("events*"))
    for one, other in zip(state(game), state(zoo.load(tmp_path / "best.keras")), strict=True):
        np.testing.assert_array_equal(one, other)
    for variable in game.encoder.trainable_variables:
        variable.assign(variable * np.nan)
    epochs = game.fit(x, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()]).epoch
    assert len(epochs) == 1
