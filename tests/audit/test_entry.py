"""Entries: canonical bytes and back; nothing unknown gets in."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from twokey.audit import entry as entries
from twokey.audit.entry import Entry
from twokey.core.errors import CheckFailed
from twokey.core.events import AnswerGiven, RunPlanned, StepEnded, WorkspaceCreated
from twokey.core.values import Answer, Statement

STEP = StepEnded(run="r-000000000001", step=1, agent="catalog", code="ok", findings=3)
ENTRY = Entry(id="l-000000000001", time_us=1_767_225_600_000_000, workspace="w-000000000001", event=STEP)
BYTES = (
    b'{"event":{"agent":"catalog","code":"ok","findings":3,"kind":"step.ended","run":"r-000000000001","step":1},'
    b'"id":"l-000000000001","time_us":1767225600000000,"v":"twokey/entry/v1","workspace":"w-000000000001"}'
)


def test_the_bytes_are_fixed():
    assert ENTRY.encode() == BYTES
    assert Entry.decode(BYTES) == ENTRY
    assert (ENTRY.kind, ENTRY.subject) == ("step.ended", "r-000000000001")


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_the_bytes_are_those_of_rfc_8785(time_us: int, findings: int):
    entry = Entry(
        id="l-zzzzzzzzzzzz",
        time_us=time_us,
        workspace="w-000000000001",
        event=STEP.model_copy(update={"findings": findings}),
    )
    assert entry.encode() == rfc8785.dumps(json.loads(entry.model_dump_json()))
    assert Entry.decode(entry.encode()) == entry


def test_a_nested_answer_survives():
    statement = Statement(
        workspace="w-000000000001",
        action="approve",
        proposal="p-000000000001",
        proposal_digest="a" * 64,
        decision_digest="b" * 64,
        principal="sam",
        at_us=5,
    )
    answer = Answer(statement=statement, auth="key", key="0" * 16, signature="1" * 128)
    event = AnswerGiven(answer=answer, groups=("platform-owners",), channel="cli")
    entry = Entry(id="l-000000000002", time_us=6, workspace="w-000000000001", event=event)
    assert Entry.decode(entry.encode()) == entry
    assert entry.subject == "p-000000000001"


def _changed(**changes: Any) -> bytes:
    return rfc8785.dumps(json.loads(BYTES) | changes)


def _event(**changes: Any) -> bytes:
    return _changed(event=json.loads(BYTES)["event"] | changes)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "do not fit"),
        (BYTES + b" ", "not in canonical form"),
        (BYTES.replace(b'"step":1', b'"step":1.0'), "canonical form"),
        (_changed(v="twokey/entry/v2"), "literal_error"),
        (_changed(comment="x"), "extra_forbidden"),
        (_changed(id="l-1"), "string_pattern_mismatch"),
        (_changed(time_us="5"), "not of its own type"),
        (_changed(time_us=-1), "greater_than_equal"),
        (_event(kind="step.skipped"), "union_tag_invalid"),
        (_event(note="alice@example.com"), "extra_forbidden"),
        (_event(findings=True), "not of its own type"),
        (_event(code="not a code"), "string_pattern_mismatch"),
        (b" " * 65_536, "more than 65535"),
    ],
)
def test_what_is_no_entry_is_refused(body: bytes, why: str):
    with pytest.raises(CheckFailed, match=why):
        Entry.decode(body)


def test_a_refusal_repeats_nothing_from_outside():
    with pytest.raises(CheckFailed) as caught:
        Entry.decode(_event(**{"alice@example.com": "hunter2"}))
    assert "alice" not in caught.value.message
    assert "hunter2" not in caught.value.message


def test_a_field_that_was_not_written_may_have_a_default():
    """So that a later version can add a field and still read what an older one wrote."""
    body = _changed(
        event={"kind": "write.ended", "proposal": "p-000000000001", "run": "r-000000000001", "digest": "a" * 64}
        | {"executor": "x-000000000001", "outcome": "written", "code": "ok"}
    )
    assert Entry.decode(body).kind == "write.ended"


def test_an_entry_has_at_most_65535_bytes():
    event = RunPlanned(run="r-000000000001", plan="a" * 64, agents=("a" * 40,) * 1600)
    with pytest.raises(CheckFailed, match="an entry of the log has 65535 at most"):
        Entry(id="l-000000000001", time_us=0, workspace="w-000000000001", event=event).encode()
    assert entries.MAX_BYTES == 65_535


def test_the_first_event_of_a_workspace_is_indexed_by_the_workspace():
    event = WorkspaceCreated(workspace="w-000000000001", demo=False, version="0.1.0")
    assert Entry(id="l-000000000001", time_us=0, workspace="w-000000000001", event=event).subject == "w-000000000001"
