"""Several runs beside each other: common dates, the same numbers as each run's own, correlation, report, and BCH-02's names for it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.analytics.example import NAN, run_of, small
from tests.analytics.test_report import Page, embedded, hostile
from tests.analytics.test_tearsheet import walk
from vecbt.analytics.comparison import COMPARED, compare
from vecbt.analytics.result import Result
from vecbt.analytics.vendored import echarts, own
from vecbt.data.bars import Bars
from vecbt.engine.run import Run
from vecbt.errors import ConfigError


def run(
    bars: int = 300, seed: int = 1, *, start: str = "2024-01-01", step: str = "1D", quantity: float = 5.0, accounts: str = "shared"
) -> Run:
    close = 100.0 * np.cumprod(1.0 + walk(bars, seed))[:, None]
    trades = [
        {"asset": 0, "entry_t": t, "exit_t": t + 5, "pnl": float(np.sin(t)), "mae": 0.01, "mfe": 0.02, "initial_risk": 2.0}
        for t in range(2, bars - 6, 10)
    ]
    made = run_of(close, [(2, 0, quantity, float(close[2, 0]))], symbols=("A",), trades=trades, accounts=accounts)
    index = np.datetime64(start, "ns") + np.arange(bars) * np.timedelta64(int(step[:-1]), step[-1]).astype("m8[ns]")
    own_bars = Bars.from_numpy(close, close, close, close, index=index, symbols=("A",), periods_per_year=365.0, missing="no_market")
    return dataclasses.replace(made, bars=own_bars)


def test_runs_of_the_same_dates_have_the_numbers_of_their_own_statistics() -> None:
    results = [Result(run(seed=1)), Result(run(seed=2, quantity=-3.0))]
    found = compare(results, names=["one", "two"])
    for name, result in zip(found.names, results, strict=True):
        stats = result.stats()
        for row in COMPARED:
            assert found.table.at[row.name, name] == stats[row.name] or (
                np.isnan(stats[row.name]) and np.isnan(found.table.at[row.name, name])
            )
    assert found.note == "Compared from 2024-01-01 to 2024-10-26 UTC: all of every run."
    np.testing.assert_allclose(found.growth["one"], results[0].equity / 1000.0, rtol=1e-14)
    np.testing.assert_allclose(found.returns["two"], results[1].returns, rtol=1e-9, atol=1e-15)
    assert found.correlation.loc["one", "two"] == pytest.approx(np.corrcoef(results[0].returns, results[1].returns)[0, 1])


def test_runs_of_other_dates_are_cut_to_those_they_share_and_it_says_so() -> None:
    early, late = Result(run(seed=1)), Result(run(seed=2, start="2024-03-01"))
    found = compare({"early": early, "late": late})
    assert str(found.start.date()) == "2024-03-01" and str(found.end.date()) == "2024-10-26"
    assert found.note.startswith("Compared from 2024-03-01 to 2024-10-26 UTC, the dates that all runs have. Left out of account:")
    assert "'early' (2024-01-01 to 2024-10-26)" in found.note and "'late' (2024-03-01 to 2024-12-25)" in found.note
    equity = early.equity
    base, part = equity.iloc[59], equity.iloc[60:]
    assert found.growth["early"].iloc[0] == pytest.approx(part.iloc[0] / base)
    assert found.table.at["total_return", "early"] == pytest.approx(part.iloc[-1] / base - 1.0)
    top = np.maximum.accumulate(np.concatenate([[base], part]))
    assert found.table.at["max_drawdown", "early"] == pytest.approx((1.0 - np.concatenate([[base], part]) / top).max())
    closed = early.trades[early.trades["exit_time"] >= found.start]
    assert found.table.at["trades", "early"] == len(closed) < len(early.trades)
    assert found.table.at["expectancy", "early"] == pytest.approx(closed["pnl"].mean())
    assert found.table.at["commission", "early"] == 0.0 != early.stats()["commission"]


def test_runs_without_a_common_bar_are_refused_with_both_ranges() -> None:
    first, second = Result(run(20)), Result(run(20, start="2025-01-01"))
    with pytest.raises(ConfigError, match=r"no bar in common: 'a' \(2024-01-01 to 2024-01-20\), 'b' \(2025-01-01 to 2025-01-20\)"):
        compare([first, second], names=["a", "b"])


def test_bars_of_other_lengths_are_correlated_by_day() -> None:
    days, hours = Result(run(30, seed=3)), Result(run(30 * 24, seed=4, step="1h"))
    found = compare([days, hours], names=["days", "hours"])
    assert not found.same_bars
    inside = hours.returns[hours.times <= days.times[-1]]  # by their labels
    by_day = (1.0 + inside).groupby(inside.index.normalize()).prod() - 1.0
    both = np.stack([days.returns.to_numpy(), by_day.to_numpy()])
    assert found.correlation.loc["days", "hours"] == pytest.approx(np.corrcoef(both)[0, 1])


def test_a_flat_run_has_no_correlation_and_no_warning() -> None:
    flat = Result(run_of([[10.0]] * 300, [], symbols=("A",)))
    found = compare([Result(run()), flat], names=["moves", "flat"])
    assert np.isnan(found.correlation.loc["moves", "flat"]) and np.isnan(found.table.at["sharpe", "flat"])
    assert found.table.at["total_return", "flat"] == 0.0 and found.table.at["exposure_time", "flat"] == 0.0


def test_ruin_before_the_common_dates_is_nothing_to_compare_from() -> None:
    ruined = Result(run_of([[10.0], [60.0], [60.0], [20.0]] * 10, [(0, 0, -40.0, 10.0)], symbols=("A",)))
    late = Result(run(60, start="2024-01-03"))
    found = compare([ruined, late], names=["ruined", "late"])
    assert np.isnan(found.table.at["total_return", "ruined"]) and np.isfinite(found.table.at["total_return", "late"])
    assert found.growth["ruined"].isna().all()


def test_accounts_of_one_run_count_together() -> None:
    both = run_of(np.full((50, 2), 10.0) + np.arange(50)[:, None], [(0, 0, 5.0, 10.0), (0, 1, 9.0, 10.0)], accounts="separate")
    found = compare([Result(both), Result(run(50))], names=["both", "one"])
    assert found.table.at["total_return", "both"] == pytest.approx(both.equity[-1].sum() / both.initial.sum() - 1.0)


def test_names_are_titles_and_differ() -> None:
    assert compare([Result(small()), Result(small())]).names == ("Strengths", "Strengths (2)")

    class Named:
        name = "Cross"

        def __init__(self, fast: int) -> None:
            self.parameters = {"fast": fast, "slow": 20}

    both = [Result(small(source=Named(fast))) for fast in (5, 10)]
    assert compare(both).names == ("Cross fast 5", "Cross fast 10")
    assert compare([both[0], Result(small(source=Named(5), symbols=("C", "D")))]).names == ("Cross AAA, BBB", "Cross C, D")


@pytest.mark.parametrize(
    ("results", "names", "match"),
    [
        ([small()], None, "at least two"),
        ([small(), 3], None, "hold int"),
        ([small(), small()], ["a"], "names are 1, results are 2"),
        ([small(), small()], ["a", "a"], "'a' more than once"),
        ([small(), small()], "ab", "one text"),
        ({"a": small(), "b": small()}, ["a", "b"], "give no names"),
    ],
)
def test_what_cannot_be_compared_is_refused(results: Any, names: Any, match: str) -> None:
    def made(value: Any) -> Any:
        return Result(value) if isinstance(value, Run) else value

    given = {k: made(v) for k, v in results.items()} if isinstance(results, dict) else [made(v) for v in results]
    with pytest.raises(ConfigError, match=match):
        compare(given, names=names)


def test_the_report_is_one_page_that_trusts_no_name(tmp_path: Path) -> None:
    found = compare([Result(hostile()), Result(small())], names=["</script><img src=x onerror=alert(1)>", "<b>b</b>"])
    text = found.report(tmp_path / "c.html").read_text(encoding="utf-8")
    ours = text.replace(echarts(), "").replace(own("sheet.js"), "")
    assert "<img src=x" not in ours and "<b>b" not in ours and ours.count("</script>") == 3
    page = Page(text)
    assert not page.open and "Correlation of returns" in page.text and "all of every run" in page.text and "<b>b</b>" in page.text
    assert [line["name"] for line in embedded(text)["growth"]] == list(found.names)
    assert "&lt;b&gt;b" in found._repr_html_() and "<b>b" not in found._repr_html_()
    assert "source" in page.text  # the assumption in which they differ
    with pytest.raises(ConfigError, match="plot writes png"):
        found.report(tmp_path / "c.pdf")


def test_the_picture_and_the_text(tmp_path: Path) -> None:
    found = compare([Result(run(seed=1)), Result(run(seed=2, start="2024-02-01"))], names=["_one", "two"])
    picture = found.plot(tmp_path / "c.png", log=True)
    assert [axes.get_title(loc="left") for axes in picture.axes] == ["Growth of 1, logarithmic", "Drawdown"]
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert found.note in repr(found) and f"{found.table.at['sharpe', 'two']:.3f}" in found.to_text()


def test_differing_assumptions_are_listed() -> None:
    from vecbt.engine.setup import Setup

    first = run()
    second = dataclasses.replace(first, setup=Setup.of(costs=vb.Costs(per_order=2.0), initial_capital=1000.0))
    found = compare([Result(first), Result(second)], names=["a", "b"]).differences
    assert found[["section", "name", "a", "b"]].values.tolist() == [["costs", "per_order", "1", "2"]]


def test_bch_02_the_comparator_ranks_runs() -> None:
    """BCH-02: `MetricsComparator` and `ComparisonConfig`."""
    comparator = vb.MetricsComparator(vb.ComparisonConfig(metrics=("sharpe", "max_drawdown"), sort_by="max_drawdown"))
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        comparator.add(name, Result(run(seed=seed)))
    table = comparator.compare()
    assert list(table.columns) == ["sharpe", "max_drawdown"] and table["max_drawdown"].is_monotonic_increasing
    assert comparator.best() == table.index[0] and comparator.best("sharpe") == table["sharpe"].idxmax()
    assert comparator.comparison.names == ("a", "b", "c")
    with pytest.raises(ConfigError, match="there already"):
        comparator.add("a", Result(run()))
    with pytest.raises(ConfigError, match="did you mean 'sharpe'"):
        vb.ComparisonConfig(sort_by="sharp")
    with pytest.raises(ConfigError, match="tuple of names"):
        vb.ComparisonConfig(metrics="sharpe")  # type: ignore[arg-type]
    flat = vb.MetricsComparator()
    for name in "ab":
        flat.add(name, Result(run_of([[10.0]] * 9, [], symbols=("A",))))
    with pytest.raises(ConfigError, match="defined for none"):
        flat.best("sharpe")
    assert NAN != flat.compare()["sharpe"].iloc[0]
