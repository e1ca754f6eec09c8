"""ALI (Dumoulin et al., ICLR 2017, arXiv:1606.00704).

Lab note, 2 cores of an AMD EPYC without GPU; tables in docs/results.md:

    python -m trainers.ali
        4.3 minutes, seed 0: x-cycle ratio 0.74; 1-NN on codes 77.2 % (75.6 % before training).
        Samples are blocky and codes far from the prior: it was not trained for long enough
"""

from trainers.runs.run import Recipe
from trainers.runs.run import main


def optimizers(args, steps):
    """Adam 1e-4 at a constant rate for both players, as in the authors' code.

    β1 is ½ for images and 0.8 for their toy of points.
    """
    import keras

    beta = 0.8 if args.network == "mixture" else 0.5
    return {
        player: keras.optimizers.Adam(1e-4, beta_1=beta, epsilon=1e-8, name=player)
        for player in ("discriminator", "encoder_generator")
    }


RECIPE = Recipe(
    method="ali",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    network="dcgan",
    networks={
        "dcgan": {"epochs": 30, "batch_size": 100, "latent_dim": 50},
        "mlp": {"epochs": 25, "batch_size": 100, "latent_dim": 50},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
        "tanh": {"epochs": 25, "batch_size": 100, "latent_dim": 50},
    },
)

if __name__ == "__main__":
    main(RECIPE)
