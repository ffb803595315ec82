"""What a decision costs, alone and a hundred thousand times over, on data of the size that a large team has.

``floor`` is the same document through the same worker process on a bundle of one constant rule: what is left beside it
is the cost of the rules. The replay reads a real log and store, of which every decision was recorded as ever. With
``quick`` fewer decisions are replayed and the time is scaled up; ``replayed`` says how many it were.
"""

import dataclasses
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

from twokey.channels import creation, opa_program, policy_work, wiring
from twokey.core import canonical
from twokey.core.errors import CheckFailed
from twokey.core.ports import PolicyEngine
from twokey.core.values import Call
from twokey.policies import bundle, decision, facts
from twokey.policies.bundle import Bundle
from twokey.policies.decision import FAULT_CODE, REVIEW
from twokey.policies.guard import Guard
from twokey.policies.input import build
from twokey.tools import recording, registry

DATA_BYTES: Final = 95_000
HUNDRED_THOUSAND: Final = 100_000
DEADLINE_S: Final = 0.1
WARM_UP: Final = 20
UNIT: Final = 500
ENGINES: Final = 2
START_US: Final = 1_767_225_600_000_000
_CONSTANT: Final = """package twokey

decision := {"effect": "deny", "approvals": null, "reasons": [{"code": "no", "message": "No.", "rule": "R99"}],
"obligations": [], "warnings": []}
"""


