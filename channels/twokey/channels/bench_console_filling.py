"""Fills a workspace for the benchmark of the console, through the store's and the log's own writers.

Rules: every proposal belongs to a run, has a decision and its entries in the log, signed like all others; most are
over, a few wait; they were made within the quarter that goes on, one after another.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from twokey.channels.workspace import Workspace
from twokey.core import canonical
from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.events import CardShown, PolicyDecided, ProposalMoved, RunRequested, StepEnded
from twokey.core.lifecycle import State
from twokey.core.ports import Ids
from twokey.core.values import (
    ApprovalsNeeded,
    Decision,
    FileChange,
    GroupQuorum,
    Proposal,
    Reason,
    Request,
    Resource,
    RollbackPlan,
    Target,
)
from twokey.store import proposals, runs, usage
from twokey.store.proposals import ApprovalRecord
from twokey.tools.ledger import Unit

AT_ONCE: Final = 400
"""Proposals of one transaction, so that the log remembers its entries until they are signed."""
PER_RUN: Final = 4
WAITING: Final = 40
"""Proposals that wait, the latest."""
_PLACE: Final = Resource(kind="repository", id="dbt", granted_by="config")
_ENDS: Final = (State.DONE, State.DONE, State.DONE, State.REFUSED, State.EXPIRED, State.DONE, State.SUPERSEDED)
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What was made, and the pages to ask for, by name."""

    entries: int
    pages: Mapping[str, str]


