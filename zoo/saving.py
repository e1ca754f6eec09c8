"""Reading saved games back."""

import os
import pathlib

import zoo


def load(path: str | os.PathLike):
    """The game saved at `path`: a `.keras` file, or a run directory with `game.keras` in it.

    Raises:
        ValueError: nothing is there, or it is not a sound game.
    """
    import keras

    file = pathlib.Path(path)
    file = file / "game.keras" if file.is_dir() else file
    if not file.is_file():
        raise ValueError(
            f"no game at {path}: expected a .keras file, or a directory with game.keras in it"
        )
    for name in zoo.METHODS | zoo.CONSTRUCTIONS:
        zoo.method(name)  # importing a method tells Keras its class
    try:
        return keras.saving.load_model(file)
    except (OSError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is not a saved game: {str(error).splitlines()[0]}") from error
