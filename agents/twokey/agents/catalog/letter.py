"""What a person reads first: the title and text of the pull request, and why it is proposed.

Rules: our words, counts and evidence ids; names and claims only as ``inert`` makes them, so that nothing in them is a
link, a mention, an image or markup. What matters comes first and is short; the reasons are folded, table by table.
Lists are cut and say so. What was not done is said as plainly as what was.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from twokey.agents.catalog import inert
from twokey.agents.catalog.dependents import Dependents
from twokey.agents.catalog.letter_tables import FURTHER, details, overview
from twokey.agents.catalog.owners import Owned, shown
from twokey.agents.catalog.phrases import lead, listed
from twokey.agents.catalog.written import At, Change
from twokey.core.values import Finding

MOST_LINES: Final = 40
MOST_FIRST: Final = 10
"""Findings that want attention and are not folded."""
MOST_NAMED: Final = 3
"""Tables that the title names."""
MOST_SELECTED: Final = 6
"""Tables that a command names one by one; beyond, it names their sources."""
MAX_BODY: Final = 50_000
_ROLLBACK: Final = (
    "Close this pull request and delete its branch. After a merge, revert the commit. Nothing else is written."
)
_PLAIN: Final = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Letter:
    """Title (one line, at most 200 characters), Markdown text, and the reason in at most 4,000 characters."""

    title: str
    body: str
    why: str


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around a change."""

    owners: Mapping[str, Owned] = field(default_factory=dict[str, Owned])
    """Who owns which file, where that is known; outside text."""
    dependents: Mapping[str, Dependents] = field(default_factory=dict[str, Dependents])
    """What depends on each table, by its key."""
    part: int = 1
    parts: int = 1
    """Which of how many pull requests this is, and for whom (outside text) where that is stated."""
    owner: str | None = None


def write(
    change: Change,
    attention: Sequence[Finding],
    *,
    warehouse: str,
    evidence: Sequence[str],
    around: Around | None = None,
) -> Letter:
    """Write the letter for a change.

    Args:
        change: What is proposed.
        attention: Findings about the same tables that a person should look at, whatever happens to the proposal.
        warehouse: Name of the warehouse; outside text.
        evidence: Ids of everything that is cited, in order.
        around: Owners and dependents of what is changed.

    """
    around = around or Around()
    name = inert.prose(short_name(warehouse), 40)
    why = _why(change, attention, name)
    sections = [
        f"{why}\n\n{_what(change)}",
        _section("Wants attention", _attention(attention)),
        _section("Tables", overview(change, around.dependents)),
        _section("Left alone", _left(change)),
        _section("Owners", _owned(around)),
        _section("Checks", _checks(change)),
        _section("Rollback", [_ROLLBACK]),
    ]
    cited = f"Evidence: {', '.join(evidence[:200])}{_more(len(evidence) - 200)}" if evidence else ""
    body = "\n\n".join(section for section in sections if section)
    folded = details(change, around.dependents, room=MAX_BODY - len(body) - len(cited) - 200)
    body = "\n\n".join(part for part in (body, _section("Why, table by table", folded), cited) if part)
    return Letter(title=inert.line(_title(change, name), 200), body=body[:MAX_BODY], why=why[:4000])


def short_name(place: str) -> str:
    """Give the last part of a path or URL, without its suffix: what people call the warehouse."""
    last = place.replace("\\", "/").rstrip("/").split("?")[0].split("/")[-1]
    for suffix in (".sqlite3", ".sqlite", ".duckdb", ".db"):
        last = last.removesuffix(suffix)
    return last or "warehouse"


# --- first -------------------------------------------------------------------------------------------------------


def _title(change: Change, name: str) -> str:
    kinds = [finding.kind for finding in change.used]
    personal, related = len(personal_of(change.used)), kinds.count("relationship")
    verb = "Document" if "describes" in kinds or not kinds else "Tag personal data in" if personal else "Test"
    tables = change.changed or change.documented
    if 0 < len(tables) <= MOST_NAMED:
        what = f"{listed([inert.prose(key, 40) for key in tables], 'and')} of {name}"
    else:
        what = f"{_number(len(tables), 'table')} of {name}"
    parts = [_number(personal, "personal column")] if personal else []
    parts += [_number(related, "relationship")] if related else []
    return f"{verb} {what}" + (f": {', '.join(parts)}" if parts else "")


