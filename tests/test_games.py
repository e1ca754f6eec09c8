"""The contract that every method keeps, on every set of networks."""

import keras
import numpy as np
import pytest
from games import ALL_KINDS
from games import SHAPES
from games import TRACED_KINDS
from games import TRANSLATORS
from games import batch
from games import examples
from games import make
from games import method_of
from games import state
from games import step
from games import weights

import zoo
from zoo import losses
from zoo.game import Game

every_kind = pytest.mark.parametrize(("method", "network"), ALL_KINDS)
every_traced_kind = pytest.mark.parametrize(("method", "network"), TRACED_KINDS)

# Steps small enough that one does not magnify the rounding of the one before.
SMALL_RATE = 0.002

# The game whose steps are graphs in the tests that are not about graphs: tracing takes longer than
# stepping. `test_xla_gives_the_same_step` compares the graph of every game with an eager step.
TRACED = ("bigan", "dcgan")


numbers = keras.ops.convert_to_numpy


def largest_difference(one, other):
    return max(np.max(np.abs(a - b)) for a, b in zip(one, other, strict=True) if a.size)


@every_kind
def test_each_player_moves_its_own_networks_and_no_others(method, network):
    for player, owned in method_of(method).players.items():
        game = make(method, network, rate={player: 0.05}, eager=True)
        before = weights(game)
        step(game, batch(game))
        after = weights(game)
        moved = {name for name in after if np.any(after[name] != before[name])}
        assert moved == set(owned)


