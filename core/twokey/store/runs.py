"""Rows of runs and of the documents their agents hand on, inside a transaction that the caller holds.

Rules: nothing here decides anything; a state changes only from the state the caller saw (compare-and-swap), so of two
processes one wins; what comes back is validated like input, because rows are no authority.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from twokey.core import canonical
from twokey.core.canonical import Json
from twokey.core.errors import NotFound
from twokey.core.values import Auth, Request, Resource
from twokey.store import rows, sealing, tables

RunState = Literal["running", "waiting", "done", "failed", "cancelled"]

GOING_ON: Final[tuple[RunState, ...]] = ("running", "waiting")
"""States of a run that has not come to its end."""

_STATE: Final[TypeAdapter[RunState]] = TypeAdapter(RunState)
_AUTH: Final[TypeAdapter[Auth]] = TypeAdapter(Auth)
_PLACES: Final[TypeAdapter[tuple[Resource, ...]]] = TypeAdapter(tuple[Resource, ...])

# Statements of every driven run are built once: building one takes four times as long as running it.
_R: Final = tables.runs.c
_D: Final = tables.documents.c
_GET: Final = select(tables.runs).where(_R.id == bindparam("of_run"))
_GET_LOCKED: Final = _GET.with_for_update(key_share=True)
_TAKE: Final = (
    update(tables.runs)
    .where(
        _R.id == bindparam("of_run"),
        _R.holder.is_(None) | (_R.holder == bindparam("by")) | (_R.lease_until_us <= bindparam("at")),
    )
    .values(holder=bindparam("by"), lease_until_us=bindparam("until"))
)
_STILL: Final = (
    select(_R.id)
    .where(_R.id == bindparam("of_run"), _R.holder == bindparam("by"), _R.state.in_(GOING_ON))
    .with_for_update(read=True)
)
_HOLD: Final = select(_R.id).where(_R.id == bindparam("of_run")).with_for_update()
_DOCUMENT: Final = select(_D.run, _D.name, _D.body).where(_D.run == bindparam("of_run"), _D.name == bindparam("called"))
_NAMED: Final = select(_D.run, _D.name, _D.body).where(
    _D.run.in_(bindparam("wanted", expanding=True)), _D.name == bindparam("called")
)
_DOCUMENTS: Final = (
    select(_D.run, _D.name, _D.body)
    .where(_D.run == bindparam("of_run"), func.substr(_D.name, 1, bindparam("length")) == bindparam("prefix"))
    .order_by(_D.name)
)

_RECENT: Final = select(_R.id, _R.created_us).order_by(_R.created_us.desc(), _R.id).limit(100).subquery()
_RECENT_DOCUMENTS: Final = (
    select(_D.run, _D.name, _D.body)
    .join(_RECENT, _RECENT.c.id == _D.run)
    .where(_D.run != bindparam("but_run"), func.substr(_D.name, 1, bindparam("length")) == bindparam("prefix"))
    .order_by(_RECENT.c.created_us.desc(), _D.run, _D.name.desc())
    .limit(bindparam("most"))
)


def _put_document(inserted: "sqlite.Insert | postgresql.Insert") -> Any:
    replaced = {"body": inserted.excluded.body, "created_us": inserted.excluded.created_us}
    return inserted.on_conflict_do_update(index_elements=["run", "name"], set_=replaced)


_PUT_DOCUMENT: Final = {
    "sqlite": _put_document(sqlite.insert(tables.documents)),
    "postgresql": _put_document(postgresql.insert(tables.documents)),
}


@dataclasses.dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as stored."""

    id: str
    requester: str
    auth: str
    channel: str
    state: RunState
    request: Request
    places: tuple[Resource, ...]
    code: str
    message: str
    created_us: int
    updated_us: int


def add_run(
    connection: Connection, *, run: str, request: Request, auth: str, places: Sequence[Resource], now: int
) -> None:
    """Store a new run in state ``running``."""
    connection.execute(
        insert(tables.runs).values(
            id=run,
            requester=request.requester,
            auth=auth,
            channel=request.channel,
            intent=request.intent,
            state="running",
            request=sealing.closed(connection, _R.request, run, canonical.encode(request.canonical())),
            places=sealing.closed(connection, _R.places, run, canonical.encode([each.canonical() for each in places])),
            created_us=now,
            updated_us=now,
        )
    )


