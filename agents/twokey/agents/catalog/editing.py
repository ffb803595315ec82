"""Edits of one dbt property file, carried out on its tree.

Rules: those of ``tree_editing``; what is written follows what the file itself prefers.
"""

import json
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Map
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, assert_never

from twokey.agents.catalog import vetting
from twokey.agents.catalog.edits import (
    AddColumn,
    AddDataType,
    AddFreshness,
    AddMeta,
    AddNode,
    AddTags,
    AddTests,
    Column,
    Conventions,
    Edit,
    SetDescription,
)
from twokey.agents.catalog.tree_editing import Change, Changes, Place, TreeEditor
from twokey.agents.catalog.vetting import JsonLike, NodeName, NotAllowed
from twokey.agents.catalog.yaml_tree import (
    BOOL,
    Document,
    Mapping,
    Node,
    Plain,
    Scalar,
    Sequence,
    direct,
    entries,
    is_null,
    node_of,
    own,
    plain,
    text_of,
)

SECTIONS: Final = ("models", "seeds", "snapshots")
_TEST_KEYS: Final = ("data_tests", "tests")
_META: Final = frozenset({"meta", "tags"})

# the order in which dbt's own documentation writes properties; a key that is not named stands with config
_ORDER: Final = {
    "<<": -1,
    "name": 0,
    "identifier": 1,
    "schema": 1,
    "database": 1,
    "description": 2,
    "data_type": 3,
    "quote": 4,
    "constraints": 5,
    "config": 6,
    "meta": 7,
    "tags": 8,
    "tests": 9,
    "data_tests": 9,
    "columns": 10,
    "tables": 10,
}
_OTHER: Final = 6
_SHARED: Final = frozenset({"columns", "tables", *SECTIONS})
"""Lists that are never written out: who shares them means to."""


@dataclass(slots=True)
class _Survey:
    """What the file itself prefers."""

    test_keys: Counter[str] = field(default_factory=Counter[str])
    arguments: Counter[bool] = field(default_factory=Counter[bool])
    column_config: Counter[bool] = field(default_factory=Counter[bool])
    node_config: Counter[bool] = field(default_factory=Counter[bool])


