"""What a compiled function may contain: so that compiled and interpreted bits agree, and nothing surprises at run time."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from tests.house.source import Function, decorators, functions, is_kernel, kernels, modules
from vecbt.core import jit

# constants and types, shapes; on scalars math.* is used instead of np.*
NUMPY_ALLOWED = {"nan", "inf", "int64", "float64", "int32", "uint8", "bool_"}
CALLS_ALLOWED = {
    "abs", "beside", "bool", "borrowed", "call_at", "call_five", "call_four", "call_loop", "choose", "every", "first_byte", "float", "int",
    "lane_of", "lanes_at", "lanes_from", "lanes_of", "lanes_to", "len", "max", "min", "peek", "peek_int", "poke", "poke_byte", "poke_int",
    "prange", "range", "record_at", "round", "run_at", "size_of", "unsigned",
}  # fmt: skip
METHODS_ALLOWED = {"reshape", "view"}
# a run over many bars may keep the values of all assets in rows of its own
LOOPS_ALLOWED = {"empty"}
FORBIDDEN = {
    ast.Raise: "raises",
    ast.Try: "handles exceptions",
    ast.With: "opens a context",
    ast.Assert: "asserts",
    ast.Yield: "yields",
    ast.Lambda: "makes a function",
    ast.Dict: "makes a dict",
    ast.Set: "makes a set",
    ast.List: "makes a list",
    ast.ListComp: "makes a list",
    ast.DictComp: "makes a dict",
    ast.SetComp: "makes a set",
    ast.GeneratorExp: "makes a generator",
    ast.JoinedStr: "builds a string",
    ast.Global: "uses a global",
    ast.Import: "imports",
    ast.ImportFrom: "imports",
    ast.FunctionDef: "defines a function",
}

SEEN_BY_NUMBA = {"evidence", "optimize"}
"""Packages that are not in the hash: each of their kernels calls only kernels of its own file."""


@functools.cache
def _kernel_names() -> set[str]:
    return {function.name for _, _, function in kernels()}


@functools.cache
def _tuple_names() -> set[str]:
    """Kernels hand several records on in one argument."""
    return {
        node.name
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases)
    }


def _body(function: Function) -> list[ast.stmt]:
    has_docstring = ast.get_docstring(function) is not None
    return function.body[1:] if has_docstring else function.body


def _faults(function: Function) -> Iterator[str]:
    arguments = {a.arg for a in function.args.args}
    for statement in _body(function):
        for node in ast.walk(statement):
            for kind, what in FORBIDDEN.items():
                if isinstance(node, kind):
                    yield f"line {node.lineno}: {what}"  # type: ignore[attr-defined]
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"line {node.lineno}: a string"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
                if node.attr not in (NUMPY_ALLOWED | LOOPS_ALLOWED if "kernel_loop" in decorators(function) else NUMPY_ALLOWED):
                    yield f"line {node.lineno}: np.{node.attr}; use math.* on scalars, allocate outside"
            if isinstance(node, ast.Call):
                yield from _faulty_call(node, arguments)


def _faulty_call(node: ast.Call, arguments: set[str]) -> Iterator[str]:
    target = node.func
    if isinstance(target, ast.Name):
        if target.id not in CALLS_ALLOWED | _kernel_names() | _tuple_names() | arguments:
            yield f"line {node.lineno}: calls {target.id}, which is no kernel"
    elif isinstance(target, ast.Attribute):
        owner = target.value.id if isinstance(target.value, ast.Name) else ""
        if owner not in ("math", "np") and target.attr not in METHODS_ALLOWED:
            yield f"line {node.lineno}: calls the method .{target.attr}"


def test_there_are_kernels() -> None:
    assert len(kernels()) > 10


def test_a_kernel_computes_and_does_nothing_else() -> None:
    faults = [f"{module.where} {name}: {fault}" for module, name, function in kernels() for fault in _faults(function)]
    assert not faults, "\n".join(faults)


def test_only_a_run_makes_rows_for_itself() -> None:
    """A step that allocated would do so on every bar of every asset."""
    for decorator, allowed in (("kernel", False), ("spine", False), ("kernel_loop", True)):
        function = ast.parse(f"@{decorator}\ndef piece(assets):\n    return np.empty(assets)\n").body[0]
        assert isinstance(function, ast.FunctionDef)
        assert bool(list(_faults(function))) != allowed, decorator


def test_a_kernel_stands_alone_at_the_top_of_its_module() -> None:
    """A closure is compiled anew in each process: it never finds its place in the cache."""
    for module, name, function in kernels():
        assert function in module.tree.body, f"{module.where} {name} is not a top-level function"
        assert not function.args.vararg and not function.args.kwarg and not function.args.kwonlyargs, f"{module.where} {name}"


def test_only_loops_run_in_parallel_and_never_over_time() -> None:
    for module, name, function in kernels():
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "prange":
                assert "kernel_loop" in decorators(function), f"{module.where} {name}: prange outside a loop"
                over = ast.unparse(node.args[-1])
                assert over not in ("T", "bars"), f"{module.where} {name}: time runs in order"


def test_numba_is_met_in_one_place() -> None:
    """Only `core` compiles: `jit`, `kept`, and for users' functions and lanes `native`, `places`, `lanes`; nothing has other options."""
    for module in modules():
        if module.where in {f"vecbt/core/{name}.py" for name in ("jit", "kept", "native", "places", "lanes")}:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                assert not any(a.name.split(".")[0] == "numba" for a in node.names), f"{module.where}:{node.lineno} imports numba"
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
                assert {a.name for a in node.names} <= {"prange"}, f"{module.where}:{node.lineno} imports from numba"


