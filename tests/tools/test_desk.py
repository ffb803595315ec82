"""What an agent can do, what is kept of it, and what never reaches the log."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select
from support.bench import Bench
from support.notes import (
    RULES,
    KeyedNotes,
    MakeBench,
    Note,
    NoteArgs,
    ReadArgs,
    ReadNotes,
    approved_note,
    note_draft,
    notes_desk,
    proposed_note,
    read_rules,
    target,
)

from twokey.audit import storage
from twokey.core import canonical
from twokey.core.errors import CheckFailed, EnvironmentFault, NotFound, Refused, ToolRetry, TwokeyError
from twokey.core.events import ToolReturned
from twokey.core.values import Call, Decision, Finding, Plan, Report, Resource, Step, Value
from twokey.store import tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import Context, Place
from twokey.tools.desk import Desk
from twokey.tools.proposing import Draft

SECRET = "AKIA7QHUNTER2SECRET"
ADDRESS = "ana.smith@example.com"


def raising(error: Exception) -> Callable[[], None]:
    def step() -> None:
        raise error

    return step


def read(desk: Desk, **changes: Any) -> Any:
    args = {"folder": desk.places.items[1].location, "name": RULES} | changes
    return desk.read("read_note", args, agent="catalog", step=1, result=Note)


def returned(bench: Bench, desk: Desk) -> list[str]:
    events = [item.entry.event for item in bench.log.entries(desk.run, kind="tool.returned")]
    return [event.code for event in events if isinstance(event, ToolReturned)]


# -- reading ------------------------------------------------------------------------------------------------------


def test_a_read_leaves_evidence_and_its_entries(make_notes: MakeBench):
    bench = make_notes()
    desk = notes_desk(bench)
    reading = read(desk)
    assert reading.result == Note(text="Be brief.")
    assert bench.kinds(desk.run) == ["policy.decided", "tool.called", "tool.returned"]
    value, content = desk.content(reading.evidence.id)
    assert (value, content) == (reading.evidence, {"text": "Be brief."})
    assert value.commitment == canonical.commitment(value.salt, content)
    assert (value.summary, value.trusted) == ("rules: 9 characters", False)
    assert value.origin == f"tickets {target(bench)}"


class Denying:
    """A policy that says no to everything (port ``Policy``)."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def decide(self, call: Call) -> Decision:
        decision: Decision = self._real.decide(call.model_copy(update={"tool": "read_other"}))
        assert decision.effect == "deny"
        return decision


def test_a_read_that_policy_denies_does_not_happen_and_is_recorded(make_notes: MakeBench):
    tool = ReadNotes()
    bench = make_notes([tool])
    desk = notes_desk(bench)
    bench.policy.policy = Denying(bench.policy.policy)
    with pytest.raises(Refused):
        read(desk)
    assert (tool.calls, bench.kinds(desk.run), bench.evidence_rows(desk.run)) == (0, ["policy.decided"], 0)


def test_a_read_outside_the_runs_places_does_not_happen_and_is_recorded(make_notes: MakeBench):
    tool = ReadNotes()
    bench = make_notes([tool])
    desk = notes_desk(bench)
    for folder in ("/etc", str(target(bench)) + "/..", ""):
        with pytest.raises(Refused) as caught:
            read(desk, folder=folder, name="passwd")
        assert caught.value.code == "outside_contract"
    assert (tool.calls, returned(bench, desk)) == (0, ["outside_contract"] * 3)


@pytest.mark.parametrize("args", [{}, {"folder": 1, "name": "a"}, {"folder": "a", "name": SECRET}, {"x": SECRET}])
def test_arguments_that_do_not_fit_are_for_the_agent_to_correct(make_notes_once: MakeBench, args: dict[str, Any]):
    tool = ReadNotes()
    desk = notes_desk(make_notes_once([tool]))
    with pytest.raises(ToolRetry) as caught:
        desk.read("read_note", args, agent="catalog", step=1, result=Note)
    assert SECRET not in caught.value.message
    assert tool.calls == 0


def test_a_tool_that_does_not_exist_or_writes_is_not_read(make_notes_once: MakeBench):
    desk = notes_desk(make_notes_once())
    for name in ("no_such_tool", "write_note"):
        with pytest.raises(NotFound):
            desk.read(name, {}, agent="catalog", step=1, result=Note)


