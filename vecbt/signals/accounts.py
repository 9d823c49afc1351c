"""Each member's own account inside a run: what its rows would have earned, with costs, up to each bar and never beyond.

Batch: `simulate` of the member's rows. Stream: one engine stream per member on the same bars. Both are the engine, so their equity is
equal to the last bit. The accounts trade the prices that strategies read (T9); dividends and funding are left out.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.codes import InputKind
from ..data.bar import NormalBar
from ..data.bars import Bars
from ..data.market import Market
from ..engine.batch import simulate
from ..engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, AlignedInputs, Signals, Strengths
from ..engine.setup import Setup
from ..engine.stream import Stream
from ..errors import ConfigError

__all__ = ["Accounts", "account_setup", "equities"]

_REFUSED = ("positions", "flows", "liquidate_at_end")
_TYPES: dict[int, Any] = {int(InputKind.SIGNALS): Signals, int(InputKind.STRENGTHS): Strengths}


def account_setup(setup: Setup) -> Setup:
    """The setup, if accounts of members can have it: they begin with money alone and are never closed by hand. ConfigError else."""
    for name in _REFUSED:
        if getattr(setup, name):
            raise ConfigError(f"{name} is {getattr(setup, name)!r}; the accounts of members start with money alone: leave it out")
    return setup


def equities(bars: Bars, rows: list[AlignedInputs], setup: Setup) -> NDArray[np.float64]:
    """Equity at the end of each bar, (M, T, G), of an account for each member's rows."""
    plain = Bars._trusted(
        bars.block,
        bars.index,
        replace(bars.market, events=False),
        source=bars.periods_per_year_source,
        has_volume=bars.has_volume,
        delist_bar=bars.delist_bar,
        delist_haircut=bars.delist_haircut,
    )
    return np.stack([simulate(plain, None, given, setup).equity for given in rows])


class Accounts:
    """One engine stream for each of M members."""

    def __init__(self, setup: Setup, market: Market, members: int) -> None:
        self._keywords = {f.name: getattr(setup, f.name) for f in fields(setup)}
        self._market = replace(market, events=False)
        self._streams: list[Stream | None] = [None] * members

    def update(self, bar: NormalBar, rows: list[AlignedInputs]) -> NDArray[np.float64]:
        """Equity (M, 1, G) after one more bar with these rows."""
        plain = replace(bar, splits=None, dividends=None, funding=None)
        out = []
        for m, row in enumerate(rows):
            stream = self._streams[m]
            if stream is None:
                stream = self._streams[m] = self._new(int(row.kind))
            stream.update(plain, _as_given(row))
            out.append(stream.books.accounts.equity.copy())
        return np.array(out)[:, None, :]

    def _new(self, kind: int) -> Stream:
        return Stream(_TYPES[kind], market=self._market, session="member", **self._keywords)

    def save(self) -> list[bytes]:
        """The bytes of each account, empty before the first bar."""
        return [b"" if stream is None else stream.save() for stream in self._streams]

    def restore(self, blobs: list[bytes], kinds: NDArray[np.int64]) -> None:
        """Go on from `save`; `kinds` (M,) says what each member gives."""
        self._streams = [self._new(int(kind)).restore(blob) if blob else None for blob, kind in zip(blobs, kinds, strict=True)]


def _as_given(row: AlignedInputs) -> Signals | Strengths:
    if row.flags is None:
        assert row.values is not None
        return Strengths(row.values[0])
    entries, exits, short_entries, short_exits = ((row.flags[0] & bit) != 0 for bit in (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT))
    return Signals(entries=entries, exits=exits, short_entries=short_entries, short_exits=short_exits)
