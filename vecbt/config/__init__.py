"""Run files: YAML or JSON, checked key by key, that build exactly the public objects."""

from __future__ import annotations

from .load import RunFile, load_run, parse_run
from .models import RunConfig, run_schema

__all__ = ["RunConfig", "RunFile", "load_run", "parse_run", "run_schema"]
