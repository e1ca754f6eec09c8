"""Restoring images with the multi-code prior of a trained generator: every task, with baselines.

usage: python -m zoo.inversion.tasks MODEL [flags]

MODEL is the name of a preset (`python -m zoo` lists them), a run directory or a .keras file.
Prints how well test images are reconstructed from one code and from several, beside the same images
upside down and beside noise; how well a hole is filled, a smaller image enlarged and noise removed,
and of images in colour, how well colours are found from grey, each beside the simplest other way to
do it; and how a direction of codes moves the class of a reconstruction, if there is a classifier of
the data. Writes tasks.json, and tasks.png with the images. See zoo/inversion/multi_code.py.
"""

import math
import time

import numpy as np

from zoo import models
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown
from zoo.inversion import arguments
from zoo.inversion import degraded
from zoo.inversion.degraded import FACTOR

FLAGS = {
    "dataset": models.DATASET_FLAG,
    "images": (16, "Test images; a search takes 16 at a time."),
    "codes": (10, "Codes of an image, beside one."),
    "layer": ("", "Layer at which the generator is cut; by default the first map."),
    "steps": (200, "Steps of a search."),
    "seed": commands.SEED,
    "out": commands.out("runs/tasks"),
}
NOISE = 0.5  # its standard deviation, pixels in [-1, 1]
DENOISING = 4  # denoising stops after this part of the steps: later ones copy the noise
DRAWS = 4000  # samples from which the direction towards a class is taken
SHOWN = 10


