"""M6 and M7 of one pair: what a discriminator would gain by inverting G, and where G's images are.

The other measurements, M2 to M5, are those that `zoo.audit` makes of any model.
"""

import numpy as np

from zoo import datasets
from zoo.metrics import in_batches


def informed(game, x: np.ndarray, z: np.ndarray) -> dict[str, float]:
    """M6: ‖E(x) − z‖ on either side, for a discriminator that could afford to compute it.

    Args:
        game: a `zoo.Counterexample`.
        x: (n, h, w, c) images under its data law; their codes are E(x).
        z: (n, latent_dim) draws from the prior; their images are G(z).

    Returns:
        informed_encoded, informed_generated: the largest distance on either side. Both are 0 for
        any encoder on real pairs and for an exact inverse on generated ones: no help.
    """
    codes = in_batches(game.encode, x)
    again = in_batches(game.encode, x)
    back = in_batches(game.encode, in_batches(game.decode, z))
    return {
        "informed_encoded": float(np.abs(again - codes).max()),
        "informed_generated": float(np.abs(back - z).max()),
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
    off = np.ones(samples[0].size, bool)
    off[game.pixels] = False
    known = {row.tobytes() for row in images.reshape(len(images), -1)[:, off]}
    shown = datasets.unscale(samples).reshape(len(samples), -1)[:, off]
    exact = datasets.scale(shown) == samples.reshape(len(samples), -1)[:, off]
    found = [row.tobytes() for row in np.ascontiguousarray(shown)]
    hits = [row in known and bool(same.all()) for row, same in zip(found, exact, strict=True)]
    return {"memorised": float(np.mean(hits)), "stored_seen": float(len(set(found)))}
