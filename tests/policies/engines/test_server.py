"""The external engine against a server that misbehaves in every way we could think of, and against a real OPA."""

# One test waits for the thread that a slow server holds.
# pyright: reportPrivateUsage=false

import gzip
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port

from twokey.core.errors import BadInput, EngineFault
from twokey.core.values import Call
from twokey.policies.bundle import Bundle
from twokey.policies.engines.child import listening_port
from twokey.policies.engines.client import MAX_ANSWER_BYTES, Address, address
from twokey.policies.engines.server import Server
from twokey.policies.guard import Guard
from twokey.policies.input import build

DENY = {
    "effect": "deny",
    "approvals": None,
    "reasons": [{"code": "not_covered", "message": "No rule covers this call.", "rule": "R01"}],
    "obligations": [],
    "warnings": [],
}


def _body(bundle: Bundle, **parts: Any) -> bytes:
    provenance = {"version": "1.20.2", "bundles": {"main": {"revision": bundle.revision}}}
    return json.dumps({"provenance": provenance, **parts}).encode()


@pytest.fixture
def server(bundle: Bundle, broken_opa: Any) -> Iterator[Server]:
    engine = Server(bundle, url=broken_opa.url, token="t0ken", deadline_s=60)
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://opa.example", Address("opa.example", 443, secure=True)),
        ("https://opa.example:8443/", Address("opa.example", 8443, secure=True)),
        ("http://127.0.0.1", Address("127.0.0.1", 8181, secure=False)),
        ("http://[::1]:9000", Address("[::1]", 9000, secure=False)),
        ("https://[2001:db8::1]", Address("[2001:db8::1]", 443, secure=True)),
    ],
)
def test_addresses(url: str, expected: Address) -> None:
    assert address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("http://opa.example", "http://localhost", "http://10.0.0.1:8181", "http://127.0.0.1.example"),
        *("https://user:pw@opa.example", "https://opa.example/v1", "https://opa.example?x=1", "https://opa.example#x"),
        *(
            "ftp://opa.example",
            "opa.example",
            "",
            "https://",
            "https://opa.example:port",
            "https://[::1",
            "https://a b",
        ),
        *("https://opa.example\\@evil.example", "https://\u0430.example"),
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="cannot be used") as refusal:
        address(url)
    assert "pw" not in refusal.value.message


def test_a_sound_answer_is_taken(server: Server, bundle: Bundle, broken_opa: Any, read: Callable[..., Call]) -> None:
    assert server.name == "opa"
    broken_opa.answer.body = _body(bundle, result=DENY)
    decision = Guard(server).decide(read())
    assert (decision.effect, decision.reasons[0].code) == ("deny", "not_covered")
    assert (decision.engine, server.name) == ("opa 1.20.2", "opa 1.20.2")
    assert decision.policy_revision == bundle.revisions.policy
    path, headers, body = broken_opa.requests[0]
    assert path == "/v1/data/twokey/decision?provenance=true"
    assert headers["Authorization"] == "Bearer t0ken"
    assert json.loads(body) == {"input": json.loads(build(read()).text)}


def test_each_question_is_asked_as_it_is_and_carries_the_token(server: Server, bundle: Bundle, broken_opa: Any) -> None:
    broken_opa.answer.body = _body(bundle, result=1)
    broken_opa.answer.headers = {"Set-Cookie": "mine=1; Path=/"}
    documents = [b'{"args":{}}', b'{"args":{"sql":"select 1"}}', b"{}"]
    assert [server.evaluate(document) for document in documents] == [1, 1, 1]
    assert [json.loads(body) for _, _, body in broken_opa.requests] == [
        {"input": json.loads(document)} for document in documents
    ]
    for path, headers, _ in broken_opa.requests:
        assert path == "/v1/data/twokey/decision?provenance=true"
        assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer t0ken", "application/json")
        assert "Cookie" not in headers


def test_undefined_is_none_and_never_an_empty_object(server: Server, bundle: Bundle, broken_opa: Any) -> None:
    broken_opa.answer.body = _body(bundle)
    assert server.evaluate(b"{}") is None
    broken_opa.answer.body = _body(bundle, decision_id="4ca636c1")
    assert server.evaluate(b"{}") is None


def test_an_odd_version_is_not_recorded(server: Server, broken_opa: Any, bundle: Bundle) -> None:
    provenance = {"version": "1\n<b>", "bundles": {"main": {"revision": bundle.revision}}}
    broken_opa.answer.body = json.dumps({"provenance": provenance, "result": 1}).encode()
    assert server.evaluate(b"{}") == 1
    assert server.name == "opa unknown"


