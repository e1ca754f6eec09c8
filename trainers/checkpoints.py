"""Checkpoints: written whole or not at all, checked before they are read."""

import os
import pathlib
import zipfile

KEPT = 2


def write(game, directory: pathlib.Path) -> pathlib.Path:
    """Save `game` (weights, optimizers, averages, random state) under its step; keep the newest."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"step-{step_of(game):08d}.keras"
    publish(game, path)
    for old in sorted(directory.glob("step-*.keras"))[:-KEPT]:
        old.unlink()
    return path


def publish(game, path: pathlib.Path) -> None:
    """Save `game` at `path` so that a crash leaves the old file or the new one, never a half."""
    partial = path.with_name(f".partial-{path.name}")
    game.save(partial)
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)


def restore(game, directory: pathlib.Path, say=print) -> int:
    """Load the newest sound checkpoint into `game`; returns its step, 0 where there is none.

    Raises:
        ValueError: checkpoints exist, and all of them are damaged.
    """
    candidates = sorted(directory.glob("step-*.keras"), reverse=True)
    for path in candidates:
        fault = damage(path)
        if fault is None:
            game.load_weights(path)
            return step_of(game)
        say(f"checkpoint {path} is damaged ({fault}); trying the one before")
    if candidates:
        raise ValueError(f"every checkpoint in {directory} is damaged; delete it to start again")
    return 0


def damage(path: pathlib.Path) -> str | None:
    """What is wrong with a `.keras` file (every byte is compared with its checksum), or None."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            broken = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        return str(error) or type(error).__name__
    missing = {"config.json", "metadata.json", "model.weights.h5"} - names
    if missing:
        return f"without {sorted(missing)}"
    return f"{broken} does not match its checksum" if broken else None


def step_of(game) -> int:
    """How many training steps `game` has taken."""
    return int(game.optimizer.iterations.numpy())
