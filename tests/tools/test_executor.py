"""What is said of a write: only what the target shows, whatever the tool raised."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from support.notes import (
    BlindNotes,
    HalvedNotes,
    KeyedNotes,
    MakeBench,
    NoteArgs,
    NoteWriter,
    Steps,
    TracedNotes,
    Written,
    approved_note,
    effects,
    notes,
    proposed_note,
    target,
)

from twokey.core.errors import EnvironmentFault, Refused, TwokeyError
from twokey.core.events import WriteEnded
from twokey.core.lifecycle import State
from twokey.core.values import Resource
from twokey.tools import executor
from twokey.tools.contract import Context, Marker, Outcome, Place, Places, Rendered
from twokey.tools.executor import Applied, Permit

MARKER = Marker(proposal="p-000000000001", digest="0" * 64, run="r-000000000001", requester="ana", created_us=0)


def raising(error: Exception) -> Callable[[], None]:
    def step() -> None:
        raise error

    return step


OUTAGE = EnvironmentFault("The line is dead.", next="Wait.", code="line_dead")
FAULT = ValueError("password hunter2")


def prepared(folder: Path, tool: NoteWriter) -> tuple[Permit, Context]:
    """A permit as the gate makes it, for one note."""
    folder.mkdir(exist_ok=True)
    place = Place(Resource(kind="tickets", id=str(folder), granted_by="request"), str(folder))
    context = Context(places=Places((place,)), now_us=0)
    args = NoteArgs(folder=str(folder), name="hello", text="Good morning.")
    return Permit(tool, args, tool.render(args, context), MARKER, "l-000000000001"), context


def applied(folder: Path, tool: NoteWriter) -> Applied:
    return executor.apply(*prepared(folder, tool))


@pytest.mark.parametrize("error", [OUTAGE, FAULT, Refused("No.", next="Stop.", code="no")])
def test_a_write_of_which_a_part_is_there_is_not_said_to_be_undone(tmp_path: Path, error: Exception):
    assert applied(tmp_path, HalvedNotes({"between": raising(error)})) == Applied("unknown", "partly_written")


@pytest.mark.parametrize("kind", [KeyedNotes, TracedNotes])
def test_a_write_that_is_seen_afterwards_is_written(tmp_path: Path, kind: type[NoteWriter]):
    done = applied(tmp_path / "notes", kind())
    assert (done.outcome, done.code) == ("written", "written")
    assert cast("dict[str, Any]", done.result)["name"] == "hello"
    assert effects(tmp_path / "notes") == 1


@pytest.mark.parametrize("kind", [KeyedNotes, TracedNotes])
@pytest.mark.parametrize("error", [OUTAGE, FAULT], ids=["foreseen", "unforeseen"])
def test_a_write_that_fails_after_writing_is_written_despite_its_error(
    tmp_path: Path, kind: type[NoteWriter], error: Exception
):
    done = applied(tmp_path / "notes", kind({"after": raising(error)}))
    assert (done.outcome, done.code) == ("written", "written_despite_error")
    assert effects(tmp_path / "notes") == 1


@pytest.mark.parametrize(
    ("kind", "error", "outcome", "code"),
    [
        (KeyedNotes, OUTAGE, "not_written", "line_dead"),
        (KeyedNotes, FAULT, "not_written", "tool_fault"),
        (TracedNotes, OUTAGE, "unknown", "line_dead"),
        (TracedNotes, FAULT, "unknown", "tool_fault"),
        (BlindNotes, OUTAGE, "unknown", "line_dead"),
        (BlindNotes, FAULT, "unknown", "tool_fault"),
    ],
)
def test_nothing_written_is_said_only_where_the_key_would_show(
    tmp_path: Path, kind: type[NoteWriter], error: Exception, outcome: str, code: str
):
    done = applied(tmp_path / "notes", kind({"before": raising(error)}))
    assert (done.outcome, done.code, done.result) == (outcome, code, None)
    assert effects(tmp_path / "notes") == 0


def test_a_write_nobody_can_see_is_not_said_to_be_there(tmp_path: Path):
    assert applied(tmp_path / "notes", BlindNotes()) == Applied("unknown", "written_not_found")


def test_a_tool_that_refuses_because_something_else_lies_there_has_not_written(tmp_path: Path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "hello.other").write_text("Not yours.")
    assert applied(tmp_path / "notes", KeyedNotes()) == Applied("not_written", "name_taken")
    assert notes(tmp_path / "notes") == ["Not yours."]


def spoil(folder: Path) -> Callable[[], None]:
    def step() -> None:
        for path in folder.iterdir():
            path.write_text("Half a no")
        raise OUTAGE

    return step


@pytest.mark.parametrize("kind", [KeyedNotes, TracedNotes])
def test_a_write_that_broke_off_half_way_is_unknown_and_not_called_failed(tmp_path: Path, kind: type[NoteWriter]):
    done = applied(tmp_path / "notes", kind({"after": spoil(tmp_path / "notes")}))
    assert done == Applied("unknown", "line_dead")


def test_something_else_in_the_place_of_what_was_written_is_unknown(tmp_path: Path):
    def overwrite() -> None:
        for path in (tmp_path / "notes").iterdir():
            path.write_text("Somebody else's.")

    assert applied(tmp_path / "notes", KeyedNotes({"after": overwrite})) == Applied("unknown", "target_differs")


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ({"look": raising(OUTAGE)}, "cannot_reconcile"),
        ({"look": raising(FAULT)}, "cannot_reconcile"),
        ({"look": raising(FAULT), "before": raising(OUTAGE)}, "line_dead"),
        ({"look": raising(OUTAGE), "after": raising(FAULT)}, "tool_fault"),
    ],
)
@pytest.mark.parametrize("kind", [KeyedNotes, TracedNotes, BlindNotes])
def test_a_target_that_cannot_be_asked_leaves_it_unknown(
    tmp_path: Path, kind: type[NoteWriter], steps: Steps, code: str
):
    assert applied(tmp_path / "notes", kind(steps)) == Applied("unknown", code)


class Mumbling(KeyedNotes):
    """A tool that gives something that is no outcome, or a result that has no canonical form."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self._answer = answer

    def reconcile(self, args: NoteArgs, rendered: Rendered, marker: Marker, context: Context) -> Outcome[Written]:
        del args, rendered, marker, context
        return cast("Outcome[Written]", self._answer)


