"""Orders: the engine against the reference engine, as in `test_against_reference.py`.

A failure prints the shrunk scenario as Python; it belongs into `test_orders_regressions.py`, with the rule that decides it.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.compare import agree
from tests.fuzz.orders_scenarios import ORDER_FAMILIES, order_scenarios

# a few hundred examples in `make test`, more in `make check`
EXAMPLES = settings.default.max_examples // 2 if settings.default else 30


@pytest.mark.timeout(900)  # a failure is shrunk for up to five minutes
@pytest.mark.parametrize("family", ORDER_FAMILIES)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_engine_does_with_orders_what_the_reference_does(family: str, data: st.DataObject) -> None:
    agree(data.draw(order_scenarios(family)))
