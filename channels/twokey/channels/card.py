"""The approval card: everything a person needs to decide, as one pure value that every channel renders.

Rules: what is hashed is what is shown; nothing on the card comes from anywhere but the proposal, the decision, the
answers that the log bears out, what stands around it (a freeze, an emergency, who took its place, who looked at the
write), and the checkpoint. ``rendering`` makes documents of it; here it is given to programs.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from twokey.core.events import WriteEnded
from twokey.core.values import Checkpoint, Decision, Evidence, Proposal
from twokey.store.proposals import ApprovalRecord, ProposalRecord
from twokey.tools.batches import Shown


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency that holds for a proposal."""

    id: str
    opened_by: str
    ticket: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Around:
    """What bears on a proposal from outside it."""

    stopped: str | None = None
    """Code of what stops every write at this moment."""
    emergency: Emergency | None = None
    successor: str | None = None
    """The proposal that took its place."""
    receipts: tuple[WriteEnded, ...] = ()
    """What was seen of the write by everybody who looked."""
    shadow: str | None = None
    """What the shadow policy would have decided, in words."""


@dataclass(frozen=True, slots=True)
class Card:
    """One proposal with all that belongs to deciding on it."""

    record: ProposalRecord
    evidence: tuple[Evidence, ...]
    answers: tuple[ApprovalRecord, ...]
    checkpoint: Checkpoint | None
    around: Around = Around()

    @property
    def proposal(self) -> Proposal:
        """The proposal itself."""
        return self.record.proposal

    @property
    def decision(self) -> Decision:
        """Policy's answer to it."""
        return self.record.decision


@dataclass(frozen=True, slots=True)
class BatchCard:
    """Cards that are shown together, in order, and can be answered together."""

    shown: Shown
    most: int
    """How many policy lets be answered together."""
    cards: tuple[Card, ...]


def moment(time_us: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(time_us / 1_000_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_json(card: Card) -> dict[str, Any]:
    """Give the form of ``approvals show --json`` (DESIGN, section 6)."""
    proposal, decision, record = card.proposal, card.decision, card.record
    return {
        "id": record.id,
        "digest": record.digest,
        "state": record.state.value,
        "code": record.code,
        "run": record.run,
        "tool": {"name": proposal.tool, "version": proposal.tool_version, "schema": proposal.tool_schema},
        "args": proposal.args,
        "why": proposal.why,
        "preview": proposal.preview,
        "content": [item.canonical() for item in proposal.content],
        "rollback": proposal.rollback.canonical(),
        "evidence": [
            {
                "id": item.id,
                "sha256": item.sha256,
                "tool": item.tool,
                "origin": item.origin,
                "summary": item.summary,
                "trusted": item.trusted,
            }
            for item in card.evidence
        ],
        "findings": [finding.canonical() for finding in proposal.findings],
        "target": proposal.target.canonical(),
        "requester": proposal.requester,
        "contributors": list(proposal.contributors),
        "decision": {"digest": record.decision_digest} | decision.model_dump(mode="json"),
        "approvals": [
            {"principal": item.principal, "action": item.action, "at": moment(item.at_us), "entry": item.entry}
            for item in card.answers
        ],
        "created_at": moment(record.created_us),
        "expires_at": moment(record.expires_us),
        "checkpoint": {"size": card.checkpoint.size, "root": card.checkpoint.root} if card.checkpoint else None,
        "result": record.result,
        "supersedes": proposal.supersedes,
        "reverts": proposal.reverts,
        "successor": card.around.successor,
        "stopped": card.around.stopped,
        "emergency": _emergency(card.around.emergency),
        "receipts": [
            {"executor": seen.executor, "outcome": seen.outcome, "code": seen.code} for seen in card.around.receipts
        ],
    }


def _emergency(emergency: Emergency | None) -> dict[str, Any] | None:
    if emergency is None:
        return None
    return {
        "id": emergency.id,
        "by": emergency.opened_by,
        "ticket": emergency.ticket,
        "until": moment(emergency.until_us),
    }


def batch_as_json(batch: BatchCard) -> dict[str, Any]:
    """Give a batch for programs: all that a card says, for each of its cards."""
    return {
        "digest": batch.shown.digest,
        "kind": batch.shown.batch.kind,
        "most": batch.most,
        "proposals": [as_json(item) for item in batch.cards],
    }
