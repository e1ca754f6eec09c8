"""The blocks of docs/train_from_python.md run, in their order."""

import dataclasses
import pathlib
import re

import keras
import numpy as np
import pytest

import zoo
from trainers import bigan
from trainers.runs.recipe import learning_rates
from zoo import datasets

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "train_from_python.md"


def blocks():
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_the_recipe_on_the_page_is_that_of_the_command():
    recipe = bigan.RECIPE.networks[bigan.RECIPE.network]
    text = re.search(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)[1]
    for name in ("width", "latent_dim", "ema", "instance_noise", "batch_size", "epochs"):
        assert f"{name}={recipe[name]}," in text or f"{name}={recipe[name]})" in text
    assert f'network="{bigan.RECIPE.network}",' in text
    for player, rate in learning_rates(recipe["learning_rate"]).items():
        assert float(re.search(rf'"{player}": ([\d.e-]+)', text)[1]) == rate
    assert float(re.search(r"l2=([\d.e-]+)", text)[1]) == bigan.RECIPE.l2


@pytest.mark.slow
@pytest.mark.tensorflow("exports a SavedModel")
def test_every_block_of_the_page_runs(tmp_path, monkeypatch):
    data = datasets.load("fashion_mnist_10k")
    # Eight by eight of the middle of every image, 64 for training.
    small = dataclasses.replace(
        data,
        train=data.train[:64, 10:18, 10:18],
        test=data.test[:32, 10:18, 10:18],
        train_labels=data.train_labels[:64],
        test_labels=data.test_labels[:32],
    )
    monkeypatch.setattr(datasets, "load", lambda name: small)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for block in blocks():
        exec(compile(block, str(PAGE), "exec"), names)
    assert set(names["losses"]) == {"discriminator", "encoder_generator", "loss"}
    assert names["copies"].shape == (16, 8, 8, 1) and names["samples"].shape == (36, 8, 8, 1)
    # 64 images are one step an epoch: two, compiled again, two, and one after loading.
    assert int(names["again"].optimizer.iterations) == 3
    assert names["own"].own == ("encoder",)
    x = names["x_test"][:4]
    for name, made in (("own", names["own"]), ("mine", names["mine"])):
        pair = (made, zoo.load(f"{name}.keras"))
        found = [keras.ops.convert_to_numpy(game.reconstruct(x)) for game in pair]
        np.testing.assert_array_equal(*found)
    for made in ("checkpoint.keras", "history.csv", "exported/saved_model.pb", "mine/weights.npz"):
        assert (tmp_path / made).is_file(), made


def test_the_method_on_the_page_has_about_twenty_lines():
    (block,) = [block for block in blocks() if "\nclass " in block]
    body = block.split("\nclass ")[1].split("\n\n\n")[0]
    assert sum(bool(line.strip()) for line in body.splitlines()) <= 20
    assert all(
        f".{call}(" in "".join(blocks()) for call in ("compile", "fit", "evaluate", "predict")
    )
