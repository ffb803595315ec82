"""What tells who may read rows of proposals or runs, many at once, inside a transaction that the caller holds.

Rules: nothing here decides anything, and nothing that is shown is taken from here; a body counts only with its digest;
each question is one statement, however many rows there are.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, false, func, literal, or_, select

from twokey.core.values import AgentName, Code, GroupName, PrincipalName, ProposalId, Resource, RunId, ToolName
from twokey.store import rows, runs, sealing, tables
from twokey.store.runs import RunRecord

MOST: Final = 500
"""Proposals of runs that are looked at, at most."""
_P: Final = tables.proposals.c
_FACTS: Final[Select[*tuple[Any, ...]]] = select(_P.id, _P.run, _P.digest, _P.body, _P.decision)
_OF: Final = _FACTS.where(_P.id.in_(bindparam("wanted", expanding=True)))
_OF_RUNS: Final = (
    _FACTS.where(_P.run.in_(bindparam("wanted", expanding=True)))
    .order_by(_P.created_us.desc(), _P.id.desc())
    .limit(MOST)
)
_SEALED: Final = case((func.substr(_P.body, 1, len(sealing.SEALED)) == literal(sealing.SEALED), 1), else_=0)
AT_ONCE: Final = 20
"""Bodies that are in memory at a time where they are looked into one by one."""
_RUNS: Final = select(tables.runs).where(tables.runs.c.id.in_(bindparam("wanted", expanding=True)))


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Claim(_Part):
    subject: str
    kind: Code


class _Body(_Part):
    id: ProposalId
    run: RunId
    requester: PrincipalName
    contributors: tuple[PrincipalName, ...]
    agent: AgentName
    tool: ToolName
    resource: Resource
    labels: tuple[Code, ...]
    findings: tuple[_Claim, ...]


class _Seat(_Part):
    group: GroupName


class _Needed(_Part):
    all_of: tuple[_Seat, ...] = ()


class _Decided(_Part):
    approvals: _Needed | None = None


class ProposalFacts(_Part):
    """What tells who may read a proposal.

    ``asked`` are the groups that policy asks; ``subjects`` and ``kinds`` are those of its findings.
    """

    id: ProposalId
    run: RunId
    people: frozenset[PrincipalName]
    asked: frozenset[GroupName]
    agent: AgentName
    tool: ToolName
    resource: Resource
    labels: frozenset[Code]
    subjects: frozenset[str]
    kinds: frozenset[Code]


def proposal_facts(connection: Connection, wanted: Sequence[str]) -> dict[str, ProposalFacts]:
    """Give the facts of proposals by their whole ids; what is not there is left out.

    Raises:
        CheckFailed: a row is not as it was stored.

    """
    if not wanted:
        return {}
    with rows.reading("proposal"):
        found = [_facts(connection, row) for row in connection.execute(_OF, {"wanted": list(wanted)})]
    return {each.id: each for each in found}


def facts_of_runs(connection: Connection, wanted: Sequence[str]) -> list[ProposalFacts]:
    """Give the facts of what runs proposed, the newest first, ``MOST`` in all; raises like ``proposal_facts``."""
    if not wanted:
        return []
    with rows.reading("proposal"):
        return [_facts(connection, row) for row in connection.execute(_OF_RUNS, {"wanted": list(wanted)})]


def _facts(connection: Connection, row: Row[*tuple[Any, ...]]) -> ProposalFacts:
    text = rows.octets(sealing.opened(connection, _P.body, row.id, row.body))
    decision = rows.octets(sealing.opened(connection, _P.decision, row.id, row.decision))
    if hashlib.sha256(text).hexdigest() != row.digest:
        raise ValueError("the body does not have the digest")
    body, decided = _Body.model_validate_json(text), _Decided.model_validate_json(decision)
    if (body.id, body.run) != (row.id, row.run):
        raise ValueError("the row holds the body of another row")
    return ProposalFacts(
        id=body.id,
        run=body.run,
        people=frozenset({body.requester, *body.contributors}),
        asked=frozenset() if decided.approvals is None else frozenset(seat.group for seat in decided.approvals.all_of),
        agent=body.agent,
        tool=body.tool,
        resource=body.resource,
        labels=frozenset(body.labels),
        subjects=frozenset(claim.subject for claim in body.findings),
        kinds=frozenset(claim.kind for claim in body.findings),
    )


def all_saying(connection: Connection, wanted: Sequence[str], codes: Collection[str]) -> set[str]:
    """Give those of the runs that proposed something, and nothing that does not say one of ``codes``.

    Where nothing is sealed it is the database that looks into the bodies, for the code as a whole string of their JSON,
    wherever it stands. Raises ``CheckFailed`` where a sealed body is not as it was stored.
    """
    if not wanted or not codes:
        return set()
    made = _P.run.in_(list(wanted))
    if sealing.sealer_of(connection) is not None:
        said = list(_opened_and_said(connection, made, codes))
        return {run for run, _, _ in said} - {run for run, _, says in said if not says}
    others, sealed = func.sum(case((_says(connection, codes), 0), else_=1)), func.sum(_SEALED)
    query = select(_P.run, sealed).where(made).group_by(_P.run).having(or_(others == 0, sealed > 0))
    return {str(run) for run, hidden in connection.execute(query) if _can_be_read(hidden)}


def saying(connection: Connection, wanted: Sequence[str], codes: Collection[str]) -> dict[str, bool]:
    """Tell of proposals by their whole ids whether they say one of ``codes``, as above; others are left out."""
    if not wanted:
        return {}
    named = _P.id.in_(list(wanted))
    if sealing.sealer_of(connection) is not None:
        return {name: says for _, name, says in _opened_and_said(connection, named, codes)}
    query = select(_P.id, case((_says(connection, codes), 1), else_=0), _SEALED).where(named)
    return {str(name): bool(says) for name, says, hidden in connection.execute(query) if _can_be_read(hidden)}


def _can_be_read(hidden: int) -> bool:
    """Go on only where no body is sealed: in one that cannot be read nothing is found, which says nothing."""
    if hidden:
        raise sealing.no_key()
    return True


def _opened_and_said(
    connection: Connection, which: ColumnElement[bool], codes: Collection[str]
) -> Iterator[tuple[str, str, bool]]:
    """Look into bodies that the database cannot look into, some at a time; gives run, proposal, and whether it says."""
    needles = [f'"{code}"'.encode() for code in sorted(codes)]
    names = connection.execute(select(_P.id).where(which)).scalars().all()
    for first in range(0, len(names), AT_ONCE):
        some = select(_P.id, _P.run, _P.body).where(_P.id.in_(names[first : first + AT_ONCE]))
        with rows.reading("proposal"):
            for row in connection.execute(some):
                body = rows.octets(sealing.opened(connection, _P.body, row.id, row.body))
                yield str(row.run), str(row.id), any(needle in body for needle in needles)


def _says(connection: Connection, codes: Collection[str]) -> ColumnElement[bool]:
    return or_(false(), *(_holds(connection, f'"{code}"'.encode()) for code in sorted(codes)))


def _holds(connection: Connection, needle: bytes) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return func.instr(_P.body, needle) > 0
    return func.position(literal(needle).op("IN")(_P.body)) > 0


def runs_of(connection: Connection, wanted: Sequence[str]) -> dict[str, RunRecord]:
    """Give runs by their ids; what is not there is left out. Raises ``CheckFailed`` where a row was changed."""
    if not wanted:
        return {}
    with rows.reading("run"):
        found = [runs.record_of(connection, row) for row in connection.execute(_RUNS, {"wanted": list(wanted)})]
    return {each.id: each for each in found}
