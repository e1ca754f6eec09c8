"""The endless, resumable stream of training batches."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from zoo.datasets import aligned
from zoo.datasets.order import shuffled
from zoo.datasets.order import sound
from zoo.datasets.pixels import scale

# Batches that are made ahead; at least those of a call of five steps.
_AHEAD = 8
# Added to the seed for a second set of images. The permutation uses the low bits of a seed alone, 8
# for up to 65,536 examples, so that a larger number may be no difference.
_SECOND_SET = 101


def batches(examples: Any, batch_size: int, seed: int, start_step: int = 0) -> Any:
    """Streams shuffled batches without end, float32 images in [-1, 1] and int32 labels.

    Position p = step * batch_size + i of the stream holds example number p % n of the permutation
    that belongs to the seed and to pass p // n (`tf.random.experimental.index_shuffle`, which is
    stateless). So each pass holds every example exactly once, a batch may straddle two passes, and
    a stream started at any step equals the rest of one started at 0, bit for bit. Seeds and passes
    that are equal modulo 256 have equal permutations (modulo 512 above 65,536 examples, and so on).

    The examples are gathered where they are, in memory or in a map of a file
    (`numpy.load(mmap_mode="r")`), so they must not change while the stream is read. For TensorFlow,
    arrays that do not begin at a multiple of 64 bytes are copied once (see `zoo.datasets.aligned`).

    Args:
      examples: uint8 (n, h, w, c), or floating (n, d); or a tuple of such arrays, each with a
        permutation of its own, and of whole-number labels (n,), in the order of the array before
        them.
      batch_size: examples in each batch, 1 to n.
      seed: whole number from 0 to 2**31 - 1.
      start_step: first step, at no cost.

    Returns:
      A `tf.data.Dataset` of tensors of static shape (batch_size, ...), images scaled by `scale`, in
      a tuple if `examples` is one; if Keras runs on another backend, the value of `arrays`.

    Raises:
      ValueError: batch_size is not in 1 to n, start_step or seed is out of range, or the dtype
        is another.
    """
    parts = _parts(examples, seed)
    for part, own_seed in parts:
        _check(part, batch_size, own_seed, start_step)
    import keras

    if keras.backend.backend() != "tensorflow":
        return arrays(examples, batch_size, seed, start_step)
    import tensorflow as tf

    sets = [part for part, _ in parts]
    with tf.device("CPU:0"):
        held = [(aligned.held(whole), *rows) for whole, *rows in map(aligned.holder, sets)]

    def gathered(step):
        rows = []
        for (handle, first, stride), (part, own_seed) in zip(held, parts):
            # Read and gathered in two: ResourceGather would first copy memory that is not its own.
            data = tf.raw_ops.ReadVariableOp(resource=handle, dtype=part.dtype)
            chosen = _indices(step, batch_size, own_seed, len(part))
            row = tf.gather(data, first + stride * chosen)
            rows.append(tf.ensure_shape(row, (batch_size, *part.shape[1:])))
        made = tuple(
            tf.cast(row, tf.int32) if _is_labels(part) else tf.cast(scale(row), tf.float32)
            for row, (part, _) in zip(rows, parts)
        )
        return made if isinstance(examples, tuple) else made[0]

    stream = tf.data.Dataset.counter(start=start_step, dtype=tf.int64).map(
        gathered, num_parallel_calls=min(_AHEAD, os.cpu_count() or 1), deterministic=True
    )
    options = tf.data.Options()
    options.deterministic = True
    # Every worker of several draws the whole batch and keeps its share of it: there are no files to
    # divide, and no example is then taken twice or left out.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return ahead(stream.with_options(options))


def ahead(stream: Any) -> Any:
    """A `tf.data.Dataset` of which 8 elements are made ahead, without tf.data's autotuner."""
    import tensorflow as tf

    options = tf.data.Options()
    # The autotuner sleeps twice as long each time, up to a minute, and the deletion of an iterator
    # waits for it: it is notified before it can see that it was cancelled (TensorFlow 2.21).
    options.autotune.enabled = False
    return stream.prefetch(_AHEAD).with_options(options)


def arrays(
    examples: Any, batch_size: int, seed: int, start_step: int = 0
) -> Iterator[tuple[np.ndarray, ...]]:
    """The stream of `batches` in NumPy, bit for bit, and without TensorFlow.

    Args:
      examples, batch_size, seed, start_step: as in `batches`; a start costs one permutation.

    Returns:
      An iterator of tuples of arrays (batch_size, ...), as Keras requires of generators.

    Raises:
      ValueError: as in `batches`.
    """
    parts = _parts(examples, seed)
    for part, own_seed in parts:
        _check(part, batch_size, own_seed, start_step)
    streams = [_arrays(part, batch_size, own_seed, start_step) for part, own_seed in parts]
    # A generator, because Keras takes no other iterator.
    return (batch for batch in zip(*streams))


def _parts(examples, seed):
    """(array, seed of its permutation) of every part: labels share that of their images."""
    parts, sets = [], 0
    for part in examples if isinstance(examples, tuple) else (examples,):
        sets += not _is_labels(part)
        parts.append((part, (seed + _SECOND_SET * max(0, sets - 1)) % 2**31 if sets > 1 else seed))
    return parts


def _is_labels(part):
    return part.ndim == 1 and np.issubdtype(part.dtype, np.integer)


def _arrays(examples, batch_size, seed, start_step):
    count = len(examples)
    orders = {}
    for step in itertools.count(start_step):
        position = step * batch_size + np.arange(batch_size)
        turns = range(position[0] // count, position[-1] // count + 1)
        # A batch touches one pass, or two.
        orders = {t: orders[t] if t in orders else _order(seed, t, count) for t in turns}
        order = np.concatenate(list(orders.values()))
        chosen = order[position - turns[0] * count]
        if _is_labels(examples):
            yield examples[chosen].astype(np.int32)
        else:
            yield scale(examples[chosen]).astype(np.float32, copy=False)


def _order(seed, turn, count):
    return shuffled(np.arange(count), seed, int(turn), count)


def _indices(step: Any, batch_size: int, seed: int, count: int) -> Any:
    """Indices of the examples of one step: int64 tensor (batch_size,)."""
    import tensorflow as tf

    size = sound(count)

    def shuffled(turn):
        def walked(index):
            return tf.random.experimental.index_shuffle(
                index,
                seed=tf.stack([tf.constant(seed, tf.int64), turn]),
                max_index=tf.constant(size - 1, tf.int64),
            )

        found = walked(position % count)
        # At most one number is outside, and it does not map to itself, for it came from inside.
        return found if size == count else tf.where(found < count, found, walked(found))

    first = step * batch_size
    position = first + tf.range(batch_size, dtype=tf.int64)
    # index_shuffle fails on a vector of seeds (TensorFlow 2.21 pads the wrong axis), so both passes
    # that a batch can touch are shuffled, each with its own seed.
    turn = first // count
    return tf.where(position // count == turn, shuffled(turn), shuffled(turn + 1))


def _check(examples: np.ndarray, batch_size: int, seed: int, start_step: int) -> None:
    count = len(examples)
    if not 1 <= batch_size <= count:
        raise ValueError(
            f"batch_size must be 1 to {count}, the number of examples; got {batch_size}"
        )
    if start_step < 0:
        raise ValueError(f"start_step must be 0 or more; got {start_step}")
    if not 0 <= seed < 2**31:
        # Keras takes no larger seeds for weights and noise.
        raise ValueError(f"seed must be 0 to 2**31 - 1; got {seed}")
    if not _is_labels(examples):
        scale(examples[:1])  # Raises for a wrong dtype here, not inside the graph.
