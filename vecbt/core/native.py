"""A user's compiled function in the package's own loops, and the memory that both share.

The simulation is compiled once, for any such function: it enters as a number, its address, so a new one costs its own compilation and
nothing else. A small loop that only asks it, bar after bar, is compiled anew with the function in it (`native_loop`): the call would cost
more than most rules. Both are kept on disk. What the function reads and writes are records at addresses. Uncompiled, the same numbers find
the same memory and the function itself, so the bits are the same.
"""

from __future__ import annotations

import ctypes
import hashlib
import inspect
import math
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeAlias

import numpy as np

from ..errors import StrategyError, nearest
from .jit import ENGINE, cache_folder, kernel_sources_hash

__all__ = [
    "Native", "address_of", "call_at", "call_five", "call_four", "call_loop", "called_back", "names_in", "native", "native_loop", "peek",
    "peek_int", "poke", "poke_byte", "poke_int", "run_at",
]  # fmt: skip

_INTERPRETED: list[Callable[..., Any]] = []

Constants: TypeAlias = tuple[tuple[str, tuple[int, ...]], ...]


class Native:
    """A function that loops call by `address`. It must be kept as long as the address is used."""

    def __init__(self, function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], address: int, kept: object) -> None:
        self.function, self.layouts, self.address, self._kept = function, layouts, address, kept


_MADE: dict[tuple[Any, ...], Native] = {}


def native(function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], owner: str, known: tuple[tuple[str, ...], ...] = ()) -> Native:
    """`function` of records with these layouts to a number, ready to be called; compiled, or taken from the cache, when it was not.

    Parameters
    ----------
    function : takes one record per layout; what it returns becomes float64
    owner : what the errors call it
    known : for errors, the fields that the first records could have, where their layouts hold only what the function names

    Raises
    ------
    StrategyError : it cannot be compiled; the message has the line and what is wrong in it.
    """
    key = (function, layouts)
    if key not in _MADE:
        made = _interpreted(function, layouts) if ENGINE == "python" else _compiled(function, layouts, owner, known)
        _MADE[key] = made
    return _MADE[key]


def native_loop(
    loop: Callable[..., Any], constants: Constants, function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], owner: str,
    known: tuple[tuple[str, ...], ...] = (),
) -> Native:  # fmt: skip
    """`loop(desk, bars, assets)`, which asks through `call_four`, compiled with `function` itself in the place of that call.

    Its `address` is that of a C function of three int64; `function` is the same for Python. `constants` are functions that the loop
    calls with the desk, by name, and the numbers that each answers, known beforehand. The other parameters, and errors, as for `native`.
    """
    key = (loop, constants, function, layouts)
    if key not in _MADE:
        if ENGINE == "python":  # the loop asks by address, as it stands
            _INTERPRETED.append(loop)
            _MADE[key] = Native(loop, layouts, len(_INTERPRETED), loop)
        else:
            _MADE[key] = _compiled_loop(loop, constants, function, layouts, owner, known)
    return _MADE[key]


def address_of(loop: Any, *arguments: Any) -> int:
    """Where `loop`, compiled for arguments of the types of these, stands: for `run_at` and `call_at` with just such arguments.

    A loop that calls another compiles all of it once more; by its address it is the one that is there.
    """
    if ENGINE == "python":
        _INTERPRETED.append(loop)
        return len(_INTERPRETED)
    types = tuple(loop.typeof_pyval(argument) for argument in arguments)
    loop.compile(types)
    made = loop.overloads[types]
    return int(made.library.get_pointer_to_function(made.fndesc.llvm_func_name))


