"""Rows of proposals, answers and started writes, inside a transaction that the caller holds.

Rules: nothing here decides anything; a state changes only from the state the caller saw (compare-and-swap), so of two
processes one wins; what comes back is validated like input, because rows are no authority.
"""

import dataclasses
import functools
import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, Table, Update, bindparam, delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import NotFound
from twokey.core.lifecycle import State
from twokey.core.values import (
    ID_ALPHABET,
    Action,
    Decision,
    Digest,
    EntryId,
    ExecutorId,
    Instant,
    PrincipalName,
    Proposal,
    ProposalId,
)
from twokey.store import rows, sealing, tables

LOOKED_AT: Final = 100
"""Proposals that one beginning of an id may stand for, where it hangs on who asks."""
MOST_OF_RUN: Final = 1_000
"""Proposals of one run that are looked at where all of them count; policy's budgets keep a run far below."""


@dataclasses.dataclass(frozen=True, slots=True)
class ProposalRecord:
    """One proposal as stored. ``digest`` is what the row says; ``proposal.digest()`` is what the body hashes to."""

    id: str
    run: str
    digest: str
    state: State
    proposal: Proposal
    decision: Decision
    decision_digest: str
    expires_us: int
    code: str
    result: Json
    created_us: int
    updated_us: int


@dataclasses.dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """One row of the index of answers."""

    proposal: ProposalId
    proposal_digest: Digest
    decision_digest: Digest
    principal: PrincipalName
    action: Action
    entry: EntryId
    reason: str
    at_us: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """A started write."""

    proposal: ProposalId
    executor: ExecutorId
    intent: EntryId
    lease_until_us: Instant
    started_us: Instant


ID_LENGTH: Final = 12
_APPROVALS: Final[TypeAdapter[list[ApprovalRecord]]] = TypeAdapter(list[ApprovalRecord])
_EXECUTION: Final[TypeAdapter[ExecutionRecord]] = TypeAdapter(ExecutionRecord)

# Statements of every write are built once: building one takes longer than running it.
_P: Final = tables.proposals.c
_A: Final = tables.approvals.c
_ADD: Final = insert(tables.proposals)
_GET: Final = select(tables.proposals).where(_P.id == bindparam("wanted"))
_GET_LOCKED: Final = _GET.with_for_update()
_SEE: Final = _GET.add_columns(
    exists().where(tables.approvals.c.proposal == _P.id).label("answered"),
    exists().where(tables.broken_glass.c.proposal == _P.id).label("broken"),
)
_LOCK: Final = select(_P.state, _P.decision_digest).where(_P.id == bindparam("wanted")).with_for_update()
_LIST: Final[Select[Any]] = (
    select(tables.proposals).order_by(_P.created_us.desc(), _P.id.desc()).limit(bindparam("most"))
)
_LIST_OF_RUN: Final[Select[Any]] = _LIST.where(_P.run == bindparam("of_run"))
_DUE: Final[Select[Any]] = (
    select(tables.proposals)
    .where(_P.state.in_([State.AWAITING_APPROVAL.value, State.APPROVED.value]), _P.expires_us < bindparam("now"))
    .order_by(_P.expires_us)
    .limit(bindparam("most"))
)
_APPROVALS_OF: Final = (
    select(tables.approvals)
    .where(tables.approvals.c.proposal == bindparam("of_proposal"))
    .order_by(tables.approvals.c.id)
)
_DROPPED: Final = delete(tables.approvals).where(
    tables.approvals.c.proposal == bindparam("of_proposal"), tables.approvals.c.entry == bindparam("of_entry")
)
_EXECUTION_OF: Final = select(tables.executions).where(tables.executions.c.proposal == bindparam("of_proposal"))
_ONCE: Final = {
    (name, table): dialect.insert(table).on_conflict_do_nothing().returning(table.c.proposal)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
    for table in (tables.approvals, tables.executions)
}


@functools.cache
def _move(columns: frozenset[str]) -> Update:
    """Give the statement that moves a proposal and sets ``columns``: one of eight."""
    values = {column: bindparam(f"new_{column}") for column in sorted(columns)}
    return update(tables.proposals).where(_P.id == bindparam("wanted"), _P.state == bindparam("seen")).values(**values)


class AlreadyThere(Exception):  # noqa: N818 - an outcome the caller handles
    """A uniqueness rule of the database refused the row."""


def add_proposal(
    connection: Connection,
    proposal: Proposal,
    decision: Decision,
    *,
    state: State,
    expires_us: int,
    code: str,
    now: int,
) -> None:
    """Store a proposal with the decision on it."""
    body = proposal.encoded()
    values = {
        "id": proposal.id,
        "run": proposal.run,
        "digest": hashlib.sha256(body).hexdigest(),
        "state": state.value,
        "agent": proposal.agent,
        "tool": proposal.tool,
        "target": target_key(proposal.target.kind, proposal.target.id),
        "body": sealing.closed(connection, _P.body, proposal.id, body),
        "decision": sealing.closed(connection, _P.decision, proposal.id, decision.encoded()),
        "decision_digest": decision.digest(),
        "expires_us": expires_us,
        "code": code,
        "created_us": now,
        "updated_us": now,
    }
    connection.execute(_ADD, values)


