"""Probe of the way back: what every write tool wrote is taken back through the gate, and the target compared.

To have a write tool of your own probed, give its name a way to write something in ``REHEARSALS``.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from twokey.channels.probing import tickets
from twokey.channels.probing.world import ASKER, OPEN, World
from twokey.core.errors import TwokeyError
from twokey.policies.controls import Allowed, Attack, Evidence, Gap
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import WriteTool
from twokey.tools.tickets import struck
from twokey.tools.write.ticket_writing import STRUCK_NOTE

CLOSE: Final = "close_pull_request"
UPDATE: Final = "update_ticket"
RESTORE: Final = "restore_ticket"
_NEXT_TOOL: Final = "Let the tool's `reverse` and `apply` restore the target, or take the tool off the allow-list."
_NEXT_CHANGE: Final = (
    "Let `forbidden_changes` and `allowed_values` leave something, or take the tool off the allow-list."
)
_NEXT_REHEARSAL: Final = "Take the tool off the allow-list, or add a way to try it to the probes."


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands at the targets: branches, and all of the ticket."""

    heads: tuple[str, ...]
    text: str
    """Digest of the ticket's title and text."""
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    state: str
    comments: Mapping[str, str]

    def restored_by(self, after: "Standing") -> bool:
        """Tell whether ``after`` is this again, word for word.

        No comment goes away: one that was made since is struck, and one that was struck since is made anew.
        """
        newly = {name: struck(body, STRUCK_NOTE) for name, body in self.comments.items() if not _struck(body)}
        again = [self.comments[name] for name, body in newly.items() if after.comments.get(name) == body]
        for name, body in after.comments.items():
            before = self.comments.get(name)
            if before is None and not _struck(body):
                if body not in again:
                    return False
                again.remove(body)
            if before is not None and body not in {before, newly.get(name, before)}:
                return False
        there = self.comments.keys() <= after.comments.keys() and not again
        return there and replace(self, comments=after.comments) == after


Rehearsal = Callable[[World], ProposalRecord | None]
"""Writes something with the tool, through the gate; gives the proposal, or nothing where that did not work."""


def _opened(world: World) -> ProposalRecord | None:
    return _done(world, world.propose())


def _closed(world: World) -> ProposalRecord | None:
    opened = _opened(world)
    return None if opened is None else _reverted(world, opened)


def _sorted(world: World) -> ProposalRecord | None:
    desk = world.desk()
    try:
        made = desk.propose(tickets.draft(world, desk), agent="triage", step=2)
    except TwokeyError:
        return None
    return _done(world, made)


def _restored(world: World) -> ProposalRecord | None:
    changed = _sorted(world)
    return None if changed is None else _reverted(world, changed)


REHEARSALS: Final[Mapping[str, Rehearsal]] = {
    OPEN: _opened,
    CLOSE: _closed,
    UPDATE: _sorted,
    RESTORE: _restored,
}
_BEGINS: Final[Mapping[str, Rehearsal]] = {CLOSE: _opened, RESTORE: _sorted}
"""Tools that only take back what another wrote, and that other one."""


def rollback(world: World, rehearsals: Mapping[str, Rehearsal] = REHEARSALS) -> Generator[Evidence]:
    """Write with every write tool, take it back, and compare what stands at the target with what stood there."""
    tools = [tool for tool in world.parts.workspace.registry.all() if isinstance(tool, WriteTool)]
    untried = 0
    for tool in tools:
        if tool.name in {UPDATE, RESTORE} and tickets.change_of(world, tickets.ticket(world)[0]) == tickets.NOTHING:
            yield Gap(f"a change of a ticket that the live policy allows, to try {tool.name}", _NEXT_CHANGE)
            continue
        rehearse = rehearsals.get(tool.name)
        if rehearse is None:
            untried += 1
            continue
        yield from _there_and_back(world, tool.name, rehearse)
    if untried:
        yield Gap(f"a way to try {untried} of {len(tools)} write tools", _NEXT_REHEARSAL)


def _there_and_back(world: World, name: str, rehearse: Rehearsal) -> Generator[Evidence]:
    begins = _BEGINS.get(name)
    if begins is None:
        before = _standing(world)
        written = rehearse(world)
    else:
        start = begins(world)
        before = _standing(world)
        written = None if start is None else _reverted(world, start)
    between = _standing(world)
    yield Allowed(f"{name} writes", 1, int(written is not None and between != before), _NEXT_TOOL)
    back = None if written is None else _reverted(world, written)
    restored = back is not None and before.restored_by(_standing(world))
    yield Attack(f"what {name} wrote, after it was taken back", 1, int(not restored), next=_NEXT_TOOL)


def _standing(world: World) -> Standing:
    ticket, _ = tickets.ticket(world)
    return Standing(
        heads=tuple(sorted(world.heads().values())),
        text=ticket.text_digest,
        labels=ticket.labels,
        assignees=ticket.assignees,
        state=ticket.state,
        comments=tickets.comments(world),
    )


def _struck(body: str) -> bool:
    """Tell whether a comment is struck out to its last line, with the note that says why."""
    said = body.removesuffix(f"\n\n{STRUCK_NOTE}")
    lines = [line for line in said.split("\n") if line.strip()]
    return said != body and bool(lines) and all(line.startswith("~~") and line.endswith("~~") for line in lines)


def _done(world: World, record: ProposalRecord) -> ProposalRecord | None:
    """Have a proposal carried out; gives it where it was."""
    world.pushed(record)
    found = world.find(record)
    return found if found.state.value == "done" else None


def _reverted(world: World, record: ProposalRecord) -> ProposalRecord | None:
    """Take a write back through the gate; gives the proposal that did."""
    with suppress(TwokeyError):
        made = world.parts.gate.revert(record.id, run=world.desk().run, requester=ASKER)
        return _done(world, made)
    return None
