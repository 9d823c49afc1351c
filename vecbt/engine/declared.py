"""Which parameters of a strategy each of its indicators is made of, read off the text of `indicators` where that leaves no doubt.

A sweep over windows declares the same averages in thousands of sets. Where the text says that one hangs on `fast` alone, it need not be
declared again for each `slow` beside it.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..indicators.plan import Indicator

__all__ = ["parameters_of"]

_CONSTANTS = (type(None), bool, int, float, str, tuple)


class _Unclear(Exception):
    """The text may do anything."""


def parameters_of(kind: type) -> dict[str, frozenset[str]] | None:
    """Of each declared indicator the attributes of the strategy that its own parameters are made of; None where that is not certain.

    It is where `indicators` does nothing but return a dict, written out, of texts and `Indicator(...)`, whose arguments are constants,
    attributes of the strategy and sums, products and the like of these. Anything else may look at more, such as a branch or a function.
    """
    function = inspect.getattr_static(kind, "indicators", None)
    return _known(kind, function) if isinstance(function, FunctionType) else None


@functools.lru_cache(maxsize=256)
def _known(kind: type, function: FunctionType) -> dict[str, frozenset[str]] | None:
    try:
        return _read(kind, function)
    except _Unclear:
        return None


def _read(kind: type, function: FunctionType) -> dict[str, frozenset[str]]:
    plain: Any = object.__getattribute__
    if hasattr(kind, "__getattr__") or kind.__getattribute__ is not plain:
        raise _Unclear
    node = _text_of(function)
    arguments = node.args
    if len(arguments.args) != 1 or arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
        raise _Unclear
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if len(body) != 1 or not isinstance(body[0], ast.Return) or not isinstance(body[0].value, ast.Dict):
        raise _Unclear
    found, own = {}, arguments.args[0].arg
    for key, value in zip(body[0].value.keys, body[0].value.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str) or not isinstance(value, ast.Call):
            raise _Unclear
        if _named(value.func, function) is not Indicator:
            raise _Unclear
        parts = [*value.args, *(keyword.value for keyword in value.keywords if keyword.arg is not None or _fail())]
        found[key.value] = frozenset().union(*(_attributes(part, own, kind) for part in parts))
    return found


def _fail() -> bool:
    raise _Unclear


def _text_of(function: FunctionType) -> ast.FunctionDef:
    """The function as it is written, where that is what was compiled: a file may have been edited since."""
    code = function.__code__
    try:
        lines, _ = inspect.findsource(function)
        tree = ast.parse("".join(lines))
        whole = compile(tree, "<the same file>", "exec", dont_inherit=True)  # all of it: what a name is, is known by its import
    except (OSError, TypeError, SyntaxError, ValueError, IndexError) as error:
        raise _Unclear from error
    same = [part for part in _codes_in(whole) if _place(part) == _place(code) and _does(part) == _does(code)]
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and (node.name, node.lineno) == _place(code)]
    if len(same) != 1 or len(nodes) != 1 or nodes[0].decorator_list:
        raise _Unclear
    return nodes[0]


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_name, code.co_firstlineno


def _codes_in(code: CodeType) -> list[CodeType]:
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return [code, *(found for part in inner for found in _codes_in(part))]


def _does(code: CodeType) -> tuple[Any, ...]:
    """What a function does, with which names and constants; 1, 1.0 and True are not the same constant."""
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, repr(code.co_consts)


def _named(node: ast.expr, function: FunctionType) -> Any:
    """What a name of a global, or of something in a module that is one, stands for."""
    if isinstance(node, ast.Name):
        return function.__globals__.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _named(node.value, function)
        return getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
    return None


def _attributes(node: ast.expr, own: str, kind: type) -> frozenset[str]:
    """The attributes of the strategy, called `own`, that an expression reads."""
    if isinstance(node, ast.Constant):
        return frozenset()
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == own:
        fields = {field.name for field in dataclasses.fields(kind)}
        if node.attr in fields or isinstance(inspect.getattr_static(kind, node.attr, object), _CONSTANTS):
            return frozenset({node.attr})
    if isinstance(node, ast.UnaryOp):
        return _attributes(node.operand, own, kind)
    if isinstance(node, ast.BinOp):
        return _attributes(node.left, own, kind) | _attributes(node.right, own, kind)
    if isinstance(node, ast.Tuple):
        return frozenset().union(*(_attributes(part, own, kind) for part in node.elts))
    raise _Unclear
