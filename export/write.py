"""Writing one version: the SavedModel, and everything that lies beside it."""

import io
import pathlib

import keras
import numpy as np
from keras import ops

from export import companions
from export import contract
from export import warmup
from export.signatures import posterior_noise
from export.signatures import sampled
from export.signatures import signatures
from export.signatures import trained
from zoo import datasets
from zoo import scores

REFERENCE = "assets.extra/doctor.npz"


def write(
    game,
    directory: pathlib.Path,
    name: str = "model",
    max_batch_size: int = 32,
    preset: str | None = None,
    source: str | None = None,
    run: dict | None = None,
) -> dict:
    """Write `game` as a SavedModel for serving into `directory`, which must exist and be empty.

    Arithmetic is in float32, whatever the precision of the training was: the weights are float32
    under every policy.

    Args:
        name: of the model, for people.
        max_batch_size: most rows that a server may put into one batch, a power of 2.
        preset, source: see `contract.describe`.
        run: "metrics" and "data" of the run, for the model card.

    Returns:
        The contract.

    Raises:
        ValueError: the backend is not TensorFlow, or the batch size is not a power of 2.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"export needs the TensorFlow backend; it is {keras.backend.backend()!r}")
    sizes = batch_sizes(max_batch_size)
    game = in_float32(game)
    offered = signatures(game)
    archive(offered).write_out(str(directory), verbose=False)
    terms = contract.describe(game, offered, sizes, preset, source)
    (directory / "assets.extra").mkdir()
    examples = reference(game, offered, tried_sizes(sizes))
    np.savez_compressed(directory / REFERENCE, **_flat(examples))
    files = examples.get("encode_image_bytes", {"inputs": {"image_bytes": [b""]}})["inputs"]
    image = bytes(files["image_bytes"][0])
    warmup.write(directory / warmup.PATH, name, terms["signatures"], image, sizes)
    companions.write_batching(directory, sizes)
    contract.seal(terms, directory)
    companions.write_card(directory, name, game, terms, run or {})
    return terms


def batch_sizes(most: int) -> list:
    """1, 2, 4, … up to `most`. Raises ValueError unless it is a power of 2 from 1 to 1024."""
    sizes = [2**i for i in range(11)]
    if most not in sizes:
        raise ValueError(f"max_batch_size must be a power of 2 from 1 to 1024; got {most!r}")
    return [size for size in sizes if size <= most]


def in_float32(game):
    """`game` itself, or a copy that computes in float32 if its layers have another precision."""
    layers = [layer for net in game.named_networks().values() for layer in net.layers]
    if all(layer.compute_dtype == "float32" for layer in layers):
        return game
    policy = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("float32")
    try:
        copy = type(game).from_config(game.get_config())
    finally:
        keras.mixed_precision.set_global_policy(policy)
    copy.set_weights(game.get_weights())
    return copy


def archive(offered: dict) -> keras.export.ExportArchive:
    """The signatures `offered` and the networks that they use.

    An archive finds the variables of its endpoints by itself. A network that is given to its
    `track` too is saved a second time, and the file is twice as large.
    """
    import tensorflow as tf

    result = keras.export.ExportArchive()
    for name, signature in offered.items():
        specs = [
            tf.TensorSpec((None, *tensor.shape), tensor.dtype, name=key)
            for key, tensor in signature.inputs.items()
        ]
        result.add_endpoint(name, signature.function, input_signature=specs)
    return result


def tried_sizes(sizes: list) -> list:
    """The batch sizes that the doctor tries: 1, 3 and the largest of `sizes`."""
    return sorted({1, min(3, sizes[-1]), sizes[-1]})


def reference(game, offered: dict, sizes: list) -> dict:
    """What the Keras model answers, for the doctor to compare an export with wherever it is taken.

    The images are halfway between the generator's and noise, in whole levels of 8 bits. Answers
    are kept for batches of each of the ascending `sizes`, the first rows of the same inputs:
    kernels add in another order in another size, and a generator can magnify that.

    Returns:
        signature → "inputs" → name → array, and → "outputs" → size → name → array.
    """
    import tensorflow as tf

    rng = np.random.default_rng(0)
    # On the processor: a GPU may round matrix products to fewer bits.
    n = sizes[-1]
    with tf.device("CPU"):
        codes = np.array(game.prior_codes(n, seed=1))
        images = np.array(game.decode(codes), "float32")
        pixels = None
        if len(game.image_shape) == 3:
            noise = rng.uniform(-1, 1, images.shape)
            pixels = datasets.unscale(((images + noise) / 2).astype("float32"))
            images = datasets.scale(pixels)
        seeds = rng.integers(-(2**63), 2**63, n, dtype="int64")
        given = {"images": images, "codes": codes, "seeds": seeds}
        if pixels is not None:
            given["image_bytes"] = np.array([_png(image) for image in pixels])
        return {
            name: {
                "inputs": {key: given[key] for key in signature.inputs},
                "outputs": {
                    str(size): _answer(game, name, {k: v[:size] for k, v in given.items()})
                    for size in sizes
                },
            }
            for name, signature in offered.items()
        }


def _answer(game, name, given):
    """Outputs of the signature `name`, by the game itself: what is exported takes no part in it."""
    if name == "serving_default":
        name = "encode" if game.has_encoder else "sample"
    images, codes, seeds = (given[key] for key in ("images", "codes", "seeds"))
    answers = {
        "encode": lambda: {"codes": game.encode(images)},
        "encode_sample": lambda: {"codes": _drawn_codes(game, images, seeds)},
        # Files are compared with the path that has none.
        "encode_image_bytes": lambda: {"codes": game.encode(images)},
        "decode": lambda: {"images": game.decode(codes)},
        "decode_png": lambda: {"png_bytes": datasets.unscale(np.array(game.decode(codes)))},
        "reconstruct": lambda: {"images": game.reconstruct(images)},
        "sample": lambda: {"images": _by_seed(sampled, game, seeds)},
        "discriminate": lambda: scores.discriminate(game, images),
        "anomaly_score": lambda: scores.anomaly(game, images),
    }
    return {key: np.array(value) for key, value in answers[name]().items()}


def _drawn_codes(game, images, seeds):
    mean, log_var = (np.array(part) for part in trained(game, "encoder")(images, training=False))
    noise = _by_seed(posterior_noise, game, seeds)
    return mean + np.exp(log_var / 2) * noise


def _by_seed(function, game, seeds):
    """`function` of the game and one seed at a time, as the signatures compute it."""
    return np.stack([np.array(function(game, ops.convert_to_tensor(seed))) for seed in seeds])


def _flat(tree, path=()):
    """{"a": {"b": value}} → {"a/b": value}."""
    if not isinstance(tree, dict):
        return {"/".join(path): tree}
    return {k: v for name, branch in tree.items() for k, v in _flat(branch, (*path, name)).items()}


def _png(pixels):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()
