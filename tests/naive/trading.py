"""An episode of trading, slow and obvious: a stream, saved before the next bar is looked at, and restored."""

from __future__ import annotations

from typing import Any

import vecbt as vb


class NaiveEpisode:
    """One account that begins flat at bar `first`: `step(row)` gives its value at the next close, before the row of that bar."""

    def __init__(self, bars: vb.Bars, kind: Any, first: int, **keywords: Any) -> None:
        self.bars, self.kind, self.at = bars, kind, first
        self.keywords = keywords
        self.stream = self._new()

    def _new(self) -> vb.Stream:
        return vb.Stream(self.kind, market=self.bars.market, **self.keywords)

    def step(self, row: Any) -> float:
        """The bar with its row, then a look at the next one."""
        self.stream.update(self.bars.row(self.at), self.kind(row))
        self.at += 1
        ahead = self._new().restore(self.stream.save())
        ahead.update(self.bars.row(self.at))
        return float(ahead.books.accounts.equity[0])

    @property
    def booked(self) -> float:
        """After the last row."""
        return float(self.stream.books.accounts.equity[0])
