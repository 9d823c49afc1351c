"""The keywords shown to editors, `help()` and type checkers are those that a run takes."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Required, get_origin, get_type_hints

import pytest

import vecbt as vb
from vecbt.engine.keywords import Keywords
from vecbt.engine.setup import Setup

NAMES = [f.name for f in fields(Setup)]


def test_the_typed_keywords_are_the_fields_of_the_setup() -> None:
    hints = get_type_hints(Keywords, include_extras=True)
    assert list(hints) == NAMES
    assert [name for name, hint in hints.items() if get_origin(hint) is Required] == ["costs"]


@pytest.mark.parametrize(("driver", "own"), [(vb.backtest, 4), (vb.check_parity, 5), (vb.Stream, 3)])
def test_help_shows_every_keyword_with_its_default(driver: object, own: int) -> None:
    shown = inspect.signature(driver).parameters  # type: ignore[arg-type]
    assert list(shown)[own:] == NAMES
    assert shown["costs"].default is inspect.Parameter.empty
    assert shown["fill"].default == "next_open" and shown["initial_capital"].default == 100_000.0
