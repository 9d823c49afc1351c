"""What compiled loops do with addresses: memory that users' functions share with them, and calls of what stands elsewhere.

An address is a whole number. In a loop made for one rule the memory of a single asset may be the loop's own (`taken_here`): then it is a
pointer, which the optimiser can follow, so that nothing of it need be memory at all. Uncompiled, the same numbers find the same memory and
the functions themselves. Nothing is checked.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

from .jit import ENGINE, kernel

__all__ = [
    "INTERPRETED", "beside", "call_at", "call_five", "call_four", "call_loop", "first_byte", "left_there", "peek", "peek_int", "poke",
    "poke_byte", "poke_int", "room_given_back", "room_of_its_own", "run_at", "taken_here",
]  # fmt: skip

INTERPRETED: list[Callable[..., Any]] = []
"""Uncompiled functions; their address is their place, counted from 1."""


def _interpreted_tools() -> tuple[Any, ...]:
    def reader(kind: Any) -> Any:
        return lambda address, place: kind.from_address(int(address) + int(place) * ctypes.sizeof(kind)).value

    def writer(kind: Any) -> Any:
        def write(address: int, place: int, value: Any) -> None:
            kind.from_address(int(address) + int(place) * ctypes.sizeof(kind)).value = value

        return write

    def call(address: int, *places: int) -> Any:
        return INTERPRETED[int(address) - 1](*map(int, places))

    def call_with(address: int, arguments: Any) -> Any:
        return INTERPRETED[int(address) - 1](*arguments)

    number, integer, byte = ctypes.c_double, ctypes.c_int64, ctypes.c_uint8
    def first(rows: int) -> int:
        return ((int(rows) & -int(rows)).bit_length() - 1) // 8

    memory = reader(number), writer(number), reader(integer), writer(integer), writer(byte), lambda address, count: address + count, first
    return *memory, call, call, call, call_with, call_with


def _compiled_memory() -> tuple[Any, ...]:
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    number, integer, byte = ir.DoubleType(), ir.IntType(64), ir.IntType(8)

    def pointer_to(kind: Any, builder: Any, address: Any, place: Any) -> Any:
        if isinstance(address.type, ir.IntType):
            return builder.gep(builder.inttoptr(address, kind.as_pointer()), [place])
        return builder.gep(builder.bitcast(address, kind.as_pointer()), [place])

    def reader(kind: Any, result: Any) -> Any:
        @intrinsic  # type: ignore[untyped-decorator]
        def read(typing_context: Any, address: Any, place: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                return builder.load(pointer_to(kind, builder, *arguments))

            return result(_pointer_or_number(types, address), types.int64), code

        return read

    def writer(kind: Any, taken: Any) -> Any:
        @intrinsic  # type: ignore[untyped-decorator]
        def write(typing_context: Any, address: Any, place: Any, value: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                builder.store(arguments[2], pointer_to(kind, builder, *arguments[:2]))
                return context.get_dummy_value()

            return types.void(_pointer_or_number(types, address), types.int64, taken), code

        return write

    @intrinsic  # type: ignore[untyped-decorator]
    def moved(typing_context: Any, address: Any, count: Any) -> Any:
        kind = _pointer_or_number(types, address)

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.add(*arguments) if kind == types.int64 else builder.gep(arguments[0], [arguments[1]])

        return kind(kind, types.int64), code

    @intrinsic  # type: ignore[untyped-decorator]
    def first(typing_context: Any, rows: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.lshr(builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0)), ir.Constant(integer, 3))

        return types.int64(types.int64), code

    return (
        reader(number, types.float64), writer(number, types.float64), reader(integer, types.int64), writer(integer, types.int64),
        writer(byte, types.uint8), moved, first,
    )  # fmt: skip


def _pointer_or_number(types: Any, address: Any) -> Any:
    return types.voidptr if address == types.voidptr else types.int64


def room_of_its_own(width: int) -> Any:
    """`taken_here` for a loop whose asset has `width` numbers of memory: a copy of them that is the loop's own."""
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def taken(typing_context: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            number = ir.DoubleType()
            room = builder.bitcast(cgutils.alloca_once(builder, ir.ArrayType(number, width)), number.as_pointer())
            given = builder.inttoptr(arguments[0], number.as_pointer())
            for k in range(width):
                place = [ir.Constant(ir.IntType(64), k)]
                builder.store(builder.load(builder.gep(given, place)), builder.gep(room, place))
            return builder.bitcast(room, ir.IntType(8).as_pointer())

        return types.voidptr(types.int64), code

    return taken


def room_given_back(width: int) -> Any:
    """`left_there` for such a loop: number by number, so that the copy need be no memory."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def left(typing_context: Any, address: Any, memory: Any, count: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            number = ir.DoubleType()
            room, given = builder.bitcast(arguments[1], number.as_pointer()), builder.inttoptr(arguments[0], number.as_pointer())
            for k in range(width):
                place = [ir.Constant(ir.IntType(64), k)]
                builder.store(builder.load(builder.gep(room, place)), builder.gep(given, place))
            return context.get_dummy_value()

        return types.void(types.int64, types.voidptr, types.int64), code

    return left


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
peek, poke, peek_int, poke_int, poke_byte, beside, first_byte, call_four, call_five, call_loop, run_at, call_at = _TOOLS
"""`peek(address, place)` reads the float64 at that place of an array, `poke(address, place, value)` writes it; `_int` int64, `_byte` uint8.
`beside(address, count)` is so many bytes further. `first_byte(number)` is the place of the first byte that is not 0, of eight read as a
number that is not 0.

`call_four(function, a, b, c, d)` calls a native function with records at four addresses, `call_five` with five; `call_loop(loop, desk,
bars, assets)` a native loop. `run_at(address, arguments)` calls what `address_of` found with a tuple of arguments, and hands on a whole
number; `call_at` nothing.
"""


@kernel
def taken_here(address):  # type: ignore[no-untyped-def]
    """The memory at `address`, for as long as a loop uses it: that memory itself, or a copy (`room_of_its_own`)."""
    return address


@kernel
def left_there(address, memory, width):  # type: ignore[no-untyped-def]
    """What `taken_here` gave goes back: `width` numbers."""
    for k in range(width):
        poke(address, k, peek(memory, k))
