"""How sensitive a column is: public, operational, financial or personal (``pii``), with reasons a person can check.

Rules
- Name, values and neighbours are weighed; a claim from one alone says so and is less sure.
- A few personal values are enough: the share that counts is low for patterns that nothing else looks like (e-mail,
  IBAN, secrets) and high for those that many numbers fit (telephone, card).
- What only tells something *about* a personal thing (``email_verified``, ``phone_type``) is not personal, unless its
  values are. Codes, years and keys are not card numbers. A name is a person's only where the table is about people, or
  where its values are full names of which the parts are known.
- What a name says is personal is not made harmless by values that look like something harmless.
- Reasons are our own words and numbers; no text of the warehouse occurs in them.
"""

from dataclasses import replace
from typing import Final

from twokey.agents.catalog import classes, evidence, names, types
from twokey.agents.catalog.beside import by_neighbours
from twokey.agents.catalog.facts import Column, Profile, Table
from twokey.agents.catalog.hinted import kind_hinted
from twokey.agents.catalog.judgement import FINANCIAL, MOST, PERSONAL, PLACES, WORDS_FOR, Judgement, Level
from twokey.agents.catalog.named import about_people, about_published, half_of_a_name, kind_about_a_person, kind_of
from twokey.agents.catalog.shown import SPARSE_SHARE, by_recognisers, by_values
from twokey.agents.catalog.vocabulary import FLAGS, MOMENTS, Kind

FEW_VALUES: Final = 20
"""Below so many values, values do not outweigh a name."""


def _outweighed(column: Column, named: Kind, recognised: Judgement | None) -> bool:
    """Whether what the values show counts more than what the name says."""
    if recognised is None or (recognised.level != "pii" and named in PERSONAL):
        return False
    if recognised.level == "pii" and named in _SAYS_LITTLE:
        return True
    return not classes.agrees(column, named)


_SAYS_LITTLE: Final = frozenset({"free_text", "amount", "pay"})
"""What a name says that values which show a person outweigh (``principal`` of a school, ``details name``)."""
_PERSONAL_KEYS: Final = frozenset({"id_number", "credential", "device"})
"""What identifies a row *and* a person, or lets somebody in."""


def judge(table: Table, column: Column, *, reference: bool = False, people: bool | None = None) -> Judgement:
    """Judge one column.

    Args:
        table: The table with all its columns, for the neighbours.
        column: One of them.
        reference: The column refers to another table (then it is a key, whatever it is called).
        people: Whether the table is about people, where that is known already.

    """
    people = about_people(table) if people is None else people
    named = kind_of(column.name) or (kind_about_a_person(column.name) if people else None)
    if named is None and half_of_a_name(table, column.name):
        named = "person_name"
    if named is None and not reference:
        named = kind_hinted(column)
    judged = _judged(table, column, named, reference=reference, people=people)
    found = classes.classed(column, judged.kind, named=named == judged.kind)
    return replace(
        judged,
        column_class=found.column_class,
        class_confidence=found.confidence,
        semantic_type=found.semantic_type,
        evidence=evidence.told(table, column, judged, found, named=named),
    )


def _judged(table: Table, column: Column, named: Kind | None, *, reference: bool, people: bool) -> Judgement:
    shown = by_values(column)
    if shown is not None and not (named in PERSONAL and shown.kind == "url"):
        if shown.kind == "url" and about_published(table):
            shown = replace(shown, level="public")
        return _agreeing(shown, named)
    own_device = named == "device" and (column.name in table.primary_key or names.entity(table.name) == ("device",))
    if named is not None and named in _PERSONAL_KEYS and not reference and not own_device:
        return _named(table, column, named, people=people)
    if reference or _is_key(table, column):
        return Judgement("operational", "key", 92 if reference else 85, ("identifies a row, and holds nothing else",))
    if _is_flag(column):
        return Judgement("operational", "flag", 90, ("answers yes or no",))
    recognised = by_recognisers(column)
    if named is not None and not _outweighed(column, named, recognised):
        return _named(table, column, named, people=people)
    if recognised is not None:
        return _in_its_table(table, recognised, people=people)
    shown = by_neighbours(table, column, people=people) if named is None else None
    if shown is not None:
        return _in_its_table(table, shown, people=people)
    return _rest(table, column, people=people)


