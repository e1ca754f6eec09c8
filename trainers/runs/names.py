"""Names among the flags, checked before TensorFlow starts and before anything is written.

Networks and priors are read from the source, as `flags` does: importing them takes long.
"""

import ast
import importlib.util
import os
import pathlib

import zoo
from zoo.cli.names import nearest

# flag → (module of `zoo`, the dictionary or tuple in it whose keys are the names)
LISTS = {"network": ("networks/__init__.py", "BACKBONES"), "prior": ("priors.py", "PRIORS")}


def check(flags: dict) -> None:
    """Raises ValueError if a network, prior, data set or source of `flags` does not exist."""
    for flag, (module, variable) in LISTS.items():
        known = listed(module, variable)
        if flags[flag] not in known:
            raise ValueError(
                f"--{flag} must be one of {', '.join(known)}; got {flags[flag]!r}"
                + nearest(flags[flag], known)
            )
    for flag in ("dataset", "dataset_b"):
        if flags[flag]:
            _check_dataset(flag, flags[flag])
    # A run that resumes has its weights from its checkpoints.
    if flags["start_from"] and not any(
        pathlib.Path(flags["run_dir"]).glob("checkpoints/step-*.keras")
    ):
        _check_source(flags["start_from"])


def listed(module: str, variable: str) -> list:
    """The names in a dictionary or tuple of a file of `zoo`, which is not imported."""
    path = pathlib.Path(zoo.__file__).parent / module
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == variable:
            value = node.value
            return [e.value for e in (value.keys if isinstance(value, ast.Dict) else value.elts)]
    raise LookupError(f"{path} does not define {variable}")


def _check_source(name):
    from zoo.presets import registry

    if not registry.directory_of(name).exists():
        raise ValueError(
            "--start_from must be a preset, a run directory or a .keras file; "
            f"got {name!r}{registry.nearest(name)}"
        )


def _check_dataset(flag, name):
    from zoo.datasets import LOCAL
    from zoo.datasets import prepared
    from zoo.datasets import registry

    # Of NAME[class=C] and NAME[map], the set.
    whole = name.partition("[")[0]
    if whole in LOCAL or whole.startswith(("folder:", "npz:")):
        return
    # Without TensorFlow Datasets, `zoo.datasets.load` names the missing package.
    found = importlib.util.find_spec("tensorflow_datasets")
    known = prepared.names() if found else []
    if prepared.base_name(whole) in known:
        return
    if kind := "folder" if os.path.isdir(name) else "npz" if os.path.isfile(name) else "":
        raise ValueError(
            f"unknown data set {name!r}, but there is a {kind if kind == 'folder' else 'file'} of "
            f"that name; to train on it, give --{flag}={kind}:{name}"
        )
    if found:
        raise ValueError(registry.unknown(name, known))
