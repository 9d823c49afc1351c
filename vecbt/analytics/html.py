"""Small pieces of HTML. Whatever text comes in is escaped here, and nowhere else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["Raw", "cell", "data_uri", "table", "text"]


class Raw(str):
    """Text that is HTML already."""


def text(value: object) -> str:
    """Escaped, unless it is HTML already."""
    return value if isinstance(value, Raw) else escape(str(value))


def cell(value: object, *, number: bool = False, tone: str = "") -> Raw:
    """A table cell; `tone` is "gain", "loss" or empty."""
    classes = " ".join(name for name in ("n" if number else "", tone) if name)
    return Raw(f'<td class="{classes}">{text(value)}</td>' if classes else f"<td>{text(value)}</td>")


def table(head: Sequence[str], rows: Iterable[Sequence[Raw]], numbers: Iterable[int] = (), *, kind: str = "") -> Raw:
    """A table of finished cells; `numbers` are the columns that stand to the right."""
    right = set(numbers)
    heads = "".join(f'<th class="n">{text(name)}</th>' if k in right else f"<th>{text(name)}</th>" for k, name in enumerate(head))
    body = "".join(f"<tr>{''.join(row)}</tr>\n" for row in rows)
    start = f'<table class="{kind}">' if kind else "<table>"
    return Raw(f"{start}{f'<thead><tr>{heads}</tr></thead>' if head else ''}<tbody>\n{body}</tbody></table>")


def data_uri(content: bytes, media_type: str) -> str:
    """The content as an address that needs no request."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
