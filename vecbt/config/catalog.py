"""What there is by name, as plain values and as text: strategies of the registry, indicators, their parameters and what these may be."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from ..core.space import Domain
from ..indicators.registry import catalog, find
from ..strategies.naming import OTHER_NAMES
from ..strategies.registry import REGISTRY

__all__ = ["describe_indicator", "describe_strategy", "list_indicators", "list_strategies", "summary_text", "whole_text"]


def list_strategies() -> list[dict[str, Any]]:
    """All registered strategies, sorted by name. What installed packages offer is listed, but not imported: no parameters there."""
    out = []
    for known in REGISTRY.names():
        if known.source in ("vecbt", "registered"):
            out.append(describe_strategy(known.name))
        else:
            out.append({"name": known.name, "source": known.source, "summary": "", "parameters": []})
    return out


def describe_strategy(name: str) -> dict[str, Any]:
    """Name, source, documentation and parameters of a strategy; ConfigError for an unknown one."""
    kind = REGISTRY.find(name)
    sources = {known.name: known.source for known in REGISTRY.names()}
    own = name if name in sources else kind.__name__
    return {
        "name": own,
        "also": sorted(other for other, meant in OTHER_NAMES.items() if meant == own),
        "source": sources[own],
        "class": f"{kind.__module__}:{kind.__qualname__}",
        **_documentation(kind),
        "parameters": [_parameter(domain) for domain in kind.space.values()],
    }


def list_indicators() -> list[dict[str, Any]]:
    """All indicators, sorted by name."""
    return [describe_indicator(name) for name in catalog()]


def describe_indicator(name: str) -> dict[str, Any]:
    """Name, inputs, outputs, documentation and parameters of an indicator; ConfigError for an unknown one."""
    kernel = find(name)
    return {
        "name": kernel.name,
        "inputs": list(kernel.inputs),
        "outputs": list(kernel.outputs) or [kernel.name],
        **_documentation(kernel.function),
        "parameters": [_parameter(domain) for domain in kernel.parameters],
    }


def _documentation(owner: Any) -> dict[str, str]:
    text = inspect.getdoc(owner) or ""
    return {"summary": " ".join(text.partition("\n\n")[0].split()), "documentation": text}


def _parameter(domain: Domain) -> dict[str, Any]:
    """A parameter with its default (null where it must be given, or where that is no plain value) and what it may be, in words."""
    plain = isinstance(domain.default, (bool, int, float, str))
    expected = domain.expected() if domain.is_number or domain.choices is not None else ""
    if domain.below:
        expected += f", below {domain.below}"
    return {"name": domain.name, "default": domain.default if plain else None, "expected": expected}


def summary_text(listed: list[dict[str, Any]]) -> str:
    """A name and its first sentence per line, its parameters with their defaults below."""
    width = max((len(one["name"]) for one in listed), default=0)
    lines = []
    for one in listed:
        about = one["summary"] or f"from the package {one['source']}; `vecbt strategies {one['name']}` imports it"
        lines.append(f"{one['name'].ljust(width)}  {about}")
        more = _signature(one["parameters"])
        if "inputs" in one:
            more = f"{', '.join(one['inputs'])} -> {', '.join(one['outputs'])}" + (f"; {more}" if more else "")
        if more:
            lines.append(f"{' ' * width}  {more}")
    return "\n".join(lines)


def _signature(parameters: Iterable[dict[str, Any]]) -> str:
    return ", ".join(p["name"] if p["default"] is None else f"{p['name']}={p['default']}" for p in parameters)


def whole_text(one: dict[str, Any]) -> str:
    """One entry whole: parameters with what they may be, then its documentation."""
    lines = [one["name"]]
    for key in ("also", "source", "class", "inputs", "outputs"):
        if one.get(key):
            value = one[key]
            lines.append(f"  {key}: {', '.join(value) if isinstance(value, list) else value}")
    if one["parameters"]:
        lines.append("  parameters:")
        width = max(len(p["name"]) for p in one["parameters"])
        for p in one["parameters"]:
            default = "" if p["default"] is None else f" (default {p['default']})"
            lines.append(f"    {p['name'].ljust(width)}  {p['expected'] or 'anything'}{default}")
    return "\n".join([*lines, "", one["documentation"]])
