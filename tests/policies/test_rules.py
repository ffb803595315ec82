"""The rules as tables: who asks, what for, and what policy answers. Evaluated by the embedded engine."""

from collections.abc import Callable
from typing import Any

import pytest
from support.origins import origins

from twokey.core.values import Call, Decision
from twokey.policies.bundle import Bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.facts import ROOT
from twokey.policies.guard import Guard


def _codes(decision: Decision) -> set[str]:
    return {reason.code for reason in decision.reasons}


@pytest.mark.parametrize(
    ("kind", "name", "groups"),
    [
        ("repository", "dbt", {"platform-owners"}),
        ("repository", "payments", {"data-owners"}),
        ("repository", "payments-old", {"platform-owners"}),
        ("repository", "ml/churn", {"ml-owners"}),
        ("repository", "ml", {"platform-owners"}),
        ("repository", "mlops", {"platform-owners"}),
        ("repository", "ml/payments", {"ml-owners", "data-owners"}),
        ("tickets", "anything", {"on-call"}),
    ],
)
def test_the_owning_group_decides(
    embedded: Embedded, write: Callable[..., Call], kind: str, name: str, groups: set[str]
) -> None:
    tool = {"repository": "open_pull_request", "tickets": "update_ticket"}[kind]
    arguments = {"repository": {"repository": name}, "tickets": {"ticket": name}}[kind]
    call = write(
        tool=tool,
        args=arguments,
        provenance=origins(**dict.fromkeys(arguments, "request")),
        resource={"kind": kind, "id": name, "granted_by": "config"},
    )
    decision = Guard(embedded).decide(call)
    assert decision.effect == "require_approval"
    assert decision.approvals is not None
    assert {quorum.group for quorum in decision.approvals.all_of} == groups


@pytest.mark.parametrize(
    ("groups", "granted_by", "effect", "answer"),
    [
        (["members"], "config", "read", "allow"),
        (["members"], "request", "read", "allow"),
        (["strangers", "members"], "request", "read", "allow"),
        (["strangers"], "config", "read", "requester_unknown"),
        ([], "config", "read", "requester_unknown"),
        (["members"], "config", "write", "require_approval"),
        (["members"], "request", "write", "resource_not_granted"),
        (["ml-owners"], "request", "write", "require_approval"),
        (["strangers"], "config", "write", "requester_unknown"),
    ],
)
def test_who_may_name_what(
    embedded: Embedded,
    read: Callable[..., Call],
    write: Callable[..., Call],
    groups: list[str],
    granted_by: str,
    effect: str,
    answer: str,
) -> None:
    build, kind = (read, "warehouse") if effect == "read" else (write, "repository")
    call = build(
        requester={"name": "ana", "groups": groups}, resource={"kind": kind, "id": "dbt", "granted_by": granted_by}
    )
    decision = Guard(embedded).decide(call)
    assert answer in {decision.effect, *_codes(decision)}
    assert (decision.effect == "deny") == (answer not in {"allow", "require_approval"})


@pytest.mark.parametrize(
    ("labels", "environment", "people", "seconds", "codes"),
    [
        ([], "default", 1, 86400, set[str]()),
        (["adds_files"], "staging", 1, 86400, set[str]()),
        (["changes_sensitivity"], "default", 1, 86400, {"changes_sensitivity"}),
        (["novel"], "default", 1, 86400, set[str]()),
        (["changes_ci"], "default", 2, 14400, {"raised_quorum"}),
        (["changes_ci", "novel"], "default", 2, 14400, {"raised_quorum"}),
        (["novel", "changes_ci"], "default", 2, 14400, {"raised_quorum"}),
        ([], "production", 2, 14400, {"raised_quorum"}),
        (["changes_sensitivity"], "production", 2, 14400, {"raised_quorum", "changes_sensitivity"}),
    ],
)
def test_the_strictest_risk_counts(
    embedded: Embedded,
    write: Callable[..., Call],
    labels: list[str],
    environment: str,
    people: int,
    seconds: int,
    codes: set[str],
) -> None:
    resource = {"kind": "repository", "id": "dbt", "granted_by": "config", "environment": environment}
    decision = Guard(embedded).decide(write(labels=labels, resource=resource, contributors=["kim", "ana"]))
    assert decision.approvals is not None
    assert decision.approvals.canonical() == {
        "all_of": [{"group": "platform-owners", "n": people}],
        "exclude": ["ana", "kim"],
        "distinct": True,
        "expires_s": seconds,
        "max_uses": 1,
        "binds": ["proposal_digest", "decision_digest"],
        "auth": ["key"] if people == 2 else ["key", "slack"],
    }
    assert _codes(decision) == {"write_needs_people", *codes}
    assert decision.warnings == (("unlisted_label",) if "novel" in labels else ())


