"""What can be measured, wherever it was read from: a trained game or a SavedModel."""

import dataclasses
import json
import pathlib
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Model:
    """A pair of an encoder and a generator, or a generator alone, as functions of arrays.

    Attributes:
        name: what to call it.
        encode: x (n, *shape) → codes (n, latent_dim); None where there is no encoder.
        decode: codes → x.
        prior: (n, seed) → n draws from the prior.
        law: name of the prior.
        shape: of one example.
        observed: (x, seed) → x under the data law that the model is made for.
        counts: bool, of `shape`: False where a pixel carries noise and no image; None where all
            count.
    """

    name: str
    encode: Callable | None
    decode: Callable
    prior: Callable
    law: str
    shape: tuple
    observed: Callable
    counts: np.ndarray | None = None


def load(path: str) -> Model:
    """The model at `path`: whatever `zoo.load` takes, or a SavedModel, or its newest version.

    A SavedModel needs a signature `decode`, and `encode` where it has an encoder; its prior and
    noise are those of the `contract.json` beside it, and N(0, I) and none without one.

    Raises:
        ValueError: there is no model, or it has no signature `decode`.
    """
    import zoo

    if path in [preset.name for preset in zoo.list_presets()]:
        return of_game(zoo.load(path), path)
    versions = [d for d in pathlib.Path(path).glob("*/saved_model.pb") if d.parent.name.isdigit()]
    if versions:
        path = max((d.parent for d in versions), key=lambda d: int(d.name))
    if (pathlib.Path(path) / "saved_model.pb").is_file():
        return _of_saved_model(pathlib.Path(path))
    name = pathlib.Path(path).stem
    return of_game(
        zoo.load(path), pathlib.Path(path).resolve().parent.name if name == "game" else name
    )


def of_game(game, name: str = "") -> Model:
    """The trained `game` as a `Model`."""
    import keras

    counts = None
    if hasattr(game, "pixels"):
        counts = np.ones(game.image_shape, bool)
        counts.reshape(-1)[game.pixels] = False
    return Model(
        name=name or type(game).__name__,
        encode=game.encode if game.has_encoder else None,
        decode=game.decode,
        prior=lambda n, seed: keras.ops.convert_to_numpy(game.prior_codes(n, seed)),
        law=game.prior,
        shape=game.image_shape,
        observed=game.observed,
        counts=counts,
    )


def _of_saved_model(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    if "decode" not in loaded.signatures:
        raise ValueError(
            f"{path} has no signature decode; it has {', '.join(sorted(loaded.signatures))}"
        )

    def function(signature):
        if signature not in loaded.signatures:
            return None, None
        graph = loaded.signatures[signature]
        ((key, spec),) = graph.structured_input_signature[1].items()

        def call(x):
            # `loaded` owns the variables: it lives as long as this function.
            assert loaded
            (answer,) = graph(**{key: tf.convert_to_tensor(x, tf.float32)}).values()
            return answer

        return call, tuple(spec.shape[1:])

    encode, _ = function("encode")
    decode, (latent_dim,) = function("decode")
    shape = tuple(decode(np.zeros((1, latent_dim), np.float32)).shape[1:])
    contract = path / "contract.json"
    told = json.loads(contract.read_text(encoding="utf-8")) if contract.is_file() else {}
    law, noise = told.get("latent", {}).get("prior", "normal"), told.get("noise")
    counts = np.ones(shape, bool)
    counts.reshape(-1)[noise["pixels"] if noise else []] = False

    def prior(n, seed):
        import keras

        from zoo.priors import PRIORS

        return keras.ops.convert_to_numpy(PRIORS[law]((n, latent_dim), seed=seed))

    def observed(x, seed):
        if noise is None:
            return x
        x = x.copy()
        draws = np.random.default_rng(seed).standard_normal((len(x), latent_dim))
        x.reshape(len(x), -1)[:, noise["pixels"]] = noise["std"] * draws
        return x

    return Model(
        name=path.resolve().parent.name if path.name.isdigit() else path.name,
        encode=encode,
        decode=decode,
        prior=prior,
        law=law,
        shape=shape,
        observed=observed,
        counts=counts if noise else None,
    )
