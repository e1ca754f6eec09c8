"""GAN (Goodfellow et al. 2014, arXiv:1406.2661; DCGAN: Radford et al. 2016, arXiv:1511.06434).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.gan
        4.2 minutes of one core, seed 0: all ten classes in its samples, Fréchet distance 4.0 in
        the space of fashion_mnist-29cfe862 (real images 1.3), recall 0.60 (0.86), support at
        most 8,100. The former default (batches of 128, width 32, no average): 7.5, 0.43, 32,000
    python -m trainers.gan --dataset=fashion_mnist --batch_size=64 --epochs=28
        21 minutes of one core, seed 0: 2.7, recall 0.64; the preset gan_fashion_mnist. With
        --dataset=mnist, 15 minutes, D's loss falls to 0.34 and two of ten classes are below 3 %
        (fours 1 %, fives 2 %), so that gan_mnist keeps its former recipe
    python -m trainers.gan --dataset=grid25 --epochs=400 --evaluate_every=20
        92 to 131 minutes, seeds 0 to 2: 17, 20 and 15 of 25 modes, 96.5 % of samples good; PacGAN's
        table has 17.3 ± 0.8 and 94.8 ± 0.7 %
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="gan",
    networks={
        "dcgan": {"epochs": 32, "batch_size": 32, "width": 16, "ema": 0.9998},
        "mlp": {"epochs": 25},
        # As in `trainers.ali`.
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2, "ema": 0.999},
        "tanh": {"epochs": 25},
    },
)

if __name__ == "__main__":
    main(RECIPE)
