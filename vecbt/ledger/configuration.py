"""What makes a configuration: the strategy, its code and parameters, the setup, and the symbols that an account trades.

A configuration is a sum of terms (`hashes`), the same for a run and for the set of a sweep. Of a setup only what differs from the default
is a term, and `accounts` is none: an account of a symbol is the same configuration as a run over that symbol. The data are not part of it.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.inputs import AlignedInputs, Inputs
from ..engine.setup import Setup
from ..engine.strategy import FunctionStrategy, Strategy
from .code import code_of
from .hashes import MASK, mixed, term

__all__ = ["Known", "account_terms", "default_of", "is_inputs", "parameter_place", "setup_terms", "source_terms", "trial_ids"]

_SAME_KIND = ("costs", "stops", "risk", "carry")
"""Parts of a setup that are of one class, and off where nothing in them is set."""

Known = dict[str, tuple[Any, dict[str, int]]]
"""The part of a setup that stood in each field last, and its terms."""

_PLAIN = (type(None), bool, int, float, str, tuple)


def source_terms(source: Any, aligned: AlignedInputs | None = None, without: Iterable[str] = ()) -> int:
    """The sum of the terms of what decides; `without` names parameters that vary, `aligned` are inputs as they were given, for all bars."""
    if aligned is not None:
        return term("inputs", [aligned.kind.name, _bytes_of(aligned)])
    if isinstance(source, FunctionStrategy):
        function, arguments, keywords = _unbound(source.function)
        found = term("strategy", function) + term("code", code_of(function)) + term("bound", arguments)
        found += term("looks back", source.lookback)
        return (found + sum(_parameter(name, value) for name, value in keywords.items())) & MASK
    kind, left = type(source), set(without)
    found = term("strategy", kind) + term("code", code_of(kind))
    return (found + sum(_parameter(name, value) for name, value in source.parameters.items() if name not in left)) & MASK


def _parameter(name: str, value: Any) -> int:
    return term(parameter_place(name, value), value)


def parameter_place(name: str, value: Any) -> str:
    """The place of a parameter; where its value holds code of the user's, with the hash of that."""
    code = code_of(value)
    return f"parameter {name} {code}" if code else f"parameter {name}"


def _unbound(function: Any) -> tuple[Any, tuple[Any, ...], Mapping[str, Any]]:
    """A function, and what functools.partial bound to it."""
    if hasattr(function, "func") and hasattr(function, "keywords"):
        inner, arguments, keywords = _unbound(function.func)
        return inner, (*arguments, *function.args), {**keywords, **function.keywords}
    return function, (), {}


def _bytes_of(aligned: AlignedInputs) -> str:
    """The rows themselves, whatever table they came in."""
    digest = hashlib.sha256()
    for array in (aligned.flags, aligned.values, aligned.orders, aligned.starts):
        digest.update(b"-" if array is None else b"+" + str(array.shape).encode())
        for part in () if array is None else _parts_of(array):
            digest.update(np.ascontiguousarray(part).view(np.uint8).data)
    return digest.hexdigest()


def _parts_of(array: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """What is hashed of an array: where numbers are known, and those; most tables of weights are empty but for the days that rebalance."""
    if array.dtype != np.float64:
        return (array,)
    known = ~np.isnan(array)
    if 2 * np.count_nonzero(known) > known.size:
        return (array,)
    return (np.packbits(known), array[known])


def setup_terms(setup: Setup, known: Known | None = None) -> dict[str, int]:
    """The terms of all that is not as by default, by dotted name.

    `known` are the parts that setups before had, and their terms: those of a sweep share most of them.
    """
    found: dict[str, int] = {}
    known = {} if known is None else known
    for name, default in _parts(Setup):
        if name == "accounts":
            continue
        value = getattr(setup, name)
        part, terms = known.get(name, (None, {}))
        if value is not part or part is None:
            terms = {}
            _walk(name, value, default, terms)
            known[name] = value, terms
        found |= terms
    return found


@functools.cache
def _parts(kind: type) -> tuple[tuple[str, Any], ...]:
    """Names of what is said of a configuration in a class, and their defaults."""
    return tuple((f.name, f.default) for f in dataclasses.fields(kind) if f.init and f.compare and not f.name.startswith("_"))


def default_of(setup: Setup, path: str) -> Any:
    """The value under a dotted name that is no term; `dataclasses.MISSING` where each value is one, or what holds it is off."""
    *heads, name = path.split(".")
    owner: Any = setup
    for head in heads:
        owner = getattr(owner, head, None)
    if not dataclasses.is_dataclass(owner):
        return dataclasses.MISSING
    kind: Any = type(owner)
    return dict(_parts(kind)).get(name, dataclasses.MISSING)


def _walk(path: str, value: Any, default: Any, found: dict[str, int]) -> None:
    if value is default or (default is not dataclasses.MISSING and _equal(value, default)):
        return
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        found[path] = term(f"setup {path}", value)
        return
    if path not in _SAME_KIND:
        found[path] = term(f"setup {path}", type(value).__qualname__)
    for name, inner in _parts(type(value)):
        _walk(f"{path}.{name}", getattr(value, name), inner, found)


def _equal(value: Any, default: Any) -> bool:
    plain = type(value) in _PLAIN and type(default) in _PLAIN
    return plain and isinstance(value, bool) == isinstance(default, bool) and bool(value == default)


def account_terms(symbols: tuple[str, ...], separate: bool) -> NDArray[np.uint64]:
    """A term for the symbols that each account trades, (A,)."""
    accounts = [[symbol] for symbol in symbols] if separate else [sorted(symbols)]
    return np.array([term("symbols", names) for names in accounts], dtype=np.uint64)


def trial_ids(sums: NDArray[np.uint64], accounts: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The number of each configuration (C,) in each account (A,): (C, A)."""
    found: NDArray[np.uint64] = mixed(sums[:, None] + accounts[None, :])
    return found


def is_inputs(source: Any) -> bool:
    """Whether what decides are rows, and no strategy."""
    return isinstance(source, Inputs | AlignedInputs) and not isinstance(source, Strategy)
