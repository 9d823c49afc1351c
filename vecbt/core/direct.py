"""One compiled function for arguments of one set of types, without looking at their types again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .jit import ENGINE

__all__ = ["direct"]


def direct(loop: Any, *arguments: Any) -> Callable[..., Any]:
    """`loop` as compiled for arguments of the types of these; compiled, or taken from the cache, if it was not.

    Each call of a compiled function looks up the types of its arguments: microseconds where they hold records, far more than the step
    of a bar. What comes back takes that as done: it must be given arrays of the same dtypes, numbers of dimensions and memory orders,
    and None where there was None. Uncompiled it is `loop` itself.
    """
    if ENGINE == "python":
        return loop  # type: ignore[no-any-return]
    return loop.compile(tuple(loop.typeof_pyval(argument) for argument in arguments))  # type: ignore[no-any-return]
