"""Lists of proposals and runs, a page at a time, inside a transaction that the caller holds.

Rules: newest first, and each page goes on behind the last row of the one before (keyset, no offset), so that a page of
the millionth row costs what the first one costs and nothing is shown twice where rows come in; no body is read, so
what is listed is an index that shows and decides nothing; a row that does not fit is reported as tampering.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, bindparam, select

from twokey.core.lifecycle import State
from twokey.core.values import AgentName, Channel, Code, Digest, Instant, PrincipalName, ProposalId, RunId, ToolName
from twokey.store import rows, runs, tables
from twokey.store.runs import RunRecord, RunState

MOST: Final = 200
"""Rows of one page at most."""

_P: Final = tables.proposals.c
_R: Final = tables.runs.c


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends, and the next one goes on: time of making in microseconds, and id."""

    created_us: int
    id: str


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """What a list shows of a proposal. ``requester``, ``channel`` and ``intent`` are those of its run."""

    id: ProposalId
    run: RunId
    digest: Digest
    state: State
    agent: AgentName
    tool: ToolName
    code: Code
    requester: PrincipalName
    channel: Channel
    intent: Code
    expires_us: Instant
    created_us: Instant
    updated_us: Instant

    @property
    def position(self) -> Position:
        """Where a page that ends with this line ends."""
        return Position(self.created_us, self.id)


_LINES: Final[TypeAdapter[list[ProposalLine]]] = TypeAdapter(list[ProposalLine])
_COLUMNS: Final = (
    *(_P[name] for name in ("id", "run", "digest", "state", "agent", "tool", "code", "expires_us")),
    *(_P[name] for name in ("created_us", "updated_us")),
    *(_R[name] for name in ("requester", "channel", "intent")),
)


def _query(*where: str) -> Select[Any]:
    query = select(*_COLUMNS).join(tables.runs, _R.id == _P.run)
    query = query.where(*(_P[name] == bindparam(f"of_{name}") for name in where))
    return query.order_by(_P.created_us.desc(), _P.id.desc()).limit(bindparam("most"))


_BEHIND: Final = rows.behind(_P.created_us, _P.id, bindparam("at_us"), bindparam("at_id"))
_ALL: Final = {by: _query(*by) for by in ((), ("state",), ("agent", "state"), ("target", "state"))}
_OWN: Final = _R.requester == bindparam("of_requester")
_ALL_BEHIND: Final = {by: query.where(_BEHIND) for by, query in _ALL.items()}


def proposal_lines(
    connection: Connection,
    *,
    states: Sequence[State] = (),
    agent: str | None = None,
    target: str | None = None,
    requester: str | None = None,
    behind: Position | None = None,
    limit: int = 50,
) -> list[ProposalLine]:
    """Give a page of proposals, newest first.

    Args:
        connection: An open transaction.
        states: Only those in one of these; none for all.
        agent: Only those of this agent.
        target: Only those that go to this (``proposals.target_key``); instead of ``agent``.
        requester: Only those that this person asked for.
        behind: Where the page before ended.
        limit: How many, at most ``MOST``.

    Raises:
        CheckFailed: a row is not as it was stored.

    """
    by: tuple[str, ...] = ("state",) if states else ()
    values: dict[str, Any] = {"most": min(limit, MOST)}
    if target is not None:
        by, values = ("target", "state"), {**values, "of_target": target}
    elif agent is not None:
        by, values = ("agent", "state"), {**values, "of_agent": agent}
    if behind is not None:
        values |= {"at_us": behind.created_us, "at_id": behind.id}
    query = (_ALL if behind is None else _ALL_BEHIND)[by]
    if requester is not None:
        query, values = query.where(_OWN), {**values, "of_requester": requester}
    # One walk down an index for each state, each as long as the page at most, and the newest of them all.
    asked = [{"of_state": state.value} for state in (states or State)] if "state" in by else [dict[str, str]()]
    found: list[dict[str, Any]] = []
    for wanted in asked:
        found += [dict(row) for row in connection.execute(query, {**values, **wanted}).mappings()]
    with rows.reading("proposal"):
        lines = _LINES.validate_python(found)
    return sorted(lines, key=lambda line: (line.created_us, line.id), reverse=True)[: values["most"]]


def run_page(
    connection: Connection,
    *,
    states: Sequence[RunState] = (),
    requester: str | None = None,
    behind: Position | None = None,
    limit: int = 50,
) -> list[RunRecord]:
    """Give a page of runs, newest first, of one ``requester`` or of all.

    Raises:
        CheckFailed: a row is not as it was stored.

    """
    query = select(tables.runs).order_by(_R.created_us.desc(), _R.id.desc()).limit(min(limit, MOST))
    if requester is not None:
        query = query.where(_R.requester == requester)
    if behind is not None:
        query = query.where(rows.behind(_R.created_us, _R.id, behind.created_us, behind.id))
    found: list[RunRecord] = []
    # One walk for each state, as above.
    for wanted in [query.where(_R.state == state) for state in states] or [query]:
        with rows.reading("run"):
            found += [runs.record_of(connection, row) for row in connection.execute(wanted)]
    return sorted(found, key=lambda run: (run.created_us, run.id), reverse=True)[: min(limit, MOST)]
