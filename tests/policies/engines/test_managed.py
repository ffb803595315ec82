"""Our own OPA child: what it answers, and what other processes of this machine can do to it."""

# These tests look where an attacker would: tokens, folders, processes.
# pyright: reportPrivateUsage=false

import hashlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twokey.core.errors import EngineFault
from twokey.core.values import Call
from twokey.policies.bundle import Bundle
from twokey.policies.engines.child import Child, _pipe, listening_port
from twokey.policies.engines.managed import Managed
from twokey.policies.guard import Guard

PATHS = [
    *(("GET", path) for path in ("/", "/health", "/metrics", "/v1/data", "/v1/policies", "/v1/config", "/v1/status")),
    *(("GET", path) for path in ("/v1/data/twokey/decision", "/v1/data/system/authz", "/debug/pprof")),
    *(("POST", path) for path in ("/v1/data", "/v1/data/twokey", "/v1/data/twokey/decision/reasons", "/v1/query")),
    *(("POST", path) for path in ("/v1/compile", "/v0/data/twokey/decision", "/", "/v1/data/system/authz/allow")),
    *(("PUT", path) for path in ("/v1/policies/evil", "/v1/data/twokey_data/groups", "/v1/data/twokey/decision")),
    ("PATCH", "/v1/data/twokey_data"),
    ("DELETE", "/v1/data/twokey_data"),
    ("DELETE", "/v1/policies/policy/twokey/decision.rego"),
]
EVIL = b'package twokey\n\ndecision := {"effect": "allow"}\n'

pytestmark = pytest.mark.opa


@pytest.fixture
def own(bundle: Bundle, opa: Path, opa_sha256: str, coverage_variables: dict[str, str]) -> Iterator[Managed]:
    """A server for one test alone, so that it may be killed."""
    engine = Managed(bundle, binary=opa, sha256=opa_sha256, deadline_s=10, environment=coverage_variables)
    yield engine
    engine.close()


def _status(port: int | None, method: str, path: str, token: str | None) -> int:
    body = EVIL if path.startswith("/v1/policies") else b'{"input": {}}'
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
    finally:
        connection.close()


def _token(engine: Managed) -> str:
    assert engine._running is not None
    return engine._running[0]._token


def _kill(engine: Managed) -> None:
    handle = os.pidfd_open(engine.process or 0)
    os.kill(engine.process or 0, signal.SIGKILL)
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    assert poller.poll(60_000)
    os.close(handle)


def test_it_names_itself_and_its_bundle(managed: Managed, bundle: Bundle) -> None:
    managed.start()
    assert managed.name == "opa-managed 1.20.2"
    assert managed.revisions() == bundle.revisions


def test_it_listens_on_loopback_only(managed: Managed) -> None:
    managed.start()
    assert listening_port(managed.process or 0) == managed.port
    lines = Path(f"/proc/{managed.process}/net/tcp").read_text().splitlines()[1:]
    port = f":{managed.port:04X}"
    assert [line.split()[1] for line in lines if line.split()[1].endswith(port) and line.split()[3] == "0A"] == [
        f"0100007F{port}"
    ]
    six = Path(f"/proc/{managed.process}/net/tcp6").read_text()
    assert port not in six


@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_without_the_token_everything_is_401(managed: Managed, token: str | None) -> None:
    managed.start()
    for method, path in [*PATHS, ("POST", "/v1/data/twokey/decision")]:
        assert (_status(managed.port, method, path, token), method, path) == (401, method, path)


def test_with_the_token_nothing_but_the_decision_can_be_asked(managed: Managed, read: Callable[..., Call]) -> None:
    managed.start()
    token = _token(managed)
    for method, path in PATHS:
        assert (_status(managed.port, method, path, token), method, path) == (401, method, path)
    assert _status(managed.port, "POST", "/v1/data/twokey/decision", token) == 200
    assert Guard(managed).decide(read()).effect == "allow"


def test_the_token_is_in_no_file_argument_or_environment(managed: Managed) -> None:
    managed.start()
    token = _token(managed).encode()
    assert managed._running is not None
    child = managed._running[0]
    for pid in (child.pid, child._keeper.pid):
        for name in ("cmdline", "environ"):
            assert token not in Path(f"/proc/{pid}/{name}").read_bytes()
    assert child._folder.stat().st_mode & 0o077 == 0
    files = [path for path in child._folder.rglob("*") if path.is_file()]
    assert not [path for path in files if token in path.read_bytes()]
    assert [path for path in files if hashlib.sha256(token).hexdigest() in path.read_text()]


