"""Proposals as a person meets them, made of plain values: without a database, a policy or a run."""

import dataclasses
from typing import Any

from twokey.channels.card import Card
from twokey.core.lifecycle import State
from twokey.core.values import (
    ApprovalsNeeded,
    Checkpoint,
    ContentHash,
    Decision,
    Evidence,
    EvidenceRef,
    FileChange,
    Finding,
    GroupQuorum,
    Proposal,
    Reason,
    Request,
    Resource,
    RollbackPlan,
    Target,
)
from twokey.store.proposals import ApprovalRecord, ProposalRecord
from twokey.store.runs import RunRecord

NOW = 1_767_225_600_000_000
RUN, ID, SEEN = "r-000000000001", "p-000000000001", "e-000000000001"
DIFF = """\
diff --git a/models/schema.yml b/models/schema.yml
--- a/models/schema.yml
+++ b/models/schema.yml
@@ -1,2 +1,3 @@
 models:
-  - name: a
+  - name: b
"""


def proposal(**changes: Any) -> Proposal:
    """A change of one file; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "id": ID,
        "nonce": "0" * 32,
        "run": RUN,
        "requester": "ana",
        "contributors": ("ana",),
        "agent": "catalog",
        "step": 2,
        "tool": "open_pull_request",
        "tool_version": "1",
        "tool_schema": "a" * 64,
        "args": {"branch": "twokey/1"},
        "provenance": (),
        "resource": Resource(kind="repository", id="/dbt", granted_by="request"),
        "content": (ContentHash(name="tree", hash="git:" + "b" * 40),),
        "preview": f"title   Document b\nbranch  twokey/1 -> main\n\n{DIFF}",
        "labels": ("changes_sensitivity",),
        "files": (FileChange(path="models/schema.yml", added=1, removed=1),),
        "rollback": RollbackPlan(text="Close the pull request.\nDelete the branch."),
        "evidence": (EvidenceRef(id=SEEN, sha256="c" * 64),),
        "findings": (
            finding(1, "b.mail is personal.", attention=True),
            finding(2, "b has one row per person."),
        ),
        "target": Target(kind="repository", id="/dbt", version="4be1c02" + "0" * 33),
        "why": "One column is personal and not marked.",
        "created_us": NOW,
    }
    return Proposal.model_validate(fields | changes)


def finding(number: int, claim: str, *, attention: bool = False, kind: str = "describes") -> Finding:
    """Something that was found."""
    return Finding(
        id=f"f-{number}", subject="b", kind=kind, claim=claim, evidence=(SEEN,), confidence=90, attention=attention
    )


def decision(effect: str = "require_approval", **changes: Any) -> Decision:
    """Policy's answer."""
    needed = ApprovalsNeeded(all_of=(GroupQuorum(group="platform-owners", n=1),), exclude=("ana",))
    fields: dict[str, Any] = {
        "effect": effect,
        "approvals": needed if effect == "require_approval" else None,
        "reasons": (Reason(code="changes_sensitivity", message="Changes sensitivity tags.", rule="R07"),),
        "policy_revision": "d" * 64,
        "data_revision": "e" * 64,
        "engine": "embedded",
        "input_digest": "f" * 64,
    }
    return Decision.model_validate(fields | changes)


def record(
    made: Proposal | None = None,
    decided: Decision | None = None,
    *,
    state: State = State.AWAITING_APPROVAL,
    **more: Any,
) -> ProposalRecord:
    """The proposal as stored."""
    made, decided = made or proposal(), decided or decision()
    kept = ProposalRecord(
        id=made.id,
        run=made.run,
        digest="1" * 64,
        state=state,
        proposal=made,
        decision=decided,
        decision_digest="2" * 64,
        expires_us=NOW + 86_400_000_000,
        code="needs_approval",
        result=None,
        created_us=NOW,
        updated_us=NOW,
    )
    return dataclasses.replace(kept, **more)


def card(kept: ProposalRecord | None = None, *, answers: tuple[ApprovalRecord, ...] = (), bare: bool = False) -> Card:
    """The card; a ``bare`` one has neither evidence nor a checkpoint."""
    seen = Evidence(
        id=SEEN,
        run=RUN,
        tool="query_warehouse",
        origin="app",
        trusted=False,
        summary="b.mail: 50 of 50 values are e-mail addresses",
        sha256="c" * 64,
        salt="0" * 32,
        commitment="3" * 64,
        created_us=NOW,
    )
    checkpoint = Checkpoint(size=1204, root="9c41" + "0" * 56 + "a1e7", note="")
    return Card(kept or record(), () if bare else (seen,), answers, None if bare else checkpoint)


def answer(principal: str = "sam", action: Any = "approve") -> ApprovalRecord:
    """An answer on record."""
    return ApprovalRecord(
        proposal=ID,
        proposal_digest="1" * 64,
        decision_digest="2" * 64,
        principal=principal,
        action=action,
        entry="l-000000000001",
        reason="",
        at_us=NOW + 60_000_000,
    )


def run(state: Any = "waiting", code: str = "waits_for_people") -> RunRecord:
    """The run as stored."""
    return RunRecord(
        id=RUN,
        requester="ana",
        auth="key",
        channel="cli",
        state=state,
        request=Request(text="", intent="catalog_propose", channel="cli", requester="ana"),
        places=(),
        code=code,
        message="",
        created_us=NOW,
        updated_us=NOW,
    )
