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
        _first_line(config, metrics, audit),
        limits.behind(config, metrics, audit),
        f"![{_shown(config, metrics)}](card.png)",
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
    return facts.data_of(config)


def _built(config):
    return bool(config["training"].get("built"))


def _other(config):
    return config["settings"].get("dataset_b")


def _shown(config, metrics):
    if _other(config):
        truth = " and the truth" if "translation_ab_ratio" in metrics else ""
        return f"Test images of both sets above their translations, these translated back{truth}"
    if "inverse" in config["networks"]:
        return "Test images above their translations, and samples of each class"
    coded = "encoder" in config["networks"]
    return "Test images above their reconstructions, and samples" if coded else "Samples"


def _first_line(config, metrics, audit):
    data, arguments = _data(config), config["arguments"]
    title = data.title if data else config["settings"]["dataset"]
    if _other(config):
        split = config["training"].get("train_split", "train")
        sets = f"A, `{config['settings']['dataset']}`, and B, `{_other(config)}`"
        how = f"trained on `{split}` of two sets without pairs, {sets}"
    elif _built(config):
        how = f"built, not trained, from {arguments['support']:,} training images of {title}"
    else:
        split = config["training"].get("train_split", "train")
        some = f"{data.train:,} training" if data and split == "train" else split
        how = f"trained on the {some} images of {title}"
    shape = " × ".join(map(str, arguments["image_shape"]))
    code = arguments["latent_dim"]
    code = " × ".join(map(str, code)) if isinstance(code, list | tuple) else code
    codes = f", codes of {code} numbers, prior {arguments['prior']}"
    # Translators have no codes, or maps, whose size follows from that of the images.
    codes = codes if "generator" in config["networks"] else ""
    return (
        f"{limits.first(metrics, audit)}{config['class']}, {how}. {config['paper']}. Networks: "
        f"{', '.join(config['networks'])} ({arguments['network']}, width {arguments['width']}; "
        f"{config['parameters']:,} numbers); images {shape} in [-1, 1]{codes}."
    )


def _figures(name, config, metrics, audit):
    yield from tables.table(config, metrics, audit)
    kind = (config["method"], *filter(None, (config["settings"]["dataset"], _other(config))))
    yield facts.REMARKS.get(kind, "")
    yield facts.chosen(config)
    if not tables.published_of(config):
        yield "No figure of the paper is of this kind on these data."
    yield _measured_on(name, metrics, audit)


def _measured_on(name, metrics, audit):
    data = metrics["measured_on"]["small"]
    whole = metrics["measured_on"].get("all", {}).get("name")
    learn = f"; probes are trained on its first {metrics['n_train']:,.0f} training images"
    learn = learn if metrics["n_train"] else ""
    names = f"`{data['name']}`" + (f" and of `{data['other']}`" if "other" in data else "")
    also = f"; the column of all test images {_everything(whole)}" if "all_test" in metrics else ""
    space = f" Samples are compared in the space of {audit['space']}." if "space" in audit else ""
    return (
        f"Measured with the weights of this directory, seed {figures.SEED}. Test images are the "
        f"first {metrics['n_test']:,.0f} of {names}{learn}{also}.{space} The figures of "
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
    networks, source = config["networks"], metrics["measured_on"]["small"]
    data, load = source["name"], f'datasets.load("{source["name"]}")'
    batch = "data.train"
    lines = ["import zoo", "from zoo import datasets", "", f'game = zoo.load("{name}")']
    if _other(config):
        load = f'datasets.load("{data}", other="{source["other"]}")'
        batch = "data.parts(game.inputs)"
        lines += [
            f"data = {load}",
            "a, b = datasets.scale(data.test[:16]), datasets.scale(data.other.test[:16])",
            "to_b, to_a = game.translate(a, 1), game.translate(b, 0)",
            "back = game.translate(to_b, 0)",
        ]
    elif "inverse" in networks:
        batch = "data.parts(game.inputs)"
        lines += [
            "images = game.decode(game.prior_codes(16, seed=0), 3)  # of class 3, in [-1, 1]",
            f"x = datasets.scale({load}.test[:16])",
            "translated = game.translate(x, 3)",
        ]
    else:
        lines += ["images = game.decode(game.prior_codes(16, seed=0))  # in [-1, 1]"]
    if "encoder" in networks:
        lines += [
            f"x = datasets.scale({load}.test[:16])",
            "codes = game.encode(x)",
            "again = game.decode(codes)",
        ]
    players = ", ".join(config["players"])
    tune = [
        "import keras",
        "",
        f"data = {load}",
        "game.compile({p: keras.optimizers.Adam(1e-4, beta_1=0.5) for p in game.players})",
        f"game.fit(datasets.batches({batch}, 64, seed=0), steps_per_epoch=100)",
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
            f"{_averaged(config)} are the moving averages of the training (decay "
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
    names = {"x_cycle_ratio": "the x-cycle ratio"}
    names |= {"cycle_ab_ratio": "the cycle ratio A → B → A", "cycle_ba_ratio": "that of B → A → B"}
    said = [
        f"{name} was {rounding[key][0]:.5f} and is {rounding[key][1]:.5f}"
        for key, name in names.items()
        if key in rounding and not _built(config)
    ]
    said += [f"samples moved by {rounding['samples']:.2g}"] if "samples" in rounding else []
    return f" Storing them changed little: {'; '.join(said)}."


def _averaged(config):
    names = [name for name in config["networks"] if "discriminator" not in name]
    both = set(names) <= {"encoder", "generator"}
    return "Encoder and generator" if both else f"The networks {', '.join(names)}"


def _licence(config):
    data = _data(config)
    terms = data.terms if data else config["training"].get("data", "not recorded")
    if _built(config):
        beside = f" `{licences.FILE}` beside this card has it." if data else ""
        return f"The stored images are data: {terms}.{beside} The code is under Apache-2.0."
    return f"Data: {terms.rstrip('.')}. Weights and code: Apache-2.0."
