"""The messages of TensorFlow Serving that a client needs, without TensorFlow.

`tensorflow-serving-api` has them all, and imports TensorFlow for those that it does not define. So
they are described here: the full names and the field numbers are TensorFlow's, of which just the
fields that a client sends or reads are listed. Protobuf passes over those that it does not know.

They are in a descriptor pool of their own. The default pool takes one description per name, and a
second one, which `tensorflow-serving-api` brings, would be refused if both were imported; here
both live in one process, in any order. The two exchange bytes. Files that protoc generates are in
the default pool, so there are none.
"""

import re
import types

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory

# Enumerations are written as int32: the bytes are the same.
_FIELDS = {
    "google.protobuf.Int64Value": "int64 value = 1",
    "google.protobuf.Any": "string type_url = 1; bytes value = 2",
    "tensorflow.TensorShapeProto": (
        "repeated tensorflow.TensorShapeProto.Dim dim = 2; bool unknown_rank = 3"
    ),
    "tensorflow.TensorShapeProto.Dim": "int64 size = 1; string name = 2",
    "tensorflow.TensorProto": """
        int32 dtype = 1; tensorflow.TensorShapeProto tensor_shape = 2; bytes tensor_content = 4;
        repeated float float_val = 5; repeated double double_val = 6; repeated int32 int_val = 7;
        repeated bytes string_val = 8; repeated float scomplex_val = 9;
        repeated int64 int64_val = 10; repeated bool bool_val = 11;
        repeated double dcomplex_val = 12; repeated int32 half_val = 13;
        repeated uint32 uint32_val = 16; repeated uint64 uint64_val = 17""",
    "tensorflow.TensorInfo": (
        "string name = 1; int32 dtype = 2; tensorflow.TensorShapeProto tensor_shape = 3"
    ),
    "tensorflow.SignatureDef": """
        map tensorflow.TensorInfo inputs = 1; map tensorflow.TensorInfo outputs = 2;
        string method_name = 3; map tensorflow.TensorProto defaults = 4""",
    "tensorflow.serving.ModelSpec": """
        string name = 1; google.protobuf.Int64Value version = 2; string signature_name = 3;
        string version_label = 4""",
    "tensorflow.serving.PredictRequest": """
        tensorflow.serving.ModelSpec model_spec = 1; map tensorflow.TensorProto inputs = 2;
        repeated string output_filter = 3""",
    "tensorflow.serving.PredictResponse": (
        "map tensorflow.TensorProto outputs = 1; tensorflow.serving.ModelSpec model_spec = 2"
    ),
    "tensorflow.serving.GetModelMetadataRequest": (
        "tensorflow.serving.ModelSpec model_spec = 1; repeated string metadata_field = 2"
    ),
    "tensorflow.serving.SignatureDefMap": "map tensorflow.SignatureDef signature_def = 1",
    "tensorflow.serving.GetModelMetadataResponse": (
        "tensorflow.serving.ModelSpec model_spec = 1; map google.protobuf.Any metadata = 2"
    ),
    "tensorflow.serving.GetModelStatusRequest": "tensorflow.serving.ModelSpec model_spec = 1",
    "tensorflow.serving.StatusProto": "int32 error_code = 1; string error_message = 2",
    "tensorflow.serving.ModelVersionStatus": """
        int64 version = 1; int32 state = 2; tensorflow.serving.StatusProto status = 3""",
    "tensorflow.serving.GetModelStatusResponse": (
        "repeated tensorflow.serving.ModelVersionStatus model_version_status = 1"
    ),
}
_FIELD = re.compile(r"(?:(repeated|map) )?([\w.]+) (\w+) = (\d+)")
_FIELD_PROTO = descriptor_pb2.FieldDescriptorProto


def built(messages: dict) -> dict:
    """Name without the package → message class, all from one pool.

    Args:
        messages: full name → fields, as `_FIELDS`; those of a package after those that it names.
    """
    files: dict = {}
    described: dict = {}
    for full_name, fields in messages.items():
        parent, _, name = full_name.rpartition(".")
        if parent in described:
            message = described[parent].nested_type.add(name=name)
        else:
            file = files.setdefault(
                parent,
                descriptor_pb2.FileDescriptorProto(
                    name=f"{parent}.proto", package=parent, syntax="proto3", dependency=[]
                ),
            )
            message = file.message_type.add(name=name)
        described[full_name] = message
        for label, kind, field, number in _FIELD.findall(fields):
            if label == "map":
                kind = _entry(message, full_name, field, kind)
            _add(message, field, int(number), kind, bool(label))
    pool = descriptor_pool.DescriptorPool()
    before: list = []
    for file in files.values():
        file.dependency.extend(before)
        pool.AddSerializedFile(file.SerializeToString())
        before.append(file.name)
    return {
        name.rpartition(".")[2]: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        for name in messages
    }


def _entry(message, full_name, field, kind):
    """Full name of the message that stands for one entry of `map<string, kind> field`."""
    name = field.title().replace("_", "") + "Entry"
    entry = message.nested_type.add(name=name)
    entry.options.map_entry = True
    _add(entry, "key", 1, "string", False)
    _add(entry, "value", 2, kind, False)
    return f"{full_name}.{name}"


def _add(message, name, number, kind, repeated):
    scalar = "." not in kind
    message.field.add(
        name=name,
        number=number,
        label=_FIELD_PROTO.LABEL_REPEATED if repeated else _FIELD_PROTO.LABEL_OPTIONAL,
        type=_FIELD_PROTO.Type.Value(f"TYPE_{kind.upper()}" if scalar else "TYPE_MESSAGE"),
        type_name=None if scalar else f".{kind}",
    )


# Classes by their names without the package, such as `messages.PredictRequest`.
messages = types.SimpleNamespace(**built(_FIELDS))