@every_kind
def test_batch_norm_statistics_of_players_move(method, network):
    game = make(method, network, rate=0.0, eager=True)
    layers = [
        layer
        for nets in game.players.values()
        for net in nets
        for layer in getattr(game, net).layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    before = [layer.moving_mean.numpy() for layer in layers]
    step(game, batch(game))
    assert layers or network == "tanh" or method in ("three_scores", *TRANSLATORS)
    for old, layer in zip(before, layers, strict=True):
        assert np.any(layer.moving_mean.numpy() != old), layer.path


@every_traced_kind
def test_a_saved_game_takes_the_same_next_step(method, network, tmp_path):
    options = {"rate": 1e-3, "ema": 0.9, "eager": (method, network) != TRACED}
    kept = make(method, network, optimizer=keras.optimizers.Adam, **options)
    step(kept, batch(kept), steps=3)
    kept.save(tmp_path / "game.keras")
    loaded = zoo.load(tmp_path / "game.keras")
    assert largest_difference(state(kept), state(loaded)) == 0
    parts = batch(kept, seed=1)
    assert step(kept, parts) == step(loaded, parts)
    assert largest_difference(state(kept), state(loaded)) == 0


@every_kind
def test_configuration_rebuilds_the_same_initial_weights(method, network):
    game = make(method, network, seed=7)
    again = type(game).from_config(game.get_config())
    assert again.get_config() == game.get_config()
    assert largest_difference(game.get_weights(), again.get_weights()) == 0
    other = make(method, network, seed=8)
    assert largest_difference(game.get_weights(), other.get_weights()) > 0


@every_traced_kind
def test_two_replicas_give_the_update_of_one(method, network, two_devices):
    options = {"rate": SMALL_RATE, "ema": 0.5, "eager": (method, network) != TRACED}
    options |= {"l2": 0.5} if method == "bigan" else {}
    one = make(method, network, **options)
    with two_devices.scope():
        two = make(method, network, **options)
    x, start = batch(one), weights(one)
    logs_one = step(one, x, steps=2)
    with two_devices.scope():
        logs_two = step(two, x, steps=2)
    for name, vector in weights(one).items():
        moved = np.linalg.norm(vector - start[name])
        assert moved > 0
        assert np.linalg.norm(weights(two)[name] - vector) < 0.01 * moved, name
    for a, b in zip(one.non_trainable_variables, two.non_trainable_variables, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-4, atol=1e-5, err_msg=a.path)
    assert logs_two == pytest.approx(logs_one, rel=1e-4)


@pytest.mark.tensorflow("on JAX there is one draw for all devices, and no replica to ask")
def test_replicas_draw_slices_of_the_noise_of_one(two_devices):
    one = make("bigan")
    with two_devices.scope():
        two = make("bigan")
    drawn = two_devices.run(lambda: two.noise(4))
    slices = np.concatenate(
        [part.numpy() for part in two_devices.experimental_local_results(drawn)]
    )
    np.testing.assert_array_equal(slices, one.noise(8).numpy())
    assert len(np.unique(slices)) == slices.size


@pytest.mark.tensorflow("JAX compiles every step with XLA; there is no other to compare with")
@every_traced_kind
def test_xla_gives_the_same_step(method, network, monkeypatch):
    # XLA has another generator of random numbers: what is compared is all the rest.
    def drawn(shape, *limits, seed):
        return keras.ops.convert_to_tensor(
            np.random.default_rng(0).uniform(-1, 1, shape), "float32"
        )

    monkeypatch.setattr(keras.random, "normal", drawn)
    monkeypatch.setattr(keras.random, "uniform", drawn)
    plain = make(method, network, rate=SMALL_RATE, eager=True)
    compiled = make(method, network, rate=SMALL_RATE, jit=True)
    start = weights(plain)
    logs = step(plain, batch(plain)), step(compiled, batch(plain))
    assert logs[0] == pytest.approx(logs[1], rel=1e-4)
    for name, vector in weights(plain).items():
        moved = np.linalg.norm(vector - start[name])
        assert np.linalg.norm(weights(compiled)[name] - vector) < 0.01 * moved


@every_kind
def test_half_precision_keeps_losses_and_outputs_in_float32(method, network):
    game = make(method, network, rate=0.0, eager=True)
    full = step(game, batch(game))
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        game = make(method, network, rate=0.0, eager=True)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    # What is 0 but for the initial weights is rounded to a share of them.
    assert step(game, batch(game)) == pytest.approx(full, rel=0.1, abs=0.01)
    outputs = [game.decode(game.prior_codes(2, seed=0))] if game.has_generator else []
    if method in TRANSLATORS:
        outputs += [game.translate(examples(network), domain) for domain in (0, 1)]
    if game.has_encoder:
        outputs += [game.encode(examples(network)), game.reconstruct(examples(network))]
    assert all(keras.backend.standardize_dtype(o.dtype) == "float32" for o in outputs)


@every_kind
def test_logs_name_every_player_and_their_sum(method, network):
    game = make(method, network, eager=True)
    logs = step(game, batch(game))
    players = set(method_of(method).players)
    assert set(logs) == players | {"loss", *game.reported}
    assert logs["loss"] == pytest.approx(sum(logs[p] for p in players), rel=1e-5)


@every_kind
def test_codes_and_images_have_the_declared_shapes_and_ranges(method, network):
    game = make(method, network)
    if method in TRANSLATORS:
        for domain in (0, 1):
            images = numbers(game.translate(examples(network, n=5), domain))
            assert images.shape == (5, *SHAPES[network])
            assert network == "mixture" or np.abs(images).max() <= 1
        return
    z = game.prior_codes(5, seed=0)
    assert z.shape == (5, 3)
    images = keras.ops.convert_to_numpy(game.decode(z))
    assert images.shape == (5, *SHAPES[network])
    assert network == "mixture" or np.abs(images).max() <= 1
    if game.has_encoder:
        assert game.encode(images).shape == (5, 3)
        assert game.features(images).shape[0] == 5
        np.testing.assert_array_equal(
            numbers(game.reconstruct(images)), numbers(game.decode(game.encode(images)))
        )


@every_kind
def test_averages_follow_the_weights_and_serve_encode_and_decode(method, network):
    game = make(method, network, ema=0.75, eager=True)
    # After step t: min(ema, (1 + t) / (10 + t)), here for t = 1.
    decay = min(0.75, (1 + 1) / (10 + 1))
    name = {"cyclegan": "a_to_b", "unit": "generator_b"}.get(method, "generator")
    if game.has_encoder and not game.generator.trainable:
        name = "encoder"  # a frozen generator is its own average
    first = [v.numpy() for v in getattr(game, name).variables]
    step(game, batch(game))
    now = [v.numpy() for v in getattr(game, name).variables]
    average = [v.numpy() for v in game.averages[name].variables]
    for mean, old, new in zip(average, first, now, strict=True):
        np.testing.assert_allclose(mean, decay * old + (1 - decay) * new, rtol=1e-4, atol=1e-6)

    def made(one):
        if name == "encoder":
            return numbers(one.encode(examples(network)))
        if one.has_generator:
            return numbers(one.decode(one.prior_codes(4, seed=0)))
        return numbers(one.translate(examples(network), 1))

    alone = make(method, network, eager=True)
    for other, mean in game.averages.items():
        getattr(alone, other).set_weights(mean.get_weights())
    np.testing.assert_array_equal(made(game), made(alone))
    getattr(alone, name).set_weights(now)
    moves = any(name in owned for owned in game.players.values())
    assert np.any(made(game) != made(alone)) == moves


def test_averages_warm_up_until_their_decay_and_go_on_after_a_resume(tmp_path):
    game = make("bigan", "mlp", ema=0.2, eager=True)
    expected = [v.numpy() for v in game.encoder.variables]
    for t in range(1, 4):
        step(game, examples("mlp", seed=t))
        # 2/11 and then 0.2: from t = 2 on, (1 + t) / (10 + t) is above the decay asked for.
        decay = min(0.2, (1 + t) / (10 + t))
        now = [v.numpy() for v in game.encoder.variables]
        expected = [decay * a + (1 - decay) * b for a, b in zip(expected, now, strict=True)]
        game.save(tmp_path / "game.keras")
        game = zoo.load(tmp_path / "game.keras")
    for mean, value in zip(game.averages["encoder"].variables, expected, strict=True):
        np.testing.assert_allclose(mean.numpy(), value, rtol=1e-4, atol=1e-6)


class Frozen(Game):
    """Only the discriminator plays."""

    players = {"discriminator": ("discriminator",)}
    schedule = (("discriminator",),)

    def build_networks(self, draw):
        self.generator, self.discriminator = draw.generator(), draw.discriminator()

    def play(self, x, z):
        fake = self.discriminator(self.generator(z))
        return {"discriminator": losses.accepted(self.discriminator(x)) + losses.rejected(fake)}


def test_a_network_in_no_player_is_frozen_with_its_batch_norm():
    game = Frozen((8, 8, 1), latent_dim=3, width=4)
    game.compile({"discriminator": keras.optimizers.SGD(0.1)})
    before = game.generator.get_weights()
    step(game, examples())
    assert largest_difference(before, game.generator.get_weights()) == 0


def test_players_of_a_phase_are_moved_by_gradients_at_the_same_weights():
    both = make("bigan", rate=0.1)
    step(both, examples())
    for player, owned in zoo.method("bigan").players.items():
        alone = make("bigan", rate={player: 0.1})
        step(alone, examples())
        for name in owned:
            np.testing.assert_array_equal(weights(alone)[name], weights(both)[name])


def test_l2_enters_the_gradient_of_matrices_only():
    plain, decayed = make("bigan"), make("bigan")
    decayed.compile({p: keras.optimizers.SGD(0.05) for p in decayed.players}, l2=0.5)
    start = {v.path: v.numpy() for v in plain.trainable_variables}
    step(plain, examples())
    step(decayed, examples())
    pairs = zip(plain.trainable_variables, decayed.trainable_variables, strict=True)
    for a, b in pairs:
        pull = 0.05 * 0.5 * start[a.path] if a.ndim > 1 else 0
        np.testing.assert_allclose(b.numpy(), a.numpy() - pull, rtol=1e-4, atol=1e-6)


def test_declarations_are_checked_when_the_class_is_defined():
    with pytest.raises(ValueError, match=r"unknown players \['critic'\]; players are \['d'\]"):
        type("Typo", (Game,), {"players": {"d": ("d",)}, "schedule": (("d", "critic"),)})
    with pytest.raises(ValueError, match=r"never lets \['e'\] move"):
        type("Idle", (Game,), {"players": {"d": ("d",), "e": ("e",)}, "schedule": (("d",),)})
    with pytest.raises(ValueError, match=r"player 'd' of None must be a tuple of names; got \(\)"):
        type("None", (Game,), {"players": {"d": ()}, "schedule": (("d",),)})
    with pytest.raises(
        ValueError, match="player 'd' of Word must be a tuple of names; got 'judge'"
    ):
        type("Word", (Game,), {"players": {"d": "judge"}, "schedule": (("d",),)})
    with pytest.raises(ValueError, match="phase 0 of the schedule of Flat must be a tuple .*'d'"):
        type("Flat", (Game,), {"players": {"d": ("d",)}, "schedule": ("d",)})
    with pytest.raises(ValueError, match="class BiGAN must have another name than zoo.BiGAN"):
        type("BiGAN", (Game,), {"schedule": (("d",),)})


class Late(Frozen):
    """Sets its argument too late."""

    def __init__(self, image_shape, weight=1.0, **game):
        super().__init__(image_shape, **game)
        self.weight = weight


def test_an_argument_must_be_set_before_the_game_is_built():
    with pytest.raises(AttributeError, match="Late must set self.weight, .* before it calls super"):
        Late((8, 8, 1), latent_dim=3, width=4)


@pytest.mark.parametrize(
    "returned, got", [({"maker": 1.0}, "got maker"), (None, "got NoneType"), (0.0, "got float")]
)
def test_a_play_that_forgets_a_loss_is_named(returned, got):
    game_class = type("Forgetful", (Frozen,), {"play": lambda self, x, z: returned})
    game = game_class((8, 8, 1), latent_dim=3, width=4)
    game.compile({"discriminator": keras.optimizers.SGD(0.1)})
    with pytest.raises(ValueError, match=f"play of Forgetful must return .* discriminator; {got}"):
        step(game, examples())


def test_players_that_are_left_out_own_the_networks_of_their_names():
    game = type("Short", (Game,), {"schedule": (("d", "e"), ("d",))})
    assert game.players == {"d": ("d",), "e": ("e",)} and not Game.players


def test_a_loss_that_does_not_reach_its_networks_is_named():
    def play(self, x, z):
        return {"discriminator": losses.accepted(x)}

    game_class = type("Unreached", (Frozen,), {"play": play})
    game = game_class((8, 8, 1), latent_dim=3, width=4)
    game.compile({"discriminator": keras.optimizers.SGD(0.1)})
    with pytest.raises(ValueError, match="does not depend on"):
        step(game, examples())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent_dim": 0}, "latent_dim must be 1 or more; got 0"),
        ({"latent_dim": 2.5}, "latent_dim must be a whole number, or three of them; got 2.5"),
        ({"network": "vgg"}, "network must be one of dcgan, .*, tanh; got 'vgg'"),
        ({"prior": "cauchy"}, "prior must be one of .*; got 'cauchy'"),
        ({"ema": 1.0}, "ema must be 0 .*; got 1.0"),
        ({"width": 0}, "width must be 1 or more; got 0"),
        ({"image_shape": (30, 30, 1)}, "multiple of 4 from 8 to 128; got 30 × 30"),
        ({"image_shape": (132, 132, 1)}, "multiple of 4 from 8 to 128; got 132 × 132"),
        ({"image_shape": (28, 32, 1)}, "got 28 × 32"),
        ({"image_shape": (2,)}, "for points use 'mixture'"),
        ({"image_shape": (8, 8, 1), "network": "mixture"}, "takes points"),
        ({"image_shape": (2,), "network": "tanh"}, "takes images"),
        ({"prior": "mixture", "latent_dim": 3}, "latent_dim must be 2 for mixture; got 3"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.BiGAN(**{"image_shape": (8, 8, 1), **arguments})


def test_a_game_without_an_encoder_names_the_methods_that_have_one():
    game = make("gan")
    assert not game.has_encoder
    able = ", ".join(m for m in zoo.METHODS if m not in ("gan", "wgan", "acgan", *TRANSLATORS))
    for ask in (game.encode, game.reconstruct, game.features):
        with pytest.raises(ValueError, match=f"GAN has no encoder; methods that have one: {able}$"):
            ask(examples())


def test_optimizers_must_match_the_players():
    game = zoo.BiGAN((8, 8, 1), latent_dim=3, width=4)
    with pytest.raises(ValueError, match=r"needs one optimizer for each player .*got \['critic'\]"):
        game.compile({"critic": keras.optimizers.SGD()})
    with pytest.raises(ValueError, match="optimizer must be a name, .*; got 0.001"):
        game.compile(0.001)


def test_a_saved_model_that_is_no_game_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="other.keras holds a Sequential, no game"):
        zoo.load(tmp_path / "other.keras")
