"""What the engine returns: arrays and logs, no frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._typing import ArrayN, ArrayTG, Records

if TYPE_CHECKING:
    import numpy as np

    from ..data.bars import Bars
    from .inputs import AlignedInputs
    from .setup import Setup

__all__ = ["Run"]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished simulation.

    Attributes
    ----------
    bars, setup, source, inputs
        What went in: the bars, every parameter, the strategy or inputs as given, and the inputs aligned to the bars.
    equity, cash : float64 (T, G)
        At the close of each bar, per account (G = 1 shared, N separate), money.
    zone : uint8 (T, G) or None
        Drawdown zone per bar (Z1); None when zones are off.
    flows : float64 (T, G) or None
        Deposits and withdrawals paid in each bar (F15); None where there are none.
    initial : float64 (G,)
        Equity before the first bar (F14).
    orders, fills, trades : records
        In time order; see `engine.log`. Orders still waiting at the end stand last, with status PENDING.
    accounts, assets : records (G,), (N,)
        The books after the last bar.
    """

    bars: Bars
    setup: Setup
    source: Any
    inputs: AlignedInputs
    equity: ArrayTG
    cash: ArrayTG
    zone: np.ndarray | None
    initial: ArrayN
    flows: ArrayTG | None
    orders: Records
    fills: Records
    trades: Records
    accounts: Records
    assets: Records
