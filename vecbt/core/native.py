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
from .places import INTERPRETED, room_given_back, room_of_its_own

__all__ = ["Native", "address_of", "called_back", "names_in", "native", "native_loop"]

Constants: TypeAlias = tuple[tuple[str, tuple[int, ...]], ...]


class Native:
    """A function that loops call by `address`. It must be kept as long as the address is used."""

    def __init__(self, function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], address: int, kept: object) -> None:
        self.function, self.layouts, self.address, self._kept = function, layouts, address, kept


_MADE: dict[tuple[Any, ...], Native] = {}
_ADDRESSES: dict[Any, int] = {}


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
    loop: Callable[..., Any], constants: Constants, width: int, function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...],
    owner: str, known: tuple[tuple[str, ...], ...] = (),
) -> Native:  # fmt: skip
    """`loop(desk, bars, assets)`, which asks through `call_four`, compiled with `function` itself in the place of that call.

    Its `address` is that of a C function of three int64; `function` is the same for Python. `constants` are functions that the loop
    calls with the desk, by name, and the numbers that each answers, known beforehand; `width` numbers are what it takes of an asset's
    memory with `taken_here`. The other parameters, and errors, as for `native`.
    """
    key = (loop, constants, width, function, layouts)
    if key not in _MADE:
        if ENGINE == "python":  # the loop asks by address, as it stands
            INTERPRETED.append(loop)
            _MADE[key] = Native(loop, layouts, len(INTERPRETED), loop)
        else:
            _MADE[key] = _compiled_loop(loop, (constants, width), function, layouts, owner, known)
    return _MADE[key]


def address_of(loop: Any, *arguments: Any) -> int:
    """Where `loop`, compiled for arguments of the types of these, stands: for `run_at` and `call_at` with just such arguments.

    A loop that calls another compiles all of it once more; by its address it is the one that is there.
    """
    key = (loop, _kind_of(arguments))
    if key not in _ADDRESSES:
        if ENGINE == "python":
            INTERPRETED.append(loop)
            _ADDRESSES[key] = len(INTERPRETED)
        else:
            types = tuple(loop.typeof_pyval(argument) for argument in arguments)
            loop.compile(types)
            made = loop.overloads[types]
            _ADDRESSES[key] = int(made.library.get_pointer_to_function(made.fndesc.llvm_func_name))
    return _ADDRESSES[key]


def _kind_of(argument: Any) -> Any:
    """What numba's type of an argument depends on; asking numba costs more than a small sweep."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        return argument.dtype, argument.ndim, flags.c_contiguous, flags.f_contiguous, flags.writeable, flags.aligned
    if isinstance(argument, tuple):
        return type(argument), *map(_kind_of, argument)
    return type(argument)


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
        INTERPRETED.append(call)
        return Native(call, layouts, len(INTERPRETED), call)
    # as `call_four` and `call_five` call: where the number goes, where an exception is told, the records; back comes the status
    places = [ctypes.c_size_t] * (1 + len(layouts))
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(ctypes.c_double), *places)(answer)
    address = ctypes.cast(entry, ctypes.c_void_p).value
    assert address is not None  # a function made just now stands somewhere
    return Native(call, layouts, address, entry)


# --- compiled ------------------------------------------------------------------------------------------------------------


def _compiled(function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], owner: str, known: tuple[tuple[str, ...], ...]) -> Native:
    import numba

    signature = numba.types.float64(*(numba.from_dtype(layout) for layout in layouts))
    try:
        made = _with_cache(numba, signature, function, _folder_for(function))
    except (KeyError, numba.core.errors.NumbaError) as error:
        raise _fault(function, error, layouts, owner, known) from None
    # the function itself, in numba's own way of calling: its wrapper for C would be a second call each bar
    return Native(function, layouts, int(made._library.get_pointer_to_function(made._wrapper_name.removeprefix("cfunc."))), made)


def _compiled_loop(
    loop: Any, shape: tuple[Constants, int], function: Callable[..., Any], layouts: tuple[np.dtype[Any], ...], owner: str,
    known: tuple[tuple[str, ...], ...],
) -> Native:  # fmt: skip
    import numba

    faults: list[BaseException] = []
    plain, folder = getattr(loop, "py_func", loop), _folder_for(function, f"{shape}{layouts}")
    copied = {"taken_here": room_of_its_own(shape[1]), "left_there": room_given_back(shape[1])}
    names = {**plain.__globals__, "call_four": _asking(numba, function, layouts, faults), **copied}
    names |= {name: _constant(numba, numbers) for name, numbers in shape[0]}
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
    signature, integer, pointer = numba.types.float64(*records), numba.types.int64, numba.types.voidptr
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
            places = [_as_pointer(builder, place, context.get_value_type(kind)) for place, kind in zip(arguments[1:], records, strict=True)]
            status, answer = context.call_internal_no_propagate(builder, whole.fndesc, signature, places)
            return builder.select(status.is_ok, answer, ir.Constant(ir.DoubleType(), math.inf))

        return numba.types.float64(integer, *(pointer if place == pointer else integer for place in (a, b, c, d))), code

    return ask


def _as_pointer(builder: Any, place: Any, kind: Any) -> Any:
    """An address, a number or a pointer already, as a pointer to a record."""
    return builder.inttoptr(place, kind) if hasattr(place.type, "width") else builder.bitcast(place, kind)


def _fault(
    function: Callable[..., Any], error: BaseException, layouts: tuple[np.dtype[Any], ...], owner: str, known: tuple[tuple[str, ...], ...]
) -> StrategyError:
    """What numba could not compile, in the words of whoever wrote it."""
    if isinstance(error, KeyError):  # numba looks a field up without asking whether it is there
        return StrategyError(_no_such_field(function, str(error.args[0]), layouts, owner, known))
    return StrategyError(_typing_fault(function, error, owner))


def _with_cache(numba: Any, signature: Any, function: Callable[..., Any], folder: Path | None) -> Any:
    options = {"error_model": "numpy", "nogil": True}
    if folder is None:
        return numba.cfunc(signature, **options)(function)
    try:
        from numba.core.ccallback import CFunc

        from .kept import kept_in
    except ImportError:  # as in `jit`
        return _with_cache_of_numba(numba, signature, function, folder, options)
    made: Any = CFunc(function, (signature.args, signature.return_type), {}, options)
    try:
        made._cache = kept_in(folder, function)
    except (RuntimeError, OSError):  # no file to tell whether the source has changed: a function typed at a prompt
        pass
    made.compile()
    return made


def _with_cache_of_numba(numba: Any, signature: Any, function: Callable[..., Any], folder: Path, options: dict[str, Any]) -> Any:
    before = numba.config.CACHE_DIR
    try:
        numba.config.CACHE_DIR = str(folder)
        return numba.cfunc(signature, cache=True, **options)(function)
    except (RuntimeError, OSError):
        return numba.cfunc(signature, **options)(function)
    finally:
        numba.config.CACHE_DIR = before


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

    INTERPRETED.append(call)
    return Native(function, layouts, len(INTERPRETED), call)


def _record_at(place: int, kind: np.dtype[Any]) -> Any:
    memory: Any = (ctypes.c_uint8 * kind.itemsize).from_address(place)
    return np.frombuffer(memory, dtype=kind, count=1).view(np.recarray)[0]
