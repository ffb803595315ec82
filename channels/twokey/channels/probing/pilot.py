"""Probes of the first three controls: default deny, the pinned allow-list, and bound approvals."""

import math
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from twokey.channels.probing.disguises import WiderArgs, beside, disguised
from twokey.channels.probing.engines import Evaluate
from twokey.channels.probing.world import OPEN, SIGNERS, STRANGER, World, seats
from twokey.core.errors import EngineFault, TwokeyError
from twokey.core.lifecycle import State
from twokey.core.values import Answer
from twokey.policies.controls import Allowed, Attack, Evidence
from twokey.store import proposals
from twokey.store.proposals import ApprovalRecord, ProposalRecord

_CLICK_AGE_S: Final = 16 * 60
_NEXT_BUNDLE: Final = "Compare the bundle with the one that comes with Twokey; `twokey init` in another folder has it."
_NEXT_TOOLS: Final = "Pin the tools as they are installed: `python -m twokey.policies.pin`, see the README of policies."
_NEXT_DEMO: Final = "Identities must be proven: use a workspace made by `twokey init`, not the demo's."
_ORDINARY: Final = "an ordinary write, approved by people"


def together(what: str, attacks: list[Attack]) -> Attack:
    """Sum several attacks of one kind up."""
    records = [attack.recorded for attack in attacks if attack.recorded is not None]
    return Attack(
        what,
        sum(attack.tried for attack in attacks),
        sum(attack.through for attack in attacks),
        sum(records) if len(records) == len(attacks) else None,
        next((attack.next for attack in attacks), ""),
    )


# -- 1: default deny ------------------------------------------------------------------------------------------


def _silent(_: bytes) -> object:
    raise EngineFault("The engine gave no answer in time.", next="Nothing.", code="policy_timeout")


def _gone(_: bytes) -> object:
    raise ConnectionError


def _constant(value: object) -> Callable[[Evaluate], Evaluate]:
    return lambda _: lambda _: value


def _changed(**changes: object) -> Callable[[Evaluate], Evaluate]:
    """Have the real answer come back with parts replaced."""

    def faulty(real: Evaluate) -> Evaluate:
        def evaluate(document: bytes) -> object:
            answer = real(document)
            return {**cast("dict[str, Any]", answer), **changes} if isinstance(answer, dict) else answer

        return evaluate

    return faulty


FAULTS: Final[Mapping[str, Callable[[Evaluate], Evaluate]]] = {
    "silent": lambda _: _silent,
    "gone": lambda _: _gone,
    "undefined": _constant(None),
    "empty": _constant({}),
    "truncated": _constant('{"effect": "require_app'),
    "not a number": _constant({"effect": math.nan}),
    "allows a write": _changed(effect="allow", approvals=None),
    "asks nobody": _changed(approvals=None),
    "an unknown field": _changed(bypass=True),
    "an unknown obligation": _changed(obligations=["do_nothing"]),
}
"""Faults of a policy engine. Each gets what really answers, and gives what answers instead."""


def default_deny(world: World, faults: Mapping[str, Callable[[Evaluate], Evaluate]] = FAULTS) -> Generator[Evidence]:
    """Try writes that no rule covers, and writes at each stage while the engine is broken."""
    yield Allowed(_ORDINARY, 1, world.written(), _NEXT_BUNDLE)
    tools = beside(world.parts.workspace.registry, disguised("drop_tables"))
    with world.sibling(tools) as other:
        act = _pushing(other, tool="drop_tables")
        yield other.trial("a write tool that no rule knows", act, next=_NEXT_BUNDLE)
    yield world.trial("a request of somebody in no group", _pushing(world, requester=STRANGER), next=_NEXT_BUNDLE)
    proposed: list[Attack] = []
    clicked: list[Attack] = []
    carried_out: list[Attack] = []
    again = 0
    for fault in faults.values():
        world.clock.advance(3601)  # budgets per hour are another control
        broken = fault(world.engine.current)
        desk = world.desk()
        draft = world.draft(desk)
        with world.engine.turned(broken):
            proposed.append(
                world.trial("", lambda d=desk, w=draft: world.pushed(d.propose(w, agent="catalog", step=2)))
            )
        record = world.propose()
        with world.engine.turned(broken):
            clicked.append(world.trial("", lambda r=record: _all_click(world, r, _signed(world, r))))
        with suppress(TwokeyError):  # where the fault changed something, nothing is approved any more
            ready = world.approved(record)
            with world.engine.turned(broken):
                carried_out.append(world.trial("", lambda r=ready: world.parts.gate.execute(r.id)))
            with world.watched() as seen:
                world.parts.gate.execute(ready.id)
            again += seen.writes
    yield together("proposals while the engine is silent, gone, undefined or wrong", proposed)
    yield together("approvals meanwhile", clicked)
    yield together("approved writes meanwhile", carried_out)
    yield Allowed("the same approved writes when the engine is back", len(carried_out), again)


def _pushing(world: World, **changes: Any) -> Callable[[], None]:
    return lambda: world.pushed(world.propose(**changes))


def _signed(world: World, record: ProposalRecord) -> Callable[[str], Answer]:
    return lambda name: world.signed(record, name)


def _all_click(world: World, record: ProposalRecord, answer: Callable[[str], Answer]) -> None:
    """Send everybody's answer, as often as it takes, and have the proposal carried out."""
    for name in SIGNERS[: max(1, seats(record))]:
        with suppress(TwokeyError):
            world.answer(answer(name))
    world.parts.gate.execute(record.id)


