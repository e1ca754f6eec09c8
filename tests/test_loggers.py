"""`--logger`: what the libraries get, without a network; skipped where they are not installed."""

import csv
import importlib
import json

import keras
import pytest

from trainers.runs import flags
from trainers.runs import loggers
from trainers.runs import run

RECIPE = importlib.import_module("trainers.gan").RECIPE
SMALL = ["--network=mlp", "--width=1", "--epochs=2", "--nojit_compile", "--evaluate_every=0"]


@pytest.mark.parametrize(
    "name, words",
    [
        ("tensorboard", "--logger must be one of wandb, mlflow; got 'tensorboard'"),
        ("wandb", r"--logger=wandb needs wandb.*pip install 'encoder-gan-zoo\[wandb\]'"),
        ("mlflow", r"--logger=mlflow needs mlflow.*pip install 'encoder-gan-zoo\[mlflow\]'"),
    ],
)
def test_a_logger_that_is_missing_is_named(name, words, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=words):
        flags.parse(RECIPE, ["gan", f"--logger={name}"])


def test_a_logger_that_fails_ends_logging_and_not_the_run(tmp_path, monkeypatch, capsys):
    calls = []

    class Gone(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            calls.append(list(tmp_path.glob("checkpoints/*.keras")))
            raise ConnectionError("no\nserver")

    monkeypatch.setitem(loggers.BEGIN, "mlflow", lambda *arguments: [Gone()])
    words = ["gan", "--dataset=ring8", "--batch_size=50000", "--epochs=2", "--width=1"]
    words += ["--evaluate_every=0", "--nojit_compile", "--steps_per_execution=1"]
    args = flags.parse(RECIPE, [*words, f"--run_dir={tmp_path}"])
    args.logger = "mlflow"  # which need not be installed
    begun = run.Run(RECIPE, args, words)
    begun.train()
    assert begun.step == begun.steps
    assert [len(saved) for saved in calls] == [1]
    loggers.end(begun, {})
    line = "--logger=mlflow failed, and logs nothing more: no server\n"
    assert capsys.readouterr().out.count(line) == 1


def train(directory, name):
    run.main(RECIPE, ["gan.py", *SMALL, f"--logger={name}", f"--run_dir={directory}"])
    return json.loads((directory / "metrics.json").read_text())


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the library
def test_wandb_gets_the_epochs_and_the_final_figures(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    seen, end = {}, loggers.end

    def noted(run, figures):
        # While the library's run is open, which ends with that call.
        seen.update(name=wandb.run.name, flags=dict(wandb.run.config), last=dict(wandb.summary))
        end(run, figures)

    monkeypatch.setattr(loggers, "end", noted)
    train(tmp_path / "run", "wandb")
    assert seen["name"] == "run" and seen["flags"]["batch_size"] == 128
    (row,) = list(csv.DictReader((tmp_path / "run" / "history.csv").open()))[1:]
    assert seen["last"]["epoch/epoch"] == 1
    assert seen["last"]["epoch/generator"] == pytest.approx(float(row["generator"]))
    assert wandb.run is None
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the library
def test_mlflow_gets_the_epochs_and_the_final_figures(tmp_path, monkeypatch, refused):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path / 'mlruns'}")
    # Its data base needs no server either, but a package more.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    figures = train(tmp_path / "run", "mlflow")
    client = mlflow.MlflowClient()
    (experiment,) = client.search_experiments(filter_string="name = 'encoder-gan-zoo'")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.run_name == "run" and found.info.status == "FINISHED"
    assert found.data.params["batch_size"] == "128"
    assert found.data.tags["verdict"] == figures["verdict"]
    assert found.data.metrics["sample_spread_ratio"] == figures["sample_spread_ratio"]
    steps = [m.step for m in client.get_metric_history(found.info.run_id, "generator")]
    assert steps == [0, 1]
    assert "report.png" in [file.path for file in client.list_artifacts(found.info.run_id)]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://x")
    assert "error: --logger=mlflow cannot begin: " in refused(train, tmp_path / "other", "mlflow")
