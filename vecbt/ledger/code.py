"""The hash of a strategy's code, again only where something it reads has changed.

Reading the text of a class takes milliseconds, a look at its compiled functions and the plain globals they name takes none. Where they are
as they were, so is the text.
"""

from __future__ import annotations

from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..core.sources import _is_library, code_hash

__all__ = ["code_of"]

_PLAIN = (type(None), bool, int, float, str, bytes)
_MOST = 512
_kept: dict[Any, str] = {}


def code_of(value: Any) -> str:
    """`core.sources.code_hash` of a value; of plain values nothing."""
    if _is_plain(value):
        return ""
    if not isinstance(value, type | FunctionType):
        return code_hash(value)
    mark = _Mark()
    mark.look(value)
    if not mark.whole:
        return code_hash(value)
    key = (value, tuple(mark.parts))
    found = _kept.get(key)
    if found is None:
        if len(_kept) >= _MOST:
            _kept.clear()
        found = _kept[key] = code_hash(value)
    return found


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN or (type(value) in (tuple, list) and all(_is_plain(item) for item in value))


class _Mark:
    """What the code of a function or class is made of; `whole` is False where it reads more than can be compared at once."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.whole = True
        self._seen: set[int] = set()

    def look(self, value: Any) -> None:
        """A function, or a class with its functions and those of its bases."""
        value = getattr(value, "py_func", value)
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, type):
            for kind in value.__mro__[:-1]:
                if not _installed(kind.__module__):
                    for name, member in vars(kind).items():
                        self._member(name, member)
        elif isinstance(value, FunctionType):
            self._function(value)

    def _member(self, name: str, member: Any) -> None:
        if type(member) in _PLAIN and not name.startswith("__"):
            self.parts.append((name, type(member), member))
        inner = getattr(member, "__func__", None) or getattr(member, "fget", None) or getattr(member, "func", None) or member
        if isinstance(getattr(inner, "py_func", inner), FunctionType):
            self.look(inner)

    def _function(self, function: FunctionType) -> None:
        if _installed(function.__module__) or function.__code__.co_filename == "<string>":  # what dataclasses make
            return
        self.parts.append(function.__code__)
        read = {name: function.__globals__[name] for name in _names_in(function.__code__) if name in function.__globals__}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                read[f"{name} of the closure"] = cell.cell_contents
            except ValueError:  # nothing was put into it yet
                self.whole = False
        read |= {f"default {k}": value for k, value in enumerate(function.__defaults__ or ())} | (function.__kwdefaults__ or {})
        for name, value in sorted(read.items()):
            if type(value) in _PLAIN:
                self.parts.append((name, type(value), value))
            elif isinstance(getattr(value, "py_func", value), type | FunctionType):
                self.parts.append(name)
                self.look(value)
            elif not isinstance(value, ModuleType):
                self.whole = False


def _installed(module: str | None) -> bool:
    """Whether `code_hash` leaves the text of a module out: what is installed, and vecbt itself."""
    return module is None or module.partition(".")[0] == __name__.partition(".")[0] or _is_library(module)


def _names_in(code: CodeType) -> set[str]:
    """Names that a function and those inside it read."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names_in(constant)
    return names
