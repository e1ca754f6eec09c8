"""Inversion of a trained generator: codes by an encoder, by optimisation, and by both.

usage: python -m zoo.inversion MODEL [flags]

MODEL is the name of a preset (`python -m zoo` lists them), a run directory or a .keras file.
Prints how close test images come back from the codes of its encoder, of a search by optimisation
from one draw of the prior, and of a search that begins at the encoder's codes (the hybrid), after
50, 100 and --steps steps; and how many codes of generated images are found again by one search and
by the best of four. Writes inversion.json; inversion.png with the images; and
curves.png, the error over steps and over time. See zoo/inversion/searching.py.
"""

import dataclasses
import time

import numpy as np

from zoo import models
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown
from zoo.inversion import arguments

FLAGS = {
    "dataset": models.DATASET_FLAG,
    "images": (64, "Test images, and as many generated ones."),
    "steps": (400, "Of the longest search."),
    "start": ("", "Searches from the prior or from the encoder alone; by default both."),
    "seed": commands.SEED,
    "out": commands.out("runs/inversion"),
}
SHORTER = (50, 100)
RESTARTS = 4
SHOWN = 10
# A generated image is found again if its mean squared error, pixels in [-1, 1], is below this, and
# its code if the relative distance is.
SAME_IMAGE, SAME_CODE = 1e-3, 0.05
ERROR, TIME = ("mean squared error", "error", ".4f"), ("ms an image", "ms", ".0f")
LENGTH = ("length of codes / √d", "length", ".2f")
COLUMNS = (*markdown.columns("x_cycle_ratio:.3f"), ERROR, LENGTH, TIME)
RECOVERY = (
    ("images found", "images_found", ".1f %"),
    ("codes found", "codes_found", ".1f %"),
    ERROR,
    TIME,
)


@dataclasses.dataclass(frozen=True)
class Way:
    """One way from images to codes.

    Attributes:
        name: in the tables.
        start: for `search`.
        steps: for `search`; 0 for the encoder alone.
        restarts: for `search`.
    """

    name: str
    start: str | None
    steps: int
    restarts: int = 1

    def codes(self, game, x, seed):
        """(codes of the images x, milliseconds an image, mean error after each step or [])."""
        from zoo.inversion import search
        from zoo.metrics import in_batches

        began, curve = time.monotonic(), []
        if self.steps:
            settings = {"restarts": self.restarts, "start": self.start, "seed": seed}
            found = search(game, x, self.steps, **settings)
            codes, curve = found.codes, found.curve.mean(axis=1).tolist()
        else:
            codes = in_batches(game.encode, x)
        return codes, 1000 * (time.monotonic() - began) / len(x), curve


def ways(game, start: str, steps: int) -> list:
    """The `Way`s of the first table.

    Raises:
        ValueError: `start` is no start, or needs an encoder that the game does not have.
    """
    if start not in ("", "prior", "encoder"):
        raise ValueError(f"--start must be prior or encoder; got {start!r}")
    if start == "encoder" and not game.has_encoder:
        raise ValueError(
            f"--start must be prior for {type(game).__name__}, which has no encoder; got {start!r}"
        )
    lengths = [length for length in SHORTER if length < steps] + [steps]
    found = [Way("encoder", None, 0)] if game.has_encoder else []
    if start != "encoder":
        found += [Way(f"prior, {length} steps", None, length) for length in lengths]
    if start != "prior" and game.has_encoder:
        found += [Way(f"encoder, {length} steps", "encoder", length) for length in lengths]
    return found


def measure(game, x: np.ndarray, way: Way, seed: int = 0) -> tuple:
    """(figures of `COLUMNS` for the images x (n, *image_shape), their reconstructions).

    "curve" is the mean error of the best codes after 0, 1, ... steps.
    """
    from zoo import metrics

    codes, ms, curve = way.codes(game, x, seed)
    returned = metrics.in_batches(game.decode, codes)
    figures = metrics.cycles(x, returned, seed)
    figures["error"] = float(np.mean((returned - x) ** 2))
    figures["length"] = float(np.sqrt(np.mean(codes**2, axis=tuple(range(1, codes.ndim)))).mean())
    return figures | {"ms": ms, "curve": curve or [figures["error"]]}, returned


