"""The classifiers that are shipped, and the command that trains others."""

import hashlib
import shutil

import keras
import numpy as np
import pytest

from zoo import datasets
from zoo.metrics import classifier
from zoo.metrics.classifier import __main__ as command
from zoo.metrics.coverage import class_coverage
from zoo.metrics.distances import compare_sets


@pytest.fixture(scope="module")
def fashion():
    """The shipped classifier, and the embedded set's test images with their labels."""
    data = datasets.load("fashion_mnist_10k")
    return classifier.load("fashion_mnist_10k"), datasets.scale(data.test), data.test_labels


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A classifier trained by the command on 32x32 colour images: class 0 is red, 1 blue."""
    folder = tmp_path_factory.mktemp("own")
    rng, labels = np.random.default_rng(0), np.arange(600) % 2
    images = rng.integers(0, 100, (600, 32, 32, 3), dtype=np.uint8)
    images[np.arange(600), :, :, 2 * labels] += 100
    np.savez(folder / "hues.npz", images=images, labels=labels)
    path = folder / "made.npz"
    words = ["classifier", f"--dataset=npz:{folder / 'hues.npz'}", f"--output={path}"]
    command.main([*words, "--epochs=3"])
    return path, datasets.scale(images), labels


class TestShipped:
    def test_it_answers_as_well_as_is_said(self, fashion):
        shipped, x, labels = fashion
        probabilities = shipped.probabilities(x)
        accuracy = np.mean(probabilities.argmax(axis=1) == labels)
        # Three standard errors of 2,000 answers.
        error = (shipped.test_accuracy * (1 - shipped.test_accuracy) / len(x)) ** 0.5
        assert accuracy == pytest.approx(shipped.test_accuracy, abs=3 * error)
        assert shipped.test_accuracy > 0.9
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        figures = class_coverage(probabilities)
        assert figures["classes"] == figures["classes_total"] == len(shipped.classes) == 10
        assert figures["class_kl"] < 0.01

    def test_features_are_what_the_answers_are_made_of(self, fashion):
        shipped, x, _ = fashion
        features = shipped.features(x[:700])
        assert features.shape == (700, 64) and features.min() == 0
        with np.load(classifier.FOLDER / "fashion_mnist.npz", allow_pickle=False) as arrays:
            kernel, bias = (arrays[f"logits_{part}"].astype("f4") for part in ("kernel", "bias"))
        logits = features @ kernel + bias
        answers = np.exp(logits - logits.max(axis=1, keepdims=True))
        answers /= answers.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(shipped.probabilities(x[:700]), answers, atol=1e-4)

    def test_answers_are_the_same_under_a_policy_of_half_precision(self, fashion):
        shipped, x, _ = fashion
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        try:
            found = classifier.load("fashion_mnist_10k").probabilities(x[:100])
        finally:
            keras.mixed_precision.set_global_policy("float32")
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, shipped.probabilities(x[:100]))

    @pytest.mark.parametrize("name", classifier.SHIPPED)
    def test_identity_size_and_content(self, name):
        contents = (classifier.FOLDER / f"{name}.npz").read_bytes()
        shipped = classifier.load(name)
        assert shipped.identity == f"{name}-{hashlib.sha256(contents).hexdigest()[:8]}"
        assert len(contents) <= 300_000
        assert shipped.image_shape == (28, 28, 1) and shipped.test_accuracy > 0.9

    def test_sets_of_images_are_compared_in_its_space(self, fashion):
        shipped, x, labels = fashion
        few_classes = x[labels < 3]
        half = np.random.default_rng(0).permutation(len(x))
        others = x[half[: len(few_classes)]]
        figures = compare_sets(shipped, x[half[1000:]], few_classes, others)
        assert figures["space"] == shipped.identity
        assert figures["frechet"] > 5 * figures["frechet_real"]
        assert figures["kernel"] > 20 * abs(figures["kernel_real"])
        assert figures["recall"] < figures["recall_real"] - 0.2
        assert figures["precision_real"] > 0.6
        assert figures["classes"] < figures["classes_real"] == 10

    def test_damage_is_noticed(self, tmp_path, monkeypatch):
        shutil.copytree(classifier.FOLDER, tmp_path / "weights")
        monkeypatch.setattr(classifier, "FOLDER", tmp_path / "weights")
        path = tmp_path / "weights" / "mnist.npz"
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        with pytest.raises(ValueError, match="damaged"):
            classifier.load("mnist")
        with pytest.raises(ValueError, match="damaged"):
            classifier.of("mnist", (28, 28, 1))
        assert classifier.of("cifar10", (32, 32, 3)) is None

    def test_wrong_images(self, fashion):
        for wrong in (np.zeros((2, 32, 32, 3), "f4"), np.zeros((2, 28, 28, 1), "u1")):
            with pytest.raises(ValueError, match="takes float images"):
                fashion[0].features(wrong)


class TestCommand:
    def test_what_it_writes_can_be_loaded(self, own, capsys):
        path, x, labels = own
        made = classifier.load(path)
        assert made.identity == f"hues-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
        assert made.image_shape == (32, 32, 3) and made.classes == ("0", "1")
        assert np.mean(made.probabilities(x).argmax(axis=1) == labels) > 0.99
        assert made.test_accuracy > 0.95
        assert made.features(x[:3]).shape == (3, 64)

    def test_nothing_in_the_file_is_pickled_or_names_a_folder(self, own):
        with np.load(own[0], allow_pickle=False) as arrays:
            assert all(arrays[key].dtype == "f2" for key in arrays if key != "about")
            assert str(own[0].parent) not in arrays["about"].item()

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--dataset=npz:{folder}/plain.npz"], "labels"),
            (["--dataset=ring8"], "images"),
            (["--dataset=fashion_mnist_10k", "--output=no/such/folder.npz"], "folder"),
            (["--dataset=fashion_mnist_10k", "--output=folder"], ".npz"),
            (["--epochs=0"], "epochs"),
            (["mnist"], "unexpected"),
        ],
    )
    def test_bad_input_is_refused_in_words(self, tmp_path, refused, arguments, words):
        np.savez(tmp_path / "plain.npz", images=np.zeros((40, 28, 28), "u1"))
        assert words in refused(
            command.main, ["classifier", *(a.format(folder=tmp_path) for a in arguments)]
        )

    def test_what_is_no_classifier(self, tmp_path):
        with pytest.raises(ValueError, match="--dataset=cifar10"):
            classifier.load("cifar10")
        with pytest.raises(ValueError, match="cannot read"):
            classifier.load(tmp_path / "none.npz")
        np.savez(tmp_path / "other.npz", a=np.zeros(3))
        with pytest.raises(ValueError, match="not a classifier"):
            classifier.load(tmp_path / "other.npz")
