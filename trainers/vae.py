"""VAE (Kingma and Welling, ICLR 2014, arXiv:1312.6114).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.vae
        5.5 minutes, seed 0: x-cycle ratio 0.28; 1-NN on codes 81.0 % (75.6 % before training)
    python -m trainers.vae --network=tanh --dataset=mnist --epochs=1000 --steps_per_execution=25
        56 minutes, one core, seed 0: log p(x) = -87.69 ± 0.24 nats, k = 5000; Burda et al. 2016
        (arXiv:1509.00519, Table 1) have -86.76 after 3,280 epochs. 100 epochs: -92.21 ± 0.82
"""

from trainers.runs.recipe import Fall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="vae",
    # The ends of the schedule of Burda et al. 2016 (arXiv:1509.00519), whose authors take eight
    # steps from one to the other, each three times as long as the one before, over 3,280 epochs.
    plan=Fall(to=0.1),
    networks={
        "dcgan": {"epochs": 40},
        "mlp": {"epochs": 25},
        "mixture": {
            "epochs": 20,
            "batch_size": 100,
            "latent_dim": 2,
            "likelihood": "gaussian",
            # That of grid25 about its centres: 0.05².
            "variance": 0.0025,
        },
        "tanh": {"epochs": 100, "batch_size": 100, "binarize": True},
    },
)

if __name__ == "__main__":
    main(RECIPE)
