"""An environment for each peer, beside this file, made when it is first asked for and again when its requirements change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SECONDS = 1_500


class Unavailable(Exception):
    """A peer cannot be installed, or imported, or run; the message says why."""


def interpreter(peer: str) -> str:
    """The Python of the peer's environment. Unavailable where it cannot be made."""
    needs = HERE / f"{peer}.txt"
    folder = HERE / ".venvs" / peer
    ready = folder / f".ready-{zlib.crc32(needs.read_bytes()):08x}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"installing {peer} in {folder.relative_to(ROOT)}", flush=True)
        _run([sys.executable, "-m", "venv", str(folder)], "its environment cannot be made")
        options = ["-qq", "--disable-pip-version-check", "--retries", "1", "--timeout", "30"]
        _run([str(python), "-m", "pip", "install", *options, "-r", str(needs)], "it cannot be installed")
        ready.touch()
    return str(python)


def lines_of(python: str, module: str, *arguments: str) -> list[dict[str, Any]]:
    """What `python -m module` measured: the JSON lines that it printed. Unavailable where it fails."""
    found = []
    for line in _run([python, "-W", "ignore", "-m", module, *arguments], "it cannot be run").splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
    return found


def _run(command: list[str], what: str) -> str:
    # as a person calls it: settings of this run are not those of the other environment
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON", "MAKE", "MFLAGS"))}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what}: {SECONDS} s were not enough") from None
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise Unavailable(f"{what}: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.stdout
