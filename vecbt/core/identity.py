"""A text that is equal for equal parameters and different for different ones, in every process.

`repr` is neither: it cuts long arrays short, holds the address of an object without one of its own, follows the order in which a mapping
was filled, and tells `np.float64(0.1)` from 0.1.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Set
from enum import Enum
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["identity"]


def identity(value: Any) -> str:
    """`value` as JSON for comparing: arrays by the hash of their bytes, objects by what they hold, functions by their names."""
    return _text(_plain(value, ()))


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def _text(plain: Any) -> str:
    return str(plain) if type(plain) is int else _ENCODER.encode(plain)


def _plain(value: Any, around: tuple[int, ...]) -> Any:
    """`around`: ids of the objects this one stands in, which may come again inside themselves."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Enum):
        return [type(value).__qualname__, value.name]
    if isinstance(value, int | float | np.integer | np.floating):
        return _number(value)
    if isinstance(value, datetime.date | datetime.time):
        return ["time", value.isoformat()]
    if isinstance(value, type) or hasattr(value, "__qualname__"):  # a class, a function, a method, which has an object too
        owner = getattr(value, "__self__", None)
        bound = [] if owner is None or isinstance(owner, ModuleType) else [_plain(owner, around)]
        return ["name", f"{value.__module__}.{value.__qualname__}", *bound]
    if id(value) in around:
        return ["again", len(around) - around.index(id(value))]
    return _container(value, (*around, id(value)))


def _number(value: Any) -> int | float | str:
    """Equal numbers alike, whatever their type; all digits."""
    exact = int(value) if isinstance(value, int | np.integer) else float(value)
    if not math.isfinite(exact):
        return f"number {exact}"
    return int(exact) if exact == int(exact) else exact


def _container(value: Any, around: tuple[int, ...]) -> Any:
    if isinstance(value, Mapping):
        pairs = [[_plain(key, around), _plain(item, around)] for key, item in value.items()]
        return ["mapping", sorted(pairs, key=_text)]
    if isinstance(value, list | tuple):
        return ["sequence", *(_plain(item, around) for item in value)]
    if isinstance(value, Set):
        return ["set", *sorted((_plain(item, around) for item in value), key=_text)]
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        return _array(value, around)
    if isinstance(value, functools.partial):
        return ["partial", *(_plain(part, around) for part in (value.func, value.args, value.keywords))]
    if dataclasses.is_dataclass(value):
        return [type(value).__qualname__, {f.name: _plain(getattr(value, f.name), around) for f in dataclasses.fields(value) if f.compare}]
    return _object(value, around)


def _array(value: Any, around: tuple[int, ...]) -> Any:
    """An array, or a table of a library, which has labels beside its values."""
    array = np.asarray(value)
    names = () if isinstance(value, np.ndarray | np.generic) else [name for name in ("index", "columns") if hasattr(value, name)]
    labels = [_plain(np.asarray(getattr(value, name)), around) for name in names]
    if array.dtype.hasobject:
        return ["array", list(array.shape), *(_plain(item, around) for item in array.ravel().tolist()), *labels]
    return ["array", str(array.dtype.descr), list(array.shape), hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest(), *labels]


def _object(value: Any, around: tuple[int, ...]) -> Any:
    """Anything else by its attributes; by its own repr, less addresses, where it has none."""
    name = type(value).__qualname__
    if isinstance(value, bytes | bytearray):
        return [name, hashlib.sha256(value).hexdigest()]
    if isinstance(value, os.PathLike):
        return [name, os.fspath(value)]
    slots = [slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ())]
    held = {key: getattr(value, key) for key in [*getattr(value, "__dict__", {}), *slots] if isinstance(key, str) and hasattr(value, key)}
    held.pop("__dict__", None)
    if held:
        return [name, {key: _plain(item, around) for key, item in held.items()}]
    return [name, re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))]