@pytest.mark.parametrize("status", [201, 204, 301, 307, 400, 401, 403, 404, 429, 500, 502, 503])
def test_any_other_status_is_a_fault_and_is_not_repeated(
    server: Server, bundle: Bundle, broken_opa: Any, status: int
) -> None:
    broken_opa.answer.status = status
    broken_opa.answer.headers = {"Location": broken_opa.url + "/v1/data/other"}
    broken_opa.answer.body = b"" if status == 204 else _body(bundle, result=DENY)
    with pytest.raises(EngineFault, match=f"status {status}"):
        server.evaluate(b"{}")
    assert len(broken_opa.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"result": {"effect": "de',
        b"[]",
        b"null",
        b"<html>",
        b'{"result": NaN}',
        b'{"result": 1.5}',
        b'{"result": 1, "result": 2}',
        b'{"result": "\xff"}',
        b'{"result": ' + b"[" * 100_000,
        b" " * (MAX_ANSWER_BYTES + 1),
    ],
    ids=lambda body: repr(body[:14]),
)
def test_an_answer_that_cannot_be_read_is_a_fault(server: Server, broken_opa: Any, body: bytes) -> None:
    broken_opa.answer.body = body
    with pytest.raises(EngineFault, match=r"cannot be read|is no object|too large"):
        server.evaluate(b"{}")


@pytest.mark.parametrize(
    "provenance",
    [
        None,
        "main",
        {"version": "1.20.2"},
        {"version": "1.20.2", "bundles": "OURS"},
        {"version": "1.20.2", "bundles": {"main": "OURS"}},
        {"version": "1.20.2", "bundles": {"main": {"revision": ""}}},
        {"version": "1.20.2", "bundles": {"main": {"revision": f"twokey-{'0' * 64}-{'0' * 64}"}}},
        {
            "version": "1.20.2",
            "bundles": {"main": {"revision": "OURS"}, "old": {"revision": f"twokey-{'0' * 64}-{'0' * 64}"}},
        },
    ],
)
def test_an_answer_of_another_bundle_is_a_fault(
    server: Server, bundle: Bundle, broken_opa: Any, provenance: object
) -> None:
    text = json.dumps({"result": DENY, "provenance": provenance}).replace("OURS", bundle.revision)
    broken_opa.answer.body = text.encode()
    with pytest.raises(EngineFault, match=r"another bundle|which bundle"):
        server.evaluate(b"{}")


def test_bundles_of_others_beside_ours_do_not_matter(server: Server, bundle: Bundle, broken_opa: Any) -> None:
    bundles = {"main": {"revision": bundle.revision}, "billing": {"revision": "v12"}}
    answer = {"result": 1, "provenance": {"version": "1.20.2", "bundles": bundles}}
    broken_opa.answer.body = json.dumps(answer).encode()
    assert server.evaluate(b"{}") == 1


def test_an_answer_cut_short_is_a_fault(server: Server, bundle: Bundle, broken_opa: Any) -> None:
    broken_opa.answer.body = _body(bundle, result=DENY)
    broken_opa.answer.length = len(broken_opa.answer.body) + 10
    with pytest.raises(EngineFault, match="cannot be reached, or gave no answer"):
        server.evaluate(b"{}")


def test_a_packed_answer_is_a_fault(server: Server, bundle: Bundle, broken_opa: Any) -> None:
    broken_opa.answer.body = gzip.compress(_body(bundle, result=DENY))
    broken_opa.answer.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(EngineFault, match="packed its answer"):
        server.evaluate(b"{}")
    assert broken_opa.requests[0][1]["Accept-Encoding"] == "identity"


def test_a_server_that_drips_is_a_timeout_and_then_busy(bundle: Bundle, broken_opa: Any) -> None:
    broken_opa.answer.drip = threading.Event()
    engine = Server(bundle, url=broken_opa.url, deadline_s=0.3)
    began = time.monotonic()
    with pytest.raises(EngineFault, match="within 300 ms") as fault:
        engine.evaluate(b"{}")
    assert time.monotonic() - began < 30
    assert fault.value.code == "policy_timeout"
    broken_opa.answer.drip.set()
    engine.close()


