"""The inputs of an audit: a model's codes and samples, and the examples to compare with."""

import dataclasses

import numpy as np

from zoo import datasets
from zoo import metrics
from zoo.metrics import classifier

MOST = 10_000  # examples of either split
_SHOWN, _RECONSTRUCTED = 500, 20


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The arrays that the parts of an audit share.

    Attributes:
        model: a `zoo.models.Model`.
        x, labels: "train" and "test" → examples in [-1, 1] under the model's data distribution,
            labels.
        clean: the same examples without the noise that the data distribution may add.
        codes: "train" and "test" → E(x), or empty.
        z: draws from the prior; samples: G(z).
        spare: further draws, used for nothing else.
        classes: number of classes in the data.
        space: the classifier in whose features images are compared, or None.
        seed: seed of every further choice.
    """

    model: object
    x: dict
    clean: dict
    labels: dict
    codes: dict
    z: np.ndarray
    samples: np.ndarray
    spare: np.ndarray
    classes: int
    space: object
    seed: int


def gather(model, data, seed: int, samples: int, examples: int = MOST) -> Evidence:
    """Everything that has to be computed with the model, once. Raises ValueError as `audit`."""
    if tuple(model.shape) != data.shape or len(data.test) < 100:
        raise ValueError(
            f"{model.name} takes examples of shape {tuple(model.shape)}, of which an audit needs "
            f"100; {data.name} has {len(data.test)} of {data.shape}"
        )
    chosen = {
        split: np.sort(np.random.default_rng(seed).permutation(len(images))[:examples])
        for split, images in (("train", data.train), ("test", data.test))
    }
    clean = {split: datasets.scale(getattr(data, split)[rows]) for split, rows in chosen.items()}
    x = {split: model.observed(clean[split], seed + i) for i, split in enumerate(clean)}
    # One call for all draws: two calls with neighbouring seeds need not be independent.
    draws = model.prior(samples + 3 * MOST, seed)
    return Evidence(
        model=model,
        x=x,
        clean=clean,
        labels={s: getattr(data, f"{s}_labels")[rows] for s, rows in chosen.items()},
        codes={s: metrics.in_batches(model.encode, x[s]) for s in x} if model.encode else {},
        z=draws[:samples],
        samples=metrics.in_batches(model.decode, draws[:samples]),
        spare=draws[samples:],
        classes=len(np.unique(data.train_labels)),
        space=classifier.of(data.name, data.shape),
        seed=seed,
    )


def shown(evidence: Evidence, figures: dict) -> dict:
    """The part of `evidence` that `zoo.audit.picture.draw` shows, beside the figures of `audit`."""
    # Copies: a view would keep all samples of every model in memory until the picture is drawn.
    found = {
        "samples": evidence.samples[:_SHOWN].copy(),
        "real": evidence.x["test"][:_SHOWN].copy(),
    }
    if "closest" in figures:
        found["closest"] = evidence.samples[np.ravel(figures["closest"])]
    if evidence.codes:
        some = evidence.codes["test"][:_RECONSTRUCTED]
        found["reconstructions"] = metrics.in_batches(evidence.model.decode, some)
    return found
