"""From the text of `--dataset` to a loaded `Dataset`."""

import importlib.util
import re

from zoo.cli.names import nearest
from zoo.datasets import circle
from zoo.datasets import digits
from zoo.datasets import embedded
from zoo.datasets import folder
from zoo.datasets import mixtures
from zoo.datasets import npz
from zoo.datasets import prepared
from zoo.datasets import stacked
from zoo.datasets.base import Dataset
from zoo.datasets.cache import Cache
from zoo.datasets.maps import MAPS
from zoo.datasets.pixels import check_image_size

# NAME[class=C] and NAME[map], which may be repeated.
_BRACKET = re.compile(r"(.+)\[(class=)?([^\]\[]+)\]")

# Sets of points in the plane; all others hold images.
POINTS = (*mixtures.MIXTURES, circle.NAME)


def holds_points(name: str) -> bool:
    """Whether the set `name`, such as "ring8" or "ring8[class=0]", is one of `POINTS`."""
    return name.partition("[")[0] in POINTS


# Sets that are named and are not TFDS's; the last is made of one of those.
LOCAL = (embedded.NAME, digits.NAME, *POINTS, stacked.NAME)

KINDS = (
    *LOCAL,
    "folder:PATH",
    "npz:PATH",
    "any TFDS image set by name, as in mnist, cifar10 or name/config:version",
)


def load(
    name: str,
    *,
    other: str = "",
    image_size: int | None = None,
    train_split: str = "train",
    test_split: str = "test",
    download: bool = False,
    cache: bool = True,
    cache_dir: str = "",
) -> Dataset:
    """Reads a data set into memory, or maps what an earlier call decoded from disk.

    Images of folders, npz files and TFDS are kept on disk if they take 256 MiB or more, or are a
    folder of 1,000 files or more; see `zoo.datasets.cache`.

    Args:
      name: one of `KINDS`: `fashion_mnist_10k` (shipped with the package), `digits` (see
        `zoo.datasets.digits`), `grid25`, `ring8`, `circle`, `stacked_mnist` (made of TFDS's
        `mnist`), `folder:PATH`, `npz:PATH`, or a TFDS image set; `[class=C]` behind any of them
        keeps, of the chosen splits, the examples of one class, given by name or number;
        `[invert]`, `[rotate]` (a quarter turn to the left) and `[outline]` change every image, see
        `zoo.datasets.maps`.
      other: name of a second set, for methods of two domains, read in the same way; see
        `Dataset.paired`.
      image_size: side in pixels; images are centre-cropped to a square and resized to it with
        antialiasing. None keeps them as they are.
      train_split: a TFDS split expression such as `train[:50000]`. For sets that are not TFDS's:
        `train` or `test`, with a slice of whole numbers (`train[:500]`) if wanted.
      test_split: the same for testing.
      download: whether TFDS may download a set; False never touches the network.
      cache: False holds the images in memory, and decodes them in every call.
      cache_dir: where they are kept, small sets too; "" for `encoder-gan-zoo` in $XDG_CACHE_HOME
        or ~/.cache, or memory if that cannot be written to.

    Returns:
      The `Dataset`: uint8 images of shape (n, h, w, c), which cannot be written to if they are
      mapped, or float32 points of shape (n, 2).

    Raises:
      ValueError: the name is unknown, the set is missing, or its content is invalid; the disk is
        full, or `cache_dir` cannot be written to.
    """
    check_image_size(image_size)
    options: dict = {
        "image_size": image_size,
        "train_split": train_split,
        "test_split": test_split,
        "download": download,
        "cache": cache,
        "cache_dir": cache_dir,
    }
    if other:
        return load(name, **options).paired(load(other, **options))
    match = _BRACKET.fullmatch(name)
    # Names of folders may contain brackets, too.
    if match and (match[2] or match[3] in MAPS or not name.startswith(("folder:", "npz:"))):
        whole = load(match[1], **options)
        return whole.of_class(match[3]) if match[2] else whole.mapped(match[3])
    kept = Cache(name, cache, cache_dir)
    kind, _, path = name.partition(":")
    if kind in ("folder", "npz"):
        data = (folder if kind == "folder" else npz).read(path, image_size, kept)
    elif name == embedded.NAME:
        data = embedded.read(image_size)
    elif name == digits.NAME:
        data = digits.read(image_size)
    elif name in mixtures.MIXTURES:
        data = mixtures.sample(name, image_size)
    elif name == circle.NAME:
        data = circle.sample(image_size)
    elif name == stacked.NAME:
        data = stacked.of_digits(
            load(stacked.DIGITS, **{**options, "train_split": "train", "test_split": "test"})
        )
    else:
        _check_readable(name)
        known = prepared.names()
        if prepared.base_name(name) not in known:
            raise ValueError(unknown(name, known))
        return prepared.read(name, image_size, train_split, test_split, download, kept)
    return data.sliced(train_split, test_split)


def _check_readable(name: str) -> None:
    for package in ("tensorflow", "tensorflow_datasets"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(
                f"data set {name!r}: it is none of {', '.join(KINDS[:-1])}, and sets of TensorFlow "
                f"Datasets need {package}, which is not installed; on a machine that has it, write "
                "the images to a file with numpy.savez, and give --dataset=npz:PATH here"
            )


def unknown(name: str, known: list[str]) -> str:
    """The message about a name that is in neither `LOCAL` nor `known`, with the nearest of both."""
    hint = nearest(prepared.base_name(name.partition("[")[0]), [*LOCAL, *known])
    return f"unknown data set {name!r}{hint}; known kinds: {', '.join(KINDS)}"
