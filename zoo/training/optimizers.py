"""One optimizer per player, which Keras sees as one; and the learning-rate plan of BiGAN."""

import functools

import keras
from keras import ops


def adam(learning_rate: float, beta_1: float = 0.5, epsilon: float = 1e-8, **settings):
    """Adam with the settings of GAN authors, for `Game.default_optimizer`: a partial of the class.

    `epsilon` is the default of TensorFlow 1, Torch and Lasagne, which they used; Keras has 1e-7.
    """
    return functools.partial(
        keras.optimizers.Adam,
        learning_rate=learning_rate,
        beta_1=beta_1,
        epsilon=epsilon,
        **settings,
    )


@keras.saving.register_keras_serializable("zoo")
class HoldThenDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate held for a while, then falling exponentially to 1 % of itself.

    The plan of BiGAN's authors (200 epochs of each). The last value is kept afterwards.

    Args:
        rate: learning rate at first.
        hold_steps: updates of the optimizer at `rate`.
        decay_steps: updates of the fall, 1 or more.
    """

    def __init__(self, rate: float, hold_steps: int, decay_steps: int):
        self.rate, self.hold_steps, self.decay_steps = rate, hold_steps, decay_steps

    def __call__(self, step):
        fallen = (ops.cast(step, "float32") - self.hold_steps) / self.decay_steps
        return self.rate * ops.power(0.01, ops.clip(fallen, 0.0, 1.0))

    def get_config(self) -> dict:
        return {"rate": self.rate, "hold_steps": self.hold_steps, "decay_steps": self.decay_steps}


@keras.saving.register_keras_serializable("zoo")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """The optimizers of a game's players.

    Keras knows models with one optimizer: a plain dictionary of them is neither saved nor rebuilt
    by `load_model`. This class is that one optimizer; it holds the others and steps none itself.
    Its `iterations` counts training steps, for any schedule within one.

    Args:
        optimizers: player → Keras optimizer.
        l2: coefficient of the gradient l2 · w added to every weight of two or more dimensions
            before the optimizer sees it, as the authors of DCGAN and BiGAN do. This is not
            AdamW's decay, which bypasses Adam's normalisation.
    """

    def __init__(self, optimizers: dict, l2: float = 0.0, name: str = "players"):
        super().__init__(learning_rate=0.0, name=name)
        self.by_player = dict(optimizers)
        self.l2 = l2

    def build(self, variables: dict) -> None:
        """Create the slots of every player's optimizer. `variables`: player → variables."""
        super().build([])
        for player, optimizer in self.by_player.items():
            optimizer.build(variables[player])

    def step(self, player: str, gradients: list, variables: list, replicas: int = 1) -> None:
        """Move `variables` by one step of the optimizer of `player`.

        Args:
            replicas: number of replicas whose `gradients` that optimizer adds up.
        """
        if self.l2:
            l2 = self.l2 / replicas
            gradients = [
                g + l2 * ops.cast(v, g.dtype) if len(v.shape) > 1 else g
                for g, v in zip(gradients, variables, strict=True)
            ]
        self.by_player[player].apply(gradients, variables)

    @property
    def learning_rate(self):
        return keras.optimizers.Optimizer.learning_rate.fget(self)

    @learning_rate.setter
    def learning_rate(self, value):
        raise AttributeError(
            "every player has a learning rate of its own; set "
            f"game.optimizer.by_player[player].learning_rate, of {', '.join(self.by_player)}"
        )

    def finalize_variable_values(self, var_list) -> None:
        """At the end of `fit`, put the averages of optimizers with `use_ema` into the weights."""
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    @property
    def optimizers(self) -> list:
        """The players' optimizers, which Keras' callbacks read for learning rates."""
        return list(self.by_player.values())

    @property
    def variables(self) -> list:
        own = super().variables
        return list(own) + [v for o in self.by_player.values() for v in o.variables]

    # Keras saves the optimizers in `by_player` by itself; only the count of steps is ours.

    def save_own_variables(self, store) -> None:
        store["iterations"] = ops.convert_to_numpy(self.iterations)

    def load_own_variables(self, store) -> None:
        self.iterations.assign(store["iterations"])

    def get_config(self) -> dict:
        serialize = keras.saving.serialize_keras_object
        return {
            "optimizers": {player: serialize(o) for player, o in self.by_player.items()},
            "l2": self.l2,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        revive = keras.saving.deserialize_keras_object
        optimizers = {
            player: o if isinstance(o, keras.optimizers.Optimizer) else revive(o)
            for player, o in config["optimizers"].items()
        }
        return cls(**{**config, "optimizers": optimizers})


def of_players(game, optimizer, l2: float = 0.0) -> PlayerOptimizers:
    """The argument of `Game.compile` as one optimizer for each player of `game`.

    Args:
        optimizer: None for `game.default_optimizer`; a name or one Keras optimizer, of which every
            player gets a copy; player → name or Keras optimizer; or a `PlayerOptimizers`.
        l2: see `PlayerOptimizers`.

    Raises:
        ValueError: a player has no optimizer, or an optimizer no player, or two players share one;
            or `l2` is given beside a `PlayerOptimizers`, which has its own; or an optimizer scales
            losses, which are not scaled here.
    """
    if l2 and isinstance(optimizer, PlayerOptimizers):
        raise ValueError(f"l2 must be given to PlayerOptimizers, not beside it; got l2={l2}")
    if optimizer is None:
        network = game.network
        optimizer = {p: game.default_optimizer(p, network)(name=p) for p in game.players}
    if isinstance(optimizer, str):
        optimizer = keras.optimizers.get(optimizer)
    if not isinstance(optimizer, PlayerOptimizers):
        if isinstance(optimizer, keras.optimizers.Optimizer):
            kind, config = type(optimizer), optimizer.get_config()
            optimizer = {p: kind.from_config({**config, "name": p}) for p in game.players}
        if not isinstance(optimizer, dict):
            raise ValueError(
                "optimizer must be a name, a Keras optimizer, or a dictionary of player → one of "
                f"these; got {optimizer!r}"
            )
        optimizer = {p: keras.optimizers.get(o) for p, o in optimizer.items()}
        optimizer = PlayerOptimizers(optimizer, l2)
    if set(optimizer.by_player) != set(game.players):
        raise ValueError(
            f"{type(game).__name__} needs one optimizer for each player {sorted(game.players)}; "
            f"got {sorted(optimizer.by_player)}"
        )
    scalers = [
        o for o in optimizer.optimizers if isinstance(o, keras.optimizers.LossScaleOptimizer)
    ]
    if scalers:
        raise ValueError(
            "losses of games are not scaled, so a LossScaleOptimizer would only divide gradients; "
            "give the optimizer inside it, and for half precision the policy mixed_bfloat16"
        )
    if len({id(o) for o in optimizer.optimizers}) < len(optimizer.optimizers):
        raise ValueError(
            "every player must have an optimizer of its own; got one object for several. Give it "
            "alone, in place of a dictionary: each player gets a copy"
        )
    return optimizer
