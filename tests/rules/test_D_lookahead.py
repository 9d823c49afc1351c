"""D2: what a run did up to a bar does not change when later bars are removed or replaced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.cases import COSTS, HELD, Case, breakout, random_bars
from tests.rules.test_D_parity import EVERY_CASE, KINDS, TYPES
from vecbt.engine.inputs import AlignedInputs
from vecbt.engine.strategy import as_strategy


def cut_inputs(given: Any, run: Any, stop: int) -> Any:
    """What decides, for the first `stop` bars."""
    if not isinstance(given, KINDS):
        return given
    if run.inputs.orders is not None:
        starts = run.inputs.starts[: stop + 1]
        return AlignedInputs(run.inputs.kind, None, None, run.inputs.orders[: starts[-1]], starts, run.bars.N)
    if run.inputs.flags is not None:
        return vb.Signals(*((run.inputs.flags[:stop] >> bit & 1).astype(bool) for bit in range(4)))
    return TYPES[run.inputs.kind.name](run.inputs.values[:stop])


def assert_same_past(whole: Any, part: Any, stop: int) -> None:
    """Everything up to, not including, bar `stop` is equal to the last bit; orders that waited then may have been settled since."""
    for name in ("equity", "cash", "zone"):
        a, b = getattr(whole, name), getattr(part, name)
        assert (a is None) == (b is None) and (a is None or a[:stop].tobytes() == b[:stop].tobytes()), name
    for name, time in (("fills", "t"), ("trades", "exit_t"), ("orders", "t_done")):
        a, b = getattr(whole, name), getattr(part, name)
        a, b = (log[(log[time] < stop) & (log[time] >= 0)] for log in (a, b))
        assert a.tobytes() == b.tobytes(), name
    waited = [log[(log.t < stop) & ((log.t_done >= stop) | (log.t_done < 0))] for log in (whole.orders, part.orders)]
    names = ["id", "t", "asset", "reason", "priority"]
    if not whole.bars.market.events and whole.inputs.orders is None:  # else what waits may be split, or filled in parts, later
        names += ["close_q", "open_q", "wanted"]
    for name in names:
        a, b = (np.sort(log, order=["account", "id"])[name] for log in waited)
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), name


def reversed_from(inputs: AlignedInputs, stop: int) -> AlignedInputs:
    """The same rows up to bar `stop`, the others in reverse."""
    if inputs.orders is not None and inputs.starts is not None:
        T, rows = len(inputs.starts) - 1, inputs.orders.copy()
        rows.t = np.where(rows.t < stop, rows.t, stop + T - 1 - rows.t)
        rows = rows[np.argsort(rows.t, kind="stable")].view(np.recarray)
        return AlignedInputs(inputs.kind, None, None, rows, np.searchsorted(rows.t, np.arange(T + 1)).astype(np.int64), inputs.assets)
    turned = [None if m is None else np.concatenate([m[:stop], m[stop:][::-1]]) for m in (inputs.flags, inputs.values)]
    return AlignedInputs(inputs.kind, *turned)


def spliced(first: vb.Bars, second: vb.Bars, stop: int) -> vb.Bars:
    """Bars of the first up to bar `stop`, then those of the second, events included, but no delisting."""
    block = np.concatenate([first.block[:, :stop], second.block[:, stop:]], axis=1)
    pairs = {name: (getattr(first, name), getattr(second, name)) for name in ("splits", "dividends", "funding")}
    events = {name: None if a is None else np.concatenate([a[:stop], b[stop:]]) for name, (a, b) in pairs.items()}
    known = {"missing": "no_market", "delisting": "hold", "market": first.market, "symbols": first.symbols}
    return vb.Bars.from_numpy(*block, index=first.index, **known, **events)


@EVERY_CASE
@pytest.mark.parametrize("stop", [1, 30, 62])
def test_D2_removing_later_bars_changes_nothing_before(case: Case, stop: int) -> None:
    bars, arguments = case.bars(), {**case.arguments(), "liquidate_at_end": False}
    given = case.given(bars)
    whole = vb.backtest(bars, given, **arguments).run
    fewer = {**case.arguments(stop), "liquidate_at_end": False}
    assert_same_past(whole, vb.backtest(bars[:stop], cut_inputs(given, whole, stop), **fewer).run, stop)


@EVERY_CASE
def test_D2_replacing_later_bars_changes_nothing_before(case: Case) -> None:
    """From bar 45 on other prices, volumes, gaps and rows, and no delisting of B (which comes later)."""
    stop, arguments = 45, {**case.arguments(), "liquidate_at_end": False}
    first = case.bars(seed=7)
    mixed = spliced(first, case.bars(seed=9), stop)
    given = case.given(first)
    whole = vb.backtest(first, given, **arguments).run
    if isinstance(given, KINDS):
        given = reversed_from(whole.inputs, stop)
    assert_same_past(whole, vb.backtest(mixed, given, **arguments).run, stop)


def test_D2_a_function_and_its_strategy_are_the_same() -> None:
    bars = random_bars(2)
    runs = [vb.backtest(bars, source, costs=COSTS, positions=HELD).run for source in (breakout, as_strategy(breakout), breakout(bars))]
    assert len({run.fills.tobytes() for run in runs}) == 1
