"""The functions of a trained game that are exported and served, and the kinds they work on.

| kind | in the function | in a request or answer |
| --- | --- | --- |
| `images` | float32 (n, *image_shape) in [-1, 1] | the same, or PNG and JPEG files |
| `codes` | float32 (n, *code_shape), in the range of the prior | the same |
| `draws` | float32 (n, *code_shape) of any size | the same |
| `prior` | codes drawn from the prior | int64 seeds (n,) |
| `noise` | standard normal draws, float32 (n, *code_shape) | int64 seeds (n,) |
| `labels` | int64 (n,), from 0 to `classes` - 1 | the same |
| `scores` | float32 (n,) | the same |
| `distances` | float32 (n,), 0 or more | the same |

`Game.signatures` returns the signatures of every game; a method that has others overrides it.
"""

import dataclasses
import functools
from collections.abc import Callable

from zoo import scores
from zoo.losses import gaussian_draw

KINDS = ("images", "codes", "draws", "prior", "noise", "labels", "scores", "distances")


@dataclasses.dataclass(frozen=True)
class Signature:
    """One function of a trained game, in inference mode.

    Args:
        function: takes one batch for each of `inputs`, in order, and returns the batch of the only
            output, or output → batch.
        inputs, outputs: name on the wire → kind.
        files: whether images also go over the wire as files: `NAME_image_bytes` takes PNG and JPEG
            files in place of images, `NAME_png` gives PNG files, and a signature from images to
            images has `NAME_image_bytes` alone, which does both.

    Raises:
        ValueError: a kind is none of `KINDS`.
    """

    function: Callable
    inputs: dict
    outputs: dict
    files: bool = False

    def __post_init__(self):
        for name, kind in (self.inputs | self.outputs).items():
            if kind not in KINDS:
                raise ValueError(
                    f"kind of {name!r} must be one of {', '.join(KINDS)}; got {kind!r}"
                )


def of(game) -> dict:
    """Name → `Signature` for the networks that `game` has."""
    images, codes, found = {"images": "images"}, {"codes": "codes"}, {}
    if game.has_encoder:
        found["encode"] = Signature(game.encode, images, codes, files=True)
        found["reconstruct"] = Signature(game.reconstruct, images, images)
        found["anomaly_score"] = Signature(
            lambda x: scores.anomaly(game, x),
            images,
            dict.fromkeys(scores.anomaly_terms(game), "distances"),
        )
    if is_stochastic(game):
        found["encode_sample"] = Signature(
            functools.partial(_encode_sample, game),
            images | {"seeds": "noise"},
            {"codes": "draws"},
        )
    if game.has_generator:
        found["decode"] = Signature(game.decode, codes, images, files=True)
        found["sample"] = Signature(game.decode, {"seeds": "prior"}, images)
    if game.scores:
        found["discriminate"] = Signature(
            lambda x: scores.discriminate(game, x), images, dict.fromkeys(game.scores, "scores")
        )
    return found


def is_stochastic(game) -> bool:
    """Whether the encoder of `game` gives a mean and a log variance."""
    return game.has_encoder and isinstance(game.encoder.output, (list, tuple))


def _encode_sample(game, x, noise):
    mean, log_var = game.posterior(x)
    return gaussian_draw(mean, log_var, noise)
