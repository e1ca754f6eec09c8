"""Tests of zoo.datasets on folders as people have them: hidden files, links, formats, damage."""

import os
import shutil
import signal
import time

import numpy as np
import PIL.Image
import pytest

from zoo import datasets
from zoo.datasets import folder


def write(path, fill=0, size=(8, 8), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", size, (fill, fill, 0)).save(path, **options)


def cats_and_dogs(root):
    for i in range(3):
        write(root / "cat" / f"{i}.png")
        write(root / "dog" / f"{i}.png")


@pytest.mark.parametrize(
    "name",
    [
        *(".ipynb_checkpoints", "__MACOSX", "@eaDir", "$RECYCLE.BIN", "#recycle", "lost+found"),
        *("System Volume Information", ".git", ".Trash-1000", "@tmp", "~snapshot"),
        *("Network Trash Folder", "__pycache__", "@Recently-Snapshot"),
    ],
)
@pytest.mark.parametrize("level", ["", "cat", "cat/deep"])
def test_hidden_and_system_folders_are_no_data(tmp_path, capsys, name, level):
    cats_and_dogs(tmp_path)
    write(tmp_path / level / name / "a.png")
    write(tmp_path / level / name / "inside" / "a.png")
    data = datasets.load(f"folder:{tmp_path}")
    assert data.classes == ("cat", "dog") and len(data.train) + len(data.test) == 6
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["._0.png", ".DS_Store", "Thumbs.db", "desktop.ini"])
def test_hidden_and_system_files_are_not_counted(tmp_path, capsys, name):
    cats_and_dogs(tmp_path)
    (tmp_path / "cat" / name).write_bytes(b"no picture")
    assert len(datasets.load(f"folder:{tmp_path}").train) == 4
    assert capsys.readouterr().err == ""


def test_system_folders_of_train_and_test(tmp_path):
    for part in ("train", "test"):
        cats_and_dogs(tmp_path / part)
        write(tmp_path / part / "@eaDir" / "0.png")
    assert datasets.load(f"folder:{tmp_path}").classes == ("cat", "dog")


def test_links_to_folders_are_followed(tmp_path):
    cats_and_dogs(tmp_path / "there")
    (tmp_path / "here").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "there" / name)
    data = datasets.load(f"folder:{tmp_path / 'here'}")
    assert data.classes == ("cat", "dog") and len(data.train) + len(data.test) == 6
    (tmp_path / "link").symlink_to(tmp_path / "here")
    assert datasets.load(f"folder:{tmp_path / 'link'}").classes == ("cat", "dog")


def test_a_folder_is_read_once_and_other_links_to_it_are_named(tmp_path, capsys):
    cats_and_dogs(tmp_path / "data")
    write(tmp_path / "elsewhere" / "0.png")
    links = {"ant": "data/cat", "cat/up": "data", "dog/itself": "data/dog"}
    links |= {"owl": "elsewhere", "pig": "elsewhere"}
    for link, target in links.items():
        (tmp_path / "data" / link).symlink_to(tmp_path / target)
    data = datasets.load(f"folder:{tmp_path / 'data'}")
    assert data.classes == ("cat", "dog", "owl") and len(data.train) + len(data.test) == 7
    said = capsys.readouterr().err
    assert "4 files are not read" in said and said.count("\n") == 1
    assert [link for link in links if f"link {link}, to a folder" in said] == [
        *("ant", "cat/up", "dog/itself", "pig")
    ]


def test_train_and_test_of_one_folder_are_refused(tmp_path):
    cats_and_dogs(tmp_path / "train")
    (tmp_path / "test").symlink_to(tmp_path / "train")
    with pytest.raises(ValueError, match="train and test must be two folders"):
        datasets.load(f"folder:{tmp_path}")


def test_capital_letters_do_not_make_classes_of_train_and_test(tmp_path):
    for part in ("Train", "Test"):
        cats_and_dogs(tmp_path / part)
    with pytest.raises(ValueError, match="'Test', 'Train'.*in small letters"):
        datasets.load(f"folder:{tmp_path}")


