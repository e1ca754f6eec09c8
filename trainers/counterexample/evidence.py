"""M6 and M7 of one pair: the gain of a discriminator that inverts G, and the place of G's images.

The other measurements, M2 to M5, are those that `zoo.audit` makes of any model.
"""

import numpy as np

from zoo import datasets
from zoo.metrics import in_batches


def informed(game, pairs, n: int = 5000) -> dict[str, float]:
    """M6: |E(x) − z| on the pairs that judges are shown, for one that could afford to compute it.

    Real pairs are made without E, from the noise that is written into the image; that this is
    E(x) is measured here.

    Args:
        game: a `zoo.Counterexample`.
        pairs: `Pairs` of this game.
        n: pairs of either kind.

    Returns:
        informed_encoded, informed_generated: the largest difference of any coordinate on (x, E(x))
        and on (G(z), z). It is 0 on real pairs for every E, and 0 on generated ones if E
        inverts G exactly: then knowing E is no help.
    """
    drawn = {"encoded": pairs.encoded(n), "generated": pairs.generated(n)}
    return {
        f"informed_{name}": float(np.abs(in_batches(game.encode, x) - z).max())
        for name, (x, z) in drawn.items()
    }


def memorised(game, samples: np.ndarray, images: np.ndarray) -> dict[str, float]:
    """M7: whether every sample is a training image off the noise pixels.

    Args:
        game: a `zoo.Counterexample`.
        samples: (n, h, w, c) G(z).
        images: uint8 (m, h, w, c) the training images.

    Returns:
        memorised: share of samples that agree with a training image on all other pixels, exactly.
        stored_seen: how many different stored images they show.
    """
    off = game.noised.clean(samples[0].shape).reshape(-1)
    known = {row.tobytes() for row in images.reshape(len(images), -1)[:, off]}
    shown = datasets.unscale(samples).reshape(len(samples), -1)[:, off]
    exact = datasets.scale(shown) == samples.reshape(len(samples), -1)[:, off]
    found = [row.tobytes() for row in np.ascontiguousarray(shown)]
    hits = [row in known and bool(same.all()) for row, same in zip(found, exact, strict=True)]
    return {"memorised": float(np.mean(hits)), "stored_seen": float(len(set(found)))}
