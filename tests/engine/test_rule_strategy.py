"""Compiled strategies: one declaration for arrays, batch and stream; what a rule sees, remembers and may say."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import vecbt as vb
from tests.engine.rules_of_tests import SEEN, Counting, Cross, Leaning, Patient, Strong, Witness
from vecbt.core.jit import ENGINE
from vecbt.core.space import Parameter
from vecbt.data import synthetic
from vecbt.engine.inputs import Strengths, normalize_row
from vecbt.engine.strategy import evaluate
from vecbt.errors import ConfigError, InputError, StateError, StrategyError
from vecbt.indicators.plan import Indicator, IndicatorPlan

COSTS = vb.Costs(commission_rate=0.001, slippage_bps=2)
GAPPY = synthetic.garch_jumps(T=160, N=3, seed=11, missing=0.1, grid=1 / 2)
SEEING = [Patient(), Patient(2, 5, 4, "short", 0.01), Leaning(), Counting()]
BLIND = [Cross(), Strong(2, 6)]


@pytest.mark.parametrize("strategy", [*SEEING, *BLIND], ids=repr)
@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"fill": "close"},
        {"accounts": "separate", "stops": vb.Stops(hard=vb.Pct(2.0), trailing=vb.Pct(1.5))},
        {"risk": vb.Risk(zones=vb.Zones(), limits=vb.Limits(max_gross=1.2)), "leverage": 2.0},
    ],
    ids=["plain", "close", "separate with stops", "zones and limits"],
)
def test_d1_d3_batch_and_stream_agree_with_all_that_a_rule_remembers(strategy: Any, keywords: dict[str, Any]) -> None:
    report = vb.check_parity(GAPPY, strategy, costs=COSTS, restarts=6, seed=3, **keywords)
    assert report.ok, report
    assert report.orders > 3


def test_d1_splits_dividends_and_delistings_reach_the_rule_as_strategies_read_them() -> None:
    """T9: prices are raw times A[t], and so is the entry price that is shown."""
    bars = vb.samples.load("us_daily", symbols=["AAPL", "MSFT"], adjusted=False)[1200:1500]
    report = vb.check_parity(bars, Witness(), costs=COSTS, restarts=4)
    assert report.ok and report.fills > 20, report
    assert bars.actions is not None and (bars.actions.split != 1.0).any(), "no split in these bars"


@pytest.mark.interpreted
def test_d1_uncompiled_too() -> None:
    assert vb.check_parity(GAPPY[:60], Patient(2, 5, 4), costs=COSTS, restarts=2).ok


def test_d1_the_audit_rebuilds_the_books_from_what_the_rule_said() -> None:
    for strategy in SEEING:
        result = vb.backtest(GAPPY, strategy, costs=COSTS, audit=True)
        assert len(result.orders) > 3
        said = result.run.inputs
        again = vb.backtest(GAPPY, said, costs=COSTS)
        assert again.run.fills.tobytes() == result.run.fills.tobytes(), "the rows alone give the same run"


@pytest.mark.interpreted
@pytest.mark.parametrize("strategy", BLIND, ids=repr)
def test_d1_d2_d3_rows_and_feed_of_a_rule_that_sees_no_account(strategy: Any) -> None:
    whole = evaluate(strategy, GAPPY)
    rows = whole.flags if whole.values is None else whole.values
    assert rows is not None
    feed = strategy.feed(GAPPY.market)
    for t in range(GAPPY.T):
        if t % 31 == 7:
            saved = feed.save()
            feed = strategy.feed(GAPPY.market)
            feed.restore(saved)
            assert feed.save() == saved
        flags, values = normalize_row(feed.update(GAPPY.row(t).normalized(GAPPY.market)), GAPPY.market)
        row = flags if values is None else values
        assert row is not None and row.tobytes() == rows[t].tobytes(), t
    part = evaluate(strategy, GAPPY[:77])
    cut = part.flags if part.values is None else part.values
    assert cut is not None and cut.tobytes() == rows[:77].tobytes()


@pytest.mark.interpreted
def test_rows_are_what_the_slow_twin_says() -> None:
    """The rule over arrays of the same indicators, bar by bar in plain Python; a missing bar says nothing, and `before` skips it."""
    strategy = Cross(2, 6)
    columns = {name: np.asarray(strategy.table(GAPPY)[name]) for name in ("quick", "calm", "smooth")}
    flags = evaluate(strategy, GAPPY).flags
    assert flags is not None and len(set(flags.ravel().tolist())) == 3
    for n in range(GAPPY.N):
        last = None
        for t in range(GAPPY.T):
            if np.isnan(GAPPY.close[t, n]):
                assert flags[t, n] == 0
                continue
            smooth, calm = columns["smooth"][t, n], columns["calm"][t, n]
            said = 0
            if last is not None and last[0] <= last[1] and smooth > calm:
                said = vb.ENTER_LONG
            elif last is not None and last[0] >= last[1] and smooth < calm:
                said = vb.EXIT_LONG | vb.ENTER_SHORT
            assert flags[t, n] == said, (t, n)
            last = smooth, calm


def test_the_view_is_the_account_at_t6() -> None:
    stops = vb.Stops(hard=vb.Pct(20.0), take_profit=vb.Pct(30.0))
    market, size = GAPPY.market, len(SEEN)
    risk = vb.Risk(zones=vb.Zones())
    stream = vb.Stream(Witness(), market=market, costs=COSTS, stops=stops, risk=risk, initial_capital=50_000)
    held = 0
    for t in range(GAPPY.T):
        stream.update(GAPPY.row(t))
        memory = np.frombuffer(stream.rule_memory, dtype=np.float64).reshape(GAPPY.N, -1)
        account = stream.books.accounts[0]
        for n in np.flatnonzero(~np.isnan(GAPPY.close[t])):
            saw = dict(zip(SEEN, memory[n, -size:], strict=True))
            a = stream.books.assets[n]
            assert (saw["position"], saw["equity"], saw["cash"]) == (a.q, account.equity, account.cash)
            assert saw["drawdown"] == 1.0 - account.equity / account.peak and saw["zone"] == account.zone
            if a.q == 0.0:
                assert saw["bars_held"] == saw["unrealized"] == 0.0
                assert all(math.isnan(saw[name]) for name in ("entry_price", "stop", "target", "best_price"))
            else:
                held += 1
                assert saw["entry_price"] == a.avg and saw["bars_held"] == t - a.entry_t
                assert saw["unrealized"] == a.q * (a.mark - a.avg)
                assert saw["stop"] == pytest.approx(a.avg * 0.8) and saw["target"] == pytest.approx(a.avg * 1.3)
                assert saw["best_price"] == a.watermark
    assert held > 50


@pytest.mark.interpreted
def test_s4_a_waiting_order_is_seen() -> None:
    """An entry that meets a bar without a market waits; the rule sees it in the bars after."""
    close = np.array([10.0] * 6 + [np.nan, np.nan, 10.0, 10.0])
    other = np.full(10, 20.0)
    prices = np.stack([close, other], axis=1)
    index = np.arange(10) * 86_400_000_000_000
    bars = vb.Bars.from_numpy(prices, prices, prices, prices, index=index, symbols=["A", "B"], missing="no_market")

    @dataclass(frozen=True)
    class Once(Cross):
        state: ClassVar[Mapping[str, str]] = {"seen": "i8", "waited": "f8"}

        @staticmethod
        def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> int:
            state.seen += 1
            if account.order != 0.0:
                state.waited = account.order_bars
            return 1 if state.seen == 6 else 0

    run = vb.backtest(bars, Once(), costs=vb.Costs.free(), max_participation=None).run
    assert run.fills.t.tolist() == [6, 8], "B at the next open, A two bars later"
    assert run.inputs.flags[:, 0].tolist() == [0] * 5 + [1] + [0] * 4


@pytest.mark.slow
@pytest.mark.skipif(ENGINE == "python", reason="a second of plain Python a bar")
def test_d1_pieces_of_a_long_run_join_without_a_seam() -> None:
    """Indicators come in pieces of some thousand bars; the stream knows no pieces."""
    bars = synthetic.gbm(T=40_000, N=1, seed=4, bar_ns=60_000_000_000)
    for strategy in (Cross(3, 40), Patient(3, 40, 30)):
        inputs = vb.backtest(bars, strategy, costs=COSTS).run.inputs.flags
        stream = vb.Stream(strategy, market=bars.market, costs=COSTS)
        said = 0
        for t in range(33_000):
            stream.update(bars.row(t))
            flag = stream._workspace.flags[0, 0]
            assert flag == inputs[t, 0], (strategy, t)
            said += flag != 0
        assert said > 100


@pytest.mark.interpreted
def test_the_arrays_of_a_notebook_come_from_the_declaration() -> None:
    strategy = Cross(3, 8)
    table = strategy.table(GAPPY)
    assert table.columns.names == ["indicator", "symbol"] and table.shape == (GAPPY.T, 9)
    np.testing.assert_array_equal(table["calm"].to_numpy(), vb.indicators.sma(GAPPY, 8))
    np.testing.assert_array_equal(table["smooth"].to_numpy(), vb.indicators.sma(vb.indicators.ema(GAPPY, 3), 2))
    alone = strategy.table(GAPPY.select(["S1"]))
    assert list(alone.columns) == ["calm", "quick", "smooth"]
    assert strategy.warmup == 7


def test_a_rule_that_sees_the_account_says_where_its_rows_are() -> None:
    with pytest.raises(StrategyError, match=r"sees the account.*vb\.backtest"):
        Patient().rows(GAPPY)
    with pytest.raises(StrategyError, match="give the strategy to a Stream"):
        Patient().feed(GAPPY.market).update(GAPPY.row(0).normalized(GAPPY.market))


@pytest.mark.interpreted
def test_a_feed_refuses_the_state_of_another() -> None:
    saved = Cross(3, 8).feed(GAPPY.market).save()
    for other in (Cross(3, 9), Strong(3, 8), Patient(3, 8)):
        with pytest.raises(StateError):
            other.feed(GAPPY.market).restore(saved)
    with pytest.raises(StateError):
        Cross(3, 8).feed(GAPPY.select(["S0"]).market).restore(saved)


# --- answers that are none -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answers(Cross):
    """Says a number of the caller's choice on the 20th bar."""

    answer: float = Parameter(0.0, low=-1e300)
    state: ClassVar[Mapping[str, str]] = {"seen": "i8"}

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any) -> float:
        """The number, once."""
        state.seen += 1
        return params.answer if state.seen == 20 else 0.0


