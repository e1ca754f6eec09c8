"""What the discriminators say of an example: the right network, asked the right question."""

import games
import numpy as np
import pytest
from games import examples
from games import make
from keras import ops

import zoo
from zoo import scores

JUDGES = {
    "gan": {"score_x"},
    "wgan": {"score_x"},
    "vae": set(),
    "bigan": {"score_xz"},
    "ali": {"score_xz"},
    "aae": {"score_z"},
    "vae_gan": {"score_x"},
    "alpha_gan": {"score_x", "score_z"},
    "latent_regressor": {"score_x"},
    "bigbigan": {"score_xz", "score_x", "score_z"},
    "acgan": {"score_x"},
    "cyclegan": {"score_a", "score_b"},
    "unit": {"score_a", "score_b"},
    "naive_encoder": set(),
}


@pytest.mark.parametrize("method", JUDGES)
def test_every_discriminator_is_asked_about_what_it_judges(method):
    game, x = games.make(method), ops.convert_to_tensor(games.examples(n=5))
    assert set(game.scores) == JUDGES[method]
    if not JUDGES[method]:
        with pytest.raises(ValueError, match="(VAE|NaiveEncoder) has no discriminator"):
            scores.discriminate(game, x)
        return
    with pytest.raises(ValueError, match="255"):
        scores.discriminate(game, np.full(x.shape, 255, "uint8"))
    found = scores.discriminate(game, x)
    code = game.encode(x) if game.has_encoder else None
    wanted = {
        "score_x": lambda: getattr(game, game.scores["score_x"][0])(x, training=False),
        "score_xz": lambda: game.discriminator([x, code], training=False),
        "score_z": lambda: game.code_discriminator(code, training=False),
        # The mean over patches.
        "score_a": lambda: ops.mean(game.discriminator_a(x, training=False), axis=(1, 2)),
        "score_b": lambda: ops.mean(game.discriminator_b(x, training=False), axis=(1, 2)),
    }
    if len(found) == 3:
        outputs = game.discriminator([x, code], training=False)
        wanted = {name: lambda out=out: out for name, out in zip(found, outputs, strict=True)}
    for name, score in found.items():
        logit = wanted[name]()
        logit = logit[0] if isinstance(logit, (list, tuple)) else logit
        np.testing.assert_allclose(np.array(score), np.array(logit)[:, 0], rtol=1e-5)


@pytest.mark.parametrize("method", [m for m in zoo.METHODS if zoo.method(m).players.get("encoder")])
def test_the_anomaly_score_is_the_weighted_sum_of_its_two_errors(method):
    game, x = games.make(method), ops.convert_to_tensor(games.examples(n=5))
    found = {name: np.array(v) for name, v in scores.anomaly(game, x, 0.25).items()}
    copy = np.array(game.reconstruct(x))
    error = np.abs(np.array(x) - copy).reshape(5, -1).sum(axis=1)
    np.testing.assert_allclose(found["reconstruction_error"], error, rtol=1e-5)
    if not hasattr(game, "discriminator"):
        assert set(found) == {"anomaly_score", "reconstruction_error"}
        np.testing.assert_array_equal(found["anomaly_score"], found["reconstruction_error"])
        return
    total = 0.75 * error + 0.25 * found["feature_error"]
    np.testing.assert_allclose(found["anomaly_score"], total, rtol=1e-5)
    assert (found["feature_error"] > 0).all()


@pytest.mark.parametrize("method, network", [("bigan", "mlp"), ("ali", "dcgan"), ("gan", "mlp")])
def test_features_are_what_the_logit_is_computed_from(method, network):
    game, x = games.make(method, network), ops.convert_to_tensor(games.examples(network, n=5))
    judge = game.discriminator
    inputs = [x, game.encode(x)] if game.has_encoder else x
    head = judge.layers[-1]
    rebuilt = head(scores.before_output(judge)(inputs, training=False))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(rebuilt), ops.convert_to_numpy(judge(inputs, training=False))
    )


def test_an_example_that_comes_back_has_no_anomaly():
    game = games.make("bigan")
    x = games.examples(n=4)
    game.decode = lambda code: ops.convert_to_tensor(x)
    assert all((np.array(value) == 0).all() for value in scores.anomaly(game, x).values())
    game.decode = lambda code: ops.convert_to_tensor(x) + 0.5
    error = np.array(scores.anomaly(game, x)["reconstruction_error"])
    np.testing.assert_allclose(error, 0.5 * 64, rtol=1e-5)


def test_without_an_encoder_there_is_no_anomaly_score():
    with pytest.raises(ValueError, match="GAN has no encoder"):
        scores.anomaly(games.make("gan"), games.examples(n=2))


@pytest.mark.parametrize("method", ["bigan", "ali"])
def test_the_feature_error_is_of_both_images_with_the_code_of_the_first(method):
    game, x = make(method, "mlp"), ops.convert_to_tensor(examples("mlp", n=5))
    # At the initial weights a code hardly changes the features.
    game.discriminator.set_weights([10 * w for w in game.discriminator.get_weights()])
    features, code = scores.before_output(game.discriminator), game.encode(x)
    pair = (features([y, code], training=False) for y in (x, game.reconstruct(x)))
    real, rebuilt = (ops.convert_to_numpy(f).reshape(5, -1) for f in pair)
    found = ops.convert_to_numpy(scores.anomaly(game, x)["feature_error"])
    np.testing.assert_allclose(found, np.abs(real - rebuilt).sum(axis=1), rtol=1e-4)
