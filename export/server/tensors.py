"""TensorProto ↔ NumPy: refuses malformed tensors, and is as fast as copying bytes.

`tf.make_ndarray` goes through `float_val` number by number in Python, and accepts any shape.
Here a tensor is first validated (`check`, from the header alone), so that its type and
shape can be compared with a signature before a byte is copied, and read afterwards (`read`).
"""

import functools
import math

import ml_dtypes
import numpy as np
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import tensor_shape_pb2
from tensorflow.core.framework import types_pb2

from export.server.errors import ServingError
from export.server.errors import invalid

# A tensor may name more elements than it has values; the last value is repeated. A few bytes could
# thus ask for any amount of memory. TensorFlow Serving has no limit.
MOST_REPEATED = 64 * 2**20  # bytes

# data type → (field of its values, NumPy type of an element)
FIELDS = {
    types_pb2.DT_FLOAT: ("float_val", np.dtype("<f4")),
    types_pb2.DT_DOUBLE: ("double_val", np.dtype("<f8")),
    types_pb2.DT_INT32: ("int_val", np.dtype("<i4")),
    types_pb2.DT_INT16: ("int_val", np.dtype("<i2")),
    types_pb2.DT_INT8: ("int_val", np.dtype("i1")),
    types_pb2.DT_UINT8: ("int_val", np.dtype("u1")),
    types_pb2.DT_UINT16: ("int_val", np.dtype("<u2")),
    types_pb2.DT_INT64: ("int64_val", np.dtype("<i8")),
    types_pb2.DT_UINT32: ("uint32_val", np.dtype("<u4")),
    types_pb2.DT_UINT64: ("uint64_val", np.dtype("<u8")),
    types_pb2.DT_BOOL: ("bool_val", np.dtype("?")),
    types_pb2.DT_HALF: ("half_val", np.dtype("<f2")),
    types_pb2.DT_BFLOAT16: ("half_val", np.dtype(ml_dtypes.bfloat16)),
    types_pb2.DT_COMPLEX64: ("scomplex_val", np.dtype("<c8")),
    types_pb2.DT_COMPLEX128: ("dcomplex_val", np.dtype("<c16")),
    types_pb2.DT_STRING: ("string_val", np.dtype("O")),
}
BY_DTYPE = {dtype: number for number, (_, dtype) in FIELDS.items()}
HALVES = (types_pb2.DT_HALF, types_pb2.DT_BFLOAT16)  # 16 bits of a number, as an integer
COMPLEX = (types_pb2.DT_COMPLEX64, types_pb2.DT_COMPLEX128)


def type_name(number: int) -> str:
    """TensorFlow's own name of a data type: such as float or string."""
    return types_pb2.DataType.Name(number)[3:].lower()


def check(alias: str, proto, most_repeated: float = MOST_REPEATED) -> tuple:
    """The shape of a TensorProto whose header and values agree.

    Args:
        alias: its name, for messages.
        proto: a TensorProto.
        most_repeated: bytes that a tensor may take in which the last value is repeated; infinity
            for a file that is trusted.

    Raises:
        ServingError: INVALID_ARGUMENT `tensor parsing error: <alias>` if they disagree.
    """
    kind = FIELDS.get(proto.dtype)
    raw = proto.tensor_shape.SerializeToString()
    # Requests have few different shapes, and parsing one costs more than a look-up.
    shape, elements = (_known if len(raw) <= 64 else _dimensions)(raw)
    if kind is None or shape is None:
        raise _malformed(alias)
    field, dtype = kind
    if content := len(proto.tensor_content):
        # A string in `tensor_content` takes a byte at least: that of its length.
        fits = content >= elements if dtype.kind == "O" else content == elements * dtype.itemsize
        if not fits:
            raise _malformed(alias)
        return shape
    given = len(getattr(proto, field)) // (2 if proto.dtype in COMPLEX else 1)
    if given > elements:
        raise _malformed(alias)
    if given < elements and elements * dtype.itemsize > most_repeated:
        raise invalid(
            f"tensor {alias} names {elements} elements and has {given} values; a tensor that is "
            f"filled up may take at most {most_repeated} bytes"
        )
    return shape


def _dimensions(raw):
    """Shape of a serialised TensorShapeProto, None if it is none; and its number of elements."""
    proto = tensor_shape_pb2.TensorShapeProto.FromString(raw)
    shape = tuple([dim.size for dim in proto.dim])
    # NumPy has at most 64 dimensions.
    if proto.unknown_rank or len(shape) > 64 or (shape and min(shape) < 0):
        return None, 0
    return shape, math.prod(shape)


