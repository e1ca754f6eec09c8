"""Output of a run: its description at the start; its metrics, pictures and game at the end."""

import math
import statistics

from trainers.runs import checkpoints
from trainers.runs import drawings
from trainers.runs import loggers
from trainers.runs import settings
from trainers.runs import verdict
from zoo import metrics
from zoo import run_files
from zoo.plots import pictures

# More than Fashion-MNIST or CIFAR-10 take.
MEASURED = 2**30


def introduce(run, where: str) -> None:
    """Print the plan of a `Run`; `where` describes its devices."""
    x, n, args = "×".join(map(str, run.data.shape)), len(run.data.train), run.args
    other = run.data.other
    beside = f", {len(other.train):,} from {args.dataset_b}" if other else ""
    print(
        f"network {args.network}, {run.game.count_params():,} parameters\n"
        f"{n:,} training examples of {x} from {args.dataset}{beside}; {where}\n"
        f"{run.epoch_steps:,} steps per epoch, {run.steps:,} in all; "
        f"{run.per_call} per call{', compiled by XLA' if run.game.jit_compile else ''}\n"
        f"writing to {run.directory}",
        flush=True,
    )
    if short := verdict.of_plan(run):
        print(short, flush=True)
    if run.step > run.steps:
        print(f"{run.step} steps are done, more than the {run.steps} asked; measuring again")
    elif run.step:
        print(f"resuming from step {run.step} of {run.steps}", flush=True)
    elif run.source:
        print(
            f"weights of {', '.join(run.source.shared(run.game))} from {run.source.name}",
            flush=True,
        )


def write(run, command: str) -> None:
    """Write game.keras, metrics.json and report.png of a finished `Run`; print figures and verdict.

    Args:
        command: the command line of this run, for config.json.

    Every test example is measured, against every training example if a probe needs them; of a
    large split, as many, drawn at random, as take `MEASURED` bytes as floats (n_test and n_train
    say how many). wall_s is the time of the command so far, plus the earlier times if the run was
    resumed (see `trainers.runs.callbacks.History`).
    """
    seconds = run.history.seconds()
    print("measuring on the test examples …", flush=True)
    # Metrics of a shorter run do not describe these weights.
    (run.directory / "metrics.json").unlink(missing_ok=True)
    checkpoints.publish(run.game, run.directory / "game.keras")
    if run.step == run.steps:
        settings.finished(run.directory, run.args, command)
    limit = max(2, MEASURED // (4 * math.prod(run.data.shape)))
    if limit < max(len(run.data.train), len(run.data.test)):
        print(f"at most {limit:,} of each split, drawn at random", flush=True)
    figures = metrics.evaluate(run.game, run.data, test_limit=limit, train_limit=limit)
    if run.game.has_generator:
        figures |= metrics.sample_variety(run.game, run.data)
    rates = [row["images_per_s"] for row in run.history.rows if row.get("images_per_s")]
    figures |= {
        "epochs": run.step / run.epoch_steps,
        "steps": run.step,
        "wall_s": round(seconds, 1),
    }
    # A run of a few steps has no rate: the first call of an epoch is not timed.
    if rates:
        figures["images_per_s"] = statistics.median(rates)
    figures["verdict"] = verdict.of_end(run, figures)
    run_files.write_json(run.directory / "metrics.json", figures)
    _picture(run, figures)
    loggers.end(run, figures)
    print(metrics.table(figures))
    rate = f"{figures['images_per_s']:,.0f} images/s, " if rates else ""
    print(f"{rate}{seconds:.0f} s of training\nsee {run.directory / 'report.png'}")
    print(f"verdict: {figures['verdict']}")


def _picture(run, figures):
    sets = " and ".join(filter(None, (run.args.dataset, run.args.dataset_b)))
    if run.data.other is not None:
        drawings.draw_translations(run.game, run.data, run.directory / "translations.png")
    rows = run.history.rows
    columns = dict.fromkeys(name for row in rows for name in row)
    pictures.report(
        run.directory / "report.png",
        title=f"{type(run.game).__name__} on {sets}, {len(rows)} epochs",
        history={
            name: [row.get(name) for row in rows]
            for name in columns
            if name not in ("epoch", "images_per_s", "wall_s")
        },
        metrics=figures,
        verdict=figures["verdict"],
        reported=run.game.reported,
        **drawings.of_report(run.game, run.data),
    )
