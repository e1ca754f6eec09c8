"""CycleGAN (Zhu, Park, Isola and Efros, ICCV 2017, arXiv:1703.10593).

Lab note, one core of an AMD EPYC without GPU; more in docs/domains.md:

    python -m trainers.cyclegan --dataset=mnist --dataset_b='mnist[outline]' --epochs=3
        --train_split='train[:20000]'
        155 s, seed 0, 3,750 steps: error to the truth, ratio 0.37 to outlines and 0.46 back;
        untranslated 0.79 both ways
"""

from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

SIZES = {"epochs": 4, "batch_size": 8, "width": 8, "latent_dim": 1}
RECIPE = Recipe(
    method="cyclegan",
    # The authors' rate falls linearly, to 0.
    plan=HoldThenFall(),
    without_effect=("latent_dim", "prior"),
    networks={
        "dcgan": {**SIZES, "evaluate_every": 1},
        "mixture": {**SIZES, "epochs": 40, "batch_size": 100},
    },
)

if __name__ == "__main__":
    main(RECIPE)
