"""`gan-zoo` and the distribution: built, installed elsewhere and run from another directory."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import gan_zoo as console
import zoo

ROOT = pathlib.Path(__file__).parent.parent


@pytest.mark.parametrize("command", console.COMMANDS)
def test_every_command_is_a_module_that_python_can_run(command):
    module = console.COMMANDS[command][0]
    spec = importlib.util.find_spec(module)
    if spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
    assert '__name__ == "__main__"' in pathlib.Path(spec.origin).read_text(encoding="utf-8")


def test_every_command_of_the_library_has_a_name():
    modules = {module for module, _, _ in console.COMMANDS.values()}
    # Deeper ones are for maintainers.
    for path in [*(ROOT / "zoo").glob("*.py"), *(ROOT / "zoo").glob("*/*.py")]:
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            assert name.removesuffix(".__main__") in modules


def test_every_method_can_be_trained():
    assert set(zoo.METHODS) | set(zoo.CONSTRUCTIONS) <= set(console.trainable())


def run(*words, cwd=ROOT):
    done = subprocess.run(
        [sys.executable, "-m", "gan_zoo", *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "words, code, out, err",
    [
        ([], 0, "gan-zoo train METHOD --help", ""),
        (["restore", "--help"], 0, "zoo.inversion.tasks", ""),
        (["--version"], 0, zoo.__version__, ""),
        (["trian"], 2, "", "unknown command 'trian'; nearest names: train"),
        (["train", "bgan"], 2, "", "unknown method 'bgan'; nearest names: bigan"),
        (["train"], 0, "BiGAN (Donahue", ""),
        (["train", "--help"], 0, "BiGAN (Donahue", ""),
        (["train", "bigan", "--help"], 0, "--learning_rate", ""),
        (["train", "bigan", "--epochs=no"], 2, "", "--epochs"),
        (["presets"], 0, "bigan_fashion_mnist", ""),
        (["compare"], 2, "", "no run directory given"),
        (["client", "--help"], 0, "sample", ""),
    ],
)
def test_words_go_to_the_command(words, code, out, err, tmp_path):
    found = run(*words, cwd=tmp_path)
    assert found[0] == code
    assert out in found[1] and err in found[2]
    assert len(found[2].splitlines()) <= 1


@pytest.mark.parametrize(
    "own, words",
    [
        ("export.py", ["export", "--help"]),
        ("export/__init__.py", ["serve", "--version"]),
        ("trainers.py", ["train", "bigan", "--help"]),
        ("trainers.py", ["train"]),
        ("zoo.py", ["audit", "--help"]),
        ("zoo.py", ["client", "--help"]),
    ],
)
def test_files_of_the_users_own_are_not_taken_for_the_package(own, words, tmp_path):
    (tmp_path / own).parent.mkdir(exist_ok=True)
    (tmp_path / own).write_text("raise SystemExit('the wrong file')")
    # `python -m` searches the working directory first, which the installed command does not.
    code, out, err = run(*words, cwd=tmp_path)
    assert (code, err) == (0, "") and out


@pytest.mark.slow
def test_the_wheel_of_the_sdist_works_from_another_directory(tmp_path):
    source = tmp_path / "source"
    for name in ("zoo", "trainers", "export"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    for name in ("gan_zoo.py", "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; build_meta.build_sdist('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    made = [*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(sdist)]
    subprocess.run(made, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    # What it depends on is here already; installing that again would take a minute.
    there, away = tmp_path / "installed", tmp_path / "away"
    put = [*pip, "install", "--no-deps", "--target", str(there), str(wheel)]
    subprocess.run(put, check=True, capture_output=True)
    away.mkdir()
    tops = {path.name for path in there.iterdir() if (path / "__init__.py").exists()}
    assert tops == {"zoo", "trainers", "export"}
    environment = os.environ | {"PYTHONPATH": str(there), "TF_CPP_MIN_LOG_LEVEL": "3"}

    def said(*words):
        done = subprocess.run(words, cwd=away, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    command = str(there / "bin" / "gan-zoo")
    small = ["--network=mlp", "--width=1", "--epochs=1", "--nojit_compile"]
    assert "verdict: " in said(command, "train", "bigan", *small)
    assert (away / "runs" / "bigan_mlp_fashion_mnist_10k" / "report.png").exists()
    script = (
        "import zoo, export, pathlib\n"
        "game = zoo.load('vae_mnist')\n"
        "print(game.decode(game.encode(game.decode(game.prior_codes(2, seed=0)))).shape)\n"
        "print(zoo.__file__)\n"
        "print((pathlib.Path(export.__file__).parent / 'server' / 'demo.html').stat().st_size)"
    )
    shape, where, size = said(sys.executable, "-c", script).splitlines()
    assert shape == "(2, 28, 28, 1)" and str(there) in where and int(size) > 10_000
