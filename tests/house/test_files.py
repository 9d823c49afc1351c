"""What may stand in the repository."""

from __future__ import annotations

import re

from tests.house.source import ROOT, tracked_files

# folders of one machine, written so that this file does not match itself
MACHINE_PATH = re.compile(r"(?<![\w.~/])/(?:home|root|work|farm|Users|mnt)" + r"/\w")
TEXT = {".py", ".md", ".toml", ".cfg", ".yaml", ".yml", ".json", ".ipynb", ".txt", ".csv", ".html", ".sh", ""}
TOP_LEVEL = {
    ".ci", ".gitattributes", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "DIFFERENCES.md", "LICENSE", "Makefile",
    "README.md", "SEMANTICS.md", "benchmarks", "notebooks", "pyproject.toml", "setup.cfg", "tests", "vecbt",
}  # fmt: skip
LARGEST_BYTES = 2_000_000


def test_no_file_names_a_place_on_one_machine() -> None:
    found = []
    for path in tracked_files():
        if path.suffix in TEXT:
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if MACHINE_PATH.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "paths of one machine:\n" + "\n".join(found)


def test_the_root_holds_what_was_agreed() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    assert found <= TOP_LEVEL, f"unexpected at the root: {sorted(found - TOP_LEVEL)}"


def test_files_are_small() -> None:
    large = {str(p.relative_to(ROOT)): p.stat().st_size for p in tracked_files() if p.stat().st_size > LARGEST_BYTES}
    assert not large, f"files above {LARGEST_BYTES} bytes: {large}"


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        if path.suffix in {".py", ".md", ".toml", ".cfg"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert not found, "\n".join(found)
