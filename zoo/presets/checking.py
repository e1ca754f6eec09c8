"""Whether a card tells the truth: every figure measured again, from the weights that are there."""

import json

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
        (what differs by more than `figures.TOLERANCES` allow, what could not be checked).

    Raises:
        ValueError: there is no such preset, it is damaged, or the data to measure it on are
            missing; says which.
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
    metrics, audit = (_json(directory / f"{part}.json") for part in ("metrics", "audit"))
    if (directory / "card.md").read_text(encoding="utf-8") != cards.text(
        _title(directory), config, metrics, audit
    ):
        differs = [Difference("card.md", "text", "what the JSON files say", "another text", "none")]
    else:
        differs = []
    differs += figures.differences("config.json", said, held)
    found, again, _ = _measured(name, game, metrics)
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
    """Prints what `check` finds; whether everything agrees."""
    print(f"{name}: measuring what its card says", flush=True)
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
    """The last line, which is what is read: a card that was checked in part is not checked."""
    for what in skipped:
        print(f"  NOT CHECKED of the card of {name}, for the data are not here: {what}")


def _parameters(game):
    return int(sum(network.count_params() for network in game.named_networks().values()))


def _measured(name, game, metrics):
    try:
        return making.measure(game, metrics["measured_on"])
    except ValueError as error:
        dataset = metrics["measured_on"]["small"]["name"]
        raise ValueError(
            f"the card of {name} was measured on {dataset}, which is not here: {error}. With a "
            f"network, `python -c \"import tensorflow_datasets as t; t.load('{dataset}')\"` "
            "fetches it; or set TFDS_DATA_DIR to a folder that has it"
        ) from error


def _title(directory):
    """What the card calls itself: the name may be a path that is no longer true."""
    lines = (directory / "card.md").read_text(encoding="utf-8").splitlines()
    return next((line[2:] for line in lines if line.startswith("# ")), directory.name)


def _json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _short(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)[:40]
