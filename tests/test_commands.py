"""What all commands share: flags, words, refusals, and help at once."""

import importlib
import os
import pathlib
import re
import subprocess
import sys

import pytest

import zoo
from export.client import __main__ as client
from zoo.cli import commands

ROOT = pathlib.Path(__file__).parent.parent
# module → a few of the words that its help lists
COMMANDS = {
    **dict.fromkeys((f"trainers.{method}" for method in zoo.METHODS), ["--dataset", "--seed"]),
    "trainers.bigan": ["--dataset", "--latent_dim", "--prior", "--jit_compile", "--resume"],
    "trainers.circle": ["--seeds"],
    "trainers.code_maps": ["--channels"],
    "trainers.compare": ["--over_seeds"],
    "trainers.counterexample": ["--support"],
    "trainers.memorizer": ["--support", "--gan", "--repeats"],
    "trainers.objective": ["MODEL", "--budget", "--seeds"],
    "tools.ledger": ["RUN", "--machine"],
    "trainers.theory": ["collapse", "capacity", "cycles", "stability", "--cells"],
    "zoo.audit": ["--against"],
    "zoo.gallery": ["--out"],
    "zoo.inversion": ["--start", "--steps"],
    "zoo.latent": ["--unusual"],
    "zoo.lipschitz": ["--points"],
    "zoo.metrics.classifier": ["--download"],
    "export": ["MODEL", "--max_batch_size"],
    "export.doctor": ["DIR"],
    "export.server": ["--model_config_file"],
    "export.client": ["encode", "metadata"],
}
# As `python -m` does, and then what that has imported.
HELP = """
import runpy, sys
module = sys.argv.pop(1)
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except SystemExit as left:
    assert not left.code, left.code
print("IMPORTED", *sorted({"tensorflow", "keras", "matplotlib"} & set(sys.modules)))
"""

KNOWN = {
    "name": ("", "Whose."),
    "size": (3, "How many."),
    "rate": (0.5, "How fast."),
    "quick": (False, "Whether."),
    "version": (int, "Which, if any."),
}


def test_flags_have_their_types_and_stand_anywhere_between_words():
    args, words = commands.parse("", KNOWN, ["x", "one", "--size=7", "two", "--quick", "--rate=2"])
    assert vars(args) == {"name": "", "size": 7, "rate": 2.0, "quick": True, "version": None}
    assert words == ["one", "two"]
    assert commands.parse("", KNOWN, ["x", "--version=0"])[0].version == 0
    assert commands.only_flags("", KNOWN, ["x", "--noquick", "--name", "a"]).name == "a"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["stray", "--size=1"], "unexpected argument 'stray'; flags are written --name=value"),
        (["--sise=1"], r"^unknown flag --sise; did you mean --size\? See --help$"),
        (["--zz"], "^unknown flag --zz; see --help$"),
        (["--size=many"], "size.*many.*see --help"),
        (["--version=newest"], "version.*newest.*see --help"),
    ],
)
def test_what_cannot_be_read_is_named(arguments, said):
    with pytest.raises(ValueError, match=f"(?s){said}"):
        commands.only_flags("", KNOWN, ["x", *arguments])


def test_help_lists_every_flag_with_the_default_that_it_has(capsys):
    with pytest.raises(SystemExit) as left:
        commands.parse("usage: x [flags]\n", KNOWN, ["x", "--help"])
    assert left.value.code == 0
    assert capsys.readouterr().out.split("\n\n  --") == [
        "usage: x [flags]",
        "name\n      Whose.",
        "size\n      How many. Default: 3.",
        "rate\n      How fast. Default: 0.5.",
        "quick\n      Whether. Default: False.",
        "version\n      Which, if any.\n",
    ]


NEED_A_MODEL = ["zoo.audit.__main__", "zoo.knn", "zoo.latent.__main__", "zoo.lipschitz"]


@pytest.mark.parametrize("module", NEED_A_MODEL)
def test_commands_that_need_a_model_ask_for_it(module, refused):
    assert refused(importlib.import_module(module).main, [module]) == (
        "error: no model given; see --help\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "no game at nothing"),
        (["nothing", "--pints=1"], "unknown flag --pints; "),
    ],
)
@pytest.mark.parametrize("module", [*NEED_A_MODEL, "trainers.objective.__main__"])
def test_commands_for_models_name_what_they_cannot_read(
    module, words, message, tmp_path, monkeypatch, refused
):
    monkeypatch.chdir(tmp_path)
    assert message in refused(importlib.import_module(module).main, [module, *words])


@pytest.mark.parametrize(
    "error, line",
    [
        (ValueError("two\nlines"), "error: two lines\n"),
        (FileNotFoundError(2, "not there"), "error: [Errno 2] not there\n"),
    ],
)
def test_bad_input_ends_a_command_and_faults_do_not_pass_for_it(error, line, capsys):
    with pytest.raises(SystemExit) as refused, commands.exit_on_bad_input():
        raise error
    assert refused.value.code == 2
    assert capsys.readouterr().err == line
    with pytest.raises(KeyError), commands.exit_on_bad_input():
        raise KeyError("a fault")


