"""Which classes a generator makes or keeps, by the outputs of a `zoo.metrics.classifier`."""

import numpy as np

SHARE = 0.03
SURE = 0.5
CLEAR = 0.99
COLLAPSED = 0.05  # half the share that unrelated reconstructions keep, of ten classes
ENOUGH = 20  # images of a class: of fewer, none may be kept by chance


def class_coverage(probabilities: np.ndarray, real: np.ndarray | None = None) -> dict:
    """Counts the classes among samples, each taken for its most probable class.

    Read it next to the same figures of real examples: a classifier has its own preferences.

    Args:
      probabilities: (n, classes) a classifier's answers for n >= 1 samples; rows sum to 1.
      real: (m, classes) its answers for m >= 1 real examples, or None.

    Returns:
      class_counts: samples of each class.
      classes: classes with a share of 3 % or more; higher is better.
      classes_total: how many there are.
      class_entropy: entropy of the shares, nats; at most ln classes_total.
      class_kl: KL(shares || uniform) in nats, ln classes_total less that entropy; 0 is even.
      unsure: share of samples whose largest probability is below 1/2; lower is better.
      unsure_real: the same of the real examples. Only with these.
      less_clear: share of samples whose answer has a larger entropy than 99 % of those for the
        real examples; lower is better. Samples that are noise are among them, as are unusual and
        ambiguous ones. Samples like the data have 1 % in the mean (but of m < 99 examples the
        threshold is the largest entropy), to within a standard error of 0.2 points if m is 2,000.
        Only with real examples.

    Raises:
      ValueError: the array is not of this kind.
    """
    probabilities = _checked("class_coverage", probabilities)
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    shares = counts / counts.sum()
    entropy = float(_entropy(shares[None])[0])
    found = {
        "class_counts": counts.tolist(),
        "classes": float(np.count_nonzero(shares >= SHARE)),
        "classes_total": float(len(counts)),
        "class_entropy": entropy,
        "class_kl": float(np.log(len(counts))) - entropy,
        "unsure": _unsure(probabilities),
    }
    if real is not None:
        real = _checked("class_coverage", real)
        if real.shape[1] != probabilities.shape[1]:
            raise ValueError(
                f"class_coverage needs real examples of {probabilities.shape[1]} classes, got "
                f"{real.shape[1]}"
            )
        found["unsure_real"] = _unsure(real)
        threshold = np.quantile(_entropy(real), CLEAR, method="weibull")
        found["less_clear"] = float(np.mean(_entropy(probabilities) > threshold))
    return found


def class_kept(images: np.ndarray, reconstructions: np.ndarray, labels=None) -> dict:
    """Compares the classes of images with the classes of their reconstructions G(E(x)).

    The class is the classifier's most probable one, for the image as for its reconstruction, so
    that perfect reconstructions keep all classes, for any errors of the classifier.

    Args:
      images: (n, classes) a classifier's answers for n >= 1 images; rows sum to 1.
      reconstructions: (n, classes) its answers for their reconstructions, in the same order.
      labels: (n,) the true classes, or None.

    Returns:
      class_kept: share of images whose reconstruction has their class; higher is better.
      class_kept_chance: share of the most frequent class of the images, which reconstructions of
        that class alone would reach.
      class_kept_real: share of images whose class by the classifier is their label: how reliable
        its outputs are. Only with labels.
      class_kept_of_each: the share of `class_kept` by class; None for a class without images.
      class_kept_collapsed: classes of 20 images or more, of which less than 5 % are kept.

    Raises:
      ValueError: the arrays are not of this kind.
    """
    images = _checked("class_kept", images)
    reconstructions = _checked("class_kept", reconstructions)
    if images.shape != reconstructions.shape:
        raise ValueError(
            f"class_kept compares arrays of one shape, got {images.shape} and "
            f"{reconstructions.shape}"
        )
    before, after = images.argmax(axis=1), reconstructions.argmax(axis=1)
    same = before == after
    counts = np.bincount(before, minlength=images.shape[1])
    kept = np.bincount(before[same], minlength=images.shape[1])
    shares = [int(k) / int(n) if n else None for k, n in zip(kept, counts, strict=True)]
    real = {} if labels is None else {"class_kept_real": float(np.mean(before == labels))}
    return {
        "class_kept": float(same.mean()),
        "class_kept_chance": float(counts.max() / counts.sum()),
        **real,
        "class_kept_of_each": shares,
        "class_kept_collapsed": [
            i
            for i, share in enumerate(shares)
            if share is not None and share < COLLAPSED and counts[i] >= ENOUGH
        ],
    }


def _unsure(probabilities):
    return float(np.mean(probabilities.max(axis=1) < SURE))


def _entropy(probabilities):
    # 0 ln 0 is 0.
    return -np.sum(probabilities * np.log(np.where(probabilities > 0, probabilities, 1)), axis=1)


def _checked(name, probabilities):
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or min(probabilities.shape) < 1:
        raise ValueError(f"{name} needs (n, classes), n >= 1, got {probabilities.shape}")
    # Written so that NaN does not pass.
    if not np.all(np.abs(probabilities.sum(axis=1) - 1) < 1e-3) or np.any(probabilities < 0):
        raise ValueError(f"{name} needs probabilities, rows of 0 or more that sum to 1")
    return probabilities
