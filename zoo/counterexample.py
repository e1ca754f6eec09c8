"""The counterexample: a pair of networks that fools discriminators smaller than its memory."""

import math

import numpy as np
from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import rejected
from zoo.networks import theorem
from zoo.noised import NoisedPixels
from zoo.training.declarations import checked


class Counterexample(Game):
    """Theoretical limitations of encoder-decoder GANs (Arora, Risteski, Zhang, arXiv:1711.02651).

    BiGAN's objective, E_x φ(D(x, E(x))) − E_z φ(D(G(z), z)), within ε of its optimum for every
    D of fewer than p parameters, though G knows `support` = m images and E(x) is white noise.
    Noised data: every q-th pixel of an image, q = ⌊d / d̃⌋ in the order (row, column, channel), is
    overwritten by N(0, s²), after scaling to [-1, 1] and without clipping: `noised`.
    E reads those pixels: d̃ = `latent_dim` weights that are not zero, and no information on the
    image. G finds the block of z, of m blocks of equal probability, looks up the stored image of
    that block and overwrites its q-th pixels with z, as the last thing it does. So E(G(z)) = z bit
    for bit, G(E(G(z))) = G(z), and G(E(x)) is an unrelated image under the noise of x.

    Block: |z_i| of r coordinates, each cut at k − 1 quantiles, m = k^r. Theorem 3 of the paper
    makes G a ReLU network of O(m·d) weights; circuit="relu" is that network, circuit="lookup" a
    search and a gather that agree with it but in the ramps of its soft steps.

    Networks: encoder, generator (both fixed), discriminator (x, z) → logit.
    Players: discriminator. Its loss has both halves averaged: log 2 if it cannot tell them apart.

    Deviations: the paper cuts all d̃ coordinates; equal probability is all its proof uses. Its soft
    step is a difference of two ReLUs, which float32 rounds wrongly for most z: ours saturates.
    A result on a fixed pair does not show that training finds one.

    Args:
        support: m, the number of stored images; a whole number to the power of `cuts`.
        cuts: r, how many coordinates of a code choose the block, at most latent_dim; 0 for the
            most for which the root of m is a whole number.
        noise_std: s, a power of two, so that scaling by it is exact; in units of pixels.
        circuit: "lookup" or "relu".
    """

    schedule = (("discriminator",),)
    scores = {"score_xz": ("discriminator", "xz")}
    image_range = None
    noised: NoisedPixels

    def __init__(
        self,
        image_shape,
        latent_dim: int = 16,
        support: int = 1024,
        cuts: int = 0,
        noise_std: float = 1.0,
        circuit: str = "lookup",
        **game,
    ):
        self.support, self.cuts = support, check(image_shape, latent_dim, support, cuts)
        exact = noise_std > 0 and math.frexp(noise_std)[0] == 0.5
        self.noise_std = checked("noise_std", noise_std, exact, "a power of two, such as 0.5 or 1")
        self.circuit = checked("circuit", circuit, circuit in theorem.CIRCUITS, "lookup or relu")
        super().__init__(image_shape, latent_dim=latent_dim, **game)
        checked("prior", self.prior, self.prior == "normal", "'normal', for its quantiles")
        checked("ema", self.ema, not self.ema, "0: the pair does not move")

    def build_networks(self, draw):
        pixels = theorem.noise_pixels(math.prod(self.image_shape), self.latent_dim)
        self.noised = NoisedPixels(pixels, self.noise_std)
        pair = theorem.CIRCUITS[self.circuit](
            self.image_shape, pixels, self.support, self.cuts, self.noise_std
        )
        self.encoder, self.generator = pair
        self.discriminator = draw.joint_discriminator()

    def play(self, x, z):
        x = self.overwrite(x, self.normal_noise(ops.shape(x)[0]))
        real = self.discriminator([x, self.encoder(x)])
        fake = self.discriminator([self.generator(z), z])
        return {"discriminator": (accepted(real) + rejected(fake)) / 2}

    def overwrite(self, x, z):
        """x ⊙ z: images with every q-th pixel set to s·z. (n, *image_shape), (n, latent_dim)."""
        return theorem.overwritten(x, z * self.noise_std, self.noised.pixels)

    def remember(self, images) -> None:
        """Store the `support` images, uint8 (m, *image_shape), that G returns from then on.

        Raises:
            ValueError: another number, shape or type of images.
        """
        theorem.remember(self.generator, images, self.noised.pixels)


def check(image_shape, latent_dim: int, support: int, cuts: int = 0) -> int:
    """The number of cuts of such a pair; see `Counterexample`, which need not be built.

    Raises:
        ValueError: there is no such pair.
    """
    size = math.prod(image_shape)
    checked("image_shape", tuple(image_shape), len(image_shape) == 3, "that of an image")
    vector = not isinstance(latent_dim, list | tuple)
    checked(
        "latent_dim", latent_dim, vector and 1 <= latent_dim < size, f"1 to {size - 1}, below d"
    )
    checked("support", support, 2 <= support <= 2**20, "2 to 2^20")
    checked("cuts", cuts, 0 <= cuts <= latent_dim, f"0 to latent_dim = {latent_dim}")
    cuts = cuts or theorem.most_cuts(support, latent_dim)
    whole = f"a whole number to the power of cuts = {cuts}"
    checked("support", support, theorem.root(support, cuts), whole)
    return cuts


def check_images(data, support: int) -> None:
    """Raises ValueError if the `zoo.datasets.Dataset` has fewer training images."""
    if support > len(data.train):
        raise ValueError(
            f"a support of {support} needs as many training images; "
            f"{data.name} has {len(data.train)}"
        )


def build(data, support: int, latent_dim: int, seed: int, method=Counterexample, **game):
    """A counterexample that remembers `support` random training images, all different.

    Args:
        data: a `zoo.datasets.Dataset` of images.
        method: `Counterexample`, or another construction that stores images.
        **game: further constructor arguments, such as width.

    Raises:
        ValueError: there are fewer training images, or they are points.
    """
    made = method(data.shape, latent_dim=latent_dim, support=support, seed=seed, **game)
    made.remember(data.train[chosen(data, support, seed)])
    return made


def chosen(data, support: int, seed: int) -> np.ndarray:
    """Which training images to store: `support` random ones, all different, in order. int (m,).

    Raises:
        ValueError: there are fewer training images.
    """
    check_images(data, support)
    return np.sort(np.random.default_rng([seed, support]).permutation(len(data.train))[:support])
