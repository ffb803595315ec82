"""What speaks for a judgement, told so that a person can check it: name, values, neighbours, distribution, checksum.

Rules: our own words, and counts that stand in the profile, so that a reviewer can look each of them up. A name of the
warehouse or a value never occurs here, so a poisoned one reaches nobody. Every column gets at least three items, also
where an item says that there was nothing to see.
"""

from collections.abc import Iterator
from typing import Final

from twokey.agents.catalog.classes import Classed
from twokey.agents.catalog.facts import Column, Profile, Table
from twokey.agents.catalog.judgement import WORDS_FOR, Judgement
from twokey.agents.catalog.named import kind_of
from twokey.agents.catalog.vocabulary import Kind

MOST_NEIGHBOURS: Final = 3
_CHECKED: Final[tuple[tuple[str, str], ...]] = (
    ("person_number", "official numbers"),
    ("trade_number", "registered numbers of companies or goods"),
    ("isin", "ISINs"),
    ("isbn", "ISBNs"),
    ("lei", "LEIs"),
    ("imei", "IMEIs"),
    ("vin", "vehicle numbers"),
)


def told(table: Table, column: Column, judged: Judgement, found: Classed, *, named: Kind | None) -> tuple[str, ...]:
    """Give the items, the most telling first."""
    return (
        _of_name(judged, named),
        f"values: {found.said}",
        _of_neighbours(table, column),
        *_of_checksums(column.profile),
        *_of_distribution(column.profile),
    )


def _of_name(judged: Judgement, named: Kind | None) -> str:
    if named is None:
        return "name: it says nothing of what is held"
    said = f"name: it says {_spoken(named)}"
    return said if named == judged.kind else f"{said}, which the rest speaks against"


def _spoken(kind: Kind) -> str:
    return WORDS_FOR.get(kind, kind.replace("_", " "))


def _of_neighbours(table: Table, column: Column) -> str:
    told = [_spoken(kind) for other in table.columns if other is not column and (kind := kind_of(other.name))]
    shown = list(dict.fromkeys(told))[:MOST_NEIGHBOURS]
    return f"neighbours: beside {', '.join(shown)}" if shown else "neighbours: none that tells anything"


def _of_checksums(profile: Profile | None) -> Iterator[str]:
    if profile is None:
        return
    for signal, what in _CHECKED:
        if profile.signals.get(signal):
            yield f"checksum: {profile.signals[signal]:,} of {profile.looked:,} values are valid {what}"
    for pattern, what in (("iban", "IBANs"), ("card", "card numbers")):
        if profile.patterns.get(pattern):
            yield f"checksum: {profile.patterns[pattern]:,} of {profile.checked:,} values pass as {what}"


def _of_distribution(profile: Profile | None) -> Iterator[str]:
    if profile is None:
        yield "distribution: not looked at"
        return
    filled = profile.rows - profile.nulls
    text = f"distribution: {profile.distinct:,} different among {filled:,} values" if filled else "distribution: empty"
    yield f"{text}, at most {profile.longest:,} characters" if profile.longest else text
