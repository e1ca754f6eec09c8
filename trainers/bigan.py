"""BiGAN (Donahue, Krähenbühl and Darrell, ICLR 2017, arXiv:1605.09782).

Lab note, 2 cores of an AMD EPYC without GPU; tables and provenance in docs/bigan.md:

    python -m trainers.bigan
        4.4 minutes, seed 0: x-cycle ratio 0.55; 1-NN on codes 78.1 % (69.5 % before training), on
        the last hidden layer 77.6 % (79.0 % before training)
    python -m trainers.bigan --dataset=mnist --network=mlp
        25 epochs on the authors' split, seeds 0 to 2: 1-NN on the last hidden layer 96.3 %, the
        authors' log 96.28 %; x-cycle ratio 0.78, theirs 0.77; 1-NN on codes 93.1 %, theirs 95.4 %
"""

import math

from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="bigan",
    doc=__doc__,
    network="dcgan_joint",
    # Of mlp the authors' plan; the others are trained for shorter. With dcgan_joint D wins as the
    # rates fall, and reconstructions get worse; the average of the weights is calm without that.
    plan=HoldThenFall(epochs={"mlp": 200, "dcgan_joint": math.inf}),
    l2=2.5e-5,
    networks={
        "dcgan_joint": {
            "epochs": 64,
            "batch_size": 64,
            "latent_dim": 10,
            "width": 16,
            "ema": 0.999,
        },
        "dcgan": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
        "mlp": {
            "epochs": 25,
            "batch_size": 128,
            "latent_dim": 50,
            "prior": "uniform",
        },
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
    },
)

if __name__ == "__main__":
    main(RECIPE)
