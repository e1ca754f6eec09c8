"""An entry of `zoo.datasets.cache`: a directory of .npy files and an index with checksums."""

import hashlib
import json
import os
import shutil
import zlib

import numpy as np

from zoo.datasets.progress import note

try:
    import fcntl
except ImportError:
    fcntl = None

INDEX = "index.json"


class Changed(Exception):
    """The entry is of another state of its source."""


def mapped(path, shape):
    """A new .npy file of uint8, mapped.

    Its blocks are reserved: a write to a map kills the process if the disk has no space for it.
    """
    array = np.lib.format.open_memmap(path, "w+", np.uint8, tuple(shape))
    size = path.stat().st_size
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    elif shutil.disk_usage(path.parent).free < size:
        raise OSError(None, f"{size_of(size)} are not free")
    return array


def write_index(part, name, state, images, others):
    """The index of an entry: the names of its arrays of images, and of the others."""
    files = {}
    for array in [*images, *others]:
        path = part / f"{array}.npy"
        stat, held = path.stat(), np.load(path, mmap_mode="r", allow_pickle=False)
        files[array] = [stat.st_size, stat.st_mtime_ns, list(held.shape), held.dtype.str]
    about = {"name": name, "state": state, "images": images, "files": files}
    text = json.dumps({"checksum": _checksum(about), "about": about}, indent=1)
    write(part / INDEX, lambda file: file.write(text.encode()))


def write(path, fill):
    """A new file, which `fill` writes, on the disk before the entry gets its name."""
    with open(path, "wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def read(entry, state):
    """name → array of an entry; those of images are mapped.

    Raises:
      Changed: the entry is of another state than `state`.
      OSError, ValueError, KeyError, TypeError, AttributeError: it is damaged.
    """
    index = json.loads((entry / INDEX).read_text(encoding="utf-8"))
    about = index["about"]
    if index["checksum"] != _checksum(about):
        raise ValueError(f"{INDEX} does not have its checksum")
    if about["state"] != state:
        raise Changed
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


def lock(entry, name):
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


def clear(entry):
    """Remove files of `entry` that a killed process left; call it under the lock."""
    if fcntl:  # without locks another process may be writing it now
        for left in entry.parent.glob(f"{entry.name}.part-*"):
            shutil.rmtree(left, ignore_errors=True)


def digest(value):
    """A checksum of JSON, in hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _checksum(about):
    return f"{zlib.crc32(json.dumps(about, sort_keys=True).encode()):08x}"


def size_of(size):
    """For messages: a number of bytes in MB or GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
