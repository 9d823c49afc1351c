"""A run file becomes the public objects of a run: bars, strategy, and the keywords of `backtest`."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from ..data.bars import Bars
from ..data.labels import time_label
from ..data.market import Market
from ..engine.strategy import Strategy, as_strategy
from ..errors import ConfigError, VecbtError, nearest
from ..execution.carry import Carry
from ..execution.costs import Costs
from ..risk.limits import Limits
from ..risk.sizing import Sizing, create_position_sizer
from ..risk.stops import Stops
from ..risk.zones import Risk, Zones
from .aliases import canonical, parameter_names
from .messages import explain
from .models import RunConfig
from .source import Source, read_source, read_text

__all__ = ["STRATEGIES", "RunFile", "attribute_of", "find_object", "load_run", "made_strategy", "parse_run"]

STRATEGIES = {
    "SmaCross": "vecbt.strategies.trend:SmaCross",
    "EmaCross": "vecbt.strategies.trend:EmaCross",
    "BuyAndHold": "vecbt.strategies.basic:BuyAndHold",
    "FixedWeights": "vecbt.strategies.basic:FixedWeights",
}
_UNITS_OF_TRADING = (
    "multiplier", "lot", "tick", "min_notional", "instrument", "initial_margin", "maintenance_margin", "allow_negative",
)  # fmt: skip
_OPTIONS = (
    "time", "symbol", "symbol_column", "columns", "missing", "repair", "delisting", "splits", "dividends", "funding",
)  # fmt: skip
_PLAIN = (
    "fill", "direction", "accumulate", "weights_of", "band", "intrabar", "trade_through", "liquidate_at_end", "max_participation",
    "participation_rest", "audit",
)  # fmt: skip

_Named: TypeAlias = Callable[[dict[str, Any], Iterable[str]], dict[str, Any]]


def load_run(path: str | Path, settings: Iterable[str] = ()) -> RunFile:
    """A run file with `a.b=1` settings applied. ConfigError names file, line, key, what was expected and found."""
    path = Path(path)
    return _validated(read_source(path), settings, path.resolve().parent)


def parse_run(text: str, settings: Iterable[str] = (), *, name: str = "run", folder: str | Path = ".") -> RunFile:
    """The same from YAML text; relative paths start at `folder`."""
    return _validated(read_text(text, name), settings, Path(folder).resolve())


def _validated(source: Source, settings: Iterable[str], folder: Path) -> RunFile:
    source.override(settings)
    renamed = canonical(source)
    refused = [f"{source.where(r.written)}: {r.refusal}" for r in renamed if r.refusal]
    if refused:
        raise ConfigError("\n".join(refused))
    for r in renamed:
        warnings.warn(f"{source.where(r.written)}: {r.sentence}", UserWarning, stacklevel=3)
    try:
        config = RunConfig.model_validate(source.tree)
    except ValidationError as error:
        raise explain(error, RunConfig, source) from None
    return RunFile(config, source, folder)


@dataclass(frozen=True)
class RunFile:
    """A valid configuration, and the objects it stands for. Each method raises ConfigError or DataError that names the section."""

    config: RunConfig
    source: Source
    folder: Path

    @contextmanager
    def _section(self, *place: str) -> Iterator[None]:
        """Say where it is written when a public object refuses what it is given."""
        try:
            yield
        except VecbtError as error:
            raise type(error)(f"{self.source.where(self.source.find(place, str(error)))}: {'.'.join(place)}: {error}") from error

    def bars(self) -> Bars:
        """The prices."""
        data = self.config.data
        with self._section("data"):
            bars = self._sample() if data.sample is not None else self._file()
            if data.symbols is not None and data.path is not None:
                bars = bars.select(data.symbols)
            for name in ("start", "end"):
                if getattr(data, name) is not None:
                    time_label(getattr(data, name), name)
            if data.start is not None or data.end is not None:
                bars = bars.slice(data.start, data.end)
            return bars.resample(data.resample) if data.resample is not None else bars

    def _sample(self) -> Bars:
        from ..data import samples

        data = self.config.data
        assert data.sample is not None
        adjusted = {} if data.adjusted is None else {"adjusted": data.adjusted}
        bars = samples.load(data.sample, data.symbols, **adjusted)
        market = data.market.given() if data.market else {}
        for key in market:
            if key not in _UNITS_OF_TRADING:
                raise ConfigError(f"market.{key} is part of a sample; only {', '.join(_UNITS_OF_TRADING)} can be set for it")
        return _with_market(bars, Market(**{**bars.market.to_dict(), **market})) if market else bars

    def _file(self) -> Bars:
        data = self.config.data
        assert data.path is not None
        path = self.path_of(data.path)
        options = {k: v for k, v in data.given().items() if k in _OPTIONS}
        if data.delistings is not None:
            options["delistings"] = {symbol: (d.time, d.haircut) for symbol, d in data.delistings.items()}
        options |= data.market.given() if data.market else {}
        readers = {".csv": Bars.read_csv, ".parquet": Bars.read_parquet}
        if path.suffix.lower() not in readers:
            raise ConfigError(f"path is {data.path!r}; expected a file called .csv or .parquet")
        return readers[path.suffix.lower()](path, **options)

    def strategy(self) -> Strategy:
        """The strategy with its parameters."""
        section = self.config.strategy
        with self._section("strategy"):
            return made_strategy(self._find(section.name), section.parameters or {}, section.name, self._named)

    def _named(self, parameters: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
        """Parameters under the strategy's own names; a warning for each that was called otherwise."""
        named, sentences = parameter_names(parameters, known)
        for sentence in sentences:
            warnings.warn(f"{self.source.where(('strategy', 'parameters'))}: {sentence}", UserWarning, stacklevel=3)
        return named

    def _find(self, name: str) -> Any:
        return find_object(name, self.folder)

    def keywords(self) -> dict[str, Any]:
        """The keywords of `backtest`: those that were given, and nothing else."""
        out = self.plain()
        for name, build in self.builders().items():
            with self._section(name):
                out[name] = build()
        return out

    def plain(self) -> dict[str, Any]:
        """The keywords that are numbers, words and switches."""
        config, account = self.config, self.config.account
        out: dict[str, Any] = {**account.given("positions"), **config.given(*_sections(config))}
        if account.positions is not None:
            out["positions"] = {symbol: (p.quantity, p.price) for symbol, p in account.positions.items()}
        return out

    def builders(self) -> dict[str, Callable[[], Any]]:
        """What makes the objects of the sections that were given; each raises ConfigError where the object refuses."""
        made: dict[str, Callable[[], Any]] = {
            "costs": self._costs,
            "sizing": self._sizing,
            "stops": self._stops,
            "risk": self._risk,
            "carry": self._carry,
        }
        return {name: build for name, build in made.items() if getattr(self.config, name) is not None}

    def _costs(self) -> Costs:
        costs = self.config.costs
        given = costs.given("free")
        if costs.free and any(given.values()):
            raise ConfigError(f"free: true stands beside {', '.join(given)}; keep one")
        return Costs.free() if costs.free else Costs(**given)

    def _sizing(self) -> Sizing:
        sizing = self.config.sizing
        assert sizing is not None
        method, parameters = sizing.parameters()
        return create_position_sizer(method, **parameters)  # type: ignore[no-any-return]

    def _stops(self) -> Stops:
        stops = self.config.stops
        assert stops is not None
        given = stops.given("preset")
        return Stops(**given) if stops.preset is None else replace(Stops.preset(stops.preset), **given)

    def _risk(self) -> Risk:
        risk = self.config.risk
        assert risk is not None
        given = risk.given()
        if risk.zones is not None:
            zones: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in risk.zones.given().items()}
            given["zones"] = Zones(**zones)
        if risk.limits is not None:
            given["limits"] = Limits(**risk.limits.given())
        return Risk(**given)

    def _carry(self) -> Carry:
        carry = self.config.carry
        assert carry is not None
        return Carry(**carry.given())

    def path_of(self, name: str) -> Path:
        """A path of the file: relative ones start at its folder."""
        return self.folder / Path(name).expanduser()


