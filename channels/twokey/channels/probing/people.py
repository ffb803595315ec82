"""Probes of what concerns people: separation of duties and quorum, and break-glass."""

from collections.abc import Generator
from contextlib import suppress
from typing import Final

from twokey.channels.probing.pilot import together
from twokey.channels.probing.world import ASKER, BYSTANDER, SIGNERS, STRANGER, World, seats
from twokey.core.errors import TwokeyError
from twokey.policies.controls import Allowed, Attack, Evidence
from twokey.store.glass import GlassRecord
from twokey.store.proposals import ProposalRecord

GRAVE: Final = (".github/workflows/ci.yml", "CODEOWNERS", "policies/extra.rego", ".gitattributes")
"""Files whose change somebody might want two people for, the gravest first."""
HOUR_S: Final = 3600
_NEXT_QUORUM: Final = "Let a risk in the bundle's data ask for a quorum of 2, and a label of grave changes name it."
_NEXT_PEOPLE: Final = "Compare the rules of the bundle about approvals with those that come with Twokey."
_NEXT_OWNERS: Final = "Let controls.owners in twokey.toml name groups of few people."


def separate_people(world: World) -> Generator[Evidence]:
    """Try to approve one's own, as a stranger, alone where two are asked, and after leaving the group."""
    own = world.propose()
    yield world.trial("the requester's own approval, although in every group", lambda: _by(world, own, ASKER))
    outsiders = world.propose()
    yield together(
        "approvals of people in no group that is asked",
        [
            world.trial("", lambda name=name: _by(world, outsiders, name), next=_NEXT_PEOPLE)
            for name in (STRANGER, BYSTANDER)
        ],
    )
    grave = _grave(world)
    if seats(grave) < 2:
        with world.watched() as seen:
            world.pushed(grave, by=SIGNERS[:1])
        yield Attack(
            "one person alone, for a change of CI, owners, policy or git settings",
            1,
            seen.writes or 1,
            next=_NEXT_QUORUM,
        )
        return
    first = SIGNERS[: seats(grave) - 1]
    yield world.trial(
        "one person too few, who approve twice", lambda: _by(world, grave, *first, *first), next=_NEXT_QUORUM
    )
    left = world.approved(_grave(world))
    with world.without(SIGNERS[0]):
        yield world.trial(
            "a write one of whose approvers has left the group",
            lambda: world.parts.gate.execute(left.id),
            leaves_record=False,
        )
    with world.watched() as seen:
        world.pushed(_grave(world))
    yield Allowed("the same change, approved by as many people as it asks for", 1, seen.writes, _NEXT_PEOPLE)


def _by(world: World, record: ProposalRecord, *names: str) -> None:
    """Let these people approve, whatever the gate says, and have it carried out."""
    for name in names:
        with suppress(TwokeyError):
            world.answer(world.signed(world.find(record), name))
    world.parts.gate.execute(record.id)


def _grave(world: World) -> ProposalRecord:
    """Propose a change for which two people are asked; where none is, one that is grave nevertheless."""
    record = world.propose(files={GRAVE[0]: "on: push\n"})
    for path in GRAVE[1:]:
        if seats(record) >= 2:
            break
        record = world.propose(files={path: "# all of it\n"})
    return record


# -- break-glass ----------------------------------------------------------------------------------------------


def break_glass(world: World) -> Generator[Evidence]:
    """Try emergencies without ticket or reason, too long, by the wrong people, and after their end."""
    record = _grave(world)
    longest = world.config.controls.break_glass_minutes
    wrong = {
        "emergencies without a ticket": _opening(world, record, ticket=" "),
        "emergencies without a reason": _opening(world, record, reason=""),
        "emergencies longer than allowed": _opening(world, record, minutes=longest + 1),
        "emergencies declared by people who do not own the controls": _opening(world, record, name=BYSTANDER),
        "emergencies declared by a stranger": _opening(world, record, name=STRANGER),
        "emergencies declared by the requester": _opening(world, record, name=ASKER),
    }
    for what, opened in wrong.items():
        yield Attack(what, 1, opened, next=_NEXT_OWNERS)
    usual = seats(record)
    glass = _open(world, record)
    yield Allowed(
        "an emergency with ticket and reason, by somebody who owns the controls",
        1,
        int(glass is not None),
        _NEXT_OWNERS,
    )
    if glass is None:
        return
    fewer = seats(world.find(record))
    with world.watched() as seen:
        world.pushed(world.find(record), by=SIGNERS[1 : 1 + fewer])
    yield Allowed("a write under it, approved by as many people as it asks for", 1, seen.writes)
    yield from _reviewed(world, glass, usual, fewer)
    if fewer < usual:
        over = _grave(world)
        _open(world, over)
        short = world.approved(world.find(over), by=SIGNERS[1 : 1 + fewer])
        world.clock.advance(longest * 60 + 1)
        yield world.trial(
            "a write after the emergency under which it was approved",
            lambda: world.parts.gate.execute(short.id),
            leaves_record=False,
        )


def _reviewed(world: World, glass: GlassRecord, usual: int, fewer: int) -> Generator[Evidence]:
    """Look whether a review is owed, and who may give it."""
    orders = world.parts.gate.orders

    def review(name: str) -> int:
        with suppress(TwokeyError):
            given = world.order(name, "review_break_glass", subject=glass.id)
            orders.review(given, channel="cli", words="A probe.")
        return int(orders.find_glass(glass.id).reviewed_by is not None)

    owed = orders.find_glass(glass.id)
    due = owed.reviewed_by is None and (orders.used(owed) or fewer >= usual)
    yield Allowed("its review is owed afterwards", 1, int(due))
    yield Attack("reviews by who declared it, and by who asked for the write", 2, review(SIGNERS[0]) + review(ASKER))
    yield Allowed("a review by somebody else", 1, review(SIGNERS[2]))


def _open(
    world: World,
    record: ProposalRecord,
    *,
    name: str = SIGNERS[0],
    ticket: str = "INC-1",
    reason: str = "A probe.",
    minutes: int = 1,
) -> GlassRecord | None:
    """Declare an emergency; gives nothing where it was refused."""
    until = world.clock.now_us() + minutes * 60_000_000
    try:
        given = world.order(name, "break_glass", subject=record.id, until_us=until)
        return world.parts.gate.orders.break_glass(given, record, channel="cli", ticket=ticket, reason=reason)
    except TwokeyError:
        return None


def _opening(world: World, record: ProposalRecord, **wrong: str | int) -> int:
    """Try to declare an emergency; gives how many the log holds that it did not hold before."""
    before = world.count("break_glass.opened")
    _open(world, record, **wrong)  # pyright: ignore[reportArgumentType]
    return world.count("break_glass.opened") - before