@pytest.mark.parametrize(
    ("step", "error", "code"),
    [
        ("call", EnvironmentFault("Gone.", next="Wait.", code="line_dead"), "line_dead"),
        ("call", ToolRetry("Again.", next="Again."), "tool_arguments"),
        ("call", TwokeyError("No.", next="No.", code=ADDRESS), "tool_fault"),
        ("call", ValueError(SECRET), "tool_fault"),
        ("call", RecursionError(SECRET), "tool_fault"),
        ("summary", KeyError(SECRET), "tool_fault"),
    ],
)
def test_a_tool_that_fails_is_recorded_by_a_code_and_nothing_else(
    make_notes_once: MakeBench, step: str, error: Exception, code: str
):
    bench = make_notes_once([ReadNotes({step: raising(error)})])
    desk = notes_desk(bench)
    with pytest.raises(TwokeyError) as caught:
        read(desk)
    assert SECRET not in caught.value.message + caught.value.next + str(caught.value)
    assert returned(bench, desk) == [code]
    assert bench.evidence_rows(desk.run) == 0
    if not isinstance(error, TwokeyError):
        assert isinstance(caught.value, EnvironmentFault)
        assert caught.value.code == "tool_fault"


class Odd(ReadNotes):
    """A tool that gives whatever it was made with."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def call(self, args: ReadArgs, context: Context) -> Note:
        del args, context
        answer: Note = self._answer
        return answer

    def summary(self, args: ReadArgs, result: Note) -> str:
        del args, result
        return self._answer.text if isinstance(self._answer, Note) else "odd"


class Other(Value):
    text: str


@pytest.mark.parametrize(
    "answer",
    [None, {"text": "a"}, Note.model_construct(text="\ud800"), Note.model_construct(text=1.5), Other(text="a")],
    ids=["nothing", "no value", "no text", "a float", "another value"],
)
def test_a_result_that_is_none_is_the_tools_fault(make_notes_once: MakeBench, answer: Any):
    bench = make_notes_once([Odd(answer)])
    desk = notes_desk(bench)
    with pytest.raises(EnvironmentFault) as caught:
        read(desk)
    assert caught.value.code == "tool_fault"
    assert (returned(bench, desk), bench.evidence_rows(desk.run)) == (["tool_fault"], 0)


def test_a_place_that_the_tool_cannot_name_is_the_tools_fault(make_notes_once: MakeBench):
    class Lost(ReadNotes):
        def place_name(self, args: ReadArgs) -> str:
            raise KeyError(args.name)

    bench = make_notes_once([Lost()])
    desk = notes_desk(bench)
    with pytest.raises(EnvironmentFault):
        read(desk)
    assert returned(bench, desk) == ["tool_fault"]


def test_a_long_summary_is_cut(make_notes_once: MakeBench):
    bench = make_notes_once([Odd(Note(text="x" * 1000))])
    assert read(notes_desk(bench)).evidence.summary == "x" * 400


def test_a_desk_shows_its_own_runs_evidence_only(make_notes: MakeBench):
    """Whatever id a text may carry, what another person's run has read stays there."""
    bench = make_notes()
    theirs, mine = notes_desk(bench), notes_desk(bench)
    evidence = read(theirs).evidence
    assert theirs.content(evidence.id)[0] == evidence
    for wanted in (evidence.id, "e-zzzzzzzzzzzz"):
        with pytest.raises(NotFound):
            mine.content(wanted)


# -- nothing of it is in the log ----------------------------------------------------------------------------------


def every_byte_of(engine: Engine) -> Iterator[bytes]:
    with engine.connect() as connection:
        for table in storage.TABLES.tables.values():
            for row in connection.execute(select(table)):
                for value in row:
                    yield value if isinstance(value, bytes) else str(value).encode()


