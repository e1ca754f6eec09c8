"""ALI (Dumoulin et al., ICLR 2017, arXiv:1606.00704).

Lab note, 2 cores of an AMD EPYC without GPU; tables in docs/results.md:

    python -m trainers.ali
        4.3 minutes, seed 0: x-cycle ratio 0.74; 1-NN on codes 77.2 % (75.6 % before training).
        Samples are blocky and codes far from the prior: it was not trained for long enough
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="ali",
    doc=__doc__,
    networks={
        "dcgan": {"epochs": 30, "batch_size": 100, "latent_dim": 50},
        "mlp": {"epochs": 25, "batch_size": 100, "latent_dim": 50},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
        "tanh": {"epochs": 25, "batch_size": 100, "latent_dim": 50},
    },
)

if __name__ == "__main__":
    main(RECIPE)