_known = functools.lru_cache(maxsize=1024)(_dimensions)


def _malformed(alias):
    return invalid(f"tensor parsing error: {alias}")


def read(alias: str, proto, shape: tuple) -> np.ndarray:
    """The values of a TensorProto that `check` found to have `shape`. May be read-only.

    Raises:
        ServingError: INVALID_ARGUMENT, a value does not fit the data type.
    """
    field, dtype = FIELDS[proto.dtype]
    if proto.tensor_content:
        if dtype.kind == "O":
            return _strings(alias, proto)
        raw = np.frombuffer(proto.tensor_content, "u1" if dtype.kind == "b" else dtype)
        return (raw != 0 if dtype.kind == "b" else raw).reshape(shape)
    elements = math.prod(shape)
    values = getattr(proto, field)
    if proto.dtype in HALVES:
        found = np.array(_integers(alias, values, np.dtype("<u2"))).view(dtype)
    elif proto.dtype in COMPLEX:
        found = np.array(values, dtype.char.lower()).view(dtype)[: len(values) // 2]
    elif dtype.kind in "iu":
        found = _integers(alias, values, dtype)
    elif dtype.kind == "O":
        found = np.array([*values, b""], "O")[:-1]  # a bare list of bytes loses trailing zeros
    else:
        found = np.array(values, dtype)
    if found.size < elements:
        zero = b"" if dtype.kind == "O" else dtype.type(0)
        full = np.full(elements, found[-1] if found.size else zero, dtype)
        full[: found.size] = found
        found = full
    return found.reshape(shape)


def _integers(alias, values, dtype):
    wide = np.array(values, "u8" if dtype.str == "<u8" else "i8")
    limits = np.iinfo(dtype)
    if wide.size and (wide.min() < limits.min or wide.max() > limits.max):
        raise _malformed(alias)
    return wide.astype(dtype)


def _strings(alias, proto):
    # TensorFlow's own encoding of strings in tensor_content; its own reader decodes it.
    import tensorflow as tf

    try:
        found = tf.io.parse_tensor(proto.SerializeToString(), tf.string).numpy()
    except tf.errors.OpError:
        raise _malformed(alias) from None
    return np.asarray(found, "O")


def written(array: np.ndarray, as_content: bool = False) -> tuple[bytes, bytes]:
    """`array` as a serialised TensorProto in two parts.

    Args:
        as_content: as raw bytes in `tensor_content`, not in the field of the type, which
            is the default of TensorFlow Serving.

    Raises:
        ServingError: UNIMPLEMENTED, a type that has no place in a reply.
    """
    array = np.asarray(array)
    head = _before(array.dtype, array.shape, as_content)
    if head is not None:
        return head, array.tobytes()
    if array.dtype.kind in "SU":
        array = array.astype("O")
    number = BY_DTYPE.get(array.dtype.newbyteorder("<"))
    if number is None:
        raise ServingError("UNIMPLEMENTED", f"outputs of type {array.dtype} cannot be sent")
    field = FIELDS[number][0]
    proto = tensor_pb2.TensorProto()
    if array.dtype.kind == "O":
        proto.string_val.extend(
            v if isinstance(v, bytes) else str(v).encode() for v in array.ravel()
        )
    else:
        values = array.view("<u2") if number in HALVES else array
        getattr(proto, field).extend(values.ravel().tolist())
    return _head(number, array.shape), proto.SerializeToString()


@functools.lru_cache(maxsize=1024)
def _before(dtype, shape, as_content):
    """What precedes the values of such an array, if they are on the wire as they are in memory."""
    number = BY_DTYPE.get(dtype)
    packed = dtype.kind in "fc" and number not in HALVES
    if number is None or dtype.kind == "O" or not (as_content or packed):
        return None
    name = "tensor_content" if as_content else FIELDS[number][0]
    size = math.prod(shape) * dtype.itemsize
    return _head(number, shape) + tag(tensor_pb2.TensorProto.DESCRIPTOR, name) + varint(size)


def _head(number, shape):
    proto = tensor_pb2.TensorProto(dtype=number)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto.SerializeToString()


def tag(message, field: str) -> bytes:
    """What precedes the length of a field; `message` is a descriptor."""
    return varint(message.fields_by_name[field].number << 3 | 2)


def varint(value: int) -> bytes:
    """A whole number as protobuf writes lengths."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
