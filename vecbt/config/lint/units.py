"""Numbers in the wrong unit: percent or money where a fraction is meant, a fraction where money is."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import Facts, percent
from .finding import Finding

__all__ = ["RULES"]

_FRACTIONS: dict[str, float] = dict.fromkeys(
    (
        "risk.daily_loss", "risk.max_heat", "risk.max_trade_loss", "risk.zones.liquidate_at", "band", "max_participation",
        "account.maintenance", "carry.borrow_rate", "carry.interest_rate", "sizing.cash", "sizing.fixed_fractional.risk_fraction",
        "sizing.kelly.win_rate", "sizing.kelly.start_fraction", "sizing.confidence_based.base_risk_fraction",
        "sizing.confidence_based.max_risk_fraction", "sizing.confidence_based.min_confidence", "sizing.volatility.risk_per_trade",
        "sizing.forecast.max_portfolio_risk", "sizing.forecast.scale",
    ),
    1.0,
)  # fmt: skip
"""Fractions that cannot be above 1 and mean anything."""

_BOUNDARIES = "risk.zones.boundaries"

_OF_EQUITY = (
    "risk.limits.max_position", "risk.limits.max_gross", "risk.limits.max_net", "sizing.weight",
    "sizing.fixed_fractional.max_position_fraction", "sizing.kelly.max_position_fraction", "sizing.confidence_based.max_position_fraction",
    "sizing.equal_weight.max_position", "sizing.inverse_volatility.max_position", "sizing.volatility.max_position",
    "sizing.forecast.max_position_size",
)  # fmt: skip
"""Fractions of equity: above 1 with leverage."""

_MONEY = {"risk.limits.max_position_value": "risk.limits.max_position", "sizing.notional": "sizing.weight"}
"""Amounts of money, and the key that takes fractions."""

_MOST_RISK = {
    "sizing.fixed_fractional.risk_fraction": 0.1,
    "sizing.kelly.start_fraction": 0.1,
    "sizing.confidence_based.base_risk_fraction": 0.1,
    "sizing.confidence_based.max_risk_fraction": 0.1,
    "sizing.volatility.risk_per_trade": 0.1,
    "sizing.forecast.scale": 0.25,
    "sizing.forecast.max_portfolio_risk": 0.1,
}
"""Fractions that are small wherever they are meant."""


def _fractions(facts: Facts) -> Iterator[Finding]:
    for path, most in _FRACTIONS.items():
        value = facts.number(path) if facts.given(path) else None
        if value is not None and value > most:
            yield _too_large(facts, tuple(path.split(".")), value)
    bounds = facts.numbers(_BOUNDARIES, 3) if facts.given(_BOUNDARIES) else None
    for k, bound in enumerate(bounds or ()):
        if bound > 1:
            yield _too_large(facts, (*_BOUNDARIES.split("."), k), bound)
    for path in _OF_EQUITY:
        value = facts.number(path) if facts.given(path) else None
        if value is not None and value > max(10.0, facts.leverage):
            yield _too_large(facts, tuple(path.split(".")), value)


def _too_large(facts: Facts, place: tuple[str | int, ...], value: float) -> Finding:
    if value <= 100:
        return facts.finding(
            "percent-for-fraction",
            "error",
            place,
            f"{value:g} is {percent(value)}",
            "this is a fraction: 1 is all of it",
            f"write {value / 100:g} for {value:g} %",
        )
    capital = facts.capital
    hint = f"{value / capital:g} is that part of the capital; " if capital else ""
    money = next((m for m, f in _MONEY.items() if f.split(".") == list(place)), None)
    return facts.finding(
        "money-for-fraction",
        "error",
        place,
        f"{value:,.10g} looks like money",
        "this is a fraction of equity: the limit could never bind, or the size never fit",
        hint + (f"{money} takes money" if money else "write a fraction"),
    )


def _money(facts: Facts) -> Iterator[Finding]:
    for path, fraction in _MONEY.items():
        value = facts.number(path)
        if value is not None and 0 < value <= 10:
            yield facts.finding(
                "fraction-for-money",
                "error",
                path,
                f"{value:g} units of money is hardly meant",
                "this is money: nothing could ever be traded for so little",
                f"{fraction} takes a fraction of equity",
            )


def _large_risk(facts: Facts) -> Iterator[Finding]:
    for path, most in _MOST_RISK.items():
        value = facts.number(path) if facts.given(path) else None
        if value is not None and most < value <= 1:
            yield facts.finding(
                "unit",
                "warning",
                path,
                f"{percent(value)} is much for one position or one bar",
                "it is a fraction, and what moves by the bar is meant per bar, not per year: 15 % a year is about 1 % a day",
                "check the unit and the horizon",
            )


_HORIZONS = {
    "var_limit": "a value at risk is three numbers: the level, the horizon and the limit; 5 % of what, in how many bars, at which level?",
    "max_var": "a value at risk is three numbers: the level, the horizon and the limit; 5 % of what, in how many bars, at which level?",
    "max_portfolio_risk": "0.15 a year and 0.02 a bar are both called portfolio risk: without its horizon the number says nothing",
    "portfolio_risk": "0.15 a year and 0.02 a bar are both called portfolio risk: without its horizon the number says nothing",
}


def _horizons(facts: Facts) -> Iterator[Finding]:
    """Limits that other programs give without saying over which time."""
    for name, why in _HORIZONS.items():
        if facts.given(f"risk.{name}"):
            remedy = "there is no such rule here; use risk.limits, risk.daily_loss or risk.max_heat, or sizing.volatility"
            yield facts.finding("no-horizon", "error", f"risk.{name}", f"{name} is {facts.get(f'risk.{name}')!r}", why, remedy)


RULES = (_fractions, _money, _large_risk, _horizons)
