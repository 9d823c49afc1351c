"""D1, D3 to D5: batch and stream are one machine, a saved stream goes on, what was known is recorded, what acts was told before.

That nothing looks ahead (D2) is in `test_D_lookahead`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import vecbt as vb
from tests.rules.cases import CASES, COSTS, LEAVING, QUANTITIES, STOPS, Case, flags, random_bars
from tests.rules.helpers import bars_of
from vecbt.core.codes import rule_names
from vecbt.core.state import schema_hash
from vecbt.engine.books import ACCOUNT, ASSET, STATE_SCHEMA
from vecbt.engine.inputs import AlignedInputs
from vecbt.engine.strategy import Strategy
from vecbt.execution.orders import RESTING

EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
TYPES = {"SIGNALS": vb.Signals, "STRENGTHS": vb.Strengths, "WEIGHTS": vb.Weights, "QUANTITIES": vb.Quantities, "ORDERS": vb.Orders}


def one_row(inputs: AlignedInputs, t: int) -> Any:
    """Row `t` as a user would give it to a stream."""
    if inputs.orders is not None:
        return vb.Orders(inputs.row(t))
    if inputs.flags is not None:
        return vb.Signals(*((inputs.flags[t] >> bit & 1).astype(bool) for bit in range(4)))
    assert inputs.values is not None
    return TYPES[inputs.kind.name](inputs.values[t].copy())


KINDS = tuple(TYPES.values())


def stream_of(given: Any, inputs: AlignedInputs, market: vb.Market, arguments: dict[str, Any]) -> vb.Stream:
    source = TYPES[inputs.kind.name] if isinstance(given, KINDS) else given
    return vb.Stream(source, market=market, **{k: v for k, v in arguments.items() if k != "liquidate_at_end"})


def decisions(bars: vb.Bars, given: Any, run: Any, arguments: dict[str, Any], *, restored_at: Any = ()) -> list[vb.Decision]:
    """The run once more, bar by bar, through the public stream alone; after the bars `restored_at` it is saved, dropped and restored."""
    stream = stream_of(given, run.inputs, bars.market, arguments)
    out = []
    for t in range(bars.T):
        out.append(stream.update(bars.row(t), one_row(run.inputs, t) if isinstance(given, KINDS) else None))
        if t in restored_at:
            saved = stream.save()
            stream = stream_of(given, run.inputs, bars.market, arguments)
            stream.restore(saved)
            assert stream.save() == saved
    if arguments.get("liquidate_at_end"):
        out.append(stream.close_all())
    return out


def assert_same_run(run: Any, found: list[vb.Decision]) -> None:
    """Each number of the batch against each decision of the stream, to the last bit."""
    T = run.bars.T
    equity, cash = (np.array([np.atleast_1d(getattr(d, name)) for d in found]) for name in ("equity", "cash"))
    if len(found) > T:  # T8's call is part of the last record
        equity, cash = np.delete(equity, T - 1, axis=0), np.delete(cash, T - 1, axis=0)
    assert equity.tobytes() == run.equity.tobytes()
    assert cash.tobytes() == run.cash.tobytes()
    if run.flows is not None:
        assert np.array([d.accounts.paid for d in found[:T]]).tobytes() == run.flows.tobytes()
    if run.zone is not None:
        assert [np.atleast_1d(d.zone).tolist() for d in found[:T]] == run.zone.tolist()
    for name in ("orders", "fills", "trades"):
        whole = getattr(run, name)
        whole = whole[whole.t_done >= 0] if name == "orders" else whole
        assert np.concatenate([getattr(d, name) for d in found]).tobytes() == whole.tobytes(), name
    assert found[-1].queued.tobytes() == run.orders[run.orders.t_done < 0].tobytes()
    assert found[-1].assets.tobytes() == run.assets.tobytes()
    assert found[-1].accounts.tobytes() == run.accounts.tobytes()


# --- D1: batch and stream -------------------------------------------------------------------------------------------


@EVERY_CASE
def test_D1_a_stream_brings_at_each_bar_what_the_batch_has(case: Case) -> None:
    bars, arguments = case.bars(), case.arguments()
    given = case.given(bars)
    run = vb.backtest(bars, given, audit=True, **arguments).run
    assert len(run.fills) > 10 and len(run.trades) > 3, "this case tests nothing"
    assert_same_run(run, decisions(bars, given, run, arguments))


@EVERY_CASE
def test_D1_D3_check_parity_gives_a_certificate(case: Case) -> None:
    bars, arguments = case.bars(seed=8), case.arguments()
    report = vb.check_parity(bars, case.given(bars), restarts=6, **arguments)
    assert report.ok, report
    assert (report.bars, report.assets, len(report.restarts), report.difference) == (90, 3, 6, "")
    assert report.orders > 0 and report.fills > 0 and report.trades > 0 and report.state_bytes > 1000
    assert str(report).startswith("parity holds: 90 bars x 3 assets, saved and restored after 6 bars; ")


def test_D1_a_result_checks_itself() -> None:
    """`Result.check_parity()` is `check_parity` of what made it, inputs and keywords alike."""
    case = CASES[5]
    bars = case.bars()
    report = vb.backtest(bars, case.given(bars), **case.arguments()).check_parity(restarts=2, seed=3)
    assert report == vb.check_parity(bars, case.given(bars), restarts=2, seed=3, **case.arguments())
    assert report.ok


def test_D1_the_cases_have_every_kind_of_exit_and_refusal() -> None:
    """The certificate is worth what happens in it: over all cases every reason, every status and every rule occurs."""
    reasons, statuses, rules = set(), set(), set()
    for case in CASES:
        bars = case.bars()
        result = vb.backtest(bars, case.given(bars), **case.arguments())
        reasons |= set(result.fills["reason"])
        statuses |= set(result.orders["status"])
        rules |= {rule for cut in result.orders["cut_by"] for rule in cut.split(", ") if rule}
    assert reasons == {"signal", "stop", "trail", "target", "time", "risk", "margin", "delisting", "end", "split"}
    assert statuses == {"pending", "filled", "partial", "rejected", "replaced", "cancelled"}
    assert rules == set(rule_names((1 << 21) - 1).split(", ")) - {"volatility"}, "sigma is known from an asset's first bar on (F1)"


@EVERY_CASE
def test_F3_the_identity_holds_at_each_bar(case: Case) -> None:
    """`equity - initial = realized + unrealized - fees - carry + dividends + flows`, to 1e-9 of the money that has moved."""
    bars, arguments = case.bars(), case.arguments()
    given = case.given(bars)
    run = vb.backtest(bars, given, **arguments).run
    moved = np.array([2000.0 + np.abs(run.fills.q * run.fills.price)[run.fills.account == g].sum() for g in range(len(run.accounts))])
    for now in decisions(bars, given, run, arguments):
        a, held = now.accounts, now.assets.q != 0.0
        open_profit = np.where(held, now.assets.q * now.assets.multiplier * (now.assets.mark - np.where(held, now.assets.avg, 0.0)), 0.0)
        unrealized = np.bincount(now.assets.g, open_profit, len(a))
        worked_out = a.initial + a.realized + unrealized - a.fees - a.carry + a.dividends + a.flows
        assert np.all(np.abs(a.equity - worked_out) <= 1e-9 * moved), now.t


@pytest.mark.parametrize("prices", [[10], [None, 10], [None], [10, None]])
@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_D1_the_smallest_runs_there_are(prices: list[Any], fill: str) -> None:
    """One bar; and bars without any market."""
    bars = bars_of(prices) if prices != [None] else bars_of({"A": [None], "B": [10]}).select(["A"])
    report = vb.check_parity(bars, vb.Quantities(np.full(bars.shape, 3.0)), costs=COSTS, fill=fill, restarts=5, liquidate_at_end=True)
    assert report.ok and report.bars == len(prices) == len(report.restarts), report


@pytest.mark.parametrize("given", [flags, QUANTITIES], ids=["flags", "numbers"])
def test_D1_a_rule_that_is_on_and_never_acts_equals_the_rule_that_is_off(given: Any) -> None:
    """Stops 90 % away and zones with factors of 1 up to a drawdown of 97 %: the same run to the last bit."""
    bars = random_bars(3)
    far = vb.Stops(hard=vb.Price(0.25)), vb.Risk(zones=vb.Zones(boundaries=(0.95, 0.96, 0.97), factors=(1, 1, 1, 0)))
    runs = []
    for stops in (None, far[0]):
        for risk in (None, far[1]):
            out = vb.backtest(bars, given(bars), costs=COSTS, initial_capital=2000.0, stops=stops, risk=risk, direction="long").run
            runs.append((out.equity.tobytes(), out.cash.tobytes(), out.orders.tobytes(), out.fills.tobytes()))
    assert len(set(runs)) == 1


def test_D1_the_log_grows_without_a_trace() -> None:
    """300 bars in which three assets flip at each: more trades than the log of the batch has room for at first."""
    bars = random_bars(5, T=300, delist=False)
    turn = np.where(np.arange(bars.T)[:, None] % 2 == 0, 6.0, -6.0) * np.ones(bars.shape)
    report = vb.check_parity(bars, vb.Quantities(turn), costs=COSTS)
    assert report.ok and report.trades > 600


# --- D1: the certificate can fail -----------------------------------------------------------------------------------


class Constant:
    """A feed that gives one quantity, or another from bar 5 on."""

    def __init__(self, later: float) -> None:
        self.later, self.count = later, 0

    def update(self, bar: Any) -> vb.Quantities:
        self.count += 1
        return vb.Quantities([2.0 if self.count <= 5 else self.later])

    def save(self) -> bytes:
        return str(self.count).encode()

    def restore(self, data: bytes) -> None:
        self.count = int(data)


class Forgetful(Constant):
    """Saves nothing, so that it begins again when restored."""

    def save(self) -> bytes:
        return b""

    def restore(self, data: bytes) -> None:
        self.count = 0


@dataclass(frozen=True)
class Cheat(Strategy):
    """Two units in batch; its feed says something else."""

    kind: type
    later: float

    def rows(self, bars: vb.Bars) -> vb.Quantities:
        wanted = np.full(bars.shape, 2.0)
        if self.kind is Forgetful:
            wanted[5:] = self.later
        return vb.Quantities(wanted)

    def feed(self, market: vb.Market) -> Any:
        return self.kind(self.later)


FLAT = bars_of([10] * 12)


def test_D1_a_feed_that_says_something_else_is_caught_at_its_bar_and_field() -> None:
    """Within 1e-9 of what is held it makes no order: only the row itself tells."""
    report = vb.check_parity(FLAT, Cheat(Constant, 2.0 + 1e-12), costs=COSTS)
    assert not report.ok
    assert report.difference.startswith("bar 5 (2024-01-06): the asset 0 has value ")
    assert "2.0)" in report.difference.replace("2.0 in", "2.0) in") and report.difference.endswith("in the stream")
    assert str(report).startswith("parity FAILED: 12 bars x 1 assets")
    assert report.difference in str(report)


def test_D1_a_feed_that_trades_otherwise_is_caught() -> None:
    report = vb.check_parity(FLAT, Cheat(Constant, 3.0), costs=COSTS)
    assert not report.ok and "bar 5 (2024-01-06): the account 0 has next_id" in report.difference


def test_D3_a_feed_that_forgets_is_caught_by_a_restart_only() -> None:
    assert vb.check_parity(FLAT, Cheat(Forgetful, 3.0), costs=COSTS, restarts=0).ok
    report = vb.check_parity(FLAT, Cheat(Forgetful, 3.0), costs=COSTS, restarts=12)
    assert not report.ok
    assert "bar 5 (2024-01-06)" in report.difference  # where the count would first have mattered


def test_D2_look_ahead_is_caught() -> None:
    """In at a close below the next one. On the bars so far there is no next one."""

    def tomorrow(bars: vb.Bars) -> vb.Signals:
        higher = np.zeros(bars.shape, dtype=bool)
        higher[:-1] = bars.close[1:] > bars.close[:-1]
        return vb.Signals(entries=higher, exits=~higher)

    report = vb.check_parity(bars_of([10, 10, 11, 10, 12, 12]), tomorrow, costs=COSTS)
    assert not report.ok
    assert report.difference.startswith("bar 1 (2024-01-02): the account 0 has next_id")


@pytest.mark.parametrize(("record", "name"), [("accounts", "peak"), ("assets", "watermark"), ("accounts", "fees"), ("assets", "atr")])
def test_D1_any_field_of_the_state_is_compared(monkeypatch: pytest.MonkeyPatch, record: str, name: str) -> None:
    """A stream whose books are bent at bar 40 is caught there."""
    honest = vb.Stream.update

    def bent(self: vb.Stream, bar: Any, row: Any = None) -> vb.Decision:
        decision = honest(self, bar, row)
        if decision.t == 40:
            getattr(self.books, record)[name][0] = np.nextafter(1e6, 2e6)
        return decision

    monkeypatch.setattr(vb.Stream, "update", bent)
    bars = random_bars(7)
    report = vb.check_parity(bars, flags(bars), costs=COSTS, stops=STOPS)
    what = record.removesuffix("s")
    assert report.difference.startswith(f"bar 40 (2024-02-10): the {what} 0 has {name} ")


def test_D1_a_log_that_differs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state may agree and the log not: a fill price that is bent after the bar."""
    honest = vb.Stream.update

    def bent(self: vb.Stream, bar: Any, row: Any = None) -> vb.Decision:
        decision = honest(self, bar, row)
        if len(decision.fills):
            self.log.fills.price[0] += 1.0
        return decision

    monkeypatch.setattr(vb.Stream, "update", bent)
    report = vb.check_parity(FLAT, vb.Quantities(np.full(12, 2.0)), costs=COSTS)
    assert not report.ok and "the fills of the whole run and of the stream differ" in report.difference