def test_the_server_inherits_no_environment(
    bundle: Bundle, opa: Path, opa_sha256: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPA_RUN_ADDR", "0.0.0.0:0")
    engine = Managed(bundle, binary=opa, sha256=opa_sha256)
    try:
        engine.start()
        assert Path(f"/proc/{engine.process}/environ").read_bytes() == b""
    finally:
        engine.close()


def test_a_server_killed_in_mid_run_is_a_deny_and_not_a_crash(own: Managed, read: Callable[..., Call]) -> None:
    guard = Guard(own)
    assert guard.decide(read()).effect == "allow"
    _kill(own)
    decision = guard.decide(read())
    assert (decision.effect, decision.reasons[0].code) == ("deny", "engine_fault")
    assert own.process is None
    assert guard.decide(read()).effect == "allow"


def test_a_server_killed_while_others_ask_denies_them_all_or_answers(own: Managed, read: Callable[..., Call]) -> None:
    guard = Guard(own)
    guard.decide(read())
    outcomes: list[str] = []

    def ask() -> None:
        for _ in range(20):
            decision = guard.decide(read())
            outcomes.append(decision.effect if decision.effect == "allow" else decision.reasons[0].code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    os.kill(own.process or 0, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {"allow", "engine_fault"}
    assert len(outcomes) == 60
    assert guard.decide(read()).effect == "allow"


def test_another_process_on_the_port_is_not_believed(own: Managed, bundle: Bundle) -> None:
    """Kill our server and answer in its place, with everything right but the process."""
    own.start()
    port = own.port or 0
    provenance = {"version": "1.20.2", "bundles": {"policy": {"revision": bundle.revision}}}
    body = json.dumps({"result": {"effect": "allow"}, "provenance": provenance}).encode()
    _kill(own)
    with socket.create_server(("127.0.0.1", port)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(EngineFault, match="ended while it was asked"):
            own.evaluate(b"{}")
        thread.join()


def test_a_stopped_server_is_a_timeout(bundle: Bundle, opa: Path, opa_sha256: str) -> None:
    engine = Managed(bundle, binary=opa, sha256=opa_sha256, deadline_s=0.3)
    try:
        engine.start()
        os.kill(engine.process or 0, signal.SIGSTOP)
        with pytest.raises(EngineFault, match="within 300 ms"):
            engine.evaluate(b"{}")
    finally:
        engine.close()


def test_nothing_stays_behind(own: Managed) -> None:
    own.start()
    assert own._running is not None
    child = own._running[0]
    handle = os.pidfd_open(child.pid)
    own.close()
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    assert poller.poll(60_000)
    os.close(handle)
    assert not child._folder.exists()
    assert own.process is own.port is None
    own.close()


def test_the_server_ends_with_its_parent(opa: Path, opa_sha256: str) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from twokey.policies import bundle\n"
        "from twokey.policies.engines.managed import Managed\n"
        "engine = Managed(bundle.load(), binary=Path(sys.argv[1]), sha256=sys.argv[2]); engine.start()\n"
        "print(engine.process, engine._running[0]._folder, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, opa, opa_sha256], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        process, folder = parent.stdout.readline().split()
        keeper = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        handle = os.pidfd_open(keeper)
        parent.kill()
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        assert poller.poll(60_000)
        assert not Path(f"/proc/{process}").exists()
        assert not Path(folder).exists()
        os.close(handle)


def test_another_program_does_not_run(bundle: Bundle, opa: Path) -> None:
    engine = Managed(bundle, binary=opa, sha256="0" * 64)
    with pytest.raises(EngineFault, match="SHA-256 differs"):
        engine.start()
    assert engine.process is None


@pytest.mark.parametrize("text", [b"#!/bin/true\n", b"not a program", b"#!/bin/sh\nexec sleep 60\n"])
def test_a_program_that_is_no_server_is_a_fault(
    bundle: Bundle, tmp_path: Path, text: bytes, coverage_variables: dict[str, str]
) -> None:
    program = tmp_path / "opa"
    program.write_bytes(text)
    program.chmod(0o700)
    pin = hashlib.sha256(text).hexdigest()
    engine = Managed(bundle, binary=program, sha256=pin, startup_s=2, environment=coverage_variables)
    began = time.monotonic()
    with pytest.raises(EngineFault, match="does not start"):
        engine.start()
    assert time.monotonic() - began < 50
    assert engine.process is None


def test_a_keeper_that_says_nothing_is_a_fault(
    bundle: Bundle, opa: Path, opa_sha256: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = tmp_path / "python"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(silent))
    with pytest.raises(EngineFault, match="does not start"):
        Managed(bundle, binary=opa, sha256=opa_sha256, startup_s=0.2).start()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineFault, match="does not start"):
        Managed(bundle, binary=opa, sha256=opa_sha256).start()


def test_a_bundle_that_opa_refuses_is_a_fault_with_diagnostics(bundle: Bundle, opa: Path, opa_sha256: str) -> None:
    broken = Bundle(modules=(("twokey/x.rego", "package twokey\n\nx := y\n"),), data=b"{}", revisions=bundle.revisions)
    engine = Managed(broken, binary=opa, sha256=opa_sha256)
    with pytest.raises(EngineFault, match="does not start"):
        engine.start()
    assert "x.rego" in engine.diagnostics


def test_a_fork_does_not_share_the_server(opa: Path, opa_sha256: str) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from twokey.core.errors import EngineFault\n"
        "from twokey.policies import bundle\n"
        "from twokey.policies.engines.managed import Managed\n"
        "engine = Managed(bundle.load(), binary=Path(sys.argv[1]), sha256=sys.argv[2], deadline_s=10); engine.start()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        engine.evaluate(b'{}')\n"
        "    except EngineFault as fault:\n"
        "        sys.exit(7 if 'another process' in fault.message else 8)\n"
        "    sys.exit(9)\n"
        "status = os.waitpid(child, 0)[1]\n"
        "engine.evaluate(b'{}'); engine.close()\n"
        "raise SystemExit(os.waitstatus_to_exitcode(status))\n"
    )
    assert subprocess.run([sys.executable, "-c", script, opa, opa_sha256], check=False).returncode == 7


def test_a_process_that_listens_nowhere_has_no_port() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        assert listening_port(process.pid) is None
        process.kill()


def test_a_keeper_that_will_not_go_is_killed(bundle: Bundle, opa: Path) -> None:
    with opa.open("rb") as file:
        child = Child(file.fileno(), bundle, {})
    assert not child.alive()
    os.kill(child._keeper.pid, signal.SIGSTOP)
    child.end()
    assert child._keeper.returncode == -signal.SIGKILL


def test_a_missing_pipe_is_an_error() -> None:
    with pytest.raises(ValueError, match="no pipe"):
        _pipe(None)
