"""Scripts of the repository that are no part of a package."""

import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).parent.parent


def load(path: str):
    """The module of a file, such as "benchmarks/peers.py"."""
    file = ROOT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
