"""Draw uses of the codes of a trained model, with metrics beside their baselines.

usage: python -m zoo.latent MODEL [MODEL ...] [flags]

MODEL is a run directory, a .keras file, a SavedModel directory or the name of a preset. The first
is drawn: interpolation, traversal, neighbours, attribute vectors, code arithmetic and anomaly
detection, as far as it has the networks and labels. Every model with an encoder is a row of
the table of anomaly detection: for each, the sets that it was not trained on are unusual, so that
a model of each of two sets gives both directions. Writes the pictures, latent.json and a page in
Markdown.
"""

import os
import pathlib
import platform
import re
import sys
import time

import numpy as np

from zoo import models
from zoo import run_files
from zoo.cli import commands
from zoo.cli import machine
from zoo.models import Subject

FLAGS = {
    "dataset": models.DATASET_FLAG,
    "unusual": ("", "A data set that the models have not seen, such as mnist."),
    "attributes": (
        "",
        "Attribute vectors, as labels source:to, with commas; by default 7:9,0:2 "
        "(with Fashion-MNIST: sneaker to ankle boot, T-shirt to pullover).",
    ),
    "arithmetic": (
        "",
        "Sums of labels, a-b+c, with commas; by default 2-0+3,9-7+5 (with "
        "Fashion-MNIST: pullover - T-shirt + dress, ankle boot - sneaker + sandal).",
    ),
    "examples": (2000, "Test examples to measure on, at most; five times as many from training."),
    "seed": commands.SEED,
    "out": ("", "Directory of the pictures; by default runs/latent/NAME."),
    "page": ("", "The Markdown page to write; by default README.md beside the pictures."),
}
_DEFAULTS = {"attributes": "7:9,0:2", "arithmetic": "2-0+3,9-7+5"}


def main(argv: list | None = None) -> None:
    """Measure, draw, write. Exit code 2 and one line for bad input."""
    began = time.monotonic()
    with commands.exit_on_bad_input():
        args, paths = commands.parse(__doc__, FLAGS, argv, "model")
        commands.at_least(args, examples=20, seed=0)
        out, found = _measured(paths, args)
    from zoo.latent import page

    command = commands.typed("zoo.latent", argv)
    found = {"command": command, "settings": vars(args)} | found
    found["seconds"] = round(time.monotonic() - began, 1)
    run_files.write_json(out / "latent.json", found)
    file = pathlib.Path(args.page or out / "README.md")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page.written(found, os.path.relpath(out, file.parent)), encoding="utf-8")
    print(page.summary(found))
    print(f"\nsee {file} and the pictures in {out}")


def _measured(paths, args):
    from zoo.latent import moves
    from zoo.latent import parts

    subjects = [read(path, args.dataset, args.examples, args.seed) for path in paths]
    first, others = subjects[0], _others(subjects, args)
    sets = [_trained_on(*pair, args.dataset) for pair in zip(paths, subjects, strict=True)]
    known = set(first.labels["train"]) & set(first.labels["test"])
    labels = sorted(known) if first.model.encode else []
    pairs = _wanted(args.attributes, "attributes", r"(\d+):(\d+)", labels)
    sums = _wanted(args.arithmetic, "arithmetic", r"(\d+)-(\d+)\+(\d+)", labels)
    out = commands.directory(args.out or f"runs/latent/{first.model.name}")
    drawn = {"interpolation": parts.interpolation, "traversal": parts.traversal}
    if first.model.encode:
        drawn["neighbours"] = parts.nearest
    if pairs:
        drawn["attributes"] = lambda *place: moves.attributes(*place, pairs)
    if sums:
        drawn["arithmetic"] = lambda *place: moves.arithmetic(*place, sums)
    figures = {}
    for name, part in drawn.items():
        print(f"drawing {name}", file=sys.stderr, flush=True)
        figures[name] = part(first, out)
    found = {"figures": figures, "anomaly": _detected(subjects, sets, others, out)}
    return out, _about(first, sets[0]) | {"weights": models.weights_of(paths)} | found


