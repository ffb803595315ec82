"""What names say: what a column holds, and whether a table is about people or about published things.

Rules: no values; a name that only speaks *about* a thing (``email_verified``, ``phone_type``, ``address_id``) says
nothing here, and neither does one that means something harmless as often (``name``) outside tables about people.
"""

from functools import lru_cache
from typing import Final

from twokey.agents.catalog import names
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.vocabulary import (
    BY_NAME,
    FLAGS,
    METADATA,
    MOMENTS,
    NAME_HALVES,
    PEOPLE,
    PERSON_TABLE_ONLY,
    PUBLISHED,
    ROMANCE_HEADS,
    Kind,
    holds,
    plain,
)

_WHOLE_NAMES: Final[dict[tuple[str, ...], Kind]] = {
    ("user",): "user_name",
    ("usr",): "user_name",
    ("birth",): "birth_date",
}
"""What means a kind only where nothing stands beside it."""
_PERSONS: Final[frozenset[Kind | None]] = frozenset({"person_name", "birth_date", "gender"})
_REACHED: Final[frozenset[Kind | None]] = frozenset({"email", "phone", "street_address"})
_KEPT_BY: Final = frozenset(
    """
    payroll salary employee permit license licence contract invoice payment order transaction request complaint
    inspection incident case claim log event usage booking reservation ticket account expense budget purchase member
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""What a city, team or library keeps about its own work."""
_PRIVATE: Final[frozenset[Kind | None]] = frozenset({"email", "birth_date", "pay", "id_number", "bank_account"})
"""What is not published of anybody."""
_GENERIC: Final = frozenset(
    {"detail", "info", "information", "profile", "record", "data", "master", "account", "directory", "base"}
)


def about_people(table: Table) -> bool:
    """Tell whether a row of the table is a person, by the table's name or by what else it holds."""
    found = plain(names.entity(table.name))
    if found and (found[-1] in PEOPLE or (found[-1] in _GENERIC and not PEOPLE.isdisjoint(found))):
        return True
    kinds = [kind_of(column.name) for column in table.columns]
    persons = sum(kind in _PERSONS for kind in kinds)
    return persons > 1 or (persons == 1 and any(kind in _REACHED for kind in kinds))


def about_published(table: Table) -> bool:
    """Tell whether a row of the table is something of the world or published, such as a city or an album."""
    found = plain(names.entity(table.name))
    if not found or not PEOPLE.isdisjoint(found):
        return False
    # ``city_list`` holds cities and ``song_length`` something of songs, while ``city_payroll`` is kept by one
    if found[-1] not in PUBLISHED and (found[0] not in PUBLISHED or not _KEPT_BY.isdisjoint(found)):
        return False
    return not any(kind_of(column.name) in _PRIVATE for column in table.columns)


@lru_cache(maxsize=65_536)
def kind_of(name: str) -> Kind | None:
    """Give what a name says the column holds; None where it says nothing, or only something about such a thing."""
    found = plain(names.words(name))
    kind = _WHOLE_NAMES.get(found) or _first(found)
    if kind is None:
        found = plain(names.expanded(name))
        kind = _first(found)
    if kind is None:
        found = tuple(part for word in found for part in apart(word))
        kind = _first(found)
    if kind is None or found[0] in FLAGS or _only_about(found, kind):
        return None
    if kind == "amount" and _counts_things(found):
        return None
    if kind == "street_address" and not _NOT_STREETS.isdisjoint(found):
        return next((other for word, other in _OTHER_ADDRESSES.items() if word in found), None)
    if kind == "email" and found[-1] in {"subject", "body", "campaign", "list", "server", "queue", "job", "box"}:
        return None
    return kind


def _counts_things(found: tuple[str, ...]) -> bool:
    """Whether only ``total`` speaks of money and another word is a plural (``bedrooms total``, ``total items``)."""
    rest = [word for word in found if word != "total"]
    return len(rest) < len(found) and any(map(names.is_plural, rest)) and not holds(rest, BY_NAME["amount"])


@lru_cache(maxsize=65_536)
def apart(word: str) -> tuple[str, ...]:
    """Take a word apart that was written together (``mailingcity``), into known words only; else give it back."""
    if not _LONGEST_ALONE < len(word) <= _LONGEST_TOGETHER or not word.isascii():
        return (word,)
    ends: list[tuple[str, ...] | None] = [None] * (len(word) + 1)
    ends[0] = ()
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 16), end - 2):
            before = ends[start]
            if before is not None and word[start:end] in _PARTS:
                found = (*before, word[start:end])
                best = ends[end]
                if best is None or len(found) < len(best):
                    ends[end] = found
    if ends[-1] is not None:
        return ends[-1]
    end = next((end for end in _CLEAR_ENDS if word.endswith(end) and len(word) - len(end) >= 3), None)
    start = word.removesuffix(end) if end else ""
    return (start, end) if end and start not in _OTHER_STARTS else (word,)


