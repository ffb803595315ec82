"""What values show, whatever the column is called.

Rules: the share that counts is low for patterns that nothing else looks like (e-mail, IBAN, secrets), because a few
personal values are enough, and high for those that many numbers fit (telephone, card). Codes, years and keys are not
card numbers. Reasons are our own words with the counts of the profile.
"""

from collections.abc import Callable
from typing import Final

from twokey.agents.catalog import names
from twokey.agents.catalog.facts import Column, Profile
from twokey.agents.catalog.judgement import MOST, Judgement, Level, share_of
from twokey.agents.catalog.named import kind_of
from twokey.agents.catalog.vocabulary import BY_NAME, MOMENTS, Kind, holds, plain

SPARSE_SHARE: Final = 0.002
"""Share of values from which e-mail addresses in a column of other text make it personal ..."""
SPARSE_COUNT: Final = 3
"""... or this many values, whichever comes first."""


def by_values(column: Column) -> Judgement | None:
    """Judge a column by its values; None where they show nothing."""
    profile = column.profile
    if profile is None or profile.checked == 0:
        return None
    return next((found for test in _VALUE_TESTS if (found := test(column, profile)) is not None), None)


_SUMS: Final = frozenset(
    """
    commit sha sha1 sha256 sha512 md5 checksum digest hash revision fingerprint etag crc signature
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Words for long values that let nobody in."""


def _secrets(column: Column, profile: Profile) -> Judgement | None:
    count = profile.patterns.get("secret", 0)
    words = plain(names.words(column.name))
    if not _SUMS.isdisjoint(words) and kind_of(column.name) != "credential" and _of_one_length(profile):
        return None
    telling = count and (count * 2 >= profile.checked or not _looks_like_hashes(profile))
    if not telling:
        return None
    return Judgement(
        "pii",
        "credential",
        90 if count * 2 >= profile.checked else 70,
        (f"{_count(count)} like a password, key or token",),
        doubt=True,
    )


def _looks_like_hashes(profile: Profile) -> bool:
    """Long values of one length are ids or checksums more often than secrets."""
    return profile.share("uuid") >= MOST or _of_one_length(profile)


def _of_one_length(profile: Profile) -> bool:
    return profile.average_length >= 20 and profile.average_length == profile.longest


def _emails(_: Column, profile: Profile) -> Judgement | None:
    whole, inside = profile.patterns.get("email", 0), profile.patterns.get("embedded_email", 0)
    count = max(whole, inside)
    if count == 0 or (count < SPARSE_COUNT and count / profile.checked < SPARSE_SHARE):
        return None
    share = count / profile.checked
    where = "are e-mail addresses" if whole * 2 >= count else "hold e-mail addresses"
    sure = 97 if share >= MOST else 90
    return Judgement("pii", "email", sure, (f"{count:,} of {profile.checked:,} values {where}",), doubt=share < MOST)


def _ibans(_: Column, profile: Profile) -> Judgement | None:
    count = profile.patterns.get("iban", 0)
    if count < SPARSE_COUNT and profile.share("iban") < MOST:
        return None
    return Judgement("financial", "bank_account", 95, (f"{share_of(profile, 'iban')} are valid IBANs",))


def _cards(column: Column, profile: Profile) -> Judgement | None:
    share, words = profile.share("card"), plain(names.words(column.name))
    named = holds(words, BY_NAME["card_number"])
    keyed = bool(words) and (words[-1] in names.KEY_WORDS - {"number", "no", "nr"} or words[-1] in MOMENTS)
    # one in ten numbers passes the check digit by chance, so most must
    if share < (MOST if named else 0.9) or (keyed and not named):
        return None
    return Judgement(
        "financial", "card_number", 96 if named else 80, (f"{share_of(profile, 'card')} pass as card numbers",)
    )


def _phones(column: Column, profile: Profile) -> Judgement | None:
    named = kind_of(column.name) == "phone"
    share = profile.share("phone")
    shaped = sum(count for shape, count in profile.shapes if _dialled(shape))
    if not named and (
        share < 0.2 or shaped < SPARSE_COUNT or profile.share("date", "datetime", "local_date", "number", "ip") > 0.2
    ):
        return None
    if named and share < MOST:
        return None
    return Judgement(
        "pii",
        "phone",
        96 if named else 80,
        (f"{share_of(profile, 'phone')} look like telephone numbers",),
        doubt=not named,
    )


def _dialled(shape: str) -> bool:
    """Whether a masked form is one that telephone numbers have and plain numbers have not."""
    return shape.startswith(("+9", "(9")) and shape.count("9") >= 7


def _addresses_of_machines(column: Column, profile: Profile) -> Judgement | None:
    if profile.share("ip") < 0.8 or "version" in names.words(column.name):
        return None
    return Judgement("pii", "network_address", 90, (f"{share_of(profile, 'ip')} are IP addresses",))


def _pages(_: Column, profile: Profile) -> Judgement | None:
    if profile.share("url") < 0.8:
        return None
    return Judgement("operational", "url", 90, (f"{share_of(profile, 'url')} are addresses of pages",))


_VALUE_TESTS: Final[tuple[Callable[[Column, Profile], Judgement | None], ...]] = (
    _emails,
    _secrets,
    _ibans,
    _cards,
    _addresses_of_machines,
    _phones,
    _pages,
)


def _count(count: int) -> str:
    return "1 value looks" if count == 1 else f"{count:,} values look"


def by_recognisers(column: Column) -> Judgement | None:
    """Judge a column by what its values are recognised as, where its name says nothing; None where that is nothing."""
    profile = column.profile
    if profile is None or profile.looked == 0:
        return None
    for kind, signals, needed, level, words in _RECOGNISED:
        share = profile.signal(*signals)
        if share >= needed and _enough(kind, profile):
            alone = next((profile.signals[name] for name in signals if profile.signal(name) >= share), None)
            count = "most values" if alone is None else f"{alone:,} of {profile.looked:,} values"
            return Judgement(level, kind, 80 if share >= 0.9 else 70, (f"{count} {words}",), doubt=level == "pii")
    return None


def _enough(kind: Kind, profile: Profile) -> bool:
    """Keep words of other meaning out: a few values, or letters alone, say too little."""
    if kind == "person_name":
        return profile.distinct >= 5 and profile.signal("organisation", "company") < 0.2
    if kind == "gender":
        return profile.distinct <= 8 and profile.longest > 1
    if kind in {"state", "country"}:
        return profile.longest > 3 and profile.distinct >= 3
    return profile.distinct >= 3


_RECOGNISED: Final[tuple[tuple[Kind, tuple[str, ...], float, Level, str], ...]] = (
    ("id_number", ("ssn",), 0.8, "pii", "have the form of a social security number"),
    ("id_number", ("person_number",), 0.95, "pii", "pass the check digits of an official number"),
    ("coordinate", ("coordinate_pair",), 0.6, "operational", "are pairs of coordinates"),
    ("place", ("full_address", "geometry"), 0.6, "operational", "are whole addresses or places on a map"),
    ("street_address", ("street",), 0.7, "pii", "are a street with a number"),
    ("person_name", ("full_name",), 0.5, "pii", "are written as full names, of known given names or surnames"),
    ("person_name", ("given_name",), 0.7, "pii", "are known given names"),
    ("gender", ("gender",), 0.95, "pii", "are words for gender"),
    ("country", ("country",), 0.9, "operational", "are countries"),
    ("state", ("state",), 0.9, "operational", "are states or provinces"),
    ("organisation", ("company", "organisation"), 0.6, "operational", "are written as names of organisations are"),
)
"""What recognisers show alone: kind, signals, share that is needed, level, words. The first that holds wins."""
