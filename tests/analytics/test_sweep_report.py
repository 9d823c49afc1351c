"""The report of a sweep: one page that needs nothing else, whose numbers are those of the sweep."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.analytics.sweeps import COSTS, ONE, failing, grid, separate
from tests.analytics.test_report import Page
from vecbt.analytics import sweep_parallel
from vecbt.analytics.statistics import write
from vecbt.analytics.sweep import Sweep
from vecbt.analytics.sweep_parallel import parallel_data
from vecbt.analytics.sweep_report import sweep_page
from vecbt.analytics.vendored import echarts, own
from vecbt.errors import ConfigError
from vecbt.strategies import SmaCross

pytestmark = pytest.mark.interpreted


@functools.cache
def enveloped() -> Sweep:
    """Eight sets under both intrabar rules, close stops and targets."""
    space = {"fast": [2, 3], "stops.hard": [0.01, 0.04], "stops.take_profit": [0.01, 0.03]}
    return vb.sweep(ONE, SmaCross(2, 9), space, costs=COSTS, envelope=True, progress=False)


@functools.cache
def page_of(sweep: Sweep, metric: str = "sharpe") -> tuple[Page, str]:
    """The page read, and its text; each is made once."""
    text = sweep_page(sweep, metric)
    return Page(text), text


def rows_of(sweep: Sweep) -> list[dict[str, Any]]:
    """The sets of a sweep, as a list of them."""
    return [sweep._lines.sets.at(c) for c in range(len(sweep))]


def pictures(page: Page) -> list[str]:
    return [attributes["alt"] or "" for tag, attributes in page.tags if tag == "img" and attributes.get("class") != "printed"]


def test_the_page_is_whole_and_asks_for_nothing(tmp_path: Path) -> None:
    page, text = page_of(grid())
    assert grid().report(tmp_path / "sweep.html").read_text(encoding="utf-8") == text
    assert not page.open and text.count("<style>") == 1
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object")
        assert (attributes.get("src") or "data:").startswith("data:") and "href" not in attributes
    for part in ("60 sets over 2000-03-01 to 2000-08-18 UTC, 120 bars · block sums kept in memory", "SmaCross · AAPL", "close, next_open"):
        assert part in page.text, part
    assert pictures(page) == [
        "Histogram of the Sharpe ratio over all sets", "Mean Sharpe ratio over fast and slow", "Mean Sharpe ratio over fast and stops.hard",
        "Mean Sharpe ratio over slow and stops.hard", "Median and spread of the Sharpe ratio by parameter",
    ]  # fmt: skip


def test_the_best_sets_stand_beside_their_plateaus() -> None:
    page, _ = page_of(grid())
    at = page.words.index("neighbours") + 4  # the head ends with total_return, max_drawdown, trades
    scores = {row["set"]: row for row in grid().plateau().to_dicts()}
    for row in grid().top(20).to_dicts():
        score = scores[row["set"]]
        told = [str(row["set"]), str(row["fast"]), str(row["slow"]), f"{row['stops.hard']:g}", row["fill"], write("ratio", row["sharpe"])]
        told += [write("ratio", score["plateau"]), str(score["neighbours"])]
        assert page.words[at : at + len(told)] == told
        at += len(told) + 3
    assert "out of 60 sets tried: by that choice the Sharpe ratio of the best is biased upwards" in page.text
    highest = grid().plateau().drop_nans("plateau").sort("plateau", descending=True)["plateau"][0]
    assert f"The best plateau score, {write('ratio', highest)}, is that of set" in page.text


def test_what_is_undefined_is_counted_and_explained() -> None:
    """M5: sets that never trade have no Sharpe ratio."""
    page, _ = page_of(grid())
    at = page.words.index("undefined")
    assert page.words[at + 1] == str(np.isnan(grid().table["sharpe"].to_numpy()).sum()) == "16"
    assert page.words[at + 2].startswith("measured, but there is no Sharpe ratio (NaN")
    clean, _ = page_of(enveloped())
    assert "Nothing: every set was run, and has a finite number." in clean.text


def test_equal_errors_are_one_row() -> None:
    sets = [{"fast": fast, "slow": 9, "stops.hard": stop} for stop in (0.04, 0.08) for fast in (9, 2)]
    page, _ = page_of(vb.sweep(ONE, SmaCross(2, 20), sets, costs=COSTS, progress=False))
    at = page.words.index("SmaCross.fast is 9, slow is 9; expected fast < slow")
    assert page.words[at - 1] == "2" and page.words[at + 1] == "0, 2"
    two, _ = page_of(failing())
    assert all(message in two.words for message in failing().errors.values()) and len(failing().errors) == 2


def test_an_envelope_has_its_picture_and_its_most_fragile_sets() -> None:
    """M8: fragility, and the ends of the metric, as the table has them."""
    page, _ = page_of(enveloped())
    assert "Sharpe ratio of each set between the two rules, in the color of its fragility" in pictures(page)
    worst = enveloped().table.sort("fragility", descending=True, maintain_order=True).row(0, named=True)
    at = page.words.index("Most fragile sets")
    told = [write("fraction", worst["fragility"]), *(write("ratio", worst[f"sharpe{end}"]) for end in ("", "_low", "_high"))]
    names = ["set", "fast", "stops.hard", "stops.take_profit", "fragility", "sharpe", "sharpe_low", "sharpe_high"]
    assert worst["fragility"] > 0.0 and page.words[at + 1 : at + 9] == names
    assert page.words[at + 9] == str(worst["set"]) and page.words[at + 13 : at + 17] == told
    assert "Most fragile sets" not in page_of(grid())[0].text


def test_the_fragility_can_be_reported() -> None:
    page, _ = page_of(enveloped(), "fragility")
    assert not page.open and "biased downwards" in page.text and "biased upwards" in page_of(enveloped())[0].text


def test_what_varies_says_so_in_the_setup() -> None:
    page, _ = page_of(grid())
    places = page.words[page.words.index("Assumptions in force") :]
    for name, value in (("fast", "varies"), ("direction", "long"), ("fill", "varies"), ("stops", "varies"), ("commission_rate", "0.001")):
        assert (name, value) in itertools.pairwise(places), name


def test_a_loaded_sweep_and_accounts_of_their_own(tmp_path: Path) -> None:
    loaded = Sweep.load(separate().save(tmp_path / "kept"))
    page, _ = page_of(loaded, "max_drawdown")
    assert "an account each symbol" in page.text and "biased downwards" in page.text and "IBM" in page.words
    assert '"separate"' in page.words and "Block sums are in files" in page.text


def test_sets_that_all_failed() -> None:
    found = vb.sweep(ONE, SmaCross(2, 20), {"costs.commission_rate": [-1.0]}, costs=COSTS, progress=False)
    page, _ = page_of(found)
    assert "No set has a finite Sharpe ratio, so there is nothing to draw." in page.text and "There are no plateau scores:" in page.text
    assert not pictures(page) and "Costs.commission_rate is -1.0; expected a finite number >= 0" in page.words


def test_text_of_others_is_escaped() -> None:
    lines = grid()._lines
    about = dataclasses.replace(lines.about, strategy="<script>x</script>", symbols=("<i>A</i>",))
    evil = Sweep._of(dataclasses.replace(lines, about=about, errors={0: "<img src=x>"}), grid().metrics, None, grid()._numbers)
    page, text = page_of(evil)
    ours = text.replace(echarts(), "").replace(own("sheet.js"), "")
    assert ours.count("<script") == 3 and "<i>" not in ours and "<img src=x>" not in ours and not page.open
    assert "<img src=x>" in page.words


def test_equal_sweeps_give_equal_bytes() -> None:
    """Threads and time are not on the page."""
    again = vb.sweep(ONE, SmaCross(2, 20), rows_of(failing()), costs=COSTS, threads=2, progress=False)
    assert page_of(again)[1] == page_of(failing())[1] and again.run is not failing().run


def test_an_unknown_metric_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'sharpe'"):
        grid().report(tmp_path / "sweep.html", metric="sharp")
    assert not (tmp_path / "sweep.html").exists()


def test_all_sets_are_lines_with_their_values_and_the_best_on_top() -> None:
    lines = grid()._lines
    found = parallel_data(lines, "sharpe")
    assert found is not None
    assert [axis["name"] for axis in found["axes"]] == ["fast", "slow", "stops.hard", "fill"] and found["metric"] == "Sharpe ratio"
    assert found["axes"][3]["labels"] == ["close", "next_open"] and found["axes"][0]["labels"] is None
    values = dict(zip(lines.number.tolist(), lines.values("sharpe").tolist(), strict=True))
    assert len(found["rows"]) == np.isfinite(lines.values("sharpe")).sum()
    for number, row in zip(found["sets"], found["rows"], strict=True):
        told = lines.sets.at(lines.number.tolist().index(number))
        assert row[:3] == [told["fast"], told["slow"], told["stops.hard"]] and found["axes"][3]["labels"][row[3]] == told["fill"]
        assert row[4] == pytest.approx(values[number], rel=1e-5)
    measured = [row[4] for row in found["rows"]]
    assert measured == sorted(measured)
    deepest = parallel_data(lines, "max_drawdown")
    assert deepest is not None and deepest["lower"] and deepest["rows"][-1][4] == min(row[4] for row in deepest["rows"])


def test_of_many_sets_the_best_and_some_others_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_parallel, "MOST_SETS", 20)
    monkeypatch.setattr(sweep_parallel, "_BEST", 5)
    found = parallel_data(grid()._lines, "sharpe")
    assert found is not None and len(found["rows"]) == 20
    best = np.sort(grid()._lines.values("sharpe"))
    best = best[~np.isnan(best)][-5:]
    np.testing.assert_allclose([row[4] for row in found["rows"][-5:]], best, rtol=1e-5)
    assert "Of 45 lines the best 5 are drawn, and 15 of the others." in sweep_parallel.parallel_words(found, 45)
