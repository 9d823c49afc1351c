"""The documents tell the truth: their Python runs and prints what they show, their commands succeed, their links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, blocks
from vecbt import cli

README = ROOT / "README.md"
WITH_PYTHON = [path for path in DOCUMENTS if any(block.language == "python" for block in blocks(path))]


@pytest.mark.parametrize("path", WITH_PYTHON, ids=lambda p: p.name)
def test_python_of_a_document_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks share their names from top to bottom; a `text` block right after a `python` block is what that one prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path / "ledger"))  # what a document counts is what it ran itself
    page = types.ModuleType(f"page_{path.stem}")
    monkeypatch.setitem(sys.modules, page.__name__, page)  # where dataclasses look for the names of their module
    printed = ""
    for block in blocks(path):
        where = f"{path.name}:{block.line}"
        if block.language == "python":
            # line numbers of errors are those of the document
            code = compile("\n" * block.line + block.text, str(path), "exec")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(code, vars(page))
            printed = output.getvalue()
        elif block.language == "text" and block.follows_at_once:
            assert _lines(printed) == _lines(block.text), f"{where} shows another output"


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_first_example_is_five_lines() -> None:
    first = next(block for block in blocks(README) if block.language == "python")
    assert len([line for line in first.text.splitlines() if line.strip()]) == 5


def _as_a_process(arguments: list[str]) -> tuple[int, str]:
    """Its exit code and what it said."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "vecbt.cli", *arguments], env=environment, capture_output=True, text=True, timeout=800)
    return done.returncode, f"{done.stdout}\n{done.stderr}"


def _in_this_process(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The same, without seconds of imports."""
    monkeypatch.setattr(sys, "argv", ["vecbt", *arguments])
    code: object = None
    try:
        cli.main()
    except SystemExit as done:
        code = done.code
    return (code if isinstance(code, int) else int(code is not None)), "\n".join(capsys.readouterr())


def test_commands_of_the_readme_succeed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every `$ vecbt ...` line of a `console` block, in order, in one empty folder: the first three as a user starts them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("VECBT_LEDGER", str(tmp_path / "ledger"))
    commands = [
        line[2:]
        for block in blocks(README)
        if block.language == "console"
        for line in block.text.splitlines()
        if line.startswith("$ vecbt")
    ]
    assert commands
    for place, command in enumerate(commands):
        arguments = shlex.split(command, comments=True)[1:]
        code, said = _as_a_process(arguments) if place < 3 else _in_this_process(arguments, monkeypatch, capsys)
        assert code == 0, f"{command}\n{said}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_to_files(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), f"{path.name} links to {target}, which is not there"


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in DOCUMENTS:
        for name in re.findall(r"`make ([a-z]+)", path.read_text(encoding="utf-8")):
            assert name in targets, f"{path.name} names `make {name}`"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.name)
def test_notebooks_are_kept_with_their_outputs(path: Path) -> None:
    """Run from top to bottom, without errors, without the times at which cells ran (`make notebooks`)."""
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output["output_type"] == "error" or output.get("name") == "stderr" for output in outputs)
    assert not any("execution" in cell["metadata"] for cell in cells)
