"""D2: what else a strategy must not do: change what it is given, answer otherwise the second time, give rows that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.causality.cheats import close_of

BARS = vb.synthetic.gbm(T=60, N=2, seed=3)


def line(report: vb.StrategyReport, name: str) -> Any:
    """The line of that name."""
    return next(line for line in report.checks if line.name == name)


def test_d2_bars_that_are_written_to_by_force_are_noticed_and_the_callers_are_safe() -> None:
    def doubles(bars: vb.Bars) -> vb.Weights:
        close = bars.close
        close.flags.writeable = True
        close *= 2.0
        return vb.Weights(close / 1e6)

    before = BARS.content_hash
    report = vb.check_strategy(doubles, BARS)
    assert not report.ok and line(report, "leaves all as it was").detail.startswith("its bars changed while it ran")
    assert BARS.content_hash == before == vb.synthetic.gbm(T=60, N=2, seed=3).content_hash


def test_d2_writing_to_bars_is_told_in_words() -> None:
    def writes(bars: vb.Bars) -> vb.Weights:
        bars.close[0] = 1.0
        return vb.Weights(bars.close)

    report = vb.check_strategy(writes, BARS)
    assert not report.ok and report.finding is None and report.parity is None
    assert "none for the 60 bars: ValueError: assignment destination is read-only" in line(report, "rows").detail
    assert "copy what is to be changed" in str(report) and "Traceback" not in str(report)


@dataclass(frozen=True)
class Remembers(vb.Strategy):
    """Keeps the last close it has seen in a parameter."""

    seen: list[float] = field(default_factory=list)

    def rows(self, bars: vb.Bars) -> vb.Signals:
        self.seen.append(float(bars.close[-1, 0]))
        return vb.Signals(entries=bars.close > bars.open)


def test_d2_parameters_that_change_are_noticed() -> None:
    report = vb.check_strategy(Remembers(), BARS)
    assert not report.ok and line(report, "leaves all as it was").detail.startswith("its parameters changed while it ran")


def test_d2_a_scaler_that_goes_on_learning_is_noticed() -> None:
    """What a function keeps in its closure."""

    class Scaler:
        def __init__(self) -> None:
            self.top = 0.0

        def learn(self, close: Any) -> Any:
            self.top = max(self.top, float(np.nanmax(close)))
            return close / self.top

    scaler = Scaler()
    report = vb.check_strategy(lambda bars: vb.Weights(scaler.learn(bars.close)), BARS)
    assert not report.ok and "its parameters changed" in line(report, "leaves all as it was").detail


def test_d2_random_rows_are_noticed() -> None:
    rng = np.random.default_rng(0)
    report = vb.check_strategy(lambda bars: vb.Strengths(rng.uniform(-1, 1, bars.shape)), BARS)
    found = line(report, "repeatable")
    assert not report.ok and found.status == "FAILED"
    assert found.detail.startswith("at 2000-01-03, S0, the first run said ") and "give random numbers a seed" in found.detail


def _at(t: int, value: float, kind: Any) -> Any:
    def rows(bars: vb.Bars) -> Any:
        out = np.zeros(bars.shape)
        out[t : t + 1, 1] = value
        return kind(out)

    return rows


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (
            lambda bars: vb.Strengths(np.zeros((bars.T - 3, 2))),
            "(57, 2); expected (60, 2): 60 bars, 2 assets; the bar at 2000-03-22 is the",
        ),
        (lambda bars: vb.Weights(np.zeros((bars.T + 2, 2))), "expected (60, 2): 60 bars, 2 assets; 2 rows stand after the last bar"),
        (lambda bars: vb.Weights(np.zeros((bars.T, 1))), "expected (60, 2): 60 bars, 2 assets; S1 is the first asset without a column"),
        (lambda bars: vb.Weights(close_of(bars)[["S0"]]), "Weights has no column for 'S1'"),
        (lambda bars: vb.Weights(close_of(bars)[1:]), "Weights has no row for the bar at 2000-01-03"),
        (_at(7, 1.5, vb.Strengths), "Strengths: outside [-1, 1] at 2000-01-12, S1: 1.5"),
        (_at(7, np.inf, vb.Weights), "Weights: infinite at 2000-01-12, S1: inf"),
        (_at(7, np.nan, vb.Signals), "Signals.entries: missing at 2000-01-12, S1: nan"),
        (lambda bars: bars.close, "rows() returned ndarray; expected Signals, Strengths"),
        (lambda bars: 1 / 0, "ZeroDivisionError: division by zero (line "),
    ],
)
def test_rows_that_cannot_be_used_are_told_with_bar_and_asset(strategy: Any, told: str) -> None:
    report = vb.check_strategy(strategy, BARS)
    assert not report.ok and report.parity is None and told in line(report, "rows").detail, str(report)


def test_an_asset_that_is_never_spoken_of_is_warned_about() -> None:
    """NaN changes nothing and may stand anywhere; for ever after the warm-up it is rarely meant."""

    @dataclass(frozen=True)
    class Forgets(vb.Strategy):
        @property
        def warmup(self) -> int:
            return 9

        def rows(self, bars: vb.Bars) -> vb.Strengths:
            out = np.full(bars.shape, np.nan)
            out[9:, 0] = 0.5
            return vb.Strengths(out)

    report = vb.check_strategy(Forgets(), BARS)
    assert report.ok and report.warmup_declared == report.warmup_measured == 9
    assert len(report.warnings) == 1
    assert report.warnings[0].startswith("S1 is NaN at every bar after its warm-up, from 2000-01-14 on, so it is never traded")
    silent = vb.check_strategy(lambda bars: vb.Signals(entries=np.zeros(bars.shape, dtype=bool)), BARS)
    assert silent.ok and silent.warmup_measured is None and "says nothing at all on these bars" in silent.warnings[0]


@dataclass(frozen=True)
class Warm(vb.Strategy):
    """The highest close of 20 bars, with a warm-up that is said to be another."""

    said: int = 19

    @property
    def warmup(self) -> int:
        return self.said

    def rows(self, bars: vb.Bars) -> vb.Weights:
        return vb.Weights(close_of(bars).rolling(20).max() / 1e4)


@pytest.mark.parametrize(("said", "status"), [(19, "ok"), (0, "ok"), (30, "note")])
def test_the_warm_up_is_measured_against_the_declared_one(said: int, status: str) -> None:
    report = vb.check_strategy(Warm(said), BARS)
    assert report.ok and (report.warmup_declared, report.warmup_measured) == (said, 19)
    assert line(report, "warm-up").status == status
    assert ("something is said 19 bars after an asset begins" in line(report, "warm-up").detail) == (status == "note")


@dataclass(frozen=True)
class Needs(vb.Strategy):
    """Fails on few bars."""

    least: int = 30
    said: int = 0

    @property
    def warmup(self) -> int:
        return self.said

    def rows(self, bars: vb.Bars) -> vb.Weights:
        if bars.T < self.least:
            raise ValueError(f"window {self.least} must be <= {bars.T}")
        return vb.Weights(bars.close / 1e4)


class _Constant:
    """A feed for `Needs` that can begin with one bar."""

    def update(self, bar: Any) -> vb.Weights:
        return vb.Weights(bar.close / 1e4)

    def save(self) -> bytes:
        return b""

    def restore(self, data: bytes) -> None:
        assert data == b""


class Streams(Needs):
    """The same with a feed of its own."""

    def feed(self, market: vb.Market) -> Any:
        return _Constant()


def test_failing_on_few_bars_is_told_with_their_number() -> None:
    report = vb.check_strategy(Needs(), BARS)
    assert not report.ok and report.finding is None
    detail = line(report, "later bars removed").detail
    assert detail.startswith("fails on 29 bars and fewer: ValueError: window 30 must be <= ") and detail.endswith("declare warmup >= 29")
    assert "cannot be streamed: ValueError: window 30 must be <= 1" in line(report, "batch = stream, restored").detail


def test_failing_on_no_more_bars_than_the_warm_up_is_allowed_but_the_default_feed_begins_with_one() -> None:
    report = vb.check_strategy(Needs(said=29), BARS, cuts=40)
    allowed = line(report, "later bars removed")
    assert allowed.status == "ok" and "that are no longer than its warm-up of 29" in allowed.detail
    assert not report.ok and line(report, "batch = stream, restored").status == "FAILED"
    assert vb.check_strategy(Streams(said=29), BARS, cuts=40).ok
    assert not vb.check_strategy(Streams(said=20), BARS, cuts=40).ok


def test_failing_with_absurd_futures_is_a_warning_and_with_all_of_them_a_failure() -> None:
    def no_gaps(bars: vb.Bars) -> vb.Weights:
        if np.isnan(bars.close).any():
            raise ValueError("there is a gap")
        return vb.Weights(bars.close / 1e4)

    report = vb.check_strategy(no_gaps, BARS)
    assert report.ok and report.warnings == ("with later bars replaced (missing) it fails, so that says nothing about it: "
        f"{report.warnings[0].split(': ', 1)[1]}",)  # fmt: skip
    assert "ValueError: there is a gap" in report.warnings[0] and "48 futures" in line(report, "later bars replaced").detail
    true = set(BARS.close[:, 0].tolist())

    def only_these(bars: vb.Bars) -> vb.Weights:
        if not set(bars.close[:, 0].tolist()) <= true:
            raise ValueError("these are other prices")
        return vb.Weights(bars.close / 1e4)

    report = vb.check_strategy(only_these, BARS)
    assert not report.ok and "fails with every future" in line(report, "later bars replaced").detail


def test_d1_d3_a_feed_that_says_otherwise_fails_the_check() -> None:
    class Off(_Constant):
        def update(self, bar: Any) -> vb.Weights:
            return vb.Weights(bar.close / 1e4 * (1 + 1e-15))

    class Differs(Streams):
        def feed(self, market: vb.Market) -> Any:
            return Off()

    report = vb.check_strategy(Differs(least=1), BARS)
    assert not report.ok and report.finding is None and report.parity is not None and not report.parity.ok


def test_settings_go_to_the_replay() -> None:
    report = vb.check_strategy(
        vb.strategies.SmaCross(3, 9), BARS, settings={"costs": vb.Costs(per_order=1.0), "stops": vb.Stops(hard=vb.Pct(2))}
    )
    assert report.ok and report.parity is not None and report.parity.orders > 0
    for wrong in ({"stopps": None}, {"stops": vb.Stops(hard=vb.Ticks(20))}):
        with pytest.raises(vb.errors.ConfigError):
            vb.check_strategy(vb.strategies.SmaCross(3, 9), BARS, settings=wrong)
