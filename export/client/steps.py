"""The client's methods as generators without I/O, which `Client` and `AsyncClient` run.

Every method of `Steps` is a generator. It yields either requests, as an iterable of `Call` that is
consumed while earlier ones are under way, and is sent the list of the responses in that order; or
a number of seconds to wait. Exceptions of `errors` are raised inside it.
"""

import dataclasses
import math

import numpy as np

from export.client import tensors
from export.client.errors import DeadlineExceeded
from export.client.errors import InvalidInput
from export.client.errors import NotFound
from export.client.errors import Unavailable
from export.client.messages import messages
from export.client.signatures import FIELD
from export.client.signatures import Metadata

# method → (its path in gRPC, class of the response)
METHODS = {
    "Predict": ("/tensorflow.serving.PredictionService/Predict", messages.PredictResponse),
    "GetModelMetadata": (
        "/tensorflow.serving.PredictionService/GetModelMetadata",
        messages.GetModelMetadataResponse,
    ),
    "GetModelStatus": (
        "/tensorflow.serving.ModelService/GetModelStatus",
        messages.GetModelStatusResponse,
    ),
}
STATES = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}

# Bytes of a message besides the rows of its tensors.
OVERHEAD = 16 * 2**10
# Bytes of the tag and length of a row that is a string.
STRING_OVERHEAD = 8
BETWEEN_LOOKS = 0.2  # seconds, while waiting for a server


@dataclasses.dataclass(frozen=True)
class Call:
    """One request; `rows` are (first, one after the last) if it is a part of a larger batch."""

    method: str
    request: object
    rows: tuple | None = None


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """`state` is START, LOADING, AVAILABLE, UNLOADING or END; `error` why a load failed, or ""."""

    version: int
    state: str
    error: str


class Steps:
    """The steps of one model: see the module.

    Args:
        model: its name.
        version: number; None for the server's choice.
        label: instead of a version.
        most_rows: rows in one request.
        most_bytes: bytes of one request.
    """

    def __init__(self, model, version, label, most_rows, most_bytes):
        self.model, self.version, self.label = model, version, label
        self.most_rows, self.most_bytes = most_rows, most_bytes
        self.known = None  # the last Metadata; dropped when another version answers

    def metadata(self):
        """`Metadata`, asked again."""
        request = messages.GetModelMetadataRequest(model_spec=self._spec(), metadata_field=[FIELD])
        (response,) = yield [Call("GetModelMetadata", request)]
        self.known = Metadata.from_response(response)
        return self.known

    def status(self):
        """List of `VersionStatus`, newest first."""
        request = messages.GetModelStatusRequest(model_spec=self._spec())
        (response,) = yield [Call("GetModelStatus", request)]
        return [
            VersionStatus(one.version, STATES.get(one.state, "UNKNOWN"), one.status.error_message)
            for one in response.model_version_status
        ]

    def wait(self):
        """`Metadata`, as soon as there is a version that answers."""
        # Asks for metadata, because the status of a model omits its labels. A label
        # that no version has yet is INVALID_ARGUMENT, so that error is waited for as well.
        passing = (Unavailable, NotFound, InvalidInput) if self.label else (Unavailable, NotFound)
        last = None
        while True:
            try:
                return (yield from self.metadata())
            except passing as error:
                last = error
            except DeadlineExceeded as error:
                raise _with_reason(error, last) from None
            try:
                yield BETWEEN_LOOKS
            except DeadlineExceeded as error:
                raise _with_reason(error, last) from None

    def predict(self, signature, given):
        """output → array, for input → array, or a value that NumPy converts to one."""
        terms, arrays = yield from self._checked(signature, given)
        parts = self._parts(signature, terms, arrays)

        def calls(wanted, version=None):
            for rows in wanted:
                yield Call("Predict", self._request(signature, terms, arrays, rows, version), rows)

        for is_last in (False, True):
            answers = yield calls(parts)
            versions = [answer.model_spec.version.value for answer in answers]
            # If versions changed during the call: one result comes from one version, the last that
            # answered, so the other parts are requested from it again.
            old = [i for i, version in enumerate(versions) if version != versions[-1]]
            try:
                again = (yield calls([parts[i] for i in old], versions[-1])) if old else []
            except NotFound:
                if is_last:
                    raise
                continue  # that version was unloaded meanwhile
            for i, answer in zip(old, again):
                answers[i] = answer
            break
        if self.known and self.known.version != versions[-1]:
            self.known = None
        return _joined(answers)

    def _checked(self, signature, given):
        known = self.known
        if known is not None:
            try:
                return known.check(signature, given)
            except ValueError:
                pass  # the metadata may be of an older version
        known = yield from self.metadata()
        return known.check(signature, given)

    def _spec(self, signature="", version=None):
        spec = messages.ModelSpec(name=self.model, signature_name=signature)
        number = self.version if version is None else version
        if number is not None:
            spec.version.SetInParent()  # 0 is a number too
            spec.version.value = number
        elif self.label:
            spec.version_label = self.label
        return spec

    def _request(self, signature, terms, arrays, rows, version):
        request = messages.PredictRequest(model_spec=self._spec(signature, version))
        for name, array in arrays.items():
            part = array if rows is None else array[slice(*rows)]
            tensors.write(part, terms.inputs[name].dtype, request.inputs[name])
        return request

    def _parts(self, signature, terms, arrays):
        """[(first, one after the last)] of the rows of each request; [None] for one with all."""
        room = self.most_bytes - OVERHEAD
        if not (terms.in_rows and arrays):
            size = sum(int(_bytes_of_rows(array[None])[0]) for array in arrays.values())
            if size > room:
                raise ValueError(self._too_large(f"the input of {signature}", size))
            return [None]
        sizes = sum(_bytes_of_rows(array) for array in arrays.values())
        if len(sizes) and sizes.max() > room:
            worst = int(sizes.argmax())
            raise ValueError(self._too_large(f"row {worst} of {signature}", sizes[worst]))
        parts, first, size = [], 0, 0
        for row, more in enumerate(sizes.tolist()):
            if row - first == self.most_rows or size + more > room:
                parts.append((first, row))
                first, size = row, 0
            size += more
        return [*parts, (first, len(sizes))] if parts else [None]

    def _too_large(self, what, size):
        return (
            f"{what} takes {size} bytes; a request may take {self.most_bytes} (max_message_bytes), "
            f"{OVERHEAD} of which are kept for the rest of it"
        )


def _bytes_of_rows(array):
    """Bytes of each row of an array, int64 (n,)."""
    if array.dtype.kind != "O":
        return np.full(len(array), array[:1].nbytes)
    rows = array.reshape(len(array), math.prod(array.shape[1:]))
    return np.array([sum(len(s) + STRING_OVERHEAD for s in row) for row in rows], "int64")


def _joined(answers):
    read = [{k: tensors.read(v) for k, v in answer.outputs.items()} for answer in answers]
    if len(read) == 1:
        return read[0]
    return {name: np.concatenate([one[name] for one in read]) for name in read[0]}


def _with_reason(error, last):
    reason = f"; before that {last}" if last else ""
    return DeadlineExceeded(error.code, f"{error.words}{reason}")