# --- D3: save and restore -------------------------------------------------------------------------------------------


@EVERY_CASE
def test_D3_a_stream_saved_and_restored_at_every_bar_goes_on_bit_for_bit(case: Case) -> None:
    bars, arguments = case.bars(seed=11, T=60), case.arguments(60)
    given = case.given(bars)
    run = vb.backtest(bars, given, **arguments).run
    assert_same_run(run, decisions(bars, given, run, arguments, restored_at=range(60)))


@pytest.mark.parametrize("case", [CASES[4], CASES[11], CASES[12], *CASES[-6:]], ids=lambda case: case.name)
def test_D3_a_stream_can_go_back_to_what_it_saved(case: Case) -> None:
    """The same object, restored to bar 20 after it has seen bar 40, sees bars 21 to 40 again and decides the same."""
    bars, arguments = case.bars(T=41), case.arguments(41)
    given = case.given(bars)
    run = vb.backtest(bars, given, **arguments).run
    stream = stream_of(given, run.inputs, bars.market, arguments)

    def rest(start: int) -> list[bytes]:
        out = []
        for t in range(start, bars.T):
            decision = stream.update(bars.row(t), one_row(run.inputs, t) if isinstance(given, KINDS) else None)
            out.append(decision.assets.tobytes() + decision.accounts.tobytes() + decision.fills.tobytes())
        return out

    for t in range(21):
        stream.update(bars.row(t), one_row(run.inputs, t) if isinstance(given, KINDS) else None)
    saved = stream.save()
    once = rest(21)
    stream.restore(saved)
    assert rest(21) == once


