"""How many nats about the class, and about the image, can be read from a code.

Mutual information itself cannot be measured from samples in many dimensions; these figures are
the information that a given probe finds, so lower bounds: a better probe may find more. They are
estimates and can fall below 0, which has the same meaning as 0.
"""

import numpy as np

from zoo.metrics import probes
from zoo.metrics.reconstruction import derangement

# Numbers in an image up to which the principal components are those of the covariance.
_COVARIANCE = 3072


def label_information(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    test_labels: np.ndarray,
    rng_seed: int = 0,
) -> dict[str, float]:
    """Lower bounds of I(code; class): H(class) less the held-out cross-entropy of a probe.

    The bound of Barber, Agakov, "The IM Algorithm", NeurIPS 2003, with the probes of
    `zoo.metrics.probes`. An overconfident probe makes the bound loose, not wrong.

    Args:
      train: (n, ...) representations; all but the first axis are flattened.
      train_labels: (n,) integers.
      test: (m, ...) representations of the same size.
      test_labels: (m,) integers; examples whose label is not among `train_labels` are left out.
      rng_seed: seeds the subsample and the initial weights of the probes.

    Returns:
      label_information_linear, label_information_mlp: the bounds by either probe, nats; higher
        is better.
      label_entropy: H of the test labels, nats: the most that can be known.

    Raises:
      ValueError: the sizes do not fit, or no test label is among the training labels.
    """
    known = np.isin(test_labels, train_labels)
    if not known.any():
        raise ValueError("label_information needs a test label that is among the training labels")
    test, test_labels = np.asarray(test)[known], np.asarray(test_labels)[known]
    _, counts = np.unique(test_labels, return_counts=True)
    shares = counts / counts.sum()
    entropy = float(-np.sum(shares * np.log(shares)))
    figures = {}
    for kind in ("linear", "mlp"):
        probe = probes.fitted(kind, train, train_labels, rng_seed)
        answers = probe.predict_proba(np.asarray(test, np.float32).reshape(len(test), -1))
        given = answers[np.arange(len(test)), np.searchsorted(probe.classes_, test_labels)]
        cross_entropy = -np.log(np.maximum(given, np.finfo(np.float32).tiny)).mean()
        figures[f"label_information_{kind}"] = entropy - float(cross_entropy)
    return figures | {"label_entropy": entropy}


def image_information(
    train_codes: np.ndarray,
    train_images: np.ndarray,
    test_codes: np.ndarray,
    test_images: np.ndarray,
    components: int = 16,
    rng_seed: int = 0,
) -> dict[str, float]:
    """Nats about the leading principal components of the image, by ridge regression from the code.

    Component j, mapped to a standard normal y_j by the ranks of the training images (which leaves
    information as it is), is predicted with a held-out R^2_j. A residual of this variance has at
    most the entropy of a Gaussian, so I(code; y_j) >= -1/2 ln(1 - R^2_j). Without the mapping this
    would not be a bound: a binary component predicted without error would count as infinite.
    The images must differ: with many equal values in a component, as of few different images, the
    terms are no bounds.

    Args:
      train_codes: (n, latent_dim), n >= 20.
      train_images: (n, ...) images or points, in the same order.
      test_codes: (m, latent_dim), m >= 20.
      test_images: (m, ...).
      components: how many principal components, or as many as there are.
      rng_seed: picks the mismatched partners of the baseline.

    Returns:
      image_information_one: the largest of the terms, nats: a lower bound of I(code; image), up to
        the sampling error of R^2 and the choice of the largest.
      image_information: their sum, nats: a lower bound if the components, which are not
        correlated, are independent; if they are not, it may count twice. Higher is better.
      image_information_mismatched: the sum for codes of other images, about 0.
      components: number of components used.

    Raises:
      ValueError: the sizes do not fit, there are too few examples, or a value is not finite.
    """
    pairs = ((train_codes, train_images), (test_codes, test_images))
    (z, x), (z_test, x_test) = (tuple(map(_flat, pair)) for pair in pairs)
    if len(z) != len(x) or len(z_test) != len(x_test) or min(len(z), len(z_test)) < 20:
        raise ValueError(
            f"image_information needs 20 codes or more, one for each image; got {len(z)} and "
            f"{len(x)} to train on, {len(z_test)} and {len(x_test)} to test on"
        )
    if components < 1 or z.shape[1] != z_test.shape[1] or x.shape[1] != x_test.shape[1]:
        raise ValueError(
            f"image_information got {components} components, codes of {z.shape[1]} and "
            f"{z_test.shape[1]} numbers, images of {x.shape[1]} and {x_test.shape[1]}"
        )
    y, y_test = _normal_components(x, x_test, components, rng_seed)
    terms = _terms(z, y, z_test, y_test)
    apart = [derangement(len(codes), rng_seed) for codes in (z, z_test)]
    return {
        "image_information_one": float(terms.max()),
        "image_information": float(terms.sum()),
        "image_information_mismatched": float(
            _terms(z[apart[0]], y, z_test[apart[1]], y_test).sum()
        ),
        "components": float(len(terms)),
    }


def _flat(array):
    array = np.asarray(array, np.float32)
    if not np.isfinite(array).all():
        raise ValueError("image_information needs finite codes and images, got NaN or infinity")
    return array.reshape(len(array), -1)


def _normal_components(x, x_test, count, rng_seed):
    """Principal components, found on x, as normal scores: (n, count), (m, count)."""
    from scipy.special import ndtri
    from sklearn.decomposition import PCA

    if np.all(x == x[0]):
        raise ValueError("image_information needs images that differ, got equal ones")
    # The covariance of large images has too many numbers.
    solver = "covariance_eigh" if x.shape[1] <= _COVARIANCE else "randomized"
    analysis = PCA(min(count, *x.shape), svd_solver=solver, random_state=rng_seed).fit(x)
    wanted = analysis.explained_variance_ > 1e-6 * analysis.explained_variance_[0]
    first, second = (analysis.transform(values)[:, wanted] for values in (x, x_test))
    scores = ndtri((np.arange(len(x)) + 0.5) / len(x))
    ordered = np.sort(first, axis=0)
    return tuple(
        np.stack(
            [np.interp(column, known, scores) for column, known in zip(values.T, ordered.T)], axis=1
        )
        for values in (first, second)
    )


def _terms(z, y, z_test, y_test):
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    reader = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(z, y)
    answers = reader.predict(z_test).reshape(y_test.shape)
    unexplained = np.mean((y_test - answers) ** 2, axis=0) / y_test.var(axis=0)
    # Held-out R^2 of exactly 1 is a copy; float32 resolves no more.
    return -0.5 * np.log(np.maximum(unexplained, 1e-12))
