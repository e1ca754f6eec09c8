"""NumPy ↔ TensorProto, without the messages of TensorFlow that `export.server.tensors` needs."""

import math

import numpy as np

from export.client.errors import ServerError

# TensorFlow's number of a data type → (its name, the field of its values, NumPy's type).
# NumPy has no bfloat16: such answers become float32, which holds every one of them.
TYPES: dict[int, tuple[str, str, np.dtype]] = {
    1: ("float32", "float_val", np.dtype("<f4")),
    2: ("float64", "double_val", np.dtype("<f8")),
    3: ("int32", "int_val", np.dtype("<i4")),
    4: ("uint8", "int_val", np.dtype("u1")),
    5: ("int16", "int_val", np.dtype("<i2")),
    6: ("int8", "int_val", np.dtype("i1")),
    7: ("string", "string_val", np.dtype("O")),
    8: ("complex64", "scomplex_val", np.dtype("<c8")),
    9: ("int64", "int64_val", np.dtype("<i8")),
    10: ("bool", "bool_val", np.dtype("?")),
    14: ("bfloat16", "half_val", np.dtype("<u2")),
    17: ("uint16", "int_val", np.dtype("<u2")),
    18: ("complex128", "dcomplex_val", np.dtype("<c16")),
    19: ("float16", "half_val", np.dtype("<f2")),
    22: ("uint32", "uint32_val", np.dtype("<u4")),
    23: ("uint64", "uint64_val", np.dtype("<u8")),
}
_NUMBERS = {name: number for number, (name, _, _) in TYPES.items()}


def name_of(number: int) -> str:
    """Such as "float32"; "type 20" for those that a client cannot hold."""
    return TYPES[number][0] if number in TYPES else f"type {number}"


def numpy_type(name: str) -> np.dtype | None:
    """NumPy's type for values of the data type `name`; None if there is none."""
    if name == "bfloat16" or name not in _NUMBERS:
        return None
    return TYPES[_NUMBERS[name]][2]


def write(array: np.ndarray, dtype: str, proto) -> None:
    """Put `array`, of `numpy_type(dtype)`, into the empty TensorProto `proto`, as raw bytes."""
    proto.dtype = _NUMBERS[dtype]
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if dtype == "string":
        proto.string_val.extend(array.ravel().tolist())
    else:
        proto.tensor_content = array.tobytes()


def read(proto) -> np.ndarray:
    """The values of a TensorProto in either encoding, as an array that may be written to.

    Raises:
        ServerError: NumPy lacks the type, or sizes contradict each other.
    """
    if proto.dtype not in TYPES:
        raise _unreadable(f"it has TensorFlow's data {name_of(proto.dtype)}; NumPy has none")
    name, field, dtype = TYPES[proto.dtype]
    shape = tuple(size.size for size in proto.tensor_shape.dim)
    if proto.tensor_content:
        if name == "string":
            raise _unreadable("it has strings in tensor_content, which only TensorFlow reads")
        values = np.frombuffer(proto.tensor_content, dtype)
    else:
        values = _values(name, getattr(proto, field), dtype)
    elements = math.prod(shape)
    if values.size < elements and not proto.tensor_content:
        # As in TensorFlow, the last value stands for those that are missing.
        last = values[-1:] if values.size else np.array([b"" if name == "string" else 0], dtype)
        values = np.concatenate([values, np.repeat(last, elements - values.size)])
    if values.size != elements:
        raise _unreadable(f"it has {values.size} values for shape {shape}")
    if name == "bfloat16":
        values = (values.astype("<u4") << 16).view("<f4")
    return values.reshape(shape).copy() if values.base is not None else values.reshape(shape)


def _values(name, values, dtype):
    if name == "string":
        return np.array([*values, b""], "O")[:-1].copy()
    if name == "float16":
        return np.array(values, "<u2").view(dtype)
    if dtype.kind == "c":
        return np.array(values, dtype.char.lower()).view(dtype)
    return np.array(values, dtype)


def _unreadable(why):
    return ServerError("DATA_LOSS", f"the answer cannot be read: {why}")
