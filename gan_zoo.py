"""`gan-zoo COMMAND …` is `python -m MODULE …`: one name for all commands of the package."""

import importlib.util
import pathlib
import runpy
import sys

# command → (module that `python -m` runs, its words, what it does)
COMMANDS = {
    "train": ("trainers", "METHOD [flags]", "train a method; without METHOD, list them"),
    "compare": ("trainers.compare", "RUN …", "runs side by side"),
    "presets": ("zoo", "[NAME]", "the trained models that ship, or the card of one"),
    "audit": ("zoo.audit", "MODEL …", "every measurement, and verdicts"),
    "latent": ("zoo.latent", "MODEL", "paths, neighbours, directions and anomalies of codes"),
    "invert": ("zoo.inversion", "MODEL", "codes of images by optimisation"),
    "restore": ("zoo.inversion.tasks", "MODEL", "inpainting, super-resolution, denoising"),
    "slopes": ("zoo.lipschitz", "MODEL …", "Lipschitz estimates of encoders and generators"),
    "knn": ("zoo.knn", "MODEL …", "k-nearest-neighbour accuracies of features"),
    "gallery": ("zoo.gallery", "[MODEL …]", "reconstructions and samples in one picture"),
    "save-preset": ("zoo.presets", "RUN --out=NEW", "a preset of a run, with its card"),
    "export": ("export", "MODEL --out=DIRECTORY", "a SavedModel for serving, checked"),
    "doctor": ("export.doctor", "DIRECTORY", "check an exported model again"),
    "serve": ("export.server", "[flags]", "serve exported models over gRPC and REST"),
    "client": ("export.client", "COMMAND", "call a server: encode, decode, sample …"),
}


def main(argv: list | None = None) -> int:
    """Run the command that `argv` names, with the rest of it; 2 and one line if there is none."""
    _, *words = sys.argv if argv is None else argv
    if not words or words[0] in ("--help", "-h", "help"):
        print(listing())
        return 0
    name, *rest = words
    for package in ("zoo", "trainers", "export"):
        _import(package)
    if name == "--version":
        import zoo

        print(f"gan-zoo {zoo.__version__}")
        return 0
    if name not in COMMANDS:
        return _unknown("command", name, COMMANDS, "gan-zoo --help")
    module = COMMANDS[name][0]
    if name == "train" and rest and rest[0] not in ("--help", "-h"):
        method, *rest = rest
        if method not in trainable():
            return _unknown("method", method, trainable(), "gan-zoo train")
        module = f"{module}.{method}"
    elif name == "train":
        rest = []
    sys.argv = [module, *rest]  # run_module puts the path of the file first
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


def _import(package):
    """Import the package beside this file, not a file of that name in the working directory."""
    if package not in sys.modules:
        file = pathlib.Path(__file__).parent / package / "__init__.py"
        spec = importlib.util.spec_from_file_location(package, file)
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])


def listing() -> str:
    """One line for each command."""
    lines = [(f"{name} {words}", text) for name, (_, words, text) in COMMANDS.items()]
    width = max(len(first) for first, _ in lines)
    return "\n".join(
        [
            "usage: gan-zoo COMMAND …",
            "flags: gan-zoo COMMAND --help; gan-zoo train METHOD --help",
            "",
            *(f"  {first:{width}}  {text}" for first, text in lines),
        ]
    )


def trainable() -> list:
    """The modules of `trainers` that `gan-zoo train` runs."""
    from trainers.__main__ import commands

    return sorted(commands())


def _unknown(what, name, known, where):
    from zoo.cli.names import nearest

    hint = nearest(name, known)
    print(f"error: unknown {what} {name!r}{hint}; {where} lists them", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
