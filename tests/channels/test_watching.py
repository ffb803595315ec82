"""Following an incident: an update where something is new, one state of it at a time, until it is over."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from twokey.channels.watching import MOST_FAILED, Told, Watching
from twokey.core.errors import Refused
from twokey.core.lifecycle import State
from twokey.core.values import Finding


def finding(kind: str, subject: str = "basket", claim: str = "It is so.") -> Finding:
    return Finding(id="f-1", subject=subject, kind=kind, claim=claim, evidence=("e-000000000001",), confidence=90)


@dataclass
class Story:
    """An incident that goes through ``states``; the last one stays."""

    states: list[list[Finding] | None]
    at: int = -1
    proposals: dict[str, State] = field(default_factory=dict[str, State])
    looked: list[str] = field(default_factory=list[str])
    answered: set[str] = field(default_factory=set[str])

    def _told(self, how: str, *, moves: bool) -> Told:
        if moves:
            self.at = min(self.at + 1, len(self.states) - 1)
        self.looked.append(how)
        found = self.states[self.at]
        made: list[Any] = []
        if how == "propose" and found is not None:
            name = f"p-{len(self.proposals)}"
            self.proposals[name] = State.AWAITING_APPROVAL
            made.append(SimpleNamespace(id=name))
        run = SimpleNamespace(state="failed" if found is None else "waiting", code="unreachable")
        return SimpleNamespace(run=run, proposals=tuple(made)), found or []  # type: ignore[return-value]

    def look(self) -> Told:
        return self._told("look", moves=True)

    def propose(self) -> Told:
        return self._told("propose", moves=self.at < 0 or self.looked[-1] == "propose")

    def withdraw(self, proposal: str) -> None:
        if proposal in self.answered:
            raise Refused("Somebody has answered.", next="Nothing.")
        self.proposals[proposal] = State.WITHDRAWN

    def watching(self, ends: list[bool] | None = None) -> Watching:
        pauses = iter(ends or [])
        return Watching(
            look=self.look,
            propose=self.propose,
            state=self.proposals.__getitem__,
            withdraw=self.withdraw,
            pause=lambda: next(pauses, False),
        )


OPEN = [finding("summary_onset"), finding("resolution_open")]
MORE = [*OPEN, finding("timeline_ack")]
OVER = [finding("summary_onset"), finding("resolution_recovered")]


def test_an_update_is_proposed_where_something_is_new_and_the_one_before_is_withdrawn():
    story = Story([OPEN, OPEN, MORE, OVER])
    rounds = list(story.watching().rounds())
    assert [one.proposed for one in rounds] == [True, False, True, True]
    assert [one.withdrawn for one in rounds] == [(), (), ("p-0",), ("p-1",)]
    assert [one.over for one in rounds] == [False, False, False, True]
    assert list(story.proposals.values()) == [State.WITHDRAWN, State.WITHDRAWN, State.AWAITING_APPROVAL]
    assert story.looked == ["propose", "look", "look", "propose", "look", "propose"]


def test_figures_that_move_by_themselves_are_nothing_new():
    moved = [finding("summary_onset", claim="It went to 42."), finding("resolution_open"), finding("impact_metric")]
    story = Story([OPEN, moved])
    assert [one.proposed for one in story.watching().rounds(3)] == [True, False, False]


def test_what_somebody_answered_goes_its_way():
    story = Story([OPEN, MORE, OPEN])
    watching = story.watching().rounds(3)
    next(watching)
    story.answered.add("p-0")
    assert next(watching).withdrawn == (), "answered while it was being withdrawn"
    story.proposals["p-1"] = State.APPROVED
    assert next(watching).withdrawn == ()
    assert story.proposals["p-1"] is State.APPROVED


def test_it_ends_when_it_is_asked_to_and_after_so_many_rounds():
    assert len(list(Story([OPEN]).watching([False, True]).rounds())) == 2
    assert len(list(Story([OPEN]).watching().rounds(4))) == 4


def test_rounds_that_fail_are_told_and_some_in_a_row_end_it():
    story = Story([OPEN, None, OPEN, None])
    rounds = list(story.watching().rounds())
    assert [one.failed for one in rounds] == [False, True, False, *[True] * MOST_FAILED]
    assert not any(one.over for one in rounds)
    never = Story([None])
    assert [one.failed for one in never.watching().rounds()] == [True] * MOST_FAILED
    assert never.proposals == {}