def test_no_secret_and_no_address_occurs_in_the_bytes_of_the_log(make_notes: MakeBench):
    bench = make_notes()
    (target(bench) / "secret").write_text(f"{SECRET} {ADDRESS}")
    desk = notes_desk(bench)
    found = read(desk, name="secret", token=SECRET)
    assert SECRET in found.result.text
    with pytest.raises(Refused):
        read(desk, folder=f"https://{ADDRESS}/{SECRET}")
    with pytest.raises(EnvironmentFault):
        read(desk, name="missing", token=SECRET)
    step = Step(number=1, agent="catalog", action="scan", args={"key": SECRET}, title=ADDRESS)
    desk.planned(Plan(understood=ADDRESS, steps=(step,)))
    finding = Finding(
        id="f-1", subject=ADDRESS, kind="says", claim=SECRET, evidence=(found.evidence.id,), confidence=90
    )
    desk.step_started(1, "catalog")
    desk.step_ended(1, "catalog", code="ok", report=Report(agent="catalog", findings=(finding,)))
    desk.model_called(step=1, tier="small", code="ok", tokens=(1, 2), prompt=[SECRET], answer=ADDRESS)
    desk.keep("hand", {"a": SECRET})
    draft = note_draft(desk, text=f"{SECRET} {ADDRESS}")
    changed = Draft(draft.tool, draft.args, draft.provenance, (*draft.findings, finding), f"{SECRET} {ADDRESS}")
    record = desk.propose(changed, agent="catalog", step=2)
    bench.gate.answer(bench.answer(record), channel="cli", reason=f"{SECRET} {ADDRESS}")
    bench.gate.execute(record.id)
    assert bench.gate.find(record.id).code == "written"
    parts = list(every_byte_of(bench.engine))
    assert len(parts) > 100
    for needle in (SECRET, ADDRESS, "hunter2", "ana.smith", "example.com", str(target(bench)), "hello"):
        assert not [part for part in parts if needle.encode().lower() in part.lower()], needle
    assert SECRET.encode() in b"".join(value for (value,) in rows_of(bench.engine, tables.openings.c.value))


def rows_of(engine: Engine, column: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(column)))


def test_equal_values_have_different_commitments(make_notes_once: MakeBench):
    bench = make_notes_once()
    desk = notes_desk(bench)
    first, second = read(desk).evidence, read(desk).evidence
    assert first.sha256 == second.sha256
    assert first.commitment != second.commitment


# -- writing down -------------------------------------------------------------------------------------------------


def test_steps_hand_over_documents_of_their_run(make_notes: MakeBench):
    bench = make_notes()
    desk, other = notes_desk(bench), notes_desk(bench)
    assert not desk.has("hand")
    desk.keep("hand", {"a": [1]})
    assert (desk.has("hand"), desk.kept("hand"), other.has("hand")) == (True, {"a": [1]}, False)
    desk.keep("hand", {"a": [2]})
    assert desk.kept("hand") == {"a": [2]}
    desk.forget("hand")
    assert not desk.has("hand")
    with pytest.raises(NotFound):
        desk.kept("hand")


def test_what_agents_do_is_recorded(make_notes: MakeBench):
    bench = make_notes()
    desk = notes_desk(bench)
    step = Step(number=1, agent="catalog", action="scan")
    desk.planned(Plan(understood="all", steps=(step,)))
    desk.step_started(1, "catalog")
    desk.model_called(step=1, tier="large", code="timeout", tokens=(3, 0), prompt="p", answer=None)
    desk.model_called(step=1, tier="small", code="ok", tokens=(3, 4), prompt="p", answer="a")
    desk.step_ended(1, "catalog", code="ok", report=Report(agent="catalog", findings=()))
    desk.step_ended(2, "catalog", code="failed")
    desk.reviewed(claims=3, supported=2, dropped=1, code="ok")
    assert bench.kinds(desk.run) == [
        "run.planned",
        "step.started",
        "model.called",
        "model.called",
        "step.ended",
        "step.ended",
        "review.ended",
    ]
    assert desk.kept("report-1") == {"agent": "catalog", "findings": []}
    assert not desk.has("report-2")
    asked, answered = [item.entry.event for item in bench.log.entries(desk.run, kind="model.called")]
    assert asked.model_dump()["answer"] is None
    assert answered.model_dump()["answer"] is not None


# -- places -------------------------------------------------------------------------------------------------------


def test_a_place_that_the_settings_no_longer_name_is_not_reached(make_notes: MakeBench):
    bench = make_notes()
    resource = Resource(kind="tickets", id="notes", granted_by="config")
    place = Place(resource, str(target(bench)))
    assert bench.book.places([resource]).items == ()
    desk = Desk(bench.office, run=bench.desk().run, requester=bench.people.people["ana"], places=bench.book.places([]))
    with pytest.raises(Refused):
        desk.read("read_note", {"folder": "notes", "name": RULES}, agent="catalog", step=1, result=Note)
    named = type(bench.book)([place])
    assert named.configured() == (place,)
    assert named.places([resource]).items == (place,)