class Session(TreeEditor):
    """One parsed property file and the edits made to it so far."""

    def __init__(self, document: Document, conventions: Conventions) -> None:
        """Find the nodes of a file.

        Raises:
            NotAllowed: ``not_properties`` where the file is no mapping.

        """
        super().__init__(document, order=_ORDER, other=_OTHER, shared=_SHARED)
        self._conventions = conventions
        self._nodes: dict[NodeName, list[Place]] = {}
        self._sources: dict[str, list[Place]] = {}
        self._find_nodes()
        self._folded = {_fold(name) for name in self._nodes}

    def apply(self, edit: Edit) -> bool:
        """Carry out one edit; tell whether it changed anything.

        Raises:
            NotAllowed: nothing was changed.

        """
        return self.carry_out(self._changes(edit))

    def _changes(self, edit: Edit) -> Changes:
        match edit:
            case SetDescription():
                return self._description(self._target(edit.node, edit.column), edit.text, replace=edit.replace)
            case AddDataType():
                return self._data_type(self._target(edit.node, edit.column), edit.type, replace=edit.replace)
            case AddTests():
                return self._tests(self._target(edit.node, edit.column), edit.column, edit.tests)
            case AddMeta():
                place = self._target(edit.node, edit.column)
                return self._meta(place, edit.items, column=edit.column is not None, replace=edit.replace)
            case AddTags():
                return self._tags(self._target(edit.node, edit.column), edit.tags, column=edit.column is not None)
            case AddFreshness():
                return self._freshness(self._target(edit.node, None), edit)
            case AddColumn():
                return self._column(self._target(edit.node, None), edit.column, edit.after)
            case AddNode():
                return self._node(edit)
            case _:
                assert_never(edit)

    # --- finding -------------------------------------------------------------------------------------------

    def _find_nodes(self) -> None:
        for section in SECTIONS:
            for name, place in self.listed(Place(self.root, (self.root,)), section):
                self._nodes.setdefault(name, []).append(place)
        for source, place in self.listed(Place(self.root, (self.root,)), "sources"):
            self._sources.setdefault(source, []).append(place)
            for table, inner in self.listed(place, "tables"):
                self._nodes.setdefault((source, table), []).append(inner)

    def _target(self, node: NodeName, column: str | None) -> Place:
        place = self.only(self._nodes.get(_key(node), ()), "node")
        return place if column is None else self.only(self._columns(place).get(column, ()), "column")

    def _columns(self, place: Place) -> dict[str, list[Place]]:
        return self.columns_of(place, "columns", "The columns of the node are no list.")

    @cached_property
    def _survey(self) -> _Survey:
        """Count what the file does, in one walk."""
        survey = _Survey()
        waiting: list[tuple[str, Node]] = [("", self.root)]
        while waiting:
            under, node = waiting.pop()
            if isinstance(node, Sequence):
                waiting += [(under, item) for item in node.items]
            elif isinstance(node, Mapping):
                self._count(survey, under, node)
                waiting += [(key.value, value) for key, value in node.pairs if isinstance(key, Scalar)]
        return survey

    @staticmethod
    def _count(survey: _Survey, under: str, node: Mapping) -> None:
        keys = {key.value: value for key, value in node.pairs if isinstance(key, Scalar)}
        survey.test_keys.update(keys.keys() & set(_TEST_KEYS))
        config = keys.get("config")
        nested = isinstance(config, Mapping) and any(own(config, key) is not None for key in _META)
        if under in {*SECTIONS, "columns", "tables", "sources"}:
            counter = survey.column_config if under == "columns" else survey.node_config
            counter.update([True] * nested + [False] * bool(keys.keys() & _META))
        if under in _TEST_KEYS and len(keys) == 1:
            (body,) = keys.values()
            names = set(entries(body)) - vetting.FRAMEWORK if isinstance(body, Mapping) else set[str]()
            if names:
                survey.arguments["arguments" in names] += 1

    # --- the edits ---------------------------------------------------------------------------------------------

    def _description(self, place: Place, text: str, *, replace: bool) -> Changes:
        return self.text(place, "description", vetting.description(text), "description", replace=replace)

    def _data_type(self, place: Place, text: str, *, replace: bool) -> Changes:
        return self.text(place, "data_type", vetting.name(text, "data type"), "data type", replace=replace)

    def _quote(self, place: Place) -> Changes:
        current = entries(place.mapping).get("quote")
        if current is not None and not is_null(current):
            if plain(current) is True:
                return []
            raise NotAllowed("exists", "The column says already that it is not quoted.")
        return self.scalar(place.mapping, "quote", Scalar("true", BOOL))

    def _tests(
        self, place: Place, column: str | None, tests: Items[JsonLike], *, quoted: bool | None = None
    ) -> Changes:
        present = entries(place.mapping)
        if column is not None and tests:
            quote = present.get("quote")
            says = plain(quote) is True if quote is not None else False
            vetting.column_in_sql(column, quoted=says if quoted is None else quoted)
        known = {sign for key in _TEST_KEYS if key in present for sign in _signatures(plain(present[key]))}
        fresh: list[Node] = []
        for spec in tests:
            name, arguments, framework = vetting.generic_test(spec)
            sign = _signature(name, arguments)
            if sign not in known:
                known.add(sign)
                fresh.append(self._test_node(name, arguments, framework))
        if not fresh:
            return []
        key = next((key for key in _TEST_KEYS if key in present), None) or self._tests_key
        return [self.append(place.mapping, [key], fresh)]

    @property
    def _tests_key(self) -> str:
        counts = self._survey.test_keys
        if counts["tests"] == counts["data_tests"]:
            return self._conventions.tests_key
        return "tests" if counts["tests"] > counts["data_tests"] else "data_tests"

    def _test_node(self, name: str, arguments: Map[str, JsonLike], framework: Map[str, JsonLike]) -> Node:
        if not arguments and not framework:
            return Scalar(name)
        counts = self._survey.arguments
        nested = self._conventions.test_arguments if counts[True] == counts[False] else counts[True] > counts[False]
        body = {"arguments": arguments} if nested and arguments else arguments
        return node_of({name: {**body, **framework}})

    def _beside(self, place: Place, key: str, *, column: bool) -> tuple[str, ...]:
        """Say where meta or tags of a place stand: where it has them, as the file does it, or by convention."""
        present = entries(place.mapping)
        config = direct(present["config"]) if "config" in present else None
        if isinstance(config, Mapping) and key in entries(config):
            return ("config", key)
        if key in present:
            return (key,)
        counts = self._survey.column_config if column else self._survey.node_config
        convention = self._conventions.column_meta if column else self._conventions.node_meta
        nested = convention == "config" if counts[True] == counts[False] else counts[True] > counts[False]
        return ("config", key) if nested else (key,)

    def _present(self, place: Place, key: str) -> list[Plain]:
        """Give what a place has under ``key``, beside and under config."""
        present = entries(place.mapping)
        config = direct(present["config"]) if "config" in present else None
        inner = entries(config) if isinstance(config, Mapping) else {}
        return [plain(found[key]) for found in (present, inner) if key in found]

    def _meta(self, place: Place, items: Map[str, JsonLike], *, column: bool, replace: bool) -> Changes:
        known: dict[str, Plain] = {}
        for found in self._present(place, "meta"):
            known |= found if isinstance(found, dict) else {}
        path = self._beside(place, "meta", column=column)
        changes: Changes = []
        for raw, data in items.items():
            key, value = vetting.name(raw, "key of meta"), vetting.value(data, "meta")
            if key in known and _canonical(known[key]) == _canonical(value):
                continue
            if key in known and not replace:
                raise NotAllowed("exists", "A key of meta has another value already.")
            changes.append(self.entry(place.mapping, path, key, node_of(value)))
        return changes

    def _tags(self, place: Place, tags: Items[str], *, column: bool) -> Changes:
        known: set[str] = set()
        for found in self._present(place, "tags"):
            known.update([found] if isinstance(found, str) else _texts(found))
        fresh = [tag for tag in dict.fromkeys(vetting.name(tag, "tag") for tag in tags) if tag not in known]
        if not fresh:
            return []
        return [self.append(place.mapping, self._beside(place, "tags", column=column), [Scalar(tag) for tag in fresh])]

    def _freshness(self, place: Place, edit: AddFreshness) -> Changes:
        if any(self._present(place, key) for key in ("loaded_at_field", "loaded_at_query", "freshness")):
            raise NotAllowed("exists", "The table says something of its freshness already.")
        field = Scalar(vetting.loaded_at(edit.loaded_at, is_date=edit.is_date))
        ages = {"warn_after": edit.warn_after, "error_after": edit.error_after}
        freshness = node_of({key: {"count": count, "period": edit.period} for key, count in ages.items()})
        self.layout.check_mapping(place.mapping, "freshness")
        return [
            *self.scalar(place.mapping, "loaded_at_field", field),
            lambda: self.insert(place.mapping, "freshness", freshness, ordered=True),
        ]

    def _column(self, place: Place, column: Column, after: str | None = None) -> Changes:
        name = vetting.name(column.name, "column name")
        columns = self._columns(place)
        if name in columns:
            return self._fill_column(self.only(columns[name], "column"), column)
        if name.casefold() in place.folded and not column.quote:
            raise NotAllowed("other_case", "A column whose name differs in case only is there already.")
        made = Place(Mapping([(Scalar("name"), Scalar(name))]), ())
        for change in self._fill_column(made, column):
            change()
        append = self.append(place.mapping, ["columns"], [made.mapping], after=after)

        def register() -> None:
            columns[name] = [made]
            place.folded.add(name.casefold())

        return [append, register]

    def _fill_column(self, place: Place, column: Column) -> Changes:
        changes: Changes = []
        if column.description is not None:
            changes += self._description(place, column.description, replace=False)
        if column.data_type is not None:
            changes += self._data_type(place, column.data_type, replace=False)
        if column.quote:
            changes += self._quote(place)
        changes += self._meta(place, column.meta, column=True, replace=False)
        changes += self._tags(place, column.tags, column=True)
        return changes + self._tests(place, column.name, column.tests, quoted=True if column.quote else None)

    def _node(self, edit: AddNode) -> Changes:
        key = _key(edit.node)
        _distinct(edit.columns)
        if key in self._nodes:
            place = self.only(self._nodes[key], "node")
            self._check_source(edit)
            return self._fill_node(place, edit)
        for part in key if isinstance(key, tuple) else (key,):
            vetting.name(part, "name of the node")
        if _fold(key) in self._folded:
            raise NotAllowed("other_case", "A node whose name differs in case only is there already.")
        made = Place(Mapping([(Scalar("name"), Scalar(key if isinstance(key, str) else key[1]))]), ())
        if isinstance(key, tuple) and edit.identifier is not None:
            made.mapping.pairs.append((Scalar("identifier"), Scalar(vetting.name(edit.identifier, "identifier"))))
        for change in self._fill_node(made, edit):
            change()
        changes = (
            [self.append(self.root, [edit.kind], [made.mapping], ordered=False)]
            if isinstance(key, str)
            else [self._add_table(key[0], made, edit)]
        )

        def register() -> None:
            self._nodes[key] = [made]
            self._folded.add(_fold(key))

        return [*changes, register]

    def _add_table(self, source: str, table: Place, edit: AddNode) -> Change:
        if source in self._sources:
            owner = self.only(self._sources[source], "source")
            self._check_source(edit)
            return self.append(owner.mapping, ["tables"], [table.mapping])
        if source.casefold() in {name.casefold() for name in self._sources}:
            raise NotAllowed("other_case", "A source whose name differs in case only is there already.")
        made = Mapping([(Scalar("name"), Scalar(source))])
        for key, text in (("database", edit.database), ("schema", edit.schema)):
            if text is not None:
                made.pairs.append((Scalar(key), Scalar(vetting.name(text, key))))
        if edit.source_description is not None:
            made.pairs.append((Scalar("description"), Scalar(vetting.description(edit.source_description))))
        made.pairs.append((Scalar("tables"), Sequence([table.mapping])))
        append = self.append(self.root, ["sources"], [made], ordered=False)

        def change() -> None:
            append()
            self._sources[source] = [Place(made, ())]

        return change

    def _check_source(self, edit: AddNode) -> None:
        """Refuse a table for a source that stands for another schema or database."""
        if isinstance(edit.node, str):
            return
        for owner in self._sources.get(edit.node[0], ()):
            present = entries(owner.mapping)
            schema = text_of(present.get("schema")) or edit.node[0]
            database = text_of(present.get("database"))
            for wanted, there in ((edit.schema, schema), (edit.database, database)):
                if wanted is not None and there is not None and _differ(wanted, there):
                    raise NotAllowed("other_schema", "The source stands for another schema or database.")

    def _fill_node(self, place: Place, edit: AddNode) -> Changes:
        changes: Changes = []
        if edit.description is not None:
            changes += self._description(place, edit.description, replace=False)
        changes += self._meta(place, edit.meta, column=False, replace=False)
        changes += self._tags(place, edit.tags, column=False)
        changes += self._tests(place, None, edit.tests)
        for column in edit.columns:
            changes += self._column(place, column)
        return changes


