"""Reading the names of tables and columns: where the words are, what they stand for, and one or many.

Rules: pure and total, any text is a name; a word that is not known stays as it is (nothing is guessed from
spelling alone); everything is lower case on the way out. Expansions are those that mean one thing in every
warehouse ("qty"), not those that depend on the house ("st").
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_PIECES: Final = re.compile(r"[^\W_]+", re.UNICODE)
_HUMPS: Final = re.compile(
    r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])|(?<=[0-9])(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])"
)
_PLURAL_ACRONYM: Final = re.compile(r"(?<![A-Z])([A-Z]{2,})s(?![a-z])")
_NUMBERED: Final = re.compile(r"([^\W\d_]{2,})([0-9]{1,3})", re.UNICODE)
_GLUED: Final = re.compile(r"(?P<stem>[^\W\d_]{3,}?)(?P<suffix>id|code)", re.UNICODE)
_MAX_CHARS: Final = 200

_EXPANSIONS: Final = {
    "acct": "account",
    "addr": "address",
    "amt": "amount",
    "avg": "average",
    "bal": "balance",
    "bday": "birthday",
    "bldg": "building",
    "cnt": "count",
    "ctry": "country",
    "cust": "customer",
    "curr": "currency",
    "dept": "department",
    "desc": "description",
    "descr": "description",
    "dob": "birthdate",
    "dt": "date",
    "emp": "employee",
    "empl": "employee",
    "flg": "flag",
    "fname": "firstname",
    "freq": "frequency",
    "lang": "language",
    "lat": "latitude",
    "lname": "lastname",
    "lng": "longitude",
    "mgr": "manager",
    "msg": "message",
    "nbr": "number",
    "num": "number",
    "org": "organization",
    "orig": "original",
    "pct": "percent",
    "perc": "percent",
    "prev": "previous",
    "prod": "product",
    "pwd": "password",
    "qty": "quantity",
    "ref": "reference",
    "seq": "sequence",
    "sess": "session",
    "subj": "subject",
    "svc": "service",
    "tel": "telephone",
    "tot": "total",
    "tran": "transaction",
    "txn": "transaction",
    "ts": "time",
    "usr": "user",
    "ver": "version",
    "yr": "year",
}

_IRREGULAR: Final = {
    "addresses": "address",
    "aliases": "alias",
    "analyses": "analysis",
    "analytics": "analytics",
    "bonuses": "bonus",
    "buses": "bus",
    "business": "business",
    "campuses": "campus",
    "children": "child",
    "cookies": "cookie",
    "courses": "course",
    "criteria": "criterion",
    "currencies": "currency",
    "data": "data",
    "diagnoses": "diagnosis",
    "feet": "foot",
    "goods": "goods",
    "indices": "index",
    "media": "media",
    "men": "man",
    "mice": "mouse",
    "movies": "movie",
    "news": "news",
    "people": "person",
    "persons": "person",
    "premises": "premise",
    "series": "series",
    "species": "species",
    "staff": "staff",
    "statuses": "status",
    "ties": "tie",
    "viruses": "virus",
    "women": "woman",
}
_PLURALS: Final = {singular: plural for plural, singular in _IRREGULAR.items()} | {"person": "people"}

_KEPT_ENDINGS: Final = ("ss", "us", "is", "ous", "itis")

NOISE: Final = frozenset(
    """
    dim fact fct stg tbl table int raw vw view src mart dwh tmp
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Words of table names that tell how a table is made, not what it holds."""

KEY_WORDS: Final = frozenset(
    """
    id ids key no nr number code cd uuid guid sk fk pk oid ref reference
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Words that tell that a column identifies something."""


@lru_cache(maxsize=65_536)
def words(name: str) -> tuple[str, ...]:
    """Split a name into lower-case words: ``SupportRepId`` and ``support_rep_id`` both give support, rep, id.

    Names in one case without marks are left in one piece, except for the ends ``id`` and ``code`` of a word of three
    letters or more (``artistid``), because half of the world's databases fold names.
    """
    found: list[str] = []
    for piece in _PIECES.findall(name[:_MAX_CHARS]):
        together = _PLURAL_ACRONYM.sub(lambda match: match[1].capitalize() + "s", piece)
        for hump in _HUMPS.split(together):
            found.extend(_numbers_apart(hump.lower()))
    if len(found) == 1:
        glued = _GLUED.fullmatch(found[0])
        if glued is not None and found[0] not in _WORDS_ENDING_LIKE_KEYS:
            found = [glued["stem"], glued["suffix"]]
    return tuple(found)


_WORDS_ENDING_LIKE_KEYS: Final = frozenset(
    """
    paid unpaid prepaid valid invalid grid bid aid raid said laid fluid solid rapid hybrid android covid liquid
    acid void avoid humid centroid barcode zipcode postcode decode encode unicode madrid david uuid guid rowid
    steroid thyroid ellipsoid maid mermaid plaid rigid kid lid mid squid asteroid geoid ovoid overlaid repaid
    arachnid orchid pyramid timid vivid
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def _numbers_apart(word: str) -> tuple[str, ...]:
    match = _NUMBERED.fullmatch(word)
    return (match[1], match[2]) if match else (word,)