def test_bad_input_leaves_no_empty_directory(tmp_path, refused):
    kept = tmp_path / "kept"
    kept.mkdir()

    def command(*words):
        with commands.exit_on_bad_input():
            for word in words:
                commands.directory(word)
            raise ValueError("no model")

    refused(command, kept, kept / "new" / "out")
    assert list(tmp_path.rglob("*")) == [kept]


def test_a_number_that_is_repeated_counts_once():
    args = commands.only_flags("", {"points": ("64,8,64", "Numbers.")}, ["x"])
    assert commands.whole_numbers(args, "points") == [64, 8]


@pytest.mark.parametrize("module", COMMANDS)
def test_help_of_every_command_answers_in_a_second_and_without_tensorflow(module, child_seconds):
    shown = subprocess.run(
        [sys.executable, "-c", HELP, module, "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert child_seconds() < 1
    assert shown.returncode == 0, shown.stderr
    assert f"usage: python -m {module} " in shown.stdout
    for word in COMMANDS[module]:
        assert re.search(rf"^ +{word}\b", shown.stdout, re.M), word
    assert shown.stdout.splitlines()[-1] == "IMPORTED"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("~/run", "/home/ada/run"),
        ("~", "/home/ada"),
        ("folder:~/photos", "folder:/home/ada/photos"),
        ("~/run/12:30", "/home/ada/run/12:30"),
        ("folder:~/12:30", "folder:/home/ada/12:30"),
        ("a~b", "a~b"),
        ("grid25", "grid25"),
    ],
)
def test_a_leading_tilde_is_the_home_directory(given, read, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    args = commands.only_flags("usage", {"path": ("", "A path.")}, ["prog", f"--path={given}"])
    assert args.path == read


@pytest.mark.parametrize("given", ["~/run", "folder:~/photos"])
def test_a_tilde_of_a_user_without_a_home_directory_is_refused(given, monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user not in passwd
    with pytest.raises(ValueError, match=f"{given} needs a home directory"):
        commands.only_flags("usage", {"path": ("", "A path.")}, ["prog", f"--path={given}"])


def test_the_client_reads_a_leading_tilde_alike(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    parsed = client.parser().parse_args(["encode", "--image=~/a.png", "--out=~/a.npy", "--ca=~/c"])
    assert (parsed.image, parsed.out) == (["/home/ada/a.png"], "/home/ada/a.npy")
    assert parsed.ca == "/home/ada/c"


@pytest.mark.parametrize(
    "own, options, module",
    [
        ("zoo.py", [], "trainers.bigan"),
        ("zoo.py", [], "export"),
        ("zoo/__init__.py", [], "export.server"),
        # Python itself finds these first; -P leaves the working directory aside.
        ("zoo.py", ["-P"], "zoo.audit"),
        ("export.py", ["-P"], "export"),
        ("trainers.py", ["-P"], "trainers.bigan"),
    ],
)
def test_files_of_the_users_own_are_not_taken_for_the_package(own, options, module, tmp_path):
    (tmp_path / own).parent.mkdir(exist_ok=True)
    (tmp_path / own).write_text("raise SystemExit('the wrong file')")
    shown = subprocess.run(
        [sys.executable, *options, "-m", module, "--help"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stderr
    assert f"usage: python -m {module} " in shown.stdout


@pytest.mark.parametrize(
    ("package", "listed"),
    [
        (
            "trainers",
            [
                *zoo.METHODS,
                "circle",
                "counterexample",
                "memorizer",
                "compare",
                "objective",
                "theory",
            ],
        ),
        ("export", ["bigan_mnist", "runs/mine", "export.doctor", "export.server"]),
        ("zoo", ["bigan_mnist"]),
    ],
)
def test_a_package_without_arguments_lists_what_there_is(package, listed, tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "game.keras").touch()
    command = [sys.executable, "-c", HELP, package]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "IMPORTED"
    for name in listed:
        assert any(name in line for line in lines[:-1]), name


def test_the_citation_names_this_version():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == zoo.__version__
    assert citation["license"] == "Apache-2.0"


@pytest.mark.parametrize(
    "words, printed",
    [
        (["trainers.bigan", "--help"], r"BiGAN (Donahue, Kr\xe4henb\xfchl and Darrell"),
        (["zoo", "none-ö"], r"none-\xf6"),
        (["export.client", "encode", "--image=ö.png", "--out=c.ö"], r"c.\xf6"),
    ],
)
@pytest.mark.parametrize(
    "console",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_a_console_without_the_characters_loses_none(console, words, printed):
    shown = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=os.environ | console, capture_output=True
    )
    told = (shown.stdout + shown.stderr).decode("ascii")
    assert "codec" not in told and "Traceback" not in told
    # Arguments arrive as surrogates if the locale is C.
    assert printed in told or printed.replace(r"\xf6", r"\udcc3\udcb6") in told
