"""What code a value would run, as a hash: the text of functions and classes, of what they call, and the data they read.

For telling whether something was made by the same code, where a name alone would not tell: a function keeps its name when it is edited.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Set
from enum import Enum
from pathlib import Path
from types import CodeType, MethodType, ModuleType
from typing import Any

import numpy as np

from .identity import identity

__all__ = ["code_hash"]

_ROOT = __name__.partition(".")[0]
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


def code_hash(*values: Any) -> str:
    """SHA-256 of the code that stands in values, hexadecimal; of nothing where there is none.

    Covered: the text of functions and classes that are given or stand in attributes, containers, `functools.partial`, methods; of the
    functions and classes that these name, as far as they are of the same package or of the user's own (not installed); what they
    close over, their defaults, and the numbers, texts, arrays, containers and objects of the user's own among the globals they name.

    Not covered: other installed packages, what is reached through a module (`helpers.scale(...)`, where `helpers` is imported whole) or
    made at run time (`getattr`, files, the network), and vecbt itself, whose hash of kernels tells. Where a text cannot be read (code
    typed at a prompt), the compiled code stands for it, which another version of Python compiles otherwise.
    """
    walk = _Walk()
    for value in values:
        walk.look(value, "")
    digest = hashlib.sha256()
    for part in sorted(walk.parts):
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()


@functools.cache
def _libraries() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple(Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))


@functools.cache
def _is_library(module: str) -> bool:
    """Whether a module came with Python or was installed; what has no file and is no script did."""
    if module == "__main__":
        return False
    name = getattr(sys.modules.get(module), "__file__", None)
    return name is None or any(folder in Path(name).resolve().parents for folder in _libraries())


class _Walk:
    """All that was looked at, and its parts: texts, and data by name."""

    def __init__(self) -> None:
        self.parts: set[str] = set()
        self._seen: dict[int, Any] = {}

    def look(self, value: Any, reader: str) -> None:
        """`reader`: the package of the code that names this value, empty for what was given."""
        if type(value) in _PLAIN or isinstance(value, ModuleType) or id(value) in self._seen:
            return
        self._seen[id(value)] = value  # kept: its id is not given away
        value = getattr(value, "py_func", value)
        if isinstance(value, type):
            self._kind(value, reader)
        elif hasattr(value, "__code__"):
            self._function(value, reader)
        else:
            for part in self._parts_of(value, reader):
                self.look(part, reader)

    def _parts_of(self, value: Any, reader: str) -> Iterator[Any]:
        if isinstance(value, functools.partial):
            yield from (value.func, value.args, value.keywords)
        elif isinstance(value, MethodType):
            yield from (value.__func__, value.__self__)
        elif isinstance(value, staticmethod | classmethod):
            yield value.__func__
        elif isinstance(value, property):
            yield from (value.fget, value.fset)
        elif isinstance(value, functools.cached_property):
            yield value.func
        elif hasattr(value, "__wrapped__"):
            yield value.__wrapped__
        elif isinstance(value, Mapping):
            yield from value.values()
        elif isinstance(value, list | tuple | Set):
            yield from value
        elif not isinstance(value, Enum) and (self._is_own(type(value).__module__, reader) or _of_vecbt(type(value).__module__)):
            yield type(value)
            yield from getattr(value, "__dict__", {}).values()

    def _is_own(self, module: str | None, reader: str) -> bool:
        """Whether the text of what stands in a module counts."""
        return module is not None and not _of_vecbt(module) and (module.partition(".")[0] == reader or not _is_library(module))

    def _kind(self, kind: type, reader: str) -> None:
        for base in kind.__mro__:
            inner = base.__module__.partition(".")[0]
            ours = any(_of_vecbt(above.__module__) for above in base.__mro__)  # a strategy, wherever it was installed
            if not self._is_own(base.__module__, inner if ours else reader):
                continue
            text = _text_of(base)
            if text is not None:
                self.parts.add(f"{base.__qualname__}: {text}")
            for name, member in vars(base).items():
                if not name.startswith("_") and type(member) in (*_PLAIN, tuple):
                    self.parts.add(f"{base.__qualname__}.{name}={identity(member)}")
                if not name.startswith("__") or (hasattr(member, "__code__") and _text_of(member) is not None):  # not those of dataclasses
                    self.look(member, inner)

    def _function(self, function: Any, reader: str) -> None:
        module = getattr(function, "__module__", None)
        code: CodeType = function.__code__
        inner = reader if module is None else module.partition(".")[0]
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self._read(name, cell.cell_contents, inner)
            except ValueError:  # nothing was put into it yet
                continue
        for name, default in _defaults_of(function):
            self._read(name, default, inner)
        if not self._is_own(module, reader or inner):
            return
        text = _text_of(function)
        whole = text is None or function.__name__ == "<lambda>"  # several of those may stand in one line
        self.parts.add(f"{function.__qualname__}: {text}{_compiled(code) if whole else ''}")
        for name in sorted(_names_in(code) & function.__globals__.keys()):
            self._read(name, function.__globals__[name], inner)

    def _read(self, name: str, value: Any, reader: str) -> None:
        """What a function reads from outside: its value where that is data, and the code in it."""
        if self._is_data(value, reader):
            self.parts.add(f"{name}={identity(value)}")
        self.look(value, reader)

    def _is_data(self, value: Any, reader: str) -> bool:
        if isinstance(value, (*_PLAIN, Enum, np.ndarray, np.generic, Mapping, list, tuple, Set)):
            return True
        kind = type(value)
        if isinstance(value, type | ModuleType | functools.partial) or hasattr(value, "__code__") or hasattr(value, "__wrapped__"):
            return False
        return hasattr(value, "__array__") or _of_vecbt(kind.__module__) or self._is_own(kind.__module__, reader)


def _of_vecbt(module: str) -> bool:
    return module.partition(".")[0] == _ROOT


def _defaults_of(function: Any) -> Iterator[tuple[str, Any]]:
    """Values of arguments that may be left out, by number and by name."""
    yield from ((f"default {k}", value) for k, value in enumerate(function.__defaults__ or ()))
    yield from sorted((function.__kwdefaults__ or {}).items())


def _text_of(value: Any) -> str | None:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        return None


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    """The code, and that of functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_in(constant)


def _names_in(code: CodeType) -> set[str]:
    return {name for part in _codes_in(code) for name in part.co_names}


def _compiled(code: CodeType) -> str:
    """Code without its text."""
    parts = []
    for part in _codes_in(code):
        constants = [identity(value) for value in part.co_consts if not isinstance(value, CodeType)]
        parts.append(f"{part.co_code.hex()} {part.co_names} {part.co_varnames} {constants}")
    return "\n".join(parts)
