"""The order of examples, in NumPy: bit for bit that of `zoo.datasets.batches` on TensorFlow.

A permutation without memory: a Feistel cipher of one block maps each position. A cipher
permutes 2^bits numbers, so a number outside the range is encrypted again until it is inside
(cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). The
cipher is four rounds of Simon (Beaulieu et al. 2013, eprint 2013/404), with words of any size.

A permutation of NumPy's would be shorter, but every published run, and every run that is resumed,
took its examples in this order.
"""

import numpy as np

# The prefix that TensorFlow adds to a seed of two numbers.
_FIRST_KEY = 498247692

# Below it four rounds leave patterns, according to TensorFlow.
_LEAST_BITS = 16


def shuffled(positions: np.ndarray, seed: int, turn: int, count: int) -> np.ndarray:
    """The images of `positions` under a permutation of 0 to count - 1.

    Args:
      positions: whole numbers from 0 to count - 1, of any shape.
      seed: below 2**31; with `turn` it selects the permutation.
      turn: number of the pass through the examples, of which 32 bits count.
      count: number of examples, at least 1.

    Returns:
      int64, of the shape of `positions`: equal to `tf.random.experimental.index_shuffle` for
      the seed (seed, turn) and max_index = `sound(count)` - 1, applied again to numbers outside.
    """
    found = np.array(positions, np.uint64)
    if count == 1:
        return found.astype(np.int64)
    # As TensorFlow computes it.
    bits = (sound(count) - 2).bit_length()
    half = max(bits + bits % 2, _LEAST_BITS) // 2
    mask = (1 << half) - 1
    keys = [key & mask for key in (_FIRST_KEY, seed, turn & 0xFFFFFFFF)]
    turned = [(keys[2] >> places) | (keys[2] << (half - places)) for places in (3, 4)]
    keys.append((keys[0] ^ 0xFFFFFFFD ^ turned[0] ^ turned[1]) & mask)
    outside = np.ones(found.shape, bool)
    while outside.any():
        found[outside] = _enciphered(found[outside], keys, half, mask)
        outside = found >= count
    return found.astype(np.int64)


def sound(count: int) -> int:
    """The range that `index_shuffle` must permute to return each of `count` numbers once.

    With 2^16 + 1, 2^18 + 1 and so on its cipher (TensorFlow 2.21) is one bit too narrow: two
    positions map to one number, and another is lost. With one number more it is wide enough.
    """
    bits = (count - 1).bit_length()
    narrow = count == 2 ** (bits - 1) + 1 and bits % 2 and bits > _LEAST_BITS
    return count + 1 if narrow else count


def _enciphered(numbers, keys, half, mask):
    left, right = (numbers >> half) & mask, numbers & mask
    for first, second in (keys[:2], keys[2:]):
        left = left ^ _mixed(right, half, mask) ^ first
        right = right ^ _mixed(left, half, mask) ^ second
    return (left << half) | right


def _mixed(word, half, mask):
    def turned(places):
        return ((word << places) | (word >> (half - places))) & mask

    return (turned(1) & turned(8)) ^ turned(2)
