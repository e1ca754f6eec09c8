"""`python -m export MODEL --out served/NAME [--version N]`."""

import json
import os
import pathlib
import signal
import sys

from export import formats
from zoo import keras_settings
from zoo.cli import commands

USAGE = """Export a trained game for TensorFlow Serving, examine it, publish it whole or not at all.

usage: python -m export MODEL --out DIRECTORY [flags]

  MODEL
      A run directory, a .keras file, or the name of a preset."""
FLAGS = {
    "out": (
        "",
        "Directory of the model's versions, such as served/bigan; its name is the model's.",
    ),
    "version": (int, "Number of the version; the next free one by default. None is overwritten."),
    "also": ("", "Further formats, separated by commas: onnx, tflite (extra formats)."),
    "max_batch_size": (32, "Most rows in one batch of a server: a power of 2."),
}

_stops: list = []  # signals received


def main(argv: list) -> int:
    """Exit codes: 0 published, 1 the doctor found it unsound, 2 bad input, 143 SIGTERM."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if not argv[1:]:
        print(listing())
        return 0
    try:
        model, args = parse(argv)
        keras_settings.check_backend("export", ("tensorflow",))
        also = formats.chosen(args.also)
        return export(model, pathlib.Path(args.out), args.version, args.max_batch_size, also)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def listing() -> str:
    """Usage, the other commands of this package, and the presets and runs that can be exported."""
    import zoo

    runs = sorted(path.parent for path in pathlib.Path("runs").glob("*/game.keras"))
    return "\n".join(
        [
            USAGE,
            "\nFlags: python -m export --help",
            *(f"Also: python -m export.{name} --help" for name in ("doctor", "server", "client")),
            "\nPresets:",
            *(f"  {preset.name}" for preset in zoo.list_presets()),
            *(["\nRuns:", *(f"  {run}" for run in runs)] if runs else []),
        ]
    )


def parse(argv: list) -> tuple:
    """MODEL and the value of every flag. Raises ValueError if one is missing or not readable."""
    args, models = commands.parse(USAGE, FLAGS, argv)
    if len(models) != 1:
        raise ValueError(f"expected one MODEL, got {len(models)}: {models}; see --help")
    if not args.out:
        raise ValueError("--out is missing, such as --out served/bigan; see --help")
    return models[0], args


def export(
    model: str,
    base: pathlib.Path,
    version: int | None,
    max_batch_size: int,
    also: tuple | list = (),
) -> int:
    """Write, examine, publish; the exit code."""
    import zoo
    from export import contract
    from export import publish
    from zoo import presets

    if "://" not in model and not presets.directory_of(model).exists():
        zoo.load(model)  # fails, and lists the presets, before anything is made
    contract.batch_sizes(max_batch_size)
    publish.check(base, version)
    print(f"loading {model}", flush=True)
    import tensorflow as tf

    from export import companions
    from export import doctor
    from export import write

    game = zoo.load(model)
    source = _source(model)
    name = base.resolve().name
    with publish.aside(base) as directory:
        print(f"writing {type(game).__name__} to a temporary directory under {base}", flush=True)
        try:
            terms = write.write(
                game,
                directory,
                name,
                max_batch_size,
                preset=source["preset"],
                source=source["sha256"],
                run=source["run"],
                also=also,
            )
        except tf.errors.OpError as error:  # a full disk, for TensorFlow's own writers
            raise OSError(error.message) from error
        print("examining it in a fresh process", flush=True)
        if not doctor.in_fresh_process(directory):
            print("error: the export is not sound; nothing was published", file=sys.stderr)
            return 1
        if _stops:
            return 128 + _stops[0]
        published = publish.publish(directory, base, version)
    print(f"published {published}")
    try:
        for path in companions.write_base(base, terms):
            print(f"kept (edited by you): {path}")
    except OSError as error:
        print(f"note: the files beside it are not complete: {error}", file=sys.stderr)
    return 0


def _source(model):
    """(name if it is a preset, sha256 of its weights, its run) of the exported model."""
    from export import contract
    from zoo import presets

    file = presets.resolve(model)
    if isinstance(file, presets.Preset):
        return {"preset": model, "sha256": file.sha256, "run": _run(file.directory)}
    if file.is_dir():
        file = next(file / name for name in ("game.keras", "weights.npz") if (file / name).exists())
    # A handle was checked against its own checksum when it was fetched.
    sha256 = contract.sha256(file) if file.is_file() else None
    return {"preset": None, "sha256": sha256, "run": _run(file.parent)}


def _run(directory):
    """The "data" and "metrics" of a game's run directory, as far as they exist."""
    found = {}
    for name in ("config", "metrics"):
        try:
            found[name] = json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not a run directory
            found[name] = {}
    known = [found[name] if isinstance(found[name], dict) else {} for name in found]
    # A preset keeps all records of its training in one entry.
    making = known[0].get("training") or known[0]
    return {"data": making.get("data"), "metrics": known[1]}


def _stop(number, _frame):
    # An exception removes the temporary directory. But Python drops an exception raised inside a
    # finaliser, so publication checks `_stops` as well.
    _stops.append(number)
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    # The end of a terminal session, unless the command was started to outlive it.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _stop)
    sys.exit(main(sys.argv))
