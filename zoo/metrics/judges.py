"""Fresh discriminators of pairs (x, z), so small that training them cannot fail.

A judge of capacity p is a logistic readout of p - 1 fixed random ReLU features of (x, z) and a
constant: p trained parameters and a convex loss, minimised by Newton's method. For any pair
of an encoder and a generator it asks the question of Arora, Risteski, Zhang, 2017,
arXiv:1711.02651: can p parameters tell (x, E(x)) from (G(z), z)?
"""

from collections.abc import Callable

import numpy as np

_BLOCK = 10_000
_RIDGE = 1e-4
_MOST = 1000
_HALVINGS = 20

# (whether real, how many) → fresh x (n, ...) and z (n, latent_dim).
Draw = Callable[[bool, int], tuple[np.ndarray, np.ndarray]]


class Readout:
    """One judge. Before it is fitted all logits are 0.

    Image and code have the same share in the variance of every feature. The features of a small p
    are among those of a larger one.

    Args:
      parameters: p, 2 to 1000.
      draw: gives the scale of the features; see `Draw`.
      seed: draws the features.

    Raises:
      ValueError: p is out of range.
    """

    name = "logistic readout of random features"

    def __init__(self, parameters: int, draw: Draw, seed: int = 0):
        if not 2 <= parameters <= _MOST:
            raise ValueError(f"a readout has 2 to {_MOST} parameters, got {parameters}")
        x, z = (np.concatenate(part) for part in zip(draw(True, 2000), draw(False, 2000)))
        x = x.reshape(len(x), -1)
        self.centre = np.concatenate([x.mean(axis=0), z.mean(axis=0)])
        spreads = [max(float(np.sqrt(part.var(axis=0).sum())), 1e-6) for part in (x, z)]
        sizes = x.shape[1], z.shape[1]
        rng = np.random.default_rng(seed)
        hidden = [rng.standard_normal((n, _MOST - 1)) / s for n, s in zip(sizes, spreads)]
        weights = np.concatenate([*hidden, rng.standard_normal((1, _MOST - 1))])
        self.weights = weights[:, : parameters - 1].astype(np.float32)
        self.parameters, self.readout = parameters, np.zeros(parameters)

    def logits(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """(n,): the larger, the more real the pair."""
        return self.features(x, z) @ self.readout.astype(np.float32)

    def features(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """float32 (n, p), the constant first."""
        ones = np.ones((len(x), 1), np.float32)
        inputs = np.concatenate([x.reshape(len(x), -1), z], axis=1) - self.centre
        hidden = np.concatenate([inputs, ones], axis=1) @ self.weights
        return np.concatenate([ones, np.maximum(hidden, 0)], axis=1)


def resampled(pairs: dict, rng) -> Draw:
    """Draws with replacement from `pairs`: True, real, and False, generated → (x, z)."""

    def draw(real, n):
        rows = rng.integers(len(pairs[real][0]), size=n)
        return tuple(part[rows] for part in pairs[real])

    return draw


def once(pairs: dict, rng) -> Draw:
    """Draws each of `pairs` at most once: the errors of a verdict count different pairs."""
    left = {real: rng.permutation(len(x)) for real, (x, _) in pairs.items()}

    def draw(real, n):
        rows, left[real] = left[real][:n], left[real][n:]
        return tuple(part[rows] for part in pairs[real])

    return draw


def fit(judges: list[Readout], draw: Draw, budget: int, steps: int = 6) -> None:
    """Newton's steps on the log loss, each on `budget` fresh pairs of either kind.

    The judges, which must share a seed, share the pairs and the features of the largest. A step is
    halved until it no longer raises the loss, which a full one may if features have heavy tails.
    """
    largest = max(judges, key=lambda judge: judge.parameters)
    for _ in range(steps):
        sums = [(np.zeros(j.parameters), np.zeros((j.parameters,) * 2)) for j in judges]
        seen = {}
        for n in _blocks(budget):
            for real in (True, False):
                shared, sign = largest.features(*draw(real, n)), 1 if real else -1
                seen.setdefault(sign, shared)
                for judge, (gradient, hessian) in zip(judges, sums, strict=True):
                    features = shared[:, : judge.parameters]
                    wrong = _sigmoid(-sign * (features @ judge.readout.astype(np.float32)))
                    gradient -= sign * (features.T @ wrong) / (2 * budget)
                    weighted = features * (wrong * (1 - wrong))[:, None]
                    hessian += (weighted.T @ features) / (2 * budget)
        for judge, (gradient, hessian) in zip(judges, sums, strict=True):
            ridge = _RIDGE * np.eye(judge.parameters)
            step = np.linalg.solve(hessian + ridge, gradient + ridge @ judge.readout)
            judge.readout = _lowered(judge.readout, step, seen)


def _lowered(readout, step, seen):
    """`readout` minus the step, halved while that raises the loss. `seen`: sign → features."""
    p, n = len(readout), len(seen[1])

    def loss(readout):
        logits = {sign: x[:, :p] @ readout.astype(np.float32) for sign, x in seen.items()}
        return sum(np.logaddexp(0, -sign * a).mean() for sign, a in logits.items()) / 2

    # The loss on a part of the pairs may rise a little by chance.
    most = loss(readout) + p / n
    for _ in range(_HALVINGS):
        if loss(readout - step) <= most:
            return readout - step
        step = step / 2
    return readout


def verdict(logits: Callable, draw: Draw, n: int) -> dict[str, float]:
    """Accuracy, AUC and objective of a judge on n fresh pairs of either kind.

    Args:
      logits: (x, z) to (n,): larger for pairs that the judge takes for real.
      draw: see `Draw`.
      n: pairs of either kind.

    Returns:
      accuracy: share told apart, threshold at logit 0; a half is chance. accuracy_se: its
        standard error.
      auc: probability that a real pair has the larger logit.
      gap: E D(x, E(x)) - E D(G(z), z) with D in (0, 1), the objective for φ(t) = t. gap_se.
      objective: E log D(x, E(x)) + E log(1 - D(G(z), z)) + 2 log 2, nats. Its expectation is a
        lower bound of twice the Jensen-Shannon divergence; below 0, the judge is overconfident.
    """
    from sklearn.metrics import roc_auc_score

    on_real, on_fake = (
        np.concatenate([logits(*draw(real, block)) for block in _blocks(n)]).astype(np.float64)
        for real in (True, False)
    )
    right = np.concatenate([on_real > 0, on_fake <= 0])
    d_real, d_fake = _sigmoid(on_real), _sigmoid(on_fake)
    return {
        "accuracy": float(right.mean()),
        "accuracy_se": float(right.std() / np.sqrt(2 * n)),
        "auc": float(roc_auc_score(np.repeat([1, 0], n), np.concatenate([on_real, on_fake]))),
        "gap": float(d_real.mean() - d_fake.mean()),
        "gap_se": float(np.sqrt((d_real.var() + d_fake.var()) / n)),
        "objective": float(
            2 * np.log(2) - np.logaddexp(0, -on_real).mean() - np.logaddexp(0, on_fake).mean()
        ),
    }


def _blocks(n):
    return [min(_BLOCK, n - start) for start in range(0, n, _BLOCK)]


def _sigmoid(a):
    return 1 / (1 + np.exp(-np.clip(a, -60, 60)))
