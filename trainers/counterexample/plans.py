"""What `python -m trainers.counterexample` measures, and whether a pair can be built for it."""

from trainers.counterexample.pairs import CONTRASTS
from trainers.experiments import judging
from zoo import counterexample

FULL = judging.Plan(contrasts=tuple(CONTRASTS))
QUICK = judging.Plan(
    contrasts=tuple(CONTRASTS),
    supports=(64, 1024),
    readouts=(30, 100, 300),
    widths=(),
    budget=20_000,
    held_out=20_000,
    repeats=1,
)


def check(data, support: int, latent_dim: int) -> None:
    """Raises ValueError if `counterexample.build` would, without building anything."""
    counterexample.check(data.shape, latent_dim, support)
    counterexample.check_images(data, support)
