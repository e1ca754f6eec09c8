"""ACGAN: a generator of images of a given class, and an inverse of it."""

import math

from keras import ops

from zoo.game import Game
from zoo.losses import accepted
from zoo.losses import class_error
from zoo.losses import rejected
from zoo.losses import squared_error
from zoo.signatures import Signature
from zoo.training import ranges
from zoo.training.declarations import checked
from zoo.training.declarations import not_negative
from zoo.training.optimizers import adam


class ACGAN(Game):
    """Class-conditional GAN with an auxiliary classifier (Odena et al. 2017, arXiv:1610.09585).

    D estimates whether x is real, and its class. With L_S = E log P(real | x) + E log P(fake |
    G(z, y)) and L_C = E log P(y | x) + E log P(y | G(z, y)), D maximises L_S + L_C and G maximises
    L_C − L_S; losses are in nats. If D = ½ and the classifier is always right, the losses are
    2 log 2 for D and log 2 for G; a random classifier adds 2 log(classes) and log(classes).

    The inverse is the brute-force encoder of Dong, Neekhara, Wu and Guo 2017 (arXiv:1701.02676): it
    minimises E_{z, y} |z − I(G(z, y))|² / latent_dim. It is given no class, so z holds the content
    that classes share, and G(I(x), y) is x translated to class y, or to domain y if labels are
    domains. It never sees a real image, so real images may have codes that mean nothing.

    Networks: generator (z, y) → x, discriminator x → (logit, logits of the classes), inverse x → z.
    Players: discriminator; generator; inverse. They move together, from one forward pass.

    Deviations: G minimises the non-saturating −log P(real | G(z, y)). Classes of generated images
    are those of the batch. The inverse learns beside G, in Dong et al. after it, and D there learns
    no classes of generated images. It is not called an encoder because decoding needs a class too.

    Args:
        classes: number of classes, 2 or more; labels are 0 to `classes` − 1.
        joint: weight of the inverse's loss in the generator's; 0 is the paper's generator.
        shared: whether classes share all of the generator but a last linear layer, so that a code
            is the same content in each: for domains; classes of other shapes need the whole of it.
    """

    inputs = ("x", "y", "z")
    schedule = (("discriminator", "generator", "inverse"),)
    scores = {"score_x": ("discriminator", "x", 0)}
    averaged = ("generator", "inverse")

    def __init__(self, image_shape, classes: int, joint: float = 0.0, shared: bool = False, **game):
        self.shared = shared
        self.classes = checked("classes", classes, classes >= 2, "2 or more")
        self.joint = not_negative("joint", joint)
        super().__init__(image_shape, **game)

    def build_networks(self, draw):
        self.generator = draw.class_generator(self.classes, self.shared)
        self.discriminator = draw.class_discriminator(self.classes)
        self.inverse = draw.encoder()

    @classmethod
    def default_optimizer(cls, player, network):
        # As in the code of Dong et al.; on points as in the toy of ALI's authors.
        return adam(1e-4, beta_1=0.8) if network == "mixture" else adam(2e-4)

    def play(self, x, y, z):
        image = self.generator([z, y])
        real, real_class = self.discriminator(x)
        fake, fake_class = self.discriminator(image)
        asked = class_error(fake_class, y)
        error = squared_error(z, self.inverse(image)) / math.prod(self.code_shape)
        return {
            "discriminator": accepted(real) + rejected(fake) + class_error(real_class, y) + asked,
            "generator": accepted(fake) + asked + self.joint * error,
            "inverse": error,
        }

    def decode(self, z, y=None):
        """Images of codes z (n, *code_shape) and classes y, one for all or (n,) → (n, ...).

        Without y the classes take turns: row i has class i modulo `classes`.

        Raises:
            ValueError: y is no class, or there is another number of labels.
        """
        z = ops.convert_to_tensor(z)
        ranges.check_labels(self, y, z.shape[0])
        n = ops.shape(z)[0]
        y = ops.arange(n) % self.classes if y is None else y
        y = ops.broadcast_to(ops.cast(y, "int32"), (n,))
        return self.infer("generator", [z, y])

    def invert(self, x):
        """Codes of images, for any class. (n, ...) → (n, *code_shape)."""
        return self.infer("inverse", ranges.examples(self, x))

    def translate(self, x, y):
        """Images of the codes of x and classes y, one for all or (n,). (n, ...) → (n, ...)."""
        return self.decode(self.invert(x), y)

    def signatures(self):
        images, asked = {"images": "images"}, {"labels": "labels"}
        return super().signatures() | {
            "decode": Signature(self.decode, {"codes": "codes", **asked}, images, files=True),
            "sample": Signature(self.decode, {"seeds": "prior", **asked}, images),
            "translate": Signature(self.translate, images | asked, images),
        }
