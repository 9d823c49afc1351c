"""F3: whatever is bent in the books of a run with every kind of instrument, event and order is found, and told with its rule."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.fuzz.compare import run_engine
from tests.fuzz.orders_scenarios import order_scenarios
from tests.fuzz.scenarios import scenarios
from tests.rules.helpers import bars_of, quantities
from vecbt.core.codes import OrderStatus, Reason, Rule
from vecbt.engine.audit import audit
from vecbt.engine.run import Run
from vecbt.errors import AuditError

BARS = 24
DAYS = np.busday_offset("2024-01-01", np.arange(BARS)).astype("M8[ns]")  # weekends cost three days
COSTS = vb.Costs(commission_rate=0.001, maker_rate=0.0005, per_order=1.0, slippage_bps=10)
STOPS = vb.Stops(hard=vb.Pct(30), take_profit=vb.Pct(25))


def _bars(**changes: Any) -> vb.Bars:
    """STOCK splits 3 for 2 at bar 8 and pays at 5 and 12; LENT is shorted; PERP has funding; FUT has margins and a multiplier."""
    rng = np.random.default_rng(11)
    close = np.array([60.0, 40.0, 20.0, 100.0]) * np.cumprod(1 + rng.normal(0.001, 0.012, (BARS, 4)), axis=0)
    close[8:, 0] /= 1.5
    opening = close * (1 + rng.normal(0, 0.004, close.shape))
    high, low = np.maximum(opening, close) * 1.006, np.minimum(opening, close) * 0.994
    volume = np.full(close.shape, 2000.0)
    volume[:, 1] = 30.0
    events = {
        "splits": {"STOCK": {DAYS[8]: 1.5}},
        "dividends": {"STOCK": {DAYS[5]: 0.5, DAYS[12]: 0.25}, "LENT": {DAYS[6]: 0.75}},
        "funding": {"PERP": {DAYS[k]: 0.001 * (-1) ** k for k in range(2, BARS, 3)}},
        "maintenance_margin": {"FUT": 40.0},
        **changes,
    }
    return vb.Bars.from_numpy(
        opening, high, low, close, volume,
        index=DAYS,
        symbols=("STOCK", "LENT", "PERP", "FUT"),
        instrument={"PERP": "perpetual", "FUT": "future"},
        multiplier={"FUT": 5.0},
        initial_margin={"FUT": 60.0},
        lot={"STOCK": 1.0, "LENT": 1.0, "FUT": 1.0},
        periods_per_year=252.0,
        **events,
    )  # fmt: skip


@cache
def rich() -> Run:
    """Target quantities, every term of an account in play: leverage, carry, deposits, a cap on volume, limits."""
    bars = _bars()
    rows = np.full(bars.shape, np.nan)
    rows[0] = [75, -20, 15, 2]
    rows[10] = [30, -12, 0, -3]
    rows[15] = [0, 0, -60, 0]
    rows[17] = [50, -10, np.nan, 1]
    rows[22] = [20, np.nan, np.nan, 2]
    run = vb.backtest(
        bars,
        vb.Quantities(rows),
        costs=COSTS,
        stops=STOPS,
        initial_capital=3000.0,
        leverage=2.0,
        carry=vb.Carry(borrow_rate={"LENT": 0.3}, interest_rate=0.2),
        flows={"2024-01-09": 1000.0, "2024-01-18": -500.0, "2024-01-30": -90_000.0},
        max_participation=0.5,
        risk=vb.Risk(zones=vb.Zones(boundaries=(0.02, 0.055, 0.3)), daily_loss=0.4),
        audit=True,
    ).run
    return run


@cache
def ordered() -> Run:
    """Rows of orders of every type."""
    bars = _bars()
    close = bars.close
    given = {
        0: [vb.Order(symbol="STOCK", quantity=20, tag=1), vb.Order(symbol="LENT", quantity=-15, type="limit", limit=41.0),
            vb.Order(symbol="PERP", quantity=30, type="stop", stop=float(close[0, 2]) * 1.001, trailing_stop=0.03)],
        3: [vb.Order(symbol="STOCK", quantity=-10, type="trailing", trail=0.01), vb.Order(symbol="FUT", quantity=2, tif="ioc")],
        6: [vb.Order(symbol="PERP", quantity=-100, reduce_only=True),
            vb.Order(symbol="LENT", quantity=20, type="stop_limit", stop=40.0, limit=42.0)],
        9: [vb.Cancel(symbol="STOCK"), vb.Order(symbol="STOCK", quantity=40, tif="day", type="limit", limit=30.0)],
        12: [vb.Order(symbol="FUT", quantity=-4), vb.Order(symbol="STOCK", quantity=500, tif="fok"), vb.Order(symbol="STOCK", quantity=25)],
        20: [vb.Order(symbol="STOCK", quantity=-200, type="market"), vb.Order(symbol="PERP", quantity=10, type="limit", limit=1.0)],
    }  # fmt: skip
    orders = vb.Orders({DAYS[t]: rows for t, rows in given.items()})
    return vb.backtest(bars, orders, costs=COSTS, initial_capital=3000.0, leverage=2.0, audit=True).run


MAKERS = {"rich": rich, "ordered": ordered}


def told(run: Run) -> str:
    """What the audit says; empty when it finds nothing."""
    try:
        audit(run)
    except AuditError as error:
        return str(error)
    return ""


def bent(run: Run, name: str, k: Any, field: str | None, value: Any) -> Run:
    """The run with one number of one of its arrays changed: to `value`, or by it where it is a function."""
    array = getattr(run, name).copy()
    target = array if field is None else array[field]
    target[k] = value(target[k]) if callable(value) else value
    return replace(run, **{name: array})


@pytest.mark.parametrize("maker", MAKERS)
def test_f3_the_honest_books_pass(maker: str) -> None:
    run = MAKERS[maker]()
    assert told(run) == ""
    assert len(run.trades) >= 3 and (run.assets.q != 0).any() and (run.orders.status == OrderStatus.PARTIAL).any()


def test_the_example_holds_what_is_to_be_found() -> None:
    """Carry of all three kinds, a dividend each way, a fraction paid out, a withdrawal cut short, a rest that waited for volume."""
    run = rich()
    assert (run.cash < 0).any() and run.trades.carry.min() < 0 < run.trades.carry.max()
    assert run.trades.dividends.min() < 0 < run.trades.dividends.max()
    assert (run.fills.reason == Reason.SPLIT).sum() == 1
    assert run.flows is not None and run.flows.min() > -90_000 and (run.flows > 0).any()
    assert len(run.fills[run.fills.order == 1]) == 2
    assert run.zone is not None and {0, 1, 2} <= set(run.zone[:, 0].tolist())


def more(value: Any) -> Any:
    """A thousandth more, or a little."""
    return value * 1.001 if value else value + 0.01


def order(run: Run, number: int) -> int:
    return int(np.flatnonzero(run.orders.id == number)[0])


# run, array, place, field, change, what the audit says
PLANTED: list[tuple[str, str, Any, str | None, Any, str]] = [
    ("rich", "fills", 4, "q", more, r"bar 2 .*: order 1 of LENT has filled"),
    ("rich", "fills", 4, "price", more, r"bar 2 .*: order 1 of LENT has price"),
    ("rich", "fills", 4, "commission", more, r"bar 2 .*: order 1 of LENT has commission"),
    ("rich", "fills", 4, "ref", more, r"bar 2 .*: LENT was filled at a reference of 39.45.*F1|bar 2 .*: the slippage of LENT is 0.197"),
    ("rich", "fills", 4, "ref", 30.0, r"bar 2 .*: LENT was filled at a reference of 30, outside the bar \(F1\)"),
    ("rich", "fills", 4, "slippage", more, r"bar 2 .*: the slippage of LENT is 0.197274, not that of its prices"),
    ("rich", "fills", 4, "order", 2, r"bar 1 .*: order 2 of PERP has filled 15|bar 2 .*: a fill of LENT belongs to order 2"),
    ("rich", "fills", 4, "order", 99, r"bar 2 .*: LENT has a fill of order 99, which is not in the log"),
    ("rich", "fills", 4, "t", 3, r"bar 2 .*|bar 3 .*: LENT was filled outside the life of order 1"),
    ("rich", "fills", 4, "asset", 0, r"bar 2 .*: a fill of STOCK belongs to order 1, which is of another asset or reason"),
    ("rich", "fills", 4, "reason", int(Reason.TIME), r"bar 2 .*: a fill of LENT belongs to order 1, which is of another asset or reason"),
    ("rich", "fills", 5, "price", more, r"bar 8 .*: order 4 of STOCK has price"),
    ("ordered", "fills", 6, "q", more, r"bar 13 .*: order 8 of FUT has filled -4, its fills make it -4.004"),
    ("rich", "orders", 3, "filled", more, r"bar 2 .*: order 1 of LENT has filled -20.02, its fills make it -20"),
    ("rich", "orders", 3, "price", more, r"bar 2 .*: order 1 of LENT has price"),
    ("rich", "orders", 3, "commission", more, r"bar 2 .*: order 1 of LENT has commission"),
    ("rich", "orders", 3, "t_done", 1, r"bar 2 .*: LENT was filled outside the life of order 1"),
    ("rich", "orders", 3, "t", 2, r"bar 1 .*: LENT was filled outside the life of order 1"),
    ("rich", "orders", 3, "asset", 2, r"bar 1 .*: a fill of LENT belongs to order 1"),
    ("rich", "orders", 3, "reason", int(Reason.TIME), r"bar 1 .*: a fill of LENT belongs to order 1"),
    ("rich", "orders", 3, "id", 77, r"bar 1 .*: LENT has a fill of order 1, which is not in the log"),
    ("rich", "orders", 3, "status", int(OrderStatus.REJECTED), r"bar 2 .*: order 1 of LENT is rejected, with -20 filled and no rule"),
    ("rich", "orders", 3, "status", int(OrderStatus.PENDING), r"bar 2 .*: order 1 of LENT is pending"),
    ("rich", "orders", 3, "cut_by", int(Rule.CASH), r"bar 2 .*: order 1 of LENT is filled, with -20 filled and cash \(Z6\)"),
    ("rich", "orders", 8, "status", int(OrderStatus.FILLED), r"bar 11 .*: order 8 of FUT is filled, with -3 filled and zone \(Z6\)"),
    ("rich", "orders", -1, "cut_by", 0, r"bar 23 .*: order 16 of STOCK is rejected, with 0 filled and no rule"),
    ("ordered", "orders", 5, "t", 8, r"the orders in the log are not those that were given \(O6\)"),
    ("rich", "cash", (9, 0), None, more, r"bar 9 .*: cash is "),
    ("rich", "equity", (9, 0), None, more, r"bar 9 .*: equity is "),
    ("rich", "flows", (6, 0), None, 999.0, r"bar 6 .*: 999 was paid in or out, from deposits and room it is 1000 \(F15\)"),
    ("rich", "flows", (21, 0), None, more, r"bar 21 .*: -2947.86\d* was paid in or out, from deposits and room it is -2944.91\d* \(F15\)"),
    ("rich", "flows", (7, 0), None, 5.0, r"bar 7 .*: 5 was paid in or out, from deposits and room it is 0"),
    ("rich", "zone", (8, 0), None, 1, r"bar 8 .*: the zone is caution, equity and peak make it alert \(Z1\)"),
    ("rich", "initial", 0, None, 3001.0, r"bar 0 .*: initial equity is 3001, capital and starting positions make 3000 \(F14\)"),
    ("rich", "trades", 3, "side", 1, r"bar 16 .*: the trade of LENT that ends here has side 1, its fills make it -1"),
    ("rich", "trades", 3, "entry_t", 2, r"bar 16 .*: the trade of LENT that ends here has entry_t 2, its fills make it 1"),
    ("rich", "trades", 3, "exit_t", 17, r"bar 16 .*: the trade of LENT that ends here has exit_t 17"),
    ("rich", "trades", 3, "reason", int(Reason.STOP), r"bar 16 .*: the trade of LENT that ends here has reason"),
    ("rich", "trades", 3, "quantity", more, r"bar 16 .*: the trade of LENT that ends here has quantity 20.02, its fills make it 20"),
    ("rich", "trades", 3, "entry_price", more, r"bar 16 .* has entry_price"),
    ("rich", "trades", 3, "exit_price", more, r"bar 16 .* has exit_price"),
    ("rich", "trades", 3, "gross", more, r"bar 16 .* has gross"),
    ("rich", "trades", 3, "commission", more, r"bar 16 .* has commission"),
    ("rich", "trades", 3, "carry", more, r"bar 16 .* LENT that ends here has carry"),
    ("rich", "trades", 0, "carry", 0.0, r"bar 11 .* PERP that ends here has carry 0, its fills make it -0.0"),
    ("rich", "trades", 2, "dividends", more, r"bar 16 .* STOCK that ends here has dividends 45.045, its fills make it 45"),
    ("rich", "trades", 3, "dividends", 15.0, r"bar 16 .* LENT that ends here has dividends 15, its fills make it -15"),
    ("rich", "trades", 3, "pnl", more, r"bar 16 .* has pnl"),
    ("rich", "trades", 3, "initial_risk", more, r"bar 16 .* has initial_risk"),
    ("rich", "trades", 3, "initial_risk", np.nan, r"bar 16 .* has initial_risk nan"),
    ("rich", "trades", 2, "stop", more, r"bar 16 .* STOCK that ends here has initial_risk"),
    ("rich", "trades", 3, "mae", 0.001, r"bar 16 .* LENT that ends here has mae 0.001"),
    ("rich", "trades", 3, "mae", 0.2, r"bar 16 .* LENT that ends here has mae 0.2"),
    ("rich", "trades", 2, "mfe", 0.5, r"bar 16 .* STOCK that ends here has mfe 0.5"),
    ("rich", "trades", 3, "asset", 2, r"PERP has 2 trades in the log, its fills make 1|LENT has 0 trades"),
    ("rich", "assets", 0, "q", more, r"bar 23 .*: STOCK holds 12.012 units, the fills add up to 12"),
    ("rich", "assets", 0, "avg", more, r"bar 23 .*: the position of STOCK has avg"),
    ("rich", "assets", 1, "mark", more, r"bar 23 .*: the position of LENT has mark"),
    ("rich", "assets", 0, "entry_t", 17, r"bar 23 .*: the position of STOCK has entry_t 17, its fills make it 18"),
    ("rich", "assets", 0, "entered", more, r"bar 23 .*: the position of STOCK has entered"),
    ("rich", "assets", 0, "gross", 1.0, r"bar 23 .*: the position of STOCK has gross 1"),
    ("rich", "assets", 0, "commission", more, r"bar 23 .*: the position of STOCK has commission"),
    ("rich", "assets", 1, "trade_carry", more, r"bar 23 .*: the position of LENT has trade_carry"),
    ("rich", "assets", 0, "trade_dividends", 1.0, r"bar 23 .*: the position of STOCK has trade_dividends 1, its fills make it 0"),
    *(
        ("rich", "accounts", 0, name, more, rf"bar 23 .*: the account's {name} is ")
        for name in ("cash", "equity", "fees", "realized", "carry", "dividends", "flows", "initial")
    ),
    ("rich", "accounts", 0, "wins", 2, r"bar 23 .*: the account counts 2 wins of 0.0168\d* of what was entered, its trades are 1"),
    ("rich", "accounts", 0, "loss_sum", 0.5, r"bar 23 .*: the account counts 4 losses of 0.5"),
    ("rich", "accounts", 0, "next_id", 19, r"bar 23 .*: the log has 18 orders, the account gave 19"),
    ("rich", "accounts", 0, "zone", 0, r"bar 23 .*: the account is in another zone than its last bar"),
]


@pytest.mark.parametrize(
    ("maker", "name", "k", "field", "value", "says"), PLANTED, ids=lambda v: v if isinstance(v, str) and len(v) < 20 else ""
)
def test_f3_a_number_that_is_bent_is_found(maker: str, name: str, k: Any, field: str | None, value: Any, says: str) -> None:
    message = told(bent(MAKERS[maker](), name, k, field, value))
    assert re.search(says, message), message or "nothing was found"
    assert message.startswith("audit: bar ") and message.endswith("Please report this.")


def under(maker: str, **changes: Any) -> str:
    """What the audit says of the same books under another contract."""
    run = MAKERS[maker]()
    return told(replace(run, setup=replace(run.setup, **changes)))


CONTRACTS: list[tuple[str, dict[str, Any], str]] = [
    ("rich", {"carry": None}, r"bar 2 .*: cash is "),
    ("rich", {"carry": vb.Carry(borrow_rate={"LENT": 0.31}, interest_rate=0.2)}, r"bar 2 .*: cash is "),
    ("rich", {"carry": vb.Carry(borrow_rate={"LENT": 0.3}, interest_rate=0.21)}, r"bar 2 .*: cash is "),
    ("rich", {"carry": vb.Carry(borrow_rate=0.3, interest_rate=0.2)}, r"^$"),  # STOCK was never short, contracts are not lent
    ("rich", {"flows": {"2024-01-09": 1000.0}}, r"bar 13 .*: -500 was paid in or out, from deposits and room it is 0 \(F15\)"),
    ("rich", {"leverage": 1.0}, r"bar 1 .*: exposure at the open is 5521.26\d* after new risk, the equity carries 2989.60\d* \(F4\)"),
    ("rich", {"leverage": 1.9}, r"bar 2 .*: exposure at the open"),  # where the rest of LENT is filled
    ("rich", {"max_participation": 0.49}, r"bar 1 .*: LENT was filled for 15 units, 0.49 of the volume is 14.7 \(F7\)"),
    ("rich", {"risk": vb.Risk(daily_loss=0.0005)}, r"bar 16 .*: order 11 opened PERP, though a daily loss takes no new risk \(Z4\)"),
    ("rich", {"risk": vb.Risk(zones=vb.Zones(boundaries=(0.02, 0.06, 0.3)))}, r"the zone is alert, equity and peak make it caution"),
    ("rich", {"costs": vb.Costs(commission_rate=0.0011, per_order=1.0, slippage_bps=10)}, r"bar 1 .*: the commission of STOCK .* \(F2\)"),
    ("rich", {"costs": vb.Costs(commission_rate=0.001, per_order=1.0, minimum=1.31)}, r"the commission of PERP is .* costs make it 1.31"),
    ("ordered", {"costs": vb.Costs(commission_rate=0.001, per_order=1.0)}, r"bar 15 .*: the commission of LENT is 1.4005\d*, .* 1.801"),
    ("ordered", {"leverage": 1.0}, r"exposure at the open"),
    ("rich", {"initial_capital": 2999.0}, r"bar 0 .*: initial equity is 3000, capital and starting positions make 2999"),
]


@pytest.mark.parametrize(("maker", "changes", "says"), CONTRACTS, ids=[f"{c[0]} {next(iter(c[1]))}" for c in CONTRACTS])
def test_the_same_books_under_another_contract_are_refused(maker: str, changes: dict[str, Any], says: str) -> None:
    message = under(maker, **changes)
    assert re.search(says, message), message or "nothing was found"


EVENTS: list[tuple[dict[str, Any], str]] = [
    ({"dividends": {"STOCK": {DAYS[5]: 0.6, DAYS[12]: 0.25}, "LENT": {DAYS[6]: 0.75}}}, r"bar 5 .*: cash is "),
    ({"dividends": {"STOCK": {DAYS[5]: 0.5}, "LENT": {DAYS[6]: 0.75}}}, r"bar 12 .*: cash is "),
    ({"funding": {"PERP": {DAYS[3]: 0.001}}}, r"bar 2 .*: cash is "),
    ({"maintenance_margin": {"FUT": 1000.0}}, r"bar 2 .*: order 1 opened LENT, though a margin call takes no new risk \(F13\)"),
    ({"splits": {"STOCK": {DAYS[9]: 1.5}}}, r"bar 8 .*: order 4 of STOCK has filled|bar 8"),
]


@pytest.mark.parametrize(("events", "says"), EVENTS)
def test_t1_t2_the_same_books_on_other_events_are_refused(events: dict[str, Any], says: str) -> None:
    message = told(replace(rich(), bars=_bars(**events)))
    assert re.search(says, message), message or "nothing was found"


# --- rules that refuse ----------------------------------------------------------------------------------------------

FALL = [100, 100, 97, 95, 93, 92, 92, 90, 94, 94, 94, 94]
ROWS = [5, None, None, 7, None, 8, None, 9, None, 4, None, 2]


def _fall(**market: Any) -> vb.Bars:
    return bars_of({"A": FALL, "B": [50 + k for k in range(12)]}, **market)


def falling(fill: str, accounts: str, rows: Any = ROWS, **keywords: Any) -> Run:
    """A falls after it is bought, and is bought again; B is sold short as much. No stop, no volume."""
    bars = _fall()
    wanted = quantities({"A": rows, "B": [None if q is None else -q for q in rows]})(bars)
    given = {"initial_capital": 1000.0, "leverage": 2.0, "fill": fill, "accounts": accounts, **keywords}
    return vb.backtest(bars, wanted, costs=vb.Costs(per_order=1.0), audit=True, **given).run


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"limits": vb.Limits(max_position=0.6)}, r"A would be worth 6\d\d.* after its order, the limit is 5\d\d.* \(Z7\)"),
    ({"limits": vb.Limits(max_position_value=600.0)}, r"A would be worth 6\d\d.* after its order, the limit is 600 \(Z7\)"),
    ({"limits": vb.Limits(max_gross=0.5)}, r"gross exposure would be [67]\d\d.* after the orders of this bar, the limit is [45].* \(Z7\)"),
    ({"limits": vb.Limits(max_net=0.2)}, r"net exposure would be [25]\d\d.* after the orders of this bar, the limit is [12]\d\d.* \(Z7\)"),
    ({"max_heat": 0.4}, r"heat would be [57]\d\d.* after the orders of this bar, the limit is [34].* \(Z5\)"),
    ({"max_trade_loss": 0.6}, r"A loses down to its stop 6\d\d.* after its order, the limit is 5\d\d.* \(Z9\)"),
    ({"daily_loss": 0.005}, r"order \d+ opened A, though a daily loss takes no new risk \(Z4\)"),
    (
        {"zones": vb.Zones(boundaries=(0.001, 0.01, 0.02))},
        r"order \d+ of A opens 2 of 2, in a zone that takes 0 of it|order \d+ opened A, though an emergency",
    ),
    ({"zones": vb.Zones(boundaries=(0.001, 0.9, 0.99), factors=(1, 0.1, 0, 0))}, r"order \d+ of A opens 2 of 2, .* 0.1 of it \(Z2\)"),
]


@pytest.mark.parametrize("accounts", ["shared", "separate"])
@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize(("risk", "says"), REFUSED, ids=[str(next(iter(r[0].values())))[:30] for r in REFUSED])
def test_new_risk_that_a_rule_refuses_is_found(risk: dict[str, Any], says: str, fill: str, accounts: str) -> None:
    """The books of a run without the rule, called those of a run with it; its zones are those of that run."""
    free, bound = falling(fill, accounts), falling(fill, accounts, risk=vb.Risk(**risk))
    message = told(replace(free, setup=bound.setup, zone=bound.zone))
    assert re.search(says, message), message or "nothing was found"


@pytest.mark.parametrize("accounts", ["shared", "separate"])
def test_z3_what_stays_although_all_is_closed_is_found(accounts: str) -> None:
    zones = vb.Zones(boundaries=(0.01, 0.015, 0.5), liquidate_at=0.02)
    free, bound = falling("next_open", accounts, ROWS[:1]), falling("next_open", accounts, ROWS[:1], risk=vb.Risk(zones=zones))
    assert (bound.fills.reason == Reason.RISK).any()
    message = told(replace(free, setup=bound.setup, zone=bound.zone))
    assert re.search(r"bar [34] .*: A is still held after an open at which all was to be closed \(F13, Z3\)", message), message


def test_f13_what_stays_after_a_margin_call_is_found() -> None:
    """Another 60 a unit would have been asked for."""
    message = told(replace(falling("next_open", "shared", ROWS[:1]), bars=_fall(maintenance_margin={"A": 180.0})))
    assert re.search(r"bar 4 .*: A is still held after an open at which all was to be closed \(F13, Z3\)", message), message


@pytest.mark.parametrize(
    ("risk", "says"),
    [
        ({"zones": vb.Zones(boundaries=(0.001, 0.01, 0.02))}, r"order 1 opened A, though an emergency takes no new risk \(Z2\)"),
        ({"zones": vb.Zones(boundaries=(0.001, 0.01, 0.9), liquidate_at=0.02)}, r"order 1 opened A, though a liquidation .* \(Z3\)"),
        ({"daily_loss": 0.005}, r"order 1 opened A, though a daily loss takes no new risk \(Z4\)"),
    ],
)
def test_o6_orders_that_a_rule_refuses_are_found(risk: dict[str, Any], says: str) -> None:
    """Rows of orders are judged by what they opened; the audit does not know what they would have opened at T7."""
    bars = _fall()
    given = vb.Orders([(bars.times[t], vb.Order(symbol="A", quantity=q)) for t, q in ((0, 5), (3, 2), (3, -1))])
    setting = {"costs": vb.Costs(per_order=1.0), "initial_capital": 1000.0, "audit": True}
    free, bound = (vb.backtest(bars, given, risk=r, **setting).run for r in (None, vb.Risk(**risk)))
    message = told(replace(free, setup=bound.setup, zone=bound.zone))
    assert re.search(says, message), message or "nothing was found"


WIDE = ["signals_all", "carry_zones", "flows_separate", "contracts_stops", "volume_actions", "mix_weights", "mix_strengths"]


@pytest.mark.parametrize("name", WIDE)
@settings(max_examples=settings.default.max_examples // 4 if settings.default else 10)
@given(data=st.data())
def test_f3_honest_runs_of_every_rule_pass(name: str, data: st.DataObject) -> None:
    audit(run_engine(data.draw(scenarios(name))))


@pytest.mark.parametrize("name", ["orders_zones", "orders_stops", "orders_separate"])
@settings(max_examples=settings.default.max_examples // 4 if settings.default else 10)
@given(data=st.data())
def test_f3_honest_runs_of_orders_pass(name: str, data: st.DataObject) -> None:
    audit(run_engine(data.draw(order_scenarios(name))))