# -- 2: the pinned allow-list ---------------------------------------------------------------------------------


def pinned_tools(world: World) -> Generator[Evidence]:
    """Try the listed tool with another version, another schema, and names that look like it."""
    yield Allowed("a write with the tool as it is listed", 1, world.written(), _NEXT_TOOLS)
    registry = world.parts.workspace.registry
    changed = {
        "the same tool in another version": disguised(OPEN, "1.1"),
        "the same tool with one argument more": disguised(OPEN, "1", WiderArgs),
    }
    for what, tool in changed.items():
        with world.sibling(beside(registry, tool)) as other:
            yield other.trial(what, _pushing(other), next=_NEXT_TOOLS)
    ready = world.approved(world.propose())
    with world.sibling(beside(registry, disguised(OPEN, "1.1"))) as other:
        yield other.trial(
            "a tool that was exchanged after the approval",
            lambda: other.parts.gate.execute(ready.id),
            leaves_record=False,
        )
    alike: list[Attack] = []
    for name in ("open_pull_requests", "open_pu11_request", "openpull_request", "open__pull_request"):
        with world.sibling(beside(registry, disguised(name))) as other:
            alike.append(other.trial("", _pushing(other, tool=name), next=_NEXT_TOOLS))
    yield together("tools whose names look like it", alike)
    foreign = [
        world.trial("", _pushing(world, tool=name), leaves_record=False)
        for name in ("\u043epen_pull_request", "open_pull_request ", "Open_Pull_Request", "open_pull_request\u200b")
    ]
    yield together("its name in other letters", foreign)


# -- 3: bound, single-use approvals ---------------------------------------------------------------------------


def bound_approvals(world: World) -> Generator[Evidence]:
    """Try approvals that are replayed, moved, forged, late, for something else, and used twice."""
    first = world.propose()
    with world.watched() as seen:
        done = world.approved(first)
        world.parts.gate.execute(done.id)
    yield Allowed(_ORDINARY, 1, seen.writes, _NEXT_BUNDLE)
    other = world.propose()
    others: dict[str, Callable[[str], Answer]] = {
        "approvals of another proposal, replayed": lambda name: _moved(world, first, other, name),
        "approvals signed for another proposal's content": lambda name: world.signed(
            other, name, proposal_digest=first.digest
        ),
        "approvals signed under another decision": lambda name: world.signed(other, name, decision_digest=other.digest),
        "approvals signed with a stranger's key": lambda name: world.keys[STRANGER].sign(world.statement(other, name)),
        "approvals signed for another workspace": lambda name: world.signed(other, name, workspace="w-" + "0" * 12),
        "approvals signed sixteen minutes ago": lambda name: world.signed(
            other, name, at_us=world.clock.now_us() - _CLICK_AGE_S * 1_000_000
        ),
    }
    for what, answer in others.items():
        yield world.trial(what, lambda a=answer: _all_click(world, other, a))
    unsigned = world.propose()
    yield world.trial(
        "approvals that nobody signed",
        lambda: _all_click(
            world, unsigned, lambda name: Answer(statement=world.statement(unsigned, name), auth="asserted")
        ),
        next=_NEXT_DEMO,
    )
    yield from _used_up(world, first)
    moved = world.approved(world.propose())
    world.move_main({"models/base.yml": "version: 2\n"})
    yield world.trial(
        "an approved write whose target has moved on",
        lambda: world.parts.gate.execute(moved.id),
        leaves_record=False,
    )
    late, approved = world.propose(), world.approved(world.propose())
    needed = late.decision.approvals
    world.clock.advance((needed.expires_s if needed else 0) + 1)
    yield world.trial("approvals after their time", lambda: _all_click(world, late, _signed(world, late)))
    yield world.trial(
        "a write after the time of its approval",
        lambda: world.parts.gate.execute(approved.id),
        leaves_record=False,
    )


def _moved(world: World, first: ProposalRecord, other: ProposalRecord, name: str) -> Answer:
    """Give an answer that was signed for the first proposal, made out for another."""
    answer = world.signed(first, name)
    return answer.model_copy(update={"statement": world.statement(other, name, at_us=answer.statement.at_us)})


def _used_up(world: World, done: ProposalRecord) -> Generator[Evidence]:
    """Set rows of the database back, and forge some, as somebody with the database's password could."""
    ledger = world.parts.workspace.ledger
    yield world.trial(
        "an approval used a second time, sent again",
        lambda: _all_click(world, done, _signed(world, done)),
    )

    def set_back(record: ProposalRecord, before: State) -> None:
        with ledger.change() as unit:
            proposals.move_proposal(
                unit.connection, record.id, before=before, after=State.APPROVED, code="quorum_met", now=0
            )
        world.parts.gate.execute(record.id)

    yield world.trial(
        "an approval used a second time, its row set back",
        lambda: set_back(world.find(done), State.DONE),
        leaves_record=False,
    )
    forged = world.propose()

    def forge() -> None:
        for name in SIGNERS[: seats(forged)]:
            statement = world.statement(forged, name)
            row = ApprovalRecord(
                proposal=forged.id,
                proposal_digest=forged.digest,
                decision_digest=forged.decision_digest,
                principal=name,
                action="approve",
                entry=ledger.ids.new("l"),
                reason="",
                at_us=statement.at_us,
            )
            with ledger.change() as unit:
                proposals.add_approval(unit.connection, row)
        set_back(forged, State.AWAITING_APPROVAL)

    yield world.trial("approvals written into the database", forge, leaves_record=False)
