"""Networks of the caller's own: checked before training, saved and loaded with the game."""

import keras
import numpy as np
import pytest
from games import examples
from games import same_state
from games import state
from games import step
from keras import layers

import zoo
from zoo import scores

SHAPE, CODE = (8, 8, 1), 3


@keras.saving.register_keras_serializable("test_own_networks")
class Scaled(layers.Layer):
    """Multiplies by one learned number."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        return x * self.scale


@keras.saving.register_keras_serializable("test_own_networks")
class Counted(layers.Layer):
    """Counts its calls in training."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.calls.assign_add(1)
        return x


class Unregistered(Scaled):
    """The same, unknown to Keras."""


def encoder(shape=SHAPE, code=CODE, end=None, outputs=1, last=(), **dtype):
    x = keras.Input(shape)
    hidden = Scaled()(layers.Dense(5, "relu")(layers.Flatten()(x)))
    made = [layers.Dense(code, end, **dtype)(hidden) for _ in range(outputs)]
    for layer in last:
        made = [layer(part) for part in made]
    return keras.Model(x, made if outputs > 1 else made[0])


def generator(shape=SHAPE, code=CODE, end="tanh"):
    size = int(np.prod(shape))
    return keras.Sequential([keras.Input((code,)), layers.Dense(size, end), layers.Reshape(shape)])


def judge(*shapes, end=None, features=False):
    inputs = [keras.Input(shape) for shape in shapes]
    flat = [layers.Flatten()(part) for part in inputs]
    hidden = layers.Dense(6, "relu")(layers.Concatenate()(flat) if flat[1:] else flat[0])
    logit = layers.Dense(1, end)(hidden)
    inputs = inputs if flat[1:] else inputs[0]
    return keras.Model(inputs, [logit, hidden] if features else logit)


def make(method="bigan", shape=SHAPE, **own):
    game = zoo.method(method)(shape, latent_dim=CODE, width=4, **own)
    game.compile({p: keras.optimizers.SGD(0.01, momentum=0.9) for p in game.players})
    return game


def all_own(shape=SHAPE):
    return {
        "encoder": encoder(shape),
        "generator": generator(shape),
        "discriminator": judge(shape, (CODE,)),
    }


def test_own_networks_play_and_the_others_start_as_ever():
    given, plain = encoder(), zoo.BiGAN(SHAPE, latent_dim=CODE, width=4)
    before = given.get_weights()
    game = make(encoder=given, ema=0.9)
    assert game.encoder is given and list(game.named_networks()) == list(plain.named_networks())
    np.testing.assert_array_equal(before[0], given.get_weights()[0])
    for name in ("generator", "discriminator"):
        for a, b in zip(*(getattr(g, name).get_weights() for g in (game, plain)), strict=True):
            np.testing.assert_array_equal(a, b)
    drawn = {id(v) for net in game.named_networks().values() for v in net.weights}
    drawn |= {id(v) for net in game.averages.values() for v in net.weights}
    assert {id(v) for v in game.weights} == drawn, "no weights but those of the networks"
    assert np.isfinite(step(game, examples())["loss"])
    # Kernels: the step of the one number of `Scaled`, which is 1, may be below its rounding.
    moved = [
        np.any(a != b) for a, b in zip(before, given.get_weights(), strict=True) if a.ndim == 2
    ]
    assert moved == [True, True]
    assert game.features(examples()).shape == (16, 5)


def test_with_networks_all_own_examples_have_any_shape():
    game = make(shape=(6, 10, 2), **all_own((6, 10, 2)))
    x = np.random.default_rng(0).uniform(-1, 1, (4, 6, 10, 2)).astype("float32")
    assert np.isfinite(step(game, x)["loss"])
    assert set(scores.anomaly(game, x)) == {
        "anomaly_score",
        "reconstruction_error",
        "feature_error",
    }
    with pytest.raises(ValueError, match="takes square images"):
        make(shape=(6, 10, 2), encoder=encoder((6, 10, 2)))


