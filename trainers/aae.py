"""AAE (Makhzani et al. 2015, arXiv:1511.05644).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.aae
        4.4 minutes, seed 0: x-cycle ratio 0.31, z-cycle ratio 0.20; 1-NN on codes 77.1 % (50.5 %
        before training). The paper's figures are Parzen likelihoods and were not tried
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="aae",
    networks={
        "dcgan": {"epochs": 30, "latent_dim": 8},
        "mlp": {"epochs": 25, "latent_dim": 8},
        "mixture": {"epochs": 20, "batch_size": 100, "latent_dim": 2},
        "tanh": {"epochs": 50, "batch_size": 100, "latent_dim": 8},
    },
)

if __name__ == "__main__":
    main(RECIPE)
