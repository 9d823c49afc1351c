"""A user's compiled function, called from the package's own loops by its address, and the memory that both share.

The loops are compiled once, for any such function: it enters them as a number, so a new one costs its own compilation and nothing else,
and is kept on disk like theirs. What it reads and writes are records at addresses. Uncompiled, the same numbers find the same memory and
the function itself, so the bits are the same.
"""

from __future__ import annotations

import ctypes
import hashlib
import inspect
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StrategyError, nearest
from .jit import ENGINE, cache_folder, kernel_sources_hash

__all__ = ["Native", "call_five", "call_four", "called_back", "native", "peek", "peek_int", "poke", "poke_byte", "poke_int"]

_INTERPRETED: list[Callable[..., float]] = []


class Native:
    """A function that loops call by `address`. It must be kept as long as the address is used."""

    def __init__(self, function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], address: int, kept: object) -> None:
        self.function, self.layouts, self.address, self._kept = function, layouts, address, kept


_MADE: dict[tuple[Any, ...], Native] = {}


def native(function: Callable[..., Any], names: tuple[str, ...], layouts: tuple[np.dtype[Any], ...], owner: str) -> Native:
    """`function` of records with these layouts to a number, ready to be called; compiled, or taken from the cache, when it was not.

    Parameters
    ----------
    function : takes one record per layout; what it returns becomes float64
    names : of its arguments, for errors
    owner : what the errors call it

    Raises
    ------
    StrategyError : it cannot be compiled; the message has the line and what is wrong in it.
    """
    key = (function, layouts)
    if key not in _MADE:
        made = _interpreted(function, layouts) if ENGINE == "python" else _compiled(function, names, layouts, owner)
        _MADE[key] = made
    return _MADE[key]


def called_back(method: Callable[..., float], layouts: tuple[np.dtype[Any], ...]) -> Native:
    """A method that stays Python, called from the loops with the addresses of its records; it must not raise.

    The loops run without the interpreter's lock; it is taken for the call. Only the address is kept here: the method's object lives as
    long as its owner holds it, and must be held as long as the address is used.
    """
    held = weakref.WeakMethod(method)

    def call(*places: int) -> float:
        alive = held()
        return float("nan") if alive is None else float(alive(*places))

    if ENGINE == "python":
        _INTERPRETED.append(call)
        return Native(call, layouts, len(_INTERPRETED), call)
    entry = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_size_t] * len(layouts))(call)
    address = ctypes.cast(entry, ctypes.c_void_p).value
    assert address is not None  # a function made just now stands somewhere
    return Native(call, layouts, address, entry)


# --- compiled ------------------------------------------------------------------------------------------------------------


def _compiled(function: Callable[..., Any], names: tuple[str, ...], layouts: tuple[np.dtype[Any], ...], owner: str) -> Native:
    import numba
    from numba.core import errors

    signature = numba.types.float64(*(numba.from_dtype(layout) for layout in layouts))
    folder = _folder_for(function)
    before = numba.config.CACHE_DIR
    try:
        if folder is not None:
            numba.config.CACHE_DIR = str(folder)
        made = _with_cache(numba, signature, function, folder is not None)
    except KeyError as error:  # numba looks a field up without asking whether it is there
        raise StrategyError(_no_such_field(function, str(error.args[0]), names, layouts, owner)) from None
    except errors.NumbaError as error:
        raise StrategyError(_typing_fault(function, error, owner)) from None
    finally:
        numba.config.CACHE_DIR = before
    return Native(function, layouts, int(made.address), made)


def _with_cache(numba: Any, signature: Any, function: Callable[..., Any], cache: bool) -> Any:
    options = {"error_model": "numpy", "nogil": True}
    if cache:
        try:
            return numba.cfunc(signature, cache=True, **options)(function)
        except (RuntimeError, OSError):  # no file to tell whether the source has changed: a function typed at a prompt
            pass
    return numba.cfunc(signature, **options)(function)


