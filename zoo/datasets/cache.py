"""Decoded images on disk, mapped into memory, so that a set is decoded once and may be of any size.

An entry is a directory of .npy files and an index. It is written under a temporary name and
renamed, by one process at a time, so that others see all of it or nothing. Its name comes from the
source (path, split, size); the index has a checksum of the state of the source, and the size and
time of every file. An entry that does not agree is replaced.
"""

import contextlib
import functools
import hashlib
import json
import math
import os
import pathlib
import shutil
import zlib
from collections.abc import Callable

import numpy as np

from zoo.datasets import aligned
from zoo.datasets.progress import note

try:
    import fcntl
except ImportError:
    fcntl = None

LARGE = 2**28  # bytes
MANY = 1_000  # files to be decoded one by one
_INDEX = "index.json"
_FORMAT = 1


def default_folder() -> pathlib.Path:
    """`encoder-gan-zoo` in $XDG_CACHE_HOME, which is ~/.cache if it is not set."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base) / "encoder-gan-zoo"


class Cache:
    """Decides for one data set whether its images are in memory or on disk.

    They are on disk if they take `LARGE` bytes or more, or are at least `MANY` files.

    Args:
      name: of the data set, for messages.
      use: False holds them in memory in any case.
      folder: of all entries; "" for `default_folder`. If it is given, small sets are kept, too, and
        it must be writable; otherwise a folder that is not means that sets are held in memory.
    """

    def __init__(self, name: str, use: bool = True, folder: str = ""):
        self._name, self._use, self._chosen = name, use, bool(folder)
        self._folder = pathlib.Path(folder).expanduser().absolute() if folder else default_folder()

    def arrays(
        self,
        source: dict,
        state: object,
        shapes: Callable[[], dict],
        fill: Callable[[dict], dict],
        files: int = 0,
    ) -> dict[str, np.ndarray]:
        """The images of a set, read now or earlier, and small arrays that belong to them.

        Args:
          source: what identifies the set, as JSON: its kind, path, splits and image size.
          state: anything that changes when the images do, as JSON.
          shapes: name → shape of every array of images; called if they must be read.
          fill: writes uint8 images into the arrays of these names and returns the small arrays.
          files: number of files that are decoded one by one.

        Returns:
          name → array: images, which can only be read if they are mapped from disk, and the others.

        Raises:
          ValueError: the disk is full, or `folder` was given and cannot be written to; whatever
            `shapes` and `fill` raise. Nothing but an empty lock file is left behind.
        """
        entry = self._folder / f"{source['kind']}-{_digest(source)[:20]}"
        state = _digest([_FORMAT, state])
        if self._use and (kept := self._kept(entry, state)):
            return kept
        wanted = shapes()
        size = sum(map(math.prod, wanted.values()))
        if not self._use or not (self._chosen or size >= LARGE or files >= MANY):
            return _in_memory(wanted, fill)
        try:
            locked = _lock(entry, self._name)
        except OSError as error:
            said = f"{self._folder} cannot be written to ({error.strerror})"
            if self._chosen:
                raise ValueError(f"{said}; give another --cache_dir, or --nocache") from None
            note(f"{said}: {self._name} is held in memory, {_bytes(size)}")
            return _in_memory(wanted, fill)
        with locked:
            # Another process may have written it in the meantime.
            kept = self._kept(entry, state, quiet=True)
            return kept or self._made(entry, state, wanted, size, fill)

    def _made(self, entry, state, wanted, size, fill):
        note(
            f"{self._name} is read once and kept in {entry}, {_bytes(size)} "
            "(--nocache holds it in memory instead)"
        )
        if fcntl:
            # No other process writes this entry now, so these were left by one that was killed.
            for left in entry.parent.glob(f"{entry.name}.part-*"):
                shutil.rmtree(left, ignore_errors=True)
        part = None
        try:
            with self._disk(size):
                part = entry.with_name(f"{entry.name}.part-{os.getpid()}")
                part.mkdir()
                images = {name: _mapped(part / f"{name}.npy", wanted[name]) for name in wanted}
            others = fill(images)
            with self._disk(size):
                for name in wanted:
                    images.pop(name).flush()
                for name, array in others.items():
                    _write(part / f"{name}.npy", functools.partial(np.save, arr=array))
                _write_index(part, self._name, state, list(wanted), list(others))
                shutil.rmtree(entry, ignore_errors=True)
                part.rename(entry)
        except BaseException:
            if part:
                shutil.rmtree(part, ignore_errors=True)
            raise
        return _read(entry, state)

    @contextlib.contextmanager
    def _disk(self, size):
        try:
            yield
        except OSError as error:
            raise ValueError(
                f"{self._name} ({_bytes(size)}) cannot be kept in {self._folder}: "
                f"{error.strerror or error}; give another --cache_dir, or --nocache to hold it in "
                "memory"
            ) from error

    def _kept(self, entry, state, quiet=False):
        """The arrays of an entry, or None if there is none of this state."""
        if not os.path.isdir(entry):
            return None
        try:
            arrays = _read(entry, state)
            said = f"{self._name} is mapped from {entry} (--nocache reads it again)"
        except _Changed:
            arrays, said = None, f"{self._name} has changed since {entry} was written"
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            arrays, said = None, f"{entry} is damaged ({error}) and is made again"
        if not quiet:
            note(said)
        return arrays


class _Changed(Exception):
    """The entry is of another state of its source."""


def _in_memory(wanted, fill):
    images = {name: aligned.empty(shape) for name, shape in wanted.items()}
    return images | fill(images)


def _mapped(path, shape):
    """A new .npy file of uint8, mapped.

    Its blocks are reserved: a write to a map kills the process if the disk has no space for it.
    """
    array = np.lib.format.open_memmap(path, "w+", np.uint8, tuple(shape))
    size = path.stat().st_size
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    elif shutil.disk_usage(path.parent).free < size:
        raise OSError(None, f"{_bytes(size)} are not free")
    return array


def _write_index(part, name, state, images, others):
    files = {}
    for array in [*images, *others]:
        path = part / f"{array}.npy"
        stat, held = path.stat(), np.load(path, mmap_mode="r", allow_pickle=False)
        files[array] = [stat.st_size, stat.st_mtime_ns, list(held.shape), held.dtype.str]
    about = {"name": name, "state": state, "images": images, "files": files}
    text = json.dumps({"checksum": _checksum(about), "about": about}, indent=1)
    _write(part / _INDEX, lambda file: file.write(text.encode()))


def _write(path, write):
    """A new file, flushed to the disk before the entry gets its name."""
    with open(path, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _read(entry, state):
    index = json.loads((entry / _INDEX).read_text(encoding="utf-8"))
    about = index["about"]
    if index["checksum"] != _checksum(about):
        raise ValueError(f"{_INDEX} does not have its checksum")
    if about["state"] != state:
        raise _Changed
    arrays = {}
    for name, described in about["files"].items():
        path = entry / f"{name}.npy"
        stat = path.stat()
        if [stat.st_size, stat.st_mtime_ns] != described[:2]:
            raise ValueError(f"size or time of {path.name} is another")
        mode = "r" if name in about["images"] else None
        # A plain array: slices of a numpy.memmap would be of its class.
        array = np.asarray(np.load(path, mmap_mode=mode, allow_pickle=False))
        if [list(array.shape), array.dtype.str] != described[2:]:
            raise ValueError(f"the header of {path.name} is another")
        arrays[name] = array
    return arrays


def _lock(entry, name):
    """A context in which no other process writes `entry`; the lock ends with the process.

    Raises:
      OSError: the folder cannot be written to, or has no locks.
    """
    if not entry.is_absolute():
        raise OSError(None, "there is no home directory")
    entry.parent.mkdir(parents=True, exist_ok=True)
    file = open(f"{entry}.lock", "a", encoding="utf-8")
    if fcntl is None:
        return file
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"another process reads {name} into {entry}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
    except BaseException:
        file.close()
        raise
    return file


def _digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _checksum(about):
    return f"{zlib.crc32(json.dumps(about, sort_keys=True).encode()):08x}"


def _bytes(size):
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
