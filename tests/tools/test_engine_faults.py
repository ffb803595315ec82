"""Whatever a policy engine does wrong, nothing is written: real engines, a real HTTP server, the real gate.

One approved proposal stands before all of it, and at the end it is written: what stopped it before was the fault alone.
"""

import datetime as dt
import gzip
import json
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.bench import Bench, CountingIds, FixedClock, build, policy, policy_data
from support.broken_opa import BrokenOpa
from support.ports import free_port

from twokey.core.events import PolicyDecided
from twokey.core.lifecycle import State
from twokey.core.ports import PolicyEngine
from twokey.core.values import Counters
from twokey.policies import bundle as bundles
from twokey.policies.bundle import Bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.engines.server import Server
from twokey.policies.guard import Guard
from twokey.store.proposals import ProposalRecord
from twokey.store.usage import Counted
from twokey.tools import calls
from twokey.tools.circumstances import Given
from twokey.tools.registry import installed

HEAVY = """package twokey

keys := object.keys(data.twokey_data)

decision := count([1 | some a in keys; some b in keys; some c in keys; some d in keys; some e in keys; some f in keys; a != b; c != d; e != f]) if input.run
"""


@dataclass
class Scene:
    """An approved proposal, and what stands around it."""

    bench: Bench
    record: ProposalRecord
    bundle: Bundle
    opa: BrokenOpa
    folder: Path

    def answer(self, **changes: Any) -> dict[str, Any]:
        """The answer that the real policy gives to this proposal, with some fields replaced."""
        fields = ("effect", "approvals", "reasons", "obligations", "warnings")
        decision = self.record.decision.model_dump(mode="json")
        return {name: decision[name] for name in fields} | changes

    def body(self, result: object, **changes: Any) -> dict[str, Any]:
        """What an OPA server that holds this bundle answers."""
        provenance = {"version": "1.20.2", "bundles": {"twokey": {"revision": self.bundle.revision}}}
        return {"result": result, "provenance": provenance} | changes

    def says(self, body: object, **how: Any) -> PolicyEngine:
        """An engine over a server that answers so."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.opa.answer = replace(type(self.opa.answer)(body=text), **how)
        return Server(self.bundle, url=self.opa.url, deadline_s=60.0 if how.get("drip") is None else 0.2)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("faults")
    bench = build(folder, f"sqlite:///{folder / 'store.db'}", FixedClock(), CountingIds())
    record = bench.propose()
    bench.gate.answer(bench.answer(record), channel="cli")
    held = bundles.load().with_data(policy_data(installed({}).all()))
    opa = BrokenOpa()
    yield Scene(bench, bench.gate.find(record.id), held, opa, folder)
    opa.close()
    bench.engine.dispose()


Make = Callable[[Scene], PolicyEngine]


def without(name: str) -> Make:
    return lambda scene: scene.says(scene.body({key: value for key, value in scene.answer().items() if key != name}))


def needs(**changes: Any) -> Make:
    return lambda scene: scene.says(scene.body(scene.answer(approvals=scene.answer()["approvals"] | changes)))


def answers(**changes: Any) -> Make:
    return lambda scene: scene.says(scene.body(scene.answer(**changes)))


def written(change: Callable[[bytes], bytes]) -> Make:
    return lambda scene: scene.says(change(json.dumps(scene.body(scene.answer())).encode()))


def status(code: int, **headers: str) -> Make:
    return lambda scene: scene.says(scene.body(scene.answer()), status=code, headers=headers)


def old_revision(scene: Scene) -> PolicyEngine:
    other = {"twokey": {"revision": f"twokey-{'0' * 64}-{'1' * 64}"}}
    return scene.says(scene.body(scene.answer(), provenance={"version": "1", "bundles": other}))


def nobody_there(scene: Scene) -> PolicyEngine:
    return Server(scene.bundle, url=f"http://127.0.0.1:{free_port()}", deadline_s=60.0)


def killed(scene: Scene) -> PolicyEngine:
    engine = Embedded(scene.bundle, deadline_s=10.0)
    engine.start()
    assert engine.process is not None
    os.kill(engine.process, signal.SIGKILL)
    return engine


def stopped(scene: Scene) -> PolicyEngine:
    engine = Embedded(scene.bundle, deadline_s=0.1, stall_s=0.2)
    engine.start()
    assert engine.process is not None
    os.kill(engine.process, signal.SIGSTOP)
    return engine


def over(rego: str, **settings: float) -> Make:
    def make(scene: Scene) -> PolicyEngine:
        return Embedded(replace(scene.bundle, modules=(("twokey/decision.rego", rego),)), **settings)  # pyright: ignore[reportArgumentType] - numbers for number settings

    return make


def expired_certificate(scene: Scene) -> PolicyEngine:
    """A server with the very bundle, behind a certificate that ran out yesterday."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now - dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, private = scene.folder / "tls.pem", scene.folder / "tls.key"
    shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, private)
    listener = socket.create_server(("127.0.0.1", 0))
    body = json.dumps(scene.body(scene.answer())).encode()

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            except (ssl.SSLError, OSError):
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    return Server(scene.bundle, url=f"https://localhost:{port}", ca_file=shown, deadline_s=60.0)


