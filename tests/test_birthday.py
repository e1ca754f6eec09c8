"""The birthday test against generators of known support, and its parts against plain loops."""

import itertools
import math
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from zoo import datasets
from zoo.metrics import controls
from zoo.metrics import neighbours
from zoo.metrics import support
from zoo.metrics.birthday import birthday_test
from zoo.metrics.neighbours import Points

MASK = np.ones((28, 28, 1), bool)
MASK.ravel()[48::49] = False


@pytest.fixture(scope="module")
def images():
    """(8000 training, 2000 test) images in [-1, 1] of the embedded set."""
    data = datasets.load("fashion_mnist_10k")
    return datasets.scale(data.train), datasets.scale(data.test)


def bootstrap(stored, m, n, noise=0.1, seed=0):
    """n draws from m of the stored images, with noise where MASK is False."""
    rng = np.random.default_rng(seed)
    chosen = stored[rng.choice(len(stored), m, replace=False)]
    samples = chosen[rng.integers(m, size=n)]
    samples[:, ~MASK] += noise * rng.normal(size=(n, np.count_nonzero(~MASK))).astype("float32")
    return samples


def cloud(n, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype("float32")


class TestNeighbours:
    def test_closest_pairs_are_those_of_the_double_loop(self):
        # More than one block, so that pairs lie within and between blocks.
        points = cloud(1300, 3)
        pairs, distances = neighbours.closest_pairs(points, 10)
        exact = np.linalg.norm(points[:, None].astype(float) - points[None], axis=2)
        exact[np.tril_indices(1300)] = np.inf
        order = np.argsort(exact, axis=None)[:10]
        assert pairs.tolist() == np.stack(np.unravel_index(order, exact.shape), axis=1).tolist()
        np.testing.assert_allclose(distances, exact.ravel()[order], rtol=1e-12)

    def test_cancellation_does_not_reach_the_distances(self):
        # |a|^2 is 1e8, and float32 resolves 8 there: far more than the distances asked for.
        points = np.float32(5000) * np.sign(cloud(200, 4)) + np.arange(200)[:, None] * 0
        points = np.concatenate([points + cloud(200, 4, 1) * 1000, points[:1], points[:1] + 0.25])
        pairs, distances = neighbours.closest_pairs(points, 1)
        assert pairs.tolist() == [[200, 201]]
        assert distances[0] == 0.5

    def test_only_what_the_mask_lets_through_counts(self):
        examples = np.zeros((3, 2, 2))
        examples[:, 0, 0] = [0, 50, 9]
        examples[:, 1, 1] = [1, 1, 3]
        mask = np.array([[False, True], [True, True]])
        pairs, distances = neighbours.closest_pairs(examples, 5, mask)
        assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
        assert distances.tolist() == [0, 2, 2]

    def test_counts_at_the_limit_are_exact(self):
        # On a lattice far from 0, many squared distances are exactly 2.
        points = np.array(list(itertools.product(range(1, 12), repeat=3)), "float32") + 3000
        by_hand = [
            sum(((p - q) ** 2).sum() <= 2 for q in points) - 1 for p in points[:: len(points) - 1]
        ]
        counts = neighbours.near_counts(Points(points), 2.0)
        assert counts[0] == counts[-1] == by_hand[0] == by_hand[1] == 6
        assert counts.max() == 18
        below = neighbours.near_counts(Points(points), np.nextafter(2.0, 0))
        assert below.max() == 6

    def test_all_pairs(self):
        points = cloud(1100, 2)
        exact = [
            ((points[i + 1 :].astype(float) - p) ** 2).sum(axis=1) for i, p in enumerate(points)
        ]
        squared = neighbours.all_pairs(Points(points))
        np.testing.assert_allclose(squared, np.sort(np.concatenate(exact)), atol=1e-4)

    @pytest.mark.parametrize(
        ("examples", "mask", "words"),
        [
            (np.zeros((3,)), None, "n >= 1"),
            (np.full((3, 2), np.nan), None, "finite"),
            (np.zeros((3, 2)), np.ones((2, 1), bool), "mask"),
            (np.zeros((3, 2)), np.zeros(2, bool), "mask"),
            (np.zeros((3, 2)), np.ones(2), "mask"),
        ],
    )
    def test_errors(self, examples, mask, words):
        with pytest.raises(ValueError, match=words):
            Points(examples, mask)
        with pytest.raises(ValueError, match="2 examples"):
            neighbours.closest_pairs(np.zeros((1, 2)))


class TestArithmetic:
    @pytest.mark.parametrize(("hits", "trials"), [(3, 10), (0, 20), (7, 7)])
    def test_clopper_pearson_by_its_definition(self, hits, trials):
        def at_least(k, rate):
            terms = (
                math.comb(trials, i) * rate**i * (1 - rate) ** (trials - i)
                for i in range(k, trials + 1)
            )
            return sum(terms)

        low, high = support.clopper_pearson(hits, trials)
        assert low == 0 if hits == 0 else at_least(hits, low) == pytest.approx(0.025)
        assert high == 1 if hits == trials else at_least(hits + 1, high) == pytest.approx(0.975)

    def test_support_of_inverts_the_birthday_problem(self):
        # 23 people, 365 days: the textbook's 50.7 %.
        different = math.prod(1 - i / 365 for i in range(23))
        assert 1 - different == pytest.approx(0.507, abs=5e-4)
        assert support.support_of(-math.log(different), 23) == pytest.approx(365)
        assert support.support_of(math.log(2), 1000) == pytest.approx(0.72 * 1000**2, rel=2e-3)
        assert support.support_of(0, 10) == support.support_of(-1, 10) == math.inf
        # Two draws that agree half of the time: two things.
        assert support.support_of(math.log(2), 2) == pytest.approx(2)

    def test_interval_holds_its_level(self):
        null = support.Null(limit=0.0, share=1e-12, relative_variance=0.0, examples=1000)
        rng, inside = np.random.default_rng(0), 0
        for _ in range(300):
            draws = np.sort(rng.integers(500, size=(60, 26)), axis=1)
            hits = int(np.count_nonzero((np.diff(draws) == 0).any(axis=1)))
            _, (low, high) = support.from_batches(26, 60, hits, null)
            inside += low <= 500 <= high
        assert 0.93 <= inside / 300 <= 1

    def test_what_real_examples_do_is_subtracted(self):
        # Rate 1/2 where real examples do 1/4: the excess is ln 2 - ln 4/3 = ln 1.5.
        share = -math.log(0.75) / support.pairs_of(100)
        null = support.Null(1.0, share, 0.01, 1000)
        assert null.rate(100) == pytest.approx(0.25)
        found, (low, high) = support.from_batches(100, 200, 100, null)
        assert found == pytest.approx(support.support_of(math.log(1.5), 100))
        assert low < found < high < math.inf
        found, (low, high) = support.from_batches(100, 200, 50, null)
        assert low < found == high == math.inf or found > 1e6
        assert support.from_batches(100, 200, 0, null)[1][1] == math.inf
        certain, (low, high) = support.from_batches(100, 200, 200, null)
        assert low == 1 and certain == 99 < high < 2000


class TestBirthday:
    """Seeds are fixed; of other seeds, 1 in 20 may find m outside of a 95 % interval."""

    @pytest.mark.parametrize("m", [64, 256, 1024])
    def test_finds_the_number_of_stored_images(self, images, m):
        train, test = images
        result = birthday_test(bootstrap(train, m, 4000), test, mask=MASK)
        assert result.support_interval[0] <= m <= result.support_interval[1]
        assert 0.2 < result.rate < 0.8
        # The interval must be worth having.
        assert result.support_interval[1] < 2.2 * result.support_interval[0]
        assert result.batches == 3200 // result.batch_size
        assert result.negative_control.passed and result.positive_control.passed
        assert np.all(result.closest_distances == 0)
        assert "Upper bound on the effective support" in result.sentence

    def test_real_examples_pass_at_the_calibrated_rate(self, images):
        train, test = images
        results = [birthday_test(train[i::8], test, closest=1, rng_seed=i) for i in range(6)]
        batches = sum(result.batches for result in results)
        low, high = support.clopper_pearson(sum(r.collisions for r in results), batches)
        assert batches >= 120
        assert low <= 0.05 <= high
        assert all(result.real_rate == pytest.approx(0.05, abs=0.005) for result in results)
        unbounded = [result for result in results if math.isinf(result.support_interval[1])]
        assert len(unbounded) >= 4
        words = unbounded[0].sentence
        assert "above about" in words and "no proof of diversity" in words
        assert "Upper bound" not in words

    def test_noise_that_counts_hides_duplicates(self, images):
        train, test = images
        samples = bootstrap(train, 100, 1500, noise=3.0)
        masked = birthday_test(samples, test[:1000], mask=MASK)
        assert masked.support_interval[0] <= 100 <= masked.support_interval[1]
        assert birthday_test(samples, test[:1000]).support_interval[1] == math.inf

    def test_features_are_what_is_compared(self):
        # 50 positions of the first feature; the second coordinate is noise that no mask removes.
        rng = np.random.default_rng(0)
        real = rng.normal(size=(600, 2)) * [100, 1]
        samples = rng.normal(size=50)[rng.integers(50, size=2000)][:, None] * [100, 0]
        samples[:, 1] = rng.normal(size=2000) * 1e4
        first = birthday_test(samples, real, features=lambda x: x[:, :1])
        assert first.support_interval[0] <= 50 <= first.support_interval[1]
        assert birthday_test(samples, real).support_interval[1] == math.inf
        # What does not count is 0 before features are made of it.
        mask = np.array([True, False])
        both = birthday_test(samples, real, mask=mask, features=lambda x: x)
        assert both.support == first.support

    def test_collapse_to_one_image(self):
        samples = np.ones((400, 3, 3, 1), "float32")
        result = birthday_test(samples, cloud(400, 9).reshape(-1, 3, 3, 1))
        assert (result.batch_size, result.rate, result.support) == (2, 1, 1)
        assert result.support_interval[0] == 1 and result.support_interval[1] < 2

    def test_equal_distances_are_on_one_side_of_the_threshold(self):
        # Squared distances of binary examples are whole numbers: 5 % cannot be had exactly.
        rng = np.random.default_rng(0)
        samples, real = (rng.integers(0, 2, (1500, 40)) * 0.7 - 0.3 for _ in range(2))
        result = birthday_test(samples, real)
        assert result.threshold**2 / 0.49 == pytest.approx(
            round(result.threshold**2 / 0.49), abs=0.01
        )
        assert 0.05 < result.real_rate < 0.2
        assert result.negative_control.passed and result.positive_control.passed
        assert result.support_interval[1] == math.inf

    def test_a_failed_control_is_said(self, monkeypatch):
        failed = controls.Control(expected=0.05, found=0.4, interval=(0.3, 0.5))
        assert not failed.passed
        monkeypatch.setattr(controls, "negative", lambda *_: failed)
        words = birthday_test(cloud(300), cloud(300, seed=1)).sentence
        assert words.endswith("Do not trust it: negative control failed")

    def test_batches_of_a_few_bound_nothing_unless_samples_are_the_same(self):
        # Real examples fill a square. Blurred samples keep to a tenth of its width.
        rng = np.random.default_rng(0)
        real, blurred = rng.uniform(size=(1000, 2)), rng.uniform(size=(4000, 2)) / 10
        alike = birthday_test(blurred, real)
        assert alike.batch_size < 5 and not alike.usable
        assert "No usable bound" in alike.sentence and "Upper bound" not in alike.sentence
        same = birthday_test(blurred[rng.integers(2, size=4000)], real)
        assert same.batch_size < 5 and same.usable and same.support_interval[0] <= 2
        assert "Upper bound" in same.sentence

    def test_the_seed_decides_and_inputs_are_left_alone(self):
        samples, real = cloud(300), cloud(300, seed=1)
        before = samples.copy(), real.copy()
        first, again = (birthday_test(samples, real, rng_seed=3) for _ in range(2))
        assert first.sentence == again.sentence and first.support == again.support
        np.testing.assert_array_equal(samples, before[0])
        np.testing.assert_array_equal(real, before[1])

    def test_errors(self):
        with pytest.raises(ValueError, match="100 samples"):
            birthday_test(cloud(99), cloud(300))
        with pytest.raises(ValueError, match="of one shape"):
            birthday_test(cloud(300), cloud(300, 4))
        with pytest.raises(ValueError, match="finite"):
            birthday_test(np.full((300, 5), np.nan), cloud(300))
        with pytest.raises(ValueError, match="mask"):
            birthday_test(cloud(300), cloud(300), mask=np.ones(4, bool), features=np.abs)


# ru_maxrss would not do: it survives exec, so that a child has at least what its parent had.
MEASURED = """
import pathlib, re, resource, time
import numpy as np
from zoo.metrics.birthday import birthday_test
rng = np.random.default_rng(0)
samples, real = (rng.normal(size=(10_000, 784)).astype("float32") for _ in range(2))
before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
birthday_test(samples, real)
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
print(int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1e6)
print(time.monotonic() - began)
"""


@pytest.mark.slow
@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_ten_thousand_samples_take_seconds_and_little_memory():
    command = [sys.executable, "-c", MEASURED]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    processor, gigabytes, _ = map(float, output)
    # One thread does the work; the wall says what else the machine does.
    assert processor < 10
    assert gigabytes < 1
