"""The tear sheet of returns of any origin: the numbers of the public tables in every form, a benchmark beside them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from tests.analytics.example import small
from tests.analytics.test_report import Page, embedded
from vecbt.analytics import sheet_evidence
from vecbt.analytics.report import page
from vecbt.analytics.result import Result
from vecbt.analytics.sheet_paper import paper_pages
from vecbt.analytics.sheet_returns import ReturnsSheet
from vecbt.analytics.sheet_text import WIDTH, sheet_text
from vecbt.errors import ConfigError, InputError

KEYWORDS: dict[str, Any] = dict.fromkeys(("benchmark", "kind", "periods_per_year", "column", "title")) | {"trials": 1}


def series(count: int = 400, seed: int = 3, name: str | None = "fund", start: str = "2023-01-02") -> pd.Series:
    values = np.random.default_rng(seed).normal(0.0006, 0.01, count)
    return pd.Series(values, index=pd.date_range(start, periods=count, freq="B"), name=name)


def sheet_of(returns: Any, **more: Any) -> ReturnsSheet:
    return ReturnsSheet.of(returns, **(KEYWORDS | more))


def told(sheet: ReturnsSheet) -> tuple[str, str, str]:
    """What the page, the text and the sheets of paper say."""
    figures = paper_pages(sheet, log=False)
    words = [part.get_text() for one in figures for part in one.findobj(lambda item: hasattr(item, "get_text"))]
    return Page(page(sheet, log=False)).text, " ".join(sheet_text(sheet).split()), " ".join(" ".join(words).split())


def test_the_numbers_are_those_of_the_public_tables() -> None:
    returns = series()
    sheet, stats = sheet_of(returns, trials=20), vb.stats(returns)
    pd.testing.assert_frame_equal(sheet.months, vb.monthly_returns(returns))
    pd.testing.assert_frame_equal(sheet.drawdowns, vb.drawdowns(returns, most=10))
    names = ("sharpe", "volatility", "total_return")
    pd.testing.assert_frame_equal(sheet.rolling, vb.rolling_metrics(returns, sheet.window, names))
    shown = {one.row.name: one for _, figures in sheet.cards() for one in figures}
    assert set(shown) == set(stats.index)
    for name, one in shown.items():
        if one.row.kind != "time":
            assert one.value == stats[name] or (np.isnan(one.value) and np.isnan(stats[name]))
    assert (shown["start"].written, shown["end"].written) == ("2023-01-02", "2024-07-12")
    evidence = vb.evidence_of(returns, trials=20)
    assert sheet.evidence.paragraph == evidence.paragraph and list(sheet.evidence.rows) == evidence.rows
    np.testing.assert_allclose(sheet.lines[0].growth, (1.0 + returns).cumprod(), rtol=1e-14)


def test_every_form_tells_the_same() -> None:
    returns = series()
    sheet, stats = sheet_of(returns, trials=20), vb.stats(returns)
    for text in told(sheet):
        for part in (
            "Returns of fund", f"{stats['total_return']:.2%} in all", f"{stats['sharpe']:.3f}", f"{stats['max_drawdown']:.2%}",
            f"{vb.monthly_returns(returns).loc[2023, 'Mar'] * 100:.1f}", sheet.evidence.paragraph, "Tail ratio, 5%",
            "2023-01-02 to 2024-07-12, 400 bars",
        ):  # fmt: skip
            assert part in text, part
        for part in ("closed trade", "Assumptions in force", "before costs", "Commission"):
            assert part not in text, part


def test_the_page_is_whole_and_its_charts_have_what_they_draw(tmp_path: Path) -> None:
    path = vb.report(series(), tmp_path / "r.html", benchmark=series(seed=4, name="index"), title="<b>Mine</b>", log=True)
    text = path.read_text(encoding="utf-8")
    found, data = Page(text), embedded(text)
    assert not found.open and "<b>Mine</b>" in found.text and data["log"] is True and data["counted"] is False
    assert [line["name"] for line in data["growth"]] == ["fund", "index"]
    assert data["rolling"]["names"] == ["sharpe", "volatility", "total_return", "beta"]
    links = {attributes["href"] for tag, attributes in found.tags if tag == "a"}
    assert links == {f"#{name}" for name in ("growth-of-one", "months", "drawdowns", "rolling", "statistics")}
    assert {f"#{attributes.get('id')}" for _, attributes in found.tags} >= links


@pytest.mark.parametrize("ending", ["pdf", "png"])
def test_paper_is_the_same_each_time(tmp_path: Path, ending: str) -> None:
    first, second = (vb.report(series(100), tmp_path / f"{k}.{ending}").read_bytes() for k in "ab")
    assert first == second and first.startswith(b"%PDF" if ending == "pdf" else b"\x89PNG")


def test_a_benchmark_is_beside_the_returns() -> None:
    """Prices that begin later: the curve begins at 1 where both are known, the figures are those of `vecbt.relative`."""
    returns, index = series(), (1.0 + series(300, seed=5, start="2023-03-06")).cumprod().rename("index") * 50.0
    sheet, wanted = sheet_of(returns, benchmark=index), vb.relative(returns, index)
    shown = {one.row.name: one.value for one in sheet.cards()[-1][1]}
    for name in ("alpha", "beta", "tracking_error", "active_drawdown", "benchmark_cagr"):
        assert shown[name] == wanted[name]
    line = sheet.lines[1]
    assert line.name == "index" and len(line.growth) == wanted["bars"]
    assert line.growth[-1] - 1.0 == pytest.approx(wanted["benchmark_total_return"], rel=1e-12)
    assert line.labels[0] == wanted["start"].value
    for text in told(sheet):
        assert "Against the benchmark" in text or "AGAINST THE BENCHMARK" in text
        assert f"index {wanted['benchmark_total_return']:.2%}." in text


def test_a_column_is_chosen_and_another_is_the_benchmark() -> None:
    pl = pytest.importorskip("polars")
    frame = pd.DataFrame({"a": series(), "b": series(seed=4)})
    both = pl.DataFrame({"time": pl.Series(frame.index.to_numpy()), "a": frame["a"].to_numpy(), "b": frame["b"].to_numpy()})
    for given in (frame, both):
        sheet = sheet_of(given, benchmark="b")
        assert sheet.title == "Returns of a" and sheet.versus["beta"] == vb.relative(frame["a"], frame["b"])["beta"]
        assert sheet_of(given, column="b").found["sharpe"] == vb.stats(frame["b"])["sharpe"]
    with pytest.raises(ConfigError, match="say which one, column='a'"):
        sheet_of(frame)
    with pytest.raises(ConfigError, match="column is 'c'"):
        sheet_of(frame, column="c")
    with pytest.raises(ConfigError, match="benchmark and column are both 'b'"):
        sheet_of(frame, column="b", benchmark="b")


def test_returns_without_times_are_counted(tmp_path: Path) -> None:
    values = series(200).to_numpy()
    with pytest.raises(ConfigError, match="periods_per_year is missing"):
        vb.report(values, tmp_path / "r.html")
    sheet = sheet_of(values, periods_per_year=252)
    assert sheet.months is None and sheet.labels[:3].tolist() == [0, 10**6, 2 * 10**6]
    for text in told(sheet):
        assert "in 200 bars" in text and "at worst" in text.lower()
    data = embedded(page(sheet, log=False))
    assert data["counted"] is True and data["growth"][0]["time"] == {"from": 0, "unit": 1, "steps": [1] * 199}


@pytest.mark.parametrize("count", [1, 2, 3, 30])
@pytest.mark.parametrize("value", [None, 0.0, -1.0])
def test_any_length_gives_a_sheet(count: int, value: float | None) -> None:
    """Too few bars, flat, ruin: nothing fails, and the evidence says why there is none."""
    returns = series(count) if value is None else series(count) * 0.0 + value
    for text in told(sheet_of(returns)):
        assert "is it luck?" in text.lower()
    assert max(map(len, sheet_text(sheet_of(returns)).splitlines())) <= WIDTH


def test_bars_before_the_first_return_are_none_of_it() -> None:
    returns = series(100)
    late = pd.concat([pd.Series(np.nan, index=pd.date_range("2022-12-01", periods=9, freq="B")), returns]).rename("fund")
    assert sheet_of(late).span == sheet_of(returns).span and sheet_of(late).found["sharpe"] == sheet_of(returns).found["sharpe"]


def test_without_times_a_benchmark_is_cut_to_the_same_bars() -> None:
    returns, index = series(100).to_numpy(), series(100, seed=4).to_numpy()
    late = np.concatenate([np.full(9, np.nan), returns])
    for before in (np.full(9, np.nan), np.full(9, 0.01)):
        sheet = sheet_of(late, benchmark=np.concatenate([before, index]), periods_per_year=252)
        assert sheet.versus["beta"] == vb.relative(returns, index, periods_per_year=252)["beta"] and len(sheet.lines[1].growth) == 100


def test_times_are_shown_in_their_zone() -> None:
    hours = series(100)
    hours.index = pd.date_range("2024-01-01 09:00", periods=100, freq="h", tz="America/New_York")
    assert sheet_of(hours).span == "2024-01-01 09:00 to 2024-01-05 12:00 America/New_York, 100 bars"


def test_what_is_no_report_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a report ends in"):
        vb.report(series(), tmp_path / "r.doc")
    with pytest.raises(ConfigError, match=r'call result.report\("report.html"\)'):
        vb.report(Result(small()), tmp_path / "r.html")
    with pytest.raises(InputError, match="no bar to report on"):
        vb.report(series() * np.nan, tmp_path / "r.html")
    with pytest.raises(ConfigError, match="trials is 0"):
        vb.report(series(), tmp_path / "r.html", trials=0)
    with pytest.raises(InputError, match="share no bar"):
        vb.report(series(), tmp_path / "r.html", benchmark=series(start="2001-01-01"))
    assert not list(tmp_path.iterdir())


def test_the_accessor_writes_the_same_page(tmp_path: Path) -> None:
    vb.register_accessors()
    first, second = vb.report(series(), tmp_path / "a.html", trials=3), series().vecbt.report(tmp_path / "b.html", trials=3)
    assert first.read_bytes() == second.read_bytes()


def test_very_many_returns_are_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take minutes: the sheet says so, and `vecbt.evidence_of` does it."""
    monkeypatch.setattr(sheet_evidence, "_MOST_RESAMPLED", 300)
    few, many = sheet_of(series(300)).evidence, sheet_of(series(301)).evidence
    assert len(few.rows) == len(many.rows) + 4 and not few.note  # both ends of two intervals
    assert "more than 300 bars" in many.note
