"""`--logger`: the rows of history.csv in Weights & Biases or MLflow, through their Keras callbacks.

Where they write, and under which account, is set by variables of their own, such as WANDB_MODE and
MLFLOW_TRACKING_URI. A process that is stopped leaves ending its run to the library.
"""

import functools
import importlib.util

# Project of Weights & Biases, experiment of MLflow.
PROJECT = "encoder-gan-zoo"


def check(name: str) -> None:
    """Raises ValueError if there is no logger `name`, or it is not installed."""
    if not name:
        return
    if name not in BEGIN:
        raise ValueError(f"--logger must be one of {', '.join(BEGIN)}; got {name!r}")
    if importlib.util.find_spec(name) is None:
        raise ValueError(
            f"--logger={name} needs {name}, which is not installed: "
            f"pip install 'encoder-gan-zoo[{name}]'"
        )


def begin(run) -> list:
    """Begin a run of the logger, with the flags of the `Run`; the callbacks for `fit`.

    The first error of one, such as a server that is gone, is printed and ends logging, not the run.

    Raises:
        ValueError: the library cannot begin, because it has no account or no server, for example.
    """
    name = run.args.logger
    if not name:
        return []
    try:
        found = BEGIN[name](run.directory, vars(run.args))
    except Exception as error:  # of many libraries
        raise ValueError(f"--logger={name} cannot begin: {error}") from error
    for callback in found:
        for event in filter(lambda attribute: attribute.startswith("on_"), dir(callback)):
            setattr(callback, event, _guarded(run, getattr(callback, event)))
    return found


def _guarded(run, act):
    @functools.wraps(act)  # Keras looks at the attributes of the method
    def guarded(*arguments, **named):
        try:
            return act(*arguments, **named) if run.loggers else None
        except Exception as error:  # of many libraries
            run.loggers = []
            print(
                f"--logger={run.args.logger} failed, and logs nothing more: "
                f"{' '.join(str(error).split())}",
                flush=True,
            )

    return guarded


def _wandb(directory, flags):
    import wandb
    from wandb.integration.keras import WandbMetricsLogger

    wandb.init(project=PROJECT, name=directory.name, config=flags, dir=str(directory))
    return [WandbMetricsLogger()]


def _mlflow(directory, flags):
    import mlflow

    mlflow.set_experiment(PROJECT)
    mlflow.start_run(run_name=directory.name)
    mlflow.log_params({flag: value for flag, value in flags.items() if value != ""})
    return [mlflow.keras.MlflowCallback()]


# logger, and the extra of this package that installs it → its beginning
BEGIN = {"wandb": _wandb, "mlflow": _mlflow}


def end(run, figures: dict) -> None:
    """Log the final figures, as in metrics.json, and report.png, and end the run of the logger."""
    _guarded(run, _end)(run, figures)


def _end(run, figures):
    numbers = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    picture = str(run.directory / "report.png")
    if run.args.logger == "wandb":
        import wandb

        wandb.summary.update(figures)
        wandb.log({"report": wandb.Image(picture)})
        wandb.finish()
    if run.args.logger == "mlflow":
        import mlflow

        mlflow.log_metrics(numbers)
        mlflow.set_tag("verdict", figures["verdict"])
        mlflow.log_artifact(picture)
        mlflow.end_run()
