"""BigBiGAN: what its paper claims, on numbers that can be checked by hand."""

import keras
import numpy as np
import pytest
from games import examples
from games import gradient
from games import losses_of
from games import make
from games import silent
from games import step

import zoo

SCORES = ("score_xz", "score_x", "score_z")


def constant(game, c):
    """Make every score of `game` c, whatever it is given."""
    silent(game)
    for score in game.scores:
        bias = game.discriminator.get_layer(score).bias
        bias.assign(np.full(bias.shape, c))
    return game


def only(game, kept):
    """Make every score of `game` 0 but `kept`."""
    for score in set(SCORES) - {kept}:
        for variable in game.discriminator.get_layer(score).trainable_variables:
            variable.assign(np.zeros(variable.shape))
    return game


@pytest.mark.parametrize("unary, scores", [(True, 3), (False, 1)])
@pytest.mark.parametrize("c", [0, 0.5, -3])
def test_losses_of_constant_scores(unary, scores, c):
    game = constant(make("bigbigan", unary=unary), c)
    assert len(game.discriminator.outputs) == len(game.scores) == scores
    # Within the margin, what one half of the hinge gains the other loses: 2 for each score.
    judge = {0: 2, 0.5: 2, -3: 4}[c]
    expected = {"discriminator": scores * judge, "encoder": scores * c, "generator": -scores * c}
    assert losses_of(game, examples(), game.noise(16)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("unary, scores", [(True, 3), (False, 1)])
@pytest.mark.parametrize("c", [0, 2, -3])
def test_without_the_hinge_scores_are_logits_of_a_cross_entropy(unary, scores, c):
    game = constant(make("bigbigan", unary=unary, hinge=False), c)
    real, fake = -np.log(1 / (1 + np.exp(-c))), -np.log(1 - 1 / (1 + np.exp(-c)))
    # Both pairs have the score c; E wants its own judged generated, G its own encoded.
    expected = {"discriminator": real + fake, "encoder": fake, "generator": real}
    expected = {player: scores * loss for player, loss in expected.items()}
    assert losses_of(game, examples(), game.noise(16)) == pytest.approx(expected, rel=1e-5)


def test_a_deterministic_encoder_has_one_output_which_is_judged(tmp_path):
    game = make("bigbigan", stochastic=False)
    x, z = keras.ops.convert_to_tensor(examples()), game.noise(16)
    code = game.encoder(x, training=True)
    assert code.shape == (16, 3)
    scores = game.discriminator([x, code], training=True)
    expected = sum(float(np.mean(score)) for score in scores)
    assert losses_of(game, x, z)["encoder"] == pytest.approx(expected, rel=1e-4)
    encoded = game.encoder(x, training=False)
    np.testing.assert_allclose(game.encode(x), encoded, rtol=1e-5, atol=1e-6)
    game.save(tmp_path / "game.keras")
    assert not zoo.load(tmp_path / "game.keras").stochastic


def test_a_configuration_written_before_the_options_is_the_paper_s_game():
    config = make("bigbigan").get_config()
    for later in ("hinge", "stochastic"):
        del config[later]
    game = zoo.BigBiGAN.from_config(config)
    assert game.hinge and game.stochastic


def test_codes_are_drawn_and_the_three_scores_enter_as_the_paper_says(monkeypatch):
    game = make("bigbigan")
    for score in SCORES:  # beyond the margin on both sides
        kernel = game.discriminator.get_layer(score).kernel
        kernel.assign(kernel * 1000)
    x, z, noise = examples(), game.noise(16), game.normal_noise(16)
    monkeypatch.setattr(game, "normal_noise", lambda n: noise)
    mean, log_var = (part.numpy() for part in game.encoder(x, training=True))
    code = mean + np.sqrt(np.exp(log_var)) * noise.numpy()
    encoded = [s.numpy() for s in game.discriminator([x, code], training=True)]
    fakes = game.generator(z, training=True)
    generated = [s.numpy() for s in game.discriminator([fakes, z], training=True)]
    assert np.max(encoded) > 1 and np.min(generated) < -1
    hinge = lambda s: np.mean(np.maximum(0, 1 - s))  # noqa: E731
    expected = {
        "discriminator": sum(hinge(s) for s in encoded) + sum(hinge(-s) for s in generated),
        "encoder": sum(np.mean(s) for s in encoded),
        "generator": -sum(np.mean(s) for s in generated),
    }
    assert losses_of(game, x, z) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "kept, moved",
    [
        ("score_xz", {"encoder", "generator"}),
        ("score_x", {"generator"}),
        ("score_z", {"encoder"}),
    ],
)
def test_the_score_of_images_moves_g_that_of_codes_e_and_that_of_pairs_both(kept, moved):
    game = only(make("bigbigan"), kept)
    x, z = examples(), game.noise(16)
    for player in ("encoder", "generator"):
        assert any(np.any(g) for g in gradient(game, player, x, z)) == (player in moved)
    assert not any(np.any(g) for g in gradient(game, "encoder", x, z, of="generator"))


def test_the_encoder_moves_against_its_scores_and_the_discriminator_for_them(monkeypatch):
    x, scores = examples(), {}
    for player in ("discriminator", "encoder"):
        game = make("bigbigan", rate={player: 1e-3}, eager=True)
        z, noise = game.noise(16), game.normal_noise(16)
        monkeypatch.setattr(game, "noise", lambda n, z=z: z)
        monkeypatch.setattr(game, "normal_noise", lambda n, noise=noise: noise)
        before = losses_of(game, x, z)
        step(game, x)
        scores[player] = losses_of(game, x, z)["encoder"] - before["encoder"]
    assert scores["encoder"] < 0 < scores["discriminator"]


def test_the_discriminator_may_move_more_often_on_fresh_images(tmp_path):
    batches = zoo.BigBiGAN.batches_for
    assert (batches(), batches(discriminator_steps=3)) == (1, 3)
    game = make("bigbigan", discriminator_steps=3, eager=True)
    game.save(tmp_path / "game.keras")
    for played in (game, zoo.load(tmp_path / "game.keras")):
        assert played.batches_per_step == 3
        assert [len(phase) for phase in played.schedule] == [1, 1, 3]
    step(game, examples(n=48))
    taken = {p: int(o.iterations) for p, o in game.optimizer.by_player.items()}
    assert taken == {"discriminator": 3, "encoder": 1, "generator": 1}
    with pytest.raises(ValueError, match="discriminator_steps must be 1 or more; got 0"):
        make("bigbigan", discriminator_steps=0)


def test_network_sets_without_three_scores_are_refused_by_name():
    with pytest.raises(ValueError, match="network 'mlp' has no discriminator with three scores"):
        make("bigbigan", "mlp")


def test_encode_is_the_mean():
    game = make("bigbigan")
    mean, _ = game.encoder(examples(), training=False)
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(code) for code in (game.encode(examples()), mean))
    )
