"""Four numbers at once: the same arithmetic over four series side by side, in the processor's wide registers.

A loop that adds up waits for each addition before the next one; four series that know nothing of each other wait together. Kernels that are
to run over lanes are written without jumps, with `choose` for what depends on a number, and take a float64 or lanes alike. Each lane is
rounded as a float64 alone would be, so the bits are the same. Uncompiled, lanes are an array of four.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .jit import ENGINE

__all__ = ["LANES", "choose", "every", "lane_of", "lanes_at", "lanes_from", "lanes_of", "lanes_to", "size_of"]

LANES = 4
"""Numbers in lanes."""


if ENGINE == "python":

    def choose(condition: Any, yes: Any, no: Any) -> Any:
        """`yes` where the condition holds, else `no`: a number, or lanes."""
        if isinstance(condition, np.ndarray):
            return np.where(condition, yes, no)
        return yes if condition else no

    def every(condition: Any) -> bool:
        """Whether a condition holds, in all lanes where it has any."""
        return bool(np.all(condition))

    def size_of(number: Any) -> Any:
        """The number without its sign, or lanes."""
        return abs(number)

    def lanes_at(rows: Any, t: int) -> Any:
        """Number `t` of each of the rows (LANES, T)."""
        return rows[:, t].copy()

    def lanes_of(number: Any) -> Any:
        """The same number in all lanes."""
        return np.full(LANES, float(number))

    def lanes_from(row: Any, t: Any) -> Any:
        """The numbers from `t` on of a row (T,)."""
        return row[t : t + LANES].copy()

    def lanes_to(row: Any, t: Any, lanes: Any) -> None:
        """The numbers to the places from `t` on of a row (T,)."""
        row[t : t + LANES] = lanes

    def lane_of(lanes: Any, k: int) -> Any:
        """One of the numbers."""
        return lanes[k]

else:
    from llvmlite import ir
    from numba.core import types
    from numba.core.cgutils import get_or_insert_function
    from numba.core.typing.templates import AbstractTemplate, infer_global, signature
    from numba.extending import intrinsic, lower_builtin, lower_cast, models, register_model

    class Lanes(types.Type):
        """The type of lanes."""

    class Mask(types.Type):
        """The type of a condition of each lane."""

    _WIDE, _PLACE = ir.VectorType(ir.DoubleType(), LANES), ir.IntType(32)
    _LANES, _MASK = Lanes("lanes"), Mask("lanes_mask")

    @register_model(Lanes)
    class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
        def __init__(self, manager: Any, kind: Any) -> None:
            super().__init__(manager, kind, _WIDE)

    @register_model(Mask)
    class _MaskModel(models.PrimitiveModel):  # type: ignore[misc]
        def __init__(self, manager: Any, kind: Any) -> None:
            super().__init__(manager, kind, ir.VectorType(ir.IntType(1), LANES))

    @lower_cast(types.Float, Lanes)  # type: ignore[untyped-decorator]
    @lower_cast(types.Integer, Lanes)  # type: ignore[untyped-decorator]
    def _spread(context: Any, builder: Any, source: Any, target: Any, value: Any) -> Any:
        """The same number in all lanes."""
        number, out = context.cast(builder, value, source, types.float64), ir.Constant(_WIDE, ir.Undefined)
        for k in range(LANES):
            out = builder.insert_element(out, number, ir.Constant(_PLACE, k))
        return out

    def _operator(function: Any, answer: Any, code: Any) -> None:
        """A binary operator of lanes; a number beside lanes is spread."""

        class Template(AbstractTemplate):  # type: ignore[misc]
            def generic(self, arguments: Any, _: Any) -> Any:
                others = [kind for kind in arguments if kind != _LANES]
                fits = len(arguments) == 2 and len(others) < 2 and all(isinstance(kind, types.Number) for kind in others)
                return signature(answer, _LANES, _LANES) if fits else None

        infer_global(function)(Template)
        lower_builtin(function, _LANES, _LANES)(lambda context, builder, kinds, values: code(builder, *values))

    _operator(operator.add, _LANES, lambda builder, a, b: builder.fadd(a, b))
    _operator(operator.sub, _LANES, lambda builder, a, b: builder.fsub(a, b))
    _operator(operator.mul, _LANES, lambda builder, a, b: builder.fmul(a, b))
    _operator(operator.truediv, _LANES, lambda builder, a, b: builder.fdiv(a, b))
    _operator(operator.gt, _MASK, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
    _operator(operator.ge, _MASK, lambda builder, a, b: builder.fcmp_ordered(">=", a, b))
    _operator(operator.lt, _MASK, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
    _operator(operator.eq, _MASK, lambda builder, a, b: builder.fcmp_ordered("==", a, b))
    _operator(operator.ne, _MASK, lambda builder, a, b: builder.fcmp_unordered("!=", a, b))

    @intrinsic  # type: ignore[untyped-decorator]
    def choose(typing_context: Any, condition: Any, yes: Any, no: Any) -> Any:
        """`yes` where the condition holds, else `no`: a number, or lanes. Both are computed."""

        def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
            return builder.select(*values)

        counts = isinstance(yes, types.Integer) and isinstance(no, types.Integer)
        kind = _LANES if condition == _MASK else types.int64 if counts else types.float64
        return kind(_MASK if condition == _MASK else types.boolean, kind, kind), code

    @intrinsic  # type: ignore[untyped-decorator]
    def every(typing_context: Any, condition: Any) -> Any:
        """Whether a condition holds, in all lanes where it has any."""

        def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
            if condition != _MASK:
                return values[0]
            bits = ir.IntType(LANES)
            return builder.icmp_unsigned("==", builder.bitcast(values[0], bits), ir.Constant(bits, 2**LANES - 1))

        return types.boolean(condition), code

    @intrinsic  # type: ignore[untyped-decorator]
    def size_of(typing_context: Any, number: Any) -> Any:
        """The number without its sign, or lanes."""

        def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
            kind = values[0].type
            name = f"llvm.fabs.v{LANES}f64" if number == _LANES else "llvm.fabs.f64"
            return builder.call(get_or_insert_function(builder.module, ir.FunctionType(kind, [kind]), name), values)

        return number(number), code

    @intrinsic  # type: ignore[untyped-decorator]
    def lanes_at(typing_context: Any, rows: Any, t: Any) -> Any:
        """Number `t` of each of the rows (LANES, T), which lie one after the other."""

        def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
            view = context.make_array(rows)(context, builder, value=values[0])
            bars, out = builder.extract_value(view.shape, 1), ir.Constant(_WIDE, ir.Undefined)
            for k in range(LANES):
                place = builder.add(builder.mul(ir.Constant(ir.IntType(64), k), bars), values[1])
                out = builder.insert_element(out, builder.load(builder.gep(view.data, [place])), ir.Constant(_PLACE, k))
            return out

        return _LANES(rows, types.int64), code

    @intrinsic  # type: ignore[untyped-decorator]
    def lanes_of(typing_context: Any, number: Any) -> Any:
        """The same number in all lanes."""
        return _LANES(types.float64), lambda context, builder, kinds, values: _spread(context, builder, types.float64, _LANES, values[0])

    @intrinsic  # type: ignore[untyped-decorator]
    def lanes_from(typing_context: Any, row: Any, t: Any) -> Any:
        """The numbers from `t` on of a row (T,), which lie one after the other."""

        def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
            view = context.make_array(row)(context, builder, value=values[0])
            there = builder.bitcast(builder.gep(view.data, [values[1]]), _WIDE.as_pointer())
            return builder.load(there, align=8)

        return _LANES(row, types.int64), code

    @intrinsic  # type: ignore[untyped-decorator]
    def lanes_to(typing_context: Any, row: Any, t: Any, lanes: Any) -> Any:
        """The numbers to the places from `t` on of a row (T,), which lie one after the other."""

        def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
            view = context.make_array(row)(context, builder, value=values[0])
            there = builder.bitcast(builder.gep(view.data, [values[1]]), _WIDE.as_pointer())
            builder.store(values[2], there, align=8)
            return context.get_dummy_value()

        return types.void(row, types.int64, _LANES), code

    @intrinsic  # type: ignore[untyped-decorator]
    def lane_of(typing_context: Any, lanes: Any, k: Any) -> Any:
        """One of the numbers."""

        def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
            return builder.extract_element(values[0], builder.trunc(values[1], _PLACE))

        return types.float64(_LANES, types.int64), code
