"""`Model`: one interface to trained games and SavedModels, for metrics."""

import dataclasses
import functools
import json
import math
import os
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np

from zoo.noised import NoisedPixels
from zoo.presets import registry

DEFAULT = "fashion_mnist_10k"

# The flag of the commands that compare models with data.
DATASET_FLAG = (
    "",
    f"The data set; by default the training data of each model, if recorded, or else {DEFAULT}.",
)


@dataclasses.dataclass(frozen=True)
class Model:
    """A pair of an encoder and a generator, or a generator alone, as functions of arrays.

    Attributes:
        name: label for tables.
        encode: x (n, *shape) → codes (n, d); None if there is no encoder. Codes that have
            height and width (n, h, w, c) are vectors here, d = h · w · c.
        decode: codes (n, d) → x.
        prior: (n, seed) → n draws from the prior, (n, d).
        law: name of the prior.
        shape: of one example.
        noised: the noise in the data of the model, or None.
        anomaly: x → name of a score → (n,), higher is more unusual (see `zoo.scores.anomaly`);
            None if there is no encoder.
        searched: whether `encode` is a search, which has no slope, see `inverted`.
    """

    name: str
    encode: Callable | None
    decode: Callable
    prior: Callable
    law: str
    shape: tuple
    noised: NoisedPixels | None = None
    anomaly: Callable | None = None
    searched: bool = False

    def observed(self, x: np.ndarray, seed: int) -> np.ndarray:
        """x (n, *shape) under the data distribution of the model."""
        return self.noised.observe(x, seed) if self.noised else x

    @property
    def clean(self) -> np.ndarray | None:
        """Which values of an example carry no noise, bool of `shape`; None: all of them."""
        return self.noised.clean(self.shape) if self.noised else None

    def counted(self, x: np.ndarray) -> np.ndarray:
        """The coordinates of examples (n, *shape) that carry no noise, (n, ...), to compare."""
        return x[:, self.clean] if self.noised else x


def of(model) -> Model:
    """`model` as a `Model`: from a game, a `Model` already, or a path for `load`.

    Raises:
        ValueError: it is none of these, or see `load`.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, str | os.PathLike):
        return load(os.fspath(model))
    from zoo.game import Game

    if isinstance(model, Game):
        return of_game(model)
    raise ValueError(f"expected a game, a zoo.models.Model or a path; got {type(model).__name__}")


def load(path: str, invert: int = 0) -> Model:
    """The model at `path`: a path for `zoo.load`, a SavedModel, or a directory of its versions.

    A SavedModel needs a signature `decode`, and `encode` if it has an encoder; its prior and
    noise are those of the `contract.json` beside it, and N(0, I) and none without one.

    Args:
        invert: steps of a search that finds codes in place of the encoder, see `inverted`; or 0.

    Raises:
        ValueError: there is no model, or it has no signature `decode`; or a SavedModel is to be
            inverted.
    """
    import zoo

    def made(name):
        game = zoo.load(path)
        return inverted(game, invert, name=name) if invert else of_game(game, name)

    if isinstance(registry.resolve(path), registry.Preset):
        return made(path)
    versions = [d for d in pathlib.Path(path).glob("*/saved_model.pb") if d.parent.name.isdigit()]
    found = max((d.parent for d in versions), key=lambda d: int(d.name), default=pathlib.Path(path))
    if (found / "saved_model.pb").is_file():
        from zoo import saved_models

        if invert:
            raise ValueError(f"{path} must be a preset or a .keras file to be inverted")
        return saved_models.read(found)
    name = found.resolve().parent.name if found.stem == "game" else found.stem
    return made(name)


def load_each(paths: list, dataset: str = "", invert: int = 0) -> Iterator[tuple]:
    """(name, path, model, `data_of` it) of every path in turn, printed on stderr.

    A repeated path is skipped; a model with the name of an earlier one is named after
    its path.

    Raises:
        ValueError: as `data_of` and `load`, when the path's turn comes.
    """
    paths, names = list(dict.fromkeys(map(str, paths))), set()
    for number, path in enumerate(paths, 1):
        print(f"{path} ({number} of {len(paths)}) …", file=sys.stderr, flush=True)
        data = data_of(path, dataset)  # first: missing data are found without TensorFlow
        model = load(path, invert)
        name = path if model.name in names else model.name
        names.add(name)
        yield name, path, model, data


def trained_on(path: str) -> dict:
    """The training data of the model at `path`, as arguments of `zoo.datasets.load`.

    Args:
        path: a run directory or the `game.keras` in it, or a preset: recorded in its `config.json`.

    Returns:
        name, image_size, train_split and test_split; {} if that is not recorded.
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
    }


def method_of(path: str) -> str:
    """The method recorded with the run at `path`, such as "vae_gan"; "" if none is."""
    return _config(path).get("settings", {}).get("method", "")


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


def of_game(game, name: str = "") -> Model:
    """The trained `game` as a `Model`.

    Raises:
        ValueError: it has no generator.
    """
    from zoo import scores

    if not game.has_generator:
        raise ValueError(
            f"{type(game).__name__} has no generator, so it has no codes or samples to measure; "
            "game.translate and zoo.metrics.evaluate apply to it"
        )
    return Model(
        name=name or type(game).__name__,
        **of_vectors(
            game.code_shape,
            game.encode if game.has_encoder else None,
            game.decode,
            game.prior_codes,
        ),
        law=game.prior,
        shape=game.image_shape,
        noised=game.noised,
        anomaly=(lambda x: scores.anomaly(game, x)) if game.has_encoder else None,
    )


def inverted(game, steps: int = 100, seed: int = 0, name: str = "") -> Model:
    """`of_game` with a search for the code in place of the encoder, which `game` need not have.

    Every metric of an encoder then applies to a plain GAN; its anomaly score is that of AnoGAN
    (Schlegl et al. 2017, arXiv:1703.05921).

    Args:
        steps, seed: see `zoo.inversion.search`; there is one search for each example.

    Raises:
        ValueError: see `of_game` and `zoo.inversion.search`.
    """
    from zoo import scores
    from zoo.inversion import search

    def encode(x):
        return search(game, np.asarray(x), steps, restarts=1, seed=seed).codes

    found = of_vectors(game.code_shape, encode, game.decode, game.prior_codes)
    return dataclasses.replace(
        of_game(game, name),
        encode=found["encode"],
        anomaly=lambda x: scores.anomaly(game, x, codes=encode(x)),
        searched=True,
    )


def of_vectors(code, encode, decode, prior):
    """`encode`, `decode` and `prior` of a `Model`, from functions of codes of the shape `code`.

    Codes (n, h, w, c) become vectors, and vectors become such codes, only here: audits and paths
    need no other case.
    """
    from keras import ops

    size = math.prod(code)
    found = {
        "encode": encode,
        "decode": decode,
        "prior": lambda n, seed: ops.convert_to_numpy(prior(n, seed)).reshape(n, size),
    }
    if len(code) > 1:
        found["encode"] = encode and (lambda x: ops.reshape(encode(x), (-1, size)))
        found["decode"] = lambda z: decode(ops.reshape(z, (-1, *code)))
    return found
