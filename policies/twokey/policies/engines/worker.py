"""The process in which Rego is evaluated by regorus: ``python -I -c "from ... import main; main()"``.

Rules: it is told the modules and the data in its first message and reads no file; each decision is taken by a fresh
copy of the loaded engine; its memory is bounded; it ends when its channel closes, and ends itself (by an alarm the
kernel delivers whatever the engine does) when one evaluation takes longer than its patience, so it never outlives its
parent by more. It writes nothing but answers: ``=`` and JSON, or ``!`` and what is wrong. A question that begins with
``*`` holds several documents, and so does its answer (``frames.pack``); each is evaluated as if it came alone.
"""

import json
import resource
import signal
import socket
from typing import Any, Final

import regorus

from twokey.policies.engines.frames import MANY, Deadline, pack, receive, send, unpack

ANSWER: Final = b"="
FAULT: Final = b"!"
START_PATIENCE_S: Final = 60.0
MAX_OUTPUT_BYTES: Final = 64 * 1024 * 1024
"""The largest file this process may write (its captured standard error)."""
_UNDEFINED: Final = '"<undefined>"'
"""What regorus gives, as JSON, for a rule without a value."""
_NEVER: Final = Deadline(None)


def main() -> None:
    """Serve the channel on standard input until it closes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=0) as channel:
        serve(channel)


def serve(channel: socket.socket) -> None:
    """Load what the first message holds, then answer one question after the other."""
    first = receive(channel, _NEVER)
    if first is None:
        return
    nonce, payload = first
    order: dict[str, Any] = json.loads(payload)
    _bound_memory(order["memory_bytes"])
    _alarm(START_PATIENCE_S)
    try:
        engine = _load(order)
        # Once in the engine itself: what it works out about the rules then comes with each copy, and is a third of
        # the time that a decision takes.
        _take(engine, order["entry_point"], b"{}")
    except (RuntimeError, ValueError) as error:
        send(channel, nonce, FAULT + _first_lines(error), _NEVER)
        return
    _alarm(0)
    send(channel, nonce, ANSWER, _NEVER)
    while (question := receive(channel, _NEVER)) is not None:
        nonce, payload = question
        if payload.startswith(MANY):
            answer = pack([_answer(engine, order, document) for document in unpack(payload)])
        else:
            answer = _answer(engine, order, payload)
        send(channel, nonce, answer, _NEVER)


def _answer(engine: Any, order: dict[str, Any], document: bytes) -> bytes:
    _alarm(order["patience_s"])
    try:
        return ANSWER + _evaluate(engine, order["entry_point"], document)
    except (RuntimeError, ValueError):
        return FAULT
    finally:
        _alarm(0)


def _bound_memory(size: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def _alarm(seconds: float) -> None:
    """Have the kernel end this process in ``seconds``; 0 calls it off."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _load(order: dict[str, Any]) -> Any:
    engine = regorus.Engine()  # pyright: ignore[reportAttributeAccessIssue] - the extension module has no types
    for name, text in order["modules"]:
        engine.add_policy(name, text)
    engine.add_data_json(json.dumps(order["data"]))
    return engine


def _evaluate(engine: Any, entry_point: str, document: bytes) -> bytes:
    return _take(engine.clone(), entry_point, document)


def _take(engine: Any, entry_point: str, document: bytes) -> bytes:
    engine.set_input_json(document.decode("utf-8"))
    result: str = engine.eval_rule_as_json(entry_point)
    return b"null" if result == _UNDEFINED else result.encode("utf-8")


def _first_lines(error: Exception) -> bytes:
    """What is wrong with the bundle, without the engine's stack trace. There is no input yet that it could show."""
    return str(error).partition("Stack backtrace")[0].strip()[:1000].encode("utf-8", "replace")
