"""Order ids: the same in batch and stream, and never twice (the live session will use them as client order ids)."""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb


@pytest.mark.parametrize("accounts", ["shared", "separate"])
def test_batch_and_stream_give_an_order_the_same_id(accounts: str) -> None:
    bars = vb.synthetic.gbm(120, 3, seed=4)
    targets = np.where(np.random.default_rng(5).random((120, 3)) < 0.2, 1.0, np.nan)
    targets[np.random.default_rng(6).random((120, 3)) < 0.1] = 0.0
    keywords = {"costs": vb.Costs(commission_rate=0.001), "accounts": accounts}
    result = vb.backtest(bars, vb.Strengths(targets), **keywords)
    ids = result.order_ids("paper")
    assert len(ids) > 20 and len(set(ids)) == len(ids)

    stream = vb.Stream(vb.Strengths, market=bars.market, session="paper", **keywords)
    queued: set[str] = set()
    for t in range(bars.T):
        queued |= set(stream.update(bars.row(t), vb.Strengths(targets[t])).order_ids())
    refused = {i for i, o in zip(ids, result.run.orders, strict=True) if o.t == o.t_done}
    assert queued == set(ids) - refused
