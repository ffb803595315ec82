"""A twin of Loki that is as strict as the real one about what it is asked, and pages as it does.

Written from Loki's HTTP API documentation: ``GET /loki/api/v1/query_range`` (parameters query, start, end in
nanoseconds, limit, direction), answers of type ``streams``; ``GET /loki/api/v1/labels``; ``X-Scope-OrgID`` names the
tenant where there are several.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.odd_server import Asked, OddServer, Told, odd_server

MOST = 5_000
LONGEST_NS = (30 * 24 + 1) * 3_600 * 1_000_000_000


@dataclass
class World:
    """What it holds: lines by their labels."""

    selector: str
    tenant: str = ""
    token: str = ""
    streams: dict[tuple[tuple[str, str], ...], list[tuple[int, str]]] = field(
        default_factory=dict[tuple[tuple[str, str], ...], list[tuple[int, str]]]
    )

    def say(self, at_ns: int, line: str, **labels: str) -> None:
        self.streams.setdefault(tuple(sorted(labels.items())), []).append((at_ns, line))


def _refusal(status: int, why: str) -> Told:
    return Told(why.encode(), status)  # Loki's errors are plain text


def _stranger(world: World, asked: Asked) -> bool:
    tenant, token = asked.headers.get("x-scope-orgid"), asked.headers.get("authorization")
    return bool((world.tenant and tenant != world.tenant) or (world.token and token != f"Bearer {world.token}"))


def _fault(world: World, asked: Asked) -> str:
    """Why a question is not answered; empty where it is."""
    if set(asked.params) != {"query", "start", "end", "limit", "direction"}:
        return "unknown parameters"
    start, end = int(asked.params["start"]), int(asked.params["end"])
    faults = {
        "parse error at line 1, col 1: syntax error": asked.params["query"] != world.selector,
        "end timestamp must not be before or equal to start time": end <= start,
        "max entries limit per query exceeded": int(asked.params["limit"]) > MOST,
        "the query time range exceeds the limit": end - start > LONGEST_NS,
        "invalid direction": asked.params["direction"] not in {"forward", "backward"},
    }
    return next((why for why, wrong in faults.items() if wrong), "")


def _answer(world: World, asked: Asked) -> Told:
    if _stranger(world, asked):
        return _refusal(401, "no org id")
    if asked.path.endswith("/loki/api/v1/labels"):
        names = sorted({name for labels in world.streams for name, _ in labels})
        return Told(json.dumps({"status": "success", **({"data": names} if names else {})}).encode())
    if not asked.path.endswith("/loki/api/v1/query_range"):
        return _refusal(404, "404 page not found")
    why = _fault(world, asked)
    if why:
        return _refusal(400, why)
    start, end, limit = (int(asked.params[name]) for name in ("start", "end", "limit"))
    every = sorted(
        (at, labels, line)
        for labels, lines in world.streams.items()
        for at, line in lines
        if start <= at < end
    )  # fmt: skip
    if asked.params["direction"] == "backward":
        every.reverse()
    streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
    for at, labels, line in every[:limit]:
        streams.setdefault(labels, []).append([str(at), line])
    result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
    data = {"resultType": "streams", "result": result, "stats": {}}
    return Told(json.dumps({"status": "success", "data": data}).encode())


@contextmanager
def loki(world: World) -> Generator[OddServer]:
    """Serve a world on a free port of this machine."""
    with odd_server(lambda asked: _answer(world, asked)) as server:
        yield server