def _why(change: Change, attention: Sequence[Finding], name: str) -> str:
    kinds = [finding.kind for finding in change.used]
    said = [
        (len(change.new), "table is", "tables are", "not documented"),
        (kinds.count("describes"), "description is", "descriptions are", "missing"),
        (len(personal_of(change.used)), "personal column is", "personal columns are", "not marked"),
        (kinds.count("relationship"), "relationship is", "relationships are", "not tested"),
        (kinds.count("primary_key"), "key is", "keys are", "not fully tested"),
        (kinds.count("accepted_values"), "list of values is", "lists of values are", "not tested"),
        (sum(kind in FURTHER for kind in kinds), "rule is", "rules are", "kept by the data and not tested"),
    ]
    gaps = [f"{count:,} {one if count == 1 else many} {end}" for count, one, many, end in said if count]
    text = f"In {name}, {listed(gaps, 'and')}." if gaps else f"What is known of {name} is not written down yet."
    if attention:
        text += f" {_number(len(attention), 'finding')} {'wants' if len(attention) == 1 else 'want'} attention."
    return text


def _what(change: Change) -> str:
    """Say what is added, in one sentence."""
    says = [said for each in change.written for said in each.says]
    words = [
        _number(says.count(kind), word)
        for kind, word in (
            ("description", "description"),
            ("type", "data type"),
            ("mark", "sensitivity mark"),
            ("unit", "unit"),
            ("freshness", "freshness rule"),
            ("test", "test"),
        )
        if kind in says
    ]
    added = f"This adds {listed(words, 'and')}. " if words else ""
    return f"{added}Only what was missing is added; what was there stays as it was."


def _attention(found: Sequence[Finding]) -> list[str]:
    lines = [f"- {lead(finding.claim)} ({', '.join(finding.evidence)})" for finding in found]
    if len(lines) <= MOST_FIRST + 1:
        return lines
    rest = _cut(lines[MOST_FIRST:])
    return [*lines[:MOST_FIRST], "", *folded(f"{len(lines) - MOST_FIRST:,} more", rest)]


def folded(summary: str, lines: Sequence[str]) -> list[str]:
    """Fold lines under a summary of our own words."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>"]


# --- after -------------------------------------------------------------------------------------------------------


def _owned(around: Around) -> list[str]:
    lines: list[str] = []
    if around.parts > 1:
        whose = f" It is for {inert.code(shown(around.owner), 60)}." if around.owner else " Nobody is stated to own it."
        which = f"This is part {around.part} of {around.parts}, one pull request for each owner"
        lines.append(f"{which}; every part stands by itself.{whose}")
    by_owner: dict[Owned, list[str]] = {}
    for path, owned in sorted(around.owners.items()):
        by_owner.setdefault(owned, []).append(path)
    said = [
        f"- {', '.join(inert.code(shown(name), 60) for name in owned.names)} ({_HOW[owned.source]}): {_paths(paths)}"
        for owned, paths in by_owner.items()
    ]
    return [*lines, *([""] if lines and said else []), *_cut(said)]


_HOW: Final = {
    "CODEOWNERS": "CODEOWNERS",
    "meta": "owner in the meta",
    "group": "dbt group",
    "tag": "tag",
    "history": "wrote most of it, which is a guess",
}


def _paths(paths: Sequence[str]) -> str:
    return ", ".join(inert.code(path, 300) for path in paths[:8]) + _more(len(paths) - 8)


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


def _checks(change: Change) -> list[str]:
    tests = [each for each in change.written if each.test]
    warned = [each for each in tests if each.warns]
    lines: list[str] = []
    at = [change.places[key] for key in change.changed if key in change.places]
    if at:
        lines.append(f"- `dbt parse`, then `dbt test{_selected(at)}`.")
    if warned:
        names = [inert.code(f"{each.table}.{each.column}" if each.column else each.table, 100) for each in warned[:8]]
        only = "1 of the new tests only warns" if len(warned) == 1 else f"{len(warned):,} of the new tests only warn"
        lines.append(
            f"- {only} (`severity: warn`), because today's data fail: "
            f"{listed(names, 'and') if len(warned) <= 8 else ', '.join(names) + _more(len(warned) - 8)}."
        )
    elif tests:
        lines.append("- Today's data pass every new test, as far as they were counted.")
    return lines


def _selected(places: Sequence[At]) -> str:
    """Select the tables of a change, or their sources where they are many; nothing where a name is not plain."""
    parts = [part for at in places for part in ([at.node] if isinstance(at.node, str) else at.node)]
    many = len(places) > MOST_SELECTED
    chosen = [
        at.node if isinstance(at.node, str) else f"source:{at.node[0]}" if many else f"source:{'.'.join(at.node)}"
        for at in places
    ]
    names = list(dict.fromkeys(chosen))
    plain = all(_PLAIN.fullmatch(part) for part in parts)
    return f" --select {' '.join(names)}" if plain and len(names) <= 2 * MOST_SELECTED else ""


def personal_of(used: Iterable[Finding]) -> list[Finding]:
    """Give the findings that call a column personal."""
    return [finding for finding in used if finding.kind == "sensitivity" and " is personal: " in finding.claim]


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