@dataclass(frozen=True)
class AnswersStrength(Answers):
    """The same as a strength."""

    gives: ClassVar[Any] = Strengths


@dataclass(frozen=True)
class AnswersInside(Answers):
    """The same, asked inside the simulation."""

    @staticmethod
    def rule(now: Any, before: Any, params: Any, state: Any, account: Any) -> float:
        """The number, once."""
        state.seen += 1
        return params.answer if state.seen == 20 else 0.0


WHOLE = synthetic.gbm(T=60, N=2, seed=5)


@pytest.mark.parametrize(("strategy", "expected"), [(Answers, "a sum of them"), (AnswersStrength, r"\[-1, 1\]"), (AnswersInside, "a sum")])
@pytest.mark.parametrize("answer", [16.0, -1.0625, 2.5])
def test_an_answer_that_is_none_is_named_with_bar_and_asset(strategy: Any, expected: str, answer: float) -> None:
    label = str(WHOLE.times[19])[:10]
    with pytest.raises(StrategyError, match=rf"answered {answer:g} at {label}.*S0.*{expected}"):
        vb.backtest(WHOLE, strategy(answer=answer), costs=COSTS)
    stream = vb.Stream(strategy(answer=answer), market=WHOLE.market, costs=COSTS)
    for t in range(19):
        stream.update(WHOLE.row(t))
    with pytest.raises(StrategyError, match=f"answered {answer:g} for S0"):
        stream.update(WHOLE.row(19))
    with pytest.raises(StateError, match="the strategy failed"):
        stream.update(WHOLE.row(20))


