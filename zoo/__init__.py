"""Generative adversarial networks that have an encoder.

`zoo.METHODS` names every method; `zoo.BiGAN` (and so on) is its class. Classes are imported when
first asked for, so that `import zoo` costs nothing until a model is wanted.
"""

import importlib

# method (also the name of its module, and of its trainer) → class
METHODS = {
    "gan": "GAN",
    "vae": "VAE",
    "bigan": "BiGAN",
    "ali": "ALI",
    "aae": "AAE",
    "vae_gan": "VAEGAN",
    "alpha_gan": "AlphaGAN",
    "latent_regressor": "LatentRegressor",
}

# Not a method: a pair that is built, not learned; loaded, measured and exported like a trained one.
CONSTRUCTIONS = {"counterexample": "Counterexample"}

__version__ = "0.1.0"


def method(name: str):
    """The game class of method `name`. Raises ValueError listing the methods there are."""
    known = METHODS | CONSTRUCTIONS
    if name not in known:
        raise ValueError(f"unknown method {name!r}; methods are {', '.join(known)}")
    return getattr(importlib.import_module(f"zoo.{name}"), known[name])


def load(path: str):
    """The trained game saved at `path`, a `game.keras` file or the run directory that holds one.

    Raises:
        ValueError: nothing was saved there, or the file is damaged.
    """
    from zoo import saving

    return saving.load(path)


def __getattr__(attribute):
    for name, game_class in (METHODS | CONSTRUCTIONS).items():
        if attribute == game_class:
            return method(name)
    raise AttributeError(f"module 'zoo' has no attribute {attribute!r}")
