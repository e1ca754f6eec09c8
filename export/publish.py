"""Publication: a version appears complete, under its own number, or not at all."""

import contextlib
import errno
import os
import pathlib
import secrets
import shutil

# Servers only see names that are whole numbers.
ASIDE = ".writing-"
LARGEST = 2**63 - 1


def check(base: pathlib.Path, version: int | None) -> None:
    """Raises ValueError if `publish` could not succeed; makes `base` if it is missing."""
    if version is not None and not 1 <= version <= LARGEST:
        raise ValueError(f"version must be a whole number from 1 to {LARGEST}; got {version}")
    try:
        base.mkdir(parents=True, exist_ok=True)
        with aside(base):
            pass
    except OSError as error:
        raise ValueError(f"{base} cannot be written to ({error.strerror})") from None
    _number(base, version)


def versions(base: pathlib.Path) -> list:
    """The versions under `base`, ascending; 00012 is 12, as in TensorFlow Serving."""
    names = [path.name for path in base.iterdir()]
    numbers = (int(name) for name in names if name.isascii() and name.isdigit())
    return sorted(number for number in numbers if number <= LARGEST)  # servers ignore the others


@contextlib.contextmanager
def aside(base: pathlib.Path):
    """An empty directory under `base` that no server sees, removed at the end if it still exists.

    Only SIGKILL and a power failure leave it behind; it can then be deleted at any time.
    """
    # Not from tempfile: only its owner could read it, and a server often runs as another user.
    directory = base / f"{ASIDE}{secrets.token_hex(8)}"
    directory.mkdir()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def publish(directory: pathlib.Path, base: pathlib.Path, version: int | None) -> pathlib.Path:
    """Give the finished `directory` its number: the one asked for, or the next after the largest.

    Everything is on disk before the name is, and an existing version is never replaced: renaming
    onto a directory that is not empty fails, even if two processes publish at once.

    Returns:
        The directory of the version.

    Raises:
        ValueError: the version exists, or there is no next number.
    """
    for path in [*directory.rglob("*"), directory]:
        _sync(path)
    while True:
        number = _number(base, version)
        target = base / str(number)
        try:
            os.rename(directory, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if version is not None:
                raise ValueError(_taken(base, number)) from None
            continue  # another process published first
        _sync(base)
        return target


def _number(base, version):
    """The number of the version to publish: `version`, or the next after the largest."""
    taken = versions(base)
    if version is None and taken and taken[-1] == LARGEST:
        raise ValueError(
            f"{base} holds version {LARGEST}, the largest possible number; choose a free one"
        )
    number = max([0, *taken]) + 1 if version is None else version
    if number in taken:
        raise ValueError(_taken(base, number))
    return number


def _taken(base, version):
    return f"version {version} exists under {base} and is never overwritten; choose another"


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
