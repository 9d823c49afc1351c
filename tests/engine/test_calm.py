"""Stretches of bars that only mark positions (`engine.calm`) against the stream, which marks bar by bar in the records (D1, T6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.fuzz.compare import agree
from tests.fuzz.scenarios import scenarios
from vecbt.core.codes import InputKind
from vecbt.core.jit import ENGINE
from vecbt.engine import bar, calm, few, lone
from vecbt.engine.batch import Batch
from vecbt.engine.check import aligned_inputs
from vecbt.engine.inputs import AlignedInputs
from vecbt.engine.setup import Setup

COSTS = vb.Costs(commission_rate=0.001, slippage_bps=5)
ZONES = [
    None,
    vb.Zones(boundaries=(0.01, 0.02, 0.04)),
    vb.Zones(boundaries=(0.01, 0.02, 0.04), liquidate_at=0.03, cooldown_bars=3),
]
STOPS = [
    None,
    vb.Stops(hard=0.04, take_profit=0.06),
    vb.Stops(trailing=0.03, activation=0.02),
    vb.Stops(hard=vb.Atr(2.0), trailing=vb.Atr(1.5), take_profit=vb.Atr(3.0), atr_window=3),
    vb.Stops(hard=0.08, trailing=0.05, time_bars=9),
]


def panel(rng: np.random.Generator, bars: int, assets: int, missing: float, sigma: float) -> Any:
    """Random walks with bars without a market, and assets that end early."""
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, sigma, (bars, assets)), axis=0))
    open_ = close * np.exp(rng.normal(0.0, sigma / 4, close.shape))
    high, low = np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99
    gone = rng.random(close.shape) < missing
    gone[0] = False
    for n in range(0, assets, 3):
        gone[rng.integers(bars // 2, bars + 1) :, n] = True
    prices = [np.where(gone, np.nan, part) for part in (open_, high, low, close)]
    index = np.datetime64("2024-01-01", "ns").astype(np.int64) + 86_400_000_000_000 * np.arange(bars)
    return vb.Bars.from_numpy(*prices, index=index, symbols=[f"A{n}" for n in range(assets)], asset_class="crypto", missing="no_market")


@settings(max_examples=2 * settings.default.max_examples if settings.default else 40)
@given(
    seed=st.integers(0, 2**32 - 1),
    assets=st.sampled_from([1, 1, 2, 5, calm.MANY, calm.MANY + 3]),
    every=st.integers(5, 20),
    kind=st.sampled_from(["weights", "shorts", "signals", "states", "flags"]),
    accumulate=st.sampled_from([False, False, True]),
    sizing=st.sampled_from([None, vb.Cash(0.5), vb.EqualWeight(0.9)]),
    fill=st.sampled_from(["close", "next_open"]),
    zones=st.sampled_from(ZONES),
    stops=st.sampled_from(STOPS),
    sigma=st.sampled_from([0.01, 0.08]),
)
def test_D1_a_batch_of_calm_stretches_is_the_stream(
    seed: int, assets: int, every: int, kind: str, accumulate: bool, sizing: Any, fill: str, zones: vb.Zones | None, stops: vb.Stops | None,
    sigma: float,
) -> None:  # fmt: skip
    """Cash and equity of each bar, all state at the end, trades with the worst and best price they met."""
    rng = np.random.default_rng(seed)
    bars = panel(rng, 48, assets, missing=0.1, sigma=sigma)
    rows: Any
    if kind == "signals":
        buy, sell = np.zeros((2, bars.T, bars.N), dtype=bool)
        buy[::every] = rng.random((len(buy[::every]), assets)) < 0.5
        sell[2::every] = rng.random((len(sell[2::every]), assets)) < 0.3
        rows = vb.Signals(buy & ~sell, sell)
    elif kind == "states":  # said at each bar, where it is wanted, not when that changes
        wanted = np.repeat(rng.integers(-1, 2, (1 + bars.T // every, assets)), every, axis=0)[: bars.T]
        rows = vb.Signals(wanted > 0, wanted <= 0, wanted < 0, wanted >= 0)
    elif kind == "flags":  # each of the sixteen, those that contradict themselves, too
        said = rng.integers(0, 16, (bars.T, assets)).astype(np.uint8)
        said[rng.random(said.shape) < 0.5] = 0
        said[np.repeat(rng.random((1 + bars.T // every, assets)) < 0.7, every, axis=0)[: bars.T]] &= np.uint8(rng.choice([0, 3, 8, 9]))
        rows = AlignedInputs(InputKind.SIGNALS, said, None)
    else:
        table = np.full((bars.T, bars.N), np.nan)
        least = 0.0 if kind == "weights" else -1.0
        table[::every] = rng.uniform(least, 1.0, table[::every].shape) * 2.0 / assets
        rows = vb.Weights(table)
    risk = None if zones is None else vb.Risk(zones=zones)
    report = vb.check_parity(
        bars, rows, costs=COSTS, fill=fill, risk=risk, stops=stops, leverage=2.0, maintenance=0.25, initial_capital=10_000.0,
        **({} if isinstance(rows, vb.Weights) else {"accumulate": accumulate, "sizing": sizing}),
    )  # fmt: skip
    assert report.ok, str(report)


@pytest.mark.parametrize("fill", ["close", "next_open"])
@pytest.mark.parametrize(("side", "idle"), [(1, lone.IDLE_LONG), (-1, lone.IDLE_SHORT), (0, lone.IDLE_FLAT)])
def test_S2_an_idle_row_is_one_after_which_nothing_has_happened(side: int, idle: int, fill: str) -> None:
    """Each of the sixteen rows of flags, said by itself to a long, a short and no position: an order, or none, as the bit says."""
    bars = rising(30, assets=1)

    def orders(said: Any) -> int:
        """How many there are when the bars are run one by one, by the step."""
        inputs = AlignedInputs(InputKind.SIGNALS, said.copy(), None)
        batch = Batch(bars, Setup.of(costs=COSTS, sizing=vb.Weight(0.1), fill=fill), inputs, inputs)
        for t in range(bars.T):
            batch.advance(t + 1)
        return len(batch.finish().orders)

    for flags in range(16):
        said = np.zeros((bars.T, 1), dtype=np.uint8)
        said[2] = {1: 1, -1: 4, 0: 0}[side]
        before = orders(said)
        said[15] = flags
        assert before == abs(side)
        assert (orders(said) == before) == bool(idle >> flags & 1), (side, flags)


def agrees(family: str) -> None:
    """Scenarios of a family are run as the reference runs them, with whatever limits are set by now."""

    @settings(max_examples=settings.default.max_examples if settings.default else 30)
    @given(scenario=scenarios(family))
    def run(scenario: Any) -> None:
        agree(scenario)

    run()


def rising(bars: int = 24, assets: int = calm.MANY, **options: Any) -> vb.Bars:
    """Assets that go up by 2 % a bar."""
    close = np.repeat(100.0 * 1.02 ** np.arange(bars)[:, None], assets, axis=1)
    index = np.datetime64("2024-01-01", "ns").astype(np.int64) + 86_400_000_000_000 * np.arange(bars)
    names = [f"A{n}" for n in range(assets)]
    return vb.Bars.from_numpy(close, close, close, close, index=index, symbols=names, asset_class="crypto", **options)


def once(weight: float, bars: vb.Bars) -> vb.Weights:
    """So much of each asset from the first bar on."""
    table = np.full((bars.T, bars.N), np.nan)
    table[0] = weight
    return vb.Weights(table)


@pytest.mark.parametrize("assets", [1, calm.MANY])
@pytest.mark.parametrize("margin", [0.0, 40.0])
def test_F13_a_margin_call_ends_a_calm_stretch(margin: float, assets: int) -> None:
    """Shorts of 160 % of the equity, at 2 % a bar: the account's quarter, or 40 of money a unit, is short of before the end."""
    bars, weight = rising(assets=assets, maintenance_margin=margin), -1.6 / assets
    keywords: dict[str, Any] = {"costs": vb.Costs.free(), "leverage": 2.0, "maintenance": 0.25, "initial_capital": 10_000.0}
    result = vb.backtest(bars, once(weight, bars), **keywords)
    units = 1.6 * 10_000.0 / 100.0
    equity = 10_000.0 + units * (bars.open[1, 0] - bars.close[:, 0])
    need = units * (margin if margin > 0.0 else 0.25 * bars.close[:, 0])
    call = int(np.argmax((equity < need)[1:])) + 1
    assert call > calm.LONG and set(result.run.trades.exit_t.tolist()) == {call + 1}
    assert vb.check_parity(bars, once(weight, bars), **keywords).ok


