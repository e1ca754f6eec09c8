"""The tutorials run at small settings, keep their hands off the directory, and become notebooks."""

import json
import pathlib
import subprocess
import sys

import pytest
import scripts

ROOT = pathlib.Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "tutorials"

SMALL = {
    "first_bigan": {"steps": 10, "trained": 640, "tested": 200},
    "your_own_photos": {"side": 16, "cut": 70, "epochs": 1},
    "your_own_method": {"epochs": 1, "trained": 640},
    "what_codes_mean": {"train": 600, "test": 300, "samples": 600},
    "counterexample": {"supports": (64, 256), "capacities": (10, 100), "judged": 4000},
    "serve_and_call": {"model": "vae_mnist", "largest": 2},
}


@pytest.fixture(scope="module")
def tutorials():
    """docs/tutorials/run.py, which is no part of the package."""
    return scripts.load("docs/tutorials/run.py")


def test_every_tutorial_is_listed_and_run_here(tutorials):
    files = {path.stem for path in FOLDER.glob("*.py")} - {"run"}
    assert files == set(tutorials.NAMES) == set(SMALL)
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert [name for name in tutorials.NAMES if f"({name}.py)" not in index] == []


@pytest.mark.parametrize("name", SMALL)
def test_what_the_site_shows_is_of_the_code_that_is_there(tutorials, name):
    """To make it again: python docs/tutorials/run.py NAME."""
    record = json.loads((FOLDER / "outputs" / f"{name}.json").read_text(encoding="utf-8"))
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert record["sha256"] == tutorials.digest(source)
    codes = [cell for cell in tutorials.cells(source) if cell.kind != "markdown"]
    assert len(record["cells"]) == len(codes)
    shown = {cell["picture"] for cell in record["cells"]} - {None}
    assert shown == {path.name for path in (FOLDER / "outputs").glob(f"{name}_*.png")}
    assert shown  # every page has a picture


def test_cells_are_told_apart(tutorials):
    source = '# %% [markdown]\n# # Title\n#\n# Text\n\n# %% tags=["parameters"]\na = 1\n\n# %%\na\n'
    assert [(cell.kind, cell.text, cell.line) for cell in tutorials.cells(source)] == [
        ("markdown", "# Title\n\nText", 2),
        ("parameters", "a = 1", 7),
        ("code", "a", 10),
    ]


def test_settings_replace_parameters_and_the_last_expression_is_shown(tutorials, tmp_path):
    path = tmp_path / "page.py"
    path.write_text('# %% tags=["parameters"]\na = 1\n\n# %%\nprint("printed")\na + 1\n')
    assert tutorials.run(path)[0] == [("", None), ("printed\n2\n", None)]
    assert tutorials.run(path, {"a": 5})[0] == [("", None), ("printed\n6\n", None)]
    with pytest.raises(KeyError, match="page.py has no parameter b"):
        tutorials.run(path, {"b": 5})


@pytest.mark.slow
@pytest.mark.tensorflow("the server and the counterexample's pairs need it")
@pytest.mark.parametrize("name", SMALL)
def test_a_tutorial_runs_and_leaves_nothing_behind(tutorials, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # For the commands that a tutorial starts.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    found, _ = tutorials.run(FOLDER / f"{name}.py", SMALL[name])
    assert [path.name for path in tmp_path.iterdir() if path.name != "runs"] == []
    record = json.loads((FOLDER / "outputs" / f"{name}.json").read_text(encoding="utf-8"))
    # Text and pictures come from the same cells as on the site.
    assert [bool(picture) for _, picture in found] == [bool(c["picture"]) for c in record["cells"]]
    assert [bool(text) for text, _ in found] == [bool(c["text"]) for c in record["cells"]]
    if name == "serve_and_call":
        assert "equal to the client's image of seed 7: True" in "".join(text for text, _ in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_jupytext_makes_a_notebook_with_the_same_cells(tutorials, name, tmp_path):
    pytest.importorskip("jupytext")
    made, path = tmp_path / "made.ipynb", FOLDER / f"{name}.py"
    command = [sys.executable, "-m", "jupytext", "--to", "notebook", "--output", str(made)]
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    notebook = json.loads(made.read_text(encoding="utf-8"))
    wanted = tutorials.cells(path.read_text(encoding="utf-8"))
    assert ["".join(cell["source"]) for cell in notebook["cells"]] == [c.text for c in wanted]
    kinds = ["markdown" if c["cell_type"] == "markdown" else "code" for c in notebook["cells"]]
    assert kinds == ["markdown" if c.kind == "markdown" else "code" for c in wanted]
