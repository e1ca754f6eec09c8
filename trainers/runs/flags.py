"""The flags of a trainer: those that all share, and one per constructor argument of its game.

The constructor is read from its source, not imported, so that `--help` answers without loading
TensorFlow.
"""

import ast
import functools
import os
import pathlib
import re
import types

import zoo
from trainers.runs import loggers
from trainers.runs import names
from trainers.runs.recipe import learning_rates
from zoo.cli import commands

# Network sets whose training step XLA speeds up on a processor: dense layers alone. Per step and
# processor second 1.6 times for `mixture`, 1.5 for `mlp`, 1.0 for `tanh` (2 cores, AVX2, batch 100,
# 5 steps per call, best of 2 rounds by turns); convolutions are slower.
COMPILED = ("mixture", "mlp")

COMMON = {
    "dataset": (
        "fashion_mnist_10k",
        "Training data: fashion_mnist_10k (ships with the package),"
        " digits (of scikit-learn, enlarged to 28 × 28), any image set of TensorFlow Datasets by"
        " name, folder:PATH of image files, npz:PATH, or points in the plane: grid25,"
        " ring8, circle.",
    ),
    "dataset_b": (
        "",
        "The second set of a method of two domains; the first is --dataset. NAME[class=C] is one"
        " class of a set; NAME[invert], NAME[rotate] and NAME[outline] are its images changed, so"
        " that the true translation is known; the two halves of such a pair share no image.",
    ),
    "image_size": (0, "Resize images to this many pixels a side, with antialiasing; 0 keeps them."),
    "train_split": ("train", "Training examples, in the split syntax of TensorFlow Datasets."),
    "test_split": ("test", "Test examples, in the same syntax."),
    "download": (False, "Let TensorFlow Datasets download a set that is not prepared."),
    "cache": (
        True,
        "Keep decoded images on disk, if they take 256 MiB or more or are a folder of 1,000 files"
        " or more, and map them from there; --nocache holds them in memory and decodes them again.",
    ),
    "cache_dir": (
        "",
        "Where they are kept, small sets too; by default encoder-gan-zoo in $XDG_CACHE_HOME or"
        " ~/.cache.",
    ),
    "start_from": (
        "",
        "A preset, a run directory or a .keras file: networks of the same name begin with its"
        " weights (their averages, if it keeps them), and new optimizers.",
    ),
    "run_dir": ("", "Directory of all output; by default runs/<method>_<network>_<dataset>."),
    "epochs": (0, "Passes over the training examples."),
    "batch_size": (128, "Examples per step, over all replicas."),
    "learning_rate": (
        "",
        "Initial rate of every player, such as 3e-4; or of players by name, such as"
        " discriminator=1e-4,generator=4e-4, and the others keep theirs. The recipe in"
        " trainers/METHOD.py sets how it falls during the run.",
    ),
    "strategy": (
        "auto",
        "auto, one_device, mirrored, multi_worker_mirrored or tpu. auto takes the workers that"
        " TF_CONFIG names, else a TPU that answers, else all GPUs, else one device; it is printed."
        " On JAX, auto (all devices) or one_device.",
    ),
    "devices": ("", "Devices of --strategy=mirrored, such as GPU:0,GPU:1; by default every GPU."),
    "tpu": ("", "Name or address of the TPU, for --strategy=tpu."),
    "sync_batch_norm": (
        True,
        "Batch norm over the global batch, so that replicas take the step that one would; without,"
        " each normalises its own share, and the statistics saved are those of the first.",
    ),
    "precision": (
        "float32",
        "float32 or mixed_bfloat16, which is faster and keeps fewer classes (docs/bigan.md).",
    ),
    "jit_compile": (
        False,
        "Compile the training step with XLA: ignored under several replicas; JAX always does.",
    ),
    "steps_per_execution": (5, "Training steps between callbacks; an epoch is a multiple."),
    "evaluate_every": (5, "Epochs between measurements and pictures; 0 for none but the last."),
    "checkpoint_minutes": (
        10.0,
        "Minutes after which a checkpoint is written inside an epoch; the end of one writes, too.",
    ),
    "keep_checkpoints": (2, "How many of the newest checkpoints to keep."),
    "logger": (
        "",
        "wandb or mlflow: log there too what history.csv has, and the final figures. Their own"
        " environment variables say where, such as WANDB_MODE=offline and MLFLOW_TRACKING_URI.",
    ),
    "resume": (True, "Continue the run in --run_dir; --noresume refuses a used directory."),
}


def parse(recipe, argv: list) -> types.SimpleNamespace:
    """The value of every flag: given on the command line, else the recipe's, else the game's.

    Raises:
        SystemExit: `--help` was asked for.
        ValueError: a flag is unknown or cannot be read.
    """
    known = COMMON | constructor(recipe.method)
    # By type alone: a default that depends on the network is known when the network is.
    declared = {
        name: (type(default), _help(recipe, name, default, text))
        for name, (default, text) in known.items()
    }
    usage = f"{recipe.title}\n\nusage: python -m trainers.{recipe.method} [flags]"
    found = vars(commands.only_flags(usage, declared, argv))
    given = {name: value for name, value in found.items() if value is not None}
    return _resolve(recipe, given, {name: default for name, (default, _) in known.items()})


