"""ALI (Dumoulin et al., ICLR 2017, arXiv:1606.00704).

Lab note, 2 cores of an AMD EPYC without GPU; tables in docs/results.md:

    python -m trainers.ali
        4.3 minutes, seed 0: x-cycle ratio 0.74; 1-NN on codes 77.2 % (75.6 % before training).
        Samples are blocky and codes far from the prior: it was not trained for long enough
    python -m trainers.ali --dataset=ring8 --width=8 --epochs=16 --steps_per_execution=50
        seed 0, 120 s of processor time: 85.3 % of samples within 3 standard deviations of a mode,
        7 of 8 modes, x-cycle ratio 0.24; with the Gaussian encoder at the rate 1e-4, 29.6 %, 8 of 8
"""

from trainers.run import Recipe
from trainers.run import main


def optimizers(args, steps):
    """Adam at a constant rate for both players: 1e-4, as in the authors' code, but 1e-3 on points.

    β1 is ½ for images and 0.8 for their toy of points, where 1e-4 needs far more epochs (lab note).
    """
    import keras

    rate, beta = (1e-3, 0.8) if args.network == "mixture" else (1e-4, 0.5)
    return {
        player: keras.optimizers.Adam(rate, beta_1=beta, epsilon=1e-8, name=player)
        for player in ("discriminator", "encoder_generator")
    }


RECIPE = Recipe(
    method="ali",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    network="dcgan",
    networks={
        "dcgan": {"epochs": 30, "batch_size": 100, "latent_dim": 50},
        "mlp": {"epochs": 25, "batch_size": 100, "latent_dim": 50},
        "mixture": {
            "epochs": 20,
            "batch_size": 100,
            "latent_dim": 2,
            "noise_inputs": 2,
            "jit_compile": True,
        },
        "tanh": {"epochs": 25, "batch_size": 100, "latent_dim": 50},
    },
)

if __name__ == "__main__":
    main(RECIPE)
