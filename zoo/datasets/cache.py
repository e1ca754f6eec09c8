"""Decoded images on disk, mapped into memory, so that a set is decoded once and may be of any size.

An entry is a directory of .npy files and an index. It is written under a temporary name and
renamed, by one process at a time, so that others see all of it or nothing. Its name comes from the
source (path, split, size); the index has a checksum of the state of the source, and the size and
time of every file. An entry that does not agree is replaced.
"""

import contextlib
import functools
import math
import os
import pathlib
import shutil
from collections.abc import Callable

import numpy as np

from zoo.datasets import aligned
from zoo.datasets import entries
from zoo.datasets.progress import note

LARGE = 2**28  # bytes
MANY = 1_000  # files to be decoded one by one
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

    Raises:
      ValueError: `folder` begins with ~, and there is no such home directory.
    """

    def __init__(self, name: str, use: bool = True, folder: str = ""):
        self._name, self._use, self._chosen = name, use, bool(folder)
        there = os.path.expanduser(folder)
        if there.startswith("~"):
            raise ValueError(f"cache_dir must be in a home directory that exists; got {folder!r}")
        self._folder = pathlib.Path(there).absolute() if folder else default_folder()

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
          source: identifies the set, as JSON: its kind, path, splits and image size.
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
        entry = self._folder / f"{source['kind']}-{entries.digest(source)[:20]}"
        state = entries.digest([_FORMAT, state])
        if self._use and (kept := self._kept(entry, state)):
            return kept
        wanted = shapes()
        size = sum(map(math.prod, wanted.values()))
        if not self._use or not (self._chosen or size >= LARGE or files >= MANY):
            return _in_memory(wanted, fill)
        try:
            locked = entries.lock(entry, self._name)
        except OSError as error:
            said = f"{self._folder} cannot be written to ({error.strerror})"
            if self._chosen:
                raise ValueError(f"{said}; give another --cache_dir, or --nocache") from None
            note(f"{said}: {self._name} is held in memory, {entries.size_of(size)}")
            return _in_memory(wanted, fill)
        with locked:
            # Another process may have written it in the meantime.
            kept = self._kept(entry, state, quiet=True)
            return kept or self._made(entry, state, wanted, size, fill)

    def _made(self, entry, state, wanted, size, fill):
        note(
            f"{self._name} is read once and kept in {entry}, {entries.size_of(size)} "
            "(--nocache holds it in memory instead)"
        )
        entries.clear(entry)
        part = None
        try:
            with self._disk(size):
                part = entry.with_name(f"{entry.name}.part-{os.getpid()}")
                part.mkdir()
                images = {n: entries.mapped(part / f"{n}.npy", wanted[n]) for n in wanted}
            others = fill(images)
            with self._disk(size):
                for name in wanted:
                    images.pop(name).flush()
                for name, array in others.items():
                    entries.write(part / f"{name}.npy", functools.partial(np.save, arr=array))
                entries.write_index(part, self._name, state, list(wanted), list(others))
                shutil.rmtree(entry, ignore_errors=True)
                part.rename(entry)
        except BaseException:
            if part:
                shutil.rmtree(part, ignore_errors=True)
            raise
        return entries.read(entry, state)

    @contextlib.contextmanager
    def _disk(self, size):
        try:
            yield
        except OSError as error:
            raise ValueError(
                f"{self._name} ({entries.size_of(size)}) cannot be kept in {self._folder}: "
                f"{error.strerror or error}; give another --cache_dir, or --nocache to hold it in "
                "memory"
            ) from error

    def _kept(self, entry, state, quiet=False):
        """The arrays of an entry, or None if there is none of this state."""
        if not os.path.isdir(entry):
            return None
        try:
            arrays = entries.read(entry, state)
            said = f"{self._name} is mapped from {entry} (--nocache reads it again)"
        except entries.Changed:
            arrays, said = None, f"{self._name} has changed since {entry} was written"
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            arrays, said = None, f"{entry} is damaged ({error}) and is made again"
        if not quiet:
            note(said)
        return arrays


def _in_memory(wanted, fill):
    images = {name: aligned.empty(shape) for name, shape in wanted.items()}
    return images | fill(images)
