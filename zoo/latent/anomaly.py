"""Anomaly detection: scores of a model, their AUROC, and baselines without a model."""

import numpy as np

from zoo import models
from zoo.latent.arrays import checked_examples
from zoo.latent.library import nearest


def anomaly_scores(model, x: np.ndarray) -> dict[str, np.ndarray]:
    """How unusual each of the examples is to a model; higher is more unusual.

    Reconstruction error plus the distance of a discriminator's features, after Zenati et al. 2018
    (arXiv:1802.06222); see `zoo.scores.anomaly`, which is the same for tensors.

    Args:
        model: a game, a `zoo.models.Model`, or a path to one.
        x: (n, *shape), images in [-1, 1].

    Returns:
        anomaly_score, reconstruction_error and, if the model has a discriminator of examples or
        pairs, feature_error, each (n,).

    Raises:
        ValueError: the model has no encoder, or takes other examples; or it is a SavedModel
            without the signature `anomaly_score`.
    """
    from zoo.metrics import in_batches

    model, names = models.of(model), []
    if model.anomaly is None:
        raise ValueError(f"{model.name} has no encoder, or no signature anomaly_score")

    def stacked(batch):
        found = model.anomaly(batch)
        names[:] = sorted(found)
        return np.stack([np.asarray(found[name]) for name in names], axis=1)

    columns = in_batches(stacked, checked_examples(model, x)).T
    return dict(zip(names, columns, strict=True))


def baseline_scores(train: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
    """The baselines: two scores that need no model. Higher is more unusual.

    Args:
        train: (m, h, w, c), usual images in [-1, 1].
        x: (n, h, w, c).

    Returns:
        pixel_neighbour: distance to the nearest of `train`, over pixels; darkness: minus the mean
        of the pixels, which only tells dark images from bright ones. Each (n,).

    Raises:
        ValueError: the shapes do not fit, or images are of whole numbers.
    """
    for name, images in (("train", train), ("x", x)):
        if not np.issubdtype(np.asarray(images).dtype, np.floating):
            raise ValueError(
                f"{name} must be floats, images in [-1, 1], as from zoo.datasets.scale; "
                f"got {np.asarray(images).dtype}"
            )
    _, distances = nearest(x, train)
    return {
        "pixel_neighbour": distances[:, 0],
        # In float64 the sum is exact in any order: equal brightness gives ties.
        "darkness": -np.asarray(x).reshape(len(x), -1).mean(axis=1, dtype=np.float64),
    }


def auroc(usual: np.ndarray, unusual: np.ndarray) -> float:
    """Probability that an unusual example has the higher score than a usual one; ties count half.

    Args:
        usual: (n,) scores, n >= 1.
        unusual: (m,) scores, m >= 1.

    Returns:
        The area under the ROC curve, 0 to 1; ½ is chance, and below it the score is inverted.

    Raises:
        ValueError: a shape is another, or a score is NaN.
    """
    from scipy.stats import rankdata
    from sklearn.metrics import roc_auc_score

    usual, unusual = np.asarray(usual, np.float64), np.asarray(unusual, np.float64)
    if usual.ndim != 1 or unusual.ndim != 1 or not len(usual) or not len(unusual):
        raise ValueError(f"auroc needs scores (n,) and (m,), got {usual.shape}, {unusual.shape}")
    if np.isnan(usual).any() or np.isnan(unusual).any():
        raise ValueError("auroc of scores that are NaN")
    is_unusual = np.repeat([False, True], [len(usual), len(unusual)])
    # Ranks, since scores may be infinite.
    return float(roc_auc_score(is_unusual, rankdata(np.concatenate([usual, unusual]))))


def detect(model, train: np.ndarray, usual: np.ndarray, unusual: np.ndarray) -> dict[str, tuple]:
    """Scores of usual and unusual examples, by the model and without it.

    Args:
        model: as for `anomaly_scores`.
        train: (m, *shape), training examples of the model, in [-1, 1].
        usual: (n, *shape), held out from the same source.
        unusual: (k, *shape), from another.

    Returns:
        score → (of usual (n,), of unusual (k,), AUROC); those of `anomaly_scores` first, then
        those of `baseline_scores`.

    Raises:
        ValueError: see `anomaly_scores`.
    """
    model = models.of(model)
    train = checked_examples(model, train)
    pairs = [anomaly_scores(model, x) | baseline_scores(train, x) for x in (usual, unusual)]
    return {
        name: (*(p[name] for p in pairs), auroc(*(p[name] for p in pairs))) for name in pairs[0]
    }
