"""What runs have read last of warehouses and trackers: tables, columns and findings; tickets.

Rules: it is evidence that a run stored, read again and checked against its hash, never the warehouse or the tracker
itself; where it was removed since, or nothing was read, there is nothing to show. Names and texts are outside text.
Each reader is shown what the latest run read that they may read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from pydantic import ValidationError
from sqlalchemy import Connection

from twokey.agents.catalog import reading
from twokey.agents.catalog.findings import subject
from twokey.channels import plain
from twokey.core.canonical import MAX_INTEGER, Json
from twokey.core.errors import NotFound
from twokey.core.values import Finding, Report
from twokey.store import evidence, figures, listing, proposals, runs
from twokey.store.listing import ProposalLine
from twokey.tools.listed import proposal_page
from twokey.tools.read.ticket_pages import TicketRead
from twokey.tools.read.tickets import TicketsResult
from twokey.tools.read.warehouse import TableInfo
from twokey.tools.read.warehouse.values import QueryResult
from twokey.tools.reading import Reader
from twokey.tools.withholding import withheld
from twokey.tools.write.ticket_change import called

MOST_TABLES: Final = 500
MOST_TICKETS: Final = 200
MOST_RUNS: Final = 50
"""Runs of which it is looked whether they may be read."""
_EVER: Final = {"since": 0, "until": MAX_INTEGER}


@dataclass(frozen=True, slots=True)
class Column:
    """One column and what was found of it."""

    name: str
    type: str
    nullable: bool
    sensitivity: Finding | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table and what was found of it."""

    name: str
    rows: int | None
    is_view: bool
    columns: tuple[Column, ...]
    findings: tuple[Finding, ...]
    """Those of the table itself."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One warehouse as a run read it last."""

    name: str
    run: str
    read_us: int
    evidence: str
    tables: tuple[Table, ...]
    more: int
    """Tables beyond those that are listed."""


@dataclass(frozen=True, slots=True)
class ListedTicket:
    """One ticket as it was read last, with what was proposed for it."""

    key: str
    title: str
    state: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    updated_at: str
    proposals: tuple[ProposalLine, ...]


@dataclass(frozen=True, slots=True)
class Tracker:
    """One tracker as a run read it last."""

    name: str
    run: str
    read_us: int
    evidence: tuple[str, ...]
    tickets: tuple[ListedTicket, ...]


def warehouses(reader: Reader) -> tuple[Warehouse, ...]:
    """Give every warehouse that one of the latest thousand runs read, as it was read last.

    Raises:
        CheckFailed: a row is not as it was stored.

    """
    found: dict[str, Warehouse] = {}
    with reader.ledger.look() as connection:
        seen = _Seen(reader, connection)
        for run, body in figures.latest_documents(connection, "scan-", **_EVER):
            notes = cast("dict[str, Any]", body)
            name = str(notes["warehouse"])
            if name not in found and seen.reads(run):
                made = _warehouse(connection, name, run, str(notes["schema"]))
                if made is not None:
                    found[name] = made
    return tuple(found[name] for name in sorted(found))


def _warehouse(connection: Connection, name: str, run: str, schema: str) -> Warehouse | None:
    try:
        held, content = evidence.get_evidence(connection, schema)
    except NotFound:  # it was pruned
        return None
    tables = reading.names_of(reading.schema_of(QueryResult.model_validate(content).answer))
    by_subject: dict[str, list[Finding]] = {}
    for report in runs.list_documents(connection, run=run, prefix="report-"):
        for finding in Report.model_validate(report).findings:
            by_subject.setdefault(finding.subject, []).append(finding)
    listed = [_table(key, info, by_subject) for key, info in list(tables.items())[:MOST_TABLES]]
    return Warehouse(name, run, held.created_us, held.id, tuple(listed), max(0, len(tables) - MOST_TABLES))


def _table(key: str, info: TableInfo, by_subject: dict[str, list[Finding]]) -> Table:
    columns: list[Column] = []
    for column in info.columns:
        own = by_subject.get(subject(key, column.name), [])
        sensitivity = next((finding for finding in own if finding.kind == "sensitivity"), None)
        columns.append(Column(column.name, column.type, column.nullable, sensitivity, tuple(own)))
    return Table(key, info.rows, info.is_view, tuple(columns), tuple(by_subject.get(subject(key), [])))


class _Seen:
    """Which runs somebody may read; it is looked at so many, and the rest are not read."""

    def __init__(self, reader: Reader, connection: Connection) -> None:
        self._reader = reader
        self._connection = connection
        self._known: dict[str, bool] = {}

    def reads(self, run: str) -> bool:
        if run not in self._known:
            self._known[run] = len(self._known) < MOST_RUNS and self._reader.reads_run(self._connection, run)
        return self._known[run]


def trackers(reader: Reader) -> tuple[Tracker, ...]:
    """Give every tracker that one of the latest thousand runs read, as it was read last; see ``warehouses``."""
    found: dict[str, Tracker] = {}
    with reader.ledger.look() as connection:
        seen = _Seen(reader, connection)
        for run, body in figures.latest_documents(connection, "triage-read", **_EVER):
            pages = [str(page["evidence"]) for page in cast("dict[str, Any]", body)["pages"]]
            name = _tracker_of(connection, run)
            if name and name not in found and pages and seen.reads(run):
                found[name] = _tracker(reader, connection, name, run, pages)
    return tuple(found[name] for name in sorted(found))


def _tracker_of(connection: Connection, run: str) -> str:
    places = runs.get_run(connection, run).places
    return next((place.id for place in places if place.kind == "tickets"), "")


def _tracker(reader: Reader, connection: Connection, name: str, run: str, pages: Sequence[str]) -> Tracker:
    tickets: dict[str, ListedTicket] = {}
    left_out = withheld(reader, connection, runs.get_run(connection, run))
    read_us = 0
    for page in pages:
        try:
            held, content = evidence.get_evidence(connection, page)
        except NotFound:  # it was pruned
            continue
        read_us = max(read_us, held.created_us)
        for ticket in _read(left_out.without(content)):
            if len(tickets) >= MOST_TICKETS:
                break
            target = proposals.target_key("tickets", f"{name} {called(ticket)}")
            tickets[ticket.key] = ListedTicket(
                key=ticket.key,
                title=plain.line(ticket.title, 200),
                state=ticket.state,
                labels=ticket.labels,
                assignees=ticket.assignees,
                updated_at=ticket.updated_at,
                proposals=tuple(listing.proposal_lines(connection, target=target, limit=5)),
            )
    proposed = [line for ticket in tickets.values() for line in ticket.proposals]
    seen = {line.id for line in reader.lines(connection, proposed)}
    listed = [
        replace(ticket, proposals=tuple(line for line in ticket.proposals if line.id in seen))
        for ticket in tickets.values()
    ]
    return Tracker(name, run, read_us, tuple(pages), tuple(listed))


def _read(content: Json) -> tuple[TicketRead, ...]:
    """Give the tickets of a page; none of what an earlier version read, which had another form."""
    try:
        page = TicketsResult.model_validate(content).page
    except ValidationError:
        return ()
    return () if page is None else page.tickets


def proposed(reader: Reader, agent: str, *, limit: int = 20) -> list[ProposalLine]:
    """Give what an agent proposed last."""
    return proposal_page(reader, agent=agent, limit=limit)
