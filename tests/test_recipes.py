"""Recipes are data: a method's own optimizers, a plan for the rate, and flags that change them."""

import importlib

import pytest

import zoo
from trainers.runs import checkpoints
from trainers.runs import flags
from trainers.runs import run
from trainers.runs.recipe import Fall
from trainers.runs.recipe import HoldThenFall
from trainers.runs.recipe import learning_rates

RECIPES = {
    m: importlib.import_module(f"trainers.{m}").RECIPE for m in zoo.METHODS if m != "counterexample"
}


JOINED = {"epochs": 64, "batch_size": 64, "latent_dim": 10, "width": 16, "ema": 0.9998}
JOINED |= {"instance_noise": 0.3}
PAIR = "discriminator=8e-4,encoder_generator=2e-4"
TRIPLE = "discriminator=8e-4,encoder=2e-4,generator=2e-4"


@pytest.mark.parametrize(
    ("method", "settings", "l2"),
    [
        ("bigan", JOINED | {"learning_rate": PAIR, "batch_size": 32}, 2.5e-5),
        ("ali", JOINED | {"learning_rate": PAIR}, 0.0),
        ("bigbigan", JOINED | {"epochs": 48, "learning_rate": TRIPLE}, 2.5e-5),
    ],
)
def test_the_settings_of_the_default_networks_are_these(method, settings, l2):
    recipe = RECIPES[method]
    network = "dcgan_map" if method == "bigan" else "dcgan_joint"
    assert recipe.network == network and recipe.networks[network] == settings
    assert recipe.l2 == l2
    assert recipe.plan(0.5, 100, flags.parse(recipe, [method])) == 0.5  # held for the whole run


def optimizers(method, *argv, steps=100):
    recipe = RECIPES[method]
    second = ["--dataset_b=mnist"] * ("b" in zoo.method(method).inputs)
    return recipe.optimizers(flags.parse(recipe, [method, "--network=mlp", *second, *argv]), steps)


def first_rate(optimizer):
    rate = optimizer._learning_rate
    return float(
        rate(0) if callable(rate) and not hasattr(rate, "value") else optimizer.learning_rate
    )


@pytest.mark.parametrize("method", RECIPES)
def test_the_rate_of_every_method_can_be_given(method):
    made = optimizers(method, "--learning_rate=0.003", "--ema=0.5")
    assert set(made) == set(zoo.method(method).players)
    for player, optimizer in made.items():
        assert optimizer.name == player
        assert first_rate(optimizer) == pytest.approx(0.003)


@pytest.mark.parametrize(
    "method",
    "gan wgan vae bigan ali aae vae_gan alpha_gan latent_regressor acgan".split(),
)
def test_steps_of_small_networks_are_compiled(method):
    for network, compiled in (("mlp", True), ("mixture", True), ("dcgan", False)):
        words = [method, f"--network={network}"]
        assert flags.parse(RECIPES[method], words).jit_compile is compiled


def test_a_rate_by_player_leaves_the_others_theirs():
    made = optimizers("aae", "--learning_rate=encoder=0.5")
    rates = {player: first_rate(optimizer) for player, optimizer in made.items()}
    assert rates == pytest.approx({"autoencoder": 1e-3, "discriminator": 2e-4, "encoder": 0.5})
    made = optimizers("aae", "--learning_rate=0.1,encoder=0.5")
    rates = {player: first_rate(optimizer) for player, optimizer in made.items()}
    assert rates == pytest.approx({"autoencoder": 0.1, "discriminator": 0.1, "encoder": 0.5})
    made = optimizers("bigan", "--network=dcgan_joint", "--learning_rate=encoder_generator=1e-4")
    rates = {player: first_rate(optimizer) for player, optimizer in made.items()}
    assert rates == pytest.approx({"discriminator": 8e-4, "encoder_generator": 1e-4})


def test_a_plan_starts_at_the_rate_that_is_given():
    rate = optimizers("vae", "--learning_rate=0.5")["autoencoder"]._learning_rate
    assert [float(rate(step)) for step in (0, 100)] == pytest.approx([0.5, 0.05])


