"""`python -m trainers.<method>`: what it writes, how it stops and goes on, what it refuses."""

import contextlib
import importlib
import importlib.util
import inspect
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

import keras
import numpy as np
import pytest
from damage import flip
from games import same_state

import zoo
from trainers import acgan
from trainers.bigan import RECIPE
from trainers.runs import callbacks
from trainers.runs import checkpoints
from trainers.runs import flags
from trainers.runs import run
from trainers.runs import settings
from trainers.runs import stopping
from zoo import metrics
from zoo import run_files
from zoo.presets import making

ROOT = pathlib.Path(__file__).parent.parent
SMALL = [
    "--steps_per_execution=1",
    "--nojit_compile",
    "--network=mlp",
    "--width=1",
    "--latent_dim=3",
    "--batch_size=20",
    "--evaluate_every=0",
]


def tensorflows(*values):
    """Parameters of a test for a strategy that JAX does not have."""
    return pytest.param(*values, marks=pytest.mark.tensorflow("a strategy of tf.distribute"))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """`--dataset` of 230 training and 40 test images of 8 × 8 in two classes."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    sets = {}
    for name, n in (("train", 230), ("test", 40)):
        labels = np.arange(n) % 2
        pixels = rng.integers(0, 128, (n, 8, 8, 1)) + 127 * labels[:, None, None, None]
        sets |= {f"x_{name}": pixels.astype("uint8"), f"y_{name}": labels}
    np.savez(path, **sets)
    return f"--dataset=npz:{path}"


def train(images, directory, *more, recipe=RECIPE):
    """Run a trainer in this process; `directory`."""
    run.main(recipe, ["bigan.py", images, f"--run_dir={directory}", *SMALL, *more])
    return directory


def newest(directory):
    """The game in the newest checkpoint of `directory`."""
    return zoo.load(sorted((pathlib.Path(directory) / "checkpoints").glob("*.keras"))[-1])


def saved_steps(directory):
    """The steps of the checkpoints in `directory`, in order."""
    found = pathlib.Path(directory).glob("checkpoints/step-*.keras")
    return sorted(int(path.stem.split("-")[1]) for path in found)


@pytest.fixture(scope="module")
def once(images, tmp_path_factory):
    """A run of one epoch. Tests that go on with it take a copy."""
    return train(images, tmp_path_factory.mktemp("once") / "run", "--epochs=1")


@pytest.fixture(scope="module")
def whole(images, tmp_path_factory):
    """A run of three epochs, with averages, that nothing interrupted."""
    return train(images, tmp_path_factory.mktemp("whole") / "run", "--epochs=3", "--ema=0.9")


def copied(directory, to):
    return shutil.copytree(directory, to / "run")


def command(*arguments):
    return [sys.executable, "-m", "trainers.bigan", *arguments]


def at_step(monkeypatch, base, number, act):
    """The callback of class `base` also does `act(game)`, first, after step `number`."""

    class Acting(base):
        def on_train_batch_end(self, batch, logs=None):
            if checkpoints.step_of(self.model) == number:
                act(self.model)
            super().on_train_batch_end(batch, logs)

    monkeypatch.setattr(sys.modules[base.__module__], base.__name__, Acting)


def interrupt(game):
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("method", zoo.METHODS)
def test_every_constructor_argument_is_a_flag_with_a_text(method):
    found = flags.constructor(method)
    for game_class in (zoo.method(method), zoo.game.Game):
        for name, parameter in inspect.signature(game_class.__init__).parameters.items():
            if parameter.default is not inspect.Parameter.empty:
                assert found[name][0] == parameter.default
                assert found[name][1], f"{name} is not described in the docstring"


@pytest.mark.parametrize("method", zoo.METHODS)
def test_the_players_that_the_help_names_are_those_of_the_game(method):
    assert set(flags.players(method)) == set(zoo.method(method).players)


@pytest.mark.parametrize("method", ["cyclegan", "unit", "bigan"])
def test_the_help_says_which_arguments_change_nothing(method, capsys):
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    with pytest.raises(SystemExit):
        flags.parse(recipe, [method, "--help"])
    said = capsys.readouterr().out

    def weights(**changed):
        game = zoo.method(method)((8, 8, 1), **{"width": 1, "network": "mlp", **changed})
        return [variable.shape for variable in game.trainable_variables]

    for name, value in {"latent_dim": 3, "width": 2}.items():
        told = f"--{name}\n      Without effect in {method}." in said
        assert told is (weights(**{name: value}) == weights())


def test_the_help_names_the_default_of_every_set_of_networks(capsys):
    with pytest.raises(SystemExit):
        flags.parse(RECIPE, ["bigan", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "residual, mlp, mixture, tanh. Default: dcgan_map; for points mixture." in said
    assert "0.99 (dcgan), 0.0 (mlp), 0.0 (mixture); other sets: as dcgan_map." in said
    assert "Players: discriminator, encoder_generator. Default: " in said
    assert "encoder_generator=2e-4 (dcgan_joint), that of default_optimizer in zoo/bigan.py" in said
    assert "otherwise" not in said.partition("--ema")[2].partition("--prior")[0]
    args = flags.parse(RECIPE, ["bigan", "--network=tanh"])
    assert (args.ema, args.epochs) == (0.9998, 64)


@pytest.mark.parametrize("method", zoo.METHODS)
def test_every_method_has_a_trainer(method):
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    assert recipe.method == method
    assert recipe.network in recipe.networks
    known = set(flags.constructor(method)) | set(flags.COMMON)
    assert {flag for options in recipe.networks.values() for flag in options} <= known


def test_a_run_leaves_everything_a_person_needs(images, tmp_path, capsys):
    train(images, tmp_path, "--epochs=2", "--evaluate_every=1")
    kept = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert kept >= {
        "config.json",
        "game.keras",
        "history.csv",
        "metrics.json",
        "report.png",
        "samples/epoch-0001.png",
        "reconstructions/epoch-0002.png",
        "checkpoints/step-00000022.keras",
    }
    has_tensorflow = importlib.util.find_spec("tensorflow") is not None
    assert any("tfevents" in name for name in kept) == has_tensorflow
    shown = capsys.readouterr().out
    assert "11 steps per epoch, 22 in all" in shown
    # The recipe takes 25 epochs of 8,000 images, 128 at a time.
    short = "22 steps are few: the recipe takes 1,550 (25 epochs of 8,000 examples)"
    assert f"{short}, as --epochs=141 does" in shown
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["game"]["latent_dim"] == 3
    assert config["versions"]["keras"] == keras.__version__
    assert "trainers.bigan" in config["command"]
    figures = json.loads((tmp_path / "metrics.json").read_text())
    assert figures["steps"] == 22
    assert 0 < figures["x_cycle_ratio"] < 2
    assert shown.splitlines()[-1] == f"verdict: {figures['verdict']}"
    assert figures["verdict"].startswith("samples vary ")
    assert "1-NN on features" in shown
    # Printed when an epoch ends, and kept nowhere: the run is over by then.
    assert re.findall(r"minutes_left: ([\d.e+-]+)", shown)[-1] == "0.0000e+00"
    header, *rows = (tmp_path / "history.csv").read_text().splitlines()
    assert header.startswith("epoch,discriminator,encoder_generator,loss,images_per_s")
    assert "minutes_left" not in header
    assert len(rows) == 2
    assert same_state(zoo.load(tmp_path), newest(tmp_path))


@pytest.mark.tensorflow("JAX calls the losses from functions of its own")
def test_from_the_command_to_the_loss_are_five_calls_in_five_files(images, tmp_path, monkeypatch):
    found = []

    def accepted(logits):
        found.append(traceback.extract_stack()[:-1])
        return zoo.losses.accepted(logits)

    monkeypatch.setattr("zoo.bigan.accepted", accepted)
    train(images, tmp_path, "--epochs=1")
    rooms = [str(ROOT / room) + os.sep for room in ("trainers", "zoo")]
    ours = [f for f in found[0] if f.filename.startswith(tuple(rooms))]
    begin, *calls = ours
    assert begin.name == "main" and calls[-1].name == "play"
    assert len(calls) <= 5, [f"{f.filename}: {f.name}" for f in calls]
    # And trainers/bigan.py, which calls main.
    assert len({f.filename for f in ours}) + 1 <= 5


def test_a_method_without_an_encoder_reports_what_it_can(images, tmp_path, capsys):
    recipe = importlib.import_module("trainers.gan").RECIPE
    game = newest(train(images, tmp_path, "--epochs=1", "--evaluate_every=1", recipe=recipe))
    assert (tmp_path / "report.png").stat().st_size > 10_000
    assert (tmp_path / "samples" / "epoch-0001.png").exists()
    assert not (tmp_path / "reconstructions").exists()
    assert "verdict: samples vary" in (said := capsys.readouterr().out)
    assert "reconstructions" not in said
    with pytest.raises(ValueError, match="GAN has no encoder; methods that have one: vae, bigan"):
        game.encode(game.decode(game.prior_codes(2, seed=0)))


def test_a_method_of_labels_reports_a_row_for_each_class(images, tmp_path):
    recipe = importlib.import_module("trainers.acgan").RECIPE
    train(images, tmp_path, "--epochs=1", "--evaluate_every=1", recipe=recipe)
    assert newest(tmp_path).classes == 2
    assert (tmp_path / "samples" / "epoch-0001.png").stat().st_size > 1000
    assert (tmp_path / "report.png").stat().st_size > 10_000


@pytest.mark.slow
def test_of_two_sets_a_method_of_labels_learns_which_is_which(images, tmp_path, capsys):
    recipe = importlib.import_module("trainers.acgan").RECIPE
    both = [f"{images.replace('--dataset', '--dataset_b')}[invert]", "--epochs=1"]
    train(images, tmp_path / "both", *both, recipe=recipe)
    assert "115 training examples of 8×8×1" in (said := capsys.readouterr().out)
    assert "B to A: error to the truth, ratio" in said and "11 steps per epoch" in said
    assert (tmp_path / "both" / "translations.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cyclegan", pytest.param("unit", marks=pytest.mark.long)])
def test_a_method_of_two_domains_goes_on_where_it_stopped_and_shows_translations(
    method, images, tmp_path, monkeypatch
):
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    words = [f"{images.replace('--dataset', '--dataset_b')}[rotate]", "--epochs=2", "--ema=0.9"]
    words += ["--evaluate_every=1"]
    uncut = newest(train(images, tmp_path / "whole", *words, recipe=recipe))
    cut = tmp_path / "cut"
    with monkeypatch.context() as patch:
        at_step(patch, callbacks.Throughput, 7, interrupt)
        with pytest.raises(SystemExit):
            train(images, cut, *words, recipe=recipe)
    again = newest(train(images, cut, *words, recipe=recipe))
    assert checkpoints.step_of(again) == 10  # of 115 examples, 20 at a time
    assert same_state(uncut, again)
    assert (cut / "translations" / "epoch-0001.png").stat().st_size > 1000
    figures = json.loads((cut / "metrics.json").read_text())
    assert {"translation_ab_identity", "cycle_ba_ratio", "domain_ab"} <= set(figures)
    making.from_run(cut, making.Target(tmp_path / "preset", "two"), None)
    assert "and B, `npz:" in (tmp_path / "preset" / "card.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cyclegan", pytest.param("unit", marks=pytest.mark.long)])
def test_two_folders_of_photographs_train_by_the_documented_command(method, tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(20):
            photo = Image.fromarray(rng.integers(0, 256, (70, 90, 3), dtype="uint8"))
            photo.save(tmp_path / name / f"{number}.png")
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    words = [f"--dataset=folder:{tmp_path / 'a'}", f"--dataset_b=folder:{tmp_path / 'b'}"]
    words += ["--image_size=64", "--epochs=1", "--batch_size=4", "--width=4"]
    run.main(recipe, [f"{method}.py", *words, f"--run_dir={tmp_path / 'run'}"])
    assert (tmp_path / "run" / "translations.png").stat().st_size > 10_000
    assert zoo.load(tmp_path / "run").image_shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("method", "words", "message"),
    [
        ("acgan", ["--dataset=circle"], "circle has no labels, and this method needs them"),
        ("gan", ["--test_split=test[:1]"], "must have 2 test examples or more; got 1 beside 8000"),
        (
            "cyclegan",
            ["--test_split=test[:1]", "--dataset_b=fashion_mnist_10k[invert]"],
            "must have 2 test examples or more; got 1",
        ),
    ],
)
def test_sets_that_a_method_cannot_use_are_refused(method, words, message, tmp_path, refused):
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    assert message in refused(
        run.main, recipe, [f"{method}.py", f"--run_dir={tmp_path / 'run'}", *words]
    )


@pytest.mark.parametrize(
    ("method", "words", "message"),
    [
        ("cyclegan", [], "--dataset_b must name a second set, which cyclegan needs; got ''"),
        ("gan", ["--dataset_b=ring8"], "left out for gan, which takes one data set; got 'ring8'"),
        ("acgan", ["--dataset_b=mnist"], ""),
        ("unit", ["--dataset_b=mnist"], ""),
    ],
)
def test_a_second_set_is_asked_for_and_refused_before_any_is_read(method, words, message):
    recipe = importlib.import_module(f"trainers.{method}").RECIPE
    refusal = pytest.raises(ValueError, match=message) if message else contextlib.nullcontext()
    with refusal:
        flags.parse(recipe, [method, *words])


def test_the_smaller_set_limits_the_batch_unless_both_are_joined(tmp_path):
    sets = []
    for flag, count in (("dataset", 60), ("dataset_b", 5)):
        x = np.zeros((count, 8, 8, 1), "uint8")
        np.savez(tmp_path / f"{flag}.npz", x_train=x, x_test=x[:4])
        sets.append(f"--{flag}=npz:{tmp_path / flag}.npz")
    small = [*SMALL, "--batch_size=8", f"--run_dir={tmp_path}"]

    def begin(method, *words):
        recipe = importlib.import_module(f"trainers.{method}").RECIPE
        return run.Run(recipe, flags.parse(recipe, [method, *small, *words]), [method])

    with pytest.raises(ValueError, match="--batch_size=8 is more than the 5 training .*dataset_b"):
        begin("cyclegan", *sets)
    swapped = [
        word.replace("_b=", "=") if "_b=" in word else word.replace("=", "_b=", 1) for word in sets
    ]
    assert begin("acgan", *swapped).epoch_steps == 8


def test_a_run_cut_at_an_epoch_ends_bit_equal_to_an_uninterrupted_one(images, whole, tmp_path):
    directory = tmp_path / "run"
    # On images that are mapped from disk, and then on images in memory, as those of `whole`.
    for epochs, place in ((1, f"--cache_dir={tmp_path / 'cache'}"), (3, "--nocache")):
        train(images, directory, f"--epochs={epochs}", "--ema=0.9", place)
    assert len(list((tmp_path / "cache").glob("npz-*/train.npy"))) == 1
    cut = newest(directory)
    assert checkpoints.step_of(cut) == 33
    assert same_state(newest(whole), cut)
    assert len((directory / "history.csv").read_text().splitlines()) == 4


@pytest.mark.slow
def test_killed_in_the_middle_of_an_epoch_it_goes_on_from_the_last_checkpoint(images, tmp_path):
    mapped = f"--cache_dir={tmp_path / 'cache'}"
    always = "--checkpoint_minutes=0"
    settings = [images, *SMALL, "--epochs=60", f"--run_dir={tmp_path}", mapped, always]
    with open(tmp_path / "said", "w") as said:
        process = subprocess.Popen(
            command(*settings), cwd=ROOT, stdout=said, stderr=subprocess.STDOUT
        )
    while not any(step % 11 for step in saved_steps(tmp_path)):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # What TensorFlow prints when it starts comes after the trainer's own first line.
    assert (tmp_path / "said").read_text().splitlines()[0] == RECIPE.title
    reached = max(saved_steps(tmp_path))
    assert 0 < reached < 60 * 11
    train(images, tmp_path, f"--epochs={reached // 11 + 4}", mapped)
    uncut = train(images, tmp_path / "whole", f"--epochs={reached // 11 + 4}")
    assert same_state(newest(tmp_path), newest(uncut))


def test_ctrl_c_saves_inside_an_epoch_and_says_how_to_go_on(
    images, whole, tmp_path, monkeypatch, capsys
):
    with monkeypatch.context() as patch:
        at_step(patch, callbacks.Throughput, 14, interrupt)
        with pytest.raises(SystemExit) as stopped:
            train(images, tmp_path, "--epochs=3", "--ema=0.9")
    assert stopped.value.code == 130
    said = capsys.readouterr().out
    step = checkpoints.step_of(newest(tmp_path))
    assert step in (14, 15)
    assert f"saved at step {step} of 33" in said
    assert "python -m trainers.bigan --dataset=" in said
    train(images, tmp_path, "--epochs=3", "--ema=0.9")
    assert same_state(newest(whole), newest(tmp_path))
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 4


def test_the_time_left_is_that_of_the_whole_run():
    from trainers.runs import callbacks

    # Three epochs of four steps, two in a call. The first call ends at 60 s; each of the others
    # takes 10 s, and what is done between epochs 20 s.
    ends = iter([60, 70, 90, 100, 110, 130, 140, 150, 150])
    watch = callbacks.TimeLeft(12, clock=lambda: next(ends))
    shown = []
    for epoch in range(3):
        watch.on_epoch_begin(epoch)
        for last in (1, 3):
            watch.on_train_batch_end(last, logs := {})
            shown.append(logs.get("minutes_left"))
        watch.on_epoch_end(epoch, logs := {})
        shown.append(logs["minutes_left"])
    # Seconds since the first call, by steps since then, times the steps that are left.
    seconds = [10 / 2 * 8, 30 / 2 * 8, 40 / 4 * 6, 50 / 6 * 4, 70 / 6 * 4, 80 / 8 * 2, 0, 0]
    assert shown == [None, *(round(s / 60, 1) for s in seconds)]


@pytest.mark.parametrize(
    ("step", "epochs", "left"),
    [
        (0, 3, [(10, 0, 3)]),
        (10, 3, [(10, 1, 3)]),
        (13, 3, [(7, 1, 2), (10, 2, 3)]),
        (23, 3, [(7, 2, 3)]),
        (30, 3, []),
        (13, 1, []),
        (13, 2, [(7, 1, 2)]),
        (33, 3, []),
    ],
)
def test_what_is_left_begins_with_the_rest_of_an_epoch_and_ends_with_the_last(step, epochs, left):
    from trainers.runs import training

    assert list(training.stretches(step, 10, epochs)) == left


@pytest.mark.slow
def test_a_run_stopped_where_no_call_ends_takes_the_steps_that_are_left(images, tmp_path):
    five = "--steps_per_execution=5"
    game = newest(train(images, tmp_path / "cut", "--epochs=1", five))
    # Three steps more, as several workers take them: one a call.
    data = zoo.datasets.load(images.split("=")[1])
    game.steps_per_execution = 1
    stream = zoo.datasets.batches(data.train, 20, 0, checkpoints.step_of(game))
    game.fit(stream, steps_per_epoch=3, verbose=0, shuffle=False)
    checkpoints.write(game, tmp_path / "cut" / "checkpoints")
    cut = newest(train(images, tmp_path / "cut", "--epochs=3", five))
    assert checkpoints.step_of(cut) == 30
    assert same_state(cut, newest(train(images, tmp_path / "whole", "--epochs=3", five)))


def test_a_run_that_went_on_for_more_epochs_says_so_and_never_has_the_figures_of_fewer(
    images, once, tmp_path, monkeypatch, capsys
):
    directory = copied(once, tmp_path)

    def fail(*arguments, **options):
        raise MemoryError

    def said():
        config, figures = run_files.read_run(directory)
        return config["flags"]["epochs"], "--epochs=2" in config["command"], figures["epochs"]

    assert said() == (1, False, 1)
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(metrics, "evaluate", fail)
        train(images, directory, "--epochs=2")
    with pytest.raises(ValueError, match="no finished run: metrics.json is missing"):
        said()
    train(images, directory, "--epochs=2")
    assert said() == (2, True, 2)
    capsys.readouterr()
    train(images, directory, "--epochs=1")  # it has more already
    assert "22 steps are done, more than the 11 asked; measuring" in capsys.readouterr().out
    assert said() == (2, True, 2)


def test_changed_settings_are_refused_with_the_difference(images, once, refused):
    before = {p: p.read_bytes() for p in once.rglob("*") if p.is_file()}
    for change, said in (
        (["--latent_dim=4"], "latent_dim was 3 and is now 4"),
        (["--batch_size=10"], "batch_size was 20 and is now 10"),
        (["--network=dcgan"], "network was 'mlp' and is now 'dcgan'"),
        (["--jit_compile"], "jit_compile was False and is now True"),
        (["--noresume"], "holds a run already"),
    ):
        error = refused(train, images, once, "--epochs=1", *change).strip().splitlines()[-1]
        assert error.startswith("error: ") and said in error and "--run_dir" in error
    assert before == {p: p.read_bytes() for p in once.rglob("*") if p.is_file()}


def test_labels_that_changed_are_refused_if_the_method_learns_from_them(tmp_path):
    path, images = tmp_path / "mine.npz", np.zeros((40, 8, 8, 1), "uint8")
    labels = np.arange(40) % 2
    recipes = {"acgan": acgan.RECIPE, "bigan": RECIPE}

    def begin(method, y_train):
        np.savez(path, x_train=images, x_test=images, y_train=y_train, y_test=labels)
        argv = [method, f"--dataset=npz:{path}", f"--run_dir={tmp_path / method}", *SMALL]
        found = run.Run(recipes[method], flags.parse(recipes[method], argv), argv)
        checkpoints.write(found.game, tmp_path / method / checkpoints.FOLDER)

    for method in recipes:
        (tmp_path / method).mkdir()
        begin(method, labels)
    begin("bigan", 1 - labels)
    with pytest.raises(ValueError, match="training labels was '40 examples, checksum"):
        begin("acgan", 1 - labels)


def test_a_data_set_that_changed_under_its_name_is_refused(tmp_path):
    path = tmp_path / "mine.npz"
    argv = ["bigan.py", f"--dataset=npz:{path}", f"--run_dir={tmp_path / 'run'}", *SMALL]

    def begin(x_train, x_test):
        np.savez(path, x_train=x_train, x_test=x_test)
        found = run.Run(RECIPE, flags.parse(RECIPE, argv), argv)
        checkpoints.write(found.game, tmp_path / "run" / checkpoints.FOLDER)

    train = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1)).astype("uint8")
    test, other = train[:20], train.copy()
    other[7, 3, 2, 0] ^= 1
    config = tmp_path / "run" / "config.json"
    (tmp_path / "run").mkdir()
    for _ in range(2):
        begin(train, test)
    for changed, name, was, is_now in (
        ((other, test), "training data", 40, 40),
        ((np.concatenate([train, test]), test), "training data", 40, 60),
        ((train, test[:15]), "test data", 20, 15),
    ):
        with pytest.raises(ValueError) as refused:
            begin(*changed)
        said = rf"{name} was '{was} examples, checksum \w+' and is now '{is_now} examples, checks"
        assert re.search(said, str(refused.value)) and "--run_dir" in str(refused.value)
    # A run of an older version.
    found = json.loads(config.read_text())
    for name in settings.LATER:
        found["settings"].pop(name, None)
    config.write_text(json.dumps(found))
    begin(other, test[:15])
    argv.append("--jit_compile")
    with pytest.raises(ValueError, match="jit_compile was False and is now True"):
        begin(other, test[:15])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dataset=fasion_mnist"], ["fasion_mnist", "fashion_mnist"]),
        (["--dataset=npz:/nowhere.npz"], ["/nowhere.npz"]),
        (["--dataset=folder:/nowhere"], ["/nowhere"]),
        (["--batch_size=-1"], ["--batch_size must be 1 or more; got -1"]),
        (["--batch_size=100000"], ["--batch_size=100000 is more than the 230"]),
        (["--latent_dim=0"], ["latent_dim must be 1 or more; got 0"]),
        (["--epochs=0"], ["--epochs must be 1 or more; got 0"]),
        (["--seed=2147483648"], ["--seed must be 0 to 2**31 - 1; got 2147483648"]),
        (["--epochs=many"], ["epochs", "many"]),
        (["--network=vgg"], ["--network must be one of dcgan", "got 'vgg'"]),
        (["--network=dcgan", "--image_size=30"], ["multiple of 4", "30 × 30"]),
        (["--strategy=cluster"], ["--strategy must be one of auto", "got 'cluster'"]),
        tensorflows(["--strategy=tpu"], ["no TPU", "--strategy=auto"]),
        tensorflows(["--strategy=multi_worker_mirrored"], ["TF_CONFIG"]),
        tensorflows(
            ["--strategy=mirrored", "--batch_size=21"], ["cannot be shared by 2 replicas; take 20"]
        ),
        (["--precision=float8"], ["one of float32, mixed_bfloat16; got 'float8'"]),
        (["--momentum=1"], ["momentum", "--help"]),
        (["stray"], ["unexpected argument 'stray'"]),
    ],
)
def test_bad_input_is_one_line_with_the_value_and_the_remedy(
    images, tmp_path, refused, arguments, said
):
    error = refused(train, images, tmp_path / "run", "--epochs=1", *arguments)
    error = error.strip().splitlines()[-1]
    assert error.startswith("error: ")
    for words in said:
        assert words in error
    assert not (tmp_path / "run").exists(), "nothing may be left behind"


def test_a_corrupt_image_is_named(tmp_path, refused):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.png").write_bytes(b"\x89PNG but not really")
    assert str(tmp_path / "photos" / "broken.png") in refused(
        train, f"--dataset=folder:{tmp_path / 'photos'}", tmp_path / "run"
    )
    assert not list((tmp_path / "run").glob("*"))


@pytest.mark.tensorflow("sets of TensorFlow Datasets are read by TensorFlow")
def test_a_set_that_is_not_prepared_is_refused_within_seconds(tmp_path, child_seconds):
    environment = os.environ | {"TFDS_DATA_DIR": str(tmp_path / "none")}
    asked = command("--dataset=cifar10", f"--run_dir={tmp_path / 'run'}")
    refused = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert child_seconds() < 5
    assert refused.returncode == 2
    (error,) = (line for line in refused.stderr.splitlines() if line.startswith("error: "))
    for words in ("cifar10", "--download", "TFDS_DATA_DIR", "--dataset=fashion_mnist_10k"):
        assert words in error


def test_more_epochs_are_refused_where_the_learning_rate_follows_them(images, tmp_path, capsys):
    train(images, tmp_path, "--network=dcgan", "--epochs=1")
    with pytest.raises(SystemExit):
        train(images, tmp_path, "--network=dcgan", "--epochs=2")
    error = capsys.readouterr().err
    assert "learning_rate hold_steps was 5 and is now 11" in error
    assert "follows --epochs, which was 1" in error


def test_an_unwritable_run_dir_is_refused(images, tmp_path, refused):
    (tmp_path / "file").write_text("kept")
    assert f"--run_dir={tmp_path / 'file' / 'run'} cannot be written to" in refused(
        train, images, tmp_path / "file" / "run"
    )
    assert (tmp_path / "file").read_text() == "kept"


def test_a_loss_that_becomes_nan_stops_the_run_and_keeps_the_last_checkpoint(
    images, once, tmp_path, capsys
):
    directory = copied(once, tmp_path)

    class Poisoned(run.Run):
        def train(self):
            self.game.generator.trainable_variables[0].assign(
                np.full(self.game.generator.trainable_variables[0].shape, np.nan)
            )
            return super().train()

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr(run, "Run", Poisoned)
        train(images, directory, "--epochs=3")
    assert stopped.value.code == 1
    assert "became nan by step 12" in capsys.readouterr().err
    assert same_state(newest(once), newest(directory))


def test_a_run_that_saved_nothing_leaves_its_directory_to_other_settings(
    images, tmp_path, monkeypatch, capsys
):
    def poison(game):
        weight = game.generator.trainable_variables[0]
        weight.assign(np.full(weight.shape, np.inf))

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
        at_step(patch, stopping.StopOnSignal, 11, poison)
        train(images, tmp_path, "--epochs=2")
    assert ended.value.code == 1
    assert capsys.readouterr().err.endswith("by step 11; nothing was saved yet\n")
    argv = ["bigan", images, *SMALL, f"--run_dir={tmp_path}", "--seed=1"]
    with pytest.raises(ValueError, match="holds a run already"):
        run.Run(RECIPE, flags.parse(RECIPE, [*argv, "--noresume"]), argv)
    begun = run.Run(RECIPE, flags.parse(RECIPE, argv), argv)
    assert json.loads((tmp_path / "config.json").read_text())["settings"]["seed"] == 1
    # Without its checkpoints, a finished run is kept.
    begun.game.save(tmp_path / "game.keras")
    with pytest.raises(ValueError, match="seed was 1 and is now 2"):
        run.Run(RECIPE, flags.parse(RECIPE, [*argv, "--seed=2"]), argv)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="config.json is damaged .* or give another --run_dir"):
        run.Run(RECIPE, flags.parse(RECIPE, argv), argv)


def test_checkpoints_inside_an_epoch_are_written_by_time(tmp_path):
    seconds = itertools.count(step=45)
    game = zoo.GAN((2,), network="mixture", width=1)
    game.compile(jit_compile=False)
    every = callbacks.Checkpoint(tmp_path / "checkpoints", 9, 1.0, lambda: next(seconds))
    every.set_model(game)
    for step in range(1, 8):
        game.optimizer.iterations.assign(step)
        every.on_train_batch_end(step)
    # 45 seconds pass between calls, and again while one is written.
    assert saved_steps(tmp_path) == [2, 4, 6]


@pytest.mark.parametrize("stopped", [False, True])
def test_weights_that_the_last_step_made_infinite_are_not_saved(
    images, tmp_path, monkeypatch, capsys, stopped
):
    def poison(game):
        weight = game.generator.trainable_variables[0]
        weight.assign(np.full(weight.shape, np.inf))
        if stopped:
            interrupt(game)

    # The losses of that step were finite, and there is no next one.
    last = 15 if stopped else 22
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
        at_step(patch, stopping.StopOnSignal, last, poison)
        train(images, tmp_path, "--epochs=2")
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert "error: a weight of " in error and f"became inf by step {last}; the chec" in error
    assert checkpoints.step_of(newest(tmp_path)) == 11


def test_a_signal_on_the_last_step_of_an_epoch_saves_and_then_measures(
    images, tmp_path, monkeypatch
):
    from trainers.runs import callbacks

    saved, cheap = [], callbacks.metrics.cheap

    def measure(*arguments):
        saved.append((tmp_path / "checkpoints" / "step-00000011.keras").exists())
        return cheap(*arguments)

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stopped:
        at_step(patch, stopping.StopOnSignal, 11, interrupt)
        patch.setattr(callbacks.metrics, "cheap", measure)
        train(images, tmp_path, "--epochs=2", "--evaluate_every=1")
    assert stopped.value.code == 130
    assert saved == [True]
    assert (tmp_path / "samples" / "epoch-0001.png").exists()
    header, row = (tmp_path / "history.csv").read_text().splitlines()
    assert "x_cycle_ratio" in header and row.startswith("1,")


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(images, whole, tmp_path, capsys):
    directory = copied(whole, tmp_path)
    last = directory / "checkpoints" / "step-00000033.keras"
    flip(last)
    train(images, directory, "--epochs=3", "--ema=0.9")
    said = capsys.readouterr().out
    assert f"{last} is damaged" in said
    assert "resuming from step 22 of 33" in said
    assert same_state(newest(whole), newest(directory))


@pytest.mark.slow
def test_steps_per_execution_and_jit_leave_the_same_number_of_steps(images, tmp_path):
    train(images, tmp_path, "--epochs=2", "--steps_per_execution=5", "--jit_compile")
    assert checkpoints.step_of(newest(tmp_path)) == 20
