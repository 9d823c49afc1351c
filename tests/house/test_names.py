"""The public surface is an explicit list, and the list is true. (Ruff keeps every `__all__` sorted: rule RUF022.)"""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
import types

import pytest

import vecbt
from tests.house.source import PACKAGE, ROOT, Function, Module, declared, decorators, modules

PRIVATE = re.compile(r"(^|\.)_")


def _public_modules() -> list[Module]:
    return [m for m in modules() if not PRIVATE.search(m.name) and m.text.strip()]


def test_vecbt_all_is_what_a_user_sees() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    names = declared(tree)
    assert names is not None, "vecbt.__all__ must be a list written out"
    assert len(names) == len(set(names))
    assert vecbt.__all__ == names
    for name in names:
        assert getattr(vecbt, name) is not None
    seen = {n for n in dir(vecbt) if not n.startswith("_") and not _is_submodule(n)}
    assert seen == set(names) - {n for n in names if n.startswith("_") or _is_submodule(n)}


def _is_submodule(name: str) -> bool:
    value = getattr(vecbt, name)
    return isinstance(value, types.ModuleType) or name == "annotations"


@pytest.mark.parametrize("module", _public_modules(), ids=lambda m: m.name)
def test_all_of_a_module_is_true(module: Module) -> None:
    """Each name in `__all__` exists; a public function or class that is not in it should start with `_`."""
    names = declared(module.tree)
    if module.path.name == "__init__.py" and names is None:
        defined = [n for n in module.tree.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
        assert not defined, f"{module.where} defines or imports names but has no __all__"
        return
    assert names is not None, f"{module.where} has no __all__"
    assert len(names) == len(set(names)), f"{module.where}: a name stands twice in __all__"
    loaded = importlib.import_module(module.name)
    missing = [n for n in names if not hasattr(loaded, n)]
    assert not missing, f"{module.where}: in __all__ but not there: {missing}"
    defined = {n.name for n in module.tree.body if isinstance(n, Function | ast.ClassDef) and not n.name.startswith("_")}
    # commands belong to the shell, not to those who import
    defined -= {n.name for n in module.tree.body if isinstance(n, Function) and decorators(n) & {"command", "callback"}}
    assert defined <= set(names), f"{module.where}: public but not in __all__: {sorted(defined - set(names))}"


def test_version_is_one_number() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert vecbt.__version__ == project["version"]
