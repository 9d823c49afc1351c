"""A rule that is on with parameters that never act equals the rule off, and the uncompiled engine the compiled one: to the last bit."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.house.source import ROOT
from tests.rules.cases import CASES
from vecbt.engine.run import Run

COSTS = vb.Costs(commission_rate=0.001, per_order=1.0, minimum=2.0, slippage_bps=5.0)
FILLS = pytest.mark.parametrize("fill", ["next_open", "close"])

# --- a market with gaps, and every kind of row --------------------------------------------------------------------------------------


def _market(assets: int = 3, **options: Any) -> vb.Bars:
    """120 bars in ticks of 1/8, some without a market, within a third of 100 at all times."""
    made = vb.synthetic.gbm(120, assets, seed=5, volatility=0.25, grid=0.125)
    prices = [np.array(field) for field in (made.open, made.high, made.low, made.close, made.volume)]
    gone = np.random.default_rng(6).random(made.shape) < 0.06
    gone[:1] = False
    for field in prices:
        field[gone] = np.nan
    assert 67 < np.nanmin(prices[2]) and np.nanmax(prices[1]) < 150
    known = {"missing": "no_market", "delisting": "hold", "periods_per_year": 252.0, **options}
    return vb.Bars.from_numpy(*prices, index=made.index, symbols=made.symbols, **known)


def _signals(bars: vb.Bars) -> vb.Signals:
    draws = np.random.default_rng(7).random((4, bars.T, bars.N))
    entries, exits, short_entries, short_exits = (draws[k] < share for k, share in enumerate((0.15, 0.1, 0.12, 0.1)))
    return vb.Signals(entries, exits, short_entries, short_exits)


def _weights(bars: vb.Bars) -> vb.Weights:
    rng = np.random.default_rng(8)
    rows = rng.integers(-4, 6, bars.shape) / 8.0
    rows[rng.random(bars.shape) < 0.7] = np.nan
    return vb.Weights(rows)


def _run(bars: vb.Bars, inputs: Any, **keywords: Any) -> Run:
    result = vb.backtest(bars, inputs, audit=True, **{"costs": COSTS, **keywords})
    assert len(result.run.fills) > 20, "a run in which little happens proves little"
    return result.run


@functools.cache
def _off(kind: str, fill: str = "next_open") -> Run:
    """The plain run of signals or weights that others are compared with."""
    bars = _market()
    return _run(bars, INPUTS[kind](bars), fill=fill)


INPUTS = {"signals": _signals, "weights": _weights}


def _parts(run: Run) -> dict[str, bytes]:
    """What two runs must share, as bytes: curves, logs and what is held. A stop that never acts is still named in the trades."""
    logs = {"orders": run.orders, "fills": run.fills, "trades": run.trades}
    parts = {"equity": run.equity.tobytes(), "cash": run.cash.tobytes(), "held": run.assets["q"].tobytes()}
    for name, log in logs.items():
        fields = [field for field in log.dtype.names if field not in ("stop", "initial_risk")]
        parts |= {f"{name}.{field}": np.ascontiguousarray(log[field]).tobytes() for field in fields}
    return parts


def _assert_same_bits(one: Run, other: Run, *, but: tuple[str, ...] = ()) -> None:
    first, second = _parts(one), _parts(other)
    assert [name for name in first if first[name] != second[name] and name not in but] == []


# --- protective exits and zones -----------------------------------------------------------------------------------------------------

FAR = {
    "hard": vb.Stops(hard=0.98),
    "trailing": vb.Stops(trailing=0.98),
    "trailing, never armed": vb.Stops(trailing=0.001, activation=vb.Pct(9_000)),
    "target": vb.Stops(take_profit=vb.Pct(9_000)),
    "ticks": vb.Stops(hard=vb.Ticks(790), take_profit=vb.Ticks(10_000)),
    "time": vb.Stops(time_bars=1_000_000, time_days=1_000_000),
    "all": vb.Stops(
        hard=0.97, trailing=0.98, activation=vb.Pct(1), take_profit=vb.Pct(9_000), time_bars=1_000_000, time_days=1_000_000
    ),
}  # fmt: skip
LOOSE = {
    "never reached": vb.Zones(boundaries=(0.9, 0.95, 0.99), liquidate_at=0.97, cooldown_bars=3),
    "factors of 1": vb.Zones(boundaries=(0.001, 0.002, 0.99), factors=(1.0, 1.0, 1.0, 0.0)),
    "intrabar": vb.Zones(boundaries=(0.001, 0.002, 0.99), factors=(1.0, 1.0, 1.0, 0.0), mark="intrabar"),
    "inside, never reached": vb.Zones(boundaries=(0.9, 0.95, 0.99), liquidate_at=0.97, cooldown_bars=3, mark="intrabar"),
}


@FILLS
@pytest.mark.parametrize("name", FAR)
def test_neutral_stops_so_far_away_that_they_never_act(name: str, fill: str) -> None:
    bars = _market(tick=0.125)
    for kind, inputs in INPUTS.items():
        _assert_same_bits(_run(bars, inputs(bars), fill=fill, stops=FAR[name]), _off(kind, fill))


@FILLS
@pytest.mark.parametrize("name", LOOSE)
def test_neutral_zones_that_never_bind(name: str, fill: str) -> None:
    bars = _market()
    for kind, inputs in INPUTS.items():
        off, on = _off(kind, fill), _run(bars, inputs(bars), fill=fill, risk=vb.Risk(zones=LOOSE[name]))
        _assert_same_bits(on, off)
        assert off.zone is None
        assert on.zone is not None and on.zone.max() == (0 if "never reached" in name else 2)


@FILLS
def test_neutral_stops_and_zones_together(fill: str) -> None:
    bars = _market(tick=0.125)
    on = _run(bars, _signals(bars), fill=fill, stops=FAR["all"], risk=vb.Risk(zones=LOOSE["factors of 1"]))
    _assert_same_bits(on, _off("signals", fill))


# --- costs --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "costs",
    [
        vb.Costs(commission_rate=0.01, per_unit=1.0, per_order=1.0, minimum=5.0, maximum_rate=0.0),  # clipped to nothing
        vb.Costs(slippage_bps=1e-300),
        vb.Costs(half_spread=1e-300),
        vb.Costs(volume_share=1e-300),
        vb.Costs(maker_rate=0.01),  # no limit order pays it
    ],
    ids=["commission clipped to 0", "slippage", "half spread", "volume share", "maker rate"],
)
def test_neutral_costs_too_small_to_be_seen(costs: vb.Costs) -> None:
    bars = _market()
    for inputs in (_signals(bars), _weights(bars)):
        _assert_same_bits(_run(bars, inputs, costs=costs), _run(bars, inputs, costs=vb.Costs.free()))


def test_neutral_no_maximum_is_a_maximum_that_is_never_met() -> None:
    bars = _market()
    few = {"sizing": vb.Weight(0.2)}
    costs = vb.Costs(commission_rate=0.001, per_order=1.0, minimum=2.0, maximum_rate=0.4, slippage_bps=5.0)
    _assert_same_bits(_run(bars, _signals(bars), costs=costs, **few), _run(bars, _signals(bars), **few))


# --- everything else ----------------------------------------------------------------------------------------------------------------


def test_neutral_choices_that_stops_alone_would_notice() -> None:
    bars = _market()
    _assert_same_bits(_run(bars, _signals(bars), intrabar="optimistic", trade_through=True), _off("signals"))


def test_neutral_direction_that_forbids_nothing_that_is_asked() -> None:
    bars = _market()
    both = _signals(bars)
    long = vb.Signals(both.entries, both.exits)
    _assert_same_bits(_run(bars, long, direction="long"), _run(bars, long))
    short = vb.Signals(short_entries=both.short_entries, short_exits=both.short_exits)
    _assert_same_bits(_run(bars, short, direction="short"), _run(bars, short))


def test_neutral_accumulate_without_a_second_entry() -> None:
    bars = _market(1)
    on, off = (_run(bars, _alternating(bars), accumulate=accumulate) for accumulate in (True, False))
    _assert_same_bits(on, off)


def _alternating(bars: vb.Bars) -> vb.Signals:
    """Long and short in turn, on bars with a market: where an entry finds none, the next of that side would add."""
    market = ~np.isnan(bars.close[:, 0])
    usable = np.flatnonzero(market[:-1] & market[1:])[::2]
    entries, short_entries = np.zeros(bars.T, dtype=bool), np.zeros(bars.T, dtype=bool)
    entries[usable[::2]] = True
    short_entries[usable[1::2]] = True
    return vb.Signals(entries=entries, short_entries=short_entries)


def test_neutral_band_and_kind_of_weights_without_costs() -> None:
    bars = _market()
    off = _run(bars, _weights(bars), costs=vb.Costs.free())
    _assert_same_bits(_run(bars, _weights(bars), costs=vb.Costs.free(), weights_of="gross"), off)
    _assert_same_bits(_run(bars, _weights(bars), costs=vb.Costs.free(), band=1e-300), off)
    _assert_same_bits(_run(bars, _weights(bars), band=0.0), _off("weights"))


def test_neutral_lots_ticks_and_minimum_that_fit_anyway() -> None:
    plain = _market()
    rows = vb.Quantities(np.where(np.isnan(_weights(plain).values), np.nan, np.rint(_weights(plain).values * 16)))
    off = _run(plain, rows, initial_capital=1e6)
    fine = _market(lot=1.0, tick=0.125, min_notional=1e-300)
    _assert_same_bits(_run(fine, rows, initial_capital=1e6), off)


def test_neutral_separate_accounts_of_one_asset() -> None:
    bars = _market(1)
    _assert_same_bits(_run(bars, _signals(bars), accounts="separate"), _run(bars, _signals(bars)))


def test_neutral_sizes_said_in_another_way() -> None:
    bars = _market()
    _assert_same_bits(_run(bars, _signals(bars), sizing=vb.Weight(1 / 3)), _off("signals"))
    _assert_same_bits(_run(bars, _signals(bars), sizing=vb.Weight(1 / 3, scale_by_signal=False)), _off("signals"))


def test_neutral_signals_said_as_strengths() -> None:
    bars = _market()
    draws = np.random.default_rng(9).integers(-1, 9, bars.shape)
    long, short, flat = draws == 1, draws == -1, draws == 0
    signals = vb.Signals(entries=long, exits=flat, short_entries=short, short_exits=flat)
    strengths = vb.Strengths(np.select([long, short, flat], [1.0, -1.0, 0.0], np.nan))
    _assert_same_bits(_run(bars, strengths), _run(bars, signals))


@pytest.mark.parametrize("positions", [{}, {"S1": (0.0, 100.0)}], ids=["none", "of nothing"])
def test_neutral_starting_positions_of_nothing(positions: dict[str, tuple[float, float]]) -> None:
    bars = _market()
    _assert_same_bits(_run(bars, _signals(bars), positions=positions), _off("signals"))


def test_neutral_liquidation_and_delisting_of_what_is_flat_and_silent() -> None:
    rows = _weights(_market())
    values = np.array(rows.values)
    values[90], values[91:] = 0.0, np.nan
    closed = vb.Weights(values)
    plain = _market()
    off = _run(plain, closed)
    assert not off.assets["q"].any()
    _assert_same_bits(_run(plain, closed, liquidate_at_end=True), off)
    dated = _market(delistings={"S0": (int(plain.index[100]), 0.5), "S2": int(plain.index[-1])})
    assert dated.delist_bar.tolist() == [100, -1, 119]
    _assert_same_bits(_run(dated, closed), off)


def test_neutral_an_asset_without_signals() -> None:
    """Its column takes no cash and no turn; only the default size, 1/N, would know of it."""
    three = _market()
    two = three.select(["S0", "S2"])
    inputs = _signals(two)
    silent = {name: np.insert(getattr(inputs, name), 1, False, axis=1) for name in ("entries", "exits", "short_entries", "short_exits")}
    one, other = (_parts(_run(bars, rows, sizing=vb.Weight(0.6))) for bars, rows in ((two, inputs), (three, vb.Signals(**silent))))
    numbered = ("held", "orders.asset", "fills.asset", "trades.asset")
    assert [name for name in one if one[name] != other[name] and name not in numbered] == []


# --- what an account may carry, and what it costs -----------------------------------------------------------------------------------

WIDE = {
    "daily loss": vb.Risk(daily_loss=0.999),
    "positions": vb.Risk(limits=vb.Limits(max_position=100, max_position_value=1e12)),
    "exposure": vb.Risk(limits=vb.Limits(max_gross=100, max_net=100)),
    "all": vb.Risk(daily_loss=0.999, limits=vb.Limits(max_position=100, max_position_value=1e12, max_gross=100, max_net=100)),
}


@FILLS
@pytest.mark.parametrize("name", WIDE)
def test_neutral_limits_that_never_bind(name: str, fill: str) -> None:
    bars = _market()
    for kind, inputs in INPUTS.items():
        _assert_same_bits(_run(bars, inputs(bars), fill=fill, risk=WIDE[name]), _off(kind, fill))


@FILLS
def test_neutral_heat_and_loss_per_trade_that_never_bind(fill: str) -> None:
    """With a stop of a fifth a full account risks about that."""
    bars = _market()
    known = {"fill": fill, "stops": vb.Stops(hard=0.2)}
    for inputs in (_signals(bars), _weights(bars)):
        wide = vb.Risk(max_heat=0.999999, max_trade_loss=0.999999)
        _assert_same_bits(_run(bars, inputs, risk=wide, **known), _run(bars, inputs, **known))


@FILLS
def test_neutral_leverage_of_1_and_maintenance_of_what_is_paid_in_full(fill: str) -> None:
    bars = _market()
    for kind, inputs in INPUTS.items():
        _assert_same_bits(_run(bars, inputs(bars), fill=fill, leverage=1.0, maintenance=0.25), _off(kind, fill))
        longs = {"fill": fill, "direction": "long"}
        _assert_same_bits(_run(bars, inputs(bars), maintenance=0.99, **longs), _run(bars, inputs(bars), maintenance=0.0, **longs))


def test_neutral_leverage_that_is_not_used() -> None:
    """A run that never meets F4 at 1 never meets it at 3."""
    bars = _market()
    few = {"sizing": vb.Weight(0.2)}
    _assert_same_bits(_run(bars, _signals(bars), leverage=3.0, **few), _run(bars, _signals(bars), **few))


@FILLS
@pytest.mark.parametrize("rest", ["queue", "drop"])
def test_neutral_all_of_a_huge_volume(rest: str, fill: str) -> None:
    plain = _market()
    bars = vb.Bars.from_numpy(*plain.block[:4], np.where(np.isnan(plain.close), np.nan, 1e15), index=plain.index, symbols=plain.symbols,
                              missing="no_market", delisting="hold", periods_per_year=252.0)  # fmt: skip
    for kind, inputs in INPUTS.items():
        on = _run(bars, inputs(bars), fill=fill, max_participation=1.0, participation_rest=rest)
        _assert_same_bits(on, _off(kind, fill))


def test_neutral_carry_within_one_session() -> None:
    """120 minutes have no day in them."""
    plain = _market()
    index = np.datetime64("2024-01-02T10:00", "ns") + np.arange(plain.T) * np.timedelta64(60, "s")
    known = {"missing": "no_market", "delisting": "hold", "periods_per_year": 252.0 * 1440}
    bars = vb.Bars.from_numpy(*plain.block, index=index, symbols=plain.symbols, **known)
    carry = vb.Carry(borrow_rate=0.5, interest_rate=0.5)
    for inputs in (_signals(bars), _weights(bars)):
        _assert_same_bits(_run(bars, inputs, carry=carry), _run(bars, inputs))


def test_neutral_carry_too_small_to_be_seen() -> None:
    """But in the trades, which say what they paid."""
    bars = _market()
    for rates in (
        {"borrow_rate": 1e-300},
        {"borrow_rate": {"S1": 1e-300}, "interest_rate": 1e-300},
        {"borrow_rate": {}, "interest_rate": 0.5},
    ):
        for kind, inputs in INPUTS.items():
            _assert_same_bits(_run(bars, inputs(bars), carry=vb.Carry(**rates)), _off(kind), but=("trades.carry",))


def test_neutral_flows_too_small_to_be_seen_or_that_cancel_out() -> None:
    bars = _market()
    flows = {int(bars.index[40]): 500.0, int(bars.index[40]) - 1: -500.0, int(bars.index[60]): 1e-300}
    for kind, inputs in INPUTS.items():
        _assert_same_bits(_run(bars, inputs(bars), flows=flows), _off(kind))


def test_neutral_splits_of_1_and_dividends_of_0() -> None:
    nothing = np.zeros((120, 3))
    for events in ({"splits": nothing + 1.0}, {"dividends": nothing}, {"splits": nothing, "dividends": nothing}):
        bars = _market(**events)
        assert bars.market.events
        for kind, inputs in INPUTS.items():
            _assert_same_bits(_run(bars, inputs(bars)), _off(kind))


def test_neutral_a_perpetual_without_funding_is_a_future() -> None:
    future = _market(instrument="future")
    for events in ({}, {"funding": np.zeros((120, 3))}):
        bars = _market(instrument="perpetual", **events)
        for inputs in INPUTS.values():
            _assert_same_bits(_run(bars, inputs(bars)), _run(future, inputs(future)))


@FILLS
def test_neutral_market_orders_of_what_targets_lack(fill: str) -> None:
    """Whole units, a market on every bar and money enough: a row of quantities asks for what an order of the difference does."""
    bars = vb.synthetic.gbm(120, 3, seed=5, volatility=0.25, grid=0.125)
    rng = np.random.default_rng(10)
    targets = np.where(rng.random(bars.shape) < 0.3, rng.integers(-9, 10, bars.shape), np.nan)
    held, given = np.zeros(3), {}
    for t in range(bars.T):
        lacking = np.where(np.isnan(targets[t]), 0.0, targets[t] - held)
        given[bars.times[t]] = [vb.Order(symbol=s, quantity=q) for s, q in zip(bars.symbols, lacking, strict=True) if q != 0.0]
        held = held + lacking
    known = {"fill": fill, "initial_capital": 1e6}
    orders, rows = _run(bars, vb.Orders(given), **known), _run(bars, vb.Quantities(targets), **known)
    assert (orders.equity.tobytes(), orders.cash.tobytes()) == (rows.equity.tobytes(), rows.cash.tobytes())
    for name, key in (("orders", "id"), ("fills", "order"), ("trades", "entry_t")):
        # in a bar the book's reductions are written first, so the logs are compared order by order
        one, other = (np.sort(np.asarray(getattr(run, name)), order=["asset", key]) for run in (orders, rows))
        unequal = [
            field for field in one.dtype.names if not np.array_equal(one[field], other[field], equal_nan=one[field].dtype.kind == "f")
        ]
        assert unequal == [], name


# --- compiled and uncompiled ---------------------------------------------------------------------------------------------------------


BEYOND = ("signals, all, close fills", "strengths, confidence, limits", "orders, all", "orders, drop, apart, half days, impact")


def digests() -> dict[str, str]:
    """Hash of every byte of a few rich runs: all rules, logs, state. Rows of flags, numbers and orders are compiled apart, and so is
    what goes beyond a plain account."""
    bars = _market(lot=0.5, tick=0.125, min_notional=500.0, multiplier=2.0)
    stops = vb.Stops(hard=vb.Atr(2), trailing=0.04, activation=0.01, take_profit=0.05, time_bars=9, time_days=20)
    zones = vb.Risk(zones=vb.Zones(boundaries=(0.01, 0.02, 0.04), liquidate_at=0.03, cooldown_bars=5))
    dear = vb.Costs(commission_rate=0.001, per_unit=0.01, minimum=2.0, maximum_rate=0.01, half_spread=0.0625, volume_share=0.5)
    late = {"positions": {"S1": (-20.0, 101.0)}, "liquidate_at_end": True}
    runs = {
        "all rules": _run(bars, _signals(bars), costs=dear, stops=stops, risk=zones, sizing=vb.FixedFractionalSizing(0.01, 0.5), **late),
        "weights": _run(bars, _weights(bars), costs=dear, stops=stops, risk=zones, fill="close", **late),
        "no rules": _run(bars, _signals(bars), sizing=vb.Cash(0.7), accumulate=True, accounts="separate"),
    }
    for case in CASES:
        if case.name in BEYOND and case.eventful:
            made = case.bars(T=60)
            runs[case.name] = vb.backtest(made, case.given(made), **case.arguments(60)).run
    assert len(runs) == 3 + len(BEYOND)
    found = {}
    for name, run in runs.items():
        digest = hashlib.sha256()
        for array in (run.equity, run.cash, run.zone, run.initial, run.orders, run.fills, run.trades, run.accounts, run.assets):
            digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        found[name] = digest.hexdigest()
    return found


def test_VECBT_ENGINE_python_gives_the_same_bytes() -> None:
    lines = ["import json", "from tests.rules.test_neutral import digests", "from vecbt.core.jit import ENGINE"]
    code = "\n".join([*lines, "print(json.dumps([ENGINE, digests()]))"])
    environment = {**os.environ, "VECBT_ENGINE": "python"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    engine, found = json.loads(done.stdout)
    assert engine == "python"
    assert found == digests()
