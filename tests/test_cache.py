"""Tests of zoo.datasets.cache: sets that are decoded once, kept on disk and mapped from there."""

import errno
import json
import os
import pathlib
import resource
import shutil
import signal
import time

import keras
import numpy as np
import PIL.Image
import pytest
import workers

from zoo import datasets
from zoo.datasets import cache
from zoo.datasets import entries


def photos(folder, count=20, side=8):
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / "ab"[i % 2] / f"{i:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).save(path)
    return f"folder:{folder}"


def array_file(path, count=600, shape=(5, 7, 3), **labels):
    rng = np.random.default_rng(1)
    np.savez(path, images=rng.integers(0, 256, (count, *shape), np.uint8), **labels)
    return f"npz:{path}"


def bit_equal(one, other):
    for name in ("train", "test", "train_labels", "test_labels"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert (one.name, one.classes, one.source) == (other.name, other.classes, other.source)


def entry(folder):
    (found,) = (path for path in pathlib.Path(folder).iterdir() if path.is_dir())
    return found


def streamed(data, count=5, start=0):
    """The first batches of training, on the backend that runs."""
    stream = iter(datasets.batches(data.train, 16, seed=3, start_step=start))
    return [np.asarray(keras.ops.convert_to_numpy(first(next(stream)))) for _ in range(count)]


def first(batch):
    return batch[0] if isinstance(batch, tuple) else batch


@pytest.fixture(params=["folder", "npz", "resized", "one class", "npy"])
def name_and_size(request, tmp_path):
    if request.param == "npy":
        np.save(tmp_path / "a.npy", np.arange(20 * 6 * 4, dtype=np.uint8).reshape(20, 6, 4))
        return f"npz:{tmp_path / 'a.npy'}", None
    if request.param == "npz":
        return array_file(tmp_path / "a.npz", labels=np.array(["x", "yes", "n"] * 200)), None
    if request.param == "resized":
        return array_file(tmp_path / "a.npz", labels=np.arange(600) % 3), 4
    name = photos(tmp_path / "photos")
    return (f"{name}[class=b]" if request.param == "one class" else name), None


def test_a_kept_set_is_bit_equal_to_one_in_memory(name_and_size, tmp_path, capsys):
    name, size = name_and_size
    options = {"image_size": size, "train_split": "train[1:]"}
    folder = str(tmp_path / "cache")
    whole = datasets.load(name, cache=False, **options)
    assert "kept" not in capsys.readouterr().err and not os.path.exists(folder)
    written = datasets.load(name, cache_dir=folder, **options)
    assert "is read once and kept in" in capsys.readouterr().err
    read = datasets.load(name, cache_dir=folder, **options)
    assert "is mapped from" in capsys.readouterr().err
    bit_equal(written, whole)
    bit_equal(read, whole)


def test_batches_of_a_map_are_those_of_memory_and_resume(tmp_path):
    name = array_file(tmp_path / "a.npz")
    plain = datasets.load(name, cache=False)
    kept = datasets.load(name, cache_dir=str(tmp_path / "cache"))
    assert not kept.train.flags.writeable
    np.testing.assert_array_equal(streamed(kept), streamed(plain))
    np.testing.assert_array_equal(streamed(kept, 2, start=3), streamed(plain)[3:])
    # A slice of 105 bytes an image begins nowhere that TensorFlow accepts.
    for split in ("train[7:]", "train[:-5]"):
        same = [
            streamed(data.sliced(split, "test"))
            for data in (plain, datasets.load(name, cache_dir=str(tmp_path / "cache")))
        ]
        np.testing.assert_array_equal(*same)


@pytest.mark.parametrize("rows", [slice(1, None, 2), slice(None, None, -1), slice(5, 1022)])
def test_batches_gather_from_every_kind_of_slice(rows):
    x = np.random.default_rng(0).integers(0, 256, (2000, 5, 7, 3), np.uint8)
    for view in (x[rows], x[:, ::-1][rows], x[..., :1][rows]):
        (stream,) = (iter(datasets.batches(view, 16, seed=3)),)
        (copied,) = (iter(datasets.batches(view.copy(), 16, seed=3)),)
        for _ in range(3):
            np.testing.assert_array_equal(first(next(stream)), first(next(copied)))


def damage(path, how):
    size = path.stat().st_size
    if how == "cut":
        os.truncate(path, size // 2)
    elif how == "gone":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[how] ^= 255
        path.write_bytes(data)


@pytest.mark.parametrize("file", ["train.npy", "test.npy", "train_labels.npy", entries.INDEX])
@pytest.mark.parametrize("how", ["cut", "gone", 60, -40])
def test_a_damaged_entry_is_found_and_made_again(tmp_path, capsys, file, how):
    name, folder = array_file(tmp_path / "a.npz"), str(tmp_path / "cache")
    datasets.load(name, cache_dir=folder)
    whole = datasets.load(name, cache=False)
    damage(entry(folder) / file, how)
    capsys.readouterr()
    bit_equal(datasets.load(name, cache_dir=folder), whole)
    said = capsys.readouterr().err
    assert "is damaged" in said and "is read once and kept" in said
    datasets.load(name, cache_dir=folder)
    assert "is mapped from" in capsys.readouterr().err


def test_a_header_that_was_changed_without_a_trace_is_found(tmp_path, capsys):
    name, folder = array_file(tmp_path / "a.npz"), str(tmp_path / "cache")
    datasets.load(name, cache_dir=folder)
    whole = datasets.load(name, cache=False)
    path = entry(folder) / "train.npy"
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(b"(540, 5, 7, 3)", b"(540, 7, 5, 3)"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    bit_equal(datasets.load(name, cache_dir=folder), whole)
    assert "the header of train.npy is another" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change", ["content", "same size and time", "new file", "fewer", "renamed"]
)
def test_a_folder_that_changed_is_read_again(tmp_path, capsys, change):
    name, folder = photos(tmp_path / "photos"), str(tmp_path / "cache")
    datasets.load(name, cache_dir=folder)
    one = tmp_path / "photos" / "a" / "000.png"
    if change == "content":
        stat = one.stat()
        shutil.copy(tmp_path / "photos" / "b" / "001.png", one)
        os.utime(one, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    elif change == "same size and time":
        stat = one.stat()
        one.write_bytes(one.read_bytes())
        os.utime(one, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    elif change == "new file":
        shutil.copy(one, tmp_path / "photos" / "a" / "new.png")
    elif change == "fewer":
        one.unlink()
    else:
        one.rename(one.with_name("zzz.png"))
    capsys.readouterr()
    now = datasets.load(name, cache_dir=folder)
    assert "has changed since" in capsys.readouterr().err
    bit_equal(now, datasets.load(name, cache=False))
    # The entry of the folder as it was is not kept beside it.
    entry(folder)


def test_small_sets_are_in_memory_and_folders_of_many_files_are_not(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert datasets.load(photos(tmp_path / "few")).train.flags.writeable
    assert datasets.load(array_file(tmp_path / "a.npz")).train.flags.writeable
    assert capsys.readouterr().err == "" and not (tmp_path / "cache").exists()
    name = photos(tmp_path / "many", cache.MANY, side=2)
    assert not datasets.load(name).train.flags.writeable
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"{tmp_path}/cache/encoder-gan-zoo/folder-" in said
    assert "--nocache" in said and "0.0 MB" in said


def test_a_home_that_cannot_be_written_to_means_memory(tmp_path, monkeypatch, capsys):
    name = photos(tmp_path / "many", cache.MANY, side=2)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert datasets.load(name).train.flags.writeable
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "cannot be written to" in said and "held in memory" in said
    with pytest.raises(ValueError, match="cannot be written to .*; give another --cache_dir"):
        datasets.load(name, cache_dir=str(tmp_path / "file" / "cache"))


def test_a_user_without_a_home_reads_into_memory(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)  # in no list of users
    monkeypatch.chdir(tmp_path)
    assert datasets.load(photos(tmp_path / "many", cache.MANY, side=2)).train.flags.writeable
    assert "there is no home directory" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["many"]


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path):
    name, folder = array_file(tmp_path / "a.npz", 400, (16, 16, 3)), tmp_path / "cache"
    before = signal.getsignal(signal.SIGXFSZ)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(ValueError) as caught:
            datasets.load(name, cache_dir=str(folder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert caught.value.__cause__.errno == errno.EFBIG
    for word in (name, "(0.3 MB)", str(folder), "File too large", "--cache_dir", "--nocache"):
        assert word in str(caught.value)
    assert [path.suffix for path in folder.iterdir()] == [".lock"]
    bit_equal(datasets.load(name, cache_dir=str(folder)), datasets.load(name, cache=False))


def test_an_image_that_cannot_be_decoded_leaves_nothing(tmp_path):
    name, folder = photos(tmp_path / "photos", side=64), tmp_path / "cache"
    path = tmp_path / "photos" / "a" / "002.jpg"
    PIL.Image.open(path.with_suffix(".png")).save(path)
    os.truncate(path, path.stat().st_size - 100)
    with pytest.raises(ValueError, match="002.jpg.*truncated"):
        datasets.load(name, cache_dir=str(folder))
    assert [left.suffix for left in folder.iterdir()] == [".lock"]


READ = "import sys; from zoo import datasets; datasets.load(sys.argv[1], cache_dir=sys.argv[2])"


@pytest.mark.slow
def test_processes_at_once_read_one_set_once(tmp_path):
    name, folder = photos(tmp_path / "photos", 600, side=64), str(tmp_path / "cache")
    said = [tmp_path / f"{number}.txt" for number in range(3)]
    running = [workers.start(["-c", READ, name, folder], path) for path in said]
    assert workers.end(running) == [0, 0, 0]
    texts = [path.read_text() for path in said]
    assert sum("is read once and kept" in text for text in texts) == 1
    assert not any("damaged" in text for text in texts)
    bit_equal(datasets.load(name, cache_dir=folder), datasets.load(name, cache=False))


def test_what_a_killed_process_left_is_removed(tmp_path):
    name, folder = photos(tmp_path / "photos", 600, side=64), tmp_path / "cache"
    process = workers.start(["-c", READ, name, str(folder)], tmp_path / "said.txt")
    while not list(folder.glob("*.part-*/test.npy")):
        assert process.poll() is None
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert list(folder.glob("*.part-*"))
    bit_equal(datasets.load(name, cache_dir=str(folder)), datasets.load(name, cache=False))
    assert not list(folder.glob("*.part-*"))


def status():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if "kB" in line}


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_a_map_takes_no_memory_that_cannot_be_dropped(tmp_path):
    x = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (10_000, 64, 64, 3))
    x[:] = np.arange(10_000)[:, None, None, None] % 251
    x.flush()
    streamed(datasets.load("fashion_mnist_10k"))
    before = status()["RssAnon"]
    data = datasets.load(f"npz:{tmp_path / 'a.npy'}", cache_dir=str(tmp_path / "cache"))
    for batch in streamed(data, 100):
        assert (batch == batch[:, :1, :1, :1]).all()
    del batch
    # A copy would be 111 MB.
    assert status()["RssAnon"] - before < 60e6


def test_a_relative_path_is_the_same_folder(tmp_path, monkeypatch, capsys):
    folder = str(tmp_path / "cache")
    datasets.load(photos(tmp_path / "photos"), cache_dir=folder)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    datasets.load("folder:photos", cache_dir=folder)
    assert "is mapped from" in capsys.readouterr().err


def test_the_index_is_readable_and_names_the_set(tmp_path):
    name, folder = photos(tmp_path / "photos"), str(tmp_path / "cache")
    datasets.load(name, cache_dir=folder)
    about = json.loads((entry(folder) / entries.INDEX).read_text())["about"]
    assert about["name"] == name and set(about["files"]) == {"train", "test"}


def test_progress_says_what_is_left(capsys, monkeypatch):
    from zoo.datasets.progress import Progress

    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Progress("Reading", 40, after=0)
    for seconds in (100.0, 110.0, 120.0, 120.6):  # of which the first 100 open the set
        now[0] = seconds
        progress.add(10)
    lines = [line.strip() for line in capsys.readouterr().err.split("\r")[1:]]
    assert lines == [
        "Reading: 10 of 40",
        "Reading: 20 of 40, 0:20 left",
        "Reading: 30 of 40, 0:10 left",
        "Reading: 40 of 40, 0:00 left",
    ]