def recover(game, known: np.ndarray, way: Way, seed: int = 0) -> dict[str, float]:
    """Figures of `RECOVERY`: whether codes (n, *code_shape) are found from their images."""
    from zoo import metrics

    x = metrics.in_batches(game.decode, known)
    codes, ms, _ = way.codes(game, x, seed)
    pixels = tuple(range(1, x.ndim))
    errors = np.mean((metrics.in_batches(game.decode, codes) - x) ** 2, axis=pixels)
    apart = np.linalg.norm((codes - known).reshape(len(known), -1), axis=1)
    apart /= np.linalg.norm(known.reshape(len(known), -1), axis=1)
    return {
        "images_found": float(np.mean(errors < SAME_IMAGE)),
        "codes_found": float(np.mean(apart < SAME_CODE)),
        "error": float(errors.mean()),
        "ms": ms,
    }


def table(first: str, columns: tuple, rows: dict) -> str:
    """Figures of ways, name → figures, as Markdown."""
    return markdown.figures([first], columns, [([name], found) for name, found in rows.items()])


def main(argv: list | None = None) -> None:
    """Measure, print, write. Exit code 2 and one line where the input is bad."""
    with commands.exit_on_bad_input():
        args, path = arguments.read(__doc__, FLAGS, argv)
        out = commands.directory(args.out)
        shown, made, found, recovered = _measured(path, args)
    from zoo.plots import curves
    from zoo.plots import sheets
    from zoo.plots.sheets import Row

    print(table("start", COLUMNS, found))
    print(
        f"\n{made[0]}: {len(shown)} test images, seed {args.seed}. From the prior one "
        "search; 1 in the first column is a reconstruction that knows nothing of its image.\n"
    )
    print(table("codes of generated images", RECOVERY, recovered))
    print(
        f"\nFound: mean squared error below {SAME_IMAGE:g}; |z − z*| / |z| below {SAME_CODE:g}. "
        f"{len(shown)} codes drawn from the prior."
    )
    settings = vars(args) | {"model": path}
    figures = {"settings": settings, "images": found, "codes": recovered}
    run_files.write_json(out / "inversion.json", figures)
    rows = [Row("test images", list(shown[:SHOWN]))]
    rows += [Row(name, list(images[:SHOWN])) for name, images in made[1].items()]
    sheets.draw(out / "inversion.png", f"Inversion of {path}", rows)
    lines = {name: (figures["curve"], figures["ms"]) for name, figures in found.items()}
    curves.draw(out / "curves.png", f"Inversion of {path}", lines)
    print(f"see {out / 'inversion.json'}, {out / 'inversion.png'} and {out / 'curves.png'}")


def _measured(path, args):
    """Test images, (name of their set, way → reconstructions), and the figures of both tables."""
    game, data = arguments.loaded(path, args.dataset)
    from zoo import datasets
    from zoo.inversion import search
    from zoo.metrics.arrays import in_batches
    from zoo.metrics.arrays import representative

    compared = ways(game, args.start, args.steps)
    rows = representative(data.test_labels, args.images, args.seed)
    x = np.asarray(game.observed(datasets.scale(data.test[rows]), args.seed))
    search(game, x[:1], 1, 1)  # compiles, which is not timed, as does the encoder
    if game.has_encoder:
        in_batches(game.encode, x)
    found, made = {}, {}
    for way in compared:
        found[way.name], made[way.name] = measure(game, x, way, args.seed)
    # Another seed than that of the starts, which would be among these codes.
    from keras import ops

    known = ops.convert_to_numpy(game.prior_codes(len(rows), args.seed + 1))
    again = [Way("encoder", None, 0)] if game.has_encoder else []
    again += [Way("prior, one search", None, args.steps)]
    again += [Way(f"prior, best of {RESTARTS}", None, args.steps, RESTARTS)]
    recovered = {way.name: recover(game, known, way, args.seed) for way in again}
    return x, (data.name, made), found, recovered


if __name__ == "__main__":
    main()
