"""WGAN: a generator against a critic that estimates the Wasserstein distance to the data."""

from keras import ops
from keras.layers import BatchNormalization

from zoo.game import Game
from zoo.priors import draw as drawn
from zoo.priors import uniform
from zoo.training.declarations import checked
from zoo.training.declarations import not_negative
from zoo.training.gradients import gradient_penalty
from zoo.training.optimizers import adam


class WGAN(Game):
    """Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028), or clipping.

    The Wasserstein-1 distance of two laws is the largest E_x f(x) − E_z f(G(z)) over all functions
    f of slope 1 or less. The critic f maximises E_x f(x) − E_z f(G(z)) − λ E (|∇f(y)|₂ − 1)², with
    y = εx + (1 − ε)G(z) and one ε ~ U(0, 1) for each example; G minimises −E_z f(G(z)). With `clip`
    = c the slope is bounded as in WGAN (Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875): there
    is no penalty, and every weight of the critic is cut to [−c, c] after each of its steps.

    `distance` in the logs is the estimate E_x f(x) − E_z f(G(z)), in units of |x|₂, taken in the
    generator's phase: on examples that the critic did not move on in this step, but has seen in
    earlier epochs. With the penalty its optimum is a little above the distance: two points at
    distance δ give δ (1 + δ / 2λ). With clipping it is at most K times the distance, with K the
    largest slope that the clipped critic can have.

    Networks: generator z → x, critic x → score, without batch norm.
    Players: critic; generator. The critic moves in `critic_steps` phases and the generator in the
    last one, each on examples of its own.

    Deviations: Adam has beta_1 ½, as in the authors' code for MNIST and for points; the paper says
    0. It is the optimizer of clipping too, although that paper has RMSProp with rate 5e-5. The
    networks are ours.

    Args:
        penalty: λ, the weight of the penalty. The authors' code has 0.1 for points.
        clip: c, the largest weight of the critic, such as 0.01, in place of the penalty; 0 for the
            penalty. One of the two must be above 0.
        critic_steps: steps of the critic for each step of the generator.
    """

    schedule = (("critic",), ("generator",))
    fresh_batches = True
    reported = ("distance",)
    scores = {"score_x": ("critic", "x")}

    def __init__(
        self, image_shape, penalty: float = 10.0, clip: float = 0.0, critic_steps: int = 5, **game
    ):
        self.penalty = not_negative("penalty", penalty)
        self.clip = checked("clip", clip, clip >= 0, "0 (for the penalty) or more")
        self.critic_steps = checked("critic_steps", critic_steps, critic_steps >= 1, "1 or more")
        checked("penalty", penalty, penalty > 0 or clip > 0, "above 0, if clip is 0")
        super().__init__(image_shape, **game)
        mixes = any(
            isinstance(layer, BatchNormalization) for layer in self.critic._flatten_layers()
        )
        checked("critic", self.critic, clip or not mixes, "without batch norm, if it has a penalty")
        for variable in self.critic.trainable_variables if clip else ():
            # Optimizers apply it after every step.
            variable.constraint = lambda weight: ops.clip(weight, -clip, clip)

    @classmethod
    def schedule_for(cls, critic_steps=5, **others):
        return (("critic",),) * critic_steps + (("generator",),)

    def build_networks(self, draw):
        self.generator = draw.generator()
        self.critic = draw.critic()

    @classmethod
    def default_optimizer(cls, player, network):
        return adam(1e-4, beta_1=0.5, beta_2=0.9)

    def play(self, x, z):
        fake = self.generator(z)
        on_fake = ops.mean(self.critic(fake))
        distance = ops.mean(self.critic(x)) - on_fake
        penalty = 0.0 if self.clip else self.penalty * self.steepness(x, fake)
        return {"critic": penalty - distance, "generator": -on_fake, "distance": distance}

    def steepness(self, x, fake):
        """Mean of (|∇f|₂ − 1)² on lines between examples and samples, (n, *image_shape) twice."""
        # `drawn` gives every replica numbers of its own.
        one = (1,) * len(self.image_shape)
        share = (1 + drawn(uniform, ops.shape(x)[0], one, self.seed_generator)) / 2
        return gradient_penalty(self.critic, share * x + (1 - share) * fake)
