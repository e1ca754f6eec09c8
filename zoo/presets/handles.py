"""Presets from other machines: https:// archives and hf:// repositories, never without a checksum.

Downloads are those of `keras.utils.get_file` and `huggingface_hub`, and are kept in their caches. A
preset holds arrays and JSON; no fetched file is executed.
"""

import hashlib
import io
import pathlib
import re
import tempfile
import zipfile

from zoo.presets import storage

_HUB = re.compile(r"hf://([\w.-]+/[\w.-]+)@([\w.-]+)")
_WRITTEN = re.compile(r"hf://([\w.-]+/[\w.-]+)")
_FILES = (storage.WEIGHTS, storage.CONFIG)


def is_handle(text: str) -> bool:
    """Whether `text` names something on another machine."""
    return "://" in text


def load(handle: str, sha256: str):
    """The game at "https://…/NAME.zip" or "hf://owner/repo@revision".

    Args:
        sha256: of the archive; for a repository, of config.json, which holds that of the weights.

    Raises:
        ValueError: another kind of handle, no checksum, a file with another checksum, no
            network, or the required library is not installed.
    """
    kind = handle.partition("://")[0]
    if kind not in ("https", "hf"):
        raise ValueError(
            f"{handle!r}: handles are https://…/NAME.zip and hf://owner/repo@revision; {kind}:// "
            "is not read"
        )
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(
            f"{handle!r} needs the checksum of the expected file, sha256= and 64 hexadecimal "
            f"digits; got {sha256!r}"
        )
    if kind == "hf":
        return storage.load(_from_hub(*repository(handle)), sha256)
    # A directory for this call: other processes may load the same archive at the same time.
    with tempfile.TemporaryDirectory() as directory:
        _unpack(_downloaded(handle, sha256), pathlib.Path(directory))
        return storage.load(directory)


def repository(handle: str) -> tuple[str, str]:
    """From hf://owner/repo@revision to ("owner/repo", "revision"). Raises ValueError."""
    match = _HUB.fullmatch(handle)
    if not match:
        raise ValueError(
            f"{handle!r}: expected hf://owner/repo@revision; the revision, best a commit, is needed"
        )
    return match.groups()


def writable(handle: str):
    """("owner/repo", the client library) of hf://owner/repo, to upload to.

    Raises:
        ValueError: it is no such address, or the library is not installed.
    """
    match = _WRITTEN.fullmatch(handle)
    if not match:
        raise ValueError(f"hub must be hf://owner/repo, without a revision; got {handle!r}")
    return match[1], _hub()


def upload(directory: pathlib.Path, handle: str) -> tuple[str, str]:
    """Upload the files of a preset in one commit; its card becomes the README of the repository.

    The repository is made if it does not exist. The account is that of `hf auth login` or HF_TOKEN.

    Args:
        directory: as `storage.save` writes it; files that are not a preset's are left out.
        handle: hf://owner/repo.

    Returns:
        ("hf://owner/repo@commit", sha256 of config.json), the arguments of `zoo.load`.

    Raises:
        ValueError: see `writable`; or the upload fails. Nothing of it is kept then.
    """
    repo, hub = writable(handle)
    found = [directory / name for name in storage.FILES if (directory / name).is_file()]
    named = {"README.md" if path.name == "card.md" else path.name: path for path in found}
    files = [hub.CommitOperationAdd(name, path) for name, path in named.items()]
    api = hub.HfApi()
    try:
        api.create_repo(repo, exist_ok=True)
        made = api.create_commit(repo, files, commit_message="Upload a preset")
    except Exception as error:  # the library's own, and those of its HTTP client
        raise ValueError(f"cannot upload to {handle}: {_line(error)}") from error
    sha256 = hashlib.sha256((directory / storage.CONFIG).read_bytes()).hexdigest()
    return f"{handle}@{made.oid}", sha256


def _hub():
    try:
        import huggingface_hub
    except ImportError:
        raise ValueError(
            "hf:// needs huggingface_hub: pip install 'encoder-gan-zoo[hub]'"
        ) from None
    return huggingface_hub


def _from_hub(repo, revision):
    huggingface_hub = _hub()
    try:
        folder = huggingface_hub.snapshot_download(
            repo, revision=revision, allow_patterns=list(_FILES)
        )
    except Exception as error:  # the library's own, and those of its HTTP client
        raise ValueError(f"cannot fetch hf://{repo}@{revision}: {_line(error)}") from error
    return pathlib.Path(folder)


def _downloaded(url, sha256):
    import keras

    # The name holds the checksum: another version of the file cannot be taken for this one.
    name = f"{sha256}.zip"
    try:
        path = keras.utils.get_file(name, url, cache_subdir="encoder_gan_zoo")
    except Exception as error:  # get_file raises bare exceptions
        raise ValueError(f"cannot fetch {url}: {_line(error)}") from error
    found = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    if found != sha256:
        pathlib.Path(path).unlink()
        raise ValueError(
            f"{url} is not the expected file: expected sha256 {sha256}, found {found}; "
            "nothing was kept"
        )
    return pathlib.Path(path)


def _unpack(path, directory):
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            # By their last name: the two files, and nothing else, wherever they lie in it.
            members = {pathlib.PurePosixPath(name).name: name for name in archive.namelist()}
            for name in _FILES:
                (directory / name).write_bytes(archive.read(members[name]))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(
            f"{path} is not an archive of a preset: it must hold {' and '.join(_FILES)} ({error})"
        ) from error


def _line(error):
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