def _key(node: NodeName) -> NodeName:
    return node if isinstance(node, str) else (node[0], node[1])


def _fold(node: NodeName) -> NodeName:
    return node.casefold() if isinstance(node, str) else (node[0].casefold(), node[1].casefold())


def _differ(wanted: str, there: str) -> bool:
    return "{{" not in there and wanted.casefold() != there.casefold()


def _distinct(columns: Items[Column]) -> None:
    names = [column.name if column.quote else column.name.casefold() for column in columns]
    if len(set(names)) != len(names):
        raise NotAllowed("ambiguous", "The node is given the same column twice.")


def _texts(value: Plain) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True)


def _signature(name: str, arguments: Map[str, object]) -> tuple[str, str]:
    """Give what makes a generic test the same test for dbt: its name and arguments, not its config."""
    normal = dict(arguments)
    for key, value in arguments.items():
        if isinstance(value, str):
            normal[key] = vetting.same_relation(value)
    values = normal.get("values")
    if isinstance(values, list):
        normal["values"] = sorted(map(_canonical, values))
    return name.removeprefix("dbt."), _canonical(normal)


def _signatures(tests: Plain) -> Iterator[tuple[str, str]]:
    """Give the signatures of the tests that a file lists."""
    for test in tests if isinstance(tests, list) else []:
        if isinstance(test, str):
            yield _signature(test, {})
        if not isinstance(test, dict):
            continue
        name, body = next(iter(test.items()), ("", None))
        if isinstance(test.get("test_name"), str):
            name, body = str(test["test_name"]), test
        inner = body if isinstance(body, dict) else {}
        nested = inner.get("arguments")
        arguments = {key: value for key, value in inner.items() if key not in vetting.FRAMEWORK and key != "arguments"}
        yield _signature(name, arguments | (nested if isinstance(nested, dict) else {}))
