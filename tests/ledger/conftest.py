"""Each test has a ledger of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from vecbt.ledger import store


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is."""
    place = tmp_path / "kept here"
    monkeypatch.setenv("VECBT_LEDGER", str(place))
    yield place
    while store._open:
        store._open.pop().close()
