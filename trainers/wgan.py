"""WGAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028), or with weight clipping.

Lab note, 2 cores of an AMD EPYC (AVX-512) without GPU, shared with other work:

    python -m trainers.wgan --dataset=ring8 --width=8 --learning_rate=1e-3 --epochs=41 --ema=0.999
        --jit_compile --steps_per_execution=33
        1.3 minutes of one core, seed 0: the distance falls from 0.25 in epoch 2 to 0.05, 8 of 8
        modes, 90.4 % of samples are good (real points 98.6 %); with --clip=0.1 74.5 %
    python -m trainers.wgan
        18.2 minutes of one core, seed 0, 1,200 steps of G: the distance falls from 35 to 1.7, and
        still falls; Fréchet distance 13.5 (real images 1.3), recall 0.41 (0.86), and 16.7 % of
        samples have no clear class (2.1 %), by `python -m zoo.audit`. With --width=16 --ema=0.999
        --epochs=120, 19.6 minutes: 18.1, 0.15 and 22.7 %
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="wgan",
    networks={
        "dcgan": {"epochs": 60, "batch_size": 64},
        # As dcgan; XLA compiles the networks that are named here.
        "mlp": {"epochs": 60, "batch_size": 64},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2, "penalty": 0.1},
    },
)

if __name__ == "__main__":
    main(RECIPE)
