"""The reference engine against sums by hand: the sizes of S3."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from tests.naive.build import BUY, NOTHING, SELL, bars, flat, scenario
from tests.naive.engine import simulate
from tests.naive.scenario import Distance, Log, Size, Stops

HARD = Stops(hard=Distance("pct", F(1, 10)))
MOVES = [(20, 22, 20, 22), (22, 22, 22, 22)]  # sigma of bar 0: 22/20 - 1 = 1/10


def run(size: Size, *inputs: Any, table: Any = None, **other: Any) -> Log:
    """Entries in all assets at bar 0 (or the inputs given) and what came of them."""
    table = bars(MOVES) if table is None else table
    rows = [list(r) for r in inputs] if inputs else [[BUY] * len(table.lot), [NOTHING] * len(table.lot)]
    return simulate(scenario(table, other.pop("kind", "signals"), rows, size=size, **other))


def test_equal_weight() -> None:
    """A quarter of 1000 at 20 for each of four; at most a tenth; under 30 % is refused."""
    table = bars(*[flat(20, 2)] * 4)
    assert [f.q for f in run(Size("equal", most=None), table=table).fills] == [F(25, 2)] * 4
    assert [f.q for f in run(Size("equal", most=F(1, 10)), table=table).fills] == [5] * 4
    assert run(Size("equal", most=None, least=F(3, 10)), table=table).orders[0].cut_by == {"minimum"}


def test_inverse_volatility() -> None:
    """Sigmas 1/10 and 1/20: a third and two thirds; a flat asset has none and is refused, and counts for nobody."""
    table = bars(MOVES, [(20, 21, 20, 21), (21, 21, 21, 21)], flat(20, 2))
    log = run(Size("inverse", most=None), table=table)
    assert [f.q for f in log.fills] == [F(1000, 3) / 22, F(2000, 3) / 21]
    assert log.orders[2].cut_by == {"volatility"}


def test_volatility() -> None:
    """1 % of 1000 by a sigma of 1/10 at 22: 100 of notional; at most 5 % of equity: 50."""
    assert run(Size("volatility", F(1, 100), most=None)).fills[0].q == F(100, 22)
    assert run(Size("volatility", F(1, 100), most=F(1, 20))).fills[0].q == F(50, 22)


def test_kelly_with_given_numbers() -> None:
    """p = 0.6, b = 2: 0.6 - 0.4/2 = 0.4, a quarter of it risks 0.1 of 1000 over 2: 50 units, at most a quarter: 12.5; p = 1/3: no edge."""
    given = {"win_rate": F(6, 10), "avg_win": 2, "avg_loss": 1}
    table = bars(flat(20, 2))
    assert run(Size("kelly", F(1, 4), most=2, **given), table=table, stops=HARD).fills[0].q == 50
    assert run(Size("kelly", F(1, 4), **given), table=table, stops=HARD).fills[0].q == F(125, 10)
    assert run(Size("kelly", F(1, 4), **given | {"win_rate": F(1, 3)}), table=table, stops=HARD).orders[0].cut_by == {"edge"}
    assert run(Size("kelly", F(1, 4), **given), table=table).orders[0].cut_by == {"stop"}


def test_kelly_runs_on_the_accounts_own_trades() -> None:
    """Trades of + 1/10, then - 1/20 of what was entered (p = 1/2, b = 2: 1/4, of it a quarter). Before there are two, 1 % is risked: 5."""
    prices = [20, 20, 22, 20, 20, 19, 19, 20, 20]
    table = bars([(p, p, p, p) for p in prices])
    rows = [[BUY], [SELL], [NOTHING], [BUY], [SELL], [NOTHING], [NOTHING], [BUY], [NOTHING]]
    size = Size("kelly", F(1, 4), most=2, min_trades=2, start=F(1, 100))
    log = run(size, *rows, table=table, stops=HARD)
    first, second, third = (f.q for f in log.fills if f.q > 0)
    equity = 1000 + 5 * 2 - second
    assert (first, second, third) == (5, F(505, 100), F(1, 16) * equity / 2)


def test_confidence() -> None:
    """From 1 % at 1/2 to 2 % at 1: 3/4 risks 1.5 % of 1000 over 2: 7.5; 1/4 is refused."""
    size = Size("confidence", F(1, 100), max_risk=F(2, 100), min_confidence=F(1, 2))
    table = bars(flat(20, 2))
    log = run(size, [F(3, 4)], [None], table=table, kind="strengths", stops=HARD)
    assert log.fills[0].q == F(75, 10)
    assert run(size, [F(1, 4)], [None], table=table, kind="strengths", stops=HARD).orders[0].cut_by == {"confidence"}


def test_forecast() -> None:
    """1/4 * 1/2 * 0.01 / 0.01 = 1/8 of 1000 at 22; at most 0.5 % of deviation a bar: 0.05; at most a 40th of equity."""
    given: dict[str, Any] = {"kind": "strengths"}
    row: tuple[list[Any], list[Any]] = ([F(1, 2)], [None])
    assert run(Size("forecast", F(1, 4), most=None, max_risk=1), *row, **given).fills[0].q == F(125, 22)
    assert run(Size("forecast", F(1, 4), most=None, max_risk=F(5, 1000)), *row, **given).fills[0].q == F(50, 22)
    assert run(Size("forecast", F(1, 4), most=F(1, 40), max_risk=1), *row, **given).fills[0].q == F(25, 22)
