"""Folders of image files."""

import collections
import concurrent.futures
import functools
import os
import pathlib

import numpy as np

from zoo.datasets import walk
from zoo.datasets.base import Dataset
from zoo.datasets.base import one_in_ten
from zoo.datasets.cache import Cache
from zoo.datasets.pixels import square
from zoo.datasets.progress import Progress
from zoo.datasets.progress import note

_NO_CLASSES = ("all",)
# Modes of 8-bit images in Pillow; True for grey. Alpha is dropped.
_GREY = {"1": True, "L": True, "LA": True} | dict.fromkeys(
    ("P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"), False
)
_ORIENTATION = 0x0112
_MOST_NAMED = 10  # limit of unreadable files to name
_TASKS = 10_000  # waiting for a thread at a time


def read(path: str, image_size: int | None, cache: Cache) -> Dataset:
    """Reads a folder of image files; every file is decoded before it returns, or was before.

    Files are PNG, JPEG, WebP, BMP, GIF, TIFF or another suffix of `walk.SUFFIXES`; a line on
    standard error counts the others. Hidden and system folders are skipped, and a folder that
    several links point to is read once.

    Sub-folders are the classes, in alphabetical order; without sub-folders there is one class. If
    the folder has sub-folders `train` and `test`, these are the two splits, and other folders
    beside them are left out. Otherwise, in alphabetical order, every tenth image of each class is
    for testing, and of a class of 2 to 9 images the last one. If any file is stored in colour or
    with a palette (as GIF and WebP are), all are RGB, otherwise all are grey; transparency is
    dropped and the EXIF orientation applied.

    Args:
      path: the folder.
      image_size: side to resize to, or None, which needs images of equal size.
      cache: keeps the images, until a file's name, size or time changes.

    Returns:
      The `Dataset`: images (n, h, w, 1) or (n, h, w, 3).

    Raises:
      ValueError: no such folder, no images, too few to divide, unreadable or not 8-bit files
        (ten of them named), or sizes that differ (two files named).
    """
    root = pathlib.Path(os.path.expanduser(path))
    if not path or not root.is_dir():
        raise ValueError(f"folder:{path}: there is no such folder")
    others = collections.Counter()
    files, labels, test, classes = _divided(root, others)
    if others:
        note(f"folder:{path}: {walk.told(others)}")
    images = _images(root, files, test, image_size, cache)
    return Dataset(
        name=f"folder:{path}",
        origin=f"folder:{root.resolve()}",
        **images,
        train_labels=labels[~test],
        test_labels=labels[test],
        classes=classes,
        source=f"{len(files)} image files of the folder {root.name} (licence not known).",
    )


def _divided(
    root: pathlib.Path, others: collections.Counter
) -> tuple[list, np.ndarray, np.ndarray, tuple[str, ...]]:
    """(files, labels, test marks, class names); counts other files."""
    if not ((root / "train").is_dir() and (root / "test").is_dir()):
        files, names = _listed(root, others)
        if {name.lower() for name in names} & {"train", "test"} and (
            {name.lower() for name in names} <= {"train", "test", "val", "valid", "validation"}
        ):
            raise ValueError(
                f"folder:{root} has {sorted(set(names))}: train/ and test/, in small letters, go "
                f"together"
            )
        classes, labels = np.unique(names, return_inverse=True)
        return files, labels.astype(np.int64), one_in_ten(labels), tuple(classes.tolist())
    if (root / "train").samefile(root / "test"):
        raise ValueError(f"folder:{root}: train and test must be two folders; got one and a link")
    files, names = _listed(root / "train", others)
    test_files, test_names = _listed(root / "test", others)
    classes = sorted(set(names))
    strange = sorted(set(test_names) - set(classes))
    if strange:
        more = f" and {len(strange) - 1} more" if strange[1:] else ""
        raise ValueError(
            f"folder:{root / 'test'} has class {strange[0]!r}{more}, which train/ has not"
        )
    labels = np.array([classes.index(name) for name in names + test_names], np.int64)
    test = np.arange(len(labels)) >= len(files)
    return files + test_files, labels, test, tuple(classes)


def _listed(
    root: pathlib.Path, others: collections.Counter
) -> tuple[list[pathlib.Path], list[str]]:
    """Image files below a folder, sorted by class and name, and the class name of each."""
    files, beside = walk.images(root)
    others.update(beside)
    if not files:
        there = f"; {walk.told(beside)}" if beside else ""
        raise ValueError(
            f"folder:{root} must hold images ({', '.join(walk.SUFFIXES)}); got none{there}"
        )
    names = [file.relative_to(root).parts[0] if file.parent != root else "" for file in files]
    if "" in names and any(names):
        inside, beside = files[names.index("")], next(f for f in files if f.parent != root)
        raise ValueError(
            f"folder:{root} holds images both directly ({inside.name}) and in sub-folders "
            f"({beside.relative_to(root)}); it must be one of the two"
        )
    return files, names if any(names) else list(_NO_CLASSES) * len(files)


