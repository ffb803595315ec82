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
    PEOPLE,
    PERSON_TABLE_ONLY,
    PUBLISHED,
    Kind,
    holds,
    plain,
)

_PERSONS: Final[frozenset[Kind | None]] = frozenset({"person_name", "birth_date", "gender"})
_REACHED: Final[frozenset[Kind | None]] = frozenset({"email", "phone", "street_address"})
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
    found = names.entity(table.name)
    return bool(found) and PEOPLE.isdisjoint(found) and bool(PUBLISHED & {found[-1], found[0]})


@lru_cache(maxsize=65_536)
def kind_of(name: str) -> Kind | None:
    """Give what a name says the column holds; None where it says nothing, or only something about such a thing."""
    found = plain(names.words(name))
    kind = _first(found)
    if kind is None:
        found = plain(names.expanded(name))
        kind = _first(found)
    if kind is None or found[0] in FLAGS or _only_about(found, kind):
        return None
    if kind == "street_address" and not _NOT_STREETS.isdisjoint(found):
        return next((other for word, other in _OTHER_ADDRESSES.items() if word in found), None)
    if kind == "email" and found[-1] in {"subject", "body", "campaign", "list", "server", "queue", "job", "box"}:
        return None
    return kind


def _first(found: tuple[str, ...]) -> Kind | None:
    for kind, entries in BY_NAME.items():
        if holds(found, entries):
            return kind
    return None


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
_OWN_ENDS: Final[dict[str, frozenset[str]]] = {
    "number": frozenset({"phone", "card_number", "bank_account", "id_number", "street_address"}),
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


def kind_about_a_person(name: str) -> Kind | None:
    """Give what a short name (``name``, ``age``) says in a table about people."""
    found = plain(names.words(name))
    for kind, entries in PERSON_TABLE_ONLY.items():
        if found in entries:
            return kind
    return None
