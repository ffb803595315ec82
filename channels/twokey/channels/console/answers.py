"""What the API answers, as pydantic values: the OpenAPI description is made from them.

Rules: moments are ISO 8601 in UTC; names and texts from outside are given as they are, for programs that escape what
they show; a page says where the next one goes on.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from twokey.channels.card import moment
from twokey.channels.overview.data import Tracker, Warehouse
from twokey.channels.overview.incidents import Incident, Listed
from twokey.channels.overview.log import Followed, LogLine
from twokey.channels.overview.rules import ControlsView, PolicyView
from twokey.core.values import Finding
from twokey.store.listing import Position, ProposalLine
from twokey.store.runs import RunRecord

Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}\.[pr]-[0-9a-z]{12}$")]
"""Where a page ends: the time of the last row, and its id."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Error(_Answer):
    """What went wrong, for programs and people."""

    code: str
    message: str
    next: str


class ErrorAnswer(_Answer):
    """An error."""

    error: Error


def cursor(position: Position) -> str:
    """Give the text of a position."""
    return f"{position.created_us}.{position.id}"


def position(text: str | None) -> Position | None:
    """Read a position that ``Cursor`` has checked."""
    if text is None:
        return None
    at, _, last = text.partition(".")
    return Position(int(at), last)


class ProposalItem(_Answer):
    """One proposal in a list."""

    id: str
    digest: str
    state: str
    code: str
    run: str
    agent: str
    tool: str
    requester: str
    channel: str
    created_at: str
    updated_at: str
    expires_at: str

    @classmethod
    def of(cls, line: ProposalLine) -> "ProposalItem":
        """Make it of a line."""
        return cls(
            id=line.id,
            digest=line.digest,
            state=line.state.value,
            code=line.code,
            run=line.run,
            agent=line.agent,
            tool=line.tool,
            requester=line.requester,
            channel=line.channel,
            created_at=moment(line.created_us),
            updated_at=moment(line.updated_us),
            expires_at=moment(line.expires_us),
        )


class ProposalsAnswer(_Answer):
    """A page of proposals, newest first."""

    proposals: list[ProposalItem]
    next: str | None
    """Give it as ``behind`` for the next page."""


class RunItem(_Answer):
    """One run. ``text`` is what somebody asked, in their own words."""

    id: str
    state: str
    code: str
    message: str
    requester: str
    auth: str
    channel: str
    intent: str
    text: str
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, run: RunRecord) -> "RunItem":
        """Make it of a run."""
        return cls(
            id=run.id,
            state=run.state,
            code=run.code,
            message=run.message,
            requester=run.requester,
            auth=run.auth,
            channel=run.channel,
            intent=run.request.intent,
            text=run.request.text,
            created_at=moment(run.created_us),
            updated_at=moment(run.updated_us),
        )


class RunsAnswer(_Answer):
    """A page of runs, newest first."""

    runs: list[RunItem]
    next: str | None


class RunAnswer(_Answer):
    """One run and what it proposed."""

    run: RunItem
    proposals: list[str]


class EntryItem(_Answer):
    """One entry of the log, told."""

    seq: int
    id: str
    time: str
    kind: str
    subject: str
    said: str
    event: dict[str, Any]

    @classmethod
    def of(cls, line: LogLine) -> "EntryItem":
        """Make it of a line."""
        return cls(
            seq=line.seq,
            id=line.id,
            time=moment(line.time_us),
            kind=line.kind,
            subject=line.subject,
            said=line.said,
            event=dict(line.fields),
        )


class LogAnswer(_Answer):
    """A page of the log, newest first."""

    entries: list[EntryItem]
    next: int | None
    """Give it as ``before`` for the next page."""


class LogStateAnswer(_Answer):
    """How the log stands."""

    size: int
    root: str | None
    checkpoint: str | None
    rejected: int
    verified: Literal["never", "running", "ok", "failed"]
    reason: str


