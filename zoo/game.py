"""`Game`: networks, players and a schedule, which Keras' `fit` can play."""

import functools

import keras
from keras import ops

from zoo import inference
from zoo import keras_settings
from zoo import networks
from zoo import scores
from zoo import signatures
from zoo.noised import NoisedPixels
from zoo.priors import PRIORS
from zoo.priors import code_shape
from zoo.priors import draw
from zoo.priors import normal
from zoo.training import averages
from zoo.training import declarations
from zoo.training import keras_methods
from zoo.training import optimizers
from zoo.training import ranges
from zoo.training import steps


class Game(keras.Model):
    """An adversarial game.

    A method declares the additions of its paper to this class and nothing else: `players`,
    `schedule`, and the methods `build_networks` and `play`. A *player* owns networks and has one
    loss and one optimizer. The *schedule* is a tuple of phases; the players of a phase move
    together, from one forward pass. Three things follow without code: a player's loss is
    differentiated with respect to its own networks only, so no method writes stop-gradients; a
    network may belong to two players, each with its own optimizer; a network that belongs to none
    is frozen.

    Constructor arguments are plain values kept under their own names. They are the configuration
    of a checkpoint and the flags of the trainer; weights depend on nothing else.

    Args:
        image_shape: shape of one example: (height, width, channels) of an image in [-1, 1], or
            (features,) of a point.
        latent_dim: length of a code z; from Python also its shape (height, width, channels), for
            which the caller gives all networks: see `own`.
        network: the set of networks, one of `zoo.networks.BACKBONES`.
        width: units of the smallest layer of that set; every other layer is a multiple.
        prior: distribution of the codes, "normal" N(0, I), "uniform" on [-1, 1]^latent_dim, or
            "mixture", ten Gaussians around a ring in the plane (latent_dim 2).
        ema: decay per step of an exponential moving average of the networks in `averaged`;
            when it is above 0, `encode`, `decode` and everything built on them use the average.
            The first steps use a smaller decay, (1 + t) / (10 + t) after step t.
        seed: fixes the initial weights and every draw of noise.
        **own: networks of the caller's own, by their names in `players`, such as
            `encoder=keras.Model(x, z)`, instead of those of the set; see `zoo.networks.own`.

    Raises:
        ValueError: an argument is out of range, the networks cannot take `image_shape`, or a
            network that is given does not fit the method.
    """

    # Player → names of its networks; may be left out if each owns the one network of its own name.
    players: dict = {}
    schedule: tuple = ()
    # The arguments of `play`, in order: z is drawn from the prior, all others are parts of a batch.
    inputs: tuple = ("x", "z")
    # Whether every phase of a step plays on examples of its own, not all on the same ones.
    fresh_batches: bool = False
    # Names of values that `play` returns beside the losses, for the logs; the last phase counts.
    reported: tuple = ()
    # Score → (network, its input[, index of its output]); see `zoo.scores`.
    scores: dict = {}
    # The networks of which `ema` keeps averages: those that make codes and images.
    averaged: tuple = ("encoder", "generator")
    # Networks of no player that a caller may give.
    fixed: tuple = ()
    # Range of every pixel; None if a method makes images without a range.
    image_range: tuple | None = (-1, 1)
    # `zoo.noised.NoisedPixels` of a method whose data have noise in some pixels.
    noised: NoisedPixels | None = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        declarations.check_declaration(cls)
        keras.saving.register_keras_serializable("zoo")(cls)

    def __init__(
        self,
        image_shape: tuple,
        latent_dim: int | tuple = 50,
        network: str = "dcgan",
        width: int = 32,
        prior: str = "normal",
        ema: float = 0.0,
        seed: int = 0,
        **own: keras.Model,
    ):
        # Losses compare x with G(E(x)) in float32; the layers cast to half precision themselves.
        super().__init__(name=type(self).__name__.lower(), autocast=False)
        keras_settings.check_floatx()
        self.image_shape = tuple(int(side) for side in image_shape)
        if isinstance(latent_dim, list | tuple):  # a list when it comes from JSON
            latent_dim = tuple(int(side) for side in latent_dim)
        self.latent_dim = latent_dim
        self.network, self.width = network, width
        self.prior, self.ema, self.seed = prior, ema, seed
        declarations.check_arguments(self)
        arguments = declarations.arguments_of(self)
        self.schedule = self.schedule_for(**arguments)
        self.batches_per_step = self.batches_for(**arguments)
        self.seed_generator = keras.random.SeedGenerator(seed)
        logged = (*self.players, *self.reported, "loss")
        self.trackers = [keras.metrics.Mean(name=name) for name in logged]
        networks.own.check_names(self, own)
        self.own = tuple(own)
        networks.create(self, own)
        scores.check(self)
        self.averages = averages.create(self) if self.ema else {}
        self.built = True

    # Declared by a method.

    @classmethod
    def schedule_for(cls, **arguments) -> tuple:
        """The schedule of a game with these constructor arguments, if one of them changes it."""
        return cls.schedule

    @classmethod
    def batches_for(cls, **arguments) -> int:
        """Batches that a step of such a game takes: one for each phase if `fresh_batches`, or 1."""
        return len(cls.schedule_for(**arguments)) if cls.fresh_batches else 1

    def build_networks(self, draw) -> None:
        """Create the networks as attributes, with the builders of `draw` (see `zoo.networks`)."""
        raise NotImplementedError(f"{type(self).__name__} does not define build_networks")

    def play(self, x, z) -> dict:
        """One round. x (n, *image_shape) in [-1, 1], z (n, *code_shape) from the prior.

        A method that takes other arguments names them in `inputs`, such as ("x", "y", "z") with
        labels y (n,), or ("a", "b") with images of two domains.

        Returns:
            player → loss, float32 scalars in nats unless the method says otherwise, or a function
            that computes one, called in its player's phase alone; and name in `reported` → scalar.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define play")

    @classmethod
    def default_optimizer(cls, player: str, network: str) -> functools.partial:
        """The optimizer of `player`, for `compile()` and for the recipe in `trainers`.

        Adam 2e-4 with beta_1 0.5, unless the method says otherwise. A recipe may also lower the
        rate and add weight decay, which depend on the length of a run.

        Args:
            player: one of `players`.
            network: the set of networks.

        Returns:
            A partial of a Keras optimizer with `learning_rate` among its keywords; it takes others.
        """
        return optimizers.adam(2e-4)

    @property
    def code_shape(self) -> tuple:
        """Shape of one code: (latent_dim,), or (height, width, channels)."""
        return code_shape(self.latent_dim)

    # Use of a trained game. Inference mode: batch norm uses its moving statistics.

    @property
    def has_encoder(self) -> bool:
        """Whether `encode`, `features` and `reconstruct` exist for this method."""
        return hasattr(self, "encoder")

    @property
    def has_generator(self) -> bool:
        """Whether `decode` exists for this method."""
        return hasattr(self, "generator")

    def encode(self, x):
        """Codes of images, (n, ...) → (n, *code_shape); the mean if the encoder is stochastic."""
        code = self.infer("encoder", self.encoder_inputs(ranges.examples(self, x)))
        return code[0] if isinstance(code, (list, tuple)) else code

    def posterior(self, x):
        """q(z|x) of a Gaussian encoder: (mean, log variance), each (n, *code_shape)."""
        declarations.check_gaussian(self)
        return self.infer("encoder", ranges.examples(self, x))

    def decode(self, z):
        """Images of codes. (n, *code_shape) → (n, *image_shape)."""
        return self.infer("generator", z)

    def reconstruct(self, x):
        """decode(encode(x))."""
        return self.decode(self.encode(x))

    def features(self, x):
        """The encoder's last hidden layer, flattened. (n, ...) → (n, features)."""
        inputs = self.encoder_inputs(ranges.examples(self, x))
        hidden = self.infer("encoder", inputs, scores.features)
        return ops.reshape(hidden, (ops.shape(x)[0], -1))

    def encoder_inputs(self, x):
        """The encoder's inputs in `encode` and `features`: x, unless it takes more."""
        return x

    def prior_codes(self, n: int, seed: int):
        """n draws from the prior, the same for the same seed; training noise is not disturbed."""
        return PRIORS[self.prior]((n, *self.code_shape), seed=seed)

    def observed(self, x, seed: int):
        """Examples from this game's data distribution: x, with fresh noise if it is `noised`."""
        return self.noised.observe(x, seed) if self.noised else x

    def signatures(self) -> dict:
        """Name → `zoo.signatures.Signature` of every function to export.

        A method that has more overrides it: `return super().signatures() | {"translate": ...}`.
        """
        return signatures.of(self)

    # Noise during training.

    def noise(self, n):
        """n fresh draws from the prior. (n, *code_shape)."""
        return draw(PRIORS[self.prior], n, self.code_shape, self.seed_generator)

    def normal_noise(self, n):
        """n fresh standard normal codes, for reparametrised draws. (n, *code_shape)."""
        return draw(normal, n, self.code_shape, self.seed_generator)

    # Methods of Keras for users, and those by which it saves games.

    compile, compile_from_config = keras_methods.compile, keras_methods.compile_from_config
    evaluate, predict = keras_methods.evaluate, keras_methods.predict
    export, make_train_function = keras_methods.export, keras_methods.make_train_function
    get_config, from_config = keras_methods.get_config, classmethod(keras_methods.from_config)
    save_own_variables = keras_methods.save_own_variables
    load_own_variables = keras_methods.load_own_variables
    from_preset = classmethod(keras_methods.from_preset)
    save_to_preset = keras_methods.save_to_preset

    def fit(self, x=None, y=None, *arguments, **named):
        """`keras.Model.fit` on images: NumPy arrays x, or x and y, or a tf.data.Dataset of either.

        Labels y, (n,) or (n, 1), are ignored unless the method's `inputs` name them.

        Raises:
            ValueError: x has pixels of whole numbers, or far outside [-1, 1]; y has labels that are
                no classes; or examples have weights. Of a stream the first batch is looked at.
        """
        ranges.check_first(self, x, y, **named)
        return super().fit(x, y, *arguments, **named)

    # One step.

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # A game is built when it is made. Under tf.distribute Keras would reduce a batch for this,
        # which it cannot do with several parts on several workers.
        pass

    def variables_of(self, player: str) -> list:
        """The trainable variables of every network that `player` owns."""
        return [v for net in self.players[player] for v in getattr(self, net).trainable_variables]

    def call(self, round, training=None, playing=()):
        # Images alone are reconstructed, for `predict` and `export`.
        if not isinstance(round, (tuple, list)):
            return self.reconstruct(round)
        # Networks called inside take `training` from this call, so no method has to pass it on.
        return steps.computed(self, self.play(*round), playing)

    # Every phase of the schedule once; running mean of each loss, and of their sum. The players of
    # a phase share its forward pass, and all their gradients are taken before the first of them
    # moves. `test_step`: the losses of one batch in inference mode.
    train_step, test_step = steps.train_step, steps.test_step

    @property
    def metrics(self):
        return self.trackers

    def named_networks(self) -> dict:
        """Attribute name → network, in the order they were built (averages left out)."""
        return {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, keras.Model) and not name.startswith("average_")
        }

    def infer(self, name: str, inputs, part=inference.itself):
        """Outputs of the trained network `name`, or of its average: see `zoo.inference.apply`."""
        if not hasattr(self, name):
            others = declarations.methods_with(name)
            raise ValueError(
                f"{type(self).__name__} has no {name}; methods that have one: {others}"
            )
        network = averages.in_use(self, name)
        return inference.apply(network, inputs, part, eager=self.run_eagerly)
