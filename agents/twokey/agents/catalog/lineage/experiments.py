"""Lineage from the files that MLflow keeps of training runs: dataset version, features, run, model version, deployment.

Rules: what a file is, its keys say, not its path. A run is linked to the dataset versions that its inputs name; the
columns of a dataset are its features; a registered version is linked to its run, and to the stage it is deployed in.
A file that names another one which is not there is a gap. A dataset is the table whose whole name ends its source's, or
its own. There is an end to what is told; where it is reached is a gap.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twokey.agents.catalog.lineage.naming import Tables
from twokey.agents.catalog.lineage.values import Edge, Gap, Thing, Traced
from twokey.agents.catalog.yaml_tree import Plain, Unreadable, parse, plain

NAMES: Final = ("meta.yaml", "meta.yml")
MAX_EDGES: Final = 200_000
MAX_FEATURES: Final = 2_000
_NOWHERE: Final = frozenset({"", "none", "archived"})
_SOURCES: Final = ("table", "table_name", "name", "uri", "path")


@dataclass(slots=True)
class _Found:
    runs: dict[str, Thing] = field(default_factory=dict[str, Thing])
    datasets: dict[str, tuple[str, Mapping[str, Plain]]] = field(
        default_factory=dict[str, tuple[str, Mapping[str, Plain]]]
    )
    inputs: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    versions: list[tuple[str, Mapping[str, Plain]]] = field(default_factory=list[tuple[str, Mapping[str, Plain]]])


@dataclass(frozen=True, slots=True)
class _Dataset:
    """A dataset: its features as a whole, what leads to them, and each one with what it is made from."""

    features: Thing
    made: tuple[Edge, ...]
    columns: tuple[tuple[Thing, Edge | None], ...]


def trace(files: Mapping[str, bytes], tables: Collection[str] | Mapping[str, str]) -> Traced:
    """Trace every run in ``files``. ``tables`` are the names that lineage knows tables by, or maps names to these."""
    found = _Found()
    for path in sorted(path for path in files if path.rpartition("/")[2] in NAMES):
        _take(found, path, _content(files[path]))
    gaps: list[Gap] = []
    edges: dict[Edge, None] = {}
    for edge in _edges(found, Tables(tables), gaps):
        if len(edges) >= MAX_EDGES:
            gaps.append(Gap(edge.path, "", "there is more about training runs than is read"))
            break
        edges[edge] = None
    return Traced(edges=tuple(edges), gaps=tuple(gaps))


def _take(found: _Found, path: str, content: Mapping[str, Plain]) -> None:
    run = _text(content, "run_id") or _text(content, "run_uuid")
    if _text(content, "destination_type").upper() == "RUN" and _text(content, "source_id"):
        found.inputs.append((path, _text(content, "source_id"), _text(content, "destination_id")))
    elif _text(content, "digest") and _text(content, "name"):
        # The folder of a dataset is the id that inputs name it by.
        found.datasets[path.rpartition("/")[0].rpartition("/")[2]] = (path, content)
    elif _text(content, "version") and _text(content, "name"):
        found.versions.append((path, content))
    elif run and ("experiment_id" in content or "run_name" in content):
        name = _text(content, "run_name")
        found.runs[run] = Thing("training_run", f"{name} ({run[:8]})" if name else run[:32])


def _edges(found: _Found, tables: Tables, gaps: list[Gap]) -> Iterator[Edge]:
    read: dict[str, _Dataset] = {}
    for path, dataset_id, run_id in found.inputs:
        run = found.runs.get(run_id)
        if run is None or dataset_id not in found.datasets:
            gaps.append(Gap(path, "", "it names a run or a dataset that is not there"))
            continue
        first = dataset_id not in read
        if first:
            read[dataset_id] = _dataset(*found.datasets[dataset_id], tables)
        dataset = read[dataset_id]
        if first:
            yield from dataset.made
        yield Edge(dataset.features, run, "trained_on", path)
        for column, made in dataset.columns:
            if first and made is not None:
                yield made
            yield Edge(column, run, "trained_on", path)
    for path, version in found.versions:
        made = Thing("model_version", f"{_text(version, 'name')} {_text(version, 'version')}")
        run = found.runs.get(_text(version, "run_id"))
        if run is None:
            gaps.append(Gap(path, "", "it names a run that is not there"))
        else:
            yield Edge(run, made, "registered", path)
        stage = _text(version, "current_stage")
        if stage.casefold() not in _NOWHERE:
            yield Edge(made, Thing("deployment", f"{_text(version, 'name')}: {stage}"), "deployed", path)


def _dataset(path: str, content: Mapping[str, Plain], tables: Tables) -> _Dataset:
    name = _text(content, "name")
    version, features = Thing("dataset_version", f"{name}@{_text(content, 'digest')}"), Thing("features", name)
    table = _table(content, tables)
    made = [Edge(version, features, "read", path)]
    if table is not None:
        made.insert(0, Edge(Thing("table", table), version, "read", path))
    columns: list[tuple[Thing, Edge | None]] = []
    for column in _columns(content):
        feature = Thing("features", name, column)
        below = None if table is None else Edge(Thing("table", table, column), feature, "value", path)
        columns.append((feature, below))
    return _Dataset(features, tuple(made), tuple(columns))


def _table(dataset: Mapping[str, Plain], tables: Tables) -> str | None:
    """Give the table that a dataset was read from: the one that its source names, else the one of its name."""
    source = _json(_text(dataset, "source"))
    said = [source.get(key) for key in _SOURCES] if isinstance(source, dict) else [_text(dataset, "source")]
    names = [text for text in (*said, _text(dataset, "name")) if isinstance(text, str) and text]
    return next((found for name in names if (found := tables.find(name)) is not None), None)


def _columns(dataset: Mapping[str, Plain]) -> list[str]:
    schema = _json(_text(dataset, "schema"))
    found = schema.get("mlflow_colspec") if isinstance(schema, dict) else None
    names = [item.get("name") for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return [name.casefold() for name in names if isinstance(name, str) and name][:MAX_FEATURES]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _content(data: bytes) -> Mapping[str, Plain]:
    try:
        root = parse(data).root
    except Unreadable:  # whoever reads property files says so
        return {}
    content = None if root is None else plain(root)
    return content if isinstance(content, dict) else {}


def _text(content: Mapping[str, Plain], key: str) -> str:
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value)[:100_000]
