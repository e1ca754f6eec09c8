"""`config.json`: records the settings of a run and refuses to resume it with different ones."""

import json
import pathlib
import zlib

import keras
import numpy as np

import zoo
from trainers.runs import checkpoints
from trainers.runs import flags
from zoo import run_files
from zoo.cli import machine

# Flags of the machine and the output, not of the model: they may change when a run is resumed.
FREE = (
    "run_dir",
    "epochs",
    "strategy",
    "devices",
    "tpu",
    "evaluate_every",
    "keep_checkpoints",
    "checkpoint_minutes",
    "logger",
    "resume",
    "download",
    "cache",
    "cache_dir",
    # It sets the optimizers, which are compared.
    "learning_rate",
)

# Settings that runs of older versions lack. (TensorFlow draws other noise with XLA than without, so
# a run that resumed with another jit_compile would equal neither.)
LATER = (
    "jit_compile",
    "training data",
    "training labels",
    "test data",
    "dataset_b",
    "start_from",
)


def wanted(recipe, args, data, steps: int) -> dict:
    """Settings that a run must share with the one it resumes, as `config.json` holds them.

    `data` is recorded by its number of examples and checksum, because a file may change under its
    name; so are labels, if the method learns from them. The optimizers are those of `recipe` for
    `steps` steps in all.
    """
    found = {"method": recipe.method, "l2": recipe.l2}
    found |= {name: value for name, value in vars(args).items() if name not in FREE}
    for player, optimizer in recipe.optimizers(args, steps).items():
        found[f"optimizer of {player}"] = keras.saving.serialize_keras_object(optimizer)
    sets = {"training data": data.train, "test data": data.test}
    if data.other is not None:
        sets |= {"training data b": data.other.train, "test data b": data.other.test}
    elif "y" in zoo.method(recipe.method).inputs:
        sets["training labels"] = data.train_labels
    for name, examples in sets.items():
        found[name] = f"{len(examples)} examples, checksum {_checksum(examples):08x}"
    # The form that JSON returns: tuples become lists, NumPy numbers plain ones.
    return json.loads(json.dumps(found, default=float))


def _checksum(examples):
    """CRC-32 of the bytes, some at a time: a slice with gaps is copied, and may be large."""
    checksum = 0
    for first in range(0, len(examples), 4096):
        checksum = zlib.crc32(np.ascontiguousarray(examples[first : first + 4096]), checksum)
    return checksum


def of_source(directory: pathlib.Path, args, source) -> dict:
    """The checksum of a `trainers.runs.start.Source`; if it is gone, the one that was recorded."""
    name = "weights of start_from"
    if not args.start_from:
        return {}
    if source:
        return {name: f"sha256 {source.sha256}"}
    try:
        return {name: _read(directory / "config.json")["settings"].get(name)}
    except _Damaged:
        return {name: None}


def of_workers(settings: dict, args) -> dict:
    """name → value of all that workers must agree about: the `settings`, and the last epoch."""
    found = dict(_leaves(settings)) | {"epochs": args.epochs}
    return {f"--{name}" if name in vars(args) else name: v for name, v in found.items()}


def settle(directory: pathlib.Path, settings: dict, args, game, data, command: str) -> None:
    """Write `config.json` for a new run, or compare with the one that is there.

    Args:
        settings: the value of `wanted`.

    Raises:
        ValueError: the directory holds a run with other settings, or one whose settings cannot be
            read, or any run and resuming was refused. Nothing is overwritten.
    """
    path = directory / "config.json"
    started = checkpoints.any_in(directory / checkpoints.FOLDER)
    # A run that saved nothing leaves nothing to resume.
    saved = started or (directory / "game.keras").exists()
    if saved or (path.exists() and not args.resume):
        try:
            _check_same(directory, args, _read(path), settings)
            return
        except _Damaged as error:
            if saved:
                raise ValueError(
                    f"{error}: the settings of the run in {directory} are "
                    "unknown. Put the file back, or give another --run_dir to start again"
                ) from None
    config = {
        "command": command,
        "settings": settings,
        "flags": vars(args),
        "game": game.get_config(),
        "data": " ".join(dict.fromkeys(one.source for one in (data, data.other) if one)),
        "versions": machine.versions(),
        "backend": keras.backend.backend(),
        "machine": machine.described(),
    }
    _write(path, config)


def finished(directory: pathlib.Path, args, command: str) -> None:
    """Write the last command and flags of a run to `config.json`: it may have been resumed for
    more epochs than it began with.
    """
    path = directory / "config.json"
    config = _read(path) | {"command": command, "flags": vars(args)}
    _write(path, config)


def _write(path, config):
    # Its last byte counts: a file that is cut anywhere cannot be read.
    run_files.write(path, json.dumps(config, indent=1).encode())


class _Damaged(Exception):
    """The defect of `config.json`."""


def _read(path):
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        config["settings"].items(), config["flags"]["epochs"]
    except FileNotFoundError:
        raise _Damaged(f"{path} is missing") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Damaged(f"{path} is damaged ({error!r})") from None
    return config


def _check_same(directory, args, config, settings):
    if not args.resume:
        raise ValueError(
            f"{directory} holds a run already, and --noresume was given; choose another --run_dir"
        )
    before, now = dict(_leaves(config["settings"])), dict(_leaves(settings))
    for name in set(LATER) & set(now):
        before.setdefault(name, config["flags"].get(name, now[name]))
    # Methods gain arguments, whose defaults are what older versions did.
    for name, (default, _) in flags.constructor(settings["method"]).items():
        before.setdefault(name, default)
    changed = [
        f"{name} was {before.get(name)!r} and is now {now.get(name)!r}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    if not changed:
        return
    if config["flags"]["epochs"] != args.epochs and any("learning_rate" in c for c in changed):
        changed.append(
            f"(the plan of the rate follows --epochs, which was {config['flags']['epochs']})"
        )
    raise ValueError(
        f"the run in {directory} had other settings: {'; '.join(changed)}. "
        "Give the old settings to resume it, or another --run_dir to start again"
    )


def _leaves(value, name=""):
    """(path, value) of all that nested dictionaries hold.

    Keras' levels "config" are left out, and so is the "module" of a class: its name identifies it,
    and modules move from version to version.
    """
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        if key == "module":
            continue
        yield from _leaves(inner, name if key == "config" else f"{name} {key}".strip())