@pytest.mark.parametrize(
    "answer",
    [None, Outcome("written", Written.model_construct(name="a", sha256="\ud800"))],
    ids=["nothing", "no canonical form"],
)
def test_an_answer_that_cannot_be_used_leaves_it_unknown(tmp_path: Path, answer: object):
    assert applied(tmp_path / "notes", Mumbling(answer)) == Applied("unknown", "cannot_reconcile")


def test_a_write_without_a_result_is_written_all_the_same(tmp_path: Path):
    assert applied(tmp_path / "notes", Mumbling(Outcome("written"))) == Applied("written", "written", None)


def test_a_code_that_is_none_does_not_reach_the_log(tmp_path: Path):
    error = TwokeyError("No.", next="No.", code="ana@example.com")
    assert applied(tmp_path / "notes", KeyedNotes({"before": raising(error)})) == Applied("not_written", "tool_fault")


def test_a_tool_that_ends_the_process_is_not_taken_for_one_that_failed(tmp_path: Path):
    """``SystemExit`` and an interrupt leave the write to whoever takes over."""

    def leave() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        applied(tmp_path / "notes", KeyedNotes({"after": leave}))


# -- through the gate ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "steps", "state", "outcome", "code", "count"),
    [
        (KeyedNotes, {}, State.DONE, "written", "written", 1),
        (KeyedNotes, {"after": raising(FAULT)}, State.DONE, "written", "written_despite_error", 1),
        (KeyedNotes, {"before": raising(FAULT)}, State.FAILED, "not_written", "tool_fault", 0),
        (TracedNotes, {"before": raising(OUTAGE)}, State.UNKNOWN, "unknown", "line_dead", 0),
        (BlindNotes, {"after": raising(FAULT)}, State.UNKNOWN, "unknown", "tool_fault", 1),
    ],
)
def test_the_receipt_says_what_was_found(
    make_notes: MakeBench,
    kind: type[NoteWriter],
    steps: Steps,
    state: State,
    outcome: str,
    code: str,
    count: int,
):
    bench = make_notes([kind(steps)])
    record = approved_note(bench, kind.name)
    result = bench.gate.execute(record.id)
    assert (result.state, result.code) == (state, code)
    receipts = [item.entry.event for item in bench.log.entries(record.id, kind="write.ended")]
    assert [(event.outcome, event.code) for event in receipts if isinstance(event, WriteEnded)] == [(outcome, code)]
    assert effects(target(bench)) == count
    assert bench.gate.execute(record.id).state is state
    assert effects(target(bench)) == count


def test_the_text_of_an_unforeseen_error_is_in_neither_log_nor_answer(make_notes_once: MakeBench):
    bench = make_notes_once([KeyedNotes({"before": raising(FAULT)})])
    result = bench.gate.execute(approved_note(bench).id)
    assert result.code == "tool_fault"
    assert all(b"hunter2" not in item.entry.encode() for item in bench.log.entries())


@pytest.mark.parametrize("error", [OUTAGE, FAULT, Refused("No.", next="No.", code="no_more")])
def test_a_tool_that_cannot_render_at_the_execution_writes_nothing(make_notes_once: MakeBench, error: Exception):
    steps: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(steps)])
    record = approved_note(bench)
    steps["render"] = raising(error)
    if isinstance(error, Refused):
        assert (bench.gate.execute(record.id).state, bench.gate.find(record.id).code) == (State.SUPERSEDED, "no_more")
    else:
        with pytest.raises(EnvironmentFault) as caught:
            bench.gate.execute(record.id)
        assert "hunter2" not in caught.value.message
        assert bench.gate.find(record.id).state is State.APPROVED
    assert effects(target(bench)) == 0


def test_a_click_that_cannot_be_checked_is_refused_and_recorded(make_notes_once: MakeBench):
    steps: dict[str, Callable[[], None]] = {}
    bench = make_notes_once([KeyedNotes(steps)])
    record = proposed_note(bench)
    steps["render"] = raising(FAULT)
    with pytest.raises(EnvironmentFault):
        bench.gate.answer(bench.answer(record), channel="cli")
    assert bench.kinds(record.id)[-1] == "click.rejected"
    assert bench.gate.find(record.id).state is State.AWAITING_APPROVAL
