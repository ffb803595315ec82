"""Lineage from OpenLineage events (https://openlineage.io/spec): which job reads and writes what, column by column.

Rules: files hold one JSON object a line; a line that is none, or no event with a job, is counted as a gap of its file.
A dataset is the table whose whole name ends its own (``naming``); else it keeps its own name. Events say what happened:
one that only started or failed wrote nothing and says nothing about what it would have written. A column that a value
only depends on indirectly (by a filter, a join, an order) decides rows.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from twokey.agents.catalog.lineage.naming import Tables
from twokey.agents.catalog.lineage.values import Edge, Gap, Thing, Traced

MAX_EVENTS: Final = 100_000
MAX_EDGES: Final = 200_000
MAX_NAME: Final = 300
SUFFIXES: Final = (".jsonl", ".ndjson")
_WROTE: Final = frozenset({"COMPLETE", "OTHER", ""})
"""Kinds of events after which outputs stand there; a job event has none."""


def trace(files: Mapping[str, bytes], tables: Collection[str] | Mapping[str, str]) -> Traced:
    """Trace every event in ``files``. ``tables`` are the names that lineage knows tables by, or maps names to these."""
    edges: dict[Edge, None] = {}
    gaps: list[Gap] = []
    names = Tables(tables)
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


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    job = value.get("job") if isinstance(value, dict) else None
    return value if isinstance(job, dict) and _text(job.get("name")) else None


def _edges(event: dict[str, Any], names: Tables, path: str) -> Iterator[Edge]:
    namespace, name = _text(event["job"].get("namespace")), _text(event["job"].get("name"))
    job = Thing("job", f"{namespace}/{name}" if namespace else name)
    for dataset in _datasets(event, "inputs"):
        table = Thing("table", names.name(_text(dataset.get("name"))))
        yield Edge(table, job, "read", path)
        version = _text(_facet(dataset, "version").get("datasetVersion"))
        if version:
            yield Edge(table, Thing("dataset_version", f"{table.name}@{version}"), "read", path)
            yield Edge(Thing("dataset_version", f"{table.name}@{version}"), job, "read", path)
    if _text(event.get("eventType")).upper() not in _WROTE:
        return
    for dataset in _datasets(event, "outputs"):
        table = Thing("table", names.name(_text(dataset.get("name"))))
        yield Edge(job, table, "written", path)
        yield from _columns(_facet(dataset, "columnLineage"), table, names, path)


def _columns(facet: dict[str, Any], table: Thing, names: Tables, path: str) -> Iterator[Edge]:
    fields = facet.get("fields")
    for column, field in fields.items() if isinstance(fields, dict) else ():
        target = Thing("table", table.name, str(column)[:MAX_NAME].casefold())
        for below, item in _inputs(field.get("inputFields") if isinstance(field, dict) else None, names):
            kinds = _kinds(item)
            if kinds != {"INDIRECT"}:
                yield Edge(below, target, "value", path)
            if "INDIRECT" in kinds:
                yield Edge(below, table, "rows", path)
    for below, _ in _inputs(facet.get("dataset"), names):
        yield Edge(below, table, "rows", path)


def _inputs(items: object, names: Tables) -> Iterator[tuple[Thing, dict[str, Any]]]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and _text(item.get("name")) and _text(item.get("field")):
            yield Thing("table", names.name(_text(item["name"])), _text(item["field"]).casefold()), item


def _kinds(item: dict[str, Any]) -> set[str]:
    """Give how a field is used, as far as the event says."""
    said = item.get("transformations")
    return {
        _text(each.get("type")).upper() for each in (said if isinstance(said, list) else ()) if isinstance(each, dict)
    }


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
