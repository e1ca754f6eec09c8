"""Run directories side by side, as a Markdown table: one row per run.

usage: python -m trainers.compare RUN_DIRECTORY [RUN_DIRECTORY ...] [flags]

The name of a preset stands for its directory.
"""

from zoo import presets
from zoo import run_files
from zoo.cli import commands
from zoo.cli import markdown

FLAGS = {
    "over_seeds": (False, "One row per setting instead: mean ± standard error over its runs."),
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
        over_seeds: join runs that share method, network and data into one row.

    Raises:
        ValueError: a directory holds no finished run.
    """
    runs = [_read(presets.directory_of(name)) for name in directories]
    columns = [column for column in COLUMNS if any(column[1] in figures for _, figures in runs)]
    groups = {}
    for number, (settings, figures) in enumerate(runs):
        same = tuple(_setting(settings, name) for name in SETTINGS)
        groups.setdefault((*same, None if over_seeds else number), []).append((settings, figures))
    rows = []
    for (*same, _), members in groups.items():
        seed = len(members) if over_seeds else members[0][0]["seed"]
        rows.append(([*same, str(seed)], *(figures for _, figures in members)))
    seed = "seeds" if over_seeds else "seed"
    return markdown.figures([*SETTINGS, seed], columns, rows)


def _setting(settings, name):
    beside = settings.get("dataset_b") if name == "dataset" else ""
    return f"{settings[name]}, {beside}" if beside else str(settings[name])


def _read(directory):
    config, figures = run_files.read_run(directory)
    if "wall_s" in figures:
        figures["minutes"] = figures["wall_s"] / 60
    return config["settings"], figures


def main(argv: list | None = None) -> None:
    """Print the table. Exit code 2 and one line if a directory holds no finished run."""
    with commands.exit_on_bad_input():
        args, directories = commands.parse(__doc__, FLAGS, argv, "run directory")
        print(table(directories, args.over_seeds))


if __name__ == "__main__":
    main()
