"""Arrays in .npz and .npy files: the header first, and then the rows, some at a time."""

import contextlib
import dataclasses
import io
import math
import pathlib
import zipfile
from collections.abc import Iterator

import numpy as np

_BLOCK = 2**24  # bytes that are read at a time


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array in a file, of which only the header was read.

    Attributes:
      file: the .npz or .npy file.
      name: of the array in an .npz file; "arr_0" in an .npy file.
      shape: as in the header, as are `dtype` and `fortran` (axes in the order of Fortran).
    """

    file: pathlib.Path
    name: str
    shape: tuple = ()
    dtype: np.dtype | None = None
    fortran: bool = False

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def image(self) -> tuple[int, int, int]:
        """Shape of one image, (h, w, c)."""
        return (*self.shape[1:3], self.shape[3] if self.ndim == 4 else 1)

    def described(self) -> "Stored":
        """The same array with the values of its header."""
        with self._stream() as stream:
            shape, fortran, dtype = _header(stream)
        return dataclasses.replace(self, shape=shape, dtype=dtype, fortran=fortran)

    def load(self) -> np.ndarray:
        """The whole array."""
        with self._stream() as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)

    def blocks(self) -> Iterator[np.ndarray]:
        """The rows of an array of bytes, some at a time."""
        row = math.prod(self.shape[1:])
        some = max(1, _BLOCK // row)
        if self.fortran:
            whole = self.load()
            yield from (whole[i : i + some] for i in range(0, len(whole), some))
            return
        with self._stream() as stream:
            _header(stream)
            for start in range(0, self.shape[0], some):
                count = min(some, self.shape[0] - start)
                block = np.frombuffer(stream.read(count * row), np.uint8)
                yield block.reshape(count, *self.shape[1:])

    @contextlib.contextmanager
    def _stream(self):
        alone = self.file.suffix.lower() == ".npy"
        try:
            with contextlib.ExitStack() as opened:
                if alone:
                    yield opened.enter_context(open(self.file, "rb"))
                else:
                    arrays = opened.enter_context(zipfile.ZipFile(self.file))
                    yield opened.enter_context(arrays.open(f"{self.name}.npy"))
        # zipfile, zlib and NumPy raise many exceptions on damaged files.
        except Exception as error:
            said = " cannot be read" if alone else f": cannot read the array {self.name!r}"
            raise ValueError(f"npz:{self.file}{said}: {error}") from error


def _header(stream) -> tuple[tuple, bool, np.dtype]:
    """(shape, order of Fortran, dtype), read from the beginning of a .npy file."""
    formats = np.lib.format
    version = formats.read_magic(stream)
    readers = {(1, 0): formats.read_array_header_1_0, (2, 0): formats.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the format is for arrays of records")
    return readers[version](stream)


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """An LZMA-compressed .npz file of `arrays`: the same arrays give the same bytes."""
    contents = io.BytesIO()
    with zipfile.ZipFile(contents, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0))
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_LZMA
            # The default depends on the operating system.
            entry.create_system = 3
            archive.writestr(entry, buffer.getvalue())
    return contents.getvalue()