def fill(workspace: Workspace, *, proposals: int, entries: int, tell: Callable[[str], None]) -> Filled:
    """Fill a workspace with so many proposals and about so many entries of the log."""
    filling = _Filling(_decision(workspace), each=max(5, entries // proposals), ids=RandomIds())
    for begin in range(0, proposals, AT_ONCE):
        with workspace.ledger.change() as unit:
            for number in range(begin, min(begin + AT_ONCE, proposals)):
                filling.add(unit, number, proposals)
        if begin and begin % (AT_ONCE * 50) == 0:
            tell(f"{begin:,} proposals, {filling.entries:,} entries")
    checkpoint = workspace.ledger.checkpoint()
    return Filled(checkpoint.size if checkpoint else 0, filling.pages())


class _Filling:
    def __init__(self, decision: Decision, *, each: int, ids: Ids) -> None:
        self._ids = ids
        self._each = each
        self._begin_us = SystemClock().now_us() - 20 * 24 * 3600 * _SECOND_US
        self._run = ""
        self._last = ""
        self._decision = decision
        self._entry = ""
        self.entries = 0

    def pages(self) -> dict[str, str]:
        """Give the pages to ask for."""
        proposal = self._last
        paths = ("ask", "runs", "catalog", "tickets", "policy", "controls", "scorecard", "freeze", "inbox", "log")
        return {
            **{name: f"/{name}" for name in paths},
            "proposal": f"/p/{proposal[2:]}",
            "run": f"/runs/{self._run}",
            "log of one kind": "/log?kind=workspace.created",
            "log of a proposal": f"/log?q={proposal}",
            "log by words": "/log?q=words+that+no+entry+holds",
            "log, deep": f"/log?before={self.entries // 2}",
            "change": f"/log/change/{proposal}",
            "entry with proof": f"/log/entry/{self._entry}",
            "api proposals": "/api/proposals?state=done&limit=50",
            "api log": "/api/log",
        }

    def add(self, unit: Unit, number: int, of: int) -> None:
        """Add one proposal with what belongs to it."""
        at = self._begin_us + number * 10 * _SECOND_US
        if number % PER_RUN == 0:
            self._run = self._ids.new("r")
            request = Request(text="Document it.", intent="catalog_propose", channel="cli", requester="ana")
            runs.add_run(unit.connection, run=self._run, request=request, auth="key", places=[_PLACE], now=at)
            runs.move_run(unit.connection, self._run, before=["running"], after="done", now=at, code="done")
            commitment = canonical.commitment(self._ids.salt(), request.canonical())
            unit.record(
                RunRequested(
                    run=self._run,
                    requester="ana",
                    auth="key",
                    channel="cli",
                    intent=request.intent,
                    request=commitment,
                )
            )
        waits = number >= of - WAITING
        state = State.AWAITING_APPROVAL if waits else _ENDS[number % len(_ENDS)]
        proposal = _proposal(self._ids, self._run, number, at)
        proposals.add_proposal(
            unit.connection,
            proposal,
            self._decision,
            state=state,
            expires_us=at + 30 * 24 * 3600 * _SECOND_US,
            code="needs_approval",
            now=at,
        )
        usage.add(
            unit.connection,
            usage.hold(unit.connection),
            "proposal",
            run=self._run,
            requester="ana",
            proposal=proposal.id,
            files=1,
            lines=40,
            now=at,
        )
        self._record(unit, proposal, state, at)
        self._last = proposal.id

    def _record(self, unit: Unit, proposal: Proposal, state: State, at: int) -> None:
        digest, decided = proposal.digest(), self._decision.digest()
        moves = [(None, State.PROPOSED), (State.PROPOSED, State.AWAITING_APPROVAL)]
        if state is not State.AWAITING_APPROVAL:
            moves.append((State.AWAITING_APPROVAL, state))
        made: list[ProposalMoved | PolicyDecided] = [
            ProposalMoved(proposal=proposal.id, run=self._run, digest=digest, before=before, after=after, code="moved")
            for before, after in moves
        ]
        made.insert(1, self._decided(proposal))
        shown = CardShown(proposal=proposal.id, digest=digest, decision_digest=decided, channel="console", viewer="sam")
        rest = self._each - len(made) - 1
        steps = [StepEnded(run=self._run, step=step, agent="catalog", code="ok", findings=3) for step in range(rest)]
        for event in (*made, shown, *steps):
            self._entry = unit.record(event)
            self.entries += 1
        if state is State.DONE:
            proposals.add_approval(
                unit.connection,
                ApprovalRecord(
                    proposal.id, digest, decided, "sam", "approve", self._ids.new("l"), "", at + 90 * _SECOND_US
                ),
            )

    def _decided(self, proposal: Proposal) -> PolicyDecided:
        salted = self._ids.salt() * 2
        return PolicyDecided(
            run=self._run,
            tool=proposal.tool,
            effect="write",
            proposal=proposal.id,
            occasion="propose",
            decision="require_approval",
            decision_digest=self._decision.digest(),
            reasons=("changes_sensitivity",),
            rules=("R07",),
            policy_revision=self._decision.policy_revision,
            data_revision=self._decision.data_revision,
            engine=self._decision.engine,
            input=salted,
        )


def _decision(workspace: Workspace) -> Decision:
    engine, revisions = workspace.policy_in_force()
    return Decision(
        effect="require_approval",
        approvals=ApprovalsNeeded(
            all_of=(GroupQuorum(group="platform-owners", n=1),), exclude=("ana",), expires_s=30 * 24 * 3600
        ),
        reasons=(Reason(code="changes_sensitivity", message="Changes sensitivity tags.", rule="R07"),),
        policy_revision=revisions.policy,
        data_revision=revisions.data,
        engine=engine,
        input_digest="c" * 64,
    )


def _proposal(ids: Ids, run: str, number: int, at: int) -> Proposal:
    lines = "".join(
        f"+      - name: column_{number}_{line}\n+        description: What it holds.\n" for line in range(20)
    )
    path = f"models/area_{number % 50}/schema.yml"
    return Proposal(
        id=ids.new("p"),
        nonce=ids.salt(),
        run=run,
        requester="ana",
        contributors=("ana",),
        agent=("catalog", "triage", "incident")[number % 3],
        step=1,
        tool="open_pull_request",
        tool_version="1",
        tool_schema="d" * 64,
        args={"title": "Document it", "files": [{"path": path, "content": lines.replace("+", "")}]},
        provenance=(),
        resource=_PLACE,
        content=(),
        preview=f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,0 +1,40 @@\n{lines}",
        labels=(),
        files=(FileChange(path=path, added=40, removed=0),),
        rollback=RollbackPlan(text="Close the pull request."),
        evidence=(),
        findings=(),
        target=Target(kind="repository", id="dbt", version="e" * 40),
        why="It is not documented.",
        created_us=at,
    )
