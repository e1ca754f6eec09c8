"""Limits of finite discriminators, measured on trained models.

usage: python -m trainers.theory EXPERIMENT [flags]

  EXPERIMENT
      collapse: modes, recall, coverage and birthday-test support of methods with and without an
      autoencoder at equal steps; with --dataset=stacked_mnist modes of 1,000 and reverse KL.
      capacity: birthday-test support against the number of parameters of the discriminator.
      cycles: x-cycle and z-cycle error together against width, depth and steps.
      stability: Lipschitz estimates against error over a family of bounded networks.

Trains the missing models one after the other; each is a cell of cells.json, so that a second run
continues. Then writes cells.csv, pictures and report.md. Other commands of the same papers:
`trainers.memorizer`, `trainers.counterexample`, `trainers.objective`, `trainers.circle`.
"""

import importlib
import time

from trainers.experiments import planning
from zoo.cli import commands

EXPERIMENTS = ("collapse", "capacity", "cycles", "stability")
FLAGS = {
    "dataset": ("", "Data set; by default fashion_mnist_10k, or ring8 if the data are points."),
    "methods": ("", "Methods, separated by commas; by default those of the experiment."),
    "steps": (0, "Training steps of each model; 0 for those of the experiment."),
    "seeds": (3, "Trainings of every kind, with seeds 0, 1, ..."),
    "quick": (False, "Fewer and shorter trainings, one seed: under 2 minutes."),
    **planning.CELLS,
}


def main(argv: list | None = None) -> None:
    """Measure the missing cells, then write the page. Exit code 2 for bad input."""
    began = time.monotonic()
    with commands.exit_on_bad_input():
        args, words = commands.parse(__doc__, FLAGS, argv)
        commands.at_least(args, steps=0, seeds=1, cells=0)
        if len(words) != 1 or words[0] not in EXPERIMENTS:
            raise ValueError(
                f"the experiment must be one of {', '.join(EXPERIMENTS)}; got "
                f"{' '.join(words) or 'none'}"
            )
        experiment = importlib.import_module(f"trainers.theory.{words[0]}")
        settle(experiment, args)
        experiment.check(args)
        wanted = experiment.cells(args)
        directory = planning.directory(args, f"{words[0]}_{args.dataset}")
        rows = planning.resume(
            directory / "cells.json",
            wanted,
            lambda cell: experiment.measure(cell, args, directory),
            args.cells,
        )
        if not (rows := planning.finished(wanted, rows, args.cells)):
            return
        parts = experiment.write(rows, args, directory)
    head = planning.made_by(
        commands.typed("trainers.theory", argv),
        planning.seeds(args),
        rows,
        (time.monotonic() - began) / 60,
    )
    page = "\n\n".join([f"# {experiment.TITLE}", head, *filter(None, parts)]) + "\n"
    planning.write(directory, rows, page)


def settle(experiment, args) -> None:
    """Put the experiment's own settings in the place of the flags that were not given.

    Raises:
        ValueError: a method is not one of the experiment's.
    """
    when = "QUICK" if args.quick else "DEFAULT"
    args.dataset = args.dataset or experiment.DATASET
    args.steps = args.steps or getattr(experiment, f"{when}_STEPS")
    args.seeds = 1 if args.quick else args.seeds
    given = tuple(filter(None, args.methods.split(",")))
    if unknown := sorted(set(given) - set(experiment.METHODS)):
        raise ValueError(
            f"--methods must be among {', '.join(experiment.METHODS)}; got {', '.join(unknown)}"
        )
    args.methods = list(dict.fromkeys(given) or getattr(experiment, f"{when}_METHODS"))


if __name__ == "__main__":
    main()
