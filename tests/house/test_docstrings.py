"""Everything public says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import Function, Module, decorators, modules


def _undocumented(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree) and module.text.strip():
        yield f"{module.where}: module"

    def walk(body: list[ast.stmt], prefix: str) -> Iterator[str]:
        for node in body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            if isinstance(node, Function) and decorators(node) & {"overload", "override", "setter"}:
                continue
            if not ast.get_docstring(node):
                yield f"{module.where}:{node.lineno} {prefix}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from walk(node.body, f"{prefix}{node.name}.")

    yield from walk(module.tree.body, "")


def test_everything_public_has_a_docstring() -> None:
    missing = [line for module in modules() for line in _undocumented(module)]
    assert not missing, "no docstring:\n" + "\n".join(missing)