def read(path: str, dataset: str, limit: int, seed: int) -> Subject:
    """The model at `path` with `limit` of its test examples, and five times as many for training.

    Raises:
        ValueError: there is no such model or data set, or they do not fit, or have no images.
    """
    model, data = models.load(path), models.data_of(path, dataset)
    if len(data.shape) != 3:
        raise ValueError(f"{data.name} holds points; pictures need images")
    rng, limits = np.random.default_rng(seed), {"train": 5 * limit, "test": limit}
    rows = {s: rng.permutation(len(getattr(data, s)))[:most] for s, most in limits.items()}
    return Subject(model, data, {s: np.sort(some) for s, some in rows.items()}, seed)


def _trained_on(path, subject, dataset):
    """Name of the data, with the split if that is not all of the training images."""
    split = "" if dataset else models.trained_on(path).get("train_split", "train")
    return subject.data.name + (f" {split}" if split not in ("", "train") else "")


def _detected(subjects, sets, others, out):
    from zoo.latent import detection

    rows = []
    for subject, trained_on, unusual in zip(subjects, sets, others, strict=True):
        if subject.model.anomaly is None:
            continue
        scores = detection.measure(subject, unusual)
        if subject is subjects[0]:
            detection.draw(out / "anomaly.png", subject, scores)
        smallest = min(len(subject.x["test"]), *(len(images) for _, images in scores.values()))
        rows.append(
            {"model": subject.model.name, "trained_on": trained_on, "images": smallest}
            | {"unusual": detection.aurocs(scores)}
        )
    return rows


def _wanted(text, flag, form, labels):
    """The labels that a flag names, as tuples; its default as far as the labels exist."""
    found = []
    for entry in (text or _DEFAULTS[flag]).split(","):
        match = re.fullmatch(form, entry.strip())
        if not match:
            raise ValueError(f"--{flag}={text}: {entry!r} is not like {_DEFAULTS[flag]!r}")
        wanted = tuple(int(label) for label in match.groups())
        if flag == "attributes" and wanted[0] == wanted[1]:
            raise ValueError(f"--{flag} must be pairs of two different labels; got {entry}")
        if set(wanted) <= set(labels):
            found.append(wanted)
        elif text and len(labels) < 2:
            raise ValueError(f"--{flag} needs an encoder and labels")
        elif text:
            known = ", ".join(map(str, labels))
            raise ValueError(f"labels of --{flag} must be among those seen, {known}; got {text}")
    return found


def _others(subjects, args):
    """name → images, for each subject: of the data sets that share no image with its own."""
    from zoo import datasets

    sets = {subject.data.name: subject.data for subject in subjects}
    if args.unusual and args.unusual not in sets:
        sets[args.unusual] = datasets.load(args.unusual)
    images = {}
    for name, data in sets.items():
        order = np.random.default_rng(args.seed).permutation(len(data.test))
        images[name] = data.test[np.sort(order[: args.examples])]
    found = []
    for subject in subjects:
        others = {name for name, data in sets.items() if not _overlap(subject.data, data)}
        for name in others if subject.model.anomaly else ():
            other = "another --unusual" if name == args.unusual else "models of one shape"
            models.check_shape(subject.model.name, subject.model.shape, sets[name], other)
        found.append({name: some for name, some in images.items() if name in others})
    if args.unusual and not any(args.unusual in others for others in found):
        raise ValueError(
            "--unusual must share no image with the data of a model; "
            f"got {args.unusual} for {', '.join(subject.data.name for subject in subjects)}"
        )
    return found


def _overlap(a, b):
    """Whether two sets may share images: of one origin, by the same maps, and of one class."""
    labels = ({*np.unique(d.train_labels), *np.unique(d.test_labels)} for d in (a, b))
    return _whole(a) == _whole(b) and a.maps == b.maps and bool(set.intersection(*labels))


def _whole(data):
    """The name of the set of which `data` is a part: fashion_mnist of fashion_mnist_10k."""
    return re.sub(r"\[class=[^\[\]]+\]", "", data.origin).removesuffix("_10k")


def _about(subject, trained_on):
    return {
        "model": subject.model.name,
        "trained_on": trained_on,
        "classes": list(subject.data.classes),
        "tested_on": len(subject.x["test"]),
        "library": len(subject.x["train"]),
        "versions": machine.versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


if __name__ == "__main__":
    main()
