"""Mode counting on mixtures of equal, round Gaussians, whose modes are known."""

import numpy as np

_REACH = 3.0


def count_modes(samples: np.ndarray, centres: np.ndarray, std: float) -> dict[str, float]:
    """Which modes a generator covers, how often it hits one, and how evenly.

    Definitions of Srivastava, Valkov, Russell, Gutmann, Sutton, "VEEGAN", 2017,
    arXiv:1705.07761, as computed by the code of Lin, Khetan, Fanti, Oh, "PacGAN", 2018,
    arXiv:1712.04086: a sample belongs to its nearest centre and is of high quality if it is
    closer to it than 3 standard deviations; a mode is captured if one high-quality sample or
    more belongs to it. Other papers differ: Dumoulin et al., 2017, arXiv:1606.00704 have no
    distance threshold.

    Args:
      samples: (n, d) generated points.
      centres: (k, d) means of the mixture's components, k >= 1.
      std: their common standard deviation, in units of x.

    Returns:
      modes: captured modes, of `modes_total`; higher is better.
      modes_total: k.
      high_quality: share of high-quality samples in [0, 1]; higher is better. Real data do not
        reach 1: in two dimensions exp(-9/2) = 1.1 % of a Gaussian lies beyond 3 std.
      reverse_kl: KL(p_model || uniform) = sum_i p_i ln(k p_i) in nats, with p_i the share of
        mode i among the high-quality samples; all other samples are left out. 0 is even, ln k is
        a single mode, lower is better. Even an exact sampler scores about (k - 1) / (2 n). NaN
        if no sample is of high quality, since then there are no frequencies.

    Raises:
      ValueError: the shapes do not fit, there is no sample, or std is not positive.
    """
    samples, centres = np.asarray(samples, np.float64), np.asarray(centres, np.float64)
    if samples.ndim != 2 or centres.ndim != 2 or samples.shape[1] != centres.shape[1]:
        raise ValueError(
            f"count_modes needs (n, d) and (k, d), got {samples.shape} and {centres.shape}"
        )
    if len(samples) == 0 or len(centres) == 0:
        raise ValueError(f"count_modes got {len(samples)} samples and {len(centres)} centres")
    if not std > 0:
        raise ValueError(f"std must be positive, got {std}")
    distances = np.linalg.norm(samples[:, None] - centres[None], axis=2)
    close = distances.min(axis=1) < _REACH * std
    counts = np.bincount(distances.argmin(axis=1)[close], minlength=len(centres))
    return {
        "modes": float(np.count_nonzero(counts)),
        "modes_total": float(len(centres)),
        "high_quality": float(close.mean()),
        "reverse_kl": _kl_to_uniform(counts),
    }


def _kl_to_uniform(counts: np.ndarray) -> float:
    if counts.sum() == 0:
        return float("nan")
    shares = counts[counts > 0] / counts.sum()
    return float(np.sum(shares * np.log(len(counts) * shares)))
