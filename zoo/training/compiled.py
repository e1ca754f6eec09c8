"""Several training steps as one program of XLA, on TensorFlow.

Keras calls a compiled step as often as `steps_per_execution` says; every call copies the variables
out of the program. Here the steps of a call are one loop inside the program. The weights are equal
bit for bit.
"""

import itertools

import keras
import tensorflow as tf


def train_function(game, of_keras):
    """A function for `game.train_function`: moves `game` by a call's steps, returns the logs.

    Args:
        of_keras: Keras' own, for iterators of a distribution strategy and for batches with parts
            that are missing.
    """

    @tf.function(jit_compile=True)
    def program(batches):
        n = len(keras.tree.flatten(batches)[0])
        logs = {tracker.name: tf.zeros(()) for tracker in game.trackers}
        _, logs = tf.while_loop(
            lambda i, logs: i < n,
            lambda i, logs: (i + 1, game.train_step(_at(i, batches))),
            (0, logs),
        )
        return logs

    def function(iterator):
        if not isinstance(iterator, tf.data.Iterator) or not _all_tensors(iterator):
            return of_keras(iterator)
        logs = None
        taken = itertools.islice(iterator, game.steps_per_execution)
        # The last batch of a stream may be smaller.
        for _, alike in itertools.groupby(taken, key=_shapes):
            logs = program(keras.tree.map_structure(lambda *parts: tf.stack(parts), *alike))
        if logs is None:
            raise StopIteration
        return logs

    return function


def _all_tensors(iterator):
    specs = keras.tree.flatten(iterator.element_spec)
    return all(isinstance(spec, tf.TensorSpec) for spec in specs)


def _at(i, batches):
    return keras.tree.map_structure(lambda parts: parts[i], batches)


def _shapes(batch):
    return [part.shape for part in keras.tree.flatten(batch)]
