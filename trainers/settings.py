"""`config.json`: what a run was asked for, so that going on cannot turn into something else."""

import importlib.metadata
import json
import os
import pathlib
import platform

import keras
import numpy

# Flags that say how or where to train, not what: they may change when a run is resumed.
FREE = (
    "run_dir",
    "epochs",
    "strategy",
    "tpu",
    "jit_compile",
    "evaluate_every",
    "resume",
    "download",
)


def settle(directory: pathlib.Path, recipe, args, game, data, command: str) -> None:
    """Write `config.json` for a new run, or compare with the one that is there.

    Raises:
        ValueError: the directory holds a run with other settings, or any run and resuming was
            refused. Nothing is overwritten.
    """
    path = directory / "config.json"
    settings = _settings(recipe, args, game)
    if path.exists():
        _check_same(directory, args, json.loads(path.read_text(encoding="utf-8")), settings)
        return
    backend = keras.backend.backend()
    config = {
        "command": command,
        "settings": settings,
        "flags": vars(args),
        "game": game.get_config(),
        "data": data.source,
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            backend: importlib.metadata.version(backend),
            "numpy": numpy.__version__,
        },
        "backend": backend,
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
    }
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")


def _settings(recipe, args, game):
    settings = {"method": recipe.method, "l2": recipe.l2}
    settings |= {name: value for name, value in vars(args).items() if name not in FREE}
    for player, optimizer in game.optimizer.by_player.items():
        settings[f"optimizer of {player}"] = keras.saving.serialize_keras_object(optimizer)
    # As it will be read back: tuples become lists, NumPy numbers plain ones.
    return json.loads(json.dumps(settings, default=float))


def _check_same(directory, args, config, settings):
    if not args.resume:
        raise ValueError(
            f"{directory} holds a run already, and --noresume was given; choose another --run_dir"
        )
    before, now = dict(_leaves(config["settings"])), dict(_leaves(settings))
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
        "Give the old ones to resume it, or another --run_dir to start anew"
    )


def _leaves(value, name=""):
    """(path, value) of all that nested dictionaries hold; Keras' levels "config" are left out."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, name if key == "config" else f"{name} {key}".strip())
