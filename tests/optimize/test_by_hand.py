"""OPT-01: a search driven by hand gives each set once, and goes on from its state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vecbt.errors import ConfigError, InputError
from vecbt.optimize.by_hand import SearchDriver
from vecbt.optimize.genetic import Genetic
from vecbt.optimize.sampling import GridSearch, RandomSearch
from vecbt.strategies import SmaCross


def worth(sets: list[dict[str, Any]]) -> list[float]:
    """The nearer to (7, 30) the better."""
    return [-float((each["fast"] - 7) ** 2 + (each["slow"] - 30) ** 2) for each in sets]


def driver(**other: Any) -> SearchDriver:
    """A search over the parameters of a strategy, with its constraint."""
    given: dict[str, Any] = {"strategy": SmaCross(3, 10), "method": Genetic(population=20, generations=15), "seed": 1}
    return SearchDriver({"fast": (2, 20), "slow": (4, 40)}, **(given | other))


def test_opt01_ask_and_tell_find_the_best_and_give_no_set_twice() -> None:
    search, met = driver(), []
    while sets := search.ask():
        assert search.ask() == sets
        met += [tuple(each.values()) for each in sets]
        search.tell(worth(sets))
    assert len(set(met)) == len(met) and all(fast < slow for fast, slow in met)
    assert search.best() == {"fast": 7, "slow": 30} and "generations" in search.finished
    assert len(search.told()) == len(met) and search.generation == 15


def test_opt01_a_search_by_hand_goes_on_from_its_state() -> None:
    whole, first = driver(), driver()
    for _ in range(4):
        first.tell(worth(first.ask()))
    second = driver()
    second.restore(first.state())
    for search in (whole, second):
        while sets := search.ask():
            search.tell(worth(sets))
    assert second.told() == whole.told() and second.best() == whole.best()


def test_opt01_a_generation_of_known_sets_alone_is_answered_from_memory() -> None:
    search = SearchDriver({"x": [1, 2, 3]}, method=RandomSearch(50, batch=5))
    met = []
    while sets := search.ask():
        met += [each["x"] for each in sets]
        search.tell(np.ones(len(sets)))
    assert sorted(met) == [1, 2, 3] and search.generation == 10


def test_opt01_several_objectives_and_mistakes() -> None:
    search = SearchDriver({"x": [1, 2]}, method=GridSearch(), objectives=2, where=lambda p: p["x"] < 3)
    with pytest.raises(ConfigError, match="no set has a score"):
        search.best()
    with pytest.raises(InputError, match="call ask"):
        search.tell([1.0])
    search.ask()
    with pytest.raises(InputError, match=r"expected \(2, 2\)"):
        search.tell([1.0, 2.0])
    search.tell([[1.0, 4.0], [2.0, 3.0]])
    assert search.best() == {"x": 2} and search.best(1) == {"x": 1}
    with pytest.raises(ConfigError, match="space is missing"):
        SearchDriver()
