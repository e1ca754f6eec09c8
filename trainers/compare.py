"""Run directories side by side, as a Markdown table: `python -m trainers.compare runs/*`."""

import json
import pathlib
import sys

# heading, key in metrics.json, format, factor
COLUMNS = (
    ("x-cycle ratio", "x_cycle_ratio", ".2f", 1),
    ("z-cycle ratio", "z_cycle_ratio", ".2f", 1),
    ("1-NN code", "knn_code", ".1f %", 100),
    ("1-NN features", "knn_features", ".1f %", 100),
    ("untrained", "knn_features_random", ".1f %", 100),
    ("probe code", "probe_code", ".1f %", 100),
    ("MMD² to prior", "mmd", ".4f", 1),
    ("null 95 %", "mmd_null_95", ".4f", 1),
    ("modes", "modes", ".0f", 1),
    ("high quality", "high_quality", ".1f %", 100),
    ("reverse KL", "reverse_kl", ".3f", 1),
    ("images/s", "images_per_s", ",.0f", 1),
    ("minutes", "wall_s", ".1f", 1 / 60),
)


def table(directories: list) -> str:
    """One row per finished run; columns that no run has are left out, cells that one lacks say –.

    Raises:
        ValueError: a directory holds no finished run.
    """
    runs = [(pathlib.Path(directory), *_read(pathlib.Path(directory))) for directory in directories]
    columns = [c for c in COLUMNS if any(c[1] in figures for _, _, figures in runs)]
    rows = [["run", "method", "network", "data", "seed", *(c[0] for c in columns)]]
    rows.append(["---"] * len(rows[0]))
    for directory, config, figures in runs:
        settings = config["settings"]
        named = [settings[name] for name in ("method", "network", "dataset", "seed")]
        cells = [_cell(figures.get(key), form, factor) for _, key, form, factor in columns]
        rows.append([directory.name, *map(str, named), *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _read(directory):
    try:
        return tuple(
            json.loads((directory / name).read_text(encoding="utf-8"))
            for name in ("config.json", "metrics.json")
        )
    except FileNotFoundError as error:
        raise ValueError(
            f"{directory} holds no finished run: {pathlib.Path(error.filename).name} is missing"
        ) from None


def _cell(value, form, factor):
    if value is None or value != value:
        return "–"
    form, _, unit = form.partition(" ")
    return f"{value * factor:{form}} {unit}".strip()


def main(argv: list | None = None) -> None:
    """Print the table; exits with a message where a directory holds no finished run."""
    directories = (sys.argv if argv is None else argv)[1:]
    if not directories or directories[0].startswith("-"):
        sys.exit("usage: python -m trainers.compare RUN_DIRECTORY ...")
    try:
        print(table(directories))
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
