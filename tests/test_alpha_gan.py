"""α-GAN: what its paper claims, on numbers that can be checked by hand."""

import numpy as np
import pytest
from games import examples
from games import gradient
from games import losses_of
from games import make
from games import silent
from games import step
from keras import ops


def test_losses_where_no_discriminator_can_tell():
    game = silent(make("alpha_gan", reconstruction_weight=0.0))
    found = losses_of(game, examples(), game.noise(16))
    multiples = {"encoder": 1, "generator": 2, "discriminator": 3, "code_discriminator": 2}
    expected = {player: times * np.log(2) for player, times in multiples.items()}
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_best_judge_of_three_equal_laws_is_one_third():
    game, x, z = make("alpha_gan", "mlp"), examples(), np.zeros((16, 3), "float32")

    def loss(logit):
        game.discriminator = lambda image, training=None: ops.full((16, 1), logit)
        return losses_of(game, x, z)["discriminator"]

    # D = ⅓, and to either side of it.
    best = -np.log(2)
    assert loss(best) == pytest.approx(3 * np.log(3) - 2 * np.log(2), rel=1e-5)
    assert loss(best) < min(loss(best - 0.1), loss(best + 0.1)) - 1e-3


def test_reconstructions_are_fakes_and_prior_draws_are_real():
    game = make("alpha_gan", "mlp", reconstruction_weight=7.0)
    x, z = examples(), game.noise(16)
    code = game.encoder(x, training=True)
    rebuilt, sampled = (game.generator(c, training=True) for c in (code, z))
    logit = {
        name: game.discriminator(images, training=True).numpy().astype("float64")
        for name, images in (("real", x), ("rebuilt", rebuilt), ("sampled", sampled))
    }
    logit |= {
        name: game.code_discriminator(c).numpy().astype("float64")
        for name, c in (("prior", z), ("posterior", code))
    }
    minus_log = lambda a: np.mean(np.log1p(np.exp(-a)))  # noqa: E731
    yes = {name: minus_log(a) for name, a in logit.items()}
    no = {name: minus_log(-a) for name, a in logit.items()}
    distance = 7 * np.mean(np.abs(x - rebuilt.numpy()))
    expected = {
        "encoder": distance + yes["posterior"],
        "generator": distance + yes["rebuilt"] + yes["sampled"],
        "discriminator": yes["real"] + no["rebuilt"] + no["sampled"],
        "code_discriminator": yes["prior"] + no["posterior"],
    }
    assert losses_of(game, x, z) == pytest.approx(expected, rel=1e-5)


def test_what_the_image_discriminator_thinks_does_not_move_the_encoder():
    game = make("alpha_gan", "mlp")
    x, z = examples(), game.noise(16)
    before = gradient(game, "encoder", x, z)
    for variable in game.discriminator.trainable_variables:
        variable.assign(-2 * variable)
    for a, b in zip(before, gradient(game, "encoder", x, z), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="reconstruction_weight must be 0 or more; got -1"):
        make("alpha_gan", reconstruction_weight=-1.0)


def test_encoder_and_generator_move_twice_and_then_both_discriminators():
    game = make("alpha_gan", "mlp", eager=True)
    step(game, examples())
    moved = {player: int(o.iterations) for player, o in game.optimizer.by_player.items()}
    assert moved == {"encoder": 2, "generator": 2, "discriminator": 1, "code_discriminator": 1}
    assert game.schedule[0] == ("encoder", "generator")
