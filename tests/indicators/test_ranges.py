"""Sigma from ranges, NATR and EWMA sigma: slow twins, TA-Lib and talipp, hand-worked bars, edges, and no drift at any level of prices."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.indicators.range_bars import rows_of, walk_bars
from tests.naive import indicators_ranges as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import ConfigError, InputError
from vecbt.indicators import atr, ewma_volatility, garman_klass, natr, parkinson, rogers_satchell, yang_zhang

pytestmark = pytest.mark.interpreted

LONG = pytest.mark.skipif(ENGINE == "python", reason="a million bars need compiled kernels")
SIGMAS: list[tuple[Any, Any]] = [
    (parkinson, naive.parkinson), (garman_klass, naive.garman_klass), (rogers_satchell, naive.rogers_satchell),
    (yang_zhang, naive.yang_zhang), (natr, naive.natr),
]  # fmt: skip
EVERY = pytest.mark.parametrize(("function", "twin"), SIGMAS, ids=lambda f: f.__name__)


@EVERY
@pytest.mark.parametrize("window", [1, 2, 3, 20, 45, 61])
def test_equals_the_slow_twin(function: Callable[..., Any], twin: Callable[..., Any], window: int) -> None:
    window = max(window, 2) if function is yang_zhang else window
    block = walk_bars(60, 3)
    expected = np.array([twin(rows_of(block, n), window) for n in range(3)]).T
    np.testing.assert_allclose(function(block, window), expected, rtol=1e-10)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.94, 1.0])
def test_ewma_equals_the_slow_twin(decay: float) -> None:
    closes = walk_bars(120, 2)[3]
    expected = np.array([naive.ewma_volatility(list(closes[:, n]), decay) for n in range(2)]).T
    np.testing.assert_allclose(ewma_volatility(closes, decay), expected, rtol=1e-10)


@pytest.mark.parametrize("window", [1, 2, 14])
def test_natr_equals_talib(window: int) -> None:
    """TA-Lib leaves the first bar out; a flat bar inside the range of our first makes it count `h - l` there too.

    With a window of 1 it gives the true range in price units, not in percent.
    """
    talib = pytest.importorskip("talib")
    block = walk_bars(200, gaps=0)
    _, high, low, close, _ = block[:, :, 0]
    middle = (high[0] + low[0]) / 2
    theirs = talib.NATR(np.r_[middle, high], np.r_[middle, low], np.r_[middle, close], window)[1:]
    theirs = 100 * theirs / close if window == 1 else theirs
    np.testing.assert_allclose(natr(block, window)[:, 0], theirs, rtol=1e-10)


def test_natr_is_atr_in_percent_but_not_carried() -> None:
    block = walk_bars(80)
    present = ~np.isnan(block[3, :, 0])
    np.testing.assert_allclose(natr(block, 5)[present], 100 * atr(block, 5)[present] / block[3][present], rtol=1e-14)
    assert np.isnan(natr(block, 5)[~present]).all() and not np.isnan(atr(block, 5)[30:]).any()


@pytest.mark.parametrize("window", [1, 5, 20])
def test_rogers_satchell_equals_talipp(window: int) -> None:
    indicators = pytest.importorskip("talipp.indicators")
    ohlcv = pytest.importorskip("talipp.ohlcv")
    block = walk_bars(100, gaps=0)
    theirs = indicators.RogersSatchell(window, [ohlcv.OHLCV(*row) for row in rows_of(block)])
    expected = [math.nan if value is None else value for value in theirs]
    np.testing.assert_allclose(rogers_satchell(block, window)[:, 0], expected, rtol=1e-10)


def test_by_hand() -> None:
    """Bars whose logarithms are whole numbers of 0.1."""
    o, h, low, c = (np.array([math.exp(0.1 * k) for k in ks])[:, None] for ks in ([0, 1, 3], [2, 3, 5], [-1, 1, 2], [1, 2, 2]))
    block = np.stack([o, h, low, c, np.ones_like(o)])
    np.testing.assert_allclose(parkinson(block, 1)[:, 0] ** 2, np.array([0.09, 0.04, 0.09]) / (4 * math.log(2)), rtol=1e-12)
    np.testing.assert_allclose(
        garman_klass(block, 1)[:, 0] ** 2, np.array([0.09, 0.04, 0.09]) / 2 - 0.3862943611198906 * np.array([0.01, 0.01, 0.01]), rtol=1e-12
    )
    # h(h - c) + l(l - c) from the open: 2*1 + 1*2, 2*1, 2*3 + 0
    np.testing.assert_allclose(rogers_satchell(block, 1)[:, 0] ** 2, [0.04, 0.02, 0.06], rtol=1e-12)
    # gaps 0 and 0.1, days 0.1 and -0.1: variances 0.005 and 0.02; k = 0.34/(1.34 + 3)
    k = 0.34 / 4.34
    expected = 0.005 + k * 0.02 + (1 - k) * 0.04
    np.testing.assert_allclose(yang_zhang(block, 2)[:, 0] ** 2, [math.nan, math.nan, expected], rtol=1e-12)


def test_ewma_by_hand() -> None:
    """The seed is the first squared return; then 0.25 of the old variance and 0.75 of the new square."""
    out = ewma_volatility(np.array([100.0, 110.0, math.nan, 99.0, 99.0]), 0.25)
    np.testing.assert_allclose(out, [math.nan, 0.1, math.nan, 0.1, 0.05], rtol=1e-12)


def test_ewma_on_values_of_zero() -> None:
    """A return from zero does not exist: the bar has no value, and the next return is from its own value."""
    out = ewma_volatility(np.array([10.0, 0.0, 5.0, 10.0]), 0.5)
    np.testing.assert_allclose(out, [math.nan, 1.0, math.nan, 1.0], rtol=1e-14)


def test_flat_prices_have_a_sigma_of_zero() -> None:
    flat = np.full((5, 30, 1), 0.1)
    for function in (parkinson, garman_klass, rogers_satchell, natr):
        assert set(function(flat, 4)[3:, 0].tolist()) == {0.0}
    assert set(yang_zhang(flat, 4)[4:, 0].tolist()) == {0.0}
    assert set(ewma_volatility(flat[3])[1:, 0].tolist()) == {0.0}


@pytest.mark.parametrize("field", range(4))
@pytest.mark.parametrize("price", [0.0, -1.0])
def test_a_price_not_above_zero_is_left_out_like_a_missing_bar(field: int, price: float) -> None:
    block = walk_bars(40, gaps=0)
    wrong, missing = block.copy(), block.copy()
    wrong[field, 17] = price
    missing[:, 17] = math.nan
    for function in (garman_klass, rogers_satchell, yang_zhang):
        np.testing.assert_array_equal(function(wrong, 5), function(missing, 5))
    if field in (1, 2):
        np.testing.assert_array_equal(parkinson(wrong, 5), parkinson(missing, 5))


def test_a_bar_that_closes_outside_its_range_gives_no_number_instead_of_an_imaginary_one() -> None:
    block = np.full((5, 3, 1), 10.0)
    block[3, 1] = 20.0
    assert np.isnan(garman_klass(block, 1)[1, 0]) and np.isnan(garman_klass(block, 2)[1:, 0]).all()


def test_a_close_of_zero_has_no_percentage() -> None:
    block = walk_bars(10, gaps=0)
    block[2:4, 6] = 0.0
    out = natr(block, 3)[:, 0]
    assert np.isnan(out[6]) and np.isfinite(out[[5, 7]]).all()


def test_after_a_huge_range_nothing_is_left_of_it() -> None:
    block = walk_bars(60, gaps=0)
    huge = block.copy()
    huge[1, 10] = 1e200
    for function, _ in SIGMAS[:4]:
        np.testing.assert_array_equal(function(huge, 6)[18:], function(block, 6)[18:])


def _logs(block: np.ndarray, first: int, *pairs: tuple[int, int]) -> list[list[Decimal]]:
    """Logarithms of field/field from bar `first` on, 40 digits; field -1 is the close before."""
    block = np.concatenate([block, np.roll(block[3:4], 1, axis=1)])
    return [[(Decimal(float(a)) / Decimal(float(b))).ln() for a, b in block[[p, q], first:, 0].T] for p, q in pairs]


def _means(values: list[Decimal], window: int) -> list[Decimal]:
    """Means of the `window` values up to each, from number `window` on."""
    return [sum(values[i + 1 - window : i + 1], Decimal(0)) / window for i in range(window, len(values))]


def _variances(values: list[Decimal], window: int) -> list[Decimal]:
    """Sample variances of the same windows."""
    out = []
    for i, average in enumerate(_means(values, window), window):
        out.append(sum(((v - average) ** 2 for v in values[i + 1 - window : i + 1]), Decimal(0)) / (window - 1))
    return out


@LONG
@pytest.mark.parametrize(("level", "sigma"), [(100.0, 1e-4), (1e9, 3e-8)])
def test_a_million_bars_leave_no_error_behind(level: float, sigma: float) -> None:
    """The last 1,000 values against 40 digits; at 1e9 the moves of a bar are about 30 in price."""
    window, count = 20, 1000
    block = walk_bars(1_000_000, seed=2, gaps=0, level=level, sigma=sigma)
    block[:4] = np.round(block[:4] * 1024) / 1024
    with localcontext(prec=40):
        first = block.shape[1] - window - count
        hl, co, hc, ho, lc, lo, gap = _logs(block, first, (1, 2), (3, 0), (1, 3), (1, 0), (2, 3), (2, 0), (0, 5))
        two, k = Decimal(2).ln(), Decimal("0.34") / (Decimal("1.34") + Decimal(window + 1) / (window - 1))
        inside = [a * b + c * d for a, b, c, d in zip(hc, ho, lc, lo, strict=True)]
        exact = {
            parkinson: _means([x * x / (4 * two) for x in hl], window),
            garman_klass: _means([x * x / 2 - (2 * two - 1) * y * y for x, y in zip(hl, co, strict=True)], window),
            rogers_satchell: _means(inside, window),
            yang_zhang: [
                g + k * d + (1 - k) * v
                for g, d, v in zip(_variances(gap, window), _variances(co, window), _means(inside, window), strict=True)
            ],
        }
        roots = {function: [float(v.sqrt()) for v in values] for function, values in exact.items()}
    for function, values in roots.items():
        np.testing.assert_allclose(function(block, window)[-count:, 0], values, rtol=1e-9)


@LONG
@pytest.mark.parametrize("level", [100.0, 1e9])
def test_a_million_values_leave_no_error_in_the_ewma(level: float) -> None:
    values = np.round(walk_bars(1_000_000, seed=3, gaps=0, level=level, sigma=1e-5)[3, :, 0] * 1024) / 1024
    last = values[-2001:]  # what is older weighs less than 0.94**1000
    with localcontext(prec=40):
        changes = [(Decimal(float(b)) - Decimal(float(a))) / Decimal(float(a)) for a, b in pairwise(last)]
        decay, variance, exact = Decimal("0.94"), changes[0] ** 2, []
        for change in changes[1:]:
            variance = decay * variance + (1 - decay) * change * change
            exact.append(float(variance.sqrt()))
    np.testing.assert_allclose(ewma_volatility(values)[-999:], exact[-999:], rtol=1e-9)


def test_parameters_that_may_not_be() -> None:
    block = walk_bars(5)
    for function, _ in SIGMAS:
        with pytest.raises(ConfigError, match=rf"{function.__name__}\.window is 0"):
            function(block, 0)
    with pytest.raises(ConfigError, match="at least 2"):
        yang_zhang(block, 1)
    for decay in (-0.1, 1.1, math.nan):
        with pytest.raises(ConfigError, match="from 0 to 1"):
            ewma_volatility(block[3], decay)
    with pytest.raises(InputError, match="no column 'high'"):
        parkinson(pd.DataFrame({"close": [1.0]}), 1)


def test_assets_of_one_block_do_not_share_a_window() -> None:
    block = walk_bars(50, 3)
    for function, _ in SIGMAS:
        whole = function(block, 4)
        for n in range(3):
            np.testing.assert_array_equal(function(np.ascontiguousarray(block[:, :, n : n + 1]), 4)[:, 0], whole[:, n])