FAULTS: dict[str, Make] = {
    "undefined": lambda scene: scene.says({"provenance": scene.body(None)["provenance"]}),
    "null": lambda scene: scene.says(scene.body(None)),
    "an empty object": lambda scene: scene.says(scene.body({})),
    "a list": lambda scene: scene.says(scene.body([scene.answer()])),
    "status 500": status(500),
    "status 401": status(401),
    "status 204": status(204),
    "a redirect": status(302, Location="/v1/data/twokey/decision"),
    "a packed answer": lambda scene: scene.says(
        gzip.compress(json.dumps(scene.body(scene.answer())).encode()), headers={"Content-Encoding": "gzip"}
    ),
    "a missing field": without("obligations"),
    "a field too many": answers(note="hello"),
    "another type": answers(warnings={}),
    "an unknown effect": answers(effect="perhaps"),
    "a write allowed": answers(effect="allow", approvals=None),
    "no approvals": answers(approvals=None),
    "nobody to ask": needs(all_of=[]),
    "the requester may approve": needs(exclude=[]),
    "one person for two": needs(distinct=False),
    "used twice": needs(max_uses=2),
    "an unknown obligation": answers(obligations=["dance"]),
    "a review without an emergency": answers(obligations=["review_break_glass"]),
    "no reason": answers(reasons=[]),
    "a reason of Twokey's own": answers(reasons=[{"code": "engine_fault", "message": "x", "rule": "R00"}]),
    "a float": needs(expires_s=86400.0),
    "NaN": written(lambda text: text.replace(b"86400", b"NaN")),
    "a key twice": written(lambda text: text.replace(b'"obligations": []', b'"obligations": [], "obligations": []')),
    "truncated JSON": written(lambda text: text[:-20]),
    "no JSON": written(lambda _: b"<html>"),
    "nested too deeply": written(lambda _: b'{"result":' + b"[" * 100_000),
    "too large": written(lambda text: text[:-1] + b"," + b'"more":"' + b"x" * 2_000_000 + b'"}'),
    "cut off": lambda scene: scene.says(scene.body(scene.answer()), length=10**6),
    "never ends": lambda scene: scene.says(b"", drip=threading.Event()),
    "an old bundle": old_revision,
    "no revision": lambda scene: scene.says({"result": scene.answer()}),
    "nobody there": nobody_there,
    "an expired certificate": expired_certificate,
    "a killed worker": killed,
    "a stopped worker": stopped,
    "rules that take too long": over(HEAVY, deadline_s=0.1, stall_s=5.0),
    "rules that do not compile": over("package twokey\n\ndecision := {"),
    "rules without a decision": over("package twokey\n\nother := 1\n"),
}


def test_the_stand_in_can_answer_well(scene: Scene):
    """Else every fault below would be this one."""
    good = Guard(scene.says(scene.body(scene.answer())))
    given = Given(Counted(Counters(), 0), (), frozen=False)
    requester, now = scene.bench.people.people["ana"], scene.bench.clock.now_us()
    call = calls.of_proposal(scene.record.proposal, requester, now, given)
    assert good.decide(call).digest() == scene.record.decision_digest


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_written_and_the_fault_is_in_the_log(scene: Scene, name: str):
    bench, record = scene.bench, scene.record
    engine = FAULTS[name](scene)
    bench.policy.policy = Guard(engine)
    try:
        result = bench.gate.execute(record.id)
    finally:
        if scene.opa.answer.drip is not None:
            scene.opa.answer.drip.set()
        engine.close()
        bench.policy.policy = policy()
    assert (result.state, result.code) == (State.APPROVED, "engine_fault")
    assert bench.branches() == []
    assert bench.log.entries(kind="write.intended") == ()
    last = [item.entry.event for item in bench.log.entries(record.id, kind="policy.decided")][-1]
    assert isinstance(last, PolicyDecided)
    assert (last.occasion, last.decision, last.reasons, last.rules) == ("execute", "deny", ("engine_fault",), ("R00",))


def test_without_a_fault_it_is_written(scene: Scene):
    result = scene.bench.gate.execute(scene.record.id)
    assert result.state is State.DONE
    assert len(scene.bench.branches()) == 1