def target_key(kind: str, name: str) -> str:
    """Give what the row of a proposal calls its target by: a digest, because a name from outside may hold anything."""
    return hashlib.sha256(f"{kind}\0{name}".encode()).hexdigest()


def get_proposal(connection: Connection, proposal: str, *, lock: bool = False) -> ProposalRecord:
    """Read one proposal by its whole id; with ``lock`` nobody else changes it until the transaction ends.

    Raises:
        NotFound: there is none.
        CheckFailed: the row is not as it was stored: body or decision do not have the digest, or do not decode.

    """
    with rows.reading("proposal"):
        row = connection.execute(_GET_LOCKED if lock else _GET, {"wanted": proposal}).one_or_none()
        if row is None:
            raise unknown_proposal()
        return _proposal(connection, row)


def see_proposal(connection: Connection, proposal: str) -> tuple[ProposalRecord, bool, bool]:
    """Read one proposal; and tell whether there are rows of answers to it, and whether there are of emergencies.

    Most have none, and then nobody need ask for them. Raises as ``get_proposal``.
    """
    with rows.reading("proposal"):
        row = connection.execute(_SEE, {"wanted": proposal}).one_or_none()
        if row is None:
            raise unknown_proposal()
        return _proposal(connection, row), bool(row.answered), bool(row.broken)


def lock_proposal(connection: Connection, proposal: str) -> tuple[State, str]:
    """Keep everybody else from changing a proposal until the transaction ends; gives its state and decision digest.

    Raises:
        NotFound: there is none.
        CheckFailed: its state does not exist.

    """
    with rows.reading("proposal"):
        row = connection.execute(_LOCK, {"wanted": proposal}).one_or_none()
        if row is None:
            raise unknown_proposal()
        return State(row.state), str(row.decision_digest)


def unknown_proposal() -> NotFound:
    """Say that no proposal is called so."""
    return NotFound("There is no such proposal here.", next="List them with `twokey approvals list`.")


def resolve_proposal(
    connection: Connection, text: str, among: Callable[[Sequence[str]], Collection[str]] | None = None
) -> str:
    """Give the whole id for an unambiguous beginning of one (at least four characters); a whole id is not looked up.

    ``among`` gives those of the ids that count, for who is not to learn of the others.

    Raises:
        NotFound: none or several begin so.

    """
    wanted = text.removeprefix("p-")
    if not re.fullmatch(f"[{ID_ALPHABET}]{{4,12}}", wanted):
        raise unknown_proposal()
    if len(wanted) == ID_LENGTH:
        return f"p-{wanted}"
    query = select(tables.proposals.c.id).where(tables.proposals.c.id.startswith(f"p-{wanted}"))
    found = [str(each) for each in connection.execute(query.limit(2 if among is None else LOOKED_AT)).scalars()]
    if among is not None:
        counting = among(found)
        found = [each for each in found if each in counting]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound("More than one proposal begins like that.", next="Give more of its id.", code="ambiguous")
    raise unknown_proposal()


def list_proposals(
    connection: Connection,
    *,
    states: Sequence[State] = (),
    run: str | None = None,
    requester: str | None = None,
    behind: tuple[int, str] | None = None,
    limit: int = 50,
    oldest_first: bool = False,
) -> list[ProposalRecord]:
    """Newest first, or ``oldest_first``; raises ``CheckFailed`` where a row is not as it was stored.

    Args:
        connection: An open transaction.
        states: Only those in one of these; none for all.
        run: Only those of this run.
        requester: Only those that this person asked for.
        behind: Only those behind this one in the order of the newest: when it was made, and its id.
        limit: How many at most.
        oldest_first: In the other order.

    """
    query, values = (_LIST, {}) if run is None else (_LIST_OF_RUN, {"of_run": run})
    if requester is not None:
        query = query.where(_P.run.in_(select(tables.runs.c.id).where(tables.runs.c.requester == requester)))
    if behind is not None:
        query = query.where(rows.behind(_P.created_us, _P.id, *behind))
    if states:
        query = query.where(_P.state.in_([state.value for state in states]))
    if oldest_first:
        query = query.order_by(None).order_by(_P.created_us, _P.id)
    with rows.reading("proposal"):
        return [_proposal(connection, row) for row in connection.execute(query, {"most": limit, **values})]


def due_proposals(connection: Connection, *, now: int, limit: int) -> list[ProposalRecord]:
    """Give open proposals whose time is over as their rows say, longest over first: rows, and no authority.

    Raises:
        CheckFailed: a row is not as it was stored.

    """
    with rows.reading("proposal"):
        return [_proposal(connection, row) for row in connection.execute(_DUE, {"now": now, "most": limit})]


def proposals_of(connection: Connection, run: str) -> list[ProposalRecord]:
    """Give all that a run proposed, oldest first; raises ``CheckFailed`` where a row is not as it was stored."""
    return list_proposals(connection, run=run, limit=MOST_OF_RUN)[::-1]


