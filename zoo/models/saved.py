"""A SavedModel, read by its signatures and its contract as a `Model` of `zoo.models`."""

import json
import pathlib

import numpy as np

from zoo.models.model import Model
from zoo.models.model import of_vectors
from zoo.noised import NoisedPixels


def read(path: pathlib.Path) -> Model:
    """The model in the directory `path` of a SavedModel: see `zoo.models.load`.

    Raises:
        ValueError: it has no signature `decode`, or one that takes more than codes; or TensorFlow
            is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError:
        raise ValueError(
            f"{path} is a SavedModel, which is read with TensorFlow, and that is not installed; "
            "give a .keras file or a run directory"
        ) from None
    loaded = tf.saved_model.load(path)
    if "decode" not in loaded.signatures:
        raise ValueError(
            f"{path} has no signature decode; it has {', '.join(sorted(loaded.signatures))}"
        )

    def function(signature):
        if signature not in loaded.signatures:
            return None, None
        graph = loaded.signatures[signature]
        inputs = graph.structured_input_signature[1]
        if len(inputs) > 1:
            raise ValueError(
                f"{signature} of {path} takes {' and '.join(sorted(inputs))}; give the .keras "
                "file, whose classes take turns"
            )
        ((key, spec),) = inputs.items()

        def call(x):
            # `loaded` owns the variables: it lives as long as this function.
            assert loaded
            answers = graph(**{key: tf.convert_to_tensor(x, tf.float32)})
            return answers if signature == "anomaly_score" else next(iter(answers.values()))

        return call, tuple(spec.shape[1:])

    encode, _ = function("encode")
    decode, code = function("decode")
    anomaly, _ = function("anomaly_score")
    shape = tuple(decode(np.zeros((1, *code), np.float32)).shape[1:])
    contract = path / "contract.json"
    told = json.loads(contract.read_text(encoding="utf-8")) if contract.is_file() else {}
    law, noise = told.get("latent", {}).get("prior", "normal"), told.get("noise")

    def prior(n, seed):
        from zoo.priors import PRIORS

        return PRIORS[law]((n, *code), seed=seed)

    return Model(
        name=path.resolve().parent.name if path.name.isdigit() else path.name,
        **of_vectors(code, encode, decode, prior),
        law=law,
        shape=shape,
        noised=NoisedPixels(**noise) if noise else None,
        anomaly=anomaly,
    )
