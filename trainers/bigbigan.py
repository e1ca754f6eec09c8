"""BigBiGAN (Donahue and Simonyan 2019, arXiv:1907.02544)."""

from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="bigbigan",
    doc=__doc__,
    plan=HoldThenFall(),
    networks={
        "dcgan": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
        "dcgan_joint": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
        "residual": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
    },
)

if __name__ == "__main__":
    main(RECIPE)