def called_back(method: Callable[..., float], layouts: tuple[np.dtype[Any], ...]) -> Native:
    """A method that stays Python, called from the loops with the addresses of its records; it must not raise.

    The loops run without the interpreter's lock; it is taken for the call. Only the address is kept here: the method's object lives as
    long as its owner holds it, and must be held as long as the address is used.
    """
    held = weakref.WeakMethod(method)

    def call(*places: int) -> float:
        alive = held()
        return math.nan if alive is None else float(alive(*places))

    def answer(into: Any, _: int, *places: int) -> int:
        into[0] = call(*places)
        return 0

    if ENGINE == "python":
        _INTERPRETED.append(call)
        return Native(call, layouts, len(_INTERPRETED), call)
    # as `call_four` and `call_five` call: where the number goes, where an exception is told, the records; back comes the status
    places = [ctypes.c_size_t] * (1 + len(layouts))
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(ctypes.c_double), *places)(answer)
    address = ctypes.cast(entry, ctypes.c_void_p).value
    assert address is not None  # a function made just now stands somewhere
    return Native(call, layouts, address, entry)


# --- compiled ------------------------------------------------------------------------------------------------------------


def _compiled(
    function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], owner: str, known: tuple[tuple[str, ...], ...]
) -> Native:
    import numba

    signature = numba.types.float64(*(numba.from_dtype(layout) for layout in layouts))
    try:
        made = _with_cache(numba, signature, function, _folder_for(function))
    except (KeyError, numba.core.errors.NumbaError) as error:
        raise _fault(function, error, layouts, owner, known) from None
    # the function itself, in numba's own way of calling: its wrapper for C would be a second call each bar
    return Native(function, layouts, int(made._library.get_pointer_to_function(made._wrapper_name.removeprefix("cfunc."))), made)


def _compiled_loop(
    loop: Any, constants: Constants, function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], owner: str,
    known: tuple[tuple[str, ...], ...],
) -> Native:  # fmt: skip
    import numba

    faults: list[BaseException] = []
    plain, folder = getattr(loop, "py_func", loop), _folder_for(function, f"{constants}{layouts}")
    known_before = {name: _constant(numba, numbers) for name, numbers in constants}
    names = {**plain.__globals__, **known_before, "call_four": _asking(numba, function, layouts, faults)}
    mine = FunctionType(plain.__code__, names, plain.__name__)
    # compiled code of other processes is loaded beside this one's: no two rules may share a name
    unlike = folder.name.removeprefix("user-") if folder is not None else f"{len(_MADE)}_{id(function)}"
    mine.__module__, mine.__qualname__ = plain.__module__, f"{plain.__name__}_{unlike}"
    number = numba.types.int64
    try:
        made = _with_cache(numba, numba.types.void(number, number, number), mine, folder if _has_source(function) else None)
    except (KeyError, numba.core.errors.NumbaError):
        if not faults:
            raise
        raise _fault(function, faults[0], layouts, owner, known) from None
    return Native(made.ctypes, layouts, int(made.address), made)


def _constant(numba: Any, numbers: tuple[int, ...]) -> Any:
    """A compiled function of one argument that answers these numbers."""
    return numba.njit(lambda _: numbers)