@pytest.mark.parametrize("case", [CASES[0], CASES[-4]], ids=lambda case: case.name)
def test_D3_a_state_of_another_layout_is_refused(case: Case) -> None:
    """A save names its layout; one of another version does not restore, and says so. The stream it was offered to goes on as it was."""
    bars, arguments = case.bars(T=20), case.arguments(20)
    given = case.given(bars)
    inputs = vb.backtest(bars, given, **arguments).run.inputs
    stream = stream_of(given, inputs, bars.market, arguments)
    for t in range(5):
        stream.update(bars.row(t), one_row(inputs, t))
    saved = stream.save()
    assert STATE_SCHEMA.encode() in saved
    with pytest.raises(vb.errors.StateError, match=f"the saved state has schema '{'0' * 16}'; expected '{STATE_SCHEMA}'"):
        stream.restore(saved.replace(STATE_SCHEMA.encode(), b"0" * 16, 1))
    assert stream.save() == saved


@pytest.mark.parametrize("record", ["ACCOUNT", "ASSET", "RESTING"])
def test_D3_the_layout_is_that_of_every_record_name_type_and_order(record: str) -> None:
    kinds = {"ACCOUNT": ACCOUNT, "ASSET": ASSET, "RESTING": RESTING}
    fields = [(name, kinds[record].fields[name][0]) for name in kinds[record].names]
    renamed = [("other", fields[0][1]), *fields[1:]]
    retyped = [(fields[0][0], "f4"), *fields[1:]]
    turned = fields[::-1]
    for changed in (renamed, retyped, turned, fields[:-1]):
        assert schema_hash(*{**kinds, record: np.dtype(changed, align=True)}.values()) != STATE_SCHEMA
    assert schema_hash(*kinds.values()) == STATE_SCHEMA


