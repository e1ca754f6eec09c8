"""Paths in the space of codes: interpolation between two codes, traversal along one axis."""

import numpy as np

from zoo import models
from zoo.latent.arrays import checked_codes
from zoo.latent.arrays import decoded
from zoo.metrics.arrays import rows

# How far from parallel or opposite the unit vectors of two codes must be for an angle to be used.
_NARROW = 1e-6


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The straight line from codes a to codes b, (1 − t) a + t b.

    Args:
        a: (n, d).
        b: (n, d).
        t: (steps,), 0 at a and 1 at b.

    Returns:
        (n, steps, d).

    Raises:
        ValueError: the shapes do not fit.
    """
    a, b, t = _checked(a, b, t)
    return (1 - t) * a + t * b


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The great circle from codes a to codes b; the norm goes evenly from that of a to that of b.

    White 2016 (arXiv:1609.04468) proposed it for Gaussian priors: in many dimensions their draws
    lie near a sphere around the origin, and a straight line leaves it for the middle, on which the
    generator was hardly trained. If the norms are equal, this is his formula; if they are
    not, he weights the codes themselves; here direction and norm are interpolated each for itself.

    Args:
        a: (n, d).
        b: (n, d).
        t: (steps,), 0 at a and 1 at b.

    Returns:
        (n, steps, d). Parallel codes, and those at the origin, are joined by a straight line.

    Raises:
        ValueError: the shapes do not fit, or two codes are opposite, between which there are
            many great circles.
    """
    a, b, t = _checked(a, b, t)
    norms = np.linalg.norm(a, axis=-1, keepdims=True), np.linalg.norm(b, axis=-1, keepdims=True)
    straight = (norms[0] == 0) | (norms[1] == 0)
    u, v = (z / np.where(norm == 0, 1, norm) for z, norm in zip((a, b), norms))
    # Of short and of long vectors between unit vectors, where arccos would lose half its digits.
    apart, together = (np.linalg.norm(w, axis=-1, keepdims=True) for w in (u - v, u + v))
    if (~straight & (together < _NARROW)).any():
        raise ValueError("slerp between opposite codes: the great circle is not unique")
    angle = 2 * np.arctan2(apart, together)
    straight |= apart < _NARROW
    sine = np.where(straight, 1, np.sin(angle))
    direction = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / sine
    curved = ((1 - t) * norms[0] + t * norms[1]) * direction
    return np.where(straight, (1 - t) * a + t * b, curved)


def path(law: str, a: np.ndarray, b: np.ndarray, steps: int = 9) -> np.ndarray:
    """Codes on a path from a to b that suits the prior `law`, both ends included.

    `slerp` for "normal" in two dimensions or more; `lerp` for the others: a straight line stays in
    the box of "uniform", which is convex, and no line suits "mixture", whose middle is empty.

    Args:
        law: one of `zoo.priors.PRIORS`.
        a: (n, d), or (n, h, w, c), whose numbers are the coordinates of a vector.
        b: as a.
        steps: codes on each path, 2 or more.

    Returns:
        (n, steps, d), or (n, steps, h, w, c).

    Raises:
        ValueError: there are fewer than 2 steps; or see `slerp`.
    """
    if steps < 2:
        raise ValueError(f"steps must be 2 or more; got {steps}")
    shape = np.shape(a)[1:]
    a, b = rows(np.asarray(a)), rows(np.asarray(b))
    curved = law == "normal" and a.shape[-1] > 1
    codes = (slerp if curved else lerp)(a, b, np.linspace(0, 1, steps))
    return codes.reshape(len(codes), steps, *shape)


def interpolate(model, a: np.ndarray, b: np.ndarray, steps: int = 9) -> np.ndarray:
    """Images on a path from codes a to codes b; between two pictures, `a = game.encode(x)`.

    Args:
        model: a game, a `zoo.models.Model`, or a path to one.
        a: codes (n, d) or (n, h, w, c).
        b: as a.
        steps: images on each path, the two ends included; see `path`.

    Returns:
        (n, steps, *shape), in the range of the model, [-1, 1] for images.

    Raises:
        ValueError: the codes are not the model's, or see `path`.
    """
    model = models.of(model)
    a, b = checked_codes(model, a), checked_codes(model, b)
    return decoded(model, path(model.law, a, b, steps))


def traverse(
    model, codes: np.ndarray, coordinates: list | None = None, values: np.ndarray | None = None
) -> np.ndarray:
    """Effect of each coordinate: images of codes in which one coordinate takes other values.

    Args:
        model: as for `interpolate`.
        codes: (n, d) or (n, h, w, c), whose coordinates are counted in the order of the flattened
            code.
        coordinates: which ones; None for all of them.
        values: (steps,) values of the coordinate; None for `spread` of the prior.

    Returns:
        (n, coordinates, steps, *shape).

    Raises:
        ValueError: the codes are not the model's, or a coordinate does not exist.
    """
    model = models.of(model)
    codes = checked_codes(model, codes)
    d = codes.shape[1]
    coordinates = np.arange(d) if coordinates is None else np.asarray(coordinates)
    if coordinates.ndim != 1 or not len(coordinates) or not np.isin(coordinates, range(d)).all():
        raise ValueError(
            f"coordinates must be a list of numbers from 0 to {d - 1}; got {coordinates.tolist()}"
        )
    values = spread(model.law) if values is None else np.asarray(values, np.float32)
    moved = np.tile(codes[:, None, None], (1, len(coordinates), len(values), 1))
    for place, coordinate in enumerate(coordinates):
        moved[:, place, :, coordinate] = values
    return decoded(model, moved)


def spread(law: str, steps: int = 9) -> np.ndarray:
    """`steps` even values over most of one coordinate of the prior `law`: float32 (steps,)."""
    bound = {"normal": 2.0, "uniform": 1.0, "mixture": 2.0}[law]
    return np.linspace(-bound, bound, steps, dtype=np.float32)


def _checked(a, b, t):
    a, b, t = (np.asarray(array, np.float64) for array in (a, b, t))
    if a.ndim != 2 or a.shape != b.shape or t.ndim != 1:
        raise ValueError(
            f"a path needs codes (n, d), twice the same shape, and t (steps,); "
            f"got {a.shape}, {b.shape} and {t.shape}"
        )
    return a[:, None], b[:, None], t[None, :, None]