def test_no_thread_is_left_once_it_is_closed(bundle: Bundle, broken_opa: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twokey.policies.engines.client.LET_GO_S", 60)  # a busy machine may let it wait for longer
    before = set(threading.enumerate())
    broken_opa.answer.body = _body(bundle, result=DENY)
    engine = Server(bundle, url=broken_opa.url, deadline_s=30)
    assert engine.evaluate(b"{}")
    began = {thread for thread in threading.enumerate() if thread.name == "twokey-policy"} - before
    assert len(began) == 1
    engine.close()
    assert not began & set(threading.enumerate())


def test_headers_that_drip_are_bounded_too(bundle: Bundle) -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not stop.wait(0.05):
                    connection.sendall(b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        engine = Server(bundle, url=f"http://127.0.0.1:{listener.getsockname()[1]}", deadline_s=0.3)
        with pytest.raises(EngineFault, match="within 300 ms"):
            engine.evaluate(b"{}")
        with pytest.raises(EngineFault, match="still owes an answer"):
            engine.evaluate(b"{}")
        stuck = engine._client._stuck
        stop.set()
        thread.join()
        assert stuck is not None
        stuck._thread.join(60)
        with pytest.raises(EngineFault, match=r"within 300 ms|cannot be reached"):
            engine.evaluate(b"{}")
        engine.close()


def test_a_silent_server_is_a_timeout(bundle: Bundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        engine = Server(bundle, url=f"http://127.0.0.1:{listener.getsockname()[1]}", deadline_s=0.1)
        with pytest.raises(EngineFault, match="within 100 ms"):
            engine.evaluate(b"{}")
        engine.close()


def test_nobody_there_is_a_fault(bundle: Bundle) -> None:
    engine = Server(bundle, url=f"http://127.0.0.1:{free_port()}", deadline_s=60)
    with pytest.raises(EngineFault, match="cannot be reached"):
        engine.evaluate(b"{}")
    engine.close()


def test_surroundings_do_not_steer_the_request(
    bundle: Bundle, broken_opa: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("NO_PROXY", raising=False)
    broken_opa.answer.body = _body(bundle, result=1)
    engine = Server(bundle, url=broken_opa.url, deadline_s=60)
    assert engine.evaluate(b"{}") == 1
    engine.close()
    assert "Authorization" not in broken_opa.requests[0][1]


@pytest.mark.parametrize("text", ["\ud800", '"', "\n"])
def test_hostile_text_is_sent_as_data_or_not_at_all(
    server: Server, bundle: Bundle, broken_opa: Any, read: Callable[..., Call], text: str
) -> None:
    broken_opa.answer.body = _body(bundle, result=DENY)
    decision = Guard(server).decide(read().model_copy(update={"args": {"sql": text}}))
    assert decision.effect == "deny"
    sent = [json.loads(body)["input"]["args"]["sql"] for _, _, body in broken_opa.requests]
    assert sent == ([] if text == "\ud800" else [text])


def _certificate(folder: Path) -> tuple[Path, Path]:
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "opa")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


def test_a_certificate_of_ones_own_is_trusted_where_it_is_named(
    bundle: Bundle, broken_opa: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, private = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    listener = broken_opa._server.socket
    broken_opa._server.socket = context.wrap_socket(listener, server_side=True)
    broken_opa.answer.body = _body(bundle, result=1)
    url = broken_opa.url.replace("http:", "https:")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
    stranger = Server(bundle, url=url, deadline_s=60)
    with pytest.raises(EngineFault, match="cannot be reached"):
        stranger.evaluate(b"{}")
    stranger.close()
    friend = Server(bundle, url=url, ca_file=public, deadline_s=60)
    assert friend.evaluate(b"{}") == 1
    friend.close()


@pytest.mark.opa
def test_a_real_server_that_dies_is_a_deny(
    bundle: Bundle, opa: Path, tmp_path: Path, read: Callable[..., Call], write: Callable[..., Call]
) -> None:
    bundle.write(tmp_path / "bundle")
    command = [opa, "run", "--server", "--addr", "127.0.0.1:0", "--log-level", "error", "--skip-version-check"]
    with subprocess.Popen([*command, "--bundle", "bundle"], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        handle = os.pidfd_open(process.pid)
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        port = listening_port(process.pid)
        while port is None:
            assert not poller.poll(5)
            port = listening_port(process.pid)
        engine = Server(bundle, url=f"http://127.0.0.1:{port}", deadline_s=60)
        guard = Guard(engine)
        assert guard.decide(read()).effect == "allow"
        decision = guard.decide(write())
        assert (decision.effect, decision.engine) == ("require_approval", "opa 1.20.2")
        process.send_signal(signal.SIGKILL)
        assert poller.poll(60_000)
        os.close(handle)
        assert guard.decide(read()).reasons[0].code == "engine_fault"
        engine.close()
    other = bundle.document()
    other["twokey_data"]["limits"]["files"] = 1
    assert bundle.with_data(other).revision != bundle.revision
