"""What a Keras user calls on a game: `compile`, `fit`, `evaluate`, `predict` and more.

`Fitting` is a base of `zoo.Game`; players, networks and the training step are declared there.
"""

import functools

import keras
from keras import ops

from zoo.training import ranges
from zoo.training import steps
from zoo.training.optimizers import PlayerOptimizers
from zoo.training.optimizers import adam


class Fitting(keras.Model):
    """The methods of `keras.Model`, given the meaning that they have for a game."""

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
        return adam(2e-4)

    def optimizers_of(self, optimizer) -> dict:
        """player → optimizer, of what `compile` is given: nothing, a name, one, or one for each."""
        if optimizer is None:
            return {p: self.default_optimizer(p, self.network)(name=p) for p in self.players}
        if isinstance(optimizer, str):
            optimizer = keras.optimizers.get(optimizer)
        if isinstance(optimizer, keras.optimizers.Optimizer):
            config = optimizer.get_config()
            return {p: type(optimizer).from_config({**config, "name": p}) for p in self.players}
        return optimizer

    def compile(self, optimizer=None, l2: float = 0.0, **kwargs) -> None:
        """Give every player its optimizer.

        Args:
            optimizer: of every player: a name such as "adam" or a Keras optimizer, of which each
                gets one of its own; or player → Keras optimizer (or a `PlayerOptimizers`). None
                for `default_optimizer`, the recipe's.
            l2: see `PlayerOptimizers`.
            **kwargs: of `keras.Model.compile`, such as `jit_compile` (which JAX always does) and
                `steps_per_execution`.

        Raises:
            ValueError: a player has no optimizer, or an optimizer no player.
        """
        if not isinstance(optimizer, PlayerOptimizers):
            optimizer = PlayerOptimizers(self.optimizers_of(optimizer), l2)
        if set(optimizer.by_player) != set(self.players):
            raise ValueError(
                f"{type(self).__name__} needs one optimizer for each player "
                f"{sorted(self.players)}; got {sorted(optimizer.by_player)}"
            )
        # A loss scaler would hide the players; bfloat16, unlike float16, needs none.
        kwargs["auto_scale_loss"] = False
        super().compile(optimizer=optimizer, **kwargs)
        steps.choose_compiler(self)
        optimizer.build({player: self.variables_of(player) for player in self.players})

    def compile_from_config(self, config):
        config = {key: value for key, value in config.items() if value is not None}
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(self, x=None, *arguments, **named):
        """`keras.Model.fit` on images: NumPy arrays x, or x and y, or a tf.data.Dataset of either.

        Labels y are ignored unless the method's `inputs` name them.

        Raises:
            ValueError: x has pixels of whole numbers, or far outside [-1, 1]. The values of a
                generator, and of a stream without end, are not read before they are needed.
        """
        ranges.check_first(self, x)
        return super().fit(x, *arguments, **named)

    def evaluate(self, x=None, *arguments, **named):
        """The losses of `play` on x, in inference mode: nothing is updated but their means.

        The noise is that of a new game of this seed: the same weights give the same losses, and
        the noise of training goes on as if nothing had been evaluated.

        Returns:
            The losses in the order of `metrics_names`, or by name if `return_dict=True`.

        Raises:
            ValueError: as `fit` does.
        """
        ranges.check_first(self, x)
        state = self.seed_generator.state
        before = ops.convert_to_numpy(state)
        state.assign(ops.cast(keras.random.SeedGenerator(self.seed).state, state.dtype))
        try:
            return super().evaluate(x, *arguments, **named)
        finally:
            state.assign(before)

    def predict(self, x, *arguments, **named):
        """`reconstruct` of images, in batches, as a NumPy array.

        Raises:
            ValueError: as `fit` does; or the method has no encoder.
        """
        self.check_reconstructs("predict")
        ranges.check_first(self, x)
        return super().predict(x, *arguments, **named)

    def test_step(self, *arguments):
        """The losses of one batch. On JAX with the state first, and the new state as a result."""
        if keras.backend.backend() != "jax":
            return self._evaluated(arguments[0])
        # Weights, other variables (the random state among them), and metrics, as Keras has them.
        kinds = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        (state, data) = arguments
        values = [p for kind in zip(kinds, state, strict=True) for p in zip(*kind, strict=True)]
        with keras.StatelessScope(values) as scope:
            logs = self._evaluated(data)
        return logs, tuple([scope.get_current_value(v) for v in kind] for kind in kinds)

    def _evaluated(self, data):
        losses = self(self.deal(steps.parts_of(self, data)), training=False)
        for tracker in self.trackers:
            loss = losses.get(tracker.name)
            tracker.update_state(sum(losses.values()) if loss is None else loss)
        results = {tracker.name: tracker.result() for tracker in self.trackers}
        if type(getattr(self, "distribute_strategy", None)).__name__.startswith("MultiWorker"):
            # Keras concatenates the logs of workers, which scalars do not allow.
            return {name: ops.reshape(value, (1,)) for name, value in results.items()}
        return results

    def export(self, filepath, *arguments, **named):
        """`keras.Model.export` of `reconstruct`, for any number of float32 images.

        `python -m export` writes a SavedModel with encode, decode and the rest.

        Raises:
            ValueError: the method has no encoder.
        """
        self.check_reconstructs("export")
        named.setdefault("input_signature", [keras.InputSpec("float32", (None, *self.image_shape))])
        return super().export(filepath, *arguments, **named)

    def check_reconstructs(self, what: str) -> None:
        """Raises ValueError, naming what else there is, if the method has no encoder."""
        if not self.has_encoder:
            raise ValueError(
                f"{type(self).__name__} has no encoder, so there is nothing to {what}: {what} is "
                "decode(encode(x)). Images are made by game.decode(game.prior_codes(n, seed))"
            )

    @classmethod
    def from_preset(cls, source: str, sha256: str = ""):
        """`zoo.load`, for a game of this class.

        Raises:
            ValueError: what is there is a game of another class, or as `zoo.load` does.
        """
        import zoo

        game = zoo.load(source, sha256)
        if not isinstance(game, cls):
            found = type(game).__name__
            raise ValueError(
                f"{source!r} is a game of class {found}, not {cls.__name__}; "
                f"zoo.{found}.from_preset({source!r}) or zoo.load({source!r}) reads it"
            )
        return game

    def save_to_preset(self, directory: str, precision: str = "float16", **about) -> None:
        """`zoo.save_preset` of this game."""
        import zoo

        zoo.save_preset(self, directory, precision, **about)
