"""What the streaming forms of indicators share: rows in, state out and in again."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTN, Records
from ..core.direct import direct
from ..core.state import schema_hash
from ..errors import ConfigError, InputError
from .save import pack, unpack
from .shape import readonly

__all__ = ["IndicatorStream", "check_assets"]


class IndicatorStream:
    """State of one indicator for N assets. Subclasses call `_begin` with their run, and `_advance` in their `update`."""

    kind: ClassVar[str]
    inputs: ClassVar[int] = 1

    def _begin(self, assets: int, window: int, run: Any, states: Records, *rest: Any) -> None:
        """`rest` is what else the run takes before the rows: buffers, where there are any, and parameters."""
        self.assets, self.window = assets, window
        self._run, self._states = run, states
        self._buffers: ArrayTN | None = rest[0] if len(rest) == 2 else None
        self._before = tuple(_argument(a, run) for a in (states, *rest))
        self._rows = [np.empty((1, assets)) for _ in range(self.inputs)]
        self._views = [readonly(row) for row in self._rows]

    def _advance(self, *rows: Any) -> ArrayN:
        """One more bar of rows (N,), or of numbers for one asset: the values (N,) after it."""
        for into, row in zip(self._rows, rows, strict=True):
            self._take(into, row)
        out = np.empty((1, self.assets))
        self._run(*self._before, *self._views, out)
        values: ArrayN = out[0]
        return values

    def stepper(self, rows: NDArray[np.float64], out: ArrayTN) -> Callable[[], object]:
        """A call without arguments that does what `update` does, in a tenth of its time.

        Parameters
        ----------
        rows : (inputs, 1, N), read-only; the caller writes each bar into the memory behind them, and nothing infinite
        out : (1, N), what the values are written into
        """
        arguments = (*self._before, *rows, out)
        return partial(direct(self._run, *arguments), *arguments)

    def _take(self, into: ArrayTN, row: Any) -> None:
        shape = np.shape(row)
        if shape != (self.assets,) and not (shape == () and self.assets == 1):
            raise InputError(f"a row of shape {shape} came in; this stream has {self.assets} assets: expected ({self.assets},)")
        into[0] = row
        if math.isinf(into[0, 0]) if self.assets == 1 else np.isinf(into).any():
            raise InputError(f"the value of asset {int(np.isinf(into[0]).argmax())} is infinite; a missing value is NaN")

    def _header(self) -> dict[str, Any]:
        assert self._states.dtype is not None
        return {"kind": self.kind, "window": self.window, "assets": self.assets, "layout": schema_hash(self._states.dtype)}

    def save(self) -> bytes:
        """The state as bytes: a stream restored from it goes on bit for bit."""
        arrays = [self._states] if self._buffers is None else [self._states, self._buffers]
        return pack(self._header(), *arrays)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes. StateError when they are of another indicator, window or number of assets."""
        arrays = unpack(data, self._header())
        self._states[:] = arrays[0].view(self._states.dtype)
        if self._buffers is not None:
            self._buffers[:] = arrays[1]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(assets={self.assets}, window={self.window})"


def check_assets(assets: int) -> int:
    """A number of assets, at least 1."""
    if isinstance(assets, bool) or not isinstance(assets, int) or assets < 1:
        raise ConfigError(f"assets is {assets!r}; expected a whole number of at least 1")
    return assets


def _argument(array: Any, run: Any) -> Any:
    """The same memory as a plain structured array: numba knows its type at once, that of a recarray takes it microseconds.

    An uncompiled run needs the recarray, because only that has attributes.
    """
    if hasattr(run, "signatures") and isinstance(array, np.recarray):
        return array.view(np.dtype((np.void, array.dtype)), np.ndarray)
    return array
