"""One step of a game, in training or evaluation, on TensorFlow and on JAX, which differ here.

Both play the schedule in the same order, from the same declarations, and move the same variables:
weights, batch norm statistics, random state, optimizers, averages, trackers. On TensorFlow these
are assigned in place. A step on JAX is a function from their values to the new ones, so there the
schedule is played in a `keras.StatelessScope` that collects the assignments.

Given the same weights and the same noise, losses are equal to rounding. The noise is not the same:
each backend has its own generator of random numbers, also for the same seed.
"""

import keras
from keras import ops

from zoo.training import averages
from zoo.training import declarations
from zoo.training import ranges


def share(game, batch: tuple, phase: int) -> tuple:
    """The part of `batch` that phase number `phase` of a step plays on.

    Every k-th example for k = `batches_per_step`, so that the replicas of a distributed step, each
    of which holds a stretch of the global batch, have even shares of every phase. If k does not
    divide the batch size, the first phases get one example more. Of a last batch of fewer than k
    examples, the phases that would have none get the last one.
    """
    k = game.batches_per_step
    if k == 1:
        return batch
    size = batch[0].shape[0]
    last = ops.shape(batch[0])[0] - 1
    phase = ops.minimum(phase, last) if size is None else min(phase, last)
    return tuple(part[phase::k] for part in batch)


def deal(game, batch: tuple) -> tuple:
    """The arguments of `play` for the parts of one batch: z is drawn from the prior."""
    parts, n = iter(batch), ops.shape(batch[0])[0]
    return tuple(game.noise(n) if name == "z" else next(parts) for name in game.inputs)


def computed(game, losses: dict, playing: tuple) -> dict:
    """The values of `play`; those that are functions are called, if their player is `playing`.

    All are called if `playing` is empty.

    Raises:
        ValueError: a loss or a reported value is missing, or a loss is no scalar.
    """
    declarations.check_played(game, losses, [*(playing or game.players), *game.reported])
    wanted = playing or losses
    values = {
        name: value() if callable(value) else value
        for name, value in losses.items()
        if name in wanted or not callable(value)
    }
    for name, value in values.items():
        # Its gradient would be that of the sum.
        if len(getattr(value, "shape", ())):
            raise ValueError(f"the loss of {name} must be a scalar; got {tuple(value.shape)}")
    return values


def _moved(game, phase, losses, gradients, replicas=1) -> dict:
    """Losses of the players of one phase, after each took the step of its gradients; `reported`."""
    for player in phase:
        _check_reached(game, player, gradients[player])
        game.optimizer.step(player, gradients[player], game.variables_of(player), replicas)
    return {name: losses[name] for name in (*phase, *game.reported)}


def _ended(game, played) -> dict:
    """The logs of a step in which every phase was played."""
    game.optimizer.iterations.assign_add(1)
    averages.update(game)
    return _logs(game, played)


def _in_state(kinds, state, play):
    """Logs of `play` and the new state. `kinds`: lists of variables, `state`: their values."""
    values = [pair for kind in zip(kinds, state, strict=True) for pair in zip(*kind, strict=True)]
    with keras.StatelessScope(values) as scope:
        logs = play()
    return logs, tuple([scope.get_current_value(v) for v in kind] for kind in kinds)


def _evaluated(game, data):
    return _logs(game, game(deal(game, parts_of(game, data)), training=False))


def _logs(game, losses):
    """The running mean of each loss, of their sum and of `reported`, after adding `losses`."""
    added = losses | {"loss": sum(losses[player] for player in game.players)}
    for tracker in game.trackers:
        tracker.update_state(added[tracker.name])
    logs = {tracker.name: tracker.result() for tracker in game.trackers}
    return {name: ops.reshape(v, (1,)) for name, v in logs.items()} if _has_workers(game) else logs


