"""The tear sheet on paper, as a picture and as text."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.analytics.example import run_of, small
from tests.analytics.test_tearsheet import Found, walk
from vecbt.analytics.result import Result
from vecbt.analytics.sheet_paper import paper_pages
from vecbt.analytics.sheet_run import RunSheet
from vecbt.analytics.sheet_text import WIDTH
from vecbt.engine.run import Run


def longer(bars: int = 500, accounts: str = "shared") -> Run:
    close = 100.0 * np.cumprod(1.0 + np.stack([walk(bars, 5), walk(bars, 6)], axis=1), axis=0)
    return run_of(close, [(3, 0, 4.0, 100.0), (3, 1, 3.0, 100.0)], accounts=accounts)


def words_of(figure: object) -> str:
    return " ".join(text.get_text() for text in figure.findobj(lambda one: hasattr(one, "get_text")))  # type: ignore[attr-defined]


def test_a_pdf_of_several_pages_that_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = (Result(small()).report(tmp_path / f"{k}.pdf", evidence=Found()).read_bytes() for k in "ab")
    assert first == second and first.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", first)) >= 4


def test_a_tall_png(tmp_path: Path) -> None:
    content = Result(longer()).report(tmp_path / "r.PNG").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[k : k + 4], "big") for k in (16, 20))
    assert height > 4 * width
    parts, at = b"", 8
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        parts += content[at + 8 : at + 8 + size] if content[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    assert len(set(zlib.decompress(parts)[::997])) > 20  # not a blank sheet


def test_the_pages_tell_what_the_page_tells() -> None:
    result = Result(small())
    pages = paper_pages(RunSheet.of(result, evidence=Found()), log=False)
    told = [words_of(page) for page in pages]
    for part in (
        "1,000.00 became 936.00",
        "After <40> trials it may be luck.",
        "Deflated Sharpe ratio: 0.6123",
        "Drawdown",
        "Total return",
    ):
        assert part in told[0], part
    assert "Returns by month, percent" in told[1] and "Too short for rolling figures" in told[1]
    assert "2 closed trades" in told[2] and "before costs" in told[2] and "STATISTICS" not in told[2] and "Win rate" in told[2]
    small_print = " ".join(" ".join(told[3:]).split())
    for row in result.assumptions().itertuples(index=False):
        assert row.name[:30] in small_print and row.value.split()[0][:30] in small_print
    assert "1 partial by zone" in small_print


@pytest.mark.parametrize(
    "run", [longer(), longer(accounts="separate"), run_of([[10.0]], [], symbols=("A",))], ids=["shared", "separate", "one bar"]
)
def test_the_text_fits_a_terminal(run: Run) -> None:
    text = Result(run).report_text(evidence=Found())
    assert max(map(len, text.splitlines())) <= WIDTH == 100
    for part in ("RETURNS BY MONTH, %", "DRAWDOWNS", "COSTS", "IS IT LUCK?", "Sharpe", "Deflated Sharpe ratio: 0.6123 (after 40 trials)"):
        assert part in text


def test_the_text_tells_the_same_numbers() -> None:
    result = Result(longer())
    sheet, text = RunSheet.of(result), result.report_text()
    row = next(line for line in text.splitlines() if line.startswith("2024 "))
    assert row.split()[1:] == [f"{value * 100:.1f}" for value in sheet.months.loc[2024]]
    assert f"{sheet.drawdowns['depth'].iloc[0]:.2%}" in text and f"{result.stats()['sharpe']:.3f}" in text
    assert "IS IT LUCK? Not examined in this report." in result.report_text(evidence=False)
    assert "1 partial by cash: more than the equity carries after costs" in Result(small()).report_text()
    assert "Statistics are medians over accounts" in Result(longer(accounts="separate")).report_text()


def test_long_names_are_wrapped() -> None:
    run = small(symbols=("A" * 150, "B" * 90))
    assert max(map(len, Result(run).report_text().splitlines())) <= WIDTH
    assert paper_pages(RunSheet.of(Result(run)), log=True)
