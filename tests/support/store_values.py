"""Small, valid values for tests of rows."""

from typing import Any

from twokey.core import canonical
from twokey.core.values import (
    ApprovalsNeeded,
    Decision,
    Evidence,
    FileChange,
    GroupQuorum,
    Proposal,
    Reason,
    Request,
    Resource,
    RollbackPlan,
    Target,
)

RUN = "r-000000000001"
PROPOSAL = "p-000000000001"
EVIDENCE = "e-000000000001"
PLACE = Resource(kind="repository", id="dbt", granted_by="config")
SALT = "0" * 31 + "1"


def request(**changes: Any) -> Request:
    fields: dict[str, Any] = {"text": "document it", "intent": "catalog_propose", "channel": "cli", "requester": "ana"}
    return Request.model_validate(fields | changes)


def proposal(**changes: Any) -> Proposal:
    fields: dict[str, Any] = {
        "id": PROPOSAL,
        "nonce": SALT,
        "run": RUN,
        "requester": "ana",
        "contributors": ("ana",),
        "agent": "catalog",
        "step": 2,
        "tool": "open_pull_request",
        "tool_version": "1",
        "tool_schema": "a" * 64,
        "args": {"title": "Document it", "files": [{"path": "a.yml", "content": "é\n"}]},
        "provenance": (),
        "resource": PLACE,
        "content": (),
        "preview": "+ é",
        "labels": (),
        "files": (FileChange(path="a.yml", added=1, removed=0),),
        "rollback": RollbackPlan(text="Close the pull request."),
        "evidence": (),
        "findings": (),
        "target": Target(kind="repository", id="dbt", version="b" * 40),
        "why": "It is not documented.",
        "created_us": 5,
    }
    return Proposal.model_validate(fields | changes)


def decision(**changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "effect": "require_approval",
        "approvals": ApprovalsNeeded(all_of=(GroupQuorum(group="owners", n=1),), exclude=("ana",)),
        "reasons": (Reason(code="needs_approval", message="A person has to agree.", rule="R01"),),
        "policy_revision": "c" * 64,
        "data_revision": "d" * 64,
        "engine": "embedded 1",
        "input_digest": "e" * 64,
    }
    return Decision.model_validate(fields | changes)


def evidence(content: canonical.Json, **changes: Any) -> Evidence:
    fields: dict[str, Any] = {
        "id": EVIDENCE,
        "run": RUN,
        "tool": "read_catalog",
        "origin": "dbt",
        "trusted": False,
        "summary": "one file",
        "sha256": canonical.digest(content),
        "salt": SALT,
        "commitment": canonical.commitment(SALT, content),
        "created_us": 3,
    }
    return Evidence.model_validate(fields | changes)
