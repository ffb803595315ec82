"""What a person reads first: the title and text of the pull request, and why it is proposed.

Rules: our words, counts and evidence ids; names and claims only as ``inert`` makes them, so that nothing in them is a
link, a mention, an image or markup; lists are cut and say so. What was not done is said as plainly as what was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog import inert
from twokey.agents.catalog.changes import Change
from twokey.agents.catalog.phrases import listed
from twokey.core.values import Finding

MOST_LINES: Final = 40
MAX_BODY: Final = 50_000


@dataclass(frozen=True, slots=True)
class Letter:
    """Title (one line, at most 200 characters), Markdown text, and the reason in at most 4,000 characters."""

    title: str
    body: str
    why: str


def write(
    change: Change,
    attention: Sequence[Finding],
    *,
    warehouse: str,
    evidence: Sequence[str],
    owners: Mapping[str, Sequence[str]] | None = None,
) -> Letter:
    """Write the letter for a change.

    Args:
        change: What is proposed.
        attention: Findings about the same tables that a person should look at, whatever happens to the proposal.
        warehouse: Name of the warehouse; outside text.
        evidence: Ids of everything that is cited, in order.
        owners: Who owns which file, where that is known; outside text.

    """
    name = inert.prose(short_name(warehouse), 40)
    counts = _counts(change.used)
    title = f"Document {_number(len(change.documented), 'table')} of {name}"
    parts = [part for part in (counts.get("sensitivity"), counts.get("relationship"), counts.get("tests")) if part]
    title += f": {', '.join(parts)}" if parts else ""
    why = _why(change, attention, name)
    sections = [
        why,
        _section("What changes", _files(change)),
        _section("Owners", _owned(owners or {})),
        _section("Personal data", _cited(_personal(change.used))),
        _section("Relationships", _cited(_of_kind(change.used, "relationship"))),
        _section("Keys", _cited(_of_kind(change.used, "primary_key"))),
        _section("Accepted values", _cited(_of_kind(change.used, "accepted_values"))),
        _section("Further checks", _cited(_further(change.used))),
        _section("Wants attention", _cited(attention)),
        _section("Left alone", _left(change)),
        _section("Evidence", [f"- {', '.join(evidence[:200])}{_more(len(evidence) - 200)}"]),
        _section(
            "How to check and undo",
            [
                "- `dbt parse`, then `dbt test` on these tables; `severity: warn` marks what “Wants attention” tells.",
                "- Only missing descriptions, types, tests and sensitivity marks are added; what was there stays.",
                "- To undo: close this pull request and delete its branch; after a merge, revert the commit.",
            ],
        ),
    ]
    body = "\n\n".join(section for section in sections if section)
    return Letter(title=inert.line(title, 200), body=body[:MAX_BODY], why=why[:4000])


def short_name(place: str) -> str:
    """Give the last part of a path or URL, without its suffix: what people call the warehouse."""
    last = place.replace("\\", "/").rstrip("/").split("?")[0].split("/")[-1]
    for suffix in (".sqlite3", ".sqlite", ".duckdb", ".db"):
        last = last.removesuffix(suffix)
    return last or "warehouse"


def _counts(used: Sequence[Finding]) -> dict[str, str]:
    kinds = [finding.kind for finding in used]
    personal = len(_personal(used))
    found = {
        "sensitivity": _number(personal, "personal column") if personal else "",
        "relationship": _number(kinds.count("relationship"), "relationship") if "relationship" in kinds else "",
        "describes": _number(kinds.count("describes"), "description") if "describes" in kinds else "",
    }
    return {kind: text for kind, text in found.items() if text}


def _why(change: Change, attention: Sequence[Finding], name: str) -> str:
    kinds = [finding.kind for finding in change.used]
    said = [
        (len(change.new), "table is", "tables are", "not documented"),
        (kinds.count("describes"), "description is", "descriptions are", "missing"),
        (len(_personal(change.used)), "personal column is", "personal columns are", "not marked"),
        (kinds.count("relationship"), "relationship is", "relationships are", "not tested"),
        (kinds.count("primary_key"), "key is", "keys are", "not fully tested"),
        (kinds.count("accepted_values"), "list of values is", "lists of values are", "not tested"),
    ]
    text = "; ".join(f"{count:,} {one if count == 1 else many} {end}" for count, one, many, end in said if count)
    text = f"Of {name}: {text}." if text else f"What is known of {name} is not written down yet."
    if attention:
        text += f" {_number(len(attention), 'finding')} {'wants' if len(attention) == 1 else 'want'} attention."
    return text


def _files(change: Change) -> list[str]:
    lines = [f"- {inert.code(path, 300)}" for path in sorted(change.files)]
    kinds = [finding.kind for finding in change.used]
    words = [
        _number(kinds.count(kind), word)
        for kind, word in (
            ("describes", "description"),
            ("data_type", "data type"),
            ("sensitivity", "sensitivity mark"),
            ("primary_key", "key"),
            ("relationship", "relationship"),
            ("accepted_values", "value list"),
            ("unit", "unit"),
        )
        if kind in kinds
    ]
    words += [_number(len(_further(change.used)), "further check")] if _further(change.used) else []
    summary = [f"- Adds {listed(words, 'and')}."] if words else []
    if change.new:
        names = listed([inert.code(key, 80) for key in change.new[:20]], "and") + _more(len(change.new) - 20)
        summary.append(f"- Nobody spoke of these before: {names}.")
    return summary + _cut(lines)


def _owned(owners: Mapping[str, Sequence[str]]) -> list[str]:
    return _cut(
        [
            f"- {inert.code(path, 300)}: {', '.join(inert.prose(name, 60) for name in names)}"
            for path, names in sorted(owners.items())
        ]
    )


def _left(change: Change) -> list[str]:
    lines = [f"- {inert.code(table, 100)}: {reason}" for table, reason in change.left]
    refused: dict[tuple[str, str], int] = {}
    for place in change.refused:
        refused[place] = refused.get(place, 0) + 1
    lines += [
        f"- {inert.code(table, 100)}: {_number(count, 'statement')} not written. {reason}"
        for (table, reason), count in refused.items()
    ]
    if change.later:
        lines.append(
            f"- {_number(len(change.later), 'more table')}: too much for one review, ask again after this one."
        )
    return _cut(lines)


def _of_kind(used: Iterable[Finding], kind: str) -> list[Finding]:
    return [finding for finding in used if finding.kind == kind]


_FURTHER: Final = frozenset({"never_null", "unique_values", "range", "date_order", "freshness"})


def _further(used: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in used if finding.kind in _FURTHER]


def _personal(used: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in used if finding.kind == "sensitivity" and " is personal: " in finding.claim]


def _cited(found: Iterable[Finding]) -> list[str]:
    """Give one line per finding. Claims are made of harmless parts already; they are never longer than a paragraph."""
    return _cut([f"- {finding.claim[:400]} ({', '.join(finding.evidence)})" for finding in found])


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"### {title}", "", *lines]) if lines else ""


def _cut(lines: Sequence[str]) -> list[str]:
    kept = list(lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        kept.append(f"- and {len(lines) - MOST_LINES:,} more, in the files and findings")
    return kept


def _more(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
