"""BiGAN (Donahue, Krähenbühl and Darrell, ICLR 2017, arXiv:1605.09782).

Lab note, 2 cores of an AMD EPYC without GPU; tables and provenance in docs/bigan.md:

    python -m trainers.bigan
        5.4 minutes, seed 0: class kept 80.7 %, x-cycle ratio 0.39; 1-NN on codes 72.2 % (58.2 %
        before training). With --network=dcgan_joint, 4.3 minutes: 75.7 %, 0.43, 72.3 %
    python -m trainers.bigan --dataset=fashion_mnist --batch_size=64 --width=20 --epochs=56
        65 minutes, seed 0: class kept 84.3 %, x-cycle ratio 0.37; the preset bigan_fashion_mnist
    python -m trainers.bigan --dataset=mnist --batch_size=64 --width=20 --epochs=56
        63 minutes, seed 0: class kept 93.6 %, x-cycle ratio 0.39; the preset bigan_mnist. 20 epochs
        of dcgan_joint with --width=16 --ema=0.999: 88.5 %, 0.47
    python -m trainers.bigan --dataset=mnist --network=mlp
        25 epochs on the authors' split, seeds 0 to 2: 1-NN on the last hidden layer 96.3 %, the
        authors' log 96.28 %; x-cycle ratio 0.78, theirs 0.77; 1-NN on codes 93.1 %, theirs 95.4 %.
        Seed 0 after 200 epochs: 97.3 %, theirs 97.14 %; 0.68, theirs 0.61; 95.0 %, theirs 95.9 %;
        after 400: 97.4 %, theirs 97.35 %; 0.66, theirs 0.62; 91.6 %, theirs 92.1 %
"""

import math

from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import Recipe
from trainers.runs.run import main

# Sets of networks in which the code joins the convolutions of D → settings, and epochs for which
# the rates are held, for `HoldThenFall`.
JOINED = dict.fromkeys(
    ("dcgan_map", "dcgan_joint"),
    {
        "epochs": 64,
        "batch_size": 64,
        "latent_dim": 10,
        "width": 16,
        # Of use after tens of thousands of steps; before, it is less (`zoo.training.averages`).
        "ema": 0.9998,
        "instance_noise": 0.3,
        "learning_rate": "discriminator=8e-4,encoder_generator=2e-4",
    },
)
HELD = dict.fromkeys(JOINED, math.inf)

RECIPE = Recipe(
    method="bigan",
    network="dcgan_map",
    # Of mlp the authors' plan; the others are trained for shorter. With dcgan_joint reconstructions
    # get worse as the rates fall; the average of the weights is calm without that.
    plan=HoldThenFall(epochs=HELD | {"mlp": 200}),
    l2=2.5e-5,
    networks=JOINED
    | {
        # Twice as many steps on the 8,000 images of the default.
        "dcgan_map": JOINED["dcgan_map"] | {"batch_size": 32},
        "dcgan": {"epochs": 24, "batch_size": 64, "latent_dim": 20, "ema": 0.99},
        "mlp": {"epochs": 25, "prior": "uniform"},
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2},
    },
)

if __name__ == "__main__":
    main(RECIPE)
