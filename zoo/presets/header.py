"""The YAML at the head of a card, as model hubs read it: licence, tags, and the key figures.

Written line by line: PyYAML is no dependency of the package.
"""

import json

from zoo.presets import facts
from zoo.presets.figures import joined
from zoo.presets.rows import ROWS

# key → type of the metric, as hubs name it. Only accuracy is one of theirs.
_TYPES = {
    "x_cycle_ratio": "x_cycle_ratio",
    "knn_code": "accuracy",
    "frechet": "frechet_distance",
    "recall": "recall_of_samples",
    "class_asked": "accuracy",
    "translation_ab_ratio": "translation_ratio",
    "translation_ba_ratio": "translation_ratio",
    "class_kept_ab": "accuracy",
    "class_kept_ba": "accuracy",
    "class_reached_ab": "accuracy",
    "class_reached_ba": "accuracy",
}


def header(name: str, config: dict, metrics: dict, audit: dict) -> str:
    """The block between two lines of dashes; the arguments are as for `zoo.presets.cards.text`."""
    data = facts.data_of(config)
    found = joined(metrics, audit)
    keys = [key for key in _TYPES if isinstance(found.get(key), float)]
    tags = ["gan", config["method"], *(["encoder"] if "encoder" in config["networks"] else [])]
    # A bank of images is a copy of the data, and not a work of this project.
    built = config["training"].get("built")
    licence = (data.licence if data else "other") if built else "apache-2.0"
    lines = [
        "---",
        f"license: {licence}",
        "library_name: keras",
        f"pipeline_tag: {_task(config)}",
        f"tags: [{', '.join(dict.fromkeys(tags))}]",
        *([f"datasets: [{data.hub}]"] if data else []),
        *([f"metrics: [{', '.join(_TYPES[key] for key in keys)}]"] if keys else []),
        *(_index(name, config, metrics, found, keys) if keys else []),
        "---",
    ]
    return "\n".join(lines)


def _index(name, config, metrics, found, keys):
    """`model-index` of huggingface_hub: one task, one data set, the key figures."""
    dataset = config["settings"]["dataset"]
    data = facts.data_of(config)
    beside = config["settings"].get("dataset_b")
    title = data.title if data else dataset
    if beside:
        title = f"{data.title}: {dataset} and {beside}" if data else f"{dataset} and {beside}"
    split = metrics["measured_on"]["small"].get("test_split", "test")
    yield "model-index:"
    yield f"- name: {_text(name)}"
    yield "  results:"
    yield "  - task:"
    yield f"      type: {_task(config)}"
    yield "    dataset:"
    yield f"      name: {_text(title)}"
    yield f"      type: {_text(data.hub if data else dataset)}"
    yield f"      split: {_text(split)}"
    yield "    metrics:"
    labels = {row.key: row.label for row in ROWS}
    space = f", in the space of {found.get('space', 'an unnamed classifier')}"
    for key in keys:
        where = space if key in ("frechet", "recall") else ""
        yield f"    - type: {_TYPES[key]}"
        yield f"      value: {found[key]:.6g}"
        yield f"      name: {_text(labels[key] + where)}"


def _task(config):
    two = "dataset_b" in config["settings"]
    return "image-to-image" if two else "unconditional-image-generation"


def _text(value):
    # A JSON string is a YAML string.
    return json.dumps(value, ensure_ascii=False)
