"""Slopes against explicit Jacobians, stability and bridges against what is known in closed form."""

import json
import math
import shutil
from types import SimpleNamespace

import games
import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import lipschitz as command
from zoo import metrics
from zoo import models
from zoo.audit import __main__ as audit
from zoo.audit import measures
from zoo.datasets import MIXTURES
from zoo.metrics.sensitivity import summary
from zoo.plots import frontier


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def explicit(function, points):
    """Largest singular value of the Jacobian that reverse mode builds row by row."""
    x = tf.constant(points)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        rows = tf.unstack(function(x), axis=1)
    jacobians = np.stack([tape.gradient(row, x).numpy() for row in rows], axis=1)
    jacobians = jacobians.reshape(len(points), len(rows), -1)
    return np.linalg.svd(jacobians, compute_uv=False)[:, 0]


def network(batch_norm="inference"):
    """6 → 5 coordinates through kinks, and batch norm with statistics of its own."""
    keras.utils.set_random_seed(1)
    norm = keras.layers.BatchNormalization()
    layers = [keras.layers.Dense(9), norm, keras.layers.LeakyReLU(), keras.layers.Dense(5)]
    net = keras.Sequential(layers)
    net(np.zeros((1, 6)))
    norm.moving_variance.assign(np.linspace(0.1, 2, 9))
    return lambda x: net(x, training=batch_norm == "training")


class TestLipschitz:
    def test_linear_map(self):
        matrix = normal(0, 4, 3)
        exact = np.linalg.svd(matrix, compute_uv=False)
        values, residuals = metrics.lipschitz(lambda x: x @ matrix, normal(1, 7, 4), 60)
        np.testing.assert_allclose(values, exact[0], rtol=1e-4)
        assert np.all(residuals < 1e-2)

    def test_network_is_its_explicit_jacobian(self):
        function, points = network(), normal(2, 11, 6)
        # Batches of 4, of which the last is filled up.
        values, residuals = metrics.lipschitz(function, points, 80, batch_size=4)
        exact = explicit(function, points)
        assert exact.max() > 1.2 * exact.min()
        np.testing.assert_allclose(values, exact, rtol=2e-3)
        assert np.all(residuals < 0.05)

    def test_too_few_steps_are_from_below_and_say_so(self):
        function, points = network(), normal(2, 12, 6)
        exact = explicit(function, points)
        for steps in (1, 3):
            values, residuals = metrics.lipschitz(function, points, steps)
            assert np.all(values <= exact * (1 + 1e-5))
            assert np.any(values < 0.98 * exact)
            assert summary(values, residuals)["converged"] < 1

    def test_residual_bounds_the_distance_to_an_eigenvalue(self):
        matrix = np.diag([3.0, 2.0, 0.5]).astype("float32")
        values, residuals = metrics.lipschitz(lambda x: x @ matrix, normal(0, 30, 3), 4)
        eigenvalues = np.array([9, 4, 0.25])
        distance = np.abs(eigenvalues - values[:, None] ** 2).min(axis=1)
        assert np.all(distance <= residuals * values**2 + 1e-4) and residuals.max() > 0.05

    def test_through_a_loop_and_a_gradient_of_ones_own(self):
        @tf.custom_gradient
        def doubled(x):
            return 2 * x, lambda upstream: 2 * upstream

        def function(x):
            return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, doubled(y)), (0, x))[1]

        values, _ = metrics.lipschitz(function, normal(0, 2, 3), 2)
        np.testing.assert_allclose(values, 8, rtol=1e-5)

    def test_a_constant_has_no_slope(self):
        values, residuals = metrics.lipschitz(lambda x: 0 * x, normal(0, 3, 2))
        assert not values.any() and not residuals.any()

    def test_images_and_seeds(self):
        game, x = games.make("bigan"), games.examples(n=5)
        values, _ = metrics.lipschitz(game.encode, x, 40)
        np.testing.assert_allclose(values, explicit(game.encode, x), rtol=0.02)
        first = [metrics.lipschitz(game.encode, x, 1, seed)[0] for seed in (0, 0, 1)]
        np.testing.assert_array_equal(first[0], first[1])
        assert np.any(first[0] != first[2])

    def test_errors(self, monkeypatch):
        x = normal(0, 6, 6)
        with pytest.raises(ValueError, match="no gradient"):
            metrics.lipschitz(lambda batch: tf.round(batch) * 0, x)
        with pytest.raises(ValueError, match="inference mode"):
            metrics.lipschitz(network("training"), x)
        with pytest.raises(ValueError, match="noise"):
            metrics.lipschitz(lambda batch: batch + tf.random.normal(batch.shape), x)
        with pytest.raises(ValueError, match="0 points"):
            metrics.lipschitz(network(), x[:0])
        with pytest.raises(ValueError, match="steps=0"):
            metrics.lipschitz(network(), x, steps=0)
        monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
        with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow or jax; it is 'torch'"):
            metrics.lipschitz(network(), x)

    def test_summary(self):
        figures = summary(np.arange(101.0), np.linspace(0, 0.1, 101))
        assert figures == {
            "median": 50,
            "95": 95,
            "max": 100,
            "n": 101,
            "converged": pytest.approx(50 / 101, abs=0.01),
        }


