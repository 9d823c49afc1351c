"""S3, F4, F10: an order of a part of the room takes all of that part, its commission included, and no more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vecbt as vb

_numbers = st.floats(1e-3, 1e6)


def opened(price: float, share: float, capital: float, costs: vb.Costs, leverage: float = 1.0) -> tuple[float, float, float]:
    """Units, commission, and cash after an entry of a part of the room at a close."""
    bars = vb.Bars.from_numpy(*[np.full((3, 1), price)] * 4, index=np.arange(3) * 86_400_000_000_000, symbols=("X",), asset_class="crypto")
    said = vb.Signals(entries=np.array([[True], [False], [False]]))
    result = vb.backtest(
        bars, said, costs=costs, sizing=vb.Cash(share), fill="close", initial_capital=capital, leverage=leverage, maintenance=0.0
    )  # fmt: skip
    fill = result.run.fills[0]
    return float(fill.q), float(fill.commission), float(result.run.cash[0, 0])


_few = st.sampled_from([0.0, 0.003]), st.sampled_from([0.0, 1.5])


@given(_numbers, st.floats(0.05, 1.0), st.floats(10.0, 1e7), st.floats(0.0, 0.02), *_few)
def test_s3_a_share_is_used_up_but_for_its_last_digits(
    price: float, share: float, capital: float, rate: float, per_unit: float, minimum: float
) -> None:
    costs = vb.Costs(commission_rate=rate, per_unit=per_unit, minimum=minimum) if rate + per_unit + minimum > 0.0 else vb.Costs.free()
    if share * capital < 4.0 * minimum:
        return  # the minimum may take it all
    units, fee, cash = opened(price, share, capital, costs)
    assert units * price + fee <= share * capital
    assert units * price + fee == pytest.approx(share * capital, rel=2e-12)
    assert cash >= (1.0 - share) * capital * (1.0 - 1e-12) and cash >= 0.0


@given(st.integers(1, 500), st.integers(1, 300), st.sampled_from([0.0, 0.01, 0.001, 0.0025]))
def test_s3_round_numbers_stay_round(units: int, price: int, rate: float) -> None:
    """Where the capital is what so many units cost with their commission, so many are bought."""
    capital = units * price + units * price * rate
    found, _, cash = opened(float(price), 1.0, capital, vb.Costs(commission_rate=rate) if rate else vb.Costs.free())
    assert found == pytest.approx(units, rel=5e-15) and cash >= 0.0
    assert rate > 0.0 or found == units


@pytest.mark.parametrize(("units", "price", "rate"), [(100, 10.0, 0.01), (100, 100.0, 0.001), (40, 25.0, 0.02), (8, 125.0, 0.0025)])
def test_s3_units_at_a_rate_are_whole_where_they_can_be(units: int, price: float, rate: float) -> None:
    """A digit is taken away only where rounding asks for it."""
    found, _, cash = opened(price, 1.0, units * price + units * price * rate, vb.Costs(commission_rate=rate))
    assert found == units and cash == 0.0


def test_s3_the_room_of_a_leveraged_account_counts_its_commission_leveraged() -> None:
    units, fee, cash = opened(50.0, 1.0, 1_000.0, vb.Costs(commission_rate=0.01), leverage=2.0)
    assert units * 50.0 + 2.0 * fee == pytest.approx(2_000.0, rel=1e-13) and units * 50.0 + 2.0 * fee <= 2_000.0
    assert cash == pytest.approx(1_000.0 - units * 50.0 - fee)
