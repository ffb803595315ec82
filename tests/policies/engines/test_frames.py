import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from twokey.policies.engines import frames
from twokey.policies.engines.frames import Deadline, pack, receive, send, unpack

NONCE = b"n" * 16


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_a_message_arrives_as_it_was_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    for payload in (b"", b"x", bytes(100_000)):
        thread = threading.Thread(target=send, args=(here, NONCE, payload, Deadline(5)))
        thread.start()
        assert receive(there, Deadline(5)) == (NONCE, payload)
        thread.join()


def test_a_closed_channel_is_an_end_between_messages_and_a_fault_within(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    here, there = pair
    here.sendall(struct.pack(">16sI", NONCE, 10) + b"half")
    here.close()
    with pytest.raises(ConnectionError, match="within a message"):
        receive(there, Deadline(5))
    assert receive(there, Deadline(5)) is None


def test_a_head_that_breaks_off_is_a_fault(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    here.sendall(b"short")
    here.close()
    with pytest.raises(ConnectionError, match="within a message"):
        receive(there, Deadline(5))


def test_a_body_that_never_begins_is_a_fault(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    here.sendall(struct.pack(">16sI", NONCE, 10))
    here.close()
    with pytest.raises(ConnectionError, match="within a message"):
        receive(there, Deadline(5))


def test_a_monstrous_length_is_refused_unread(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    here.sendall(struct.pack(">16sI", NONCE, 2**32 - 1))
    with pytest.raises(ConnectionError, match="more bytes than any has"):
        receive(there, Deadline(5))


def test_a_silent_side_ends_by_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        receive(pair[0], Deadline(0.02))


def test_a_side_that_does_not_read_ends_by_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        send(pair[0], NONCE, bytes(8 * 1024 * 1024), Deadline(0.05))


def test_a_passed_deadline_stays_passed_and_none_never_comes() -> None:
    past = Deadline(-1)
    with pytest.raises(TimeoutError, match="has passed"):
        past.left()
    assert Deadline(None).left() is None


def test_too_long_a_message_is_not_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(ValueError, match="more than"):
        send(pair[0], NONCE, bytes(frames.MAX_BYTES + 1), Deadline(1))


def test_parts_come_back_as_they_were_packed() -> None:
    for parts in ([], [b""], [b"a", b"", bytes(70_000)]):
        assert list(unpack(pack(parts))) == parts


@pytest.mark.parametrize("payload", [b"", b"{}", pack([b"abc"])[:-1], pack([b"abc"]) + b"\0\0"])
def test_a_payload_of_another_form_has_no_parts(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"parts|cut off"):
        list(unpack(payload))
