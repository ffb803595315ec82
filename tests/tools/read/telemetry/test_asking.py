"""Asking a server: only the one that the settings name, only so much, only so long."""

import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from support.odd_server import Asked, Told, odd_server
from support.ports import free_port

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.read.telemetry.asking import Asker, Server, TooLong

SECRET = "t0ps3cret-token"


def server(url: str, *, timeout_s: float = 60.0, max_bytes: int = 1_000_000) -> Server:
    return Server(name="The metrics", url=url, token=SECRET, timeout_s=timeout_s, max_bytes=max_bytes)


def fault(asker: Asker, path: str = "/x") -> EnvironmentFault:
    with pytest.raises(EnvironmentFault) as caught:
        asker.ask(path)
    assert SECRET not in caught.value.message + caught.value.next
    assert caught.value.next
    return caught.value


def test_it_sends_the_question_and_the_token_and_reads_the_answer():
    with odd_server(lambda _: Told(b'{"a": [1, 2]}')) as odd:
        assert Asker(server(f"{odd.url}/base")).ask("/api", [("q", "x y"), ("n", "1")]) == {"a": [1, 2]}
    (asked,) = odd.asked
    assert (asked.method, asked.path, asked.params) == ("GET", "/base/api", {"q": "x y", "n": "1"})
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["accept-encoding"] == "identity"


def test_a_long_question_goes_as_a_form():
    with odd_server(lambda _: Told(b"[]")) as odd:
        assert Asker(server(odd.url)).ask("/api", [("q", "x" * 7_000)]) == []
    (asked,) = odd.asked
    assert (asked.method, asked.params["q"]) == ("POST", "x" * 7_000)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_takes_no_token_along(status: int):
    with odd_server(lambda _: Told(b"{}")) as elsewhere:
        leads = {"Location": f"{elsewhere.url}/stolen"}
        with odd_server(lambda _: Told(b"{}", status, leads)) as odd:
            assert fault(Asker(server(odd.url))).code == "telemetry_redirect"
    assert elsewhere.asked == []
    assert len(odd.asked) == 1


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    with odd_server(lambda _: Told(b"{}")) as proxy, odd_server(lambda _: Told(b"{}")) as odd:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        Asker(server(odd.url)).ask("/x")
    assert proxy.asked == []


def test_an_answer_that_is_too_long_is_cut():
    def flood(over: Event) -> Iterator[bytes]:
        while not over.is_set():
            yield b"x" * 65_536

    for told in (Told(b'"' + b"x" * 2_000_000 + b'"'), Told(parts=flood)):
        with odd_server(lambda _, told=told: told) as odd, pytest.raises(TooLong):
            Asker(server(odd.url)).ask("/x")


def test_an_answer_that_drips_is_cut_when_the_time_is_over():
    def drip(over: Event) -> Iterator[bytes]:
        while not over.wait(0.05):
            yield b" "

    with odd_server(lambda _: Told(parts=drip)) as odd:
        began = time.monotonic()
        assert fault(Asker(server(odd.url, timeout_s=0.5))).code == "telemetry_slow"
        assert time.monotonic() - began < 30


def test_a_head_that_never_ends_is_cut_when_the_time_is_over():
    over = Event()

    def late(_: Asked) -> Told:
        over.wait(60)
        return Told()

    with odd_server(late) as odd:
        assert fault(Asker(server(odd.url, timeout_s=0.3))).code == "telemetry_slow"
        over.set()


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Told(b"<html>login</html>"), "telemetry_answer"),
        (Told(b"[" * 100_000), "telemetry_answer"),
        (Told(b"{}", 401), "telemetry_auth"),
        (Told(b"{}", 403), "telemetry_auth"),
        (Told(b"{}", 500), "telemetry_status"),
        (Told(b"{}", 200, {"Content-Encoding": "gzip"}), "telemetry_unreachable"),
    ],
)
def test_an_answer_that_cannot_be_used_is_one_sentence(told: Told, code: str):
    with odd_server(lambda _: told) as odd:
        assert fault(Asker(server(odd.url))).code == code


def test_nobody_there_is_one_sentence():
    assert fault(Asker(server(f"http://127.0.0.1:{free_port()}"))).code == "telemetry_unreachable"


def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path):
    with pytest.raises(BadInput):
        Asker(Server(name="The metrics", url="https://127.0.0.1:1", ca_file=tmp_path / "missing.pem"))
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate", encoding="utf-8")
    with pytest.raises(BadInput):
        Asker(Server(name="The metrics", url="https://127.0.0.1:1", ca_file=broken))


def test_a_server_does_not_show_its_token():
    assert SECRET not in repr(server("http://127.0.0.1:1"))


def test_all_questions_together_have_a_time():
    now = [0.0]
    with odd_server(lambda _: Told(b"{}")) as odd:
        asker = Asker(server(odd.url), budget_s=10, monotonic=lambda: now[0])
        assert asker.ask("/x") == {}
        now[0] = 11
        assert fault(asker).code == "telemetry_slow"
    assert len(odd.asked) == 1


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate that nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "c.pem", folder / "k.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, private


def test_only_a_trusted_certificate_is_answered_to(tmp_path: Path):
    certificate, private = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    with odd_server(lambda _: Told(b'{"a": 1}'), context) as odd:
        url = odd.url.replace("http:", "https:")
        assert fault(Asker(server(url))).code == "telemetry_certificate"
        assert odd.asked == [], "the token was not sent"
        trusting = Server(name="The metrics", url=url, token=SECRET, ca_file=certificate, timeout_s=60)
        assert Asker(trusting).ask("/x") == {"a": 1}
