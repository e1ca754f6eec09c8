"""Every metric that applies to a game, measured on a data set."""

import numpy as np

from zoo.metrics import classifier
from zoo.metrics import translation
from zoo.metrics.arrays import in_batches
from zoo.metrics.arrays import subset
from zoo.metrics.arrays import to_numpy
from zoo.metrics.codes import code_statistics
from zoo.metrics.codes import mmd
from zoo.metrics.coverage import class_kept
from zoo.metrics.modes import count_modes
from zoo.metrics.probes import logistic_accuracy
from zoo.metrics.probes import nearest_neighbour_accuracy
from zoo.metrics.reconstruction import class_distances
from zoo.metrics.reconstruction import cycles
from zoo.metrics.reconstruction import z_cycle

MODE_SAMPLES = 2500
MMD_LIMIT = 10_000  # codes, and as many draws; they take 1.6 GB

# All keys that `evaluate` can return; its docstring explains them.
KEYS = tuple(
    """
    n_test n_train
    x_cycle x_cycle_mismatched x_cycle_ratio x_cycle_same_class x_cycle_class_mean
    class_kept class_kept_chance class_kept_real
    z_cycle z_cycle_mismatched z_cycle_ratio
    code_mean code_std code_largest_mean prior_mean prior_std prior_largest_mean
    mmd mmd_null_mean mmd_null_95
    knn_code knn_code_random knn_features knn_features_random knn_pixels
    probe_code probe_code_random probe_features probe_features_random probe_pixels
    modes modes_total modes_real high_quality high_quality_real reverse_kl reverse_kl_real
    """.split()
    + list(translation.KEYS)
)


def evaluate(
    game,
    data,
    seed: int = 0,
    test_limit: int = 2000,
    train_limit: int = 10_000,
    probes: bool = True,
    baselines: bool = True,
) -> dict[str, float]:
    """Measures a game on the test examples of a data set.

    Codes come from `game.encode` (for most methods with a random encoder, its mean).
    Higher (+) or lower (-) is better if the third column has it:

    | key                        | unit      |   | meaning                                         |
    | -------------------------- | --------- | - | ----------------------------------------------- |
    | n_test, n_train            | examples  |   | how many were used; n_train is 0 without probes |
    | x_cycle                    | L2 norm   | - | mean ||x - G(E(x))||, pixels in [-1, 1]         |
    | x_cycle_mismatched         | L2 norm   |   | the same with another image's reconstruction    |
    | x_cycle_ratio              | 1         | - | their ratio; 1: nothing of x is recovered       |
    | x_cycle_same_class         | L2 norm   |   | of x to another test image of its class         |
    | x_cycle_class_mean         | L2 norm   |   | of x to the mean of the others of its class     |
    | class_kept                 | share     | + | G(E(x)) has the class of x, by a classifier     |
    | class_kept_chance, _real   | share     |   | of the largest class; of x with its label       |
    | z_cycle, z_cycle_...       | L2 norm   | - | the same for ||z - E(G(z))||, z from the prior  |
    | code_mean, code_std        | code      |   | over all coordinates of all codes               |
    | code_largest_mean          | code      | - | largest absolute mean of one coordinate         |
    | prior_mean, _std, ...      | code      |   | the same of as many draws from the prior        |
    | mmd                        | 1         | - | unbiased MMD^2 between codes and prior          |
    | mmd_null_mean, mmd_null_95 | 1         |   | of prior against prior: mean, 95 % quantile     |
    | knn_code, knn_features     | share     | + | 1-NN accuracy on E(x), on E's last hidden layer |
    | probe_code, probe_features | share     | + | the same for logistic regression                |
    | ..._random                 | share     |   | of the same encoder before any training         |
    | ..._pixels                 | share     |   | of the raw pixels                               |
    | modes, modes_total         | modes     | + | modes captured by 2,500 samples, and all modes  |
    | high_quality               | share     | + | samples closer than 3 std to a mode             |
    | reverse_kl                 | nats      | - | KL of mode frequencies from uniform             |
    | ..._real                   | mixed     |   | the same three for as many test examples        |

    If the data have a second domain, also the keys of `zoo.metrics.translation.two_domains`;
    if the game takes labels, those of `zoo.metrics.translation.class_asked`.

    The encoder "before any training" is rebuilt from the game's configuration, so it has the
    initial weights that this game had; its batch norm uses the initial moving statistics (mean
    0, variance 1). Networks that the caller gave have other initial weights, drawn by their
    initializers from the game's seed. The trained game is not touched.

    A game without an encoder has none of the keys that need one. Accuracies need labels of at
    least two classes and images; mode keys need a mixture of `zoo.datasets.MIXTURES`; kept classes
    need a shipped classifier of the data set (`zoo.metrics.classifier`). The MMD is of 10,000 codes
    at most, for its memory grows as their square.

    Args:
      game: a `zoo` game.
      data: a `zoo.datasets.Dataset`, with a second one in it for a game of two domains.
      seed: picks subsets, partners and prior draws; nothing else in the result is random.
      test_limit: at most so many test examples.
      train_limit: at most so many training examples for the accuracies.
      probes: whether to measure accuracies, which takes most of the time.
      baselines: whether to measure the keys ending in _random, _pixels and _real.

    Returns:
      key -> value, all floats; keys that do not apply are left out, and figures of a game that
      has diverged are NaN.

    Raises:
      ValueError: a limit is below 2.
    """
    from zoo.datasets import MIXTURES
    from zoo.datasets import scale

    if min(test_limit, train_limit) < 2:
        raise ValueError(f"limits must be at least 2, got {test_limit} and {train_limit}")
    test = subset(len(data.test), test_limit, seed)
    x = game.observed(scale(data.test[test]), seed)
    figures = {"n_test": float(len(x)), "n_train": 0.0}
    if data.name in MIXTURES and data.other is None:
        figures |= _mode_figures(game, data.test, *MIXTURES[data.name], seed, baselines)
    if data.other is not None:
        figures |= translation.two_domains(game, data, seed, test_limit, thorough=probes)
    elif "y" in game.inputs and probes:
        figures |= translation.class_asked(game, data, seed)
    if game.has_encoder:
        figures |= _cycle_figures(game, x, data.name, data.test_labels[test], seed)
        if probes and data.name not in MIXTURES:
            train = subset(len(data.train), train_limit, seed)
            labels = data.train_labels[train]
            if len(np.unique(labels)) > 1:
                known = game.observed(scale(data.train[train]), seed + 1)
                split = (known, labels, x, data.test_labels[test])
                figures |= {"n_train": float(len(train))}
                figures |= _accuracies(game, split, baselines)
    return figures


