"""One picture of every method: reconstructions of the same images, and samples.

usage: python -m zoo.gallery [MODEL ...] [flags]

MODEL is a run directory, a .keras file, a SavedModel directory or the name of a preset; without
one, every preset is shown. Models of one data set stand together, below its images. Nothing is
chosen by eye: the images are the first test image of each class, the samples the first draws of
the seed.
"""

import json
import os
import sys

from zoo import models
from zoo.cli import commands

FLAGS = {
    "dataset": models.DATASET_FLAG,
    "reconstructions": (10, "Test images to reconstruct."),
    "samples": (8, "Samples of each model."),
    "seed": (0, "Seed of the samples."),
    "out": ("runs/gallery.png", "PNG file to write."),
}


def main(argv: list | None = None) -> None:
    """Load, decode, draw. Exit code 2 and one line for bad input."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with commands.exit_on_bad_input():
        args, paths = commands.parse(__doc__, FLAGS, sys.argv if argv is None else argv)
        commands.at_least(args, reconstructions=1, samples=1, seed=0)
        draw(paths or _presets(), args)
    print(f"see {args.out}")


def draw(paths: list, args) -> None:
    """Writes the gallery of the models at `paths`; `args` has the values of `FLAGS`.

    Raises:
        ValueError: a model or its data cannot be read, or they have no images, or differ in shape.
    """
    from zoo.plots import sheets

    groups: dict = {}
    for number, path in enumerate(paths, 1):
        print(f"{path} ({number} of {len(paths)})", file=sys.stderr, flush=True)
        data, *row = _made(path, args)
        groups.setdefault(data.name, (data, []))[1].append(row)
    rows = []
    for data, made in groups.values():
        rows += _group(data, made, args)
    headings = [
        (0, "test images, and their reconstructions"),
        (args.reconstructions + 1, "other test images, and samples"),
    ]
    note = (
        "Nothing is chosen by eye: the first test image of each class, and images of the first "
        f"{args.samples} codes drawn from the prior (seed {args.seed})."
    )
    about = {"weights": json.dumps(models.weights_of(paths))}
    sheets.draw(
        args.out, "Reconstructions and samples of every method", rows, headings, note, about
    )


def _presets():
    import zoo

    names = [preset.name for preset in zoo.list_presets()]
    if not names:
        raise ValueError("no model given, and this version has no presets; see --help")
    return names


def _made(path, args):
    """(data set, name of the method, name of the model, reconstructions or None, samples)."""
    from zoo.metrics import in_batches

    model = models.load(path)
    data = models.data_of(path, args.dataset)
    if len(data.shape) != 3 or data.shape != tuple(model.shape):
        raise ValueError(
            f"{model.name} makes examples of {tuple(model.shape)}, {data.name} has {data.shape}; "
            "a gallery needs images of one shape"
        )
    reconstructions = None
    if model.encode:
        x = model.observed(_shown(data, args)[0], args.seed)
        reconstructions = in_batches(model.decode, in_batches(model.encode, x))
    samples = in_batches(model.decode, model.prior(args.samples, args.seed))
    return data, method_of(model.name), model.name, reconstructions, samples


def _shown(data, args):
    """Test images in [-1, 1]: the first of each class, and then of those left; and others."""
    import numpy as np

    from zoo import datasets

    _, first = np.unique(data.test_labels, return_index=True)
    order = np.concatenate([first, np.setdiff1d(np.arange(len(data.test)), first)])
    images = datasets.scale(data.test[order[: args.reconstructions + args.samples]])
    return images[: args.reconstructions], images[args.reconstructions :]


def _group(data, made, args):
    """The rows of one data set: its images, and a row for each model."""
    from zoo.plots.sheets import Row

    x, others = _shown(data, args)
    rows = [Row(data.name), Row("test images", [*x, None, *others])]
    titles = [title for title, *_ in made]
    for title, name, reconstructions, samples in made:
        label = name if titles.count(title) > 1 or not title else title
        empty = [None] * len(x)
        if reconstructions is None:
            label += "\n(no encoder)"
        cells = empty if reconstructions is None else list(reconstructions)
        rows.append(Row(label, [*cells, None, *samples]))
    return rows


def method_of(name: str) -> str:
    """The method of a model as its paper writes it, by the model's name; "" if it has none.

    "vae_gan_dcgan_mnist" → "VAE/GAN".
    """
    import importlib

    import zoo

    known = sorted(zoo.METHODS | zoo.CONSTRUCTIONS, key=len, reverse=True)
    found = next((m for m in known if name == m or name.startswith(f"{m}_")), None)
    # The docstring of a method's module begins with its name.
    doc = importlib.import_module(f"zoo.{found}").__doc__ if found else None
    return doc.split(":")[0] if doc else ""


if __name__ == "__main__":
    main()
