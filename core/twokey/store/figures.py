"""Sums over a stretch of time, inside a transaction that the caller holds.

Rules: a stretch begins with ``since`` and ends before ``until`` (microseconds); a thing belongs to the stretch in which
it was made, an answer to the one in which it was given; nothing here decides anything. Every sum walks an index that
holds all it needs, however large the bodies beside it are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, exists, func, select

from twokey.core.canonical import Json
from twokey.core.lifecycle import State
from twokey.core.values import Action, Code, Count, Instant
from twokey.store import rows, tables
from twokey.store.runs import RunState, body_of

RUNS_LOOKED_AT: Final = 1_000
"""In how many runs, the latest of a stretch, documents are looked for."""

_P: Final = tables.proposals.c
_R: Final = tables.runs.c
_A: Final = tables.approvals.c
_S: Final = tables.reservations.c
_D: Final = tables.documents.c
_COUNT: Final[TypeAdapter[int]] = TypeAdapter(Count)


@dataclass(frozen=True, slots=True)
class Made:
    """How many proposals of one tool stand in one state."""

    tool: str
    """Empty where the body of an old proposal could not be read."""
    state: State
    count: Count


@dataclass(frozen=True, slots=True)
class Ran:
    """How many runs of one intent that proposed nothing stand in one state."""

    intent: Code
    state: RunState
    count: Count


@dataclass(frozen=True, slots=True)
class Given:
    """How many answers of one kind were given."""

    action: Action
    count: Count


_MADE: Final[TypeAdapter[list[Made]]] = TypeAdapter(list[Made])
_RAN: Final[TypeAdapter[list[Ran]]] = TypeAdapter(list[Ran])
_GIVEN: Final[TypeAdapter[list[Given]]] = TypeAdapter(list[Given])
_WAITS: Final[TypeAdapter[list[int]]] = TypeAdapter(list[Instant])


def _within(column: Any) -> tuple[Any, Any]:
    return column >= bindparam("since"), column < bindparam("until")


_MADE_QUERY: Final = (
    select(_P.tool, _P.state, func.count().label("count"))
    .where(*_within(_P.created_us))
    .group_by(_P.tool, _P.state)
    .order_by(_P.tool, _P.state)
)
_RAN_QUERY: Final = (
    select(_R.intent, _R.state, func.count().label("count"))
    .where(*_within(_R.created_us), ~exists().where(_P.run == _R.id))
    .group_by(_R.intent, _R.state)
    .order_by(_R.intent, _R.state)
)
_GIVEN_QUERY: Final = (
    select(_A.action, func.count().label("count")).where(*_within(_A.at_us)).group_by(_A.action).order_by(_A.action)
)
_WAITS_QUERY: Final = (
    select(func.max(_A.at_us) - func.min(_S.at_us))
    .join(tables.reservations, (_S.proposal == _A.proposal) & (_S.stage == "proposal"))
    .where(*_within(_A.at_us), _A.action == "approve")
    .group_by(_A.proposal)
)
_SPENT_QUERY: Final = select(func.coalesce(func.sum(_S.cost), 0)).where(*_within(_S.at_us), _S.stage == "model")
_LATEST: Final = (
    select(_R.id, _R.created_us)
    .where(*_within(_R.created_us))
    .order_by(_R.created_us.desc())
    .limit(RUNS_LOOKED_AT)
    .subquery()
)
_DOCUMENTS_QUERY: Final = (
    select(_D.run, _D.name, _D.body)
    .join(_LATEST, _LATEST.c.id == _D.run)
    .where(func.substr(_D.name, 1, bindparam("length")) == bindparam("prefix"))
    .order_by(_LATEST.c.created_us.desc(), _D.run, _D.name.desc())
)


def proposals_made(connection: Connection, *, since: int, until: int) -> list[Made]:
    """Count the proposals that were made, by tool and the state in which they are now."""
    found = connection.execute(_MADE_QUERY, {"since": since, "until": until}).mappings()
    with rows.reading("proposal"):
        return _MADE.validate_python([dict(row) for row in found])


def runs_without_proposals(connection: Connection, *, since: int, until: int) -> list[Ran]:
    """Count the runs that were asked for and proposed nothing, by intent and the state in which they are now."""
    found = connection.execute(_RAN_QUERY, {"since": since, "until": until}).mappings()
    with rows.reading("run"):
        return _RAN.validate_python([dict(row) for row in found])


def answers_given(connection: Connection, *, since: int, until: int) -> list[Given]:
    """Count the answers that people gave to cards, by kind."""
    found = connection.execute(_GIVEN_QUERY, {"since": since, "until": until}).mappings()
    with rows.reading("approval"):
        return _GIVEN.validate_python([dict(row) for row in found])


def approval_waits(connection: Connection, *, since: int, until: int) -> list[int]:
    """Give how long each proposal that was approved had waited for its last approval, in microseconds."""
    found = connection.execute(_WAITS_QUERY, {"since": since, "until": until}).scalars()
    with rows.reading("approval"):
        return _WAITS.validate_python(list(found))


def spent(connection: Connection, *, since: int, until: int) -> int:
    """Give what calls of models cost, in millionths of the workspace's currency."""
    with rows.reading("usage"):
        return _COUNT.validate_python(
            int(connection.execute(_SPENT_QUERY, {"since": since, "until": until}).scalar_one())
        )


def latest_documents(connection: Connection, prefix: str, *, since: int, until: int) -> Iterator[tuple[str, Json]]:
    """Give documents whose name begins with ``prefix``, of the latest runs, newest first, each with its run."""
    values = {"prefix": prefix, "length": len(prefix), "since": since, "until": until}
    for row in connection.execute(_DOCUMENTS_QUERY, values):
        with rows.reading("document"):
            yield str(row.run), body_of(connection, row)