# --- D4: what is known beforehand -----------------------------------------------------------------------------------


def test_D4_periods_and_interval_are_part_of_the_market_not_of_the_bars_seen() -> None:
    """Daily bars of a Friday and the Monday after: alone they would be bars of three days."""
    bars = random_bars(1)
    for part in (bars[:1], bars[:2], bars[40:]):
        assert part.market == bars.market
        assert (part.market.periods_per_year, part.market.bar_ns) == (252.0, 86_400_000_000_000)


def test_D4_it_is_recorded_in_the_result() -> None:
    bars = random_bars(1)
    result = vb.backtest(bars, flags(bars), costs=COSTS)
    assert (result.run.bars.market, result.run.bars.delist_bar.tolist()) == (bars.market, [-1, 62, -1])
    table = result.assumptions()
    values = dict(zip(table["name"], table["value"], strict=True))
    assert (values["periods_per_year"], values["calendar"]) == ("252", "none")
    assert any(value.startswith("B: delisted 2024-03-03") for value in table["value"])


def test_D4_a_stream_with_another_market_is_another_session() -> None:
    """P and sessions are inputs: a state saved with others is refused."""
    bars = random_bars(1)
    stream = vb.Stream(vb.Signals, market=bars.market, costs=COSTS)
    stream.update(bars.row(0))
    changed = {**bars.market.to_dict(), "periods_per_year": 365.0}
    other = vb.Stream(vb.Signals, market=vb.Market.from_dict(changed), costs=COSTS)
    with pytest.raises(vb.errors.StateError, match="the saved state has market"):
        other.restore(stream.save())


