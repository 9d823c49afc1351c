"""CLI-02: `setup_logger`: console and JSON lines, no line twice, no secret in either, the root logger left alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vecbt.errors import ConfigError
from vecbt.logs import redact, setup_logger

NAME = "trading_for_test"


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    root = list(logging.getLogger().handlers)
    yield
    assert logging.getLogger().handlers == root, "the root logger was touched"
    setup_logger(NAME, console=False)
    logging.getLogger(NAME).handlers.clear()


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=lambda text: pytest.fail(f"{text} is no JSON")) for line in path.read_text().splitlines()]


def test_the_documents_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """CLI-02: name, log_file, level, console; structured lines in the file."""
    monkeypatch.chdir(tmp_path)
    logger = setup_logger(name=NAME, log_file="./logs/trading.log", level="INFO", console=True)
    logger.debug("not this")
    logger.info("filled %d of %s", 3, "AAPL", extra={"order": 7, "price": 9.5})
    (line,) = _lines(tmp_path / "logs" / "trading.log")
    moment = datetime.fromisoformat(line.pop("time"))
    assert moment.utcoffset() == timedelta(0)
    assert line == {"level": "INFO", "name": NAME, "message": "filled 3 of AAPL", "order": 7, "price": 9.5}
    out, err = capsys.readouterr()
    assert out == "" and err.endswith(f"INFO     {NAME}: filled 3 of AAPL (order=7 price=9.5)\n")


def test_called_again_no_line_is_written_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        logger = setup_logger(NAME, tmp_path / "a.log")
    assert logger is logging.getLogger(NAME) and len([h for h in logger.handlers if h.name == "vecbt.setup_logger"]) == 2
    logger.warning("once")
    assert len(_lines(tmp_path / "a.log")) == 1 and capsys.readouterr().err.count("once") == 1
    logger = setup_logger(NAME, tmp_path / "b.log", level="ERROR", console=False)
    logger.warning("too mild")
    logger.error("only in b")
    assert len(_lines(tmp_path / "a.log")) == 1 and [r["message"] for r in _lines(tmp_path / "b.log")] == ["only in b"]
    assert capsys.readouterr().err == ""


def test_handlers_of_others_stay() -> None:
    mine = logging.NullHandler()
    logging.getLogger(NAME).addHandler(mine)
    logger = setup_logger(NAME)
    assert mine in logger.handlers and not logger.propagate


def test_files_are_appended_to(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"message": "old"}\n')
    setup_logger(NAME, tmp_path / "a.log", console=False).info("new")
    assert [r["message"] for r in _lines(tmp_path / "a.log")] == ["old", "new"]


def test_secrets_of_the_environment_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = {
        "ALPACA_API_KEY": 'PK"12\\34ü', "ALPACA_API_SECRET": "abcd", "BOT_TOKEN": "abcd-efgh", "DB_PASSWORD": "4711", "SHORT_KEY": "a",
    }  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    logger = setup_logger(NAME, tmp_path / "a.log")
    try:
        raise ValueError(f"refused {secrets['BOT_TOKEN']}")
    except ValueError:
        logger.exception("key %s", secrets["ALPACA_API_KEY"], extra={"headers": {"x": ["abcd", {"y": "abcd-efgh"}]}, "number": 4711})
    (line,) = _lines(tmp_path / "a.log")
    assert line["message"] == "key <ALPACA_API_KEY>" and line["headers"] == {"x": ["<ALPACA_API_SECRET>", {"y": "<BOT_TOKEN>"}]}
    assert line["number"] == "<DB_PASSWORD>" and "refused <BOT_TOKEN>" in line["exception"] and "Traceback" in line["exception"]
    for text in ((tmp_path / "a.log").read_text(), capsys.readouterr().err):
        for name, value in secrets.items():
            assert name == "SHORT_KEY" or value not in text.replace(f"secrets['{name}']", "")
    assert redact("a plain text about nothing", {"X_KEY": "a"}) == "a plain text about nothing"


def test_a_line_is_json_whatever_it_carries(tmp_path: Path) -> None:
    logger = setup_logger(NAME, tmp_path / "a.log", console=False)
    loop: list[Any] = []
    loop.append(loop)
    logger.info(
        "two\nlines",
        extra={
            "nan": float("nan"),
            "array": np.arange(2),
            "scalar": np.int64(3),
            "when": datetime(2024, 1, 1),
            "loop": loop,
            "level": "mine",
        },
    )
    (line,) = _lines(tmp_path / "a.log")
    assert line["message"] == "two\nlines" and line["nan"] is None and line["array"] == "[0 1]" and line["scalar"] == 3
    assert line["when"] == "2024-01-01 00:00:00" and line["level"] == "INFO" and line["extra_level"] == "mine"


def test_arguments_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"name": ""}, "expected the name of a logger of your own"),
        ({"name": "root"}, "expected the name of a logger of your own"),
        ({"name": NAME, "level": "INFOS"}, "did you mean 'INFO'"),
        ({"name": NAME, "level": True}, "level is True"),
        ({"name": NAME, "log_file": tmp_path}, "cannot be written"),
        ({"name": NAME, "log_file": tmp_path / "file" / "a.log"}, "cannot be written"),
    ]
    for arguments, message in cases:
        with pytest.raises(ConfigError, match=message):
            setup_logger(**arguments)
    assert setup_logger(NAME, level=logging.DEBUG).level == logging.DEBUG == setup_logger(NAME, level="debug").level
