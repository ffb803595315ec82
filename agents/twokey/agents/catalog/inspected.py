"""What the read tool found wrong in the cells of a table, told to a person: one problem, one sentence, one repair.

Rules: the sentence is ours; of outside text it holds harmless names, counts that stand in the evidence, and units
of measure. What wants attention is rare: numbers in different units, dates and numbers that cannot be, a text where
a value is missing. A code this module does not know is not told, because nobody could say what to do about it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog import inert
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.phrases import listed, place
from twokey.tools.read.warehouse import Inspected, Problem, UnitConversion

LEAST_SURE: Final = 60
ATTENTION: Final = frozenset(
    {"unit_mismatch", "impossible_dates", "impossible_range", "missing_as_text", "broken_text"}
)
_ENOUGH_FOR_ATTENTION: Final = 85


@dataclass(frozen=True, slots=True)
class Said:
    """One problem in words. ``column`` is ``None`` where it is one of the whole table."""

    column: str | None
    kind: str
    claim: str
    confidence: int
    attention: bool


def said(table: Table, found: Inspected) -> Iterator[Said]:
    """Tell each problem of a table whose names can be told."""
    known = {column.name for column in table.columns if inert.speakable(column.name)}
    for problem in found.problems:
        tell = _TELLERS.get(problem.code)
        names = (*problem.columns, *problem.by)
        if tell is None or problem.confidence < LEAST_SURE or not problem.columns:
            continue
        if problem.code == "duplicate_rows":
            names = ()
        if not known.issuperset(names):
            continue
        claim = tell(table, problem) + _of_sample(found)
        column = None if problem.code == "duplicate_rows" else problem.columns[0]
        attention = problem.code in ATTENTION and problem.confidence >= _ENOUGH_FOR_ATTENTION
        yield Said(column, problem.code, claim, problem.confidence, attention)


def _of_sample(found: Inspected) -> str:
    return "" if found.sampling == "all" else f" (Seen in {found.sampled:,} rows that were looked at.)"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _at(table: Table, problem: Problem) -> str:
    return place(table, problem.columns[0])


def _by(problem: Problem) -> str:
    return listed([inert.prose(name) for name in problem.by], "and")


# --- units ---------------------------------------------------------------------------------------------------------


def _units(table: Table, problem: Problem) -> str:
    start = f"{_rows(problem.cells)} of {_at(table, problem)}"
    if problem.detail == "scale":
        factor = problem.conversions[0].factor if problem.conversions else ""
        return f"{start} are of another scale than the others: multiply by {factor}, if it is their unit that differs."
    to_base = next((item for item in problem.conversions if not item.cells and item.factor), None)
    base = f" (1 {_unit(to_base.given)} is {to_base.factor} {_unit(to_base.wanted)})" if to_base else ""
    others = [_conversion(item) for item in problem.conversions if item.cells and item.given != item.wanted]
    spelled = next((item for item in problem.conversions if item.given == item.wanted), None)
    if spelled is not None:
        first = (
            f"{start} carry their unit in the value, written in several ways: store the number alone and name the unit "
            f"once, as {_unit(spelled.wanted)}{base}"
        )
        return f"{'; '.join([first, *others])}."
    return f"{start} are not in the unit of the others: {'; '.join(others)}{base}."


def _conversion(item: UnitConversion) -> str:
    given, wanted = _unit(item.given), _unit(item.wanted)
    if item.factor == "1":
        return (
            f"{item.cells:,} written in {given} are numbers of the same size as the bare ones, so take the unit away"
            if not item.wanted
            else f"{item.cells:,} without a unit are of the same size as those in {wanted}, so they are in {wanted} too"
        )
    if item.factor:
        return f"multiply the {item.cells:,} in {given} by {item.factor} to have {wanted}"
    return f"no fixed factor leads from the {item.cells:,} in {given} to {wanted}"


def _unit(name: str) -> str:
    return inert.prose(name.replace("_", " ")) if name else "plain numbers"


# --- the others ----------------------------------------------------------------------------------------------------


def _missing(table: Table, problem: Problem) -> str:
    return f"{_rows(problem.cells)} of {_at(table, problem)} hold a text where a value is missing: store null instead."


def _types(table: Table, problem: Problem) -> str:
    return f"{_rows(problem.cells)} of {_at(table, problem)} are no numbers, as the others are: correct or empty them."


def _format(table: Table, problem: Problem) -> str:
    start = f"{_rows(problem.cells)} of {_at(table, problem)}"
    if problem.detail == "second_format":
        return f"{start} are written in a second format: bring them into the one of the others."
    if problem.detail == "length":
        return f"{start} are shorter or longer than the others; zeros in front may have been lost: store it as text."
    if problem.detail == "thousands":
        return f"{start} set off their thousands by a point, and read as small numbers: take the point away."
    if problem.detail == "check_digit":
        return f"{start} have a wrong check digit, while that of the others is right: look them up."
    if problem.detail == "cut":
        return f"{start} were cut off at one length: load them whole."
    if problem.detail == "characters":
        return f"{start} hold signs that the others do not: take them away."
    return f"{start} are not written like the others: correct them, then test the format."


def _broken(table: Table, problem: Problem) -> str:
    return (
        f"{_rows(problem.cells)} of {_at(table, problem)} hold broken or control characters: load the source as UTF-8."
    )


def _misspelt(table: Table, problem: Problem) -> str:
    return f"{_rows(problem.cells)} of {_at(table, problem)} read like slips of more frequent values: correct them."


def _variants(table: Table, problem: Problem) -> str:
    if problem.detail == "shortened":
        return (
            f"{_rows(problem.cells)} of {_at(table, problem)} say in a shorter or another form what more frequent "
            "values say: choose one form."
        )
    return (
        f"{_rows(problem.cells)} of {_at(table, problem)} differ from more frequent values in case, blanks or "
        "punctuation only: choose one spelling."
    )


def _dependency(table: Table, problem: Problem) -> str:
    if problem.detail == "missing":
        return (
            f"{_rows(problem.cells)} of {_at(table, problem)} are blank where rows with the same {_by(problem)} "
            "agree on a value: fill it in."
        )
    if problem.detail == "contained":
        start = f"{_rows(problem.cells)} of {_at(table, problem)}"
        return f"{start} do not agree with the text of {_by(problem)}: correct one."
    if problem.detail == "sum":
        return (
            f"{_rows(problem.cells)} of {_at(table, problem)} do not add up with {_by(problem)}: look at all of them."
        )
    if problem.detail == "domain":
        return (
            f"{_rows(problem.cells)} of {_at(table, problem)} hold values that rows with the same {_by(problem)} do "
            "not hold: look which is wrong."
        )
    return (
        f"{_rows(problem.cells)} of {_at(table, problem)} contradict rows with the same {_by(problem)}: "
        "take the value of the majority, or look whether it is an exception."
    )


def _disagreement(table: Table, problem: Problem) -> str:
    if problem.detail == "misplaced":
        return (
            f"{_rows(problem.cells)} of {_at(table, problem)} say in {_by(problem)} what rows of another one say: "
            "look which one is meant."
        )
    return (
        f"{_rows(problem.cells)} of {_at(table, problem)} disagree with most other rows on the same {_by(problem)}: "
        "take what most of them say."
    )


def _spilled(table: Table, problem: Problem) -> str:
    if problem.detail == "rows":
        return (
            f"In some rows the values from {_at(table, problem)} on moved by a column ({problem.cells:,} cells "
            "in all): move them back."
        )
    if problem.detail == "columns":
        return (
            f"In some rows {_at(table, problem)} and {_by(problem)} changed places ({problem.cells:,} cells in all): "
            "change them back."
        )
    return (
        f"{_at(table, problem)} is blank in rows where its value ran into {_by(problem)} "
        f"({problem.cells:,} cells in all): move it back."
    )


def _dates(table: Table, problem: Problem) -> str:
    return f"{_rows(problem.cells)} of {_at(table, problem)} hold dates that cannot be: correct or empty them."


def _range(table: Table, problem: Problem) -> str:
    return f"{_rows(problem.cells)} of {_at(table, problem)} lie outside what it can be: correct or empty them."


def _order(table: Table, problem: Problem) -> str:
    other = place(table, problem.columns[1]) if len(problem.columns) > 1 else "the other"
    both = "numbers" if problem.detail == "numbers" else "dates"
    start = f"{_rows(problem.cells)} hold {_at(table, problem)} and {other}"
    return f"{start} in the wrong order: look at both {both}."


def _outlier(table: Table, problem: Problem) -> str:
    if problem.detail == "sign":
        return f"{_rows(problem.cells)} of {_at(table, problem)} have another sign than all others: take it away."
    if problem.detail == "scale":
        return (
            f"{_rows(problem.cells)} of {_at(table, problem)} lie off the scale of the others: correct them, or store "
            "null where they stand for no answer."
        )
    return (
        f"{_rows(problem.cells)} of {_at(table, problem)} lie far from all other numbers: look whether they are right."
    )


def _placeholder(table: Table, problem: Problem) -> str:
    return (
        f"{_rows(problem.cells)} of {_at(table, problem)} hold a number that stands for no value: store null instead."
    )


def _duplicates(table: Table, problem: Problem) -> str:
    return f"{_rows(problem.rows)} of {inert.prose(table.name)} say the same as another row: keep one of each."


def _stale(table: Table, problem: Problem) -> str:
    return (
        f"The newest {_at(table, problem)} is of {problem.newest}, longer ago than its rhythm explains: "
        "look whether loading stopped."
    )


_TELLERS: Final[Mapping[str, Callable[[Table, Problem], str]]] = {
    "unit_mismatch": _units,
    "missing_as_text": _missing,
    "mixed_types": _types,
    "format_break": _format,
    "broken_text": _broken,
    "misspelt_values": _misspelt,
    "spelling_variants": _variants,
    "dependency": _dependency,
    "disagreement": _disagreement,
    "spilled_value": _spilled,
    "impossible_dates": _dates,
    "impossible_range": _range,
    "wrong_order": _order,
    "outlier": _outlier,
    "placeholder": _placeholder,
    "duplicate_rows": _duplicates,
    "stale": _stale,
}


def codes() -> Sequence[str]:
    """Give the codes of problems that can be told."""
    return tuple(_TELLERS)
