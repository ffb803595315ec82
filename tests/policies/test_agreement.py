"""The embedded engine and a real OPA server give the same decision on every call."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.origins import origins

from twokey.core.values import Call
from twokey.policies.bundle import Bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.engines.managed import Managed
from twokey.policies.facts import ROOT
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
MOSTLY = st.sampled_from([True, True, True, False])
ENTRY = st.fixed_dictionaries(
    {
        "path": st.sampled_from([*PLACES, "title", "title"]),
        "label": st.sampled_from(LABELS),
        "trusted": MOSTLY,
        "same_resource": MOSTLY,
    }
)
FOUND = st.sampled_from([[]] * 5 + [["branch"], ["title"], ["files.path", "repository"]])
SOUND = origins(**{path.replace(".", "__"): "code" for path in PLACES})
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
FIELDS = st.sampled_from(
    [[]] * 3 + [[{"kind": kind, "count": n}] for kind, n in (("personal", 3), ("personal", 4), ("secret", 0), ("x", 1))]
)
CHANGE = st.fixed_dictionaries(
    {
        "proposal": st.just("p-000000000001"),
        "contributors": st.lists(NAMES, max_size=3),
        "files": FILES,
        "labels": st.sampled_from(
            [
                [],
                ["adds_files"],
                ["changes_sensitivity"],
                ["links_elsewhere"],
                ["changes_ci", "novel"],
                ["changes_policy", "novel"],
            ]
        ),
        "evidence": st.sampled_from([0, 1, 1, 1, 9]),
        "rollback": MOSTLY,
        "copied": FOUND,
        "mentioned": FOUND,
        "fields": FIELDS,
    }
)
USAGE = st.fixed_dictionaries(
    {
        "proposals": st.sampled_from([0, 0, 1, 2, 3]),
        "writes": st.sampled_from([0, 0, 4, 5]),
        "files": st.sampled_from([0, 0, 297, 300]),
        "lines": st.sampled_from([0, 0, 29_999, 2**53 - 1]),
        "cost": st.sampled_from([0, 0, 0, 999, 1000]),
    }
)
COUNTERS = st.one_of(
    st.just({}),
    st.none(),
    st.fixed_dictionaries(dict.fromkeys(("run", "requester_hour", "hour", "day"), USAGE)),
)
FROST = 1_767_225_600_000_000
"""When the freeze of ``rules`` begins: the new year of 2026, in UTC."""
TIMES = st.one_of(st.integers(0, 2**53 - 1), st.sampled_from([0, FROST - 1, FROST, FROST + 3_600_000_000]))
EXCEPTIONS = st.sampled_from([[], [], ["large"], ["frost_off"], ["large", "frost_off", "novel"]])
GLASS = st.sampled_from(
    [None, None, {"id": "g-000000000001", "opened_by": "rita", "until_us": FROST}],
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
        "counters": COUNTERS,
        "exceptions": EXCEPTIONS,
        "frozen": st.booleans(),
        "break_glass": GLASS,
        "now_us": TIMES,
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
            "counters": parts["counters"],
            "exceptions": parts["exceptions"],
            "frozen": parts["frozen"],
            "break_glass": parts["break_glass"] if parts["effect"] == "write" else None,
            "now_us": parts["now_us"],
        }
    )


def variants(parts: dict[str, Any]) -> list[Call]:
    """Give the drawn call as read and as write, and mended so far that only some of what was drawn decides."""
    mended = {
        **parts,
        "groups": ["data-owners"],
        "version": "1",
        "schema": SCHEMA,
        "tool": 0,
        "kind": None,
        "granted_by": "config",
        "args": {"repository": parts["id"], "branch": parts["id"], "title": parts["id"]},
        "effect": "write",
    }
    change: dict[str, Any] = {**parts["change"], "evidence": 1, "rollback": True, "copied": [], "mentioned": []}
    small = {**change, "files": change["files"][:3], "fields": []}
    idle = {"counters": {}, "now_us": parts["now_us"] % 1000, "exceptions": []}
    return [
        call({**parts, "effect": "read"}),
        call({**parts, "effect": "write"}),
        call({**mended, **idle, "provenance": SOUND, "id": "ml/churn", "change": small}),
        call(
            {
                **mended,
                **idle,
                "provenance": [*SOUND, *parts["provenance"]],
                "change": {**small, "copied": parts["change"]["copied"]},
            }
        ),
        call({**mended, "provenance": SOUND, "id": "ml/churn", "change": change}),
    ]


def rules(bundle: Bundle) -> Bundle:
    """The bundle with data in which each part decides something."""
    document = bundle.document()
    frost = {"name": "frost", "from": "2026-01-01T00:00", "until": "2026-01-01T01:00", "zone": "UTC"}
    exception = {
        "until": "2100-01-01T00:00",
        "zone": "UTC",
        "why": "It moves.",
        "signer": "sam",
        "signature": "0" * 128,
    }
    document[ROOT] |= {
        "classes": [
            {"kind": "repository", "id": "payments", "class": "restricted"},
            {"kind": "repository", "under": "ml/", "class": "confidential"},
        ],
        "field_limits": [
            {"kind": "personal", "classes": [], "most": 3},
            {"kind": "secret", "classes": ["restricted"], "most": 1},
        ],
        "budgets": [
            {"over": "run", "measure": "proposals", "most": 3},
            {"over": "requester_hour", "measure": "files", "most": 300},
            {"over": "hour", "measure": "lines", "most": 30_000},
            {"over": "hour", "measure": "writes", "most": 5},
            {"over": "day", "measure": "cost", "most": 1000},
        ],
        "freezes": [frost, {**frost, "name": "ice", "until": "2026-01-01T02:00", "environments": ["production"]}],
        "exceptions": [
            {**exception, "name": "large", "rule": "R10", "scope": {"kind": "repository", "tool": "open_pull_request"}},
            {**exception, "name": "frost_off", "rule": "R25", "scope": {"requester": "ana"}},
        ],
    }
    return bundle.with_data(document)


@pytest.fixture(scope="module")
def guards(bundle: Bundle, opa: Path, opa_sha256: str, coverage_variables: dict[str, str]) -> Iterator[list[Guard]]:
    held = rules(bundle)
    engines = (
        Embedded(held, deadline_s=10, environment=coverage_variables),
        Managed(held, binary=opa, sha256=opa_sha256, deadline_s=10, environment=coverage_variables),
    )
    yield [Guard(engine) for engine in engines]
    for engine in engines:
        engine.close()


CODES = {
    *("argument_unlisted", "budget_used", "change_freeze", "changes_sensitivity", "content_untrusted", "cost_used"),
    *("content_without_provenance", "escalated", "evidence_missing", "exception", "forbidden_change"),
    "kind_not_in_contract",
    *("break_glass", "place_untrusted", "place_without_provenance", "raised_quorum", "read_in_contract"),
    *("requester_unknown", "resource_not_granted", "resource_unclear", "rollback_missing", "tool_not_listed"),
    *("too_large", "too_many_fields", "write_needs_people"),
}
"""Every code of the bundle but those that no call can have: its names fit, its effect is known, its risks exist."""


@pytest.mark.opa
@pytest.mark.parametrize("calls", [1000, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])])
def test_both_engines_agree(guards: list[Guard], calls: int) -> None:
    here, there = guards
    effects: set[str] = set()
    codes: set[str] = set()
    inputs: list[str] = []

    @settings(
        max_examples=calls // 5,
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
    assert len(inputs) >= calls
    assert len(set(inputs)) > calls // 2
    assert effects == {"allow", "deny", "require_approval"}
    assert codes == CODES
