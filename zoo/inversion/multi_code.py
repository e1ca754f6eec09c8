"""Several codes for one image: the multi-code prior of a trained generator."""

import dataclasses
import functools
import numbers

import numpy as np

from zoo.inversion import arguments
from zoo.inversion import searching

RATE = 0.05  # of Adam at the first step, falling to 0
LARGEST = 20  # pixel of an observed image: strong noise stays below, pixels of 0 to 255 do not


@dataclasses.dataclass(frozen=True)
class Restored:
    """Result of `restore` for n images, with N codes each.

    Attributes:
        images: float32 (n, *image_shape), in [-1, 1].
        codes: float32 (n, N, latent_dim).
        weights: float32 (n, N, channels), of the channels of the layer.
        errors: float32 (n,), the mean squared error on the known part of each image.
    """

    images: np.ndarray
    codes: np.ndarray
    weights: np.ndarray
    errors: np.ndarray


class MultiCode:
    """A generator cut at a layer of C channels, G = G₂ ∘ G₁, with N codes to an image.

    x = G₂(mean over n of wₙ · G₁(zₙ)), with one weight for each channel and code (Gu, Shen and Zhou
    2020, arXiv:1912.07116). Their weights αₙ are our wₙ / N, so that all ones are the mean; Adam
    then changes each by a part of its size, and they do not turn negative, which kills rectifiers.

    Args:
        game: a trained game with a generator of codes that are vectors, one layer behind the other
            as in `dcgan`.
        layer: name or number of the layer; None for the first whose output is a map. The choices
            are `MultiCode.layers_of(game)`.
        codes: N, 1 or more.

    Raises:
        ValueError: an argument is not of this kind; the message has the layers.
    """

    prior = "normal"  # of the search: codes and weights may have any values

    def __init__(self, game, layer: str | int | None = None, codes: int = 10):
        import keras

        choices = self.layers_of(game)
        names = list(choices)
        if isinstance(layer, str) and layer not in choices and layer.isdecimal():
            layer = int(layer)  # a flag
        if isinstance(layer, int) and 0 <= layer < len(names):
            layer = names[layer]
        layer = names[0] if layer is None else layer
        if layer not in choices:
            raise ValueError(
                f"layer must be one of {', '.join(names)}, or its number; got {layer!r}"
            )
        if not isinstance(codes, numbers.Integral) or codes < 1:
            raise ValueError(f"codes must be a whole number, 1 or more; got {codes}")
        network = _generator(game)
        place = network.layers.index(network.get_layer(layer))
        first = network.layers[place].output
        rest = inputs = keras.Input(first.shape[1:])
        for later in network.layers[place + 1 :]:
            rest = later(rest)
        self.layer, self.codes = layer, codes
        self.latent_dim, self.channels = game.latent_dim, first.shape[-1]
        self.image_shape = game.image_shape
        self.variables = network.variables
        self._first, self._rest = keras.Model(network.input, first), keras.Model(inputs, rest)

    @staticmethod
    def layers_of(game) -> dict[str, tuple]:
        """Name → (height, width, channels) of the layers at which the generator can be cut."""
        network = _generator(game)
        if any(b.input is not a.output for a, b in zip(network.layers, network.layers[1:])):
            raise ValueError(
                f"the generator of {type(game).__name__} must be a chain of layers, as that of "
                f"network 'dcgan'; got that of network {game.network!r}"
            )
        maps = {a.name: a.output.shape[1:] for a in network.layers[:-1]}
        return {name: tuple(shape) for name, shape in maps.items() if len(shape) == 3}

    @property
    def code_shape(self) -> tuple:
        """Of a row that the search moves: the numbers of one code and its weights, N times."""
        return (self.codes, self.latent_dim + self.channels)

    def decode(self, rows):
        """Images of `code_shape` rows. (n, N, latent_dim + channels) → (n, *image_shape)."""
        return self.compose(rows[..., : self.latent_dim], rows[..., self.latent_dim :])

    def compose(self, codes, weights):
        """(n, N, latent_dim), (n, N, channels) → images (n, *image_shape)."""
        from keras import ops

        maps = self._first(ops.reshape(codes, (-1, self.latent_dim)), training=False)
        maps = ops.reshape(maps, (-1, self.codes, *maps.shape[1:]))
        # Maps of a game in half precision have another dtype than the weights.
        weights = ops.cast(weights, maps.dtype)[:, :, None, None, :]
        mixed = ops.mean(maps * weights, axis=1)
        return self._rest(mixed, training=False)


