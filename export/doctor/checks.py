"""Static checks of the doctor: files, graph and weights, one function per row of its table.

Each takes an `Export` and returns its finding as text; it raises `Unsound` if the
export must not be served.
"""

import pathlib

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import kernels

from export import contract

# A graph must run without Python and without other files, anywhere TensorFlow runs.
PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
FILES = {"ReadFile", "WriteFile", "PrintV2", "MatchingFiles", "ReaderReadV2"}
# Implemented by the runtime itself.
BUILT_IN = {"Placeholder", "NoOp"}


class Unsound(Exception):
    """An export must not be served; the message gives the reason."""


class NotExamined(Exception):
    """A library that a check needs is not installed; nothing is wrong with the export."""


class Export:
    """One version on disk, and the session that runs it."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.contract, self.graph, self.session, self.reference = None, None, None, None

    @property
    def signatures(self):
        """The SignatureDefs, without those that no client can call."""
        found = self.graph.signature_def
        return {name: found[name] for name in found if not name.startswith("__")}

    def run(self, name, inputs):
        """Outputs of a signature, by name."""
        signature = self.graph.signature_def[name]
        feeds = {signature.inputs[key].name: value for key, value in inputs.items()}
        fetches = {key: tensor.name for key, tensor in signature.outputs.items()}
        try:
            return self.session.run(fetches, feeds)
        except Exception as error:
            raise Unsound(f"does not run: {first_line(error)}") from None

    def close(self):
        """End the session."""
        if self.session:
            self.session.close()


def files(export):
    """Every file exists and is unchanged since it was written."""
    try:
        export.contract = contract.read(export.directory)
    except ValueError as error:
        raise Unsound(str(error)) from None
    for name, wanted in export.contract["files"].items():
        path = export.directory / name
        if not path.is_file():
            raise Unsound(f"{name} is missing")
        size = path.stat().st_size
        if size != wanted["bytes"]:
            raise Unsound(f"{name} has {size:,} bytes instead of {wanted['bytes']:,}")
        if contract.sha256(path) != wanted["sha256"]:
            raise Unsound(f"{name} has changed since it was written (sha256)")
    total = sum(file["bytes"] for file in export.contract["files"].values())
    return f"{len(export.contract['files'])} files, {total:,} bytes, sha256 as in the contract"


def graph(export):
    """The graph can be read."""
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((export.directory / "saved_model.pb").read_bytes())
    except Exception as error:
        raise Unsound(f"saved_model.pb cannot be read: {first_line(error)}") from None
    served = [graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags]
    if len(served) != 1:
        raise Unsound(f"{len(served)} graphs are tagged 'serve', there must be one")
    export.graph = served[0]
    return f"{len(export.graph.graph_def.library.function)} functions"


def weights(export):
    """Every weight can be read and is a finite number."""
    try:
        reader = tf.train.load_checkpoint(str(export.directory / "variables" / "variables"))
        missing = sorted(_restored(export.graph) - set(reader.get_variable_to_shape_map()))
        if missing:
            raise Unsound(f"{missing[0]} is missing, one of {len(missing)} that the graph restores")
        names = [name for name in reader.get_variable_to_shape_map() if _is_variable(name)]
        count = 0
        for name in names:
            value = reader.get_tensor(name)
            count += value.size
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                bad = int(np.sum(~np.isfinite(value)))
                raise Unsound(f"{bad} of {value.size} numbers of {name} are not finite")
    except Unsound:
        raise
    except Exception as error:  # TensorFlow's reader raises many kinds, IndexError among them.
        raise Unsound(f"cannot be read: {first_line(error)}") from None
    return f"{len(names)} variables, {count:,} numbers, all finite"


def names(export):
    """Signatures, their inputs and outputs, dtypes and shapes are those of the contract."""
    wanted, found = export.contract["signatures"], export.signatures
    if set(wanted) != set(found):
        raise Unsound(f"signatures are {sorted(found)}, the contract has {sorted(wanted)}")
    for name, signature in found.items():
        for side in ("inputs", "outputs"):
            tensors = getattr(signature, side)
            shown = {key: _described(tensor) for key, tensor in tensors.items()}
            promised = {
                key: (tensor["dtype"], tensor["shape"])
                for key, tensor in wanted[name][side].items()
            }
            if shown != promised:
                raise Unsound(f"{side} of {name} are {shown}, the contract has {promised}")
    default = export.signatures["serving_default"]
    # Older contracts do not name it.
    older = "encode" if export.contract["encoder"] else "sample"
    alias = export.contract.get("serving_default", older)
    if set(default.inputs) != set(export.signatures[alias].inputs):
        raise Unsound(f"serving_default is not {alias}")
    return f"{len(found)} signatures; serving_default is {alias}"


def operations(export):
    """No operation that a server lacks: Python, XLA on the CPU, add-ons."""
    definition = export.graph.graph_def
    places = {"the graph": definition.node}
    places |= {f.signature.name: f.node_def for f in definition.library.function}
    used = {}
    for place, nodes in places.items():
        for node in nodes:
            used.setdefault(node.op, f"{node.name} in {place}")
            if node.attr["_XlaMustCompile"].b:
                raise Unsound(f"{node.name} in {place} forces XLA compilation")
    for function in definition.library.function:
        if function.attr["_XlaMustCompile"].b:
            raise Unsound(f"{function.signature.name} forces XLA compilation")
    used = {op: at for op, at in used.items() if op not in places}
    for kind, why in ((PYTHON, "needs Python"), (FILES, "reads, writes or prints")):
        for op in sorted(kind & set(used)):
            raise Unsound(f"operation {op} {why} ({used[op]})")
    for op in sorted(set(used) - BUILT_IN):
        devices = {
            kernel.device_type for kernel in kernels.get_registered_kernels_for_op(op).kernel
        }
        if not devices & {"CPU", "DEFAULT"}:
            raise Unsound(f"operation {op} has no CPU kernel in TensorFlow ({used[op]})")
    return f"{len(used)} kinds, all with a CPU kernel of TensorFlow's own"


def _restored(graph):
    """Names of the variables that the graph restores from its checkpoint."""
    nodes = [node for function in graph.graph_def.library.function for node in function.node_def]
    lists = [n for n in nodes if n.op == "Const" and n.name.endswith("RestoreV2/tensor_names")]
    names = [name for n in lists for name in tf.make_ndarray(n.attr["value"].tensor).ravel()]
    return {name.decode() for name in names}


def _is_variable(name):
    # The rest of a checkpoint is the description of its objects.
    return not name.startswith("_CHECKPOINTABLE")


def _described(tensor):
    sides = [None if side.size == -1 else side.size for side in tensor.tensor_shape.dim]
    return tf.as_dtype(tensor.dtype).name, sides


def first_line(error):
    """First line of a message, which may have hundreds."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
