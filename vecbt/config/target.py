"""What `vecbt check-strategy` is pointed at: a run file, a ready-made strategy, `module:Name`, or `file.py:Name`; and the bars for it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from ..data.bars import Bars
from ..engine.strategy import Strategy
from ..errors import ConfigError, VecbtError, nearest
from .aliases import parameter_names
from .load import attribute_of, find_object, load_run, made_strategy
from .source import Source
from .text import READERS

__all__ = ["Target", "load_target"]

_RUN_FILES = (".yml", *(f".{kind}" for kind in READERS))
_SAMPLE = "us_daily"


@dataclass(frozen=True)
class Target:
    """A strategy, the bars it is checked on, and the keywords of its run where a run file gives them."""

    strategy: Strategy
    bars: Bars
    settings: dict[str, Any] = field(default_factory=dict)


def load_target(name: str, settings: Iterable[str] = (), data: str | None = None) -> Target:
    """The target that a name means.

    Parameters
    ----------
    name : a run file; a ready-made strategy such as SmaCross; module:Name; or file.py:Name, file.py where it holds one strategy
    settings : `key=value`: keys of the run file, or parameters of the strategy
    data : CSV or Parquet file, or a bundled sample; the bundled daily prices without it. A run file has its own

    Raises
    ------
    ConfigError, DataError
        A name, file, parameter or price that is not there or cannot be used.
    """
    if Path(name).suffix.lower() in _RUN_FILES:
        if data is not None:
            raise ConfigError(f"--data is given, but the run file {name} names its own; set it there: --set data.path={data}")
        run = load_run(name, settings)
        keywords = run.keywords()
        keywords.pop("audit", None)  # of a backtest only
        return Target(run.strategy(), run.bars(), keywords)
    source = Source.of({}, name)
    source.override(settings)
    found = _of_file(name) if _is_file(name) else _of_module(name)
    try:
        strategy = made_strategy(found, source.tree, name, lambda given, known: parameter_names(given, known)[0])
    except VecbtError as error:
        raise type(error)(f"{name}: {error}") from error
    return Target(strategy, _bars(data))


def _is_file(name: str) -> bool:
    path, colon, _ = name.rpartition(":")
    return (path if colon else name).endswith(".py")


def _of_module(name: str) -> Any:
    try:
        return find_object(name, Path.cwd())
    except ConfigError as error:
        known = f"a run file ({', '.join(_RUN_FILES)}), file.py:Name or module:Name" if ":" not in name else ""
        raise ConfigError(f"{error}{f'; expected a strategy, {known}' if known else ''}") from error
    except Exception as error:
        raise _not_imported(name, error) from error


def _of_file(name: str) -> Any:
    """The strategy in a file of Python, which is run."""
    path, colon, attribute = name.rpartition(":")
    file = Path(path if colon else name).expanduser()
    if not file.is_file():
        raise ConfigError(f"{file}: no such file; expected the path of a Python file, as in strategies/mine.py:Breakout")
    module = _run_module(file)
    if colon:
        return attribute_of(module, attribute, name)
    own = {n: v for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, Strategy) and v.__module__ == module.__name__}
    if len(own) != 1:
        what = f"it holds {len(own)} strategies ({', '.join(own)})" if own else "it holds no subclass of Strategy"
        raise ConfigError(f"{file}: {what}; say which one: {file}:Name")
    return next(iter(own.values()))


def _run_module(file: Path) -> ModuleType:
    """The file as a module under a name that no installed one has; what stands beside it can be imported."""
    module_name = f"checked_{file.stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{file} cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # where dataclasses look for the names of their module
    sys.path.insert(0, str(file.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a file of the user's own may fail in any way
        del sys.modules[module_name]
        raise _not_imported(str(file), error) from error
    finally:
        sys.path.remove(str(file.resolve().parent))
    return module


def _not_imported(name: str, error: BaseException) -> ConfigError:
    line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
    text = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return ConfigError(f"{name} cannot be imported: {type(error).__name__}{line}: {text}")


def _bars(data: str | None) -> Bars:
    from ..data import samples

    path = Path(data).expanduser() if data is not None else Path(_SAMPLE)
    readers = {".csv": Bars.read_csv, ".parquet": Bars.read_parquet}
    if path.suffix.lower() in readers:
        return readers[path.suffix.lower()](path)
    if data is not None and data not in samples.names():
        raise ConfigError(f"--data is {data!r}; expected a file called .csv or .parquet, or a sample: {nearest(data, samples.names())}")
    return samples.load(data or _SAMPLE)