def test_every_kernel_is_in_the_hash_that_names_the_cache() -> None:
    """Else an edited kernel could run stale (`kernel_sources_hash`)."""
    for module, name, _ in kernels():
        if module.name.split(".")[1] not in SEEN_BY_NUMBA:
            assert module.name.split(".")[1] in jit._KERNEL_PACKAGES, f"{module.where} {name}: its package is not hashed"


def test_kernels_that_are_not_hashed_read_nothing_of_other_modules() -> None:
    """Of its own file numba sees an edit; nothing above may call these kernels, or it would run stale."""
    for module, name, function in kernels():
        own = {node.name for node in module.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        package = module.name.split(".")[1]
        called = {node.func.id for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        if package in SEEN_BY_NUMBA:
            assert called <= own | CALLS_ALLOWED, f"{module.where} {name} calls {sorted(called - own - CALLS_ALLOWED)}"
            brought = {(node.module or "", node.level) for node in module.tree.body if isinstance(node, ast.ImportFrom) and node.level}
            assert {name for name, _ in brought} == {"core.jit"}, f"{module.where} imports {brought} of the package"
        elif package in jit._KERNEL_PACKAGES:
            imported = {n.module for n in ast.walk(module.tree) if isinstance(n, ast.ImportFrom) and n.level and n.module}
            assert not {m.split(".")[0] for m in imported} & SEEN_BY_NUMBA, f"{module.where} imports what is not hashed"


def test_arithmetic_is_never_loosened() -> None:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.keyword):
                assert node.arg not in ("fastmath", "boundscheck"), f"{module.where}:{node.lineno}: {node.arg}"


def test_only_kernels_go_without_annotations() -> None:
    """Numba types the bodies of kernels; everything else is typed for mypy, which is told so function by function."""
    for module in modules():
        kernel_lines = {f.lineno for _, f in functions(module) if is_kernel(f)}
        for number, line in enumerate(module.text.splitlines(), 1):
            if "ignore[no-untyped-def]" in line:
                assert number in kernel_lines, f"{module.where}:{number}: not a kernel, so it needs annotations"
