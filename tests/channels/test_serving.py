"""The web server in front of the channels: bounded, and it says nothing but its own sentences. Real sockets."""

import contextlib
import http.client
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from conftest import FixedClock

from twokey.channels.rejections import Rejections
from twokey.channels.routes import Delivery, Reply, Route
from twokey.channels.serving import serving
from twokey.core.errors import BadInput, EnvironmentFault, LogUnavailable, NotAuthenticated, Refused
from twokey.core.events import ChannelRejected, Event

WORKSPACE = "w-000000000000"
PLANTED = "planted-secret"
FAULTS: Mapping[str, Exception] = {
    "forged": NotAuthenticated(f"{PLANTED}", next="Sign it.", code="bad_signature"),
    "broken": BadInput(f"{PLANTED}", next="Send JSON."),
    "away": EnvironmentFault(f"{PLANTED}", next="Wait."),
    "refused": Refused(f"{PLANTED}", next="Ask."),
    "bug": ZeroDivisionError(PLANTED),
}


class Record:
    """A log that remembers, and can be away (port ``Recorder``)."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.away = False

    def record(self, *events: Event) -> tuple[str, ...]:
        if self.away:
            raise LogUnavailable("It is away.", next="Wait.")
        self.events.extend(events)
        return ()

    def rejected(self) -> list[tuple[str, str, int]]:
        return [(made.channel, made.code, made.count) for made in self.events if isinstance(made, ChannelRejected)]


class Seen:
    """An endpoint that remembers what it was given."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def __call__(self, delivery: Delivery) -> Reply:
        self.deliveries.append(delivery)
        fault = FAULTS.get(delivery.body.decode("latin-1"))
        if fault is not None:
            raise fault
        return Reply(200, b'{"ok":true}', "application/json", {"x-twokey": "1"})


@pytest.fixture(scope="module")
def endpoint() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def record() -> Record:
    return Record()


@pytest.fixture(scope="module")
def address(endpoint: Seen, record: Record) -> Iterator[tuple[str, int]]:
    routes = [
        Route("/hooks", endpoint, "slack", max_bytes=1000),
        Route("/page", lambda _: Reply(200, b"page"), "slack", method="GET"),
    ]
    rejections = Rejections(workspace=WORKSPACE, recorder=record, clock=FixedClock())
    with serving(routes, rejections, host="127.0.0.1", port=0, read_s=60) as url:
        parts = urlsplit(url)
        yield str(parts.hostname), int(parts.port or 0)


