"""Second domains that are made of a first: the maps, their names, and which images are whose."""

import numpy as np
import PIL.Image
import pytest

from zoo import datasets
from zoo.datasets.maps import MAPS
from zoo.datasets.maps import undone


def images(*rows):
    return np.array(rows, np.uint8)[None, ..., None]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("invert", [[255, 155, 255], [255, 255, 255], [255, 255, 250]]),
        # A quarter turn to the left: the last column becomes the first row.
        ("rotate", [[0, 0, 5], [100, 0, 0], [0, 0, 0]]),
        # Largest less smallest of the 3 × 3 pixels around, at the border of those that exist.
        ("outline", [[100, 100, 100], [100, 100, 100], [0, 5, 5]]),
    ],
)
def test_maps_by_hand(name, expected):
    x = images([0, 100, 0], [0, 0, 0], [0, 0, 5])
    kept = x.copy()
    np.testing.assert_array_equal(MAPS[name](x)[0, ..., 0], expected)
    np.testing.assert_array_equal(x, kept)


def test_what_can_be_undone_is():
    x = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 2)).astype("uint8")
    names = ("invert", "rotate", "rotate")
    made = x
    for name in names:
        made = MAPS[name](made)
    np.testing.assert_array_equal(undone(made, names), x)
    assert undone(x, ()) is x and undone(x, ("outline", "invert")) is None


def test_a_set_and_what_is_made_of_it_share_no_training_image_and_are_tested_in_pairs():
    whole = datasets.load("fashion_mnist_10k")
    pair = datasets.load("fashion_mnist_10k").paired(datasets.load("fashion_mnist_10k[outline]"))
    assert pair.truth_known and pair.other.maps == ("outline",)
    np.testing.assert_array_equal(pair.train, whole.train[::2])
    np.testing.assert_array_equal(pair.other.train, MAPS["outline"](whole.train[1::2]))
    np.testing.assert_array_equal(pair.other.train_labels, whole.train_labels[1::2])
    np.testing.assert_array_equal(pair.other.test, MAPS["outline"](pair.test))
    np.testing.assert_array_equal(pair.other.test_labels, pair.test_labels)


def test_brackets_follow_each_other_and_sets_of_other_origin_are_kept_whole():
    bags = datasets.load("fashion_mnist_10k[class=8][rotate][invert]")
    assert bags.origin == "fashion_mnist_10k[class=8]" and bags.maps == ("rotate", "invert")
    assert set(bags.train_labels) == {8}
    plain = datasets.load("fashion_mnist_10k[class=Bag]")
    np.testing.assert_array_equal(undone(bags.train, bags.maps), plain.train)
    shoes = datasets.load("fashion_mnist_10k[class=7]")
    pair = shoes.paired(bags)
    assert not pair.truth_known and not shoes.truth_known
    assert pair.train is shoes.train and pair.other is bags


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("folder:images", "folder:images/[invert]"),
        ("folder:images[class=b]", "folder:link/../images[invert][class=1]"),
        ("folder:images", "folder:link[invert]"),
        ("npz:a.npz", "npz:./a.npz[invert]"),
        ("fashion_mnist_10k[class=Dress]", "fashion_mnist_10k[class=3][invert]"),
    ],
)
def test_one_set_by_two_names_is_one_origin(tmp_path, monkeypatch, name, other):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).integers(0, 256, (24, 8, 8), np.uint8)
    np.savez("a.npz", images=x)
    for i, image in enumerate(x):
        path = tmp_path / "images" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(image).save(path)
    (tmp_path / "link").symlink_to("images")
    pair = datasets.load(name, other=other)
    assert pair.truth_known
    np.testing.assert_array_equal(pair.other.test, 255 - pair.test)
    assert not set(map(bytes, pair.train)) & set(map(bytes, 255 - pair.other.train))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fashion_mnist_10k[inverted]", "one of invert, rotate, outline, or class=C; got 'inver"),
        ("grid25[invert]", r"invert takes images; examples of grid25 are \(2,\)"),
        ("folder:nowhere/photos[small]", r"photos\[small\]"),
    ],
)
def test_names_that_are_no_map_of_the_set_are_refused_in_words(name, message):
    with pytest.raises(ValueError, match=message):
        datasets.load(name)


def test_only_square_images_can_be_turned(tmp_path):
    np.savez(tmp_path / "wide.npz", images=np.zeros((20, 4, 8, 1), np.uint8))
    with pytest.raises(ValueError, match=r"rotate takes square images; .* are \(4, 8, 1\)"):
        datasets.load(f"npz:{tmp_path / 'wide.npz'}[rotate]")
