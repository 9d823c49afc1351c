"""What holding cost and brought, and money paid in and out (T1, T2, F13, F15), by account."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN, ArrayTG
from ..core.codes import Reason
from ..engine.orders_input import booked_flows

if TYPE_CHECKING:
    from ..engine.run import Run

__all__ = ["Charges", "carry_by_asset", "charges", "given_up", "margin_calls"]


class Charges(NamedTuple):
    """Money, `(G,)` each; costs are positive, what a holding earned by them is negative."""

    borrow: ArrayN
    interest: ArrayN
    funding: ArrayN
    carry: ArrayN  # the sum of the three
    dividends: ArrayN
    deposits: ArrayN
    withdrawals: ArrayN
    withdrawals_given_up: ArrayN


def charges(run: Run) -> Charges:
    """Carry by its kinds: that of perpetuals is funding, that of other assets borrow fees, and what no asset has is interest."""
    funding, borrow = (_by_account(run, values) for values in carry_by_asset(run))
    carry = np.array(run.accounts["carry"], dtype=np.float64)
    owed = None if run.setup.carry is None else run.setup.carry.interest_rate
    interest = carry - funding - borrow if owed else np.zeros(len(carry))
    paid = np.zeros((1, len(carry))) if run.flows is None else run.flows
    return Charges(
        borrow=borrow,
        interest=interest,
        funding=funding,
        carry=carry,
        dividends=np.array(run.accounts["dividends"], dtype=np.float64),
        deposits=np.maximum(paid, 0.0).sum(axis=0),
        withdrawals=np.maximum(-paid, 0.0).sum(axis=0),
        withdrawals_given_up=given_up(run).sum(axis=0),
    )


def carry_by_asset(run: Run) -> tuple[ArrayN, ArrayN]:
    """Funding of perpetuals and borrow fees of other assets, `(N,)` each, of closed trades and of what is still open."""
    perpetual = np.array([name == "perpetual" for name in run.bars.market.instrument])
    by_asset = np.bincount(run.trades["asset"], weights=run.trades["carry"], minlength=run.bars.N) + run.assets["trade_carry"]
    return np.where(perpetual, by_asset, 0.0), np.where(perpetual, 0.0, by_asset)


def _by_account(run: Run, values: ArrayN) -> ArrayN:
    return values if run.equity.shape[1] > 1 else values.sum(keepdims=True)


def given_up(run: Run) -> ArrayTG:
    """What withdrawals asked for and could not take, at least 0, by bar and account `(T, G)` (F15); `(1, G)` where there are none."""
    if run.flows is None or run.setup.flows is None:
        return np.zeros((1, run.equity.shape[1]))
    asked = booked_flows(run.setup.flows, run.bars)[:, None]
    return np.maximum(run.flows - np.minimum(asked, 0.0), 0.0) * (asked < 0.0)


def margin_calls(run: Run) -> NDArray[np.int64]:
    """Bars at which each account had to close because its equity did not carry its positions (F13), `(G,)`."""
    calls = run.orders[run.orders["reason"] == int(Reason.MARGIN)]
    pairs = np.unique(np.stack([calls["account"], calls["t"]]), axis=1)
    return np.bincount(pairs[0], minlength=run.equity.shape[1])
