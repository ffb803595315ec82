"""Honest descriptions of tables and columns, from names, keys, references, values and neighbours.

Rules
- Every sentence is true of what was seen and says something the name alone does not, or says it in plain words. Where
  nothing is known the text is short; it is never padded.
- The same facts give the same text.
- No personal value, no value of free text and no range of a column that names or values mark as personal occurs.
- A comment in the database is a person's word: it is quoted as such, and made harmless first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog import inert, names, phrases, types
from twokey.agents.catalog.accepted import Accepted
from twokey.agents.catalog.facts import Column, Join, Key, Table
from twokey.agents.catalog.judgement import PERSONAL, Judgement
from twokey.agents.catalog.phrases import listed, of, place, sentence, this
from twokey.agents.catalog.vocabulary import FLAGS, PEOPLE

MAX_COMMENT: Final = 400
MOST_LISTED: Final = 8
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,23}(?: [A-Za-z0-9.+-]{1,23})?")
"""What may be given as an example: one or two plain words, nothing that reads as a sentence."""


@dataclass(frozen=True, slots=True)
class Description:
    """A text and how sure it is, in percent."""

    text: str
    confidence: int


@dataclass(frozen=True, slots=True)
class Surround:
    """What is known beside the column itself."""

    tables: Mapping[str, Table]
    key: Key | None
    join: Join | None
    judgement: Judgement
    accepted: Accepted | None = None
    nothing: tuple[tuple[str, int], ...] = ()
    """Texts that stand for a missing value, with their rows."""
    row: str | None = None
    """What one row of the table is, see ``row_of``."""


def row_of(table: Table, key: Key | None, *, refers: bool) -> str | None:
    """Say what one row is; None where the table is named after something else than its rows.

    A row with a key of several columns is a meeting of things (``events_daily``: a day of a customer), and a row whose
    key refers elsewhere is a part of what it refers to (``refers``).
    """
    if refers or (key is not None and len(key.columns) > 1):
        return None
    return phrases.thing(table)


def column(table: Table, found: Column, known: Surround) -> Description | None:
    """Describe one column; None where nothing true and useful can be said."""
    if found.comment.strip():
        return _quoted(found.comment)
    join, key = known.join, known.key
    if join is not None and join.parent in known.tables:
        text = _reference(table, found, join, known)
        part = key is not None and len(key.columns) > 1 and found.name in key.columns
        return Description(text + (" Part of the key." if part else ""), min(95, join.confidence))
    if key is not None and key.columns == (found.name,):
        return Description(f"Key of the {known.row or 'table'}.", min(95, key.confidence))
    lead = _lead(table, found, known)
    text = sentence(lead + _detail(found, known)) if lead else _facts(found, known)
    if text is None:
        return None
    if key is not None and found.name in key.columns:
        text += " Part of the key."
    return Description(text + (_emptiness(found) if lead else ""), 80 if lead else 60)


def table(found: Table, key: Key | None, joins: Mapping[str, Join], tables: Mapping[str, Table]) -> Description | None:
    """Describe one table; None where nothing true and useful can be said. ``joins`` are those of its columns."""
    if found.comment.strip():
        return _quoted(found.comment)
    if key is None:
        parents = list(dict.fromkeys(join.parent for join in joins.values() if join.parent in tables))
        about = [thing for parent in parents if (thing := phrases.thing(tables[parent]))]
        if not about:
            return None
        many = [_plural(thing) for thing in about]
        return Description(sentence(f"Rows that refer to {listed(many, 'and')}; no key was found"), 65)
    if len(key.columns) == 1:
        join = joins.get(key.columns[0])
        word = phrases.thing(tables[join.parent] if join is not None and join.parent in tables else found)
        word = word or inert.prose(names.phrase(names.stem(key.columns[0]))) if names.stem(key.columns[0]) else word
        return Description(f"One row per {word}.", min(90, key.confidence)) if word else None
    parts = [_part(part, joins, tables) for part in key.columns]
    whole = f"one row per {listed(parts, 'and')}"
    linked = {joins[part].parent for part in key.columns if part in joins}
    if len(linked) == len(key.columns) >= len(found.columns) - 1:
        return Description(
            sentence(f"Links {listed([_plural(part) for part in parts], 'and')}: {whole}"), min(92, key.confidence)
        )
    return Description(sentence(whole), min(90, key.confidence))


def _part(part: str, joins: Mapping[str, Join], tables: Mapping[str, Table]) -> str:
    join = joins.get(part)
    if join is not None and join.parent in tables:
        about = phrases.thing(tables[join.parent])
        if about:
            return about
    return inert.prose(names.phrase(names.stem(part) or names.words(part)))


def _plural(text: str) -> str:
    *before, last = text.split(" ")
    return " ".join((*before, names.plural(last)))


def _quoted(comment: str) -> Description:
    return Description(f"“{inert.prose(comment, MAX_COMMENT)}” (comment in the database)", 90)


# --- references --------------------------------------------------------------------------------------------------


def _reference(table_: Table, found: Column, join: Join, known: Surround) -> str:
    parent = known.tables[join.parent]
    target = f"refers to {place(parent, join.targets[join.columns.index(found.name)])}"
    about, row = phrases.thing(parent), known.row
    words, role = names.expanded(found.name), names.stem(found.name)
    whole = names.entity(parent.name)
    who = "who" if not PEOPLE.isdisjoint(whole) else "that"
    if about and len(words) > 1 and words[-1] == "by" and phrases.is_deed(words[-2]):
        return sentence(f"{about} {who} {names.phrase(words[:-1])} {this(row)}; {target}")
    if about and words[:2] == ("reports", "to"):
        return sentence(f"{about} to whom {this(row)} reports; {target}")
    if about and (not role or role == whole[-len(role) :] or phrases.cryptic(role)):
        same = table_.key == parent.key
        shown = f"other {about}" if same else about
    else:
        shown = inert.prose(names.phrase(role)) if role else None
    if shown is None:
        return sentence(target)
    return sentence(f"{shown} of {this(row)}; {target}" if row else f"{shown}; {target}")


# --- what the name says ------------------------------------------------------------------------------------------


def _lead(table_: Table, found: Column, known: Surround) -> str | None:
    words, thing = names.expanded(found.name), known.row
    probability = _probability(found, words)
    if probability is not None or not words or phrases.cryptic(words):
        return probability
    if known.judgement.kind == "flag":
        return _flag(words, thing)
    return (
        _moment(found, words, thing)
        or _windowed(found, words)
        or _in_units(words, thing)
        or _number_of(found, words, thing)
        or _directed(words, thing)
        or _plain(table_, words, thing, known)
    )


def _probability(found: Column, words: tuple[str, ...]) -> str | None:
    if len(words) > 1 and words[0] in {"p", "prob"} and _within_one(found):
        return f"reads as the probability of {names.phrase(words[1:])}"
    return None


def _within_one(found: Column) -> bool:
    profile = found.profile
    if profile is None or profile.lowest is None or profile.highest is None or profile.decimals == 0:
        return False
    try:
        return float(profile.lowest) >= 0 and float(profile.highest) <= 1
    except ValueError:
        return False


def _flag(words: Sequence[str], thing: str | None) -> str:
    subject = f"the {thing}" if thing else "it"
    if words[0] in FLAGS and len(words) > 1:
        verb = {"enable": "has enabled", "enabled": "has enabled", "allow": "allows"}.get(words[0], words[0])
        return f"whether {subject} {verb} {names.phrase(words[1:])}"
    if words[-1] == "flag" and len(words) > 1:
        return f"yes or no: {names.phrase(words[:-1])}"
    if len(words) > 1 and (phrases.is_deed(words[-1]) or words[-1] in {"active", "valid", "visible", "public"}):
        return f"whether the {names.phrase(words[:-1])}{of(thing)} is {words[-1]}"
    if phrases.is_deed(words[-1]) or words[-1] in {"active", "valid", "visible", "public", "current"}:
        return f"whether {subject} is {names.phrase(words)}"
    return f"yes or no: {names.phrase(words)}"


def _moment(found: Column, words: Sequence[str], thing: str | None) -> str | None:
    meaning = types.meaning(found)
    if words[-1] in {"at", "on", "date", "time"} and len(words) > 1:
        happened = phrases.happened(words[:-1], thing)
        if happened is not None:
            when = "day on which" if meaning == "date" or words[-1] in {"on", "date"} else "time at which"
            return f"{when} {happened}"
    if words[-1] not in {"date", "time", "day", "month", "year", "datetime"} or meaning == "text":
        return None
    owner = (thing or "").split(" ")
    rest = [word for word in words[:-1] if word not in owner]
    if not rest:
        return f"{words[-1]}{of(thing)}"
    return f"{names.phrase((*rest, words[-1]))}{of(thing)}"


def _windowed(found: Column, words: Sequence[str]) -> str | None:
    for at, word in enumerate(words):
        over = phrases.window(word)
        if over is not None and at > 0:
            rest = (*words[:at], *words[at + 1 :])
            inner = _in_units(rest, None) or _number_of(found, rest, None) or names.phrase(rest)
            return f"{inner} over {over}"
    return None


def _in_units(words: Sequence[str], thing: str | None) -> str | None:
    unit = phrases.UNITS.get(words[-1])
    if unit is None:
        return None
    if len(words) > 1:
        return f"{names.phrase(words[:-1])}{of(thing)} in {unit}"
    if unit in phrases.TIMES:
        return f"duration{of(thing)} in {unit}"
    if unit in phrases.SIZES:
        return f"size{of(thing)} in {unit}"
    return None


def _number_of(found: Column, words: Sequence[str], thing: str | None) -> str | None:
    counted: Sequence[str] | None = None
    if words[0] in {"n", "number", "count"} and len(words) > 1:
        counted = words[2:] if words[1] == "of" else words[1:]
    elif words[-1] == "count" and len(words) > 1:
        counted = words[:-1]
    elif types.meaning(found) == "integer" and _counts_up(found) and names.is_plural(words[-1]):
        counted = words
    if not counted:
        return None
    return f"number of {names.phrase((*counted[:-1], names.plural(names.singular(counted[-1]))))}{of(thing)}"


def _counts_up(found: Column) -> bool:
    profile = found.profile
    return profile is None or profile.lowest is None or not profile.lowest.startswith("-")


_DIRECTIONS: Final = {
    "to": "to whom or where",
    "from": "from whom or where",
    "via": "through which",
    "for": "for whom or what",
    "by": "by whom",
}


def _directed(words: Sequence[str], thing: str | None) -> str | None:
    lead = _DIRECTIONS.get(words[-1])
    happened = phrases.happened(words[:-1], thing) if lead else None
    if lead is None or happened is None:
        return None
    return f"{'contact' if words[-1] == 'via' else ''} {lead} {happened}".strip()


_CLEARER: Final = {
    "params": "parameters",
    "notes": "free-text notes",
    "comments": "free-text comments",
    "note": "free-text note",
}


def _plain(table_: Table, words: tuple[str, ...], thing: str | None, known: Surround) -> str:
    owner = tuple(thing.split(" ")) if thing else ()
    if owner and words == owner:
        return "name or code" + of(thing) if known.judgement.kind != "measure" else f"value{of(thing)}"
    rest = words[len(owner) :] if owner and words[: len(owner)] == owner else words
    shown = " ".join(_CLEARER.get(word) or names.phrase((word,)) for word in rest)
    if words == ("state",) and _has_address(table_):
        shown = "state or province"
    return f"{inert.prose(shown)}{of(thing)}"


def _has_address(table_: Table) -> bool:
    return any(names.words(other.name)[-1:] in {("city",), ("country",), ("zip",)} for other in table_.columns)


# --- what the values say -----------------------------------------------------------------------------------------


def _detail(found: Column, known: Surround) -> str:
    """Add what a reader cannot see in the name: the few values, a standard code, what kind of address it is."""
    profile, words = found.profile, names.words(found.name)
    if profile is None or profile.filled == 0:
        return ""
    if known.accepted is not None and known.judgement.kind != "flag" and len(known.accepted.values) <= MOST_LISTED:
        return f": {listed([inert.prose(str(value), 40) for value in known.accepted.values])}"
    if profile.share("country") >= 0.95 and profile.longest == 2:
        return ", a two-letter country code (ISO 3166-1)"
    if profile.share("currency") >= 0.95 and profile.longest == 3:
        return ", a currency code (ISO 4217)"
    emails, phones = profile.share("email"), profile.share("phone")
    if "mail" not in "".join(words) and emails >= 0.9:
        return ", an e-mail address"
    if known.judgement.kind == "email" and 0.2 <= emails < 0.9 and phones >= 0.1:
        return ": an e-mail address or a telephone number"
    if _within_one(found) and known.judgement.kind not in PERSONAL:
        return ", from 0 to 1"
    return _examples(found, known)


def _examples(found: Column, known: Surround) -> str:
    """Name the two most frequent values of a column that holds one of a few words and nothing personal."""
    profile = found.profile
    if profile is None or profile.withheld or known.judgement.kind != "category":
        return ""
    nothing = {text for text, _ in known.nothing}
    shown = [text for text, _ in profile.frequent if _WORD.fullmatch(text) and text not in nothing][:2]
    return f", such as {listed(shown)}" if shown else ""


def _facts(found: Column, known: Surround) -> str | None:
    """Say what the values are, where the name says nothing."""
    profile = found.profile
    if profile is None or known.judgement.kind in PERSONAL:
        return None
    if profile.rows and profile.filled == 0:
        return "Empty in every row."
    shown = {
        "integer": "Whole number",
        "decimal": "Number",
        "date": "Date",
        "timestamp": "Time",
        "boolean": "Yes or no",
        "uuid": "UUID",
        "text": "Text",
    }.get(types.meaning(found))
    if shown is None:
        return None
    if known.accepted is not None and len(known.accepted.values) <= MOST_LISTED:
        return sentence(f"One of {listed([inert.prose(str(value), 40) for value in known.accepted.values])}")
    if profile.distinct == 1:
        return sentence(f"{shown}; the same value in every row that holds one")
    if profile.unique:
        return sentence(f"{shown}; no value occurs twice")
    if profile.lowest is not None and profile.highest is not None and profile.lowest != profile.highest:
        return sentence(f"{shown} from {inert.prose(profile.lowest, 40)} to {inert.prose(profile.highest, 40)}")
    return sentence(f"{shown} with {profile.distinct:,} different values")


def _emptiness(found: Column) -> str:
    profile = found.profile
    return " Empty in every row." if profile is not None and profile.rows > 0 and profile.filled == 0 else ""
