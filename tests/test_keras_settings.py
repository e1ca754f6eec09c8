"""Whatever Keras is configured to: games work, or one line says what has to be changed."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import zoo
from zoo import keras_settings
from zoo.cli import commands
from zoo.metrics import classifier

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """A function that writes keras.json."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return lambda settings: (tmp_path / "keras.json").write_text(settings)


def test_the_backend_is_that_of_the_variable_then_of_the_file(configured, tmp_path, monkeypatch):
    where = f"the backend in {tmp_path / 'keras.json'}"
    assert keras_settings.backend() == ("tensorflow", where)
    for settings in ("{", "{}", '{"backend": "tensorflow"}'):
        configured(settings)
        assert keras_settings.backend() == ("tensorflow", where)
    configured('{"backend": "jax"}')
    assert keras_settings.backend() == ("jax", where)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert keras_settings.backend() == ("torch", "KERAS_BACKEND")
    monkeypatch.setenv("KERAS_BACKEND", "")
    assert keras_settings.backend() == ("jax", where)
    configured("[1]")
    with pytest.raises(ValueError, match="must hold a JSON object; got list"):
        keras_settings.backend()


def test_a_backend_that_games_do_not_have_ends_a_command_in_one_line(configured, tmp_path):
    configured(json.dumps({"backend": "torch"}))
    ended = subprocess.run(
        [sys.executable, "-m", "trainers.bigan", f"--run_dir={tmp_path / 'run'}"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: training needs KERAS_BACKEND=tensorflow or jax; the backend in "
        f"{tmp_path / 'keras.json'} is 'torch'\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_backend_that_is_not_installed_ends_a_command_in_one_line(configured, capsys):
    configured(json.dumps({"backend": "mxnet"}))
    with pytest.raises(SystemExit) as left, commands.exit_on_bad_input():
        import mxnet  # noqa: F401
    assert left.value.code == 2
    assert "is 'mxnet', which is not installed; set KERAS_BACKEND" in capsys.readouterr().err
    with pytest.raises(ModuleNotFoundError), commands.exit_on_bad_input():
        import another_module  # noqa: F401


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    assert keras.config.image_data_format() == "channels_first"
    keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("network, side", [("dcgan", 8), ("residual", 28)])
def test_channels_come_last_whatever_is_configured(network, side, channels_first):
    game = zoo.BiGAN((side, side, 3), network=network, latent_dim=5, width=4)
    codes = game.encode(np.zeros((2, side, side, 3), "float32"))
    assert codes.shape == (2, 5) and game.decode(codes).shape == (2, side, side, 3)
    assert classifier.build((8, 8, 3), 4)(np.zeros((2, 8, 8, 3)))[0].shape == (2, 4)


def test_half_precision_is_not_taken_from_the_configuration():
    keras.config.set_floatx("float16")
    try:
        with pytest.raises(ValueError, match="floatx float32 or float64; got 'float16'.*set_float"):
            zoo.BiGAN((8, 8, 1), latent_dim=2, width=4)
    finally:
        keras.config.set_floatx("float32")
