"""ACGAN (Odena, Olah and Shlens, ICML 2017, arXiv:1610.09585), and an inverse."""

from trainers.run import Recipe
from trainers.run import main


def optimizers(args, steps):
    """Adam 2e-4, β1 ½ for every player, as in the code of Dong et al.; on points as in ALI's toy.

    The rate is constant, and there is no weight decay.
    """
    import keras

    rate, beta = (1e-4, 0.8) if args.network == "mixture" else (2e-4, 0.5)
    return {
        player: keras.optimizers.Adam(rate, beta_1=beta, epsilon=1e-8, name=player)
        for player in ("discriminator", "generator", "inverse")
    }


RECIPE = Recipe(
    method="acgan",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    network="dcgan",
    networks={
        "dcgan": {"epochs": 30, "batch_size": 64, "latent_dim": 32, "ema": 0.99},
        "mlp": {"epochs": 25, "batch_size": 128, "latent_dim": 32},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
    },
)

if __name__ == "__main__":
    main(RECIPE)
