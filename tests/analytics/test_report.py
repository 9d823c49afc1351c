"""The report: one page that needs nothing else, holds what it must and trusts no text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.analytics.example import run_of, small
from vecbt.analytics.result import Result
from vecbt.analytics.words import RULES
from vecbt.core.codes import Rule

VOID = {"meta", "img", "source", "br"}


class Page(HTMLParser):
    """Collects text, attributes and whether tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style" and data.strip():
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Result(small()).report(tmp_path_factory.mktemp("report") / "report.html")


def test_the_page_is_whole(written: Path) -> None:
    page = Page(written.read_text(encoding="utf-8"))
    assert not page.open
    for heading in ("Statistics", "Trades", "Still open", "Orders", "Assumptions in force"):
        assert heading in page.text
    for part in (RULES[Rule.ZONE], RULES[Rule.CASH], "An order counts for each rule that cut it."):
        assert part in page.text, part
    for part in ("Total return", "-6.40%", "Sharpe", "stop", "2024-01-02", "next_open", "365", "per_order", "Weight(1/N)"):
        assert part in page.text, part
    assert "4 orders: 1 pending, 1 filled, 1 partial, 1 rejected." in page.text
    for row in Result(small()).assumptions().itertuples(index=False):
        assert row.name in page.text and row.value.strip() in page.text and row.meaning in page.text


def test_the_page_asks_for_nothing(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "srcset", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
        assert not [name for name in attributes if name.startswith("on")]
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style and "@import" not in style
    assert 'name="viewport"' in text and "@media print" in style and "max-width: 640px" in style
    assert len([1 for tag, _ in page.tags if tag == "img"]) == 1 and all(a.get("alt") for t, a in page.tags if t == "img")


def test_text_of_others_is_escaped(tmp_path: Path) -> None:
    class Evil:
        name = "<script>alert('name')</script>"
        parameters: ClassVar[dict[str, str]] = {"<b>p</b>": "\"'><img src=x onerror=alert(1)>"}

    run = small(symbols=("<i>A</i>", '"&B'), source=Evil())
    text = Result(run).report(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text and "<i>" not in text and "<b>p" not in text and "<img src=x" not in text
    page = Page(text)
    assert not page.open and "<script>alert('name')</script>" in page.text and '"&B' in page.text and "<b>p</b>" in page.text
    assert "&lt;i&gt;" in Result(run)._repr_html_()


def test_many_trades_are_cut_and_counted(tmp_path: Path) -> None:
    trades = [{"entry_t": 0, "exit_t": 1, "pnl": float(k % 7 - 3), "quantity": 1000.0 + k} for k in range(100)]
    text = Result(run_of([[10.0]] * 3, [], symbols=("A",), trades=trades)).report(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "70 trades between are left out; result.trades has all 100" in text
    assert "1,014" in text and "1,015" not in text and "1,085" in text
    few = Result(run_of([[10.0]] * 3, [], symbols=("A",), trades=trades[:35])).report(tmp_path / "f.html").read_text(encoding="utf-8")
    assert "left out" not in few


def test_a_run_without_anything(tmp_path: Path) -> None:
    page = Page(Result(run_of([[10.0]], [], symbols=("A",))).report(tmp_path / "r.html").read_text(encoding="utf-8"))
    for part in ("No trade was closed.", "No order was given.", "No rule cut or refused any of them.", "–"):
        assert part in page.text
    assert "Still open" not in page.text


def test_several_accounts_have_a_column_each(tmp_path: Path) -> None:
    run = run_of([[10.0, 20.0]] * 4, [(1, 0, 5.0, 10.0)], accounts="separate", zone=np.ones((4, 2)))
    page = Page(Result(run).report(tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "Figures are medians over accounts." in page.text and "2 accounts" in page.text and "caution 100.0%" in page.text
    many = run_of(np.full((3, 50), 10.0), [], symbols=tuple(f"S{n}" for n in range(50)), accounts="separate")
    page = Page(Result(many).report(tmp_path / "m.html").read_text(encoding="utf-8"))
    assert "10 more accounts are in result.stats()." in page.text


def test_equal_runs_give_equal_pages(written: Path, tmp_path: Path) -> None:
    assert Result(small()).report(tmp_path / "again.html").read_bytes() == written.read_bytes()


def test_the_page_is_small(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert len(re.sub(r'"data:[^"]*"', "", text)) < 40_000
