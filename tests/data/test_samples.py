"""The bundled prices: what is in them, adjusted and raw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import vecbt.data.samples as samples
from vecbt.data import Bars
from vecbt.data.actions import implied_actions
from vecbt.errors import ConfigError

FILE = Path(samples.__file__).parent / "us_daily.parquet"


def row(bars: Bars, date: str) -> int:
    return int(np.searchsorted(bars.times, np.datetime64(date, "ns")))


def test_what_is_in_it() -> None:
    bars = samples.load("us_daily")
    assert bars.symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT") and bars.shape == (3270, 5)
    assert str(bars.times[0])[:10] == "2000-03-01" and str(bars.times[-1])[:10] == "2013-03-01"
    first = [str(bars.times[int(np.flatnonzero(~np.isnan(bars.close[:, k]))[0])])[:10] for k in range(5)]
    assert first == ["2000-03-01", "2012-05-18", "2004-08-19", "2000-03-01", "2000-03-01"]
    assert (bars.delist_bar == -1).all() and not np.isnan(bars.close[-1]).any()
    assert samples.names() == ("us_daily",) and (FILE.parent / "SOURCE.md").is_file()


def test_m1_b3_its_calendar() -> None:
    """252 because the index is that of an exchange; sessions are the dates of the labels."""
    bars = samples.load()
    assert bars.periods_per_year == 252.0 and "five-day week with holidays" in bars.periods_per_year_source
    assert bars.market.calendar == "XNYS" and bars.market.time_zone == "America/New_York"
    assert np.array_equal(bars.session, bars.times.astype("M8[D]").astype(np.int64))


def test_b1_both_forms_pass_the_door() -> None:
    """Scaling keeps high >= open and close >= low exactly."""
    for adjusted in (True, False):
        bars = samples.load(adjusted=adjusted)
        again = Bars.from_numpy(*bars.block, index=bars.index, market=bars.market, symbols=bars.symbols, missing="no_market")
        assert np.array_equal(again.block, bars.block, equal_nan=True)


def test_adjusted_returns_are_those_of_adj_close() -> None:
    frame = pl.read_parquet(FILE).filter(pl.col("symbol") == "AAPL").sort("date")
    bars = samples.load(symbols="AAPL")
    np.testing.assert_allclose(bars.close[:, 0], frame["adj_close"].to_numpy(), rtol=1e-14)
    np.testing.assert_allclose((bars.close * bars.volume)[:, 0], (frame["close"] * frame["volume"]).to_numpy(), rtol=1e-14)
    returns = bars.close[1:, 0] / bars.close[:-1, 0] - 1.0
    assert returns.min() == pytest.approx(-0.519, abs=1e-3)  # 2000-09-29 is real
    assert str(bars.times[int(returns.argmin()) + 1])[:10] == "2000-09-29"


def test_the_implied_splits() -> None:
    bars = samples.load(adjusted=False)
    assert bars.splits is not None
    events = zip(*np.nonzero(~np.isnan(bars.splits)), strict=True)
    found = {(bars.symbols[k], str(bars.times[t])[:10], float(bars.splits[t, k])) for t, k in events}
    assert found == {("AAPL", "2000-06-21", 2.0), ("AAPL", "2005-02-28", 2.0), ("MSFT", "2003-02-18", 2.0)}
    for symbol, date, _ in found:
        assert f"{symbol}: split 2 for 1 on {date}" in bars.notes


def test_the_implied_dividends() -> None:
    """Known payments, to a hundredth of a cent."""
    bars = samples.load(adjusted=False)
    assert bars.dividends is not None
    known = {
        ("MSFT", "2003-02-19"): 0.08, ("MSFT", "2004-11-15"): 3.08, ("AAPL", "2012-08-09"): 2.65, ("AAPL", "2013-02-07"): 2.65,
        ("IBM", "2000-05-08"): 0.13, ("IBM", "2013-02-06"): 0.85,
    }  # fmt: skip
    for (symbol, date), amount in known.items():
        assert bars.dividends[row(bars, date), bars.symbols.index(symbol)] == pytest.approx(amount, abs=2e-4)
    assert np.isnan(bars.dividends[:, [1, 2]]).all()
    cents = bars.dividends[~np.isnan(bars.dividends)] * 1000.0
    np.testing.assert_allclose(cents, np.rint(cents), atol=0.35)


def test_raw_prices_and_actions_give_the_adjusted_return() -> None:
    """Splits multiply, dividends are put back at the close of their day: the total return is that of adj_close."""
    raw, adjusted = samples.load(adjusted=False), samples.load()
    assert raw.splits is not None and raw.dividends is not None
    for k in (0, 3, 4):
        units = np.cumprod(np.nan_to_num(raw.splits[:, k], nan=1.0) * (1.0 + np.nan_to_num(raw.dividends[:, k]) / raw.close[:, k]))
        np.testing.assert_allclose(units * raw.close[:, k] / raw.close[0, k], adjusted.close[:, k] / adjusted.close[0, k], rtol=2e-5)


def test_symbols_are_chosen() -> None:
    bars = samples.load("us_daily", ("MSFT", "AAPL"))
    assert bars.symbols == ("MSFT", "AAPL") and bars == samples.load().select(("MSFT", "AAPL"))
    late = samples.load(symbols="FB")
    assert late.T == 196 and late.periods_per_year == 252.0
    with pytest.raises(ConfigError, match="did you mean 'AAPL'"):
        samples.load(symbols="APPL")
    with pytest.raises(ConfigError, match="no sample"):
        samples.load("us_dayly")


def test_it_needs_neither_pandas_nor_pyarrow_nor_a_calendar_package() -> None:
    code = (
        "import sys\n"
        "for name in ('pyarrow', 'exchange_calendars', 'pandas'): sys.modules[name] = None\n"
        "import vecbt.data.samples as s\n"
        "print(s.load().content_hash)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert run.stdout.strip() == samples.load().content_hash


def test_the_data_layer_imports_no_frames() -> None:
    code = "import sys, vecbt.data; print([m for m in ('pandas', 'polars', 'numba', 'scipy', 'exchange_calendars') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "split", "dividend"),
    [(2.0, 2.0, None), (1.5, 1.5, None), (1.25, 1.25, None), (0.1, 0.1, None), (7.0, 7.0, None), (1.12, None, 6.0), (1.00005, None, None)],
)
def test_implied_actions_by_hand(change: float, split: float | None, dividend: float | None) -> None:
    """A fall of the price without a change of the factor is no event."""
    close = np.array([100.0, 100.0, 50.0, 50.0, 20.0])
    factor = np.array([0.5, 0.5, 0.5, 0.5 * change, 0.5 * change])
    splits, dividends = implied_actions(close, close * factor)
    assert np.flatnonzero(~np.isnan(splits)).tolist() == ([] if split is None else [3])
    assert np.flatnonzero(~np.isnan(dividends)).tolist() == ([] if dividend is None else [3])
    if split is not None:
        assert splits[3] == pytest.approx(split, rel=1e-12)
    if dividend is not None:
        assert dividends[3] == pytest.approx(dividend, rel=1e-9)
