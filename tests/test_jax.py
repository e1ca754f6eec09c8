"""What only JAX does. `KERAS_BACKEND=jax python -m pytest` runs it; so does test_backends.py."""

import importlib
import json
import os

import keras
import numpy as np
import pytest
from games import batch
from games import examples
from games import make
from games import step

import zoo
from trainers.distribute import jax_devices
from zoo import datasets
from zoo import metrics
from zoo import models
from zoo.audit import measures

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="needs KERAS_BACKEND=jax; test_backends.py starts it"
)
methods = pytest.mark.parametrize(
    "method",
    [m if m == "bigan" else pytest.param(m, marks=pytest.mark.slow) for m in zoo.METHODS],
)


def numbers(game):
    return [keras.ops.convert_to_numpy(v) for v in game.variables]


@methods
def test_two_devices_end_where_one_does(method, two_devices):
    one = make(method, rate=0.002, ema=0.9)
    x = batch(one)
    start = numbers(one)
    logs_one = step(one, x, steps=5)
    with two_devices.scope():
        two = make(method, rate=0.002, ema=0.9)
        logs_two = step(two, x, steps=5)
        assert len(two.trainable_variables[0].value.sharding.device_set) == 2
    end = numbers(one)
    for variable, a, b in zip(one.variables, end, numbers(two), strict=True):
        apart = np.linalg.norm(np.float64(a) - b)
        # Biases begin at 0, and what moves them may cancel to little more than rounding.
        assert apart <= 1e-5 * np.linalg.norm(a) + 1e-8, (variable.path, apart, np.linalg.norm(a))
    assert any(np.any(a != b) for a, b in zip(start, end, strict=True))
    assert logs_two == pytest.approx(logs_one, rel=1e-5)


@methods
def test_two_devices_draw_the_noise_of_one(method, two_devices):
    one = make(method)
    with two_devices.scope():
        two = make(method)
    for game in (one, two):
        game.drawn = keras.ops.convert_to_numpy(game.noise(8))
    np.testing.assert_array_equal(one.drawn, two.drawn)
    assert len(np.unique(one.drawn)) == one.drawn.size


def test_players_of_a_phase_share_one_forward_pass():
    game = make("bigan")
    played = []
    play = game.play
    game.play = lambda x, z: played.append(x) or play(x, z)
    step(game, examples(), steps=3)
    assert len(played) == 1, "traced once, for both players and all steps"


def test_run_eagerly_takes_the_step_that_is_compiled_otherwise():
    compiled, eager = make("bigan"), make("bigan")
    eager.compile({p: keras.optimizers.SGD(0.05) for p in eager.players}, run_eagerly=True)
    assert compiled.jit_compile and not eager.jit_compile
    assert step(eager, examples()) == pytest.approx(step(compiled, examples()), rel=1e-5)


def test_training_is_fed_by_numpy():
    (batch,) = next(datasets.batches(np.zeros((10, 8, 8, 1), np.uint8), 4, seed=0))
    assert type(batch) is np.ndarray and batch.shape == (4, 8, 8, 1)


def test_slopes_are_those_of_the_explicit_jacobian():
    import jax

    game = make("bigan")
    x = examples()[:6]
    jacobians = jax.vmap(jax.jacobian(lambda one: game.encode(one[None])[0]))(x)
    exact = np.linalg.svd(np.reshape(jacobians, (len(x), game.latent_dim, -1)), compute_uv=False)
    values, residuals = metrics.lipschitz(game.encode, x, steps=60, batch_size=4)
    np.testing.assert_allclose(values, exact[:, 0], rtol=0.02)
    assert values.min() > 1e-3 and np.median(residuals) < 0.05
    with pytest.raises(ValueError, match="no gradient"):
        metrics.lipschitz(lambda batch: 2 * np.asarray(batch), x)


