"""What was understood, as findings: one claim each, with the evidence it rests on.

Rules: a claim is one sentence of our words, harmless names and counts that stand in the cited evidence; it holds no
value of a cell but the plain words of a list of accepted values. The same understanding gives the same findings with
the same ids. ``attention`` is for what a person should look at whatever happens to the proposal, and kept rare.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from twokey.agents.catalog import inert, inspected, types
from twokey.agents.catalog.facts import Join, Profile, Table
from twokey.agents.catalog.judgement import Judgement
from twokey.agents.catalog.phrases import listed, place
from twokey.agents.catalog.understanding import About, Understanding
from twokey.core.values import Finding

Focus: TypeAlias = Literal["all", "sensitivity", "descriptions", "relationships"]
Place: TypeAlias = tuple[str, str | None, str]
"""Table key, column (None for the table) and kind of a finding."""

LEAST_SURE_KEY: Final = 60
LEAST_SURE_VALUES: Final = 70
LEAST_SURE_LEVEL: Final = 55

UNNAMABLE: Final = "unnamable"

_FOCUSED: Final[Mapping[Focus, frozenset[str]]] = {
    "sensitivity": frozenset({"sensitivity", "unreadable", UNNAMABLE}),
    "descriptions": frozenset({"describes", "data_type", "unreadable", UNNAMABLE}),
    "relationships": frozenset({"relationship", "primary_key", "orphans", "unreadable", UNNAMABLE}),
}


@dataclass(frozen=True)
class Citations:
    """Which evidence holds what: the schema, the profile of each table, and the counts of each relationship."""

    schema: str
    profiles: Mapping[str, str]
    counts: Mapping[Join, str]
    problems: Mapping[str, str]
    """Tables that could not be read, with the reason the tool gave."""
    inspections: Mapping[str, str] = field(default_factory=dict[str, str])
    """Evidence of what is wrong in the cells of each table."""

    def of(self, table: str) -> tuple[str, ...]:
        """Evidence of what one table holds."""
        return tuple(dict.fromkeys(cited for cited in (self.profiles.get(table), self.schema) if cited))

    def counted(self, join: Join) -> tuple[str, ...]:
        """Evidence of a relationship: what was counted, and the schema that declares it or lacks it."""
        pair = Join(join.child, join.columns, join.parent, join.targets)
        count = next((cited for known, cited in self.counts.items() if _same(known, pair)), None)
        return (count, self.schema) if count else (self.schema,)


@dataclass(frozen=True, slots=True)
class _Claim:
    place: Place
    claim: str
    evidence: tuple[str, ...]
    confidence: int
    attention: bool = False


@dataclass(frozen=True)
class Findings:
    """Findings in the order of the warehouse, and where each belongs."""

    items: tuple[Finding, ...]
    by_place: Mapping[Place, Finding]


def collect(understanding: Understanding, cited: Citations, *, focus: Focus = "all", first: int = 1) -> Findings:
    """Give the findings, numbered from ``first``. ``focus`` leaves out what was not asked for."""
    wanted = _FOCUSED.get(focus)
    claims = [claim for claim in _claims(understanding, cited) if wanted is None or claim.place[2] in wanted]
    by_place: dict[Place, Finding] = {}
    told = {claim.place: claim for claim in reversed(claims)}  # what a profile says comes first, and is said once
    claims = [claim for claim in claims if told[claim.place] is claim]
    for number, claim in enumerate(claims, first):
        by_place[claim.place] = Finding(
            id=f"f-{number}",
            subject="warehouse" if claim.place[2] == UNNAMABLE else subject(claim.place[0], claim.place[1]),
            kind=claim.place[2],
            claim=claim.claim[:1000],
            evidence=claim.evidence,
            confidence=claim.confidence,
            attention=claim.attention,
        )
    return Findings(tuple(by_place.values()), by_place)


def subject(table: str, column: str | None = None) -> str:
    """Name a table or column in a finding, harmlessly."""
    name = inert.line(table, 190) or "?"
    return name if column is None else f"{name}.{inert.line(column, 190) or '?'}"


def _claims(understanding: Understanding, cited: Citations) -> Iterator[_Claim]:
    for table in understanding.tables:
        if not inert.speakable(table.name):
            yield _unnamable((table.key, None, UNNAMABLE), "A table", cited)
            continue
        yield from _of_table(understanding, table, cited)
        for about in understanding.of(table):
            if inert.speakable(about.column.name):
                yield from _of_column(understanding, table, about, cited)
            else:
                yield _unnamable((table.key, about.column.name, UNNAMABLE), "A column", cited)
        yield from _of_cells(understanding, table, cited)


def _of_cells(understanding: Understanding, table: Table, cited: Citations) -> Iterator[_Claim]:
    """Tell what is wrong in the cells of a table."""
    found, evidence = understanding.inspections.get(table.key), cited.inspections.get(table.key)
    if found is not None and evidence is not None:
        for problem in inspected.said(table, found):
            at = (table.key, problem.column, problem.kind)
            yield _Claim(at, problem.claim, (evidence,), problem.confidence, problem.attention)


def _unnamable(place: Place, what: str, cited: Citations) -> _Claim:
    claim = f"{what} has a name that cannot be told (too long, or without a letter or digit); it was left alone."
    return _Claim(place, claim, (cited.schema,), 99, attention=True)


def _of_table(understanding: Understanding, table: Table, cited: Citations) -> Iterator[_Claim]:
    evidence = cited.of(table.key)
    name = inert.prose(table.name)
    if table.key in cited.problems:
        reason = inert.prose(cited.problems[table.key], 200)
        yield _Claim(
            (table.key, None, "unreadable"), f"{name} could not be read: {reason}", (cited.schema,), 99, attention=True
        )
    elif not table.columns:
        yield _Claim((table.key, None, "unreadable"), f"{name} has no columns.", (cited.schema,), 99)
    text = understanding.descriptions.get(table.key)
    if text is not None:
        yield _Claim((table.key, None, "describes"), f"{name}: {text.text}", evidence, text.confidence)
    key = understanding.keys.get(table.key)
    told = key is not None and all(inert.speakable(column) for column in key.columns)
    if key is not None and told and key.confidence >= LEAST_SURE_KEY:
        columns = listed([inert.prose(column) for column in key.columns], "and")
        if key.declared:
            claim = (
                f"{columns} is declared as the key of {name}."
                if len(key.columns) == 1
                else f"{columns} are declared as the key of {name}."
            )
        elif len(key.columns) == 1:
            claim = f"{columns} identifies a row of {name}: no value occurs twice and none is missing."
            counted = cited.counted(Join(table.key, key.columns, table.key, key.columns))
            evidence = tuple(dict.fromkeys((*counted, *cited.of(table.key))))
        else:
            claim = f"{columns} together identify a row of {name}: no combination occurs twice."
            evidence = cited.counted(Join(table.key, key.columns, table.key, key.columns))
        yield _Claim((table.key, None, "primary_key"), claim, evidence, key.confidence)


def _of_column(understanding: Understanding, table: Table, about: About, cited: Citations) -> Iterator[_Claim]:
    column, evidence = about.column, cited.of(table.key)
    name = place(table, column.name)

    def at(kind: str) -> Place:
        return (table.key, column.name, kind)

    if about.description is not None:
        yield _Claim(at("describes"), f"{name}: {about.description.text}", evidence, about.description.confidence)
    written = types.data_type(column)
    if written is not None:
        said = "is declared" if column.declared_type.strip() else "holds nothing but"
        yield _Claim(at("data_type"), f"{name} {said} {written}.", evidence, 99 if column.declared_type.strip() else 75)
    judgement = about.judgement
    if judgement.confidence >= LEAST_SURE_LEVEL and table.key not in cited.problems:
        claim = f"{name} is {_LEVELS[judgement.level]}: {'; '.join(judgement.reasons)}.{_of_class(judgement)}"
        yield _Claim(at("sensitivity"), claim, evidence, judgement.confidence, attention=judgement.doubt)
    if about.join is not None and about.join.columns[0] == column.name:
        yield from _of_join(understanding, table, about.join, cited)
    if about.accepted is not None and about.accepted.confidence >= LEAST_SURE_VALUES:
        values = listed([inert.prose(str(value), 40) for value in about.accepted.values])
        yield _Claim(at("accepted_values"), f"{name} holds one of {values}.", evidence, about.accepted.confidence)
        if about.accepted.slips:
            rows = sum(count for _, _, count in about.accepted.slips)
            meant = listed(
                [
                    f"“{inert.prose(slip, 40)}” for “{inert.prose(right, 40)}”"
                    for slip, right, _ in about.accepted.slips
                ],
                "and",
            )
            yield _Claim(
                at("misspelt_values"),
                f"{_rows(rows)} of {name} read like slips: {meant}.",
                evidence,
                85,
                attention=True,
            )
    if about.nothing:
        rows = sum(count for _, count in about.nothing)
        texts = listed([f"“{inert.prose(text, 20)}”" for text, _ in about.nothing])
        yield _Claim(
            at("missing_as_text"),
            f"{_rows(rows)} of {name} hold {texts}{_masked(column.profile)} where a value is missing.",
            evidence,
            88,
            attention=True,
        )
    impossible = _impossible_dates(column.profile)
    if impossible:
        claim = f"{_rows(impossible)} of {name} look like dates that no calendar has."
        yield _Claim(at("impossible_dates"), claim, evidence, 85, attention=True)


def _of_class(judgement: Judgement) -> str:
    """Say what the values are and what speaks for it, where that is more than nothing."""
    if judgement.column_class == "other" and judgement.level not in {"pii", "financial"}:
        return ""
    known = judgement.column_class != "other"
    said = f"Class {judgement.column_class.lower().replace('_', ' ')}" if known else "No class of its own"
    return f" {said}; {'; '.join(judgement.evidence)}."


def _of_join(understanding: Understanding, table: Table, join: Join, cited: Citations) -> Iterator[_Claim]:
    parent = understanding.warehouse.by_key[join.parent]
    child_side = listed([place(table, column) for column in join.columns], "and")
    parent_side = listed([place(parent, column) for column in join.targets], "and")
    verb = "refers" if len(join.columns) == 1 else "refer"
    evidence = cited.counted(join)
    yield _Claim(
        (table.key, join.columns[0], "relationship"),
        f"{child_side} {verb} to {parent_side}: {'; '.join(join.reasons)}.",
        evidence,
        join.confidence,
    )
    if join.orphans:
        holds = "holds" if join.orphans == 1 else "hold"
        claim = f"{_rows(join.orphans)} of {child_side} {holds} a value that {parent_side} lacks"
        if join.orphan_shapes:
            claim += f", of the form {listed([f'“{inert.prose(form, 40)}”' for form in join.orphan_shapes])} (masked)"
        if join.orphans_about is not None:
            claim = f"At least {claim}; going by the values that were looked for it is about {join.orphans_about:,}"
        claim += "."
        yield _Claim((table.key, join.columns[0], "orphans"), claim, evidence, 97, attention=True)


_LEVELS: Final = {"public": "public", "operational": "operational", "financial": "financial", "pii": "personal"}


def _masked(profile: Profile | None) -> str:
    """Say that texts are told by their form, where values are withheld."""
    return "" if profile is None or profile.frequent else " (masked)"


def _impossible_dates(profile: Profile | None) -> int:
    """Count texts that are written like a date and are none, where nearly all others are dates."""
    if profile is None or profile.texts == 0 or profile.complete is False:
        return 0
    dates = profile.patterns.get("date", 0)
    written = sum(count for shape, count in profile.shapes if shape == "9999-99-99")
    return written - dates if dates and 0 < written - dates < dates // 10 else 0


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _same(one: Join, other: Join) -> bool:
    return (one.child, one.columns, one.parent, one.targets) == (
        other.child,
        other.columns,
        other.parent,
        other.targets,
    )
