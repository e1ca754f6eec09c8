"""Package versions and platform, as recorded in config.json."""

import importlib
import os
import platform


def versions() -> dict[str, str]:
    """Name → version, of Python, Keras, its backend and NumPy."""
    import keras
    import numpy

    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: importlib.import_module(backend).__version__,
        "numpy": numpy.__version__,
    }


def described() -> str:
    """The operating system and the number of cores."""
    return f"{platform.platform()}, {os.cpu_count()} cores"
