"""VAE/GAN (Larsen et al., ICML 2016, arXiv:1512.09300).

Lab note, 2 cores of an AMD EPYC without GPU, shared with other work; tables in docs/results.md:

    python -m trainers.vae_gan
        7.5 minutes, seed 0: x-cycle ratio 0.34; 1-NN on codes 81.1 % (75.6 % before training). The
        paper has no figures for grey images of this size
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

IMAGES = {"epochs": 20, "batch_size": 64}

RECIPE = Recipe(
    method="vae_gan",
    networks={
        "dcgan": IMAGES,
        # Named, because XLA compiles the networks that are.
        "mlp": IMAGES,
        "mixture": {"epochs": 20, "batch_size": 100, "latent_dim": 2},
    },
)

if __name__ == "__main__":
    main(RECIPE)
