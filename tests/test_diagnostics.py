"""Diagnostics of sets and codes, on laws for which the answer is known."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from zoo.metrics import information
from zoo.metrics import laws
from zoo.metrics import probes
from zoo.metrics.coverage import class_coverage
from zoo.metrics.distances import compare_sets
from zoo.metrics.distances import frechet_distance
from zoo.metrics.distances import kernel_distance
from zoo.metrics.manifolds import precision_recall


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


class TestCoverage:
    def test_by_hand(self):
        # 50 times class 0, 48 times class 1, twice class 3, half of these unsurely; never class 2.
        answers = np.repeat([0, 1, 3], [50, 48, 2])
        probabilities = np.eye(4)[answers]
        probabilities[-1] = [0.3, 0.3, 0, 0.4]
        figures = class_coverage(probabilities)
        assert figures["class_counts"] == [50, 48, 0, 2]
        # A share of 2 % is below the 3 % that make a class covered.
        assert (figures["classes"], figures["classes_total"]) == (2, 4)
        entropy = -sum(p * math.log(p) for p in (0.5, 0.48, 0.02))
        assert figures["class_entropy"] == pytest.approx(entropy)
        assert figures["class_kl"] == pytest.approx(math.log(4) - entropy)
        assert figures["unsure"] == 0.01

    def test_next_to_real_examples(self):
        # Of the real examples 1 in 200 is split evenly, 3 in 200 are as 0.8 and 0.2, the others
        # sure: 99 % of the entropies are at most that of (0.8, 0.2), and this itself is not above.
        real = np.array([[0.5, 0.5]] + [[0.2, 0.8]] * 3 + [[0, 1.0]] * 196)
        samples = np.array([[0.4, 0.6]] * 3 + [[0.8, 0.2]] * 7 + [[1.0, 0]] * 90)
        figures = class_coverage(samples, real)
        assert figures["less_clear"] == 0.03
        assert (figures["unsure"], figures["unsure_real"]) == (0, 0)
        spread = class_coverage(np.full((5, 3), 1 / 3), np.eye(3)[[0, 1, 1, 2]])
        assert (spread["unsure"], spread["unsure_real"], spread["less_clear"]) == (1, 0, 1)
        assert "less_clear" not in class_coverage(samples)
        # Samples of the same law as the real examples have 1 %, of few real examples, too.
        rng = np.random.default_rng(0)
        alike = rng.dirichlet(np.ones(4) / 2, size=(2, 20_000))
        assert class_coverage(*alike)["less_clear"] == pytest.approx(0.01, abs=0.004)
        sets = rng.dirichlet(np.ones(4) / 2, size=(400, 2_200))
        shares = [class_coverage(one[200:], one[:200])["less_clear"] for one in sets]
        # The share above the 99 % quantile of 200 has a standard deviation of 0.007.
        assert np.mean(shares) == pytest.approx(0.01, abs=4 * 0.007 / 400**0.5)

    @pytest.mark.parametrize(
        "wrong", [np.ones(3), np.zeros((0, 3)), np.ones((2, 3)), np.full((2, 2), np.nan),
                  [[1.5, -0.5]]]
    )  # fmt: skip
    def test_errors(self, wrong):
        with pytest.raises(ValueError, match="class_coverage"):
            class_coverage(wrong)
        with pytest.raises(ValueError, match="class_coverage"):
            class_coverage(np.eye(2), wrong)
        with pytest.raises(ValueError, match="real examples of 2 classes, got 3"):
            class_coverage(np.eye(2), np.eye(3))


class TestManifolds:
    def test_on_a_line_by_hand(self):
        # With one neighbour, the balls of 0, 1, 3 reach 1, 1 and 2; those of 2.5, 10 reach 7.5.
        real, generated = np.array([[0.0], [1.0], [3.0]]), np.array([[2.5], [10.0]])
        figures = precision_recall(real, generated, neighbours=1)
        assert figures["precision"] == 0.5
        # |0 - 2.5| and all the others are less than 7.5.
        assert figures["recall"] == 1
        assert figures["density"] == 0.5
        assert figures["coverage"] == pytest.approx(1 / 3)

    def test_is_the_double_loop(self):
        real, fake, k = normal(0, 1100, 3), normal(1, 900, 3) * 0.8 + 0.3, 5

        def balls(points):
            distances = np.linalg.norm(points[:, None] - points, axis=2)
            return np.sort(distances, axis=1)[:, k]

        cross = np.linalg.norm(real[:, None] - fake, axis=2)
        in_real, in_fake = cross <= balls(real)[:, None], cross <= balls(fake)
        assert precision_recall(real, fake, k) == {
            "precision": pytest.approx(in_real.any(axis=0).mean(), abs=2e-3),
            "recall": pytest.approx(in_fake.any(axis=1).mean(), abs=2e-3),
            "density": pytest.approx(in_real.sum(axis=0).mean() / k, abs=2e-3),
            "coverage": pytest.approx(in_real.any(axis=1).mean(), abs=2e-3),
        }

    def test_collapse_costs_recall_and_junk_costs_precision(self):
        modes = np.array([[0.0, 0.0], [50.0, 0.0]])
        real = modes[np.arange(600) % 2] + normal(0, 600, 2)
        collapsed = precision_recall(real, normal(1, 600, 2))
        assert collapsed["precision"] > 0.9 and collapsed["coverage"] < 0.52
        assert collapsed["recall"] == pytest.approx(0.5, abs=0.05)
        half_junk = np.concatenate([real[:300] + 0.01, normal(2, 300, 2) + [0, 500]])
        junk = precision_recall(real, half_junk)
        assert junk["precision"] == pytest.approx(0.5, abs=0.01)
        ideal = precision_recall(real, modes[np.arange(600) % 2] + normal(3, 600, 2))
        assert ideal["density"] == pytest.approx(1, abs=0.1)

    def test_errors(self):
        with pytest.raises(ValueError, match="differ in shape"):
            precision_recall(normal(0, 9, 2), normal(0, 9, 3))
        with pytest.raises(ValueError, match="neighbours"):
            precision_recall(normal(0, 9, 2), normal(0, 3, 2))


def with_moments(x, mean, root):
    """The points, moved to have exactly this mean and covariance root @ root.T."""
    centred = x - x.mean(axis=0)
    return centred @ np.linalg.inv(np.linalg.cholesky(np.cov(centred.T))).T @ root.T + mean


class TestDistances:
    def test_frechet_of_gaussians_that_do_not_commute(self):
        from scipy.linalg import sqrtm

        means, roots = normal(0, 2, 4), normal(1, 2, 4, 4)
        a, b = (with_moments(normal(i, 50, 4), means[i], roots[i]) for i in range(2))
        first, second = (root @ root.T for root in roots)
        cross = sqrtm(first @ second).real
        exact = ((means[0] - means[1]) ** 2).sum() + np.trace(first + second - 2 * cross)
        assert frechet_distance(a, b) == pytest.approx(exact, rel=1e-6)
        assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)

    def test_frechet_on_a_line_and_of_flat_sets(self):
        a, b = np.array([[0.0], [2.0]]), np.array([[5.0], [11.0]])
        # Means 1 and 8, standard deviations sqrt(2) and sqrt(18).
        assert frechet_distance(a, b) == pytest.approx(7**2 + (2**0.5 - 18**0.5) ** 2)
        flat = np.concatenate([a, 0 * a, 0 * a], axis=1)
        assert frechet_distance(flat, flat + [0, 3, 0]) == pytest.approx(9)

    def test_kernel_is_the_double_loop(self):
        a, b = normal(0, 12, 3), normal(1, 9, 3) + 0.5

        def mean(first, second, same):
            values = [
                (p @ q / 3 + 1) ** 3
                for i, p in enumerate(first)
                for j, q in enumerate(second)
                if not (same and i == j)
            ]
            return np.mean(values)

        direct = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
        assert kernel_distance(a, b) == pytest.approx(direct)

    def test_kernel_has_no_bias(self):
        values = [
            kernel_distance(normal(2 * i, 20, 4), normal(2 * i + 1, 30, 4)) for i in range(400)
        ]
        error = np.std(values) / 20
        assert abs(np.mean(values)) < 3 * error
        moved = kernel_distance(normal(0, 2000, 4), normal(1, 2000, 4) + 0.3)
        assert moved > 10 * np.std(values) / 60

    @pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
    def test_errors(self, distance):
        with pytest.raises(ValueError, match="n, m >= 2"):
            distance(normal(0, 5, 2), normal(0, 5, 3))
        with pytest.raises(ValueError, match="n, m >= 2"):
            distance(normal(0, 5, 2), normal(0, 1, 2))
        with pytest.raises(ValueError, match="finite"):
            distance(normal(0, 5, 2), np.full((5, 2), np.nan))

    def test_sets_are_compared_next_to_real_ones(self):
        def probabilities(x):
            return np.stack([x[:, 0, 0, 0] > 0, x[:, 0, 0, 0] <= 0], axis=1).astype(float)

        toy = SimpleNamespace(
            identity="toy-12345678",
            features=lambda x: x.reshape(len(x), -1),
            probabilities=probabilities,
        )
        real, other = normal(0, 400, 2, 2, 1), normal(1, 300, 2, 2, 1)
        figures = compare_sets(toy, real, np.abs(other), other)
        assert figures["space"] == "toy-12345678"
        assert figures["frechet"] == frechet_distance(
            toy.features(real), np.abs(other)[..., 0].reshape(300, 4)
        )
        assert figures["frechet_real"] < 0.1 < figures["frechet"]
        assert abs(figures["kernel_real"]) < figures["kernel"] / 10
        assert figures["recall"] < figures["recall_real"]
        assert figures["class_counts"] == [300, 0] != figures["class_counts_real"]
        assert figures["classes_real"] == 2
        with pytest.raises(ValueError, match="other_real"):
            compare_sets(toy, real, other, other[:9])


class TestLaws:
    @pytest.mark.parametrize("law", ["normal", "uniform"])
    def test_the_prior_itself_is_seldom_rejected(self, law):
        def draws(seed, n):
            rng = np.random.default_rng(seed)
            return rng.normal(size=(n, 10)) if law == "normal" else rng.uniform(-1, 1, (n, 10))

        tests = [laws.coordinate_tests(draws(i, 400), draws(1000 + i, 4000)) for i in range(60)]
        # At level 5 % at least 9 of 60 have a chance of 1 in 500.
        assert sum(figures["ks_rejected"] > 0 for figures in tests) < 9
        assert sum(figures["ks_p"] < 0.05 for figures in tests) < 9

    def test_a_shifted_coordinate_is_named(self):
        codes = normal(0, 1000, 8)
        codes[:, 5] += 0.4
        figures = laws.coordinate_tests(codes, normal(1, 10_000, 8))
        # sup |F(x - 0.4) - F(x)| = 2 Phi(0.2) - 1.
        assert figures["ks_largest"] == pytest.approx(math.erf(0.2 / 2**0.5), abs=0.05)
        assert (figures["ks_coordinate"], figures["ks_rejected"], figures["ks_total"]) == (5, 1, 8)
        assert figures["ks_p"] < 1e-6

    def test_holm_by_hand(self, monkeypatch):
        # Of four, .05/4 and .05/3 are passed under, .05/2 is not; the fourth no longer counts.
        values = iter([0.012, 0.9, 0.016, 0.026])
        monkeypatch.setattr(
            "scipy.stats.ks_2samp",
            lambda *_, **__: SimpleNamespace(statistic=0.5, pvalue=next(values)),
        )
        figures = laws.coordinate_tests(normal(0, 5, 4), normal(1, 5, 4))
        assert figures["ks_rejected"] == 2
        assert figures["ks_p"] == pytest.approx(4 * 0.012)

    def test_all_rejected(self):
        assert laws.coordinate_tests(normal(0, 300, 3) + 2, normal(1, 300, 3))["ks_rejected"] == 3

    def test_covariance_error(self):
        prior, other = normal(0, 50_000, 6), normal(1, 500, 6)
        # Covariance 4 I in place of I: an error of 3. Of n draws: sqrt((d + 1) / n).
        figures = laws.covariance_error(2 * normal(2, 500, 6), prior, other)
        assert figures["covariance_error"] == pytest.approx(3, abs=0.4)
        assert figures["covariance_error_prior"] == pytest.approx((7 / 500) ** 0.5, rel=0.4)
        with pytest.raises(ValueError, match="other_prior"):
            laws.covariance_error(other, prior, other[:9])
        with pytest.raises(ValueError, match="differ"):
            laws.covariance_error(other, 0 * prior, other)

    def test_active_units(self):
        means = normal(0, 2000, 4) * [1, 0.11, 0.09, 0] + [0, 0, 0, 7]
        assert laws.active_units(means) == {"active_units": 2, "active_units_total": 4}
        with pytest.raises(ValueError, match="finite"):
            laws.active_units(np.full((5, 2), np.nan))


def rings(n, seed):
    """Two classes that no line divides: a disc and the ring around it, half of each."""
    rng, labels = np.random.default_rng(seed), np.arange(n) % 2
    radius, angle = labels + rng.uniform(0.1, 0.9, n), rng.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), labels


class TestProbes:
    def test_a_network_reads_what_a_line_cannot(self):
        split = *rings(3000, 0), *rings(1000, 1)
        assert probes.logistic_accuracy(*split) < 0.65
        assert probes.mlp_accuracy(*split) > 0.95
        assert probes.mlp_accuracy(*split, rng_seed=1) == probes.mlp_accuracy(*split, rng_seed=1)

    def test_chance_is_the_commonest_training_label(self):
        assert probes.chance_accuracy([3, 3, 1], [1, 1, 3, 1]) == 0.25
        with pytest.raises(ValueError, match="labels"):
            probes.chance_accuracy([], [1])


class TestLabelInformation:
    def test_of_a_gaussian_channel(self):
        # Classes at ±1 with unit noise: I = ln 2 - E[ln(1 + exp(-2 (1 + noise)))].
        grid = np.linspace(-10, 10, 20_001)
        density = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
        exact = math.log(2) - np.sum(density * np.log1p(np.exp(-2 * (1 + grid)))) * 0.001
        labels = np.arange(20_000) % 2
        x = normal(0, 20_000, 1) + 2 * labels[:, None] - 1
        figures = information.label_information(x[:8000], labels[:8000], x[8000:], labels[8000:])
        assert figures["label_entropy"] == pytest.approx(math.log(2))
        assert figures["label_information_linear"] == pytest.approx(exact, abs=0.015)
        assert figures["label_information_mlp"] == pytest.approx(exact, abs=0.03)

    def test_a_line_finds_less_than_a_network(self):
        figures = information.label_information(*rings(3000, 0), *rings(1000, 1))
        assert figures["label_information_linear"] < 0.05
        assert 0.5 < figures["label_information_mlp"] < math.log(2)

    def test_a_code_without_information(self):
        labels = np.arange(4000) % 5
        split = normal(0, 2000, 3), labels[:2000], normal(1, 2000, 3), labels[2000:]
        for key in ("linear", "mlp"):
            assert -0.2 < information.label_information(*split)[f"label_information_{key}"] < 0.01

    def test_labels_need_not_count_from_0(self):
        labels = np.where(np.arange(800) % 2, 7, 3)
        x = (labels[:, None] == 7) + 0.1 * normal(0, 800, 1)
        figures = information.label_information(x[:400], labels[:400], x[400:], labels[400:])
        assert figures["label_information_linear"] == pytest.approx(math.log(2), abs=0.02)
        # A label that is not known is left out.
        new = np.where(np.arange(400) < 10, 9, labels[400:])
        left = information.label_information(x[:400], labels[:400], x[410:], labels[410:])
        assert information.label_information(x[:400], labels[:400], x[400:], new) == left
        with pytest.raises(ValueError, match="training labels"):
            information.label_information(x[:400], labels[:400], x[400:], labels[400:] + 1)


def channel(n, noise, seed):
    """z ~ N(0, I_3); "images" of which three directions are z and noise, scaled apart."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 3))
    signal = z + noise * rng.normal(size=(n, 3))
    return z, (signal * [9, 5, 2]) @ np.linalg.qr(normal(0, 8, 3))[0].T


