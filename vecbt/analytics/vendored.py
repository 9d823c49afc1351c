"""Scripts that a page carries: the vendored library of charts, checked against its hash, and our own."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from importlib.resources import files
from typing import Any

from ..errors import ConfigError

__all__ = ["ECHARTS_SHA256", "ECHARTS_VERSION", "data_block", "echarts", "own", "script", "script_hash"]

ECHARTS_VERSION = "6.1.0"
ECHARTS_SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"

_HOME = __name__.rpartition(".")[0]


@functools.cache
def echarts() -> str:
    """The text of Apache ECharts; ConfigError where the file is not the one that was vendored."""
    content = (files(_HOME) / "vendor" / "echarts.min.js").read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != ECHARTS_SHA256:
        raise ConfigError(f"vendor/echarts.min.js has sha256 {found}, expected {ECHARTS_SHA256}; install vecbt again")
    return content.decode("utf-8")


@functools.cache
def own(name: str) -> str:
    """The text of a script of this package, by the name of its file in `pages`."""
    return (files(_HOME) / "pages" / name).read_text(encoding="utf-8")


def script(code: str) -> str:
    """Code as an element of a page. It is ours or vendored, never a user's."""
    return f"<script>{code}</script>"


def script_hash(code: str) -> str:
    """The code as a source that a content security policy lets run: that code, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode('utf-8')).digest()).decode('ascii')}'"


def data_block(name: str, value: Any) -> str:
    """Values as JSON in an element that no browser runs. What could end it, or a line of JavaScript, is written as an escape.

    Raises
    ------
    ValueError
        A number is NaN or infinite; say None.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'
