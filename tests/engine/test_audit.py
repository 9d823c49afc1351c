"""F3: accounts that audit themselves. Honest runs of every kind pass; whatever is bent in the books is found, with bar and order."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

import vecbt as vb
from tests.rules.cases import CASES, COSTS, IMPACT, STOPS, Case
from tests.rules.helpers import bars_of
from vecbt.data.labels import label_text
from vecbt.engine.audit import audit
from vecbt.engine.run import Run
from vecbt.errors import AuditError

DEAR = vb.Costs(commission_rate=0.02, per_order=1.0, per_unit=0.01, minimum=2.0, maximum_rate=0.1, slippage_bps=80)


@given(
    case=st.sampled_from(CASES),
    seed=st.integers(0, 10_000),
    costs=st.sampled_from([None, vb.Costs.free(), DEAR]),
    capital=st.sampled_from([50.0, 2_000.0, 1e6]),
    end=st.booleans(),
)
@example(case=next(c for c in CASES if c.name == "weights of too much"), seed=3600, costs=None, capital=50.0, end=False)
def test_f3_honest_runs_pass(case: Case, seed: int, costs: vb.Costs | None, capital: float, end: bool) -> None:
    """Random bars for each rule combination; a capital of 50 buys one unit at most and is soon gone."""
    bars = case.bars(seed=seed, T=60)
    keywords = {**case.arguments(60), "initial_capital": capital, "liquidate_at_end": end}
    if costs is not None:
        keywords["costs"] = costs
    result = vb.backtest(bars, case.given(bars), audit=True, **keywords)
    event("ruined" if (result.run.equity <= 0).any() else "alive")


@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["signals", "quantities", "weights"]),
    lot=st.sampled_from([0.0, 0.25, 1.0]),
    multiplier=st.sampled_from([0.1, 1.0, 50.0]),
    fill=st.sampled_from(["next_open", "close"]),
    held=st.sampled_from([0.0, 0.3, -0.3]),
)
@example(seed=2679, kind="weights", lot=0.0, multiplier=50.0, fill="next_open", held=-0.3)
@example(seed=2679, kind="weights", lot=0.0, multiplier=50.0, fill="next_open", held=0.3)
@example(seed=2679, kind="weights", lot=0.0, multiplier=50.0, fill="next_open", held=0.0)
def test_f3_honest_runs_of_wild_assets_pass(seed: int, kind: str, lot: float, multiplier: float, fill: str, held: float) -> None:
    """One asset that loses and gains up to half of its price in a bar, long and short, far beyond ruin."""
    rng = np.random.default_rng(seed)
    close = 100 * np.cumprod(rng.uniform(0.6, 1.6, 50))
    opening = close * rng.uniform(0.8, 1.25, 50)
    high, low = np.maximum(opening, close) * 1.1, np.minimum(opening, close) * 0.9
    bars = vb.Bars.from_numpy(opening, high, low, close, index=np.arange(50) * 86_400_000_000_000, lot=lot, multiplier=multiplier)
    given_ = {
        "signals": vb.Signals(*(rng.random((50, 1)) < 0.3 for _ in range(4))),
        "quantities": vb.Quantities(rng.integers(-20, 20, (50, 1)) / multiplier),
        "weights": vb.Weights(rng.uniform(-1.5, 1.5, (50, 1))),
    }[kind]
    positions = {"asset": (held, 100.0)} if held else None
    vb.backtest(bars, given_, costs=DEAR, fill=fill, initial_capital=3000.0, positions=positions, audit=True)


# --- what is bent is found ------------------------------------------------------------------------------------------


@functools.cache
def honest(which: int) -> Run:
    """The run of one of the cases, made once: what is bent is a copy."""
    case = CASES[which]
    bars = case.bars(seed=21)
    run = vb.backtest(bars, case.given(bars), audit=True, **case.arguments()).run
    assert len(run.trades) > 5
    return run


SHARED, APART = 2, 5  # of the cases
BOTH = pytest.mark.parametrize("run", [SHARED, APART], ids=["one account", "an account each"], indirect=True)


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """An honest run, for tests that bend it."""
    return honest(request.param)


def bent(run: Run, name: str, k: Any, field: str | None, change: Callable[[Any], Any]) -> Run:
    """The run with one number of one of its arrays changed."""
    array = getattr(run, name).copy()
    target = array if field is None else array[field]
    target[k] = change(target[k])
    return replace(run, **{name: array})


def refused(run: Run) -> str:
    with pytest.raises(AuditError) as caught:
        audit(run)
    return str(caught.value)


def where(run: Run, t: int, account: int) -> str:
    """How a message about bar `t` begins."""
    return f"audit: bar {t} ({label_text(int(run.bars.index[t]))}), account {account}: "


def last_order(run: Run, t: int, account: int) -> str:
    """How it ends: the order of that account filled last up to that bar."""
    fill = run.fills[(run.fills.t <= t) & (run.fills.account == account)][-1]
    symbol = run.bars.symbols[fill.asset]
    return f"last filled: order {fill.order} of account {account}, {symbol}, {fill.q:+g} at {fill.price:g}, bar {fill.t}"


@BOTH
@pytest.mark.parametrize("k", [0, 7, -1])
@pytest.mark.parametrize(
    ("field", "change"),
    [("q", lambda q: q * 1.001), ("q", lambda q: -q), ("price", lambda p: p + 0.01), ("commission", lambda c: c + 0.01)],
    ids=["quantity", "side", "price", "commission"],
)
def test_a_bent_fill_is_found_at_its_bar_and_order(run: Run, k: int, field: str, change: Callable[[Any], Any]) -> None:
    fill = run.fills[k]
    found = bent(run, "fills", k, field, change)
    message = refused(found)
    assert message.startswith(where(run, int(fill.t), int(fill.account)))
    assert last_order(found, int(fill.t), int(fill.account)) in message


@BOTH
@pytest.mark.parametrize("name", ["cash", "equity"])
@pytest.mark.parametrize("t", [0, 40, 89])
def test_a_bent_row_of_cash_or_equity_is_found_at_its_bar(run: Run, name: str, t: int) -> None:
    """A millionth of the capital, in the last account."""
    account = run.equity.shape[1] - 1
    message = refused(bent(run, name, (t, account), None, lambda money: money + 0.002))
    assert message.startswith(where(run, t, account) + name + " is ")
    assert "from the fills it is" in message
    if (run.fills.t[run.fills.account == account] <= t).any():
        assert last_order(run, t, account) in message
    else:
        assert "no order was filled before" in message


@BOTH
@pytest.mark.parametrize("field", ["pnl", "gross", "commission", "quantity", "entry_price", "exit_price"])
@pytest.mark.parametrize("k", [0, 3, -1])
def test_a_bent_trade_is_found_at_its_exit(run: Run, field: str, k: int) -> None:
    trade = run.trades[k]
    message = refused(bent(run, "trades", k, field, lambda value: value + 0.01))
    assert message.startswith(where(run, int(trade.exit_t), int(trade.account)))
    assert f"the trade of {run.bars.symbols[trade.asset]}" in message
    assert last_order(run, int(trade.exit_t), int(trade.account)) in message


@BOTH
@pytest.mark.parametrize(
    ("field", "change"),
    [("exit_t", lambda t: t + 1), ("entry_t", lambda t: t + 1), ("side", lambda s: -s), ("asset", lambda n: (n + 1) % 3)],
    ids=["exit", "entry", "side", "asset"],
)
def test_a_trade_of_another_time_side_or_asset_is_found(run: Run, field: str, change: Callable[[Any], Any]) -> None:
    message = refused(bent(run, "trades", 3, field, change))
    assert "trade" in message and "last filled: order" in message


@BOTH
@pytest.mark.parametrize("k", [0, 4, -1])
def test_a_missing_trade_is_found(run: Run, k: int) -> None:
    asset = int(run.trades[k].asset)
    count = int((run.trades.asset == asset).sum())
    message = refused(replace(run, trades=np.delete(run.trades, k).view(np.recarray)))
    assert f"{run.bars.symbols[asset]} has {count - 1} trades in the log, its fills make {count}" in message
    assert "last filled: order" in message


@BOTH
def test_a_trade_too_many_is_found(run: Run) -> None:
    trades = np.concatenate([run.trades, run.trades[-1:]]).view(np.recarray)
    assert "trades in the log, its fills make" in refused(replace(run, trades=trades))


@BOTH
@pytest.mark.parametrize("k", [0, 5, -1])
def test_a_missing_fill_and_one_too_many_are_found(run: Run, k: int) -> None:
    fill = run.fills[k]
    for fills in (np.delete(run.fills, k), np.insert(run.fills, k, fill)):
        message = refused(replace(run, fills=fills.view(np.recarray)))
        assert message.startswith(where(run, int(fill.t), int(fill.account)))
        assert f"order {fill.order} of {run.bars.symbols[fill.asset]} has filled " in message


@BOTH
def test_a_bent_position_is_found_at_the_end(run: Run) -> None:
    for n in range(3):
        message = refused(bent(run, "assets", n, "q", lambda q: q + 0.001))
        assert message.startswith(where(run, 89, int(run.assets.g[n])))
        assert f"{run.bars.symbols[n]} holds" in message


@BOTH
def test_a_fill_booked_to_another_bar_is_found(run: Run) -> None:
    """The sums at the end are right; only the bar between tells."""
    k = len(run.fills) // 2
    t = int(run.fills[k].t)
    message = refused(bent(run, "fills", k, "t", lambda t: t + 1))
    assert message.startswith(where(run, t, int(run.fills[k].account)))


def test_a_start_that_is_not_the_equity_before_is_found() -> None:
    """`initial` is the capital and the starting positions at their entry prices (F14)."""
    run = honest(9)
    assert run.initial[0] == 2000 + 12 * 41 - 5 * 39
    message = refused(replace(run, initial=run.initial + 1.0))
    assert message.startswith(where(run, 0, 0)) and "initial equity is 2298, capital and starting positions make 2297" in message


def test_f4_borrowed_cash_is_found_in_an_account_without_leverage() -> None:
    """Gross weights may overdraw cash (W2); the same books called net may not."""
    run = vb.backtest(bars_of([100, 100]), vb.Weights([[1.0], [np.nan]]), costs=DEAR, weights_of="gross", audit=True).run
    message = refused(replace(run, setup=replace(run.setup, weights_of="net")))
    assert "exposure at the open is 100800 after new risk, the equity carries 97973" in message
    assert message.startswith(where(run, 1, 0)) and last_order(run, 1, 0) in message


def test_the_first_violation_is_named() -> None:
    """Two rows are bent: the earlier one is told."""
    run = bent(bent(honest(SHARED), "cash", (60, 0), None, lambda money: money + 1), "cash", (30, 0), None, lambda money: money + 1)
    assert refused(run).startswith(where(run, 30, 0))


def test_audit_is_asked_for_by_a_keyword(monkeypatch: pytest.MonkeyPatch) -> None:
    """`backtest(audit=True)` is this audit: with books that do not add up it raises, without it nobody looks."""
    from vecbt.engine.batch import Batch

    finish = Batch.finish
    monkeypatch.setattr(Batch, "finish", lambda self: bent(finish(self), "cash", (1, 0), None, lambda money: money + 1))
    inputs = vb.Quantities([[1.0], [1.0]])
    vb.backtest(bars_of([100, 100]), inputs, costs=COSTS)
    with pytest.raises(AuditError, match=r"bar 1 .* account 0: cash is"):
        vb.backtest(bars_of([100, 100]), inputs, costs=COSTS, audit=True)


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_f4_costs_of_a_sale_may_exceed_the_money_there_is(fill: str) -> None:
    """All of 1,000 in a stock that falls to 0.5: 10 units bring 5, the sale costs 20. That is a rule (F4), no fault of the books."""
    bars = bars_of([100, 100, 0.5, 0.5])
    out = vb.backtest(
        bars, vb.Quantities([[9.8], [np.nan], [0.0], [np.nan]]), costs=vb.Costs(per_order=20), initial_capital=1000.0, fill=fill, audit=True
    )
    assert out.run.cash[-1, 0] == pytest.approx(-15.1)


def test_f3_the_impact_of_volume_is_in_the_books() -> None:
    bars = CASES[4].bars(seed=3)
    vb.backtest(bars, CASES[4].given(bars), costs=IMPACT, stops=STOPS, audit=True)


def test_f3_an_account_without_a_single_order_row_passes() -> None:
    """Its own exits are orders too: here a time stop of what it held from the start."""
    held = {"positions": {"A": (1.0, 100.0)}, "stops": vb.Stops(time_bars=1)}
    out = vb.backtest(bars_of([100, 100, 100]), vb.Orders({}), costs=vb.Costs.free(), initial_capital=1000.0, audit=True, **held)
    assert out.run.fills.t.tolist() == [1]
