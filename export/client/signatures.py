"""The signatures in a model's metadata, and a check of inputs against them."""

import dataclasses

import numpy as np

from export.client import tensors
from export.client.messages import messages

FIELD = "signature_def"
# Limit for an image in [-1, 1]: noise may exceed 1, and pixels of 0 to 255 exceed this.
MOST_LIGHT = 16


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One input or output: in `shape`, None is any size; `shape` itself is None for any rank.

    `optional` inputs have a default.
    """

    dtype: str
    shape: tuple | None
    optional: bool = False

    def __str__(self):
        return f"{self.dtype} {words(self.shape)}"

    @property
    def in_rows(self) -> bool:
        """Whether the first dimension is open."""
        return self.shape is not None and self.shape[:1] == (None,)


@dataclasses.dataclass(frozen=True)
class Signature:
    """`inputs` and `outputs`: name → `Tensor`."""

    inputs: dict
    outputs: dict

    @property
    def in_rows(self) -> bool:
        """Whether inputs can be split into batches and outputs joined again."""
        sides = [*self.inputs.values(), *self.outputs.values()]
        return all(tensor.in_rows for tensor in sides) and bool(self.inputs)


@dataclasses.dataclass(frozen=True)
class Metadata:
    """`signatures` (name → `Signature`) of version `version` of the model `model`."""

    model: str
    version: int
    signatures: dict

    @classmethod
    def from_response(cls, response) -> "Metadata":
        """From a GetModelMetadataResponse."""
        found = messages.SignatureDefMap.FromString(response.metadata[FIELD].value).signature_def
        return cls(
            response.model_spec.name,
            response.model_spec.version.value,
            {
                name: Signature(
                    {k: _tensor(i, k in found[name].defaults) for k, i in _of(found[name].inputs)},
                    {k: _tensor(info, False) for k, info in _of(found[name].outputs)},
                )
                for name in sorted(found)
                if not name.startswith("__")  # such as __saved_model_init_op, which no client calls
            },
        )

    def check(self, signature: str, given: dict) -> tuple[Signature, dict]:
        """The signature, and the arrays to send for the inputs `given`.

        Floating-point and whole numbers are converted to the type of the signature if that is
        a matter of precision or size; whole numbers are not accepted as images.

        Raises:
            ValueError: the signature or an input is not of the model; the message gives the
                value and the allowed ones.
        """
        if signature not in self.signatures:
            raise ValueError(
                f"model {self.model} has no signature {signature!r}; version {self.version} has "
                f"{', '.join(self.signatures)}"
            )
        terms = self.signatures[signature]
        needed = [name for name, tensor in terms.inputs.items() if not tensor.optional]
        if set(given) - set(terms.inputs) or set(needed) - set(given):
            raise ValueError(
                f"inputs of {signature} must be {_listed(terms.inputs)}; got {_listed(given)}"
            )
        arrays = {
            name: _array(f"{name} of {signature}", terms.inputs[name], value, name == "images")
            for name, value in given.items()
        }
        if terms.in_rows and len({len(array) for array in arrays.values()}) > 1:
            rows = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
            raise ValueError(f"the inputs of {signature} must have equally many rows; {rows}")
        return terms, arrays


def words(shape: tuple | None) -> str:
    """Such as (n, 28, 28, 1)."""
    if shape is None:
        return "of any shape"
    sides = ["any" if size is None else str(size) for size in shape]
    if sides and shape[0] is None:
        sides[0] = "n"
    return f"({', '.join(sides)}{',' if len(sides) == 1 else ''})"


def _of(side):
    return [(key, side[key]) for key in sorted(side)]


def _listed(names):
    return ", ".join(sorted(names)) or "nothing"


def _tensor(info, optional):
    shape = None
    if not info.tensor_shape.unknown_rank:
        shape = tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
    return Tensor(tensors.name_of(info.dtype), shape, optional)


def _array(what, tensor, value, is_image):
    wanted = tensors.numpy_type(tensor.dtype)
    if wanted is None:
        raise ValueError(f"{what} has dtype {tensor.dtype}, which NumPy lacks")
    array = _strings(what, value) if tensor.dtype == "string" else np.asarray(value)
    if array.dtype != wanted:
        array = _converted(what, tensor.dtype, array, wanted, is_image)
    shape = tensor.shape
    if shape is None:
        return array
    if is_image and len(shape) == 4 and array.dtype.kind == "f" and array.size:
        _check_scale(what, array)
    fits = len(array.shape) == len(shape) and all(
        size in (None, given) for size, given in zip(shape, array.shape)
    )
    if not fits:
        raise ValueError(
            f"{what} must have shape {words(shape)} for any n; got {array.shape}"
            f"{_remedy(shape, array.shape)}"
        )
    return array


def _remedy(shape, given):
    """What to do about an array of the shape `given`, if it is one of the usual mistakes."""
    if shape[:1] == (None,) and given == shape[1:]:
        return "; for a single one, pass [x]"
    if len(shape) == 4 and given[1:] == (shape[3], shape[1], shape[2]) and len(given) == 4:
        return ", channels first: pass x.transpose(0, 2, 3, 1)"
    if len(shape) == 4 and shape[3] == 1 and given[1:] == shape[1:3]:
        return ", without channels: pass x[..., None]"
    return ""


def _check_scale(what, images):
    low, high = float(images.min()), float(images.max())
    if not (-MOST_LIGHT <= low and high <= MOST_LIGHT):  # neither does NaN
        raise ValueError(
            f"{what} must be about -1 to 1; got {low:.4g} to {high:.4g}; scale pixels of "
            f"0 to 255 first: (images - 127.5) / 127.5"
        )


def _strings(what, value):
    array = np.asarray(value, "O")
    if what.startswith("image_bytes ") and any(isinstance(item, str) for item in array.ravel()):
        raise ValueError(
            f"{what} must be the bytes of PNG or JPEG files; got a str; "
            "pass pathlib.Path(name).read_bytes()"
        )
    flat = [item.encode() if isinstance(item, str) else item for item in array.ravel().tolist()]
    for item in flat:
        if not isinstance(item, bytes):
            raise ValueError(f"{what} must be bytes; got {type(item).__name__}")
    return np.array([*flat, b""], "O")[:-1].reshape(array.shape)


def _converted(what, name, array, wanted, is_image):
    if is_image and wanted.kind == "f" and array.dtype.kind in "iub":
        raise ValueError(
            f"{what} must have dtype {name}; got {array.dtype}; scale pixels of 0 to 255 to "
            f"[-1, 1] first: (images - 127.5) / 127.5"
        )
    if array.size and not np.can_cast(array.dtype, wanted, "same_kind"):
        fits = wanted.kind in "iu" and array.dtype.kind in "iu"
        if not fits:
            raise ValueError(f"{what} must have dtype {name}; got {array.dtype}")
    if array.size and wanted.kind in "iu":
        limits = np.iinfo(wanted)
        for extreme in (int(array.min()), int(array.max())):
            if not limits.min <= extreme <= limits.max:
                raise ValueError(
                    f"{what} must be {limits.min} to {limits.max} ({name}); got {extreme}"
                )
    return array.astype(wanted)
