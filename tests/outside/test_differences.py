"""The table of DIFFERENCES.md is true: its figures are what vecbt says (in every test run) and what vectorbt says (`make check`)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.outside.difference import PAGE, Difference, rows_of_page
from tests.outside.differences import DIFFERENCES
from tests.outside.outside import INSTALL, ROOT, Answer, ask, python

ROWS = {row.topic: row for row in rows_of_page()}


def _topic(difference: Difference) -> str:
    return difference.topic


def test_every_row_is_run_and_every_run_has_a_row() -> None:
    assert [row.topic for row in rows_of_page()] == [difference.topic for difference in DIFFERENCES]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=_topic)
def test_our_figure_is_the_one_in_the_table(difference: Difference) -> None:
    assert ROWS[difference.topic].figures[0] == difference.ours()


@pytest.mark.slow
@pytest.mark.parametrize("difference", DIFFERENCES, ids=_topic)
def test_their_figure_is_the_one_in_the_table(difference: Difference, answers: dict[str, Answer]) -> None:
    """And it is another than ours, so that the row says something."""
    figures = ROWS[difference.topic].figures
    assert len(figures) == 2 and figures[0] != figures[1]
    assert figures[1] == difference.theirs(answers[difference.question.name])


def test_rules_that_the_page_cites_exist() -> None:
    written = set(re.findall(r"^- ([A-Z]\d+) ", (ROOT / "SEMANTICS.md").read_text(encoding="utf-8"), re.MULTILINE))
    cited = set(re.findall(r"\b([TFSWPZMDO]\d+)\b", PAGE.read_text(encoding="utf-8")))
    assert cited <= written, f"cited but not written: {sorted(cited - written)}"


def test_without_the_environment_the_command_that_makes_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Under `make check` nothing is skipped: what is missing is a failure."""
    monkeypatch.setenv("VECBT_OUTSIDE_PYTHON", str(tmp_path / "python"))
    for start in (python, lambda: ask([], tmp_path)):
        with pytest.raises(pytest.fail.Exception, match=INSTALL):
            start()


def test_only_runs_in_environments_of_its_own_import_vectorbt() -> None:
    """One for its answers, one for its times; no environment of the package installs it."""
    importing = re.compile(r"^\s*(?:import|from) vectorbt\b", re.MULTILINE)
    files = [path for folder in ("vecbt", "tests", "benchmarks") for path in sorted((ROOT / folder).glob("**/*.py"))]
    found = [path.name for path in files if importing.search(path.read_text(encoding="utf-8"))]
    assert found == ["vectorbt_runs.py", "with_vectorbt.py"]
    assert "vectorbt" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
