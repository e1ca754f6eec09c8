"""Latent regressor, LR and JLR (Donahue, Krähenbühl and Darrell, ICLR 2017, arXiv:1605.09782).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.latent_regressor
        7.4 minutes, seed 0: x-cycle ratio 0.51; 1-NN on codes 71.2 % (69.5 % before training).
        BiGAN with the same set of networks: 0.55 and 78.1 %; with dcgan_joint: 0.43 and 73.0 %
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="latent_regressor",
    networks={
        "dcgan": {"epochs": 20, "latent_dim": 20},
        "mlp": {"epochs": 25},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
        "tanh": {"epochs": 25},
    },
)

if __name__ == "__main__":
    main(RECIPE)
