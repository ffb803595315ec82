"""Lineage from the files that MLflow keeps of training runs: dataset version, features, run, model version, deployment.

Rules: what a file is, its keys say, not its path. A run is linked to the dataset versions that its inputs name; the
columns of a dataset are its features; a registered version is linked to its run, and to the stage it is deployed in.
A file that names another one which is not there is a gap.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twokey.agents.catalog.lineage.values import Edge, Gap, Thing, Traced
from twokey.agents.catalog.yaml_tree import Plain, Unreadable, parse, plain

NAMES: Final = ("meta.yaml", "meta.yml")
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


def trace(files: Mapping[str, bytes], tables: Collection[str]) -> Traced:
    """Trace every run in ``files``. ``tables`` are the names that lineage knows tables by."""
    found = _Found()
    for path in sorted(path for path in files if path.rpartition("/")[2] in NAMES):
        _take(found, path, _content(files[path]))
    gaps: list[Gap] = []
    edges = dict.fromkeys(_edges(found, tables, gaps))
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


def _edges(found: _Found, tables: Collection[str], gaps: list[Gap]) -> Iterator[Edge]:
    for path, dataset_id, run_id in found.inputs:
        run = found.runs.get(run_id)
        if run is None or dataset_id not in found.datasets:
            gaps.append(Gap(path, "", "it names a run or a dataset that is not there"))
            continue
        where, dataset = found.datasets[dataset_id]
        name = _text(dataset, "name")
        version, features = Thing("dataset_version", f"{name}@{_text(dataset, 'digest')}"), Thing("features", name)
        table = _table(dataset, tables)
        if table is not None:
            yield Edge(table, version, "read", where)
        yield Edge(version, features, "read", where)
        yield Edge(features, run, "trained_on", path)
        for column in _columns(dataset):
            feature = Thing("features", name, column)
            if table is not None:
                yield Edge(Thing("table", table.name, column), feature, "value", where)
            yield Edge(feature, run, "trained_on", path)
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


def _table(dataset: Mapping[str, Plain], tables: Collection[str]) -> Thing | None:
    """Give the table that a dataset was read from, where its source or its name is the name of exactly one."""
    source = _json(_text(dataset, "source"))
    said = [source.get(key) for key in _SOURCES] if isinstance(source, dict) else [_text(dataset, "source")]
    for text in (*said, _text(dataset, "name")):
        if isinstance(text, str) and text:
            last = text.casefold().rstrip("/").rpartition("/")[2]
            found = {name for name in tables if name == last or name.rpartition(".")[2] == last.rpartition(".")[2]}
            if len(found) == 1:
                return Thing("table", found.pop())
    return None


def _columns(dataset: Mapping[str, Plain]) -> list[str]:
    schema = _json(_text(dataset, "schema"))
    found = schema.get("mlflow_colspec") if isinstance(schema, dict) else None
    names = [item.get("name") for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return [name.casefold() for name in names if isinstance(name, str) and name][:2000]


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
