"""The directory of a run: it can be written to, and one process at a time does so."""

import contextlib
import os
import pathlib
import platform

try:
    import fcntl
except ImportError:
    fcntl = None

LOCK = ".lock"


@contextlib.contextmanager
def held(path: pathlib.Path):
    """Context in which only this process trains in the directory `path`, made if it is missing.

    The lock ends with the process, even if it is killed. If the system or the disk has no locks,
    nothing is checked. If nothing was written, the directories that were made are removed again.

    Raises:
        ValueError: the directory cannot be written to, or another process trains in it.
    """
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    file = None
    try:
        _check_writable(path)
        file = _locked(path / LOCK) if fcntl else None
        yield
    finally:
        if file:
            # While it is still locked, so that the lock of another process is not removed.
            (path / LOCK).unlink(missing_ok=True)
            file.close()
        # A directory that holds something is not removed.
        with contextlib.suppress(OSError):
            for folder in made:
                folder.rmdir()


def _check_writable(directory):
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"--run_dir={directory} cannot be written to ({error.strerror}); choose another"
        ) from None


def _locked(path):
    """The open file `path`, locked; None if the file system has no locks."""
    while True:
        file = open(path, "a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise ValueError(
                f"another process ({owner}) is training in {path.parent}; "
                "wait for it or stop it, or choose another --run_dir"
            ) from None
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            return None
        # Else the previous holder removed the file between our opening and locking it.
        if _still_there(file, path):
            break
        file.close()
    file.truncate(0)
    file.write(f"pid {os.getpid()} on {platform.node()}")
    file.flush()
    return file


def _still_there(file, path):
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
