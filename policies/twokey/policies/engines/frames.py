"""Messages between Twokey and its policy worker: a random nonce, a length and that many bytes, over a socket pair.

Rules: a message is at most ``MAX_BYTES`` long; an answer carries the nonce of its question, so an answer to another
question is never taken for it; each transfer ends by its deadline, however slowly the other side reads or writes.
"""

import socket
import struct
import time
from typing import Final

MAX_BYTES: Final = 32 * 1024 * 1024
NONCE_BYTES: Final = 16
_HEAD: Final = struct.Struct(f">{NONCE_BYTES}sI")


class Deadline:
    """A point in monotonic time, ``seconds`` from now; ``None`` never comes."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds until then; raises ``TimeoutError`` once it has passed."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


def send(channel: socket.socket, nonce: bytes, payload: bytes, deadline: Deadline) -> None:
    """Send one message.

    Raises:
        TimeoutError: not all of it was taken in time; the channel is of no further use.
        OSError: the other side is gone.
        ValueError: the payload is too long; nothing was sent.

    """
    if len(payload) > MAX_BYTES:
        raise ValueError(f"a message of more than {MAX_BYTES} bytes")
    channel.settimeout(deadline.left())
    channel.sendall(_HEAD.pack(nonce, len(payload)) + payload)


def receive(channel: socket.socket, deadline: Deadline) -> tuple[bytes, bytes] | None:
    """Receive one message as (nonce, payload); ``None`` where the other side closed the channel between messages.

    Raises:
        TimeoutError: it did not come in time.
        OSError: the other side went away within a message, or sent something that is no message.

    """
    head = _exactly(channel, _HEAD.size, deadline)
    if not head:
        return None
    nonce, length = _HEAD.unpack(head)
    if length > MAX_BYTES:
        raise ConnectionError("a message of more bytes than any has")
    payload = _exactly(channel, length, deadline)
    if len(payload) != length:
        raise ConnectionError("the channel closed within a message")
    return nonce, payload


def _exactly(channel: socket.socket, size: int, deadline: Deadline) -> bytes:
    """Read ``size`` bytes; nothing at all where the channel was closed first."""
    found = bytearray(size)
    view, at = memoryview(found), 0
    while at < size:
        channel.settimeout(deadline.left())
        count = channel.recv_into(view[at:])
        if not count:
            if at:
                raise ConnectionError("the channel closed within a message")
            return b""
        at += count
    return bytes(found)