@pytest.mark.parametrize(
    ("label", "groups", "people"),
    [
        ("adds_source", {"platform-owners"}, 1),
        ("breaks_contract", {"platform-owners"}, 1),
        ("promotes_model", {"platform-owners", "model-owners", "risk-owners"}, 2),
    ],
)
def test_who_a_change_concerns_has_to_agree(
    embedded: Embedded, write: Callable[..., Call], label: str, groups: set[str], people: int
) -> None:
    """A model is promoted by its owners and by those who own the risk, beside the owners of where it is written."""
    decision = Guard(embedded).decide(write(labels=[label]))
    assert decision.approvals is not None
    assert {quorum.group for quorum in decision.approvals.all_of} == groups
    assert next(quorum.n for quorum in decision.approvals.all_of if quorum.group == "platform-owners") == people
    assert ("escalated" in _codes(decision)) == (len(groups) > 1)


@pytest.mark.parametrize(
    ("labels", "environment", "together"),
    [
        (["labels_ticket", "assigns_ticket"], "default", ("sorts_tickets", 20)),
        (["labels_ticket", "comments_ticket"], "default", ("asks_back", 10)),
        (["labels_ticket", "closes_ticket"], "default", None),
        (["security_report", "labels_ticket"], "default", None),
        (["labels_ticket", "novel"], "default", None),
        (["labels_ticket"], "production", None),
        ([], "default", None),
    ],
)
def test_what_is_of_one_kind_and_of_low_risk_may_be_answered_together(
    embedded: Embedded,
    write: Callable[..., Call],
    labels: list[str],
    environment: str,
    together: tuple[str, int] | None,
) -> None:
    resource = {"kind": "tickets", "id": "desk", "granted_by": "config", "environment": environment}
    call = write(
        tool="update_ticket",
        labels=labels,
        args={"ticket": "OPS-1"},
        provenance=origins(ticket="request"),
        resource=resource,
    )
    decision = Guard(embedded).decide(call)
    assert decision.approvals is not None
    batch = decision.approvals.batch
    assert (batch and (batch.kind, batch.most)) == together
    assert ("answered_in_batch" in _codes(decision)) == (together is not None)


LARGE = [{"path": "a.yml", "added": 9_000, "removed": 1_001}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rollback": False}, "rollback_missing"),
        ({"evidence": 0}, "evidence_missing"),
        ({"files": LARGE}, "too_large"),
        ({"files": [{"path": f"{n}.yml", "added": 0, "removed": 0} for n in range(201)]}, "too_large"),
        ({"version": "2"}, "tool_not_listed"),
        ({"tool_schema": "ff" * 32}, "tool_not_listed"),
        ({"tool": "rewrite_history"}, "tool_not_listed"),
        ({"tool": "query_warehouse"}, "tool_not_listed"),
        ({"resource": {"kind": "tickets", "id": "dbt", "granted_by": "config"}}, "kind_not_in_contract"),
        ({"resource": {"kind": "repository", "id": "ml/../payments", "granted_by": "config"}}, "resource_unclear"),
        ({"args": {"repository": "dbt", "push_url": "https://evil.example"}}, "argument_unlisted"),
        ({"args": {"repository": "dbt", "base_branch": "main"}}, "place_without_provenance"),
        ({"provenance": []}, "place_without_provenance"),
        ({"provenance": []}, "content_without_provenance"),
        ({"provenance": origins(repository="model")}, "place_untrusted"),
        ({"provenance": origins(repository="untrusted")}, "place_untrusted"),
        ({"provenance": origins(branch__name="untrusted")}, "place_untrusted"),
        ({"provenance": [{"path": "repository", "label": "config"}]}, "place_untrusted"),
        ({"copied": ["branch"]}, "place_untrusted"),
        ({"provenance": origins(title="model")}, "content_untrusted"),
    ],
)
def test_a_write_that_lacks_something_is_denied(
    embedded: Embedded, write: Callable[..., Call], changes: dict[str, Any], code: str
) -> None:
    decision = Guard(embedded).decide(write(**changes))
    assert decision.effect == "deny"
    assert code in _codes(decision)
    assert decision.approvals is None


def test_the_path_of_a_file_is_a_place_and_its_content_is_not(embedded: Embedded, write: Callable[..., Call]) -> None:
    arguments = {"repository": "dbt", "files": [{"path": "a.yml", "content": "x"}]}
    sound = origins(repository="config", files__path="code", files__mode="code")
    guard = Guard(embedded)
    resting = {"path": "files.content", "label": "evidence", "trusted": False}
    assert guard.decide(write(args=arguments, provenance=[*sound, resting])).effect == "require_approval"
    model = origins(files__content="model")
    assert _codes(guard.decide(write(args=arguments, provenance=[*sound, *model]))) == {"content_untrusted"}
    whole = origins(files="model")
    assert _codes(guard.decide(write(args=arguments, provenance=[*sound, *whole]))) == {
        "content_untrusted",
        "place_untrusted",
    }


def test_without_a_pinned_tool_nothing_is_allowed(
    bundle: Bundle, coverage_variables: dict[str, str], read: Callable[..., Call], write: Callable[..., Call]
) -> None:
    document = bundle.document()
    document[ROOT]["tools"] = []
    engine = Embedded(bundle.with_data(document), deadline_s=10, environment=coverage_variables)
    try:
        guard = Guard(engine)
        assert _codes(guard.decide(read())) == _codes(guard.decide(write())) == {"tool_not_listed"}
    finally:
        engine.close()
