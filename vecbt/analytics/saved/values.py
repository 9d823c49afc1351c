"""Parameters as JSON and back, exactly: plain values, arrays, and the frozen parameter classes of vecbt by name.

Nothing is pickled and nothing is imported by a name that stands in a file: a class is found only if it is one of the
package's own frozen dataclasses. Floats are written with all their digits, so every bit comes back.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import importlib
import math
import pkgutil
import zoneinfo
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...engine.strategy import Strategy
from ...errors import ConfigError, StateError, VecbtError

__all__ = ["Json", "decode", "encode", "known_classes", "plain_dtype"]

Json: TypeAlias = Any
"""What `json` reads and writes: None, bool, int, float, str, lists, and dicts with keys of text."""

_ROOT = __name__.partition(".")[0]
_PACKAGES = ("core", "risk", "execution", "engine", "data")  # where two classes share a name, the first package wins
_DATES: dict[str, type[Any]] = {"date": datetime.date, "time": datetime.time}
_TIMES = ("datetime", "Timestamp")


@functools.cache
def known_classes() -> dict[str, type]:
    """The package's frozen dataclasses, named tuples and enumerations by name: all that `decode` will ever make."""
    found: dict[str, type] = {}
    for package in _PACKAGES:
        folder = importlib.import_module(f"{_ROOT}.{package}")
        for info in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}."):
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_") and _is_values(value):
                    found.setdefault(name, value)
    return found


def _is_values(kind: type) -> bool:
    if issubclass(kind, Enum) or _is_named_tuple(kind):
        return True
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and parameters.frozen and parameters.init and not issubclass(kind, Strategy)


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def _fields_of(kind: Any) -> list[str]:
    """What its constructor takes."""
    return list(kind._fields) if _is_named_tuple(kind) else [f.name for f in dataclasses.fields(kind) if f.init]


