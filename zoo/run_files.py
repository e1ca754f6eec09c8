"""The files of a run or a preset: written whole or not at all, read, and checked for damage."""

import errno
import json
import os
import pathlib
import zipfile


def write(path: pathlib.Path, contents: bytes) -> None:
    """Write a file so that a crash leaves the old or the new one, never a partial one."""
    partial(path).write_bytes(contents)
    replace(path)


def write_json(path: pathlib.Path, value) -> None:
    """`write`, of `value` as JSON."""
    write(path, as_json(value))


def write_all(files: dict, remove_before: list) -> None:
    """Write the files of path → contents in place of others, which stay if writing fails."""
    try:
        for path, contents in files.items():
            partial(path).write_bytes(contents)
    except OSError:
        for path in filter(pathlib.Path.is_file, map(partial, files)):
            path.unlink()
        raise
    for path in remove_before:
        path.unlink(missing_ok=True)
    for path in files:
        replace(path)


def as_json(value) -> bytes:
    """The contents of a JSON file."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def partial(path: pathlib.Path) -> pathlib.Path:
    """The name of the file `path` until it is whole."""
    return path.with_name(f".partial-{path.name}")


def replace(path: pathlib.Path) -> None:
    """Flush `partial(path)` to disk, then rename it, so that it also survives a power cut."""
    with open(partial(path), "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial(path), path)
    if os.name == "posix":
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def read_run(directory: pathlib.Path, parts: tuple = ("config", "metrics")) -> list[dict]:
    """The contents of config.json and metrics.json of a finished run, or of a preset.

    Args:
        parts: names of the files; a preset has "audit" too.

    Raises:
        ValueError: `directory` holds no finished run, or a file is damaged.
    """
    try:
        return [_read_json(directory / f"{part}.json") for part in parts]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(
            f"{directory} holds no finished run: {pathlib.Path(error.filename).name} is missing"
        ) from None


def _read_json(path):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    return found


def check_readable(error):
    """Raises an `error` of the system again. An OSError without errno, EINVAL and ENOENT mean a
    damaged or missing file.
    """
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL, errno.ENOENT):
        raise error


def damage(path: pathlib.Path) -> str | None:
    """The defect of a `.keras` file (every byte is compared with its checksum), or None.

    Raises:
        OSError: the system cannot read it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            broken = archive.testzip()
    # A flipped bit in a header may ask for a password, another compression or a missing codec.
    except Exception as error:
        check_readable(error)
        return str(error) or type(error).__name__
    missing = {"config.json", "metadata.json", "model.weights.h5"} - names
    if missing:
        return f"without {sorted(missing)}"
    return f"{broken} does not match its checksum" if broken else None
