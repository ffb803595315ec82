"""Recognises what a single value looks like. Pure functions of one text; nothing here keeps or returns a raw value.

Rules:
- time is linear in the length of the text: no pattern can be made to backtrack, and texts beyond ``MAX_TEXT``
  characters are recognised only as what they begin with (an address of a page) or contain (an e-mail address);
- a detector says *shape*, never meaning: ten digits are not a telephone number, and a name is not recognised at all;
- ``shape`` and ``redact`` are the only forms in which a value may leave a profile of a column that looks personal.

Sources: e-mail RFC 5321 sizes (64 before the ``@``, 255 after) and host names RFC 1123; UUID RFC 9562; dates and times
ISO 8601-1 (calendar dates, extended format); telephone numbers ITU-T E.164 (at most 15 digits); payment cards
ISO/IEC 7812-1 (Luhn digit); IBAN ISO 13616 (modulo 97); countries ISO 3166-1; currencies ISO 4217.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Final

from twokey.tools.read.warehouse.detectors import (
    COUNTRIES,
    CURRENCIES,
    LOCAL_DATE,
    SECRET_START,
    URL,
    contains_email,
    is_boolean,
    is_card,
    is_date,
    is_datetime,
    is_email,
    is_iban,
    is_integer,
    is_ip,
    is_ipv4,
    is_local_date,
    is_number,
    is_phone,
    is_postal,
    is_secret,
    is_url,
    is_uuid,
    words,
)

__all__ = [
    "COUNTRIES",
    "CURRENCIES",
    "MAX_SHAPE",
    "MAX_TEXT",
    "PATTERN_NAMES",
    "Plan",
    "contains_email",
    "detect",
    "examine",
    "is_boolean",
    "is_card",
    "is_date",
    "is_datetime",
    "is_email",
    "is_iban",
    "is_integer",
    "is_ip",
    "is_ipv4",
    "is_local_date",
    "is_number",
    "is_phone",
    "is_postal",
    "is_secret",
    "is_url",
    "is_uuid",
    "mask",
    "masks",
    "name_words",
    "plan_of",
    "redact",
    "shape",
    "shorten",
    "shortened",
    "words",
]

MAX_TEXT: Final = 320
"""Longest text that is compared with the patterns, in characters."""
MAX_SHAPE: Final = 40

PATTERN_NAMES: Final = (
    "integer",
    "number",
    "boolean",
    "date",
    "datetime",
    "local_date",
    "email",
    "embedded_email",
    "phone",
    "url",
    "uuid",
    "ip",
    "postal",
    "country",
    "currency",
    "card",
    "iban",
    "secret",
)  # fmt: skip - one row per thought reads better than one per line
"""Every name that ``detect`` can give. A value may carry several (``1`` is integer, number and boolean)."""

Detector = Callable[[str], bool]
Plan = tuple[tuple[str, Detector | None], ...]
"""What a value of some mask could fit, in the order of ``PATTERN_NAMES``. Where no function stands beside a name, every
ASCII text of the mask fits."""


def _embeds_email(text: str) -> bool:
    return not is_email(text) and contains_email(text)


_ALL: Final[dict[str, Detector]] = {
    "integer": is_integer,
    "number": is_number,
    "boolean": is_boolean,
    "date": is_date,
    "datetime": is_datetime,
    "local_date": is_local_date,
    "phone": is_phone,
    "url": is_url,
    "uuid": is_uuid,
    "ip": is_ip,
    "postal": is_postal,
    "country": COUNTRIES.__contains__,
    "currency": CURRENCIES.__contains__,
    "card": is_card,
    "iban": is_iban,
    "secret": is_secret,
    "email": is_email,
    "embedded_email": _embeds_email,
}

# The patterns as far as a mask shows them: what does not fit these cannot fit those.
_PHONE_MASK: Final = re.compile(r"\+?[9(][9 ().\-/?]{5,24}9(?: ?(?:a|aaa\.?) ?9{1,6})?")
_SECRET_MASK: Final = re.compile(r"aaa_|aaaaaa_aaa_|aa[-_]|aaaa-|AAAA|AAaa|aaaaa-|aaA|-----AAAAA |\?9a\?|\?aaaaa9")
_SECRET_MASK_OF_ADDRESS: Final = re.compile(r"[a9]{1,20}://")
"""Credentials in front of a host, which end in ``@``."""
_SHORTEST_HEXADECIMAL: Final = 32
_LONGEST_HEXADECIMAL: Final = 200
_HEXADECIMAL_LINES: Final = re.compile(r"[0-9a-f]{32,200}+(?:\n[0-9a-f]{32,200}+)*+")
_FEW_LETTERS: Final = 3
"""A mask of digits with so many letters may still be a number with an exponent, or one with an extension."""
_INTEGER_SIGNS: Final = frozenset("9+-")
_NUMBER_SIGNS: Final = frozenset("9+-.")
_FLOAT_SIGNS: Final = frozenset("9+-.aA")
_CARD_SIGNS: Final = frozenset("9 -")
_TOKEN_SIGNS: Final = frozenset("9aA_+/.-?")
_LONGEST_BOOLEAN: Final = 5
_LONGEST_POSTAL: Final = 10
_SHORTEST_IBAN: Final = 15
_SHORTEST_SECRET: Final = 10
_ONE_LONG_WORD: Final[Plan] = (("secret", is_secret),)
_PLACES: Final = {name: number for number, name in enumerate(PATTERN_NAMES)}
_FIRST: Final = itemgetter(0)
_SECOND: Final = itemgetter(1)
_JOINED_AT_MOST: Final = 4 * 1024 * 1024


def detect(text: str) -> tuple[str, ...]:
    """Name every pattern that the whole of ``text`` (outer blanks aside) fits; see ``PATTERN_NAMES``."""
    value = text.strip()
    if not value:
        return ()
    if len(value) > MAX_TEXT:
        return _of_long_text(value)
    return _detect(value, mask(value))


def examine(groups: Sequence[tuple[str, int]]) -> tuple[dict[str, int], Counter[str]]:
    """Give how many rows fit each pattern, and how many have each mask, for different texts with their rows.

    The same as ``detect`` and ``mask`` of each text, but most is decided once per mask. Texts of blanks only are
    left out by the caller; ``shorten`` makes a mask a shape.
    """
    texts = list(map(_FIRST, groups))
    several = masks(texts)
    shapes = Counter(several)
    if len(texts) < sum(map(_SECOND, groups)):
        for (_, rows), masked in zip(groups, several, strict=True):
            if rows > 1:
                shapes[masked] += rows - 1
    apart: set[str] = set() if "".join(texts).isascii() else {text for text in texts if not text.isascii()}
    counts: Counter[str] = Counter()
    open_ = _decided(counts, _without(shapes, groups, several, apart))
    if open_.words:
        _count_long_words(counts, groups, several, open_.words)
    if open_.whole or apart:
        for (text, rows), masked in zip(groups, several, strict=True):
            for name in detect(text) if masked in open_.whole or text in apart else ():
                counts[name] += rows
    if open_.asked:
        for (text, rows), questions in zip(groups, map(open_.asked.get, several), strict=True):
            for name, fits in questions or ():
                if fits(text) and text not in apart:
                    counts[name] += rows
    return {name: rows for name, rows in counts.items() if rows}, shapes


@dataclass(frozen=True, slots=True)
class _Open:
    """Masks that do not decide everything.

    Those of texts that are looked at as a whole, those of long words, and others with what each text has to be asked.
    """

    whole: set[str]
    words: set[str]
    asked: dict[str, tuple[tuple[str, Detector], ...]]


def _decided(counts: Counter[str], plain: Mapping[str, int]) -> _Open:
    """Count what masks alone decide, each with its rows; gives what is left open."""
    open_ = _Open(set(), set(), {})
    for masked, rows in plain.items():
        # outer signs may be blanks, which ``detect`` takes away first; a mask as long as this may be cut
        if masked[0] in " ?" or masked[-1] in " ?" or len(masked) >= MAX_TEXT:
            open_.whole.add(masked)
        elif _is_hexadecimal(masked):
            open_.words.add(masked)
        elif questions := _decide(counts, masked, rows):
            open_.asked[masked] = questions
    return open_


def _is_hexadecimal(masked: str) -> bool:
    """Whether a mask is that of one long word of digits and a few of the small letters, at least some of them."""
    return (
        len(masked) >= _SHORTEST_HEXADECIMAL
        and masked.isalnum()
        and masked.islower()
        and len(masked) <= _LONGEST_HEXADECIMAL
        and masked.count("a") > _FEW_LETTERS
    )


def _count_long_words(
    counts: Counter[str], groups: Sequence[tuple[str, int]], several: Sequence[str], words: AbstractSet[str]
) -> None:
    """Count long words, each of which has a mask of its own, together: nearly always all of them are hexadecimal."""
    found = [group for group, masked in zip(groups, several, strict=True) if masked in words and group[0].isascii()]
    together = "\n".join([text for text, _ in found])
    if _HEXADECIMAL_LINES.fullmatch(together):
        counts["secret"] += sum(map(_SECOND, found))
    else:
        counts["secret"] += sum(rows for text, rows in found if is_secret(text))


def _without(
    shapes: Counter[str], groups: Sequence[tuple[str, int]], several: Sequence[str], apart: AbstractSet[str]
) -> Counter[str]:
    """Take the texts that are looked at one by one out of the count of their masks."""
    if not apart:
        return shapes
    plain = Counter(shapes)
    for (text, rows), masked in zip(groups, several, strict=True):
        plain[masked] -= rows if text in apart else 0
    return plain


def _decide(counts: Counter[str], masked: str, rows: int) -> tuple[tuple[str, Detector], ...]:
    """Count what the mask alone decides; gives what each value has to be asked."""
    asked: list[tuple[str, Detector]] = []
    for name, fits in plan_of(masked):
        if fits is None:
            counts[name] += rows
        else:
            asked.append((name, fits))
    return tuple(asked)


def masks(texts: Sequence[str]) -> Sequence[str]:
    """Give the mask of each text. Short ones without line breaks are translated all at once."""
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1 or len(joined) > _JOINED_AT_MOST:
        return [mask(text) for text in texts]
    return [masked[:MAX_TEXT] for masked in joined.translate(_MASK_LINES).split("\n")]


def _detect(value: str, masked: str) -> tuple[str, ...]:
    plan = plan_of(masked)
    if value.isascii():
        return tuple([name for name, fits in plan if fits is None or fits(value)])
    return tuple([name for name, fits in plan if (fits or _ALL[name])(value)])


@lru_cache(maxsize=8192)
def plan_of(masked: str) -> Plan:
    """Say which detectors a value of this mask could pass: most values of a column share a few masks."""
    if "@" in masked:
        return _plan_of_at_sign(masked)
    if _is_hexadecimal(masked):
        return _ONE_LONG_WORD
    if masked[0] in "aA" and " " in masked and len(masked) > _LONGEST_BOOLEAN:
        return _plan_of_words(masked)
    signs = frozenset(masked)
    digits, letters = "9" in signs, not signs.isdisjoint("aA")
    found = _plan_of_digits(masked, signs, letters=letters) if digits else []
    if len(masked) <= _LONGEST_BOOLEAN:
        found.append(("boolean", is_boolean))
    found += _plan_of_form(masked, signs)
    if masked.count(":") >= 2 or (digits and not letters and masked.count(".") == 3):
        found.append(("ip", is_ip))
    if _could_be_secret(masked, signs):
        found.append(("secret", is_secret))
    return tuple(sorted(found, key=_place))


def _place(item: tuple[str, Detector | None]) -> int:
    return _PLACES[item[0]]


def _plan_of_words(masked: str) -> Plan:
    """Plan for what begins with a letter and has a blank in it, such as a name or a sentence."""
    found: list[tuple[str, Detector | None]] = []
    if masked.count(":") >= 2:
        found.append(("ip", is_ip))
    if "9" in masked and len(masked) <= _LONGEST_POSTAL and is_postal(masked):
        found.append(("postal", None))
    if masked.startswith("AA99") and len(masked) >= _SHORTEST_IBAN:
        found.append(("iban", is_iban))
    if len(masked) >= _SHORTEST_SECRET and _SECRET_MASK.match(masked):
        found.append(("secret", is_secret))
    return tuple(found)


def _plan_of_form(masked: str, signs: frozenset[str]) -> list[tuple[str, Detector | None]]:
    """Plan for what letters, signs and length show."""
    found: list[tuple[str, Detector | None]] = []
    if "://" in masked and "?" not in masked:
        # all signs that matter stand in the mask
        found += [("url", None)] if is_url(masked) else []
    elif "://" in masked or masked.startswith(("aaa.", "AAA.")):
        found.append(("url", is_url))
    if len(masked) == 36 and masked[8] == masked[13] == masked[18] == masked[23] == "-":
        found.append(("uuid", is_uuid))
    if masked == "AA":
        found.append(("country", COUNTRIES.__contains__))
    if masked == "AAA":
        found.append(("currency", CURRENCIES.__contains__))
    if len(masked) >= 13 and signs <= _CARD_SIGNS:
        found.append(("card", is_card))
    if len(masked) >= _SHORTEST_IBAN and masked.startswith("AA99"):
        found.append(("iban", is_iban))
    return found


def _plan_of_digits(masked: str, signs: frozenset[str], *, letters: bool) -> list[tuple[str, Detector | None]]:
    """Plan for numbers, dates, times, telephone numbers and postal codes."""
    found: list[tuple[str, Detector | None]] = []
    if not letters:
        if signs <= _INTEGER_SIGNS and is_integer(masked):
            found.append(("integer", None))
        if signs <= _NUMBER_SIGNS and is_number(masked):
            found.append(("number", None))
    elif signs <= _FLOAT_SIGNS and is_number(masked.replace("A", "e").replace("a", "e")):
        found.append(("number", is_number))
    if masked.startswith("9999-99-99"):
        found.append(("date", is_date) if len(masked) == 10 else ("datetime", is_datetime))
    if masked[0] == "9" and not signs.isdisjoint("/.-") and LOCAL_DATE.fullmatch(masked.replace("A", "T")):
        found.append(("local_date", is_local_date))
    if masked[0] in "+9(" and _PHONE_MASK.fullmatch(masked):
        if letters or "?" in masked or masked.count(".") == 3:
            found.append(("phone", is_phone))
        elif is_phone(masked):
            found.append(("phone", None))
    if len(masked) <= _LONGEST_POSTAL and is_postal(masked):
        found.append(("postal", None))
    return found


def _could_be_secret(masked: str, signs: frozenset[str]) -> bool:
    if len(masked) >= _SHORTEST_SECRET and _SECRET_MASK.match(masked):
        return True
    if not 20 <= len(masked) <= 200 or not signs <= _TOKEN_SIGNS:
        return False
    return {"9", "a", "A"} <= signs or len(masked) >= 32


def _of_long_text(value: str) -> tuple[str, ...]:
    found: list[str] = []
    if contains_email(value):
        found.append("embedded_email")
    if URL.fullmatch(value[:4096]):
        found.append("url")
    if SECRET_START.match(value):
        found.append("secret")
    return tuple(found)


def _plan_of_at_sign(masked: str) -> Plan:
    """Plan for what may be an address or hold one. Other patterns are not looked for in such texts."""
    found: list[tuple[str, Detector | None]] = []
    if "?" in masked or "--" in masked:
        found += [("email", is_email), ("embedded_email", _embeds_email)]
    elif is_email(masked):
        found.append(("email", None))
    elif contains_email(masked):
        found.append(("embedded_email", None))
    if "://" in masked or masked.startswith(("aaa.", "AAA.")):
        found.append(("url", is_url))
    if _SECRET_MASK.match(masked) or _SECRET_MASK_OF_ADDRESS.match(masked):
        found.append(("secret", _starts_secret))
    return tuple(found)


def _starts_secret(text: str) -> bool:
    return SECRET_START.match(text) is not None


class _Mask(dict[int, str]):
    """Translation table that fills itself: digits 9, capitals A, other letters a, a few signs kept, the rest ``?``."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isdigit():
            mask = "9"
        elif character.isalpha():
            mask = "A" if character.isupper() else "a"
        elif character in " .,-_/:@+()#%'":
            mask = character
        else:
            mask = "?"
        if code < 0x3000:
            self[code] = mask
        return mask


