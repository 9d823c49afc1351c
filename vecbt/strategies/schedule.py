"""Periods of the calendar in which strategies rebalance, by the dates of sessions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._typing import IndexT

__all__ = ["PERIODS", "begins_of", "first_in_period", "period_of"]

PERIODS = ("once", "bar", "day", "week", "month", "quarter", "year")
"""What a schedule may be called."""


def period_of(days: IndexT, every: str) -> IndexT:
    """The number of the period each session lies in; weeks begin on Monday. "once" is one period, and "bar" too: see `begins_of`."""
    if every == "week":
        return np.asarray((days + 3) // 7)
    if every in ("month", "quarter"):
        months = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
        return months if every == "month" else months // 3
    if every == "year":
        return days.astype("M8[D]").astype("M8[Y]").astype(np.int64)
    return days if every == "day" else np.zeros_like(days)


def begins_of(days: IndexT, every: str) -> NDArray[np.bool_]:
    """Which bars are the first of their period, (T,); with "bar" all are."""
    period = period_of(days, every)
    begins = np.ones(len(days), dtype=bool)
    begins[1:] = (period[1:] != period[:-1]) | (every == "bar")
    return begins


def first_in_period(present: NDArray[np.bool_], begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where each asset has its first market of a period, (T, N), from where it has one and which bars begin a period."""
    period = np.cumsum(begins)
    last = np.where(present, period[:, None], 0)
    before = np.zeros_like(last)
    np.maximum.accumulate(last[:-1], axis=0, out=before[1:])
    return np.asarray(present & (before < period[:, None]))
