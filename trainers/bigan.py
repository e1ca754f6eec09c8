"""BiGAN (Donahue, Krähenbühl and Darrell, ICLR 2017, arXiv:1605.09782).

Lab note, 2 cores of an AMD EPYC without GPU; tables and provenance in docs/bigan.md:

    python -m trainers.bigan
        4.4 minutes, seed 0: x-cycle ratio 0.55; 1-NN on codes 78.1 % (69.5 % before training), on
        the last hidden layer 77.6 % (79.0 % before training)
    python -m trainers.bigan --dataset=mnist --network=mlp
        25 epochs on the authors' split, seeds 0 to 2: 1-NN on the last hidden layer 96.3 %, the
        authors' log 96.28 %; x-cycle ratio 0.78, theirs 0.77; 1-NN on codes 93.1 %, theirs 95.4 %
"""

from trainers.runs.run import Recipe
from trainers.runs.run import main


def optimizers(args, steps):
    """Adam 2e-4, β1 ½ for both players, as in the authors' code.

    They hold the rate for 200 epochs and let it fall to 1 % over 200 more. On `mlp` so do we; the
    other networks are trained for shorter, and hold it for half of that.
    """
    import keras

    from zoo.training.optimizers import HoldThenDecay

    hold = 200 * steps // args.epochs if args.network == "mlp" else steps // 2
    return {
        player: keras.optimizers.Adam(
            HoldThenDecay(2e-4, hold, hold), beta_1=0.5, epsilon=1e-8, name=player
        )
        for player in ("discriminator", "encoder_generator")
    }


RECIPE = Recipe(
    method="bigan",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    l2=2.5e-5,
    network="dcgan",
    networks={
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