def get_run(connection: Connection, run: str) -> RunRecord:
    """Read one run; raises ``NotFound``, or ``CheckFailed`` where the row is not as it was stored."""
    with rows.reading("run"):
        row = connection.execute(_GET, {"of_run": run}).one_or_none()
        if row is None:
            raise unknown_run()
        return record_of(connection, row)


def unknown_run() -> NotFound:
    """Say that no run is called so."""
    return NotFound("There is no such run here.", next="List them with `twokey runs list`.")


def has_run(connection: Connection, run: str) -> bool:
    """Tell whether there is a run of that id."""
    return connection.execute(_GET, {"of_run": run}).one_or_none() is not None


def get_driven(connection: Connection, run: str) -> tuple[RunRecord, str | None]:
    """Read one run and the holder of its lease, and keep others from changing it until the transaction ends.

    The holder is named whether its lease goes on or not; see ``get_run`` for what is raised.
    """
    with rows.reading("run"):
        row = connection.execute(_GET_LOCKED, {"of_run": run}).one_or_none()
        if row is None:
            raise unknown_run()
        return record_of(connection, row), row.holder


def list_runs(connection: Connection, *, limit: int = 50, states: Sequence[RunState] = ()) -> list[RunRecord]:
    """Newest first; raises ``CheckFailed`` where a row is not as it was stored."""
    query = select(tables.runs).order_by(tables.runs.c.created_us.desc(), tables.runs.c.id.desc()).limit(limit)
    if states:
        query = query.where(tables.runs.c.state.in_(states))
    with rows.reading("run"):
        return [record_of(connection, row) for row in connection.execute(query)]


def move_run(  # the fields of one update
    connection: Connection,
    run: str,
    *,
    before: Sequence[RunState],
    after: RunState,
    now: int,
    code: str = "",
    message: str = "",
    holder: str | None = None,
) -> bool:
    """Set the state of a run if it is one of ``before``; tells whether it was.

    With ``holder`` only if it still drives the run, and its lease is given back.
    """
    where = [tables.runs.c.id == run, tables.runs.c.state.in_(before)]
    sealed = sealing.closed_text(connection, _R.message, run, message)
    values: dict[str, Any] = {"state": after, "code": code, "message": sealed, "updated_us": now}
    if holder is not None:
        where.append(tables.runs.c.holder == holder)
        values |= {"holder": None, "lease_until_us": 0}
    return connection.execute(update(tables.runs).where(*where).values(**values)).rowcount == 1


def take_run(connection: Connection, run: str, *, holder: str, now: int, until: int) -> bool:
    """Take the lease on a run, or renew one's own; tells whether it is now ``holder``'s."""
    values = {"of_run": run, "by": holder, "at": now, "until": until}
    return connection.execute(_TAKE, values).rowcount == 1


def driver(connection: Connection, run: str) -> str | None:
    """Give the holder of the lease on a run, whether it still runs or not; none where nobody holds it."""
    return connection.execute(select(tables.runs.c.holder).where(tables.runs.c.id == run)).scalar()


def still_drives(connection: Connection, run: str, *, holder: str) -> bool:
    """Tell whether a run goes on under ``holder``; nobody takes it away before this transaction ends."""
    return connection.execute(_STILL, {"of_run": run, "by": holder}).one_or_none() is not None


def renew_run(connection: Connection, run: str, *, holder: str, until: int) -> bool:
    """Renew one's own lease; tells whether it still is one's own, and so never takes a run over."""
    result = connection.execute(
        update(tables.runs).where(tables.runs.c.id == run, tables.runs.c.holder == holder).values(lease_until_us=until)
    )
    return result.rowcount == 1


def hold_run(connection: Connection, run: str) -> None:
    """Keep every other transaction that holds this run waiting until this one ends."""
    connection.execute(_HOLD, {"of_run": run})


def leave_run(connection: Connection, run: str, *, holder: str) -> None:
    """Give the lease back."""
    connection.execute(
        update(tables.runs)
        .where(tables.runs.c.id == run, tables.runs.c.holder == holder)
        .values(holder=None, lease_until_us=0)
    )


