"""Windows of a walk-forward search and the layout of an optimizer's section, as files for such programs have them.

An `optimization` section of a genetic algorithm is read as `optimize`, its keys under their own names; others are unknown keys. What
contradicts itself inside of those is said all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...data.zones import DAY_NS
from .facts import Facts
from .finding import Finding

__all__ = ["RULES"]

_SECTIONS = ("walk_forward", "optimization.wfo", "optimization.walk_forward", "optimization")
_NESTED = {
    "rl": ("alpha", "gamma", "epsilon", "episodes", "max_steps_per_episode", "reward_function"),
    "wfo": ("train_window_days", "test_window_days", "min_observations", "improvement_threshold"),
}


def _windows(facts: Facts) -> Iterator[Finding]:
    for section in _SECTIONS:
        train, test, step = (_window(facts, section, name) for name in ("train_window", "test_window", "step"))
        if train is None or test is None:
            continue
        units = {w[1] for w in (train, test, step) if w is not None}
        if len(units) > 1:
            yield facts.finding(
                "window-units",
                "error",
                section,
                f"windows are given in {' and '.join(sorted(units))}",
                "one is a number of bars, the other a length of time: they cannot be compared",
                "give all of them in bars, or all in days",
            )
            continue
        if step is None:
            yield facts.finding(
                "window-step",
                "warning",
                section,
                "there is no step",
                "how far the windows move decides whether test windows overlap",
                f"set it to the test window, {test[0]:g}",
            )
        elif step[0] < test[0]:
            yield facts.finding(
                "window-step",
                "error",
                section,
                f"the step of {step[0]:g} is shorter than the test window of {test[0]:g}",
                "test windows overlap: the same bars are counted more than once",
                f"set the step to {test[0]:g}",
            )
        yield from _minimum(facts, section, train)


def _window(facts: Facts, section: str, name: str) -> tuple[float, str] | None:
    for suffix, unit in (("_bars", "bars"), ("_days", "days"), ("", "bars")):
        value = facts.number(f"{section}.{name}{suffix}")
        if value is not None:
            return value, unit
    return None


def _minimum(facts: Facts, section: str, train: tuple[float, str]) -> Iterator[Finding]:
    """A window that cannot hold the observations that are asked of it."""
    least = facts.number(f"{section}.min_observations")
    if least is None:
        return
    a_day = DAY_NS / facts.bars.market.bar_ns if facts.bars is not None and facts.bars.market.bar_ns else 1.0
    most = train[0] * (max(1.0, a_day) if train[1] == "days" else 1.0)
    if most < least:
        yield facts.finding(
            "window-below-minimum",
            "error",
            f"{section}.min_observations",
            f"{least:g} observations are asked of a window of {train[0]:g} {train[1]}, at most {most:g} bars",
            "no window can ever meet it: nothing is ever fitted",
            "ask for fewer observations, or use a longer window",
        )


def _flat(facts: Facts) -> Iterator[Finding]:
    section = facts.get("optimization")
    mode = facts.get("optimization.mode")
    if not isinstance(section, dict) or not isinstance(mode, str) or mode not in _NESTED:
        return
    flat = [key for key in _NESTED[mode] if key in section]
    if flat:
        yield facts.finding(
            "flat-section",
            "warning",
            f"optimization.{flat[0]}",
            f"{', '.join(flat)} stand beside mode, not inside {mode}",
            "a file that has both the flat and the nested form says two things",
            f"put them under optimization.{mode}",
        )


RULES = (_windows, _flat)
