"""GAN (Goodfellow et al. 2014, arXiv:1406.2661; DCGAN: Radford et al. 2016, arXiv:1511.06434).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.gan
        5.5 minutes, seed 0: all ten classes in its samples, Fréchet distance 7.5 in the space of
        fashion_mnist-29cfe862 (real images 1.3)
"""

from trainers.runs.run import Recipe
from trainers.runs.run import main


def optimizers(args, steps):
    """Adam 2e-4, β1 ½ for both players, as in DCGAN; on points that of ALI's toy, 1e-4 and β1 0.8.

    The rate is constant, and there is no weight decay.
    """
    import keras

    rate, beta = (1e-4, 0.8) if args.network == "mixture" else (2e-4, 0.5)
    return {
        player: keras.optimizers.Adam(rate, beta_1=beta, epsilon=1e-8, name=player)
        for player in ("discriminator", "generator")
    }


RECIPE = Recipe(
    method="gan",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    network="dcgan",
    networks={
        "dcgan": {"epochs": 30, "batch_size": 128, "latent_dim": 50},
        "mlp": {"epochs": 25, "batch_size": 128, "latent_dim": 50},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
        "tanh": {"epochs": 25, "batch_size": 128, "latent_dim": 50},
    },
)

if __name__ == "__main__":
    main(RECIPE)
