"""The weights of a game as a small file that is checked before it is used.

Kernels are kept in float16, everything else as it is: biases, gains and moving statistics in
float32, and networks that no player owns (the circuits and the image bank of the counterexample)
bit for bit. The effect of rounding the kernels is measured when a preset is made.

If a game keeps averages of its encoder and generator, the averages are stored, as the networks
themselves, and the configuration has ema = 0: they encode and decode, and further
training starts from them.
"""

import hashlib
import inspect
import io
import json
import os
import pathlib
import re
import zipfile

import numpy as np

from zoo import run_files
from zoo.datasets.npy import packed

FORMAT = 1
WEIGHTS, CONFIG = "weights.npz", "config.json"
# Files that describe the weights are removed before them.
FILES = ("card.md", "card.png", "metrics.json", "audit.json", "LICENSE.txt", CONFIG, WEIGHTS)
_OF_RUNS = ("game.keras", "history.csv", "checkpoints")
PRECISIONS = ("float16", "float32")


def save(
    game,
    directory: str | os.PathLike,
    precision: str = "float16",
    settings: dict | None = None,
    training: dict | None = None,
) -> dict:
    """Write weights.npz and config.json of `game`, which `zoo.load(directory)` reads.

    Args:
        game: a `zoo` game.
        directory: made if missing; a preset in it is replaced, and the files that describe it
            (metrics, card, picture) are removed.
        precision: of the kernels, "float16" or "float32".
        settings: fields by which `trainers.compare` distinguishes runs: dataset, seed.
        training: how it was trained, for the card; any JSON.

    Returns:
        The contents of config.json.

    Raises:
        ValueError: another precision, a weight is not finite or too large for it, `directory`
            holds a run, or the class is one of the caller's own.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}; got {precision!r}")
    method = type(game).__module__.rpartition(".")[2]
    if type(game).__module__ != f"zoo.{method}":
        raise ValueError(f"a preset is of a method of the package; got {type(game)}: use game.save")
    directory = pathlib.Path(directory)
    refuse_run(directory)
    arguments = game.get_config()
    contents = packed(_stored(game, precision))
    network = f"own {', '.join(game.own)}" if game.own else game.network
    config = {
        "format": FORMAT,
        "method": method,
        "class": type(game).__name__,
        "paper": paper(inspect.getdoc(type(game))),
        "arguments": arguments | {"ema": 0.0},
        "averages": arguments["ema"],
        "networks": list(game.named_networks()),
        "players": list(game.players),
        "parameters": int(sum(net.count_params() for net in game.named_networks().values())),
        "weights": {
            "file": WEIGHTS,
            "sha256": hashlib.sha256(contents).hexdigest(),
            "bytes": len(contents),
            "precision": precision,
        },
        "settings": {"method": method, "network": network, "seed": game.seed}
        | {"dataset": "not recorded"}
        | (settings or {}),
        "training": training or {},
    }
    # The form that JSON returns: tuples become lists, NumPy numbers plain ones.
    config = json.loads(json.dumps(config, default=float))
    directory.mkdir(parents=True, exist_ok=True)
    files = {directory / WEIGHTS: contents, directory / CONFIG: run_files.as_json(config)}
    run_files.write_all(files, remove_before=[directory / name for name in FILES])
    return config


def paper(docstring: str) -> str:
    """The beginning of a method's documentation: its paper, up to the arXiv number."""
    found = re.match(r".*?arXiv:\d+\.\d+\)?", " ".join(docstring.split()))
    return found[0] if found else docstring.splitlines()[0]


def refuse_run(directory: pathlib.Path) -> None:
    """Raises ValueError if `directory` holds a run, whose config.json would be overwritten."""
    held = [name for name in _OF_RUNS if (directory / name).exists()]
    if not held and (directory / CONFIG).exists() and not is_preset(directory):
        held = [CONFIG]
    if held:
        raise ValueError(
            f"{directory} is not the directory of a preset: it has {', '.join(held)}, as a run "
            "has, and a preset would write over its files; give another directory"
        )


def clear(directory: pathlib.Path) -> None:
    """Remove the files of a preset from `directory`, those that describe it first."""
    for name in FILES:
        (directory / name).unlink(missing_ok=True)


