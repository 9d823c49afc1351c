"""`OrderManager` (ORD-01, STP-01): orders by hand through a stream, and what became of each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecbt as vb
from tests.rules.helpers import bars_of
from vecbt.errors import ConfigError, InputError


class Session:
    """A stream over bars given as lists, driven by an order manager."""

    def __init__(self, *assets: list[Any], manager: vb.OrderManager | None = None, **keywords: Any) -> None:
        self.bars = bars_of(dict(zip("AB", assets, strict=False)))
        self.orders = manager or vb.OrderManager()
        keywords = {"costs": vb.Costs.free(), "initial_capital": 10_000.0, **keywords}
        self.stream = vb.Stream(vb.Orders, market=self.bars.market, **keywords)
        self.t = 0

    def bar(self) -> vb.Decision:
        """The next bar: what was created and cancelled is its row, and the manager learns."""
        decision = self.stream.update(self.bars.row(self.t), self.orders.row())
        self.changed = self.orders.update(decision)
        self.t += 1
        return decision


def test_ORD01_a_market_order_fills_at_the_next_open() -> None:
    session = Session([100, 101, 102])
    order = session.orders.create_order("A", "market", 1, 10)
    assert (order.status, order["type"], order["time_in_force"]) == ("created", "market", "day")
    session.bar()
    assert (order.status, order.active, session.changed) == ("created", True, [])
    assert session.orders.get_active_orders() == {order.order_id: order}
    session.bar()
    assert (order.status, order.active, order.filled, order.fill_price, order.rule) == ("filled", False, 10.0, 101.0, "")
    assert session.changed == [order] and session.orders.get_active_orders() == {}
    assert session.stream.save() and session.orders.get_order(order.order_id) is order


def test_ORD01_a_limit_order_rests_and_a_day_order_expires() -> None:
    session = Session([100, (100, 100, 95, 98), 98, 98])
    day = session.orders.create_order("A", "LIMIT", 1, 5, price=90.0)
    gtc = session.orders.create_order("A", "limit", 1, 7, price=96.0, time_in_force="GTC")
    session.bar()
    assert [o.status for o in (day, gtc)] == ["created", "created"]
    session.bar()
    assert (day.status, day.active) == ("created", True)
    assert (gtc.status, gtc.filled, gtc.fill_price) == ("filled", 7.0, 96.0)
    session.bar()  # another session
    assert (day.status, day.active, day.rule) == ("cancelled", False, "expired")


def test_ORD01_cancelling() -> None:
    """Before it is sent at once; later when the stream says so; an order that is over is None."""
    session = Session([100, 100, 100, 100])
    unsent = session.orders.create_order("A", "market", 1, 1)
    assert session.orders.cancel_order(unsent.order_id) is unsent
    assert (unsent.status, unsent.active) == ("cancelled", False)
    kept = session.orders.create_order("A", "limit", 1, 1, 50.0, time_in_force="gtc")
    other = session.orders.create_order("A", "limit", 1, 1, 51.0, time_in_force="gtc")
    session.bar()
    assert session.orders.cancel_order(other.order_id) is other and other.active
    session.bar()
    assert (other.status, other.active, other.rule) == ("cancelled", False, "cancel")
    assert (kept.status, kept.active) == ("created", True)
    assert session.orders.cancel_order(other.order_id) is None
    assert session.orders.cancel_order("order_9") is None


def test_ORD01_an_order_may_fill_in_the_bar_in_which_its_cancel_is_on_its_way() -> None:
    session = Session([100, (100, 100, 90, 95), 95])
    order = session.orders.create_order("A", "limit", 1, 1, 92.0)
    session.bar()
    session.orders.cancel_order(order.order_id)
    session.bar()
    assert (order.status, order.fill_price) == ("filled", 92.0)


def test_ORD01_a_cut_and_a_refused_order_say_why() -> None:
    """10,000 of cash: 80 at 100 leave room for 20 of the next; a reduction of nothing is rejected by the side that is forbidden."""
    session = Session([100, 100, 100, 100], direction="long")
    first = session.orders.create_order("A", "market", 1, 80)
    session.bar()
    second = session.orders.create_order("A", "market", 1, 50)
    session.bar()
    session.bar()
    assert (first.status, first.filled) == ("filled", 80.0)
    assert (second.status, second.active, second.filled, second.rule) == ("partial", False, 20.0, "cash")
    short = session.orders.create_order("A", "market", -1, 150)
    session.bar()
    assert short.active
    flat = Session([100, 100, 100], direction="long")
    refused = flat.orders.create_order("A", "market", -1, 1)
    flat.bar()
    flat.bar()
    assert (refused.status, refused.active, refused.filled, refused.rule) == ("rejected", False, 0.0, "direction")


def test_ORD01_a_part_that_waits_for_volume_is_partial_and_active() -> None:
    """Half of 10 a bar: 12 units need three bars."""
    bar = (100, 100, 100, 100, 10)
    session = Session([bar] * 5, max_participation=0.5)
    order = session.orders.create_order("A", "market", 1, 12, time_in_force="gtc")
    seen = []
    for _ in range(4):
        session.bar()
        seen.append((order.status, order.filled, order.active))
    assert seen == [("created", 0.0, True), ("partial", 5.0, True), ("partial", 10.0, True), ("filled", 12.0, False)]


def test_ORD01_several_assets_and_orders_keep_their_names() -> None:
    session = Session([100, 100, 100], [50, 50, 50])
    manager = session.orders
    made = [manager.create_order(a, "market", 1, n) for a, n in (("B", 1), ("A", 2), ("B", 3), ("A", 4))]
    session.bar()
    assert set(manager.get_active_orders("A")) == {made[1].order_id, made[3].order_id}
    session.bar()
    assert [(o.asset, o.filled, o.fill_price) for o in made] == [("B", 1, 50), ("A", 2, 100), ("B", 3, 50), ("A", 4, 100)]


def test_ORD01_close_fills_are_known_in_the_same_bar() -> None:
    session = Session([100, 105], fill="close")
    order = session.orders.create_order("A", "market", 1, 2)
    session.bar()
    assert (order.status, order.fill_price) == ("filled", 100.0)


def test_STP01_brackets_are_watched_from_the_fill_on() -> None:
    """5 % below and 10 % above the price given: the next low of 94 is the stop at 95."""
    manager = vb.OrderManager({"use_stop_loss": True, "use_take_profit": True})
    session = Session([100, (100, 101, 99, 100), (97, 98, 94, 96), 96], manager=manager)
    order = session.orders.create_order("A", "market", 1, 10, price=100.0)
    assert (order.stop_loss, order.take_profit) == (95.0, pytest.approx(110.0))
    for _ in range(2):
        decision = session.bar()
    assert decision.stops[0] == 95.0
    decision = session.bar()
    assert [(float(t.exit_price), int(t.exit_t)) for t in decision.trades] == [(95.0, 2)]
    short = manager.create_order("A", "limit", -1, 1, 100.0, {"stop_loss_pct": 0.02, "take_profit_pct": 0.04})
    assert (short.stop_loss, short.take_profit) == (102.0, 96.0)


def test_STP01_off_by_default() -> None:
    order = vb.OrderManager().create_order("A", "limit", 1, 1, 100.0)
    assert (order.stop_loss, order.take_profit) == (None, None)


def test_orders_that_were_executed_elsewhere_are_kept_by_hand() -> None:
    manager = vb.OrderManager(default_order_type="limit", default_time_in_force="gtc")
    order = manager.create_order("A", size=3, price=9.0)
    assert (order.type, order.time_in_force, order.direction) == ("limit", "gtc", 1)
    manager.update_order_status(order.order_id, "partial", {"fill_price": 9.0, "fill_quantity": 1})
    assert (order.status, order.active, order.filled, order.fill_price) == ("partial", True, 1, 9.0)
    manager.update_order_status(order.order_id, "rejected")
    assert (order.active, manager.get_active_orders()) == (False, {})
    assert manager.update_order_status("order_7", "filled") is None


def test_what_does_not_fit_is_named() -> None:
    manager = vb.OrderManager(use_stop_loss=True)
    plain = vb.OrderManager()
    for call, kind, message in (
        (lambda: vb.OrderManager({"default_order": "x"}), ConfigError, "did you mean 'default_order_type'"),
        (lambda: vb.OrderManager(default_stop_loss_pct=5), ConfigError, "5 % is 0.05"),
        (lambda: vb.OrderManager(default_time_in_force="dya"), InputError, "did you mean 'day'"),
        (lambda: plain.create_order("A", "limti", 1, 1), InputError, "did you mean 'limit'"),
        (lambda: plain.create_order("A", "limit", 1, 1), InputError, "needs limit price"),
        (lambda: plain.create_order("A", "market", 2, 1), ConfigError, "direction is 2"),
        (lambda: plain.create_order("A", "market", 1, 0), InputError, "Order.quantity is 0"),
        (lambda: manager.create_order("A", "market", 1, 1), ConfigError, "give price=, for a market order the current one"),
        (lambda: plain.update_order_status("order_1", "full"), ConfigError, "status is 'full'"),
        (lambda: vb.OrderManager().create_order("A", size=1)["sise"], ConfigError, "did you mean 'size'"),
    ):
        with pytest.raises(kind) as caught:
            call()  # type: ignore[no-untyped-call]
        assert message in str(caught.value)
    assert plain.orders == {}, "an order that was refused is not kept"


def test_a_row_must_be_answered_before_the_next() -> None:
    manager = vb.OrderManager()
    manager.create_order("A", "market", 1, 1)
    manager.row()
    with pytest.raises(ConfigError, match="order_1 was sent and not answered"):
        manager.row()
    session = Session([100, 100])
    decision = session.stream.update(session.bars.row(0), vb.Orders([]))
    with pytest.raises(ConfigError, match="1 orders of A were sent, the decision has 0 new ones"):
        manager.update(decision)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_ORD01_what_the_manager_says_is_what_the_stream_filled(data: st.DataObject) -> None:
    """Random orders on random bars: filled quantities of the manager add up to the positions, nothing is lost or made up."""
    prices = data.draw(st.lists(st.sampled_from([90, 95, 100, 105, 110]), min_size=3, max_size=10))
    session = Session([(p, p + 4, p - 4, p) for p in prices], [(p, p + 4, p - 4, p) for p in reversed(prices)])
    made = []
    for _ in prices:
        for _ in range(data.draw(st.integers(0, 3))):
            kind = data.draw(st.sampled_from(["market", "limit", "stop"]))
            price = data.draw(st.sampled_from([92.0, 100.0, 107.0]))
            made.append(
                session.orders.create_order(
                    data.draw(st.sampled_from(["A", "B"])), kind, data.draw(st.sampled_from([1, -1])), data.draw(st.integers(1, 60)),
                    price if kind == "limit" else None, stop_price=price if kind == "stop" else None,
                    time_in_force=data.draw(st.sampled_from(["day", "gtc", "ioc", "fok"])),
                )
            )  # fmt: skip
        if made and data.draw(st.booleans()):
            session.orders.cancel_order(data.draw(st.sampled_from(made)).order_id)
        decision = session.bar()
        for n, asset in enumerate("AB"):
            total = sum(o.direction * o.filled for o in made if o.asset == asset)
            assert total == pytest.approx(float(decision.positions[n]), abs=1e-9)
    waiting = {o.order_id for o in made if o.active}
    assert waiting == set(session.orders.get_active_orders())
    assert len(waiting) == len(decision.queued)