def move_proposal(  # the fields of one update
    connection: Connection,
    proposal: str,
    *,
    before: State,
    after: State,
    code: str,
    now: int,
    decision: Decision | None = None,
    expires_us: int | None = None,
    result: Json = None,
) -> bool:
    """Move a proposal if it is in state ``before``; tells whether it was."""
    values: dict[str, Any] = {"state": after.value, "code": code, "updated_us": now}
    if decision is not None:
        values["decision"] = sealing.closed(connection, _P.decision, proposal, decision.encoded())
        values["decision_digest"] = decision.digest()
    if expires_us is not None:
        values["expires_us"] = expires_us
    if result is not None:
        values["result"] = sealing.closed(connection, _P.result, proposal, canonical.encode(result))
    given = {f"new_{column}": value for column, value in values.items()}
    changed = connection.execute(_move(frozenset(values)), {"wanted": proposal, "seen": before.value, **given})
    return changed.rowcount == 1


def _proposal(connection: Connection, row: Row[Any]) -> ProposalRecord:
    body = rows.octets(sealing.opened(connection, _P.body, row.id, row.body))
    proposal = Proposal.model_validate(rows.json(body))
    # The bytes as they lie there, not only what they mean: nothing is read that was not digested.
    if proposal.encoded() != body or hashlib.sha256(body).hexdigest() != row.digest:
        raise ValueError("the body does not have the digest")
    if (proposal.id, proposal.run) != (row.id, row.run):
        raise ValueError("the row holds the body of another row")
    said = proposal.agent, proposal.tool, target_key(proposal.target.kind, proposal.target.id)
    if said != (row.agent, row.tool, row.target):
        raise ValueError("the columns are not those of the body")
    with rows.reading("decision"):
        text = sealing.opened(connection, _P.decision, row.id, row.decision)
        decision = Decision.model_validate(rows.json(text))
        if decision.digest() != row.decision_digest:
            raise ValueError("the decision does not have the digest")
    result = sealing.opened(connection, _P.result, row.id, row.result)
    return ProposalRecord(
        id=proposal.id,
        run=proposal.run,
        digest=row.digest,
        state=State(row.state),
        proposal=proposal,
        decision=decision,
        decision_digest=row.decision_digest,
        expires_us=rows.instant(row.expires_us),
        code=str(row.code),
        result=None if result is None else rows.json(result),
        created_us=rows.instant(row.created_us),
        updated_us=rows.instant(row.updated_us),
    )


def add_approval(connection: Connection, record: ApprovalRecord) -> None:
    """Index one answer.

    Raises:
        AlreadyThere: this person has answered this card before, or the outcome was settled before.

    """
    values = dataclasses.asdict(record)
    values["reason"] = sealing.closed_text(connection, _A.reason, record.entry, record.reason)
    _add_once(connection, tables.approvals, values)


def drop_approval(connection: Connection, record: ApprovalRecord) -> None:
    """Take an answer out of the index, for one that takes its place. The log keeps it."""
    connection.execute(_DROPPED, {"of_proposal": record.proposal, "of_entry": record.entry})


def _add_once(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    """Add a row; raises ``AlreadyThere`` where a uniqueness rule of the table refuses it. The transaction goes on."""
    if connection.execute(_ONCE[connection.dialect.name, table], values).one_or_none() is None:
        raise AlreadyThere


def list_approvals(connection: Connection, proposal: str) -> list[ApprovalRecord]:
    """All answers indexed for a proposal, oldest first; raises ``CheckFailed`` where a row is not as it was stored."""
    with rows.reading("approval"):
        found = connection.execute(_APPROVALS_OF, {"of_proposal": proposal}).mappings()
        return _APPROVALS.validate_python([_approval(connection, dict(row)) for row in found])


def _approval(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"reason": sealing.opened_text(connection, _A.reason, row["entry"], row["reason"])}


def add_execution(connection: Connection, record: ExecutionRecord) -> None:
    """Note who starts a write.

    Raises:
        AlreadyThere: the write of this proposal was started before.

    """
    _add_once(connection, tables.executions, dataclasses.asdict(record))


def get_execution(connection: Connection, proposal: str) -> ExecutionRecord | None:
    """Read who started the write of a proposal, if anybody did.

    Raises:
        CheckFailed: the row is not as it was stored.

    """
    with rows.reading("execution"):
        row = connection.execute(_EXECUTION_OF, {"of_proposal": proposal}).mappings().one_or_none()
        return None if row is None else _EXECUTION.validate_python(dict(row))


def renew_execution(connection: Connection, proposal: str, *, seen_until_us: int, executor: str, until_us: int) -> bool:
    """Take over a started write whose lease the caller saw run out; tells whether the caller was first."""
    changed = connection.execute(
        update(tables.executions)
        .where(tables.executions.c.proposal == proposal, tables.executions.c.lease_until_us == seen_until_us)
        .values(executor=executor, lease_until_us=until_us)
    )
    return changed.rowcount == 1
