"""Blocks of code in the documents: what the tests in this folder run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(ROOT.glob("*.md"))
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line it starts on."""

    language: str
    text: str
    line: int
    follows_at_once: bool
    """Whether only white space stands between it and the block before."""


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a document, in order."""
    text = path.read_text(encoding="utf-8")
    found, end = [], 0
    for match in _FENCE.finditer(text):
        between = text[end : match.start()]
        found.append(Block(match[1], match[2], text.count("\n", 0, match.start()) + 1, bool(found) and not between.strip()))
        end = match.end()
    return found
