"""Recognises one value by one pattern. Pure functions of a text; see ``patterns`` for the rules they keep together.

Rules: time is linear in the length of the text, since no expression can be made to backtrack; a detector says *shape*
and never meaning.
"""

import re
from datetime import date, datetime
from ipaddress import AddressValueError, IPv6Address
from typing import Final


def words(text: str) -> frozenset[str]:
    """Give the words of a text as a set."""
    return frozenset(text.split())


COUNTRIES: Final = words(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """
)
CURRENCIES: Final = words(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
    """
)
_BOOLEANS: Final = frozenset({"true", "false", "yes", "no", "y", "n", "t", "f", "on", "off", "0", "1"})

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,320}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,320}(?:\.[0-9]{0,320})?|\.[0-9]{1,320})(?:[eE][+-]?[0-9]{1,4})?")
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
_IPV4: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TIME: Final = re.compile(
    r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:[.,][0-9]{1,9})?)? ?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
LOCAL_DATE: Final = re.compile(r"([0-9]{1,4})([/.-])([0-9]{1,2})\2([0-9]{1,4})(?:[ T].{1,20})?")
_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ().\-/\u2011]{5,24}[0-9](?: ?(?:x|ext\.?) ?[0-9]{1,6})?")
URL: Final = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]{1,15}://|www\.)[^\s/?#]{1,255}(?:[/?#]\S{0,4000})?")
_POSTAL: Final = re.compile(
    r"[0-9]{5}(?:-[0-9]{3,4})?|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
    r"|[0-9]{4} ?[A-Z]{2}|[0-9]{3}-[0-9]{4}|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{6}"
)
_HOST_AFTER_AT: Final = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_LOCAL_PART: Final = re.compile(r"""[^\s@<>"',;:()\[\]\\]{1,64}""")
SECRET_START: Final = re.compile(
    r"gh[pousr]_[0-9A-Za-z]{20}|github_pat_|sk[-_](?:live|test|proj|ant)|sk-[0-9A-Za-z]{16}|xox[abeprs]-|AKIA[0-9A-Z]{12}"
    r"|AIza[0-9A-Za-z_-]{20}|glpat-|eyJ[0-9A-Za-z_-]{10,}\.|-----BEGIN |\$2[aby]\$|\$argon2|[0-9a-z]{1,20}://[^\s/:@]{1,64}:[^\s/@]{1,64}@"
)
_LONG_HEXADECIMAL: Final = re.compile(r"[0-9a-fA-F]{32,200}")
_SORTS: Final = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_TOKEN: Final = re.compile(r"[0-9A-Za-z_+/=.-]{20,200}")
_SEPARATORS: Final = str.maketrans("", "", " -")


def is_email(text: str) -> bool:
    """One address and nothing else. Quoted local parts and address literals are not recognised."""
    local, at, host = text.partition("@")
    if not at or len(host) > 255 or not _LOCAL_PART.fullmatch(local):
        return False
    labels = host.split(".")
    last = labels[-1]
    return (
        len(labels) >= 2
        and len(last) >= 2
        and (last.isalpha() or last.startswith("xn--"))
        and all(_is_label(label) for label in labels)
    )


def _is_label(label: str) -> bool:
    return 0 < len(label) <= 63 and label[0] != "-" != label[-1] and label.replace("-", "").replace("_", "").isalnum()


def contains_email(text: str) -> bool:
    """Whether an address stands somewhere in the first 4,096 characters."""
    text = text[:4096]
    at = text.find("@")
    while at >= 0:
        if at > 0 and (text[at - 1].isalnum() or text[at - 1] in "._+-") and _HOST_AFTER_AT.match(text, at + 1):
            return True
        at = text.find("@", at + 1)
    return False


