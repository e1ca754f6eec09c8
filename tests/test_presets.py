"""Presets: stored, checked before use, described by figures that were measured."""

import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import types
import zipfile

import games
import keras
import numpy as np
import pytest
from damage import flip
from damage import truncate

import zoo
from zoo import __main__ as table
from zoo import presets
from zoo import run_files
from zoo.cli import commands
from zoo.presets import cards
from zoo.presets import checking
from zoo.presets import figures
from zoo.presets import handles
from zoo.presets import limits
from zoo.presets import making
from zoo.presets import registry
from zoo.presets import storage


def saved(folder, name, seed=0, **arguments):
    """Directory of an untrained BiGAN, stored with the JSON files that a preset has."""
    game = games.make("bigan", seed=seed, **arguments)
    storage.save(game, folder / name, settings={"dataset": "noise"})
    for part in ("metrics", "audit"):
        run_files.write_json(folder / name / f"{part}.json", {"x_cycle_ratio": 0.5})
    return folder / name


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A folder with two presets of one shape, "one" and "two"."""
    folder = tmp_path_factory.mktemp("pristine")
    for seed, name in enumerate(("one", "two")):
        saved(folder, name, seed)
    return folder


@pytest.fixture
def package(tmp_path, monkeypatch, pristine):
    """A copy of them with a registry, which `zoo.load` takes for that of the package."""
    shutil.copytree(pristine, tmp_path, dirs_exist_ok=True)
    made = making.rebuild(tmp_path)
    monkeypatch.setattr(registry, "list_presets", lambda folder=None: made)
    return tmp_path


def arrays(game):
    return {key: keras.ops.convert_to_numpy(v) for _, key, v in storage._variables(game, False)}


def test_kernels_are_stored_in_half_precision_and_the_rest_as_it_is(tmp_path):
    game = games.make("alpha_gan")
    game.encoder.layers[-1].bias.assign([1 / 3, 2 / 3, 1e-9])
    zoo.save_preset(game, tmp_path, command="python -m trainers.alpha_gan")
    before, after = arrays(game), arrays(zoo.load(tmp_path))
    assert before.keys() == after.keys()
    assert {key.split("/")[0] for key in before} == set(game.named_networks())
    for key, value in before.items():
        half = value.ndim > 1
        assert np.array_equal(after[key], value.astype("f2").astype("f4") if half else value), key
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["training"] == {"command": "python -m trainers.alpha_gan"}
    assert config["parameters"] == sum(value.size for value in before.values())


def test_float32_is_bit_for_bit_and_other_precisions_are_refused(tmp_path):
    game = games.make("ali")
    zoo.save_preset(game, tmp_path, precision="float32")
    after = arrays(zoo.load(tmp_path))
    assert all(np.array_equal(after[key], value) for key, value in arrays(game).items())
    with pytest.raises(ValueError, match="float16, float32; got 'int8'"):
        zoo.save_preset(game, tmp_path, precision="int8")


def test_weights_that_half_precision_cannot_hold_are_refused(tmp_path):
    game = games.make("bigan")
    kernel = next(v for v in game.encoder.trainable_variables if len(v.shape) > 1)
    kernel.assign(keras.ops.full(kernel.shape, 7e4))
    with pytest.raises(ValueError, match="does not fit into float16; give precision='float32'"):
        zoo.save_preset(game, tmp_path)
    kernel.assign(keras.ops.full(kernel.shape, float("nan")))
    with pytest.raises(ValueError, match="is not finite: the game has diverged"):
        zoo.save_preset(game, tmp_path, precision="float32")
    assert not list(tmp_path.iterdir())


def test_averages_become_the_networks(tmp_path):
    game = games.make("bigan", ema=0.9)
    game.averages["encoder"].layers[-1].bias.assign([1.0, 2.0, 3.0])
    zoo.save_preset(game, tmp_path, precision="float32")
    loaded = zoo.load(tmp_path)
    assert loaded.ema == 0 and not loaded.averages
    assert loaded.encoder.layers[-1].bias.numpy().tolist() == [1, 2, 3]
    x = games.examples()
    assert np.array_equal(loaded.encode(x), game.encode(x))
    assert np.array_equal(loaded.decode(x[:, 0, :3, 0]), game.decode(x[:, 0, :3, 0]))


@pytest.mark.parametrize("method", ["bigan", "vae"])
def test_a_preset_goes_on_training_with_every_player(tmp_path, method):
    zoo.save_preset(games.make(method), tmp_path)
    game = zoo.load(tmp_path)
    optimizers = {player: keras.optimizers.SGD(0.05) for player in game.players}
    game.compile(optimizers, run_eagerly=True)
    before = games.weights(game)
    games.step(game, games.examples())
    after = games.weights(game)
    assert before.keys() == after.keys()
    assert all((before[net] != after[net]).any() for net in before)


def test_the_counterexample_stays_exact(tmp_path):
    game = zoo.Counterexample((8, 8, 1), latent_dim=4, support=16, width=4)
    game.remember(np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), np.uint8))
    zoo.save_preset(game, tmp_path)
    loaded = zoo.load(tmp_path)
    z = loaded.prior_codes(200, seed=1)
    x = loaded.decode(z)
    assert np.array_equal(x, game.decode(z))
    assert np.array_equal(loaded.encode(x), z)
    assert np.array_equal(loaded.decode(loaded.encode(x)), x)


def swap(path):
    shutil.copy(path.parent.parent / "two" / path.name, path)


@pytest.mark.parametrize("damage", [flip, truncate, swap])
def test_damaged_weights_are_named_with_both_checksums(package, damage):
    assert zoo.load("one").seed == 0
    path = package / "one" / "weights.npz"
    expected = registry.list_presets()[0].sha256
    damage(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    for source in ("one", package / "one"):
        with pytest.raises(ValueError) as caught:
            zoo.load(source)
        assert all(word in str(caught.value) for word in (str(path), expected, found))


def test_a_preset_swapped_with_its_configuration_is_detected(package):
    for name in ("weights.npz", "config.json"):
        swap(package / "one" / name)
    with pytest.raises(ValueError, match="config.json is damaged or belongs to another model"):
        zoo.load("one")
    assert zoo.load(package / "one").seed == 1  # as a directory it is a sound preset, of seed 1


@pytest.mark.parametrize("name", ["weights.npz", "config.json"])
def test_a_missing_file_is_named_with_the_checksum_that_it_should_have(package, name):
    preset = registry.list_presets()[0]
    (package / "one" / name).unlink()
    sha256 = preset.sha256 if name == "weights.npz" else preset.config_sha256
    with pytest.raises(ValueError, match=f"{name} cannot be read .No such file.*{sha256}"):
        zoo.load("one")


def test_a_configuration_that_cannot_be_read_is_named(package):
    truncate(package / "one" / "config.json", lost=100)
    with pytest.raises(ValueError, match="config.json is damaged: it is not the configuration"):
        zoo.load("one")


def test_a_damaged_registry_is_named(tmp_path):
    assert registry.list_presets(tmp_path) == []
    for text in ('[{"name": "one"', '[{"name": "one"}]'):
        (tmp_path / "registry.json").write_text(text)
        with pytest.raises(ValueError, match="registry.json is damaged: .*reinstall"):
            registry.list_presets(tmp_path)


def test_the_checksum_of_the_caller_holds_too(package):
    preset = registry.list_presets()[0]
    right = hashlib.sha256((package / "one" / "config.json").read_bytes()).hexdigest()
    assert preset.config_sha256 == right  # what sha256sum prints
    assert zoo.load("one", sha256=right).seed == zoo.load(package / "one", sha256=right).seed == 0
    for source in ("one", package / "one"):
        with pytest.raises(ValueError, match="0" * 64):
            zoo.load(source, sha256="0" * 64)
        with pytest.raises(ValueError, match="alone, which leaves .* unprotected; give that of"):
            zoo.load(source, sha256=preset.sha256)


def edited(directory, **arguments):
    """Change the constructor arguments in config.json."""
    config = json.loads((directory / "config.json").read_text())
    config["arguments"] |= arguments
    run_files.write_json(directory / "config.json", config)


def test_a_checksum_covers_the_configuration_wherever_it_lies(package, monkeypatch):
    directory = package / "one"
    right = registry.list_presets()[0].config_sha256
    hub = types.SimpleNamespace(snapshot_download=lambda repo, **_: str(directory))
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    sources = ("hf://owner/repo@main", directory, "one")
    assert [zoo.load(source, sha256=right).prior for source in sources] == ["normal"] * 3
    edited(directory, prior="uniform")
    for source in sources:
        with pytest.raises(ValueError, match=f"config.json is damaged .* expected sha256 {right}"):
            zoo.load(source, sha256=right)


def test_a_run_is_not_written_over(tmp_path, capsys):
    from zoo.presets import __main__ as command

    for name in ("game.keras", "history.csv", "config.json"):
        run = tmp_path / f"of_{name}"
        run.mkdir()
        (run / name).write_text('{"flags": {}}')
        with pytest.raises(ValueError, match=f"it has {name}, as a run has"):
            zoo.save_preset(games.make("bigan"), run)
        with pytest.raises(SystemExit):
            command.main(["presets", str(run), f"--out={run}"])
        assert f"it has {name}, as a run has" in capsys.readouterr().err
        assert [path.name for path in run.iterdir()] == [name]
        assert (run / name).read_text() == '{"flags": {}}'


def test_a_preset_that_is_replaced_takes_its_card_along(tmp_path):
    directory = saved(tmp_path, "mine")
    for name in ("card.md", "card.png", "LICENSE.txt", "mine.txt"):
        (directory / name).write_text("of the former")
    zoo.save_preset(games.make("bigan", seed=5), directory)
    assert {p.name for p in directory.iterdir()} == {"weights.npz", "config.json", "mine.txt"}
    assert zoo.load(directory).seed == 5


def test_a_preset_that_cannot_be_written_leaves_the_former(tmp_path):
    directory = saved(tmp_path, "mine", seed=3)
    (directory / ".partial-config.json").mkdir()  # writing fails, as on a full disk
    with pytest.raises(OSError):
        zoo.save_preset(games.make("bigan", seed=5), directory)
    assert zoo.load(directory).seed == 3
    assert not (directory / ".partial-weights.npz").exists()


def test_a_published_preset_leaves_nothing_of_the_former(tmp_path):
    from zoo.presets import __main__ as command

    made, old = saved(tmp_path, "new", seed=4), saved(tmp_path, "old")
    (old / "LICENSE.txt").write_text("of the former")
    names = {path.name for path in made.iterdir()}
    command._publish(made, old)
    assert {path.name for path in old.iterdir()} == names
    assert zoo.load(old).seed == 4


def test_arrays_of_another_game_do_not_fit(tmp_path):
    zoo.save_preset(games.make("bigan"), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["arguments"]["latent_dim"] = 5
    run_files.write_json(tmp_path / "config.json", config)
    with pytest.raises(ValueError, match=r"does not fit BiGAN: .* arrays differ, first"):
        zoo.load(tmp_path)
    config["arguments"]["speed"] = 5
    run_files.write_json(tmp_path / "config.json", config)
    with pytest.raises(ValueError, match="does not describe a game of this version.*speed"):
        zoo.load(tmp_path)


def test_an_unknown_name_is_told_its_neighbours_and_both_readings(package):
    with pytest.raises(ValueError) as caught:
        zoo.load("onee")
    for words in ("no game at onee", "game.keras", "nearest names: one;", "`python -m zoo` lists"):
        assert words in str(caught.value)


def test_a_name_goes_before_a_directory(package, tmp_path, monkeypatch):
    saved(tmp_path / "here", "one", seed=7)
    monkeypatch.chdir(tmp_path / "here")
    assert zoo.load("one").seed == 0
    assert zoo.load("./one").seed == 7


def test_a_handle_needs_a_kind_and_a_checksum():
    for handle, message in (
        ("http://host/a.zip", "http:// is not read"),
        ("https://host/a.zip", "needs the checksum"),
        ("hf://owner/repo@main", "needs the checksum"),
    ):
        with pytest.raises(ValueError, match=message):
            zoo.load(handle)
    with pytest.raises(ValueError, match="expected hf://owner/repo@revision"):
        zoo.load("hf://owner/repo", sha256="0" * 64)
    assert handles.repository("hf://own.er/re-po@0a1b") == ("own.er/re-po", "0a1b")


def test_the_hub_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ValueError, match=r"pip install 'encoder-gan-zoo\[hub\]'"):
        zoo.load("hf://owner/repo@main", sha256="0" * 64)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """(folder, address) of a server of https on this machine, whose certificate is trusted."""
    import functools
    import http.server
    import ssl
    import threading

    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("no_proxy", "*")
    cache = str(tmp_path / "cache")
    monkeypatch.setattr(keras.utils.get_file.__globals__["config"], "keras_home", lambda: cache)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (tmp_path / "site").mkdir()
    handler = functools.partial(Quiet, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path / "site", f"https://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_archive_is_fetched_checked_and_loaded(tmp_path, site):
    folder, address = site
    directory = saved(tmp_path, "mine", seed=3)
    archive = folder / "mine.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in directory.iterdir():
            target.write(path, f"mine/{path.name}")
        target.writestr("../stray.txt", "not unpacked")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    # Several at once, as the processes of a server do; Keras' cache has it after the first.
    assert zoo.load(f"{address}/mine.zip", sha256=sha256).seed == 3
    with concurrent.futures.ThreadPoolExecutor() as pool:
        loaded = list(pool.map(lambda _: zoo.load(f"{address}/mine.zip", sha256), range(8)))
    assert [game.seed for game in loaded] == [3] * 8
    assert not list(tmp_path.rglob("stray.txt"))
    flip(archive)
    archive.rename(folder / "other.zip")
    wrong = "0" * 64
    with pytest.raises(ValueError, match=f"expected sha256 {wrong}, found .*nothing was kept"):
        zoo.load(f"{address}/other.zip", sha256=wrong)
    with pytest.raises(ValueError, match="cannot fetch .*404"):
        zoo.load(f"{address}/none.zip", sha256=wrong)


def test_figures_are_compared_within_their_tolerances():
    card = {"x_cycle_ratio": 0.5, "knn_code": 0.8, "n_test": 200.0, "classes": 10.0, "ks_p": 1e-9}
    card |= {"space": "a-1", "class_counts": [100, 200], "frechet": 5.0, "mmd": float("nan")}
    card |= {"birthday": "2 of 39 batches: about 1,300 (1.35)", "judge_30_accuracy_se": 0.005}
    near = {"x_cycle_ratio": 0.5024, "knn_code": 0.8049, "frechet": 5.04, "ks_p": 0.7e-9}
    near |= {"class_counts": [109, 191], "birthday": "2 of 40 batches: about 1,400 (1.40)"}
    assert figures.differences("f", card, card | near) == []
    far = {
        "x_cycle_ratio": 0.5026,
        "knn_code": 0.7949,
        "n_test": 201.0,
        "classes": 9.0,
        "space": "a-2",
        "class_counts": [100, 211],
        "frechet": 5.06,
        "mmd": 0.0,
        "ks_p": 1e-3,
        "birthday": "2 of 39 batches: about 1,440 (1.35)",
        "judge_30_accuracy_se": 0.0054,
    }
    for key, value in far.items():
        assert [d.key for d in figures.differences("f", card, card | {key: value})] == [key]
    found = dict(card)
    del found["knn_code"]
    assert [d.key for d in figures.differences("f", card, found | {"new": 1.0})] == [
        "knn_code",
        "new",
    ]


def test_a_generator_that_lacks_a_class_is_called_collapsed_first(tmp_path):
    counts = [50, 3, 47]
    audit = {"class_counts": counts, "class_names": ["cap", "glove", "sock"]}
    assert limits.lacking(audit) == []  # 3 of 100 are 3 %
    audit["class_counts"] = [51, 2, 47]
    assert limits.lacking(audit) == ["glove (2.0 %)"]
    directory = saved(tmp_path, "mine")
    config = storage.read_config(directory)
    source = {"small": {"name": "noise"}}
    metrics = {"n_test": 100.0, "n_train": 0.0, "x_cycle_ratio": 0.25, "measured_on": source}
    text = cards.text("mine", config, metrics, audit | {"n_samples": 100.0})
    header, title, first = text.split("\n\n")[:3]
    assert header.startswith("---\nlicense: apache-2.0\nlibrary_name: keras\n")
    assert title == "# mine"
    assert first.startswith("**Collapsed:** its samples lack glove (2.0 %). BiGAN, trained on")
    assert "| x-cycle ratio | 0.250 | 100 test images | another image 1 |" in text


@pytest.fixture
def digits(tmp_path):
    """The name of a set of 120 noisy images of 8 × 8 pixels of two classes."""
    rng, labels = np.random.default_rng(0), np.arange(120) % 2
    images = (rng.uniform(0, 60, (120, 8, 8)) + 120 * labels[:, None, None]).astype("uint8")
    arrays = {"train": images, "test": images[::-1], "y_train": labels, "y_test": 1 - labels}
    np.savez(tmp_path / "set.npz", **arrays)
    return f"npz:{tmp_path / 'set.npz'}"


TRAINING = {"command": "c", "seed": 0, "epochs": 1, "train_split": "train", "data": "made here"}
SPLITS = {"train_split": "train", "test_split": "test", "image_size": 0}


@pytest.mark.parametrize("method", ["acgan", pytest.param("cyclegan", marks=pytest.mark.slow)])
def test_a_card_of_two_domains_holds_translations_against_the_truth(method, digits, tmp_path):
    source = SPLITS | {"dataset": digits, "dataset_b": f"{digits}[invert]"}
    game = games.make(method, **({"classes": 2} if method == "acgan" else {}))
    directory = tmp_path / "two"
    making.write(game, making.Target(directory, "two"), source, TRAINING)
    metrics = json.loads((directory / "metrics.json").read_text())
    assert json.loads((directory / "audit.json").read_text()) == {}
    data = zoo.datasets.load(digits, other=f"{digits}[invert]")
    x = zoo.datasets.scale(data.test)
    stored = zoo.load(directory)
    errors = np.asarray(stored.translate(x, 1)) + x  # of the truth, −x
    error = np.sqrt((errors**2).sum(axis=(1, 2, 3))).mean()
    assert metrics["translation_ab"] == pytest.approx(error, rel=1e-4)
    card = (directory / "card.md").read_text()
    ratio, untranslated = (metrics[f"translation_ab_{of}"] for of in ("ratio", "identity"))
    assert (
        f"| A → B, error to the truth, ratio | {ratio:.3f} | 120 test images | "
        f"untranslated {untranslated:.3f}, truth of another image 1 |"
    ) in card
    assert f"A, `{digits}`, and B, `{digits}[invert]`" in card
    assert "pipeline_tag: image-to-image" in card
    assert (", codes of 3 numbers" in card) == (method == "acgan")
    assert (directory / "card.png").stat().st_size > 1000
    config = storage.read_config(directory)
    before, after = config["rounding"]["cycle_ab_ratio"]
    assert before == pytest.approx(after, rel=0.01)
    assert checking.check(str(directory))[0] == []
    # What harms is said first.
    for ours, said in ((0.5, False), (0.6, True)):
        lie = metrics | {"translation_ba_ratio": ours, "translation_ba_identity": 0.55}
        first = cards.text("two", config, lie, {}).partition("## Figures")[0]
        harm = "**No better by ratio than no translation:** B → A 0.60, untranslated 0.55."
        assert (harm in first) == said


@pytest.mark.slow
def test_a_card_of_classes_shows_each_and_how_they_are_asked_for(digits, tmp_path):
    game, directory = games.make("acgan", classes=2), tmp_path / "classes"
    making.write(game, making.Target(directory, "mine"), SPLITS | {"dataset": digits}, TRAINING)
    card = (directory / "card.md").read_text()
    assert "images = game.decode(game.prior_codes(16, seed=0), 3)  # of class 3" in card
    assert "and samples of each class](card.png)" in card
    assert (directory / "card.png").stat().st_size > 1000


def test_the_command_of_a_counterexample_is_one_that_is_taken():
    from zoo.presets import __main__ as command

    shared = {"counterexample": "mnist", "support": 64, "seed": 1, "precision": "float16"}
    for where in ({"name": "mine", "out": ""}, {"name": "", "out": "some/where"}):
        typed = command._command(types.SimpleNamespace(**shared, **where)).split()
        args, words = commands.parse("", command.FLAGS, typed[2:])
        assert not words and args.support == 64
        assert (args.name, args.out) == (where["name"], where["out"].rpartition("/")[2])


def test_the_directory_of_a_run_is_no_part_of_its_command():
    for command in ("--run_dir=/a/b --seed=1", "--run_dir /a/b --seed=1", "--seed=1 --run_dir=x"):
        made = making.without_run_dir(f"python -m trainers.bigan {command}")
        assert made == "python -m trainers.bigan --seed=1"


def test_what_can_be_loaded_and_has_no_card_is_not_denied(pristine, refused):
    error = refused(table.main, ["zoo", str(pristine / "one")])
    assert f"zoo.load reads {pristine / 'one'}, but it has no card" in error


def test_the_table_and_the_cards_need_no_tensorflow():
    code = (
        "import sys; from zoo.__main__ import main\n"
        "main(['zoo'])\n"
        "try: main(['zoo', 'bigann_fashion_mnist'])\n"
        "except SystemExit as end: assert end.code == 2\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert presets.table(presets.list_presets()) in done.stdout
    assert "no preset is called 'bigann_fashion_mnist'" in done.stderr


def test_the_commands_refuse_what_they_cannot_do(tmp_path, refused):
    from zoo.presets import __main__ as command

    for words, message in (
        ([], "give either --name"),
        (["--name=a", "--out=b"], "give either --name"),
        ([f"--out={tmp_path / 'a'}"], "give one run directory"),
        (["run", f"--out={tmp_path / 'a'}"], "run holds no finished run: config.json is missing"),
        (["run", "--name=../a"], "letters, digits and _"),
        (["run", f"--out={tmp_path / 'a'}", "--shared_machine=maybe"], "yes or no"),
    ):
        assert message in refused(command.main, ["presets", *words])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_becomes_a_preset_whose_card_holds(tmp_path, monkeypatch):
    from zoo.presets import __main__ as command

    for name, value in (("TRAIN", 400), ("TEST", 300), ("SAMPLES", 600)):
        monkeypatch.setattr(figures, name, value)
    run, out = tmp_path / "run", tmp_path / "out"
    run.mkdir()
    game = zoo.BiGAN((28, 28, 1), latent_dim=3, width=4, ema=0.9)
    game.save(run / "game.keras")
    flags = {"dataset": "fashion_mnist_10k", "train_split": "train", "test_split": "test"}
    flags |= {"image_size": 0, "seed": 0, "epochs": 1, "precision": "float32"}
    config = {"command": f"python -m trainers.bigan --run_dir={run}", "flags": flags}
    config |= {"machine": "a machine", "versions": {"keras": "3"}, "data": "clothes"}
    run_files.write_json(run / "config.json", config)
    run_files.write_json(run / "metrics.json", {"wall_s": 12.0})
    words = ["presets", str(run), f"--out={out}", "--shared_machine=yes"]
    with pytest.raises(SystemExit):
        command.main([*words, "--most_megabytes=0.01"])
    assert not out.exists()
    command.main(words)
    card = (out / "card.md").read_text(encoding="utf-8")
    assert "    python -m trainers.bigan\n" in card
    assert "12 s, on a machine shared with other work" in card
    assert "Collapsed" in card  # it never learned anything
    assert checking.check(str(out)) == ([], [])


def test_a_name_goes_before_a_path_and_a_path_need_not_exist():
    preset = registry.list_presets()[0]
    assert registry.resolve(preset.name) == preset
    assert registry.directory_of(preset.name) == preset.directory
    for path in (f"./{preset.name}", "runs/none", pathlib.Path("runs/none")):
        assert registry.resolve(path) == registry.directory_of(path) == pathlib.Path(path)
