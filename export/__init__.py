"""From a trained game to a directory that TensorFlow Serving can serve, checked before it is there.

`python -m export MODEL --out served/NAME` publishes the next version; `python -m export.doctor DIR`
examines one that is there.
"""

import importlib.util
import pathlib
import sys

# Import this project's zoo, not a zoo.py in the working directory: see `trainers`.
if "zoo" not in sys.modules:
    _spec = importlib.util.spec_from_file_location(
        "zoo", pathlib.Path(__file__).parent.parent / "zoo" / "__init__.py"
    )
    sys.modules["zoo"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["zoo"])