def test_every_part_of_an_audit_is_measured_on_jax():
    images = np.random.default_rng(0).integers(0, 256, (120, 8, 8, 1)).astype("uint8")
    labels = np.arange(120) % 3
    parts = {"train": images, "test": images ^ 3}
    kinds = {"train_labels": labels, "test_labels": labels, "classes": ("a", "b", "c")}
    data = datasets.Dataset(name="tiny", source="noise", **parts, **kinds)
    found = measures.audit(models.of_game(make("bigan"), "tiny"), data, samples=200)
    for key in ("judge_30_accuracy", "x_cycle_ratio", "mmd", "knn_code", "lipschitz_g_median"):
        assert np.isfinite(found[key])


def test_auto_takes_all_devices_and_says_so():
    try:
        placed, said = jax_devices.build("auto")
        assert placed.num_replicas_in_sync == 2
        assert keras.distribution.distribution() is placed.distribution
        assert "2 devices, cpu:0, cpu:1" in said and "all that it sees" in said
    finally:
        keras.distribution.set_distribution(None)
    placed, said = jax_devices.build("one_device")
    assert placed.num_replicas_in_sync == 1 and "as --strategy asks" in said
    assert keras.distribution.distribution() is None


@methods
def test_a_trainer_runs_resumes_and_reports_on_jax(method, tmp_path, capsys, refused):
    from trainers.runs import run

    rng = np.random.default_rng(0)
    # Four steps an epoch, whatever a step takes.
    n = 90 * zoo.method(method).batches_for()
    sets = {"x_train": rng.integers(0, 256, (n, 8, 8, 1)).astype("uint8")}
    sets |= {"x_test": sets["x_train"][:40] ^ 1}
    sets |= {"y_train": np.arange(n) % 2, "y_test": np.arange(40) % 2}
    np.savez(tmp_path / "tiny.npz", **sets)
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    network = "dcgan" if method == "bigbigan" else "mlp"
    words = [f"{method}.py", f"--dataset=npz:{tmp_path / 'tiny.npz'}", f"--network={network}"]
    # The generator that its recipe begins with is of another size.
    words += ["--start_from="] * (method == "naive_encoder")
    words += ["--width=1", "--latent_dim=3", "--batch_size=20", f"--run_dir={tmp_path / 'run'}"]
    words += ["--steps_per_execution=1", "--evaluate_every=1"]
    if "b" in zoo.method(method).inputs:
        np.savez(tmp_path / "other.npz", **sets)
        words += [f"--dataset_b=npz:{tmp_path / 'other.npz'}"]
    try:
        run.main(recipe, [*words, "--epochs=2"])
        assert "JAX divides each batch among 2 devices" in capsys.readouterr().out
        assert "cannot be shared by 2 replicas; take 20" in refused(
            run.main, recipe, [*words, "--epochs=2", "--batch_size=21"]
        )
        run.main(recipe, [*words, "--epochs=2"])
        assert "resuming from step 8 of 8" in capsys.readouterr().out
    finally:
        keras.distribution.set_distribution(None)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["backend"] == "jax" and "jax" in config["versions"]
    assert os.path.getsize(tmp_path / "run" / "report.png") > 10_000
    game = zoo.load(tmp_path / "run")
    assert int(game.optimizer.iterations.numpy()) == 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--strategy=mirrored"], "one of auto, one_device on JAX; got 'mirrored'"),
        (["--strategy=multi_worker_mirrored"], "--strategy=auto takes all devices that JAX sees"),
        (["--strategy=tpu"], "without KERAS_BACKEND=jax, TensorFlow has more"),
        (["--tpu=local"], "--tpu=local is for TensorFlow"),
        (["--devices=GPU:0"], "choose with CUDA_VISIBLE_DEVICES"),
        (["--nosync_batch_norm"], "on JAX a batch is one array"),
        ([], "TF_CONFIG names several workers, which train together on TensorFlow only"),
    ],
)
def test_what_jax_does_not_have_is_refused_at_once(words, said, tmp_path, refused, monkeypatch):
    from trainers.bigan import RECIPE
    from trainers.runs import run

    if not words:
        pair = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(pair))
    assert said in refused(run.main, RECIPE, ["bigan.py", f"--run_dir={tmp_path / 'run'}", *words])
    assert not (tmp_path / "run").exists()
