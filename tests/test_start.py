"""`--start_from`: a run begins with the weights of another game, and says which."""

import json
import pathlib
import re

import numpy as np
import pytest
from games import make
from test_trainers import SMALL
from test_trainers import images as images  # the fixture

import zoo
from trainers.latent_regressor import RECIPE
from trainers.runs import checkpoints
from trainers.runs import flags
from trainers.runs import run
from trainers.runs import start


def arrays(network):
    return [np.array(weight) for weight in network.get_weights()]


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


@pytest.fixture
def saved(tmp_path):
    """A function: the .keras file of a game with weights of its own."""

    def save(name, *kind, **arguments):
        game = make(*kind, seed=5, **arguments)
        game.save(tmp_path / f"{name}.keras")
        return str(tmp_path / f"{name}.keras")

    return save


def test_networks_of_equal_name_take_the_weights_and_averages_are_preferred(saved):
    path = saved("source", "gan", "mlp", ema=0.5)
    source = zoo.load(path)
    for weight in source.averages["generator"].weights:
        weight.assign(weight + 1)
    source.save(path)
    game = make("latent_regressor", "mlp", ema=0.5)
    encoder = arrays(game.encoder)
    start.read(path).give(game)
    for network in (game.generator, game.averages["generator"]):
        assert equal(network, source.averages["generator"])
    assert not equal(game.generator, source.generator)
    assert equal(game.discriminator, source.discriminator)
    assert all(np.array_equal(a, b) for a, b in zip(encoder, arrays(game.encoder), strict=True))


@pytest.mark.parametrize(
    "source, said",
    [
        (("gan", "dcgan"), "has another generator and discriminator: it is GAN.*'dcgan', width=4"),
        (("vae", "mlp"), "has another generator: it is VAE"),  # logits, of the same weights
        (
            ("bigan", "mlp", "uniform"),
            "has another discriminator and prior: it is BiGAN.*'uniform'",
        ),
    ],
)
def test_other_networks_are_refused_with_both_configurations(source, said, saved):
    method, network, *prior = source
    path = saved("source", method, network, **({"prior": prior[0]} if prior else {}))
    game = make("gan", "mlp")
    before = arrays(game.generator)
    with pytest.raises(ValueError, match="^--start_from must be a game whose networks") as refused:
        start.read(path).give(game)
    assert re.search(said, str(refused.value))
    assert str(refused.value).endswith(f"this run is {start.described(game)}")
    assert all(np.array_equal(a, b) for a, b in zip(before, arrays(game.generator), strict=True))


def test_a_run_says_where_it_began_and_is_not_resumed_from_elsewhere(images, saved, tmp_path):
    path = saved("source", "gan", "mlp")
    more = ("--width=4", f"--run_dir={tmp_path / 'run'}")
    (tmp_path / "run").mkdir()

    def begin(*flag):
        argv = ["latent_regressor.py", images, *SMALL, *more, *flag]
        found = run.Run(RECIPE, flags.parse(RECIPE, argv), argv)
        checkpoints.write(found.game, tmp_path / "run" / checkpoints.FOLDER)
        return found

    game, source = begin(f"--start_from={path}").game, zoo.load(path)
    assert equal(game.generator, source.generator)
    kept = json.loads((tmp_path / "run" / "config.json").read_text())["settings"]
    assert kept["start_from"] == path
    assert kept["weights of start_from"] == f"sha256 {start.read(path).sha256}"
    begin(f"--start_from={path}")  # the same source goes on
    for weight in source.generator.weights:
        weight.assign(weight + 1)
    source.save(path)
    for flag, said in (
        ("--seed=0", "start_from was '.*source.keras' and is now ''"),
        (f"--start_from={path}", "weights of start_from was 'sha256 .*' and is now 'sha256 "),
    ):
        with pytest.raises(ValueError, match=said):
            begin(flag)


def test_a_run_goes_on_when_its_source_is_gone(images, saved, tmp_path, capsys):
    path = saved("source", "gan", "mlp")
    argv = [images, *SMALL, "--width=4", f"--run_dir={tmp_path / 'run'}", f"--start_from={path}"]
    run.main(RECIPE, ["latent_regressor.py", *argv, "--epochs=1"])
    assert f"weights of generator, discriminator from {path}\n" in capsys.readouterr().out
    pathlib.Path(path).unlink()
    run.main(RECIPE, ["latent_regressor.py", *argv, "--epochs=2"])
    history = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert len(history) == 3
    # Without a checkpoint the source is needed.
    for file in (tmp_path / "run" / "checkpoints").glob("step-*.keras"):
        file.rename(file.with_name(f".partial-{file.name}"))
    with pytest.raises(ValueError, match="--start_from must be a preset, a run directory"):
        flags.parse(RECIPE, ["latent_regressor.py", *argv])


def test_a_source_that_is_not_there_is_refused_by_name():
    with pytest.raises(ValueError, match="got 'gan_mnits'; nearest names: gan_mnist"):
        flags.parse(RECIPE, ["latent_regressor.py", "--start_from=gan_mnits"])