_MASK: Final = _Mask()
_MASK_LINES: Final = _Mask({10: "\n"})
_LONGEST_RUN: Final = 7
_RUNS: Final = tuple((sign * 8, re.compile(sign + "{8,}+"), sign + "+") for sign in "9aA_")
"""Of each sign that may stand in a row: a run that is too long, all of such runs, and what stands for them."""


def mask(text: str) -> str:
    """Give the first 320 characters with each digit as ``9``, each letter as ``A`` or ``a``, odd signs as ``?``."""
    return text[:MAX_TEXT].translate(_MASK)


def shape(text: str) -> str:
    """Give the form of ``text`` without its content: ``AB-12`` is ``AA-99``. At most 40 characters.

    Runs of more than 7 equal signs end in ``+``; every sign outside a small set is ``?``.
    """
    return shorten(mask(text))


def shorten(masked: str) -> str:
    """Make a mask a shape."""
    if len(masked) > _LONGEST_RUN and any(run in masked for run, _, _ in _RUNS):
        masked = _without_runs(masked[: MAX_SHAPE * 4])
    return masked if len(masked) <= MAX_SHAPE else masked[: MAX_SHAPE - 1] + "\u2026"


def _without_runs(text: str) -> str:
    for run, runs, short in _RUNS:
        if run in text:
            text = runs.sub(short, text)
    return text


