"""What keeps the tree readable: imports point one way, a method fits on a screen and cites."""

import ast
import pathlib
import re

import pytest

import zoo

ROOT = pathlib.Path(__file__).parent.parent
SOURCES = [p for folder in ("zoo", "trainers", "export") for p in (ROOT / folder).rglob("*.py")]


def imported(path):
    """Names of the modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_zoo_does_not_know_its_trainers_and_files_stay_short(path):
    if path.is_relative_to(ROOT / "zoo"):
        assert not [m for m in imported(path) if m.split(".")[0] in ("trainers", "export")]
    # The one base class, whose methods are short.
    longest = 300 if path == ROOT / "zoo" / "game.py" else 250
    assert len(path.read_text(encoding="utf-8").splitlines()) <= longest


def test_no_file_imports_one_that_imports_it():
    """Imports inside functions count, those of the names that `zoo` has for its users do not."""
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES}
    files = {name.removesuffix(".__init__"): path for path, name in names.items()}
    arrows = {
        name: {found for found in _modules(path) if found in files} - {name, "zoo"}
        for name, path in files.items()
        if name != "zoo"
    }
    # What imports nothing that is left is in no circle.
    while free := {name for name, found in arrows.items() if not found & arrows.keys()}:
        arrows = {name: found for name, found in arrows.items() if name not in free}
    assert arrows == {}


def _modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from package import module` imports that file, not all of the package's.
            files = {f"{node.module}.{alias.name}" for alias in node.names}
            found = {name for name in files if _is_file(name)}
            yield from found or {node.module}


def _is_file(module):
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("method", zoo.METHODS)
def test_a_method_fits_on_a_screen_cites_its_paper_and_needs_no_tensorflow(method):
    path = ROOT / "zoo" / f"{method}.py"
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 120
    assert "tensorflow" not in source and "stop_gradient" not in source
    assert "arXiv:" in zoo.method(method).__doc__
    assert not [module for module in imported(path) if module.startswith("tensorflow")]


def test_losses_and_networks_need_no_tensorflow():
    for path in [ROOT / "zoo" / "losses.py", *(ROOT / "zoo" / "networks").glob("*.py")]:
        assert not [module for module in imported(path) if module.startswith("tensorflow")]


# Words of our own for what has a standard term, or that a reader has to guess: say metric, again,
# in the same way, fixed, the caller, no process.
PRIVATE = re.compile(
    r"\b(yardsticks?|anew|likewise|mended|nobody|somebody|anybody|whoever)\b", re.I
)
PROSE = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *SOURCES]


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_has_no_private_words(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if PRIVATE.search(line)] == []
