"""The pinned OPA, a bundle with pinned tools, calls to decide on, and a server that can be told to misbehave."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.broken_opa import BrokenOpa
from support.measuring import MEASURING
from support.origins import origins

from twokey.core.values import Call
from twokey.policies import bundle as bundles
from twokey.policies.bundle import Bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.engines.managed import Managed
from twokey.policies.facts import ROOT as FACTS_ROOT
from twokey.policies.facts import with_tools

SCHEMA = "00aa" * 16
TOOLS = [
    ("query_warehouse", "1", "read", SCHEMA),
    ("search_tickets", "2.1", "read", SCHEMA),
    ("open_pull_request", "1", "write", SCHEMA),
    ("update_ticket", "1", "write", SCHEMA),
]


@pytest.fixture(scope="session")
def coverage_variables() -> dict[str, str]:
    """What a child process needs of our environment so that its lines are counted; nothing without coverage."""
    return MEASURING.variables


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """Twokey's own rules over its own data, with owners and a few tools pinned."""
    own = bundles.load()
    document = own.document()
    document[FACTS_ROOT]["owners"] = [
        {"kind": "repository", "id": "payments", "group": "data-owners"},
        {"kind": "repository", "under": "ml/", "group": "ml-owners"},
        {"kind": "repository", "id": "ml/payments", "group": "data-owners"},
        {"kind": "tickets", "under": "", "group": "on-call"},
    ]
    return own.with_data(with_tools(document, TOOLS))


@pytest.fixture(scope="session")
def embedded(bundle: Bundle, coverage_variables: dict[str, str]) -> Iterator[Embedded]:
    engine = Embedded(bundle, deadline_s=10, environment=coverage_variables)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def managed(bundle: Bundle, opa: Path, opa_sha256: str, coverage_variables: dict[str, str]) -> Iterator[Managed]:
    engine = Managed(bundle, binary=opa, sha256=opa_sha256, deadline_s=10, environment=coverage_variables)
    yield engine
    engine.close()


def _fields(**changes: Any) -> dict[str, Any]:
    return {
        "requester": {"name": "ana", "groups": ["members"]},
        "agent": "catalog",
        "run": "r-000000000001",
        "step": 1,
        "version": "1",
        "tool_schema": SCHEMA,
        "counters": {},
        "now_us": 1_767_225_600_000_000,
        **changes,
    }


@pytest.fixture(scope="session")
def read() -> Callable[..., Call]:
    """Build a read that policy allows, with some fields replaced."""

    def build(**changes: Any) -> Call:
        fields = _fields(
            tool="query_warehouse",
            effect="read",
            args={"sql": "select 1"},
            resource={"kind": "warehouse", "id": "main", "granted_by": "config"},
        )
        return Call.model_validate({**fields, **changes})

    return build


@pytest.fixture(scope="session")
def write() -> Callable[..., Call]:
    """Build a write that policy puts before people; names that belong to its change go there."""

    def build(**changes: Any) -> Call:
        change = {
            "proposal": "p-000000000001",
            "contributors": ["ana"],
            "files": [{"path": "models/churn.yml", "added": 3, "removed": 1}],
            "labels": [],
            "evidence": 2,
            "rollback": True,
            "copied": [],
            "mentioned": [],
        }
        inner = {name: changes.pop(name) for name in tuple(changes) if name in change}
        fields = _fields(
            tool="open_pull_request",
            effect="write",
            args={"repository": "dbt", "branch": "twokey/p-1", "title": "Document churn"},
            provenance=origins(repository="request", branch="code", title="evidence", body="evidence", files="code"),
            resource={"kind": "repository", "id": "dbt", "granted_by": "config"},
            change={**change, **inner},
        )
        return Call.model_validate({**fields, **changes})

    return build


@pytest.fixture
def broken_opa() -> Iterator[BrokenOpa]:
    server = BrokenOpa()
    yield server
    server.close()
