"""A process that appends records of 300 kB, with no engine behind them, and says the number of each."""

from __future__ import annotations

import hashlib
import os
import sys

from vecbt.ledger.store import Draft, current


def write_records(name: int, count: int) -> None:
    """So many, as the process of this number."""
    for k in range(count):
        body = os.urandom(300_000)
        print(current().append(Draft("run", 1, 10, 0, {"writer": name, "k": k}, body, hashlib.sha256(body).digest())), flush=True)


if __name__ == "__main__":
    write_records(int(sys.argv[1]), int(sys.argv[2]))
