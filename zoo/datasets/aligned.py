"""Arrays that TensorFlow can share: it needs data that begin at a multiple of 64 bytes."""

import numpy as np

_BYTES = 64

# TensorFlow's name of a resource that is deleted with the last of its handles.
_ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347"


def empty(shape: tuple, dtype: np.dtype = np.uint8) -> np.ndarray:
    """An array of undefined values, aligned as TensorFlow needs it."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    memory = np.empty(size + _BYTES, np.uint8)
    first = -memory.ctypes.data % _BYTES
    return memory[first : first + size].view(dtype).reshape(shape)


def holder(rows: np.ndarray) -> tuple[np.ndarray, int, int]:
    """(array, first, step): `array` is aligned, and row i of `rows` is its row first + step * i.

    It is the array of which `rows` is a slice, if that is aligned, as every map of a .npy file is.
    Otherwise, it is a copy of `rows`.
    """
    whole, row = rows, rows[:1].nbytes
    while _is_of_rows(whole.base, rows):
        whole = whole.base
    if row and _shares(whole, rows):
        step = rows.strides[0] // row if len(rows) > 1 else 1
        return whole, (rows.ctypes.data - whole.ctypes.data) // row, step
    made = empty(rows.shape, rows.dtype.newbyteorder("="))
    made[...] = rows
    return made, 0, 1


def _is_of_rows(base, rows):
    return (
        isinstance(base, np.ndarray)
        and base.dtype == rows.dtype
        and base.shape[1:] == rows.shape[1:]
    )


def _shares(whole, rows):
    return (
        whole.flags.c_contiguous
        and whole.strides[1:] == rows.strides[1:]
        and (len(rows) == 1 or rows.strides[0] % rows[:1].nbytes == 0)
        and whole.ctypes.data % _BYTES == 0
        and whole.dtype.isnative
    )


class _Lent:
    """The memory of an array, as if it could be written to: NumPy exports nothing else."""

    def __init__(self, array):
        self._array = array
        interface = dict(array.__array_interface__)
        interface["data"] = (array.ctypes.data, False)
        self.__array_interface__ = interface


def shared(array: np.ndarray):
    """A TensorFlow tensor on the CPU of the same memory as an aligned array, which it keeps.

    Operations that read it are safe, also if the array is a map of a file that cannot be written.
    """
    import tensorflow as tf

    return tf.experimental.dlpack.from_dlpack(np.asarray(_Lent(array)).__dlpack__())


def held(array: np.ndarray):
    """The handle of a variable on the CPU, not of any strategy, with the memory of `shared(array)`.

    A graph that captures a handle can be rewritten; the rewriting copies a captured tensor.
    """
    import tensorflow as tf

    handle = tf.raw_ops.VarHandleOp(dtype=array.dtype, shape=array.shape, shared_name=_ANONYMOUS)
    tf.raw_ops.AssignVariableOp(resource=handle, value=shared(array))
    return handle
