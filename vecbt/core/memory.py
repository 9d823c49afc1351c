"""Room for large arrays, used again: the memory of one that is gone becomes that of the next of its size.

The first touch of a fresh page can cost more than all that is computed into it (up to 7 microseconds for 4 kB on virtual machines), and
a backtest that is run again and again needs the same large arrays each time. Memory goes back when the last view of an array is gone,
whoever held it; a little is kept, the oldest is given up first.
"""

from __future__ import annotations

import math
from collections import deque
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["KEPT_BYTES", "empty"]

KEPT_BYTES = 128 * 2**20
"""Most memory that is kept while nobody uses it."""

_LEAST = 2**18  # smaller arrays are the allocator's: it keeps those itself
_LINE = 64  # arrays begin on a cache line, which compiled loops like

Memory = NDArray[np.uint8]

_lock = RLock()  # a lease may end while another one begins, in the same thread
_kept: deque[Memory] = deque()


class _Lease:
    """Memory in use; arrays made of it keep it alive."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        _keep(self._memory)


def _keep(memory: Memory) -> None:
    with _lock:
        _kept.append(memory)
        held = sum(part.nbytes for part in _kept)
        while held > KEPT_BYTES:
            held -= _kept.popleft().nbytes


def _find(size: int) -> Memory:
    with _lock:
        for place, memory in enumerate(_kept):
            if memory.nbytes == size:
                del _kept[place]
                return memory
    raw = np.empty(size + _LINE, dtype=np.uint8)
    first = -raw.ctypes.data % _LINE
    return raw[first : first + size]


def empty(shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
    """An array like `numpy.empty`, C order, whose memory is kept for the next one of its size when it is gone."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if size < _LEAST:
        return np.empty(shape, dtype=kind)
    array: NDArray[Any] = np.asarray(_Lease(_find(size))).view(kind).reshape(shape)
    return array
