"""Lineage from OpenLineage events (https://openlineage.io/spec): which job reads and writes what, column by column.

Rules: files hold one JSON object a line; a line that is none, or no event with a job, is counted as a gap of its file.
A dataset is the table whose name ends its own, where there is exactly one; else it keeps its own name. Events say what
happened: one that only started or failed wrote nothing and says nothing about what it would have written.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from twokey.agents.catalog.lineage.values import Edge, Gap, Thing, Traced

MAX_EVENTS: Final = 100_000
MAX_EDGES: Final = 200_000
MAX_NAME: Final = 300
SUFFIXES: Final = (".jsonl", ".ndjson")
_WROTE: Final = frozenset({"COMPLETE", "OTHER", ""})
"""Kinds of events after which outputs stand there; a job event has none."""


def trace(files: Mapping[str, bytes], tables: Collection[str]) -> Traced:
    """Trace every event in ``files``. ``tables`` are the names that lineage knows tables by."""
    edges: dict[Edge, None] = {}
    gaps: list[Gap] = []
    names = _Names(tables)
    for path in sorted(path for path in files if path.endswith(SUFFIXES)):
        unread = 0
        for number, line in enumerate(files[path].splitlines()):
            if number >= MAX_EVENTS or len(edges) >= MAX_EDGES:
                gaps.append(Gap(path, "", "there are more events than are read"))
                break
            if not line.strip():
                continue
            event = _event(line)
            if event is None:
                unread += 1
            else:
                edges.update(dict.fromkeys(_edges(event, names, path)))
        if unread:
            gaps.append(Gap(path, "", f"{unread:,} {'line is' if unread == 1 else 'lines are'} no OpenLineage event"))
    return Traced(edges=tuple(edges), gaps=tuple(gaps))


class _Names:
    """Finds the table that a dataset is."""

    def __init__(self, tables: Collection[str]) -> None:
        self._known: dict[str, set[str]] = {}
        for name in tables:
            parts = name.split(".")
            for start in range(len(parts)):
                self._known.setdefault(".".join(parts[start:]), set()).add(name)

    def table(self, name: str) -> Thing:
        parts = name.casefold().replace("/", ".").strip(".").split(".")
        for start in range(len(parts)):
            found = self._known.get(".".join(parts[start:]), set())
            if len(found) == 1:
                return Thing("table", next(iter(found)))
        return Thing("table", ".".join(parts))


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    job = value.get("job") if isinstance(value, dict) else None
    return value if isinstance(job, dict) and _text(job.get("name")) else None


def _edges(event: dict[str, Any], names: _Names, path: str) -> Iterator[Edge]:
    namespace, name = _text(event["job"].get("namespace")), _text(event["job"].get("name"))
    job = Thing("job", f"{namespace}/{name}" if namespace else name)
    for dataset in _datasets(event, "inputs"):
        table = names.table(_text(dataset.get("name")))
        yield Edge(table, job, "read", path)
        version = _text(_facet(dataset, "version").get("datasetVersion"))
        if version:
            yield Edge(table, Thing("dataset_version", f"{table.name}@{version}"), "read", path)
            yield Edge(Thing("dataset_version", f"{table.name}@{version}"), job, "read", path)
    if _text(event.get("eventType")).upper() not in _WROTE:
        return
    for dataset in _datasets(event, "outputs"):
        table = names.table(_text(dataset.get("name")))
        yield Edge(job, table, "written", path)
        fields = _facet(dataset, "columnLineage").get("fields")
        for column, field in fields.items() if isinstance(fields, dict) else ():
            target = Thing("table", table.name, str(column)[:MAX_NAME].casefold())
            inputs = field.get("inputFields") if isinstance(field, dict) else None
            for item in inputs if isinstance(inputs, list) else ():
                if isinstance(item, dict) and _text(item.get("name")) and _text(item.get("field")):
                    below = names.table(_text(item["name"]))
                    yield Edge(Thing("table", below.name, _text(item["field"]).casefold()), target, "value", path)


def _datasets(event: dict[str, Any], side: str) -> Iterator[dict[str, Any]]:
    found = event.get(side)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and _text(item.get("name")):
            yield item


def _facet(dataset: dict[str, Any], name: str) -> dict[str, Any]:
    facets = dataset.get("facets")
    found = facets.get(name) if isinstance(facets, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value[:MAX_NAME] if isinstance(value, str) else ""
