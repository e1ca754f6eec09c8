"""Naive encoder of a fixed generator, on its images, on real ones or on both.

The generator comes from `--start_from`, by default a preset. `--codes=0 --images=1` learns from
real images alone.
"""

from trainers.runs.recipe import Recipe
from trainers.runs.run import main

RECIPE = Recipe(
    method="naive_encoder",
    networks={
        "dcgan": {
            "start_from": "gan_fashion_mnist",
            "epochs": 10,
            "batch_size": 64,
            "width": 16,
        },
    },
)

if __name__ == "__main__":
    main(RECIPE)