def psnr(images: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of all images together; pixels have a range of 2."""
    return 10 * math.log10(4 / np.mean((images - truth) ** 2))


class Tasks:
    """The tasks on the test images of one data set, for one number of codes after another.

    Args:
        game: a trained game, see `zoo.inversion.multi_code.MultiCode`.
        data: a `zoo.datasets.Dataset` of images.
        args: the flags of the command.
    """

    def __init__(self, game, data, args):
        from zoo import datasets
        from zoo.metrics.arrays import representative

        self.game, self.args = game, args
        self.rng = np.random.default_rng(args.seed)
        rows = representative(data.test_labels, args.images, args.seed)
        self.x = datasets.scale(data.test[rows])
        known = representative(data.train_labels, 10_000, args.seed)
        self.mean = datasets.scale(data.train[known]).mean(axis=0)
        self.shown = {"test images": self.x}
        h, w, _ = data.shape
        self.hole = np.zeros(self.x.shape, bool)
        self.hole[:, h // 3 : 2 * h // 3 + 1, w // 3 : 2 * w // 3 + 1] = True
        self.noisy = self.x + NOISE * self.rng.normal(size=self.x.shape).astype("float32")
        self.noise = self.rng.uniform(-1, 1, self.x.shape).astype("float32")

    def restore(self, name, codes, observed, steps=None, **known):
        """Images that `codes` codes give for what is observed, kept for the picture."""
        from zoo.inversion import restore

        settings = {"codes": codes, "layer": self.args.layer or None, "seed": self.args.seed}
        steps = steps or self.args.steps
        found = restore(self.game, observed, steps=steps, **settings, **known)
        self.shown[f"{name}, {codes} codes" if codes > 1 else f"{name}, one code"] = found.images
        return found

    def baselines(self) -> dict[str, float]:
        """Task → figure of the simplest other way."""
        from scipy import ndimage

        x, shape = self.x, self.x.shape
        enlarged = ndimage.zoom(
            degraded.smaller(x), (1, FACTOR, FACTOR, 1), order=3, mode="nearest"
        )
        blurred = ndimage.gaussian_filter(self.noisy, (0, 1, 1, 0))
        mean = np.broadcast_to(self.mean, shape)
        self.shown |= {"with noise": self.noisy, "Gaussian blur": blurred}
        grey = np.broadcast_to(degraded.grey(x), shape)
        colour = {"coloured": psnr(grey, x)} if shape[-1] == 3 else {}
        return colour | {
            "reconstruction": psnr(mean, x),
            "upside down": psnr(np.broadcast_to(self.mean[::-1], shape), x[:, ::-1]),
            "noise": psnr(np.zeros(shape), self.noise),
            "hole": psnr(mean[self.hole], x[self.hole]),
            "enlarged": psnr(np.clip(enlarged, -1, 1), x),
            "denoised": psnr(np.clip(blurred, -1, 1), x),
        }

    def measure(self, codes: int) -> dict[str, float]:
        """Task → figure of so many codes, in dB."""
        x = self.x
        self.found = self.restore("reconstruction", codes, x)
        filled = self.restore("hole filled", codes, x, mask=(~self.hole).astype("float32")).images
        self.shown[next(reversed(self.shown))] = np.where(self.hole, filled, x)
        steps = max(1, self.args.steps // DENOISING)
        colour = {}
        if x.shape[-1] == 3:
            found = self.restore("coloured", codes, degraded.grey(x), degrade=degraded.grey).images
            # The grey is known: colours alone are taken from what was found.
            coloured = self.shown[next(reversed(self.shown))] = (
                found - degraded.grey(found) + degraded.grey(x)
            )
            colour["coloured"] = psnr(np.clip(coloured, -1, 1), x)
        return colour | {
            "reconstruction": psnr(self.found.images, x),
            "upside down": psnr(self.restore("upside down", codes, x[:, ::-1]).images, x[:, ::-1]),
            "noise": psnr(self.restore("noise", codes, self.noise).images, self.noise),
            "hole": psnr(filled[self.hole], x[self.hole]),
            "enlarged": psnr(
                self.restore(
                    "enlarged", codes, degraded.smaller(x), degrade=degraded.smaller
                ).images,
                x,
            ),
            "denoised": psnr(self.restore("denoised", codes, self.noisy, steps).images, x),
        }

    def moved(self, codes: int, space) -> dict[str, float]:
        """Mean probability of every class but an image's own, in the space of a classifier.

        Before all codes of the last reconstruction move by the direction of that class, the mean
        code of its samples less that of all, after it, and after a random step as long.
        """
        from keras import ops

        from zoo import metrics
        from zoo.inversion import MultiCode

        model = MultiCode(self.game, self.args.layer or None, codes)
        drawn = ops.convert_to_numpy(self.game.prior_codes(DRAWS, self.args.seed))
        classes = space.probabilities(metrics.in_batches(self.game.decode, drawn)).argmax(axis=1)
        own = space.probabilities(self.x).argmax(axis=1)
        means = {c: drawn[classes == c].mean(axis=0) - drawn.mean(axis=0) for c in set(classes)}
        found = {"before": [], "direction": [], "random": []}
        for goal, step in means.items():
            other = self.rng.normal(size=step.shape)
            steps = 0 * step, step, np.linalg.norm(step) / np.linalg.norm(other) * other
            for name, way in zip(found, steps, strict=True):
                moved = (self.found.codes + way).astype("float32")
                images = ops.convert_to_numpy(model.compose(moved, self.found.weights))
                found[name].append(space.probabilities(images)[own != goal, goal].mean())
        return {name: float(np.mean(shares)) for name, shares in found.items()}


TASKS = {
    "reconstruction": ("reconstruction", "mean image"),
    "upside down": ("control: the same images upside down", "mean image"),
    "noise": ("control: uniform noise", "grey"),
    "hole": ("inpainting, pixels of the hole alone", "mean image"),
    "enlarged": (f"super-resolution, {FACTOR} × {FACTOR} pixels from one", "cubic splines"),
    "denoised": (f"denoising, σ = {NOISE}", "Gaussian blur"),
    "coloured": ("colourisation", "grey"),  # of images in colour
}


def table(rows: dict) -> str:
    """way → task → dB, as Markdown; the ways are baseline, one code, several codes."""
    ways = list(rows)
    lines = [
        [label, other, *(f"{rows[way][task]:.1f}" for way in ways)]
        for task, (label, other) in TASKS.items()
        if task in rows[ways[0]]
    ]
    return markdown.table(["task, PSNR in dB", "baseline", *ways], lines)


def main(argv: list | None = None) -> None:
    """Measure, print, write. Exit code 2 and one line for bad input."""
    began = time.monotonic()
    with commands.exit_on_bad_input():
        args, path = arguments.read(__doc__, FLAGS, argv)
        commands.at_least(args, codes=2)
        tasks, space = _prepared(path, args)
        out = commands.directory(args.out)
        rows = _measured(tasks, space)
    from zoo.plots import sheets

    print(table(rows))
    for name, row in rows.items():
        if "moved" in row:
            print(
                f"\n{name}, moved by the direction of another class: its mean probability is "
                "{before:.1%} before, {direction:.1%} after, and {random:.1%} after a random step "
                "of that length".format(**row["moved"])
            )
    settings = vars(args) | {"model": path}
    run_files.write_json(out / "tasks.json", {"settings": settings, "figures": rows})
    drawn = [sheets.Row(name, list(np.clip(x[:SHOWN], -1, 1))) for name, x in tasks.shown.items()]
    sheets.draw(out / "tasks.png", f"The multi-code prior of {path}", drawn)
    print(
        f"\n{len(tasks.x)} test images, seed {args.seed}, {args.steps} steps, "
        f"{time.monotonic() - began:.0f} seconds\nsee {out / 'tasks.json'} and {out / 'tasks.png'}"
    )


def _prepared(path, args):
    """(the `Tasks`, the classifier of their data or None)."""
    game, data = arguments.loaded(path, args.dataset)
    from zoo.inversion.multi_code import MultiCode
    from zoo.metrics import classifier

    if any(side % FACTOR for side in game.image_shape[:2]):
        raise ValueError(
            f"sides of images must be multiples of {FACTOR}, for super-resolution; {path} has "
            f"images of {game.image_shape}"
        )
    MultiCode(game, args.layer or None, args.codes)  # raises
    return Tasks(game, data, args), classifier.of(data.name, data.shape)


def _measured(tasks, space):
    """Way → task → figure."""
    rows = {"of the baseline": tasks.baselines()}
    for codes in (1, tasks.args.codes):
        row = rows["one code" if codes == 1 else f"{codes} codes"] = tasks.measure(codes)
        if space:
            row["moved"] = tasks.moved(codes, space)
    return rows


if __name__ == "__main__":
    main()
