"""`--start_from`: the networks of a run begin with the weights of a trained game."""

import dataclasses
import hashlib

import numpy as np

import zoo


@dataclasses.dataclass(frozen=True)
class Source:
    """The parts of a trained game that a run needs.

    Attributes:
        name: the name given: a preset, a run directory or a .keras file.
        described: its configuration, for messages.
        prior: name of the prior of its codes.
        layers: network → its layers, to be compared (see `layers_of`).
        weights: network → its arrays; of its average, if the game keeps one.
        sha256: checksum of `weights`.
    """

    name: str
    described: str
    prior: str
    layers: dict
    weights: dict
    sha256: str

    def shared(self, game) -> list:
        """Names of the networks of `game` that begin with weights of this one."""
        return [name for name in game.named_networks() if name in self.weights]

    def give(self, game) -> None:
        """Set the networks of `game`, and their averages, to those of equal name.

        Raises:
            ValueError: no network has the name of one of these, or one that has is different, or
                codes have another prior.
        """
        shared = self.shared(game)
        other = [n for n in shared if layers_of(getattr(game, n)) != self.layers[n]]
        other += ["prior"] * (game.prior != self.prior)
        if other or not shared:
            wrong = f"has another {' and '.join(other)}" if shared else "shares no network"
            raise ValueError(
                f"--start_from must be a game whose networks are those of this run; {self.name} "
                f"{wrong}: it is {self.described}, and this run is {described(game)}"
            )
        from zoo.networks import own

        for name in shared:
            for network in (getattr(game, name), game.averages.get(name)):
                if network is not None:
                    own.set_weights(network, self.weights[name])


def read(name: str) -> Source | None:
    """The game that `--start_from` names; None for "", and if it is gone, as when a run resumes.

    Raises:
        ValueError: its files are damaged; see `zoo.load`.
    """
    from zoo.presets import registry
    from zoo.training import averages

    if not name or not registry.directory_of(name).exists():
        return None
    game = zoo.load(name)
    networks = {n: averages.in_use(game, n) for n in game.named_networks()}
    weights = {n: net.get_weights() for n, net in networks.items()}
    found = hashlib.sha256()
    for network, arrays in sorted(weights.items()):
        for array in arrays:
            found.update(f"{network} {array.dtype} {array.shape} ".encode())
            found.update(np.ascontiguousarray(array).tobytes())
    layers = {n: layers_of(net) for n, net in networks.items()}
    return Source(name, described(game), game.prior, layers, weights, found.hexdigest())


def layers_of(network) -> list:
    """(class, activation, shapes of its weights) of every operation, in order.

    Two networks with equal lists are taken for equal functions of their weights; strides, slopes
    and the wiring are not compared. Shapes alone do not distinguish logits from pixels.
    """
    return [
        (
            type(operation).__name__,
            getattr(getattr(operation, "activation", None), "__name__", ""),
            [tuple(weight.shape) for weight in getattr(operation, "weights", ())],
        )
        for operation in network.operations
    ]


def described(game) -> str:
    """The class of `game` and the arguments that its networks depend on."""
    names = ("image_shape", "latent_dim", "network", "width", "prior")
    arguments = ", ".join(f"{name}={getattr(game, name)!r}" for name in names)
    return f"{type(game).__name__}({arguments})"