class ProofAnswer(_Answer):
    """What shows an outsider that an entry is in the log."""

    type: Literal["twokey/proof/v1"]
    entry: str
    proof: str
    key: str


class ChangeAnswer(_Answer):
    """One change from end to end, oldest entry first."""

    run: str
    proposals: list[str]
    entries: list[EntryItem]
    more: bool

    @classmethod
    def of(cls, change: Followed) -> "ChangeAnswer":
        """Make it of a change."""
        return cls(
            run=change.run,
            proposals=list(change.proposals),
            entries=[EntryItem.of(line) for line in change.lines],
            more=change.more,
        )


class FindingItem(_Answer):
    """One claim with the evidence it rests on."""

    kind: str
    claim: str
    confidence: int
    attention: bool
    evidence: list[str]

    @classmethod
    def of(cls, finding: Finding) -> "FindingItem":
        """Make it of a finding."""
        return cls(
            kind=finding.kind,
            claim=finding.claim,
            confidence=finding.confidence,
            attention=finding.attention,
            evidence=list(finding.evidence),
        )


class ColumnItem(_Answer):
    """One column."""

    name: str
    type: str
    nullable: bool
    findings: list[FindingItem]


class TableItem(_Answer):
    """One table."""

    name: str
    rows: int | None
    view: bool
    columns: list[ColumnItem]
    findings: list[FindingItem]


class WarehouseItem(_Answer):
    """One warehouse as a run read it last."""

    name: str
    run: str
    read_at: str
    evidence: str
    tables: list[TableItem]
    more: int

    @classmethod
    def of(cls, warehouse: Warehouse) -> "WarehouseItem":
        """Make it of a warehouse."""
        tables = [
            TableItem(
                name=table.name,
                rows=table.rows,
                view=table.is_view,
                columns=[
                    ColumnItem(
                        name=column.name,
                        type=column.type,
                        nullable=column.nullable,
                        findings=[FindingItem.of(finding) for finding in column.findings],
                    )
                    for column in table.columns
                ],
                findings=[FindingItem.of(finding) for finding in table.findings],
            )
            for table in warehouse.tables
        ]
        return cls(
            name=warehouse.name,
            run=warehouse.run,
            read_at=moment(warehouse.read_us),
            evidence=warehouse.evidence,
            tables=tables,
            more=warehouse.more,
        )


class CatalogAnswer(_Answer):
    """Every warehouse that was read."""

    warehouses: list[WarehouseItem]


class TicketItem(_Answer):
    """One ticket as it was read last."""

    key: str
    title: str
    state: str
    labels: list[str]
    assignees: list[str]
    updated_at: str
    proposals: list[str]


class TrackerItem(_Answer):
    """One tracker as a run read it last."""

    name: str
    run: str
    tickets: list[TicketItem]

    @classmethod
    def of(cls, tracker: Tracker) -> "TrackerItem":
        """Make it of a tracker."""
        tickets = [
            TicketItem(
                key=ticket.key,
                title=ticket.title,
                state=ticket.state,
                labels=list(ticket.labels),
                assignees=list(ticket.assignees),
                updated_at=ticket.updated_at,
                proposals=[line.id for line in ticket.proposals],
            )
            for ticket in tracker.tickets
        ]
        return cls(name=tracker.name, run=tracker.run, tickets=tickets)


class TicketsAnswer(_Answer):
    """Every tracker that was read."""

    trackers: list[TrackerItem]


class SentenceItem(_Answer):
    """One sentence of a summary with the evidence it cites."""

    section: str
    text: str
    attention: bool
    evidence: list[str]


class SuspectItem(_Answer):
    """A service that stands out."""

    service: str
    named: bool
    reasons: list[str]


class IncidentItem(_Answer):
    """One incident in a list."""

    run: str
    title: str
    service: str
    starts_at: str
    told_at: str