def cheap(game, data, seed: int = 0) -> dict[str, float]:
    """The part of `evaluate` that is fast enough for use between epochs, on 500 examples."""
    return evaluate(game, data, seed, test_limit=500, probes=False, baselines=False)


def _mode_figures(game, real, centres, std, seed, baselines):
    samples = in_batches(game.decode, to_numpy(game.prior_codes(MODE_SAMPLES, seed)))
    figures = count_modes(samples, centres, std)
    if baselines:
        real = count_modes(real[:MODE_SAMPLES], centres, std)
        figures |= {f"{key}_real": real[key] for key in ("modes", "high_quality", "reverse_kl")}
    return figures


def _cycle_figures(game, x, name, labels, seed):
    from zoo.datasets import MIXTURES

    codes = in_batches(game.encode, x)
    # One call for all draws: two calls with neighbouring seeds need not be independent.
    draws = to_numpy(game.prior_codes(2 * len(x), seed))
    z, other = draws[: len(x)], draws[len(x) :]
    recovered = in_batches(lambda batch: game.encode(game.decode(batch)), z)
    returned = in_batches(game.decode, codes)
    by_class = name not in MIXTURES and len(np.unique(labels)) > 1
    few = subset(len(x), MMD_LIMIT, seed)
    # Copied noise is not reconstruction.
    noised = getattr(game, "noised", None)
    clean = noised.clean(x.shape[1:]) if noised else ...
    return {
        **cycles(x[:, clean], returned[:, clean], seed),
        **(class_distances(x[:, clean], labels, seed) if by_class else {}),
        **_kept_figures(classifier.of(name, x.shape[1:]), x, returned, labels),
        **z_cycle(z, recovered, seed),
        **code_statistics(codes, z),
        **mmd(codes[few], z[few], other[few], rng_seed=seed),
    }


def _kept_figures(space, x, returned, labels):
    if space is None:
        return {}
    keys = ("class_kept", "class_kept_chance", "class_kept_real")
    if not np.isfinite(returned).all():
        return dict.fromkeys(keys, float("nan"))
    found = class_kept(space.probabilities(x), space.probabilities(returned), labels)
    return {key: found[key] for key in keys}


def representations(game, baselines: bool = True) -> dict:
    """End of a key → function of examples, for the accuracies of `evaluate`."""
    found = {"code": game.encode, "features": game.features}
    if baselines:
        fresh = type(game).from_config(game.get_config())
        found |= {"code_random": fresh.encode, "features_random": fresh.features}
        found |= {"pixels": lambda batch: batch}
    return found


def _accuracies(game, split, baselines):
    train, train_labels, test, test_labels = split
    figures = {}
    for name, function in representations(game, baselines).items():
        known, new = in_batches(function, train), in_batches(function, test)
        accuracies = float("nan"), float("nan")
        if np.isfinite(known).all() and np.isfinite(new).all():
            inputs = known, train_labels, new, test_labels
            accuracies = nearest_neighbour_accuracy(*inputs), logistic_accuracy(*inputs)
        figures[f"knn_{name}"], figures[f"probe_{name}"] = accuracies
    return figures
