"""One autoencoder of the circle: its training, and its errors all around."""

import numpy as np


def train(latent_dim: int, seed: int, args):
    """An AAE trained on the circle; its learning rates fall to 0, so that the noise does too."""
    import keras

    from zoo import datasets
    from zoo.aae import AAE

    data = datasets.load("circle")
    game = AAE(data.shape, latent_dim=latent_dim, network="mixture", width=args.width, seed=seed)
    if not args.steps:
        return game
    rates = {"autoencoder": 2e-3, "discriminator": 2e-4, "encoder": 2e-4}
    optimizers = {
        player: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, args.steps))
        for player, rate in rates.items()
    }
    game.compile(optimizers, steps_per_execution=min(50, args.steps))
    stream = datasets.batches(data.train, args.batch_size, seed)
    game.fit(stream, steps_per_epoch=args.steps, verbose=0, shuffle=False)
    return game


def measure(game, angles: int) -> tuple[dict, dict]:
    """(figures, arrays all around the circle) of a game; see `zoo.metrics.antipodes`.

    The slopes of E are those along the circle, of G the largest singular values at the codes.
    """
    from zoo import metrics
    from zoo.datasets.circle import RADIUS
    from zoo.metrics import antipodes

    seen = antipodes.around(game.encode, game.decode, RADIUS, angles)
    slopes, _ = metrics.lipschitz(game.decode, seen["codes"], batch_size=2500)
    seen["decoder_slopes"] = slopes
    figures = {
        "latent_dim": game.latent_dim,
        "seed": game.seed,
        "error_max": float(seen["errors"].max()),
        "error_99": float(np.quantile(seen["errors"], 0.99)),
        "error_mean": float(seen["errors"].mean()),
        "slope_e_median": float(np.median(seen["slopes"])),
        "slope_e_max": float(seen["slopes"].max()),
        "slope_g_median": float(np.median(slopes)),
        "slope_g_max": float(slopes.max()),
    }
    if game.latent_dim == 1:
        figures |= antipodes.opposite_pair(game.encode, game.decode, RADIUS)
    return figures, seen