_CLEAR_ENDS: Final = (
    "emailaddress", "email", "zipcode", "postalcode", "postcode", "telephone", "telefono", "telefon", "phone",
    "firstname", "lastname", "surname", "address", "latitude", "longitude", "website", "birthdate",
)  # fmt: skip
"""Words that end nothing but such a name, whatever stands before."""
_OTHER_STARTS: Final = frozenset({"micro", "head", "smart", "mega", "saxo", "xylo", "ear", "gramo", "video"})


_LONGEST_ALONE: Final = 6
_LONGEST_TOGETHER: Final = 48


def _first(found: tuple[str, ...]) -> Kind | None:
    """Give the kind that the last word belongs to (``email_domain_country`` is a country), else the first."""
    kinds = _kinds(found)
    headed = found[:1] != () and found[0] in ROMANCE_HEADS
    for kind in kinds:
        if headed and any(found[:size] in BY_NAME[kind] for size in range(1, 5)):
            return kind
    for kind in kinds:
        if _whole(found, kind):
            return kind
    return kinds[0] if kinds else None


def _kinds(found: tuple[str, ...]) -> tuple[Kind, ...]:
    kinds: tuple[Kind, ...] = tuple(kind for kind, entries in BY_NAME.items() if holds(found, entries))
    if kinds[:1] == ("email",) and found[0] == "mail" and not _WHERE_MAIL_GOES.isdisjoint(kinds):
        kinds = kinds[1:]  # the city that letters go to
    if not kinds and len(found) > 1 and found[-1] == "name" and found[-2] in PEOPLE:
        return ("person_name",)  # manager_name, but not user_name
    return kinds


_WHERE_MAIL_GOES: Final[frozenset[Kind]] = frozenset({"street_address", "city", "state", "postal_code", "country"})
_PARTS: Final = frozenset(
    {word for entries in BY_NAME.values() for entry in entries for word in entry if len(word) >= 3}
    | {word for word in PEOPLE if len(word) >= 4}
    | {word for word in METADATA if len(word) >= 4}
) | frozenset(
    """
    primary secondary mailing principal contact business home work office billing shipping delivery emergency main
    project job facility site public private legal first last middle full given maiden name names code date start end
    birth personal current previous parent mother father physical residential permanent location venue event meeting
    school store branch account owner holder sender receiver origin destination alternate other registered number
    details video image program programme course session provider member patient employer map agenda registration
    company vendor supplier agent
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Words that names written together are made of."""
_NOT_STREETS: Final = frozenset(
    {"ip", "mac", "email", "mail", "web", "url", "memory", "wallet", "contract", "bus", "host"}
)
_OTHER_ADDRESSES: Final[dict[str, Kind]] = {
    "ip": "network_address",
    "mac": "network_address",
    "email": "email",
    "mail": "email",
    "web": "url",
    "url": "url",
}
_NUMBERED: Final = frozenset({"phone", "card_number", "bank_account", "id_number", "street_address"})
_OWN_ENDS: Final[dict[str, frozenset[str]]] = {
    "number": _NUMBERED,
    "no": _NUMBERED,
    "nr": _NUMBERED,
    "key": frozenset({"credential"}),
    "last4": frozenset({"card_number"}),
    "code": frozenset({"postal_code", "country", "currency", "state"}),
    "hash": frozenset({"credential"}),
    "class": frozenset(),
    "state": frozenset({"state"}),
    "status": frozenset({"demographic"}),
    "line": frozenset({"street_address"}),
    "on": frozenset({"birth_date"}),
    "quality": frozenset(),
}


def _only_about(found: tuple[str, ...], kind: Kind) -> bool:
    last = found[-1]
    if last in names.KEY_WORDS or last in METADATA:
        return kind not in _OWN_ENDS.get(last, frozenset()) and not _whole(found, kind)
    return last in MOMENTS and kind not in {"birth_date", "amount", "pay"} and not _whole(found, kind)


def _whole(found: tuple[str, ...], kind: Kind) -> bool:
    """Whether the last word itself belongs to what the vocabulary knows (``tax id``, ``house number``)."""
    entries = BY_NAME[kind]
    return any(found[-size:] in entries for size in range(1, min(len(found), 4) + 1))


def half_of_a_name(table: Table, name: str) -> bool:
    """Tell whether a column is a part of a name beside another part (``first`` beside ``last``)."""
    if plain(names.words(name)) not in NAME_HALVES:
        return False
    others = {plain(names.words(column.name)) for column in table.columns if column.name != name}
    return not NAME_HALVES.isdisjoint(others) or ("name",) in others


def kind_about_a_person(name: str) -> Kind | None:
    """Give what a short name (``name``, ``age``) says in a table about people."""
    found = plain(names.words(name))
    for kind, entries in PERSON_TABLE_ONLY.items():
        if found in entries:
            return kind
    return None
