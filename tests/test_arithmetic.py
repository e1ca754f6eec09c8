"""`benchmarks/arithmetic.py`: the products of a training step are counted, and no others."""

import keras
import pytest
import scripts

import zoo

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the graph is TensorFlow's"
)


@pytest.fixture(scope="module")
def arithmetic():
    return scripts.load("benchmarks/arithmetic.py")


def test_products_of_a_gan_with_one_layer_for_each_network(arithmetic):
    """G (2 → 3) and D (3 → 1), for n = 10 points."""
    generator, discriminator = (
        keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs)])
        for inputs, outputs in ((2, 3), (3, 1))
    )
    game = zoo.GAN((3,), latent_dim=2, generator=generator, discriminator=discriminator)
    game.compile()
    forward = 2 * 3 + 3 + 3  # G; D on real and on generated points
    of_d = 3 + 3  # the gradient of D's kernel, for both
    of_g = 3 + 2 * 3  # through D to the points, and the gradient of G's kernel
    # A multiplication and an addition each.
    assert arithmetic.of_step(game, (10, 3)) == 2 * 10 * (forward + of_d + of_g)


def test_products_of_a_convolution(arithmetic):
    """A VAE whose encoder and generator have the sides of 8 and a kernel of 4 × 4."""
    x = keras.Input((8, 8, 1))
    hidden = keras.layers.Flatten()(keras.layers.Conv2D(2, 4, strides=2, padding="same")(x))
    encoder = keras.Model(x, [keras.layers.Dense(3)(hidden), keras.layers.Dense(3)(hidden)])
    z = keras.Input((3,))
    hidden = keras.layers.Reshape((4, 4, 2))(keras.layers.Dense(32)(z))
    up = keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same")(hidden)
    game = zoo.VAE((8, 8, 1), latent_dim=3, encoder=encoder, generator=keras.Model(z, up))
    game.compile()
    kernel = 4 * 4 * 2  # of either convolution; one place of the smaller map
    forward = 16 * kernel + 2 * 32 * 3 + 3 * 32 + 16 * kernel
    # Gradients of all kernels, and through all layers but the first.
    backward = forward + 2 * 32 * 3 + 3 * 32 + 16 * kernel
    assert arithmetic.of_step(game, (10, 8, 8, 1)) == 2 * 10 * (forward + backward)