def shortened(masked: Sequence[str]) -> Sequence[str]:
    """Make masks shapes, all at once."""
    together = "\n".join(masked)
    if not masked or len(together) > _JOINED_AT_MOST or max(map(len, masked)) > MAX_SHAPE * 4:
        return [shorten(each) for each in masked]
    shapes = _without_runs(together).split("\n")
    return [each if len(each) <= MAX_SHAPE else each[: MAX_SHAPE - 1] + "\u2026" for each in shapes]


def redact(text: str) -> str:
    """Give a trace of ``text`` that a person recognises and nobody can use: ``ana@example.com`` is ``a…@e….com``.

    Digits become ``9``, of every word only the first letter stays, a word of one or two letters becomes ``…``.
    """
    value = text[:200].strip()
    if is_email(value):
        local, _, host = value.partition("@")
        ending = host.rpartition(".")[2]
        return f"{_initial(local)}@{_initial(host)}.{ending if ending.isascii() and len(ending) <= 6 else '…'}"
    if is_secret(value):
        return "…"
    words = value.split()[:4]
    kept = " ".join(_redact_word(word) for word in words)
    return kept if len(value.split()) <= 4 else kept + " …"


def _initial(word: str) -> str:
    return (word[0] if word[0].isalpha() else "") + "…"


def _redact_word(word: str) -> str:
    if not any(character.isalpha() for character in word):
        return shape(word)
    return "…" if len(word) <= 2 or not word[0].isalpha() else f"{word[0]}…"


_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")


def name_words(name: str) -> tuple[str, ...]:
    """Split a column name at signs, digits and changes of case: ``custEmail_2`` is ``cust``, ``email``."""
    return tuple(word.lower() for word in _WORD.findall(name[:200]))
