"""Who counts, how many are enough, and rows of the database that pretend otherwise."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, select, text, update
from support.bench import WORKSPACE, Bench
from support.notes import KeyedNotes, MakeBench, approved_note, effects, notes, notes_policy, proposed_note, target

from twokey.audit import storage
from twokey.core import canonical
from twokey.core.errors import CheckFailed, LogUnavailable, NotFound, Refused
from twokey.core.lifecycle import State
from twokey.core.values import Answer, ApprovalsNeeded, Call, Decision, GroupQuorum, Principal, Statement
from twokey.store import proposals, tables
from twokey.store.proposals import ProposalRecord
from twokey.tools.authority import Authority, Rules, authentic, barred, counting_groups, met
from twokey.tools.gate import WRITE_LEASE_S, Gate
from twokey.tools.steps import Steps

GROUPS = ("a", "b", "c")
PEOPLE = ("p", "q", "r", "s", "t")


# -- how many are enough ------------------------------------------------------------------------------------------


def by_force(needed: ApprovalsNeeded, people: list[Principal]) -> bool:
    """Try every way to put different people on the seats."""
    seats = [quorum.group for quorum in needed.all_of for _ in range(quorum.n)]
    return bool(seats) and any(
        all(seat in person.groups for seat, person in zip(seats, seated, strict=True))
        for seated in itertools.permutations(people, len(seats))
    )


quorums = st.lists(
    st.builds(GroupQuorum, group=st.sampled_from(GROUPS), n=st.integers(1, 2)),
    max_size=3,
    unique_by=lambda quorum: quorum.group,
)
crowds = st.dictionaries(st.sampled_from(PEOPLE), st.sets(st.sampled_from((*GROUPS, "d"))), max_size=5)


@given(all_of=quorums, crowd=crowds)
def test_a_quorum_is_met_exactly_where_different_people_can_fill_every_seat(
    all_of: list[GroupQuorum], crowd: dict[str, set[str]]
):
    people = [Principal(name=name, groups=tuple(sorted(groups))) for name, groups in crowd.items()]
    needed = ApprovalsNeeded(all_of=tuple(all_of))
    assert met(needed, people) == by_force(needed, people)
    assert met(needed, people[::-1]) == met(needed, people)
    assert met(needed, people + people) == met(needed, people)


@given(all_of=quorums, crowd=crowds)
def test_people_may_count_for_several_groups_where_that_is_said(all_of: list[GroupQuorum], crowd: dict[str, set[str]]):
    people = [Principal(name=name, groups=tuple(sorted(groups))) for name, groups in crowd.items()]
    needed = ApprovalsNeeded(all_of=tuple(all_of), distinct=False)
    enough = [sum(quorum.group in person.groups for person in people) >= quorum.n for quorum in all_of]
    assert met(needed, people) == (bool(enough) and all(enough))


def test_a_quorum_of_nobody_is_never_met():
    assert not met(ApprovalsNeeded(), [Principal(name="p", groups=("a",))])
    assert not met(ApprovalsNeeded(distinct=False), [Principal(name="p", groups=("a",))])


def test_only_groups_that_are_asked_count():
    needed = ApprovalsNeeded(all_of=(GroupQuorum(group="a", n=1),))
    assert counting_groups(needed, Principal(name="p", groups=("a", "b"))) == {"a"}
    assert counting_groups(needed, Principal(name="p", groups=("b",))) == set()


def test_whoever_asked_contributed_or_is_excluded_never_counts(make_notes_once: MakeBench):
    proposal = proposed_note(make_notes_once()).proposal.model_copy(update={"contributors": ("ana", "kim")})
    needed = ApprovalsNeeded(all_of=(GroupQuorum(group="platform-owners", n=1),), exclude=("rita",))
    assert [barred(proposal, needed, name) for name in ("ana", "kim", "rita", "sam")] == [True, True, True, False]


# -- who somebody is ----------------------------------------------------------------------------------------------


def asserted(record: ProposalRecord, bench: Bench, name: str = "sam") -> Answer:
    return Answer(statement=bench.answer(record, name).statement, auth="asserted")


def test_an_assertion_counts_in_a_demo_and_nowhere_else(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = proposed_note(bench)
    sam = bench.people.people["sam"]
    assert authentic(asserted(record, bench), sam, Rules(workspace=WORKSPACE, demo=True))
    assert not authentic(asserted(record, bench), sam, Rules(workspace=WORKSPACE, demo=False))
    assert not authentic(asserted(record, bench), sam, Rules(workspace="w-zzzzzzzzzzzz", demo=True))
    assert not authentic(asserted(record, bench, "kim"), sam, Rules(workspace=WORKSPACE, demo=True))
    assert not authentic(
        Answer(statement=bench.answer(record).statement, auth="system"), sam, Rules(workspace=WORKSPACE, demo=True)
    )


def test_a_key_that_stands_for_two_names_stands_for_neither(make_notes: MakeBench):
    """One person with two names would fill a quorum of two, or approve what their other name asked for."""
    bench = make_notes()
    record = proposed_note(bench)
    bench.people.people["sam"] = Principal(name="sam", groups=("platform-owners",), key=bench.keys["ana"].public)
    answer = bench.keys["ana"].sign(bench.answer(record).statement)
    with pytest.raises(Refused) as caught:
        bench.gate.answer(answer, channel="cli")
    assert caught.value.code == "not_authenticated"
    assert bench.gate.execute(record.id).state is State.AWAITING_APPROVAL


def test_a_key_that_is_given_to_a_second_name_voids_its_approvals(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    bench.people.people["sam2"] = Principal(name="sam2", groups=(), key=bench.keys["sam"].public)
    assert bench.gate.execute(record.id).code == "quorum_lost"
    assert effects(target(bench)) == 0


def test_a_requester_who_is_renamed_does_not_approve_as_somebody_else(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    ana = bench.people.people.pop("ana")
    bench.people.people["anna"] = ana.model_copy(update={"name": "anna", "groups": ("platform-owners",)})
    statement = bench.answer(record, "ana").statement.model_copy(update={"principal": "anna"})
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.keys["ana"].sign(statement), channel="cli")
    assert caught.value.code == "policy_denied"
    assert bench.gate.execute(record.id).state is State.DENIED
    assert effects(target(bench)) == 0


def test_an_approver_who_is_renamed_has_to_answer_again(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    sam = bench.people.people.pop("sam")
    bench.people.people["samuel"] = sam.model_copy(update={"name": "samuel"})
    assert bench.gate.execute(record.id).code == "quorum_lost"
    assert effects(target(bench)) == 0


def test_people_who_left_are_nobody(make_notes_once: MakeBench):
    bench = make_notes_once()
    authority = Authority(bench.ledger, bench.people, bench.rules)
    assert [person.name for person in authority.people(["sam", "gone", "kim"])] == ["sam", "kim"]


# -- a row that was set back --------------------------------------------------------------------------------------


def set_state(bench: Bench, record: ProposalRecord, state: str) -> None:
    with bench.engine.begin() as connection:
        connection.execute(update(tables.proposals).where(tables.proposals.c.id == record.id).values(state=state))


def withdraw(bench: Bench, record: ProposalRecord) -> None:
    bench.gate.answer(bench.answer(record, "ana", "withdraw"), channel="cli")


def outdate(bench: Bench, record: ProposalRecord) -> None:
    (target(bench) / "EDITION").write_text("2")
    bench.gate.execute(record.id)
    (target(bench) / "EDITION").unlink()


@pytest.mark.parametrize(("ending", "state"), [(withdraw, State.WITHDRAWN), (outdate, State.SUPERSEDED)])
def test_what_has_ended_after_its_approval_is_not_revived_by_its_row(
    make_notes: MakeBench, ending: Callable[[Bench, ProposalRecord], None], state: State
):
    bench = make_notes()
    record = approved_note(bench)
    ending(bench, record)
    assert bench.gate.find(record.id).state is state
    set_state(bench, record, "approved")
    with pytest.raises(Refused) as caught:
        bench.gate.execute(record.id)
    assert caught.value.code == "state_not_proven"
    assert effects(target(bench)) == 0


def test_what_policy_denied_is_not_revived_by_its_row_and_a_new_answer(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    ana = bench.people.people.pop("ana")
    assert bench.gate.execute(record.id).state is State.DENIED
    bench.people.people["ana"] = ana
    set_state(bench, record, "approved")
    with pytest.raises(Refused) as caught:
        bench.gate.execute(record.id)
    assert caught.value.code == "state_not_proven"
    set_state(bench, record, "awaiting_approval")
    with pytest.raises(Refused, match="does not count"):
        bench.gate.answer(bench.answer(bench.gate.find(record.id), "kim"), channel="cli")
    assert effects(target(bench)) == 0


def test_what_one_person_refused_another_does_not_approve_after_an_edit(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    bench.gate.answer(bench.answer(record, "kim", "refuse"), channel="cli")
    set_state(bench, record, "awaiting_approval")
    bench.gate.answer(bench.answer(record), channel="cli")
    with pytest.raises(CheckFailed) as caught:
        bench.gate.execute(record.id)
    assert caught.value.code == "state_not_proven"
    assert effects(target(bench)) == 0


# -- an index of the log that lies --------------------------------------------------------------------------------


def without_triggers(engine: Engine) -> Connection:
    """What only the owner of the database can do: a connection that may change history."""
    connection = engine.connect()
    connection.begin()
    if engine.dialect.name == "postgresql":
        for table in storage.TABLES.tables:
            connection.execute(text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
    else:
        triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for trigger in triggers:
            connection.execute(text(f'DROP TRIGGER "{trigger}"'))
    return connection


def edit_log(bench: Bench, change: Callable[[Connection], Any]) -> None:
    with without_triggers(bench.engine) as connection:
        change(connection)
        connection.commit()


ENTRIES = storage.ENTRIES


def seqs(connection: Connection, record: ProposalRecord, kind: str) -> list[int]:
    rows = connection.execute(select(ENTRIES).where(ENTRIES.c.subject == record.id, ENTRIES.c.kind == kind))
    return [row.seq for row in rows]


def hide(kind: str) -> Callable[[Connection, ProposalRecord], None]:
    """Index entries under another subject: who asks for the subject does not find them."""

    def change(connection: Connection, record: ProposalRecord) -> None:
        places = seqs(connection, record, kind)
        connection.execute(update(ENTRIES).where(ENTRIES.c.seq.in_(places)).values(subject="-", kind="step.started"))

    return change


def remove(connection: Connection, record: ProposalRecord) -> None:
    connection.execute(ENTRIES.delete().where(ENTRIES.c.seq.in_(seqs(connection, record, "write.intended"))))


def blank(connection: Connection, record: ProposalRecord) -> None:
    other = connection.execute(select(ENTRIES.c.body).where(ENTRIES.c.seq == 0)).scalar_one()
    places = seqs(connection, record, "write.intended")
    connection.execute(update(ENTRIES).where(ENTRIES.c.seq.in_(places)).values(body=other))


def begin_later(connection: Connection, record: ProposalRecord) -> None:
    """Hide all but the last step, so that the proposal seems to begin there."""
    places = seqs(connection, record, "proposal.moved")[:-1]
    connection.execute(update(ENTRIES).where(ENTRIES.c.seq.in_(places)).values(subject="-"))


def drop_nodes(connection: Connection, record: ProposalRecord) -> None:
    del record
    connection.execute(storage.NODES.delete())


def forge_nodes(connection: Connection, record: ProposalRecord) -> None:
    del record
    connection.execute(update(storage.NODES).values(hash=b"\0" * 32))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (hide("write.intended"), "used_before"),
        (remove, "history_not_proven"),
        (blank, "history_not_proven"),
        (hide("proposal.moved"), "history_not_proven"),
        (begin_later, "state_not_proven"),
        (drop_nodes, "history_not_proven"),
        (forge_nodes, "history_not_proven"),
    ],
    ids=["hidden", "removed", "blanked", "no beginning", "later beginning", "no tree", "other tree"],
)
def test_a_used_approval_is_not_used_again_whatever_the_owner_of_the_database_hides(
    make_notes: MakeBench, change: Callable[[Connection, ProposalRecord], None], code: str
):
    """The write was undone on purpose; every row that tells of it is edited; the signed root is not."""
    bench = make_notes()
    record = approved_note(bench)
    bench.gate.execute(record.id)
    for path in target(bench).glob("hello.*"):
        path.unlink()

    def all_of_it(connection: Connection) -> None:
        change(connection, record)
        connection.execute(text("DELETE FROM executions"))
        connection.execute(update(tables.proposals).values(state="approved"))

    edit_log(bench, all_of_it)
    try:
        found = bench.gate.execute(record.id).code
    except (CheckFailed, Refused, LogUnavailable) as error:
        found = error.code
    assert found == code
    assert notes(target(bench)) == []


def test_a_takeover_applies_nothing_where_the_log_does_not_prove_the_intent(make_notes: MakeBench):
    class Died(BaseException):
        """Ends an executor where it stands."""

    def die() -> None:
        raise Died

    at = {"before": die}
    bench = make_notes([KeyedNotes(at)])
    record = approved_note(bench)
    with pytest.raises(Died):
        bench.gate.execute(record.id)
    at.clear()
    edit_log(bench, lambda connection: hide("proposal.moved")(connection, record))
    bench.clock.advance(WRITE_LEASE_S + 1)
    assert bench.gate.recover(record.id).code == "intent_not_proven"
    assert effects(target(bench)) == 0


@pytest.mark.parametrize("hidden", ["answer.given", "proposal.moved"])
def test_a_withdrawal_hidden_from_the_index_still_counts(make_notes: MakeBench, hidden: str):
    bench = make_notes()
    record = approved_note(bench)
    withdraw(bench, record)

    def change(connection: Connection) -> None:
        last = seqs(connection, record, hidden)[-1]
        connection.execute(update(ENTRIES).where(ENTRIES.c.seq == last).values(subject="-", kind="step.started"))
        connection.execute(update(tables.proposals).values(state="approved"))

    edit_log(bench, change)
    with pytest.raises(Refused) as caught:
        bench.gate.execute(record.id)
    assert caught.value.code == "state_not_proven"
    assert effects(target(bench)) == 0


# -- other rows ---------------------------------------------------------------------------------------------------


def edit(bench: Bench, table: Any, **values: Any) -> None:
    with bench.engine.begin() as connection:
        connection.execute(update(table).values(**values))


def lenient(record: ProposalRecord, **changes: Any) -> Decision:
    assert record.decision.approvals is not None
    return record.decision.model_copy(update={"approvals": record.decision.approvals.model_copy(update=changes)})


def test_an_expiry_edited_into_the_decision_does_not_prolong_an_approval(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    longer = lenient(record, expires_s=30 * 24 * 3600)
    edit(bench, tables.proposals, decision=canonical.encode(longer.canonical()))
    bench.clock.advance(2 * 24 * 3600)
    with pytest.raises(CheckFailed):
        bench.gate.execute(record.id)
    assert effects(target(bench)) == 0


def test_an_expiry_edited_with_its_digest_goes_back_to_waiting(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    longer = lenient(record, expires_s=30 * 24 * 3600)
    values = {"decision": canonical.encode(longer.canonical()), "decision_digest": longer.digest()}
    edit(bench, tables.proposals, **values)
    edit(bench, tables.approvals, decision_digest=longer.digest())
    bench.clock.advance(2 * 24 * 3600)
    assert bench.gate.execute(record.id).code == "changed_decision"
    assert effects(target(bench)) == 0


def test_a_quorum_edited_into_the_decision_admits_nobody(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    easier = lenient(record, all_of=(GroupQuorum(group="risk-owners", n=1),))
    values = {"decision": canonical.encode(easier.canonical()), "decision_digest": easier.digest()}
    edit(bench, tables.proposals, **values)
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(bench.gate.find(record.id), "rita"), channel="cli")
    assert caught.value.code == "changed_decision"
    edit(bench, tables.proposals, decision=canonical.encode(easier.canonical()))
    with pytest.raises(CheckFailed):
        bench.gate.answer(bench.answer(record, "rita"), channel="cli")
    assert bench.kinds(record.id).count("answer.given") == 0


def test_a_proposal_copied_under_another_run_is_found_out(make_notes: MakeBench):
    bench = make_notes()
    record, other = approved_note(bench), proposed_note(bench)
    with bench.engine.begin() as connection:
        mine = tables.proposals.c.id == record.id
        connection.execute(update(tables.proposals).where(mine).values(run=other.run))
    with pytest.raises(CheckFailed):
        bench.gate.execute(record.id)
    assert effects(target(bench)) == 0


def test_a_proposal_copied_under_another_id_is_found_out(make_notes: MakeBench):
    bench = make_notes()
    record = approved_note(bench)
    copy = "p-zzzzzzzzzzzz"
    with bench.engine.begin() as connection:
        row = connection.execute(select(tables.proposals)).mappings().one()
        for table in ("approvals", "reservations", "proposals"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(insert(tables.proposals).values(**{**row, "id": copy}))
    with pytest.raises(CheckFailed):
        bench.gate.execute(copy)
    with pytest.raises(NotFound):
        bench.gate.execute(record.id)
    assert effects(target(bench)) == 0


@pytest.mark.parametrize("places", [b"[]", b'[{"kind":"tickets"}]'])
def test_places_edited_after_the_approval_redirect_nothing(make_notes: MakeBench, places: bytes):
    """Where a write goes stands in the proposal's own bytes."""
    bench = make_notes()
    record = approved_note(bench)
    elsewhere = target(bench).with_name("elsewhere")
    elsewhere.mkdir()
    edit(bench, tables.runs, places=places, requester="sam", intent="other")
    assert bench.gate.execute(record.id).state is State.DONE
    assert list(elsewhere.iterdir()) == []
    assert len(notes(target(bench))) == 1


