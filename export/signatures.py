"""What an export offers: its signatures, with the names and shapes that go over the wire.

| signature | inputs | outputs |
| --- | --- | --- |
| `encode` | `images` float32 (n, h, w, c) in [-1, 1] | `codes` float32 (n, d): E(x), or its mean |
| `encode_sample` | `images`, `seeds` int64 (n,) | `codes` drawn; only for stochastic encoders |
| `encode_image_bytes` | `image_bytes` (n,), PNG or JPEG | `codes` |
| `decode` | `codes` | `images` |
| `decode_png` | `codes` | `png_bytes` (n,) |
| `reconstruct` | `images` | `images` |
| `sample` | `seeds` | `images` |
| `discriminate` | `images` | `score_xz`, `score_x`, `score_z`: see `zoo.scores` |
| `anomaly_score` | `images` | `anomaly_score` and its terms: see `zoo.scores` |
| `serving_default` | as `encode`, or as `sample` without an encoder | |

A method offers those that it has the networks for; points, of shape (n, 2), have no files, and
neither have the noised images of the counterexample, whose codes bytes would round.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from export import images as files
from zoo import scores
from zoo.priors import BOUNDED
from zoo.priors import petals

# Second halves of the pairs that seed a draw, so that equal seeds give unrelated draws of the two.
_PRIOR, _POSTERIOR = 1, 2


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One input or output: shape without the batch, and the range of values if there is one."""

    dtype: str
    shape: tuple
    range: tuple | None = None


@dataclasses.dataclass(frozen=True)
class Signature:
    """`function` takes the tensors of `inputs` in order, by name; returns those of `outputs`."""

    function: Callable
    inputs: dict
    outputs: dict


def signatures(game) -> dict:
    """Name → `Signature` of everything that `game` can do; `serving_default` comes last."""
    found = _of_codes(game)
    if game.has_encoder:
        found |= _of_encoder(game)
    if game.scores:
        found["discriminate"] = _signature(
            lambda images: scores.discriminate(game, images),
            {"images": _images(game)},
            dict.fromkeys(game.scores, Tensor("float32", ())),
        )
    found["serving_default"] = found["encode" if game.has_encoder else "sample"]
    return found


def trained(game, name: str):
    """The network of `game` that serves: the average of its weights if the game keeps one."""
    return game.averages.get(name) or getattr(game, name)


def _images(game):
    return Tensor("float32", game.image_shape, _range(game))


def _range(game):
    return game.image_range if len(game.image_shape) == 3 else None


def _has_files(game):
    """Whether images can be stored as bytes: points cannot, nor noise beyond black and white."""
    return _range(game) is not None and game.image_shape[-1] in (1, 3)


def _codes(game):
    return Tensor("float32", (game.latent_dim,), (-1, 1) if game.prior in BOUNDED else None)


_SEEDS, _FILES = Tensor("int64", ()), Tensor("string", ())


def _of_codes(game):
    images, codes = {"images": _images(game)}, {"codes": _codes(game)}

    def sample(seeds):
        return {"images": by_seed(lambda seed: sampled(game, seed), seeds, game.image_shape)}

    found = {
        "sample": _signature(sample, {"seeds": _SEEDS}, images),
        "decode": _signature(lambda codes: {"images": game.decode(codes)}, codes, images),
    }
    if _has_files(game):
        found["decode_png"] = _signature(
            lambda codes: {"png_bytes": files.encoded(game.decode(codes))},
            codes,
            {"png_bytes": _FILES},
        )
    return found


def _of_encoder(game):
    images, codes = {"images": _images(game)}, {"codes": _codes(game)}

    def from_files(image_bytes):
        return {"codes": game.encode(files.decoded(image_bytes, game.image_shape))}

    found = {
        "encode": _signature(lambda images: {"codes": game.encode(images)}, images, codes),
        "reconstruct": _signature(
            lambda images: {"images": game.reconstruct(images)}, images, images
        ),
        "anomaly_score": _signature(
            lambda images: scores.anomaly(game, images),
            images,
            dict.fromkeys(scores.anomaly_terms(game), Tensor("float32", (), (0, float("inf")))),
        ),
    }
    if is_stochastic(game):
        drawn = {"codes": Tensor("float32", (game.latent_dim,))}
        found["encode_sample"] = _signature(
            lambda images, seeds: {"codes": _posterior_draws(game, images, seeds)},
            images | {"seeds": _SEEDS},
            drawn,
        )
    if _has_files(game):
        found["encode_image_bytes"] = _signature(from_files, {"image_bytes": _FILES}, codes)
    return found


def is_stochastic(game) -> bool:
    """Whether the encoder of `game` gives a mean and a log variance."""
    return game.has_encoder and isinstance(game.encoder.output, (list, tuple))


def _signature(function, inputs, outputs):
    def float32(*tensors):
        made = function(*tensors)
        # Whatever the precision of the networks, and in the order of the contract.
        return {
            name: made[name] if tensor.dtype == "string" else tf.cast(made[name], tensor.dtype)
            for name, tensor in outputs.items()
        }

    return Signature(float32, inputs, outputs)


def sampled(game, seed) -> tf.Tensor:
    """The sample that `seed` names. int64 () → `image_shape`."""
    return game.decode(prior_draw(game, seed)[None])[0]


def prior_draw(game, seed) -> tf.Tensor:
    """The code from the prior that `seed` names. int64 () → (latent_dim,)."""
    pair = _pair(seed, _PRIOR)
    if game.prior == "mixture":
        return petals(_normal(pair, 3)[None])[0]
    return {"normal": _normal, "uniform": _uniform}[game.prior](pair, game.latent_dim)


def posterior_noise(game, seed) -> tf.Tensor:
    """The noise of a drawn code that `seed` names. int64 () → (latent_dim,)."""
    return _normal(_pair(seed, _POSTERIOR), game.latent_dim)


def _posterior_draws(game, images, seeds):
    mean, log_var = trained(game, "encoder")(images, training=False)
    noise = by_seed(lambda seed: posterior_noise(game, seed), seeds, (game.latent_dim,))
    return mean + tf.exp(log_var / 2) * noise


def _pair(seed, purpose):
    return tf.stack([seed, tf.constant(purpose, tf.int64)])


def _normal(seed, size):
    return tf.random.stateless_normal((size,), seed, alg="philox")


def _uniform(seed, size):
    return tf.random.stateless_uniform((size,), seed, -1.0, 1.0, alg="philox")


def by_seed(function: Callable, seeds: tf.Tensor, shape: tuple) -> tf.Tensor:
    """`function` of each of `seeds` (n,) by itself.

    Kernels add in another order when the batch has another size, and on some processors when a row
    stands elsewhere in it, so the last bits of a result change. One seed at a time gives the same
    bits in every batch. 32 images of 28 × 28 (dcgan) took 10 to 16 ms this way, 9 to 10 ms in
    groups of 8; one image took 1.5 to 2.8 ms, 3.7 to 4.5 ms (2 cores, AVX2, 20 runs by turns).

    Returns:
        float32 (n, *shape).
    """
    return tf.map_fn(function, seeds, fn_output_signature=tf.TensorSpec(shape, tf.float32))
