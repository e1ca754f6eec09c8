"""A small classifier whose last hidden layer is the feature space of distances between image sets.

The customary Inception network was trained on large colour photographs, and no package in the
package index includes its weights; this one is trained on the set itself, with one command. A score
in its space can only be compared with scores in the same space, so its identity, name and first 8
hex digits of the SHA-256 of the weights file, belongs to every score.

Shipped, trained by `python -m zoo.metrics.classifier --dataset=NAME` with the default flags on the
training images of TensorFlow Datasets, tested on the 10,000 test images as stored (float16):

| name          | test accuracy | wall time, 2 busy CPU cores |
| ------------- | ------------- | --------------------------- |
| fashion_mnist | 90.95 %       | 430 s                       |
| mnist         | 99.36 %       | 469 s                       |

Another set, or another seed: the same command writes a file, and `load` takes its path.
"""

import hashlib
import io
import json
import pathlib
import zipfile

import numpy as np

from zoo import keras_settings

FOLDER = pathlib.Path(__file__).parent.parent / "weights"
SHIPPED = {
    "fashion_mnist": "29cfe862a076c5df9cedd0ad6020020ec9c4717ae33703bb9074b61bb34e5d24",
    "mnist": "fabc27256016a913c87506a9d3b79cb81263db11193e943686e95e77074271ea",
}
# Subsets of the data set of a classifier.
_SAME_SPACE = {"fashion_mnist_10k": "fashion_mnist"}
LAYERS = ("conv_1", "conv_2", "conv_3", "features", "logits")
_FILTERS, _FEATURES = (32, 64, 64), 64


class Classifier:
    """A trained classifier; `load` makes them.

    Attributes:
      name: the data set that it was trained on.
      identity: `name` and the first 8 hex digits of the SHA-256 of its file, with a dash between.
      classes: names of the classes, in the order of the probabilities.
      image_shape: (height, width, channels) of the images that it takes.
      test_accuracy: share of correct answers on the test images of its set, as stored.
    """

    def __init__(self, contents: bytes):
        with np.load(io.BytesIO(contents), allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].item())
            weights = {key: arrays[key].astype(np.float32) for key in arrays if key != "about"}
        self.name = about["name"]
        self.identity = f"{self.name}-{hashlib.sha256(contents).hexdigest()[:8]}"
        self.classes = tuple(about["classes"])
        self.image_shape = tuple(about["image_shape"])
        self.test_accuracy = about["test_accuracy"]
        self._network = build(self.image_shape, len(self.classes))
        for layer in LAYERS:
            kernel_and_bias = [weights[f"{layer}_kernel"], weights[f"{layer}_bias"]]
            self._network.get_layer(layer).set_weights(kernel_and_bias)

    def features(self, images: np.ndarray) -> np.ndarray:
        """The last hidden layer, after its rectifier.

        Args:
          images: (n, *image_shape) floats in [-1, 1], n >= 1.

        Returns:
          float32 (n, 64).

        Raises:
          ValueError: the images have another shape or are not floats.
        """
        return self._outputs(images)[:, len(self.classes) :]

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """float32 (n, classes), rows sum to 1; arguments and errors as for `features`."""
        return self._outputs(images)[:, : len(self.classes)]

    def _outputs(self, images):
        from keras import ops

        from zoo.metrics.arrays import in_batches

        images = np.asarray(images)
        if images.shape[1:] != self.image_shape or not np.issubdtype(images.dtype, np.floating):
            raise ValueError(
                f"classifier {self.identity} takes float images (n, *{self.image_shape}) in "
                f"[-1, 1], got {images.dtype} {images.shape}"
            )

        def both(batch):
            return ops.concatenate(self._network(batch, training=False), axis=1)

        return in_batches(both, images.astype(np.float32, copy=False))


def load(name: str | pathlib.Path) -> Classifier:
    """A shipped classifier by the name of its data set, or one of your own by its path.

    Args:
      name: "fashion_mnist" (also for "fashion_mnist_10k", a part of it), "mnist", or the path of
        a file that ends in .npz, written by `python -m zoo.metrics.classifier`.

    Raises:
      ValueError: there is no such classifier, or a shipped one is damaged.
    """
    known = _SAME_SPACE.get(str(name), str(name))
    if known not in SHIPPED and not known.endswith(".npz"):
        raise ValueError(
            f"no classifier is shipped for {known!r}, only for {', '.join(SHIPPED)}; train one with"
            f" python -m zoo.metrics.classifier --dataset={known} and give the path of its file"
        )
    path = FOLDER / f"{known}.npz" if known in SHIPPED else pathlib.Path(known)
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot read the classifier ({error})") from error
    if known in SHIPPED and hashlib.sha256(contents).hexdigest() != SHIPPED[known]:
        raise ValueError(
            f"{path} is damaged: its SHA-256 is not {SHIPPED[known][:16]}...; reinstall the package"
        )
    try:
        return Classifier(contents)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a classifier of this package ({error})") from error


def of(name: str, image_shape: tuple) -> Classifier | None:
    """The shipped classifier of a data set, or None if there is none for images of this shape.

    Raises:
        ValueError: its file is damaged or missing.
    """
    if _SAME_SPACE.get(str(name), str(name)) not in SHIPPED:
        return None
    found = load(name)
    return found if found.image_shape == tuple(image_shape) else None


def build(image_shape: tuple[int, int, int], classes: int):
    """The untrained network: images (n, *image_shape) → [probabilities, features].

    Three times 3x3 convolution, rectifier and 2x2 maximum; 64 rectified units; softmax. On 28x28
    grey images it has 93,322 weights for ten classes. It is float32 under every policy, so that
    games trained in half precision are measured like others.
    """
    import keras

    with keras_settings.channels_last(), keras_settings.single_precision():
        return _network(keras.Input(image_shape), classes)


def _network(images, classes):
    import keras

    layers, x = keras.layers, images
    for name, filters in zip(LAYERS[:3], _FILTERS, strict=True):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    features = layers.Dense(_FEATURES, activation="relu", name="features")(x)
    logits = layers.Dense(classes, name="logits")(features)
    return keras.Model(images, [layers.Softmax(name="probabilities")(logits), features])
