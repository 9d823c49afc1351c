"""Notebooks that run as tests have a ledger of their own, which their kernels inherit."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

os.environ["VECBT_LEDGER"] = tempfile.mkdtemp(prefix="vecbt-ledger-")
atexit.register(shutil.rmtree, os.environ["VECBT_LEDGER"], ignore_errors=True)