def test_sizes_that_differ_are_counted(tmp_path):
    cats_and_dogs(tmp_path)
    for i in range(4, 9):
        write(tmp_path / "cat" / f"{i}.png", size=(8, 9))
    with pytest.raises(ValueError, match="0.png is 8x8, .*4.png is 8x9.*; 5 of 11 files differ"):
        datasets.load(f"folder:{tmp_path}")


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    cats_and_dogs(tmp_path)
    (tmp_path / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="gone.png"):
        datasets.load(f"folder:{tmp_path}")


@pytest.mark.parametrize(
    "suffix", ["webp", "bmp", "gif", "tiff", "TIF", "ppm", "jfif", "jpe", "jpx", "pcx"]
)
def test_other_formats_are_read(tmp_path, suffix):
    for i in range(3):
        write(tmp_path / f"{i}.{suffix}", 100)
    data = datasets.load(f"folder:{tmp_path}")
    assert len(data.train) + len(data.test) == 3 and data.shape == (8, 8, 3)
    assert abs(int(data.train[0, 4, 4, 0]) - 100) < 4


def test_files_that_are_not_read_are_counted(tmp_path, capsys):
    cats_and_dogs(tmp_path)
    for name in ("a.txt", "b.TXT", "c.heic", "README"):
        (tmp_path / "cat" / name).write_text("x")
    datasets.load(f"folder:{tmp_path}")
    line = capsys.readouterr().err
    assert line.endswith("4 files are not read: 2 .txt, 1 .heic, 1 no suffix\n")
    shutil.rmtree(tmp_path / "dog")
    for i in range(3):
        (tmp_path / "cat" / f"{i}.png").unlink()
    with pytest.raises(ValueError, match="must hold images.*got none.*2 .txt"):
        datasets.load(f"folder:{tmp_path}")


@pytest.mark.parametrize("stage", ["header", "pixels"])
def test_all_damaged_files_are_counted_and_ten_named(tmp_path, stage):
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    for i in range(20):
        PIL.Image.fromarray(noise).save(tmp_path / f"{i:02}.png")
    for i in range(3, 15):
        file = tmp_path / f"{i:02}.png"
        file.write_bytes(file.read_bytes()[: 500 if stage == "pixels" else 5])
    with pytest.raises(ValueError) as caught:
        datasets.load(f"folder:{tmp_path}")
    said = str(caught.value)
    assert said.startswith("12 of 20 files cannot be used") and said.endswith("and 2 more")
    assert [i for i in range(20) if f"{i:02}.png: " in said] == list(range(3, 13))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_orientation_is_applied_in_every_format(tmp_path, suffix, tag):
    x = np.zeros((24, 16), np.uint8)
    x[:12, :8], x[12:, :8], x[:12, 8:] = 250, 170, 90
    # What is stored, so that the tag turns it into x.
    undo = {
        1: x, 2: x[:, ::-1], 3: x[::-1, ::-1], 4: x[::-1], 5: x.T,
        6: np.rot90(x), 7: x[::-1, ::-1].T, 8: np.rot90(x, -1),
    }  # fmt: skip
    image = PIL.Image.fromarray(np.repeat(np.ascontiguousarray(undo[tag])[..., None], 3, -1))
    exif = PIL.Image.Exif()
    exif[0x0112] = tag
    lossless = {"quality": 100} | ({"lossless": True} if suffix == "webp" else {})
    for i in range(2):
        image.save(tmp_path / f"{i}.{suffix}", exif=exif, **lossless)
    read = datasets.load(f"folder:{tmp_path}").train[0, ..., 0]
    assert read.shape == x.shape
    assert np.abs(read.astype(int) - x).max() < 12


def test_ctrl_c_leaves_the_files_that_wait_unread():
    read = []

    def slowly(number):
        if number == 200:  # all were submitted long before
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        read.append(number)

    with pytest.raises(KeyboardInterrupt):
        folder._all(slowly, range(1000), "Reading")
    assert len(read) < 500