class IncidentsAnswer(_Answer):
    """The incidents that the latest runs told, newest first."""

    incidents: list[IncidentItem]

    @classmethod
    def of(cls, found: Sequence[Listed]) -> "IncidentsAnswer":
        """Make it of a list."""
        return cls(
            incidents=[
                IncidentItem(
                    run=each.run,
                    title=each.title,
                    service=each.service,
                    starts_at=moment(each.start_us),
                    told_at=moment(each.told_us),
                )
                for each in found
            ]
        )


class IncidentAnswer(_Answer):
    """One incident as a run told it."""

    run: str
    title: str
    service: str
    sentences: list[SentenceItem]
    suspects: list[SuspectItem]
    pictures: list[str]
    proposals: list[str]

    @classmethod
    def of(cls, found: Incident) -> "IncidentAnswer":
        """Make it of an incident."""
        return cls(
            run=found.run.id,
            title=found.title,
            service=found.service,
            sentences=[
                SentenceItem(
                    section=part.key,
                    text=finding.claim,
                    attention=finding.attention,
                    evidence=list(finding.evidence),
                )
                for part in found.parts
                for finding in part.sentences
            ],
            suspects=[
                SuspectItem(service=each.service, named=each.named, reasons=[finding.claim for finding in each.reasons])
                for each in found.suspects
            ],
            pictures=[f"/incidents/{found.run.id}/{picture.name}.svg" for picture in found.pictures],
            proposals=[record.id for record in found.proposals],
        )


class RuleItem(_Answer):
    """One rule in words."""

    rule: str
    code: str
    effect: str
    title: str
    description: str
    message: str
    lately: int
    """Of how many of the latest decisions it is a reason."""


class PolicyAnswer(_Answer):
    """Policy as it stands."""

    engine: str
    policy_revision: str
    data_revision: str
    same_folder: bool
    decisions: int
    denied: int
    shadowed: int
    rules: list[RuleItem]

    @classmethod
    def of(cls, view: PolicyView) -> "PolicyAnswer":
        """Make it of a view."""
        return cls(
            engine=view.engine,
            policy_revision=view.policy_revision,
            data_revision=view.data_revision,
            same_folder=view.same_folder,
            decisions=view.decisions,
            denied=view.denied,
            shadowed=view.shadowed,
            rules=[RuleItem(**told.rule.model_dump(), lately=told.lately) for told in view.rules],
        )


class ControlItem(_Answer):
    """One control and what the last probe showed of it."""

    number: int
    code: str
    title: str
    tries: str
    state: Literal["holds", "fails", "missing", "unknown"]
    demanded: bool


class ControlsAnswer(_Answer):
    """The twelve controls."""

    profile: str
    entry: str
    lacks: str
    same_policy: bool
    controls: list[ControlItem]

    @classmethod
    def of(cls, view: ControlsView) -> "ControlsAnswer":
        """Make it of a view."""
        controls = [
            ControlItem(
                number=light.control.number,
                code=light.control.code,
                title=light.control.title,
                tries=light.control.tries,
                state=light.state,
                demanded=light.demanded,
            )
            for light in view.lights
        ]
        return cls(
            profile=view.profile, entry=view.entry, lacks=view.lacks, same_policy=view.same_policy, controls=controls
        )


class FigureItem(_Answer):
    """One figure; no value where nothing is known."""

    title: str
    value: int | str | None
    unit: str
    note: str


class ScorecardAnswer(_Answer):
    """The figures of a quarter, by section and name."""

    quarter: str
    as_of: str
    over: bool
    sections: dict[str, dict[str, FigureItem]]


class EvidenceAnswer(_Answer):
    """One piece of evidence with its content."""

    id: str
    run: str
    tool: str
    origin: str
    trusted: bool
    summary: str
    sha256: str
    created_at: str
    content: Any


class CardAnswer(_Answer):
    """One proposal with all that belongs to deciding on it; the form of ``twokey approvals show --json``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    digest: str
    state: str
    code: str
    run: str
    preview: str
    requester: str
    expires_at: str


class AskedAnswer(_Answer):
    """The run that a request became."""

    run: str
