"""What kernels hand on together: an account with its assets, and orders to go through."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._typing import Records

__all__ = ["Book", "Desk", "Queue"]


class Desk(NamedTuple):
    """An account and its assets `lo` to `hi - 1` of all."""

    lo: int
    hi: int
    acct: Any
    assets: Records


class Queue(NamedTuple):
    """The orders `first` to `last - 1`: the records of assets themselves (their working orders), or the book.

    `orders[k].n` is the asset of an order, `orders[k].g` its account.
    """

    first: int
    last: int
    orders: Records


class Book(NamedTuple):
    """The order book (section O), of which the first `used[0]` are in use; the last one is never used and stays zero."""

    orders: Records
    used: np.ndarray
