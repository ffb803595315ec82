"""Recognises numbers that somebody gives out: identity and trade numbers with check digits, and telephone numbers.

Rules
- A check digit is a coin with ten sides: of most schemes one random number in ten passes. So a scheme counts only where
  nearly all values of a column pass the same one (``chance``); that is for the caller to count.
- Nothing is looked up outside: the rules are those of python-stdnum, the plans of telephone numbers those of
  phonenumbers (Google's metadata); vehicle numbers follow ISO 3779 with the check digit of 49 CFR 565.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Final, cast

from twokey.tools.read.warehouse.signal_names import SignalName

_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{6,24}")
_PERSONS: Final = (
    "br.cpf",
    "es.dni",
    "es.nie",
    "it.codicefiscale",
    "fr.nir",
    "de.idnr",
    "nl.bsn",
    "pl.pesel",
    "pt.cc",
    "in_.aadhaar",
    "gb.nhs",
    "mx.curp",
    "ca.sin",
    "dk.cpr",
    "se.personnummer",
    "fi.hetu",
    "be.nn",
    "ro.cnp",
    "za.idnr",
    "cl.rut",
)  # fmt: skip - one list
_TRADE: Final = (
    "br.cnpj",
    "es.cif",
    "fr.siret",
    "fr.siren",
    "eu.vat",
    "it.iva",
    "de.vat",
    "ean",
    "gb.vat",
    "imo",
    "cusip",
)  # fmt: skip - one list
_OWN: Final[Mapping[str, SignalName]] = {"isin": "isin", "lei": "lei", "isbn": "isbn", "imei": "imei", "vin": "vin"}
SCHEMES: Final = (*_OWN, *_PERSONS, *_TRADE)
"""Every scheme that ``numbers`` can give."""
_TELLING: Final = frozenset({"isin", "lei", "isbn", "imei", "vin", "it.codicefiscale", "fr.nir", "mx.curp", "es.nie"})
"""Schemes of which a random code of the right length passes next to never, or seldom enough."""


def numbers(text: str, schemes: Sequence[str] = SCHEMES) -> tuple[str, ...]:
    """Name those of ``schemes`` that ``text`` is a valid number of."""
    value = text.strip()
    if not 8 <= len(value) <= 25 or not _CODE.fullmatch(value.upper()) or not any(map(str.isdigit, value)):
        return ()
    return tuple([scheme for scheme in schemes if _is_valid(scheme, value)])


def kind_of_number(scheme: str) -> SignalName:
    """Give the signal that a scheme counts for."""
    return _OWN.get(scheme) or ("person_number" if scheme in _PERSONS else "trade_number")


def chance(scheme: str) -> bool:
    """Whether numbers pass a scheme by chance often enough that nearly all of a column must."""
    return scheme not in _TELLING


def _is_valid(scheme: str, value: str) -> bool:
    return _is_vin(value) if scheme == "vin" else _valid(scheme)(value)


@lru_cache(maxsize=64)
def _valid(scheme: str) -> Callable[[str], bool]:
    return cast("Callable[[str], bool]", import_module(f"stdnum.{scheme}").is_valid)


_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _is_vin(text: str) -> bool:
    value = text.upper()
    if len(value) != 17 or not all(char in _VIN_VALUES or char in "0123456789" for char in value):
        return False
    total = sum(
        (_VIN_VALUES[char] if char in _VIN_VALUES else int(char)) * weight
        for char, weight in zip(value, _VIN_WEIGHTS, strict=True)
    )
    return value[8] == "0123456789X"[total % 11]


_REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "PT", "CO", "MX", "AU")


def is_phone_number(text: str) -> bool:
    """Whether the text is a telephone number of the country that its ``+`` names, or of one of the larger countries."""
    import phonenumbers  # noqa: PLC0415 - 0.1 s that only columns of such numbers pay

    for region in (None,) if text.lstrip().startswith("+") else _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(text[:40], region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
