"""`python -m export.doctor DIR`: whether TensorFlow Serving would serve it correctly.

Runs every signature with TensorFlow's session loader, the one that TensorFlow Serving uses
(`tf.saved_model.load` accepts exports that it refuses), compares with the Keras model's answers
at export, and prints a table. The Keras model is not needed.
"""

import os
import pathlib
import re
import subprocess
import sys

from zoo.cli import commands

USAGE = """Examine exported versions as TensorFlow Serving would load them.

usage: python -m export.doctor DIR...

  DIR is one version, such as served/bigan/3, or a directory of versions, of which the newest
  is examined. Prints a table for each and exits with 1 if anything is wrong with any of them,
  with 2 if there is nothing to examine.
"""


def main(argv: list) -> int:
    """The exit code; see `USAGE`."""
    try:
        _, names = commands.parse(USAGE, {}, argv)
        directories = [version_of(pathlib.Path(name)) for name in names]
        if not directories:
            raise ValueError("no directory given; see --help")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # Broken exports are examined too; report errors in the table, not on stderr.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # Keras is imported indirectly, not used
    sound = [examine(directory) for directory in directories]
    return 0 if all(sound) else 1


def version_of(path: pathlib.Path) -> pathlib.Path:
    """`path` itself, or its newest version if it holds versions.

    Raises:
        ValueError: it is neither.
    """
    if not path.is_dir():
        raise ValueError(f"{path} is not a directory")
    numbered = [child for child in path.iterdir() if re.fullmatch(r"[0-9]+", child.name)]
    files = ("saved_model.pb", "contract.json", "variables")
    if numbered and not any((path / name).exists() for name in files):
        return max(numbered, key=lambda child: int(child.name))
    if not any((path / name).exists() for name in files):
        raise ValueError(f"{path} is not an exported version, nor a directory of versions")
    return path


def examine(directory: pathlib.Path) -> bool:
    """Print the table of one version; whether it is sound."""
    from export import formats
    from export.doctor import checks
    from export.doctor import trials

    print(f"{directory}", flush=True)
    export = checks.Export(directory)
    # Later rows need these: a failure here ends the table.
    first = {
        "files": checks.files,
        "graph": checks.graph,
        "weights": checks.weights,
        "signatures": checks.names,
        "operations": checks.operations,
        "loading": trials.loading,
    }
    wrong = 0
    for name, check in first.items():
        if not _row(name, check, export):
            print(f"  NOT SOUND: {name}; later rows were not examined")
            return False
    for name in export.contract["signatures"]:
        wrong += not _row(name, trials.signature, export, name)
    wrong += not _row("warm-up", trials.warm_up, export)
    wrong += not _row("batching", trials.batching, export)
    for file in formats.files(export.contract):
        wrong += not _row(file.removeprefix(f"{formats.FOLDER}/"), trials.converted, export, file)
    export.close()
    print(f"  NOT SOUND: {wrong} of the above" if wrong else "  sound")
    return not wrong


def _row(name, check, *arguments):
    from export.doctor import checks

    mark = "ok"
    try:
        result, sound = check(*arguments), True
    except checks.NotExamined as error:
        result, sound, mark = str(error), True, "–"
    except checks.Unsound as error:
        result, sound = str(error), False
    except Exception as error:  # Files can be broken in unforeseen ways.
        result, sound = f"{type(error).__name__}: {checks.first_line(error)}", False
    print(f"  {mark if sound else 'FAIL':<4}  {name:<19} {result}", flush=True)
    return sound


def in_fresh_process(directory: pathlib.Path) -> bool:
    """Examine one version in a process of its own, which shares no state with the exporting one."""
    # -P: ignore a file export.py in the working directory.
    command = [sys.executable, "-P", "-m", "export.doctor", str(directory)]
    root = str(pathlib.Path(__file__).parent.parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    sys.stdout.flush()
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}).returncode == 0
