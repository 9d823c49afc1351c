"""Sums of powers of the returns over parts of the bars, a row a line of a sweep: in memory, or in files that are read where they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..engine.sweep_blocks import BLOCK_NAMES
from ..errors import StateError

if TYPE_CHECKING:
    from ..engine.sweep import SweepRun

__all__ = ["BlockSums"]

_PIECE = 4096  # rows that are copied at a time
_Arrays = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class BlockSums:
    """Rows of two arrays.

    Attributes
    ----------
    arrays : float64 (R, 16, 4) and (R, 64, 2); maps of files, or in memory
    rows : int64 (L,), which row each line has
    """

    arrays: _Arrays
    rows: NDArray[np.int64]

    @classmethod
    def of_run(cls, run: SweepRun) -> BlockSums | None:
        """Those of a run, a line each of its sets and accounts."""
        if run.blocks is None or run.fine is None:
            return None
        count = run.final.size
        return cls((run.blocks.reshape(count, *run.blocks.shape[2:]), run.fine.reshape(count, *run.fine.shape[2:])), np.arange(count))

    @classmethod
    def read(cls, folder: Path) -> BlockSums:
        """What `write` wrote, read where it is."""
        blocks, fine = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in BLOCK_NAMES)
        if len(blocks) != len(fine):
            raise StateError(f"{' and '.join(BLOCK_NAMES)} in {str(folder)!r} are not of one sweep")
        return cls((blocks, fine), np.arange(len(blocks)))

    @property
    def where(self) -> Literal["memory", "file"]:
        """Where they are."""
        return "file" if any(_is_map(array) for array in self.arrays) else "memory"

    def kept(self, wanted: NDArray[Any]) -> BlockSums:
        """Only these lines."""
        return BlockSums(self.arrays, self.rows[wanted])

    def of_lines(self) -> _Arrays:
        """A row a line: the arrays themselves where that is what they are, else a copy in memory."""
        if np.array_equal(self.rows, np.arange(len(self.arrays[0]))):
            return self.arrays
        return self.arrays[0][self.rows], self.arrays[1][self.rows]

    def write(self, folder: Path) -> None:
        """Write the rows of all lines as two arrays of NumPy, a piece at a time."""
        for name, array in zip(BLOCK_NAMES, self.arrays, strict=True):
            with (folder / name).open("wb") as file:
                about = {"descr": array.dtype.str, "fortran_order": False, "shape": (len(self.rows), *array.shape[1:])}
                np.lib.format.write_array_header_1_0(file, about)
                for part in _pieces(array, self.rows):
                    file.write(part.tobytes())

    def joined(self, other: BlockSums, lines: NDArray[np.int64]) -> BlockSums:
        """Some of the lines of both, counted through: in memory where both are, else in files without a name that end with the arrays."""
        made: list[NDArray[np.float64]] = []
        for mine, theirs in zip(self.arrays, other.arrays, strict=True):
            rows = np.concatenate([self.rows, other.rows + len(mine)])[lines]
            made.append(_gathered((mine, theirs), rows))
        return BlockSums((made[0], made[1]), np.arange(len(lines)))


def _is_map(array: NDArray[Any]) -> bool:
    return isinstance(array, np.memmap)


def _pieces(array: NDArray[Any], rows: NDArray[np.int64]) -> Any:
    for first in range(0, len(rows), _PIECE):
        yield np.ascontiguousarray(array[rows[first : first + _PIECE]])


def _gathered(parts: Sequence[NDArray[np.float64]], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows of two arrays one after the other, beyond those of the first they are of the second."""
    first, second = parts
    shape, maps = (len(rows), *first.shape[1:]), [part for part in parts if _is_map(part)]
    if not maps:
        out = np.empty(shape)
        near = rows < len(first)
        out[near], out[~near] = first[rows[near]], second[rows[~near] - len(first)]
        return out
    with tempfile.TemporaryFile(dir=_folder_of(maps)) as file:
        for start in range(0, len(rows), _PIECE):
            piece = rows[start : start + _PIECE]
            near = piece < len(first)
            rest = np.empty((len(piece), *first.shape[1:]))
            rest[near], rest[~near] = first[piece[near]], second[piece[~near] - len(first)]
            file.write(rest.tobytes())
        file.flush()
        return np.memmap(file, dtype=np.float64, mode="r", shape=shape)


def _folder_of(maps: Sequence[Any]) -> Path | None:
    """The folder of a file that is mapped, where more can be written; None: that of temporary files."""
    for array in maps:
        name = getattr(array, "filename", None)
        if isinstance(name, str | Path) and os.access(Path(name).parent, os.W_OK):
            return Path(name).parent
    return None
