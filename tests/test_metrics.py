"""The yardsticks against values computed by hand, by plain loops, or known in closed form."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from zoo import datasets
from zoo import metrics
from zoo.datasets import MIXTURES
from zoo.datasets import scale
from zoo.metrics import classifier
from zoo.metrics import evaluation
from zoo.metrics.arrays import representative
from zoo.metrics.codes import median_distance
from zoo.metrics.codes import mmd_squared
from zoo.metrics.reconstruction import derangement


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def answers(classes, total=3):
    """What a classifier that is sure of each class answers, (n, total)."""
    return 0.1 / total + 0.9 * np.eye(total)[list(classes)]


class TestClassKept:
    def test_by_hand(self):
        # Of class 0 one of four is kept, of class 1 one of one; class 2 has no image.
        found = metrics.class_kept(answers([0, 0, 1, 0, 0]), answers([0, 1, 1, 2, 1]))
        assert found["class_kept"] == 2 / 5 and found["class_kept_chance"] == 4 / 5
        assert found["class_kept_of_each"] == [1 / 4, 1, None]
        assert found["class_kept_collapsed"] == [] and "class_kept_real" not in found

    def test_a_collapsed_class_is_named_and_labels_are_the_ceiling(self):
        # Of the 21 of class 2 one is kept, 4.8 %; of the 10 of class 1 one, 10 %.
        before, after = [2] * 21 + [1] * 10 + [0] * 9, [2] + [0] * 20 + [1] + [0] * 9 + [0] * 9
        found = metrics.class_kept(answers(before), answers(after), [2] * 20 + [1] * 11 + [0] * 9)
        assert found["class_kept"] == 11 / 40 and found["class_kept_collapsed"] == [2]
        few = metrics.class_kept(answers([2] * 19 + [1]), answers([0] * 19 + [1]))
        assert few["class_kept_collapsed"] == []  # fewer than 20 images
        # One image of label 1 looks like class 2.
        assert found["class_kept_real"] == 39 / 40

    @pytest.mark.parametrize(
        "pair",
        [
            (answers([0, 1]), answers([0])),
            (answers([0]), answers([0]) + 1),
            (answers([0]), np.full((1, 3), np.nan)),
            (np.ones((0, 3)), np.ones((0, 3))),
        ],
    )
    def test_errors(self, pair):
        with pytest.raises(ValueError, match="class_kept (needs|compares)"):
            metrics.class_kept(*pair)


class TestCycles:
    def test_by_hand(self):
        # With two examples the other one is the only mismatched partner.
        x = np.array([[[[0.0], [0.0]]], [[[1.0], [1.0]]]])
        reconstructions = np.array([[[[0.3], [0.4]]], [[[1.0], [1.0]]]])
        figures = metrics.cycles(x, reconstructions)
        assert figures["x_cycle"] == pytest.approx((0.5 + 0) / 2)
        mismatched = (math.hypot(0.7, 0.6) + math.hypot(1, 1)) / 2
        assert figures["x_cycle_mismatched"] == pytest.approx(mismatched)
        assert figures["x_cycle_ratio"] == pytest.approx(0.25 / mismatched)

    def test_perfect_reconstructions(self):
        x = normal(0, 50, 4, 4, 1)
        figures = metrics.cycles(x, x)
        assert figures["x_cycle"] == figures["x_cycle_ratio"] == 0
        # Two independent N(0, I_16) vectors lie E[chi_16] sqrt(2) = 5.57 apart.
        assert figures["x_cycle_mismatched"] == pytest.approx(5.57, abs=0.2)

    def test_reconstructions_that_ignore_x(self):
        figures = metrics.cycles(normal(1, 2000, 8), normal(2, 2000, 8))
        assert figures["x_cycle_ratio"] == pytest.approx(1, abs=0.02)

    def test_codes(self):
        z = np.array([[0.0, 0.0], [3.0, 4.0]])
        figures = metrics.z_cycle(z, z + [1, 0])
        assert figures["z_cycle"] == pytest.approx(1)
        assert figures["z_cycle_mismatched"] == pytest.approx((math.hypot(2, 4) + 32**0.5) / 2)
        assert figures["z_cycle_ratio"] == figures["z_cycle"] / figures["z_cycle_mismatched"]

    def test_distances_within_a_class_by_hand(self):
        # Class 0 at 0, 3 and 6 on a line, class 1 at 10 and 14, and one example of class 2.
        x, labels = np.array([[0.0], [10], [3], [50], [14], [6]]), np.array([0, 1, 0, 2, 1, 0])
        figures = metrics.class_distances(x, labels)
        # A derangement of three is a cycle: 3 + 3 + 6, in either order. Two are each other's.
        assert figures["x_cycle_same_class"] == pytest.approx((3 + 3 + 6 + 4 + 4) / 5)
        # The others' means are 4.5, 3 and 1.5.
        assert figures["x_cycle_class_mean"] == pytest.approx((4.5 + 0 + 4.5 + 4 + 4) / 5)
        assert metrics.class_distances(x[:2], labels[:2]) == {}
        with pytest.raises(ValueError, match=r"labels must be of shape \(6,\); got \(5,\)"):
            metrics.class_distances(x, labels[:5])

    def test_linear_r2_of_what_a_code_tells(self):
        z, noise = normal(0, 20_000, 3), normal(1, 20_000, 3)
        mixing = np.array([[1.0, 2, 0], [0, 1, 0], [0, 0, -3]])
        assert metrics.linear_r2(z, z @ mixing + 7) == pytest.approx(1)
        # z + noise of the same variance predicts half of the variance of z.
        assert metrics.linear_r2(z, z + noise) == pytest.approx(0.5, abs=0.02)
        assert metrics.linear_r2(z, noise) == pytest.approx(0, abs=0.01)
        with pytest.raises(ValueError, match="linear_r2 needs 16 draws"):
            metrics.linear_r2(z[:15], noise[:15])

    def test_equal_examples_have_no_ratio(self):
        assert math.isnan(metrics.cycles(np.ones((5, 3)), np.ones((5, 3)))["x_cycle_ratio"])

    @pytest.mark.parametrize("n", [2, 3, 10, 101])
    def test_derangement(self, n):
        partner = derangement(n, rng_seed=n)
        assert sorted(partner) == list(range(n))
        assert not np.any(partner == np.arange(n))

    @pytest.mark.parametrize("shapes", [((3, 2), (3, 3)), ((1, 2), (1, 2))])
    def test_errors(self, shapes):
        with pytest.raises(ValueError):
            metrics.cycles(*map(np.zeros, shapes))


class TestCodes:
    def test_statistics(self):
        codes = np.array([[1.0, -4.0], [3.0, 0.0]])
        figures = metrics.code_statistics(codes, np.zeros((7, 2)))
        assert figures == {
            "code_mean": 0.0,
            "code_std": pytest.approx(6.5**0.5),
            "code_largest_mean": 2.0,
            "prior_mean": 0.0,
            "prior_std": 0.0,
            "prior_largest_mean": 0.0,
        }

    def test_mmd_is_the_double_loop(self):
        a, b, s = normal(0, 20, 3), normal(1, 15, 3) + 0.5, 1.7

        def mean_kernel(first, second, same):
            values = [
                math.exp(-sum((p - q) ** 2) / (2 * s * s))
                for i, p in enumerate(first)
                for j, q in enumerate(second)
                if not (same and i == j)
            ]
            return sum(values) / len(values)

        direct = mean_kernel(a, a, True) + mean_kernel(b, b, True) - 2 * mean_kernel(a, b, False)
        assert mmd_squared(a, b, s) == pytest.approx(direct, rel=1e-9)

    def test_mmd_in_closed_form(self):
        # For N(0, I_d), N(m, I_d): 2 (s²/(s²+2))^(d/2) (1 - exp(-|m|²/(2(s²+2)))).
        d, s, m = 3, 2.0, 1.0
        exact = 2 * (s**2 / (s**2 + 2)) ** (d / 2) * (1 - math.exp(-d * m**2 / (2 * (s**2 + 2))))
        measured = mmd_squared(normal(0, 2000, d), normal(1, 2000, d) + m, s)
        assert measured == pytest.approx(exact, rel=0.1)

    def test_bandwidth_is_the_median_over_prior_pairs(self):
        points = normal(0, 12, 2)
        distances = [np.linalg.norm(points[i] - points[j]) for i in range(12) for j in range(i)]
        assert median_distance(points) == pytest.approx(np.median(distances))
        prior, other = normal(1, 60, 2), normal(2, 50, 2)
        codes = 30 * normal(3, 50, 2)
        expected = mmd_squared(codes, prior, median_distance(prior))
        assert metrics.mmd(codes, prior, other)["mmd"] == pytest.approx(expected)

    def test_null_is_centred_and_holds_its_level(self):
        d, n = 5, 60
        figures = metrics.mmd(normal(0, n, d), normal(1, 2 * n, d), normal(2, n, d), 400)
        assert abs(figures["mmd_null_mean"]) < figures["mmd_null_95"] / 5
        # Fresh pairs of prior draws must exceed the quantile about one time in twenty.
        s = median_distance(normal(1, 2 * n, d))
        fresh = [mmd_squared(normal(i, n, d), normal(i + 1, 2 * n, d), s) for i in range(3, 603, 2)]
        assert 0.01 < np.mean(np.array(fresh) > figures["mmd_null_95"]) < 0.12
        assert abs(np.mean(fresh)) < figures["mmd_null_95"] / 5

    def test_null_of_unequal_sizes_is_the_direct_one(self):
        prior, other = normal(0, 9, 2), normal(1, 4, 2)
        s, pooled = median_distance(prior), np.concatenate([other, prior])
        rng, values = np.random.default_rng(5), []
        for _ in range(100):
            order = rng.permutation(13)
            chosen = np.isin(np.arange(13), order[:4])
            values.append(mmd_squared(pooled[chosen], pooled[~chosen], s))
        figures = metrics.mmd(other, prior, other, repeats=100, rng_seed=5)
        assert figures["mmd_null_mean"] == pytest.approx(np.mean(values), abs=1e-6)
        assert figures["mmd_null_95"] == pytest.approx(np.quantile(values, 0.95), abs=1e-6)

    def test_wrong_codes_are_far_outside_the_null(self):
        prior, other = normal(1, 400, 20), normal(2, 400, 20)
        right = metrics.mmd(normal(0, 400, 20), prior, other)
        assert right["mmd"] < 2 * right["mmd_null_95"]
        for wrong in (normal(0, 400, 20) + 0.3, 0.7 * normal(0, 400, 20), np.zeros((400, 20))):
            figures = metrics.mmd(wrong, prior, other)
            assert figures["mmd"] > 10 * figures["mmd_null_95"]

    def test_errors(self):
        z = normal(0, 5, 2)
        with pytest.raises(ValueError, match="other_prior"):
            metrics.mmd(z, z, z[:4])
        with pytest.raises(ValueError, match="100"):
            metrics.mmd(z, z, z, repeats=20)
        with pytest.raises(ValueError, match="one d"):
            metrics.mmd(z, z[:, :1], z)
        with pytest.raises(ValueError, match="differ"):
            metrics.mmd(z, np.zeros((5, 2)), z)


class TestProbes:
    def test_nearest_neighbour_is_the_double_loop(self):
        train, test = normal(0, 40, 3, 2), normal(1, 30, 3, 2)
        labels, test_labels = np.arange(40) % 3, np.arange(30) % 3
        hits = 0
        for point, label in zip(test, test_labels, strict=True):
            distances = [((point - other) ** 2).sum() for other in train]
            hits += labels[int(np.argmin(distances))] == label
        accuracy = metrics.nearest_neighbour_accuracy(train, labels, test, test_labels)
        assert accuracy == pytest.approx(hits / 30)

    def test_logistic_on_two_gaussians(self):
        # Classes at ±(1, 0) with unit noise: the best accuracy is Phi(1) = 84.1 %.
        labels = np.arange(6000) % 2
        x = normal(0, 6000, 2) + np.stack([2 * labels - 1, 0 * labels], axis=1)
        # A badly scaled representation must not matter.
        x = x * [1e-3, 1e3] + [5, -7]
        accuracy = metrics.logistic_accuracy(x[:3000], labels[:3000], x[3000:], labels[3000:])
        assert accuracy == pytest.approx(0.841, abs=0.02)

    def test_logistic_uses_a_fixed_subsample(self, monkeypatch):
        monkeypatch.setattr("zoo.metrics.probes.PROBE_LIMIT", 10)
        x, labels = normal(0, 400, 5), np.arange(400) % 2
        x[:, 0] += labels
        split = (x[:200], labels[:200], x[200:], labels[200:])
        kept = np.sort(np.random.default_rng(3).choice(200, 10, replace=False))
        on_subsample = metrics.logistic_accuracy(x[kept], labels[kept], *split[2:])
        assert metrics.logistic_accuracy(*split, rng_seed=3) == on_subsample
        rare = np.arange(200) == 8  # not drawn, so its class is added
        assert 8 not in kept
        found = metrics.probes.fitted("linear", x[:200], rare, rng_seed=3)
        monkeypatch.setattr("zoo.metrics.probes.PROBE_LIMIT", 200)
        kept = np.sort([*kept, 8])
        probe = metrics.probes.fitted("linear", x[kept], rare[kept])
        np.testing.assert_array_equal(found.predict_proba(x), probe.predict_proba(x))
        assert metrics.logistic_accuracy(*split, rng_seed=3) != on_subsample

    def test_errors(self):
        x, y = np.zeros((4, 2)), np.arange(4)
        with pytest.raises(ValueError, match="4 and 3"):
            metrics.nearest_neighbour_accuracy(x, y[:3], x, y)
        with pytest.raises(ValueError, match="differ in size"):
            metrics.nearest_neighbour_accuracy(x, y, x[:, :1], y)
        with pytest.raises(ValueError, match="2 classes"):
            metrics.logistic_accuracy(x, 0 * y, x, y)


class TestModes:
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])

    def test_by_hand(self):
        # Mode 0 twice, mode 1 once, mode 2 only from 3.1 std, mode 3 never.
        samples = [[0, 0.29], [-0.2, 0], [10.1, 0.1], [0, 10.31]]
        figures = metrics.count_modes(samples, self.centres, 0.1)
        assert figures["modes"] == 2
        assert figures["modes_total"] == 4
        assert figures["high_quality"] == 0.75
        by_hand = 2 / 3 * math.log(2 / 3 * 4) + 1 / 3 * math.log(1 / 3 * 4)
        assert figures["reverse_kl"] == pytest.approx(by_hand)

    def test_extremes(self):
        even = metrics.count_modes(self.centres, self.centres, 0.1)
        assert (even["modes"], even["high_quality"], even["reverse_kl"]) == (4, 1, 0)
        single = metrics.count_modes(self.centres[:1], self.centres, 0.1)
        assert single["reverse_kl"] == pytest.approx(math.log(4))
        nothing = metrics.count_modes([[5.0, 5.0]], self.centres, 0.1)
        assert (nothing["modes"], nothing["high_quality"]) == (0, 0)
        assert math.isnan(nothing["reverse_kl"])

    def test_exact_sampler(self):
        n, k = 50_000, len(self.centres)
        samples = self.centres[np.arange(n) % k] + 0.1 * normal(0, n, 2)
        figures = metrics.count_modes(samples, self.centres, 0.1)
        assert figures["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.002)
        assert figures["reverse_kl"] < 1e-4

    @pytest.mark.parametrize("arguments", [(np.zeros((3, 3)), 1), (np.zeros((0, 2)), 1),
                                           (np.zeros((3, 2)), 0)])  # fmt: skip
    def test_errors(self, arguments):
        with pytest.raises(ValueError):
            metrics.count_modes(arguments[0], self.centres, arguments[1])


class LinearGame:
    """Stands in for a game: codes are an image's pixels, stretched; features their squares."""

    has_encoder, inputs = True, ("x", "z")

    def __init__(self, shape, stretch=1.0):
        self.image_shape, self.stretch = shape, stretch
        self.latent_dim = math.prod(shape)

    def observed(self, x, seed):
        return x

    def encode(self, x):
        assert len(x) <= 500 and x.dtype == np.float32
        return self.stretch * x.reshape(len(x), -1)

    def decode(self, z):
        return (z / self.stretch).reshape(len(z), *self.image_shape)

    def features(self, x):
        return self.encode(x) ** 2

    def prior_codes(self, n, seed):
        return normal(seed, n, self.latent_dim).astype(np.float32)

    def get_config(self):
        return {"shape": self.image_shape}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def images(n=600):
    """Two classes of 2 x 2 images: dark and light."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    pixels = (rng.integers(0, 150, (n, 2, 2, 1)) + 100 * labels[:, None, None, None]).astype(
        "uint8"
    )
    half = n // 2
    return SimpleNamespace(name="toy", train=pixels[:half], test=pixels[half:], classes=("a", "b"),
                           other=None,
                           train_labels=labels[:half], test_labels=labels[half:])  # fmt: skip


OTHERS = ("modes", "high", "reverse", "class_kept", *metrics.translation.KEYS)
IMAGE_KEYS = {key for key in metrics.KEYS if not key.startswith(OTHERS)}


def test_examples_of_a_set_sorted_by_class_are_drawn_from_all_classes():
    mixed = np.arange(60) % 3
    np.testing.assert_array_equal(representative(mixed, 20), np.arange(20))
    np.testing.assert_array_equal(representative(0 * mixed, 20), np.arange(20))
    rows = representative(np.sort(mixed), 20)
    np.testing.assert_array_equal(rows, np.unique(rows))
    assert set(np.sort(mixed)[rows]) == {0, 1, 2}
    np.testing.assert_array_equal(representative(np.sort(mixed), 99), np.arange(60))


class TestEvaluate:
    def test_images(self):
        data, game = images(), LinearGame((2, 2, 1), stretch=-3.0)
        figures = metrics.evaluate(game, data, train_limit=200, test_limit=250)
        assert set(figures) == IMAGE_KEYS
        assert all(type(value) is float for value in figures.values())
        assert (figures["n_test"], figures["n_train"]) == (250, 200)
        assert figures["x_cycle"] == pytest.approx(0, abs=1e-6)
        assert figures["z_cycle"] == pytest.approx(0, abs=1e-6)
        assert figures["knn_code"] == figures["knn_pixels"] > 0.8
        # The fresh game has stretch 1, and a stretch changes no neighbour.
        assert figures["knn_features_random"] == figures["knn_features"] != figures["knn_code"]
        assert figures["mmd"] > figures["mmd_null_95"]
        assert game.stretch == -3.0
        assert metrics.evaluate(game, data, train_limit=200, test_limit=250) == figures

    def test_all_test_images_are_used_as_they_are(self):
        data = images()
        figures = metrics.evaluate(LinearGame((2, 2, 1)), data, probes=False)
        pixels = scale(data.test)
        assert figures["n_test"] == 300 and figures["n_train"] == 0
        assert figures["code_mean"] == pytest.approx(pixels.mean(dtype=float))
        assert figures["code_std"] == pytest.approx(pixels.std(dtype=float))

    def test_perfect_reconstructions_keep_every_class(self):
        data = datasets.load("fashion_mnist_10k", test_split="test[:150]")
        figures = metrics.cheap(LinearGame((28, 28, 1)), data)
        classes = classifier.load(data.name).probabilities(scale(data.test)).argmax(axis=1)
        assert figures["class_kept"] == 1
        assert figures["class_kept_chance"] == np.bincount(classes).max() / 150
        assert figures["class_kept_real"] == np.mean(classes == data.test_labels) > 0.85

    def test_what_does_not_apply_is_left_out(self):
        data, game = images(), LinearGame((2, 2, 1))
        accuracies = {key for key in IMAGE_KEYS if key.startswith(("knn", "probe"))}
        assert set(metrics.cheap(game, data)) == IMAGE_KEYS - accuracies
        bare = metrics.evaluate(game, data, baselines=False)
        assert set(bare) == {k for k in IMAGE_KEYS if not k.endswith(("_random", "_pixels"))}
        data.train_labels = 0 * data.train_labels
        assert set(metrics.evaluate(game, data)) == IMAGE_KEYS - accuracies
        game.has_encoder = False
        assert set(metrics.evaluate(game, data)) == {"n_test", "n_train"}

    def test_mixture(self):
        centres, std = MIXTURES["grid25"]
        points = (centres[np.arange(3000) % 25] + std * normal(0, 3000, 2)).astype("float32")
        data = SimpleNamespace(name="grid25", train=points, test=points, classes=(), other=None,
                               train_labels=np.arange(3000) % 25,
                               test_labels=np.arange(3000) % 25)  # fmt: skip
        game = LinearGame((2,), stretch=0.5)
        figures = metrics.evaluate(game, data)
        assert figures["x_cycle"] == pytest.approx(0, abs=1e-6)
        assert not any(key.startswith(("knn", "probe")) for key in figures)
        samples = 2 * game.prior_codes(2500, 0)
        for key, value in metrics.count_modes(samples, centres, std).items():
            assert figures[key] == value
        assert figures["modes_real"] == 25
        # As many real points as samples: 100 of each mode, less those that are far from it.
        real = metrics.count_modes(points[:2500], centres, std)
        assert figures["reverse_kl_real"] == real["reverse_kl"] < 1e-4
        assert figures["high_quality_real"] > 0.97 > figures["high_quality"]

    def test_memory_of_the_mmd_is_bounded(self, monkeypatch):
        data, game = images(), LinearGame((2, 2, 1))
        monkeypatch.setattr(evaluation, "MMD_LIMIT", 100)
        few = np.sort(np.random.default_rng(0).choice(300, 100, replace=False))
        draws = game.prior_codes(600, 0)
        codes, z, other = game.encode(scale(data.test)), draws[:300], draws[300:]
        expected = metrics.mmd(codes[few], z[few], other[few], rng_seed=0)
        found = metrics.evaluate(game, data, probes=False)
        assert {key: found[key] for key in expected} == expected

    def test_a_class_too_rare_to_be_drawn_is_left_out(self):
        data = images(6000)
        data.train_labels = np.arange(3000) == 1
        found = metrics.evaluate(LinearGame((2, 2, 1)), data, train_limit=2)
        assert "knn_code" not in found and found["n_train"] == 0

    def test_a_diverged_game_is_not_an_error(self):
        figures = metrics.evaluate(LinearGame((2, 2, 1), stretch=math.nan), images())
        assert math.isnan(figures["knn_code"]) and math.isnan(figures["x_cycle"])
        assert figures["knn_pixels"] > 0.8

    def test_errors(self):
        with pytest.raises(ValueError, match="at least 2"):
            metrics.evaluate(LinearGame((2, 2, 1)), images(), test_limit=1)
        with pytest.raises(ValueError, match="batch size 0"):
            metrics.in_batches(np.abs, np.zeros(3), batch_size=0)

    def test_in_batches(self):
        sizes = []

        def function(batch):
            sizes.append(len(batch))
            return 2 * batch

        array = np.arange(14.0).reshape(7, 2)
        np.testing.assert_array_equal(metrics.in_batches(function, array, 3), 2 * array)
        assert sizes == [3, 3, 1]


class TestTable:
    def test_lines(self):
        text = metrics.table(
            {"n_test": 2000.0, "n_train": 10_000.0, "x_cycle": 6.04, "x_cycle_mismatched": 9.91,
             "x_cycle_ratio": 0.609, "knn_features": 0.812, "knn_features_random": 0.78,
             "knn_pixels": 0.809, "code_mean": -0.0001, "modes": 24.0, "modes_total": 25.0,
             "reverse_kl": math.nan, "unknown": 1.0}
        )  # fmt: skip
        assert text.splitlines() == [
            "x-cycle ‖x − G(E(x))‖        6.04  (to another image 9.91, ratio 0.61)",
            "mean of codes                0.00",
            "1-NN on features           81.2 %  (untrained encoder 78.0 %, raw pixels 80.9 %)",
            "modes captured                 24  (of 25)",
            "reverse KL of modes, nats       –",
            "measured on 2000 test examples, accuracies trained on 10000",
        ]

    def test_every_key_is_shown(self):
        silent = {"mmd_null_mean"}
        values = {key: 0.123 + i for i, key in enumerate(metrics.KEYS)}
        full = metrics.table(values)
        for key in values:
            without = metrics.table({k: v for k, v in values.items() if k != key})
            assert (without == full) == (key in silent), key

    def test_nothing_measured(self):
        assert metrics.table({"n_test": 2000.0}) == ""
