"""Records of a trained model: its data set, its method, its weights."""

import functools
import json
import sys

from zoo.presets import registry

DEFAULT = "fashion_mnist_10k"

# The flag of the commands that compare models with data.
DATASET_FLAG = (
    "",
    f"The data set; by default the training data of each model, if recorded, or else {DEFAULT}.",
)


def trained_on(path: str) -> dict:
    """The training data of the model at `path`, as arguments of `zoo.datasets.load`.

    Args:
        path: a run directory or the `game.keras` in it, or a preset: recorded in its `config.json`.

    Returns:
        name, image_size, train_split and test_split, and `other` of two domains; {} if that is not
        recorded.
    """
    config = _config(path)
    told = (config.get("training") or {}) | config.get("settings", {})
    if told.get("dataset", "not recorded") == "not recorded":
        return {}
    return {
        "name": told["dataset"],
        "image_size": told.get("image_size") or None,
        "train_split": told.get("train_split") or "train",
        "test_split": told.get("test_split") or "test",
        **({"other": told["dataset_b"]} if told.get("dataset_b") else {}),
    }


def check_shape(name: str, shape: tuple, data, other: str = "another --dataset") -> None:
    """Raises ValueError if `data` has examples of another shape than the model `name` takes.

    The message asks for `other`.
    """
    if tuple(shape) != data.shape:
        raise ValueError(
            f"{data.name} must have examples of shape {tuple(shape)}, which {name} takes; got "
            f"{data.shape}; choose {other}"
        )


def weights_of(paths: list) -> dict[str, str]:
    """path → sha256 of the weights, for those that are presets, to identify them in a picture."""
    known = {path: _config(path).get("weights") for path in paths}
    return {path: weights["sha256"] for path, weights in known.items() if weights}


def _config(path):
    """config.json of the run, the `game.keras` in it, or the preset at `path`; {} without."""
    file = registry.directory_of(path)
    file = (file if file.is_dir() else file.parent) / "config.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def data_of(path: str, dataset: str = ""):
    """The `Dataset` that the model at `path` was trained on, if it is recorded.

    Args:
        path: for `load`.
        dataset: for `zoo.datasets.load`; "" for the data recorded with the model, or else
            `DEFAULT`. If Fashion-MNIST is missing, the part of it that ships with the package
            replaces it.

    Raises:
        ValueError: as `zoo.datasets.load`.
    """
    told = {} if dataset else trained_on(path)
    try:
        return _data(**(told or {"name": dataset or DEFAULT}))
    except ValueError:
        if told.get("name") != "fashion_mnist":
            raise
        print(f"fashion_mnist is missing; using {DEFAULT}, a part of it", file=sys.stderr)
        return _data(DEFAULT, image_size=told["image_size"])


@functools.lru_cache(maxsize=2)  # models of one data set follow each other
def _data(name, **options):
    from zoo import datasets

    return datasets.load(name, **options)


def check_tests(data) -> None:
    """Raises ValueError if `data` has too few test examples for an audit or a birthday test."""
    if len(data.test) < 100:
        raise ValueError(f"{data.name} must have 100 test examples or more; got {len(data.test)}")
