"""The picture: what is drawn, for which runs, into which files."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analytics.example import NAN, run_of, small
from vecbt.analytics.plots import figure, to_bytes
from vecbt.analytics.result import Result
from vecbt.analytics.thin import spans, thin
from vecbt.errors import ConfigError


def titles(picture: Any) -> list[str]:
    return [axes.get_title(loc="left") for axes in picture.axes]


def test_four_panels_and_a_file(tmp_path: Path) -> None:
    picture = Result(small()).plot(tmp_path / "run.png")
    assert titles(picture) == ["Equity", "Drawdown", "Prices, first close = 1", "Exposure, share of equity"]
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_zones_are_shaded_and_named() -> None:
    picture = Result(small()).plot()
    assert [text.get_text() for text in picture.axes[1].get_legend().get_texts()] == ["caution", "alert", "emergency"]
    assert Result(small(zone=None)).plot().axes[1].get_legend() is None


def test_one_asset_shows_its_fills() -> None:
    picture = Result(small()).plot(symbol="AAA")
    prices = picture.axes[2]
    assert titles(picture)[2] == "AAA: close"
    bought, sold = (np.asarray(marks.get_offsets()) for marks in prices.collections)
    assert bought[:, 1].tolist() == [11.0] and sold[:, 1].tolist() == [9.0]
    assert np.diff([bought[0, 0], sold[0, 0]]) == 2.0  # days
    with pytest.raises(ConfigError, match="did you mean 'AAA'"):
        Result(small()).plot(symbol="AAAA")


def test_logarithmic_equity_leaves_out_what_has_no_logarithm() -> None:
    run = run_of([[10.0], [30.0], [60.0], [20.0]], [(0, 0, -40.0, 10.0)], symbols=("A",))
    assert run.equity.min() < 0
    picture = Result(run).plot(log=True)
    assert picture.axes[0].get_yscale() == "log" and titles(picture)[0] == "Equity, logarithmic"
    to_bytes(picture, "png", dpi=40)


@pytest.mark.parametrize("assets", [1, 3, 20])
@pytest.mark.parametrize("accounts", ["shared", "separate"])
def test_any_number_of_assets_and_accounts(assets: int, accounts: str) -> None:
    close = 100 + np.arange(30)[:, None] + np.arange(assets)
    run = run_of(close, [(1, n, 1.0, 100.0) for n in range(assets)], symbols=tuple(f"S{n}" for n in range(assets)), accounts=accounts)
    picture = Result(run).plot()
    several = assets > 1 and accounts == "separate"
    assert titles(picture)[0] == (f"Equity of {assets} accounts and their mean" if several else "Equity")
    to_bytes(picture, "png", dpi=40)


@pytest.mark.parametrize(
    "close",
    [[[10.0]], [[10.0], [10.0]], [[NAN], [NAN], [10.0]], [[10.0], [NAN], [NAN]]],
    ids=["one bar", "two bars", "late start", "early end"],
)
def test_short_and_empty_runs_are_drawn_without_a_warning(close: Any) -> None:
    to_bytes(Result(run_of(close, [], symbols=("A",))).plot(), "png", dpi=40)


@pytest.mark.parametrize("symbols", [("$x^$", "_y"), ("トヨタ", "A&B<c>"), ("a" * 60, "b")])
def test_any_symbol_is_drawn_as_it_is(symbols: tuple[str, str]) -> None:
    run = small(symbols=symbols)
    for form in ("png", "svg"):
        assert to_bytes(figure(run, Result(run)._curves, title="$"), form, dpi=40)
    to_bytes(figure(run, Result(run)._curves, symbol=symbols[0]), "svg")


def test_equal_runs_give_equal_files(tmp_path: Path) -> None:
    for form in ("svg", "png", "pdf"):
        first, second = (Result(small()).plot(tmp_path / f"{k}.{form}") and (tmp_path / f"{k}.{form}").read_bytes() for k in "ab")
        assert first == second


def test_an_ending_that_is_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ending"):
        Result(small()).plot(tmp_path / "run.docx")
    assert not list(tmp_path.iterdir())


def test_drawing_touches_neither_pyplot_nor_the_users_settings() -> None:
    """A figure of ours never opens a window, never stays in a list of figures, and leaves styles alone."""
    code = (
        "import sys, matplotlib as mpl\n"
        "def settings(): return {name: mpl.rcParams[name] for name in mpl.rcParams if name != 'backend'}\n"
        "before = settings()\n"
        "from tests.analytics.example import small; from vecbt.analytics.result import Result\n"
        "Result(small()).plot()._repr_png_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules; assert settings() == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=800, cwd=Path(__file__).parents[2])


def test_many_bars_are_thinned_without_losing_an_extreme() -> None:
    rng = np.random.default_rng(1)
    values = np.cumsum(rng.normal(size=100_000))
    values[[70_001, 33_333]] = 1e6, -1e6
    values[5000:9000] = np.nan
    places = thin(values, 1000)
    assert len(places) <= 1010 and places[0] == 0 and places[-1] == len(values) - 1
    assert np.all(np.diff(places) > 0)
    assert {70_001, 33_333} <= set(places.tolist())
    np.testing.assert_array_equal(thin(values[:500], 1000), np.arange(500))
    assert len(thin(np.full(5000, np.nan), 100)) <= 110


def test_stretches_of_equal_level() -> None:
    assert spans(np.array([0, 1, 1, 0, 2, 2]), 100) == [(1, 1, 3), (2, 4, 6)]
    assert spans(np.zeros(4, dtype=int), 100) == [] == spans(np.zeros(0, dtype=int), 100)
    assert spans(np.array([3]), 100) == [(3, 0, 1)]
    long = np.zeros(10_000, dtype=int)
    long[5000] = 3
    assert spans(long, 100) == [(3, 5000, 5100)]


def test_a_large_run_stays_small(tmp_path: Path) -> None:
    run = small()
    bars = 60_000
    rng = np.random.default_rng(2)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, (bars, 1)), axis=0))
    large = run_of(close[:2], [], symbols=("A",))
    equity = 1e5 + 100 * close
    index = np.datetime64("2020-01-01", "ns") + np.arange(bars) * 60_000_000_000
    large = dataclasses.replace(
        large,
        bars=type(run.bars).from_numpy(close, close, close, close, index=index),
        equity=equity,
        cash=equity,
        zone=rng.integers(0, 4, (bars, 1)).astype(np.uint8),
    )
    Result(large).plot(tmp_path / "large.svg")
    assert (tmp_path / "large.svg").stat().st_size < 600_000
