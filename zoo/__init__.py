"""Generative adversarial networks that have an encoder.

`zoo.METHODS` names every method; `zoo.BiGAN` (and so on) is its class. Classes are imported when
first accessed, so that `import zoo` is fast.
"""

import importlib
import pathlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For editors and type checkers, which do not run `__getattr__`.
    from zoo import datasets as datasets
    from zoo.aae import AAE as AAE
    from zoo.acgan import ACGAN as ACGAN
    from zoo.ali import ALI as ALI
    from zoo.alpha_gan import AlphaGAN as AlphaGAN
    from zoo.bigan import BiGAN as BiGAN
    from zoo.bigbigan import BigBiGAN as BigBiGAN
    from zoo.counterexample import Counterexample as Counterexample
    from zoo.cyclegan import CycleGAN as CycleGAN
    from zoo.game import Game as Game
    from zoo.gan import GAN as GAN
    from zoo.latent_regressor import LatentRegressor as LatentRegressor
    from zoo.memorizer import Memorizer as Memorizer
    from zoo.naive_encoder import NaiveEncoder as NaiveEncoder
    from zoo.unit import UNIT as UNIT
    from zoo.vae import VAE as VAE
    from zoo.vae_gan import VAEGAN as VAEGAN
    from zoo.wgan import WGAN as WGAN

# method (also the name of its module, and of its trainer) → class
METHODS = {
    "gan": "GAN",
    "wgan": "WGAN",
    "vae": "VAE",
    "bigan": "BiGAN",
    "ali": "ALI",
    "aae": "AAE",
    "vae_gan": "VAEGAN",
    "alpha_gan": "AlphaGAN",
    "latent_regressor": "LatentRegressor",
    "bigbigan": "BigBiGAN",
    "acgan": "ACGAN",
    "cyclegan": "CycleGAN",
    "unit": "UNIT",
    "naive_encoder": "NaiveEncoder",
}

# Not methods: built, not learned. Loading, metrics and export are those of a game.
CONSTRUCTIONS = {"counterexample": "Counterexample", "memorizer": "Memorizer"}

__all__ = [*METHODS.values(), *CONSTRUCTIONS.values(), "CONSTRUCTIONS", "Game", "METHODS"]
__all__ += ["datasets", "list_presets", "load", "method", "save_preset"]

__version__ = "0.1.0"


def method(name: str) -> "type[Game]":
    """The game class of method `name`. Raises ValueError that lists the methods."""
    known = METHODS | CONSTRUCTIONS
    if name not in known:
        raise ValueError(f"unknown method {name!r}; methods are {', '.join(known)}")
    return getattr(importlib.import_module(f"zoo.{name}"), known[name])


def load(source: str, sha256: str = "") -> "Game":
    """A trained game: a preset by name, or a saved one by path or address.

    Args:
        source: the name of a preset, such as "bigan_fashion_mnist" (`list_presets` has them all);
            a run directory or the `game.keras` in it; a directory written by `save_preset`;
            "https://…/bigan.zip", an archive of such a directory; or "hf://owner/repo@revision".
            A preset takes precedence over a directory of its name; write "./name" for that.
        sha256: of a preset's config.json, which holds the checksum of its weights and so covers
            both; of the whole archive for https://; of the file for .keras. Required for https://
            and hf://, and checked whenever it is given.

    Returns:
        The game: as it was trained, compiled, if it comes from a run; not compiled from a preset,
        whose `game.ema` is 0 (see `zoo.presets.storage`).

    Raises:
        ValueError: nothing has that name, or a file is damaged or not the expected one;
            the message names the file, and the expected and found sha256.
    """
    from zoo import saving

    return saving.load(source, sha256)


def list_presets() -> list:
    """The `zoo.presets.Preset`s of the package: name, method, data, parameters, key figures.

    Printed, it is the table of `python -m zoo`. Needs no TensorFlow.
    """
    from zoo import presets

    return presets.list_presets()


def save_preset(
    game: "Game", directory: str, precision: str = "float16", hub: str = "", **about
) -> tuple[str, str] | None:
    """Write the weights and the configuration of `game` so that `zoo.load(directory)` reads them.

    The layout is that of the package's presets, without metrics and card; `python -m zoo.presets`
    makes all of it from a run directory. If the game keeps averages, they are stored as the
    networks themselves.

    Args:
        game: a game of this package, trained or not.
        directory: made if missing; a preset in it is replaced, with its card and metrics.
        precision: "float16", or "float32" to store every kernel as it is.
        hub: "hf://owner/repo" uploads the directory too, to a repository of the Hugging Face Hub
            that is made public if it does not exist, under the account of `hf auth login`.
        **about: kept under "training" in config.json, such as command="…".

    Returns:
        With `hub`, the two arguments of `zoo.load`: "hf://owner/repo@commit" and the checksum.

    Raises:
        ValueError: another precision, weights that are not finite, the directory of a run, or the
            upload fails.
    """
    from zoo.presets import handles
    from zoo.presets import storage

    if hub:
        handles.writable(hub)
    storage.save(game, directory, precision, training=about)
    return handles.upload(pathlib.Path(directory), hub) if hub else None


def __dir__():
    return sorted({*globals(), *__all__})


def __getattr__(attribute):
    if attribute == "datasets":
        return importlib.import_module("zoo.datasets")
    if attribute == "Game":
        return importlib.import_module("zoo.game").Game
    for name, game_class in (METHODS | CONSTRUCTIONS).items():
        if attribute == game_class:
            return method(name)
    raise AttributeError(f"module 'zoo' has no attribute {attribute!r}")