def _folder_for(function: Callable[..., Any]) -> Path | None:
    """The cache folder for exactly this source: numba itself looks at the file of the function alone, not at what it calls."""
    root = cache_folder()
    if root is None:
        return None
    digest = hashlib.sha256(kernel_sources_hash().encode())
    for part in sorted(_sources(function, set())):
        digest.update(part.encode())
    return root / f"user-{digest.hexdigest()[:16]}"


def _sources(function: Any, seen: set[int]) -> set[str]:
    """Text of the function and of all compiled functions it calls, and the constants they read."""
    inner = getattr(function, "py_func", function)
    if id(inner) in seen or not hasattr(inner, "__code__"):
        return set()
    seen.add(id(inner))
    found = {inspect.getsource(inner) if _has_source(inner) else repr(inner.__code__.co_code)}
    for name in inner.__code__.co_names:
        value = inner.__globals__.get(name)
        if hasattr(value, "py_func"):
            found |= _sources(value, seen)
        elif isinstance(value, (bool, int, float, str, tuple)):
            found.add(f"{name}={value!r}")
    return found


def _has_source(function: Callable[..., Any]) -> bool:
    try:
        inspect.getsource(function)
    except (OSError, TypeError):
        return False
    return True


def _no_such_field(function: Callable[..., Any], field: str, names: tuple[str, ...], layouts: tuple[np.dtype[Any], ...], owner: str) -> str:
    where, text = _line_with(function, f".{field}")
    for name, layout in zip(_given_names(function, names), layouts, strict=True):
        if f"{name}.{field}" in text:
            return f"{owner}, {where}: `{text}`: {name} has no field {field!r}; {nearest(field, layout.names or ())}"
    return f"{owner}, {where}: `{text}`: there is no field {field!r}"


def _given_names(function: Callable[..., Any], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)[: len(names)]


def _line_with(function: Callable[..., Any], piece: str) -> tuple[str, str]:
    """Where the first line with `piece` stands, and its text."""
    code = function.__code__
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return f"{Path(code.co_filename).name}, line {code.co_firstlineno}", piece
    for offset, line in enumerate(lines):
        if piece in line:
            return f"{Path(code.co_filename).name}, line {first + offset}", line.strip()
    return f"{Path(code.co_filename).name}, line {first}", lines[0].strip()


def _typing_fault(function: Callable[..., Any], error: Any, owner: str) -> str:
    """Numba's message cut down to the user's line and what is wrong in it."""
    code = function.__code__
    line = getattr(getattr(error, "loc", None), "line", None) or _line_in(str(error)) or code.co_firstlineno
    text = _text_of(function, line)
    return f"{owner}, {Path(code.co_filename).name}, line {line}: `{text}`: {_what_is_wrong(str(error))}"


def _line_in(message: str) -> int | None:
    found = re.findall(r"\((\d+)\)\s*$", message, re.MULTILINE) or re.findall(r"line (\d+)", message)
    return int(found[0]) if found else None


def _text_of(function: Callable[..., Any], line: int) -> str:
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return function.__name__
    return lines[line - first].strip() if 0 <= line - first < len(lines) else function.__name__


def _what_is_wrong(message: str) -> str:
    """The sentences of numba that name types, without its advice."""
    skipped = ("Failed in", "During", "File", "There are", "- Of", "Overload", "With argument", "No match", "Operator", "* (", ">>>", "^")
    said = [text for text in map(str.strip, message.splitlines()) if text and not text.startswith(skipped)]
    calls = [text.strip(" >") for text in map(str.strip, message.splitlines()) if text.startswith(">>>")]
    unknown = re.search(r"Untyped global name '(\w+)'.*<class 'function'>", message, re.DOTALL)
    if unknown:
        return f"{unknown[1]} is plain Python; what a rule calls is compiled, too: write @numba.njit above {unknown[1]}"
    if "No conversion from none" in message:
        return "not every way through it returns a number; return 0 (or nan) where it says nothing"
    return "; ".join([*said[:1], *calls[:1]]) or message.splitlines()[0]