def _images(
    root: pathlib.Path, files: list, test: np.ndarray, image_size: int | None, cache: Cache
) -> dict[str, np.ndarray]:
    """Training and test images, uint8 (n, h, w, 1) or (n, h, w, 3)."""
    import PIL

    # Two rounds, headers and then pixels, so that the pixels are held in memory only once.
    @functools.cache
    def form():
        heads = _all(_head, files, "Checking images")
        size = (image_size, image_size) if image_size else heads[0][0]
        differ = [(file, other) for file, (other, _) in zip(files, heads) if other != size]
        if differ and not image_size:
            file, other = differ[0]
            count = f"; {len(differ)} of {len(files)} files differ from the first"
            raise ValueError(
                f"images differ in size: {files[0]} is {size[1]}x{size[0]}, {file} is "
                f"{other[1]}x{other[0]} (width x height){count if differ[1:] else ''}: "
                f"give --image_size"
            )
        return *size, 1 if all(is_grey for _, is_grey in heads) else 3

    def shapes() -> dict:
        size, count = form(), int(test.sum())
        if count in (0, len(test)):
            raise ValueError(
                f"folder:{root}: {len(files)} image(s) cannot be split into train and test"
            )
        return {"train": (len(test) - count, *size), "test": (count, *size)}

    def fill(images: dict) -> dict:
        grey = form()[-1] == 1
        rows = np.where(test, np.cumsum(test), np.cumsum(~test)) - 1

        def decode(i: int) -> None:
            part = images["test" if test[i] else "train"]
            part[rows[i]] = square(_pixels(files[i], grey), image_size)

        _all(decode, range(len(files)), "Reading images")
        return {}

    source = {"kind": "folder", "path": str(root.resolve()), "image_size": image_size}
    # Another version of Pillow may decode other pixels.
    state = [PIL.__version__, test.tolist(), [_state(root, file) for file in files]]
    return cache.arrays(source, state, shapes, fill, files=len(files))


def _state(root: pathlib.Path, file: pathlib.Path) -> tuple:
    """Path below `root`, size and times of a file; of one that cannot be read, its path.

    The time of change shows a file that was replaced by one of the same size and time.
    """
    path = file.relative_to(root).as_posix()
    try:
        stat = file.stat()
    except OSError:
        return (path,)
    return path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _all(function, items, what: str) -> list:
    """The results for all items; raises one ValueError for all that fail."""
    progress = Progress(what, len(items))
    results, wrong = [], []
    workers = concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        for first in range(0, len(items), _TASKS):
            some = items[first : first + _TASKS]
            for task in [workers.submit(function, item) for item in some]:
                try:
                    results.append(task.result())
                except ValueError as error:
                    wrong.append(str(error))
                progress.add()
    finally:
        # After Ctrl-C, the files that wait are left unread.
        workers.shutdown(cancel_futures=True)
    if wrong:
        count = f"{len(wrong)} of {len(items)} files cannot be used: " if wrong[1:] else ""
        more = f"; and {len(wrong) - _MOST_NAMED} more" if wrong[_MOST_NAMED:] else ""
        raise ValueError(count + "; ".join(wrong[:_MOST_NAMED]) + more)
    return results


def _head(file: pathlib.Path) -> tuple[tuple[int, int], bool]:
    """Height and width of an image in display orientation, and whether it is grey."""
    from PIL import Image
    from PIL import ImageOps

    try:
        with Image.open(file) as image:
            mode = image.mode
            # Versions of Pillow rotate a TIFF file at different times: here at the latest.
            turned = ImageOps.exif_transpose(image) if image.format == "TIFF" else image
            width, height = turned.size
            if turned is image and image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):
                width, height = height, width
    except Exception as error:  # Decoders raise many exceptions on damaged files.
        raise ValueError(f"cannot read the image {file}: {error}") from error
    if mode not in _GREY:
        raise ValueError(f"{file} must be an 8-bit image; got pixels of Pillow's mode {mode}")
    return (height, width), _GREY[mode]


def _pixels(file: pathlib.Path, grey: bool) -> np.ndarray:
    from PIL import Image
    from PIL import ImageOps

    try:
        with Image.open(file) as image:
            pixels = np.asarray(ImageOps.exif_transpose(image).convert("L" if grey else "RGB"))
    except Exception as error:  # Decoders raise many exceptions on damaged files.
        raise ValueError(f"cannot read the image {file}: {error}") from error
    return pixels[..., None] if grey else pixels
