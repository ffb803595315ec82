"""Messages between Twokey and its policy worker: a random nonce, a length and that many bytes, over a socket pair.

Rules: a message is at most ``MAX_BYTES`` long; an answer carries the nonce of its question, so an answer to another
question is never taken for it; each transfer ends by its deadline, however slowly the other side reads or writes.
"""

import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

MAX_BYTES: Final = 32 * 1024 * 1024
NONCE_BYTES: Final = 16
_HEAD: Final = struct.Struct(f">{NONCE_BYTES}sI")
_T = TypeVar("_T")
MANY: Final = b"*"
"""First byte of a payload that holds several parts. JSON never begins with it."""
_LENGTH: Final = struct.Struct(">I")


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


class Allowance(Deadline):
    """``seconds`` of a process's own work, and by the clock at most ``stall`` more than that.

    A machine with more to do than it can do at once keeps a process waiting that has done nothing wrong. ``worked``
    gives what the process has worked so far, in seconds; it raises ``OSError`` where the process is gone.
    """

    def __init__(self, seconds: float, stall: float, worked: Callable[[], float]) -> None:
        super().__init__(seconds + stall)
        self._soon = time.monotonic() + seconds
        self._worked = worked
        self._limit = worked() + seconds

    def left(self) -> float | None:
        """Seconds until it is worth asking again; raises ``TimeoutError`` once the work or the stall is used up."""
        at_most = super().left()
        soon = self._soon - time.monotonic()
        if soon <= 0:
            soon = self._limit - self._worked()
            if soon <= 0:
                raise TimeoutError("the work that was allowed is done")
        return min(soon, at_most or soon)


def pack(parts: Iterable[bytes]) -> bytes:
    """Put several parts into one payload."""
    return MANY + b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def unpack(payload: bytes) -> Iterator[bytes]:
    """Give the parts of a payload that ``pack`` made.

    Raises:
        ValueError: it is none.

    """
    if not payload.startswith(MANY):
        raise ValueError("not several parts")
    at = 1
    while at < len(payload):
        end = at + _LENGTH.size
        if end > len(payload):
            raise ValueError("a length is cut off")
        (length,) = _LENGTH.unpack_from(payload, at)
        at, end = end, end + length
        if end > len(payload):
            raise ValueError("a part is cut off")
        yield payload[at:end]
        at = end


def send(channel: socket.socket, nonce: bytes, payload: bytes, deadline: Deadline) -> None:
    """Send one message.

    Raises:
        TimeoutError: not all of it was taken in time; the channel is of no further use.
        OSError: the other side is gone.
        ValueError: the payload is too long; nothing was sent.

    """
    if len(payload) > MAX_BYTES:
        raise ValueError(f"a message of more than {MAX_BYTES} bytes")
    view = memoryview(_HEAD.pack(nonce, len(payload)) + payload)
    while view:
        view = view[_in_time(channel, deadline, lambda rest=view: channel.send(rest)) :]


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
        count = _in_time(channel, deadline, lambda rest=view[at:]: channel.recv_into(rest))
        if not count:
            if at:
                raise ConnectionError("the channel closed within a message")
            return b""
        at += count
    return bytes(found)


def _in_time(channel: socket.socket, deadline: Deadline, transfer: Callable[[], _T]) -> _T:
    """Do one transfer; whether the time for it is over is for the deadline to say."""
    while True:
        channel.settimeout(deadline.left())
        try:
            return transfer()
        except TimeoutError:
            continue
