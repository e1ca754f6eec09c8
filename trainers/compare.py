"""Run directories side by side, as a Markdown table: one row per run.

usage: python -m trainers.compare RUN_DIRECTORY [RUN_DIRECTORY ...] [flags]

The name of a preset stands for its directory. Directories without a finished run are left out.
"""

import sys

from zoo import presets
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "over_seeds": (
        False,
        "One row for runs that differ in nothing but the seed: mean ± standard error over them.",
    ),
}
# heading, key in metrics.json or "minutes", format
COLUMNS = markdown.columns(
    "x_cycle_ratio class_kept z_cycle_ratio knn_code knn_features knn_features_random probe_code "
    "mmd mmd_null_95 classes sample_spread_ratio modes high_quality reverse_kl class_asked "
    "translation_ab_ratio translation_ab_identity class_kept_ab domain_ab "
    "translation_ba_ratio translation_ba_identity class_kept_ba domain_ba "
    "steps images_per_s minutes"
)
SETTINGS = ("method", "network", "dataset")


def table(directories: list, over_seeds: bool = False) -> str:
    """Columns that no run has are left out; cells that a row lacks say –.

    Args:
        directories: finished run directories, or names of presets.
        over_seeds: join runs of equal settings, except for the seed, into one row.

    Raises:
        ValueError: a directory holds no finished run, or two runs to join have one seed.
    """
    return _table([_read(presets.directory_of(name)) for name in directories], over_seeds)


def _table(runs, over_seeds):
    columns = [column for column in COLUMNS if any(column[1] in figures for _, figures in runs)]
    groups = []
    for settings, figures in runs:
        same = (g for g in groups if over_seeds and all(_agree(settings, s) for s, _ in g))
        if (group := next(same, None)) is None:
            groups.append(group := [])
        group.append((settings, figures))
    rows = []
    for members in groups:
        first, seeds = members[0][0], [settings["seed"] for settings, _ in members]
        if len(set(seeds)) < len(seeds):
            about = ", ".join(_setting(first, name) for name in SETTINGS)
            raise ValueError(
                f"--over_seeds must have runs of different seeds; got seeds "
                f"{', '.join(map(str, seeds))} of {about}"
            )
        seed = len(members) if over_seeds else first["seed"]
        heads = [*(_setting(first, name) for name in SETTINGS), str(seed)]
        rows.append((heads, *(figures for _, figures in members)))
    seed = "seeds" if over_seeds else "seed"
    return markdown.figures([*SETTINGS, seed], columns, rows)


def _agree(one, other):
    """Whether two runs differ in the seed alone. Presets and older runs record fewer settings."""
    if any(_setting(one, name) != _setting(other, name) for name in SETTINGS):
        return False
    return all(one[name] == other[name] for name in one.keys() & other.keys() - {"seed"})


def _setting(settings, name):
    beside = settings.get("dataset_b") if name == "dataset" else ""
    return f"{settings[name]}, {beside}" if beside else str(settings[name])


def _read(directory):
    config, figures = run_files.read_run(directory)
    if missing := {*SETTINGS, "seed"} - set(config.get("settings", ())):
        wrong = ", ".join(sorted(missing))
        raise ValueError(f"{directory / 'config.json'} is damaged: its settings lack {wrong}")
    if "wall_s" in figures:
        figures["minutes"] = figures["wall_s"] / 60
    return config["settings"], figures


def main(argv: list | None = None) -> None:
    """Print the table. Exit code 2 and one line if no directory holds a finished run."""
    with commands.exit_on_bad_input():
        args, directories = commands.parse(__doc__, FLAGS, argv, "run directory")
        runs = []
        for name in directories:
            try:
                runs.append(_read(presets.directory_of(name)))
            except ValueError as error:
                if name == directories[-1] and not runs:
                    raise
                print(f"left out: {error}", file=sys.stderr)
        print(_table(runs, args.over_seeds))


if __name__ == "__main__":
    main()
