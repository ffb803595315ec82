"""Words that say by themselves what they are: given names, surnames, states, countries, months, colours and the like.

Rules
- Nothing here was collected by us: names of people and large cities are those of Faker's providers, countries,
  subdivisions, languages and currencies those of ISO as pycountry carries them, translated where it is. Closed
  classes of a few dozen words (gender, origin, months, legal forms of companies, kinds of streets) are written out in
  ``words_known``.
- A word is kept folded: lower case, without accents (``fold``). One look-up gives everything a word can be, as bits.
- Loaded once, at the first column of text; nothing is fetched and nothing is written.
"""

import gettext
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

from twokey.tools.read.warehouse import words_known

GIVEN: Final = 1
SURNAME: Final = 2
STATE: Final = 4
COUNTRY: Final = 8
CITY: Final = 16
GENDER: Final = 32
ORIGIN: Final = 64
"""Race, ethnic group, religion or marital status."""
MONTH: Final = 128
WEEKDAY: Final = 256
COLOUR: Final = 512
LANGUAGE: Final = 1024
STATE_CODE: Final = 2048
COUNTRY_CODE: Final = 4096
CURRENCY: Final = 8192
STREET: Final = 16_384
"""A kind of street (``avenue``); beside others, never alone."""
FIRM: Final = 32_768
"""The legal form of a company (``GmbH``)."""
ORGANISATION: Final = 65_536
"""What an organisation calls itself (``school``)."""
NAME_PART: Final = 131_072
"""What stands before or after a person's name (``Jr``)."""

_PEOPLE: Final = (
    "en_US",
    "en_GB",
    "en_IE",
    "en_IN",
    "en_NG",
    "de_DE",
    "de_CH",
    "fr_FR",
    "fr_CA",
    "es_ES",
    "es_MX",
    "es_CO",
    "es_AR",
    "pt_BR",
    "pt_PT",
    "it_IT",
    "nl_NL",
    "nl_BE",
    "pl_PL",
    "cs_CZ",
    "sv_SE",
    "no_NO",
    "da_DK",
    "fi_FI",
    "hu_HU",
    "ro_RO",
    "hr_HR",
    "tr_TR",
    "vi_VN",
    "ru_RU",
    "uk_UA",
    "el_GR",
)  # fmt: skip - a list of places reads better as one
_LANGUAGES: Final = ("de", "fr", "es", "pt", "it", "nl")
_CODED: Final = ("US", "CA", "AU", "BR")
"""Countries whose states are written as their codes, as people do in an address."""


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Give ``text`` in lower case and without accents: ``São`` and ``SAO`` are both ``sao``."""
    lowered = text.casefold()
    if lowered.isascii():
        return lowered
    return "".join(char for char in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(char))


@lru_cache(maxsize=1)
def known() -> Mapping[str, int]:
    """Give every known word or phrase, folded, with the bits of all it can be."""
    found: dict[str, int] = {}

    def add(texts: Iterable[str], bit: int) -> None:
        for text in texts:
            folded = fold(text)
            found[folded] = found.get(folded, 0) | bit

    given, surnames = _names_of_people()
    add(given, GIVEN)
    add(surnames, SURNAME)
    add(_cities(), CITY)
    for bit, texts in _countries().items():
        add(texts, bit)
    for code, name in _subdivisions():
        add(_variants(name), STATE)
        if code[:2] in _CODED:
            add((code[3:],), STATE_CODE)
    add(_languages(), LANGUAGE)
    for word in words_known.DIRECTIONS:
        found.pop(word, None)
    for name, bit in _CLOSED.items():
        add(cast("frozenset[str]", getattr(words_known, name)), bit)
    return found


_CLOSED: Final = {
    "GENDERS": GENDER,
    "ORIGINS": ORIGIN,
    "MONTHS": MONTH,
    "WEEKDAYS": WEEKDAY,
    "COLOURS": COLOUR,
    "STREETS": STREET,
    "FIRMS": FIRM,
    "ORGANISATIONS": ORGANISATION,
    "NAME_PARTS": NAME_PART,
    "COUNTRY_NAMES": COUNTRY,
    "STATE_ABBREVIATIONS": STATE_CODE,
}


def _names_of_people() -> tuple[set[str], set[str]]:
    given: set[str] = set()
    surnames: set[str] = set()
    for place in _PEOPLE:
        provider = import_module(f"faker.providers.person.{place}").Provider
        for kept, attribute in ((given, "first_names"), (surnames, "last_names")):
            for ending in ("", "_male", "_female"):
                listed = getattr(provider, attribute + ending, ())
                if isinstance(listed, list | tuple | dict | set):
                    kept.update(word for word in cast("Iterable[str]", listed) if len(word) > 1)
    return given, surnames


def _cities() -> Iterator[str]:
    provider = import_module("faker.providers.geo").Provider
    for _, _, name, _, zone in cast("tuple[tuple[str, str, str, str, str], ...]", provider.land_coords):
        yield name
        yield zone.rpartition("/")[2].replace("_", " ")


def _standard(name: str) -> list[dict[str, Any]]:
    """Read one of the ISO lists that pycountry carries."""
    import pycountry  # noqa: PLC0415 - 0.1 s that the first column of text pays

    path = Path(pycountry.DATABASE_DIR) / f"iso{name}.json"
    return cast("list[dict[str, Any]]", json.loads(path.read_text(encoding="utf-8"))[name])


def _translated(domain: str, texts: Iterable[str]) -> Iterator[str]:
    import pycountry  # noqa: PLC0415 - as above

    listed = list(texts)
    for language in _LANGUAGES:
        said = gettext.translation(domain, pycountry.LOCALES_DIR, languages=[language])
        yield from map(said.gettext, listed)


def _countries() -> Mapping[int, list[str]]:
    entries = _standard("3166-1")
    names = [str(entry[key]) for entry in entries for key in ("name", "common_name", "official_name") if key in entry]
    codes = [str(entry[key]) for entry in entries for key in ("alpha_2", "alpha_3")]
    currencies = [str(entry[key]) for entry in _standard("4217") for key in ("alpha_3", "name")]
    plain = [name.partition(",")[0] for name in names]
    return {
        COUNTRY: [*names, *plain, *_translated("iso3166-1", names)],
        COUNTRY_CODE: codes,
        CURRENCY: currencies,
    }


def _subdivisions() -> Iterator[tuple[str, str]]:
    for entry in _standard("3166-2"):
        yield str(entry["code"]), str(entry["name"])


def _variants(name: str) -> Iterator[str]:
    """Give a subdivision as it is written: without what stands in brackets, and each half of ``A / B``."""
    bare = name.partition(" [")[0].partition(" (")[0]
    yield bare
    for part in bare.split("/"):
        yield part.strip()


def _languages() -> list[str]:
    names = [str(entry["name"]) for entry in _standard("639-3") if "alpha_2" in entry]
    plain = [name.partition(" (")[0].partition(";")[0] for name in names]
    return [*plain, *_translated("iso639-3", names)]