# --- uncompiled ----------------------------------------------------------------------------------------------------------


def _interpreted(function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...]) -> Native:
    kinds = tuple(np.dtype((np.record, layout)) for layout in layouts)

    def call(*places: int) -> float:
        return float(function(*(_record_at(place, kind) for place, kind in zip(places, kinds, strict=True))))

    _INTERPRETED.append(call)
    return Native(function, layouts, len(_INTERPRETED), call)


def _record_at(place: int, kind: np.dtype[Any]) -> Any:
    memory: Any = (ctypes.c_uint8 * kind.itemsize).from_address(place)
    return np.frombuffer(memory, dtype=kind, count=1).view(np.recarray)[0]


# --- memory and calls, in loops ------------------------------------------------------------------------------------------


def _interpreted_tools() -> tuple[Any, ...]:
    def reader(kind: Any) -> Any:
        return lambda address, place: kind.from_address(int(address) + int(place) * ctypes.sizeof(kind)).value

    def writer(kind: Any) -> Any:
        def write(address: int, place: int, value: Any) -> None:
            kind.from_address(int(address) + int(place) * ctypes.sizeof(kind)).value = value

        return write

    def call(address: int, *places: int) -> float:
        return _INTERPRETED[int(address) - 1](*map(int, places))

    number, integer, byte = ctypes.c_double, ctypes.c_int64, ctypes.c_uint8
    return reader(number), writer(number), reader(integer), writer(integer), writer(byte), call, call


def _compiled_tools() -> tuple[Any, ...]:
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    number, integer, byte = ir.DoubleType(), ir.IntType(64), ir.IntType(8)

    def pointer_to(kind: Any, builder: Any, address: Any, place: Any) -> Any:
        return builder.gep(builder.inttoptr(address, kind.as_pointer()), [place])

    def reader(kind: Any, result: Any) -> Any:
        @intrinsic  # type: ignore[untyped-decorator]
        def read(typing_context: Any, address: Any, place: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                return builder.load(pointer_to(kind, builder, *arguments))

            return result(types.int64, types.int64), code

        return read

    def writer(kind: Any, taken: Any) -> Any:
        @intrinsic  # type: ignore[untyped-decorator]
        def write(typing_context: Any, address: Any, place: Any, value: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                builder.store(arguments[2], pointer_to(kind, builder, *arguments[:2]))
                return context.get_dummy_value()

            return types.void(types.int64, types.int64, taken), code

        return write

    def call(builder: Any, arguments: Any) -> Any:
        anything = byte.as_pointer()
        kind = ir.FunctionType(number, [anything] * (len(arguments) - 1))
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        return builder.call(function, [builder.inttoptr(place, anything) for place in arguments[1:]])

    @intrinsic  # type: ignore[untyped-decorator]
    def call_with_four(typing_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return call(builder, arguments)

        return types.float64(*[types.int64] * 5), code

    @intrinsic  # type: ignore[untyped-decorator]
    def call_with_five(typing_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return call(builder, arguments)

        return types.float64(*[types.int64] * 6), code

    return (
        reader(number, types.float64), writer(number, types.float64), reader(integer, types.int64), writer(integer, types.int64),
        writer(byte, types.uint8), call_with_four, call_with_five,
    )  # fmt: skip


peek, poke, peek_int, poke_int, poke_byte, call_four, call_five = _interpreted_tools() if ENGINE == "python" else _compiled_tools()
"""`peek(address, place)` reads the float64 at that place of an array, `poke(address, place, value)` writes it; `_int` int64, `_byte` uint8.

`call_four(function, a, b, c, d)` calls a native function with records at four addresses, `call_five` with five. Nothing is checked.
"""
