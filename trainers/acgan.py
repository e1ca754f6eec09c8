"""ACGAN (Odena, Olah and Shlens, ICML 2017, arXiv:1610.09585), and an inverse.

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; what was changed and why is in
docs/domains.md:

    python -m trainers.acgan --dataset=mnist --epochs=3 --steps_per_execution=14
        14 minutes, seed 0, 2,772 steps: samples of the class asked 99.1 % (real images 99.2 %),
        images translated to a class 98.5 %; the inverse ends at 0.83, a loss of 1 reads nothing;
        with --joint=1 and one epoch it ends at 0.07, and 91.9 % are of the class asked
    python -m trainers.acgan --dataset=mnist --dataset_b='mnist[invert]' --shared --joint=1
        --epochs=3
        221 s, seed 0, 2,805 steps: taken for the target 100 % both ways, digits kept 82.4 % and
        82.9 % (real images 99.3 %), error to the truth, ratio 0.52 both ways (untranslated 1.08)
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="acgan",
    networks={
        "dcgan": {"epochs": 30, "batch_size": 64, "latent_dim": 10, "width": 16, "ema": 0.999},
        "mlp": {"epochs": 25, "latent_dim": 32},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
    },
)

if __name__ == "__main__":
    main(RECIPE)
