"""The file: each record holds the hash of the one before, so what was changed, taken out or cut off is found and named."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import vecbt as vb
from tests.ledger.ledgers import closed, days, flip, run, six, tampered
from vecbt.ledger import place


def test_a_run_and_a_sweep_are_a_record_each_beside_that_of_their_data() -> None:
    bars = days()
    run(bars)
    six(bars)
    with closing(sqlite3.connect(closed())) as connection:
        rows = connection.execute("SELECT n, kind, data, bars, trials, head FROM records ORDER BY n").fetchall()
    assert [row[:5] for row in rows] == [(1, "data", 0, 260, 0), (2, "run", 1, 260, 1), (3, "sweep", 1, 260, 6)]
    single, many = json.loads(rows[1][5]), json.loads(rows[2][5])
    assert single["strategy"] == "SmaCross" and single["parameters"]["fast"] == 3 and single["setup"]["costs.commission_rate"] == 0.001
    assert many["space"] == {"fast": [2, 3], "slow": [6, 9, 14]} and many["sets"] == 6 and set(many["best"]) == {"fast", "slow"}


def test_an_unbroken_chain_is_verified_with_the_head_that_results_carry() -> None:
    first, second = run(days()).trials, six(days()).trials
    report = vb.ledger.verify()
    assert report.ok and report.records == 3 and report.head == second.head != first.head and report.damage == ()
    assert vb.ledger.verify(first.head).ok and vb.ledger.verify(second.head[:12]).ok and "unbroken" in str(report)


def test_no_ledger_is_no_damage_unless_a_head_was_in_it() -> None:
    assert vb.ledger.verify().ok and vb.ledger.verify().records == 0
    report = vb.ledger.verify("ab" * 32)
    assert not report.ok and "there is no ledger" in report.damage[0]
    with pytest.raises(vb.errors.ConfigError, match="hexadecimal"):
        vb.ledger.verify("nonsense")


@pytest.mark.parametrize("needle", [b"SmaCross", b"commission"], ids=["strategy", "setup"])
def test_a_flipped_bit_is_found_and_the_record_named(needle: bytes) -> None:
    run(days())
    flip(needle)
    report = vb.ledger.verify()
    assert not report.ok and "record 2 (run) was changed" in str(report)


def test_every_byte_of_a_body_is_covered() -> None:
    run(days())
    with closing(sqlite3.connect(closed())) as connection:
        body = connection.execute("SELECT body FROM records WHERE n=2").fetchone()[0]
    for at in range(0, len(body), 37):
        wrong = bytes([*body[:at], body[at] ^ 4, *body[at + 1 :]])
        tampered(f"UPDATE records SET body=x'{wrong.hex()}' WHERE n=2")
        assert not vb.ledger.verify().ok
    tampered(f"UPDATE records SET body=x'{body.hex()}' WHERE n=2")
    assert vb.ledger.verify().ok


@pytest.mark.parametrize("column", ["trials=2", "bars=9", "kind='sweep'", "head='{}'", "data=7"])
def test_every_column_is_covered(column: str) -> None:
    run(days())
    tampered(f"UPDATE records SET {column} WHERE n=2")
    assert "record 2" in str(vb.ledger.verify())


def test_a_record_that_was_taken_out_is_missed_by_its_number() -> None:
    for fast in (2, 3, 4):
        run(days(), fast)
    tampered("DELETE FROM records WHERE n=3")
    report = vb.ledger.verify()
    assert report.damage == ("record 3 is missing",) and report.records == 3


def test_a_record_that_was_replaced_breaks_the_chain_behind_it() -> None:
    for fast in (2, 3, 4):
        run(days(), fast)
    tampered("UPDATE records SET hash=zeroblob(32) WHERE n=2")
    assert [sentence[:8] for sentence in vb.ledger.verify().damage] == ["record 2", "record 3"]


def test_a_cut_tail_is_missed_by_the_count_and_by_the_head_of_a_report() -> None:
    heads = [run(days(), fast).trials.head for fast in (2, 3, 4)]
    tampered("DELETE FROM records WHERE n>2")
    assert "the tail was cut off: records 3 to 4 are missing" in str(vb.ledger.verify())
    with closing(sqlite3.connect(closed())) as connection:  # even where whoever cut it mends the count
        (last,) = connection.execute("SELECT hash FROM records WHERE n=2").fetchone()
    tampered("UPDATE about SET value='2' WHERE name='records'", f"UPDATE about SET value='{last.hex()}' WHERE name='last'")
    assert vb.ledger.verify().ok and vb.ledger.verify(heads[0]).ok
    report = vb.ledger.verify(heads[2])
    assert not report.ok and "the tail was cut off since" in report.damage[0]


def test_a_file_that_is_no_ledger_is_reported_and_a_run_goes_on(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.mkdir()
    (folder / place.FILE).write_bytes(b"something else entirely" * 100)
    assert "cannot be read" in str(vb.ledger.verify())
    found = run(days())
    assert not found.trials.recorded and found.trials.count == 0 and "DatabaseError" in found.trials.note
    assert found.stats()["trades"] > 0


def test_a_folder_that_cannot_be_written_is_said_once_and_ends_no_run(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    folder.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING, "vecbt.ledger"):
        found = [run(days(), fast) for fast in (2, 3)]
        swept = six(days())
    assert len(caplog.records) == 1 and "VECBT_LEDGER" in caplog.text
    for result in (*found, swept):
        assert not result.trials.recorded and result.trials.count == 0 and "not in the ledger" in repr(result)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user who may not write everywhere")
def test_a_folder_without_permission_ends_no_run(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    assert not run(days()).trials.recorded


def test_a_ledger_that_was_deleted_is_begun_anew(folder: Path) -> None:
    first = run(days()).trials
    shutil.rmtree(folder)
    second = run(days(), 2).trials
    assert second.recorded and second.count == 1 and second.head != first.head
    assert not vb.ledger.verify(first.head).ok and vb.ledger.verify(second.head).ok


def test_a_ledger_of_another_layout_is_left_alone() -> None:
    run(days())
    tampered("PRAGMA user_version=99")
    assert not run(days(), 2).trials.recorded
    assert "layout" in str(vb.ledger.verify())
