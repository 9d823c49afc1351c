"""One process of vectorbt for all tests of this folder: the questions of every family and of every difference, put at once."""

from __future__ import annotations

import pytest

from tests.outside.differences import DIFFERENCES
from tests.outside.families import FAMILIES, Family, draw
from tests.outside.outside import Answer, ask


@pytest.fixture(scope="session")
def families(request: pytest.FixtureRequest) -> dict[str, Family]:
    """Every family, drawn by the seed that `make check` prints (0 without one)."""
    seed = request.config.getoption("hypothesis_seed", None)
    return {name: draw(name, int(seed) if seed is not None else 0) for name in FAMILIES}


@pytest.fixture(scope="session")
def answers(families: dict[str, Family], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """What vectorbt says, by name of the question."""
    questions = [family.question for family in families.values()] + [difference.question for difference in DIFFERENCES]
    return ask(questions, tmp_path_factory.mktemp("outside"))
