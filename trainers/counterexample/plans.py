"""The full and the quick plan of `python -m trainers.counterexample`."""

from trainers.counterexample.pairs import CONTRASTS
from trainers.experiments import judging

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
