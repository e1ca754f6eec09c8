"""Lines that the server prints."""

import json
import os
import time

from export.server import demo
from export.server import flags

MOST_NUMBERS = 64  # limit of an example that is written out in a command


def say(line: str) -> None:
    """A line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def how_to_call(options, registry) -> list:
    """Lines with the addresses and served signatures, ending with commands to paste."""
    tls = bool(options.ssl_config_file)
    everywhere = options.host in ("0.0.0.0", "::")

    def at(port):
        return f"localhost:{port}" if everywhere else flags.address(options, port)

    address = at(options.port) if options.port else f"unix:{options.grpc_socket_path}"
    lines = [f"gRPC on {address}{', TLS' if tls else ''}, process {os.getpid()}"]
    rest = f"http://{at(options.rest_api_port)}" if options.rest_api_port else ""
    if rest:
        lines.append(f"REST on {rest}")
        if demo.enabled(options):
            lines.append(f"a page to try the models: {rest}/")
    if options.monitoring_config_file:
        lines.append("metrics are on the REST port")
    for model in registry.models.values():
        numbers = model.available()
        if not numbers:
            continue
        newest = model.versions[numbers[-1]].servable
        lines.append(f"{model.name}: versions {', '.join(map(str, numbers))}")
        for name, signature in newest.signatures.items():
            if signature.runs:
                lines.append(f"  {name}: {_arguments(signature)} -> {', '.join(signature.outputs)}")
        lines += _commands(model.name, newest, address, rest, tls)
    return lines


def _arguments(signature):
    from export.server.signatures import words
    from export.server.tensors import type_name

    return ", ".join(
        f"{alias} {type_name(dtype)} {words(shape) if shape is not None else '[...]'}"
        for alias, (dtype, shape) in signature.inputs.items()
    )


def _commands(name, servable, address, rest, tls):
    """Commands to paste: the status, and a prediction for zeros."""
    spec = json.dumps({"model_spec": {"name": name}})
    plain = "" if tls else "-plaintext "
    method = "tensorflow.serving.ModelService/GetModelStatus"
    lines = [f"  try: grpcurl {plain}-d '{spec}' {address} {method}"]
    examples = {
        signature: feeds
        for signature in servable.signatures.values()
        if signature.runs and (feeds := signature.example(1))
    }
    if examples and not tls:
        signature, feeds = next(iter(examples.items()))
        lines.append(f'       python -c "{_python(name, signature.name, feeds, address)}"')
    if rest:
        lines.append(f"       curl {rest}/v1/models/{name}/metadata")
    for signature, feeds in examples.items():
        if rest and sum(value.size for value in feeds.values()) <= MOST_NUMBERS:
            body = {a: value.tolist() for a, value in feeds.items()}
            text = json.dumps({"signature_name": signature.name, "inputs": body})
            lines.append(f"       curl -d '{text}' {rest}/v1/models/{name}:predict")
            break
    return lines


def _python(name, signature, feeds, address):
    inputs = ", ".join(
        f"{alias}=np.zeros({list(value.shape)}, '{value.dtype.name}')"
        for alias, value in feeds.items()
    )
    return (
        "import numpy as np; from export.client import Client; "
        f"print(Client('{address}', model='{name}').predict('{signature}', {inputs}))"
    )