def test_a_game_of_own_networks_is_saved_loaded_and_goes_on(tmp_path):
    kept = make(ema=0.9, **all_own())
    step(kept, examples())
    kept.save(tmp_path / "game.keras")
    loaded = zoo.load(tmp_path / "game.keras")
    assert loaded.own == kept.own and type(loaded.encoder.layers[-2]) is Scaled
    assert step(kept, examples(seed=1)) == step(loaded, examples(seed=1))
    for a, b in zip(state(kept), state(loaded), strict=True):
        np.testing.assert_array_equal(a, b)


def test_copies_of_a_game_from_its_configuration_are_equal():
    given = make(**all_own())
    copies = [zoo.BiGAN.from_config(given.get_config()) for _ in range(2)]
    for a, b in zip(*(copy.get_weights() for copy in copies), strict=True):
        np.testing.assert_array_equal(a, b)


class Chained(zoo.BiGAN):
    """A method that builds one of its networks as a Sequential."""

    def build_networks(self, draw):
        super().build_networks(draw)
        self.augment = keras.Sequential([layers.RandomFlip("horizontal")])  # of no player
        first = [keras.Input(SHAPE)] if self.width == 4 else []
        hidden = layers.Dense(5, "relu", name="features")
        self.encoder = keras.Sequential([*first, layers.Flatten(), hidden, layers.Dense(CODE)])


def test_a_method_may_build_a_sequential_network(tmp_path):
    game = Chained(SHAPE, latent_dim=CODE, network="mlp", width=4)
    game.save(tmp_path / "game.keras")
    for one in (game, zoo.load(tmp_path / "game.keras")):
        assert one.features(examples()).shape == (16, 5)
    with pytest.raises(ValueError, match="encoder of Chained must be a keras.Model whose shapes"):
        Chained(SHAPE, latent_dim=CODE, network="mlp", width=5)


def test_dropout_goes_on_with_the_same_noise(tmp_path):
    inputs = keras.Input(SHAPE)
    hidden = keras.layers.Dropout(0.5, seed=1)(keras.layers.Flatten()(inputs))
    kept = make(ema=0.9, encoder=keras.Model(inputs, keras.layers.Dense(CODE)(hidden)))
    step(kept, examples())
    kept.save(tmp_path / "game.keras")
    loaded = zoo.load(tmp_path / "game.keras")
    for game in (kept, loaded):
        step(game, examples(seed=1))
    assert same_state(kept, loaded)


def test_a_preset_of_own_networks_encodes_as_the_game_did(tmp_path):
    game = make(**all_own())
    step(game, examples())
    game.save_to_preset(str(tmp_path), precision="float32")
    again = zoo.BiGAN.from_preset(str(tmp_path))
    codes = [keras.ops.convert_to_numpy(g.encode(examples())) for g in (game, again)]
    np.testing.assert_array_equal(*codes)


def test_averages_and_presets_keep_what_an_adapted_layer_computed_and_counts(tmp_path):
    x = examples()
    adapted, counted = layers.Normalization(), Counted()
    adapted.adapt(5 + 3 * x)
    own = keras.Sequential([keras.Input(SHAPE), adapted, counted, encoder()])
    game = make(ema=0.9, encoder=own)
    game.save_to_preset(str(tmp_path), precision="float32")
    again = zoo.BiGAN.from_preset(str(tmp_path))
    for encode in (game.encode, again.encode):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (encode(x), own(x))))
    step(game, x)
    for kept, value in zip(game.averages["encoder"].weights[:4], game.encoder.weights[:4]):
        np.testing.assert_array_equal(kept, value)
    assert int(counted.calls) > 0


def test_frozen_layers_stay_frozen_and_are_loaded_so(tmp_path):
    given = encoder()
    given.layers[2].trainable = False
    game = make(encoder=given)
    before = given.layers[2].get_weights()
    step(game, examples())
    np.testing.assert_array_equal(before[0], given.layers[2].get_weights()[0])
    game.save(tmp_path / "game.keras")
    kept = zoo.load(tmp_path / "game.keras").encoder.layers
    assert [layer.trainable for layer in kept] == [layer.trainable for layer in given.layers]


