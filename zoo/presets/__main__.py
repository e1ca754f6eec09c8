"""Make a preset with its card from a trained run or a counterexample.

usage: python -m zoo.presets RUN_DIRECTORY --out=DIRECTORY [flags]
       python -m zoo.presets RUN_DIRECTORY --name=NAME [flags]
       python -m zoo.presets --counterexample=DATASET --name=NAME [flags]
       python -m zoo.presets --rewrite

With --out the preset is yours: `zoo.load(DIRECTORY)` reads it. With --name it is written among
those of the package, zoo/presets/NAME, and zoo/presets/registry.json is written again. Either way
the weights are stored first, and every figure of the card is measured on the stored weights. With
--rewrite the cards and the registry of the package are written again from the stored figures.
"""

import os
import pathlib
import tempfile

from zoo.cli import commands

FLAGS = {
    "out": ("", "Directory of the preset."),
    "name": ("", "Name among the presets of the package, such as bigan_fashion_mnist."),
    "hub": ("", "Upload the preset of --out with its card to hf://owner/repo (Hugging Face Hub)."),
    "precision": ("float16", "Precision of the stored kernels, float16 or float32."),
    "shared_machine": ("", "Whether the machine had other work during training: yes or no."),
    "counterexample": ("", "Build the counterexample on this data set in place of a run."),
    "support": (4096, "Images that a counterexample stores."),
    "seed": (0, "Seed of the choice of a counterexample's images."),
    "most_megabytes": (6.0, "Largest size of weights.npz."),
    "rewrite": (False, "Write cards and registry again; nothing is measured."),
}


def main(argv: list | None = None) -> None:
    """Exit code 2 and one line for bad input."""
    from zoo.presets import handles

    with commands.exit_on_bad_input():
        args, runs = commands.parse(__doc__, FLAGS, argv)
        shared = {"": None, "yes": True, "no": False}.get(args.shared_machine, args)
        if shared is args:
            raise ValueError(f"--shared_machine must be yes or no; got {args.shared_machine!r}")
        if args.rewrite:
            _rewrite()
            return
        if bool(args.name) == bool(args.out):
            raise ValueError("give either --name=NAME or --out=DIRECTORY; see --help")
        if len(runs) != (not args.counterexample):
            raise ValueError("give one run directory, or --counterexample=DATASET; see --help")
        if args.hub:
            handles.writable(args.hub)
            if not args.out:
                raise ValueError("--hub needs --out=DIRECTORY")
        from zoo.presets import making

        directory = _directory(args)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=directory.parent) as aside:
            size, made = args.most_megabytes * 1e6, pathlib.Path(aside) / "preset"
            target = making.Target(made, args.name or args.out, args.precision, size)
            if args.counterexample:
                built = args.counterexample, args.support, args.seed
                making.counterexample(*built, target, _command(args), shared)
            else:
                making.from_run(pathlib.Path(runs[0]), target, shared)
            _publish(target.directory, directory)
        if args.hub:
            address, sha256 = handles.upload(directory, args.hub)
            print(f'uploaded: zoo.load("{address}", sha256="{sha256}")')
    from zoo.presets import registry

    if args.name:
        print(registry.table(making.rebuild()))
    print(f"see {directory / 'card.md'}")


def _rewrite():
    from zoo.presets import cards
    from zoo.presets import making
    from zoo.presets import registry

    for preset in making.rebuild():
        cards.rewrite(preset.directory)
    print(registry.table(registry.list_presets()))


def _directory(args):
    from zoo.presets import registry
    from zoo.presets import storage

    if args.name and not args.name.replace("_", "").isalnum():
        raise ValueError(f"--name must be letters, digits and _; got {args.name!r}")
    directory = registry.FOLDER / args.name if args.name else pathlib.Path(args.out)
    storage.refuse_run(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    return directory


def _command(args):
    """The command line of the same counterexample; a directory without its parents."""
    words = [f"--{name}={getattr(args, name)}" for name in ("counterexample", "support", "seed")]
    if args.precision != FLAGS["precision"][0]:
        words.append(f"--precision={args.precision}")
    where = f"--name={args.name}" if args.name else f"--out={pathlib.Path(args.out).name}"
    return commands.typed("zoo.presets", ["", *words, where])


def _publish(made, directory):
    """Move the files of a complete preset to its final directory."""
    from zoo.presets import storage

    storage.clear(directory)
    directory.mkdir(exist_ok=True)
    for path in made.iterdir():
        os.replace(path, directory / path.name)


if __name__ == "__main__":
    main()