@lru_cache(maxsize=65_536)
def expanded(name: str) -> tuple[str, ...]:
    """Split a name and write out abbreviations that mean one thing everywhere (``CustAddr``: customer, address)."""
    return tuple(_EXPANSIONS.get(word, word) for word in words(name))


@lru_cache(maxsize=65_536)
def singular(word: str) -> str:
    """Give the singular of an English noun in lower case; other words mostly stay as they are."""
    known = _IRREGULAR.get(word)
    if known is not None:
        return known
    if len(word) <= 3 or not word.endswith("s") or word.endswith(_KEPT_ENDINGS):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


def plural(word: str) -> str:
    """Give the plural of an English noun in lower case."""
    known = _PLURALS.get(word)
    if known is not None:
        return known
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def is_plural(word: str) -> bool:
    """Tell whether a word reads as many things (``seats``, ``people``; not ``status``)."""
    return singular(word) != word


@lru_cache(maxsize=65_536)
def entity(table: str) -> tuple[str, ...]:
    """Say what one row of a table is: its words without technical ones, abbreviations written out, the last singular.

    ``dim_customers`` gives customer; ``PlaylistTrack`` gives playlist, track.
    """
    all_words = expanded(table)
    kept = tuple(word for word in all_words if word not in NOISE) or all_words
    return (*kept[:-1], singular(kept[-1])) if kept else ()


@lru_cache(maxsize=65_536)
def stem(column: str) -> tuple[str, ...]:
    """Give the words of a column without those that only say "key": ``CustomerId`` gives customer, ``id`` nothing."""
    found = list(expanded(column))
    while found and found[-1] in KEY_WORDS:
        found.pop()
    if len(found) > 1 and found[0] in {"fk", "pk", "id"}:
        found.pop(0)
    return tuple(found)


_ACRONYMS: Final = """
    api auc cpu csv eur gbp gps html http iban id ip isbn json ml pdf sku sql ssn uri url usd uuid vat xml
    """
_SHOWN: Final = {word: word.upper() for word in _ACRONYMS.split()}
_SPELLED: Final = {
    "firstname": "first name",
    "lastname": "last name",
    "fullname": "full name",
    "birthdate": "date of birth",
    "zipcode": "ZIP code",
    "postalcode": "postal code",
    "timestamp": "time",
    "signup": "sign-up",
    "email": "e-mail",
}


def phrase(found: Sequence[str]) -> str:
    """Write words as a person would in the middle of a sentence: known acronyms in capitals, the rest in lower case."""
    return " ".join(_SHOWN.get(word) or _SPELLED.get(word) or word for word in found)
