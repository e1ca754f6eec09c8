"""α-GAN (Rosca et al. 2017, arXiv:1706.04987).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.alpha_gan
        4.7 minutes, seed 0: x-cycle ratio 0.31; 1-NN on codes 80.5 % (75.6 % before training). The
        paper's scores are of colour images and were not tried
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="alpha_gan",
    networks={
        "dcgan": {"epochs": 10},
        "mlp": {"epochs": 20},
        "mixture": {"epochs": 20, "batch_size": 100, "latent_dim": 2},
        "tanh": {"epochs": 20},
    },
)

if __name__ == "__main__":
    main(RECIPE)
