"""What can be trained and run: one line for each command of this package.

usage: python -m trainers
       python -m trainers.NAME --help
"""

import ast
import pathlib
import sys

from zoo.cli import commands

FOLDER = pathlib.Path(__file__).parent
# Rooms that no command lives in.
SHARED = ("distribute", "runs")


def main(argv: list) -> None:
    """Print the list. Reads the sources, and imports none of them."""
    with commands.exit_on_bad_input():
        commands.only_flags(__doc__, {}, argv)
        print("python -m trainers.NAME, --help for its flags:\n")
        for name, title in listed().items():
            print(f"  {name:<18}{title}")


def listed() -> dict:
    """Name of each command → first line of its docstring."""
    files = [*FOLDER.glob("*.py"), *FOLDER.glob("*/__main__.py")]
    names = {path.parent.name if path.stem == "__main__" else path.stem: path for path in files}
    return {
        name: (ast.get_docstring(ast.parse(names[name].read_text(encoding="utf-8"))) or name)
        .splitlines()[0]
        .rstrip(".")
        for name in sorted(names)
        if not name.startswith("_") and name not in (*SHARED, FOLDER.name)
    }


if __name__ == "__main__":
    main(sys.argv)
