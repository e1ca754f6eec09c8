"""ALI (Dumoulin et al., ICLR 2017, arXiv:1606.00704).

Lab note, 2 cores of an AMD EPYC without GPU; tables in docs/results.md and docs/bigan.md:

    python -m trainers.ali --dataset=fashion_mnist --network=dcgan_map --epochs=36
        25 minutes, seed 0: class kept 84.0 %, x-cycle ratio 0.37; the preset ali_fashion_mnist
    python -m trainers.ali --dataset=mnist --network=dcgan_map --epochs=36 --evaluate_every=4
        25 minutes, seed 0: class kept 92.9 %, x-cycle ratio 0.41; the preset ali_mnist. 20 epochs
        of dcgan_joint with --ema=0.999: 88.1 %, 0.47
    python -m trainers.ali --dataset=ring8 --epochs=20
        6 minutes a seed, one core, seeds 0 to 2: 96.6, 95.4 and 97.0 % of samples within 3 standard
        deviations of a mode, 8, 7 and 8 of 8 modes; without the average of weights 36.4 %, 3 modes
    python -m trainers.ali --dataset=grid25 --learning_rate=3e-4 --instance_noise=0.2 --epochs=80
        26 minutes a seed, one core, seeds 0 to 2: 89.1, 90.9 and 85.7 %, 25 of 25 modes each; by
        default, without noise, modes are lost
"""

import math

from trainers import bigan
from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="ali",
    network="dcgan_joint",
    # See `trainers.bigan`.
    plan=HoldThenFall(epochs=bigan.HELD | {"mixture": math.inf}),
    # Without BiGAN's weight decay, which the authors of ALI do not have.
    networks=bigan.JOINED
    | {
        "dcgan": {"epochs": 30, "batch_size": 100},
        "mlp": {"epochs": 25, "batch_size": 100},
        "mixture": {
            # The ring of eight takes 20, the grid of 25 twice as many.
            "epochs": 40,
            "batch_size": 100,
            "latent_dim": 2,
            "noise_inputs": 2,
            # At rates that are held, G's points circle around the modes; their average does not.
            "ema": 0.999,
        },
        "tanh": {"epochs": 25, "batch_size": 100},
    },
)

if __name__ == "__main__":
    main(RECIPE)
