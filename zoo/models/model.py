"""`Model`: one interface to trained games and SavedModels, for metrics."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from zoo.noised import NoisedPixels


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
        method: as from `method_of`; None of a SavedModel, which does not say.
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
    method: str | None = None

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
        method=method_of(game),
    )


def method_of(game) -> str:
    """The method of `game`, such as "vae_gan"; "" if its class is not of this package."""
    import zoo

    method = type(game).__module__.removeprefix("zoo.")
    return method if method in zoo.METHODS | zoo.CONSTRUCTIONS else ""


def inverted(game, steps: int = 100, seed: int = 0, name: str = "") -> Model:
    """`of_game` with a search for the code in place of the encoder, which `game` need not have.

    Every metric of an encoder then applies to a plain GAN. Its anomaly score is AnoGAN's formula
    (Schlegl et al. 2017, arXiv:1703.05921) at the code that minimises the squared error; AnoGAN's
    search also minimises the feature term.

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
