"""How each paper trained its method: recipes, data, callbacks. `python -m trainers.<method>`."""

import importlib.util
import pathlib
import sys

# `python -m` searches the working directory first, which may hold a file zoo.py of the user.
# The package that is meant lies beside this one; `export` does the same.
if "zoo" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "zoo", pathlib.Path(__file__).parent.parent / "zoo" / "__init__.py"
    )
    sys.modules["zoo"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["zoo"])
