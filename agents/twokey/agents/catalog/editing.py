"""Edits of one property file, carried out on its tree.

Rule: an edit is checked in full before anything is changed, so a refused edit leaves no trace. The changed tree is at
once what ``splice`` writes and what the new text must parse to.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Map
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias, assert_never

from twokey.agents.catalog import vetting
from twokey.agents.catalog.edits import (
    AddColumn,
    AddDataType,
    AddMeta,
    AddNode,
    AddTags,
    AddTests,
    Column,
    Conventions,
    Edit,
    SetDescription,
)
from twokey.agents.catalog.splice import Splice
from twokey.agents.catalog.vetting import JsonLike, NodeName, NotAllowed
from twokey.agents.catalog.yaml_layout import Layout
from twokey.agents.catalog.yaml_tree import (
    BOOL,
    Alias,
    Collection,
    Document,
    Mapping,
    Node,
    Plain,
    Scalar,
    Sequence,
    copied,
    direct,
    entries,
    inherited,
    is_new,
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
_MOST_COPIED: Final = 100
"""Nodes of what a merge key brings that are written out where a place needs its own."""

_Change: TypeAlias = Callable[[], None]
_Changes: TypeAlias = list[_Change]


@dataclass(slots=True, eq=False)
class _Place:
    """A node or column of the file, with everything an edit of it passes through."""

    mapping: Mapping
    path: tuple[Node, ...]  # containers from the top down to the mapping itself
    merged: bool = False  # reached through a merge key
    columns: "dict[str, list[_Place]] | None" = None
    folded: set[str] = field(default_factory=set[str])
    guarded: bool = False  # the path was checked


@dataclass(slots=True)
class _Survey:
    """What the file itself prefers."""

    test_keys: Counter[str] = field(default_factory=Counter[str])
    arguments: Counter[bool] = field(default_factory=Counter[bool])
    column_config: Counter[bool] = field(default_factory=Counter[bool])
    node_config: Counter[bool] = field(default_factory=Counter[bool])


class Session:
    """One parsed file and the edits made to it so far."""

    def __init__(self, document: Document, conventions: Conventions) -> None:
        """Find the nodes of a file.

        Raises:
            NotAllowed: ``not_properties`` where the file is no mapping.

        """
        self._conventions = conventions
        self._layout = Layout(document)
        self._touched: dict[int, tuple[str, Collection]] = {}
        self._nodes: dict[NodeName, list[_Place]] = {}
        self._sources: dict[str, list[_Place]] = {}
        root = document.root
        if root is None or (is_null(root) and root.start == root.end):
            root = Mapping()
        if not isinstance(root, Mapping):
            raise NotAllowed("not_properties", "The file holds no mapping, so it is no property file.")
        self.root = root
        self._find_nodes()
        self._folded = {_fold(name) for name in self._nodes}

    def written(self) -> str:
        """Give the text with the edits made."""
        return Splice(self._layout).written(self.root, list(self._touched.values()))

    def apply(self, edit: Edit) -> bool:
        """Carry out one edit; tell whether it changed anything.

        Raises:
            NotAllowed: nothing was changed.

        """
        changes = self._changes(edit)
        for change in changes:
            change()
        return bool(changes)

    def _changes(self, edit: Edit) -> _Changes:
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
            case AddColumn():
                return self._column(self._target(edit.node, None), edit.column)
            case AddNode():
                return self._node(edit)
            case _:
                assert_never(edit)

    # --- finding -------------------------------------------------------------------------------------------

    def _find_nodes(self) -> None:
        for section in SECTIONS:
            for name, place in self._listed(_Place(self.root, (self.root,)), section):
                self._nodes.setdefault(name, []).append(place)
        for source, place in self._listed(_Place(self.root, (self.root,)), "sources"):
            self._sources.setdefault(source, []).append(place)
            for table, inner in self._listed(place, "tables"):
                self._nodes.setdefault((source, table), []).append(inner)

    @staticmethod
    def _listed(owner: _Place, key: str) -> Iterator[tuple[str, _Place]]:
        """Give the named mappings of the list that ``owner`` holds under ``key``."""
        value = entries(owner.mapping).get(key)
        sequence = None if value is None else direct(value)
        if value is None or not isinstance(sequence, Sequence):
            return
        merged = owner.merged or own(owner.mapping, key) is None
        for item in sequence.items:
            mapping = direct(item)
            name = text_of(entries(mapping).get("name")) if isinstance(mapping, Mapping) else None
            if isinstance(mapping, Mapping) and name is not None:
                yield name, _Place(mapping, (*owner.path, value, item), merged)

    def _guard(self, place: _Place) -> _Place:
        if place.merged:
            raise NotAllowed("merge_key", "The place comes in through a merge key (<<) and has other owners.")
        if place.guarded or not place.path:  # without a path an earlier edit made it
            return place
        self._layout.check_way(place.path)
        owner, item = place.path[-2:]
        if isinstance(item, Alias) and isinstance(owner, Sequence):
            place.mapping = self._layout.wrapped(owner, item)
            place.path = (*place.path[:-1], place.mapping)
        else:
            self._layout.check_owner(item)
        place.guarded = True
        return place

    def _only(self, places: Items[_Place], what: str) -> _Place:
        if not places:
            raise NotAllowed("not_found", f"The file does not hold this {what}.")
        if len(places) > 1:
            raise NotAllowed("ambiguous", f"The file holds this {what} more than once.")
        return self._guard(places[0])

    def _target(self, node: NodeName, column: str | None) -> _Place:
        place = self._only(self._nodes.get(_key(node), ()), "node")
        return place if column is None else self._only(self._columns(place).get(column, ()), "column")

    def _columns(self, place: _Place) -> dict[str, list[_Place]]:
        if place.columns is None:
            value = entries(place.mapping).get("columns")
            if value is not None and not is_null(value) and not isinstance(direct(value), Sequence):
                raise NotAllowed("unexpected_shape", "The columns of the node are no list.")
            place.columns = {}
            for name, column in self._listed(place, "columns"):
                place.columns.setdefault(name, []).append(column)
                place.folded.add(name.casefold())
        return place.columns

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

    # --- changing: what is checked here is carried out later ---------------------------------------------------

    def _insert(self, mapping: Mapping, key: str, value: Node, *, ordered: bool) -> None:
        index = len(mapping.pairs)
        if ordered:
            rank = _ORDER.get(key, _OTHER)
            names = [name.value if isinstance(name, Scalar) else "" for name, _ in mapping.pairs]
            before = [number for number, name in enumerate(names) if _ORDER.get(name, _OTHER) <= rank]
            index = before[-1] + 1 if before else index
        mapping.pairs.insert(index, (Scalar(key), value))
        self._touch("", mapping)

    def _touch(self, key: str, node: Collection) -> None:
        if isinstance(node, Mapping):
            self._layout.put(node)
        if not is_new(node):
            self._touched[id(node)] = (key, node)

    def _replace(self, mapping: Mapping, key: str, value: Node) -> None:
        self._layout.replace(mapping, key, value)
        self._touch("", mapping)

    def _check_path(self, mapping: Mapping, path: Items[str], last: str) -> Mapping | None:
        """Check that a mapping can be made or extended at the end of ``path`` to hold ``last``.

        Gives that mapping as it will be before the change, or None where it will be a new one. What only a merge key
        brings is written out, so that the place gets its own.
        """
        for key in path:
            self._layout.check_mapping(mapping, key)
            value = own(mapping, key)
            if value is None:
                value = self._inherited(mapping, key)
            if value is None:
                return None
            if is_null(value):
                self._layout.check_value(value)
                return None
            if not isinstance(value, Mapping):
                self._layout.check_owner(value)
                raise NotAllowed("unexpected_shape", "The place holds no mapping.")
            mapping = value
        self._layout.check_mapping(mapping, last)
        return mapping

    @staticmethod
    def _inherited(mapping: Mapping, key: str) -> Node | None:
        """Give a copy of what merge keys bring under ``key``; None where they bring nothing."""
        found = inherited(mapping).get(key)
        if found is not None and key in _SHARED:
            raise NotAllowed("merge_key", "The list comes in through a merge key (<<) and has other owners.")
        return None if found is None else copied(found, _MOST_COPIED)

    def _ensure(self, mapping: Mapping, path: Items[str]) -> Mapping:
        """Give the mapping at the end of ``path``, made where it is missing."""
        for number, key in enumerate(path):
            value = own(mapping, key)
            if isinstance(value, Mapping):
                mapping = value
                continue
            brought = self._inherited(mapping, key) if value is None else None
            made = brought if isinstance(brought, Mapping) else Mapping()
            made.flow = made.flow and bool(made.pairs)
            if value is None:
                self._insert(mapping, key, made, ordered=number == 0)
            else:
                self._replace(mapping, key, made)
            mapping = made
        return mapping

    def _text(self, place: _Place, key: str, text: str, what: str, *, replace: bool) -> _Changes:
        mapping = place.mapping
        current = entries(mapping).get(key)
        if current is not None:
            node = direct(current)
            if not isinstance(node, Scalar):
                raise NotAllowed("unexpected_shape", f"The {what} is no text.")
            if text_of(node) == text:
                return []
            if not (is_null(node) or replace or not node.value.strip()):
                raise NotAllowed("exists", f"There is another {what} already.")
        return self._scalar(mapping, key, Scalar(text))

    def _scalar(self, mapping: Mapping, key: str, value: Scalar) -> _Changes:
        self._layout.check_mapping(mapping, key)
        mine = own(mapping, key)
        if mine is None:
            return [lambda: self._insert(mapping, key, value, ordered=True)]
        self._layout.check_value(mine)
        return [lambda: self._replace(mapping, key, value)]

    def _append(self, mapping: Mapping, path: Items[str], items: Items[Node], *, ordered: bool = True) -> _Change:
        """Check that ``items`` can go to the end of a list, and give the change. Tags given as a text become a list."""
        *outer, key = path
        holder = self._check_path(mapping, outer, key)
        value = None if holder is None else own(holder, key)
        brought = self._inherited(holder, key) if holder is not None and value is None else None
        value = value if value is not None else brought
        if isinstance(value, Alias | Mapping):
            self._layout.check_owner(value)
            raise NotAllowed("unexpected_shape", "The place holds no list.")
        if isinstance(value, Scalar):
            self._layout.check_value(value)
            if not is_null(value) and (key != "tags" or text_of(value) is None):
                raise NotAllowed("unexpected_shape", "The place holds no list.")
        elif value is not None:
            self._layout.check_sequence(value)

        def change() -> None:
            owner = self._ensure(mapping, outer)
            found = own(owner, key)
            there = found if found is not None else brought
            kept: list[Node] = [Scalar(there.value)] if isinstance(there, Scalar) and not is_null(there) else []
            if found is None:
                kept = list(there.items) if isinstance(there, Sequence) else kept
                self._insert(owner, key, Sequence([*kept, *items]), ordered=ordered and not outer)
            elif isinstance(found, Sequence) and (_keeps_form(found) or owner.flow):
                found.items.extend(items)
                self._touch(key, found)
            else:
                self._replace(owner, key, Sequence([*kept, *items]))

        return change

    # --- the edits ---------------------------------------------------------------------------------------------

    def _description(self, place: _Place, text: str, *, replace: bool) -> _Changes:
        return self._text(place, "description", vetting.description(text), "description", replace=replace)

    def _data_type(self, place: _Place, text: str, *, replace: bool) -> _Changes:
        return self._text(place, "data_type", vetting.name(text, "data type"), "data type", replace=replace)

    def _quote(self, place: _Place) -> _Changes:
        current = entries(place.mapping).get("quote")
        if current is not None and not is_null(current):
            if plain(current) is True:
                return []
            raise NotAllowed("exists", "The column says already that it is not quoted.")
        return self._scalar(place.mapping, "quote", Scalar("true", BOOL))

    def _tests(
        self, place: _Place, column: str | None, tests: Items[JsonLike], *, quoted: bool | None = None
    ) -> _Changes:
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
        return [self._append(place.mapping, [key], fresh)]

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

    def _beside(self, place: _Place, key: str, *, column: bool) -> tuple[str, ...]:
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

    def _present(self, place: _Place, key: str) -> list[Plain]:
        """Give what a place has under ``key``, beside and under config."""
        present = entries(place.mapping)
        config = direct(present["config"]) if "config" in present else None
        inner = entries(config) if isinstance(config, Mapping) else {}
        return [plain(found[key]) for found in (present, inner) if key in found]

    def _meta(self, place: _Place, items: Map[str, JsonLike], *, column: bool, replace: bool) -> _Changes:
        known: dict[str, Plain] = {}
        for found in self._present(place, "meta"):
            known |= found if isinstance(found, dict) else {}
        path = self._beside(place, "meta", column=column)
        changes: _Changes = []
        for raw, data in items.items():
            key, value = vetting.name(raw, "key of meta"), vetting.value(data, "meta")
            if key in known and _canonical(known[key]) == _canonical(value):
                continue
            if key in known and not replace:
                raise NotAllowed("exists", "A key of meta has another value already.")
            changes.append(self._meta_entry(place.mapping, path, key, node_of(value)))
        return changes

    def _meta_entry(self, mapping: Mapping, path: Items[str], key: str, value: Node) -> _Change:
        holder = self._check_path(mapping, path, key)
        mine = None if holder is None else own(holder, key)
        if mine is not None:
            self._layout.check_value(mine)

        def change() -> None:
            owner = self._ensure(mapping, path)
            if mine is None:
                self._insert(owner, key, value, ordered=False)
            else:
                self._replace(owner, key, value)

        return change

    def _tags(self, place: _Place, tags: Items[str], *, column: bool) -> _Changes:
        known: set[str] = set()
        for found in self._present(place, "tags"):
            known.update([found] if isinstance(found, str) else _texts(found))
        fresh = [tag for tag in dict.fromkeys(vetting.name(tag, "tag") for tag in tags) if tag not in known]
        if not fresh:
            return []
        return [self._append(place.mapping, self._beside(place, "tags", column=column), [Scalar(tag) for tag in fresh])]

    def _column(self, place: _Place, column: Column) -> _Changes:
        name = vetting.name(column.name, "column name")
        columns = self._columns(place)
        if name in columns:
            return self._fill_column(self._only(columns[name], "column"), column)
        if name.casefold() in place.folded and not column.quote:
            raise NotAllowed("other_case", "A column whose name differs in case only is there already.")
        made = _Place(Mapping([(Scalar("name"), Scalar(name))]), ())
        for change in self._fill_column(made, column):
            change()
        append = self._append(place.mapping, ["columns"], [made.mapping])

        def register() -> None:
            columns[name] = [made]
            place.folded.add(name.casefold())

        return [append, register]

    def _fill_column(self, place: _Place, column: Column) -> _Changes:
        changes: _Changes = []
        if column.description is not None:
            changes += self._description(place, column.description, replace=False)
        if column.data_type is not None:
            changes += self._data_type(place, column.data_type, replace=False)
        if column.quote:
            changes += self._quote(place)
        changes += self._meta(place, column.meta, column=True, replace=False)
        changes += self._tags(place, column.tags, column=True)
        return changes + self._tests(place, column.name, column.tests, quoted=True if column.quote else None)

    def _node(self, edit: AddNode) -> _Changes:
        key = _key(edit.node)
        _distinct(edit.columns)
        if key in self._nodes:
            place = self._only(self._nodes[key], "node")
            self._check_source(edit)
            return self._fill_node(place, edit)
        for part in key if isinstance(key, tuple) else (key,):
            vetting.name(part, "name of the node")
        if _fold(key) in self._folded:
            raise NotAllowed("other_case", "A node whose name differs in case only is there already.")
        made = _Place(Mapping([(Scalar("name"), Scalar(key if isinstance(key, str) else key[1]))]), ())
        if isinstance(key, tuple) and edit.identifier is not None:
            made.mapping.pairs.append((Scalar("identifier"), Scalar(vetting.name(edit.identifier, "identifier"))))
        for change in self._fill_node(made, edit):
            change()
        changes = (
            [self._append(self.root, [edit.kind], [made.mapping], ordered=False)]
            if isinstance(key, str)
            else [self._add_table(key[0], made, edit)]
        )

        def register() -> None:
            self._nodes[key] = [made]
            self._folded.add(_fold(key))

        return [*changes, register]

    def _add_table(self, source: str, table: _Place, edit: AddNode) -> _Change:
        if source in self._sources:
            owner = self._only(self._sources[source], "source")
            self._check_source(edit)
            return self._append(owner.mapping, ["tables"], [table.mapping])
        if source.casefold() in {name.casefold() for name in self._sources}:
            raise NotAllowed("other_case", "A source whose name differs in case only is there already.")
        made = Mapping([(Scalar("name"), Scalar(source))])
        for key, text in (("database", edit.database), ("schema", edit.schema)):
            if text is not None:
                made.pairs.append((Scalar(key), Scalar(vetting.name(text, key))))
        if edit.source_description is not None:
            made.pairs.append((Scalar("description"), Scalar(vetting.description(edit.source_description))))
        made.pairs.append((Scalar("tables"), Sequence([table.mapping])))
        append = self._append(self.root, ["sources"], [made], ordered=False)

        def change() -> None:
            append()
            self._sources[source] = [_Place(made, ())]

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

    def _fill_node(self, place: _Place, edit: AddNode) -> _Changes:
        changes: _Changes = []
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


def _keeps_form(found: Sequence) -> bool:
    """Tell whether a list is extended as it stands; an empty ``[]`` makes way for a list in block style."""
    return bool(found.items or found.anchor or found.tag or is_new(found))


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
