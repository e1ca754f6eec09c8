"""The signatures of an exported game, with the names and shapes that go over the wire.

| signature | inputs | outputs |
| --- | --- | --- |
| `encode` | `images` float32 (n, h, w, c) in [-1, 1] | `codes` float32 (n, ...): E(x) or its mean |
| `encode_sample` | `images`, `seeds` int64 (n,) | `codes` drawn; only for stochastic encoders |
| `encode_image_bytes` | `image_bytes` (n,), PNG or JPEG | `codes` |
| `decode` | `codes` | `images` |
| `decode_png` | `codes` | `png_bytes` (n,) |
| `reconstruct` | `images` | `images` |
| `sample` | `seeds` | `images` |
| `discriminate` | `images` | the scores of the method, such as `score_xz`: see `zoo.scores` |
| `anomaly_score` | `images` | `anomaly_score` and its terms: see `zoo.scores` |
| `translate_ab`, `translate_ba` | `images` | `images` of the other domain (CycleGAN, UNIT) |
| `translate_ab_image_bytes`, … | `image_bytes` | `png_bytes` |
| `encode_a`, `encode_b` | `images` of one domain | `codes` (UNIT) |
| `decode_a`, `decode_b` | `codes` | `images` of one domain (UNIT) |
| `translate` | `images`, `labels` int64 (n,) | `images` of these classes (ACGAN) |
| `serving_default` | as `encode`, or as `sample` without an encoder, or `translate_ab` | |

`decode`, `decode_png` and `sample` of a method of classes (ACGAN) take `labels` too.

A method declares its signatures by kinds (see `zoo.signatures`), and this module is the only one
that maps a kind to its wire format. Points, of shape (n, 2), have no files, and neither have the
noised images of the counterexample, whose codes would be rounded by bytes.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from keras import ops

from export import images as files
from zoo import datasets
from zoo.priors import BOUNDED
from zoo.priors import petals

# Second halves of the seeds of a draw, so that equal seeds give independent draws of the two.
_PRIOR, _POSTERIOR = 1, 2


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One input or output: shape without the batch, and the range of values if there is one."""

    dtype: str
    shape: tuple
    range: tuple | None = None


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function in a graph, and the Keras model's answer.

    Args:
        function: takes the tensors of `inputs` in order; returns those of `outputs` by name.
        inputs, outputs: name → `Tensor`.
        kinds: kinds of the inputs in order: each one of `zoo.signatures.KINDS`, or "files".
        answer: takes kind → array, files being given as the images in them, and returns the outputs
            by name as NumPy arrays, PNG files as their pixels. It runs the game itself, eagerly:
            the doctor compares the graph with it.
    """

    function: Callable
    inputs: dict
    outputs: dict
    kinds: tuple
    answer: Callable


def signatures(game) -> dict:
    """Name → `Signature` of everything that `game` can do; `serving_default` comes last."""
    found = {}
    for name, declared in game.signatures().items():
        found[name] = _served(game, declared)
        if declared.files and _has_files(game):
            found |= _with_files(game, name, declared, found[name])
    found["serving_default"] = found[default(found)]
    return found


def default(names) -> str:
    """The signature of `names` used as `serving_default`: encode, sample, or the first."""
    return next((name for name in ("encode", "sample") if name in names), next(iter(names)))


def tensor(game, kind: str) -> Tensor:
    """The tensor on the wire for a kind of `zoo.signatures` of this game."""
    code = game.code_shape
    return {
        "images": lambda: Tensor("float32", game.image_shape, _range(game)),
        "codes": lambda: Tensor("float32", code, (-1, 1) if game.prior in BOUNDED else None),
        "draws": lambda: Tensor("float32", code),
        "prior": lambda: Tensor("int64", ()),
        "noise": lambda: Tensor("int64", ()),
        "labels": lambda: Tensor("int64", (), (0, game.classes - 1)),
        "scores": lambda: Tensor("float32", ()),
        "distances": lambda: Tensor("float32", (), (0, float("inf"))),
    }[kind]()


def _range(game):
    return game.image_range if len(game.image_shape) == 3 else None


def _has_files(game):
    """Whether images can be stored as bytes: points cannot, nor noise beyond black and white."""
    return _range(game) is not None and game.image_shape[-1] in (1, 3)


def _served(game, declared):
    kinds = tuple(declared.inputs.values())
    outputs = {name: tensor(game, kind) for name, kind in declared.outputs.items()}

    def computed(*values):
        made = declared.function(*values)
        made = made if isinstance(made, dict) else dict.fromkeys(outputs, made)
        # In any precision of the networks, and in the order of the contract.
        return {name: ops.cast(made[name], one.dtype) for name, one in outputs.items()}

    def one_row(row):
        made = computed(*(_drawn(game, kind, part)[None] for kind, part in zip(kinds, row)))
        return {name: rows[0] for name, rows in made.items()}

    def function(*tensors):
        rows = [tf.shape(part)[0] for part in tensors]
        for other in rows[1:]:
            said = f"{' and '.join(inputs)} must have equally many rows; got"
            tf.debugging.Assert(tf.equal(rows[0], other), [said, rows[0], other])
        for part in (part for kind, part in zip(kinds, tensors) if kind == "labels"):
            known = tf.reduce_all((part >= 0) & (part < game.classes))
            tf.debugging.Assert(known, [f"labels must be from 0 to {game.classes - 1}; got", part])
        if "prior" in kinds:
            specs = {name: tf.TensorSpec(one.shape, one.dtype) for name, one in outputs.items()}
            return by_row(one_row, tensors, specs)
        return computed(*(_rows(game, kind, part) for kind, part in zip(kinds, tensors)))

    def answer(given):
        parts = [ops.convert_to_tensor(given[kind]) for kind in kinds]
        if "prior" in kinds:
            rows = [one_row(row) for row in zip(*parts)]
            return {name: np.stack([np.array(row[name]) for row in rows]) for name in outputs}
        made = computed(*(_rows(game, kind, part) for kind, part in zip(kinds, parts)))
        return {name: np.array(value) for name, value in made.items()}

    inputs = {name: tensor(game, kind) for name, kind in declared.inputs.items()}
    return Signature(function, inputs, outputs, kinds, answer)


def _with_files(game, name, declared, served):
    """The variants of a signature from or to images that take or give files."""
    from_images = set(served.kinds) == {"images"}
    to_images = set(declared.outputs.values()) == {"images"}

    def function(*tensors):
        if from_images:
            tensors = [files.decoded(part, game.image_shape) for part in tensors]
        made = served.function(*tensors)
        return {"png_bytes": files.encoded(*made.values())} if to_images else made

    def answer(given):
        made = served.answer(given)
        return {"png_bytes": datasets.unscale(*made.values())} if to_images else made

    file = Tensor("string", ())
    return {
        f"{name}_image_bytes" if from_images else f"{name}_png": Signature(
            function,
            {"image_bytes": file} if from_images else served.inputs,
            {"png_bytes": file} if to_images else served.outputs,
            ("files",) if from_images else served.kinds,
            answer,
        )
    }


def _rows(game, kind, part):
    """The batch passed to a function for a batch on the wire."""
    if kind != "noise":
        return part
    spec = tf.TensorSpec(game.code_shape, tf.float32)
    return by_row(lambda seed: _drawn(game, kind, seed), part, spec)


def _drawn(game, kind, value):
    """The input of a function for one row on the wire: for a seed, its draw."""
    if kind == "noise":
        return _normal(_pair(value, _POSTERIOR), game.code_shape)
    return prior_draw(game, value) if kind == "prior" else value


def prior_draw(game, seed) -> tf.Tensor:
    """The code drawn from the prior with `seed`. int64 () → code_shape."""
    pair = _pair(seed, _PRIOR)
    if game.prior == "mixture":
        return petals(_normal(pair, (1, 3)))[0]
    return {"normal": _normal, "uniform": _uniform}[game.prior](pair, game.code_shape)


def _pair(seed, purpose):
    return tf.stack([seed, tf.constant(purpose, tf.int64)])


def _normal(seed, shape):
    return tf.random.stateless_normal(shape, seed, alg="philox")


def _uniform(seed, shape):
    return tf.random.stateless_uniform(shape, seed, -1.0, 1.0, alg="philox")


def by_row(function: Callable, rows, specs):
    """`function` of each row by itself: a tensor (n, ...) or several → (n, ...) as `specs` has it.

    Kernels add in another order when the batch has another size, and on some processors when a row
    stands elsewhere in it, so the last bits of a result change. One row at a time gives the same
    bits in every batch. 32 images of 28 × 28 (dcgan) took 10 to 16 ms this way, 9 to 10 ms in
    groups of 8; one image took 1.5 to 2.8 ms, 3.7 to 4.5 ms (2 cores, AVX2, 20 runs by turns).
    """
    return tf.map_fn(function, rows, fn_output_signature=specs)
