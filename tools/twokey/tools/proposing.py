"""Turns a draft into a proposal: rendered in full, fixed by its digest, decided by policy, and waiting for people.

Rules: everything a person will see and everything that will be written is worked out here, before anybody is asked;
evidence that is cited exists, is what its hash says, and is what the log says that this run has read; where arguments
came from is what Twokey finds, not what the draft says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from twokey.core.canonical import Json
from twokey.core.errors import CheckFailed, NotFound, Refused, ToolRetry
from twokey.core.events import Event, ProposalMoved, ToolReturned
from twokey.core.lifecycle import State
from twokey.core.ports import Clock, Directory, Ids, Policy
from twokey.core.values import (
    Call,
    Decision,
    Evidence,
    EvidenceRef,
    Finding,
    Principal,
    Proposal,
    Provenance,
    Request,
    Value,
)
from twokey.store import evidence, proposals, runs
from twokey.store.proposals import ProposalRecord
from twokey.tools import budgets, calls, origins, recording
from twokey.tools.budgets import Outdated
from twokey.tools.circumstances import Circumstances, Given
from twokey.tools.contract import Context, Places, Rendered, WriteTool
from twokey.tools.faults import contained
from twokey.tools.ledger import PAGE, Ledger, Unit
from twokey.tools.origins import Known, Read
from twokey.tools.registry import Registry
from twokey.tools.waivers import Exceptions

MICROSECONDS: Final = 1_000_000
RECEIPT: Final = "receipt"
"""Code in the log of evidence that the gate itself made: what became of a write."""


_What = tuple[str, tuple[tuple[str, str], ...], frozenset[str]]


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


def made_before(record: ProposalRecord, tool: WriteTool[Any, Any], args: Value, step: int) -> bool:
    """Tell whether a proposal is the one that a step makes with these arguments."""
    proposal = record.proposal
    if (proposal.step, proposal.tool, proposal.tool_schema) != (step, tool.name, tool.schema_digest()):
        return False
    return tool.once(checked(tool, proposal.args)) == tool.once(args)


def expiry(proposal: Proposal, decision: Decision) -> int:
    """When approvals of this proposal end, in microseconds. From hashed fields only, so no row can move it."""
    seconds = decision.approvals.expires_s if decision.approvals else 0
    return proposal.created_us + seconds * MICROSECONDS


def same(rendered: Rendered, proposal: Proposal) -> bool:
    """Tell whether a fresh rendering is, byte for byte, what the proposal holds."""
    return rendered == Rendered.of(proposal)


class Proposer:
    """Makes proposals."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        policy: Policy,
        registry: Registry,
        directory: Directory,
        clock: Clock,
        ids: Ids,
        waivers: Exceptions | None = None,
    ) -> None:
        self._ledger = ledger
        self._policy = policy
        self._registry = registry
        self._directory = directory
        self._clock = clock
        self._ids = ids
        self.circumstances = Circumstances(ledger, clock, waivers)
        self._last: tuple[_What, Known] | None = None

    def propose(  # who, where and on whose behalf
        self,
        draft: Draft,
        *,
        run: str,
        requester: str,
        agent: str,
        step: int,
        places: Places,
        reverts: str | None = None,
        contributors: tuple[str, ...] = (),
        once: bool = False,
    ) -> ProposalRecord:
        """Render, fix and store a proposal, with policy's decision on it. ``reverts`` names what it undoes.

        ``contributors`` are those whose words are in it, beside the requester.

        ``once``: where this step of the run has proposed with this tool before (to change the same, where the tool
        tells that apart), that proposal is given and none made, even if two processes are at it at the same moment.

        Raises:
            ToolRetry: the draft's arguments do not fit, or what it says or renders to cannot be part of a proposal.
            Refused: the tool would not render it, or the requester is gone.
            CheckFailed: cited evidence is not what it was.

        """
        tool = self._registry.writer(draft.tool)
        args = checked(tool, draft.args)
        made = self._fixed(
            tool,
            args,
            draft,
            run=run,
            requester=requester,
            agent=agent,
            step=step,
            places=places,
            contributors=contributors,
            reverts=reverts,
        )
        for _ in range(budgets.TRIES):
            decided = self._decided(made)
            try:
                with self._ledger.change() as unit:
                    if once:
                        runs.hold_run(unit.connection, run)
                        for record in proposals.proposals_of(unit.connection, run):
                            if made_before(record, tool, args, step):
                                return record
                    return self.add(unit, decided)
            except Outdated:
                continue
        raise budgets.busy()

    def instead(  # of what, who, where and on whose behalf
        self,
        proposal: Proposal,
        draft: Draft,
        *,
        run: str,
        requester: str,
        agent: str,
        places: Places,
        contributors: tuple[str, ...],
        read_by: tuple[str, ...],
    ) -> "Made":
        """Give a proposal that stands in for another and may cite what the runs ``read_by`` read; the caller adds it.

        Raises as ``propose``.
        """
        tool = self._registry.writer(draft.tool)
        made = self._fixed(
            tool,
            checked(tool, draft.args),
            draft,
            run=run,
            requester=requester,
            agent=agent,
            step=1,
            places=places,
            contributors=contributors,
            instead_of=proposal,
            read_by=read_by,
        )
        return self._decided(made)

    def _fixed(  # all that a proposal is made of
        self,
        tool: WriteTool[Any, Any],
        args: Value,
        draft: Draft,
        *,
        run: str,
        requester: str,
        agent: str,
        step: int,
        places: Places,
        contributors: tuple[str, ...],
        reverts: str | None = None,
        instead_of: Proposal | None = None,
        read_by: tuple[str, ...] = (),
    ) -> Proposal:
        with contained(tool.name):
            place = places.find(tool.kind, tool.place_name(args))
        rendered = self._rendered(tool, args, places)
        cited, known, request = self._gathered(draft, (run, *read_by), origins.origin_of(place.resource))
        found = origins.examine(
            args.model_dump(mode="json"), draft.provenance, request=request, places=places, known=known
        )
        return _proposal(
            tool,
            args,
            rendered,
            id=self._ids.new("p"),
            nonce=self._ids.salt(),
            run=run,
            requester=requester,
            contributors=tuple(dict.fromkeys((requester, *contributors))),
            agent=agent,
            step=step,
            provenance=found.provenance,
            copied=found.copied,
            mentioned=found.mentioned,
            resource=place.resource,
            evidence=cited,
            findings=draft.findings,
            why=draft.why,
            supersedes=None if instead_of is None else instead_of.id,
            reverts=reverts,
            created_us=self._clock.now_us(),
        )

    def rebased(self, proposal: Proposal, context: Context) -> "Made | None":
        """Give the proposal that means the same on top of the target as it is now; the caller adds it.

        ``None`` where the tool cannot say what the same would be, or the requester is gone.
        """
        tool = self._registry.writer(proposal.tool)
        try:
            with contained(tool.name):
                args = tool.rebase(checked(tool, proposal.args), context)
            if args is None:
                return None
            made = _proposal(
                tool,
                args,
                self._rendered(tool, args, context.places),
                id=self._ids.new("p"),
                nonce=self._ids.salt(),
                run=proposal.run,
                requester=proposal.requester,
                contributors=proposal.contributors,
                agent=proposal.agent,
                step=proposal.step,
                provenance=proposal.provenance,
                copied=proposal.copied,
                mentioned=proposal.mentioned,
                resource=proposal.resource,
                evidence=proposal.evidence,
                findings=proposal.findings,
                why=proposal.why,
                supersedes=proposal.id,
                reverts=proposal.reverts,
                created_us=self._clock.now_us(),
            )
            return self._decided(made)
        except Refused:
            return None

    def _rendered(self, tool: WriteTool[Any, Any], args: Value, places: Places) -> Rendered:
        with contained(tool.name):
            return tool.render(args, Context(places=places, now_us=self._clock.now_us()))

    def _requester(self, name: str) -> Principal:
        principal = self._directory.principal(name)
        if principal is None:
            raise Refused(
                f"{name} is no longer in the directory, so nothing can be proposed in their name.",
                next="Ask somebody who is to repeat the request.",
                code="requester_unknown",
            )
        return principal

    def _gathered(
        self, draft: Draft, of_runs: tuple[str, ...], own: str
    ) -> tuple[tuple[EvidenceRef, ...], Known, Request]:
        """Give what the draft cites, everything the runs have read, and what the first was asked."""
        sources = (*draft.findings, *draft.provenance)
        wanted = sorted({cited for source in sources for cited in source.evidence})
        with self._ledger.look() as connection:
            record = runs.get_run(connection, of_runs[0])
            listed = {value.id: value.sha256 for run in of_runs for value in evidence.list_evidence(connection, run)}
            # A first draft is held against all that was read; a later one of the same run finds that ready.
            ready = self._last is not None and self._last[0][:2] == (own, tuple(sorted(listed.items())))
            held = evidence.gather_evidence(connection, wanted if ready else sorted({*wanted, *listed}))
        found = [held[name][0] for name in wanted]
        if any(value.run not in of_runs for value in found):
            raise Refused(
                "A finding cites evidence of another run.",
                next="Start the request again.",
                code="foreign_evidence",
            )
        receipts = self._check_logged(found, of_runs)
        cited = tuple(EvidenceRef(id=value.id, sha256=value.sha256) for value in found)
        read = listed | {value.id: value.sha256 for value in found}
        return cited, self._known(own, read, receipts, held), record.request

    def _known(
        self, own: str, read: dict[str, str], receipts: set[str], held: Mapping[str, tuple[Evidence, Json]]
    ) -> Known:
        """Give what was read (hashes by id), ready to be searched: the last is kept, for the next draft of the run.

        ``held`` is as much of it as the caller has read from the store.
        """
        what = own, tuple(sorted(read.items())), frozenset(receipts)
        last = self._last
        if last is not None and last[0] == what:
            return last[1]
        if not held.keys() >= read.keys():
            with self._ledger.look() as connection:
                held = evidence.gather_evidence(connection, sorted(read))
        known = Known(
            [
                Read(value, content, receipt=value.id in receipts, vouched=self._listed(value.tool, content))
                for _, (value, content) in sorted(held.items())
            ],
            own,
        )
        self._last = what, known
        return known

    def _listed(self, tool: str, content: Json) -> Json:
        try:
            return self._registry.reader(tool).listed(content)
        except NotFound:  # what Twokey itself kept
            return content

    def _check_logged(self, found: list[Evidence], of_runs: tuple[str, ...]) -> set[str]:
        """Hold evidence against the entries that were made when it was read; rows alone prove nothing.

        Gives the ids of what the log calls a receipt: Twokey made it and nobody else.
        """
        receipts = set[str]()
        missing: set[tuple[str | None, str | None]] = {(value.id, value.commitment) for value in found}

        def cited(event: Event) -> bool:
            return isinstance(event, ToolReturned) and (event.evidence, event.content) in missing

        for run in of_runs:
            after: int | None = -1
            while missing and after is not None:
                proven, after = self._ledger.log.proven_about(run, "tool.returned", cited, after=after, limit=PAGE)
                for event in (entry.event for entry in proven):
                    if isinstance(event, ToolReturned):
                        missing.discard((event.evidence, event.content))
                        receipts |= {str(event.evidence)} if event.code == RECEIPT else set()
        if missing:
            raise CheckFailed(
                "A finding cites evidence that the audit log does not bear out.",
                next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
                code="evidence_not_logged",
            )
        return receipts

    def again(self, made: "Made") -> "Made":
        """Ask policy once more about a proposal that is not stored yet."""
        return self._decided(made.proposal)

    def _decided(self, proposal: Proposal) -> "Made":
        requester = self._requester(proposal.requester)
        given = self.circumstances.now(run=proposal.run, requester=requester.name, proposal=proposal.id)
        call = calls.of_proposal(proposal, requester, proposal.created_us, given)
        return Made(proposal, proposal.digest(), call, self._policy.decide(call), given)

    def add(self, unit: Unit, made: "Made") -> ProposalRecord:
        """Store a proposal with its first entries, in the open transaction; gives it as it is stored.

        Raises:
            Outdated: others have taken something of the budgets since policy was asked; ``again`` asks it anew.

        """
        proposal, decision = made.proposal, made.decision
        waits = decision.effect == "require_approval"
        state = State.AWAITING_APPROVAL if waits else State.DENIED
        code = "needs_approval" if waits else decision.reasons[0].code
        expires = expiry(proposal, decision)
        proposals.add_proposal(
            unit.connection, proposal, decision, state=state, expires_us=expires, code=code, now=proposal.created_us
        )
        if waits:
            budgets.reserve(unit.connection, proposal, "proposal", made.given.counted, proposal.created_us)
        for before, after, why in ((None, State.PROPOSED, "made"), (State.PROPOSED, state, code)):
            if after is state:
                recording.record(unit, made.call, decision, occasion="propose")
            unit.record(
                ProposalMoved(
                    proposal=proposal.id,
                    run=proposal.run,
                    digest=made.digest,
                    before=before,
                    after=after,
                    code=why,
                    by=proposal.requester,
                    decision_digest=None if after is State.PROPOSED else decision.digest(),
                    expires_us=expires if waits and after is state else None,
                )
            )
        return ProposalRecord(
            id=proposal.id,
            run=proposal.run,
            digest=made.digest,
            state=state,
            proposal=proposal,
            decision=decision,
            decision_digest=decision.digest(),
            expires_us=expires,
            code=code,
            result=None,
            created_us=proposal.created_us,
            updated_us=proposal.created_us,
        )


@dataclass(frozen=True, slots=True)
class Made:
    """A proposal that is fixed and decided, and not stored yet."""

    proposal: Proposal
    digest: str
    call: Call
    decision: Decision
    given: Given


def _proposal(tool: WriteTool[Any, Any], args: Value, rendered: Rendered, **fields: Any) -> Proposal:
    """Fix a proposal; raises ``ToolRetry`` where what it says or renders to cannot be part of one."""
    try:
        proposal = Proposal(
            tool=tool.name,
            tool_version=tool.version,
            tool_schema=tool.schema_digest(),
            args=args.model_dump(mode="json"),
            content=rendered.content,
            preview=rendered.preview,
            labels=rendered.labels,
            files=rendered.files,
            fields=rendered.fields,
            rollback=rendered.rollback,
            target=rendered.target,
            **fields,
        )
        proposal.digest()
    except ValueError as error:  # pydantic's ValidationError and NotCanonicalError are both
        raise ToolRetry(
            f"What {tool.name} would write, or the words for it, cannot be part of a proposal.",
            next="Propose less at once, in plain text.",
            code="unfit_proposal",
        ) from error
    return proposal
