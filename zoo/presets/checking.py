"""Check of a card: every figure is measured again from the stored weights."""

from zoo import run_files
from zoo.presets import cards
from zoo.presets import figures
from zoo.presets import making
from zoo.presets import registry
from zoo.presets import storage
from zoo.presets.figures import Difference


def check(name: str) -> tuple[list[Difference], list[str]]:
    """Measures a preset again.

    Args:
        name: of a preset of the package, or a directory with a card.

    Returns:
        (differences larger than `figures.TOLERANCES` allow, figures that could not be checked).

    Raises:
        ValueError: the preset does not exist or is damaged, or the data to measure it on are
            missing; the message names them.
    """
    import zoo

    directory = registry.directory_of(name)
    if not storage.is_preset(directory):
        registry.find(name)  # raises
    game = zoo.load(name)
    config = storage.read_config(directory)
    contents = (directory / storage.WEIGHTS).stat().st_size
    held = {"parameters": _parameters(game), "bytes": contents}
    said = {"parameters": config["parameters"], "bytes": config["weights"]["bytes"]}
    metrics, audit = run_files.read_run(directory, ("metrics", "audit"))
    if (directory / "card.md").read_text(encoding="utf-8") != cards.text(
        _title(directory), config, metrics, audit
    ):
        differs = [Difference("card.md", "text", "that of the JSON files", "another text", "none")]
    else:
        differs = []
    differs += figures.differences("config.json", said, held)
    try:
        found, again, _ = making.measure(game, metrics["measured_on"])
    except ValueError as error:
        dataset = metrics["measured_on"]["small"]["name"]
        raise ValueError(f"the card of {name} was measured on {dataset}: {error}") from error
    whole, whole_again = metrics.pop("all_test", None), found.pop("all_test", None)
    differs += figures.differences("metrics.json", metrics, found)
    differs += figures.differences("audit.json", audit, again)
    skipped = []
    if whole and whole_again:
        differs += figures.differences("metrics.json, all_test", whole, whole_again)
    elif whole:
        skipped.append(f"{len(whole)} figures on all of {metrics['measured_on']['all']['name']}")
    return differs, skipped


def report(name: str) -> bool:
    """Prints the result of `check`; whether everything agrees."""
    print(f"{name}: measuring the figures of its card", flush=True)
    differs, skipped = check(name)
    if not differs:
        print("  every other figure agrees" if skipped else "  every figure agrees")
        _print_skipped(name, skipped)
        return True
    rows = [("file", "figure", "card", "now", "may differ by")]
    rows += [
        (d.where, d.key, _short(d.expected), _short(d.found), _short(d.allowed)) for d in differs
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        print("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip())
    _print_skipped(name, skipped)
    return False


def _print_skipped(name, skipped):
    """The last line, which readers see: a card that was checked in part is not checked."""
    for what in skipped:
        print(f"  NOT CHECKED of the card of {name}, because the data are missing: {what}")


def _parameters(game):
    return int(sum(network.count_params() for network in game.named_networks().values()))


def _title(directory):
    """The title of the card: the name may be a path that no longer exists."""
    lines = (directory / "card.md").read_text(encoding="utf-8").splitlines()
    return next((line[2:] for line in lines if line.startswith("# ")), directory.name)


def _short(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)[:40]
