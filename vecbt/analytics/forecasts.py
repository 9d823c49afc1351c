"""How good forecasts were (ML-10): errors, correlation, direction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.touch import as_matrix
from ..errors import InputError

__all__ = ["FORECAST_METRICS", "forecast_metrics"]

FORECAST_METRICS = ("count", "rmse", "mae", "mape", "correlation", "direction_accuracy", "hit_rate")
"""What `forecast_metrics` says, in order."""

_RELATIVE_ZERO = 1e-12  # M5


def forecast_metrics(forecast: Any, actual: Any, *, previous: Any = None) -> Any:
    """Errors of forecasts against what came.

    Parameters
    ----------
    forecast, actual : array_like, shape (T,) or (T, C), the same
        Returns, or levels. Pairs with a NaN are left out.
    previous : array_like of the same shape, optional
        The level each forecast started from; directions are those of the moves away from it. Zero, if it is not said: for returns.

    Returns
    -------
    pandas.Series by name, or a frame with a column for each column
        `count`: pairs; `rmse`, `mae`: root mean square and mean absolute error, in units of the series; `mape`: mean of the error over
        the size of what came, a fraction, over pairs where that is not 0; `correlation`: Pearson's; `direction_accuracy`: share of all
        pairs whose moves have the same sign (no move is a sign of its own); `hit_rate`: the same over pairs in which both moved.
        Undefined is NaN: no pair, and for the correlation fewer than two, or a side that does not move.

    Raises
    ------
    InputError
        Shapes differ, or a number is infinite.

    Notes
    -----
    Hyndman and Koehler, *International Journal of Forecasting* 22 (2006) 679-688; Pesaran and Timmermann, *Journal of Business &
    Economic Statistics* 10 (1992) 461-465, for directions.
    """
    import pandas as pd

    given = as_matrix(forecast, "forecast")
    bars, columns = given.shape
    came = as_matrix(actual, "actual", rows=bars, columns=columns)
    base = np.zeros(given.shape) if previous is None else as_matrix(previous, "previous", rows=bars, columns=columns)
    for name, values in (("forecast", given), ("actual", came), ("previous", base)):
        if np.isinf(values).any():
            row, column = np.argwhere(np.isinf(values))[0]
            raise InputError(f"{name} is infinite at row {row}, column {column}; mark what is unknown by NaN")
    found = [pd.Series(_of_column(given[:, k], came[:, k], base[:, k]), dtype=object, name="forecast") for k in range(columns)]
    if len(getattr(forecast, "shape", np.shape(forecast))) < 2:
        return found[0]
    return pd.DataFrame(dict(zip(getattr(forecast, "columns", range(columns)), found, strict=True)))


def _of_column(forecast: NDArray[np.float64], actual: NDArray[np.float64], base: NDArray[np.float64]) -> dict[str, Any]:
    known = ~(np.isnan(forecast) | np.isnan(actual) | np.isnan(base))
    f, a, b = forecast[known], actual[known], base[known]
    if not len(f):
        return {"count": 0} | dict.fromkeys(FORECAST_METRICS[1:], float("nan"))
    error, some = np.abs(f - a), a != 0.0
    ours, theirs = np.sign(f - b), np.sign(a - b)
    moved = (ours != 0.0) & (theirs != 0.0)
    return {
        "count": len(f),
        "rmse": float(np.sqrt(np.mean(error * error))),
        "mae": float(np.mean(error)),
        "mape": float(np.mean(error[some] / np.abs(a[some]))) if some.any() else float("nan"),
        "correlation": _correlation(f, a),
        "direction_accuracy": float(np.mean(ours == theirs)),
        "hit_rate": float(np.mean(ours[moved] == theirs[moved])) if moved.any() else float("nan"),
    }


def _correlation(f: NDArray[np.float64], a: NDArray[np.float64]) -> float:
    if len(f) < 2:
        return float("nan")
    first, second = f - f.mean(), a - a.mean()
    spreads = [np.sqrt(np.mean(part * part)) for part in (first, second)]
    still = [spread <= _RELATIVE_ZERO * np.abs(values).max() for spread, values in zip(spreads, (f, a), strict=True)]
    return float("nan") if any(still) else float(np.mean(first * second) / (spreads[0] * spreads[1]))
