"""The streaming form of every indicator: rows in, values out; the state can be saved and restored."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayTN
from ..core.direct import direct
from ..core.kernel import Kernel
from ..core.state import plain, schema_hash
from ..errors import ConfigError, InputError
from .compute import allocated, named
from .save import pack, unpack
from .shape import readonly

__all__ = ["IndicatorStream", "check_assets"]


class IndicatorStream:
    """One indicator of N assets, one bar at a time: the run over all bars with one bar, so the same bits.

    Parameters
    ----------
    kernel : which indicator; `vb.indicators.stream("rsi", 14)` finds it by its name
    parameters : as for the public function, in order
    assets : how many
    """

    def __init__(self, kernel: Kernel, *parameters: Any, assets: int = 1, **more: Any) -> None:
        self.kernel, self.assets = kernel, check_assets(assets)
        self.parameters = kernel.bind(parameters, more)
        self._states, self._buffers, self._params = kernel.init(self.assets, *self.parameters)
        self._before = (plain(self._states), self._buffers, plain(self._params))
        self._rows = tuple(np.empty((1, self.assets)) for _ in kernel.inputs)
        self._views = tuple(readonly(row) for row in self._rows)

    def update(self, *rows: Any) -> Any:
        """The values (N,) after one more bar, several outputs by name.

        Parameters
        ----------
        rows : one (N,) row for each input of the kernel, in order, or numbers for one asset; NaN is a bar without a market
        """
        if len(rows) != len(self._rows):
            raise InputError(f"{self.kernel.name} takes {', '.join(self.kernel.inputs)} a bar; {len(rows)} rows were given")
        for name, into, row in zip(self.kernel.inputs, self._rows, rows, strict=True):
            self._take(name, into, row)
        out = allocated(self.kernel, (1, self.assets))
        self.kernel.run(*self._before, self._views, out)
        return named(self.kernel, out, lambda part: part[0])

    def run(self, rows: tuple[ArrayTN, ...], out: NDArray[np.float64]) -> None:
        """Many bars at once: read-only C-order float64 matrices (T, N), nothing infinite in them; the state goes on."""
        self.kernel.run(*self._before, rows, out)

    def stepper(self, rows: tuple[ArrayTN, ...], out: NDArray[np.float64]) -> Callable[[], object]:
        """A call without arguments that does what `update` does, in a tenth of its time.

        Parameters
        ----------
        rows : one (1, N) array for each input, read-only; the caller writes each bar into the memory behind them, and nothing infinite
        out : (1, N), or (outputs, 1, N), what the values are written into
        """
        arguments = (*self._before, tuple(rows), out)
        return partial(direct(self.kernel.run, *arguments), *arguments)

    def _take(self, name: str, into: ArrayTN, row: Any) -> None:
        shape = np.shape(row)
        if shape != (self.assets,) and not (shape == () and self.assets == 1):
            raise InputError(f"a row of shape {shape} came in; this stream has {self.assets} assets: expected ({self.assets},)")
        into[0] = row
        if math.isinf(into[0, 0]) if self.assets == 1 else np.isinf(into).any():
            raise InputError(f"{name} of asset {int(np.isinf(into[0]).argmax())} is infinite; a missing value is NaN")

    @property
    def parts(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """All that changes from bar to bar: states and buffers."""
        return self._states, self._buffers

    @property
    def header(self) -> dict[str, Any]:
        """What a saved state must have been saved from."""
        parameters = [value if isinstance(value, str) else float(value) for value in self.parameters]
        layout = schema_hash(self.kernel.state)
        return {"kind": self.kernel.name, "parameters": parameters, "assets": self.assets, "layout": layout}

    def save(self) -> bytes:
        """The state as bytes: a stream restored from it goes on bit for bit."""
        return pack(self.header, *self.parts)

    def restore(self, data: bytes) -> None:
        """Go on from saved bytes. StateError when they are of another indicator, other parameters or another number of assets."""
        for part, saved in zip(self.parts, unpack(data, self.header), strict=True):
            part[...] = saved.view(part.dtype)

    def __repr__(self) -> str:
        given = ", ".join(f"{domain.name}={value}" for domain, value in zip(self.kernel.parameters, self.parameters, strict=True))
        return f"IndicatorStream({self.kernel.name}, {given}{', ' if given else ''}assets={self.assets})"


def check_assets(assets: int) -> int:
    """A number of assets, at least 1."""
    if isinstance(assets, bool) or not isinstance(assets, int) or assets < 1:
        raise ConfigError(f"assets is {assets!r}; expected a whole number of at least 1")
    return assets