def _has_workers(game):
    """Whether several workers train `game`: Keras joins their logs, which scalars do not allow."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(game.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy)


def parts_of(game, data) -> tuple:
    """The tensors of one batch that `game.inputs` names, noise left out; other labels are ignored.

    Raises:
        ValueError: the batch has fewer parts than the method needs, or weights of examples, or
            images of whole numbers or of another shape, or labels of another shape.
    """
    names = [name for name in game.inputs if name != "z"]
    parts = data if isinstance(data, (tuple, list)) else (data,)
    ranges.check_parts(game, names, parts)
    parts = [ops.convert_to_tensor(part) for part in parts[: len(names)] if part is not None]
    for name, part in zip(names, parts):
        ranges.check_dtype(game, name, part)
        ranges.check_shape(game, name, part)
    if len(parts) < len(names):
        raise ValueError(
            f"a batch of {type(game).__name__} must have the parts {', '.join(names)}; "
            f"got {len(parts)} of {len(names)}"
        )
    return tuple(
        ranges.labels(game, part) if name == "y" else part for name, part in zip(names, parts)
    )


def _differentiate(game, phase, batch):
    """(losses by player, gradients by player) on JAX; an unreached variable's gradient is None."""
    import jax

    owned = list({id(v): v for p in phase for v in game.variables_of(p)}.values())
    reached = set()

    def play(weights):
        watched = [_watched(jax, reached, id(v), w) for v, w in zip(owned, weights, strict=True)]
        values = [(v, v.value) for v in game.variables] + list(zip(owned, watched, strict=True))
        with keras.StatelessScope(values) as scope:
            losses = game(deal(game, batch), training=True, playing=phase)
        moved = [scope.get_current_value(v) for v in game.non_trainable_variables]
        return losses, moved

    weights = [v.value for v in owned]
    losses, tangents, moved = jax.linearize(play, weights, has_aux=True)
    for variable, value in zip(game.non_trainable_variables, moved, strict=True):
        variable.assign(value)
    gradients = {}
    for player in phase:
        reached.clear()
        # Transposed for this loss alone: nothing is computed again for other losses.
        transpose = jax.linear_transpose(lambda w, p=player: tangents(w)[p], weights)
        (found,) = transpose(jax.numpy.ones_like(losses[player]))
        by_variable = {id(v): g for v, g in zip(owned, found, strict=True) if id(v) in reached}
        gradients[player] = [by_variable.get(id(v)) for v in game.variables_of(player)]
    return losses, gradients


def _watched(jax, reached, name, value):
    """`value`; adds `name` to `reached` when a gradient is traced through it.

    JAX returns zeros, not None, if a loss does not depend on a variable.
    """

    @jax.custom_vjp
    def identity(x):
        return x

    def backward(_, gradient):
        reached.add(name)
        return (gradient,)

    identity.defvjp(lambda x: (x, None), backward)
    return identity(value)


def _check_reached(game, player, gradients):
    unreached = [v.path for v, g in zip(game.variables_of(player), gradients) if g is None]
    if unreached:
        raise ValueError(
            f"the loss of player {player!r} of {type(game).__name__} does not depend on "
            f"{unreached}, which it owns"
        )


# Called by Keras' trainer of each backend. A backend is chosen before Keras is imported, so the
# step is chosen here. Every gradient of a phase is taken at the weights before the phase.


def _train_on_tensorflow(game, data):
    """Logs; variables are assigned in place."""
    import tensorflow as tf

    batch, played = parts_of(game, data), {}
    # Optimizers add the gradients of the replicas up; the mean is needed.
    replicas = game.distribute_strategy.num_replicas_in_sync
    for number, phase in enumerate(game.schedule):
        with tf.GradientTape(persistent=True) as tape:
            parts = deal(game, share(game, batch, number))
            losses = game(parts, training=True, playing=phase)
            shares = {player: losses[player] / replicas for player in phase}
        gradients = {p: tape.gradient(shares[p], game.variables_of(p)) for p in phase}
        played |= _moved(game, phase, losses, gradients, replicas)
    return _ended(game, played)


def _train_on_jax(game, state, data):
    """Logs and the new state."""
    kinds = (
        game.trainable_variables,
        game.non_trainable_variables,
        game.optimizer.variables,
        game.metrics_variables,
    )

    def play():
        batch, played = parts_of(game, data), {}
        for number, phase in enumerate(game.schedule):
            losses, gradients = _differentiate(game, phase, share(game, batch, number))
            played |= _moved(game, phase, losses, gradients)
        return _ended(game, played)

    return _in_state(kinds, state, play)


def _test_on_jax(game, state, data):
    """Logs and the new state."""
    kinds = (game.trainable_variables, game.non_trainable_variables, game.metrics_variables)
    return _in_state(kinds, state, lambda: _evaluated(game, data))


def _refused(game, *arguments):
    backend = keras.backend.backend()
    raise ValueError(f"games are trained with KERAS_BACKEND=tensorflow or jax; is {backend}")


train_step, test_step = {
    "tensorflow": (_train_on_tensorflow, _evaluated),
    "jax": (_train_on_jax, _test_on_jax),
}.get(keras.backend.backend(), (_refused, _evaluated))