def record_of(connection: Connection, row: Row[Any]) -> RunRecord:
    """Read a whole row of runs; raises ``ValueError`` where it is not as it was stored."""
    request = Request.model_validate(rows.json(sealing.opened(connection, _R.request, row.id, row.request)))
    if (request.requester, request.channel, request.intent) != (row.requester, row.channel, row.intent):
        raise ValueError("the columns are not those of the request")
    return RunRecord(
        id=row.id,
        requester=request.requester,
        auth=_AUTH.validate_python(row.auth),
        channel=request.channel,
        state=_STATE.validate_python(row.state),
        request=request,
        places=_PLACES.validate_python(rows.json(sealing.opened(connection, _R.places, row.id, row.places))),
        code=str(row.code),
        message=str(sealing.opened_text(connection, _R.message, row.id, row.message)),
        created_us=rows.instant(row.created_us),
        updated_us=rows.instant(row.updated_us),
    )


def put_document(connection: Connection, *, run: str, name: str, body: Json, now: int) -> None:
    """Store what one agent hands to the next; a second writing of the same name replaces it (a step that ran again)."""
    text = sealing.closed(connection, _D.body, slot(run, name), canonical.encode(body))
    values = {"run": run, "name": name, "body": text, "created_us": now}
    connection.execute(_PUT_DOCUMENT[connection.dialect.name], values)


def slot(run: str, name: str) -> str:
    """Give the key of a document's row as one text."""
    return f"{run}/{name}"


def body_of(connection: Connection, row: Row[*tuple[Any, ...]]) -> Json:
    """Read what a row of documents holds; raises ``ValueError`` where it is not as it was stored."""
    return rows.json(sealing.opened(connection, _D.body, slot(row.run, row.name), row.body))


def find_document(connection: Connection, *, run: str, name: str) -> Json:
    """Read one document, none where there is none; raises ``CheckFailed`` where it is not canonical JSON any more."""
    with rows.reading("document"):
        row = connection.execute(_DOCUMENT, {"of_run": run, "called": name}).one_or_none()
        return None if row is None else body_of(connection, row)


def get_document(connection: Connection, *, run: str, name: str) -> Json:
    """Read one document; raises ``NotFound``, or ``CheckFailed`` where it is not canonical JSON any more."""
    with rows.reading("document"):
        row = connection.execute(_DOCUMENT, {"of_run": run, "called": name}).one_or_none()
        if row is None:
            raise NotFound(f"Run {run} has no {name}.", next="Start the run again.")
        return body_of(connection, row)


def documents_of(connection: Connection, wanted: Sequence[str], *, name: str) -> dict[str, Json]:
    """Read the documents of that name of several runs, by run; what a run does not have is left out."""
    if not wanted:
        return {}
    with rows.reading("document"):
        found = connection.execute(_NAMED, {"wanted": list(wanted), "called": name})
        return {str(row.run): body_of(connection, row) for row in found}


def list_documents(connection: Connection, *, run: str, prefix: str) -> list[Json]:
    """Read the documents of a run whose name begins with ``prefix``, by name."""
    with rows.reading("document"):
        values = {"of_run": run, "prefix": prefix, "length": len(prefix)}
        return [body_of(connection, row) for row in connection.execute(_DOCUMENTS, values)]


def recent_documents(connection: Connection, *, prefix: str, but: str, limit: int) -> list[tuple[str, Json]]:
    """Read documents of the latest hundred runs whose name begins with ``prefix``, newest first, with their run.

    Those of the run ``but`` are left out.
    """
    with rows.reading("document"):
        values = {"but_run": but, "prefix": prefix, "length": len(prefix), "most": limit}
        return [(str(row.run), body_of(connection, row)) for row in connection.execute(_RECENT_DOCUMENTS, values)]


def has_document(connection: Connection, *, run: str, name: str) -> bool:
    """Tell whether a run holds a document of that name."""
    return connection.execute(_DOCUMENT, {"of_run": run, "called": name}).one_or_none() is not None


def drop_document(connection: Connection, *, run: str, name: str) -> None:
    """Remove one document; one that is not there is removed already."""
    connection.execute(delete(tables.documents).where(tables.documents.c.run == run, tables.documents.c.name == name))
