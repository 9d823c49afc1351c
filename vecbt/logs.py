"""Loggers for programs that use vecbt: readable lines on the console, JSON lines in a file, no secrets in either."""

from __future__ import annotations

import functools
import json
import logging
import math
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import ConfigError, nearest

__all__ = ["looks_secret", "redact", "setup_logger"]

LEVELS = ("CRITICAL", "DEBUG", "ERROR", "INFO", "WARNING")
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 4
"""Shorter values stand in too many innocent words and numbers."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FIELDS = ("time", "level", "name", "message")


def setup_logger(
    name: str, log_file: str | os.PathLike[str] | None = None, level: str | int = "INFO", console: bool = True
) -> logging.Logger:
    """A logger that writes to the console, to a file, or to both.

    Called again for the same name it replaces its own handlers, so that no line is written twice; handlers that others
    have added stay. Records do not go on to the root logger, which is left alone.

    Parameters
    ----------
    name : str
        Name of the logger, such as `"trading"`; not the root logger.
    log_file : path, optional
        Appended to, a JSON object per line: time (UTC), level, name, message, whatever `extra=` brought, and the
        traceback as `exception`. Folders are made.
    level : str or int
        Least severity that is written: DEBUG, INFO, WARNING, ERROR or CRITICAL.
    console : bool
        Write lines for people to stderr.

    Returns
    -------
    logging.Logger

    Raises
    ------
    ConfigError
        An argument that is none, or a file that cannot be written.

    Notes
    -----
    The value of an environment variable whose name says KEY, SECRET, TOKEN or PASSWORD is written as `<NAME>`, in
    messages, extra fields and tracebacks.
    """
    if not isinstance(name, str) or not name.strip() or name == "root":
        raise ConfigError(f"name is {name!r}; expected the name of a logger of your own, such as 'trading'")
    number = _level(level)
    handlers: list[logging.Handler] = []
    if log_file is not None:
        handlers.append(_file_handler(Path(log_file)))
    if console:
        handlers.append(_ConsoleHandler())
        handlers[-1].setFormatter(_Lines())
    logger = logging.getLogger(name)
    for old in [h for h in logger.handlers if h.name == _OURS]:
        logger.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.name = _OURS
        logger.addHandler(handler)
    logger.setLevel(number)
    logger.propagate = False
    return logger


@functools.lru_cache(maxsize=4_096)
def looks_secret(name: str) -> bool:
    """Whether what has this name should never be shown: an API key, a secret, a token, a password."""
    return bool(_SECRET_NAME.search(name))


def redact(text: str, environment: Mapping[str, str] | None = None) -> str:
    """`text` with the values of secret environment variables replaced by `<NAME>`; longer values first."""
    for value, name in _secrets(os.environ if environment is None else environment):
        if value in text:
            text = text.replace(value, f"<{name}>")
    return text


_OURS = "vecbt.setup_logger"


def _level(level: str | int) -> int:
    if isinstance(level, int) and not isinstance(level, bool) and level >= 0:
        return level
    if isinstance(level, str) and level.upper() in LEVELS:
        return logging.getLevelNamesMapping()[level.upper()]
    raise ConfigError(f"level is {level!r}; {nearest(str(level).upper(), LEVELS)}")


def _file_handler(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"log_file is {str(path)!r}, which cannot be written: {error.strerror}; choose another place") from error
    handler.setFormatter(_JsonLines())
    return handler


class _ConsoleHandler(logging.StreamHandler[Any]):
    """Writes to whatever stderr is at the time of the record, as a terminal or a test may exchange it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """The stderr of now."""
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        """Not kept: it is looked up each time."""


def _secrets(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    found = [(v, k) for k in environment if looks_secret(k) and len(v := environment.get(k, "")) >= _SHORTEST_SECRET]
    return sorted(found, key=lambda pair: (-len(pair[0]), pair[1]))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """What `extra=` brought."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD and not key.startswith("_")}


class _JsonLines(logging.Formatter):
    """A JSON object per record, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = dict(zip(_FIELDS, (moment, record.levelname, record.name, record.getMessage()), strict=True))
        line |= {key if key not in line else f"extra_{key}": value for key, value in _extra(record).items()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(_plain(line), ensure_ascii=False)


class _Lines(logging.Formatter):
    """A line for people: time, level, name, message, extra fields."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, with what `extra=` brought as key=value."""
        extra = " ".join(f"{key}={value!s}" for key, value in _extra(record).items())
        return super().formatMessage(record) + (f" ({extra})" if extra else "")

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback where there is one."""
        return redact(super().format(record))


def _plain(value: Any, depth: int = 0) -> Any:
    """What JSON can hold, without secrets: numbers that are not finite are null, what is unknown is its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        kept = value if isinstance(value, int) or math.isfinite(value) else None
        return kept if redact(str(value)) == str(value) else redact(str(value))
    if isinstance(value, Mapping) and depth < 10:
        return {redact(str(key)): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < 10:
        return [_plain(inner, depth + 1) for inner in value]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        return _plain(value.item(), depth + 1)
    return redact(str(value))
