"""Sensitivity of encoders and generators: slopes and stability.

Feng, Lin, Zhu, Zhao, Zhou, Zha, "Uncertainty Principles of Encoding GANs", ICML 2021, PMLR
139:3240-3251, argue that an encoder and a generator cannot be continuous, stable and exact
inverses of each other all at once. The figures here are the sides of that trade-off that can be
measured. All slopes are in units of the output's L2 norm per unit of the input's L2 norm, pixels
in [-1, 1]; models are comparable at equal scales of images and codes only.
"""

from collections.abc import Callable

import numpy as np

from zoo.metrics import jacobians

STEPS = 15
TAU = 0.1
_CONVERGED = 0.05


def lipschitz(
    function: Callable,
    points: np.ndarray,
    steps: int = STEPS,
    seed: int = 0,
    batch_size: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """The largest singular value of the Jacobian J of a function at each of many points.

    Power iteration on JᵀJ, for all points of a batch at once; one forward pass serves for J v and
    Jᵀu. In TensorFlow, a gradient tape gives Jᵀu; it is linear in u, so a second tape
    around the first gives J v as the gradient of vᵀ(Jᵀu). That takes reverse-mode rules alone,
    which every operation that can be trained through has, and gradients pass through the signatures
    of a loaded SavedModel as well. JAX has both products.

    The value is |J v| for some unit vector v, so it is never above the largest singular value but
    for rounding, and approaches it as `steps` grows; if several directions are stretched almost
    alike the vector converges slowly and the value all the same. At a kink (ReLU) it belongs to the
    side that the gradient takes.

    Args:
      function: differentiable in Keras' backend, a batch (b, ...) to a tensor (b, ...), each
        example by itself: batch norm in inference mode and no noise. Such as `game.encode`,
        `game.decode`.
      points: (n, ...) floats, n >= 1; computed in float32.
      steps: of the iteration, 1 or more.
      seed: of the first direction of every point.
      batch_size: points at a time.

    Returns:
      values: float64 (n,), >= 0; NaN if the function is not finite.
      residuals: (n,) |JᵀJ v - s² v| / s² with s the value. JᵀJ has an eigenvalue within s² times
        this of s²; nearly always that is the largest one. 0 if the value is 0.

    Raises:
      ValueError: Keras has another backend, no gradient flows, examples influence each other or
        the answer is random, or an argument is out of range.
    """
    import keras

    if keras.backend.backend() not in ("tensorflow", "jax"):
        raise ValueError(
            f"lipschitz needs KERAS_BACKEND=tensorflow or jax; it is {keras.backend.backend()!r}"
        )
    points = np.asarray(points, np.float32)
    if len(points) == 0 or steps < 1 or batch_size < 1:
        raise ValueError(
            f"lipschitz got {len(points)} points, steps={steps}, batch_size={batch_size}; "
            "each must be at least 1"
        )
    batch_size = min(batch_size, len(points))
    _check_rowwise(function, points[:batch_size])
    iterate = jacobians.power_step(function, (batch_size, *points.shape[1:]))
    directions = np.random.default_rng(seed).standard_normal(points.shape).astype(np.float32)
    found = []
    for start in range(0, len(points), batch_size):
        # The last batch is filled up with others, so that one graph serves for all.
        chosen = np.arange(start, start + batch_size) % len(points)
        x, v = points[chosen], directions[chosen]
        for _ in range(steps):
            v, value, residual = iterate(x, v)
        found.append(np.stack([value, residual]).astype(np.float64))
    values, residuals = np.concatenate(found, axis=1)[:, : len(points)]
    return values, residuals


def summary(values: np.ndarray, residuals: np.ndarray | None = None) -> dict[str, float]:
    """Summary figures of the result of `lipschitz`.

    Args:
      values: (n,) slopes.
      residuals: (n,) as from `lipschitz`, or None.

    Returns:
      median, 95 (the 95 % quantile), max; n, without which the maximum means nothing since it grows
      with it; with residuals also converged, the share of points whose residual is below 5 %.
    """
    values = np.asarray(values, np.float64)
    figures = {
        "median": float(np.median(values)),
        "95": float(np.quantile(values, 0.95)),
        "max": float(values.max()),
        "n": float(len(values)),
    }
    if residuals is not None:
        figures["converged"] = float(np.mean(np.asarray(residuals) < _CONVERGED))
    return figures


def stability(function: Callable, points: np.ndarray, tau: float = TAU, seed: int = 0) -> float:
    """Mean over points p of |f(p + τξ) - f(p)| / (τ|ξ|), with ξ standard normal.

    The effect of noise of standard deviation τ per coordinate, averaged over directions, whereas
    `lipschitz` has the worst direction: for small τ it is about |J|_F / √d in d coordinates.

    Args:
      function: a batch (b, ...) to a tensor or array (b, ...); it need not be differentiable.
      points: (n, ...), n >= 1.
      tau: size of the perturbation in units of a coordinate, above 0.
      seed: of ξ.

    Raises:
      ValueError: there is no point or tau is not positive.
    """
    from zoo.metrics.arrays import in_batches

    if not tau > 0:
        raise ValueError(f"tau must be positive, got {tau}")
    points = np.asarray(points, np.float32)
    noise = np.random.default_rng(seed).standard_normal(points.shape).astype(np.float32)
    moved = points + np.float32(tau) * noise
    answers = in_batches(function, points), in_batches(function, moved)
    return float(np.mean(_distances(*answers) / _distances(points, moved)))


def secants(decode: Callable, z: np.ndarray, other: np.ndarray, pieces: int = 16) -> np.ndarray:
    """The steepest piece of the way from code to code: max |G(a) - G(b)| / |a - b|.

    Slopes between points rather than at them: each is at most the largest slope on its piece. Codes
    of different classes are far apart, and this shows the slope of the generator between them.

    Args:
      decode: codes (b, d) to images (b, ...).
      z: (n, d) codes at the start of segments.
      other: (n, d) codes at their ends.
      pieces: equal parts of each segment, 1 or more.

    Returns:
      (n,) the largest ratio of each segment.

    Raises:
      ValueError: the shapes differ, a segment has no length, or pieces is below 1.
    """
    from zoo.metrics.arrays import in_batches

    z, other = np.asarray(z, np.float32), np.asarray(other, np.float32)
    if z.shape != other.shape or pieces < 1 or not np.all(_distances(z, other) > 0):
        raise ValueError(
            f"secants needs two codes for each segment that differ and pieces of at least 1, "
            f"got {z.shape}, {other.shape} and {pieces}"
        )
    share = np.linspace(0, 1, pieces + 1, dtype=np.float32)[:, None, None]
    corners = (1 - share) * z + share * other
    # Row by row, for a game of classes gives each row of a batch one class.
    images = np.stack([in_batches(decode, ends) for ends in corners])
    images = images.reshape(pieces + 1, len(z), -1)
    rises = np.linalg.norm(np.diff(images, axis=0), axis=2)
    return (rises / np.linalg.norm(np.diff(corners, axis=0), axis=2)).max(axis=0)


def slopes(
    encode: Callable | None,
    decode: Callable,
    images: np.ndarray,
    codes: np.ndarray,
    seed: int = 0,
    steps: int = STEPS,
    tau: float = TAU,
) -> dict[str, float]:
    """The slopes of one model.

    Args:
      encode: images (b, ...) to codes (b, d), differentiable by the Keras backend; None for a model
        without an encoder, which lacks the keys of E.
      decode: codes (b, d) to images (b, ...).
      images: (n, ...) test images in [-1, 1], or points.
      codes: (m, d) draws from the prior, m >= 2.
      seed: of all directions, and of the order that makes pairs of codes.
      steps: see `lipschitz`.
      tau: see `stability`; of pixels and of codes alike.

    Returns:
      lipschitz_e_median, _95, _max, _n, _converged and lipschitz_g_...: see `summary`; E at the
      images, G at the codes. stability_e and stability_g: see `stability`. secant_g_max: the
      largest of `secants` between pairs of codes.
    """
    from zoo.metrics.reconstruction import derangement

    figures = {}
    for name, function, points in (("e", encode, images), ("g", decode, codes)):
        if function is None:
            continue
        found = summary(*lipschitz(function, points, steps, seed))
        figures |= {f"lipschitz_{name}_{key}": value for key, value in found.items()}
        figures[f"stability_{name}"] = stability(function, points, tau, seed)
    partners = codes[derangement(len(codes), seed)]
    figures["secant_g_max"] = float(secants(decode, codes, partners).max())
    return figures


def _check_rowwise(function, batch):
    """Otherwise there is no Jacobian per example, and the products mix those of a batch."""
    if len(batch) == 1:
        return
    import keras

    half = len(batch) // 2
    others = np.concatenate([batch[:half], batch[:1].repeat(len(batch) - half, axis=0)])
    alone, among = (
        np.asarray(function(keras.ops.convert_to_tensor(x)), np.float32)[:half]
        for x in (others, batch)
    )
    # A function that is not finite has NaN for slopes, and is no error.
    apart = np.abs(alone - among)[np.isfinite(alone) & np.isfinite(among)]
    if np.any(apart > 1e-3 * np.abs(among[np.isfinite(among)]).max(initial=0)):
        raise ValueError(
            "lipschitz: the answer for an example depends on the others of its batch or on noise; "
            "batch norm must be in inference mode"
        )


def _distances(a, b):
    difference = (np.asarray(a, np.float64) - b).reshape(len(a), -1)
    return np.linalg.norm(difference, axis=1)
