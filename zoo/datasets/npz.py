"""Images in a NumPy .npz or .npy file."""

import functools
import os
import pathlib
import zipfile

import numpy as np

from zoo.datasets.base import Dataset
from zoo.datasets.base import one_in_ten
from zoo.datasets.cache import Cache
from zoo.datasets.npy import Stored
from zoo.datasets.pixels import square_all
from zoo.datasets.progress import Progress
from zoo.datasets.progress import note

# (arrays of images, arrays of their labels), which may be left out
_LAYOUTS = (
    (["train", "test"], ["y_train", "y_test"]),
    (["x_train", "x_test"], ["y_train", "y_test"]),
    (["X_train", "X_test"], ["y_train", "y_test"]),
    (["train_images", "test_images"], ["train_labels", "test_labels"]),
    (["images"], ["labels"]),
    (["x"], ["y"]),
    (["arr_0"], ["arr_1"]),  # numpy.savez's names for arrays without one
)
_ALLOWED = (
    "train and test (or x_train and x_test, with labels y_train and y_test if wanted), "
    "train_images and test_images (with train_labels and test_labels), "
    "or images (with labels if wanted)"
)


def read(path: str, image_size: int | None, cache: Cache) -> Dataset:
    """Reads images from an .npz or .npy file.

    It holds either arrays `train` and `test` (also named `x_train` and `x_test`), optionally with
    `y_train` and `y_test`, or `train_images` and `test_images`, optionally with `train_labels` and
    `test_labels`; or one array `images` (or `x`), optionally with `labels` (or `y`), or one array
    without a name, optionally followed by its labels, of which every tenth of each class is for
    testing (of a class of 2 to 9 images, the last one). Images are uint8 of shape (n, h, w),
    (n, h, w, 1) or (n, h, w, 3); labels are whole numbers or strings of shape (n,), or one-hot of
    shape (n, classes); strings of bytes are read as UTF-8. The values that the labels take are the
    classes, in ascending order. A line on standard error names the other arrays of the file, which
    are not read.

    Args:
      path: the file. Pickled objects in it are refused.
      image_size: side to resize to, or None.
      cache: keeps the images, until size or time of the file changes.

    Returns:
      The `Dataset`: images (n, h, w, c).

    Raises:
      ValueError: no such file, not an .npz or .npy file, or an array is missing or not as above.
    """
    import PIL

    file = pathlib.Path(os.path.expanduser(path))
    if not file.is_file():
        raise ValueError(f"npz:{file}: there is no such file")
    content = functools.cache(lambda: _content(file))

    def shapes() -> dict:
        images, _, test, _ = content()
        forms = {name: _resized(array, image_size) for name, array in images.items()}
        first, last = list(forms)[0], list(forms)[-1]
        if forms[first] != forms[last]:
            raise ValueError(
                f"npz:{file}: {first} has images of {forms[first]}, {last} of {forms[last]}: "
                "give --image_size, and equal numbers of channels"
            )
        count = int(test.sum())
        return {"train": (len(test) - count, *forms[first]), "test": (count, *forms[first])}

    def fill(made: dict) -> dict:
        images, labels, test, classes = content()
        parts = {"train": ~test, "test": test}
        progress = Progress(f"Reading {file.name}", len(test))
        done = dict.fromkeys(parts, 0)
        for array in images.values():
            for block in array.blocks():
                block = square_all(block.reshape(-1, *array.image), image_size)
                for part, chosen in parts.items():
                    some = block[chosen[progress.done : progress.done + len(block)]]
                    made[part][done[part] : done[part] + len(some)] = some
                    done[part] += len(some)
                progress.add(len(block))
        found = {f"{part}_labels": labels[chosen] for part, chosen in parts.items()}
        return found | {"classes": np.array(classes)}

    stat = file.stat()
    source = {"kind": "npz", "path": str(file.resolve()), "image_size": image_size}
    # Another version of Pillow may resize to other pixels.
    # The time of change shows a file that was replaced by one of the same size and time.
    times = [stat.st_mtime_ns, stat.st_ctime_ns]
    state = [stat.st_size, times, PIL.__version__ if image_size else ""]
    found = cache.arrays(source, state, shapes, fill)
    return Dataset(
        name=f"npz:{path}",
        origin=f"npz:{file.resolve()}",
        **{name: array for name, array in found.items() if name != "classes"},
        classes=tuple(found["classes"].tolist()),
        source=f"Arrays of the file {file.name} (licence not known).",
    )


def _content(file: pathlib.Path) -> tuple[dict, np.ndarray, np.ndarray, tuple[str, ...]]:
    """(name → images, not read yet; labels of all of them; which are for testing; classes)."""
    arrays, present = _arrays(file)
    x_names, y_names = _layout(file, arrays, present)
    if others := sorted(set(present) - {*x_names, *y_names}):
        note(f"npz:{file}: these arrays are not read: {', '.join(others)}")
    for name in x_names:
        _check_images(file, name, arrays[name])
    images = {name: arrays[name] for name in x_names}
    counts = [array.shape[0] for array in images.values()]
    labels = [
        _labels(file, name, arrays[name].load(), count) if name else np.zeros(count, np.int64)
        for name, count in zip(y_names, counts, strict=True)
    ]
    values, labels = np.unique(np.concatenate(labels), return_inverse=True)
    classes = tuple(str(value) for value in values.tolist()) if y_names[0] else ("all",)
    labels = labels.astype(np.int64)
    if len(images) == 2:
        return images, labels, np.arange(len(labels)) >= counts[0], classes
    test = one_in_ten(labels)
    if not test.any() or test.all():
        raise ValueError(f"npz:{file}: {len(test)} image(s) cannot be split into train and test")
    return images, labels, test, classes


