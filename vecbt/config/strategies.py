"""Strategies out of a file (CFG-01): named ones, and portfolios of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..engine.strategy import Strategy
from ..errors import ConfigError, nearest
from ..strategies.registry import create_strategy
from .source import Source, read_source

__all__ = ["load_strategies"]

_SECTIONS = ("strategies", "portfolio_strategies")


def load_strategies(source: str | Path | Mapping[str, Any]) -> dict[str, Strategy]:
    """Strategies by the labels that a file gives them.

    ```yaml
    strategies:
      calm: {type: SmaCross, params: {fast: 50, slow: 200}}
      quick: {type: RsiReversion}
    portfolio_strategies:
      both:
        type: HybridPortfolio
        stocks: [AAPL, MSFT]
        strategies: {AAPL: quick, MSFT: calm}     # a label from above, or the name of a registered strategy
        allocation: {AAPL: 0.6, MSFT: 0.4}
    ```

    Parameters
    ----------
    source : a file in YAML, JSON or TOML, or a mapping with the same sections

    Returns
    -------
    Label to strategy, those of both sections.

    Raises
    ------
    ConfigError, which names file, line, label and the nearest known name.
    """
    read = Source.of(source, "strategies") if isinstance(source, Mapping) else read_source(Path(source))
    for key in read.tree:
        if key not in _SECTIONS:
            raise ConfigError(f"{read.where((key,))}: unknown section {key!r}; {nearest(str(key), _SECTIONS)}")
    named: dict[str, Strategy] = {}
    for label, definition in _entries(read, "strategies"):
        with _at(read, "strategies", label):
            named[label] = create_strategy(definition)
    portfolios: dict[str, Strategy] = {}
    for label, definition in _entries(read, "portfolio_strategies"):
        with _at(read, "portfolio_strategies", label):
            if label in named:
                raise ConfigError("this label stands under strategies already")
            portfolios[label] = _portfolio(definition, named)
    return named | portfolios


def _entries(read: Source, section: str) -> Iterator[tuple[str, Any]]:
    found = read.tree.get(section) or {}
    if not isinstance(found, dict):
        raise ConfigError(f"{read.where((section,))}: {section} is {found!r}; expected labels with a type each")
    yield from found.items()


@contextmanager
def _at(read: Source, *place: str) -> Iterator[None]:
    """Say where it is written when something is refused."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{read.where(read.find(place, str(error)))}: {'.'.join(place)}: {error}") from error


def _portfolio(definition: Any, named: Mapping[str, Strategy]) -> Strategy:
    """A portfolio from its type and the keys beside it; labels become the strategies they stand for."""
    if not isinstance(definition, Mapping) or "type" not in definition:
        raise ConfigError(f"a portfolio is {definition!r}; expected a type, stocks and strategies")
    parameters = {key: value for key, value in definition.items() if key != "type"}
    if isinstance(parameters.get("strategies"), Mapping):
        parameters["strategies"] = {symbol: _labelled(given, named) for symbol, given in parameters["strategies"].items()}
    return create_strategy(definition["type"], parameters)


def _labelled(given: Any, named: Mapping[str, Strategy]) -> Any:
    """What a stock is given, with labels of the file in place of names."""
    if isinstance(given, str):
        return {given: named.get(given)}
    if isinstance(given, list):
        return {label: named.get(label) for label in given}
    if isinstance(given, Mapping):
        return {label: _weighed(spec, named[label]) if label in named else spec for label, spec in given.items()}
    return given


def _weighed(spec: Any, strategy: Strategy) -> Any:
    """A label of the file with its weight; its parameters are those of the file."""
    return {**(spec or {}), "strategy": strategy}
