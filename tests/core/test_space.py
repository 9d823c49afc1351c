"""Parameters: their ranges, the types they are kept in, what is refused and how."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field
from typing import Any

import numpy as np
import pytest

from vecbt.core.space import Parameter, Space
from vecbt.errors import ConfigError


@dataclass(frozen=True)
class Sample:
    needed: float = Parameter(high=3)
    window: int = Parameter(20, low=1, high=50, integer=True)
    share: float = Parameter(0.5, low=0)
    side: str = Parameter("long", choices=("long", "short"))
    plain: Any = "x"
    fixed: int = field(init=False, default=3)


def test_a_space_lists_what_the_constructor_takes() -> None:
    space = Space.of(Sample)
    assert list(space) == ["needed", "window", "share", "side", "plain"] and len(space) == 5
    assert space["window"].default == 20 and space["window"].expected() == "a whole number from 1 to 50"
    assert space["share"].expected() == "a number of at least 0"
    assert space["needed"].expected() == "a number of at most 3" and space["needed"].default is MISSING
    assert space["side"].expected() == "one of 'long', 'short'"
    with pytest.raises(KeyError):
        space["windows"]
    assert list(Space.of(int)) == []


def test_values_are_kept_in_one_type() -> None:
    values = Space.of(Sample).validate({"window": np.int64(3), "share": 1, "plain": [1], "side": "short"})
    assert values == {"window": 3, "share": 1.0, "plain": [1], "side": "short"}
    assert type(values["window"]) is int and type(values["share"]) is float
    assert type(Space.of(Sample).validate({"window": 4.0})["window"]) is int


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"windw": 3}, "Sample has no parameter 'windw'; did you mean 'window'"),
        ({"window": 0}, "Sample.window is 0; expected a whole number from 1 to 50"),
        ({"window": 51}, "expected a whole number from 1 to 50"),
        ({"window": 2.5}, "expected a whole number"),
        ({"window": True}, "expected a whole number"),
        ({"window": "3"}, "Sample.window is '3'"),
        ({"share": float("nan")}, "a number of at least 0"),
        ({"share": float("inf")}, "a number of at least 0"),
        ({"share": -0.1}, "a number of at least 0"),
        ({"side": "both"}, "one of 'long', 'short'"),
        ({"side": None}, "one of 'long', 'short'"),
    ],
)
def test_what_may_not_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Space.of(Sample).validate(values)


@pytest.mark.parametrize("description", [{"low": 3, "high": 2}, {"choices": ()}, {"choices": (1,), "low": 0}, {"default": 5, "high": 4}])
def test_a_description_that_contradicts_itself_is_refused(description: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Parameter(**description)
