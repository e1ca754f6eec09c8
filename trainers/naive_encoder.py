"""Naive encoder of a fixed generator, on its images, on real ones or on both.

The generator comes from `--start_from`, by default a preset. `--codes=0 --images=1` learns from
real images alone.
"""

from trainers.run import Recipe
from trainers.run import main


def optimizers(args, steps):
    """Adam 2e-4, β1 ½, as for the other encoders of the package; the rate is constant."""
    import keras

    return {"encoder": keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8, name="encoder")}


RECIPE = Recipe(
    method="naive_encoder",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    network="dcgan",
    networks={
        "dcgan": {
            "start_from": "gan_fashion_mnist",
            "epochs": 10,
            "batch_size": 64,
            "latent_dim": 50,
            "width": 24,
        },
    },
)

if __name__ == "__main__":
    main(RECIPE)
