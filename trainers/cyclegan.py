"""CycleGAN (Zhu, Park, Isola and Efros, ICCV 2017, arXiv:1703.10593).

Lab note, 2 cores of an AMD EPYC without GPU, of which other work took nine tenths:

    python -m trainers.cyclegan --dataset=mnist --dataset_b='mnist[outline]' --epochs=3
        --train_split='train[:20000]'
        38 minutes, seed 0, 3,750 steps: error to the truth, ratio 0.38 to outlines and 0.47 back,
        untranslated 0.79 both ways; digits kept of outlines 91.0 %, untranslated 84.4 %, real
        images 99.3 %; taken for the target 92.7 % and 94.0 %, real images 97.3 % and 97.0 %
"""

from trainers.run import Recipe
from trainers.run import main


def optimizers(args, steps):
    """Adam 2e-4, β1 ½ for both players: held for half of the run, then falling to 1 %.

    The authors hold it as long as it falls, too, but it falls linearly, to 0.
    """
    import keras

    from zoo.optimizers import HoldThenDecay

    return {
        player: keras.optimizers.Adam(
            HoldThenDecay(2e-4, steps // 2, steps // 2), beta_1=0.5, epsilon=1e-8, name=player
        )
        for player in ("generators", "discriminators")
    }


SIZES = {"epochs": 4, "batch_size": 8, "width": 8, "latent_dim": 1}
RECIPE = Recipe(
    method="cyclegan",
    title=__doc__.splitlines()[0],
    optimizers=optimizers,
    network="dcgan",
    networks={"dcgan": SIZES, "mixture": {**SIZES, "epochs": 40, "batch_size": 100}},
)

if __name__ == "__main__":
    main(RECIPE)
