"""Mode counting on data whose modes are known: mixtures of Gaussians, and stacked digits."""

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


def count_stacked_modes(images: np.ndarray, classifier) -> dict[str, float]:
    """Which of the 1,000 modes of stacked digits a generator covers, and how evenly.

    The protocol of Metz et al., "Unrolled generative adversarial networks", 2017, arXiv:1611.02163:
    a classifier of digits reads every channel, and the triple of its answers is the mode. There is
    no threshold of quality: an unreadable channel is counted as some digit. So a generator of noise
    may have many modes: look at the samples, too.

    Args:
      images: (n, h, w, 3) floats in [-1, 1], n >= 1; papers take n = 25,600 or 26,000.
      classifier: a `zoo.metrics.classifier.Classifier` of ten classes, such as that of "mnist".

    Returns:
      modes, modes_total, reverse_kl: as from `count_modes`, of 1,000 modes, with n in place of the
        samples of high quality. An even sampler scores about 999 / (2 n).

    Raises:
      ValueError: the images have another shape, or the classifier other classes.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or len(images) == 0:
        raise ValueError(f"images must be (n, h, w, 3), n >= 1; got {images.shape}")
    if len(classifier.classes) != 10:
        raise ValueError(f"classifier must have 10 classes; got {len(classifier.classes)}")
    digits = [
        classifier.probabilities(images[..., channel, None]).argmax(axis=1) for channel in range(3)
    ]
    counts = np.bincount(np.array([100, 10, 1]) @ digits, minlength=1000)
    return {
        "modes": float(np.count_nonzero(counts)),
        "modes_total": 1000.0,
        "reverse_kl": _kl_to_uniform(counts),
    }


def _kl_to_uniform(counts: np.ndarray) -> float:
    if counts.sum() == 0:
        return float("nan")
    shares = counts[counts > 0] / counts.sum()
    return float(np.sum(shares * np.log(len(counts) * shares)))