def test_a_place_that_a_request_named_is_where_it_says(make_notes_once: MakeBench):
    book = make_notes_once().book
    named = Resource(kind="warehouse", id="postgresql://h/d", granted_by="request")
    assert [place.location for place in book.places([named]).items] == ["postgresql://h/d"]
    book.remember(named.id, "postgresql://u:secret@h/d")
    assert [place.location for place in book.places([named]).items] == ["postgresql://u:secret@h/d"]
    assert "secret" not in repr(book.places([named]))


# -- evidence -----------------------------------------------------------------------------------------------------


def test_a_step_that_runs_again_gets_the_proposal_it_made(make_notes_once: MakeBench):
    bench = make_notes_once()
    desk = notes_desk(bench)
    draft = note_draft(desk)
    first = desk.propose(draft, agent="catalog", step=2)
    assert desk.propose(draft, agent="catalog", step=2).id == first.id
    other = desk.propose(note_draft(desk, name="other"), agent="catalog", step=3)
    assert [record.id for record in desk.proposals()] == sorted((first.id, other.id))


class NotesApart(KeyedNotes):
    """A step may write several notes, told apart by their names."""

    def once(self, args: NoteArgs) -> str:
        return args.name


def test_a_step_proposes_each_of_several_once_where_the_tool_tells_them_apart(make_notes_once: MakeBench):
    bench = make_notes_once([NotesApart()])
    desk = notes_desk(bench)
    drafts = [note_draft(desk, name=name) for name in ("one", "two", "three")]
    made = [desk.propose(draft, agent="catalog", step=2) for draft in drafts]
    assert len({record.digest for record in made}) == 3
    again = [desk.propose(draft, agent="catalog", step=2).id for draft in reversed(drafts)]
    assert again == [record.id for record in reversed(made)]
    late = bench.office.proposer.propose(
        drafts[1], run=desk.run, requester="ana", agent="catalog", step=2, places=desk.places, once=True
    )
    assert late.id == made[1].id
    assert len(desk.proposals()) == 3


def test_two_processes_at_the_same_step_make_one_proposal(make_notes: MakeBench):
    """Both have looked and found no proposal; one was only slow, and comes when the other one's is there."""
    bench = make_notes()
    desk = notes_desk(bench)

    def propose(step: int, text: str) -> ProposalRecord:
        draft = note_draft(desk, text=text)
        return bench.office.proposer.propose(
            draft, run=desk.run, requester="ana", agent="catalog", step=step, places=desk.places, once=True
        )

    first = propose(2, "Good morning.")
    size = len(bench.log.entries(first.id))
    assert propose(2, "Good evening.") == first
    assert len(bench.log.entries(first.id)) == size
    assert propose(3, "Good night.").id != first.id
    assert len(desk.proposals()) == 2


def test_evidence_that_was_exchanged_is_not_read(make_notes: MakeBench):
    bench = make_notes()
    desk = notes_desk(bench)
    first, second = read(desk).evidence, read(desk, name="rules", token="b").evidence
    (target(bench) / RULES).write_text("Be long.")
    third = read(desk).evidence
    with bench.engine.begin() as connection:
        columns = tables.evidence.c
        row = connection.execute(select(tables.evidence).where(columns.id == third.id)).one()
        connection.execute(
            tables.evidence.update().where(columns.id == first.id).values(value=row.value, content=row.content)
        )
        connection.execute(tables.evidence.update().where(columns.id == second.id).values(content=row.content))
    for exchanged in (first, second):
        with pytest.raises(CheckFailed):
            desk.content(exchanged.id)


def test_evidence_exchanged_after_the_approval_supersedes(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    (target(bench) / RULES).write_text("Be long.")
    other = read_rules(notes_desk(bench)).evidence
    with bench.engine.begin() as connection:
        columns = tables.evidence.c
        row = connection.execute(select(tables.evidence).where(columns.id == other.id)).one()
        cited = record.proposal.evidence[0].id
        connection.execute(
            tables.evidence.update().where(columns.id == cited).values(value=row.value, content=row.content)
        )
    assert bench.gate.execute(record.id).code == "changed_evidence"


def test_a_proposal_waits_and_writes_nothing(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    assert record.state.value == "awaiting_approval"
    assert [path.name for path in target(bench).iterdir()] == [RULES]
