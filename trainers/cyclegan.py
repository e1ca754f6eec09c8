"""CycleGAN (Zhu, Park, Isola and Efros, ICCV 2017, arXiv:1703.10593)."""

from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

SIZES = {"epochs": 4, "batch_size": 8, "width": 8, "latent_dim": 1}
RECIPE = Recipe(
    method="cyclegan",
    doc=__doc__,
    # The authors' rate falls linearly, to 0.
    plan=HoldThenFall(),
    networks={"dcgan": SIZES, "mixture": {**SIZES, "epochs": 40, "batch_size": 100}},
)

if __name__ == "__main__":
    main(RECIPE)
