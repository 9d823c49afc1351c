"""Strategies with init and next: what they read and say, that batch and stream agree, what is refused; and faults in compiled rules."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from vecbt.analytics.saved import verify
from vecbt.api import backtest, check_parity, check_strategy
from vecbt.core.jit import ENGINE
from vecbt.core.space import Parameter
from vecbt.data import synthetic
from vecbt.data.bars import Bars
from vecbt.engine.event_strategy import EventStrategy
from vecbt.engine.inputs import ENTER_LONG, EXIT_LONG, Quantities, Strengths, Weights
from vecbt.engine.rule_strategy import RuleStrategy
from vecbt.engine.stream import Stream
from vecbt.errors import ConfigError, StateError, StrategyError
from vecbt.execution.costs import Costs
from vecbt.indicators.plan import Indicator
from vecbt.risk.stops import Pct, Stops
from vecbt.strategies.trend import SmaCross

pytestmark = pytest.mark.interpreted

FREE = Costs.free()
GAPPY = synthetic.garch_jumps(T=140, N=3, seed=11, missing=0.1, grid=1 / 2)


class Cross(EventStrategy):
    """The crossing of SmaCross, which knows its side from the account."""

    fast = Parameter(3, low=1, integer=True, below="slow")
    slow = 8

    def init(self) -> None:
        self.quick = self.I("sma", self.fast)
        self.calm = self.I("sma", self.slow)
        self.side = 0

    def next(self) -> None:
        quick, calm = self.quick[-1], self.calm[-1]
        side = 1 if quick > calm else -1 if quick < calm else 0
        last, self.side = self.side, side or self.side
        if side and last and side != last:
            if side > 0:
                self.buy()
            else:
                self.close()


class Busy(EventStrategy):
    """Keeps all that may be kept, and reads all there is."""

    history = 12
    gives = Quantities

    def init(self) -> None:
        self.ranges = [self.I("sma", w, of=self.data.high) for w in (2, 4)]
        self.slow = self.I("ema", 3, of=self.ranges[1])
        self.seen: dict[str, Any] = {"bars": 0, "past": [], "last": None}

    def next(self) -> None:
        self.seen["bars"] += 1
        self.seen["past"] = [*self.seen["past"][-3:], self.data.close[-1] / self.slow[-1]]
        self.mean = self.data.close[-10:].mean()
        self.seen["last"] = self.data.datetime.isoformat()
        risk = self.equity * 0.1 / self.data.high[-1] * (1.0 - self.drawdown)
        if self.position.bars_held > 4 or self.position.profit < -200.0:
            self.position.close()
        elif self.data.close[-1] > self.mean and not self.orders and self.seen["bars"] % 3:
            self.order_target(round(risk))
        elif self.ranges[0] < self.ranges[1] and self.position.is_long:
            self.sell(size=1.0)


class Silent(EventStrategy):
    """Sees nothing of the account."""

    gives = Strengths

    def next(self) -> None:
        if len(self.data) % 5 == 0:
            self.buy(size=0.5) if self.data.close > self.data.open else self.sell(size=0.25)
        if len(self.data) % 5 == 3:
            self.close()


class Weighted(EventStrategy):
    """Half of the equity above the mean, none below."""

    gives = Weights

    def init(self) -> None:
        self.sma = self.indicator("sma", 6)

    def next(self) -> None:
        self.order_target_percent(0.2 if self.data.close[-1] > self.sma[-1] else 0.0)


@pytest.mark.parametrize(
    ("strategy", "accounts"), [(Cross(), "shared"), (Busy(), "shared"), (Busy(), "separate"), (Silent(), "shared"), (Weighted(), "shared")]
)
def test_d1_d3_batch_and_stream_agree_with_gaps_and_restarts(strategy: EventStrategy, accounts: str) -> None:
    bars = GAPPY if ENGINE != "python" else GAPPY[:60]
    stops = None if strategy.gives is Weights else Stops(hard=Pct(4), time_bars=9)
    report = check_parity(bars, strategy, costs=Costs(commission_rate=0.001), stops=stops, accounts=accounts, restarts=7)
    assert report.ok, report
    assert report.fills >= 6


def test_it_says_what_the_compiled_form_of_the_same_idea_says() -> None:
    event, compiled = (backtest(GAPPY, strategy, costs=FREE, audit=True) for strategy in (Cross(3, 8), SmaCross(3, 8)))
    assert event.run.fills.tobytes() == compiled.run.fills.tobytes() and len(event.run.fills) > 20
    assert event.run.equity.tobytes() == compiled.run.equity.tobytes()


@dataclass(frozen=True)
class Holder(RuleStrategy):
    """A compiled rule that sees the account."""

    @staticmethod
    def rule(now, before, params, state, account):  # type: ignore[no-untyped-def]
        """In and out again."""
        if account.position > 0.0:
            return EXIT_LONG
        return ENTER_LONG if now.close > before.close else 0


@pytest.mark.parametrize("strategy", [Cross(), Holder()], ids=lambda s: s.name)
def test_d2_strategies_that_see_the_account_are_checked_and_verified_in_a_run(strategy: RuleStrategy, tmp_path: Path) -> None:
    report = check_strategy(strategy, GAPPY[:30], thorough=False, cuts=3)
    assert report.ok and report.columns == 3, str(report)
    saved = backtest(GAPPY[:30], strategy, costs=FREE, stops=Stops(hard=Pct(4))).save(tmp_path / "saved")
    verified = verify(saved, strategy=strategy)
    assert verified.ok and verified.strategy_checked, str(verified)


class Watcher(EventStrategy):
    """Keeps what it reads."""

    def init(self) -> None:
        self.sma = self.I("sma", 3)
        self.log: list[Any] = []

    def next(self) -> None:
        self.log.append([self.data.time, len(self.data), list(self.data.close[-4:]), self.sma[-1], self.sma[-2], self.position.size])
        if len(self.log) == 2:
            self.buy()


def seen_by(strategy: EventStrategy, bars: Bars, **keywords: Any) -> list[Any]:
    """What the objects kept after a stream of all bars, an object an asset."""
    stream = Stream(strategy, market=bars.market, **{"costs": FREE, **keywords})
    for t in range(bars.T):
        stream.update(bars.row(t))
    assert stream._ruled is not None
    return [live for live, *_ in stream._ruled.ruling._player._objects]  # type: ignore[union-attr]


def test_next_reads_this_bar_and_the_bars_before_without_gaps_and_begins_when_indicators_do() -> None:
    live = seen_by(Watcher(), GAPPY)[1]
    there = np.flatnonzero(~np.isnan(GAPPY.close[:, 1]))
    close = GAPPY.close[there, 1]
    assert [row[0] for row in live.log] == GAPPY.index[there[2:]].tolist()
    for k, (_, count, last, mean, before, _) in enumerate(live.log, start=2):
        assert count == k + 1 and last == close[max(0, k - 3) : k + 1].tolist()
        assert mean == pytest.approx(close[k - 2 : k + 1].mean(), rel=1e-12)
        assert np.isnan(before) if k == 2 else before == live.log[k - 3][3]


def test_t7_next_sees_the_account_after_the_fills_of_its_bar() -> None:
    log = seen_by(Watcher(), GAPPY, initial_capital=1000.0)[0].log
    assert [row[5] > 0.0 for row in log[:3]] == [False, False, True]


def test_the_last_word_of_a_bar_counts() -> None:
    class Torn(EventStrategy):
        """Buys, then closes, or the reverse."""

        def next(self) -> None:
            if len(self.data) == 3:
                self.close()
                self.buy()
            if len(self.data) == 6:
                self.buy()
                self.close()

    result = backtest(GAPPY, Torn(), costs=FREE)
    assert sorted(set(result.run.inputs.flags[GAPPY.close[:, 0] > 0, 0].tolist())) == [0, 1, 10]  # type: ignore[index]


def test_a_line_reads_no_further_than_it_keeps_wherever_the_stream_was_restored() -> None:
    class Far(EventStrategy):
        """Reads one bar too far."""

        history = 5

        def next(self) -> None:
            self.data.close[-6:]

    with pytest.raises(StrategyError, match=r"6 bars back is further than the 5 that are kept; set `history = 6`"):
        backtest(GAPPY, Far(), costs=FREE)


def test_lines_are_like_sequences() -> None:
    class Reader(EventStrategy):
        """Compares slices with a list of its own."""

        history = 30

        def init(self) -> None:
            self.all: list[float] = []

        def next(self) -> None:
            close, everything = self.data.Close, self.all
            everything.append(close[-1])
            if len(everything) <= 30:
                for part in (slice(None), slice(-3, None), slice(1, -1), slice(-5, -2), slice(0, 10, 2), slice(5, 2)):
                    assert close[part].tolist() == everything[part], part
                assert close[0] == everything[0] and len(close) == len(everything)
                assert len(everything) < 2 or (close > close[-2]) == (close[-1] > everything[-2])
            else:
                assert close[-30:].tolist() == everything[-30:]

    backtest(GAPPY, Reader(), costs=FREE)


# --- errors ----------------------------------------------------------------------------------------------------------


class Broken(EventStrategy):
    """Divides by zero in its fifth bar."""

    def init(self) -> None:
        self.calls = 0

    def next(self) -> None:
        self.calls += 1
        assert self.calls <= 5, "called again after its failure"
        1 / (len(self.data) - 5)  # the fault


def test_what_next_raises_arrives_as_it_is_with_line_bar_and_asset() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        backtest(GAPPY, Broken(), costs=FREE)
    text = "".join(traceback.format_exception(caught.value))
    assert "1 / (len(self.data) - 5)  # the fault" in text
    assert "in next() of Broken, S" in text and "bar 20" in text


def test_a_stream_whose_next_failed_asks_for_its_last_save() -> None:
    stream = Stream(Broken(), market=GAPPY.market, costs=FREE)
    with pytest.raises(ZeroDivisionError):
        for t in range(GAPPY.T):
            stream.update(GAPPY.row(t))
    with pytest.raises(StateError, match="restore the last save"):
        stream.update(GAPPY.row(60))


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ("(1, 2)", "Keeper.kept is tuple, which cannot be saved"),
        ("{'a': [1.0, {2.0}]}", r"Keeper.kept\['a'\]\[1\] is set"),
        ("{1: 2}", "Keeper.kept has the key 1"),
        ("[self.also]", r"Keeper.kept\[0\] is a list that stands in two places"),
        ("self.position", "Keeper.kept is Position"),
    ],
)
def test_d3_what_cannot_be_saved_is_named(kept: str, message: str) -> None:
    class Keeper(EventStrategy):
        """Keeps something."""

        def next(self) -> None:
            self.also: list[Any] = []
            self.kept = eval(kept)

    stream = Stream(Keeper(), market=GAPPY.market, costs=FREE)
    for t in range(5):
        stream.update(GAPPY.row(t))
    with pytest.raises(StateError, match=message):
        stream.save()


def test_d3_scalars_of_numpy_are_kept_as_numbers() -> None:
    class Keeper(EventStrategy):
        """Keeps scalars."""

        def next(self) -> None:
            self.mean, self.count, self.up = self.data.close[-3:].mean(), np.int64(3), np.float64(1.0) > 0

    live = seen_by(Keeper(), GAPPY)[0]
    assert (type(live.mean), type(live.count), type(live.up)) == (float, int, bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("self.buy(limit=3.0)", r"buy\(limit=\.\.\.\): .*vb\.Orders"),
        ("self.sell(stop=3.0)", r"sell\(stop=\.\.\.\): .*vb\.Orders"),
        ("self.buy(sl=3.0)", r"stops=vb\.Stops"),
        ("self.buy(tpp=3.0)", "no such argument"),
        ("self.buy(size=2)", r"sizing= of the run decides; .*gives = vb\.Quantities"),
        ("self.order_target(3)", r"needs `gives = vb\.Quantities`"),
        ("self.order_target_percent(0.5)", r"needs `gives = vb\.Weights`"),
        ("self.I('sma', 3)", r"declare indicators in init\(\)"),
        ("setattr(self, 'position', 3)", r"self\.position = .*has a meaning already"),
        ("setattr(self, 'window', 3)", "parameters do not change"),
        ("setattr(self, 'line', self.data.close)", r"keep lines in init\(\)"),
        ("self.data.clsoe", "did you mean 'close'"),
    ],
)
def test_what_next_cannot_do_is_refused_with_the_way_that_exists(call: str, message: str) -> None:
    class Asks(EventStrategy):
        """Asks for it."""

        window = 3

        def next(self) -> None:
            eval(call)

    with pytest.raises((StrategyError, AttributeError), match=message):
        backtest(GAPPY, Asks(), costs=FREE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("self.buy()", r"buy\(\) is for next\(\)"),
        ("self.position.size", r"position is known in next\(\)"),
        ("self.equity", r"equity is known in next\(\)"),
        ("self.data.close[-1]", r"no values in init\(\)"),
        ("self.data.time", "no bar yet"),
        ("self.I('smaa', 3)", "did you mean 'sma'"),
        ("self.I('sma', 0)", "at least 1"),
        ("self.I(len, self.data.close)", "has no streaming form"),
        ("self.I('sma', 3, of=4)", "of=4; expected a price"),
    ],
)
def test_what_init_cannot_do_is_refused(call: str, message: str) -> None:
    class Asks(EventStrategy):
        """Asks for it."""

        def init(self) -> None:
            eval(call)

        def next(self) -> None:
            """Nothing."""

    with pytest.raises((StrategyError, ConfigError), match=message):
        backtest(GAPPY, Asks(), costs=FREE)


@pytest.mark.parametrize(("size", "message"), [(-1.0, "above 0"), (float("nan"), "finite"), (True, "finite"), (None, "needs size=")])
def test_sizes_are_numbers_above_zero(size: Any, message: str) -> None:
    class Buys(EventStrategy):
        """Buys so much."""

        gives = Quantities

        def next(self) -> None:
            self.buy(size)

    with pytest.raises(StrategyError, match=message):
        backtest(GAPPY, Buys(), costs=FREE)


def test_an_answer_beyond_its_kind_is_refused() -> None:
    class Strong(EventStrategy):
        """A strength of two."""

        gives = Strengths

        def next(self) -> None:
            self.buy(size=2.0)

    with pytest.raises(StrategyError, match=r"answered 2 .*expected a number in \[-1, 1\]"):
        backtest(GAPPY, Strong(), costs=FREE)


def test_classes_that_are_no_strategies() -> None:
    with pytest.raises(StrategyError, match=r"must define next\(self\)"):
        type("Empty", (EventStrategy,), {})()
    with pytest.raises(StrategyError, match="one list for all assets"):
        type("Shares", (EventStrategy,), {"past": []})
    with pytest.raises(StrategyError, match="history is 0"):
        type("Short", (EventStrategy,), {"history": 0, "next": lambda self: None})()
    with pytest.raises(StrategyError, match="when a simulation runs"):
        Cross().buy()


# --- parameters ------------------------------------------------------------------------------------------------------


def test_parameters_are_class_attributes_checked_and_swept_like_any() -> None:
    assert Cross().parameters == {"fast": 3, "slow": 8} and list(Cross.space) == ["fast", "slow"]
    assert Cross(2) == Cross(fast=2) != Cross(3) and hash(Cross(2)) == hash(Cross(fast=2))
    assert Cross.make({"slow": 30}).slow == 30
    with pytest.raises(ConfigError, match="fast < slow"):
        Cross(9, 8)
    with pytest.raises(ConfigError, match=r"Cross\.fast is 0"):
        Cross(0)
    with pytest.raises(ConfigError, match="did you mean 'fast'"):
        Cross.make({"fats": 3})

    @dataclass(frozen=True)
    class Wider(Cross):
        """Decorated, as other strategies are."""

        third: float = Parameter(0.5, low=0.0, high=1.0)

    assert Wider(third=1.0).parameters == {"fast": 3, "slow": 8, "third": 1.0}


def test_indicators_have_the_names_of_their_attributes() -> None:
    class Names(EventStrategy):
        """Names of all sorts."""

        def init(self) -> None:
            self.high = self.I("sma", 2)  # a record has such a field already
            self.two = [self.I("sma", 3), self.I("sma", 4)]
            self._own = self.I("ema", 5, of=self.two[0])

        def next(self) -> None:
            """Nothing."""

    found = Names().indicators()
    assert list(found) == ["sma_1", "sma_2", "sma_3", "ema_1"]
    assert found["ema_1"] == Indicator("ema", 5, of="sma_2")


def test_d3_a_saved_stream_does_not_go_on_as_another_strategy() -> None:
    stream = Stream(Cross(), market=GAPPY.market, costs=FREE)
    stream.update(GAPPY.row(0))
    with pytest.raises(StateError, match="strategy"):
        Stream(Cross(4), market=GAPPY.market, costs=FREE).restore(stream.save())


# --- faults in compiled rules ----------------------------------------------------------------------------------------


def with_typo(now, before, params, state):  # type: ignore[no-untyped-def]
    return ENTER_LONG if now.quikc > now.close else 0


def with_text(now, before, params, state):  # type: ignore[no-untyped-def]
    gap = now.close - "3"
    return ENTER_LONG if gap > 0 else 0


def without_return(now, before, params, state):  # type: ignore[no-untyped-def]
    if now.close > now.quick:
        return EXIT_LONG


def with_two(now, before):  # type: ignore[no-untyped-def]
    return 0


def with_state(now, before, params, state):  # type: ignore[no-untyped-def]
    state.coutn += 1
    return 0


def with_parameter(now, before, params, state):  # type: ignore[no-untyped-def]
    return ENTER_LONG if now.close > params.widnow else 0


def with_name(now, before, params, state):  # type: ignore[no-untyped-def]
    return ENTER_LNG if now.close > 1.0 else 0  # type: ignore[name-defined] # noqa: F821


def doubled(x):  # type: ignore[no-untyped-def]
    return 2.0 * x


def with_python(now, before, params, state):  # type: ignore[no-untyped-def]
    return ENTER_LONG if now.close > doubled(now.open) else 0


def with_self(self, now, before, params, state):  # type: ignore[no-untyped-def]
    return 0


def with_word(now, before, params, state):  # type: ignore[no-untyped-def]
    return "buy"


def ruled(rule: Any) -> type[RuleStrategy]:
    """A class with this rule."""

    @dataclass(frozen=True)
    class Ruled(RuleStrategy):
        """Has a field quick, a parameter window, a state count."""

        window: int = 3
        state: ClassVar[dict[str, str]] = {"count": "i8"}

        def indicators(self) -> dict[str, Indicator]:
            """One."""
            return {"quick": Indicator("sma", self.window)}

    Ruled.rule = staticmethod(rule)
    return Ruled


@pytest.mark.skipif(ENGINE == "python", reason="uncompiled, Python's own error names line and name")
@pytest.mark.parametrize(
    ("rule", "pieces"),
    [
        (with_typo, ("now.quikc > now.close", "now has no field 'quikc'", "did you mean 'quick'")),
        (with_state, ("state.coutn += 1", "state has no field 'coutn'", "did you mean 'count'")),
        (with_parameter, ("params.widnow", "params has no field 'widnow'", "did you mean 'window'")),
        (with_text, ('gap = now.close - "3"', "float64", "Literal[str](3)")),
        (without_return, ("not every way through it returns a number", "return 0")),
        (with_name, ("ENTER_LNG",)),
        (with_python, ("now.close > doubled(now.open)", "doubled is plain Python", "@numba.njit")),
        (with_word, ('return "buy"', "Literal[str](buy)")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_in_a_rule_shows_the_line_and_the_offender(rule: Any, pieces: tuple[str, ...]) -> None:
    with pytest.raises(StrategyError) as caught:
        backtest(GAPPY, ruled(rule)(), costs=FREE)
    message = str(caught.value)
    assert "the rule of Ruled, test_event_strategy.py, line" in message
    for piece in pieces:
        assert piece in message, message


def test_a_rule_with_too_few_arguments_is_refused_before_anything_runs() -> None:
    with pytest.raises(StrategyError, match=r"Ruled.rule takes \(now, before\); expected \(now, before, params, state\)"):
        ruled(with_two)()


def test_a_rule_that_is_no_staticmethod_is_refused_and_not_taken_for_one_that_sees_the_account() -> None:
    with pytest.raises(StrategyError, match=r"Ruled\.rule takes self; write @staticmethod above it"):
        ruled(with_self)()
