"""A damaged file of a run is noticed and named; training never starts from something else."""

import errno
import os
import pathlib
import shutil
import time
import zipfile

import keras
import numpy as np
import pytest
from games import examples
from games import make
from games import same
from games import state
from games import step

import zoo
from trainers.bigan import RECIPE
from trainers.distribute import agreement
from trainers.runs import callbacks
from trainers.runs import checkpoints
from trainers.runs import run
from zoo import run_files

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")


@pytest.fixture(scope="module")
def game():
    return make("bigan", "mixture", rate=1e-3, optimizer=keras.optimizers.Adam, ema=0.9, eager=True)


@pytest.fixture(scope="module")
def two(tmp_path_factory, game):
    """A directory with the checkpoints of steps 1 and 2, and the game's state at either."""
    directory, states = tmp_path_factory.mktemp("two"), {}
    for number in (1, 2):
        step(game, examples("mixture"))
        checkpoints.write(game, directory)
        states[number] = state(game)
    return directory, states


def flipped(content, byte, bit=0):
    return content[:byte] + bytes([content[byte] ^ (1 << bit)]) + content[byte + 1 :]


HARMS = {
    "truncated by a byte": lambda content: content[:-1],
    "truncated to a half": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "flipped in the middle": lambda content: flipped(content, len(content) // 2),
}


def check_the_one_before_is_used(two, game, folder, harmed):
    """Where the newest checkpoint is `harmed` (bytes → bytes); returns its path."""
    directory, states = two
    game.load_weights(directory / "step-00000002.keras")
    kept = shutil.copytree(directory, folder / "checkpoints")
    newest = kept / "step-00000002.keras"
    newest.write_bytes(harmed(newest.read_bytes()))
    assert checkpoints.restore(game, kept) == 1
    assert same(state(game), states[1])
    return newest


def test_without_harm_the_newest_is_used(two, game):
    directory, states = two
    game.load_weights(directory / "step-00000001.keras")
    assert checkpoints.restore(game, directory) == 2
    assert same(state(game), states[2]) and not same(states[1], states[2])


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(
    two, game, tmp_path, capsys, harm
):
    newest = check_the_one_before_is_used(two, game, tmp_path, HARMS[harm])
    assert f"checkpoint {newest} is damaged (" in capsys.readouterr().out


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("harm", [*list(HARMS)[1:], "left out"])
def test_every_file_inside_a_checkpoint_is_watched(two, game, tmp_path, capsys, member, harm):
    """Bytes are harmed where they lie in the archive, so that its length is kept."""
    source = two[0] / "step-00000002.keras"
    with zipfile.ZipFile(source) as archive:
        content = archive.read(member)

    def harmed(whole):
        if harm == "left out":
            return without(source, member, tmp_path / "less.keras")
        assert whole.count(content) == 1
        lost = HARMS[harm](content)
        return whole.replace(content, lost + b"\xff" * (len(content) - len(lost)))

    newest = check_the_one_before_is_used(two, game, tmp_path, harmed)
    said = capsys.readouterr().out
    assert f"checkpoint {newest} is damaged (" in said and member in said


def without(source, member, target):
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as rest:
        for name in archive.namelist():
            if name != member:
                rest.writestr(name, archive.read(name))
    return target.read_bytes()


@pytest.mark.parametrize("harm", ["truncated to a half", "emptied"])
def test_weights_that_were_packed_damaged_are_refused(two, game, tmp_path, harm):
    """The checksums are right: this is what a full disk or a wrong copy may leave."""
    source, target = two[0] / "step-00000002.keras", tmp_path / "packed.keras"
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as packed:
        for name in archive.namelist():
            content = archive.read(name)
            packed.writestr(name, HARMS[harm](content) if name.endswith("h5") else content)
    assert run_files.damage(target) is None
    check_the_one_before_is_used(two, game, tmp_path, lambda content: target.read_bytes())


def test_no_flipped_bit_anywhere_goes_unnoticed(two, tmp_path):
    """Every byte of every header of the archive, and a sample of the rest."""
    source, path = two[0] / "step-00000002.keras", tmp_path / "flipped.keras"
    whole, rng = source.read_bytes(), np.random.default_rng(0)
    with zipfile.ZipFile(source) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
        heads = [range(i.header_offset, i.header_offset + 50) for i in archive.infolist()]
        heads.append(range(archive.start_dir, len(whole)))
    places = [byte for head in heads for byte in head]
    places += rng.integers(len(whole), size=200).tolist()
    unnoticed = 0
    for byte in places:
        path.write_bytes(flipped(whole, byte, int(rng.integers(8))))
        if run_files.damage(path) is None:
            # Only what says nothing about the content, such as its date.
            unnoticed += 1
            with zipfile.ZipFile(path) as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == content
    assert unnoticed < len(places) / 2


def test_where_all_are_damaged_nothing_starts(two, game, tmp_path):
    kept = shutil.copytree(two[0], tmp_path / "checkpoints")
    for path in kept.glob("*.keras"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="every checkpoint in .* is damaged.*delete it"):
        checkpoints.restore(game, kept)


def test_the_newest_are_kept_and_what_could_not_be_read_is_put_aside(two, game, tmp_path):
    kept = shutil.copytree(two[0], tmp_path / "checkpoints")
    (kept / "step-00000003.keras").write_bytes(b"damaged")
    (kept / ".partial-step-00000003.keras").write_bytes(b"cut")
    assert checkpoints.restore(game, kept) == 2
    for _ in range(2):
        step(game, examples("mixture"))
        checkpoints.write(game, kept, keep=3)
    aside = kept / "step-00000003.keras.damaged"
    assert aside.read_bytes() == b"damaged"
    names = sorted(path.name for path in kept.iterdir())
    assert names == sorted([aside.name, *(f"step-{number:08d}.keras" for number in (2, 3, 4))])
    checkpoints.write(game, kept, keep=1)
    assert sorted(path.name for path in kept.iterdir()) == [aside.name, "step-00000004.keras"]
    for number in range(5, 9):
        (kept / f"step-{number:08d}.keras").write_bytes(b"damaged")
        assert checkpoints.restore(game, kept) == 4
    names = sorted(path.name for path in kept.glob("*.damaged"))
    assert names == [f"step-{number:08d}.keras.damaged" for number in (7, 8)]


@pytest.mark.parametrize(
    ("fault", "where"),
    [(errno.EACCES, "opened"), (errno.EIO, "checked"), (errno.ESTALE, "loaded")],
)
def test_a_disk_that_fails_for_a_moment_damages_nothing(
    two, game, tmp_path, monkeypatch, fault, where
):
    kept = shutil.copytree(two[0], tmp_path / "checkpoints")
    before = {path: path.read_bytes() for path in kept.iterdir()}

    def fails(*arguments, **named):
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patch:
        if where == "opened":
            patch.setattr(zipfile, "ZipFile", fails)
        elif where == "checked":
            patch.setattr(zipfile.ZipExtFile, "read", fails)
        else:
            patch.setattr(run_files, "damage", lambda path: None)
            patch.setattr(zipfile.ZipExtFile, "read", fails)
        said = f"00000002.* cannot be read now .{os.strerror(fault)}"
        with pytest.raises(checkpoints.Unreadable, match=said):
            checkpoints.restore(game, kept)
    assert before == {path: path.read_bytes() for path in kept.iterdir()}
    assert checkpoints.restore(game, kept) == 2


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of one epoch."""
    directory = tmp_path_factory.mktemp("run") / "run"
    train(directory)
    return directory


def train(directory):
    flags = ["--dataset=grid25", "--train_split=train[:60]", "--test_split=test[:60]"]
    flags += ["--width=2", "--batch_size=20", "--epochs=1", "--evaluate_every=0"]
    flags += ["--nojit_compile"]
    run.main(RECIPE, ["bigan.py", *flags, "--steps_per_execution=1", f"--run_dir={directory}"])


@pytest.mark.parametrize("module, failing", [(checkpoints, "write"), (run_files, "damage")])
def test_a_disk_that_fails_ends_with_the_code_for_another_start(
    finished, tmp_path, monkeypatch, capsys, module, failing
):
    directory = tmp_path / "run"
    if failing == "damage":  # looked for where a run goes on
        shutil.copytree(finished, directory)

    def fails(*arguments, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(module, failing, fails)
        train(directory)
    assert ended.value.code == agreement.TRY_AGAIN == 75
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "the disk failed" in error and os.strerror(errno.ENOSPC) in error
    train(directory)
    assert zoo.load(directory).latent_dim == 2


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_game_is_named(finished, tmp_path, harm):
    file = shutil.copytree(finished, tmp_path / "run") / "game.keras"
    file.write_bytes(HARMS[harm](file.read_bytes()))
    with pytest.raises(ValueError, match=f"{file} is damaged"):
        zoo.load(tmp_path / "run")


@pytest.mark.parametrize("harm", [*HARMS, "missing"])
def test_without_its_settings_a_run_does_not_go_on(finished, tmp_path, refused, harm):
    directory = shutil.copytree(finished, tmp_path / "run")
    config = directory / "config.json"
    content = config.read_bytes()
    if harm == "missing":
        config.unlink()
    elif harm.startswith("flipped"):
        config.write_bytes(content.replace(b'"batch_size": 20', b'"batch_size": 30', 1))
    else:
        config.write_bytes(HARMS[harm](content))
    before = {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()}
    error = refused(train, directory).strip().splitlines()[-1]
    assert "--run_dir" in error and str(directory) in error
    assert ("batch_size was 30 and is now 20" if "flipped" in harm else "config.json is") in error
    assert before == {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize("content", [b"epoch,loss\n1,tw", b"\xff\xfe", b"loss\n1\n", b"a,a\n1,2,3"])
def test_a_damaged_history_is_said_and_started_anew(tmp_path, capsys, content):
    path = pathlib.Path(tmp_path) / "history.csv"
    path.write_bytes(content)
    history = callbacks.History(path, 3, began=time.time() - 7)
    assert history.rows == [] and 7 <= history.seconds() < 17
    assert f"{path} is damaged (" in capsys.readouterr().out
    path.write_bytes(b"epoch,loss\n1,0.5\n2,0.25\n")
    assert callbacks.History(path, 1, time.time()).rows == [{"epoch": 1.0, "loss": 0.5}]


def test_seconds_are_added_up_over_processes_also_of_epochs_that_are_done_again(tmp_path):
    path = tmp_path / "history.csv"
    first = callbacks.History(path, 0, began=time.time() - 10)
    for epoch in range(2):
        first.on_epoch_end(epoch, {"loss": 1.0})
    second = callbacks.History(path, 1, began=time.time() - 5)
    assert [row["epoch"] for row in second.rows] == [1]
    assert 15 <= second.seconds() < 25
    second.on_epoch_end(1, {"loss": 0.5})
    assert second.rows[-1]["wall_s"] == pytest.approx(15, abs=10)
    assert path.read_text().splitlines()[0] == "epoch,loss,wall_s"