def test_what_each_method_asks_of_a_network_is_compared_with_what_is_given():
    stochastic, pair = encoder(outputs=2), judge(SHAPE, (CODE,))
    fitting = {
        "gan": {"discriminator": judge(SHAPE)},
        "ali": {"encoder": stochastic, "discriminator": pair},
        "aae": {"encoder": encoder(), "code_discriminator": judge((CODE,))},
        "vae": {"encoder": stochastic, "generator": generator(end=None)},
        "vae_gan": {"discriminator": judge(SHAPE, features=True)},
        "alpha_gan": {"discriminator": judge(SHAPE), "code_discriminator": judge((CODE,))},
        "latent_regressor": {"generator": generator()},
    }
    for method, own in fitting.items():
        game = make(method, **own)
        for name, network in own.items():
            assert [id(v) for v in getattr(game, name).weights] == [id(v) for v in network.weights]


@pytest.mark.parametrize(
    ("method", "own", "message"),
    [
        ("bigan", {"encoder": (encoder, {"code": 4})}, r"\(3,\) \(latent_dim is 3\); got .*\(4,\)"),
        ("bigan", {"encoder": (encoder, {"outputs": 2})}, r"float32 \(3,\) .*; got .* \[float32"),
        ("ali", {"encoder": (encoder, {})}, r"\[float32 \(3,\), float32 \(3,\)\] .* got .*→ float"),
        ("bigan", {"generator": (generator, {"shape": (8, 8, 3)})}, r"got \(3,\) → .*\(8, 8, 3\)"),
        ("bigan", {"discriminator": (judge, SHAPE)}, r"\(8, 8, 1\), \(3,\) → .* got \(8, 8, 1\) →"),
        ("vae_gan", {"discriminator": (judge, SHAPE)}, r"float32 \(1,\), features of any shape\]"),
        ("gan", {"discriminator": (judge, SHAPE, {"end": "sigmoid"})}, "ends with sigmoid"),
        ("gan", {"generator": (generator, {"end": "sigmoid"})}, "negative.*ends with sigmoid"),
        ("gan", {"discriminator": (judge, SHAPE, {"end": "tanh"})}, "outside.*ends with tanh"),
        ("vae", {"generator": (generator, {"end": "tanh"})}, "outside.*ends with tanh"),
        ("bigan", {"prior": "uniform", "encoder": (encoder, {})}, "end it with tanh; .* linear"),
        ("bigan", {"encoder": (encoder, {"dtype": "bfloat16"})}, r"got .*bfloat16 \(3,\)"),
        ("bigan", {"encoder": (keras.Sequential, [layers.Dense(3)])}, "whose shapes are known"),
        ("bigan", {"encoder": (Unregistered,)}, "must be a keras.Model"),
        (
            "bigan",
            {"encoder": (encoder, {"last": (Unregistered(),)})},
            "encoder of BiGAN has Unregistered, .* @keras.saving.register_keras_serializable",
        ),
        (
            "bigan",
            {"encoder": (encoder, {"last": (layers.Lambda(lambda x: x),)})},
            "Lambda layer, whose code Keras does not load",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused_in_words(method, own, message):
    def build(part):
        if not isinstance(part, tuple):
            return part
        function, *arguments = part
        options = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        return function(*arguments, **options)

    with pytest.raises(ValueError, match=message):
        make(method, **{name: build(part) for name, part in own.items()})


def test_an_encoder_in_the_range_of_its_prior_is_taken():
    assert make(prior="uniform", encoder=encoder(end="tanh")).prior == "uniform"


def test_a_name_of_no_network_is_refused_as_python_does():
    with pytest.raises(TypeError, match="GAN has no argument 'encoder'; .* generator"):
        make("gan", encoder=encoder())