class TestStability:
    def test_linear_map_in_closed_form(self):
        # |ξA|² / |ξ|² has mean |A|_F² / d; for equal singular values it has no variance.
        turn = np.linalg.qr(normal(0, 5, 5))[0].astype("float32")
        assert metrics.stability(lambda x: 3 * x @ turn, normal(1, 50, 5)) == pytest.approx(3, 1e-3)
        matrix = np.diag([4.0, 1.0]).astype("float32")
        angles = np.linspace(0, 2 * np.pi, 10_000)
        exact = np.hypot(4 * np.cos(angles), np.sin(angles)).mean()
        measured = metrics.stability(lambda x: x @ matrix, np.zeros((40_000, 2)))
        assert measured == pytest.approx(exact, rel=0.01)

    def test_size_of_the_noise(self):
        def jump(x):
            return np.where(x > 0, 1.0, 0.0)

        points = np.full((20_000, 1), 0.1)
        # A step of 1 is taken where τξ < -0.1, and 1 / |τξ| has no closed form there: a plain sum.
        for tau in (0.05, 0.5):
            noise = tau * np.random.default_rng(3).standard_normal(points.shape)
            expected = np.mean((noise < -0.1) / np.abs(noise))
            assert metrics.stability(jump, points, tau, 3) == pytest.approx(expected, rel=1e-3)
        with pytest.raises(ValueError, match="tau"):
            metrics.stability(jump, points, 0)


def test_a_secant_of_a_game_of_classes_stays_in_one_class():
    classes = np.arange(3.0)[:, None]
    steps = lambda z: np.resize(classes, (len(z), 1))  # noqa: E731  (row i is of class i)
    z = np.zeros((3, 1))
    np.testing.assert_array_equal(metrics.secants(steps, z, z + 1, 4), [0, 0, 0])


def test_secants_are_the_steepest_piece():
    # A ramp of slope 10 between 0.4 and 0.5: of four pieces of [0, 1] the second has all of it but
    # nothing else, so its ratio is 1 / 0.25; of ten pieces one is the ramp.
    def ramp(z):
        return np.clip(10 * (z - 0.4), 0, 1)

    z, other = np.array([[0.0], [0.6]]), np.array([[1.0], [1.0]])
    np.testing.assert_allclose(metrics.secants(ramp, z, other, 4), [4, 0], atol=1e-5)
    np.testing.assert_allclose(metrics.secants(ramp, z, other, 10), [10, 0], atol=1e-4)
    with pytest.raises(ValueError, match="differ"):
        metrics.secants(ramp, z, z)