def _asking(numba: Any, function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], faults: list[BaseException]) -> Any:
    """What stands in the place of `call_four`: the function itself, for the optimiser to see into. One that raises answers inf."""
    from llvmlite import ir

    records = tuple(numba.from_dtype(layout) for layout in layouts)
    signature, integer = numba.types.float64(*records), numba.types.int64
    made: list[Any] = []

    def compiled() -> Any:
        if not made:
            try:
                made.append(numba.njit(signature, error_model="numpy", nogil=True)(getattr(function, "py_func", function)))
            except BaseException as error:
                faults.append(error)
                raise
        return made[0].overloads[records]

    @numba.extending.intrinsic  # type: ignore[untyped-decorator]
    def ask(typing_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        compiled()

        def code(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
            whole = compiled()
            context.add_linking_libs((whole.library,))
            places = [builder.inttoptr(place, context.get_value_type(kind)) for place, kind in zip(arguments[1:], records, strict=True)]
            status, answer = context.call_internal_no_propagate(builder, whole.fndesc, signature, places)
            return builder.select(status.is_ok, answer, ir.Constant(ir.DoubleType(), math.inf))

        return numba.types.float64(*[integer] * 5), code

    return ask


def _fault(
    function: Callable[..., Any], error: BaseException, layouts: tuple[np.dtype[Any], ...], owner: str, known: tuple[tuple[str, ...], ...]
) -> StrategyError:
    """What numba could not compile, in the words of whoever wrote it."""
    if isinstance(error, KeyError):  # numba looks a field up without asking whether it is there
        return StrategyError(_no_such_field(function, str(error.args[0]), layouts, owner, known))
    return StrategyError(_typing_fault(function, error, owner))


def _with_cache(numba: Any, signature: Any, function: Callable[..., Any], folder: Path | None) -> Any:
    options = {"error_model": "numpy", "nogil": True}
    before = numba.config.CACHE_DIR
    try:
        if folder is not None:
            numba.config.CACHE_DIR = str(folder)
            return numba.cfunc(signature, cache=True, **options)(function)
    except (RuntimeError, OSError):  # no file to tell whether the source has changed: a function typed at a prompt
        pass
    finally:
        numba.config.CACHE_DIR = before
    return numba.cfunc(signature, **options)(function)


def _folder_for(function: Callable[..., Any], more: str = "") -> Path | None:
    """The cache folder for exactly this source: numba itself looks at the file of the function alone, not at what it calls."""
    root = cache_folder()
    if root is None:
        return None
    digest = hashlib.sha256(f"{kernel_sources_hash()}{more}".encode())
    for part in sorted(_sources(function)):
        digest.update(part.encode())
    return root / f"user-{digest.hexdigest()[:16]}"


def _functions(function: Any, seen: dict[int, Any]) -> dict[int, Any]:
    """The function and all that it calls, compiled ones and others, as plain functions by their identity."""
    inner = getattr(function, "py_func", function)
    if id(inner) not in seen and hasattr(inner, "__code__"):
        seen[id(inner)] = inner
        for value in _read_by(inner).values():
            _functions(value, seen)
    return seen


def _read_by(function: Any) -> dict[str, Any]:
    """What a function reads from outside: globals that it names, and what it closes over."""
    code = function.__code__
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    found = {name: function.__globals__[name] for name in code.co_names if name in function.__globals__}
    return found | {name: cell.cell_contents for name, cell in cells}


def _sources(function: Any) -> set[str]:
    """Text of the function and of all that it calls, and the constants they read."""
    found = set()
    for inner in _functions(function, {}).values():
        found.add(inspect.getsource(inner) if _has_source(inner) else repr(inner.__code__.co_code))
        constants = {name: value for name, value in _read_by(inner).items() if isinstance(value, (bool, int, float, str, tuple))}
        found |= {f"{name}={value!r}" for name, value in constants.items()}
    return found


def names_in(function: Callable[..., Any]) -> set[str]:
    """Every name that stands in the code of the function or of one that it calls: a field of a record that is not there is never read."""
    found: set[str] = set()
    for inner in _functions(function, {}).values():
        codes = [inner.__code__]
        while codes:
            code = codes.pop()
            found |= set(code.co_names)
            found |= {constant for constant in code.co_consts if isinstance(constant, str)}
            codes += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return found


def _has_source(function: Callable[..., Any]) -> bool:
    try:
        inspect.getsource(function)
    except (OSError, TypeError):
        return False
    return True


def _no_such_field(
    function: Callable[..., Any], field: str, layouts: tuple[np.dtype[Any], ...], owner: str, known: tuple[tuple[str, ...], ...]
) -> str:
    where, text = _line_with(function, f".{field}")
    fields = [*known, *(layout.names or () for layout in layouts[len(known) :])]
    for name, has in zip(inspect.signature(function).parameters, fields, strict=True):
        if f"{name}.{field}" in text:
            return f"{owner}, {where}: `{text}`: {name} has no field {field!r}; {nearest(field, has)}"
    return f"{owner}, {where}: `{text}`: there is no field {field!r}"


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

    def call(address: int, *places: int) -> Any:
        return _INTERPRETED[int(address) - 1](*map(int, places))

    def call_with(address: int, arguments: Any) -> Any:
        return _INTERPRETED[int(address) - 1](*arguments)

    number, integer, byte = ctypes.c_double, ctypes.c_int64, ctypes.c_uint8
    return reader(number), writer(number), reader(integer), writer(integer), writer(byte), call, call, call, call_with, call_with


def _compiled_memory() -> tuple[Any, ...]:
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

    return (
        reader(number, types.float64), writer(number, types.float64), reader(integer, types.int64), writer(integer, types.int64),
        writer(byte, types.uint8),
    )  # fmt: skip


def _compiled_calls() -> tuple[Any, ...]:
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    number, integer, byte = ir.DoubleType(), ir.IntType(64), ir.IntType(8)

    def call(context: Any, builder: Any, arguments: Any) -> Any:
        """In numba's way: where the number goes, where an exception is told, the records. A function that raises answers inf."""
        anything = byte.as_pointer()
        answer, told = cgutils.alloca_once(builder, number), cgutils.alloca_once(builder, anything)
        kind = ir.FunctionType(ir.IntType(32), [number.as_pointer(), anything.as_pointer(), *[anything] * (len(arguments) - 1)])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        status = builder.call(function, [answer, told, *(builder.inttoptr(place, anything) for place in arguments[1:])])
        fine = builder.icmp_signed("==", status, ir.Constant(ir.IntType(32), 0))
        return builder.select(fine, builder.load(answer), ir.Constant(number, math.inf))

    @intrinsic  # type: ignore[untyped-decorator]
    def call_with_four(typing_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return call(context, builder, arguments)

        return types.float64(*[types.int64] * 5), code

    @intrinsic  # type: ignore[untyped-decorator]
    def call_with_five(typing_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return call(context, builder, arguments)

        return types.float64(*[types.int64] * 6), code

    @intrinsic  # type: ignore[untyped-decorator]
    def call_the_loop(typing_context: Any, address: Any, desk: Any, bars: Any, assets: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.FunctionType(ir.VoidType(), [integer] * 3)
            builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), code

    def calls(result: Any) -> Any:
        @intrinsic  # type: ignore[untyped-decorator]
        def call_there(typing_context: Any, address: Any, arguments: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                kinds = tuple(arguments)
                function = context.call_conv.get_function_type(result, kinds).as_pointer()
                parts = cgutils.unpack_tuple(builder, values[1], len(kinds))
                status, answer = context.call_conv.call_function(builder, builder.inttoptr(values[0], function), result, kinds, parts)
                with cgutils.if_unlikely(builder, status.is_error):
                    context.call_conv.return_status_propagate(builder, status)
                return context.get_dummy_value() if result == types.none else answer

            return result(types.int64, arguments), code

        return call_there

    return call_with_four, call_with_five, call_the_loop, calls(types.int64), calls(types.none)


_TOOLS = _interpreted_tools() if ENGINE == "python" else (*_compiled_memory(), *_compiled_calls())
peek, poke, peek_int, poke_int, poke_byte, call_four, call_five, call_loop, run_at, call_at = _TOOLS
"""`peek(address, place)` reads the float64 at that place of an array, `poke(address, place, value)` writes it; `_int` int64, `_byte` uint8.

`call_four(function, a, b, c, d)` calls a native function with records at four addresses, `call_five` with five; `call_loop(loop, desk,
bars, assets)` a native loop. `run_at(address, arguments)` calls what `address_of` found with a tuple of arguments, and hands on a whole
number; `call_at` nothing. Nothing is checked.
"""
