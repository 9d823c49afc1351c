"""Sentences of assumptions and reports: what parameters mean, and why a rule cut or refused an order."""

from __future__ import annotations

from ..core.codes import Rule

__all__ = ["EXIT_INSIDE", "MEANINGS", "NAMED", "RULES"]

MEANINGS = {
    ("fill", "next_open"): "orders decided at a close are executed at the next open (T7)",
    ("fill", "close"): "orders decided at a close are executed at that same close (T7), which no live session can do (D5)",
    ("intrabar", "pessimistic"): "where stop and target lie inside one bar, the stop is met first (P5)",
    ("intrabar", "optimistic"): "where stop and target lie inside one bar, the target is met first (P5)",
    ("accounts", "shared"): "all assets draw on one account",
    ("accounts", "separate"): "each asset has an account of its own with this capital",
    ("weights_of", "net"): "target weights are of the equity left after the rebalance's own costs (W2)",
    ("weights_of", "gross"): "target weights are of the equity before costs, which may take cash below zero (W2)",
    ("trade_through", "False"): "a limit level is filled when it is touched (O1, P4)",
    ("trade_through", "True"): "a limit level is filled only when the price goes beyond it (O1, P4)",
    ("accumulate", "False"): "an entry in the side already held does nothing (S2)",
    ("accumulate", "True"): "an entry in the side already held adds to it (S2)",
    ("liquidate_at_end", "True"): "everything is closed after the last bar, with costs (T8)",
    ("liquidate_at_end", "False"): "the end of the data closes nothing (T8)",
    ("max_participation", "none"): "an order fills whole, however large it is against the bar's volume (F7)",
    ("participation_rest", "queue"): "what the volume does not take waits for the next open (F7)",
    ("participation_rest", "drop"): "what the volume does not take is dropped (F7)",
    ("stops", "off"): "no protective exits",
    ("risk", "off"): "no rule on what the account may risk",
    ("carry", "off"): "shorts are borrowed and negative cash is lent for nothing (T2)",
    ("leverage", "1"): "none: new risk is paid in full (F4)",
    ("zones.mark", "close"): "drawdown is judged on closes (Z1)",
    ("zones.mark", "intrabar"): "drawdown is judged at the worst prices of the bar for what is held, not at closes (Z1)",
    ("zones.liquidate_at", "none"): "an emergency takes no new risk, what is held stays (Z3)",
    ("zones.cooldown_bars", "none"): "an emergency lasts until it is reset (Z3)",
    ("flows", "none"): "nothing is paid in or out",
}
"""By name and value as they are shown."""

EXIT_INSIDE = (
    "everything is closed inside the bar, where its way from the open to the worst prices of all positions at once meets that drawdown "
    "(Z8): an estimate from four prices, not live (D5)"
)
"""What `liquidate_at` means with `mark="intrabar"`."""

NAMED = {
    "direction": "sides that may be held (S1)",
    "band": "an asset this close to its target weight is left alone (W3)",
    "commission_rate": "of the notional of a fill (F2)",
    "per_unit": "commission per unit, money (F2)",
    "per_order": "commission per order, money (F2)",
    "minimum": "least commission of an order, money (F2)",
    "maximum_rate": "most commission of an order, of its notional (F2)",
    "maker_rate": "of the notional of a limit fill; none: the commission rate (F2)",
    "slippage_bps": "hundredths of a percent of the price, market and stop fills (F1)",
    "half_spread": "in price units, market and stop fills (F1)",
    "volume_share": "k of the impact k*sigma*sqrt(quantity/volume) (F1)",
    "volume_window": "bars in the sigma of that impact (F1)",
    "borrow_rate": "a year, of the value of a short that is paid in full, by days (T2); symbols left out pay nothing",
    "interest_rate": "a year, of negative cash, by days (T2)",
    "hard": "distance of the hard stop (P1)",
    "trailing": "distance of the trailing stop (P2)",
    "activation": "gain that arms the trailing stop (P2)",
    "take_profit": "distance of the target (P4)",
    "time_bars": "bars after which a position is closed (P6)",
    "time_days": "days after which a position is closed (P6)",
    "atr_window": "bars of the average true range (P1)",
    "zones.boundaries": "drawdowns at which caution, alert and emergency begin (Z1)",
    "zones.factors": "new risk is multiplied by these, from normal to emergency (Z2)",
    "zones.liquidate_at": "drawdown at which everything is closed at the next market (Z3)",
    "zones.cooldown_bars": "bars after which an emergency is over (Z3)",
    "daily_loss": "loss since the last session, of equity, from which on new risk waits for the next one (Z4)",
    "max_heat": "of equity that all positions together may lose down to their stops; without a stop the whole of it counts (Z5)",
    "max_trade_loss": "of equity that a position may lose down to its stop; without a stop the whole of it counts (Z9)",
    "limits": "limits on positions and exposure (Z7)",
    "limits.max_position": "of equity, most that a new order may make of one asset (Z7)",
    "limits.max_position_value": "money, most that a new order may make of one asset (Z7)",
    "limits.max_gross": "of equity, most that new orders may make of all positions, longs and shorts added (Z7)",
    "limits.max_net": "of equity, most that new orders may make of longs less shorts, either way (Z7)",
    "initial_capital": "at the start, of each account (F14)",
    "positions": "held before the first bar: quantity, entry price (F14)",
    "leverage": "exposure over equity that new risk may reach (F4)",
    "maintenance": "all is closed when equity is below this part of exposure at a close (F13)",
    "max_participation": "of a bar's volume, most that all orders of an asset fill together (F7)",
    "flows": "deposits and withdrawals of each account, on the first bar at or after their time (F15)",
}
"""By name."""

RULES = {
    Rule.ZONE: "a drawdown zone allows less new risk, or none",
    Rule.CASH: "more than the equity carries after costs",
    Rule.LOT: "rounded down to a whole lot",
    Rule.MINIMUM: "below the smallest order",
    Rule.STOP: "no stop to size or to protect by yet",
    Rule.DELISTED: "the asset is delisted",
    Rule.VOLUME: "more than the bar's volume allows",
    Rule.EXPIRED: "its time was over before its price came",
    Rule.CANCEL: "cancelled by a later row",
    Rule.MARGIN: "the equity does not carry what is held: no new risk",
    Rule.DAILY_LOSS: "the session has lost as much as it may",
    Rule.TRADE_LOSS: "the position could lose too much down to its stop",
    Rule.POSITION: "more than one asset may have",
    Rule.GROSS: "more than all positions may add up to",
    Rule.NET: "more than longs may be over shorts, or the reverse",
    Rule.HEAT: "all positions together could lose too much down to their stops",
    Rule.EDGE: "the record of trades shows no edge to bet on",
    Rule.CONFIDENCE: "the signal is weaker than the least that counts",
    Rule.VOLATILITY: "no volatility to size by",
    Rule.DIRECTION: "it would have opened on a side that is not allowed",
    Rule.REDUCE_ONLY: "it may only reduce, and there was less to reduce, or nothing",
}
"""Why each rule cuts or refuses an order (Z6)."""
