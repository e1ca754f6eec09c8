"""The small files around a model, for people and for servers, all made from its contract."""

import inspect
import json
import os
import pathlib
import re

from google.protobuf import text_format

from export.server import text_configs
from zoo.cli import markdown

BATCHING = "batching_params.pbtxt"
CARD = "model_card.md"
# First words of a generated file. A file without them was edited by its owner and is kept.
MARK = "# Written by `python -m export`; delete this line to keep your own changes."
# The release that every generated file names. Older ones lack operations of today's SavedModels.
RELEASE = "2.21.0"
IMAGE = f"tensorflow/serving:{RELEASE}"
# A batch of requests is run at once, by the sizes in `BATCHING` beside each version.
BATCHED = ("--enable_batching", "--enable_per_model_batching_parameters")
MONITORING = 'prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }\n'


def write_batching(version: pathlib.Path, sizes: list) -> None:
    """`batching_params.pbtxt`, which `--enable_per_model_batching_parameters` finds by itself."""
    parameters = text_configs.message("BatchingParameters")(allowed_batch_sizes=sizes)
    parameters.max_batch_size.value = sizes[-1]
    # No request waits for a batch to fill: while one runs, the next gathers.
    parameters.batch_timeout_micros.SetInParent()  # 0
    # The default of 10 refuses a few hundred simultaneous requests.
    parameters.max_enqueued_batches.value = 100
    text = text_format.MessageToString(parameters)
    (version / BATCHING).write_text(text, encoding="utf-8")


def read_batching(version: pathlib.Path) -> tuple[int, list]:
    """(max_batch_size, allowed_batch_sizes) of the file beside a version.

    Raises:
        ValueError: the file is missing, cannot be read or names no size.
    """
    parameters = text_configs.read(str(version / BATCHING), "BatchingParameters")
    if not parameters.HasField("max_batch_size"):
        raise ValueError(f"{BATCHING} names no max_batch_size")
    return parameters.max_batch_size.value, list(parameters.allowed_batch_sizes)


def write_base(base: pathlib.Path, contract: dict) -> list:
    """The files beside the versions, which point to them; returns those that it kept.

    `models.config`, `monitoring.config`, `compose.yaml`, `kserve.yaml` and `Dockerfile` are
    replaced whole, and only if their first line is `MARK`.
    """
    base = base.resolve()
    texts = {
        "models.config": _models(base),
        "monitoring.config": MONITORING,
        "compose.yaml": _compose(base, contract),
        "kserve.yaml": _kserve(base, contract),
        "Dockerfile": _dockerfile(base),
    }
    kept = []
    for name, text in texts.items():
        path = base / name
        if path.exists() and not path.read_bytes().startswith(MARK.encode()):
            kept.append(path)
            continue
        aside = base / f".{name}-{os.getpid()}"
        try:
            aside.write_text(f"{MARK}\n{text}", encoding="utf-8")
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    return kept


def _quoted(text):
    """A string of protobuf's text format, and of YAML."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _models(base):
    return f"""model_config_list {{
  config {{
    name: {_quoted(base.name)}
    base_path: {_quoted(base)}
    model_platform: "tensorflow"
  }}
}}
"""


def _compose(base, contract):
    # A template, not PyYAML, which is no dependency of the package and would drop comments.
    # Mounted under its own path, so that models.config is true inside and outside of the container.
    return f"""# docker compose up
services:
  {_label(base.name)}:
    image: {IMAGE}
    entrypoint: ["tensorflow_model_server"]
    command:
      - --port=8500
      - --rest_api_port=8501
      - {_quoted(f"--model_config_file={base}/models.config")}
      - {_quoted(f"--monitoring_config_file={base}/monitoring.config")}
{_listed(BATCHED, 6)}
      - --enable_grpc_healthcheck_service
    ports: ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    volumes:
      - type: bind
        source: .
        target: {_quoted(base)}
        read_only: true
    labels:
      zoo.method: {_quoted(contract["method"])}
"""


def _kserve(base, contract):
    label = _label(base.name)
    return f"""# kubectl apply -f kserve.yaml
