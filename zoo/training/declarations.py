"""Checks of a method's declarations and of a user's arguments."""

import inspect
import numbers

import zoo
from zoo import networks
from zoo.priors import PLANAR
from zoo.priors import PRIORS


def check_declaration(game):
    """A typo in a declaration fails at import, not after an hour. Adds `players` left out."""
    own = not game.__module__.startswith("zoo.")
    if own and game.__name__ in (zoo.METHODS | zoo.CONSTRUCTIONS).values():
        raise ValueError(
            f"class {game.__name__} must have another name than zoo.{game.__name__}: Keras finds "
            "the class of a saved game by its name"
        )
    for what, names in [*enumerate(game.schedule), *game.players.items()]:
        whose = f"player {what!r}" if what in game.players else f"phase {what} of the schedule"
        if not names or not isinstance(names, (tuple, list)):
            raise ValueError(f"{whose} of {game.__name__} must be a tuple of names; got {names!r}")
    scheduled = dict.fromkeys(player for phase in game.schedule for player in phase)
    game.players = game.players or {player: (player,) for player in scheduled}
    unknown = sorted(set(scheduled) - set(game.players))
    idle = sorted(set(game.players) - set(scheduled))
    if unknown:
        raise ValueError(
            f"schedule of {game.__name__} names unknown players {unknown}; "
            f"players are {sorted(game.players)}"
        )
    if idle:
        raise ValueError(f"schedule of {game.__name__} never lets {idle} move")
    arguments = tuple(inspect.signature(game.play).parameters)[1:]
    if arguments != tuple(game.inputs):
        raise ValueError(
            f"inputs of {game.__name__} must be the arguments of its play, {arguments}; "
            f"got {tuple(game.inputs)}"
        )


def arguments_of(game) -> dict:
    """The constructor arguments of `game`, kept under their own names, without its own networks."""
    names = [
        name
        for c in type(game).__mro__
        if hasattr(c, "schedule_for")  # `Game` and classes derived from it
        for name, parameter in inspect.signature(c.__init__).parameters.items()
        if name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    for name in names:
        if not hasattr(game, name):
            raise AttributeError(
                f"{type(game).__name__} must set self.{name}, its argument, before it calls "
                "super().__init__"
            )
    return {name: getattr(game, name) for name in names}


def check_arguments(game) -> None:
    """Raises ValueError if an argument of the constructor of `Game` is out of range."""
    latent_dim, network, prior = game.latent_dim, game.network, game.prior
    names = networks.BACKBONES
    if isinstance(latent_dim, tuple):
        three = len(latent_dim) == 3 and min(latent_dim) >= 1
        checked("latent_dim", latent_dim, three, "(height, width, channels), each 1 or more")
    else:
        whole = isinstance(latent_dim, numbers.Integral)
        checked("latent_dim", latent_dim, whole, "a whole number, or three of them")
        checked("latent_dim", latent_dim, latent_dim >= 1, "1 or more")
    checked("network", network, network in names, f"one of {', '.join(names)}")
    checked("width", game.width, game.width >= 1, "1 or more")
    checked("prior", prior, prior in PRIORS, f"one of {', '.join(PRIORS)}")
    checked("latent_dim", latent_dim, prior not in PLANAR or latent_dim == 2, f"2 for {prior}")
    checked("ema", game.ema, 0 <= game.ema < 1, "0 (off) or between 0 and 1, such as 0.999")


def checked(name, value, allowed, wanted):
    if not allowed:
        raise ValueError(f"{name} must be {wanted}; got {value!r}")
    return value


def not_negative(name, value):
    return checked(name, value, value >= 0, "0 or more")


def check_reconstructs(game, what: str) -> None:
    """Raises ValueError, naming alternatives, if the method has no encoder."""
    if not game.has_encoder:
        remedy = "Images are made by game.decode(game.prior_codes(n, seed))"
        if "a" in game.inputs:
            remedy = "Images of domain 0 or 1 are made by game.translate(x, domain)"
        raise ValueError(
            f"{type(game).__name__} has no encoder, so there is nothing to {what}: {what} is "
            f"decode(encode(x)). {remedy}"
        )


def check_played(game, losses, names: list) -> None:
    """Raises ValueError unless `losses`, which `play` returned, is a dict that has `names`."""
    if not isinstance(losses, dict) or not set(names) <= set(losses):
        got = ", ".join(losses) if isinstance(losses, dict) else type(losses).__name__
        raise ValueError(
            f"play of {type(game).__name__} must return a dict of {', '.join(names)}; got {got}"
        )


def check_gaussian(game) -> None:
    """Raises ValueError unless the encoder is x → (mean, log variance)."""
    network = getattr(game, "encoder", None)
    if network and (len(network.inputs), len(network.outputs)) != (1, 2):
        raise ValueError(
            f"the encoder of {type(game).__name__} gives codes, not a mean and a log variance; "
            "call encode"
        )


def methods_with(network: str) -> str:
    """Names of the methods whose players own a network of that name, for messages."""
    owners = [
        method
        for method in zoo.METHODS
        if any(network in owned for owned in zoo.method(method).players.values())
    ]
    return ", ".join(owners)