def encode(value: Any, where: str, other: Callable[[Any, str], Json] | None = None) -> Json:
    """`value` as JSON.

    Parameters
    ----------
    value : None, bool, number, text, tuple, list, mapping, date, array or scalar of NumPy, or a parameter class of vecbt
    where : what an error calls it, such as "setup.stops"
    other : asked for whatever is none of these; it may raise ConfigError too

    Raises
    ------
    ConfigError for anything else: it could not be read back without running code.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"type": "float", "value": str(value)}
    if kind is tuple:
        return [encode(item, f"{where}[{k}]", other) for k, item in enumerate(value)]
    if kind is list:
        return {"type": "list", "items": [encode(item, f"{where}[{k}]", other) for k, item in enumerate(value)]}
    if isinstance(value, Mapping):
        pairs = [[encode(key, where, other), encode(item, f"{where}[{key!r}]", other)] for key, item in value.items()]
        return {"type": "mapping", "items": pairs}
    if isinstance(value, np.ndarray | np.generic):
        return _encode_array(value, where)
    if known_classes().get(kind.__name__) is kind:
        return _encode_known(value, where, other)
    if kind.__name__ in _DATES and kind is _DATES[kind.__name__]:
        return {"type": kind.__name__, "value": value.isoformat()}
    if isinstance(value, datetime.datetime) and kind.__name__ in _TIMES:
        return _encode_time(value, where)
    if other is not None:
        return other(value, where)
    raise ConfigError(f"{where} is of type {kind.__name__}, which cannot be saved as plain values; use numbers, text, tuples or mappings")


def _key(name: str) -> str:
    """The key of a field: `type` is taken by the name of the class."""
    return "type_" if name == "type" else name


def _encode_known(value: Any, where: str, other: Callable[[Any, str], Json] | None) -> Json:
    if isinstance(value, Enum):
        return {"type": type(value).__name__, "value": value.value}
    parts = {_key(name): encode(getattr(value, name), f"{where}.{name}", other) for name in _fields_of(type(value))}
    return {"type": type(value).__name__, **parts}


def _encode_time(value: Any, where: str) -> Json:
    """A datetime, or a Timestamp of pandas, with the name of its zone where it has one."""
    zone = value.tzinfo
    name = getattr(zone, "key", None)
    if zone is not None and name is None and not isinstance(zone, datetime.timezone):
        raise ConfigError(f"{where} is {value!r}, in a time zone without an IANA name, which cannot be saved; use zoneinfo.ZoneInfo")
    return {"type": type(value).__name__, "value": value.isoformat(), "zone": name}


def _decode_time(node: Json) -> Any:
    if node["type"] == "datetime":
        time = datetime.datetime.fromisoformat(node["value"])
        return time if node["zone"] is None else time.astimezone(zoneinfo.ZoneInfo(node["zone"]))
    import pandas as pd

    stamp = pd.Timestamp(node["value"])
    return stamp if node["zone"] is None else stamp.tz_convert(node["zone"])


def _encode_array(value: NDArray[Any] | np.generic, where: str) -> Json:
    """Values where text is exact, else the bytes: a NaN has more than one bit pattern."""
    if value.dtype.kind not in "biufMU" or value.dtype.names is not None:
        raise ConfigError(f"{where} is an array of {value.dtype}, which cannot be saved as plain values; use numbers, booleans or text")
    array = np.asarray(value, order="C")
    out = {"type": "array" if isinstance(value, np.ndarray) else "scalar", "dtype": array.dtype.str, "shape": list(array.shape)}
    if array.dtype.kind in "biuU" or (array.dtype == np.float64 and np.isfinite(array).all()):
        return out | {"values": array.ravel().tolist()}
    return out | {"bytes": base64.b64encode(array.tobytes()).decode("ascii")}


def plain_dtype(text: Any) -> np.dtype[Any]:
    """The dtype of a saved array; StateError for one that could hold anything but numbers, booleans, times and text."""
    try:
        dtype: np.dtype[Any] = np.dtype(text)
    except (TypeError, ValueError) as error:
        raise StateError(f"{text!r} is no type of array; the saved values are damaged") from error
    if dtype.kind not in "biufMU" or dtype.names is not None:
        raise StateError(f"{text!r} is no type of plain values; the saved values are damaged")
    return dtype


def decode(node: Json, where: str, other: Callable[[Json, str], Any] | None = None, notes: list[str] | None = None) -> Any:
    """The value that `encode` wrote.

    `other` is asked for a class that is none of the package's; fields that stand in no file take their default, and
    `notes` gets a sentence about each. StateError for what cannot be made.
    """
    if isinstance(node, list):
        return tuple(decode(item, f"{where}[{k}]", other, notes) for k, item in enumerate(node))
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    try:
        if kind == "float":
            return float(node["value"])
        if kind == "list":
            return [decode(item, f"{where}[{k}]", other, notes) for k, item in enumerate(node["items"])]
        if kind == "mapping":
            return {decode(key, where, other, notes): decode(item, f"{where}[{key!r}]", other, notes) for key, item in node["items"]}
        if kind in ("array", "scalar"):
            return _decode_array(node)
        if kind in _TIMES:
            return _decode_time(node)
        if kind in _DATES:
            return _DATES[kind].fromisoformat(node["value"])
    except VecbtError:
        raise
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise StateError(f"{where} is damaged: {error}") from error
    if kind in known_classes():
        return _decode_known(node, where, other, notes)
    if other is not None:
        return other(node, where)
    raise StateError(f"{where} is of type {kind!r}, which this version of vecbt does not know")


def _decode_array(node: Json) -> Any:
    dtype = plain_dtype(node["dtype"])
    if "values" in node:
        flat = np.array(node["values"], dtype=dtype)
    else:
        flat = np.frombuffer(base64.b64decode(node["bytes"]), dtype=dtype).copy()
    array = flat.reshape(tuple(node["shape"]))
    return array if node["type"] == "array" else array[()]


def _decode_known(node: Json, where: str, other: Callable[[Json, str], Any] | None, notes: list[str] | None) -> Any:
    cls: Any = known_classes()[node["type"]]
    try:
        if issubclass(cls, Enum):
            return cls(node["value"])
        names = _fields_of(cls)
        unknown = set(node) - {_key(name) for name in names} - {"type"}
        if unknown:
            raise StateError(f"{where}: {cls.__name__} has no {sorted(unknown)[0]!r} in this version of vecbt; it was saved by another one")
        missing = [name for name in names if _key(name) not in node]
        values = {name: decode(node[_key(name)], f"{where}.{name}", other, notes) for name in names if name not in missing}
        made = cls(**values)
    except StateError:
        raise
    except (KeyError, TypeError, ValueError) as error:  # a class refuses its values with a ConfigError, which is a ValueError
        raise StateError(f"{where}: {cls.__name__} cannot be made of the saved values: {error}") from error
    if missing and notes is not None:
        taken = ", ".join(f"{name} {getattr(made, name)!r}" for name in missing)
        notes.append(f"{where} was saved without {', '.join(missing)}; this version's default is taken: {taken}")
    return made