def constructor(method: str) -> dict:
    """argument → (default, text) of the game of `method`, in the order of its signature."""
    found = {}
    for game in (_declared("game", "Game"), _of_method(method)):
        texts = _argument_texts(ast.get_docstring(game) or "")
        for init in (n for n in game.body if getattr(n, "name", "") == "__init__"):
            names = [a.arg for a in init.args.args]
            for arg, default in zip(reversed(names), reversed(init.args.defaults), strict=False):
                found[arg] = (ast.literal_eval(default), texts.get(arg, ""))
    return found


def players(method: str) -> list:
    """Names of the players of `method`, as its docstring lists them."""
    listed = re.search(r"^Players: ([^.]+)\.", ast.get_docstring(_of_method(method)) or "", re.M)
    return re.sub(r" \([^)]*\)", "", listed[1]).split("; ") if listed else []


def _check_domains(method, second):
    """Before a set is read, which may take minutes; `zoo.datasets` checks it for others."""
    inputs: tuple = ("x", "z")  # of `zoo.game.Game`
    for node in _of_method(method).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "inputs":
            inputs = ast.literal_eval(node.value)
    if "b" in inputs and not second:
        raise ValueError(
            f"--dataset_b must name a second set, which {method} needs; got {second!r}"
        )
    if second and not {"b", "y"} & set(inputs):
        raise ValueError(
            f"--dataset_b must be left out for {method}, which takes one data set; got {second!r}"
        )


def _of_method(method):
    return _declared(method, zoo.METHODS[method])


@functools.cache
def _declared(module, name):
    """The class `name` in the source of a module of `zoo`."""
    source = pathlib.Path(zoo.__file__).parent / f"{module}.py"
    body = ast.parse(source.read_text(encoding="utf-8")).body
    return next(n for n in body if isinstance(n, ast.ClassDef) and n.name == name)


def _argument_texts(docstring):
    """The Args section of a Google-style docstring: argument → text on one line."""
    section = re.search(r"^Args:\n((?:[ ].*\n|\n)+)", docstring + "\n", re.M)
    entries = (
        re.findall(r"^ {4}(\w+): ((?:.*\n)(?: {8}.*\n)*)", section[1], re.M) if section else ()
    )
    return {name: " ".join(text.split()) for name, text in entries}


def _help(recipe, name, default, text):
    if name in recipe.without_effect:
        return f"Without effect in {recipe.method}."
    if name == "network":
        known = ", ".join(names.listed(*names.LISTS[name]))
        return f"The set of networks: {known}. Default: {recipe.network}; for points mixture."
    if name == "learning_rate":
        default = f"that of default_optimizer in zoo/{recipe.method}.py"
        text += f" Players: {', '.join(players(recipe.method))}."
    networks = _networks(recipe)
    if any(name in options for options in networks.values()):
        values = {network: options.get(name, default) for network, options in networks.items()}
        known = [f"{value} ({network})" for network, value in values.items() if value != ""]
        return f"{text} Default: {', '.join(known)}; other sets: as {recipe.network}."
    return f"{text} Default: {default}." if default != "" else text


def _networks(recipe):
    """Network set → flags of the recipe, and whether XLA compiles the step."""
    return {
        network: {"jit_compile": True} | options if network in COMPILED else options
        for network, options in recipe.networks.items()
    }


def _resolve(recipe, given, defaults):
    # Imported here: NumPy would double the time that --help takes.
    from zoo.datasets import holds_points

    points = holds_points(given.get("dataset", ""))
    network = given.get("network") or ("mixture" if points else recipe.network)
    networks = _networks(recipe)
    of_network = networks.get(network, networks[recipe.network])
    chosen = defaults | of_network | {"network": network} | given
    if not chosen["run_dir"]:
        sets = [os.path.normpath(chosen[n]) for n in ("dataset", "dataset_b") if chosen[n]]
        data = re.sub(r"[^\w.-]+", "_", "_".join(sets)).strip("_")
        chosen["run_dir"] = os.path.join("runs", f"{recipe.method}_{network}_{data}")
    args = types.SimpleNamespace(**chosen)
    commands.at_least(args, epochs=1, batch_size=1, steps_per_execution=1, keep_checkpoints=1)
    commands.at_least(args, checkpoint_minutes=0, evaluate_every=0, image_size=0, seed=0)
    if args.seed >= 2**31:
        raise ValueError(f"--seed must be 0 to 2**31 - 1; got {args.seed}")
    allowed = ("float32", "mixed_bfloat16")
    if chosen["precision"] not in allowed:
        raise ValueError(
            f"--precision must be one of {', '.join(allowed)}; got {chosen['precision']!r}"
        )
    learning_rates(chosen["learning_rate"])
    names.check(chosen)
    _check_domains(recipe.method, args.dataset_b)
    loggers.check(chosen["logger"])
    return args
