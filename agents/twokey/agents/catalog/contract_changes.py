"""The changes of the data contracts of a repository that close the gap between them and what was understood.

Rules: those of ``changes``. A table is changed in the one contract that describes it; where several do, none is touched
and the table is named. Only what is missing is added, and only with its finding: descriptions, types, classifications,
and checks for keys and lists of values. The words of the classification are those the contracts use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.agents.catalog import contracts, types
from twokey.agents.catalog.contract_edits import AddCheck, AddProperty, Classify, ContractEdit, Describe, SetType
from twokey.agents.catalog.contracts import ContractObject, ContractProperty
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.findings import Findings
from twokey.agents.catalog.house import is_marked, words_in_use
from twokey.agents.catalog.judgement import Level
from twokey.agents.catalog.understanding import About, Understanding
from twokey.agents.catalog.yaml_tree import Unreadable
from twokey.core.values import Finding

WORDS: Final[Mapping[Level, str]] = {
    "public": "public",
    "operational": "internal",
    "financial": "confidential",
    "pii": "restricted",
}
SEVERAL: Final = "More than one data contract describes it."


@dataclass(frozen=True, slots=True)
class Contracted:
    """What stands in the contracts: (path, table) by the key of a table of the warehouse, and the words in use."""

    spots: Mapping[str, tuple[str, ContractObject]]
    several: tuple[str, ...]
    """Keys of tables that more than one contract describes."""
    words: Mapping[Level, str]
    unreadable: tuple[tuple[str, str], ...] = ()
    """Path and reason of contracts that could not be read."""


@dataclass(slots=True)
class ContractDraft:
    """Edits by path, and what each rests on: the key of its table and its findings, by ``id`` of the edit."""

    edits: dict[str, list[ContractEdit]] = field(default_factory=dict[str, list[ContractEdit]])
    owners: dict[int, tuple[str, tuple[Finding, ...]]] = field(
        default_factory=dict[int, tuple[str, tuple[Finding, ...]]]
    )

    def add(self, path: str, edit: ContractEdit, table: str, *findings: Finding) -> None:
        """Take one edit."""
        self.edits.setdefault(path, []).append(edit)
        self.owners[id(edit)] = (table, findings)


def find(understanding: Understanding, files: Mapping[str, bytes], default_schema: str | None) -> Contracted:
    """Find the contract of every chosen table. A contract that cannot be read is listed."""
    objects: list[tuple[str, ContractObject]] = []
    unreadable: list[tuple[str, str]] = []
    for path in sorted(files):
        if path.endswith((".yml", ".yaml")) and contracts.is_contract(files[path]):
            try:
                objects += [(path, each) for each in contracts.read(files[path])]
            except Unreadable as error:
                unreadable.append((path, error.message))
    spots: dict[str, tuple[str, ContractObject]] = {}
    several: list[str] = []
    by_name: dict[str, list[tuple[str, ContractObject]]] = {}
    for path, each in objects:
        by_name.setdefault(each.table.casefold(), []).append((path, each))
    for table in understanding.tables:
        named = by_name.get(table.name.casefold(), [])
        found = [each for each in named if each[1].is_called(table.name, table.schema or default_schema)]
        if len(found) == 1:
            spots[table.key] = found[0]
        elif found:
            several.append(table.key)
    for key in _shared(spots):
        del spots[key]
        several.append(key)
    used = {column.classification for _, each in objects for column in each.properties if column.classification}
    return Contracted(spots, tuple(several), words_in_use(frozenset(used), WORDS), tuple(unreadable))


def _shared(spots: Mapping[str, tuple[str, ContractObject]]) -> list[str]:
    """Give the tables whose entry of a contract another table answers to as well."""
    owners: dict[tuple[str, str], list[str]] = {}
    for key, (path, each) in spots.items():
        owners.setdefault((path, each.name), []).append(key)
    return [key for keys in owners.values() if len(keys) > 1 for key in keys]


def draft(understanding: Understanding, findings: Findings, found: Contracted) -> ContractDraft:
    """Give the edits that write ``findings`` down in the contracts where they are missing."""
    made = ContractDraft()
    for table in understanding.tables:
        if table.key in found.spots:
            path, said = found.spots[table.key]
            _Writer(understanding, findings, found.words, made, table, path, said, said.columns()).write()
    return made


@dataclass(frozen=True)
class _Writer:
    """Writes the edits of one table."""

    understanding: Understanding
    findings: Findings
    words: Mapping[Level, str]
    made: ContractDraft
    table: Table
    path: str
    said: ContractObject
    columns: Mapping[str, tuple[ContractProperty, ...]]

    def write(self) -> None:
        described = self._finding(None, "describes")
        text = self.understanding.descriptions.get(self.table.key)
        if described is not None and text is not None and self.said.description is None:
            self._add(Describe(self.said.name, None, text.text), described)
        for about in self.understanding.of(self.table):
            there = self.columns.get(about.column.name.casefold(), ())
            if not there:
                self._new(about)
            elif len(there) == 1:
                self._known(about, there[0])

    def _finding(self, column: str | None, kind: str) -> Finding | None:
        return self.findings.by_place.get((self.table.key, column, kind))

    def _add(self, edit: ContractEdit, *findings: Finding) -> None:
        self.made.add(self.path, edit, self.table.key, *findings)

    def _new(self, about: About) -> None:
        name = about.column.name
        described, typed, judged = (self._finding(name, kind) for kind in ("describes", "data_type", "sensitivity"))
        if not (described or typed or judged):
            return
        edit = AddProperty(
            self.said.name,
            name,
            types.data_type(about.column) if typed is not None else None,
            about.description.text if described is not None and about.description is not None else None,
            self.words[about.judgement.level] if judged is not None else None,
        )
        self._add(edit, *(finding for finding in (described, typed, judged) if finding is not None))
        self._checks(about, ContractProperty(name))

    def _known(self, about: About, said: ContractProperty) -> None:
        name = about.column.name
        described, typed, judged = (self._finding(name, kind) for kind in ("describes", "data_type", "sensitivity"))
        data_type = types.data_type(about.column)
        if described is not None and about.description is not None and said.description is None:
            self._add(Describe(self.said.name, said.name, about.description.text), described)
        if typed is not None and data_type is not None and said.physical_type is None:
            self._add(SetType(self.said.name, said.name, data_type), typed)
        if judged is not None and said.classification is None and not is_marked({}, said.tags):
            self._add(Classify(self.said.name, said.name, self.words[about.judgement.level]), judged)
        self._checks(about, said)

    def _checks(self, about: About, said: ContractProperty) -> None:
        name = about.column.name
        key, keyed = self.understanding.keys.get(self.table.key), self._finding(None, "primary_key")
        if key is not None and keyed is not None and name in key.columns:
            alone = len(key.columns) == 1
            if not (said.required or (said.key and alone)) and "nullValues" not in said.metrics:
                self._add(AddCheck(self.said.name, said.name, "nullValues"), keyed)
            if alone and not (said.unique or said.key) and "duplicateValues" not in said.metrics:
                self._add(AddCheck(self.said.name, said.name, "duplicateValues"), keyed)
        values = self._finding(name, "accepted_values")
        if about.accepted is not None and values is not None and "invalidValues" not in said.metrics:
            listed: Sequence[str | int] = about.accepted.values
            self._add(
                AddCheck(self.said.name, said.name, "invalidValues", listed, warn=not about.accepted.holds), values
            )
