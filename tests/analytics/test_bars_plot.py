"""The picture of a strategy at work: which series it draws where, what was said and filled, and that any run can be drawn."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analytics.example import NAN, run_of, small
from vecbt.analytics.bar_axis import bar_ticks
from vecbt.analytics.bars_plot import ON_PRICE
from vecbt.analytics.drawing import to_bytes
from vecbt.analytics.result import Result
from vecbt.api import backtest
from vecbt.data import synthetic
from vecbt.engine.inputs import ENTER_LONG, EXIT_LONG, Weights
from vecbt.engine.rule_strategy import RuleStrategy
from vecbt.errors import ConfigError, DataError, InputError
from vecbt.execution.costs import Costs
from vecbt.indicators.plan import Indicator
from vecbt.indicators.registry import catalog
from vecbt.risk.stops import Pct, Stops

BARS = synthetic.garch_jumps(T=120, N=2, seed=5)


@dataclass(frozen=True)
class Banded(RuleStrategy):
    """Enters above an average, leaves below; declares indicators of all sorts."""

    def indicators(self) -> dict[str, Indicator]:
        """Prices, an oscillator, an average of that, and one with outputs of both sorts."""
        return {
            "average": Indicator("sma", 5), "range": Indicator("atr", 4), "calm": Indicator("ema", 3, of="range"),
            "top": Indicator("rolling_max", 4, of="average"), "bands": Indicator("bollinger", 6),
        }  # fmt: skip

    @staticmethod
    def rule(now, before, params, state):  # type: ignore[no-untyped-def]
        if now.close > now.average:
            return ENTER_LONG
        return EXIT_LONG if now.close < now.average else 0


@pytest.fixture(scope="module")
def banded() -> Result:
    return backtest(BARS, Banded(), costs=Costs.free(), stops=Stops(hard=Pct(3)))


def titles(picture: Any) -> list[str]:
    return [axes.get_title(loc="left") for axes in picture.axes]


def legend(axes: Any) -> list[str]:
    from matplotlib.legend import Legend

    return [text.get_text() for child in axes.get_children() if isinstance(child, Legend) for text in child.get_texts()]


def test_indicators_are_among_the_prices_where_they_are_prices_else_in_panes(banded: Result, tmp_path: Path) -> None:
    picture = banded.plot_bars(path=tmp_path / "bars.png")
    assert titles(picture) == ["S0: bars", "range", "calm", "bands", "Volume"]
    assert legend(picture.axes[0])[:3] == ["average", "top", "bands"]
    assert legend(picture.axes[3]) == ["bandwidth", "percent"]
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")


def test_panes_decide_for_the_series_they_name(banded: Result) -> None:
    picture = banded.plot_bars(panes={"calm": "range", "bands": None, "average": "averages", "range": "range"})
    assert titles(picture) == ["S0: bars", "averages", "range", "Volume"]
    assert legend(picture.axes[0])[:1] == ["top"] and legend(picture.axes[2]) == ["range", "calm"]
    inside = banded.plot_bars(panes={"range": "price", "calm": None, "bands_percent": None, "bands_bandwidth": None})
    assert titles(inside) == ["S0: bars", "Volume"] and "range" in legend(inside.axes[0])
    with pytest.raises(ConfigError, match="did you mean 'range'"):
        banded.plot_bars(panes={"rnage": "price"})


def test_extra_series_lie_among_the_prices_where_their_values_do(banded: Result) -> None:
    close = BARS.to_pandas()["close"]
    picture = banded.plot_bars("S1", indicators={"lower": close * 0.8, "share": close / close.max(), "far": close * 3.0})
    assert titles(picture)[0] == "S1: bars" and {"share", "far"} < set(titles(picture))
    assert "lower" in legend(picture.axes[0])
    low, high = picture.axes[0].get_ylim()
    assert low < 0.8 * BARS.close[:, 1].min() and high > BARS.high[:, 1].max()
    with pytest.raises(InputError, match=r"indicators\['short'\] has shape"):
        banded.plot_bars(indicators={"short": np.zeros((3, 2))})
    with pytest.raises(ConfigError, match="declares already"):
        banded.plot_bars(indicators={"average": close})


def test_signals_stand_where_they_begin_and_fills_at_their_prices(banded: Result) -> None:
    picture = banded.plot_bars()
    lines = {line.get_label(): line for line in picture.axes[0].lines}
    flags = banded.run.inputs.flags
    assert flags is not None
    for name, bit in (("enter long", 1), ("exit long", 2)):
        on = (flags[:, 0] & bit) != 0
        begins = on & ~np.concatenate([[False], on[:-1]])
        np.testing.assert_array_equal(lines[name].get_xdata(), np.flatnonzero(begins))
    fills = banded.run.fills[banded.run.fills["asset"] == 0]
    for name, sign in (("bought", 1.0), ("sold", -1.0)):
        side = fills[np.sign(fills["q"]) == sign]
        assert len(side) > 3
        np.testing.assert_array_equal(lines[name].get_xdata(), side["t"])
        np.testing.assert_array_equal(lines[name].get_ydata(), side["price"])
    assert "first stop" in legend(picture.axes[0])


def test_a_part_shows_what_happened_in_it(banded: Result) -> None:
    picture = banded.plot_bars(start=40, stop=60)
    bought = next(line for line in picture.axes[0].lines if line.get_label() == "bought")
    assert np.all((bought.get_xdata() >= 40) & (bought.get_xdata() < 60))
    assert 39 <= picture.axes[0].get_xlim()[0] <= 40 and 59 <= picture.axes[0].get_xlim()[1] <= 60
    with pytest.raises(DataError, match="no bar from"):
        banded.plot_bars(start=60, stop=60)
    with pytest.raises(ConfigError, match="did you mean 'S1'"):
        banded.plot_bars("S11")
    with pytest.raises(ConfigError, match="ending"):
        banded.plot_bars(path="bars.docx")


def test_values_that_were_said_have_a_pane(tmp_path: Path) -> None:
    values = np.full((BARS.T, 2), np.nan)
    values[10], values[50] = 0.4, -0.2
    picture = backtest(BARS, Weights(values), costs=Costs.free()).plot_bars()
    assert titles(picture) == ["S0: bars", "Weights said", "Volume"]
    said = picture.axes[1].lines[0].get_ydata()
    np.testing.assert_array_equal(said, [np.nan] * 10 + [0.4] * 40 + [-0.2] * 70)


@pytest.mark.parametrize(
    "close",
    [[[10.0]], [[10.0], [10.0]], [[NAN], [NAN], [10.0]], [[10.0], [NAN], [NAN]], [[NAN], [NAN]], [[-3.0], [0.0], [5.0]]],
    ids=["one bar", "two bars", "late start", "early end", "no market", "below zero"],
)
def test_short_and_empty_runs_are_drawn_without_a_warning(close: Any) -> None:
    to_bytes(Result(run_of(close, [], symbols=("A",), allow_negative=True)).plot_bars(), "png", dpi=40)


def test_many_bars_are_a_line_and_equal_runs_give_equal_files(tmp_path: Path) -> None:
    close = 100.0 + np.sin(np.arange(400.0))[:, None]
    run = run_of(close, [(3, 0, 1.0, 100.0)], symbols=("$x^$",))
    files = [Result(run).plot_bars(path=tmp_path / name) and (tmp_path / name).read_bytes() for name in ("a.svg", "b.svg")]
    assert files[0] == files[1]
    picture = Result(run).plot_bars()
    assert titles(picture)[0] == "$x^$: close" and len(picture.axes[0].lines[0].get_xdata()) == 400
    to_bytes(Result(small()).plot_bars("BBB"), "png", dpi=40)


def test_drawing_touches_no_pyplot() -> None:
    code = (
        "import sys\n"
        "from tests.analytics.example import small; from vecbt.analytics.result import Result\n"
        "Result(small()).plot_bars()._repr_png_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=800, cwd=Path(__file__).parents[2])


def test_the_table_of_prices_names_indicators_and_outputs_that_are_there() -> None:
    known = catalog()
    for name, outputs in ON_PRICE.items():
        assert set(outputs) <= set(known[name].outputs), name
        assert bool(outputs) == bool(known[name].outputs), name


@pytest.mark.parametrize(
    ("times", "labels"),
    [
        (pd.bdate_range("2000-03-01", "2013-03-01"), ["2001", "2003", "2005", "2007", "2009", "2011", "2013"]),
        (pd.bdate_range("2005-01-03", "2005-07-01"), ["Feb\n2005", "Mar", "Apr", "May", "Jun", "Jul"]),
        (pd.bdate_range("2004-12-20", "2005-01-12"), ["27 Dec\n2004", "3 Jan\n2005", "10 Jan"]),
        (pd.date_range("2005-01-03 09:30", periods=13, freq="30min"), ["10:00\n03 Jan 2005", "11:00", "12:00", "13:00", "14:00", "15:00"]),
        (pd.DatetimeIndex(["2005-01-03"]), ["3 Jan\n2005"]),
    ],
    ids=["years", "months", "weeks", "hours", "one bar"],
)
def test_ticks_stand_where_the_calendar_turns(times: Any, labels: list[str]) -> None:
    places, found = bar_ticks(times.tz_localize("UTC"), 11)
    assert found == labels and np.all(np.diff(places) > 0)
