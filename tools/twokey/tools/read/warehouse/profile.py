"""Turns the sampled values of a column into counts, shapes and redacted traces.

Rules: every figure is an integer or text; a raw value leaves only as ``minimum``/``maximum`` of numbers and dates or as
one of at most 20 repeated values, and never where name or content look personal. When in doubt a value is withheld:
that costs a finding some detail, the other way round costs a person their privacy.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from heapq import nsmallest
from operator import itemgetter, mul
from typing import Final, cast

from twokey.tools.read.warehouse import patterns, signals
from twokey.tools.read.warehouse.signal_names import SignalName
from twokey.tools.read.warehouse.sources import StatementFailed
from twokey.tools.read.warehouse.values import ColumnInfo, ColumnProfile, Patterns, Signal, Tally

MAX_CHECKED: Final = 2_000
"""Different values of a column that are compared with the patterns."""
MAX_TOP: Final = 20
MAX_SHAPES: Final = 5
MAX_SAMPLES: Final = 3
_MAX_SHOWN: Final = 80
LOOKED_AT_FIRST: Final = 50
"""Texts by which a column is taken for one of numbers or dates at first."""
_MOST: Final = 95
"""Percent of the checked texts that make a text column one of numbers or dates."""

Key = str | int | float | bool | Decimal | bytes
_VALUE: Final = itemgetter(0)
_COUNT: Final = itemgetter(1)

_PERSONAL_WORDS: Final = patterns.words(
    """
    email emails mail phone phones telephone tel mobile cell cellphone fax address addr street house apartment birth
    birthday birthdate born dob age ssn sin nin nino tin nif cpf passport licence license iban bic account acct card
    cvv cvc pan password passwd pwd pass passphrase secret token credential credentials salt otp pin hash signature
    ip mac gender sex race ethnicity ethnic religion religious nationality marital married salary income wage pay
    compensation health diagnosis disease patient medical medication disability lat latitude lon lng longitude gps
    geo coordinates name names firstname lastname fullname surname forename given family maiden nickname nick login
    username user contact person people employee customer owner author recipient sender attn attention note notes
    comment comments remark remarks message body text description feedback bio cookie session fingerprint device
    imei vin plate social linkedin twitter facebook instagram skype
    """
)
_HARMLESS_AFTER: Final = frozenset(
    {"type", "kind", "status", "state", "category", "count", "verified", "flag", "valid"}
)
_HARMLESS_ENDS: Final = frozenset({"id", "ids"})
_PERSONAL_SIGNALS: Final = frozenset({"full_name", "street", "full_address", "ssn", "person_number", "mac"})
_PERSONAL_PATTERNS: Final = ("email", "embedded_email", "phone", "ip", "card", "iban", "secret")


@dataclass(slots=True)
class Facts:
    """What is known of a column before anything is shown: counts over the sample and its different values."""

    name: str
    type: str
    values: int = 0
    nulls: int = 0
    nulls_total: int | None = None
    distinct: int = 0
    whole: bool = False
    """Whether the sample is the whole table."""
    texts: int = 0
    empty: int = 0
    integers: int = 0
    numbers: int = 0
    booleans: int = 0
    binaries: int = 0
    not_finite: int = 0
    minimum: str | None = None
    maximum: str | None = None
    length_min: int | None = None
    length_max: int | None = None
    length_sum: int = 0
    lengths: int = 0
    mentions_email: int = 0
    groups: Sequence[tuple[Key, int]] = field(default_factory=tuple[tuple[Key, int], ...])
    """Different values with their counts: all of them, or an even choice."""
    counted: Mapping[str, int] | None = None
    """Patterns that hold for all values by their declared type; the groups are then not compared."""
    ranged: bool = False
    """The source worked out ``minimum`` and ``maximum`` itself, over all values."""


def facts_of(  # the fields of one value
    name: str, type_: str, column: Sequence[Key | None], *, whole: bool, nulls_total: int | None
) -> Facts:
    """Count one column of the sample. Times and other types must have been turned into text before."""
    counter: Counter[Key | None] = Counter(column)
    nulls = counter.pop(None, 0)
    facts = Facts(name, type_, values=len(column) - nulls, nulls=nulls, whole=whole)
    facts.nulls_total = nulls if whole else nulls_total
    known = cast("Counter[Key]", counter)
    kinds = set(map(type, known))
    if kinds <= {str}:
        count_texts(facts, cast("Counter[str]", known))
    elif kinds == {int}:
        integers = cast("Counter[int]", known)
        facts.integers = facts.values
        facts.minimum, facts.maximum = number_text(min(integers)), number_text(max(integers))
    else:
        known = _one_nan(known)
        _count_mixed(facts, known)
    facts.distinct = len(known)
    facts.groups = list(known.items())
    return facts


def count_texts(facts: Facts, known: Counter[str]) -> None:
    """Count a column of texts only."""
    if not known:
        return
    lengths = list(map(len, known))
    facts.texts = facts.lengths = known.total()
    facts.length_min, facts.length_max = min(lengths), max(lengths)
    facts.length_sum = sum(map(mul, lengths, known.values()))
    facts.empty = known.get("", 0) + sum(known[value] for value in filter(str.isspace, known))
    facts.mentions_email = sum(known[value] for value in known if "@" in value and patterns.contains_email(value))


def _count_mixed(facts: Facts, known: Counter[Key]) -> None:
    """Count a column of any types."""
    texts = Counter({value: count for value, count in known.items() if isinstance(value, str)})
    count_texts(facts, texts)
    finite: list[int | float | Decimal] = []
    for value, count in known.items():
        if isinstance(value, str):
            continue
        if isinstance(value, bool):
            facts.booleans += count
        elif isinstance(value, int):
            facts.integers += count
            finite.append(value)
        elif isinstance(value, bytes):
            facts.binaries += count
            _add_length(facts, len(value), count)
        else:
            facts.numbers += count
            if _is_finite(value):
                finite.append(value)
            else:
                facts.not_finite += count
    if finite:
        facts.minimum, facts.maximum = number_text(min(finite)), number_text(max(finite))


def _one_nan(counter: Counter[Key]) -> Counter[Key]:
    """Count every NaN as one value: two of them never compare equal."""
    merged: Counter[Key] = Counter()
    for value, count in counter.items():
        merged[math.nan if isinstance(value, float | Decimal) and math.isnan(value) else value] += count
    return merged


def _is_finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


def _add_length(facts: Facts, length: int, count: int) -> None:
    facts.lengths += count
    facts.length_sum += length * count
    facts.length_min = length if facts.length_min is None else min(facts.length_min, length)
    facts.length_max = length if facts.length_max is None else max(facts.length_max, length)


def number_text(value: float | Decimal) -> str:
    """Give a number as text of at most 80 characters, exact where that fits."""
    if isinstance(value, int) and not -(10**78) < value < 10**78:
        return f"{'-' if value < 0 else ''}1e{value.bit_length() * 30103 // 100000}"
    text = str(value)
    return text if len(text) <= _MAX_SHOWN else f"{Decimal(value):.20e}"


def column_profile(facts: Facts) -> ColumnProfile:
    """Work out what may be shown of a column."""
    if facts.counted is None:
        checked, counts, shapes, words = _compare(_evenly(facts.groups))
    else:
        checked, counts, shapes, words = facts.values, dict(facts.counted), dict[str, int](), list[str]()
    looked, seen = _signals(facts)
    profile = ColumnProfile(
        name=facts.name,
        type=facts.type[:200],
        values=facts.values,
        nulls=facts.nulls,
        nulls_total=facts.nulls_total,
        empty=facts.empty,
        distinct=facts.distinct,
        distinct_exact=facts.whole,
        unique=0 < facts.values == facts.distinct,
        texts=facts.texts,
        integers=facts.integers,
        numbers=facts.numbers,
        booleans=facts.booleans,
        binaries=facts.binaries,
        not_finite=facts.not_finite,
        length_min=facts.length_min,
        length_max=facts.length_max,
        length_avg=facts.length_sum // facts.lengths if facts.lengths else None,
        checked=checked,
        patterns=Patterns(**counts),
        looked=looked,
        signals=tuple(Signal(name=name, count=count) for name, count in sorted(seen.items(), key=_most_first)),
        mentions_email=facts.mentions_email,
        shapes=tuple(Tally(text=text, count=shapes[text]) for text in _most_frequent(shapes, MAX_SHAPES)),
        samples=tuple(dict.fromkeys(patterns.redact(word)[:_MAX_SHOWN] for word in words)),
    )
    minimum, maximum = _range(facts, profile)
    if looks_personal(facts.name, profile) or _looks_like_numbers_of_people(facts, minimum, maximum):
        return profile.model_copy(update={"personal": True})
    top, complete = _top(facts)
    return profile.model_copy(update={"minimum": minimum, "maximum": maximum, "top": top, "top_complete": complete})


def _signals(facts: Facts) -> tuple[int, Mapping[SignalName, int]]:
    """Count what the values are recognised as; of columns of numbers only their range may be known."""
    told = facts.groups
    if facts.binaries or facts.booleans:
        told = [(value, count) for value, count in told if not isinstance(value, bytes | bool)]
    if told:
        return signals.count([(_plain(value), count) for value, count in signals.evenly(told)])
    return (facts.values, signals.of_range(facts.minimum, facts.maximum, facts.values)) if facts.counted else (0, {})


def _plain(value: Key) -> str:
    return value if isinstance(value, str) else number_text(cast("int | float | Decimal", value))


def failed_column(name: str, type_: str, reason: str) -> ColumnProfile:
    """Give the profile of a column that could not be read."""
    return ColumnProfile(name=name, type=type_[:200], problem=reason[:300])


def looks_personal(name: str, profile: ColumnProfile) -> bool:
    """Guess whether values may be personal or secret, so that they are withheld. Errs on the side of yes.

    By name: a word such as ``email`` or ``salary``, unless the name ends in ``id`` or in a word that says the column
    only describes such values (``email_verified``). By content: one checked value in a hundred, or two in all, fits a
    personal pattern; a single secret or address is enough; or half of them are recognised as people's.
    """
    words = patterns.name_words(name)
    if words and words[-1] not in _HARMLESS_AFTER | _HARMLESS_ENDS and not _PERSONAL_WORDS.isdisjoint(words):
        return True
    if "".join(words) in _PERSONAL_WORDS:
        return True
    found = profile.patterns
    if profile.mentions_email or found.email or found.embedded_email or found.secret or found.iban:
        return True
    if any(signal.count * 2 >= profile.looked and signal.name in _PERSONAL_SIGNALS for signal in profile.signals):
        return True
    weak = sum(getattr(found, pattern) for pattern in _PERSONAL_PATTERNS)
    return weak * 100 >= max(profile.checked, 1) or weak >= 2


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _most_frequent(counts: Mapping[str, int], most: int) -> Sequence[str]:
    """Give the most frequent texts, those of one count in their order."""
    return [text for text, _ in nsmallest(most, counts.items(), key=_most_first)]


def _evenly(groups: Sequence[tuple[Key, int]]) -> Sequence[tuple[Key, int]]:
    if len(groups) <= MAX_CHECKED:
        return groups
    step = len(groups) / MAX_CHECKED
    return [groups[int(index * step)] for index in range(MAX_CHECKED)]


def _compare(groups: Sequence[tuple[Key, int]]) -> tuple[int, dict[str, int], Mapping[str, int], list[str]]:
    """Compare values with the patterns: values checked, count per pattern, count per shape, texts to redact."""
    values = list(map(_VALUE, groups))
    plain = set(map(type, values)) == {str} and all(values) and not any(map(str.isspace, cast("list[str]", values)))
    texts = (
        groups
        if plain
        else [group for group in groups if isinstance(group[0], str) and group[0] and not group[0].isspace()]
    )
    told = cast("Sequence[tuple[str, int]]", texts)
    found, masks = patterns.examine(told)
    counts = Counter(found)
    checked = sum(map(_COUNT, told))
    if len(texts) < len(groups):
        for value, count in groups:
            if isinstance(value, str | bytes):
                continue
            if isinstance(value, bool):
                counts["boolean"] += count
            elif isinstance(value, int):
                counts["integer"] += count
                counts["number"] += count
                counts["boolean"] += count * (value in {0, 1})
                if 10**12 <= value < 10**19:
                    counts["card"] += count * patterns.is_card(str(value))
            else:
                counts["number"] += count
            checked += count
    shapes: dict[str, int] = {}
    for form, count in zip(patterns.shortened(list(masks)), masks.values(), strict=True):
        shapes[form] = shapes.get(form, 0) + count
    return checked, dict(counts), shapes, [value for value, _ in told[:MAX_SAMPLES]]


def _range(facts: Facts, profile: ColumnProfile) -> tuple[str | None, str | None]:
    """Least and greatest number or date. Texts count as such where nearly all of them are."""
    if facts.texts == 0 or facts.ranged:
        return facts.minimum, facts.maximum
    found, texts = profile.patterns, max(1, profile.checked)
    stored = facts.integers + facts.numbers
    if (found.date + found.datetime) * 100 >= texts * _MOST:
        return _range_of_dates([value for value, _ in facts.groups if isinstance(value, str)])
    if found.number * 100 >= texts * _MOST:
        return _range_of_numbers([value for value, _ in facts.groups])
    return (facts.minimum, facts.maximum) if stored > facts.texts else (None, None)


def _range_of_dates(texts: Sequence[str]) -> tuple[str | None, str | None]:
    """Least and greatest date among texts that are nearly all dates; the first look takes only those two for dates."""
    if texts and _is_time(min(texts).strip()) and _is_time(max(texts).strip()):
        dates = texts
    else:
        dates = [text for text in texts if _is_time(text.strip())]
    return (min(dates).strip()[:_MAX_SHOWN], max(dates).strip()[:_MAX_SHOWN]) if dates else (None, None)


def _range_of_numbers(values: Sequence[Key]) -> tuple[str | None, str | None]:
    """Least and greatest number among values that are nearly all numbers, exact."""
    try:
        rough = [float(value) for value in values]
        sound = math.isfinite(sum(rough))
    except (ValueError, OverflowError):
        rough, sound = [], False
    if sound:
        # only values that are the least or the greatest as floating-point numbers are compared exactly
        least, greatest = min(rough), max(rough)
        ends = [value for value, number in zip(values, rough, strict=True) if number in {least, greatest}]
        numbers = [_as_number(value) for value in ends]
        if None not in numbers:
            known = cast("list[Decimal]", numbers)
            return number_text(min(known)), number_text(max(known))
    known = [number for value in values if (number := _as_number(value)) is not None]
    return (number_text(min(known)), number_text(max(known))) if known else (None, None)


def looks_like_number(texts: Sequence[str]) -> bool:
    """Whether most of the first few texts are numbers."""
    first = texts[:LOOKED_AT_FIRST]
    return sum(patterns.is_number(text.strip()) for text in first) * 2 > len(first)


def looks_like_date(texts: Sequence[str]) -> bool:
    """Whether most of the first few texts are dates, with or without a time."""
    first = texts[:LOOKED_AT_FIRST]
    return sum(_is_time(text.strip()) for text in first) * 2 > len(first)


def plain_number(text: str) -> str | None:
    """Give a text that is a number as such; ``None`` for any other."""
    number = _as_number(text)
    return None if number is None else number_text(number)


def _is_time(text: str) -> bool:
    return patterns.is_date(text) or patterns.is_datetime(text)


def _as_number(value: Key) -> Decimal | None:
    if isinstance(value, bytes | bool):
        return None
    text = value.strip() if isinstance(value, str) else str(value)
    if len(text) > _MAX_SHOWN or not patterns.is_number(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _looks_like_numbers_of_people(facts: Facts, minimum: str | None, maximum: str | None) -> bool:
    """Whether whole numbers of nine digits and more are scattered, as telephone and insurance numbers are.

    Numbers that were counted up (keys, epoch seconds of a narrow window) lie close together; these do not.
    """
    if minimum is None or maximum is None or facts.distinct < 2:
        return False
    if not (patterns.is_integer(minimum) and patterns.is_integer(maximum)):
        return False
    return scattered(int(minimum), int(maximum), facts.distinct)


def scattered(low: int, high: int, distinct: int) -> bool:
    """Whether whole numbers are as long as those of people's papers, and lie as far apart."""
    return low >= 10**8 and high < 10**16 and high - low > 1_000 * distinct