# The claim "models" holds the directory {base.name} with its versions.
# Clients must name the model {label!r}: KServe serves it under the name of this resource.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {label}
  labels:
    zoo.method: {_quoted(contract["method"])}
spec:
  predictor:
    minReplicas: 1
    model:
      modelFormat:
        name: tensorflow
      # The default of KServe's TensorFlow runtime is older, and does not know every operation.
      runtimeVersion: {_quoted(RELEASE)}
      storageUri: {_quoted(f"pvc://models/{base.name}")}
      args:
{_listed(BATCHED, 8)}
      resources:
        requests:
          cpu: "1"
          memory: 1Gi
        limits:
          memory: 2Gi
"""


def _dockerfile(base):
    """The image of all versions, for a cluster without a shared disk."""
    command = [
        "tensorflow_model_server",
        "--port=8500",
        "--rest_api_port=8501",
        f"--model_name={base.name}",
        "--model_base_path=/models/served",
        "--monitoring_config_file=/models/served/monitoring.config",
        *BATCHED,
        "--enable_grpc_healthcheck_service",
    ]
    return f"""# docker build -t {_label(base.name)}-serving . && docker run --rm \\
#   -p 127.0.0.1:8500:8500 -p 127.0.0.1:8501:8501 {_label(base.name)}-serving
FROM {IMAGE}
COPY . /models/served
EXPOSE 8500 8501
ENTRYPOINT {json.dumps(command)}
"""


def _listed(words, indent):
    return "\n".join(" " * indent + f"- {word}" for word in words)


def _label(name):
    """A name that Kubernetes and Compose allow: lower-case letters, digits and hyphens."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
    return label if label[:1].isalpha() else f"model-{label}".strip("-")[:63]


def write_card(version: pathlib.Path, name: str, game, contract: dict, run: dict) -> None:
    """`model_card.md`: description, metrics and signatures of the model."""
    latent, image = contract["latent"], contract["image"]
    title, _, about = inspect.getdoc(type(game)).partition("\n\n")
    kind = "points" if image["range"] is None else "images in [-1, 1]"
    lines = [
        "---",
        "library_name: keras",
        f"tags: [{contract['method']}, generative, encoder]"
        if contract["encoder"]
        else f"tags: [{contract['method']}, generative]",
        "---",
        "",
        f"# {name}",
        "",
        f"{type(game).__name__}: {title}",
        "",
        about.split("\n\n")[0].replace("\n", " "),
        "",
        f"- examples: {kind} of shape {tuple(image['shape'])}",
        *([f"- codes: {latent['dimension']} numbers, prior {latent['prior']}"] if latent else []),
        f"- networks: {contract['config']['network']}, width {contract['config']['width']}",
        f"- weights: sha256 {contract['weights_sha256']}",
        f"- preset: {contract['preset'] or 'none'}",
        f"- trained on: {run.get('data') or 'not recorded'}",
        "",
        markdown.table(["signature", *_SIDES], _sides(contract["signatures"])),
        "",
        _measured(run.get("metrics") or {}),
    ]
    (version / CARD).write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


_SIDES = ("inputs", "outputs")


def _sides(signatures):
    return [
        [key, *(", ".join(_column(item) for item in signature[side].items()) for side in _SIDES)]
        for key, signature in signatures.items()
    ]


def _column(item):
    name, tensor = item
    shape = ", ".join("n" if side is None else str(side) for side in tensor["shape"])
    return f"`{name}` {tensor['dtype']} ({shape})"


# Figures of a run that are no measurements of the model.
_OF_TRAINING = ("epochs", "steps", "wall_s", "images_per_s")


def _measured(metrics):
    flat = {
        key: value
        for key, value in metrics.items()
        if isinstance(value, (int, float)) and key not in _OF_TRAINING
    }
    if not flat:
        return "No figures were recorded with this model."
    rows = [[key, f"{value:.5g}"] for key, value in flat.items()]
    table = markdown.table(["figure", "value"], rows)
    return f"Measured on test images, `n_test` of them if it is given:\n\n{table}"
