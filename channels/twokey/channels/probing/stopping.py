"""Probes of what stops writes: the kill switch, and change freezes."""

from collections.abc import Generator
from contextlib import suppress
from typing import Final

from twokey.channels.probing.content import calendar
from twokey.channels.probing.pilot import together
from twokey.channels.probing.world import BYSTANDER, STRANGER, World
from twokey.core.errors import TwokeyError
from twokey.policies.controls import Allowed, Evidence
from twokey.store import switches
from twokey.store.proposals import ProposalRecord

_NEXT_OWNERS: Final = "Let controls.owners in twokey.toml name groups of few people."


def freezes(world: World) -> Generator[Evidence]:
    """Try to approve and to write behind the kill switch, to lift it, and to write in a change freeze."""
    ready, waiting = world.approved(world.propose()), world.propose()
    world.turn(on=True)
    yield world.trial(
        "an approved write behind the kill switch", lambda: world.parts.gate.execute(ready.id), leaves_record=False
    )
    yield world.trial("approvals behind the kill switch", lambda: world.pushed(waiting))
    lifted = [
        world.trial("", lambda name=name: _lift(world, name, ready), next=_NEXT_OWNERS)
        for name in (STRANGER, BYSTANDER)
    ]
    yield together("a freeze lifted by people who do not own the controls", lifted)
    yield world.trial("a freeze lifted by editing the database", lambda: _edit(world, ready), leaves_record=False)
    with suppress(TwokeyError):
        world.turn(on=True)
    world.turn(on=False)
    with world.watched() as seen:
        world.parts.gate.execute(ready.id)
    yield Allowed("the same approved write when the switch is off", 1, seen.writes)
    yield from calendar(world)


def _lift(world: World, name: str, ready: ProposalRecord) -> None:
    try:
        world.turn(on=False, name=name)
    finally:
        world.parts.gate.execute(ready.id)


def _edit(world: World, ready: ProposalRecord) -> None:
    """Say off in the switch's row, as somebody with the database's password could."""
    with world.parts.workspace.ledger.change() as unit:
        row = switches.get_freeze(unit.connection, hold="alone")
        off = switches.FreezeRecord(False, row.entry, row.principal, row.reason, row.changed_us)
        switches.set_freeze(unit.connection, off)
    world.parts.gate.execute(ready.id)


def kill_switch(world: World) -> Generator[Evidence]:
    """Turn the kill switch between the intent of a write and the write itself."""
    ready = world.approved(world.propose())
    log = world.parts.workspace.ledger.log
    turned = 0

    def begun() -> bool:
        nonlocal turned
        if log.entries(ready.id, kind="write.intended"):
            turned = 1
            world.turn(on=True)
        return turned > 0

    def carry_out() -> None:
        with world.clock.watched(begun):
            world.parts.gate.execute(ready.id)

    attack = world.trial("a write that had begun when the kill switch was turned", carry_out, leaves_record=False)
    yield Allowed("the switch was turned after the intent was in the log", 1, turned)
    yield attack
    with suppress(TwokeyError):
        world.turn(on=False)
    yield Allowed("a write when the switch is off again", 1, world.written())
