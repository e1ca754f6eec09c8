"""One picture of every method: reconstructions of the same images and samples, or translations.

usage: python -m zoo.gallery [MODEL ...] [flags]

MODEL is a run directory, a .keras file, a SavedModel directory or the name of a preset; without
one, every preset is shown. Models of one split of a data set stand together, below its images, in
the order in which `python -m trainers` lists their methods. Nothing is chosen by eye: the images
are the first test image of each class, the samples the first draws of the seed. Models of two
domains of images stand below images of both: their translations, and these translated back, above
the truth if it is known. Models of points stand side by side, each with --points samples.
"""

import dataclasses
import json
import sys

from zoo import models
from zoo.cli import commands
from zoo.models import loading

FLAGS = {
    "dataset": models.DATASET_FLAG,
    "reconstructions": (10, "Test images to reconstruct, or to translate from A to B."),
    "samples": (8, "Samples of each model of images, or images to translate from B to A."),
    "points": (2500, "Samples of each model of points."),
    "seed": commands.SEED,
    "out": ("runs/gallery.png", "PNG file to write."),
}


def main(argv: list | None = None) -> None:
    """Load, decode, draw. Exit code 2 and one line for bad input."""
    import zoo

    with commands.exit_on_bad_input():
        args, paths = commands.parse(__doc__, FLAGS, argv)
        commands.at_least(args, reconstructions=1, samples=1, points=1, seed=0)
        draw(paths or [preset.name for preset in zoo.list_presets()], args)
    print(f"see {args.out}")


def draw(paths: list, args) -> None:
    """Writes the gallery of the models at `paths`; `args` has the values of `FLAGS`.

    Raises:
        ValueError: a model or its data cannot be read, or they are neither all images of one shape
            nor all points of one set; or a model translates points.
    """
    from zoo.plots import sheets

    groups: dict = {}
    for number, path in enumerate(paths, 1):
        print(f"{path} ({number} of {len(paths)})", file=sys.stderr, flush=True)
        data, made = _made(path, args)
        names = [other.name for _, others in groups.values() for other in others]
        made = dataclasses.replace(made, name=str(path)) if made.name in names else made
        groups.setdefault((_title(data), data.test[:100].tobytes()), (data, []))[1].append(made)
    for _, made in groups.values():
        made.sort(key=lambda m: m.place)
    points = [data.shape == (2,) for data, _ in groups.values()]
    if any(points):
        if len(groups) > 1:
            raise ValueError(
                "a gallery of points needs models of one data set; got "
                + ", ".join(title for title, *_ in groups)
            )
        _draw_points(args, paths, *groups.popitem()[1])
        return
    rows = []
    # Groups of two domains stand last: they have other columns.
    for data, made in sorted(groups.values(), key=lambda group: group[0].other is not None):
        rows += (_group if data.other is None else _pair)(data, made, args)
    headings = [
        (0, "test images, and their reconstructions"),
        (args.reconstructions + 1, "other test images, and samples"),
    ]
    note = (
        "Nothing is chosen by eye: the first test image of each class, and images of the first "
        f"{args.samples} codes drawn from the prior (seed {args.seed})."
    )
    if any(data.other is not None for data, _ in groups.values()):
        note += " Of two sets, A → B is at the left, B → A at the right."
    if any(m.method == "counterexample" for _, made in groups.values() for m in made):
        note += (
            " The codes of the counterexample are noise, hidden in some pixels: reconstructions "
            "keep the noise and show other images."
        )
    title = "Reconstructions and samples of every method"
    sheets.draw(args.out, title, rows, headings, note, _about(paths))


def _draw_points(args, paths, data, made):
    from zoo.plots import clouds

    made = {_label(m, made): m.samples for m in made}
    real = data.test[: args.points]
    title = f"{data.name}: real points and {args.points:,} samples of each model"
    clouds.draw(args.out, title, real, made, _about(paths))


def _about(paths):
    return {"weights": json.dumps(models.weights_of(paths))}


@dataclasses.dataclass(frozen=True)
class _Made:
    """Images of a model; its method is the name of a module of `zoo`, or "".

    Of two domains it is `ways`, the `zoo.metrics.translation.Translated` of both, and nothing else.
    """

    name: str
    method: str
    reconstructions: object = None
    samples: object = None
    ways: tuple = ()

    @property
    def place(self):
        """Place of its method among all, those without one last."""
        import zoo

        known = [*zoo.METHODS, *zoo.CONSTRUCTIONS]
        return known.index(self.method) if self.method else len(known)


