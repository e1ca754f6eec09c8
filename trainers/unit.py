"""UNIT (Liu, Breuel and Kautz, NeurIPS 2017, arXiv:1703.00848)."""

from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

SIZES = {"epochs": 4, "batch_size": 8, "width": 8, "latent_dim": 1}
RECIPE = Recipe(
    method="unit",
    doc=__doc__,
    # As for CycleGAN; the authors' code halves the rate every 100,000 steps.
    plan=HoldThenFall(),
    networks={"dcgan": SIZES, "mixture": {**SIZES, "epochs": 40, "batch_size": 100}},
)

if __name__ == "__main__":
    main(RECIPE)
