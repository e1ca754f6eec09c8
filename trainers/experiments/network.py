"""The judges beyond a thousand parameters: the zoo's convolutional discriminator, by Adam."""

import numpy as np


class Network:
    """A fresh discriminator of the game's own kind: of pairs, or of images alone.

    Args:
        width: of its smallest layer.
        game: one with a `discriminator`.
        seed: of the initial weights.
    """

    name = "convolutions, Adam"

    def __init__(self, width: int, game, seed: int):
        import keras

        config = game.get_config()
        fresh = type(game).from_config(config | {"width": width, "seed": seed})
        self.network = fresh.discriminator
        self.parameters = sum(int(np.prod(v.shape)) for v in self.network.trainable_variables)
        self.network.compile(
            keras.optimizers.Adam(1e-3),
            keras.losses.BinaryCrossentropy(from_logits=True),
            steps_per_execution=10,
        )

    def fit(self, draw, budget: int, batch: int = 256) -> None:
        """Adam on `budget` fresh pairs of either kind, rounded up to chunks of 25 batches."""
        import keras

        keras.utils.set_random_seed(0)  # of the order inside a chunk
        chunk = 25 * batch
        for _ in range(-(-budget // chunk)):
            (x, z), (y, w) = draw(True, chunk), draw(False, chunk)
            labels = np.repeat([1.0, 0.0], chunk)[:, None]
            inputs = self._inputs(np.concatenate([x, y]), np.concatenate([z, w]))
            self.network.fit(inputs, labels, batch_size=batch, verbose=0)

    def logits(self, x, z) -> np.ndarray:
        """(n,)."""
        return self.network.predict(self._inputs(x, z), batch_size=2000, verbose=0)[:, 0]

    def _inputs(self, x, z):
        return [x, z] if len(self.network.inputs) == 2 else x