def _made(path, args):
    """(data set, `_Made`) of the model at `path`."""
    from zoo.metrics import in_batches

    data = models.data_of(path, args.dataset)
    if data.other is not None:
        return data, _translated(path, data, args)
    model = models.load(path)
    if data.shape != tuple(model.shape) or len(data.shape) not in (1, 3):
        raise ValueError(
            f"{model.name} makes examples of {tuple(model.shape)}, {data.name} has {data.shape}; "
            "a gallery needs images of one shape"
        )
    reconstructions, n = None, args.samples if len(data.shape) == 3 else args.points
    if model.encode and len(data.shape) == 3:
        x = model.observed(_shown(data, args)[0], args.seed)
        reconstructions = in_batches(model.decode, in_batches(model.encode, x))
    samples = in_batches(model.decode, model.prior(n, args.seed))
    method = method_of(model.name) if model.method is None else model.method
    return data, _Made(model.name, method, reconstructions, samples)


def _translated(path, data, args):
    import zoo
    from zoo.metrics import translation

    if len(data.shape) != 3:
        raise ValueError(f"a gallery shows no translations of points; {path} makes {data.shape}")

    def rows(domain):
        taken = _rows(domain, args)[0 if domain is data else 1]
        if not len(taken):
            raise ValueError(
                f"--reconstructions={args.reconstructions} leaves none of the {len(domain.test)} "
                f"test images of {domain.name} for the way back"
            )
        return taken

    game = zoo.load(path)
    ways = tuple(translation.both_ways(game, data, rows))
    return _Made(loading.name_of(path), models.method_of(game), ways=ways)


def _title(data):
    if data.other is None:
        return data.name
    return f"{data.name} → {data.other.name} → {data.name}"


def _rows(data, args):
    """Rows of test images: the first of each class, and then of those left; and others."""
    import numpy as np

    _, first = np.unique(data.test_labels, return_index=True)
    order = np.concatenate([first, np.setdiff1d(np.arange(len(data.test)), first)])
    shown = order[: args.reconstructions + args.samples]
    return shown[: args.reconstructions], shown[args.reconstructions :]


def _shown(data, args):
    """The images in [-1, 1] of `_rows`."""
    from zoo import datasets

    return [datasets.scale(data.test[rows]) for rows in _rows(data, args)]


def _pair(data, made, _):
    """The rows of two sets: images of both, and two rows for each model."""
    from zoo.plots.sheets import Row

    def row(label, m, part):
        a, b = (getattr(way, part) for way in m.ways)
        return Row(label, [*a, None, *b])

    rows = [Row(_title(data)), row("test images", made[0], "images")]
    for m in made:
        rows += [row(_label(m, made), m, "made"), row("… and back", m, "back")]
    return rows + ([row("the truth", made[0], "truth")] if data.truth_known else [])


def _group(data, made, args):
    """The rows of one data set: its images, and a row for each model."""
    from zoo.plots.sheets import Row

    x, others = _shown(data, args)
    rows = [Row(data.name), Row("test images", [*x, None, *others])]
    for m in made:
        label, cells = _label(m, made), [None] * len(x)
        if m.reconstructions is None:
            label += "\n(no encoder)"
        else:
            cells = list(m.reconstructions)
        rows.append(Row(label, [*cells, None, *m.samples]))
    return rows


def _label(m, made):
    """The method of `m`; its name if it has none, or if others of `made` are of that method."""
    alone = [other.method for other in made].count(m.method) == 1
    return title_of(m.method) if m.method and alone else m.name


def method_of(name: str) -> str:
    """The method of a SavedModel, which does not say it, by its name; "" if that has none.

    "vae_gan_dcgan_mnist" → "vae_gan".
    """
    import zoo

    known = sorted(zoo.METHODS | zoo.CONSTRUCTIONS, key=len, reverse=True)
    return next((m for m in known if name == m or name.startswith(f"{m}_")), "")


def title_of(method: str) -> str:
    """A method as its paper writes it: "vae_gan" → "VAE/GAN"."""
    import importlib

    # The docstring of a method's module begins with its name.
    return (importlib.import_module(f"zoo.{method}").__doc__ or "").split(":")[0]


if __name__ == "__main__":
    main()
