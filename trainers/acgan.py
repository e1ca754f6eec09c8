"""ACGAN (Odena, Olah and Shlens, ICML 2017, arXiv:1610.09585), and an inverse."""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="acgan",
    doc=__doc__,
    networks={
        "dcgan": {"epochs": 30, "batch_size": 64, "latent_dim": 32, "ema": 0.99},
        "mlp": {"epochs": 25, "batch_size": 128, "latent_dim": 32},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
    },
)

if __name__ == "__main__":
    main(RECIPE)
