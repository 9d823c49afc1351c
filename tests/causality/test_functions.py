"""D2 for features, scalers and models: any function of bars or of a table that has a row for each bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vecbt as vb
from tests.causality.cheats import close_of

BARS = vb.synthetic.gbm(T=200, N=2, seed=6)
FRAME = pd.DataFrame(
    {"a": np.random.default_rng(1).standard_normal(120), "b": np.arange(120.0), "name": ["x", "y"] * 60},
    index=pd.date_range("2020-01-01", periods=120, freq="D"),
)


class Scaler:
    """Mean and deviation of what it was fitted on."""

    def fit(self, x: Any) -> Scaler:
        self.mean, self.scale = x.mean(axis=0), x.std(axis=0) + 1e-12
        return self

    def transform(self, x: Any) -> Any:
        return (x - self.mean) / self.scale


class Model:
    """Least squares of the next move on the last ones."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Model:
        use = ~np.isnan(x).any(axis=1) & ~np.isnan(y)
        self.weights = np.linalg.lstsq(x[use], y[use], rcond=None)[0] if use.sum() > 3 else np.zeros(x.shape[1])
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return sum(x[:, k] * w for k, w in enumerate(self.weights))  # type: ignore[return-value]


def features(bars: vb.Bars) -> np.ndarray:
    """Moves of one, two and five bars, (T, 3)."""
    close = pd.Series(bars.close[:, 0])
    return np.column_stack([close.pct_change(k).to_numpy() for k in (1, 2, 5)])


def target(bars: vb.Bars) -> np.ndarray:
    """The next move."""
    return pd.Series(bars.close[:, 0]).pct_change().shift(-1).to_numpy()


def test_d2_a_scaler_fitted_on_all_data_is_caught() -> None:
    report = vb.check_causal(lambda bars: Scaler().fit(bars.close).transform(bars.close), BARS)
    found = report.finding
    assert not report.ok and found is not None and (found.bar, found.column, found.ahead, found.to_the_end) == (0, "S0", 199, True)


def test_d2_a_scaler_fitted_on_the_first_bars_is_not() -> None:
    def scaled(bars: vb.Bars) -> np.ndarray:
        return Scaler().fit(bars.close[:100]).transform(bars.close)

    report = vb.check_causal(scaled, BARS, warmup=100, thorough=True)
    assert report.ok and report.thorough, str(report)
    early = vb.check_causal(scaled, BARS)
    assert not early.ok and early.finding is not None, "the rows it was fitted on have seen each other"
    assert (early.finding.bar, early.finding.ahead) == (0, 99)


@pytest.mark.parametrize("train", [100, None], ids=["first 100", "all"])
def test_d2_a_model_is_checked_by_fitting_it_inside(train: int | None) -> None:
    def predicted(bars: vb.Bars) -> np.ndarray:
        x, y = features(bars), target(bars)
        y = np.append(y[:99], np.nan) if train and bars.T >= train else y  # the move after the last training bar is not known yet
        return Model().fit(x[:train][: len(y)], y[: len(x[:train])]).predict(x)

    report = vb.check_causal(predicted, BARS, warmup=100)
    assert report.ok == (train is not None), str(report)
    if train is None:
        assert report.finding is not None and report.finding.bar == 100 and report.finding.column == "values"


def test_d2_an_object_that_is_fitted_outside_is_a_constant_and_the_report_says_so() -> None:
    scaler = Scaler().fit(BARS.close)
    report = vb.check_causal(lambda bars: scaler.transform(bars.close), BARS)
    assert report.ok and "a model or scaler fitted before on these bars" in report.missed