class TestBridge:
    def test_is_the_double_loop(self):
        samples, real, held_out = normal(0, 30, 2, 2), normal(1, 25, 2, 2), normal(2, 20, 2, 2)

        def nearest(points, others):
            return [min(np.linalg.norm(p - q) for q in others if q is not p) for p in points]

        real, samples = list(real), list(samples)
        threshold = np.quantile(nearest(real, real), 0.8)
        figures = metrics.bridge(np.array(samples), np.array(real), held_out, 0.8)
        assert figures["bridge_threshold"] == pytest.approx(threshold, rel=1e-5)
        assert figures["bridge"] == np.mean(np.array(nearest(samples, real)) > threshold)
        assert figures["bridge_real"] == np.mean(np.array(nearest(held_out, real)) > threshold)

    def test_points_between_two_clouds_are_the_bridge(self):
        clouds = np.concatenate([normal(0, 500, 2) * 0.1 + s for s in (-2, 2)])
        between = np.linspace(-1, 1, 30)[:, None] * [1, 1]
        samples = np.concatenate([clouds[:70] + 0.001, between])
        assert metrics.bridge(samples, clouds)["bridge"] == 0.3
        fresh = np.concatenate([normal(1, 500, 2) * 0.1 + s for s in (-2, 2)])
        assert metrics.bridge(samples, clouds, fresh)["bridge_real"] < 0.03

    def test_distances_to_the_nearest(self):
        # Neighbours 1 apart; (2, 0.7) is 0.7 from (2, 0) and (3.8, 0.9) is 1.2 from (3, 0).
        real = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])
        samples = np.array([[2, 0.7], [3.8, 0.9]])
        assert metrics.bridge(samples, real, quantile=1)["bridge"] == 0.5
        assert metrics.bridge(samples[1:] - 0.3, real, quantile=1)["bridge"] == 0

    def test_mixture(self):
        centres, std = MIXTURES["grid25"]
        samples = centres[:4] + np.array([[0, 0], [0.149, 0], [0, 0.151], [1, 1]])
        figures = metrics.mixture_bridge(samples, centres, std)
        assert figures == {"bridge": 0.5, "bridge_real": pytest.approx(0.0111, abs=1e-4)}
        exact = centres[np.arange(50_000) % 25] + std * normal(0, 50_000, 2)
        measured = metrics.mixture_bridge(exact, centres, std)
        assert measured["bridge"] == pytest.approx(measured["bridge_real"], abs=0.002)

    def test_least_bridge_is_reached_by_the_steepest_ramp(self):
        # z in R, G(z) = L z clipped to ±g/2: ends at distance g, and between them all |z| < g / 2L.
        gap, slope = 2.0, 5.0
        z = normal(0, 400_000, 1)
        generated = np.clip(slope * z, -gap / 2, gap / 2)
        measured = np.mean(np.abs(generated) < gap / 2)
        assert metrics.least_bridge(gap, slope) == pytest.approx(measured, abs=0.003)
        small = metrics.least_bridge(0.01, 1.0)
        assert small == pytest.approx(0.01 / math.sqrt(2 * math.pi), rel=1e-3)

    def test_errors(self):
        x = normal(0, 5, 2)
        with pytest.raises(ValueError, match="at least 2"):
            metrics.bridge(x, x[:1])
        with pytest.raises(ValueError, match="shape"):
            metrics.bridge(x[:, :1], x)
        with pytest.raises(ValueError, match="quantile"):
            metrics.bridge(x, x, quantile=99)
        with pytest.raises(ValueError, match="slope"):
            metrics.least_bridge(1.0, 0.0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder of a run, of a SavedModel of the same game, of a GAN; `--dataset`)."""
    folder = tmp_path_factory.mktemp("models")
    bigan, gan = games.make("bigan"), games.make("gan")
    (folder / "run").mkdir()
    bigan.save(folder / "run" / "game.keras")
    gan.save(folder / "gan.keras")
    games.export(bigan, folder / "saved")
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1)).astype("uint8")
    np.savez(folder / "tiny.npz", x_train=pixels[:40], x_test=pixels[40:])
    paths = [str(folder / name) for name in ("run", "saved", "gan.keras")]
    return paths, f"--dataset=npz:{folder / 'tiny.npz'}"


class TestCommand:
    def test_a_loaded_signature_has_the_slopes_of_its_game(self, trained):
        (run, saved, _), _ = trained
        game, loaded = models.load(run), models.load(saved)
        assert loaded.shape == (8, 8, 1)
        for function, same, points in (
            (game.encode, loaded.encode, games.examples(n=6)),
            (game.decode, loaded.decode, normal(0, 6, 3)),
        ):
            expected, found = (metrics.lipschitz(f, points)[0] for f in (function, same))
            np.testing.assert_allclose(found, expected, rtol=1e-4)
            assert np.all(found > 0)

    def test_models_of_one_name_are_told_apart_and_none_is_read_twice(
        self, trained, tmp_path, capsys
    ):
        run, twin = trained[0][0], str(tmp_path / "run")
        shutil.copytree(run, twin)
        found = [(name, path) for name, path, *_ in models.load_each([run, run, twin])]
        assert found == [("run", run), (twin, twin)]
        assert capsys.readouterr().err.splitlines() == [f"{run} (1 of 2) …", f"{twin} (2 of 2) …"]

    def test_table_figures_and_picture(self, trained, tmp_path, capsys):
        paths, dataset = trained
        command.main(["lipschitz", *paths, dataset, "--points=9", "--samples=20", "--steps=3",
                      f"--out={tmp_path / 'new'}"])  # fmt: skip
        lines = capsys.readouterr().out.splitlines()
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[:5]]
        assert [row[0] for row in cells] == ["model", "---", "run", "saved", "gan"]
        assert all(len(row) == len(cells[0]) for row in cells)
        # An encoder has the same slopes from both files; a GAN has none.
        assert cells[2][1:4] == cells[3][1:4] and "–" not in cells[2]
        missing = [head for head, cell in zip(cells[0], cells[4], strict=True) if cell == "–"]
        assert missing == ["L_E median", "95 %", "max", "S_E", "x-cycle ratio", "z-cycle ratio"]
        written = json.loads((tmp_path / "new" / "lipschitz.json").read_text())
        figures = written["models"]["run"]
        assert f"{figures['lipschitz_g_max']:.2f}" == cells[2][6]
        assert figures["bridge_times_slope"] == figures["bridge"] * figures["lipschitz_g_median"]
        assert (tmp_path / "new" / "lipschitz.png").stat().st_size > 10_000

    def test_each_model_is_held_against_what_it_was_trained_on(self, trained, tmp_path, capsys):
        (run, *_), dataset = trained
        dataset = dataset.partition("=")[2]
        shutil.copytree(run, tmp_path / "run")
        settings = {"dataset": dataset, "image_size": 0}
        (tmp_path / "run" / "config.json").write_text(json.dumps({"settings": settings}))
        small = ["--points=9", "--samples=20", "--steps=1", f"--out={tmp_path / 'new'}"]
        command.main(["lipschitz", str(tmp_path / "run"), *small])
        assert f"9 points of {dataset}, seed 0" in capsys.readouterr().out
        held = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(measures, "audit_and_show", lambda _, data, *rest: held.append(data))
            with pytest.raises(TypeError):  # what is patched in measures nothing
                audit.main(["audit", str(tmp_path / "run"), f"--out={tmp_path}"])
        assert [data.name for data in held] == [dataset]

    @pytest.mark.parametrize(
        "arguments, said",
        [
            (["x", "--points=1"], "--points must be 2"),
            (["bigan_mnist", "--dataset=nothing"], "unknown data set"),
            (["bigan_mnist", "x", "--dataset=nothing"], "no game at x"),
        ],
    )
    def test_bad_input_is_one_line(self, arguments, said, tmp_path, refused):
        words = ["lipschitz", f"--out={tmp_path}", *arguments]
        error = refused(command.main, words).strip().splitlines()[-1]
        assert error.startswith("error: ") and said in error

    def test_models_of_another_shape_are_named(self, trained, tmp_path, capsys):
        with pytest.raises(SystemExit):
            command.main(["lipschitz", trained[0][0], "--dataset=ring8", f"--out={tmp_path}"])
        assert "ring8 must have examples of shape (8, 8, 1)" in capsys.readouterr().err


def test_frontier_leaves_out_what_is_missing(tmp_path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from zoo.plots.frontier import draw_points

    figure = Figure(figsize=(7, 5))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    names = ["one", "two", "none", "far"]
    draw_points(axes, [10, 10.1, math.nan, 90], [0.5, 0.5, 0.2, 0.3], names)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "two", "far"]
    frontier.draw(tmp_path / "empty.png", {"gan": {"lipschitz_g_median": 3.0}})
    assert (tmp_path / "empty.png").exists()


def test_noise_that_is_copied_is_no_reconstruction():
    # E reads the noise pixels and G writes them back, under an image that has nothing to do with x.
    game = zoo.Counterexample((8, 8, 1), latent_dim=16, support=64)
    pixels = np.random.default_rng(0).integers(0, 256, (564, 8, 8, 1)).astype("uint8")
    game.remember(pixels[:64])
    data = SimpleNamespace(name="noise", shape=(8, 8, 1), train=pixels[:64], test=pixels[64:])
    args = SimpleNamespace(seed=0, samples=500, points=2, steps=1, tau=0.1)
    figures = command.measure(models.of_game(game), data, args)
    # 48 pixels of independent noise in [-1, 1], of variance 1/3, less those of another image.
    assert figures["x_cycle"] == pytest.approx(math.sqrt(48 * 2 / 3), rel=0.02)
    assert figures["x_cycle_ratio"] == pytest.approx(1, abs=0.02)


def test_a_mixture_is_judged_by_its_modes():
    centres, std = MIXTURES["ring8"]
    model = models.Model(
        "exact", None, lambda z: tf.cast(z, tf.float32),
        lambda n, seed: (centres[np.arange(n) % 8] + std * normal(seed, n, 2)), "ring", (2,),
    )  # fmt: skip
    data = SimpleNamespace(name="ring8", shape=(2,), test=normal(1, 50, 2), train=normal(2, 50, 2))
    args = SimpleNamespace(seed=0, samples=2000, points=10, steps=5, tau=0.1)
    figures = command.measure(model, data, args)
    assert figures["bridge"] == pytest.approx(math.exp(-4.5), abs=0.008)
    assert figures["lipschitz_g_median"] == pytest.approx(1, rel=1e-4)
    assert "x_cycle_ratio" not in figures
