"""`Game`: networks, players and a schedule, which Keras' `fit` can play."""

import inspect
import random

import keras
from keras import ops

from zoo import averages
from zoo import fitting
from zoo import networks
from zoo import ranges
from zoo import scores
from zoo import steps
from zoo.declarations import check_declaration
from zoo.declarations import checked
from zoo.declarations import methods_with
from zoo.priors import PLANAR
from zoo.priors import PRIORS
from zoo.priors import draw
from zoo.priors import normal


class Game(fitting.Fitting):
    """An adversarial game.

    A method declares what its paper adds to this class and nothing else: `players`, `schedule`,
    and the two methods `build_networks` and `play`. A *player* owns networks and has one loss and
    one optimizer. The *schedule* is a tuple of phases; the players of a phase move together, from
    one forward pass. Three things follow without code: a player's loss is differentiated with
    respect to its own networks only, so no method writes stop-gradients; a network may belong to
    two players, each with its own optimizer; a network that belongs to none is frozen.

    Constructor arguments are plain values kept under their own names. They are the configuration
    of a checkpoint and the flags of the trainer; weights depend on nothing else.

    Args:
        image_shape: shape of one example: (height, width, channels) of an image in [-1, 1], or
            (features,) of a point.
        latent_dim: length of a code z.
        network: the set of networks, one of `zoo.networks.BACKBONES`.
        width: units of the smallest layer of that set; every other layer is a multiple.
        prior: law of the codes, "normal" N(0, I), "uniform" on [-1, 1]^latent_dim, or "mixture",
            ten Gaussians around a ring in the plane (latent_dim 2).
        ema: decay per step of an exponential moving average of the encoder and the generator;
            when it is above 0, `encode`, `decode` and everything built on them use the average.
            The first steps use a smaller decay, (1 + t) / (10 + t) after step t.
        seed: fixes the initial weights and every draw of noise.

    Raises:
        ValueError: an argument is out of range, or the networks cannot take `image_shape`.
    """

    players: dict = {}
    schedule: tuple = ()
    # The arguments of `play`, in order: z is drawn from the prior, all others are parts of a batch.
    inputs: tuple = ("x", "z")
    # Whether every phase of a step plays on examples of its own. Two phases of a discriminator to
    # one of a generator would otherwise show it the same examples twice.
    fresh_batches: bool = False
    # Batches that one training step takes: one for each phase if `fresh_batches`, else one.
    batches_per_step: int = 1
    # Score → (network, what it is given[, which of its outputs]); see `zoo.scores`.
    scores: dict = {}
    # Of every pixel of an image; None where a method makes images without a range.
    image_range: tuple | None = (-1, 1)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        check_declaration(cls)
        cls.batches_per_step = len(cls.schedule) if cls.fresh_batches else 1
        keras.saving.register_keras_serializable("zoo")(cls)

    def __init__(
        self,
        image_shape: tuple,
        latent_dim: int = 50,
        network: str = "dcgan",
        width: int = 32,
        prior: str = "normal",
        ema: float = 0.0,
        seed: int = 0,
    ):
        # Losses compare x with G(E(x)) in float32; the layers cast to half precision themselves.
        super().__init__(name=type(self).__name__.lower(), autocast=False)
        self.image_shape = tuple(int(side) for side in image_shape)
        self.latent_dim = checked("latent_dim", latent_dim, latent_dim >= 1, "1 or more")
        self.network = checked(
            "network",
            network,
            network in networks.BACKBONES,
            f"one of {', '.join(networks.BACKBONES)}",
        )
        self.width = checked("width", width, width >= 1, "1 or more")
        self.prior = checked("prior", prior, prior in PRIORS, f"one of {', '.join(PRIORS)}")
        checked("latent_dim", latent_dim, prior not in PLANAR or latent_dim == 2, f"2 for {prior}")
        self.ema = checked("ema", ema, 0 <= ema < 1, "0 (off) or between 0 and 1, such as 0.999")
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.trackers = [keras.metrics.Mean(name=name) for name in (*self.players, "loss")]
        self._create_networks()
        self.built = True

    # What a method declares.

    def build_networks(self, draw) -> None:
        """Create the networks as attributes, with the builders of `draw` (see `zoo.networks`)."""
        raise NotImplementedError(f"{type(self).__name__} does not define build_networks")

    def play(self, x, z) -> dict:
        """One round. x (n, *image_shape) in [-1, 1], z (n, latent_dim) from the prior.

        A method that takes other arguments names them in `inputs`, such as ("x", "y", "z") with
        labels y (n,), or ("a", "b") with images of two domains.

        Returns:
            player → loss, float32 scalars in nats unless the method says otherwise.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define play")

    # What a trained game does. Inference mode: batch norm uses its moving statistics.

    @property
    def has_encoder(self) -> bool:
        """Whether `encode`, `features` and `reconstruct` exist for this method."""
        return hasattr(self, "encoder")

    def encode(self, x):
        """Codes of images; the mean where the encoder is stochastic. (n, ...) → (n, latent_dim)."""
        encoder = self._trained("encoder")
        ranges.check(self, x)
        code = encoder(self.encoder_inputs(x), training=False)
        return code[0] if isinstance(code, (list, tuple)) else code

    def decode(self, z):
        """Images of codes. (n, latent_dim) → (n, *image_shape)."""
        return self._trained("generator")(z, training=False)

    def reconstruct(self, x):
        """decode(encode(x))."""
        return self.decode(self.encode(x))

    def features(self, x):
        """The encoder's last hidden layer, flattened. (n, ...) → (n, features)."""
        encoder = self._trained("encoder")
        hidden = keras.Model(encoder.input, encoder.get_layer("features").output)
        inputs = self.encoder_inputs(x)
        return ops.reshape(hidden(inputs, training=False), (ops.shape(x)[0], -1))

    def encoder_inputs(self, x):
        """What `encode` and `features` give to the encoder for x: x, unless it takes more."""
        return x

    def prior_codes(self, n: int, seed: int):
        """n draws from the prior, the same for the same seed; training noise is not disturbed."""
        return PRIORS[self.prior]((n, self.latent_dim), seed=seed)

    def observed(self, x, seed: int):
        """Examples as this game's data law has them: x itself, unless the method changes data."""
        return x

    # What a phase of a training step plays on.

    def share(self, batch: tuple, phase: int) -> tuple:
        """The part of `batch` that phase number `phase` of a step plays on.

        Every k-th example for k = `batches_per_step`, so that the replicas of a distributed step,
        each of which holds a stretch of the global batch, have even shares of every phase.
        """
        k = self.batches_per_step
        if k == 1:
            return batch
        if batch[0].shape[0] is not None and batch[0].shape[0] % k:
            raise ValueError(
                f"batch size of {type(self).__name__} must be a multiple of {k}, its "
                f"batches_per_step; got {batch[0].shape[0]}"
            )
        return tuple(part[phase::k] for part in batch)

    def deal(self, batch: tuple) -> tuple:
        """The arguments of `play` for the parts of one batch: noise is drawn where it stands."""
        parts, n = iter(batch), ops.shape(batch[0])[0]
        return tuple(self.noise(n) if name == "z" else next(parts) for name in self.inputs)

    # Noise during training.

    def noise(self, n):
        """n fresh draws from the prior. (n, latent_dim)."""
        return draw(PRIORS[self.prior], n, self.latent_dim, self.seed_generator)

    def normal_noise(self, n):
        """n fresh standard normal codes, for reparametrised draws. (n, latent_dim)."""
        return draw(normal, n, self.latent_dim, self.seed_generator)

    # Training.

    def variables_of(self, player: str) -> list:
        """The trainable variables of every network that `player` owns."""
        return [v for net in self.players[player] for v in getattr(self, net).trainable_variables]

    def call(self, round, training=None):
        # Images alone are reconstructed, for `predict` and `export`.
        if not isinstance(round, (tuple, list)):
            return self.reconstruct(round)
        # Networks called inside take `training` from this call, so no method has to pass it on.
        return self.play(*round)

    def train_step(self, *arguments):
        """Play every phase of the schedule once; running mean of each loss, and of their sum.

        The players of a phase share its forward pass, and all their gradients are taken before
        the first of them moves. See `zoo.steps` for what TensorFlow and JAX pass and return.
        """
        return steps.take(self, *arguments)

    @property
    def metrics(self):
        return self.trackers

    # Averages of the weights.

    def _create_networks(self):
        # Initializers take their seeds from `random`: lend it ours, then put its own back.
        state = random.getstate()
        random.seed(self.seed)
        try:
            self.build_networks(networks.Backbone(self))
        finally:
            random.setstate(state)
        owned = {net for nets in self.players.values() for net in nets}
        for name, net in self.named_networks().items():
            net.trainable = name in owned
        missing = owned - set(self.named_networks())
        if missing:
            raise ValueError(f"{type(self).__name__} built no network called {sorted(missing)}")
        scores.check(self)
        self.averages = averages.create(self) if self.ema else {}

    def named_networks(self) -> dict:
        """Attribute name → network, in the order they were built (averages left out)."""
        return {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, keras.Model) and not name.startswith("average_")
        }

    def _trained(self, name):
        if not hasattr(self, name):
            raise ValueError(
                f"{type(self).__name__} has no {name}; methods that have one: {methods_with(name)}"
            )
        return self.averages.get(name) or getattr(self, name)

    # Saving: Keras writes class, constructor arguments, weights and optimizers.

    def get_config(self):
        names = [
            name
            for c in type(self).__mro__
            if issubclass(c, Game)
            for name in inspect.signature(c.__init__).parameters
        ]
        return {n: getattr(self, n) for n in dict.fromkeys(names) if n not in ("self", "game")}

    def save_own_variables(self, store):
        super().save_own_variables(store)
        # Not among the weights; without it a resumed run draws other noise.
        store["noise"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store):
        self.seed_generator.state.assign(store["noise"])
        super().load_own_variables({key: store[key] for key in store.keys() if key != "noise"})