def load(directory: str | os.PathLike, sha256: str = ""):
    """The game whose preset is in `directory`, not compiled.

    Args:
        sha256: of config.json, if known from elsewhere. It covers both files, for config.json
            holds that of the weights.

    Raises:
        ValueError: a file is missing, does not match its checksum, or does not fit; the message
            names the file, the expected and the found value. No weight is used before that.
    """
    directory = pathlib.Path(directory)
    config = read_config(directory, sha256)
    path = directory / WEIGHTS
    expected = config["weights"]["sha256"]
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); expected a file of sha256 {expected}"
        ) from None
    found = hashlib.sha256(contents).hexdigest()
    if found != expected:
        raise ValueError(
            f"{path} is damaged or belongs to another model: expected sha256 {expected}, "
            f"found {found}; nothing was loaded"
        )
    return _assigned(_build(config, directory / CONFIG), contents, path)


def read_config(directory: pathlib.Path, sha256: str = "") -> dict:
    """The configuration of the preset in `directory`. Raises ValueError as `load` does."""
    path = pathlib.Path(directory) / CONFIG
    try:
        contents = path.read_bytes()
        config = json.loads(contents)
        known = config["format"] <= FORMAT and config["method"] and config["weights"]["sha256"]
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); expected the configuration of a preset"
            f"{f', of sha256 {sha256}' if sha256 else ''}"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged: it is not the configuration of a preset ({error!r})"
        ) from None
    found = hashlib.sha256(contents).hexdigest()
    if sha256 and found != sha256:
        if known and sha256 == config["weights"]["sha256"]:
            raise ValueError(
                f"{sha256} is the sha256 of {WEIGHTS} alone, which leaves {path} unprotected; give "
                "that of config.json, which covers both"
            )
        raise ValueError(
            f"{path} is damaged or belongs to another model: expected sha256 {sha256}, found "
            f"{found}; nothing was loaded"
        )
    if not known:
        raise ValueError(f"{path} has format {config['format']}; this version reads {FORMAT}")
    return config


def is_preset(directory: pathlib.Path) -> bool:
    """Whether `directory` holds a preset, even a damaged one, and not a run."""
    if (directory / "game.keras").exists():
        return False
    try:
        # A run that has not ended has a config.json too, of another kind.
        config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
        return "weights" in config
    except (OSError, ValueError, TypeError):
        return (directory / WEIGHTS).exists()


def _variables(game, averaged: bool):
    """(network, key, variable) of every weight; keys do not depend on Keras' counting of names."""
    for name, network in game.named_networks().items():
        source = game.averages.get(name, network) if averaged else network
        for number, layer in enumerate(source.layers):
            kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(layer).__name__).lower()
            for place, variable in enumerate(layer.weights):
                what = re.sub(r"_\d+$", "", variable.name)
                yield name, f"{name}/{number:02d}_{kind}/{place}_{what}", variable


def _stored(game, precision):
    owned = {net for networks in game.players.values() for net in networks}
    arrays = {}
    for network, key, variable in _variables(game, averaged=True):
        value = variable.numpy()
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ValueError(f"{key} is not finite: the game has diverged")
        if network in owned and value.dtype == np.float32 and value.ndim > 1:
            if precision == "float16" and np.abs(value).max() > np.finfo("f2").max:
                raise ValueError(f"{key} does not fit into float16; give precision='float32'")
            value = value.astype(precision)
        arrays[key] = value
    return arrays


def _build(config, path):
    import zoo

    try:
        return zoo.method(config["method"]).from_config(config["arguments"])
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} does not describe a game of this version: {error}") from error


def _assigned(game, contents, path):
    from zoo.networks import own

    try:
        with np.load(io.BytesIO(contents), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an archive of weights ({error})") from error
    variables = {key: variable for _, key, variable in _variables(game, averaged=False)}
    wanted = {key: tuple(variable.shape) for key, variable in variables.items()}
    found = {key: array.shape for key, array in arrays.items()}
    if wanted != found:
        wrong = sorted(k for k in wanted.keys() | found.keys() if wanted.get(k) != found.get(k))
        raise ValueError(
            f"{path} does not fit {type(game).__name__}: {len(wrong)} arrays differ, first "
            f"{wrong[0]}, expected {wanted.get(wrong[0])}, found {found.get(wrong[0])}"
        )
    for key, variable in variables.items():
        variable.assign(arrays[key].astype(variable.dtype))
    own.finalize(game)
    return game
