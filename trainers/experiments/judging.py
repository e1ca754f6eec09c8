"""The grid: fresh judges of every capacity against pairs of every support, with controls."""

import dataclasses
import pathlib
import time

from trainers.experiments import planning
from trainers.experiments.network import Network
from zoo.metrics import judges


@dataclasses.dataclass(frozen=True)
class Plan:
    """The measurements of one experiment.

    Attributes:
        contrasts: streams to tell apart, "pair" first: for every support; the controls for one.
        supports: values of m.
        readouts: capacities p of random-feature judges.
        widths: widths of the convolutional judges; their p follows.
        budget: fresh pairs of either stream per Newton step; a network sees twice as many,
            rounded up to a multiple of 6,400.
        held_out: fresh pairs of either stream a verdict is formed on.
        repeats: independent memories, features and initial weights.
        control: the support at which the controls are run.
    """

    contrasts: tuple
    supports: tuple = (64, 256, 1024, 4096, 16384)
    readouts: tuple = (30, 100, 300, 1000)
    widths: tuple = (2, 7)
    budget: int = 50_000
    held_out: int = 50_000
    repeats: int = 2
    control: int = 1024

    def cells(self):
        """(contrast, support, repeat) in the order they are measured."""
        for repeat in range(self.repeats):
            yield from (("pair", support, repeat) for support in self.supports)
            yield from ((c, self.control, repeat) for c in self.contrasts[1:])


def run(plan: Plan, streams, seed: int, path: pathlib.Path) -> list:
    """Measure the missing cells of the plan; every finished cell is on disk before the next begins.

    Args:
        streams: (support, seed) → the inputs of judges, such as `Pairs`.
        seed: seed of the first repeat; each further one has the next.

    Returns:
        one dict per contrast, support, repeat and judge: those, `parameters`, `judge`, `seconds`
        of fitting and judging, and the values of `zoo.metrics.judges.verdict`.
    """

    def measure(cell):
        repeat = seed + cell["repeat"]
        for row in _cell(plan, streams(cell["support"], repeat), cell["contrast"], repeat):
            print(
                f"    p = {row['parameters']:>7,}: accuracy {row['accuracy']:.4f} "
                f"± {row['accuracy_se']:.4f}, objective {row['objective']:+.4f} nats",
                flush=True,
            )
            yield row

    names = "contrast", "support", "repeat"
    wanted = [dict(zip(names, cell, strict=True)) for cell in plan.cells()]
    return planning.resume(path, wanted, measure)


def _cell(plan, shown, contrast, seed):
    draw, fresh = shown.contrast(contrast), shown.contrast(contrast, held_out=True)
    began = time.monotonic()
    readouts = [judges.Readout(p, draw, seed) for p in plan.readouts]
    judges.fit(readouts, draw, plan.budget)
    shared = (time.monotonic() - began) / len(readouts)
    for judge in readouts:
        yield _judged(judge, fresh, plan.held_out, shared)
    for width in plan.widths:
        began = time.monotonic()
        judge = Network(width, shown.game, seed)
        judge.fit(draw, 2 * plan.budget)
        yield _judged(judge, fresh, plan.held_out, time.monotonic() - began)


def _judged(judge, draw, n, seconds):
    began = time.monotonic()
    found = judges.verdict(judge.logits, draw, n)
    seconds = round(seconds + time.monotonic() - began, 2)
    return {"parameters": judge.parameters, "judge": judge.name, "seconds": seconds} | found