class TestImageInformation:
    def test_of_a_gaussian_channel(self):
        # I(z; z + noise) = 1/2 ln(1 + 1 / noise^2) for each of three independent directions.
        exact = 3 * 0.5 * math.log(1 + 1 / 0.5**2)
        figures = information.image_information(*channel(5000, 0.5, 1), *channel(5000, 0.5, 2))
        assert figures["components"] == 3
        assert figures["image_information"] == pytest.approx(exact, rel=0.05)
        assert figures["image_information_one"] == pytest.approx(exact / 3, rel=0.1)
        assert figures["image_information_mismatched"] == pytest.approx(0, abs=0.01)

    def test_it_does_not_exceed_what_there_is_to_know(self):
        # The image is one bit, and the code tells it: ln 2, and not infinity.
        z, z_test = (np.sign(normal(i, 2000, 1)) for i in range(2))
        small = 1e-3
        x, x_test = z + small * normal(2, 2000, 1), z_test + small * normal(3, 2000, 1)
        figures = information.image_information(z, x, z_test, x_test)
        # The best straight reader of a standard normal's sign: R^2 = 2 / pi.
        assert figures["image_information"] == pytest.approx(
            -0.5 * math.log(1 - 2 / math.pi), abs=0.03
        )
        assert figures["image_information"] < math.log(2)

    def test_errors(self):
        z, x = channel(50, 1, 0)
        with pytest.raises(ValueError, match="one for each image"):
            information.image_information(z, x[:40], z, x)
        with pytest.raises(ValueError, match="components"):
            information.image_information(z, x, z, x, components=0)
        with pytest.raises(ValueError, match="differ"):
            information.image_information(z, 0 * x, z, 0 * x)
        with pytest.raises(ValueError, match="finite"):
            information.image_information(z * np.nan, x, z, x)
