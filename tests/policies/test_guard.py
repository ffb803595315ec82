"""Every fault becomes a deny that says so; nothing that a call carries can turn a decision."""

import json
import logging
from collections.abc import Callable

import pytest

from twokey.core.errors import EngineFault
from twokey.core.values import Call
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import NO_INPUT, Guard
from twokey.policies.input import build

ALLOW = {
    "effect": "allow",
    "approvals": None,
    "reasons": [{"code": "read_in_contract", "message": "Fine.", "rule": "R14"}],
    "obligations": [],
    "warnings": [],
}


class ScriptedEngine:
    """A third engine behind the production port: it gives or raises what it is told."""

    name = "scripted 1.0"

    def __init__(self, result: object) -> None:
        self.result = result
        self.documents: list[bytes] = []

    def evaluate(self, document: bytes) -> object:
        self.documents.append(document)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def revisions(self) -> BundleRevisions:
        return BundleRevisions(policy="aa" * 32, data="bb" * 32)

    def close(self) -> None:
        """Nothing to release."""


def test_a_decision_names_engine_revisions_and_input(read: Callable[..., Call]) -> None:
    engine = ScriptedEngine(ALLOW)
    taken = Guard(engine).decide(read())
    document = build(read())
    assert engine.documents == [document.text]
    assert (taken.effect, taken.engine, taken.input_digest) == ("allow", "scripted 1.0", document.digest)
    assert (taken.policy_revision, taken.data_revision) == ("aa" * 32, "bb" * 32)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "The policy engine gave an answer that is no decision."),
        ({}, "The policy engine gave an answer that is no decision."),
        ({**ALLOW, "obligations": ["unknown"]}, "The policy engine gave an answer that is no decision."),
        (EngineFault("Too late.", next="Try again."), "The policy engine gave no answer."),
        (RuntimeError("a bug with a secret in it"), "The call could not be put before policy."),
        (RecursionError(), "The call could not be put before policy."),
        (MemoryError(), "The call could not be put before policy."),
    ],
)
def test_a_fault_is_a_deny(
    read: Callable[..., Call], caplog: pytest.LogCaptureFixture, result: object, message: str
) -> None:
    caplog.set_level(logging.ERROR)
    taken = Guard(ScriptedEngine(result)).decide(read())
    assert taken.effect == "deny"
    assert [reason.canonical() for reason in taken.reasons] == [
        {"code": "engine_fault", "message": message, "rule": "R00"}
    ]
    assert taken.input_digest == build(read()).digest
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text


def test_an_allowed_write_is_a_deny_whatever_the_engine_says(write: Callable[..., Call]) -> None:
    assert Guard(ScriptedEngine(ALLOW)).decide(write()).effect == "deny"


def test_an_end_of_the_process_is_not_held_up(read: Callable[..., Call]) -> None:
    with pytest.raises(KeyboardInterrupt):
        Guard(ScriptedEngine(KeyboardInterrupt())).decide(read())


def test_a_known_obligation_passes(read: Callable[..., Call]) -> None:
    engine = ScriptedEngine({**ALLOW, "obligations": ["notify_owner"]})
    assert Guard(engine, obligations=frozenset({"notify_owner"})).decide(read()).obligations == ("notify_owner",)


@pytest.mark.parametrize("value", ["\ud800", 1.5, object()])
def test_a_call_without_a_canonical_form_is_denied_before_any_engine(read: Callable[..., Call], value: object) -> None:
    engine = ScriptedEngine(ALLOW)
    taken = Guard(engine).decide(read().model_copy(update={"args": {"sql": value}}))
    assert (taken.effect, taken.reasons[0].code, taken.input_digest) == ("deny", "engine_fault", NO_INPUT)
    assert engine.documents == []


HOSTILE = [
    '"}],"effect":"allow","approvals":null,"x":[{"y":"',
    "\n\ndecision := {}\n",
    "\\u0022\\",
    "`", "\x00", "\u202e\u2066", "\U0010ffff", "{{input}}", "%s%n", "'; DROP TABLE approvals; --",
    "x" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:10]))
def test_hostile_text_changes_no_decision(
    embedded: Embedded, read: Callable[..., Call], write: Callable[..., Call], text: str
) -> None:
    guard = Guard(embedded)
    plain_read, plain_write = guard.decide(read()), guard.decide(write())
    hostile_read = guard.decide(read(args={"sql": text, "more": [text, {"deep": text}]}))
    arguments = {"repository": text, "branch": text, "title": text, "body": text}
    hostile_write = guard.decide(write(args=arguments))
    assert hostile_read.digest() == plain_read.digest()
    assert hostile_write.digest() == plain_write.digest()
    assert plain_write.effect == "require_approval"
    assert text[:20] not in json.dumps(hostile_write.canonical(), ensure_ascii=False)


def test_a_hostile_resource_name_only_loses(embedded: Embedded, write: Callable[..., Call]) -> None:
    for name in ("x" * 400, 'ml/"', "ml\n/", "payments\x00", " payments", "PAYMENTS"):
        resource = {"kind": "repository", "id": name, "granted_by": "request"}
        taken = Guard(embedded).decide(write(resource=resource))
        assert taken.effect == "deny"


def test_a_bundle_that_allows_a_write_gets_a_deny(
    bundle: Bundle, coverage_variables: dict[str, str], write: Callable[..., Call]
) -> None:
    generous = Bundle(
        modules=(("twokey/decision.rego", f"package twokey\n\ndecision := {json.dumps(ALLOW)}\n"),),
        data=bundle.data,
        revisions=bundle.revisions,
    )
    engine = Embedded(generous, deadline_s=10, environment=coverage_variables)
    try:
        assert Guard(engine).decide(write()).reasons[0].code == "engine_fault"
    finally:
        engine.close()
