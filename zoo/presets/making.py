"""From a trained game to a preset: stored, measured as it was stored, described."""

import dataclasses
import hashlib
import json
import pathlib
import shlex
import time

from zoo import run_files
from zoo.cli import machine
from zoo.presets import cards
from zoo.presets import figures
from zoo.presets import limits
from zoo.presets import picture
from zoo.presets import registry
from zoo.presets import rounding
from zoo.presets import storage


@dataclasses.dataclass(frozen=True)
class Target:
    """Directory of a preset, its name on the card, and its storage options."""

    directory: pathlib.Path
    name: str
    precision: str = "float16"
    most_bytes: float = 6e6


def from_run(run: pathlib.Path, target: Target, shared: bool | None) -> None:
    """Write the preset of the finished run in `run`, with its card.

    Args:
        shared: whether the machine did other work while it trained; None if it is not known.

    Raises:
        ValueError: `run` holds no finished run, or rounding changes reconstructions or
            translations by 1 %.
    """
    import zoo

    config, measured = run_files.read_run(run)
    if "flags" not in config:
        raise ValueError(f"{run} holds a preset, not a run: config.json has no flags")
    flags = config["flags"]
    game = zoo.load(run)
    source = {k: flags[k] for k in ("dataset", "train_split", "test_split", "image_size")}
    source |= {"dataset_b": flags.get("dataset_b", "")}  # runs of older versions have none
    training = {
        "command": without_run_dir(config["command"]),
        **{k: flags[k] for k in ("seed", "epochs", "precision", "train_split", "test_split")},
        "backend": config.get("backend", "tensorflow"),  # runs before JAX did not record it
        **{k: config[k] for k in ("machine", "versions", "data")},
        "wall_s": measured["wall_s"],
        "shared_machine": shared,
    }
    write(game, target, source, training)


def counterexample(
    dataset: str, support: int, seed: int, target: Target, command: str, shared: bool | None
) -> None:
    """Write the preset of a counterexample that stores `support` images of `dataset`.

    Args:
        command: the command line that makes it again, for the card.
        shared: as for `from_run`.
    """
    import keras

    from zoo import datasets
    from zoo.counterexample import build

    data = datasets.load(dataset)
    began = time.monotonic()
    game = build(data, support, latent_dim=16, seed=seed, width=8)
    splits = {"train_split": "train", "test_split": "test"}
    training = {
        "command": command,
        "seed": seed,
        **splits,
        "backend": keras.backend.backend(),
        "machine": machine.described(),
        "versions": machine.versions(),
        "data": data.source,
        "wall_s": round(time.monotonic() - began, 1),
        "shared_machine": shared,
        "built": True,
    }
    source = {"dataset": dataset, **splits, "image_size": 0}
    write(game, target, source, training)


def write(game, target: Target, source: dict, training: dict) -> None:
    """Store, measure and describe `game`.

    Args:
        source: dataset, train_split, test_split and image_size that it was trained on, and
            dataset_b, the second set, if there is one.
        training: see `storage.save`.

    Raises:
        ValueError: the weights are too large, rounding matters, or data are missing.
    """
    directory = target.directory
    settings = {k: source[k] for k in ("dataset", "dataset_b") if source.get(k)}
    config = storage.save(game, directory, target.precision, settings, training)
    if config["weights"]["bytes"] > target.most_bytes:
        raise ValueError(
            f"the weights take {config['weights']['bytes'] / 1e6:.1f} MB and a preset may take "
            f"{target.most_bytes / 1e6:g}; train with a smaller --width, or give --most_megabytes"
        )
    stored = storage.load(directory)
    sources = measured_on(source)
    if training.get("built"):
        del sources["all"]  # nothing was learned, so a part of the test images is enough
    metrics, audit, data = measure(stored, sources)
    config["rounding"] = rounding.measured(game, stored, data)
    # Runs of older versions recorded the source of their first set alone.
    if data.other is not None and data.other.source not in config["training"]["data"]:
        config["training"]["data"] += f" {data.other.source}"
    run_files.write_json(directory / storage.CONFIG, config)
    run_files.write_json(directory / "metrics.json", metrics)
    run_files.write_json(directory / "audit.json", audit)
    picture.draw(directory / "card.png", stored, data)
    cards.write(directory, target.name, config, metrics, audit)


def measured_on(source: dict) -> dict:
    """`figures.sources` of the training data of a preset."""
    return figures.sources(
        source["dataset"],
        source["train_split"],
        source["test_split"],
        source["image_size"],
        source.get("dataset_b", ""),
    )


def measure(game, sources: dict) -> tuple:
    """(metrics, audit, data): all measurements on a card, and the data of its small part.

    There is no audit of a translator between two sets: it compares codes and samples with one.

    Args:
        sources: as from `figures.sources`; the whole test set is left out if it is missing.

    Raises:
        ValueError: data are missing; the message names them.
    """
    loaded = {}
    data = figures.small(_load(sources["small"], loaded))
    print(f"  measuring on {len(data.test):,} test images of {data.name} …", flush=True)
    metrics = figures.cycles_and_neighbours(game, data)
    metrics["measured_on"] = sources
    if data.other is not None:
        return metrics, {}, data
    audit = figures.audited(game, data)
    # No metric on the whole set applies without an encoder.
    if "all" in sources and game.has_encoder:
        try:
            everything = _load(sources["all"], loaded)
        except ValueError as error:
            print(f"  not measured on the whole test set: {error}", flush=True)
        else:
            print(f"  and on all {len(everything.test):,} …", flush=True)
            metrics["all_test"] = figures.cycles_and_neighbours(game, everything)
    return metrics, audit, data


def _load(source, loaded):
    from zoo import datasets

    key = json.dumps(source)
    if key not in loaded:
        loaded[key] = datasets.load(**source)
    return loaded[key]


def without_run_dir(command: str) -> str:
    """A command line without the directory that it wrote to, which is specific to one machine."""
    words = shlex.split(command)
    kept, skip = [], False
    for word in words:
        flag = word.lstrip("-") if word.startswith("-") else ""
        if not skip and flag.partition("=")[0] != "run_dir":
            kept.append(word)
        skip = flag == "run_dir"
    return shlex.join(kept)


def rebuild(folder: pathlib.Path = registry.FOLDER) -> registry.Presets:
    """Write `registry.json` again from the directories in `folder`; the presets that it lists."""
    entries = [entry(path.parent) for path in sorted(folder.glob("*/config.json"))]
    run_files.write_json(folder / registry.REGISTRY, entries)
    return registry.list_presets(folder)


def entry(directory: pathlib.Path) -> dict:
    """The entry of the preset in `directory`."""
    config, metrics, audit = run_files.read_run(directory, ("config", "metrics", "audit"))
    joined, sets = figures.joined(metrics, audit), ("dataset", "dataset_b")
    return {
        "name": directory.name,
        "method": config["method"],
        "dataset": ", ".join(config["settings"][key] for key in sets if key in config["settings"]),
        "parameters": config["parameters"],
        "bytes": config["weights"]["bytes"],
        "sha256": config["weights"]["sha256"],
        "config_sha256": hashlib.sha256((directory / "config.json").read_bytes()).hexdigest(),
        "collapsed": bool(limits.lacking(audit)),
        "figures": {key: joined[key] for _, key, *_ in registry.COLUMNS if key in joined},
    }
