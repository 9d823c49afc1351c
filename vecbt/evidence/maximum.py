"""The expected largest of several independent normal numbers, and its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ConfigError
from ._gate import Numbers, scalar_or_array

__all__ = ["expected_maximum", "trials_of_maximum"]

_EULER = 0.5772156649015329


def expected_maximum(trials: Any) -> Numbers:
    """Expected largest of so many independent standard normal numbers: `(1 - g)*z(1 - 1/N) + g*z(1 - 1/(N*e))`, g Euler's constant.

    Parameters
    ----------
    trials : float or array
        N, at least 1; an effective number need not be whole.

    Returns
    -------
    float or array
        0 for one trial. For a few trials it is a few per cent off (0.52 for two, where 0.56 is exact), for a hundred less than one.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu, *Notices of the AMS* 61 (2014) 458-471, proposition 1. Below two trials the formula
    falls under zero; there it is a straight line, from 0 for one.
    """
    from scipy.special import ndtri

    count = np.asarray(trials, dtype=np.float64)
    if not (count[np.isfinite(count)] >= 1.0).all() or np.isinf(count).any():
        raise ConfigError(f"trials must be finite and at least 1; found {trials!r}")
    many = np.maximum(count, 2.0)
    value = (1.0 - _EULER) * ndtri(1.0 - 1.0 / many) + _EULER * ndtri(1.0 - 1.0 / (many * np.e))
    return scalar_or_array(np.where(count < 2.0, (count - 1.0) * value, value), count.ndim == 0)


def trials_of_maximum(maximum: float, most: float) -> float:
    """The inverse of `expected_maximum`: how many independent trials would have this expected maximum, 1 to `most`."""
    if not maximum > 0.0:
        return 1.0
    low, high = 1.0, float(most)
    if float(expected_maximum(high)) <= maximum:
        return high
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if float(expected_maximum(middle)) < maximum else (low, middle)
    return high
