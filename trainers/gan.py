"""GAN (Goodfellow et al. 2014, arXiv:1406.2661; DCGAN: Radford et al. 2016, arXiv:1511.06434).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.gan
        5.5 minutes, seed 0: all ten classes in its samples, Fréchet distance 7.5 in the space of
        fashion_mnist-29cfe862 (real images 1.3)
    python -m trainers.gan --dataset=grid25 --epochs=400 --evaluate_every=20
        92 to 131 minutes, seeds 0 to 2: 17, 20 and 15 of 25 modes, 96.5 % of samples good; PacGAN's
        table has 17.3 ± 0.8 and 94.8 ± 0.7 %
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="gan",
    networks={
        "dcgan": {"epochs": 30},
        "mlp": {"epochs": 25},
        # As in `trainers.ali`.
        "mixture": {"epochs": 40, "batch_size": 100, "latent_dim": 2, "ema": 0.999},
        "tanh": {"epochs": 25},
    },
)

if __name__ == "__main__":
    main(RECIPE)
