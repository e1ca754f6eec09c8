"""`Recipe`: the settings that a paper fixed, as data. Its optimizers are those of the method."""

import ast
import dataclasses
import math
import pathlib
from collections.abc import Callable

import zoo


@dataclasses.dataclass(frozen=True)
class HoldThenFall:
    """The learning rate is held, then falls to 1 % of itself in as many updates again.

    Attributes:
        epochs: set of networks → epochs for which it is held, `math.inf` for the whole run; others
            hold it for half of the run.
    """

    epochs: dict = dataclasses.field(default_factory=dict)

    def __call__(self, rate: float, updates: int, args):
        from zoo.training.optimizers import HoldThenDecay

        epochs = self.epochs.get(args.network)
        if epochs == math.inf:
            return rate
        hold = updates // 2 if epochs is None else epochs * updates // args.epochs
        return HoldThenDecay(rate, hold, max(1, hold))


@dataclasses.dataclass(frozen=True)
class Fall:
    """The learning rate falls by equal factors, from the first step of the run to the last.

    Attributes:
        to: last rate divided by the first.
    """

    to: float

    def __call__(self, rate: float, updates: int, args):
        import keras

        return keras.optimizers.schedules.ExponentialDecay(rate, updates, self.to)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings that a paper fixed. Optimizers are `default_optimizer` of the method's class.

    Attributes:
        method: module of the game in `zoo`, and name of the command.
        networks: set of networks → flag → default, for flags whose default depends on it; sets
            that are not named have those of `network`.
        network: the set of networks used if `--network` is not given.
        plan: (first learning rate, updates of the player in the run, flags) → learning rate or
            Keras schedule; None for a constant rate.
        l2: see `zoo.training.optimizers.PlayerOptimizers`.
        without_effect: constructor arguments that change nothing in this method; `--help` says so.
    """

    method: str
    networks: dict
    network: str = "dcgan"
    plan: Callable | None = None
    l2: float = 0.0
    without_effect: tuple = ()

    @property
    def title(self) -> str:
        """The first line of `--help`, and of a run."""
        return title(pathlib.Path(__file__).parent.parent / f"{self.method}.py")

    def of_network(self, network: str) -> dict:
        """Flag → default for a set of networks, that of `networks` or else of the default set."""
        return self.networks.get(network, self.networks[self.network])

    def optimizers(self, args, steps: int) -> dict:
        """player → Keras optimizer, for a run of `steps` steps with flags `args`.

        Raises:
            ValueError: `--learning_rate` names a player that the method does not have.
        """
        method = zoo.method(self.method)
        given = learning_rates(args.learning_rate)
        if given and "" not in given:
            # Players that are not named keep the rate of the recipe.
            own = self.of_network(args.network).get("learning_rate", "")
            given = learning_rates(own) | given
        if unknown := sorted(set(given) - {"", *method.players}):
            raise ValueError(
                f"--learning_rate must name players among {', '.join(method.players)}; "
                f"got {', '.join(unknown)}"
            )
        schedule, made = method.schedule_for(**vars(args)), {}
        for player in method.players:
            default = method.default_optimizer(player, args.network)
            rate = given.get(player, given.get("", default.keywords["learning_rate"]))
            # Keras' schedules count the updates of their optimizer, not the steps of the game.
            updates = steps * sum(player in phase for phase in schedule)
            rate = self.plan(rate, updates, args) if self.plan else rate
            made[player] = default(learning_rate=rate, name=player)
        return made


def title(source: pathlib.Path) -> str:
    """The first line of the docstring of a file, which is not imported: that takes long."""
    return ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))).splitlines()[0]


def learning_rates(text: str) -> dict:
    """player → rate of `--learning_rate`; "" stands for every player that is not named.

    Raises:
        ValueError: `text` is neither a positive number nor PLAYER=NUMBER, separated by commas, or
            it names a player twice.
    """
    found = {}
    for part in filter(None, text.split(",")):
        player, _, number = part.rpartition("=")
        # A player that is named twice is an error: of 0,0003 both parts are rates of every player.
        try:
            rate = math.nan if player.strip() in found else float(number)
        except ValueError:
            rate = math.nan
        found[player.strip()] = rate
    if text and not (found and all(0 < rate < math.inf for rate in found.values())):
        raise ValueError(
            "--learning_rate must be a positive number, or PLAYER=NUMBER once for each player, "
            f"separated by commas; got {text!r}"
        )
    return found
