"""Checks of the arguments of a search, and the codes at which it begins."""

import numpy as np

from zoo.cli import commands

# Factor of the draws from the prior at which searches begin.
NEARER = 0.3


def read(usage: str, known: dict, argv: list | None) -> tuple:
    """(flags, the one model) of a command, see `zoo.cli.commands.parse`.

    Raises:
        ValueError: a flag is unknown or below its minimum, or there is another number of models.
    """
    args, paths = commands.parse(usage, known, argv)
    if len(paths) != 1:
        raise ValueError(f"give one model; got {len(paths)}; see --help")
    commands.at_least(args, images=2, steps=1, seed=0)
    return args, paths[0]


def loaded(path: str, dataset: str):
    """(the game at `path`, the `Dataset` to invert it on), of images of one shape.

    Raises:
        ValueError: one of them cannot be read, or they have no images of one shape.
    """
    import zoo
    from zoo.models.data import data_of

    data = data_of(path, dataset)  # first, for missing data are found early
    game = zoo.load(path)
    if len(game.image_shape) != 3:
        raise ValueError(f"give a model of images; {path} has examples of {game.image_shape}")
    if data.shape != tuple(game.image_shape):
        raise ValueError(
            f"--dataset must have images of shape {tuple(game.image_shape)}; "
            f"got {data.name} of shape {data.shape}"
        )
    return game, data


def checked(game, images, mask):
    """images and mask as float32 arrays; the mask can be broadcast to the images."""
    from zoo.training import ranges

    if not game.has_generator or "y" in game.inputs:
        raise ValueError(
            f"game must have a generator that takes codes alone; got {type(game).__name__}"
        )
    images = np.asarray(images)
    if images.ndim == 0 or len(images) == 0:
        raise ValueError(f"images must be an array of one image or more; got {images!r}")
    ranges.check_shape(game, "x", images)
    ranges.check(game, images)
    images = images.astype(np.float32)
    if not np.isfinite(images).all():
        raise ValueError("images must be finite; got NaN or infinity")
    shape = images.shape
    if mask is None:
        return images, np.ones((len(images), *(1 for _ in game.image_shape)), np.float32)
    mask = np.asarray(mask, np.float32)
    if mask.shape not in (shape, (*shape[:-1], 1)):
        allowed = " or ".join(dict.fromkeys((str(shape), str((*shape[:-1], 1)))))
        raise ValueError(f"mask must be of shape {allowed}; got {mask.shape}")
    check_mask(mask)
    return images, mask


def check_mask(mask):
    """Raises ValueError if a value is not 0 or 1, or if nothing of an image is known."""
    if not np.isin(mask, (0, 1)).all():
        raise ValueError(f"mask must be 0 or 1; got {mask[~np.isin(mask, (0, 1))][0]:g}")
    hidden = np.flatnonzero(~mask.reshape(len(mask), -1).any(axis=1))
    if len(hidden):
        raise ValueError(f"mask must be 1 at a pixel of every image; got none of image {hidden[0]}")


def starting(game, images, restarts, start, seed, rows):
    """Codes to begin at, float32 (n, searches, *code_shape); `rows` images are encoded at once."""
    from keras import ops

    from zoo.metrics.arrays import in_batches
    from zoo.priors import BOUNDED

    n = len(images)
    if start is None:
        drawn = NEARER * ops.convert_to_numpy(game.prior_codes(restarts, seed))
        return np.repeat(drawn[None], n, axis=0).astype(np.float32)
    if isinstance(start, str):
        if start != "encoder":
            raise ValueError(f'start must be None, "encoder" or codes; got {start!r}')
        if not game.has_encoder:
            raise ValueError(
                f"start must be None or codes for {type(game).__name__}, which has no encoder; "
                f"got {start!r}"
            )
        # As many rows for one image as for many, as in the search itself.
        filled = images[np.arange(-(-n // rows) * rows) % n]
        start = in_batches(game.encode, filled, rows)[:n]
    start = np.asarray(start, np.float32)
    if start.shape != (n, *game.code_shape) or not np.isfinite(start).all():
        shape = (n, *game.code_shape)
        got = start.shape if start.shape != shape else "NaN or infinity"
        raise ValueError(f"start must be finite codes of shape {shape}; got {got}")
    if game.prior in BOUNDED:
        start = np.clip(start, -1, 1)
    return start[:, None]


def at_least(bound, **values):
    for name, value in values.items():
        if not value >= bound:
            raise ValueError(f"{name} must be {bound} or more; got {value}")
