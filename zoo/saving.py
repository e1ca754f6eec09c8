"""Reading saved games back."""

import hashlib
import os
import pathlib

import zoo
from zoo import run_files


def load(source: str | os.PathLike, sha256: str = ""):
    """See `zoo.load`."""
    from zoo.presets import handles
    from zoo.presets import registry
    from zoo.presets import storage

    text = os.fspath(source)
    if handles.is_handle(text):
        return handles.load(text, sha256)
    path = registry.resolve(text)
    if isinstance(path, registry.Preset):
        # Both checksums must hold: the package's and the caller's.
        if sha256:
            storage.read_config(path.directory, sha256)
        return storage.load(path.directory, path.config_sha256)
    if storage.is_preset(path):
        return storage.load(path, sha256)
    return _of_keras(path, sha256)


def load_of_class(game_class, source: str | os.PathLike, sha256: str = ""):
    """`load`, for a game of `game_class`. Raises ValueError if it is one of another class."""
    game = load(source, sha256)
    if not isinstance(game, game_class):
        found = type(game).__name__
        raise ValueError(
            f"{source!r} is a game of class {found}, not {game_class.__name__}; "
            f"zoo.{found}.from_preset({source!r}) or zoo.load({source!r}) reads it"
        )
    return game


def file_of(path: pathlib.Path) -> pathlib.Path:
    """The .keras file of a run directory, or `path` itself; ValueError if there is none."""
    from zoo.presets import registry

    file = path / "game.keras" if path.is_dir() else path
    if not file.is_file():
        raise ValueError(
            f"no game at {path}: expected a .keras file, or a directory with game.keras (a run) or "
            f"weights.npz (a preset) in it; nor is {str(path)!r} the name of a preset"
            f"{registry.nearest(str(path))}"
        )
    return file


def _of_keras(path, sha256):
    file = file_of(path)
    import keras

    if sha256 and (found := hashlib.sha256(file.read_bytes()).hexdigest()) != sha256:
        raise ValueError(f"{file} has sha256 {found}, and {sha256} was asked for")
    if fault := run_files.damage(file):
        raise ValueError(f"{file} is damaged, or no saved game: {fault}")
    for name in zoo.METHODS | zoo.CONSTRUCTIONS:
        zoo.method(name)  # importing a method tells Keras its class
    try:
        game = keras.saving.load_model(file)
    except (OSError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is not a saved game: {str(error).splitlines()[0]}") from error
    if not isinstance(game, zoo.Game):
        raise ValueError(f"{file} holds a {type(game).__name__}, no game")
    return game