def _in_its_table(table: Table, recognised: Judgement, *, people: bool) -> Judgement:
    """Weigh what values show against what the table is about."""
    if recognised.kind in {"coordinate", "place"} and people:
        return replace(recognised, level="pii", kind="location")
    if recognised.kind in {*PLACES, "person_name", "organisation"} and about_published(table):
        return replace(recognised, level="public", doubt=False)
    return recognised


def _named(table: Table, column: Column, kind: Kind, *, people: bool) -> Judgement:
    profile = column.profile
    if kind in PERSONAL:
        return _personal_by_name(table, column, kind)
    if kind in {"amount", "pay"}:
        if names.words(column.name)[-1] in _NO_MONEY:
            return Judgement("operational", "measure", 80, ("about money, but counted in something else",))
        if types.meaning(column) not in {"integer", "decimal", "other"} and not _written_numbers(profile):
            return Judgement("operational", "other", 60, ("named after money, but holds no numbers",))
        return Judgement(
            "financial", kind, 88 if profile is not None else 78, ("named after money", *_numbers(profile))
        )
    if kind in FINANCIAL:
        contradicted = profile is not None and profile.filled >= FEW_VALUES and _is_short(profile)
        sure = 45 if contradicted else 80
        return Judgement("financial", kind, sure, ("named after a means of payment",), doubt=contradicted)
    if kind in PLACES:
        return _place(table, kind, people=people)
    if kind in {"currency", "language", "url"}:
        level: Level = "public" if kind == "currency" or about_published(table) else "operational"
        return Judgement(level, kind, 80, ("a word for the kind of thing is in the name",))
    if kind in {"company", "organisation"}:
        level = "public" if about_published(table) else "operational"
        return Judgement(level, kind, 75, ("names an organization, not a person",))
    if about_published(table) and not people:
        return Judgement("public", kind, 70, ("describes something of the world or published",))
    sentence = "free text, where people write anything" + (" about a person" if people else "")
    return Judgement("operational", kind, 60 if people else 70, (sentence,), doubt=people and profile is None)


def _written_numbers(profile: Profile | None) -> bool:
    """Whether texts are numbers or sums of money, as people write them."""
    return profile is not None and max(profile.share("number"), profile.signal("money")) >= MOST


