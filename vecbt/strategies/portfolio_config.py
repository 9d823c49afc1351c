"""What a portfolio of strategies is made of, checked: stocks, the strategies of each, their weights, the allocation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..engine.strategy import Strategy
from ..errors import ConfigError, nearest
from .binding import check_bindable
from .registry import create_strategy

__all__ = ["Members", "checked_aggregation", "checked_allocation", "checked_members", "checked_number", "checked_stocks"]

Members = dict[str, dict[str, dict[str, Any]]]
"""Symbol to label to `{"weight": number, "strategy": Strategy}`."""

_SPEC = ("weight", "params", "parameters", "type", "name", "strategy")


def checked_stocks(given: Any, owner: str) -> tuple[str, ...]:
    """The symbols, each once; ConfigError for anything else."""
    good = isinstance(given, Iterable) and not isinstance(given, (str, Mapping))
    stocks = tuple(given) if good else ()
    if not stocks or not all(isinstance(symbol, str) and symbol for symbol in stocks) or len(set(stocks)) < len(stocks):
        raise ConfigError(f"{owner}.stocks is {given!r}; expected a list of symbols, each once")
    return stocks


def checked_number(value: Any, where: str, *, zero: bool) -> float:
    """A number above 0, or of at least 0."""
    number = not isinstance(value, bool) and isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value)
    if not number or value < 0 or (value == 0 and not zero):
        raise ConfigError(f"{where} is {value!r}; expected a number {'of at least 0' if zero else 'above 0'}")
    return float(value)


def _of_stocks(given: Any, stocks: tuple[str, ...], where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} is {given!r}; expected a mapping of symbols")
    for symbol in given:
        if symbol not in stocks:
            raise ConfigError(f"{where} names {symbol!r}, which is not among the stocks; {nearest(str(symbol), stocks)}")
    return given


def checked_allocation(given: Any, stocks: tuple[str, ...], owner: str) -> dict[str, float]:
    """The share of equity of each stock; 1/N each where nothing is given."""
    if given is None:
        return dict.fromkeys(stocks, 1.0 / len(stocks))
    shares = _of_stocks(given, stocks, f"{owner}.allocation")
    missing = [symbol for symbol in stocks if symbol not in shares]
    if missing:
        raise ConfigError(f"{owner}.allocation says nothing of {', '.join(missing)}; 0 is no share")
    return {symbol: checked_number(shares[symbol], f"{owner}.allocation[{symbol!r}]", zero=True) for symbol in stocks}


def checked_aggregation(given: Any, owner: str) -> dict[str, Any]:
    """`{"type": "weighted", "weights": {label: number}}`; no weights where nothing is given."""
    if given is None:
        return {"type": "weighted", "weights": {}}
    where = f"{owner}.aggregation"
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} is {given!r}; expected a mapping with type and weights")
    for key in given:
        if key not in ("type", "weights"):
            raise ConfigError(f"{where} has no key {key!r}; {nearest(str(key), ('type', 'weights'))}")
    if given.get("type", "weighted") != "weighted":
        raise ConfigError(f"{where}.type is {given['type']!r}; expected 'weighted'")
    weights = given.get("weights") or {}
    if not isinstance(weights, Mapping):
        raise ConfigError(f"{where}.weights is {weights!r}; expected a mapping of strategies to numbers")
    return {"type": "weighted", "weights": {k: checked_number(v, f"{where}.weights[{k!r}]", zero=False) for k, v in weights.items()}}


def checked_members(given: Any, stocks: tuple[str, ...], weights: Mapping[str, float], owner: str) -> Members:
    """The strategies of each stock with their weights, made from whatever names them; at most one of each type for a stock."""
    per_stock = _of_stocks(given, stocks, f"{owner}.strategies")
    missing = [symbol for symbol in stocks if symbol not in per_stock]
    if missing:
        raise ConfigError(f"{owner}.strategies has none for {', '.join(missing)}")
    members = {s: _of_stock(per_stock[s], weights, f"{owner}.strategies[{s!r}]") for s in stocks}
    labels = {label for stock in members.values() for label in stock}
    for label in weights:
        if label not in labels:
            raise ConfigError(f"{owner}.aggregation weighs {label!r}, which no stock has; {nearest(label, labels)}")
    return members


def _of_stock(given: Any, weights: Mapping[str, float], where: str) -> dict[str, dict[str, Any]]:
    if isinstance(given, Strategy):
        given = {given.name: given}
    elif isinstance(given, str):
        given = {given: None}
    elif isinstance(given, Mapping) and any(isinstance(given.get(key), str) for key in ("type", "name")):
        given = {given.get("type", given.get("name")): given}
    if not isinstance(given, Mapping) or not given:
        raise ConfigError(f"{where} is {given!r}; expected a strategy, or a mapping of strategies")
    out: dict[str, dict[str, Any]] = {}
    kinds: dict[type, str] = {}
    for label, spec in sorted(given.items(), key=lambda item: str(item[0])):  # sums of equal portfolios are made in the same order
        at = f"{where}[{label!r}]"
        strategy, weight = _member(label, spec, at)
        if type(strategy) in kinds:
            raise ConfigError(f"{where} has two of {strategy.name}: {kinds[type(strategy)]!r} and {label!r}; a stock has one of each type")
        kinds[type(strategy)] = label
        chosen = weights.get(label, 1.0) if weight is None else weight
        out[label] = {"weight": checked_number(chosen, f"{at}.weight", zero=False), "strategy": strategy}
    return out


def _member(label: str, spec: Any, where: str) -> tuple[Strategy, Any]:
    """The strategy that a label stands for, and its weight, None where it has none of its own."""
    if isinstance(spec, Strategy):
        return check_bindable(spec, where), None
    if spec is None:
        spec = {}
    if not isinstance(spec, Mapping):
        raise ConfigError(f"{where} is {spec!r}; expected a strategy, or a mapping with weight and params")
    for key in spec:
        if key not in _SPEC:
            raise ConfigError(f"{where} has no key {key!r}; {nearest(str(key), _SPEC)}")
    weight = spec.get("weight")
    if isinstance(spec.get("strategy"), Strategy):
        return check_bindable(spec["strategy"], where), weight
    name = spec.get("type", spec.get("name", spec.get("strategy", label)))
    try:
        made = create_strategy(name, spec.get("params", spec.get("parameters")))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return check_bindable(made, where), weight
