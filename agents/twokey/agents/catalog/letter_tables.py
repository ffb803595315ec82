"""The tables of a change in the text of a pull request: one line for each, and the reasons folded below.

Rules: those of ``letter``. Reasons are the first sentences of the claims, word for word; descriptions and types are
not repeated, because the diff shows them. What does not fit is counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from twokey.agents.catalog import inert
from twokey.agents.catalog.dependents import Dependents, Depending, closest, told
from twokey.agents.catalog.phrases import lead
from twokey.agents.catalog.written import Change, Written
from twokey.core.values import Finding

MOST_TABLES: Final = 60
MOST_REASONS: Final = 60
MOST_PERSONAL: Final = 8
MOST_DEPENDING: Final = 12
"""Columns of a table whose dependents are told one by one."""
FURTHER: Final = ("never_null", "unique_values", "range", "date_order", "freshness")
"""Kinds of findings behind checks that go beyond keys, relationships and lists of values."""
_TOLD: Final = ("sensitivity", "primary_key", "relationship", "accepted_values", *FURTHER, "unit")


def overview(change: Change, dependents: Mapping[str, Dependents]) -> list[str]:
    """Give a table of the tables: what is added, what is personal, what depends on it."""
    if not change.changed:
        return []
    lines = ["| Table | Added | Personal | What depends on it |", "|---|---|---|---|"]
    for key in change.changed[:MOST_TABLES]:
        written = [each for each in change.written if each.table == key]
        cells = (
            inert.code(key, 100) + (" (new)" if key in change.new else ""),
            _added(written),
            _personal(written),
            _depends(dependents.get(key)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    more = len(change.changed) - MOST_TABLES
    return [*lines, "", f"and {more:,} more tables, in the files"] if more > 0 else lines


def _added(written: Sequence[Written]) -> str:
    says = [said for each in written for said in each.says]
    words = ("description", "type", "mark", "unit", "freshness", "test")
    counts = [(says.count(word), "freshness rule" if word == "freshness" else word) for word in words]
    return ", ".join(f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count)


def _personal(written: Sequence[Written]) -> str:
    names = [
        inert.code(each.column or each.table, 80)
        for each in written
        if "mark" in each.says and any(_is_personal(finding) for finding in each.findings)
    ]
    more = f" and {len(names) - MOST_PERSONAL:,} more" if len(names) > MOST_PERSONAL else ""
    return ", ".join(names[:MOST_PERSONAL]) + more


def _is_personal(finding: Finding) -> bool:
    return finding.kind == "sensitivity" and " is personal: " in finding.claim


def _depends(found: Dependents | None) -> str:
    if found is None:
        return ""
    match found.known:
        case "depends":
            sure = told(found.things) if found.things else ""
            perhaps = f"perhaps {told(found.possible)}" if found.possible else ""
            return "; ".join(part for part in (sure, perhaps) if part)
        case "nothing":
            return "nothing"
        case "unsure":
            return "nothing known; not everything could be followed"
        case "cut":
            return "too much to work out here"


def details(change: Change, dependents: Mapping[str, Dependents], *, room: int) -> list[str]:
    """Give the reasons of each table, folded, as far as they fit into ``room`` characters."""
    lines: list[str] = []
    for number, key in enumerate(change.changed):
        inner = [*_reasons(change, key), *_depending(dependents.get(key))]
        if not inner:
            continue
        inner += ["", f"Evidence: {', '.join(_cited(change, key))}"]
        block = [
            "<details>",
            f"<summary><code>{inert.prose(key, 100)}</code></summary>",
            "",
            *inner,
            "",
            "</details>",
            "",
        ]
        room -= sum(len(each) + 1 for each in block)
        if room < 0:
            return [*lines, f"and {len(change.changed) - number:,} more tables, in the findings"]
        lines += block
    return lines[:-1]


def _reasons(change: Change, key: str) -> Iterator[str]:
    findings = {finding.id: finding for each in change.written if each.table == key for finding in each.findings}
    found = [finding for kind in _TOLD for finding in findings.values() if finding.kind == kind and _matters(finding)]
    yield from (f"- {lead(finding.claim)}" for finding in found[:MOST_REASONS])
    if len(found) > MOST_REASONS:
        yield f"- and {len(found) - MOST_REASONS:,} more, in the findings"


def _cited(change: Change, key: str) -> Sequence[str]:
    findings = [finding for each in change.written if each.table == key for finding in each.findings]
    return list(dict.fromkeys(cited for finding in findings for cited in finding.evidence))[:MOST_REASONS]


def _matters(finding: Finding) -> bool:
    """Leave out that a column is ordinary: nobody asks why."""
    return finding.kind != "sensitivity" or " is personal: " in finding.claim or " is financial: " in finding.claim


def _depending(found: Dependents | None) -> Iterator[str]:
    for each in found.columns[:MOST_DEPENDING] if found is not None else ():
        yield from _column(each)
    if found is not None and len(found.columns) > MOST_DEPENDING:
        yield f"- and dependents of {len(found.columns) - MOST_DEPENDING:,} more columns"


def _column(each: Depending) -> Iterator[str]:
    name = inert.code(each.column, 80) if each.column else "the table"
    for items, words in ((each.sure, ""), (each.possible, ", perhaps")):
        if items:
            things = told(closest(items))
            paths = list(dict.fromkeys(item.by.path for item in items))
            shown = ", ".join(inert.code(path, 200) for path in paths[:3]) + (", …" if len(paths) > 3 else "")
            yield f"- If {name} changes{words}: {things} ({shown})"