def test_D4_a_delisting_reaches_a_stream_with_its_bar() -> None:
    """B is closed at the end of the bar that says so, in both drivers, and not before."""
    bars = bars_of({"A": [10] * 4, "B": [10] * 4}, delistings={"B": ("2024-01-03", 0.5)})
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free())
    held = [stream.update(bars.row(t), vb.Quantities([2.0, 2.0])).positions.tolist() for t in range(4)]
    assert held == [[0, 0], [2, 2], [2, 0], [2, 0]]
    run = vb.backtest(bars, vb.Quantities(np.full((4, 2), 2.0)), costs=vb.Costs.free()).run
    assert [(f.t, f.asset, f.q, f.price) for f in run.fills if f.asset == 1] == [(1, 1, 2.0, 10.0), (2, 1, -2.0, 5.0)]


# --- D5: everything that acts in the next bar is known before it ----------------------------------------------------


TOLD = [c for c in CASES if c.keywords.get("fill") != "close" and c.keywords.get("risk") is not LEAVING]


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.name)
def test_D5_what_fills_in_a_bar_was_told_by_the_decision_before(case: Case) -> None:
    """Orders that fill at an open, or rest, were queued; a protective exit fills at the level told (in new units after a split), or at the
    open beyond it; a delisting, a split is an event. A position opened in the bar takes its levels from the fill."""
    bars, arguments = case.bars(), {**case.arguments(), "liquidate_at_end": False}
    given = case.given(bars)
    run = vb.backtest(bars, given, **arguments).run
    before, told = None, 0
    for now in decisions(bars, given, run, arguments):
        queued = set() if before is None else {(o.account, o.id) for o in before.queued}
        filled = set()
        for fill in now.fills:
            known = fill.asset not in filled and before is not None
            filled.add(fill.asset)
            if fill.reason in (1, 5, 6, 7):  # signal, time, risk, margin
                assert (fill.account, fill.order) in queued
            elif fill.reason in (2, 3, 4) and known and (fill.account, fill.order) not in queued:  # else the rest of an exit (F7)
                split = 1.0 if bars.actions is None else bars.actions.split[now.t, fill.asset]
                level = (before.targets if fill.reason == 4 else before.stops)[fill.asset]
                if split == 1.0:  # after one, levels are rounded to ticks again
                    assert fill.ref == level or fill.ref == bars.open[now.t, fill.asset]
                    told += 1
        before = now
    assert told > 0 or arguments.get("stops") is None or "by volatility" in case.name, "this case tests nothing"


def test_D5_levels_and_orders_of_the_next_bar_are_in_the_decision() -> None:
    """Bought at 100 with a stop 5 % below, a trail of 10 points and a target 20 % above. The entry is queued at bar 0; from bar 1 on the
    levels stand; the high of 110 makes the trail 100 for bar 2."""
    bars = bars_of([100, (100, 110, 99, 105), (105, 105, 102, 103)], tick=0.5)
    stops = vb.Stops(hard=vb.Pct(5), trailing=vb.Ticks(20), take_profit=vb.Pct(20))
    stream = vb.Stream(vb.Quantities, market=bars.market, costs=vb.Costs.free(), stops=stops)
    first = stream.update(bars.row(0), vb.Quantities([1.0]))
    assert [(o.t, o.open_q, o.wanted) for o in first.queued] == [(0, 1.0, 1.0)]
    assert np.isnan(first.stops[0]) and np.isnan(first.targets[0])
    second = stream.update(bars.row(1))
    assert (len(second.queued), second.stops[0], second.targets[0]) == (0, 100.0, 120.0)