def policy(*, quick: bool) -> dict[str, Any]:
    """Measure; milliseconds but for ``replay_100k_s``.

    Raises:
        EnvironmentFault: there is no ``opa`` to start.
        CheckFailed: a decision was not taken, or did not come out the same again.

    """
    program = opa_program.needed(None)
    held = large_bundle()
    calls = list(made_calls(2_000))
    rounds = 500 if quick else 2_000
    alone = _timed(wiring.batch_engine(held, deadline_s=DEADLINE_S), calls, rounds)
    floor = _timed(wiring.batch_engine(_constant(held), deadline_s=DEADLINE_S), calls, rounds, guarded=False)
    server = _timed(wiring.managed_engine(held, program), calls, rounds // 2)
    replayed = 3_000 if quick else HUNDRED_THOUSAND
    seconds = _replay(held, replayed)
    return {
        "p50_ms": _quantile(alone, 50),
        "p99_ms": _quantile(alone, 99),
        "decisions_per_s": round(len(alone) / sum(alone)),
        "replay_100k_s": round(seconds * HUNDRED_THOUSAND / replayed, 1),
        "server_p50_ms": _quantile(server, 50),
        "server_p99_ms": _quantile(server, 99),
        "floor_p50_ms": _quantile(floor, 50),
        "floor_p99_ms": _quantile(floor, 99),
        "p50_vs_floor": round(statistics.median(alone) / statistics.median(floor), 2),
        "data_bytes": len(held.data),
        "decisions": len(alone),
        "replayed": replayed,
    }


def large_bundle() -> Bundle:
    """Twokey's own rules over data of a large team: 40 groups, 100 tools with their contracts, and owners to fill."""
    own = bundle.load()
    document = own.document()
    data: dict[str, Any] = document[facts.ROOT]
    groups = [*data["groups"], *(f"team-{number:02}" for number in range(40))]
    data["groups"] = groups
    data["may_name"] = {effect: dict.fromkeys(kinds, groups) for effect, kinds in data["may_name"].items()}
    tools = [(tool.name, tool.version, tool.effect, tool.schema_digest()) for tool in registry.installed({}).all()]
    for number in range(100):
        name = f"tool_of_a_plugin_{number:03}"
        tools.append((name, "1", "read", hashlib.sha256(name.encode()).hexdigest()))
        arguments = {
            "places": [f"place_{at}" for at in range(6)],
            "content": [f"text_{at}" for at in range(12)],
        }
        data["contracts"][name] = data["contracts"]["query_warehouse"] | arguments | {"kinds": ["warehouse"]}
    document = facts.with_tools(document, cast("Any", tools))
    owners: list[dict[str, str]] = document[facts.ROOT]["owners"]
    while len(canonical.encode(document)) < DATA_BYTES:
        number = len(owners)
        owners.append({"kind": "repository", "under": f"org/team-{number:04}/", "group": groups[number % len(groups)]})
    return own.with_data(document)


def made_calls(count: int) -> Iterator[Call]:
    """Give reads and writes by turns, no two alike."""
    tools = {tool.name: tool for tool in registry.installed({}).all()}
    for number in range(count):
        name = "open_pull_request" if number % 2 else "query_warehouse"
        tool = tools[name]
        fields: dict[str, Any] = {
            "requester": {"name": "ana", "groups": ["members", f"team-{number % 40:02}"]},
            "agent": "catalog",
            "run": f"r-{number:012}",
            "step": 1,
            "tool": name,
            "version": tool.version,
            "tool_schema": tool.schema_digest(),
            "effect": tool.effect,
            "now_us": START_US + number,
        }
        yield Call.model_validate(fields | (_write(number) if number % 2 else _read(number)))


def _read(number: int) -> dict[str, Any]:
    return {
        "args": {"warehouse": "main", "table": f"table_{number}", "limit": 1000},
        "resource": {"kind": "warehouse", "id": "main", "granted_by": "config"},
    }


def _write(number: int) -> dict[str, Any]:
    places = ("repository", "base_branch", "base_commit", "branch", "files.path")
    return {
        "args": {
            "repository": "dbt",
            "base_branch": "main",
            "base_commit": "0" * 40,
            "branch": f"twokey/{number}",
            "title": f"Document table {number}",
            "body": "What was found.",
            "files": [{"path": f"models/t{number}.yml", "content": "version: 2\n" * 20}],
        },
        "provenance": [{"path": path, "label": "code"} for path in (*places, "title", "body", "files.content")],
        "resource": {"kind": "repository", "id": "dbt", "granted_by": "config"},
        "change": {
            "proposal": f"p-{number:012}",
            "contributors": ["ana"],
            "files": [{"path": f"models/t{number}.yml", "added": 20, "removed": 0}],
            "labels": ["adds_files"],
            "evidence": 2,
            "rollback": True,
        },
    }


def _timed(engine: PolicyEngine, calls: list[Call], rounds: int, *, guarded: bool = True) -> list[float]:
    """Time single decisions, in seconds each."""
    guard = Guard(engine)
    take: Callable[[Call], object] = guard.decide if guarded else lambda call: engine.evaluate(build(call).text)
    times: list[float] = []
    try:
        for number in range(WARM_UP + rounds):
            call = calls[number % len(calls)]
            started = time.perf_counter()
            taken = take(call)
            times.append(time.perf_counter() - started)
            if guarded and FAULT_CODE in str(taken):
                raise CheckFailed("A decision was not taken in time.", next="Measure on a quiet machine.")
    finally:
        engine.close()
    return times[WARM_UP:]


def _constant(held: Bundle) -> Bundle:
    return dataclasses.replace(held, modules=(("twokey/decision.rego", _CONSTANT),))


def _quantile(times: list[float], percent: int) -> float:
    return round(statistics.quantiles(times, n=100)[percent - 1] * 1000, 3)


def _replay(held: Bundle, count: int) -> float:
    """Record ``count`` decisions in a new workspace, and time taking all of them again, in seconds."""
    with tempfile.TemporaryDirectory(prefix="twokey-bench-") as folder:
        workspace = Path(folder) / "workspace"
        creation.create(workspace, [("ana", ("analysts",))])
        policies = Path(folder) / "policies"
        held.write(policies)
        _record(workspace, held, count)
        started = time.perf_counter()
        with policy_work.replaying(workspace, policies, since_us=0, report=None, engines=ENGINES) as run:
            for _ in run.changes():
                pass
        seconds = time.perf_counter() - started
    if not run.tally.ok or run.tally.unchanged_policy != count:
        raise CheckFailed("A decision of the benchmark did not come out the same again.", next="Report it.")
    return seconds


def _record(workspace: Path, held: Bundle, count: int) -> None:
    engine, calls = wiring.batch_engine(held), made_calls(count)
    try:
        with wiring.opened_ledger(workspace) as ledger:
            while batch := [call for _, call in zip(range(UNIT), calls, strict=False)]:
                documents = [build(call) for call in batch]
                raws = engine.evaluate_many([document.text for document in documents])
                with ledger.change() as unit:
                    for call, document, raw in zip(batch, documents, raws, strict=True):
                        made = decision.decision(
                            decision.parse(raw, call, obligations=frozenset({REVIEW})),
                            engine=engine.name,
                            policy=held.revisions.policy,
                            data=held.revisions.data,
                            input_digest=document.digest,
                        )
                        occasion = "propose" if call.effect == "write" else "read"
                        recording.record(unit, call, made, occasion=occasion)
    finally:
        engine.close()


def as_lines(figures: dict[str, Any]) -> list[str]:
    """Give the figures for people."""
    return [f"{key:<18} {json.dumps(value)}" for key, value in figures.items()]
