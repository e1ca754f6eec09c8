"""Writing one version: the SavedModel, and the files beside it."""

import io
import pathlib

import keras
import numpy as np

from export import companions
from export import contract
from export import formats
from export import warmup
from export.signatures import signatures
from zoo import datasets
from zoo import keras_settings
from zoo.networks import own

REFERENCE = "assets.extra/doctor.npz"


def write(
    game,
    directory: pathlib.Path,
    name: str = "model",
    max_batch_size: int = 32,
    preset: str | None = None,
    source: str | None = None,
    run: dict | None = None,
    also: tuple | list = (),
) -> dict:
    """Write `game` as a SavedModel for serving into `directory`, which must exist and be empty.

    Arithmetic is in float32, for any precision of the training: the weights are float32
    under every policy.

    Args:
        name: name of the model, for its card.
        max_batch_size: most rows that a server may put into one batch, a power of 2.
        preset, source: see `contract.describe`.
        run: "metrics" and "data" of the run, for the model card.
        also: further formats, names in `formats.MODULES`.

    Returns:
        The contract.

    Raises:
        ValueError: the backend is not TensorFlow, the batch size is not a power of 2, or there is
            no signature to convert.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"export needs the TensorFlow backend; it is {keras.backend.backend()!r}")
    sizes = contract.batch_sizes(max_batch_size)
    game = in_float32(game)
    offered = signatures(game)
    archive(offered).write_out(str(directory), verbose=False)
    terms = contract.describe(game, offered, sizes, preset, source)
    (directory / "assets.extra").mkdir()
    examples = reference(game, offered, tried_sizes(sizes))
    np.savez_compressed(directory / REFERENCE, **_flat(examples))
    given = [
        one["inputs"]["image_bytes"] for one in examples.values() if "image_bytes" in one["inputs"]
    ]
    image = bytes(given[0][0]) if given else b""
    warmup.write(directory / warmup.PATH, name, terms["signatures"], image, sizes)
    companions.write_batching(directory, sizes)
    formats.write(directory, terms["signatures"], also)
    contract.seal(terms, directory)
    companions.write_card(directory, name, game, terms, run or {})
    return terms


def in_float32(game):
    """`game` itself, or a copy that computes in float32 if its layers have another precision."""
    layers = game._flatten_layers(include_self=False)
    if all(layer.compute_dtype == "float32" for layer in layers):
        return game
    with keras_settings.single_precision():
        copy = type(game).from_config(game.get_config())
    own.set_weights(copy, game.get_weights())
    for layer in copy._flatten_layers(include_self=False):
        layer.dtype_policy = "float32"  # networks of the caller's own keep theirs
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
    """Answers of the Keras model, with which the doctor compares an export on any machine.

    The images are halfway between the generator's and noise, in whole levels of 8 bits. Answers
    are kept for batches of each of the ascending `sizes`, the first rows of the same inputs:
    kernels sum in another order at another size, and a generator can magnify the difference.

    Returns:
        signature → "inputs" → name → array, and → "outputs" → size → name → array.
    """
    import tensorflow as tf

    rng = np.random.default_rng(0)
    n = sizes[-1]
    # On the processor: a GPU may round matrix products to fewer bits.
    with tf.device("CPU"):
        given = _examples(game, offered, rng, n)
        return {
            name: {
                "inputs": {key: given[k] for key, k in zip(signature.inputs, signature.kinds)},
                "outputs": {
                    str(size): signature.answer({k: v[:size] for k, v in given.items()})
                    for size in sizes
                },
            }
            for name, signature in offered.items()
        }


def _examples(game, offered, rng, n):
    """Kind of input → n examples of it."""
    codes = np.array(game.prior_codes(n, seed=1))
    images = rng.uniform(-1, 1, (n, *game.image_shape)).astype("float32")
    if "decode" in offered and offered["decode"].kinds == ("codes",):
        made = np.array(game.decode(codes), "float32")
        images = (made + images) / 2 if len(game.image_shape) == 3 else made
    seeds = rng.integers(-(2**63), 2**63, n, dtype="int64")
    given = {"images": images, "codes": codes, "prior": seeds, "noise": seeds}
    if hasattr(game, "classes"):
        given["labels"] = rng.integers(0, game.classes, n, dtype="int64")
    if len(game.image_shape) == 3:
        pixels = datasets.unscale(images)
        given["images"] = datasets.scale(pixels)
        given["files"] = np.array([_png(image) for image in pixels])
    return given


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
