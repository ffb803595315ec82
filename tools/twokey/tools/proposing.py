"""Turns a draft into a proposal: rendered in full, fixed by its digest, decided by policy, and waiting for people.

Rules: everything a person will see and everything that will be written is worked out here, before anybody is asked;
evidence that is cited exists, belongs to this run and is what its hash says.
"""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from twokey.core.errors import Refused, ToolRetry
from twokey.core.events import ProposalMoved
from twokey.core.lifecycle import State
from twokey.core.ports import Clock, Directory, Ids, Policy
from twokey.core.values import (
    Decision,
    EvidenceRef,
    Finding,
    Principal,
    Proposal,
    Provenance,
    Value,
)
from twokey.store import evidence, proposals
from twokey.store.proposals import ProposalRecord
from twokey.tools import calls
from twokey.tools.contract import Context, Places, Rendered, WriteTool
from twokey.tools.ledger import Ledger
from twokey.tools.registry import Registry

MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent wants written, and why."""

    tool: str
    args: dict[str, Any]
    provenance: tuple[Provenance, ...]
    findings: tuple[Finding, ...]
    why: str


def checked(tool: WriteTool[Any, Any], args: dict[str, Any]) -> Value:
    """Validate arguments against the tool's schema; raises ``ToolRetry``."""
    try:
        value: Value = tool.input_type.model_validate(args)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ToolRetry(
            f"The arguments of {tool.name} do not fit its schema at {where[:80]!r}: {first['msg'][:120]}.",
            next="Correct the arguments.",
        ) from error
    return value


def expiry(proposal: Proposal, decision: Decision) -> int:
    """When approvals of this proposal end, in microseconds. From hashed fields only, so no row can move it."""
    seconds = decision.approvals.expires_s if decision.approvals else 0
    return proposal.created_us + seconds * MICROSECONDS


def same(rendered: Rendered, proposal: Proposal) -> bool:
    """Tell whether a fresh rendering is, byte for byte, what the proposal holds."""
    return (
        rendered.preview == proposal.preview
        and rendered.content == proposal.content
        and rendered.target == proposal.target
        and rendered.files == proposal.files
        and rendered.labels == proposal.labels
        and rendered.rollback == proposal.rollback
    )


class Proposer:
    """Makes proposals."""

    def __init__(
        self, *, ledger: Ledger, policy: Policy, registry: Registry, directory: Directory, clock: Clock, ids: Ids
    ) -> None:
        self._ledger = ledger
        self._policy = policy
        self._registry = registry
        self._directory = directory
        self._clock = clock
        self._ids = ids

    def propose(
        self, draft: Draft, *, run: str, requester: str, agent: str, step: int, places: Places
    ) -> ProposalRecord:
        """Render, fix and store a proposal, with policy's decision on it.

        Raises:
            ToolRetry: the draft's arguments do not fit.
            Refused: the tool would not render it, or the requester is gone.
            CheckFailed: cited evidence is not what it was.

        """
        tool = self._registry.writer(draft.tool)
        args = checked(tool, draft.args)
        place = places.find(tool.kind, tool.place_name(args))
        now = self._clock.now_us()
        rendered = tool.render(args, Context(places=places, now_us=now))
        proposal = Proposal(
            id=self._ids.new("p"),
            nonce=self._ids.salt(),
            run=run,
            requester=requester,
            contributors=(requester,),
            agent=agent,
            step=step,
            tool=tool.name,
            tool_version=tool.version,
            tool_schema=tool.schema_digest(),
            args=args.model_dump(mode="json"),
            provenance=draft.provenance,
            resource=place.resource,
            content=rendered.content,
            preview=rendered.preview,
            labels=rendered.labels,
            files=rendered.files,
            rollback=rendered.rollback,
            evidence=self._cited(draft, run),
            findings=draft.findings,
            target=rendered.target,
            why=draft.why,
            created_us=now,
        )
        return self._store(proposal, self._requester(requester), now)

    def _requester(self, name: str) -> Principal:
        principal = self._directory.principal(name)
        if principal is None:
            raise Refused(
                f"{name} is no longer in the directory, so nothing can be proposed in their name.",
                next="Ask somebody who is to repeat the request.",
                code="requester_unknown",
            )
        return principal

    def _cited(self, draft: Draft, run: str) -> tuple[EvidenceRef, ...]:
        wanted = sorted({cited for finding in draft.findings for cited in finding.evidence})
        refs: list[EvidenceRef] = []
        with self._ledger.look() as connection:
            for cited in wanted:
                value, _ = evidence.get_evidence(connection, cited)
                if value.run != run:
                    raise Refused(
                        "A finding cites evidence of another run.",
                        next="Start the request again.",
                        code="foreign_evidence",
                    )
                refs.append(EvidenceRef(id=value.id, sha256=value.sha256))
        return tuple(refs)

    def _store(self, proposal: Proposal, requester: Principal, now: int) -> ProposalRecord:
        call = calls.of_proposal(proposal, requester, now)
        decision = self._policy.decide(call)
        waits = decision.effect == "require_approval"
        state = State.AWAITING_APPROVAL if waits else State.DENIED
        code = "needs_approval" if waits else decision.reasons[0].code
        expires = expiry(proposal, decision)
        digest = proposal.digest()
        with self._ledger.change() as unit:
            proposals.add_proposal(
                unit.connection, proposal, decision, state=state, expires_us=expires, code=code, now=now
            )
            for before, after, why in ((None, State.PROPOSED, "made"), (State.PROPOSED, state, code)):
                if after is state:
                    unit.record(
                        calls.decided(call, decision, occasion="propose", commitment=unit.commit_to(call.canonical()))
                    )
                unit.record(
                    ProposalMoved(
                        proposal=proposal.id,
                        run=proposal.run,
                        digest=digest,
                        before=before,
                        after=after,
                        code=why,
                        by=proposal.requester,
                        decision_digest=None if after is State.PROPOSED else decision.digest(),
                        expires_us=expires if waits and after is state else None,
                    )
                )
        with self._ledger.look() as connection:
            return proposals.get_proposal(connection, proposal.id)
