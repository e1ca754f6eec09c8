"""`python -m trainers.counterexample`: streams, cells that are kept, fits and words."""

import dataclasses
import importlib
import json

import numpy as np
import pytest

from trainers.counterexample import __main__ as command
from trainers.counterexample import evidence
from trainers.counterexample import plans
from trainers.counterexample.pairs import CONTRASTS
from trainers.counterexample.pairs import HELD_OUT
from trainers.counterexample.pairs import Pairs
from trainers.counterexample.pairs import around
from trainers.experiments import figures
from trainers.experiments import fits
from trainers.experiments import judging
from trainers.experiments import planning
from trainers.experiments.network import Network
from zoo import counterexample
from zoo import datasets
from zoo.metrics import judges


@pytest.fixture(scope="module")
def data():
    return datasets.load("fashion_mnist_10k", train_split="train[:500]", test_split="test[:200]")


@pytest.fixture(scope="module")
def game(data):
    return counterexample.build(data, 64, 16, seed=0)


def test_streams_are_what_they_are_called(game, data):
    pairs = Pairs(game, data.train, seed=0)
    for name in CONTRASTS:
        for real in (True, False):
            x, z = pairs.contrast(name)(real, 50)
            assert x.shape == (50, 28, 28, 1) and z.shape == (50, 16)
    stored = counterexample.chosen(data, 64, 0)
    pairs = Pairs(game, data.train, seed=0, stored=stored)
    off = game.noised.clean((28, 28, 1))
    known = [
        {image[off].tobytes() for image in data.train[rows]}
        for rows in (stored, pairs.halves[0], pairs.halves[1])
    ]
    for held_out in (False, True):
        draw = pairs.contrast(HELD_OUT, held_out)
        seen = [image[off].tobytes() for image in datasets.unscale(draw(True, 50)[0])]
        assert [sum(image in some for image in seen) for some in known] == [
            0,
            50 * (not held_out),
            50 * held_out,
        ]
        assert all(
            image[off].tobytes() in known[0] for image in datasets.unscale(draw(False, 50)[0])
        )
    encoded, generated = pairs.contrast("pair")(True, 50), pairs.contrast("pair")(False, 50)
    for x, z in (encoded, generated):
        np.testing.assert_array_equal(np.asarray(game.encode(x)), z)
    np.testing.assert_array_equal(np.asarray(game.decode(generated[1])), generated[0])
    x, z = pairs.contrast("no overwrite")(False, 50)
    stored = {image.tobytes() for image in data.train}
    assert all(image.tobytes() in stored for image in datasets.unscale(x))
    assert np.all(np.asarray(game.encode(x)) != z)
    _, z = pairs.contrast("random encoder")(True, 4000)
    np.testing.assert_allclose(z.std(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=0.1)


@pytest.mark.slow
def test_finished_cells_are_kept_and_only_missing_ones_measured(data, tmp_path, capsys):
    plan = judging.Plan(
        contrasts=tuple(CONTRASTS),
        supports=(16,),
        readouts=(10,),
        widths=(1,),
        budget=2000,
        held_out=500,
        repeats=1,
        control=16,
    )
    path = tmp_path / "cells.json"
    rows = judging.run(plan, around(data, 16), 0, path)
    assert [row["contrast"] for row in rows] == [name for name in CONTRASTS for _ in range(2)]
    assert json.loads(path.read_text()) == rows
    path.write_text(json.dumps(rows[:-2]))
    capsys.readouterr()
    again = judging.run(plan, around(data, 16), 0, path)
    assert "[1/1] random encoder" in capsys.readouterr().out
    assert again[-2]["accuracy"] == rows[-2]["accuracy"]  # same seed, same pairs


def cell(m, accuracy, p=100, contrast="pair", repeat=0):
    return {
        "contrast": contrast,
        "support": m,
        "repeat": repeat,
        "parameters": p,
        "judge": "readout",
        "accuracy": accuracy,
        "accuracy_se": 0.001,
    }


def test_exponents_are_those_of_a_power_law_and_leave_out_what_is_noise():
    rows = [cell(m, 0.5 + m**-0.6) for m in (64, 256, 1024)] + [cell(4096, 0.501)]
    (found,) = fits.exponents(rows)
    assert found["exponent"] == pytest.approx(-0.6, abs=1e-6)
    assert found["supports"] == [64, 256, 1024]
    assert fits.exponents(rows[:2]) == []
    gaps = [row | {"gap": row["support"] ** -1.2, "gap_se": 1e-9} for row in rows]
    (found,) = fits.exponents(gaps, "gap", 0.0)
    assert found["exponent"] == pytest.approx(-1.2) and len(found["supports"]) == 4


def test_errors_are_over_repeats_where_there_are_several():
    rows = [cell(64, 0.6, repeat=0), cell(64, 0.64, repeat=1)]
    p, mean, error = figures.series(rows, "pair", 64, "accuracy")
    assert (p[0], mean[0]) == (100, pytest.approx(0.62))
    assert error[0] == pytest.approx(0.02)  # 0.02 · √2 / √2
    assert figures.series(rows[:1], "pair", 64, "accuracy")[2][0] == 0.001


def test_samples_are_training_images_and_an_informed_judge_learns_nothing(game, data):
    z = np.random.default_rng(0).standard_normal((300, 16)).astype(np.float32)
    pairs = Pairs(game, data.train, seed=0)
    informed = evidence.informed(game, pairs, 300)
    assert informed == {"informed_encoded": 0, "informed_generated": 0}
    # A stream that handed out other codes than E(x) would be found out.
    pairs.encoded = lambda n: (pairs.generated(n)[0], z)
    assert evidence.informed(game, pairs, 300)["informed_encoded"] > 1
    samples = np.asarray(game.decode(z))
    found = evidence.memorised(game, samples, data.train)
    assert found["memorised"] == 1 and 40 < found["stored_seen"] <= 64
    changed = samples.copy()
    changed[:, 5, 5] += 0.5
    assert evidence.memorised(game, changed, data.train)["memorised"] == 0


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("counterexample", "--support=1", "support must be 2 to 2^20; got 1"),
        ("counterexample", "--support=9000", "training images; fashion_mnist_10k has 8000"),
        ("counterexample", "--support=64,many", "separated by commas; got '64,many'"),
        ("counterexample", "--latent_dim=784", "latent_dim must be 1 to 783"),
        ("counterexample", "--dataset=grid25", "image_shape must be that of an image"),
        ("counterexample", "--repeats=0", "--repeats must be 1 or more; got 0"),
        ("counterexample", "--seeed=1", "unknown flag --seeed; did you mean --seed? See --help"),
        ("memorizer", "--support=1", "support must be 2 to 2^20; got 1"),
        ("memorizer", "--support=7900", "support must leave 200 of the 8000 training images"),
        ("memorizer", "--dataset=grid25", "image_shape must be that of an image"),
        ("memorizer", "--gan=vae", "vae"),
        ("memorizer", "--beside=nowhere", "nowhere holds no cells of an experiment"),
        ("theory", "", "must be one of collapse, capacity, cycles, stability; got none"),
        ("theory", "collaps", "got collaps"),
        ("theory", "capacity --methods=vae", "--methods must be among gan, bigan; got vae"),
        ("theory", "stability --dataset=circle", "--dataset must be one of grid25, ring8"),
        ("theory", "cycles --dataset=fashion_mnist_10k", "must be a set of points; got"),
        ("theory", "collapse --dataset=ring8", "must have a shipped classifier"),
        ("theory", "collapse --seeds=0", "--seeds must be 1 or more"),
    ],
)
def test_bad_input_leaves_nothing_behind(name, words, message, tmp_path, refused):
    main = importlib.import_module(f"trainers.{name}.__main__").main
    assert message in refused(main, [name, *words.split(), f"--run_dir={tmp_path / 'out'}"])
    assert not list(tmp_path.iterdir())


