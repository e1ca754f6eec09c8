"""BigBiGAN (Donahue and Simonyan 2019, arXiv:1907.02544).

Lab note, one of 2 cores of an AMD EPYC without GPU; tables in docs/bigbigan.md:

    python -m trainers.bigbigan --dataset=fashion_mnist --network=dcgan_map --width=20 --epochs=56
        78 minutes, seed 0: class kept 84.8 %, x-cycle ratio 0.35; the preset bigbigan_fashion_mnist
    python -m trainers.bigbigan --dataset=mnist --network=dcgan_map --epochs=28 --evaluate_every=4
        29 minutes, seed 0: class kept 92.8 %, x-cycle ratio 0.39; the preset bigbigan_mnist. 16
        epochs of dcgan_joint with --ema=0.999: 89.3 %, 0.45
"""

import math

from trainers import bigan
from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

# Those of BiGAN with dcgan_joint, for as many minutes: a step takes longer.
IMAGES = bigan.JOINED["dcgan_joint"] | {
    "epochs": 48,
    "learning_rate": "discriminator=8e-4,encoder=2e-4,generator=2e-4",
}

RECIPE = Recipe(
    method="bigbigan",
    network="dcgan_joint",
    # See `trainers.bigan`.
    plan=HoldThenFall(epochs=bigan.HELD | {"dcgan": math.inf}),
    l2=bigan.RECIPE.l2,
    networks=dict.fromkeys([*bigan.JOINED, "dcgan"], IMAGES)
    | {
        "residual": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
    },
)

if __name__ == "__main__":
    main(RECIPE)
