"""ACGAN (Odena, Olah and Shlens, ICML 2017, arXiv:1610.09585), and an inverse.

Lab note, 2 cores of an AMD EPYC without GPU, of which other work took nine tenths. Both runs are
short, and fall short: samples of a class are nearly equal, and the inverse, which cannot read codes
that the generator ignores, ends at a loss of 0.95 or more; a loss of 1 means that it reads nothing.

    python -m trainers.acgan --dataset=mnist --width=16 --epochs=3 --train_split='train[:30000]'
        --steps_per_execution=10
        9 minutes, seed 0, 1,380 steps: samples of the class asked 56.4 % (real images 99.2 %),
        images translated to a class 57.0 %
    python -m trainers.acgan --dataset=mnist --dataset_b='mnist[invert]' --width=16 --epochs=3
        --train_split='train[:20000]' --steps_per_execution=10
        9 minutes, seed 0, 930 steps: taken for the target 100 % both ways, but digits kept 9.7 %
        and 6.0 % (chance 10 %), error to the truth, ratio 1.00 and 1.01 (untranslated 1.08)
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="acgan",
    doc=__doc__,
    networks={
        "dcgan": {"epochs": 30, "batch_size": 64, "latent_dim": 10, "width": 16, "ema": 0.999},
        "mlp": {"epochs": 25, "batch_size": 128, "latent_dim": 32},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
    },
)

if __name__ == "__main__":
    main(RECIPE)
