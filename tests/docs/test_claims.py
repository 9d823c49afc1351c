"""What the changelog claims by the number of a design document's feature, a user can do."""

from __future__ import annotations

import numpy as np
import pytest

import vecbt as vb


def _bars(*close: float) -> vb.Bars:
    """Daily bars of one asset that do not move inside the bar."""
    index = np.datetime64("2024-01-01", "ns") + np.arange(len(close)) * np.timedelta64(1, "D")
    prices = np.array(close, dtype=float)
    return vb.Bars.from_numpy(prices, prices, prices, prices, index=index, symbols=["A"], periods_per_year=252)


def _enter_first(bars: vb.Bars) -> vb.Signals:
    return vb.Signals(entries=np.arange(len(bars)) == 0)


def test_fixed_fractional_sizing_risks_a_fraction_of_equity() -> None:
    """SIZ-04: 1 % of 100,000 over a stop 10 away is 100 units; with a stop 2 away 500 units, but no more than 25 % of equity, 250."""
    sizing = vb.FixedFractionalSizing()
    assert (sizing.risk_fraction, sizing.max_position_fraction) == (0.01, 0.25)
    bars = _bars(100, 100, 100)
    for percent, units in ((10, 100.0), (2, 250.0)):
        result = vb.backtest(
            bars, _enter_first(bars), costs=vb.Costs.free(), sizing=sizing, stops=vb.Stops(hard=vb.Pct(percent)), fill="close"
        )
        assert result.run.fills.q[0] == pytest.approx(units)


def test_four_drawdown_zones() -> None:
    """RSK-08: normal to 5 %, caution to 10 %, alert to 15 %, emergency beyond; new risk in full, half, a quarter, none."""
    zones = vb.Zones()
    assert zones.boundaries == (0.05, 0.10, 0.15)
    assert zones.factors == (1.0, 0.5, 0.25, 0.0)
    bars = _bars(100, 96, 94, 89, 84)
    result = vb.backtest(bars, _enter_first(bars), costs=vb.Costs.free(), sizing=vb.Weight(1.0), risk=vb.Risk(zones=zones), fill="close")
    assert list(result.zone) == ["normal", "normal", "caution", "alert", "emergency"]
