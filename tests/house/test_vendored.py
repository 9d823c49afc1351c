"""What we carry of others: the file that was vendored, its licence beside it, and all of it in what is installed."""

from __future__ import annotations

import hashlib
import tomllib

from tests.house.source import PACKAGE, ROOT
from vecbt.analytics import vendored

VENDOR = PACKAGE / "analytics" / "vendor"


def test_the_library_of_charts_is_the_one_that_was_vendored() -> None:
    content = (VENDOR / "echarts.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == vendored.ECHARTS_SHA256
    table = (VENDOR / "VENDORED.md").read_text(encoding="utf-8")
    assert vendored.ECHARTS_SHA256 in table and vendored.ECHARTS_VERSION in table
    assert f'"{vendored.ECHARTS_VERSION}"' in content.decode("utf-8")
    assert vendored.echarts() == content.decode("utf-8")


def test_licence_and_notice_stand_beside_it() -> None:
    assert "Apache License" in (VENDOR / "LICENSE").read_text(encoding="utf-8")
    assert "The Apache Software Foundation" in (VENDOR / "NOTICE").read_text(encoding="utf-8")
    assert "Bostock" in (VENDOR / "LICENSE-d3").read_text(encoding="utf-8")


def test_no_script_can_end_the_element_it_stands_in() -> None:
    for code in (vendored.echarts(), *(vendored.own(path.name) for path in sorted((PACKAGE / "analytics" / "pages").glob("*.js")))):
        assert "</script" not in code.lower() and "<!--" not in code


def test_what_is_installed_carries_it() -> None:
    """Each file that is not Python lies under a pattern of the package data."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]["vecbt"]
    carried = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    others = {path for path in PACKAGE.glob("**/*") if path.is_file() and path.suffix not in (".py", ".pyc", ".nbi", ".nbc")}
    assert others <= carried, sorted(str(path.relative_to(ROOT)) for path in others - carried)
