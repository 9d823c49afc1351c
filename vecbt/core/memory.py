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

KEPT_BYTES = 256 * 2**20
"""Most memory that is kept while nobody uses it."""

_LEAST = 2**18  # smaller arrays are the allocator's: it keeps those itself
_LINE = 64  # arrays begin on a cache line, which compiled loops like

Memory = NDArray[np.uint8]


class _Store:
    """Memory nobody uses. Leases hold it themselves: some end when the interpreter has already let go of this module."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = RLock()  # a lease may end while another one begins, in the same thread
        self._kept: deque[Memory] = deque()

    def keep(self, memory: Memory) -> None:
        with self._lock:
            self._kept.append(memory)
            held = sum(part.nbytes for part in self._kept)
            while held > self._most:
                held -= self._kept.popleft().nbytes

    def find(self, size: int) -> Memory:
        with self._lock:
            for place, memory in enumerate(self._kept):
                if memory.nbytes == size:
                    del self._kept[place]
                    return memory
        raw = np.empty(size + _LINE, dtype=np.uint8)
        first = -raw.ctypes.data % _LINE
        return raw[first : first + size]


_STORE = _Store(KEPT_BYTES)


class _Lease:
    """Memory in use; arrays made of it keep it alive."""

    def __init__(self, size: int) -> None:
        self._store = _STORE
        self._memory = self._store.find(size)
        self.__array_interface__ = self._memory.__array_interface__

    def __del__(self) -> None:
        self._store.keep(self._memory)


def empty(shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
    """An array like `numpy.empty`, C order, whose memory is kept for the next one of its size when it is gone."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if size < _LEAST:
        return np.empty(shape, dtype=kind)
    array: NDArray[Any] = np.asarray(_Lease(size)).view(kind).reshape(shape)
    return array
