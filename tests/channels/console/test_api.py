"""The API as its own description has it: whatever is asked, the answer is one that is described, and no fault."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.console import ADDRESS, ORIGIN, Browser, Console

EXAMPLES = 8
HEALTH = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_answer_is_described_and_none_is_a_fault(console: Console):
    host = {"host": ADDRESS.removeprefix("http://")}
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", console.app, headers=host)
    session = console.browser("sam").client.cookies["twokey_session"]
    known = {**ORIGIN, **host, "cookie": f"twokey_session={session}"}
    answered: set[int] = set()
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=HEALTH)
            @given(case=operation.as_strategy(generation_mode=mode))
            def attempt(case: Any) -> None:
                for headers in (known, {**ORIGIN, **host}):
                    answer = case.call_and_validate(headers=headers, checks=CHECKS)
                    answered.add(answer.status_code)

            if mode is GenerationMode.POSITIVE or operation.query or operation.path_parameters or operation.body:
                attempt()
    assert len(operations) > 15
    assert {200, 400, 401, 404} <= answered


def test_who_reads_sees_nothing_that_only_another_may_do(console: Console, proposal: str):
    """What belongs to one person's browser is no use to another's; what one asked, another cannot take back."""
    ana, sam = console.browser("ana"), console.browser("sam")
    asked = ana.post("/api/requests", {"text": "scan the warehouse"}).json()["run"]
    stolen = sam.post("/api/requests", {"text": "scan the warehouse"}, csrf=ana.csrf)
    assert (stolen.status_code, stolen.json()["error"]["code"]) == (409, "other_session")
    cancelled = sam.submit(f"/runs/{asked}/cancel", {})
    assert cancelled.status_code == 409
    assert ana.get(f"/api/runs/{asked}").json()["run"]["state"] == "running"
    for path in ("/api/proposals/" + proposal, f"/api/runs/{asked}", "/api/log-state"):
        assert console.browser().get(path).status_code == 401
    mixed = Browser(console.app)
    mixed.client.cookies.set(
        "twokey_session", sam.client.cookies["twokey_session"][:16] + ana.client.cookies["twokey_session"][16:]
    )
    assert mixed.get("/api/log-state").status_code == 401


def test_an_id_of_one_kind_is_none_of_another(console: Console, proposal: str):
    sam = console.browser("sam")
    evidence = sam.get("/api/catalog").json()["warehouses"][0]["evidence"]
    for path in (
        f"/api/evidence/p-{proposal}",
        f"/api/runs/p-{proposal}",
        f"/api/log/{evidence}/proof",
        "/api/evidence/..%2F..%2Ftwokey.toml",
        "/api/evidence/e-%00%00%00%00%00%00%00%00%00%00%00%00",
        "/evidence/../../etc/passwd",
        "/incidents/r-000000000000/..%2f..%2fx.svg",
    ):
        assert sam.get(path).status_code in {303, 400, 404}, path
