"""What a method declares and what a user passes, checked where it is written down."""

import inspect

import zoo


def check_declaration(game):
    """A typo in a declaration fails at import, not after an hour."""
    scheduled = {player for phase in game.schedule for player in phase}
    unknown = sorted(scheduled - set(game.players))
    idle = sorted(set(game.players) - scheduled)
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


def checked(name, value, allowed, wanted):
    if not allowed:
        raise ValueError(f"{name} must be {wanted}; got {value!r}")
    return value


def methods_with(network: str) -> str:
    """Names of the methods whose players own a network of that name, for a person to read."""
    owners = [
        method
        for method in zoo.METHODS
        if any(network in owned for owned in zoo.method(method).players.values())
    ]
    return ", ".join(owners)
