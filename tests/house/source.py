"""What the house tests look at: the modules of the package, parsed once each, and the functions in them."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "vecbt"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file of the package."""

    path: Path
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        """Parsed when a test asks for it, not while tests are collected."""
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        """Its dotted import name."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def where(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()


@functools.cache
def modules() -> tuple[Module, ...]:
    """All modules of the package, in order of their paths."""
    found = []
    for path in sorted(PACKAGE.glob("**/*.py")):
        found.append(Module(path, path.read_text(encoding="utf-8")))
    return tuple(found)


@functools.cache
def functions(module: Module) -> tuple[tuple[str, Function], ...]:
    """Every function and method of a module with its dotted name, nested ones too."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield prefix + child.name, child
                yield from walk(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    return tuple(walk(module.tree, ""))


def decorators(function: Function) -> set[str]:
    """Names of its decorators, without arguments and modules."""
    names = set()
    for decorator in function.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
    return names


def is_kernel(function: Function) -> bool:
    """Whether it is compiled: by its decorator, or as the rule of a strategy (`engine.rule_strategy`)."""
    is_rule = [a.arg for a in function.args.args][:4] == ["now", "before", "params", "state"]
    return is_rule or bool(decorators(function) & {"kernel", "spine", "kernel_loop"})


@functools.cache
def kernels() -> tuple[tuple[Module, str, Function], ...]:
    """Every compiled function of the package."""
    return tuple((module, name, function) for module in modules() for name, function in functions(module) if is_kernel(function))


def declared(tree: ast.Module) -> list[str] | None:
    """The names in `__all__`, None where there is none; it must be written out as a list of strings."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))  # type: ignore[union-attr,arg-type]
    return None


@functools.cache
def all_tests() -> tuple[tuple[Path, str, str], ...]:
    """Every test outside the house: file, name, and its text with decorators, docstring and comments."""
    found = []
    for path in sorted((ROOT / "tests").glob("**/test_*.py")):
        if "house" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, Function) and node.name.startswith("test"):
                first = min([node.lineno] + [d.lineno for d in node.decorator_list])
                found.append((path, node.name, "\n".join(lines[first - 1 : node.end_lineno])))
    return tuple(found)


def tracked_files() -> list[Path]:
    """Files that git tracks or would track; all files where this is no git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return sorted(ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file())
    return sorted(p for p in ROOT.glob("**/*") if p.is_file() and not any(part.startswith(".") for part in p.relative_to(ROOT).parts))
