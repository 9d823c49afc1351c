"""Which parameters of a strategy each of its indicators is made of, read off the text of `indicators` where that leaves no doubt.

A sweep over windows declares the same averages in thousands of sets. Where the text says that one hangs on `fast` alone, it need not be
declared again for each `slow` beside it.
"""

from __future__ import annotations

import ast
import dataclasses
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
    try:
        return _read(kind)
    except _Unclear:
        return None


def _read(kind: type) -> dict[str, frozenset[str]]:
    plain: Any = object.__getattribute__
    if hasattr(kind, "__getattr__") or kind.__getattribute__ is not plain:
        raise _Unclear
    function = inspect.getattr_static(kind, "indicators", None)
    if not isinstance(function, FunctionType):
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
    try:
        text = inspect.getsource(function)
        inside = text[:1].isspace()
        tree = ast.parse(f"class _:\n{text}" if inside else text)
        first = tree.body[0]
        node = first.body[0] if inside and isinstance(first, ast.ClassDef) else first
        code = compile(tree, "<indicators>", "exec", dont_inherit=True)
    except (OSError, TypeError, SyntaxError, ValueError, IndexError) as error:
        raise _Unclear from error
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        raise _Unclear
    codes = [part for part in _codes_in(code) if part.co_name == function.__name__]
    if len(codes) != 1 or not _same(codes[0], function.__code__):
        raise _Unclear
    return node


def _codes_in(code: CodeType) -> list[CodeType]:
    inner = [part for part in code.co_consts if isinstance(part, CodeType)]
    return [code, *(found for part in inner for found in _codes_in(part))]


def _same(first: CodeType, second: CodeType) -> bool:
    """Whether two functions do the same with the same names and constants; 1, 1.0 and True are not the same constant."""
    parts = [(code.co_code, code.co_names, code.co_varnames, code.co_freevars, repr(code.co_consts)) for code in (first, second)]
    return parts[0] == parts[1]


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