_NO_MONEY: Final = frozenset(
    """
    days day weeks months years hours minutes seconds count number terms type period percentile rank id log scaled
    norm normalized normalised zscore bin bucket encoded enc group band range
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""A last word of a name of money that says that something else is counted."""


def _personal_by_name(table: Table, column: Column, kind: Kind) -> Judgement:
    profile = column.profile
    if kind == "person_name" and about_published(table):
        return Judgement("public", kind, 65, ("a name, but of somebody or something published",))
    if profile is None or profile.filled < FEW_VALUES:
        return Judgement("pii", kind, 82 if profile is None else 85, (f"the name says {WORDS_FOR[kind]}",))
    expected = _EXPECTED.get(kind)
    if expected is None:
        return _fits_or_not(column, kind)
    share, told = expected.share(profile), (f"the name says {WORDS_FOR[kind]}", expected.told(profile))
    if share >= MOST:
        return Judgement("pii", kind, 97, told)
    if share < SPARSE_SHARE and kind in {"email", "network_address"}:
        return Judgement(
            "operational", "other", 55, (f"the name says {WORDS_FOR[kind]}, but no value looks so",), doubt=True
        )
    return Judgement("pii", kind, 75, told, doubt=share < 0.2)


def _fits_or_not(column: Column, kind: Kind) -> Judgement:
    """Weigh a personal name against values that have no pattern of their own."""
    shown = types.meaning(column)
    if kind == "age" and classes.deny(column, kind):
        return Judgement("operational", "measure", 65, ("the name says age, but the values are no ages of people",))
    wrong = (
        kind in {"person_name", "street_address", "credential", "user_name"}
        and shown in {"integer", "decimal", "boolean"}
    ) or (kind == "birth_date" and shown == "boolean")
    if kind != "birth_date" and shown in {"date", "timestamp", "time"}:
        reason = f"the name says {WORDS_FOR[kind]}, but the values are moments"
        return Judgement("operational", "moment", 75, (reason,))
    if wrong:
        return Judgement("operational", "other", 60, (f"the name says {WORDS_FOR[kind]}, but the values are numbers",))
    return Judgement("pii", kind, 90, (f"the name says {WORDS_FOR[kind]}", "the values do not speak against it"))


def _place(table: Table, kind: Kind, *, people: bool) -> Judgement:
    if not people:
        level: Level = "public" if about_published(table) else "operational"
        return Judgement(level, kind, 75, ("a place, in a table that is not about people",))
    if kind == "coordinate":
        return Judgement("pii", "location", 75, ("tells where a person is",))
    fine = kind in {"city", "postal_code"}
    reason = (
        "where a person lives; with other columns it can single somebody out"
        if fine
        else "a place too large to single somebody out"
    )
    return Judgement("operational", kind, 60 if fine else 75, (reason,))


_EXPECTED: Final[dict[Kind, classes.Test]] = {
    "email": replace(classes.TESTS["email"], patterns=("email", "embedded_email")),
    "phone": classes.TESTS["phone"],
    "network_address": classes.Test("other", ("mac",), ("ip",), shown_as="are addresses of machines or devices"),
}
"""What the values of a personal kind look like, where they have a look of their own."""


def _agreeing(shown: Judgement, named: Kind | None) -> Judgement:
    if named != shown.kind:
        return shown
    return Judgement(
        shown.level,
        shown.kind,
        min(99, shown.confidence + 2),
        (f"the name says {WORDS_FOR.get(shown.kind) or _AGREED[shown.kind]}", *shown.reasons),
        doubt=False,
    )


_AGREED: Final = {
    "card_number": "a means of payment",
    "bank_account": "a means of payment",
    "url": "the address of a page",
}


def _is_key(table: Table, column: Column) -> bool:
    found = names.words(column.name)
    return column.name in table.primary_key or (
        bool(found) and found[-1] in {"id", "ids", "uuid", "guid", "key", "sk", "fk", "pk"}
    )


def _is_flag(column: Column) -> bool:
    if column.family == "boolean":
        return True
    found = names.words(column.name)
    said = bool(found) and (found[0] in FLAGS or found[-1] in {"flag", "verified", "enabled", "confirmed", "consent"})
    profile = column.profile
    return said and (profile is None or profile.distinct <= 3)


def _rest(table: Table, column: Column, *, people: bool) -> Judgement:
    found = names.words(column.name)
    last = found[-1] if found else ""
    if last == "year" and about_published(table) and not people:
        return Judgement("public", "moment", 70, ("a year of something of the world or published",))
    if types.meaning(column) in {"date", "timestamp", "time"} or last in MOMENTS:
        return Judgement("operational", "moment", 80, ("tells when something happened",))
    if about_published(table) and not people:
        return Judgement("public", "title", 70, ("describes something of the world or published",))
    if types.meaning(column) in {"integer", "decimal", "boolean"}:
        return Judgement("operational", "measure", 75, ("a number that is neither money nor personal by its name",))
    profile = column.profile
    if profile is not None and profile.whole and profile.distinct <= 20:
        return Judgement("operational", "category", 80, ("one of a few repeated values",))
    return Judgement("operational", "other", 60, ("nothing in name or values says otherwise",))


def _is_short(profile: Profile) -> bool:
    return 0 < profile.longest < 8


def _numbers(profile: Profile | None) -> tuple[str, ...]:
    return () if profile is None or profile.filled == 0 else ("the values are numbers",)