def _top(facts: Facts) -> tuple[tuple[Tally, ...], bool]:
    """Values that may be shown: few, repeated, short, and free of anything that looks personal."""
    if not 0 < facts.distinct <= MAX_TOP or len(facts.groups) != facts.distinct:
        return (), False
    if facts.values < 2 * facts.distinct:
        return (), False
    shown: list[Tally] = []
    for value, count in sorted(facts.groups, key=lambda item: (-item[1], str(item[0]))):
        text = _show(value)
        if text is None or count < 2:
            continue
        shown.append(Tally(text=text, count=count))
    return tuple(shown), len(shown) == facts.distinct


def _show(value: Key) -> str | None:
    if isinstance(value, bytes):
        return None
    if isinstance(value, str):
        if len(value) > _MAX_SHOWN or not value.isprintable():
            return None
        return None if not set(patterns.detect(value)).isdisjoint(_PERSONAL_PATTERNS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value)


def in_parts(
    columns: Sequence[ColumnInfo],
    at_once: int,
    work: Callable[[Sequence[ColumnInfo]], tuple[list[ColumnProfile], int]],
) -> tuple[list[ColumnProfile], int]:
    """Profile ``columns``, so many at once; columns that fail together are tried in halves, down to one.

    ``work`` gives the profiles and the number of rows seen, and raises ``StatementFailed``.
    """
    waiting = [columns[start : start + at_once] for start in range(0, len(columns), at_once)][::-1]
    done: list[ColumnProfile] = []
    seen = 0
    while waiting:
        part = waiting.pop()
        try:
            profiles, rows = work(part)
        except StatementFailed as fault:
            if len(part) > 1 and not fault.timed_out:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
                continue
            profiles, rows = [failed_column(column.name, column.type, fault.reason) for column in part], 0
        done += profiles
        seen = max(seen, rows)
    return done, seen
