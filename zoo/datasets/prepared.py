"""Image sets of TensorFlow Datasets (TFDS), read from disk; downloads need `download=True`."""

import os
from typing import Any

import numpy as np

from zoo.datasets import debian
from zoo.datasets.base import Dataset
from zoo.datasets.batches import ahead
from zoo.datasets.cache import Cache
from zoo.datasets.pixels import square
from zoo.datasets.progress import Progress


def base_name(name: str) -> str:
    """The set's name without configuration and version: `mnist` for `mnist/config:3.0.1`."""
    return name.split(":")[0].split("/")[0]


def names() -> list[str]:
    """Names of the sets registered with the installed TFDS; no network, and no TensorFlow."""
    import tensorflow_datasets as tfds

    return tfds.list_builders(with_community_datasets=False)


def read(
    name: str,
    image_size: int | None,
    train_split: str,
    test_split: str,
    download: bool,
    cache: Cache,
) -> Dataset:
    """Reads two splits of a TFDS image set, in TFDS's order.

    The set is in the folder named by the environment variable TFDS_DATA_DIR (TFDS's default:
    ~/tensorflow_datasets). An unprepared `fashion_mnist` is prepared from the Debian package
    dataset-fashion-mnist if that is installed.

    Args:
      name: as in TFDS, `name`, `name/config`, `name:version` or `name/config:version`.
      image_size: side to resize to, or None.
      train_split: TFDS split expression.
      test_split: the same for testing.
      download: whether TFDS may download and prepare the set.
      cache: keeps the images, until the set is prepared again.

    Returns:
      The `Dataset`; labels are the feature `label` if the set has one.

    Raises:
      ValueError: the set is not prepared, has no uint8 feature `image` or no such split, or its
        images differ in size and image_size is None.
    """
    builder = _builder(name)
    if not _is_prepared(builder):
        _prepare(builder, name, download)
    classes = _check_features(builder, name)
    splits = {"train": train_split, "test": test_split}
    counts = {part: _count(builder, name, split) for part, split in splits.items()}

    def shapes() -> dict:
        form = _form(builder, train_split, image_size)
        return {part: (count, *form) for part, count in counts.items()}

    def fill(images: dict) -> dict:
        return {
            f"{part}_labels": _fill(builder, name, split, images[part], image_size, bool(classes))
            for part, split in splits.items()
        }

    # Not before a set that is missing is refused, which takes no second.
    import PIL
    import tensorflow as tf

    prepared = builder.data_path / "dataset_info.json"
    source = {"kind": "tfds", "path": str(builder.data_path), "image_size": image_size, **splits}
    # TensorFlow decodes, Pillow resizes: other versions of them may make other pixels.
    versions = [tf.__version__, PIL.__version__]
    state = [builder.info.full_name, counts, prepared.read_text(encoding="utf-8"), versions]
    found = cache.arrays(source, state, shapes, fill)
    info = builder.info
    licence = info.redistribution_info.license or "licence not stated by TFDS"
    told = f"TensorFlow Datasets {info.full_name}, {info.homepage} ({licence})."
    return Dataset(
        name=name, **found, classes=classes or ("all",), source=told, origin=info.full_name
    )


def _builder(name: str) -> Any:
    import tensorflow_datasets as tfds

    folder = os.environ.get("TFDS_DATA_DIR")
    try:
        return tfds.builder(name, data_dir=folder and os.path.expanduser(folder))
    except (ValueError, AssertionError, TypeError, OSError) as error:
        raise ValueError(f"TFDS refuses {name!r}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:400]


def _is_prepared(builder: Any) -> bool:
    # Not builder.is_prepared(), which logs a warning of its own before our error.
    return (builder.data_path / "dataset_info.json").exists()


def _prepare(builder: Any, name: str, download: bool) -> None:
    """Prepares a set from the Debian package or by a download; an error names the remedies."""
    packaged = builder.name == "fashion_mnist" and debian.is_installed()
    if not packaged and not download:
        package = "`apt-get install dataset-fashion-mnist` (Debian), "
        raise ValueError(
            f"{name} is not prepared in {builder.data_path}, and nothing is downloaded unasked: "
            "set TFDS_DATA_DIR to a folder that has it, "
            f"{package if builder.name == 'fashion_mnist' else ''}"
            "or give a trainer --download or the embedded default, --dataset=fashion_mnist_10k"
        )
    try:
        if packaged:
            debian.prepare(builder)
        else:
            builder.download_and_prepare()
    except Exception as error:  # TFDS, its downloader and its parsers raise many exceptions.
        raise ValueError(f"cannot prepare {name}: {_one_line(error)}") from error


def _check_features(builder: Any, name: str) -> tuple[str, ...]:
    """Class names (none if there are no labels), after a check of the feature `image`."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    # Some sets are not dictionaries of features; FeaturesDict itself has no get().
    features = dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}
    image = features.get("image")
    if not isinstance(image, tfds.features.Image) or np.dtype(image.np_dtype) != np.uint8:
        raise ValueError(f"{name} must be a TFDS image set; it has no uint8 feature 'image'")
    label = features.get("label")
    return tuple(label.names) if isinstance(label, tfds.features.ClassLabel) else ()


def _count(builder: Any, name: str, split: str) -> int:
    """Number of examples of a split."""
    try:
        count = builder.info.splits[split].num_examples
    except (KeyError, ValueError, AssertionError) as error:
        there = ", ".join(f"{k} ({v.num_examples})" for k, v in builder.info.splits.items())
        raise ValueError(
            f"split {split!r} of {name}: it has {there}; {_one_line(error)}"
        ) from error
    if not count:
        raise ValueError(f"split {split!r} of {name} selects no examples")
    return count


def _form(builder: Any, split: str, image_size: int | None) -> tuple[int, int, int]:
    """Shape of the images of a split, or of its first one if they may differ."""
    form = builder.info.features["image"].shape
    if None in form:
        form = next(_stream(builder, split, False))["image"].shape
    return (image_size, image_size, form[2]) if image_size else tuple(form)


def _fill(
    builder: Any,
    name: str,
    split: str,
    images: np.ndarray,
    image_size: int | None,
    labelled: bool,
) -> np.ndarray:
    """Writes the images of a split into `images`; returns their labels, 0 if there are none."""
    labels, done = np.zeros(len(images), np.int64), 0
    progress = Progress(f"Reading {name} {split}", len(images))
    for batch in _stream(builder, split, labelled):
        # One example, or a batch of them if all images have the same size.
        for image in batch["image"] if batch["image"].ndim == 4 else batch["image"][None]:
            image = square(image, image_size)
            if image.shape != images.shape[1:]:
                raise ValueError(
                    f"{name} has images of {images.shape[1:]} and of {image.shape}: "
                    "give --image_size"
                )
            images[done] = image
            done += 1
        if labelled:
            size = batch["label"].size
            labels[done - size : done] = batch["label"]
        progress.add(done - progress.done)
    return labels


def _stream(builder: Any, split: str, labelled: bool) -> Any:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    wanted = {"image": True, **({"label": True} if labelled else {})}
    # Reading the files one by one keeps TFDS's order.
    config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    with tf.device("CPU:0"):
        stream = builder.as_dataset(
            split=split,
            shuffle_files=False,
            read_config=config,
            decoders=tfds.decode.PartialDecoding(wanted),
        )
        if None not in builder.info.features["image"].shape:
            stream = stream.batch(500)
        return ahead(stream).as_numpy_iterator()