def _resized(array: Stored, image_size: int | None) -> tuple[int, int, int]:
    return (image_size, image_size, array.image[2]) if image_size else array.image


def _arrays(file: pathlib.Path) -> tuple[dict[str, Stored], list[str]]:
    """The arrays with names of `_LAYOUTS`, and the names of all."""
    wanted = {name for names, labels in _LAYOUTS for name in [*names, *labels]}
    if file.suffix.lower() == ".npy":
        return {"arr_0": Stored(file, "arr_0").described()}, ["arr_0"]
    if not zipfile.is_zipfile(file):
        raise ValueError(f"npz:{file} is not an .npz file (a zip of arrays, from numpy.savez)")
    with zipfile.ZipFile(file) as arrays:
        present = [name.removesuffix(".npy") for name in arrays.namelist()]
    found = {name: Stored(file, name).described() for name in sorted(wanted & set(present))}
    if not found:
        raise ValueError(f"npz:{file} must hold {_ALLOWED}; got {present}")
    return found, present


def _layout(
    file: pathlib.Path, arrays: dict, present: list[str]
) -> tuple[list[str], list[str | None]]:
    """Names of the image arrays, one or two, and of the label array of each (None: no labels)."""
    if "arr_2" in present or ("arr_1" in arrays and arrays["arr_1"].ndim > 2):
        raise ValueError(
            f"npz:{file} must name its arrays; got {present}: write numpy.savez(file, "
            f"x_train=..., x_test=...), with y_train=..., y_test=... if there are labels"
        )
    for x_names, y_names in _LAYOUTS:
        if not all(name in arrays for name in x_names):
            continue
        there = [name for name in y_names if name in arrays]
        if there and there != y_names:
            raise ValueError(f"npz:{file} must have both of {y_names} or none; got {there[0]} only")
        return x_names, list(there) or [None] * len(x_names)
    raise ValueError(f"npz:{file} must hold {_ALLOWED}; got {present}")


def _check_images(file: pathlib.Path, name: str, array: Stored) -> None:
    if array.dtype != np.uint8 or array.ndim not in (3, 4) or 0 in array.shape:
        raise ValueError(
            f"npz:{file}: array {name!r} must be uint8 of shape (n, h, w) or (n, h, w, c), not "
            f"empty; got {array.dtype} of shape {array.shape}{_remedy(array.load())}"
        )
    if array.ndim == 3 and array.shape[-1] in (1, 3):
        raise ValueError(
            f"npz:{file}: array {name!r} must hold several images; got the shape of one, "
            f"{array.shape}"
        )
    if array.ndim == 3 or array.shape[-1] in (1, 3):
        return
    said = f"npz:{file}: array {name!r} must have 1 or 3 channels, the last axis; got shape "
    said += f"{array.shape}"
    if array.shape[1] in (1, 3):
        said += ", channels first: write array.transpose(0, 2, 3, 1)"
    elif array.shape[2] in (1, 3):
        said += ", images last: write array.transpose(3, 0, 1, 2)"
    elif array.shape[1] in (2, 4) and array.shape[2] == array.shape[3]:
        kept = array.shape[1] - 1
        said += (
            f", channels first: write array[:, :{kept}].transpose(0, 2, 3, 1) "
            f"if the last channel is alpha"
        )
    elif array.shape[-1] in (2, 4):
        said += f": write array[..., :{array.shape[-1] - 1}] if the last is alpha"
    raise ValueError(said)


def _remedy(array: np.ndarray) -> str:
    """Code that converts an array of images of another type or shape, for the message."""
    if array.dtype == bool:
        return ": write array.astype('uint8') * 255"
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return ", with values that are not finite"
    if array.dtype.kind in "fiu" and array.dtype != np.uint8 and array.size:
        low, high = float(array.min()), float(array.max())
        span = f"; its values are between {low:.3g} and {high:.3g}: "
        if array.dtype.kind == "f" and 0 <= low and high <= 1:
            return span + "write (array * 255).round().astype('uint8')"
        if array.dtype.kind == "f" and -1 <= low and high <= 1:
            return span + "write (array * 127.5 + 127.5).round().astype('uint8')"
        if 0 <= low and high <= 255:
            return span + "write array.round().astype('uint8')"
        return span + "scale them to 0 to 255"
    if array.ndim == 2 and array.size:
        for channels in (1, 3):
            side = round((array.shape[1] / channels) ** 0.5)
            if side * side * channels == array.shape[1]:
                last = ", 3" if channels == 3 else ""
                return f"; rows of pixels: write array.reshape(-1, {side}, {side}{last})"
    return ""


def _labels(file: pathlib.Path, name: str, array: np.ndarray, count: int) -> np.ndarray:
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "backslashreplace")
    rows = array.ndim == 2 and len(array) == count and array.shape[1] > 1
    if rows and array.dtype.kind in "biuf" and np.isin(array, (0, 1)).all():
        if (array.sum(1) == 1).all():
            return array.argmax(1).astype(np.int64)
    whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and np.array_equal(array, np.round(array))
    )
    whole = whole and bool(np.all((array >= -(2**63)) & (array < 2**63)))  # int64
    if not (whole or array.dtype.kind == "U") or array.shape not in ((count,), (count, 1)):
        raise ValueError(
            f"npz:{file}: array {name!r} must be whole numbers or strings of shape ({count},), as "
            f"many as images, or one-hot rows; got {array.dtype} of shape {array.shape}"
        )
    return array.reshape(count).astype(np.int64 if whole else array.dtype)