def find_object(name: str, folder: Path) -> Any:
    """What a ready-made name or `module:Name` stands for; modules in `folder` come first. ConfigError with the nearest name."""
    module_name, colon, attribute = STRATEGIES.get(name, name).partition(":")
    if not colon:
        raise ConfigError(f"name is {name!r}, which no strategy is called; {nearest(name, STRATEGIES)} (one of your own is module:Name)")
    with _importable(folder):
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            raise ConfigError(f"name is {name!r}: no module {module_name!r} in {folder} or among the installed packages") from error
    return attribute_of(module, attribute, name)


def attribute_of(module: Any, attribute: str, name: str) -> Any:
    """A thing of a module, which `name` asked for; ConfigError with the nearest name."""
    if not hasattr(module, attribute):
        known = (n for n in vars(module) if n[0] != "_")
        raise ConfigError(f"name is {name!r}: the module has no {attribute!r}; {nearest(attribute, known)}")
    return getattr(module, attribute)


def made_strategy(found: Any, parameters: dict[str, Any], name: str, named: _Named) -> Strategy:
    """A strategy from what a name stands for: a class, an object without parameters, or a function.

    `named` gives parameters, which may be called otherwise, the names they have in the strategy.
    """
    if isinstance(found, type) and issubclass(found, Strategy):
        return found.make(named(parameters, found.space))
    if isinstance(found, Strategy) and not parameters:
        return found
    if inspect.isfunction(found):
        known = list(inspect.signature(found).parameters)[1:]
        return as_strategy(_bound(found, named(parameters, known), known, name))
    raise ConfigError(f"{name} is {found!r}; expected a subclass of Strategy, or a function rows(bars)")


def _sections(config: RunConfig) -> list[str]:
    return [name for name in type(config).model_fields if name not in _PLAIN]


def _with_market(bars: Bars, market: Market) -> Bars:
    """The same bars with other units of trading; a sample is checked already."""
    fields = {
        n: getattr(bars, n) for n in ("has_volume", "splits", "dividends", "funding", "delist_bar", "delist_haircut", "notes", "repairs")
    }
    return Bars._trusted(bars.block, bars.index, market, source=bars.periods_per_year_source, **fields)


def _bound(function: Any, parameters: dict[str, Any], known: list[str], name: str) -> Any:
    """The function with its parameters, which it must take by name."""
    for key in parameters:
        if key not in known:
            raise ConfigError(f"{name} takes no parameter {key!r}; {nearest(key, known) if known else 'it takes the bars alone'}")
    return functools.partial(function, **parameters) if parameters else function


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let modules beside the run file be imported."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
