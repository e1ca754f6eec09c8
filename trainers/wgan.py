"""WGAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028), or with weight clipping."""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="wgan",
    doc=__doc__,
    networks={
        "dcgan": {"epochs": 60, "batch_size": 64, "latent_dim": 50},
        "mlp": {"epochs": 60, "batch_size": 64, "latent_dim": 50},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2, "penalty": 0.1},
        "tanh": {"epochs": 60, "batch_size": 64, "latent_dim": 50},
    },
)

if __name__ == "__main__":
    main(RECIPE)
