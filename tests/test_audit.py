"""Judges, verdicts and the audit: two models whose answers are known, opposite in every respect."""

import dataclasses
import json
import pathlib

import games
import keras
import numpy as np
import pytest
from scipy.stats import norm

import zoo
from zoo import audit
from zoo import datasets
from zoo import models
from zoo.audit import __main__ as command
from zoo.audit import measures
from zoo.audit import picture
from zoo.audit import words
from zoo.metrics import judges


def shifted(by, seed=0):
    """Pairs of 3 + 2 standard normal numbers; those of real pairs are moved by `by` in one."""
    rng = np.random.default_rng(seed)

    def draw(real, n):
        x, z = rng.standard_normal((n, 3)), rng.standard_normal((n, 2))
        x[:, 0] += by * real
        return x.astype(np.float32), z.astype(np.float32)

    return draw


def test_a_judge_comes_close_to_the_best_accuracy_there_is():
    draw = shifted(2.0)
    fresh = [judges.Readout(p, draw, seed=1) for p in (30, 100)]
    judges.fit(fresh, draw, 8000)
    for judge in fresh:
        found = judges.verdict(judge.logits, draw, 20_000)
        # Two unit Gaussians 2 apart: Φ(1) = 84.1 % at best.
        assert norm.cdf(1) - 0.02 < found["accuracy"] < norm.cdf(1) + 4 * found["accuracy_se"]
        assert found["auc"] == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.02)


