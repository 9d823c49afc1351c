"""D2: every cheat of the gallery is caught, with the first bar, the column, and how far ahead it looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.causality.cheats import END, GALLERY, PEEK, PeekOnce, QuietPeek, gallery_bars, knows_delistings, tomorrow

BARS = gallery_bars()


@pytest.mark.parametrize("thorough", [False, True], ids=["quick", "thorough"])
@pytest.mark.parametrize(("cheat", "bar", "column", "ahead"), GALLERY, ids=[cheat.__name__ for cheat, *_ in GALLERY])
def test_d2_a_cheat_is_caught(cheat: Any, bar: int, column: str, ahead: int | None, thorough: bool) -> None:
    if thorough:  # of the same search at all cuts, on any rows: without the replay bar by bar, which the quick check shows
        report = vb.check_causal(cheat, BARS, thorough=True)
        assert report.cuts <= BARS.T - 1 and report.thorough
    else:
        report = vb.check_strategy(cheat, BARS)
        assert report.parity is None or not report.parity.ok, "what looks ahead cannot be streamed"
        assert not report.thorough and report.cuts <= 12
    found = report.finding
    assert not report.ok and found is not None and "FAILED" in str(report)
    assert (found.bar, found.column) == (bar, column), str(report)
    assert found.time == str(BARS.times[bar].astype("M8[D]"))
    if ahead is not None:
        assert found.ahead == (BARS.T - 1 - bar if ahead == END else ahead), str(report)
        assert found.to_the_end == (ahead == END)


def test_d2_a_peek_at_one_bar_needs_a_cut_there() -> None:
    """A few cuts miss it, and say that they can; cuts after every bar find the bar, the asset and the distance."""
    quick = vb.check_strategy(PeekOnce(), BARS)
    assert quick.ok and quick.cuts == 12 and quick.futures == 60
    assert "12 of 159 cuts" in quick.missed and "h = 1: 7.5%" in quick.missed and "thorough=True" in quick.missed
    seen: list[tuple[int, int]] = []
    report = vb.check_strategy(PeekOnce(), BARS, thorough=True, progress=lambda done, total: seen.append((done, total)))
    found = report.finding
    assert not report.ok and found is not None and (found.bar, found.column, found.ahead, found.first) == (PEEK, "B", 1, True)
    assert f"bar {PEEK} (2000-08-03), B: " in str(report) and "it looks 1 bar ahead" in str(report)
    assert (PEEK, BARS.T - 1) in seen and "cut after every bar" in report.missed
    assert vb.check_strategy(PeekOnce(), BARS[: PEEK + 1], thorough=True).ok  # the bar it looks at is not there


def test_d2_a_peek_among_the_bars_that_are_replayed_is_named_though_no_cut_fell_there() -> None:
    """The first 150 bars are replayed bar by bar: that fails, and each of them is cut."""
    report = vb.check_strategy(PeekOnce(at=77), BARS)
    found = report.finding
    assert found is not None and (found.bar, found.column, found.ahead, found.first) == (77, "B", 1, True)
    assert report.cuts == 12 + 78 and not report.ok and not report.thorough


def test_d2_compiled_strategies_are_cut_at_every_bar_unless_asked_otherwise() -> None:
    class Compiled(PeekOnce):
        compiled = True

    assert not vb.check_strategy(Compiled(), BARS).ok
    assert vb.check_strategy(Compiled(), BARS, thorough=False).ok


def test_d2_a_peek_that_removal_does_not_show_is_found_by_another_future() -> None:
    report = vb.check_strategy(QuietPeek(), BARS, thorough=True)
    lines = {line.name: line for line in report.checks}
    assert lines["later bars removed"].status == "ok" and lines["later bars replaced"].status == "FAILED"
    assert report.finding is not None and (report.finding.bar, report.finding.column, report.finding.ahead) == (PEEK, "A", 1)


def test_d2_knowing_a_delisting_beforehand_is_caught() -> None:
    block = BARS.block.copy()
    block[:, 100:, 1] = np.nan
    bars = vb.Bars.from_numpy(*block, index=BARS.index, symbols=["A", "B"], missing="no_market", periods_per_year=252)
    assert bars.delist_bar[1] == 100
    found = vb.check_causal(knows_delistings, bars, thorough=True).finding
    assert found is not None and (found.bar, found.column, found.ahead) == (91, "B", 9)


def test_d2_distance_is_measured_far_out() -> None:
    """Beyond what is tried one by one: 75 bars, from bar 100 on, which few cuts reach only by bisection."""
    bars = vb.synthetic.gbm(T=900, N=1, seed=8)

    def far(bars: vb.Bars) -> vb.Weights:
        close = bars.close[:, 0]
        out = np.zeros(bars.T)
        t = np.arange(100, max(bars.T - 75, 100))
        out[t] = close[t + 75] / close[t] - 1
        return vb.Weights(out)

    found = vb.check_strategy(far, bars).finding
    assert found is not None and (found.bar, found.column, found.ahead, found.first) == (100, "S", 75, False)


def test_d2_cuts_are_the_last_bars_and_those_after_the_warm_up_and_hang_on_the_seed() -> None:
    def cuts_of(seed: int) -> list[int]:
        lengths: list[int] = []

        def look(bars: vb.Bars) -> np.ndarray:
            lengths.append(bars.T)
            return bars.close

        vb.check_causal(look, BARS, warmup=50, seed=seed, cuts=6)
        return sorted({n for n in lengths if n < BARS.T})

    assert cuts_of(0) == cuts_of(0) != cuts_of(1)
    assert {51, 52, 158, 159} < set(cuts_of(0)) and len(cuts_of(0)) == 6


def test_d2_rows_cannot_be_checked_only_what_makes_them() -> None:
    with pytest.raises(vb.errors.StrategyError, match="Weights are rows already"):
        vb.check_strategy(tomorrow(BARS), BARS)
    with pytest.raises(vb.errors.StrategyError, match="PeekOnce is a class; give an object"):
        vb.check_strategy(PeekOnce, BARS)
    with pytest.raises(vb.errors.DataError, match="bars is DataFrame; expected Bars"):
        vb.check_strategy(tomorrow, BARS.to_pandas())
    with pytest.raises(vb.errors.ConfigError, match="cuts is 0; expected a whole number of at least 1"):
        vb.check_strategy(tomorrow, BARS, cuts=0)
