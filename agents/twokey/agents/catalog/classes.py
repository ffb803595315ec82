"""Which class the values of a column have, how sure that is, and what speaks for it.

Rules
- A class is told of values that were seen. The kind (what name and values say together) proposes it, and enough of the
  values must fit; what fits no class, and what was not looked at, is ``other``.
- How many must fit depends on how telling the test is. Where the name says the same, fewer are needed, because lists
  of names, streets and states are never complete; where the name says nothing, more.
- Confidence is how often columns with such agreement turned out to be of the class, not a product of weights that
  nobody measured.
- What is one row's address, place and coordinates in one text is of no single class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from twokey.agents.catalog import names
from twokey.agents.catalog.facts import Column, Profile
from twokey.agents.catalog.judgement import Class
from twokey.agents.catalog.named import apart
from twokey.agents.catalog.spelling import repaired
from twokey.agents.catalog.vocabulary import Kind, plain


@dataclass(frozen=True, slots=True)
class Test:
    """What the values of a class look like. ``needed`` is the share that must, where the name says so."""

    column_class: Class
    signals: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    needed: float = 0.5
    against: tuple[str, ...] = ()
    """What they never are; half of the values at most."""
    apart: bool = False
    """A value may carry several of the signals, so that they must not be added up."""
    shown_as: str = ""
    """How a reader is told: ``12 of 20 values ...``."""

    def share(self, profile: Profile) -> float:
        """Share of the values that pass, 0 to 1; words for "nothing" are not counted as values."""
        said = 1 - min(0.5, profile.signal("empty_word"))
        found = max(map(profile.signal, self.signals), default=0.0) if self.apart else profile.signal(*self.signals)
        return min(1.0, max(found, profile.share(*self.patterns)) / said)

    def told(self, profile: Profile) -> str:
        """Say how many values pass: with the counts of the evidence where one count says it, else in words."""
        signal = max(self.signals, key=lambda name: profile.signals.get(name, 0), default="")
        pattern = max(self.patterns, key=lambda name: profile.patterns.get(name, 0), default="")
        share = self.share(profile)
        for count, of in (
            (profile.patterns.get(pattern, 0), profile.checked),
            (profile.signals.get(signal, 0), profile.looked),
        ):
            if of and abs(count / of - share) < _NEAR:
                return f"{count:,} of {of:,} values {self.shown_as}"
        return f"{'nearly all' if share >= 0.9 else 'most' if share >= 0.5 else 'few'} values {self.shown_as}"

    def passes(self, profile: Profile) -> bool:
        """Whether enough values pass and not too many speak against it."""
        return self.share(profile) >= self.needed and profile.signal(*self.against, "empty_word") < 0.5


_NEAR: Final = 0.005
_LETTERS: Final = ("words", "one_word", "initial")

TESTS: Final[Mapping[Kind, Test]] = {
    "person_name": Test(
        "PERSON_NAME",
        signals=_LETTERS,
        needed=0.9,
        against=("organisation", "company", "prose"),
        shown_as="are written as names are",
    ),
    "email": Test("EMAIL", patterns=("email",), needed=0.35, shown_as="are e-mail addresses"),
    "phone": Test(
        "PHONE",
        signals=("phone_number", "digits"),
        patterns=("phone",),
        needed=0.7,
        apart=True,
        shown_as="are telephone numbers",
    ),
    "street_address": Test(
        "STREET_ADDRESS",
        signals=("street", "street_part", "full_address", "numbered"),
        needed=0.55,
        against=("geometry",),
        shown_as="are a street with a number",
    ),
    "gender": Test("GENDER", signals=("gender",), shown_as="are words for gender"),
    "demographic": Test(
        "DEMOGRAPHIC", signals=("origin",), needed=0.51, shown_as="are words for origin, belief or family"
    ),
    "age": Test("DEMOGRAPHIC", signals=("age",), needed=0.7, shown_as="are numbers that an age can be"),
    "postal_code": Test(
        "POSTAL_CODE", signals=("zip",), patterns=("postal",), needed=0.5, shown_as="have the form of a postal code"
    ),
    "coordinate": Test(
        "COORDINATE", signals=("longitude", "coordinate_pair"), needed=0.5, shown_as="are degrees of the globe"
    ),
    "location": Test(
        "COORDINATE", signals=("longitude", "coordinate_pair"), needed=0.5, shown_as="are degrees of the globe"
    ),
    "city": Test(
        "CITY",
        signals=("words", "one_word", "organisation"),
        needed=0.7,
        against=("street", "full_address", "prose", "company"),
        shown_as="are written as names of places are",
    ),
    "state": Test("STATE", signals=("state", "state_code"), needed=0.5, shown_as="are states or provinces"),
    "country": Test("COUNTRY", signals=("country", "country_code"), needed=0.5, shown_as="are countries"),
    "url": Test("URL", signals=("host",), patterns=("url",), needed=0.35, shown_as="are addresses of pages"),
    "currency": Test(
        "CURRENCY", signals=("currency",), patterns=("currency",), needed=0.5, shown_as="are currencies of ISO 4217"
    ),
    "id_number": Test(
        "ID_NUMBER", signals=("ssn", "person_number", "digits"), needed=0.3, shown_as="have the form of such a number"
    ),
    "company": Test(
        "COMPANY",
        signals=("company", "organisation", "words", "one_word"),
        needed=0.4,
        against=("street", "full_address"),
        shown_as="are written as names of companies are",
    ),
}
"""What confirms each kind that has a class."""

_REGIONS: Final = frozenset(
    """
    county counties parish municipio municipality suburb landkreis kanton canton prefecture
    mun mpio mcpio cnty
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_ANY_REGION: Final = Test(
    "STATE",
    signals=(*_LETTERS, "organisation"),
    needed=0.6,
    against=("prose",),
    shown_as="are written as names of places are",
)
_NAME_PART: Final = Test("PERSON_NAME", signals=("name_part",), needed=0.4, shown_as="stand before or after names")
_CODED: Final = Test(
    "DEMOGRAPHIC",
    signals=("age", "initial", "one_word", "words", "gender", "origin"),
    needed=0.7,
    apart=False,
    shown_as="are a few short codes or words",
)
_UNMISTAKABLE: Final = frozenset(
    """
    religion ethnicity ethnic marital citizenship familienstand konfession religionszugehoerigkeit zivilstand
    familiale matrimoniale civil raca etnia religiao religione nacionalidad nacionalidade nationality nationalitaet
    staatsangehoerigkeit staatsbuergerschaft cittadinanza nazionalita caste narodowosc obywatelstwo cywilny
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Words that name origin, belief or family and nothing else, so that a few values of any language will do."""
_NATIONS: Final = Test("COUNTRY", signals=("country",), needed=0.5, shown_as="are countries")
_SECOND_LINE: Final = replace(TESTS["street_address"], needed=0.3)
"""What does not fit in the first line is mixed: suites, people in care of whom, halves of names."""
_SECOND: Final = frozenset(
    {"2", "3", "4", "two", "continued", "cont", "additional", "zusatz", "complement", "complemento"}
)
_METRES: Final = frozenset({"northing", "easting"})
_PARTS_OF_NAMES: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("part", frozenset("suffix prefix salutation tussenvoegsel".split())),  # noqa: SIM905 - reads better
    ("middle", frozenset("middle".split())),  # noqa: SIM905 - as above
    ("first", frozenset("first given forename firstname vorname prenom nombre nombres voornaam".split())),  # noqa: SIM905
    (
        "last",
        frozenset(
            "last surname family lastname maiden nachname familienname geburtsname apellido apellidos "  # noqa: SIM905
            "sobrenome cognome achternaam nom".split()
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Classed:
    """The class of a column, how sure that is (percent), its finer type, and what the values say of it."""

    column_class: Class
    confidence: int
    semantic_type: str
    said: str


def classed(column: Column, kind: Kind, *, named: bool) -> Classed:
    """Tell the class of a column that holds ``kind``; ``named`` where its name says so."""
    profile = column.profile
    finer = _finer(column, kind)
    if profile is None or profile.looked == 0:
        empty = profile is not None and profile.rows > 0
        return Classed("other", 97 if empty else 55, finer, "no value was there to look at")
    test = _test(kind, _words(column.name), profile)
    if test is None:
        return Classed("other", 98 if kind in _PLAIN else 96, finer, "the values are of none of the known classes")
    said, share = test.told(profile), test.share(profile)
    if not test.passes(profile):
        return Classed("other", 88, finer, f"not enough for a class: {said}")
    sure = (97 if share >= 0.9 else 94 if share >= 0.7 else 88) if named else (84 if share >= 0.9 else 75)
    return Classed(test.column_class, sure - (8 if profile.filled < FEW_VALUES else 0), finer, said)


def agrees(column: Column, kind: Kind) -> bool:
    """Whether the values of a column do not speak against a kind."""
    profile = column.profile
    if profile is None or profile.looked == 0:
        return True
    test = _test(kind, _words(column.name), profile)
    return test is None or test.passes(profile)


def deny(column: Column, kind: Kind) -> bool:
    """Whether the values of a column are numbers, and nearly none of them is what a kind looks like."""
    profile, test = column.profile, TESTS[kind]
    return profile is not None and profile.share("number") >= 0.9 and test.share(profile) < _NEARLY_NONE


_NEARLY_NONE: Final = 0.1
FEW_VALUES: Final = 5
"""Below so many values, a class is less sure."""
_PLAIN: Final = frozenset({"key", "flag", "moment", "measure"})


@lru_cache(maxsize=65_536)
def _words(name: str) -> tuple[str, ...]:
    return tuple(part for word in repaired(plain(names.expanded(name))) for part in apart(word))


def _test(kind: Kind, words: tuple[str, ...], profile: Profile) -> Test | None:
    if kind == "state" and not _REGIONS.isdisjoint(words):
        return _ANY_REGION
    if kind == "street_address" and not _SECOND.isdisjoint(words):
        return _SECOND_LINE
    if kind == "person_name" and _part_of_name(words) == "part":
        return _NAME_PART
    if kind == "gender" and _is_coded(profile, "gender"):
        return replace(_CODED, column_class="GENDER")
    if kind == "demographic" and _NATIONS.passes(profile):
        return _NATIONS
    if kind in {"coordinate", "location"} and not _METRES.isdisjoint(words) and profile.share("number") >= 0.9:
        return Test("COORDINATE", patterns=("number",), shown_as="are numbers")
    if kind == "demographic" and _is_coded(profile, "demographic") and _is_unmistakable(words, profile):
        return _CODED
    if kind == "company" and profile.distinct <= 2 and profile.signal("company") < 0.5:
        return None
    return TESTS.get(kind)


_MOST_CODES: Final[dict[Kind, int]] = {"gender": 6, "demographic": 20}


def _is_coded(profile: Profile, kind: Kind) -> bool:
    """Whether a few values repeat that no list of words has (``1``, ``K``, a word of some language)."""
    test = TESTS[kind]
    return (
        test.share(profile) < test.needed
        and 2 <= profile.distinct <= _MOST_CODES[kind]
        and profile.looked >= _REPEATED * profile.distinct
        and not (profile.longest > 1 and profile.share("boolean") >= test.needed)
    )


def _is_unmistakable(words: tuple[str, ...], profile: Profile) -> bool:
    """Whether a name means origin, belief or family; ``race`` does where the values are single letters."""
    return not _UNMISTAKABLE.isdisjoint(words) or (profile.longest == 1 and profile.signal("initial") >= _CODED.needed)


_REPEATED: Final = 6
"""Rows of each code, on average, from which they are a habit and not a few cells."""


def _part_of_name(words: tuple[str, ...]) -> str:
    return next((part for part, known in _PARTS_OF_NAMES if not known.isdisjoint(words)), "full")


def _finer(column: Column, kind: Kind) -> str:
    if kind == "person_name":
        return f"person_name.{_part_of_name(_words(column.name))}"
    profile = column.profile
    if kind in {"key", "other", "category", "title"} and profile is not None:
        for signal in _TYPES:
            if profile.signal(signal) >= 0.8:
                return signal
    return kind


_TYPES: Final = (
    "isin",
    "isbn",
    "lei",
    "imei",
    "vin",
    "trade_number",
    "month",
    "weekday",
    "colour",
    "language",
    "money",
    "geometry",
)