@pytest.mark.parametrize(
    ("function", "column"),
    [
        (lambda bars: bars.close / bars.close.max(axis=0), "S0"),
        (lambda bars: close_of(bars).shift(-1), "S0"),
        (lambda bars: close_of(bars)["S1"].shift(-1), "S1"),
        (lambda bars: close_of(bars).shift(-1)["S0"].dropna(), "S0"),
        (lambda bars: {"good": bars.close, "bad": close_of(bars).shift(-1)}, "bad: S0"),
        (lambda bars: pl.DataFrame({"x": bars.close[:, 0]}).select(pl.col("x").shift(-1)), "x"),
        (lambda bars: pl.Series("y", bars.close[:, 0]).shift(-1), "y"),
        (lambda bars: np.stack([bars.close, bars.close[::-1]], axis=2), "[0, 1]"),
        (lambda bars: np.where(close_of(bars).shift(-1) > close_of(bars), "up", "down"), "S0"),
        (lambda bars: (close_of(bars)["S0"].shift(-1) > 100).astype(int), "S0"),
        (lambda bars: pd.get_dummies(pd.Series(bars.session // 30).astype(str)), "10957"),
        (lambda bars: vb.Signals(entries=bars.close < np.roll(bars.close, -1, axis=0)), "S0"),
    ],
)  # fmt: skip
def test_d2_whatever_has_a_row_a_bar_can_be_checked(function: Any, column: str) -> None:
    report = vb.check_causal(function, BARS)
    assert not report.ok and report.finding is not None, str(report)
    assert column == "10957" or report.finding.column == column, str(report)


@pytest.mark.parametrize(
    "function",
    [
        lambda bars: close_of(bars).rolling(5).mean(),
        lambda bars: close_of(bars)["S0"].rolling(5).mean().dropna(),
        lambda bars: close_of(bars).diff()["S0"].gt(0).map({True: "up", False: "down"}).where(np.arange(bars.T) > 9, None),
        lambda bars: {"a": bars.close[:, 0], "day": bars.times},
        lambda bars: pl.DataFrame({"x": bars.close[:, 0]}).with_columns(pl.col("x").shift(1).alias("y"), pl.lit("z").alias("z")),
        lambda bars: np.cumsum(bars.close, axis=0)[:, :, None] * np.ones(3),
        lambda bars: pd.Series(bars.session).astype("category"),
        lambda bars: [1, 2.5] * (bars.T // 2) + [1] * (bars.T % 2),
        lambda bars: vb.indicators.atr(bars, 5),
    ],
)
def test_d2_honest_functions_pass(function: Any) -> None:
    report = vb.check_causal(function, BARS, cuts=30)
    assert report.ok, str(report)


def test_d2_tables_are_cut_and_replaced_too() -> None:
    honest = [
        (lambda x: x[["a", "b"]].rolling(3).mean(), FRAME),
        (lambda x: x.rolling(3).mean(), FRAME["a"]),
        (lambda x: np.cumsum(x, axis=0), FRAME[["a", "b"]].to_numpy()),
        (lambda x: x.select(pl.col("a").rolling_mean(3)), pl.DataFrame(FRAME.reset_index())),
    ]
    for function, table in honest:
        report = vb.check_causal(function, table)
        assert report.ok and report.futures == 60, str(report)
    cheats = [
        (lambda x: x[["a", "b"]] / x[["a", "b"]].abs().max(), FRAME, "a", 119),
        (lambda x: x.shift(-2), FRAME["a"], "a", 2),
        (lambda x: x - x.mean(axis=0), FRAME[["a", "b"]].to_numpy(), "[0]", 119),
        (lambda x: x.select(pl.col("b").shift(-1)), pl.DataFrame(FRAME.reset_index()), "b", 1),
    ]
    for function, table, column, ahead in cheats:
        found = vb.check_causal(function, table).finding
        assert found is not None and (found.bar, found.column, found.ahead) == (0, column, ahead)
    assert vb.check_causal(cheats[0][0], FRAME).finding.time == "2020-01-01"  # type: ignore[union-attr]


def test_d2_a_function_that_writes_into_its_table_is_noticed_and_the_callers_is_safe() -> None:
    def scales_in_place(x: pd.DataFrame) -> pd.DataFrame:
        x["b"] *= 2
        return x[["a"]]

    before = FRAME.copy()
    report = vb.check_causal(scales_in_place, FRAME)
    assert not report.ok and "its bars changed while it ran" in str(report)
    pd.testing.assert_frame_equal(FRAME, before)


def test_d2_rounding_that_hangs_on_the_number_of_bars_is_told_apart() -> None:
    def rounds(bars: vb.Bars) -> np.ndarray:
        return bars.close * (1.0 + (bars.T % 2) * 4e-16)

    strict = vb.check_causal(rounds, BARS)
    assert not strict.ok and any("rounding that hangs on the number of bars" in text for text in strict.warnings)
    assert vb.check_causal(rounds, BARS, tolerance=1e-12).ok
    assert not vb.check_causal(lambda bars: bars.close * (1.0 + (bars.T % 2) * 1e-6), BARS, tolerance=1e-12).ok


def test_gaps_of_a_feature_are_told() -> None:
    def holes(bars: vb.Bars) -> pd.DataFrame:
        close = close_of(bars)
        close.iloc[50:52, 1] = np.nan
        return close

    report = vb.check_causal(holes, BARS)
    assert report.ok and report.warnings == ("S1 is missing at 2000-03-13 (bar 50), after its warm-up, and in 2 rows in all",)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda bars: bars.close[:-1], "returned 199 rows for 200 bars; expected one row a bar"),
        (lambda bars: 5.0, "returned one value, array(5.); expected a row for each of the 200 bars"),
        (lambda bars: close_of(bars).resample("W").last(), "returned a row at 2000-01-09, where there is no bar"),
        (lambda bars: {}, "returned dict without columns"),
    ],
)
def test_what_has_no_row_for_each_bar_is_refused(function: Any, told: str) -> None:
    report = vb.check_causal(function, BARS)
    assert not report.ok and told in str(report), str(report)


def test_arguments_are_checked() -> None:
    with pytest.raises(vb.errors.StrategyError, match="5 is no function"):
        vb.check_causal(5, BARS)  # type: ignore[arg-type]
    with pytest.raises(vb.errors.DataError, match="data is int; expected Bars"):
        vb.check_causal(np.cumsum, 5)
    with pytest.raises(vb.errors.DataError, match="data has no row"):
        vb.check_causal(np.cumsum, np.empty(0))
    for name, value in (("warmup", -1), ("tolerance", 2.0), ("tolerance", -1e-9), ("cuts", 0)):
        with pytest.raises(vb.errors.ConfigError, match=f"{name} is {value}"):
            vb.check_causal(np.cumsum, np.ones(5), **{name: value})  # type: ignore[arg-type]
