"""The engine against the reference engine: the same scenario, and what happened, when and why must be equal, values to 1e-9.

A failure prints the shrunk scenario as Python; it belongs into `test_regressions.py`, with the rule that decides it.
"""

from __future__ import annotations

from fractions import Fraction as F

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.compare import agree
from tests.fuzz.scenarios import FAMILIES, scenarios
from tests.naive.engine import Engine

# a few hundred examples in `make test`, some thousands in `make check`
EXAMPLES = settings.default.max_examples // 6 if settings.default else 10


@pytest.mark.timeout(900)  # a failure is shrunk for up to five minutes
@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_engine_does_what_the_reference_does(family: str, data: st.DataObject) -> None:
    agree(data.draw(scenarios(family)))


@pytest.mark.parametrize("family", ["mix_signals", "mix_weights", "mix_strengths", "mix_contracts"])
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_f3_the_reference_keeps_its_own_books(family: str, data: st.DataObject) -> None:
    """F3, F15: equity less initial is realized + unrealized - fees - carry + dividends + flows."""
    engine = Engine(data.draw(scenarios(family)))
    for t in range(engine.T):
        engine.bar(t)
    log = engine.log
    open_positions = [p for p in engine.positions if p is not None]
    gains = sum(trade.gross for trade in log.trades) + sum(p.draft.gross for p in open_positions)
    for p in open_positions:
        mark = engine.mark[p.draft.asset]
        assert mark is not None
        gains += p.q * engine.x[p.draft.asset] * (mark - p.average)
    paid = sum(sum(row) for row in log.flows) + sum(log.dividends) - sum(log.fees) - sum(log.carry)
    assert abs(sum(log.equity[-1]) - sum(log.initial) - gains - paid) < F(1, 10**12)