def test_test_pairs_are_drawn_once_and_pairs_to_fit_on_again_and_again():
    x = np.arange(10)
    pairs, rng = {True: (x, -x), False: (x[:6], -x[:6])}, np.random.default_rng(0)
    draw = judges.once(pairs, rng)
    for real, n in ((True, 10), (False, 6)):
        parts = [draw(real, n // 2), draw(real, n // 2)]
        found = np.concatenate([part for part, _ in parts])
        np.testing.assert_array_equal(np.sort(found), x[:n])
        np.testing.assert_array_equal(np.concatenate([codes for _, codes in parts]), -found)
    images, codes = judges.resampled(pairs, rng)(False, 100)
    assert set(images) == set(range(6)) and (codes == -images).all()


def test_codes_of_a_set_sorted_by_class_are_compared_from_all_classes(monkeypatch):
    monkeypatch.setattr(measures, "KERNEL", 100)
    data = datasets.load("grid25", test_split="test[:2000]")
    order = np.argsort(data.test_labels, kind="stable")
    data = dataclasses.replace(
        data, test=data.test[order], test_labels=data.test_labels[order], train=data.train[:200]
    )
    model = models.Model(
        name="normal",
        encode=lambda x: x / 2.83,
        decode=lambda z: z,
        prior=lambda n, seed: np.random.default_rng(seed).normal(size=(n, 2)).astype("f4"),
        law="normal",
        shape=(2,),
    )
    found = measures.codes(measures.gather(model, data, 0, 1000), data)
    # Codes on a grid about 0 are close to the normal law; those of its first modes alone, at an
    # MMD² of 0.61, are not.
    assert found["mmd"] < 0.1


def test_a_judge_of_one_law_against_itself_is_at_chance():
    draw = shifted(0.0)
    judge = judges.Readout(50, draw, seed=1)
    judges.fit([judge], draw, 8000)
    found = judges.verdict(judge.logits, draw, 20_000)
    assert abs(found["accuracy"] - 0.5) < 4 * found["accuracy_se"]
    assert abs(found["objective"]) < 0.01


def test_a_verdict_is_what_its_docstring_says():
    # Logit 1 on every real pair; on generated ones 1 for half, -2 for half.
    def draw(real, n):
        x = np.ones((n, 1)) if real else np.where(np.arange(n) % 2, 1.0, -2.0)[:, None]
        return x, x

    found = judges.verdict(lambda x, z: x[:, 0], draw, 1000)
    d = {a: 1 / (1 + np.exp(-a)) for a in (1, -2)}
    assert found["accuracy"] == 0.75
    assert found["auc"] == pytest.approx(0.5 + 0.5 * 0.5)  # ties count half
    assert found["gap"] == pytest.approx(d[1] - (d[1] + d[-2]) / 2)
    expected = np.log(d[1]) + (np.log(1 - d[1]) + np.log(1 - d[-2])) / 2 + 2 * np.log(2)
    assert found["objective"] == pytest.approx(expected)
    right = np.repeat([1, 1, 1, 0], 500)
    assert found["accuracy_se"] == pytest.approx(right.std() / np.sqrt(2000))


def test_a_readout_has_two_to_a_thousand_parameters():
    with pytest.raises(ValueError, match="2 to 1000 parameters, got 1001"):
        judges.Readout(1001, shifted(0.0))


@pytest.fixture(scope="module")
def data():
    return datasets.load("fashion_mnist_10k", train_split="train[:3000]", test_split="test[:800]")


@pytest.fixture(scope="module")
def counterexample(data):
    game = zoo.Counterexample(data.shape, support=64)
    game.remember(data.train[:64])
    return game


def principal(data, latent_dim=16):
    """Principal components as a model: the best linear encoder and decoder, codes of variance 1."""
    x = datasets.scale(data.train).reshape(len(data.train), -1)
    mean = x.mean(axis=0)
    _, values, rows = np.linalg.svd(x - mean, full_matrices=False)
    scale = values[:latent_dim] / np.sqrt(len(x))
    into, out = (
        (rows[:latent_dim].T / scale).astype("f4"),
        (rows[:latent_dim].T * scale).astype("f4"),
    )

    def encode(images):
        return keras.ops.matmul(keras.ops.reshape(images, (-1, len(mean))) - mean, into)

    def decode(codes):
        flat = keras.ops.matmul(codes, out.T) + mean
        return keras.ops.reshape(flat, (-1, *data.shape))

    return models.Model(
        name="principal components",
        encode=encode,
        decode=decode,
        prior=lambda n, seed: (
            np.random.default_rng(seed).standard_normal((n, latent_dim)).astype("f4")
        ),
        law="normal",
        shape=data.shape,
    )


@pytest.fixture(scope="module")
def audited(data, counterexample):
    quiet = {"samples": 5000, "progress": lambda part: None}
    pair = models.of_game(counterexample, "counterexample")
    return audit.audit(pair, data, **quiet), audit.audit(principal(data), data, **quiet)


def test_the_counterexample_fools_small_judges_and_its_codes_mean_nothing(audited):
    found, _ = audited
    assert found["judge_30_accuracy"] < 0.62
    assert found["ks_rejected"] == 0 and found["mmd"] < 2 * found["mmd_null_95"]
    assert found["z_cycle_largest"] == found["sample_cycle_largest"] == 0
    assert abs(found["x_cycle_ratio"] - 1) < 4 * found["x_cycle_ratio_se"] < 0.06
    assert max(found["knn_code"], found["probe_code"], found["mlp_code"]) < 0.15
    assert found["support_low"] <= 64 <= found["support_high"]
    text = "\n".join(audit.verdicts(found))
    for words_ in (
        "unrelated to their images",
        "bit for bit",
        "indistinguishable from the prior",
        "no class information",
        "none of it can be read off",
        "Upper bound on the effective support",
    ):
        assert words_ in text


def test_principal_components_are_seen_through_and_their_codes_mean_much(audited):
    _, found = audited
    assert found["judge_300_accuracy"] - 0.5 > 4 * found["judge_300_accuracy_se"]
    assert found["ks_rejected"] > 0 and found["mmd"] > found["mmd_null_95"]
    assert found["x_cycle_ratio"] < 0.5 and found["z_cycle_ratio"] < 0.01
    assert 0.5 < found["class_kept"] < 1 and found["class_kept_chance"] < 0.2
    assert found["probe_code"] > 0.7
    # Sixteen uncorrelated coordinates of variance 1, read off exactly.
    assert found["image_information"] > 10
    assert found["x_cycle"] < found["x_cycle_class_mean"] < found["x_cycle_same_class"]
    assert found["z_cycle_r2"] > 0.99
    text = "\n".join(audit.verdicts(found))
    for words_ in ("tell (x, E(x)) from", "resemble their", "not distributed", "know the class"):
        assert words_ in text


def test_a_model_without_an_encoder_is_audited_for_what_it_has(data):
    model = dataclasses.replace(principal(data), encode=None)
    found = audit.audit(model, data, samples=500, progress=lambda part: None)
    assert not [key for key in found if key.startswith(("judge", "ks", "x_cycle", "knn"))]
    assert found["space"].startswith("fashion_mnist-")
    assert len(audit.verdicts(found)) == 2


def test_what_is_shown_is_what_was_measured_and_nothing_is_decoded_twice():
    data = datasets.load("grid25", train_split="train[:300]", test_split="test[:200]")
    decoded = []

    def decode(codes):
        decoded.append(np.asarray(codes))
        return keras.ops.convert_to_tensor(codes, "float32") * 2

    model = models.Model(
        name="twice",
        encode=lambda x: keras.ops.convert_to_tensor(x, "float32") / 2,
        decode=decode,
        prior=lambda n, seed: np.random.default_rng(seed).normal(size=(n, 2)).astype("f4"),
        law="normal",
        shape=(2,),
    )
    found = measures.gather(model, data, 3, 1000)
    assert sum(map(len, decoded)) == 1000
    shown = picture.shown(found, {"closest": [[4, 7], [9, 2]]})
    assert sum(map(len, decoded)) == 1020
    np.testing.assert_array_equal(shown["samples"], found.samples[:500])
    np.testing.assert_array_equal(shown["closest"], found.samples[[4, 7, 9, 2]])
    np.testing.assert_array_equal(shown["real"], data.test)
    np.testing.assert_allclose(shown["reconstructions"], data.test[:20], rtol=1e-6)


def test_only_a_run_directory_is_written_into_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("run/game.keras", "served/1/saved_model.pb"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
    assert command._out("", ["run"], invert=0) == pathlib.Path("run")
    assert command._out("", ["run"], invert=5) == pathlib.Path("runs/audit")
    for paths in (["served"], ["served/1"], ["run/game.keras"], ["run", "served"]):
        assert command._out("", paths, invert=0) == pathlib.Path("runs/audit")
    assert command._out("there", ["run"], invert=5) == pathlib.Path("there")
    assert (tmp_path / "there").is_dir()


def test_the_check_of_a_card_takes_no_other_flags(refused):
    for flag in ("--invert=5", "--against=mnist", "--samples=400", "--out=there"):
        assert "leave out other flags" in refused(
            command.main, ["audit", "bigan_mnist", "--check-card", flag]
        )


def test_examples_of_another_shape_are_refused(counterexample):
    with pytest.raises(ValueError, match=r"grid25 must have examples of shape \(28, 28, 1\)"):
        audit.audit(models.of_game(counterexample), datasets.load("grid25"))


def test_words_do_not_claim_more_than_the_figures():
    lucky = {
        "chance": 0.1,
        "n_test": 900.0,
        "knn_code": 0.125,
        "probe_code": 0.1,
        "mlp_code": 0.1,
        "knn_pixels": 0.8,
        "probe_pixels": 0.8,
        "label_information_linear": -0.1,
        "label_information_mlp": -0.2,
        "label_entropy": 2.3,
    }
    # One standard error of 900 answers at chance is 1 %: 12.5 % is within three, 14 % is not.
    assert "no class information" in words.verdicts(lucky)[0]
    assert "know the class" in words.verdicts(lucky | {"knn_code": 0.14})[0]
    assert "at least 0.00 of 2.30 nats" in words.verdicts(lucky)[0]


def test_over_fitting_is_not_taken_for_the_absence_of_information():
    few = {"image_information": 18.1, "image_information_mismatched": -6.0, "components": 16.0}
    assert "leading components can be read off" in words.verdicts(few)[0]
    noise = few | {"image_information": 0.02, "image_information_mismatched": 0.01}
    assert "none of it can be read off" in words.verdicts(noise)[0]


def test_a_bound_below_the_number_of_classes_is_none():
    found = {"birthday": "Upper bound: about 9", "support_space": "pixels", "classes": 10.0}
    found |= {"support_at_most": 9.0}
    assert "no usable bound" in words.verdicts(found)[0]
    for bound in ({"support_at_most": 11.0}, {"classes": 8.0}):
        assert words.verdicts(found | bound) == ["support, by pixels: Upper bound: about 9"]


def test_fewer_samples_than_test_examples_are_compared_with_as_many(data):
    gathered = measures.gather(models.of_game(zoo.GAN(data.shape, width=2)), data, 0, 200)
    gathered.samples = datasets.scale(data.train[:200])
    found = measures.images(gathered, data)
    assert found["precision"] > 0.5 and found["classes"] == 10


@pytest.mark.slow
def test_the_command_writes_figures_and_a_picture(tmp_path, counterexample, capsys):
    counterexample.save(tmp_path / "game.keras")
    games.export(counterexample, tmp_path / "served")
    paths = [str(tmp_path / "game.keras"), str(tmp_path / "served")]
    command.main(["audit", *paths, "--samples=1000", f"--out={tmp_path / 'out'}"])
    assert "| seconds |" in capsys.readouterr().out
    figures = json.loads((tmp_path / "out" / "audit.json").read_text())["models"]
    assert [f["z_cycle_largest"] for f in figures.values()] == [0, 0]
    assert (tmp_path / "out" / "audit.png").stat().st_size > 10_000


def test_points_are_audited_by_their_modes():
    data = datasets.load("grid25", train_split="train[:1000]", test_split="test[:500]")
    model = models.Model(
        name="exact",
        encode=None,
        decode=lambda rows: data.train[np.asarray(rows)[:, 0].astype(int)],
        prior=lambda n, seed: np.random.default_rng(seed).integers(1000, size=(n, 1)),
        law="normal",
        shape=(2,),
    )
    found = measures.images(measures.gather(model, data, 0, 2500), data)
    assert found["modes"] == 25 and found["high_quality"] > 0.97
    (sentence,) = audit.verdicts(found)
    assert sentence.startswith("samples: 25 of 25 modes captured")


def test_a_judge_of_heavy_tails_is_no_worse_than_none():
    rng = np.random.default_rng(0)
    tails = {True: 2.0, False: 0.0}
    pairs = {}
    for real, spread in tails.items():
        z = rng.standard_normal((2000, 10)) * np.exp(spread * rng.standard_normal((2000, 1)))
        pairs[real] = rng.standard_normal((2000, 20)).astype("f4"), z.astype("f4")
    draw = lambda real, n: tuple(part[:n] for part in pairs[real])  # noqa: E731
    fresh = [judges.Readout(p, draw) for p in (30, 300)]
    judges.fit(fresh, draw, 2000)
    for judge in fresh:
        # On the pairs of its training; full steps of Newton's end at -300 nats and below.
        assert judges.verdict(judge.logits, draw, 2000)["objective"] > 0