@pytest.mark.parametrize(
    "text", ["0", "-1e-3", "nan", "inf", "fast", "encoder=", "1e-3;2e-3", ",", "0,0003"]
)
def test_a_rate_that_is_no_positive_number_is_refused(text):
    with pytest.raises(ValueError, match=f"--learning_rate must be a positive .*; got '{text}'"):
        flags.parse(RECIPES["bigan"], ["bigan", f"--learning_rate={text}"])


def test_a_player_that_does_not_exist_is_refused():
    allowed = "must name players among discriminator, encoder_generator; got generator"
    with pytest.raises(ValueError, match=allowed):
        optimizers("bigan", "--learning_rate=generator=1e-4")


def test_rates_of_a_text():
    assert learning_rates("") == {}
    assert learning_rates("3e-4, encoder = 1") == {"": 3e-4, "encoder": 1.0}
    with pytest.raises(ValueError, match="once for each player, .*; got 'encoder=1, encoder=2'"):
        learning_rates("encoder=1, encoder=2")


def test_a_player_that_moves_twice_a_step_has_the_rate_of_the_others_at_each_step():
    flags = ("--network=residual", "--discriminator_steps=2")
    made = optimizers("bigbigan", *flags)
    once, twice = (made[player]._learning_rate for player in ("generator", "discriminator"))
    for step in (0, 40, 50, 75, 100):
        assert float(twice(2 * step)) == pytest.approx(float(once(step)))
    assert float(once(100)) < float(once(0)) / 50


def test_plans_fall_where_they_are_said_to():
    args = flags.parse(RECIPES["bigan"], ["bigan", "--network=mlp", "--epochs=400"])
    rate = HoldThenFall(epochs={"mlp": 200})(0.5, 4000, args)
    assert [float(rate(s)) for s in (0, 2000, 4000)] == pytest.approx([0.5, 0.5, 0.005])
    half = HoldThenFall()(0.5, 1000, args)
    assert [float(half(s)) for s in (499, 500, 750, 1000)] == pytest.approx([0.5, 0.5, 0.05, 0.005])
    rate = Fall(to=0.01)(1.0, 10, args)
    assert [float(rate(s)) for s in (0, 5, 10)] == pytest.approx([1.0, 0.1, 0.01])


@pytest.mark.parametrize("dataset", ["ring8", "ring8[class=0]"])
def test_points_of_a_class_have_the_networks_of_points(dataset):
    args = flags.parse(RECIPES["bigan"], ["bigan", f"--dataset={dataset}"])
    assert args.network == "mixture"


def test_another_rate_is_another_run(tmp_path, capsys):
    argv = ["gan", "--dataset=grid25", "--epochs=1", f"--run_dir={tmp_path}", "--batch_size=50000"]
    recipe = RECIPES["gan"]
    game = run.Run(recipe, flags.parse(recipe, argv), argv).game
    checkpoints.write(game, tmp_path / checkpoints.FOLDER)
    same = [*argv, "--learning_rate=1e-4"]  # what the recipe says of points
    run.Run(recipe, flags.parse(recipe, same), same)
    other = [*argv, "--learning_rate=discriminator=3e-4"]
    with pytest.raises(ValueError, match="optimizer of discriminator learning_rate was"):
        run.Run(recipe, flags.parse(recipe, other), other)


def test_a_run_goes_on_when_a_class_has_moved_to_another_module(tmp_path):
    argv = [
        "bigan",
        "--dataset=grid25",
        "--epochs=1",
        f"--run_dir={tmp_path}",
        "--batch_size=50000",
    ]
    recipe = RECIPES["bigan"]
    game = run.Run(recipe, flags.parse(recipe, argv), argv).game
    checkpoints.write(game, tmp_path / checkpoints.FOLDER)
    path = tmp_path / "config.json"
    text = path.read_text()
    assert "zoo.training.optimizers" in text
    path.write_text(text.replace("zoo.training.optimizers", "zoo.optimizers"))
    run.Run(recipe, flags.parse(recipe, argv), argv)
