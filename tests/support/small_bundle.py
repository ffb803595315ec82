"""A small incident bundle with something of every kind, written anew for each test."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ONSET = START + timedelta(minutes=5)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def write_bundle(folder: Path, name: str = "inc-1", **about: Any) -> Path:
    """A bundle in which ``basket`` gets slow five minutes into the window, and ``search`` stays as it is."""
    folder.mkdir(parents=True)
    window = {"from": iso(START), "to": iso(START + timedelta(minutes=20))}
    baseline = {"from": iso(START - timedelta(hours=1)), "to": iso(START)}
    whole = {"id": name, "title": "basket is slow", "service": "front", "window": window, "baseline": baseline}
    (folder / "incident.json").write_text(json.dumps(whole | about), encoding="utf-8")
    rows = ["time,service,metric,value"]
    logs: list[dict[str, str]] = []
    spans: list[dict[str, Any]] = []
    for minute in range(-60, 20):
        at = START + timedelta(minutes=minute)
        for service in ("basket", "search"):
            slow = service == "basket" and at >= ONSET
            rows.append(f"{at.timestamp():.0f},{service},latency_ms,{(400 if slow else 20) + minute % 3}")
            logs.append(
                {
                    "time": iso(at),
                    "service": service,
                    "level": "info",
                    "message": f"served {minute + 99} in {minute % 7} ms",
                }
            )
            spans += [
                {
                    "time": iso(at + timedelta(seconds=call)),
                    "trace_id": f"t{minute}",
                    "span_id": f"{service}{call}",
                    "parent_id": "front",
                    "service": service,
                    "operation": "get",
                    "duration_ms": 300.0 if slow else 10.0 + call,
                    "status": "error" if slow else "ok",
                }
                for call in range(5 if slow else 2)
            ]
        spans.append(
            {
                "time": iso(at),
                "trace_id": f"t{minute}",
                "span_id": "front",
                "service": "front",
                "operation": "/",
                "duration_ms": 900,
            }
        )
        if at >= ONSET:
            logs.append(
                {"time": iso(at), "service": "basket", "level": "error", "message": f"pool of {minute} is empty"}
            )
    (folder / "metrics.csv").write_text("\n".join(rows), encoding="utf-8")
    for path, records in (("logs.jsonl", logs), ("traces.jsonl", spans)):
        (folder / path).write_text("\n".join(json.dumps(one) for one in records) + "\nno record\n", encoding="utf-8")
    (folder / "topology.csv").write_text("caller,callee\nfront,basket\n", encoding="utf-8")
    events = [
        {
            "time": iso(START + timedelta(minutes=4)),
            "kind": "deploy",
            "service": "basket",
            "actor": "ana",
            "text": "basket 2.0",
        },
        {
            "time": iso(START + timedelta(minutes=4, seconds=20)),
            "kind": "deploy",
            "service": "basket",
            "actor": "ana",
            "text": "Basket  2.0",
        },
        {
            "time": iso(START + timedelta(minutes=9)),
            "kind": "page",
            "service": "front",
            "actor": "pager",
            "text": "x" * 1_500,
        },
        {
            "time": iso(START - timedelta(days=3)),
            "kind": "deploy",
            "service": "front",
            "actor": "ana",
            "text": "long ago",
        },
    ]
    (folder / "events.jsonl").write_text("\n".join(json.dumps(one) for one in events), encoding="utf-8")
    return folder
