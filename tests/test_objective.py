"""`python -m trainers.objective`: pairs as the game plays them, fresh judges, and the table."""

import json
import re

import games
import keras
import numpy as np
import pytest

import zoo
from trainers.objective import __main__ as objective
from trainers.objective import measuring
from trainers.objective import page
from zoo import datasets

SHAPE = (8, 8, 1)


def data(n=600):
    """Images of noise, all different."""
    images = np.random.default_rng(0).integers(0, 256, (n, *SHAPE), dtype=np.uint8)
    labels = {"train_labels": np.zeros(n, int), "test_labels": np.zeros(n // 3, int)}
    parts = {"train": images, "test": images[: n // 3] ^ 1, "classes": ("one",)}
    return datasets.Dataset(name="noise", source="random bytes", **parts, **labels)


def memory(images):
    game = zoo.Memorizer(SHAPE, latent_dim=3, support=len(images), width=4)
    game.remember(images)
    return game


def test_pairs_are_those_that_the_method_plays():
    train = data().train
    known = {row.tobytes() for row in train}
    game = games.make("bigan")
    x, z = measuring.pairs(game, train, 50, True, 0)
    assert all(row.tobytes() in known for row in datasets.unscale(x))
    np.testing.assert_allclose(z, game.encode(x), rtol=1e-5, atol=1e-6)
    x, z = measuring.pairs(game, train, 50, False, 0)
    np.testing.assert_allclose(x, game.decode(z), rtol=1e-5, atol=1e-6)
    x, z = measuring.pairs(games.make("gan"), train, 50, True, 0)
    assert x.shape == (50, *SHAPE) and z.shape == (50, 0)


def test_codes_of_a_stochastic_encoder_are_draws():
    game = games.make("ali")
    images = np.repeat(data().train[:1], 4, axis=0)
    x, z = measuring.pairs(game, images, 4000, True, 0)
    mean, log_var = (keras.ops.convert_to_numpy(part)[0] for part in game.posterior(x[:1]))
    deviation = np.exp(log_var / 2)
    np.testing.assert_allclose(z.std(axis=0), deviation, rtol=0.1)
    assert np.all(np.abs(z.mean(axis=0) - mean) < 5 * deviation / np.sqrt(4000))


def test_pairs_of_the_counterexample_are_noised_and_read_back():
    game = zoo.Counterexample(SHAPE, latent_dim=4, support=16, width=4)
    x, z = measuring.pairs(game, data().train, 300, True, 0)
    np.testing.assert_array_equal(x.reshape(300, -1)[:, game.noised.pixels], z)
    assert z.std() == pytest.approx(1, abs=0.1)


def test_no_pair_is_seen_twice():
    pool = {real: (np.arange(20) + 100 * real,) for real in (True, False)}
    draw = measuring._once(pool, seed=3)
    seen = np.concatenate([draw(True, 8)[0], draw(True, 12)[0]])
    assert sorted(seen) == list(range(100, 120))
    assert sorted(draw(False, 20)[0]) == list(range(20))
    assert list(measuring._once(pool, seed=4)(True, 20)[0]) != list(seen)


def test_a_generator_of_two_images_is_seen_and_two_real_streams_are_not():
    found = data()
    game = memory(found.train[:2])
    pools = measuring.pools(game, found, 6400, held_out=200)
    pairs, null = (next(measuring.measure(game, pools[law], 0, [6400])) for law in measuring.LAWS)
    assert 0.2 < pairs["objective"] <= 2 * np.log(2) and pairs["accuracy"] > 0.75
    assert null["objective"] < 0.05 and abs(null["accuracy"] - 0.5) < 5 * null["accuracy_se"]


def test_the_table_has_means_and_deviations_of_seeds():
    row = {"model": "a", "law": "pairs", "parameters": 1234, "budget": 6400}
    rows = [row | {"accuracy": a, "objective": o} for a, o in ((0.9, 1.0), (0.8, 0.6))]
    rows += [row | {"law": "two real streams", "accuracy": 0.5, "objective": 0.0}]
    lines = page.table(rows).splitlines()
    # Deviations of two values: their difference over √2. 0.8 of 1.386 is 58 %.
    assert lines[2] == "| a | 1,234 | 6,400 | 2 | 85.0 ± 7.1 | +0.800 ± 0.283 | 58 % |"
    assert lines[3] == "| a, two real streams | 1,234 | 6,400 | 1 | 50.0 | +0.000 | 0 % |"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bigan_mnist", "--budget=0"], "--budget must be multiples of 6400; got '0'"),
        (["bigan_mnist", "--budget=100"], "--budget must be multiples of 6400; got '100'"),
        (["bigan_mnist", "--budget=many"], "--budget must be whole numbers"),
        (["vae_fashion_mnist"], "must be one of GAN, BiGAN, ALI, .*; got VAE"),
        (["bigan_fashion_mnist", "--against=grid25"], "data|shape"),
        (["--against=nothing"], "unknown data set 'nothing'"),
        (["bigan_fashion_mnist", "--against=fashion_mnist_10k", "--support=1"], "got 1"),
    ],
)
def test_bad_input_is_named_before_anything_is_measured(words, message, tmp_path, refused):
    found = refused(objective.main, ["objective", *words, f"--run_dir={tmp_path / 'out'}"])
    assert re.search(message, found), found
    assert not (tmp_path / "out").exists()


def test_a_discriminator_of_the_caller_s_own_is_refused():
    own = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)])
    game = zoo.GAN(SHAPE, latent_dim=3, width=4, discriminator=own)
    with pytest.raises(ValueError, match="got GAN with a discriminator of its own"):
        measuring.check(game, data())


def test_the_command_continues_and_measures_a_model_again_that_has_other_weights(tmp_path, capsys):
    images = data(400)
    np.savez(tmp_path / "noise.npz", x_train=images.train, x_test=images.test)
    memory(images.train[:4]).save(tmp_path / "game.keras")
    words = ["objective", str(tmp_path / "game.keras"), f"--against=npz:{tmp_path / 'noise.npz'}"]
    words += ["--quick", "--held_out=100", f"--run_dir={tmp_path / 'out'}"]
    objective.main([*words, "--cells=1"])
    assert "stopped after 1 cells" in capsys.readouterr().out
    first = json.loads((tmp_path / "out" / "cells.json").read_text())
    objective.main(words)
    assert "[1/1] game.keras, law two real streams" in capsys.readouterr().out
    rows = json.loads((tmp_path / "out" / "cells.json").read_text())
    assert rows[:1] == first and [row["law"] for row in rows] == list(measuring.LAWS)
    written = (tmp_path / "out" / "report.md").read_text()
    assert "| game.keras |" in written and "![the objective" in written
    assert (tmp_path / "out" / "objective.png").stat().st_size > 5000
    memory(images.train[4:8]).save(tmp_path / "game.keras")
    objective.main([*words, "--cells=1"])
    assert len(json.loads((tmp_path / "out" / "cells.json").read_text())) == 3