# --- declarations that are none ------------------------------------------------------------------------------------------


def _with_rule(function: Any, **members: Any) -> Any:
    made = type("Mine", (Cross,), {"rule": staticmethod(function), "__annotations__": {}, **members})
    return dataclasses.dataclass(frozen=True)(made)


def _misspelled(now, before, params, state):  # type: ignore[no-untyped-def]
    if now.smoth > 1.0:
        return 1
    return 0


def _misnamed_parameter(now, before, params, state):  # type: ignore[no-untyped-def]
    return 1 if now.close > params.lsow else 0


def _adds_text(now, before, params, state):  # type: ignore[no-untyped-def]
    text = "a" + now.close
    return 0 if text else 1


def _forgets(now, before, params, state):  # type: ignore[no-untyped-def]
    if now.close > 1.0:
        return 1


@pytest.mark.skipif(ENGINE == "python", reason="uncompiled, Python itself complains where it is run")
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (_misspelled, r"test_rule_strategy.py, line \d+: `if now.smoth > 1.0:`: now has no field 'smoth'; did you mean 'smooth'"),
        (_misnamed_parameter, r"line \d+: `return 1 if now.close > params.lsow else 0`: params has no field 'lsow'; did you mean 'slow'"),
        (_adds_text, r"line \d+: `text = \"a\" \+ now.close`: .*add.*float64"),
        (_forgets, r"line \d+: .*not every way through it returns a number"),
    ],
)
def test_a_fault_in_a_rule_is_shown_as_its_line(rule: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        vb.backtest(WHOLE, _with_rule(rule)(), costs=COSTS)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: _with_rule(lambda now: 0)(), StrategyError, r"takes \(now\); expected \(now, before, params, state\)"),
        (lambda: _with_rule(_misspelled, gives=dict)(), StrategyError, "gives is .*expected Signals"),
        (lambda: _with_rule(_forgets, state={"x": "f4"})().feed(WHOLE.market), StrategyError, r"state\['x'\] is 'f4'"),
        (lambda: Cross(8, 8), ConfigError, r"Cross.fast is 8, slow is 8; expected fast < slow"),
        (lambda: Indicator("smaa", 3), ConfigError, "there is no indicator 'smaa'; did you mean 'sma'"),
        (lambda: Indicator("sma"), ConfigError, "sma needs window"),
        (lambda: Indicator("sma", windw=3), ConfigError, "sma has no parameter 'windw'; did you mean 'window'"),
        (lambda: Indicator("sma", 0), ConfigError, "sma.window is 0"),
        (lambda: Indicator("atr", of="close"), ConfigError, "atr reads high, low, close of the bars"),
        (lambda: IndicatorPlan({"a": Indicator("sma", 2, of="b"), "b": Indicator("sma", 2, of="a")}), ConfigError, "a, b, a read each"),
        (lambda: IndicatorPlan({"a": Indicator("sma", 2, of="clse")}), ConfigError, "'a' is of 'clse'; did you mean 'close'"),
        (lambda: IndicatorPlan({"close": Indicator("sma", 2)}), ConfigError, "cannot be named 'close'"),
        (lambda: IndicatorPlan({"mean": Indicator("sma", 2)}), ConfigError, "cannot be named 'mean'"),
        (lambda: IndicatorPlan({"a b": Indicator("sma", 2)}), ConfigError, "cannot be named 'a b'"),
        (lambda: IndicatorPlan({"a": "sma"}), ConfigError, "expected an Indicator"),  # type: ignore[dict-item]
    ],
)
def test_a_declaration_that_cannot_be_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_volume_that_is_not_there_is_missed_before_the_run() -> None:
    bars = vb.Bars.from_numpy(*(WHOLE.block[k] for k in range(4)), index=WHOLE.index, symbols=WHOLE.symbols)

    @dataclass(frozen=True)
    class Reads(Cross):
        def indicators(self) -> Mapping[str, Indicator]:
            return {**super().indicators(), "mine": Indicator("sma", 3, of="volume")}

    with pytest.raises(InputError, match="volume"):
        vb.backtest(bars, Reads(), costs=COSTS)
