"""One idea, one file: how long a module and a function may grow."""

from __future__ import annotations

import statistics

from tests.house.source import functions, is_kernel, modules

MODULE_LINES, MEDIAN_LINES, FUNCTION_LINES, ARGUMENTS = 500, 200, 80, 8


def test_modules_are_short() -> None:
    sizes = {m.where: m.text.count("\n") for m in modules()}
    too_long = {where: lines for where, lines in sizes.items() if lines > MODULE_LINES}
    assert not too_long, f"modules of more than {MODULE_LINES} lines: {too_long}"
    assert statistics.median(sizes.values()) <= MEDIAN_LINES


def test_functions_are_short() -> None:
    too_long = []
    for module in modules():
        for name, function in functions(module):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > FUNCTION_LINES:
                too_long.append(f"{module.where}:{function.lineno} {name}: {lines} lines")
    assert not too_long, f"functions of more than {FUNCTION_LINES} lines:\n" + "\n".join(too_long)


def test_functions_take_few_arguments() -> None:
    """Kernels take at most eight; other functions at most eight by position, the rest by keyword."""
    too_many = []
    for module in modules():
        for name, function in functions(module):
            arguments = function.args
            positional = [a.arg for a in arguments.posonlyargs + arguments.args if a.arg not in ("self", "cls")]
            count = len(positional) + (len(arguments.kwonlyargs) if is_kernel(function) else 0)
            if count > ARGUMENTS:
                too_many.append(f"{module.where}:{function.lineno} {name}: {count} arguments")
    assert not too_many, f"more than {ARGUMENTS} arguments:\n" + "\n".join(too_many)
