"""Checkpoints: written whole or not at all, checked before they are read."""

import contextlib
import pathlib

from zoo import run_files

# Folder in the directory of a run.
FOLDER = "checkpoints"

# How many damaged files are kept, to be examined.
DAMAGED = 2


class Unreadable(Exception):
    """The disk or its permissions fail, perhaps temporarily; nothing was changed."""


def write(game, directory: pathlib.Path, keep: int = 2) -> pathlib.Path:
    """Save `game` (weights, optimizers, averages, random state) under its step.

    The `keep` newest are kept.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"step-{step_of(game):08d}.keras"
    publish(game, path)
    for old in _found(directory)[keep:]:
        old.unlink()
    return path


def publish(game, path: pathlib.Path) -> None:
    """Save `game` at `path` so that a crash leaves the old or the new file, never a partial one."""
    game.save(run_files.partial(path))
    run_files.replace(path)


def restore(game, directory: pathlib.Path) -> int:
    """Load the newest sound checkpoint into `game`; returns its step, 0 if there is none.

    Newer damaged ones are renamed to `….damaged`.

    Raises:
        ValueError: checkpoints exist, and none of them can be loaded.
        Unreadable: the system cannot read one; the file itself may be sound.
    """
    for left in directory.glob(".partial-*"):
        left.unlink()
    candidates = _found(directory)
    for place, path in enumerate(candidates):
        try:
            fault = run_files.damage(path) or _load(game, path)
        except OSError as error:
            raise Unreadable(f"checkpoint {path} cannot be read now ({error.strerror})") from None
        if fault is None:
            _put_aside(candidates[:place])
            return step_of(game)
        print(f"checkpoint {path} is damaged ({fault}); trying the one before", flush=True)
    if candidates:
        raise ValueError(
            f"every checkpoint in {directory} is damaged or belongs to another game; "
            "delete it to start again"
        )
    return 0


def _put_aside(damaged):
    for path in damaged:
        with contextlib.suppress(FileNotFoundError):
            path.rename(path.with_name(f"{path.name}.damaged"))
        for old in sorted(path.parent.glob("*.damaged"), reverse=True)[DAMAGED:]:
            old.unlink()


def _load(game, path):
    """Load a checkpoint; returns its defect, or None."""
    try:
        game.load_weights(path)
    except (ValueError, KeyError, OSError) as error:
        run_files.check_readable(error)
        return (str(error).splitlines() or [type(error).__name__])[0]
    return None


def any_in(directory: pathlib.Path) -> bool:
    """Whether there are checkpoints, sound or not."""
    return bool(_found(directory))


def _found(directory):
    """Checkpoints, the newest first."""
    return sorted(directory.glob("step-*.keras"), reverse=True)


def step_of(game) -> int:
    """How many training steps `game` has taken."""
    return int(game.optimizer.iterations.numpy())
