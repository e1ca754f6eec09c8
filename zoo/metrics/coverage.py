"""Which classes a generator makes, by the answers of a `zoo.metrics.classifier`."""

import numpy as np

SHARE = 0.03
SURE = 0.5


def class_coverage(probabilities: np.ndarray) -> dict[str, float | list[int]]:
    """Counts the classes among samples, each taken for its most probable class.

    Read it next to the same figures of real examples: a classifier has its own preferences.

    Args:
      probabilities: (n, classes) a classifier's answers for n >= 1 samples; rows sum to 1.

    Returns:
      class_counts: samples of each class.
      classes: classes with a share of 3 % or more; higher is better.
      classes_total: how many there are.
      class_entropy: entropy of the shares, nats; at most ln classes_total.
      class_kl: KL(shares || uniform) in nats, ln classes_total less that entropy; 0 is even.
      unsure: share of samples whose largest probability is below 1/2; lower is better.

    Raises:
      ValueError: the array is not of this kind.
    """
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or min(probabilities.shape) < 1:
        raise ValueError(f"class_coverage needs (n, classes), n >= 1, got {probabilities.shape}")
    # Written so that NaN does not pass.
    if not np.all(np.abs(probabilities.sum(axis=1) - 1) < 1e-3) or np.any(probabilities < 0):
        raise ValueError("class_coverage needs probabilities, rows of 0 or more that sum to 1")
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    shares = counts / counts.sum()
    seen = shares[shares > 0]
    entropy = float(-np.sum(seen * np.log(seen)))
    return {
        "class_counts": counts.tolist(),
        "classes": float(np.count_nonzero(shares >= SHARE)),
        "classes_total": float(len(counts)),
        "class_entropy": entropy,
        "class_kl": float(np.log(len(counts))) - entropy,
        "unsure": float(np.mean(probabilities.max(axis=1) < SURE)),
    }
