"""Recognises what a single value means, beyond its shape: a person's name, a street, a state, a word for gender.

Rules
- Pure functions of one text that give names of signals (``signal_names``); no value is returned, and those that are
  remembered (few and short ones, so that what many columns share is looked at once) never leave the process.
- A signal is a hint that counts in numbers only: ``Safari`` is nobody's name because no list of names has it, and a
  column is judged elsewhere, by how many of its values agree and what stands around it.
- Time is linear in the length of the text, and texts beyond ``MAX_TEXT`` characters are prose.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from twokey.tools.read.warehouse import gazetteer, streets
from twokey.tools.read.warehouse.gazetteer import fold
from twokey.tools.read.warehouse.signal_names import SignalName

MAX_TEXT: Final = 160

_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['\u2019.-][^\W\d_]+)*\.?|[0-9]+[a-z]{0,2}|#", re.UNICODE)
_WORDS_ONLY: Final = re.compile(
    r"[^\W\d_][^\W\d_ .,'\u2019`-]*(?:[ .,'\u2019`-]{1,3}[^\W\d_ .,'\u2019`-]+){0,6}[.]?", re.UNICODE
)
_PAIR: Final = re.compile(
    r"\(?\s{0,2}(-?[0-9]{1,3}\.[0-9]{1,17})\s{0,2}[,;]\s{0,2}(-?[0-9]{1,3}\.[0-9]{1,17})\s{0,2}\)?"
)
_DEGREES: Final = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{2,20}")
_LONGEST_DEGREES: Final = 32
_YEARS: Final = re.compile(r"[0-9]{1,3}\.[0-9]{1,2}")
_MONEY: Final = re.compile(
    r"[-(]{0,2}(?:[$\u20ac\u00a3\u00a5\u20b9]|usd|eur|gbp|r\$) ?-?[0-9][0-9.,' ]{0,20}\)?"
    r"|-?[0-9][0-9.,']{0,20} ?(?:[$\u20ac\u00a3\u00a5]|usd|eur|gbp|chf)"
)
_MONEY_BEGINS: Final = frozenset("-($\u20ac\u00a3\u00a5\u20b9uegr0123456789")
_HOST: Final = re.compile(r"(?:www\.)?(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,12}(?:/[^\s]{0,200})?")
_MOST_DIGITS: Final = 15
_DIGIT: Final = re.compile(r"[0-9]")
_NINES: Final = str.maketrans("0123456789", "9" * 10)
_SEPARATORS: Final = frozenset(",;")
_SSN_FORM: Final = "999-99-9999"
_MAC: Final = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}", re.IGNORECASE)
_SSN: Final = re.compile(r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}")
_ZIP: Final = re.compile(r"[0-9]{5}-[0-9]{4}|[0-9]{4,5}\.0")
"""A code of the United States with its second part, or one that a program read as a number."""
_DMS: Final = re.compile(
    r"[0-9]{1,3}\s?[\u00b0\u00ba]\s?[0-9]{1,2}(?:\.[0-9]{1,8})?\s?['\u2019\u2032]?"
    r"\s?(?:[0-9]{1,2}(?:\.[0-9]{1,8})?\s?(?:[\"\u201d\u2033]|''))?\s?[NSEWO]?",
    re.IGNORECASE,
)
"""Degrees, minutes and seconds (ISO 6709, annex D)."""
_APART: Final = re.compile(r"[ ,/()&-]+")
_NOTHING: Final = frozenset(
    """
    n/a na none null nil nan - -- --- . ? unknown tbd ninguno ninguna unbekannt inconnu
    """.split()  # noqa: SIM905 - a list of words reads better as words
) | {"not available", "not applicable", "no aplica"}
_JOINING: Final = frozenset(
    """
    non not or and of other race races origin any american only alone o
    """.split()  # noqa: SIM905 - as above
)
_FORMS: Final = frozenset(
    {"republic", "rep", "kingdom", "federation", "federated", "islamic", "people's", "state", "of"}
)
_PARTICLES: Final = frozenset(
    """
    de del la las los van von der den da dos di le du y e bin al el mc o
    """.split()  # noqa: SIM905 - as above
)

_ALONE: Final[tuple[tuple[int, SignalName], ...]] = (
    (gazetteer.STATE, "state"),
    (gazetteer.COUNTRY, "country"),
    (gazetteer.CITY, "city"),
    (gazetteer.GENDER, "gender"),
    (gazetteer.ORIGIN, "origin"),
    (gazetteer.MONTH, "month"),
    (gazetteer.WEEKDAY, "weekday"),
    (gazetteer.COLOUR, "colour"),
    (gazetteer.LANGUAGE, "language"),
    (gazetteer.COUNTRY_CODE, "country_code"),
    (gazetteer.CURRENCY, "currency"),
    (gazetteer.NAME_PART, "name_part"),
)


def signals(text: str) -> tuple[SignalName, ...]:
    """Name every signal of ``text``, outer blanks aside."""
    if len(text) > MAX_TEXT:
        return _signals(text)
    if text.isascii():
        if text.isdigit():
            return _of_digits(text)
        found = _whatever_digits(text.translate(_NINES))
        if found is not None:
            return found
    return _remembered(text)


@lru_cache(maxsize=16_384)
def _whatever_digits(text: str) -> tuple[SignalName, ...] | None:
    """Name the signals of every text that has some digits where this one has nines; ``None`` where those matter.

    In a column of addresses or codes hardly anything but the digits differs, so that most of it is looked at once.
    """
    value = text.strip()
    if value.upper() == value.lower():
        # the size matters of what may be degrees, years, ages, or a number of social insurance
        matter = value.isdigit() or value.count(".") == 1 or not _SEPARATORS.isdisjoint(value) or value == _SSN_FORM
    else:
        matter = fold(value) in _known_with_digits()
    return None if matter else _signals(text)


@lru_cache(maxsize=1)
def _known_with_digits() -> frozenset[str]:
    """Known phrases that hold digits, each of which is written as a nine here."""
    return frozenset(phrase.translate(_NINES) for phrase in gazetteer.known() if _DIGIT.search(phrase))


@lru_cache(maxsize=16_384)
def _remembered(text: str) -> tuple[SignalName, ...]:
    return _signals(text)


def _signals(text: str) -> tuple[SignalName, ...]:
    value = text.strip()
    if not value:
        return ()
    if value.isdigit() and len(value) <= MAX_TEXT:
        return _of_digits(value)
    if streets.is_geometry(value):
        return ("geometry",)
    if len(value) == 17 and _MAC.fullmatch(value):
        return ("mac",)
    if len(value) > MAX_TEXT:
        return ("prose",) if " " in value[:MAX_TEXT] else ()
    folded = fold(value)
    if folded in _NOTHING:
        return ("empty_word",)
    if not (folded != value.upper() if value.isascii() else any(map(str.isalpha, value))):
        return tuple(_of_figures(value))
    found = _of_known(value, folded)
    if _DIGIT.search(value) if value.isascii() else any(map(str.isdigit, value)):
        found += _of_mixed(value, folded)
    elif len(value) <= 2 and value[1:] in {"", "."}:
        found.append("initial")
    else:
        found += _of_letters(value, folded)
    return tuple(dict.fromkeys(found))


def _of_digits(value: str) -> tuple[SignalName, ...]:
    """Name what a text of digits is."""
    size = len(value)
    if size > _MOST_DIGITS or not value.isascii():
        return ()
    if size <= 3:
        return ("age",) if int(value) <= 120 else ()
    if size == 4:
        return ("year", "zip") if 1800 <= int(value) <= 2100 else ("zip",)
    if size <= 6:
        return ("zip",)
    return ("zip", "digits") if size == 9 else ("digits",)


def _of_figures(value: str) -> Iterator[SignalName]:
    """Name what a text of digits and signs is."""
    if _YEARS.fullmatch(value) and float(value) <= 120:
        yield "age"
    pair = _PAIR.fullmatch(value) if "," in value or ";" in value else None
    if _DEGREES.fullmatch(value):
        degrees = abs(float(value))
        if degrees <= 90:
            yield "latitude"
        if degrees <= 180:
            yield "longitude"
    elif pair is not None:
        one, two = abs(float(pair[1])), abs(float(pair[2]))
        if min(one, two) <= 90 and max(one, two) <= 180:
            yield "coordinate_pair"
    elif _SSN.fullmatch(value):
        yield "ssn"
    elif _ZIP.fullmatch(value):
        yield "zip"
    elif _DMS.fullmatch(value) and not value.isdigit():
        yield "longitude"
    elif value[0] == "#" and value[1:].strip().isdigit():
        yield "street_part"
    elif _MONEY.fullmatch(value):
        yield "money"


def _of_known(value: str, folded: str) -> list[SignalName]:
    """Name what the whole text is by the lists."""
    found: list[SignalName] = []
    flags = gazetteer.known().get(folded, 0)
    if flags:
        found.extend(name for bit, name in _ALONE if flags & bit)
        if flags & gazetteer.STATE_CODE and value.isupper():
            found.append("state_code")
    if "," in folded and _is_long_country(folded):
        found.append("country")
    if _is_origin(folded):
        found.append("origin")
    return found


def _is_long_country(folded: str) -> bool:
    """Whether a text reads ``Country, its form`` (``Korea, Republic of``)."""
    name, _, form = folded.partition(",")
    return bool(gazetteer.known().get(name.strip(), 0) & gazetteer.COUNTRY) and not _FORMS.isdisjoint(form.split())


def _is_origin(folded: str) -> bool:
    """Whether every word is one of origin or joins such words (``Black, Non-Hispanic``)."""
    if folded.isalnum() or not _APART.search(folded):
        return False
    known = gazetteer.known()
    told = False
    for word in _APART.split(folded):
        if word and word not in _JOINING:
            if not known.get(word, 0) & gazetteer.ORIGIN:
                return False
            told = True
    return told


def _of_mixed(value: str, folded: str) -> Iterator[SignalName]:
    """Name what a text of letters and digits is."""
    found = list(streets.of_mixed(value, folded))
    if folded[0] in _MONEY_BEGINS and _MONEY.fullmatch(folded):
        found.append("money")
    if " " not in value and "@" not in value and _HOST.fullmatch(folded):
        found.append("host")
    if len(value) <= _LONGEST_DEGREES and _DMS.fullmatch(value):
        found.append("longitude")
    if value.count(" ") >= 7:
        found.append("prose")
    if not found:
        tokens = _TOKEN.findall(folded)
        if any(gazetteer.known().get(token, 0) & gazetteer.FIRM for token in tokens[-2:]):
            found.append("company")
        elif streets.is_numbered(folded):
            found.append("numbered")
    yield from found


def _of_letters(value: str, folded: str) -> Iterator[SignalName]:
    """Name what a text of letters without digits is."""
    if " " not in value and "@" not in value and "." in value and _HOST.fullmatch(folded):
        yield "host"
        return
    tokens = [token.rstrip(".") for token in _TOKEN.findall(folded)]
    if len(tokens) >= 8:
        yield "prose"
        return
    known = gazetteer.known()
    bits = [known.get(token, 0) for token in tokens]
    several = len(tokens) > 1
    company = several and bool(bits[-1] & gazetteer.FIRM)
    organised = several and any(bit & gazetteer.ORGANISATION for bit in bits)
    if company:
        yield "company"
    if organised:
        yield "organisation"
    if several and tokens[-1] in {"county", "parish"}:
        yield "state"
    if several and streets.is_part(folded):
        yield "street_part"
    if tokens and _WORDS_ONLY.fullmatch(value.replace("/", " ")):
        yield "words" if several else "one_word"
        yield from _of_names(value, folded, tokens, bits, person=not organised and not company)


def _of_names(
    value: str, folded: str, tokens: Sequence[str], bits: Sequence[int], *, person: bool
) -> Iterator[SignalName]:
    """Name which parts of a person's name a text of words may be."""
    if len(tokens) <= 2:
        whole = gazetteer.known().get(folded, 0)
        if (bits[0] | whole) & gazetteer.GIVEN:
            yield "given_name"
        if any((bit | whole) & gazetteer.SURNAME for bit in bits):
            yield "surname"
    if person and 2 <= len(tokens) <= 6 and _is_full_name(value, tokens, bits):
        yield "full_name"


def _is_full_name(value: str, tokens: Sequence[str], bits: Sequence[int]) -> bool:
    """Whether a text reads ``Given [M.] Surname`` or ``Surname, Given``: both parts are known, or one and the form."""
    core = [
        bit
        for token, bit in zip(tokens, bits, strict=True)
        if token not in _PARTICLES and not bit & gazetteer.NAME_PART and len(token) > 1
    ]
    names = gazetteer.GIVEN | gazetteer.SURNAME
    if not 2 <= len(core) <= 5 or any(bit & gazetteer.STREET and not bit & names for bit in core):
        return False
    given = [bool(bit & gazetteer.GIVEN) for bit in core]
    surname = [bool(bit & gazetteer.SURNAME) for bit in core]
    if "," in value:
        return any(given[1:]) or (surname[0] and len(core) <= 3)
    if len(core) == 2:
        return given[0] or (surname[1] and given[1])
    return given[0] and (any(surname[1:]) or given[1])