def ask(
    address: tuple[str, int],
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, str, Mapping[str, str]]:
    connection = http.client.HTTPConnection(*address, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read().decode(), {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def raw(address: tuple[str, int], text: bytes) -> bytes:
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(text)
        found = b""
        while part := connection.recv(4096):
            found += part
        return found


def test_a_channel_gets_the_bytes_as_they_came(address: tuple[str, int], endpoint: Seen):
    body = b"{not json \xff\x00"
    status, text, headers = ask(address, "POST", "/hooks?x=1", body, {"X-Signature": "v0=1"})
    assert (status, text, headers["content-type"], headers["x-twokey"]) == (200, '{"ok":true}', "application/json", "1")
    assert "server" not in headers
    last = endpoint.deliveries[-1]
    assert (last.path, last.query, last.body, last.headers["x-signature"]) == ("/hooks", "x=1", body, "v0=1")
    assert ask(address, "GET", "/page")[:2] == (200, "page")
    assert ask(address, "GET", "/healthz")[:2] == (200, "ok\n")


def test_a_header_that_came_twice_is_no_longer_either(address: tuple[str, int], endpoint: Seen):
    head = b"POST /hooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Signature: a\r\nX-Signature: b\r\nContent-Length: 2\r\n\r\n{}"
    assert b" 200 " in raw(address, head).splitlines()[0]
    assert endpoint.deliveries[-1].headers["x-signature"] == "a, b"


@pytest.mark.parametrize(
    ("body", "status"), [("forged", 401), ("broken", 400), ("away", 503), ("refused", 403), ("bug", 500)]
)
def test_refusals_and_faults_are_a_plain_sentence(address: tuple[str, int], record: Record, body: str, status: int):
    answered, text, headers = ask(address, "POST", "/hooks", body.encode())
    assert answered == status
    assert headers["content-type"].startswith("text/plain")
    assert PLANTED not in text
    assert "Traceback" not in text
    assert text.endswith(".\n")
    assert (("slack", "bad_signature", 1) in record.rejected()) or body != "forged"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/hooks", 405), ("PUT", "/hooks", 405), ("POST", "/hooks/", 404), ("POST", "/../etc/passwd", 404)],
)
def test_what_is_not_there_says_so_and_no_more(address: tuple[str, int], method: str, path: str, status: int):
    answered, text, _ = ask(address, method, path)
    assert answered == status
    assert path not in text
    assert text.endswith(".\n")


def test_a_body_that_is_too_large_is_not_read_whatever_it_says(
    address: tuple[str, int], endpoint: Seen, record: Record
):
    before = len(endpoint.deliveries)
    assert ask(address, "POST", "/hooks", b"x" * 1001)[0] == 413
    chunked = b"POST /hooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 413 " in raw(address, chunked + (b"200\r\n" + b"x" * 512 + b"\r\n") * 2 + b"0\r\n\r\n").splitlines()[0]
    assert ask(address, "POST", "/hooks", b"x" * 1000)[0] == 200
    assert len(endpoint.deliveries) == before + 1
    assert ("slack", "too_large", 1) in record.rejected(), "the second waits for its minute"


def test_who_sends_too_much_is_answered_and_not_cut_off(address: tuple[str, int], endpoint: Seen):
    before = len(endpoint.deliveries)
    for _ in range(5):
        assert ask(address, "POST", "/hooks", b"x" * 3_000_000)[0] == 413
    assert len(endpoint.deliveries) == before


@pytest.mark.parametrize("said", [b"Content-Length: 1000000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_far_too_much_is_not_read_to_its_end(address: tuple[str, int], endpoint: Seen, said: bytes):
    before = len(endpoint.deliveries)
    head = b"POST /hooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + said
    pieces = 0
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(head)
        with contextlib.suppress(OSError):  # cut off, which is what is meant to happen
            while b"chunked" in said and pieces < 1000:
                connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                pieces += 1
            assert b" 413 " in connection.recv(1000).splitlines()[0]
    assert pieces < 1000
    assert len(endpoint.deliveries) == before
    assert ask(address, "GET", "/healthz")[0] == 200


def test_a_body_that_does_not_come_is_not_waited_for(record: Record):
    endpoint = Seen()
    rejections = Rejections(workspace=WORKSPACE, recorder=record, clock=FixedClock())
    head = b"POST /hooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc"
    with serving([Route("/hooks", endpoint, "slack")], rejections, host="127.0.0.1", port=0, read_s=0.3) as url:
        address = "127.0.0.1", int(urlsplit(url).port or 0)
        assert b" 408 " in raw(address, head).splitlines()[0]
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(head)
        assert ask(address, "GET", "/healthz")[0] == 200
    assert endpoint.deliveries == []


def test_a_head_that_is_too_large_is_refused(address: tuple[str, int], endpoint: Seen):
    before = len(endpoint.deliveries)
    answered = raw(address, b"POST /hooks HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 70_000)
    assert b" 400 " in answered.splitlines()[0]
    assert len(endpoint.deliveries) == before


def test_a_port_that_is_taken_is_said(address: tuple[str, int], record: Record):
    rejections = Rejections(workspace=WORKSPACE, recorder=record, clock=FixedClock())
    for host, port in (address, ("no such host", 0)):
        with (
            pytest.raises(EnvironmentFault) as caught,
            serving([], rejections, host=host, port=port),
        ):
            pass
        assert caught.value.code == "port_taken"


# -- counting ---------------------------------------------------------------------------------------------------------


def test_a_flood_leaves_one_entry_a_minute(clock: FixedClock):
    record = Record()
    rejections = Rejections(workspace=WORKSPACE, recorder=record, clock=clock)
    for _ in range(1000):
        rejections.count("slack", "bad_signature")
    rejections.count("github", "bad_signature")
    assert record.rejected() == [("slack", "bad_signature", 1), ("github", "bad_signature", 1)]
    clock.advance(59)
    rejections.flush()
    assert len(record.events) == 2
    clock.advance(1)
    rejections.flush()
    assert record.rejected()[2:] == [("slack", "bad_signature", 999)]
    rejections.count("slack", "bad_signature")
    rejections.flush(everything=True)
    assert record.rejected()[3:] == [("slack", "bad_signature", 1)]
    rejections.flush(everything=True)
    assert len(record.events) == 4


def test_what_the_log_did_not_take_is_counted_on(clock: FixedClock):
    record = Record()
    rejections = Rejections(workspace=WORKSPACE, recorder=record, clock=clock)
    record.away = True
    rejections.count("slack", "bad_signature")
    rejections.count("slack", "bad_signature")
    assert record.events == []
    record.away = False
    clock.advance(60)
    rejections.count("slack", "bad_signature")
    assert record.rejected() == [("slack", "bad_signature", 3)]
