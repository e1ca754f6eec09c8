"""Several training steps as one program of XLA, on TensorFlow.

Keras calls a compiled step as often as `steps_per_execution` says, and each call has a cost of its
own. Here the steps of a call are one loop inside the program, for batches of equal shapes and
games of one phase, whose weights were equal bit for bit on CPU (docs/scaling.md).
"""

import itertools

import keras
import tensorflow as tf

# Bytes of a call's batches above which they are not copied into one tensor.
LARGE = 2**26


def train_function(game, of_keras):
    """A function for `game.train_function`: moves `game` by a call's steps, returns the logs.

    Args:
        game: compiled, with the step and the metrics of `zoo.game.Game`.
        of_keras: Keras' own, for everything but streams of dense tensors: several replicas,
            `train_on_batch`, and parts that are missing, ragged or sparse.
    """

    @tf.function(jit_compile=True, autograph=False)
    def program(batches):
        n = keras.tree.flatten(batches)[0].shape[0]
        logs = {tracker.name: tf.zeros(()) for tracker in game.trackers}
        _, logs = tf.while_loop(
            lambda i, logs: i < n,
            lambda i, logs: (i + 1, game.train_step(_at(i, batches))),
            (0, logs),
        )
        return logs

    def function(iterator):
        if not isinstance(iterator, tf.data.Iterator) or not _dense(iterator):
            return of_keras(iterator)
        taken = list(itertools.islice(iterator, game.steps_per_execution))
        if not taken:
            raise StopIteration
        # One at a time at the end of a stream: every number of batches is a program of its own.
        together = len(taken) == game.steps_per_execution and _can_be_stacked(taken)
        for batches in [taken] if together else [[batch] for batch in taken]:
            logs = program(keras.tree.map_structure(lambda *parts: tf.stack(parts), *batches))
        return logs

    return function


def _dense(iterator):
    specs = keras.tree.flatten(iterator.element_spec)
    return all(isinstance(spec, tf.TensorSpec) for spec in specs)


def _can_be_stacked(batches):
    parts = [keras.tree.flatten(batch) for batch in batches]
    first = [part.shape for part in parts[0]]
    alike = all([part.shape for part in batch] == first for batch in parts)
    size = sum(part.dtype.size * part.shape.num_elements() for batch in parts for part in batch)
    return alike and size < LARGE


def _at(i, batches):
    return keras.tree.map_structure(lambda parts: parts[i], batches)