def is_phone(text: str) -> bool:
    """A number written as people write telephone numbers: with ``+``, brackets or separators; 7 to 15 digits."""
    if (text.count(".") == 3 and is_ipv4(text)) or not _PHONE.fullmatch(text) or is_postal(text):
        return False
    number = text.split("x", 1)[0].split("e", 1)[0]
    digits = sum(map(str.isdigit, number))
    if not 7 <= digits <= 15 or number.count("(") != number.count(")"):
        return False
    if text[0] == "+" or "(" in number:
        return True
    groups = [group for group in re.split(r"[ .\-/\u2011]", number) if group]
    plain_decimal = len(groups) == 2 and "." in number
    dated = LOCAL_DATE.fullmatch(text) is not None
    return len(groups) >= 2 and not plain_decimal and not dated and len(groups[-1]) in {2, 3, 4}


def is_ipv4(text: str) -> bool:
    """Four decimal octets."""
    return _IPV4.fullmatch(text) is not None


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address without a prefix length."""
    if text.count(":") < 2:
        return is_ipv4(text)
    if len(text) > 45:
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def is_date(text: str) -> bool:
    """A calendar date, ``YYYY-MM-DD``, that exists."""
    if len(text) != 10 or not text[4] == text[7] == "-":
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_datetime(text: str) -> bool:
    """A date and a time of day, ``YYYY-MM-DD`` then ``T`` or a blank; seconds, fraction and zone may follow."""
    return len(text) > 10 and is_date(text[:10]) and _TIME.fullmatch(text, 10) is not None


def is_local_date(text: str) -> bool:
    """Day, month and year with ``/``, ``.`` or ``-`` in the order of some country, alone or before a time."""
    if is_date(text[:10]):
        return False
    found = LOCAL_DATE.fullmatch(text)
    if found is None:
        return False
    first, _, second, third = found.groups()
    if len(first) == 4:
        year, candidates = int(first), ((int(second), int(third)),)
    elif len(third) in {2, 4}:
        year, candidates = int(third), ((int(second), int(first)), (int(first), int(second)))
    else:
        return False
    return any(_exists(year or 2000, month, day) for month, day in candidates)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)  # noqa: DTZ001 - asks only whether the calendar knows the day
    except ValueError:
        return False
    return True


def is_integer(text: str) -> bool:
    """Decimal digits with an optional sign."""
    return _INTEGER.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """A decimal number, optionally with an exponent; no thousands separators, no ``nan``."""
    return _NUMBER.fullmatch(text) is not None


def is_url(text: str) -> bool:
    """``scheme://host...`` or ``www.host...`` without blanks."""
    return URL.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """32 hexadecimal digits in groups of 8-4-4-4-12."""
    return _UUID.fullmatch(text) is not None


def is_boolean(text: str) -> bool:
    """One of the usual words for yes and no, in any case."""
    return text.lower() in _BOOLEANS


def is_postal(text: str) -> bool:
    """The form of a postal code of the larger countries. Five digits fit too: weigh it together with the name."""
    return _POSTAL.fullmatch(text) is not None


def is_card(text: str) -> bool:
    """13 to 19 digits, first digit 2 to 6, that end in a valid Luhn digit. One random number in ten passes."""
    digits = text.translate(_SEPARATORS)
    if not (13 <= len(digits) <= 19 and digits.isascii() and digits.isdigit() and digits[0] in "23456"):
        return False
    if len(set(digits)) == 1:
        return False
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Two letters, two check digits and up to 30 characters whose remainder modulo 97 is 1."""
    value = text.replace(" ", "")
    if not (15 <= len(value) <= 34 and value.isascii() and value.isalnum()):
        return False
    if value[:2] not in COUNTRIES or not value[2:4].isdigit() or not value.isupper():
        return False
    moved = value[4:] + value[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def is_secret(text: str) -> bool:
    """The form of a credential: a known prefix, or one long word of mixed letters and digits that is no UUID."""
    if SECRET_START.match(text):
        return True
    if _LONG_HEXADECIMAL.fullmatch(text):
        return not text.isdigit()
    if not _TOKEN.fullmatch(text) or is_uuid(text) or is_datetime(text):
        return False
    return all(sort.search(text) for sort in _SORTS) and len(set(text)) >= 12
