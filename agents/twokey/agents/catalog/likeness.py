"""Does the name of a column speak of another table? A number for it, and the reason.

Rules: names only, no values; 0 means that nothing speaks for it, 100 that a person would not doubt it. A plain ``id``
never speaks of another table. Roles (``account_manager``, ``reports_to``, ``created_by``) speak of tables of people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twokey.agents.catalog import names
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.vocabulary import PEOPLE, STAFF

_ROLES: Final = frozenset(
    """
    manager supervisor boss lead leader head owner rep representative agent assignee assigned reviewer author
    creator editor handler approver chief coach captain principal advisor adviser consultant clerk operator
    requester responsible contact chair winner loser opponent director host organizer sponsor mentor teacher
    instructor driver technician executive seller salesperson sender receiver recipient buyer payer payee borrower
    lender applicant inviter invitee follower uploader submitter holder beneficiary organiser moderator
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_ABOVE: Final = frozenset({"manager", "supervisor", "boss", "chief", "reports", "superior", "head", "lead"})
_SELF: Final = frozenset(
    """
    parent ancestor root previous predecessor successor next original duplicate superseded replaced reply
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_OWN: Final = frozenset({"self", "this"})


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a name speaks for a reference, in percent, and why (our own words)."""

    score: int
    reason: str


PART: Final = "named after the last part of the table's name"
ROLE: Final = "named after what a person does"
_NONE: Final = Likeness(0, "")


def likeness(child: Table, column: str, parent: Table, key: str, *, sole_key: bool) -> Likeness:
    """Say how much ``column`` of ``child`` reads like a reference to ``key`` of ``parent``.

    ``sole_key`` tells that ``key`` alone is the primary key of ``parent``.
    """
    found, stem, own = names.expanded(column), names.stem(column), names.entity(child.name)
    about, key_stem = names.entity(parent.name), names.stem(key)
    keyed = len(stem) < len(found)
    same_table = child.key == parent.key
    if not found or not about:
        return _NONE
    if same_table:
        return _to_itself(column, found, stem, about, key)
    if _same(stem, own) and keyed and not _same(about, own):
        return _NONE  # the table's own identifier
    best = max(
        _by_table(stem, about, keyed=keyed),
        _by_column(found, stem, key, key_stem, about, sole_key=sole_key),
        _by_short_form(stem, about, keyed=keyed),
        _by_role(found, about),
        key=lambda item: item.score,
    )
    return best if best.score else _NONE


def traits(table: Table, key: str) -> frozenset[tuple[str, str]]:
    """Give what the name of a column must touch (``probes``) for ``likeness`` to be more than 0.

    Comparing every column with every key costs the product of both; this lets only those meet that can be alike.
    """
    about, stem = names.entity(table.name), names.stem(key)
    found = {("word", names.singular(word)) for word in (*about, *stem, *names.expanded(key))}
    found |= {("whole", "".join(words)) for words in (about, stem) if words}
    if about:
        found |= {("start", "".join(about)[:3]), ("start", about[-1][:3]), ("letter", about[0][0])}
        found.add(("initials", "".join(word[0] for word in about)))
    if not PEOPLE.isdisjoint(about):
        found.add(("people", ""))
    return frozenset(found)


def probes(column: str) -> frozenset[tuple[str, str]]:
    """Give what a column's name touches, see ``traits``."""
    found, stem = names.expanded(column), names.stem(column)
    touched = {("word", names.singular(word)) for word in found}
    if stem:
        whole, last = "".join(stem), stem[-1]
        touched |= {("whole", whole), ("start", whole[:3]), ("start", last[:3])}
        touched |= {("initials", whole), ("initials", last), ("letter", whole)}
    if (found and found[-1] == "by") or not _ROLES.isdisjoint(found) or "reports" in found:
        touched.add(("people", ""))
    return frozenset(touched)


def _to_itself(
    column: str, found: tuple[str, ...], stem: tuple[str, ...], about: tuple[str, ...], key: str
) -> Likeness:
    if column == key:
        return _NONE
    if found[0] in _SELF and (len(stem) == 1 or _same(stem[1:], about) or _same(stem[1:], about[-1:])):
        return Likeness(85, "named after another row of the same table")
    people = not PEOPLE.isdisjoint(about)
    if people and found[:2] == ("reports", "to"):
        return Likeness(85, "named after the person above")
    if people and not _ABOVE.isdisjoint(found):
        return Likeness(72, "named after the person above")
    if len(stem) > 1 and len(stem) < len(found) and stem[-len(about) :] == about:
        return Likeness(60, "named after another row of the same table")
    return _NONE


def _by_table(stem: tuple[str, ...], about: tuple[str, ...], *, keyed: bool) -> Likeness:
    """Compare the words of the column with what one row of the other table is."""
    if not stem:
        return _NONE
    if _same(stem, about):
        return Likeness(96 if keyed else 78, "named after the table")
    if _ends(stem, about):
        return Likeness(88 if keyed else 66, "ends in the name of the table")
    if _ends(about, stem):
        return Likeness(70 if keyed else 50, PART)
    if len(about) > 1 and _same(stem, about[:1]):
        return Likeness(38 if keyed else 20, "named after the first part of the table's name")
    return _NONE


def _by_column(
    found: tuple[str, ...],
    stem: tuple[str, ...],
    key: str,
    key_stem: tuple[str, ...],
    about: tuple[str, ...],
    *,
    sole_key: bool,
) -> Likeness:
    """Compare the words of the column with those of the other table's key."""
    key_found = names.expanded(key)
    if not key_stem:
        return _NONE  # a plain "id" or "code" is everybody's
    parts = (key_stem[:-1], key_stem)
    related = (
        _ends(about, key_stem) or _ends(key_stem, about) or any(_same(p, about) or _shortens(p, about) for p in parts)
    )
    if found == key_found:
        if related:
            return Likeness(97, "called like the key of the table")
        telling = sole_key and len(stem) < len(found)  # a name such as "ssn" or "state" is no reference by itself
        return Likeness((92 if len(key_stem) > 1 else 82) if telling else 50, "called like the key of the table")
    if _ends(found, key_found) and len(found) > len(key_found):
        return Likeness(84 if related else 68, "ends in the name of the key")
    if _same(stem, key_stem) and sole_key:
        return Likeness(80 if related else 60, "called like the key of the table but for the last word")
    return _NONE


def _by_short_form(stem: tuple[str, ...], about: tuple[str, ...], *, keyed: bool) -> Likeness:
    if keyed and stem and (_shortens(stem, about) or _shortens(stem[-1:], about)):
        return Likeness(72 if len(stem) == 1 else 64, "a short form of the table's name")
    if keyed and len(stem) == 1 and len(stem[0]) == 1 and stem[0] == about[0][0]:
        return Likeness(50, "the initial of the table's name")
    return _NONE


def _by_role(found: tuple[str, ...], about: tuple[str, ...]) -> Likeness:
    """Roles and deeds stand for people: those who work there before all others."""
    if PEOPLE.isdisjoint(about):
        return _NONE
    staff = not STAFF.isdisjoint(about)
    deed = len(found) > 1 and found[-1] == "by"
    if deed or not _ROLES.isdisjoint(found) or found[:2] == ("reports", "to"):
        return Likeness(66 if staff else 42, ROLE)
    return _NONE


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if len(one) != len(other):
        return len(one) > 0 and "".join(one) == "".join(other)
    return bool(one) and all(a == b or names.singular(a) == names.singular(b) for a, b in zip(one, other, strict=True))


def _ends(long: tuple[str, ...], short: tuple[str, ...]) -> bool:
    return 0 < len(short) < len(long) and _same(long[-len(short) :], short)


def _shortens(stem: Sequence[str], about: Sequence[str]) -> bool:
    """Tell whether ``stu`` may stand for student, or ``cc`` for credit card."""
    short, whole = "".join(stem), "".join(about)
    if len(about) > 1 and 2 <= len(short) == len(about):
        return all(letter == word[0] for letter, word in zip(short, about, strict=True))
    return 3 <= len(short) < len(whole) and (whole.startswith(short) or about[-1].startswith(short))
