"""The tear sheet in a real browser: nothing is asked for or fails, charts are drawn, hover and zoom work, hostile names do nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from tests.analytics.example import NAN, run_of, small
from tests.analytics.sweeps import grid
from tests.analytics.test_report import hostile
from tests.analytics.test_tearsheet import large
from vecbt.analytics.comparison import compare
from vecbt.analytics.result import Result
from vecbt.core.codes import Reason
from vecbt.engine.run import Run

WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 800}
INSTANCE = "echarts.getInstanceByDom(document.getElementById('chart-{}'))"
# the share of pixels of a chart that are neither white nor transparent
INKED = """name => {
  const drawn = document.querySelector('#chart-' + name + ' canvas'), canvas = document.createElement('canvas');
  canvas.width = drawn.width; canvas.height = drawn.height;
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  brush.drawImage(drawn, 0, 0);
  const pixels = brush.getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0;
  for (let k = 0; k < pixels.length; k += 4) { if (pixels[k + 3] && pixels[k] + pixels[k + 1] + pixels[k + 2] < 740) { inked += 1; } }
  return inked / (pixels.length / 4);
}"""


def one_asset(bars: int = 400) -> Run:
    """One asset with trades both ways, stops and zones: everything that a page can draw."""
    rng = np.random.default_rng(4)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0005, 0.02, (bars, 1)), axis=0))
    fills, trades = [], []
    for k, t in enumerate(range(5, bars - 20, 20)):
        side, entry, exit_ = (1 if k % 3 else -1), float(close[t, 0]), float(close[t + 12, 0])
        fills += [(t, 0, 2.0 * side, entry), (t + 12, 0, -2.0 * side, exit_)]
        trades.append(
            {
                "asset": 0, "side": side, "entry_t": t, "exit_t": t + 12, "quantity": 2.0, "entry_price": entry, "exit_price": exit_,
                "pnl": 2.0 * side * (exit_ - entry) - 2.0, "reason": int(Reason.SIGNAL), "mae": 0.02, "mfe": 0.03,
                "stop": entry * (1 - 0.08 * side), "initial_risk": NAN,
            }
        )  # fmt: skip
    zone = np.repeat([0, 1, 2, 3, 0], bars // 5)[:, None]
    return run_of(close, fills, symbols=("AAA",), trades=trades, zone=zone)


class Opened:
    """A page of a report, what it asked for, and what went wrong in it."""

    def __init__(self, browser: Any, path: Path, size: dict[str, int]) -> None:
        self.page, self.asked, self.wrong = browser.new_page(viewport=size), [], []

        def route(request: Any) -> None:
            if request.request.url == path.as_uri():
                request.continue_()
            else:
                self.asked.append(request.request.url)
                request.abort()

        def answer(dialog: Any) -> None:
            self.wrong.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        self.page.route("**/*", route)
        self.page.on("console", lambda message: self.wrong.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", answer)
        self.page.goto(path.as_uri())

    def check(self) -> None:
        """Nothing was asked for, and nothing went wrong."""
        asked = [url for url in self.asked if not url.startswith("data:")]
        assert not asked and not self.wrong, (asked, self.wrong)


@pytest.fixture(scope="module")
def whole(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The page of a run that has everything; those who use it leave it as they find it."""
    path = Result(one_asset()).report(tmp_path_factory.mktemp("whole") / "r.html")
    found = Opened(browser, path, WIDE)
    yield found
    found.page.close()


