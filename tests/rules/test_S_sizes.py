"""S3: a size asked for by hand (`calculate_size`) is the size the simulation takes."""

from __future__ import annotations

import pytest

import vecbt as vb
from tests.rules.helpers import bars_of
from vecbt.errors import ConfigError

BARS = bars_of([100, 100, 100])
ENTRY = vb.Strengths([0.5, float("nan"), float("nan")])


def bought(size: object, **keywords: object) -> float:
    """Units that an entry of strength 1/2 at 100 buys from 10,000."""
    result = vb.backtest(BARS, ENTRY, costs=vb.Costs.free(), sizing=size, initial_capital=10_000.0, **keywords)  # type: ignore[arg-type]
    return float(result.run.fills.q[0])


def test_SIZ04_fixed_fractional_is_capped_by_the_position_before_the_risk_binds() -> None:
    """1 % of 10,000 over a stop 3 away is 33.3 units, 25 % of 10,000 at 100 is 25: the cap binds. 5 away: 20 units."""
    size = vb.FixedFractionalSizing(risk_fraction=0.01, max_position_fraction=0.25)
    assert size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=97) == 25
    assert size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=95) == 20
    assert size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=105) == 20  # a short, stop above
    assert size.calculate_size(capital=0, entry_price=100, stop_loss_price=95) == 0
    with pytest.raises(ConfigError, match="stop_loss_price 100 is the entry price"):
        size.calculate_size(capital=10_000, entry_price=100, stop_loss_price=100)
    assert bought(size, stops=vb.Stops(hard=vb.Price(95))) == 20
    assert bought(size, stops=vb.Stops(hard=vb.Price(97))) == 25


def test_S3_sizes_by_hand_are_those_of_a_run() -> None:
    """10 % of 10,000 at 100 is 10 units, half of it at strength 1/2; 1,500 of money is 15 units."""
    assert vb.Weight(0.1).calculate_size(10_000, 100, strength=-0.5) == bought(vb.Weight(0.1)) == 5
    assert vb.Weight(0.1, scale_by_signal=False).calculate_size(10_000, 100, 0.5) == bought(vb.Weight(0.1, scale_by_signal=False)) == 10
    assert vb.Notional(1_500).calculate_size(10_000, 100) == bought(vb.Notional(1_500)) == 15
    assert vb.Notional(1_500).calculate_size(-1, 100) == 0
    assert vb.Units(7).calculate_size() == bought(vb.Units(7)) == 7
