"""A process of `Processes`: it is told what a sweep is made of, then runs one piece after the other until whoever started it is gone."""

from __future__ import annotations

import mmap
import os
import pickle
import select
import signal
import socket
import threading
from typing import Any

from ..errors import VecbtError
from .marks import check_mark, own_mark
from .sending import unpacked
from .wire import receive, send
from .work import Failed, Plan, loaded, run_piece

__all__ = ["main"]

_WHERE = "a worker process"


def main(descriptor: int) -> None:
    """All messages of the socket that was inherited under this number."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered by whoever started this
    wire = socket.socket(fileno=descriptor)
    threading.Thread(target=_end_with, args=(descriptor,), daemon=True).start()
    try:
        _serve(wire)
    except (EOFError, OSError):
        os._exit(0)


def _end_with(descriptor: int) -> None:
    """End this process as soon as the other side is gone, in the middle of whatever it does."""
    poll = select.poll()
    poll.register(descriptor, 0)
    poll.poll()
    os._exit(0)


def _serve(wire: socket.socket) -> None:
    bars: dict[int, Any] = {}
    plan: Plan | Failed | None = None
    while True:
        message, files = receive(wire)
        kind, *given = pickle.loads(message)
        if kind == "mark":
            send(wire, pickle.dumps(own_mark()))
            try:
                check_mark(own_mark(), given[0], _WHERE)
            except VecbtError:
                return  # whoever started it says so
        elif kind == "bars":
            number, data, spans = given
            bars[number] = unpacked(data, _mapped(files[0], spans))
        elif kind == "forget":
            bars.pop(given[0], None)
        elif kind == "plan":
            plan = _plan(given[0])
        else:
            ticket, number, sets = given
            assert plan is not None  # the plan of a sweep comes before its pieces
            send(wire, pickle.dumps((ticket, plan if isinstance(plan, Failed) else _answer(plan, bars[number], sets)), protocol=5))


def _plan(data: bytes) -> Plan | Failed:
    try:
        return loaded(data, _WHERE)
    except Exception as error:
        return Failed.of(error, _WHERE)


def _answer(plan: Plan, bars: Any, data: bytes) -> Any:
    try:
        return run_piece(plan, bars, pickle.loads(data))
    except Exception as error:
        return Failed.of(error, _WHERE)


def _mapped(file: int, spans: list[tuple[int, int]]) -> list[memoryview]:
    """Parts of shared memory, read-only, where they are."""
    with os.fdopen(file, "rb") as opened:
        whole = memoryview(mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ))
    return [whole[first : first + count] for first, count in spans]
