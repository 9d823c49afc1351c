"""What decided, in a saved result: a strategy by import path and parameters, or inputs. No class is imported unless asked for."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...engine.inputs import AlignedInputs, NamedInputs
from ...engine.strategy import FunctionStrategy, Strategy
from ...errors import ConfigError, StateError
from .folder import file_hash
from .values import Json, decode, encode

__all__ = ["SavedInputs", "StrategyMissing", "describe_source", "found_strategy", "saved_inputs", "source_changed"]

_ROOT = __name__.partition(".")[0]


class StrategyMissing(StateError):
    """A saved strategy cannot be had here: the message says why."""


@dataclass(frozen=True, eq=False)
class SavedInputs(NamedInputs):
    """The inputs of a saved result; `node` is what the manifest says about it, so that a loaded result can be saved again."""

    node: dict[str, Any] = field(default_factory=dict)


def describe_source(source: Any) -> Json:
    """What the manifest says about a strategy or inputs: how to make it again, or why that cannot be done."""
    if isinstance(source, SavedInputs):
        return source.node
    if isinstance(source, NamedInputs):
        shown = {name: repr(value) for name, value in source.parameters.items()}
        why = "the run began inside the bars, and holds what was said from there on"
        return {"kind": "inputs", "name": source.name, "shown": shown, "why": why}
    if not isinstance(source, Strategy):
        return {"kind": "inputs", "name": type(source).__name__}
    about: dict[str, Any] = {"name": source.name}
    if isinstance(source, FunctionStrategy):
        return {"kind": "function", **about, **_function(source)}
    try:
        return {"kind": "strategy", **about, **_strategy(source, "strategy"), **_file_of(type(source))}
    except ConfigError as error:
        shown = {name: repr(value) for name, value in source.parameters.items()}
        return {"kind": "strategy", **about, "shown": shown, "why": str(error)}


def _function(source: FunctionStrategy) -> Json:
    function = getattr(source.function, "func", source.function)
    where = f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', type(function).__name__)}"
    shown = {name: repr(value) for name, value in source.parameters.items()}
    return {"shown": shown, "why": f"{where} is a function, and a saved result imports classes of strategies only"}


def _strategy(source: Any, where: str) -> Json:
    """A strategy, and those inside its parameters, as import path and parameters; ConfigError where that cannot be done."""
    if not isinstance(source, Strategy):
        raise ConfigError(f"{where} is of type {type(source).__name__}, which cannot be saved as plain values")
    kind = type(source)
    if not dataclasses.is_dataclass(kind) or isinstance(source, FunctionStrategy):
        raise ConfigError(f"{where} is a {kind.__name__}, which cannot be made again from its parameters")
    path = f"{kind.__module__}:{kind.__qualname__}"
    if (
        kind.__module__ == "__main__"
        or "<" in kind.__qualname__
        or _attribute(sys.modules.get(kind.__module__), kind.__qualname__) is not kind
    ):
        raise ConfigError(f"{path} was defined in a script, a notebook or a function, where nothing can import it from")
    values = {f.name: encode(getattr(source, f.name), f"{where}.{f.name}", _strategy) for f in dataclasses.fields(source) if f.init}
    return {"type": "strategy", "import": path, "parameters": values}


def _attribute(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name, None)
    return module


def _file_of(kind: type) -> Json:
    """The source file of a strategy of the user's own, and its hash; those of the package are in the hash of its kernels."""
    name = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if kind.__module__.partition(".")[0] == _ROOT or name is None or not Path(name).is_file():
        return {}
    return {"file": str(Path(name).resolve()), "file_hash": file_hash(Path(name))}


def source_changed(node: Json, strategy: Strategy) -> str:
    """A sentence where the source file of a strategy is not the one it was saved with, else nothing."""
    now = _file_of(type(strategy)).get("file_hash")
    if node.get("file_hash") in (None, now):
        return ""
    return f"the source file of {node['import']} was changed since the result was saved"


def found_strategy(node: Json, folders: Sequence[str | Path] = ()) -> Strategy:
    """Import the class of a saved strategy and make it from its parameters. This runs the code of its module.

    Parameters
    ----------
    node : what `describe_source` gave
    folders : where modules are looked for, before the usual places

    Raises
    ------
    StrategyMissing
        It cannot be imported here, or is no Strategy, or was not saved so that it could be.
    StateError
        It is here, but does not take the saved parameters.
    """
    if node.get("kind") != "strategy" or "import" not in node:
        raise StrategyMissing(str(node.get("why", "the result was made from inputs")))
    with _importable(folders):
        made: Strategy = _remake(node, "strategy")
    return made


def _remake(node: Json, where: str) -> Strategy:
    path, parameters = _named_in(node, where)
    kind = _class_of(path)
    values = {name: decode(value, f"{where}.{name}", _remake) for name, value in parameters.items()}
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise StateError(f"{path} does not take the saved parameters: {error}") from error


def _named_in(node: Json, where: str) -> tuple[str, dict[str, Json]]:
    """Import path and parameters of a strategy in a manifest."""
    path, parameters = node.get("import"), node.get("parameters")
    if node.get("type") != "strategy" or not isinstance(path, str) or not isinstance(parameters, dict):
        raise StateError(f"{where} is of type {node.get('type')!r}, or damaged: expected the import path and the parameters of a strategy")
    return path, parameters


def _class_of(path: str) -> type[Strategy]:
    module_name, _, attribute = path.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), *attribute.split("."))) or module_name == "__main__":
        raise StrategyMissing(f"{path!r} is no import path of a class, module:Name")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise StrategyMissing(f"{path} cannot be imported here ({error})") from error
    except (Exception, SystemExit) as error:  # a module of the user's own may fail in any way
        raise StrategyMissing(f"{path} cannot be imported here, its module fails: {type(error).__name__}: {error}") from error
    kind = _attribute(module, attribute)
    if kind is None:
        raise StrategyMissing(f"{path} cannot be imported here (the module has no {attribute})")
    if not isinstance(kind, type) or not issubclass(kind, Strategy):
        raise StrategyMissing(f"{path} is no subclass of Strategy, and nothing else is used from a saved result")
    return kind


@contextmanager
def _importable(folders: Sequence[str | Path]) -> Iterator[None]:
    """Let modules in these folders be imported."""
    before = list(sys.path)
    sys.path[:0] = [str(Path(folder).expanduser().resolve()) for folder in folders]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def saved_inputs(inputs: AlignedInputs, node: Json) -> SavedInputs:
    """The inputs with name and parameters from the manifest; nothing is imported."""
    if node.get("type") == "strategy":
        values = {name: decode(value, name, _shown) for name, value in _named_in(node, "strategy")[1].items()}
    else:
        values = dict(node.get("shown", {}))
    parts = {f.name: getattr(inputs, f.name) for f in dataclasses.fields(AlignedInputs)}
    return SavedInputs(**parts, name=str(node.get("name", "")), parameters=values, node=node)


def _shown(node: Json, where: str) -> str:
    """A strategy inside a parameter, in words: `SmaCross(fast=5, slow=20)`."""
    path, parameters = _named_in(node, where)
    values = {name: decode(value, f"{where}.{name}", _shown) for name, value in parameters.items()}
    return f"{path.partition(':')[2]}({', '.join(f'{name}={value!r}' for name, value in values.items())})"