class _Degraded:
    """A `MultiCode` whose images pass `degrade`, for the search."""

    def __init__(self, model, degrade):
        from keras import ops

        self.decode = lambda rows: degrade(model.decode(rows))
        self.image_shape = tuple(degrade(ops.zeros((1, *model.image_shape))).shape[1:])
        self.code_shape, self.prior, self.variables = model.code_shape, model.prior, model.variables


# The search is compiled for each of these objects, which takes longer than a search of few images,
# so that equal arguments must get the same ones. `network`, the generator in use, is only a key.
@functools.lru_cache(maxsize=searching.KEPT, typed=True)
def _prepared(game, network, layer, codes, degrade):
    """(the `MultiCode`, its `_Degraded`)."""
    model = MultiCode(game, layer, codes)
    return model, _Degraded(model, degrade)


def _itself(images):
    return images


def restore(
    game,
    observed: np.ndarray,
    degrade=None,
    codes: int = 10,
    layer: str | int | None = None,
    steps: int = 200,
    mask: np.ndarray | None = None,
    learning_rate: float = RATE,
    seed: int = 0,
) -> Restored:
    """Images of which something is known: by N codes of a trained generator.

    Minimises |m · (degrade(x) − observed)|² over the codes and weights of `MultiCode`, with Adam
    for each image by itself, and keeps the best met. `degrade` makes the task:
    None for reconstruction, for denoising (few steps) and, with a mask, for inpainting;
    `keras.ops.average_pool` for super-resolution; a mean over channels for colourisation.

    Many codes may have more numbers than an image has pixels, so they copy much of the image,
    of any kind: read every figure beside that of images upside down and of noise.

    The search is compiled at the first call. Later calls with the same game, layer, number of codes
    and `degrade` (the same function, not a new lambda) use it again, for any number of images.

    Args:
        game, layer, codes: see `MultiCode`.
        observed: (n, ...) the known parts of n images, floats as from images in [-1, 1].
        degrade: function of images (n, *image_shape) with a gradient, in `keras.ops`, to arrays of
            the shape of `observed`; None: the images themselves.
        steps: of Adam, 1 or more.
        mask: of the shape of `observed`: 1 for values that are known, 0 for others; None: all are.
        learning_rate: at the first step; it falls to 0 as a half cosine.
        seed: of the N draws from the prior at which the codes of every image begin.

    Returns:
        A `Restored`.

    Raises:
        ValueError: an argument is not of this kind, or see `MultiCode`.
    """
    from keras import ops

    from zoo.metrics.arrays import in_batches
    from zoo.training import ranges

    kind = game, _generator(game), layer, codes, degrade or _itself
    try:
        model, degraded = _prepared(*kind)
    except TypeError:  # one of them is no key, such as a `degrade` that cannot be hashed
        model, degraded = _prepared.__wrapped__(*kind)
    arguments.at_least(1, steps=steps)
    if not learning_rate > 0:
        raise ValueError(f"learning_rate must be above 0; got {learning_rate}")
    observed = np.asarray(observed)
    if not np.issubdtype(observed.dtype, np.floating) or not np.isfinite(observed).all():
        found = "NaN or infinity" if observed.dtype.kind == "f" else observed.dtype
        raise ValueError(
            f"observed must be finite floats, as from images in [-1, 1]; got {found}: "
            "zoo.datasets.scale takes images of whole numbers"
        )
    observed = observed.astype(np.float32)
    shape = degraded.image_shape
    if observed.ndim < 2 or len(observed) == 0 or observed.shape[1:] != shape:
        sides = ", ".join(map(str, shape))
        raise ValueError(f"observed must be of shape (n, {sides}); got {observed.shape}")
    mask = np.ones_like(observed) if mask is None else np.asarray(mask, np.float32)
    if mask.shape != observed.shape:
        raise ValueError(f"mask must be of shape {observed.shape}; got {mask.shape}")
    arguments.check_mask(mask)
    if degrade is None:
        ranges.check(game, mask * observed, "observed", LARGEST)
    drawn = ops.convert_to_numpy(game.prior_codes(codes, seed))
    start = np.concatenate([drawn, np.ones((codes, model.channels))], axis=1).astype(np.float32)
    starts = np.repeat(start[None, None], len(observed), axis=0)
    found = searching.descend(degraded, starts, observed, mask, steps, learning_rate)
    images = in_batches(model.decode, found.codes, searching.ROWS)
    parts = np.split(found.codes, [model.latent_dim], axis=2)
    return Restored(images, *parts, found.errors)


def _generator(game):
    """The generator that `decode` uses, if it takes codes that are vectors."""
    if not game.has_generator or "y" in game.inputs or isinstance(game.latent_dim, tuple):
        raise ValueError(
            "game must have a generator that takes codes alone, as vectors; "
            f"got {type(game).__name__}"
        )
    from zoo.training import averages

    return averages.in_use(game, "generator")