@pytest.fixture
def page(whole: Opened) -> Iterator[Any]:
    """The whole page in the browser; at the end nothing may have been asked for or gone wrong."""
    whole.page.mouse.move(2, 2)
    whole.page.evaluate("window.scrollTo(0, 0)")
    yield whole.page
    whole.check()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Write the report of another run and open it; checked at the end, too."""
    every: list[Opened] = []

    def call(run: Run, size: dict[str, int] = WIDE, **keywords: Any) -> Any:
        every.append(Opened(browser, Result(run).report(tmp_path / f"{len(every)}.html", **keywords), size))
        return every[-1].page

    yield call
    for found in every:
        found.check()
        found.page.close()


def test_charts_are_drawn_and_nothing_is_asked_for(page: Any) -> None:
    for name in ("curves", "prices", "rolling", "trades", "costs"):
        assert page.evaluate(INKED, name) > 0.005, name
    series = page.evaluate(INSTANCE.format("prices") + ".getOption().series.map(one => one.type)")
    assert series == ["candlestick", "custom", "scatter", "scatter"]
    areas = page.evaluate(INSTANCE.format("curves") + ".getOption().series[0].markArea.data.length")
    assert areas == 3


def test_pointing_at_a_chart_shows_its_values(page: Any) -> None:
    for name, words in (("curves", ("equity", "drawdown", "net exposure")), ("prices", ("open", "close"))):
        chart = page.locator(f"#chart-{name}")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 120)
        page.wait_for_function("name => document.querySelector(`#chart-${name}`).innerText.trim().length > 10", arg=name, timeout=5000)
        shown = chart.inner_text()
        assert all(word in shown for word in words), shown
        assert "2024-" in shown or "2025-" in shown


def test_zooming_one_chart_zooms_those_below(page: Any) -> None:
    chart = page.locator("#chart-curves")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    zoom = INSTANCE.format("{}") + ".getOption().dataZoom[0]"
    before = page.evaluate(zoom.format("curves"))
    assert (before["start"], before["end"]) == (0, 100)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 120)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function(f"() => {zoom.format('curves')}.end - {zoom.format('curves')}.start < 99", timeout=5000)
    after, below = page.evaluate(zoom.format("curves")), page.evaluate(zoom.format("rolling"))
    assert (below["start"], below["end"]) == pytest.approx((after["start"], after["end"]), abs=0.2)
    prices = page.evaluate(zoom.format("prices"))
    assert (prices["startValue"], prices["endValue"]) == pytest.approx((after["start"] * 3.99, after["end"] * 3.99), abs=2.0)
    before = page.evaluate("window.scrollY")
    page.mouse.wheel(0, 300)  # without the key the page scrolls, as pages do
    page.wait_for_function("before => window.scrollY > before + 100", arg=before, timeout=5000)
    page.evaluate(INSTANCE.format("curves") + ".dispatchAction({ type: 'dataZoom', start: 0, end: 100 })")


def test_equity_on_a_logarithmic_axis_at_a_button(page: Any) -> None:
    kind = INSTANCE.format("curves") + ".getOption().yAxis[0].type"
    assert page.evaluate(kind) == "value"
    page.click("#log-equity")
    assert page.evaluate(kind) == "log" and page.get_attribute("#log-equity", "aria-pressed") == "true"
    assert page.evaluate(INKED, "curves") > 0.005
    page.click("#log-equity")
    assert page.evaluate(kind) == "value"


@pytest.mark.parametrize("make", [one_asset, small, lambda: run_of([[10.0]], [], symbols=("A",))], ids=["one", "two", "a single bar"])
def test_a_narrow_screen_never_scrolls_sideways(opened: Callable[..., Any], make: Callable[[], Run]) -> None:
    page = opened(make(), NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.evaluate(INKED, "curves") > 0.002
    page.set_viewport_size(WIDE)
    page.wait_for_function("() => document.querySelector('#chart-curves canvas').clientWidth > 900", timeout=5000)


def test_hostile_names_are_only_text(opened: Callable[..., Any]) -> None:
    bad = ([("<img src=x onerror=alert(5)>", "1", "")], "<script>alert(6)</script>")
    for keywords in ({}, {"symbol": hostile().bars.symbols[0]}):
        page = opened(hostile(), evidence=bad, **keywords)
        for name in ("prices", "trades"):
            box = page.locator(f"#chart-{name}").bounding_box()
            for share in (0.2, 0.4, 0.8):
                page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        page.wait_for_timeout(100)
        nodes = page.evaluate("[document.scripts.length, document.querySelectorAll('img[src=x], main script, i[onerror]').length]")
        assert nodes == [3, 0]
        assert "onerror=alert(2)" in page.inner_text("main")


def test_on_paper_the_charts_are_pictures(page: Any) -> None:
    page.emulate_media(media="print")
    page.wait_for_function("() => document.getElementById('print-curves').naturalWidth > 1000", timeout=5000)
    shown = page.evaluate("name => getComputedStyle(document.getElementById(name)).display", "print-curves")
    hidden = page.evaluate("name => getComputedStyle(document.getElementById(name)).display", "chart-curves")
    page.emulate_media(media="screen")
    assert (shown, hidden) == ("block", "none")


def test_a_comparison_is_drawn_and_answers(browser: Any, tmp_path: Path) -> None:
    """Its names are as hostile as those of a run."""
    names = ["</script><img src=x onerror=alert(7)>", "<b>two</b>"]
    found = compare([Result(one_asset()), Result(one_asset(300))], names=names)
    opened = Opened(browser, found.report(tmp_path / "c.html"), WIDE)
    page, chart = opened.page, opened.page.locator("#chart-growth")
    assert page.evaluate(INKED, "growth") > 0.005
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 150)
    page.wait_for_function("() => document.querySelector('#chart-growth').innerText.includes('<b>two</b>')", timeout=5000)
    assert page.evaluate("[document.scripts.length, document.querySelectorAll('img[src=x], b b').length]") == [3, 0]
    opened.check()
    page.close()


def test_the_sets_of_a_sweep_are_drawn(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, grid().report(tmp_path / "s.html"), WIDE)
    assert opened.page.evaluate(INKED, "parallel") > 0.005
    assert opened.page.evaluate(INSTANCE.format("parallel") + ".getOption().parallelAxis.length") == 5
    opened.check()
    opened.page.close()


def fund(bars: int = 400) -> pd.Series:
    values = np.random.default_rng(8).normal(0.0005, 0.01, bars)
    return pd.Series(values, index=pd.date_range("2022-01-03", periods=bars, freq="B"), name="</script><b>fund</b>")


@pytest.mark.parametrize("timed", [True, False], ids=["times", "bars counted"])
def test_returns_are_drawn_beside_their_benchmark(browser: Any, tmp_path: Path, timed: bool) -> None:
    """Growth and rolling figures; pointing shows values, zooming one chart zooms the other, the axis turns logarithmic."""
    returns = fund() if timed else fund().to_numpy()
    more = {"benchmark": fund()[::-1].set_axis(fund().index).rename("index") if timed else returns[::-1], "periods_per_year": 252}
    opened = Opened(browser, vb.report(returns, tmp_path / "r.html", **more), WIDE)
    page, chart = opened.page, opened.page.locator("#chart-growth")
    for name in ("growth", "rolling"):
        assert page.evaluate(INKED, name) > 0.005, name
    assert page.evaluate(INSTANCE.format("growth") + ".getOption().series.length") == 4
    assert page.evaluate(INSTANCE.format("rolling") + ".getOption().series.map(one => one.name)")[-1] == "Beta to the benchmark"
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 150)
    page.wait_for_function("() => document.querySelector('#chart-growth').innerText.trim().length > 10", timeout=5000)
    shown = chart.inner_text()
    assert ("2022-" in shown and "<b>fund</b>" in shown) if timed else "bar 1" in shown or "bar 2" in shown
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    zoom = INSTANCE.format("{}") + ".getOption().dataZoom[0]"
    page.wait_for_function(f"() => {zoom.format('growth')}.end - {zoom.format('growth')}.start < 99", timeout=5000)
    after, below = page.evaluate(zoom.format("growth")), page.evaluate(zoom.format("rolling"))
    assert (below["start"], below["end"]) == pytest.approx((after["start"], after["end"]), abs=0.2)
    page.click("#log-equity")
    assert page.evaluate(INSTANCE.format("growth") + ".getOption().yAxis[0].type") == "log"
    assert page.evaluate("[document.scripts.length, document.querySelectorAll('h1 b').length]") == [3, 0]
    page.set_viewport_size(NARROW)
    page.wait_for_function("() => document.querySelector('#chart-growth canvas').clientWidth < 400", timeout=5000)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    opened.check()
    page.close()


@pytest.mark.slow
def test_a_million_bars_are_drawn_in_a_few_seconds(opened: Callable[..., Any]) -> None:
    page = opened(large(1_000_000))
    spent = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
    assert spent < 15_000 and page.evaluate(INKED, "prices") > 0.005
