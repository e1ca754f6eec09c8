"""The model card, written from config.json, metrics.json and audit.json of a preset alone."""

import pathlib

from zoo import run_files
from zoo.presets import facts
from zoo.presets import figures
from zoo.presets import header
from zoo.presets import licences
from zoo.presets import limits
from zoo.presets import tables
from zoo.presets.storage import CONFIG
from zoo.presets.storage import WEIGHTS


def text(name: str, config: dict, metrics: dict, audit: dict) -> str:
    """The card of the preset `name`; the arguments are the contents of its JSON files."""
    parts = (
        header.header(name, config, metrics, audit),
        f"# {name}",
        _first_line(config, audit),
        limits.behind(config, metrics, audit),
        "![Test images above their reconstructions, and samples](card.png)",
        "## Figures",
        *_figures(name, config, metrics, audit),
        "## Limits",
        *limits.sentences(config, metrics, audit),
        "## Use",
        *_use(name, config, metrics),
        "## Making",
        *_making(config),
        "## Data and licence",
        _licence(config),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def write(directory: pathlib.Path, name: str, config: dict, metrics: dict, audit: dict) -> None:
    """Write card.md into `directory`, and LICENSE.txt if the weights are images."""
    card = text(name, config, metrics, audit)
    (directory / "card.md").write_text(card, encoding="utf-8")
    licences.write(directory, config)


def rewrite(directory: pathlib.Path) -> None:
    """Write card.md of the package's preset in `directory` from the JSON files beside it."""
    write(directory, directory.name, *run_files.read_run(directory, ("config", "metrics", "audit")))


def _data(config):
    return facts.DATA.get(config["settings"]["dataset"])


def _built(config):
    return bool(config["training"].get("built"))


def _first_line(config, audit):
    data, arguments = _data(config), config["arguments"]
    title = data.title if data else config["settings"]["dataset"]
    if _built(config):
        how = f"built, not trained, from {arguments['support']:,} training images of {title}"
    else:
        split = config["training"].get("train_split", "train")
        some = f"{data.train:,} training" if data and split == "train" else split
        how = f"trained on the {some} images of {title}"
    shape = " × ".join(map(str, arguments["image_shape"]))
    code = arguments["latent_dim"]
    code = " × ".join(map(str, code)) if isinstance(code, list | tuple) else code
    return (
        f"{limits.first(audit)}{config['class']}, {how}. {config['paper']}. Networks: "
        f"{', '.join(config['networks'])} ({arguments['network']}, width {arguments['width']}; "
        f"{config['parameters']:,} numbers); images {shape} in [-1, 1], codes of "
        f"{code} numbers, prior {arguments['prior']}."
    )


def _figures(name, config, metrics, audit):
    yield from tables.table(config, metrics, audit)
    kind = config["method"], config["settings"]["dataset"]
    yield facts.REMARKS.get(kind, "")
    if not tables.published_of(config):
        yield "No figure of the paper is of this kind on these data."
    yield _measured_on(name, metrics, audit)


def _measured_on(name, metrics, audit):
    data = metrics["measured_on"]["small"]
    whole = metrics["measured_on"].get("all", {}).get("name")
    learn = f"; probes are trained on its first {metrics['n_train']:,.0f} training images"
    learn = learn if metrics["n_train"] else ""
    also = f"; the column of all test images {_everything(whole)}" if "all_test" in metrics else ""
    space = f" Samples are compared in the space of {audit['space']}." if "space" in audit else ""
    return (
        f"Measured with the weights of this directory, seed {figures.SEED}. Test images are the "
        f"first {metrics['n_test']:,.0f} of `{data['name']}`{learn}{also}.{space} The figures of "
        f"this table and of the limits below are measured again by\n\n"
        f"    python -m zoo.audit {name} --check-card\n\n"
        "which allows other machines 0.5 % of cycles and half a point of accuracies; the other "
        "tolerances are in `zoo/presets/figures.py`."
    )


def _everything(name):
    return (
        f"is of `{name}`, with its whole training split for 1-NN and as many codes drawn as there "
        "are test images"
    )


def _use(name, config, metrics):
    encoder = "encoder" in config["networks"]
    data = metrics["measured_on"]["small"]["name"]
    lines = [
        "import zoo",
        "from zoo import datasets",
        "",
        f'game = zoo.load("{name}")',
        "images = game.decode(game.prior_codes(16, seed=0))  # in [-1, 1]",
    ]
    if encoder:
        lines += [
            f'x = datasets.scale(datasets.load("{data}").test[:16])',
            "codes = game.encode(x)",
            "again = game.decode(codes)",
        ]
    players = ", ".join(config["players"])
    tune = [
        "import keras",
        "",
        f'data = datasets.load("{data}")',
        "game.compile({p: keras.optimizers.Adam(1e-4, beta_1=0.5) for p in game.players})",
        "game.fit(datasets.batches(data.train, 64, seed=0), steps_per_epoch=100)",
    ]
    yield "```python\n" + "\n".join(lines) + "\n```"
    yield f"To continue training (players: {players}):\n\n```python\n" + "\n".join(tune) + "\n```"
    yield (
        "Meant for teaching, for tests, and as a baseline of studies of latent spaces. Not meant "
        "for decisions about people or goods, nor as a source of training data."
    )


def _making(config):
    training, weights = config["training"], config["weights"]
    if not training:
        yield "How it was made was not recorded."
    else:
        yield f"    {training['command']}"
        shared = {
            True: "on a machine shared with other work, so that times are upper bounds",
            False: "on a machine with nothing else to do",
        }.get(training.get("shared_machine"), "it is not known whether the machine was shared")
        rows = {
            "seed": training.get("seed"),
            "epochs": training.get("epochs"),
            "wall time": _seconds(training, shared),
            "backend": training.get("backend"),
            "versions": ", ".join(f"{k} {v}" for k, v in training.get("versions", {}).items()),
            "machine": training.get("machine"),
            "precision": training.get("precision"),
        }
        yield "\n".join(
            f"- {key}: {value}" for key, value in rows.items() if value not in (None, "")
        )
    kept = "kernels in float16, all else in float32"
    kept = {"float16": kept, "float32": "float32"}[weights["precision"]]
    if _built(config):
        kept += "; the stored images as bytes, so that the pair is exact"
    yield (
        f"`{WEIGHTS}`: {weights['bytes']:,} bytes, {kept}, sha256 {weights['sha256']}."
        + _changed(config)
    )
    if config["averages"]:
        yield (
            "Encoder and generator are the moving averages of the training (decay "
            f"{config['averages']:g} a step), the other networks its last; `{CONFIG}` therefore "
            "has ema = 0."
        )


def _seconds(training, shared):
    if "wall_s" not in training:
        return None
    text = f"{training['wall_s']:,.{0 if training['wall_s'] >= 10 else 1}f} s, {shared}"
    return f"{text}; of building, without measuring" if training.get("built") else text


def _changed(config):
    rounding = config.get("rounding")
    if not rounding:
        return ""
    cycle = ""
    if "x_cycle_ratio" in rounding and not _built(config):
        before, after = rounding["x_cycle_ratio"]
        cycle = f" the x-cycle ratio was {before:.5f} and is {after:.5f};"
    return f" Storing them changed little:{cycle} samples moved by {rounding['samples']:.2g}."


def _licence(config):
    data = _data(config)
    terms = data.terms if data else config["training"].get("data", "not recorded")
    if _built(config):
        beside = f" `{licences.FILE}` beside this card has it." if data else ""
        return f"The stored images are data: {terms}.{beside} The code is under Apache-2.0."
    return f"Data: {terms}. Weights and code: Apache-2.0."
