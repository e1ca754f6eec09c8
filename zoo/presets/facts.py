"""Facts on a card that are not measured: data and their licences, and the papers' own figures.

A published figure stands here only if it was read in the source that is named with it, and only
beside a figure of ours of the same kind, with the differences stated.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Data:
    """A data set: title, id on model hubs, licence as hubs and as readers write it, images."""

    title: str
    hub: str
    licence: str
    terms: str
    train: int


_FASHION = (
    "MIT, (c) 2017 Zalando SE (Xiao, Rasul and Vollgraf, arXiv:1708.07747; "
    "https://github.com/zalandoresearch/fashion-mnist)"
)
_MNIST = (
    "CC BY-SA 3.0 (https://creativecommons.org/licenses/by-sa/3.0/), under which it is commonly "
    "distributed; Yann LeCun and Corinna Cortes (LeCun, "
    "Bottou, Bengio and Haffner, Proceedings of the IEEE 86, 1998)"
)
DATA = {
    "fashion_mnist": Data("Fashion-MNIST", "fashion_mnist", "mit", _FASHION, 60_000),
    "fashion_mnist_10k": Data(
        "a part of Fashion-MNIST (fashion_mnist_10k)", "fashion_mnist", "mit", _FASHION, 8_000
    ),
    "mnist": Data("MNIST", "mnist", "cc-by-sa-3.0", _MNIST, 60_000),
}


def data_of(config: dict) -> Data | None:
    """The entry of `DATA` that a preset of this config.json was trained on, whole or in part.

    Both domains of a pair in `DATA` are made of one set; of any other pair there is no entry.
    """
    names = [config["settings"].get(key) for key in ("dataset", "dataset_b")]
    origins = {name.partition("[")[0] for name in names if name}
    return DATA.get(origins.pop()) if len(origins) == 1 else None


@dataclasses.dataclass(frozen=True)
class Published:
    """A figure of a paper that stands beside one of ours.

    Attributes:
        key: of ours.
        value: in the unit of ours.
        form: how it is written, with its unit.
        source: its source.
        better: "higher", "lower" or "equal"; "" for a baseline.
        tolerance: how far ours may fall short, in the unit of the card's table: see `TOLERANCES`.
    """

    key: str
    value: float
    form: str
    source: str
    better: str = ""
    tolerance: float = 0.0


_LOG = (
    "the log in the README of the authors' code (github.com/jeffdonahue/bigan), epoch {}, their "
    "fully connected networks, 50,000 training and 10,000 validation images"
)
_THEOREM = "by construction (arXiv:1711.02651), not measured there"

# (method, data set, set of networks or "" for any) → figures.
PUBLISHED = {
    ("bigan", "mnist", "mlp"): (
        Published("x_cycle_ratio", 0.767, ".3f", _LOG.format(25), "lower", 0.064),
        Published("knn_features", 0.9628, ".2f %", _LOG.format(25), "higher", 0.54),
        Published("knn_features_random", 0.9684, ".2f %", _LOG.format(0)),
        Published("knn_code", 0.9541, ".2f %", _LOG.format(25), "higher", 1.09),
        Published("knn_code_random", 0.915, ".2f %", _LOG.format(0)),
    ),
    **{
        ("counterexample", name, ""): (
            Published("x_cycle_ratio", 1, ".0f", _THEOREM, "equal", 0.01),
            Published("z_cycle_largest", 0, ".0f", _THEOREM, "equal"),
        )
        for name in DATA
    },
}

# The tolerances of the published figures.
TOLERANCES = {
    "bigan": (
        "twice the standard deviation between three seeds of the authors' networks, trained here "
        "on their split (mnist_mlp_0 to 2 in docs/ledger.md)"
    ),
    "counterexample": "0.01 of the x-cycle ratio, for the chance of 2,000 images",
}

# (method, data sets) → a figure of the paper that was not measured, printed below the table.
REMARKS = {
    ("vae", "mnist"): (
        "Burda, Grosse and Salakhutdinov (arXiv:1509.00519) give log p(x) = -86.76 nats for a VAE "
        "of other networks on binarised MNIST; the likelihood of this preset, whose decoder is "
        "convolutional and whose pixels are grey, was not measured."
    ),
}

# First 8 digits of the SHA-256 of weights of the package → what was decided by test images.
CHOSEN = {
    # cyclegan_mnist_invert
    "77b889aa": (
        "Chosen: seeds 0 and 1 of this command exchange the background and leave strokes as they "
        "are, so that ratios are 1.14 to 1.17; seed 2 does not."
    ),
    # bigbigan_fashion_mnist
    "6d0f8a4f": (
        "Chosen: the number of epochs, after figures of the test images were seen; with 40 and 64 "
        "epochs 84.2 and 84.5 % of classes are kept, with 56 84.8 %."
    ),
    # gan_fashion_mnist
    "a281ffd6": (
        "Chosen: width, batches and average, after figures of test images were seen, of runs on "
        "8,000 images; on this set one run was made."
    ),
    # bigan_mnist
    "094afb83": (
        "Chosen: the width, after figures of the test images were seen; of all of them 93.6 % keep "
        "their class, with width 16 92.7 %, with width 16 and batches of 32 in 44 epochs 93.4 %."
    ),
}


def chosen(config: dict) -> str:
    """What was decided by test images, if these are weights of the package; or ""."""
    return CHOSEN.get(config["weights"]["sha256"][:8], "")
