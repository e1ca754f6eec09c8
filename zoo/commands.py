"""The command lines of the experiments: flags with defaults, and words that are not flags."""

import math
import textwrap
import types

from absl import flags


def parse(usage: str, defaults: dict, argv: list) -> tuple[types.SimpleNamespace, list]:
    """Reads a command line.

    Args:
        usage: what `--help` shows above the flags.
        defaults: flag → (default, text); the default's type is the flag's.
        argv: the command line, its first word being the program.

    Returns:
        (the value of every flag, the other words).

    Raises:
        SystemExit: `--help` was asked for and printed.
        ValueError: a flag is unknown or cannot be read.
    """
    values = flags.FlagValues()
    define = {
        bool: flags.DEFINE_boolean,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }
    for name, (default, text) in defaults.items():
        define[type(default)](name, default, text, flag_values=values)
    if {"--help", "-h", "-help", "--helpfull"} & set(argv[1:]):
        print(usage.strip())
        for name, (default, text) in defaults.items():
            text = f"{text} Default: {default}."
            print(f"\n  --{name}\n{textwrap.indent(textwrap.fill(text, 88), ' ' * 6)}")
        raise SystemExit(0)
    try:
        words = values(argv)[1:]
    except flags.Error as error:
        raise ValueError(f"{error}; see --help") from None
    return types.SimpleNamespace(**{name: values[name].value for name in defaults}), words


def at_least(args: types.SimpleNamespace, **least: float) -> None:
    """Raises ValueError where a flag is below what it must be at least."""
    for name, bound in least.items():
        if not getattr(args, name) >= bound:
            raise ValueError(f"--{name} must be {bound} or more; got {getattr(args, name)}")


def cell(value, form: str, factor: float) -> str:
    """`factor` times a figure, written as `form` (which may end in a unit); – where there is none.

    (0.5, ".1f %", 100) → "50.0 %".
    """
    if value is None or not math.isfinite(value):
        return "–"
    form, _, unit = form.partition(" ")
    return f"{factor * value:{form}} {unit}".strip()
