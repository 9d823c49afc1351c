"""Messages between two processes over a pair of sockets, with open files beside them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

__all__ = ["receive", "send"]

_HEAD = struct.Struct("<QB")


def send(wire: socket.socket, message: bytes, files: Sequence[int] = ()) -> None:
    """A message, and descriptors of open files. OSError where the other side is gone."""
    socket.send_fds(wire, [_HEAD.pack(len(message), len(files))], files)
    wire.sendall(message)


def receive(wire: socket.socket) -> tuple[bytes, list[int]]:
    """The next message, and the files beside it. EOFError where the other side is gone."""
    try:
        head, files, _, _ = socket.recv_fds(wire, _HEAD.size, 4)
        head += _exactly(wire, _HEAD.size - len(head)) if head else b""
        if not head:
            raise EOFError
        return bytes(_exactly(wire, _HEAD.unpack(head)[0])), files
    except OSError as error:
        raise EOFError from error


def _exactly(wire: socket.socket, count: int) -> bytearray:
    """So many bytes."""
    found = bytearray(count)
    left = memoryview(found)
    while len(left):
        got = wire.recv_into(left)
        if got == 0:
            raise EOFError
        left = left[got:]
    return found