def test_an_experiment_with_other_settings_is_not_gone_on_with(tmp_path, capsys):
    args = command.commands.parse("", command.FLAGS, ["x"])[0]
    planning.settle(tmp_path, args, "one")
    planning.settle(tmp_path, args, "one")
    with pytest.raises(ValueError, match="holds an experiment with other settings"):
        planning.settle(tmp_path, args, "two")
    path = tmp_path / "settings.json"
    older = json.loads(path.read_text())
    del older["experiment"]
    path.write_text(json.dumps(older))
    planning.settle(tmp_path, args, "one")
    args.seed = 1
    with pytest.raises(ValueError, match="holds an experiment with other settings"):
        planning.settle(tmp_path, args, "one")
    path.write_text(path.read_text()[:-5])
    with pytest.raises(ValueError, match="settings.json is damaged .*give another --run_dir"):
        planning.settle(tmp_path, args, "one")


def test_one_process_at_a_time_measures_the_cells_of_a_directory(tmp_path, capsys):
    def measure(cell):
        with pytest.raises(SystemExit):  # as a second process would
            planning.resume(tmp_path / "cells.json", [{"seed": 1}], measure)
        return [{"seconds": 0}]

    rows = planning.resume(tmp_path / "cells.json", [{"seed": 0}], measure)
    assert rows == [{"seed": 0, "seconds": 0}]
    assert "another process" in capsys.readouterr().err


@pytest.mark.slow
def test_a_network_sees_that_the_overwrite_is_missing(game, data):
    pairs = Pairs(game, data.train, seed=0)
    judge = Network(1, game, seed=0)
    assert judge.parameters == sum(np.size(w) for w in judge.network.trainable_variables)
    judge.fit(pairs.contrast("no overwrite"), 20_000)
    found = judges.verdict(judge.logits, pairs.contrast("no overwrite"), 2000)
    assert found["accuracy"] > 0.9


@pytest.mark.slow
def test_the_quick_experiment_shows_the_mechanism(tmp_path, capsys):
    command.main(["counterexample", "--quick", f"--run_dir={tmp_path}"])
    rows = json.loads((tmp_path / "cells.json").read_text())

    def accuracy(contrast, m, p):
        return next(
            row["accuracy"]
            for row in rows
            if (row["contrast"], row["support"], row["parameters"]) == (contrast, m, p)
        )

    for p in (30, 100, 300):
        assert accuracy("pair", 64, p) - 0.5 > 2 * (accuracy("pair", 1024, p) - 0.5)
        assert abs(accuracy("null", 1024, p) - 0.5) < 0.01
        for control in ("no overwrite", "random encoder"):
            assert accuracy(control, 1024, p) > accuracy("pair", 1024, p) + 0.04
    for name in ("report.md", "cells.csv", "accuracy.png", "pair.png", "audit.json", "game.keras"):
        assert (tmp_path / name).stat().st_size > 300
    assert dataclasses.asdict(plans.QUICK)["repeats"] == 1
