"""Correlation, covariance, beta and crossings: against slow twins, TA-Lib, pandas and exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.indicators.test_moving import walk
from tests.naive import indicators_relative as naive
from vecbt.core.jit import ENGINE
from vecbt.errors import InputError
from vecbt.indicators import stream
from vecbt.indicators.crossing import crossed_above, crossed_below
from vecbt.indicators.relative import beta, correlation, covariance

pytestmark = pytest.mark.interpreted

COMPILED = pytest.mark.skipif(ENGINE == "python", reason="a million bars take minutes uncompiled")

Twin = Callable[[list[float], list[float]], float]

PAIRS: dict[str, tuple[Callable[..., Any], Twin]] = {
    "covariance": (covariance, partial(naive.covariance, ddof=1)),
    "covariance of a population": (partial(covariance, ddof=0), partial(naive.covariance, ddof=0)),
    "correlation": (correlation, naive.correlation),
    "beta": (beta, naive.beta),
}
EACH = pytest.mark.parametrize("name", PAIRS)


@EACH
@pytest.mark.parametrize("window", [1, 2, 3, 7, 20, 61])
def test_equals_the_slow_twin(name: str, window: int) -> None:
    ours, twin = PAIRS[name]
    values, other = walk(130, 2), walk(130, 2, seed=8)
    for n in range(2):
        expected = naive.each(list(values[:, n]), list(other[:, n]), window, twin)
        np.testing.assert_allclose(ours(values[:, n], other[:, n], window), expected, rtol=1e-9, atol=1e-11)


@EACH
@given(
    pairs=st.lists(
        st.tuples(*[st.one_of(st.just(float("nan")), st.integers(-8, 8).map(lambda v: v / 4)) for _ in range(2)]), min_size=1, max_size=30
    ),
    window=st.integers(1, 9),
)
def test_equals_the_slow_twin_on_any_values(name: str, pairs: list[tuple[float, float]], window: int) -> None:
    ours, twin = PAIRS[name]
    values, other = [p[0] for p in pairs], [p[1] for p in pairs]
    np.testing.assert_allclose(
        ours(np.array(values), np.array(other), window), naive.each(values, other, window, twin), rtol=1e-10, atol=1e-11
    )


@pytest.mark.parametrize("window", [2, 5, 30])
def test_equals_talib_and_pandas(window: int) -> None:
    talib = pytest.importorskip("talib")
    values, other = walk(300, 1, gaps=0)[:, 0], walk(300, 1, seed=8, gaps=0)[:, 0]
    np.testing.assert_allclose(correlation(values, other, window), talib.CORREL(values, other, window), rtol=1e-9, atol=1e-10)
    theirs = pd.Series(values).rolling(window).cov(pd.Series(other))
    np.testing.assert_allclose(covariance(values, other, window), theirs, rtol=1e-8, atol=1e-9)


def test_the_beta_of_talib_is_that_of_returns_with_the_market_first() -> None:
    talib = pytest.importorskip("talib")
    share, market = walk(200, 1, gaps=0)[:, 0], walk(200, 1, seed=8, gaps=0)[:, 0]
    ours = beta(share[1:] / share[:-1] - 1, market[1:] / market[:-1] - 1, 20)
    theirs = talib.BETA(market, share, 20)
    np.testing.assert_allclose(ours, theirs[1:], rtol=1e-9, atol=1e-12)
    assert np.nanmax(np.abs(beta(share, market, 20) - theirs)) > 0.1


@EACH
def test_a_flat_series_gives_what_the_docstring_says(name: str) -> None:
    moving, flat = walk(40, 1, gaps=0)[:, 0], np.full(40, 0.1)
    ours = PAIRS[name][0]
    on_flat, of_flat = ours(moving, flat, 7)[6:], ours(flat, moving, 7)[6:]
    if name.startswith("covariance"):
        assert set(on_flat.tolist()) == {0.0} == set(of_flat.tolist())
    else:
        assert np.isnan(on_flat).all()
        assert np.isnan(of_flat).all() if name == "correlation" else set(of_flat.tolist()) == {0.0}


def test_a_correlation_with_itself_is_one_and_with_its_mirror_minus_one() -> None:
    values = walk(200, 1, gaps=0)[:, 0]
    for window in (2, 9, 60):
        out = correlation(values, values, window)[window - 1 :]
        assert out.max() <= 1.0
        np.testing.assert_allclose(out, 1.0, rtol=1e-13)
        np.testing.assert_allclose(correlation(values, -values, window)[window - 1 :], -1.0, rtol=1e-13)
    np.testing.assert_allclose(beta(3 * values, values, 9)[8:], 3.0, rtol=1e-12)


@COMPILED
@pytest.mark.parametrize(("window", "spike"), [(20, 1.0), (500, 1.0), (20, 1e6), (500, 1e6)])
def test_products_do_not_drift_in_a_million_bars_nor_remember_a_spike(window: int, spike: float) -> None:
    rng = np.random.default_rng(12)
    steps = rng.normal(size=(2, 1_000_000))
    steps[1] += steps[0]
    values, other = 1e9 + np.cumsum(steps, axis=1)
    first = 1_000_000 - 1000
    values[first - window] *= spike
    other[first - window] *= spike
    shown = list(range(first, 1_000_000, 1 if window < 100 else 17))
    pairs = [tuple([float(v) for v in part[t - window + 1 : t + 1]] for part in (values, other)) for t in shown]
    for name, (ours, twin) in PAIRS.items():
        expected = np.array([twin(*pair) for pair in pairs])
        np.testing.assert_allclose(ours(values, other, window)[shown], expected, rtol=1e-9, atol=1e-9, err_msg=name)


@given(
    pairs=st.lists(st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, float("nan")]) for _ in range(2)]), min_size=1, max_size=30),
)
def test_crossings_equal_the_slow_twin(pairs: list[tuple[float, float]]) -> None:
    values, other = [p[0] for p in pairs], [p[1] for p in pairs]
    assert crossed_above(np.array(values), np.array(other)).tolist() == naive.crossed(values, other, up=True)
    assert crossed_below(np.array(values), np.array(other)).tolist() == naive.crossed(values, other, up=False)


def test_crossings_by_hand() -> None:
    nan = float("nan")
    values = np.array([3.0, 1.0, 2.0, 3.0, 2.0, 3.0, nan, 1.0, nan, 2.0, 3.0])
    above, below = crossed_above(values, 2), crossed_below(values, 2.0)
    assert above.dtype == bool and np.flatnonzero(above).tolist() == [3, 10]
    assert np.flatnonzero(below).tolist() == [1, 7]
    one = stream("crossed_above")
    assert [bool(one.update(v, 2.0)[0]) for v in values] == above.tolist()


def test_crossings_keep_the_type() -> None:
    frame = pd.DataFrame({"a": [1.0, 3.0], "b": [3.0, 1.0]})
    assert crossed_above(frame, 2).to_numpy().tolist() == [[False, False], [True, False]]
    assert crossed_below(pl.Series("x", [3.0, 1.0]), 2).to_list() == [False, True]


def test_series_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="have shape"):
        correlation(np.ones(5), np.ones(4), 2)
    with pytest.raises(InputError, match="different labels"):
        crossed_above(pd.Series([1.0, 2.0]), pd.Series([1.0, 2.0], index=[1, 2]))
