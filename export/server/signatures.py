"""One signature of a loaded version: its inputs, its outputs, and checks of requests."""

import numpy as np

from export.server import tensors
from export.server.errors import ServingError
from export.server.errors import invalid

DEFAULT = "serving_default"
MOST_SHAPES = 1024  # of one signature that are known to fit


def shape_of(info) -> tuple | None:
    """Dimensions of a TensorInfo, -1 for any size; None for any rank."""
    if info.tensor_shape.unknown_rank:
        return None
    return tuple(dim.size for dim in info.tensor_shape.dim)


def words(shape) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def listed(names) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _prepared(session, feed, fetch):
    """A function of the arrays of `feed`, in order, for the list of the arrays of `fetch`.

    The public `make_callable` is `Session.run` if anything is fed: it looks every name up and
    converts every array again, ten times the cost of TensorFlow's own prepared call, which is only
    available under a private name (`tf.keras.backend.function` calls it too). It takes arrays of
    exactly the dtype of the placeholder, which `feeds` ensures.
    """
    from tensorflow.core.protobuf.config_pb2 import CallableOptions

    return session._make_callable_from_options(CallableOptions(feed=feed, fetch=fetch))


class Signature:
    """A callable of a SavedModel with the description it was stored with.

    Args:
        name: its key in the SavedModel.
        definition: the `SignatureDef`.
        session: holds the graph of the definition.
    """

    def __init__(self, name: str, definition, session):
        self.name = name
        self.definition = definition
        self.session = session
        self.callables = {}  # outputs → callable
        self.inputs = {a: (i.dtype, shape_of(i)) for a, i in sorted(definition.inputs.items())}
        self.outputs = sorted(definition.outputs)
        # Of a signature with one input: its name and type, and shapes that fit.
        known = [(alias, dtype) for alias, (dtype, _) in self.inputs.items()]
        self.alone = known[0] if len(known) == 1 else None
        self.fitted = set()
        # The initialiser of a graph is listed as a signature too; its output is no tensor.
        self.runs = all(info.dtype for info in definition.outputs.values())
        self.defaults = {
            alias: tensors.read(alias, proto, tensors.check(alias, proto))
            for alias, proto in definition.defaults.items()
        }

    def fits(self, known, check_shapes: bool) -> bool:
        """Whether the tensor of a `messages.Known` is all that is needed, in a shape that fits."""
        return self.alone == (known.alias, known.dtype) and (
            not check_shapes or known.shape in self.fitted
        )

    # From a request to arrays. Every check comes before anything is copied or queued.

    def feeds(
        self,
        given: dict,
        output_filter: list,
        check_shapes: bool,
        most_repeated: float = tensors.MOST_REPEATED,
    ) -> tuple[dict, list]:
        """The arrays to run on, and the names of the outputs that are wanted.

        Args:
            given: alias → TensorProto.
            output_filter: names of outputs; all of them if it is empty.
            check_shapes: compare shapes with the signature. Without it a wrong rank reaches the
                kernels, and can end the process.
            most_repeated: see `tensors.check`.

        Raises:
            ServingError: in the order and words of TensorFlow Serving.
        """
        self.check_names(given)
        shapes = {a: tensors.check(a, proto, most_repeated) for a, proto in given.items()}
        if unknown := [alias for alias in given if alias not in self.inputs]:
            raise invalid(
                f"Inputs contains invalid name. Used request inputs: "
                f"{listed(set(given) - set(unknown))}. Invalid: {listed(unknown)}."
            )
        wanted = self.wanted(output_filter)
        for position, (alias, (dtype, _)) in enumerate(self.inputs.items()):
            if alias in given and given[alias].dtype != dtype:
                raise invalid(
                    f"Expects arg[{position}] to be {tensors.type_name(dtype)} but "
                    f"{tensors.type_name(given[alias].dtype)} is provided"
                )
        if check_shapes:
            for alias, shape in shapes.items():
                self.check_shape(alias, shape)
                if len(self.fitted) < MOST_SHAPES:
                    self.fitted.add(shape)
        read = {a: tensors.read(a, proto, shapes[a]) for a, proto in given.items()}
        return self.defaults | read, wanted

    def check_names(self, given) -> None:
        if given.keys() == self.inputs.keys():
            return
        missing = self.inputs.keys() - given.keys() - self.defaults.keys()
        extra = given.keys() - self.inputs.keys()
        if len(given) > len(self.inputs) or (len(given) < len(self.inputs) and missing):
            raise invalid(
                f"input size does not match signature: {len(given)}!={len(self.inputs)} "
                f"len({listed(given)}) != len({listed(self.inputs)}). "
                f"Sent extra: {listed(extra)}. Missing but required: {listed(missing)}."
            )
        for alias in sorted(missing):
            raise invalid(
                f"Signature input alias: {alias}(feed name: {self.definition.inputs[alias].name}) "
                f"not found in request and no default value provided. Inputs expected to be in "
                f"the request {listed(given)}, or default input alias set: {listed(self.defaults)}"
            )

    def wanted(self, output_filter) -> list:
        if not output_filter:
            return self.outputs
        for i, alias in enumerate(output_filter):
            if alias not in self.outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {alias} "
                    f"Outputs expected to be in the set {listed(self.outputs)}."
                )
            if alias in output_filter[:i]:
                raise invalid(f"duplicate output tensor alias: {alias}")
        return list(output_filter)

    def check_shape(self, alias: str, shape: tuple) -> None:
        expected = self.inputs[alias][1]
        if expected is None:
            return
        if len(shape) == 1 and len(expected) == 2 and expected[1] == 1:
            # Numbers instead of rows of one number: TensorFlow Serving's own examples send them.
            expected = expected[:1]
        fits = [e in (-1, s) for e, s in zip(expected, shape)]
        if len(shape) != len(expected) or not all(fits):
            raise invalid(
                f"input {alias} of signature {self.name} has shape {words(self.inputs[alias][1])}, "
                f"-1 being any size; {words(shape)} was sent"
            )

    # Running.

    def run(self, feeds: dict, wanted: list) -> dict:
        """alias → array of every wanted output.

        Raises:
            ServingError: the model's own error, or OUT_OF_RANGE if the signature cannot be called.
        """
        if not self.runs:
            raise ServingError("OUT_OF_RANGE", f"{self.name} has no output and cannot be run")
        # Sorted, so that one callable serves every order of the outputs.
        wanted = tuple(sorted(wanted))
        call = self.callables.get(wanted) or self._callable(wanted)
        return dict(zip(wanted, call(*(feeds[alias] for alias in self.inputs))))

    def _callable(self, wanted):
        fetch = [self.definition.outputs[alias].name for alias in wanted]
        feed = [self.definition.inputs[alias].name for alias in self.inputs]
        if set(feed) & set(fetch):
            # Only `Session.run` accepts an output that is an input.
            call = self.session.make_callable(fetch, feed)
        else:
            call = _prepared(self.session, feed, fetch)
        return self.callables.setdefault(wanted, call)

    def example(self, rows: int) -> dict | None:
        """Zeros for every input without a default; None if a size or type is open."""
        found = {}
        for alias, (dtype, shape) in self.inputs.items():
            if alias in self.defaults:
                continue
            if shape is None or -1 in shape[1:] or dtype not in tensors.FIELDS:
                return None
            kind = tensors.FIELDS[dtype][1]
            if kind.kind == "O":
                return None
            size = tuple(rows if i == 0 and s == -1 else s for i, s in enumerate(shape))
            found[alias] = np.zeros(size, kind)
        return self.defaults | found
