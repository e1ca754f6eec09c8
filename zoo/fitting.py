"""What a Keras user calls on a game: `fit`, `evaluate`, `predict`, `export` and presets.

`Fitting` is a base of `zoo.Game`; players, networks and the training step are declared there.
"""

import keras
import numpy as np
from keras import ops

# Pixels are in [-1, 1]. Noise on images may leave it; images of another scale leave this, too.
LIMIT = 2


class Fitting(keras.Model):
    """The methods of `keras.Model`, given the meaning that they have for a game."""

    def default_optimizer(self, player: str):
        """What `compile()` gives `player`: the optimizer of its recipe, at the first rate.

        Adam 2e-4 with beta_1 0.5, unless the method says otherwise. A recipe may also lower the
        rate and add weight decay, which depend on the length of a run.
        """
        return keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8, name=player)

    def optimizers_of(self, optimizer) -> dict:
        """player → optimizer, of what `compile` is given: nothing, a name, one, or one for each."""
        if optimizer is None:
            return {player: self.default_optimizer(player) for player in self.players}
        if isinstance(optimizer, str):
            optimizer = keras.optimizers.get(optimizer)
        if isinstance(optimizer, keras.optimizers.Optimizer):
            config = optimizer.get_config()
            return {p: type(optimizer).from_config({**config, "name": p}) for p in self.players}
        return optimizer

    def fit(self, x=None, *arguments, **named):
        """`keras.Model.fit` on images: a NumPy array, a tf.data.Dataset, or (x, y) of either.

        A game learns without labels: y is ignored.

        Raises:
            ValueError: x has pixels of whole numbers, or far outside [-1, 1]. The values of a
                generator, and of a stream without end, are not read before they are needed.
        """
        check_examples(self, x)
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
        check_examples(self, x)
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
        check_examples(self, x)
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
        x = ops.convert_to_tensor(examples_of(self, data))
        losses = self((x, self.noise(ops.shape(x)[0])), training=False)
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


def examples_of(game, data):
    """x of a batch that is x, (x, y) or (x, y, weights); its dtype is checked."""
    x = keras.utils.unpack_x_y_sample_weight(data)[0]
    check_dtype(game, x)
    return x


def check_dtype(game, x) -> None:
    """Raises ValueError if the images x are whole numbers. Costs nothing while a graph runs."""
    if not _has_range(game) or not hasattr(x, "dtype"):
        return
    dtype = keras.backend.standardize_dtype(getattr(x.dtype, "name", x.dtype))
    if not dtype.startswith(("float", "bfloat")):
        raise ValueError(_remedy(game, f"are of dtype {dtype}"))


def check_pixels(game, x) -> None:
    """`check_dtype`, and the same for values far outside [-1, 1] if they are there to be read."""
    check_dtype(game, x)
    # Not the placeholders of a graph that is being traced.
    there = isinstance(x, np.ndarray) or type(x).__name__ in ("EagerTensor", "ArrayImpl")
    if not there or not _has_range(game) or not np.prod(x.shape):
        return
    low, high = float(ops.min(x)), float(ops.max(x))
    if low < -LIMIT or high > LIMIT:
        raise ValueError(_remedy(game, f"go from {low:.4g} to {high:.4g}"))


def check_examples(game, x) -> None:
    """`check_pixels` of the first batch of what `fit` takes, as far as reading it costs nothing."""
    if not _has_range(game):
        return
    if hasattr(x, "element_spec"):
        x = _first(game, x)
    if isinstance(x, tuple) and x:
        x = x[0]
    if hasattr(x, "dtype") and hasattr(x, "shape"):
        check_pixels(game, x[:256] if isinstance(x, np.ndarray) else x)


def _first(game, stream):
    """The first batch of a tf.data.Dataset with an end; without one, or distributed, its spec."""
    if hasattr(stream, "cardinality") and int(stream.cardinality()) > 0:
        return next(iter(stream), stream.element_spec)
    return stream.element_spec


def _has_range(game):
    return len(game.image_shape) == 3 and game.image_range is not None


def _remedy(game, found):
    return (
        f"the pixels of x {found}; {type(game).__name__} takes floats in [-1, 1]: pass "
        "zoo.datasets.scale(x), with x of dtype uint8 in 0 to 255"
    )
