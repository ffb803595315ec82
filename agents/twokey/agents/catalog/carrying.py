"""Carries the edits of a change out, file by file, and says what came of them.

Rules: what the editor refuses is listed and left out; what a person wrote already is neither. Every statement that is
made is told with the findings it rests on, and every file with those it cannot do without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from twokey.agents.catalog import contracts, properties, vetting
from twokey.agents.catalog.contract_changes import ContractDraft
from twokey.agents.catalog.contract_edits import AddCheck, ContractEdit
from twokey.agents.catalog.edits import AddColumn, AddTests, Edit
from twokey.agents.catalog.house import House
from twokey.agents.catalog.written import Change, Says, Where, Written
from twokey.core.values import Finding


@dataclass(slots=True)
class Draft:
    """What is being put together. ``owners`` remembers which finding each edit carries."""

    edits: dict[str, list[Edit]] = field(default_factory=dict[str, list[Edit]])
    owners: dict[int, tuple[str, tuple[Finding, ...]]] = field(
        default_factory=dict[int, tuple[str, tuple[Finding, ...]]]
    )
    tests: dict[str, "Singular"] = field(default_factory=dict[str, "Singular"])
    new: dict[str, str] = field(default_factory=dict[str, str])
    """Tables of sources that this change makes, as a test names them -> the file that does."""

    def add(self, path: str, edit: Edit, table: str, *findings: Finding) -> None:
        self.edits.setdefault(path, []).append(edit)
        self.owners[id(edit)] = (table, findings)


@dataclass(frozen=True, slots=True)
class Singular:
    """A test of a table that is a file of its own, and the property file of the table."""

    text: str
    finding: Finding
    table: str
    beside: str
    test: str = "unique together"


def carried_out(draft: Draft, terms: ContractDraft, files: Mapping[str, bytes], house: House) -> Change:
    """Give the files with the edits in them, what they say now, and what was not written."""
    changed: dict[str, str] = {}
    written: list[Written] = []
    refused: list[Where] = []
    needs: set[tuple[str, str]] = set()
    for path, edits in draft.edits.items():
        result = properties.edit(files.get(path) or b"version: 2\n", edits, conventions=house.conventions)
        for each in result.applied:
            written.append(_written(path, *draft.owners[id(each)], each))
            other = draft.new.get(_referred(each), path)
            needs |= {(path, other)} if other != path else set()
        refused.extend(
            (draft.owners[id(each.edit)][0], each.reason) for each in result.refused if each.code not in _EXPECTED
        )
        if result.applied:
            changed[path] = result.text.decode("utf-8")
    for path, wanted in terms.edits.items():
        outcome = contracts.edit(files[path], wanted)
        written.extend(_term(path, *terms.owners[id(each)], each) for each in outcome.applied)
        refused.extend(
            (terms.owners[id(each.edit)][0], each.reason) for each in outcome.refused if each.code not in _EXPECTED
        )
        if outcome.applied:
            changed[path] = outcome.text.decode("utf-8")
    for path, test in draft.tests.items():
        if path not in files:
            changed[path] = test.text
            written.append(Written(path, test.table, None, ("test",), (test.finding,), test=test.test))
            needs.add((path, test.beside))
    used = {finding.id: finding for each in written for finding in each.findings}
    ordered = tuple(sorted(used.values(), key=lambda finding: int(finding.id[2:])))
    return Change(files=changed, used=ordered, refused=tuple(refused), written=tuple(written), needs=frozenset(needs))


def _written(path: str, table: str, findings: tuple[Finding, ...], edit: Edit) -> Written:
    """Say what one edit of a property file states."""
    column = edit.column.name if isinstance(edit, AddColumn) else getattr(edit, "column", None)
    if not isinstance(edit, AddTests):
        return Written(path, table, column, _says(findings), findings)
    name, _, config = vetting.generic_test(edit.tests[0])
    return Written(path, table, column, ("test",), findings, test=name, warns="config" in config)


_KINDS: Final[Mapping[str, Says]] = {
    "describes": "description",
    "data_type": "type",
    "sensitivity": "mark",
    "unit": "unit",
    "freshness": "freshness",
}


def _says(findings: tuple[Finding, ...]) -> tuple[Says, ...]:
    found: list[Says] = [_KINDS[finding.kind] for finding in findings if finding.kind in _KINDS]
    return tuple(found)


def _referred(edit: Edit) -> str:
    """Give the relation that a relationships test compares with, as it is written there; empty for other edits."""
    spec = edit.tests[0] if isinstance(edit, AddTests) else None
    body = spec.get("relationships") if isinstance(spec, dict) else None
    return str(body.get("to", "")) if isinstance(body, dict) else ""


_EXPECTED: Final = frozenset({"exists"})
"""Refusals that only say that a person wrote something there already."""


def _term(path: str, table: str, findings: tuple[Finding, ...], edit: ContractEdit) -> Written:
    """Say what one edit of a data contract states."""
    if isinstance(edit, AddCheck):
        return Written(path, table, edit.column, ("test",), findings, test=edit.metric, warns=edit.warn)
    return Written(path, table, edit.column, _says(findings), findings)