@pytest.mark.parametrize("assets", [1, calm.MANY])
def test_T10_prices_after_a_delisting_mark_nothing(assets: int) -> None:
    """An asset that is dated as delisted keeps its mark, though its prices go on."""
    bars = rising(assets=assets, delistings={"A0": "2024-01-09"})
    keywords: dict[str, Any] = {"costs": vb.Costs.free()}
    result = vb.backtest(bars, once(0.1, bars), **keywords)
    assert result.run.trades.exit_t.tolist() == [8] and result.run.assets.mark[0] == bars.close[8, 0]
    assert vb.check_parity(bars, once(0.1, bars), **keywords).ok


@pytest.mark.parametrize("stops", [None, vb.Stops(hard=0.3, trailing=0.5)])
def test_D1_stretches_longer_than_one_may_be_are_the_stream(stops: vb.Stops | None) -> None:
    """Positions held for hundreds of bars, in which rows go on saying so."""
    bars = panel(np.random.default_rng(11), 3 * lone.AHEAD + 50, 1, missing=0.02, sigma=0.004)
    wanted = (np.arange(bars.T) // (lone.AHEAD + 90) % 2 == 0)[:, None]
    result = vb.backtest(bars, vb.Signals(wanted, ~wanted), costs=COSTS, stops=stops)
    assert max(result.run.trades.exit_t - result.run.trades.entry_t) > lone.AHEAD
    assert vb.check_parity(bars, vb.Signals(wanted, ~wanted), costs=COSTS, stops=stops).ok


def test_the_log_grows_between_calm_stretches() -> None:
    """Orders of every seventh bar, more than there is room for at first: each is in the log, once, and the books follow from it."""
    rng = np.random.default_rng(5)
    bars = panel(rng, 3_000, calm.MANY, missing=0.0, sigma=0.01)
    table = np.full((bars.T, bars.N), np.nan)
    table[::7] = rng.uniform(0.0, 1.0, table[::7].shape) / bars.N
    batch = Batch(bars, Setup.of(costs=COSTS), *aligned_inputs(bars, vb.Weights(table)))
    room = len(batch.log.orders)
    result = vb.backtest(bars, vb.Weights(table), costs=COSTS, audit=True)
    assert len(result.run.orders) > room
    assert np.array_equal(np.sort(result.run.orders.id), np.arange(len(result.run.orders)))


@pytest.mark.interpreted
@pytest.mark.skipif(ENGINE != "python", reason="the compiled loop has its limits built in")
@pytest.mark.parametrize("family", ["signals_zones", "weights", "weights_zones", "quantities", "leverage"])
def test_T6_few_assets_go_through_calm_stretches_as_the_reference_does(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same stretches for one asset and one bar, so that all scenarios of the fuzz meet them."""
    monkeypatch.setattr(bar, "MANY", 1)
    monkeypatch.setattr(calm, "LONG", 1)

    agrees(family)


@pytest.mark.interpreted
@pytest.mark.skipif(ENGINE != "python", reason="the compiled loop has its limits built in")
@pytest.mark.parametrize("family", ["signals", "signals_stops", "signals_trail", "signals_atr_fixed"])
def test_T5_one_asset_waits_for_its_levels_as_the_reference_does(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of one bar and of five at most, so that every bar of a single asset that can be one is."""
    monkeypatch.setattr(lone, "LONG", 1)
    for module in (lone, bar):
        monkeypatch.setattr(module, "AHEAD", 5)

    agrees(family)


TERMS: dict[str, dict[str, Any]] = {
    "limits": {"risk": vb.Risk(zones=ZONES[2], daily_loss=0.01, max_heat=0.1)},
    "a day's loss": {"risk": vb.Risk(daily_loss=0.005)},
    "carry": {"carry": vb.Carry(borrow_rate=0.03, interest_rate=0.05)},
    "deposits": {"flows": {"2024-01-03": 500.0, "2024-01-04T07:00": -2_000.0}},
}

WITH_TERMS = ["carry", "carry_zones", "flows", "limits_stops", "mix_signals", "mix_weights"]


def hours(bars: vb.Bars, each: int) -> vb.Bars:
    """The same bars, `each` of them a day."""
    index = np.datetime64("2024-01-01", "ns").astype(np.int64) + (86_400_000_000_000 // each) * np.arange(bars.T)
    return vb.Bars.from_numpy(
        bars.open, bars.high, bars.low, bars.close, index=index, symbols=bars.symbols, asset_class="crypto", missing="no_market"
    )


@settings(max_examples=2 * settings.default.max_examples if settings.default else 40)
@given(
    seed=st.integers(0, 2**32 - 1),
    assets=st.sampled_from([1, 2, 5]),
    every=st.integers(3, 20),
    each=st.sampled_from([1, 6, 24]),
    terms=st.sampled_from(sorted(TERMS)),
    sizing=st.sampled_from([None, vb.Cash(0.5), vb.Weight(0.4)]),
    fill=st.sampled_from(["close", "next_open"]),
    stops=st.sampled_from(STOPS),
    sigma=st.sampled_from([0.003, 0.02]),
)
def test_D1_a_batch_of_stretches_with_every_rule_is_the_stream(
    seed: int, assets: int, every: int, each: int, terms: str, sizing: Any, fill: str, stops: vb.Stops | None, sigma: float
) -> None:
    """Limits, a day's loss, carry and deposits: cash and equity of each bar, all state at the end."""
    rng = np.random.default_rng(seed)
    bars = hours(panel(rng, 96, assets, missing=0.05, sigma=sigma), each)
    wanted = rng.integers(-1, 2, (bars.T, assets))
    wanted[np.arange(bars.T) % every != 0] = 0
    out = (rng.random(wanted.shape) < 0.2) & (np.arange(bars.T) % every == 2)[:, None]
    rows = vb.Signals(wanted > 0, out, wanted < 0, out)
    if isinstance(sizing, vb.Cash) and "risk" in TERMS[terms]:
        sizing = None  # limits are judged before its size is known
    account: dict[str, Any] = {"costs": COSTS, "leverage": 2.0, "maintenance": 0.25, "initial_capital": 10_000.0, **TERMS[terms]}
    report = vb.check_parity(bars, rows, fill=fill, stops=stops, sizing=sizing, **account)
    assert report.ok, str(report)


@pytest.mark.interpreted
@pytest.mark.skipif(ENGINE != "python", reason="the compiled loop has its limits built in")
@pytest.mark.parametrize("family", ["signals_stops", "signals_trail", "signals_atr_fixed", "signals_zones", "quantities_all", *WITH_TERMS])
def test_T6_few_assets_are_marked_as_the_reference_does(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of one bar and of five at most, with every rule: one asset, too."""
    monkeypatch.setattr(few, "_SHORT", 1)
    monkeypatch.setattr(bar, "stays_alone", lambda *_: False)
    for module in (few, bar):
        monkeypatch.setattr(module, "AHEAD", 5)

    agrees(family)