def test_an_answer_whose_entry_stands_for_a_digest_with_the_same_beginning_is_none(make_notes_once: MakeBench):
    """Approvals are held against whole digests: one that begins alike is another."""
    bench = make_notes_once()
    record = proposed_note(bench)
    near = record.digest[:-1] + ("0" if record.digest[-1] != "0" else "1")
    with pytest.raises(Refused) as caught:
        bench.gate.answer(bench.answer(record, proposal_digest=near), channel="cli")
    assert caught.value.code == "changed_proposal"
    authority = Authority(bench.ledger, bench.people, bench.rules)
    bench.gate.answer(bench.answer(record), channel="cli")
    with bench.ledger.look() as connection:
        rows = proposals.list_approvals(connection, record.id)
    assert set(authority.approvers(record.proposal, record.digest, record.decision, rows)) == {"sam"}
    assert authority.approvers(record.proposal, near, record.decision, rows) == {}
    nobody = record.decision.model_copy(update={"approvals": None})
    assert authority.approvers(record.proposal, record.digest, nobody, rows) == {}
    assert authority.approvers(record.proposal, record.digest, lenient(record, expires_s=1), rows) == {}


# -- time passes while it is checked ------------------------------------------------------------------------------


def test_an_approval_that_expires_while_policy_answers_is_expired(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = approved_note(bench)
    real = bench.policy.policy

    class Slow:
        def decide(self, call: Call) -> Decision:
            bench.clock.advance(24 * 3600 + 1)
            return real.decide(call)

    bench.policy.policy = Slow()
    assert bench.gate.execute(record.id).state is State.EXPIRED
    assert effects(target(bench)) == 0


def test_a_decision_that_returns_to_what_was_approved_needs_no_new_answer(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = approved_note(bench)
    bench.policy.policy = notes_policy(expires_s=86399)
    assert bench.gate.execute(record.id).code == "changed_decision"
    with pytest.raises(Refused):
        bench.gate.answer(bench.answer(record), channel="cli")
    bench.policy.policy = notes_policy()
    with pytest.raises(Refused):
        bench.gate.answer(bench.answer(bench.gate.find(record.id), "kim"), channel="cli")
    assert effects(target(bench)) == 0


def gates(bench: Bench, *rules: Rules) -> Iterable[Gate]:
    steps = Steps(
        ledger=bench.ledger,
        policy=bench.policy,
        registry=bench.registry,
        directory=bench.people,
        clock=bench.clock,
        book=bench.book,
    )
    return (Gate(steps, ids=bench.ids, rules=rule) for rule in rules)


def test_an_assertion_made_in_a_demo_is_worth_nothing_to_a_gate_that_is_none(make_notes: MakeBench):
    bench = make_notes()
    record = proposed_note(bench)
    demo, real = gates(bench, Rules(WORKSPACE, demo=True), Rules(WORKSPACE, demo=False))
    assert demo.answer(asserted(record, bench), channel="demo").state is State.APPROVED
    assert real.execute(record.id).code == "quorum_lost"
    assert effects(target(bench)) == 0


def test_a_statement_is_bound_to_every_one_of_its_fields(make_notes_once: MakeBench):
    bench = make_notes_once()
    record = proposed_note(bench)
    signed = bench.answer(record)
    changes: dict[str, Any] = {
        "workspace": "w-zzzzzzzzzzzz",
        "action": "refuse",
        "proposal": "p-zzzzzzzzzzzz",
        "proposal_digest": "0" * 64,
        "decision_digest": "0" * 64,
        "principal": "kim",
        "at_us": signed.statement.at_us + 1,
        "reason_commitment": "0" * 64,
        "batch": "0" * 64,
    }
    assert set(changes) == set(Statement.model_fields) - {"type"}
    for field, value in changes.items():
        forged = signed.model_copy(update={"statement": signed.statement.model_copy(update={field: value})})
        for person in bench.people.all():
            assert not authentic(forged, person, bench.rules), field
    assert authentic(signed, bench.people.people["sam"], bench.rules)
