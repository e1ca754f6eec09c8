"""The user's Keras configuration, read before Keras is imported, and requirements of games."""

import contextlib
import json
import os
import pathlib

WORKING = ("tensorflow", "jax")


def file() -> pathlib.Path:
    """The configuration file of Keras, as Keras finds it; it need not exist."""
    home = os.environ.get("KERAS_HOME")
    if home is None:
        # An unwritable home directory, such as that of a service account, is not used.
        user = os.path.expanduser("~")
        home = os.path.join(user if os.access(user, os.W_OK) else "/tmp", ".keras")
    return pathlib.Path(home).expanduser() / "keras.json"


def backend() -> tuple[str, str]:
    """The backend that Keras takes when it is imported, and a name of the setting for messages.

    Raises:
        ValueError: keras.json is JSON of another kind than an object.
    """
    if given := os.environ.get("KERAS_BACKEND"):
        return given, "KERAS_BACKEND"
    try:
        settings = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # as Keras does
        settings = {}
    if not isinstance(settings, dict):
        raise ValueError(f"{file()} must hold a JSON object; got {type(settings).__name__}")
    return settings.get("backend", "tensorflow"), f"the backend in {file()}"


def check_backend(what: str, allowed: tuple = WORKING) -> str:
    """The backend that Keras takes.

    Args:
        what: the feature that needs it, such as "training".
        allowed: the backends that it works with.

    Raises:
        ValueError: it is another one.
    """
    found, where = backend()
    if found not in allowed:
        raise ValueError(f"{what} needs KERAS_BACKEND={' or '.join(allowed)}; {where} is {found!r}")
    return found


def check_floatx() -> None:
    """Raises ValueError if noise, losses and metrics would be float16."""
    import keras

    floatx = keras.config.floatx()
    if floatx == "float16":
        raise ValueError(
            f"games need Keras' floatx float32 or float64; got {floatx!r}, from "
            f"{file()} or the code around: keras.config.set_floatx('float32')"
        )


def channels_last():
    """Layers made inside take images (h, w, c), in spite of keras.json or the user's code."""
    from keras import config

    return _for_now(config.image_data_format, config.set_image_data_format, "channels_last")


def single_precision():
    """Layers made inside are float32, in spite of the global policy."""
    from keras import mixed_precision

    return _for_now(mixed_precision.global_policy, mixed_precision.set_global_policy, "float32")


@contextlib.contextmanager
def _for_now(read, write, value):
    before = read()
    write(value)
    try:
        yield
    finally:
        write(before)
