"""The embedded engine and a real OPA server give the same decision on every call."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from twokey.core.values import Call
from twokey.policies.engines.embedded import Embedded
from twokey.policies.engines.managed import Managed
from twokey.policies.guard import Guard

SCHEMA = "00aa" * 16
NAMES = st.sampled_from(["ana", "sam", "kim", "bot-1"])
TEXTS = st.one_of(
    st.sampled_from(
        ['"', "\\", "\n", '"}],"effect":"allow"', "`", "{{x}}", "$(id)", "\u202e", "\x00", "https://e.example"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
PLACES = ["repository", "base_branch", "branch", "files", "files.path", "tickets", "ticket", "title", "nowhere"]
IDS = st.one_of(
    st.sampled_from(["dbt", "payments", "ml/churn", "ml/payments", "ml", "a/../ml/x", "..", "./ml/x", "ml//x"]),
    TEXTS.filter(bool),
)
VALUES = st.one_of(
    st.sampled_from(
        [None, True, False, 0, -(2**53) + 1, 2**53 - 1, [], {}, [None], {"a": {"b": [1, "x"]}}, ["a", "b"]]
    ),
    TEXTS,
)
KINDS = ["warehouse", "catalog", "repository", "tickets", "telemetry", "runbooks"]


LABELS = ["request", "config", "code", "evidence", "code", "model", "untrusted"]
ENTRY = st.fixed_dictionaries({"path": st.sampled_from(PLACES), "label": st.sampled_from(LABELS)})
SOUND = [{"path": path, "label": "code"} for path in PLACES]
WRITES, READS = ["open_pull_request", "update_ticket"], ["query_warehouse", "search_tickets"]
HOMES = {"open_pull_request": "repository", "update_ticket": "tickets", "query_warehouse": "warehouse"}


def _files(path: str, number: int, lines: int) -> list[dict[str, Any]]:
    return [{"path": path, "added": lines, "removed": 1}] * number


FILES = st.builds(
    _files,
    TEXTS.filter(bool),
    st.sampled_from([0, 1, 2, 3, 199, 200, 201]),
    st.sampled_from([0, 1, 48, 49, 50, 5000, 9999, 10_000, 2**53 - 1]),
)
CHANGE = st.fixed_dictionaries(
    {
        "proposal": st.just("p-000000000001"),
        "contributors": st.lists(NAMES, max_size=3),
        "files": FILES,
        "labels": st.sampled_from(
            [[], ["adds_files"], ["changes_sensitivity"], ["changes_ci", "novel"], ["novel", "changes_sensitivity"]]
        ),
        "evidence": st.sampled_from([0, 1, 1, 1, 9]),
        "rollback": st.sampled_from([True, True, True, False]),
    }
)
PARTS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "groups": st.sampled_from([["members"], ["data-owners", "members"], ["data-owners"], ["strangers"], []]),
        "tool": st.integers(0, 7),
        "version": st.sampled_from(["1", "1", "1", "2.1"]),
        "schema": st.sampled_from([SCHEMA, SCHEMA, SCHEMA, "ff" * 32]),
        "args": st.dictionaries(
            st.sampled_from(["repository", "branch", "title", "ticket", "remote"]), VALUES, max_size=3
        ),
        "provenance": st.lists(ENTRY, max_size=3),
        "kind": st.sampled_from([None] * 6 + KINDS),
        "id": IDS,
        "granted_by": st.sampled_from(["config", "config", "request"]),
        "environment": st.sampled_from(["default", "production", "staging"]),
        "change": CHANGE,
        "now_us": st.integers(0, 2**53 - 1),
    }
)


def call(parts: dict[str, Any]) -> Call:
    tool = (WRITES * 3 + READS if parts["effect"] == "write" else READS * 3 + WRITES)[parts["tool"]]
    return Call.model_validate(
        {
            "requester": {"name": parts["name"], "groups": parts["groups"]},
            "agent": "catalog",
            "run": "r-000000000001",
            "step": 1,
            "tool": tool,
            "version": "2.1" if tool == "search_tickets" else parts["version"],
            "tool_schema": parts["schema"],
            "effect": parts["effect"],
            "args": parts["args"],
            "provenance": parts["provenance"],
            "resource": {
                "kind": parts["kind"] or HOMES.get(tool, "tickets"),
                "id": parts["id"],
                "granted_by": parts["granted_by"],
                "environment": parts["environment"],
            },
            "change": parts["change"] if parts["effect"] == "write" else None,
            "now_us": parts["now_us"],
        }
    )


def variants(parts: dict[str, Any]) -> list[Call]:
    """Give the drawn call as read and as write, and twice mended so far that only some of what was drawn decides."""
    mended = {
        **parts,
        "groups": ["data-owners"],
        "version": "1",
        "schema": SCHEMA,
        "tool": 0,
        "kind": None,
        "granted_by": "config",
        "args": {"repository": parts["id"], "branch": parts["id"]},
    }
    change = {**parts["change"], "evidence": 1, "rollback": True, "files": parts["change"]["files"][:3]}
    return [
        call({**parts, "effect": "read"}),
        call({**parts, "effect": "write"}),
        call({**mended, "effect": "write", "provenance": SOUND, "id": "ml/churn", "change": change}),
        call({**mended, "effect": "write", "provenance": [*SOUND, *parts["provenance"]]}),
    ]


@pytest.mark.opa
def test_both_engines_agree_on_2000_calls(embedded: Embedded, managed: Managed) -> None:
    here, there = Guard(embedded), Guard(managed)
    effects: set[str] = set()
    codes: set[str] = set()
    inputs: list[str] = []

    @settings(
        max_examples=500,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(PARTS)
    def compare(parts: dict[str, Any]) -> None:
        for asked in variants(parts):
            first, second = here.decide(asked), there.decide(asked)
            assert first.model_copy(update={"engine": "x"}) == second.model_copy(update={"engine": "x"})
            assert first.reasons[0].code != "engine_fault"
            assert asked.effect != "write" or first.effect != "allow"
            effects.add(first.effect)
            codes.update(reason.code for reason in first.reasons)
            inputs.append(first.input_digest)

    compare()
    assert len(inputs) >= 2000
    assert len(set(inputs)) > 1500
    assert effects == {"allow", "deny", "require_approval"}
    assert codes == {
        *("argument_unlisted", "changes_sensitivity", "evidence_missing", "kind_not_in_contract", "place_untrusted"),
        *("place_without_provenance", "raised_quorum", "read_in_contract", "requester_unknown", "resource_not_granted"),
        *("resource_unclear", "rollback_missing", "tool_not_listed", "too_large", "write_needs_people"),
    }
