"""Configuration: run files in YAML, JSON or TOML, checked key by key, that build exactly the public objects; the check for
contradictions; the manager that a whole program shares.
"""

from __future__ import annotations

from .lint import Finding, check_config
from .load import RunFile, load_run, parse_run
from .manager import ConfigManager, Credentials
from .models import RunConfig, run_schema

__all__ = ["ConfigManager", "Credentials", "Finding", "RunConfig", "RunFile", "check_config", "load_run", "parse_run", "run_schema"]
