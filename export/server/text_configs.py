"""The text files that TensorFlow Serving reads.

`tensorflow-serving-api` only has the message of the model config. The other three are described
here, with TensorFlow Serving's field names and numbers; see `export.client.messages`.
"""

import os
import pathlib

from google.protobuf import text_format

from export.client.messages import built

_MESSAGES = built(
    {
        "google.protobuf.Int64Value": "int64 value = 1",
        "google.protobuf.StringValue": "string value = 1",
        "google.protobuf.BoolValue": "bool value = 1",
        "tensorflow.serving.BatchingParameters": """
            google.protobuf.Int64Value max_batch_size = 1;
            google.protobuf.Int64Value batch_timeout_micros = 2;
            google.protobuf.Int64Value max_enqueued_batches = 3;
            google.protobuf.Int64Value num_batch_threads = 4;
            google.protobuf.StringValue thread_pool_name = 5;
            repeated int64 allowed_batch_sizes = 6; bool pad_variable_length_inputs = 7;
            google.protobuf.BoolValue enable_large_batch_splitting = 8;
            google.protobuf.Int64Value max_execution_batch_size = 9""",
        "tensorflow.serving.PrometheusConfig": "bool enable = 1; string path = 2",
        "tensorflow.serving.MonitoringConfig": (
            "tensorflow.serving.PrometheusConfig prometheus_config = 1"
        ),
        "tensorflow.serving.SSLConfig": """
            string server_key = 1; string server_cert = 2; string custom_ca = 3;
            bool client_verify = 4""",
    }
)


def message(name: str):
    """The class of `BatchingParameters`, `MonitoringConfig` or `SSLConfig`."""
    return _MESSAGES[name]


def read(path: str, name: str):
    """The message `name` in the text file at `path`.

    Raises:
        ValueError: the file cannot be read, or is no such message; worded as in TensorFlow Serving.
    """
    if name == "ModelServerConfig":
        from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig as kind
    elif name == "ConfigProto":
        from tensorflow.core.protobuf.config_pb2 import ConfigProto as kind
    else:
        kind = message(name)
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path}: {error}") from None
    try:
        return text_format.Parse(text, kind())
    except text_format.ParseError as error:
        raise ValueError(
            f"Error parsing text-format {kind.DESCRIPTOR.full_name}: {path}:{error}"
        ) from None


def read_ssl(path: str):
    """The SSLConfig at `path`; None if `path` is empty.

    Raises:
        ValueError: the file cannot be used.
    """
    if not path:
        return None
    config = read(path, "SSLConfig")
    if not (config.server_key and config.server_cert):
        raise ValueError(f"{path} needs server_key and server_cert")
    if config.client_verify and not config.custom_ca:
        raise ValueError(f"{path}: client_verify needs custom_ca")
    return config


def models(options) -> list:
    """The `ModelConfig` of every model that the flags or their file name."""
    from tensorflow_serving.config import model_server_config_pb2

    if options.model_config_file:
        file = read(options.model_config_file, "ModelServerConfig")
        if file.WhichOneof("config") != "model_config_list":
            raise ValueError(f"{options.model_config_file} has no model_config_list")
        return list(file.model_config_list.config)
    path = options.model_base_path
    if "://" not in path:
        path = os.path.abspath(path)
    return [
        model_server_config_pb2.ModelConfig(
            name=options.model_name, base_path=path, model_platform="tensorflow"
        )
    ]
