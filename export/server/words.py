"""What the server says on the screen."""

import json
import os
import time


def say(line: str) -> None:
    """A line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def how_to_call(options, registry) -> list:
    """Lines that tell where what is served, ending with commands that can be pasted."""
    tls = bool(options.ssl_config_file)
    host = "localhost" if options.host == "0.0.0.0" else options.host
    address = f"{host}:{options.port}" if options.port else f"unix:{options.grpc_socket_path}"
    lines = [f"gRPC on {address}{', TLS' if tls else ''}, process {os.getpid()}"]
    rest = f"http://{host}:{options.rest_api_port}" if options.rest_api_port else ""
    if rest:
        lines.append(f"REST on {rest}")
    if options.monitoring_config_file:
        lines.append("metrics are on the REST port")
    for model in registry.models.values():
        numbers = model.available()
        if not numbers:
            continue
        newest = model.versions[numbers[-1]].servable
        lines.append(f"{model.name}: versions {', '.join(map(str, numbers))}")
        for name, signature in newest.signatures.items():
            if signature.function is not None:
                lines.append(f"  {name}: {_arguments(signature)} -> {', '.join(signature.outputs)}")
        lines += _commands(model.name, address, rest, tls)
    return lines


def _arguments(signature):
    from export.server.signatures import words
    from export.server.tensors import type_name

    return ", ".join(
        f"{alias} {type_name(dtype)} {words(shape) if shape is not None else '[...]'}"
        for alias, (dtype, shape) in signature.inputs.items()
    )


def _commands(name, address, rest, tls):
    spec = json.dumps({"model_spec": {"name": name}})
    plain = "" if tls else "-plaintext "
    method = "tensorflow.serving.ModelService/GetModelStatus"
    lines = [f"  try: grpcurl {plain}-d '{spec}' {address} {method}"]
    if not tls:
        lines.append(f'       python -c "{_python(name, address)}"')
    if rest:
        lines.append(f"       curl {rest}/v1/models/{name}/metadata")
        lines.append(
            f'       curl -d \'{{"signature_name": …, "instances": […]}}\' '
            f"{rest}/v1/models/{name}:predict"
        )
    return lines


def _python(name, address):
    return (
        "import grpc; from tensorflow_serving.apis import get_model_metadata_pb2 as m, "
        "prediction_service_pb2_grpc as p; "
        f"print(p.PredictionServiceStub(grpc.insecure_channel('{address}'))"
        f".GetModelMetadata(m.GetModelMetadataRequest(model_spec=dict(name='{name}'), "
        "metadata_field=['signature_def'])))"
    )
