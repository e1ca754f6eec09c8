"""BigBiGAN (Donahue and Simonyan 2019, arXiv:1907.02544)."""

from trainers.run import Recipe
from trainers.run import main


def optimizers(args, steps):
    """Adam 2e-4, β1 ½ for every player, held for half of the steps, then falling to 1 %."""
    import keras

    from zoo.optimizers import HoldThenDecay

    hold = steps // 2
    return {
        player: keras.optimizers.Adam(
            HoldThenDecay(2e-4, hold, steps - hold), beta_1=0.5, epsilon=1e-8, name=player
        )
        for player in ("discriminator", "encoder", "generator")
    }


RECIPE = Recipe(
    method="bigbigan",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    network="dcgan",
    networks={
        "dcgan": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
        "dcgan_joint": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
        "residual": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
    },
)

if __name__ == "__main__":
    main(RECIPE)
