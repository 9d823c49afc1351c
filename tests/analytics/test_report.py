"""The tear sheet as a page, without a browser: it needs nothing else, holds what it must and trusts no text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.analytics.example import run_of, small
from vecbt.analytics.result import Result
from vecbt.analytics.vendored import echarts, own
from vecbt.analytics.words import RULES
from vecbt.core.codes import Rule
from vecbt.engine.run import Run
from vecbt.errors import ConfigError

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
        if self.open and self.open[-1] not in ("style", "script") and data.strip():
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(self.words)


def embedded(text: str) -> Any:
    """The values that a page's charts are drawn from."""
    block = re.search(r'<script type="application/json" id="sheet-data">(.*?)</script>', text, re.DOTALL)
    assert block is not None
    return json.loads(block.group(1))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Result(small()).report(tmp_path_factory.mktemp("report") / "report.html")


def test_the_page_is_whole(written: Path) -> None:
    page = Page(written.read_text(encoding="utf-8"))
    assert not page.open
    assert written.read_text(encoding="utf-8").count("Orders</h2>") == 1
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
        assert tag not in ("link", "iframe", "object", "base")
        for name in ("src", "srcset", "href"):
            assert (attributes.get(name) or "data:").startswith(("data:", "#"))
        assert not [name for name in attributes if name.startswith("on")]
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert links and links <= {f"#{attributes.get('id')}" for _, attributes in page.tags}
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style and "@import" not in style
    assert 'name="viewport"' in text and "@media print" in style and "max-width: 640px" in style
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")
    assert all(attributes.get("aria-label") for _, attributes in page.tags if attributes.get("class") == "chart")


def test_the_browser_is_told_to_run_our_scripts_and_no_other(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert policy is not None and policy.group(1).startswith("default-src 'none'; img-src data:;")
    codes = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert codes == [echarts(), own("sheet.js")]
    sources = policy.group(1).partition("script-src ")[2].partition(";")[0].split()
    assert sources == [f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in codes]


def hostile() -> Run:
    """A run whose names try to become markup, or to end the script they stand in."""

    class Evil:
        name = "<script>alert('name')</script>"
        parameters: ClassVar[dict[str, str]] = {"<b>p</b>": "\"'><img src=x onerror=alert(1)>"}

    return small(symbols=("</script><img src=x onerror=alert(2)>", "<!--<script>\u2028&B"), source=Evil())


def test_text_of_others_is_escaped(tmp_path: Path) -> None:
    bad = ([("<i>row</i>", "<u>1</u>", "<img src=x onerror=alert(3)>")], "<script>alert(4)</script>")
    text = Result(hostile()).report(tmp_path / "r.html", evidence=bad).read_text(encoding="utf-8")
    ours = text.replace(echarts(), "").replace(own("sheet.js"), "")
    assert ours.count("<script") == ours.count("</script>") == 3
    for bad in ("<b>p", "<img src=x", "<i>row", "<u>1", "<!--", "\u2028&B"):
        assert bad not in ours
    page = Page(text)
    assert not page.open and "<script>alert('name')</script>" in page.text and "<!--<script>" in page.text and "<b>p</b>" in page.text
    assert [line["name"] for line in embedded(text)["prices"]["lines"]] == list(hostile().bars.symbols)
    assert "&lt;img" in Result(hostile())._repr_html_()


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
    assert len(text) < 1_300_000
    assert len(text) - len(echarts()) - len(own("sheet.js")) < 60_000


@pytest.mark.parametrize("name", ["report.docx", "report", "report.html.txt"])
def test_an_ending_that_is_no_form_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"a report ends in \.html"):
        Result(small()).report(tmp_path / name)
    assert not list(tmp_path.iterdir())
