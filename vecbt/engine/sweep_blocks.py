"""Sums over parts of the bars in files: the rows of some sets at a time, read as arrays when all are there."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, StateError
from .sweep_run import BLOCKS, FINE_BLOCKS

__all__ = ["BLOCK_NAMES", "BlockFiles"]

BLOCK_NAMES = ("blocks.npy", "fine.npy")
"""What the files are called: arrays of NumPy's own format. While they are written, with `.partial` behind."""

_PIECE = 4096  # rows that are read or written at a time
_FLOAT = np.dtype("<f8")


class BlockFiles:
    """`blocks` (C, A, 16, 4) and `fine` (C, A, 64, 2) of a sweep, in two files of a folder.

    They are written with plain writes and not through a map of memory, whose pages would count as those of the process.

    Parameters
    ----------
    folder : where they are, or will be
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: tuple[_Rows, ...] = ()

    def open(self, shape: tuple[int, int]) -> None:
        """Begin, or go on, with files for so many sets and accounts; a file of another size is begun anew."""
        if self._files:
            return
        try:
            self.folder.mkdir(exist_ok=True)
            shapes = ((*shape, BLOCKS, 4), (*shape, FINE_BLOCKS, 2))
            self._files = tuple(_Rows(self.folder / name, rows) for name, rows in zip(BLOCK_NAMES, shapes, strict=True))
        except OSError as error:
            raise ConfigError(f"block sums cannot be written in {str(self.folder)!r}: {error}") from error

    def put(self, numbers: NDArray[np.int64], blocks: NDArray[np.float64], fine: NDArray[np.float64]) -> None:
        """Write the rows of these sets."""
        for file, rows in zip(self._files, (blocks, fine), strict=True):
            file.put(numbers, rows)

    def digest(self, numbers: NDArray[np.int64]) -> str:
        """SHA-256 of the rows of these sets as they stand in the files, hexadecimal."""
        found = hashlib.sha256()
        for file in self._files:
            for part in file.parts(numbers):
                found.update(part)
        return found.hexdigest()

    def finish(self, done: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """NaN for the sets that are not done, and both files as arrays that are read where they are, read-only."""
        left = np.flatnonzero(~done)
        blocks, fine = (file.finish(left) for file in self._files)
        self.close()
        return blocks, fine

    def close(self) -> None:
        """Close the files, finished or not."""
        for file in self._files:
            file.close()
        self._files = ()


class _Rows:
    """One file: a row a set."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path, self._shape = path, shape
        self._row = _FLOAT.itemsize * math.prod(shape[1:])
        head = BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": _FLOAT.str, "fortran_order": False, "shape": shape})
        self._head = head.getvalue()
        self._open = path if path.is_file() else path.with_name(f"{path.name}.partial")
        size = len(self._head) + self._row * shape[0]
        self._file = os.fdopen(os.open(self._open, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", buffering=0)
        if self._file.read(len(self._head)) != self._head or self._open.stat().st_size != size:
            self._file.truncate(0)
            self._file.seek(0)
            self._file.write(self._head)
            self._file.truncate(size)

    def _spans(self, numbers: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Places in `numbers`, and numbers that follow each other, a piece at most."""
        at = 0
        for run in np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1):
            for first in range(0, len(run), _PIECE):
                yield at + first, run[first : first + _PIECE]
            at += len(run)

    def put(self, numbers: NDArray[np.int64], rows: NDArray[np.float64]) -> None:
        """Rows at their places."""
        for at, span in self._spans(numbers):
            self._seek(span)
            data = memoryview(np.ascontiguousarray(rows[at : at + len(span)], dtype=_FLOAT).tobytes())
            while data:
                data = data[self._file.write(data) :]

    def parts(self, numbers: NDArray[np.int64]) -> Iterator[bytes]:
        """Bytes of the rows, some at a time."""
        for _, span in self._spans(numbers):
            self._seek(span)
            yield self._file.read(self._row * len(span))

    def _seek(self, span: NDArray[np.int64]) -> None:
        self._file.seek(len(self._head) + self._row * int(span[0]))

    def finish(self, left: NDArray[np.int64]) -> NDArray[np.float64]:
        """The array, with NaN in the rows that are left."""
        for first in range(0, len(left), _PIECE):
            part = left[first : first + _PIECE]
            self.put(part, np.full((len(part), *self._shape[1:]), np.nan))
        self.close()
        if self._open != self._path:
            os.replace(self._open, self._path)
        found = np.load(self._path, mmap_mode="r", allow_pickle=False)
        if found.shape != self._shape:
            raise StateError(f"{str(self._path)!r} was changed by something else while the sweep ran")
        return found  # type: ignore[no-any-return]

    def close(self) -> None:
        """No more writing."""
        self._file.close()
