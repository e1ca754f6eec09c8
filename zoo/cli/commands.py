"""Every command line: flags with defaults, words that are not flags, and how bad input ends."""

import contextlib
import difflib
import os
import pathlib
import shlex
import sys
import textwrap
import types

from absl import flags

from zoo import keras_settings

_DEFINE = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}

# Directories that this command made, the innermost first.
_made: list = []

# Flags that commands share, for `known` of `parse`.
SEED = (0, "Seed of every choice and draw.")


def out(path: str) -> tuple:
    """The flag of the directory to write to, by default `path`."""
    return path, "Directory to write to."


def parse(
    usage: str, known: dict, argv: list | None = None, words: str = ""
) -> tuple[types.SimpleNamespace, list]:
    """Reads a command line.

    Args:
        usage: the text of `--help` above the flags.
        known: flag → (default, text); the default's type is the flag's. A type in place of the
            default is a flag that is None if it is not given.
        argv: the command line, its first word being the program; None for `sys.argv`.
        words: what the other words name, such as "model", if there must be one or more.

    Returns:
        (the value of every flag, the other words).

    Raises:
        SystemExit: `--help` was asked for and printed.
        ValueError: a flag is unknown or cannot be read, or `words` are missing.
    """
    print_anywhere()
    argv = sys.argv if argv is None else argv
    values = flags.FlagValues()
    for name, (default, text) in known.items():
        kind, start = (default, None) if isinstance(default, type) else (type(default), default)
        _DEFINE[kind](name, start, text, flag_values=values)
    if {"--help", "-h", "-help", "--helpfull"} & set(argv[1:]):
        print(usage.strip() + "".join(_listed(name, *told) for name, told in known.items()))
        raise SystemExit(0)
    try:
        found = values(argv)[1:]
    except flags.UnrecognizedFlagError as error:
        near = difflib.get_close_matches(error.flagname, known, 1)
        hint = f"did you mean --{near[0]}? See" if near else "see"
        raise ValueError(f"unknown flag --{error.flagname}; {hint} --help") from None
    except flags.Error as error:
        raise ValueError(f"{error}; see --help") from None
    if words and not found:
        raise ValueError(f"no {words} given; see --help")
    return types.SimpleNamespace(**{name: _at_home(values[name].value) for name in known}), found


def _at_home(value):
    """`value` with a leading ~ expanded, which shells leave as it is in --flag=~/path."""
    if not isinstance(value, str):
        return value
    # Of folder:PATH the path; a path may hold colons itself.
    kind, colon, path = value.partition(":")
    if value.startswith("~") or not colon:
        kind, colon, path = "", "", value
    if not path.startswith("~"):
        return value
    there = os.path.expanduser(path)
    if there == path and (path == "~" or path.startswith("~/")):
        raise ValueError(f"{value} needs a home directory, which this user has not; give HOME")
    return kind + colon + there


def _listed(name, default, text):
    if not (isinstance(default, type) or default == ""):
        text = f"{text} Default: {default}."
    return f"\n\n  --{name}\n{textwrap.indent(textwrap.fill(text, 88), ' ' * 6)}"


def only_flags(usage: str, known: dict, argv: list) -> types.SimpleNamespace:
    """`parse`, for a command that takes no other words; raises ValueError for the first one."""
    args, words = parse(usage, known, argv)
    if words:
        raise ValueError(f"unexpected argument {words[0]!r}; flags are written --name=value")
    return args


def whole_numbers(args: types.SimpleNamespace, name: str) -> list[int]:
    """The numbers of the flag `name`, each once, as in 64,1024; none if it is empty.

    Raises:
        ValueError: one of them is no whole number.
    """
    text = getattr(args, name)
    try:
        return list(dict.fromkeys(int(number) for number in text.split(",") if text))
    except ValueError:
        raise ValueError(
            f"--{name} must be whole numbers, separated by commas; got {text!r}"
        ) from None


@contextlib.contextmanager
def exit_on_bad_input():
    """ValueError and OSError end the command with exit code 2 and one line on stderr.

    So does a Keras backend that is configured and not installed. TensorFlow, if it is imported
    inside, logs warnings and errors alone.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    print_anywhere()
    try:
        yield
    except (ValueError, OSError) as error:
        _exit(error)
    except ModuleNotFoundError as error:
        backend, where = keras_settings.backend()
        if error.name != backend:
            raise
        _exit(f"{where} is {backend!r}, which is not installed; set KERAS_BACKEND=tensorflow")


def print_anywhere() -> None:
    """Print characters that the console cannot encode as escapes, such as U+00B2 (a small 2)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not if a notebook or a test replaced the stream
            stream.reconfigure(errors="backslashreplace")


def _exit(error):
    # A directory that holds something is not removed.
    with contextlib.suppress(OSError):
        for folder in _made:
            folder.rmdir()
    _made.clear()
    print(f"error: {' '.join(str(error).splitlines())}", file=sys.stderr)
    sys.exit(2)


def directory(path: str) -> pathlib.Path:
    """The directory `path`, made if missing; bad input removes it again if it is empty."""
    made = pathlib.Path(path)
    _made.extend(folder for folder in (made, *made.parents) if not folder.exists())
    made.mkdir(parents=True, exist_ok=True)
    return made


def typed(module: str, argv: list | None) -> str:
    """The command line that runs `module` again, with `argv` as for `parse`."""
    return shlex.join(["python", "-m", module, *(sys.argv if argv is None else argv)[1:]])


def at_least(args: types.SimpleNamespace, **least: float) -> None:
    """Raises ValueError if a flag is below its minimum."""
    for name, bound in least.items():
        if not getattr(args, name) >= bound:
            raise ValueError(f"--{name} must be {bound} or more; got {getattr(args, name)}")
