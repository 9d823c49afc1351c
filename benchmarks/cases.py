"""The workloads: each checks that vecbt and the reference agree, then times both."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

import vecbt as vb
from vecbt.engine.batch import Batch
from vecbt.engine.check import aligned_inputs
from vecbt.engine.setup import Setup

from . import work
from .loops import CASH_LEFT, SLIPPAGE, account_loop, account_step, rebalance_loop
from .table import CALLS, Disagreement, Row, in_turn

KEYWORDS: dict[str, Any] = {
    "costs": vb.Costs(commission_rate=work.COMMISSION_RATE, slippage_bps=work.SLIPPAGE_BPS),
    "sizing": vb.Cash(1.0),
    "initial_capital": work.CASH,
    "fill": "close",
    "direction": "long",
}
STRATEGY = vb.strategies.SmaCross(fast=work.FAST, slow=work.SLOW)
SAME = 1e-9


def make_bars(data: dict[str, work.Array]) -> vb.Bars:
    """Minute bars of one asset."""
    return vb.Bars.from_numpy(**data, index=work.minutes(len(data["close"])), symbols=("X",), asset_class="crypto")


def agree(what: str, ours: Any, theirs: Any) -> None:
    """Disagreement unless both are equal to 1e-9 of their size."""
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if a.shape != b.shape:
        raise Disagreement(f"{what}: shapes {a.shape} and {b.shape}")
    worst = float(np.max(np.abs(a - b) / np.maximum(1.0, np.abs(b)), initial=0.0))
    if not worst <= SAME:
        raise Disagreement(f"{what}: differ by {worst:.3g}")


def long_run(count: int = 1_000_000) -> list[Row]:
    """W1: one run over all bars."""
    data = work.walk_of_w1(count)
    bars, close = make_bars(data), data["close"]
    series, fills, trades = np.empty((4, len(close))), np.empty((40_000, 5)), np.empty((20_000, 6))

    def loop() -> tuple[int, int, float, float, float]:
        return account_loop(close, (work.FAST, work.SLOW), (work.COMMISSION_RATE, SLIPPAGE), work.CASH, series, fills, trades)

    def everything() -> tuple[Any, ...]:
        result = vb.backtest(bars, STRATEGY, **KEYWORDS)
        frames = (result.equity, result.cash, result.drawdown, result.returns, result.positions, result.exposure)
        return result, frames, result.fills, result.trades, result.stats()

    def figures() -> Any:
        result = vb.backtest(bars, STRATEGY, **KEYWORDS)
        return result, result.stats()

    result, (equity, cash, drawdown, _, positions, _), our_fills, our_trades, stats = everything()
    n_fills, n_trades, mean, deviation, deepest = loop()
    agree("W1 equity", equity, series[0])
    agree("W1 cash", cash, series[1])
    agree("W1 positions", positions.iloc[:, 0], series[2])
    agree("W1 drawdown", drawdown, series[3])
    agree("W1 fills", result.run.fills.q, fills[:n_fills, 1])
    agree("W1 fill prices", result.run.fills.price, fills[:n_fills, 2])
    agree("W1 trades", result.run.trades.pnl, trades[:n_trades, 5])
    agree("W1 counts", (len(our_fills), len(our_trades)), (n_fills, n_trades))
    agree("W1 statistics", (stats["max_drawdown"], stats["sharpe"]), (deepest, mean / deviation * bars.market.periods_per_year**0.5))
    del result, equity, cash, drawdown, positions, our_fills, our_trades

    taken, reference = in_turn(everything, loop)
    short, short_reference = in_turn(figures, loop)
    what = f"{count:,} bars, {n_trades:,} trades: "
    said, short_said = (f"hand-written loop {seconds * 1e3:.2f} ms" for seconds in (reference, short_reference))
    return [
        Row("W1", what + "account series, fills, trades, stats()", taken / reference, "x loop", said, must=10.0, aim=4.0),
        Row("W1", what + "the same, absolute", taken * 1e3, "ms", said),
        Row("W1", what + "backtest() and stats() alone", short / short_reference, "x loop", short_said),
    ]


def rebalanced(count: int = 5_000, assets: int = 500) -> list[Row]:
    """W4: many assets on one account, equal weights every 21 bars."""
    close = work.panel_of_w4(count, assets)
    bars = vb.Bars.from_numpy(
        close, close, close, close, index=work.days(count), symbols=[f"A{n}" for n in range(assets)], asset_class="crypto"
    )
    table = np.full(close.shape, np.nan)
    table[:: work.EVERY] = 1.0 / assets
    weights = vb.Weights(table)
    keywords: dict[str, Any] = {"costs": vb.Costs(commission_rate=work.COMMISSION_RATE), "initial_capital": work.CASH, "fill": "close"}
    series, fills = np.empty((2, count)), np.empty((assets * (count // work.EVERY + 1), 5))
    positions, none = np.empty(close.shape), np.empty((0, 0))

    def loop(held: work.Array) -> int:
        return rebalance_loop(close, work.EVERY, work.COMMISSION_RATE, work.CASH, np.zeros(assets), series, fills, held)

    def everything() -> tuple[Any, ...]:
        result = vb.backtest(bars, weights, **keywords)
        return result, result.equity, result.cash, result.positions

    result, equity, cash, held = everything()
    n_fills = loop(positions)
    agree("W4 equity", equity, series[0])
    agree("W4 cash", cash / work.CASH, series[1] / work.CASH)
    agree("W4 positions", held, positions)
    ours, theirs = result.run.fills, fills[:n_fills]
    agree("W4 fills", ours.q[np.lexsort((ours.asset, ours.t))], theirs[np.lexsort((theirs[:, 1], theirs[:, 0])), 2])
    figures = in_turn(result.stats, lambda: loop(none))[0]
    del result, equity, cash, held, ours

    taken, reference = in_turn(everything, lambda: loop(positions))
    short, short_reference = in_turn(lambda: vb.backtest(bars, weights, **keywords), lambda: loop(none))
    said, short_said = (f"hand-written loop {seconds * 1e3:.2f} ms" for seconds in (reference, short_reference))
    what = f"{assets} assets, {count:,} bars, {n_fills:,} fills: "
    return [
        Row("W4", what + "equity, cash, positions (T, N) from fills", taken / reference, "x loop", said, must=6.0, aim=3.0),
        Row("W4", what + "the same, absolute", taken * 1e3, "ms", said),
        Row("W4", what + "backtest() alone", short / short_reference, "x loop", short_said),
        Row("W4", what + "stats() alone", figures * 1e3, "ms", ""),
    ]


def every_feature(count: int = 200_000, **more: Any) -> list[Row]:
    """All rules at once, one asset: nanoseconds a bar of the compiled loop alone. `more` are further keywords of the run."""
    bars = make_bars(work.walk_of_w1(count))
    strategy = vb.strategies.SmaCross(fast=work.FAST, slow=work.SLOW, direction="both")
    keywords: dict[str, Any] = {
        "costs": KEYWORDS["costs"],
        "initial_capital": work.CASH,
        "sizing": vb.KellyCriterion(kelly_fraction=0.01, win_rate=0.4, avg_win=2.0, avg_loss=1.0, max_position_fraction=0.5),
        "stops": vb.Stops(hard=vb.Atr(8), trailing=vb.Atr(6)),
        "risk": vb.Risk(
            zones=vb.Zones(cooldown_bars=500),
            daily_loss=0.03,
            max_heat=0.03,
            max_trade_loss=0.02,
            limits=vb.Limits(max_position=0.8, max_gross=1.0, max_net=0.9),
        ),
        "max_participation": 0.05,
        "carry": vb.Carry(borrow_rate=0.01, interest_rate=0.05),
        **more,
    }
    report = vb.check_parity(bars[: min(count, 3_000)], strategy, **keywords)
    if not report.ok:
        raise Disagreement(str(report))
    given, inputs = aligned_inputs(bars, strategy)
    setup, seconds, trades = Setup.of(**keywords), [], 0
    for _ in range(CALLS):
        batch = Batch(bars, setup, given, inputs)
        start = time.perf_counter()
        batch.advance(count)
        seconds.append(time.perf_counter() - start)
        trades = int(batch.log.counts[2])
    names = ", ".join(name for name in keywords if name not in ("costs", "initial_capital"))
    what = f"compiled loop with every feature on ({names}), one asset, {count:,} bars"
    return [Row("features", what, statistics.median(seconds) / count * 1e9, "ns/bar", f"{trades:,} trades", aim=60.0)]


def bar_by_bar(count: int = 100_000) -> list[Row]:
    """W5: a stream updated from Python, the averages computed inside."""
    data = work.walk_of_w1(count)
    bars = make_bars(data)
    given = [
        vb.Bar(time=int(t), open=o, high=h, low=low, close=c, volume=v)
        for t, o, h, low, c, v in zip(bars.index, *(data[n].tolist() for n in ("open", "high", "low", "close", "volume")), strict=True)
    ]
    prices = data["close"].tolist()

    def stream() -> tuple[float, Any]:
        live = vb.Stream(STRATEGY, market=bars.market, **KEYWORDS)
        start = time.perf_counter()
        for bar in given:
            decision = live.update(bar)
        return time.perf_counter() - start, decision

    def floor() -> tuple[float, float]:
        state, window = np.zeros(6), np.zeros(work.SLOW)
        state[CASH_LEFT] = work.CASH
        start = time.perf_counter()
        for price in prices:
            equity = account_step(state, window, price)
        return time.perf_counter() - start, equity

    account_step(np.zeros(6), np.zeros(work.SLOW), 1.0)
    _, decision = stream()
    equity = vb.backtest(bars, STRATEGY, **KEYWORDS).run.equity[-1, 0]
    agree("W5 equity, stream and batch", decision.equity, equity)
    agree("W5 equity, stream and step", decision.equity, floor()[1])
    seconds = [(stream()[0], floor()[0]) for _ in range(max(5, CALLS - 2))]
    ours, theirs = (statistics.median(column) / count * 1e6 for column in zip(*seconds, strict=True))
    said = f"hand-written step called from Python {theirs:.3f} us"
    return [
        Row("W5", f"Stream.update, SMA 10/50 inside, one asset, {count:,} bars", ours, "us/bar", said, must=10.0, aim=2.0),
        Row("W5", "the same against the step", ours / theirs, "x step", said),
    ]
