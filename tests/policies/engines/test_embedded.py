# Some tests stand where the worker's other end would.
# pyright: reportPrivateUsage=false

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
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.engines import frames
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.policies.input import build

HEAVY = """package twokey

numbers := [n | some a in input.many; some b in input.many; n := a + b]

decision := count([x | some x in numbers; some y in numbers; x == y])
"""
MakeEngine = Callable[..., Embedded]


@pytest.fixture
def engine_of(bundle: Bundle, coverage_variables: dict[str, str]) -> Iterator[MakeEngine]:
    """Make engines over one module of Rego, and close them."""
    made: list[Embedded] = []

    def make(rego: str, **settings: float) -> Embedded:
        modules = (("twokey/decision.rego", rego),)
        changed = Bundle(modules=modules, data=bundle.data, revisions=BundleRevisions("aa" * 32, "bb" * 32))
        settings = {"deadline_s": 10.0, **settings}
        made.append(Embedded(changed, environment=coverage_variables, **settings))  # pyright: ignore[reportArgumentType] - numbers for number settings
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def _has_ended(handle: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def test_it_names_itself_and_its_bundle(embedded: Embedded, bundle: Bundle) -> None:
    assert embedded.name == "embedded 0.13.0"
    assert embedded.revisions() == bundle.revisions


def test_undefined_is_none(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := 1 if input.x == 1\n")
    assert engine.evaluate(b'{"x": 1}') == 1
    assert engine.evaluate(b'{"x": 2}') is None


def test_one_decision_leaves_nothing_for_the_next(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndefault decision := 0\n\ndecision := input.x\n")
    assert [engine.evaluate(text) for text in (b'{"x": 5}', b"{}", b'{"x": 6}')] == [5, 0, 6]


def test_a_heavy_policy_is_killed_at_its_deadline_and_the_next_call_is_served(
    engine_of: MakeEngine,
) -> None:
    engine = engine_of(HEAVY, deadline_s=0.3, stall_s=60.0)
    assert engine.evaluate(b'{"many": [1, 2]}') == 6
    first = engine.process
    assert first is not None
    handle = os.pidfd_open(first)
    document = json.dumps({"many": list(range(2000))}).encode()
    began = time.monotonic()
    with pytest.raises(EngineFault, match=r"no decision within 300 ms") as fault:
        engine.evaluate(document)
    assert time.monotonic() - began < 50
    assert fault.value.code == "policy_timeout"
    assert _has_ended(handle, 60)
    os.close(handle)
    assert engine.evaluate(b'{"many": [1, 2]}') == 6
    assert engine.process != first


def test_a_worker_ends_itself_when_nobody_is_left_to_kill_it(engine_of: MakeEngine) -> None:
    engine = engine_of(HEAVY, deadline_s=0.05, stall_s=0.5)
    engine.start()
    handle = os.pidfd_open(engine.process or 0)
    worker = engine._worker
    assert worker is not None
    frames.send(worker._channel, b"n" * 16, json.dumps({"many": list(range(2000))}).encode(), frames.Deadline(30))
    assert _has_ended(handle, 60)
    os.close(handle)
    with pytest.raises(EngineFault, match="went away"):
        engine.evaluate(b"{}")


def test_the_default_deadline_is_100_ms(bundle: Bundle) -> None:
    engine = Embedded(bundle)
    try:
        modules = (("twokey/decision.rego", HEAVY),)
        engine._bundle = Bundle(modules=modules, data=bundle.data, revisions=bundle.revisions)
        with pytest.raises(EngineFault, match="within 100 ms"):
            engine.evaluate(json.dumps({"many": list(range(2000))}).encode())
    finally:
        engine.close()


def test_a_worker_that_a_busy_machine_keeps_waiting_is_waited_for(engine_of: MakeEngine) -> None:
    """What is bounded is the worker's own work; others that ask at once, or use the machine, take nothing from it."""
    engine = engine_of("package twokey\n\ndecision := 1\n", deadline_s=0.05, stall_s=60.0)
    engine.start()
    process = engine.process or 0
    os.kill(process, signal.SIGSTOP)
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(engine.evaluate(b"{}")))
    asking.start()
    asking.join(timeout=0.3)
    assert asking.is_alive(), "the deadline is over by the clock, and the worker has not worked"
    os.kill(process, signal.SIGCONT)
    asking.join()
    assert answers == [1]
    assert engine.process == process


def test_a_killed_worker_is_a_fault_once(embedded: Embedded, read: Callable[..., Call]) -> None:
    embedded.start()
    handle = os.pidfd_open(embedded.process or 0)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    assert _has_ended(handle, 60)
    os.close(handle)
    guard = Guard(embedded)
    assert guard.decide(read()).reasons[0].code == "engine_fault"
    assert guard.decide(read()).effect == "allow"


def test_a_stopped_worker_is_a_timeout(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := 1\n", deadline_s=0.2, stall_s=0.2)
    engine.start()
    os.kill(engine.process or 0, signal.SIGSTOP)
    with pytest.raises(EngineFault, match="within 200 ms"):
        engine.evaluate(b"{}")
    engine.start()
    os.kill(engine.process or 0, signal.SIGSTOP)
    with pytest.raises(EngineFault, match="within 200 ms"):
        engine.evaluate(b'"%b"' % (b"x" * 4_000_000))


def test_a_worker_without_room_is_a_fault(engine_of: MakeEngine) -> None:
    engine = engine_of(HEAVY, memory_bytes=1_200_000_000, deadline_s=60.0)
    with pytest.raises(EngineFault, match=r"went away|could not evaluate"):
        engine.evaluate(json.dumps({"many": list(range(10_000))}).encode())


@pytest.mark.parametrize("document", [b"", b"{", b'{"a": "\\ud800"}', b'"\xff"', b'{"a": 1e999}'])
def test_a_broken_document_is_a_fault_and_the_worker_goes_on(engine_of: MakeEngine, document: bytes) -> None:
    engine = engine_of("package twokey\n\ndecision := 1\n")
    engine.start()
    before = engine.process
    with pytest.raises(EngineFault, match="could not evaluate the call"):
        engine.evaluate(document)
    assert engine.evaluate(b"{}") == 1
    assert engine.process == before


def test_a_conflict_between_rules_is_a_fault(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := 1\n\ndecision := 2 if input.x\n")
    with pytest.raises(EngineFault, match="could not evaluate"):
        engine.evaluate(b'{"x": true}')


def test_floats_in_an_answer_are_a_fault(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := 3 / 2\n")
    with pytest.raises(EngineFault, match="answer cannot be read"):
        engine.evaluate(b"{}")


def test_a_document_without_bounds_is_a_fault(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := 1\n")
    with pytest.raises(EngineFault, match="too large"):
        engine.evaluate(bytes(frames.MAX_BYTES + 1))
    assert engine.evaluate(b"{}") == 1


@pytest.mark.parametrize(
    "rego",
    ["package twokey\n\ndecision :=", "package twokey\n\ndecision := missing\n", "package twokey\n\nother := 1\n"],
)
def test_a_bundle_that_does_not_load_is_a_fault_at_the_start(engine_of: MakeEngine, rego: str) -> None:
    engine = engine_of(rego)
    with pytest.raises(EngineFault, match="does not load") as fault:
        engine.start()
    assert fault.value.code == "policy_bundle"
    assert "Stack backtrace" not in fault.value.message
    assert engine.process is None


def test_a_worker_that_does_not_start_is_a_fault(engine_of: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of("package twokey\n\ndecision := 1\n")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineFault, match="does not start"):
        engine.start()
    monkeypatch.setattr(sys, "executable", "/bin/cat")
    slow = engine_of("package twokey\n\ndecision := 1\n", startup_s=0.000001)
    with pytest.raises(EngineFault, match="does not start"):
        slow.start()


def test_an_answer_to_another_question_is_a_fault(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := input\n")
    engine.start()
    worker = engine._worker
    assert worker is not None
    frames.send(worker._channel, b"f" * 16, b'{"forged": true}', frames.Deadline(5))
    with pytest.raises(EngineFault, match="went away"):
        engine.evaluate(b'{"asked": true}')
    assert engine.evaluate(b'{"asked": true}') == {"asked": True}


def test_the_worker_inherits_no_environment(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    engine = Embedded(bundle)
    try:
        engine.start()
        assert b"xoxb-secret" not in Path(f"/proc/{engine.process}/environ").read_bytes()
    finally:
        engine.close()


def test_a_worker_ends_with_its_parent() -> None:
    script = (
        "import sys\n"
        "from twokey.policies import bundle\n"
        "from twokey.policies.engines.embedded import Embedded\n"
        "engine = Embedded(bundle.load()); engine.start()\n"
        "print(engine.process, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        handle = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        assert _has_ended(handle, 60)
        os.close(handle)


def test_a_worker_that_is_told_nothing_ends(coverage_variables: dict[str, str]) -> None:
    here, there = socket.socketpair()
    command = [sys.executable, "-I", "-c", "from twokey.policies.engines.worker import main; main()"]
    with there, subprocess.Popen(command, stdin=there.fileno(), env=coverage_variables) as process:
        here.close()
        assert process.wait(60) == 0


def test_a_fork_does_not_share_the_worker() -> None:
    script = (
        "import os, sys\n"
        "from twokey.core.errors import EngineFault\n"
        "from twokey.policies import bundle\n"
        "from twokey.policies.engines.embedded import Embedded\n"
        "engine = Embedded(bundle.load(), deadline_s=10); engine.start()\n"
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
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 7


def test_threads_get_their_own_answers(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := input.x\n")
    wrong: list[object] = []

    def ask(number: int) -> None:
        for turn in range(50):
            answer = engine.evaluate(b'{"x": %d}' % (number * 1000 + turn))
            if answer != number * 1000 + turn:
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_closed_engine_keeps_its_diagnostics_and_may_be_used_again(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := 1\n")
    engine.close()
    assert engine.evaluate(b"{}") == 1
    before = engine.process
    engine.close()
    assert engine.process is None
    assert engine.diagnostics == ""
    assert engine.evaluate(b"{}") == 1
    assert engine.process != before


def test_a_worker_that_will_not_go_is_killed(engine_of: MakeEngine) -> None:
    engine = engine_of("package twokey\n\ndecision := 1\n")
    engine.start()
    handle = os.pidfd_open(engine.process or 0)
    os.kill(engine.process or 0, signal.SIGSTOP)
    engine.close()
    assert _has_ended(handle, 1)
    os.close(handle)


def test_the_document_of_a_call_is_what_rego_sees(engine_of: MakeEngine, write: Callable[..., Call]) -> None:
    engine = engine_of("package twokey\n\ndecision := input\n")
    document = build(write())
    assert engine.evaluate(document.text) == json.loads(document.text)


ECHO = """package twokey

decision := input.n
"""
SLOW_ONES = """package twokey

decision := "soon" if not input.many

decision := count([x | some a in input.many; some b in input.many; some c in input.many; x := a + b + c]) if input.many
"""


def test_many_documents_get_the_answers_that_each_gets_alone(engine_of: MakeEngine) -> None:
    engine = engine_of(ECHO)
    documents = [json.dumps({"n": n}).encode() for n in range(50)]
    assert engine.evaluate_many(documents) == [engine.evaluate(document) for document in documents]
    assert engine.evaluate_many([]) == []


def test_one_bad_document_among_many_keeps_its_fault_to_itself(engine_of: MakeEngine) -> None:
    engine = engine_of(ECHO)
    results = engine.evaluate_many([b'{"n":1}', b"{", b'{"n":2}'])
    assert [isinstance(result, EngineFault) for result in results] == [False, True, False]
    assert results[::2] == [1, 2]


def test_one_slow_document_among_many_keeps_its_fault_to_itself(engine_of: MakeEngine) -> None:
    engine = engine_of(SLOW_ONES, deadline_s=0.2, stall_s=20.0)
    slow = json.dumps({"many": list(range(400))}).encode()
    results = engine.evaluate_many([b"{}", slow, b"{}", b"{}"])
    assert [isinstance(result, EngineFault) for result in results] == [False, True, False, False]
    assert results[0] == "soon"


@pytest.mark.parametrize("answer", [b"=", b"*", b"*\0\0\0\1=\0\0\0\1=", b"*\0\0", b"*\0\0\0\2=}"])
def test_an_answer_that_cannot_be_read_is_a_fault(
    engine_of: MakeEngine, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    def say(_payload: bytes, _seconds: float) -> bytes:
        return answer

    engine = engine_of(ECHO)
    monkeypatch.setattr(engine, "_ask", say)
    (result,) = engine.evaluate_many([b"{}"])
    assert isinstance(result, EngineFault)
