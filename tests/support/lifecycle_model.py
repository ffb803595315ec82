"""What may become of a proposal, said a second time and without a line of the product.

Rules: the model knows what is true in the world (who is in which group, what policy asks for, the time, whether writes
are stopped, the edition of the target) and what people were told; from that alone it says whether a write may be. It
reads no state of the product, and shares no code with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

SECOND_US = 1_000_000

NEXT: dict[str | None, set[str]] = {
    None: {"proposed"},
    "proposed": {"denied", "awaiting_approval", "superseded"},
    "awaiting_approval": {"approved", "refused", "expired", "superseded", "denied", "withdrawn"},
    "approved": {"executing", "awaiting_approval", "expired", "superseded", "denied", "withdrawn"},
    "executing": {"done", "failed", "unknown"},
    "unknown": {"done", "failed"},
    "done": {"reverted"},
}
"""DESIGN, section 3."""


class Broken(AssertionError):  # noqa: N818 - what it says is the finding
    """Something happened that must not."""


@dataclass(frozen=True)
class Asks:
    """What policy asks for: so many different people of each of these groups, within a time."""

    seats: tuple[str, ...]
    """One group for each person that is needed."""
    expires_s: int


@dataclass(frozen=True)
class World:
    """What is true at one moment."""

    groups: dict[str, frozenset[str]]
    policy: Asks | None
    """None where policy says no, or nothing."""
    now_us: int
    edition: str


@dataclass(frozen=True)
class Approval:
    """One signed yes."""

    person: str
    asked: Asks
    """What the card said that policy asks for."""
    at_us: int


@dataclass
class Life:
    """What is known of one proposal."""

    requester: str
    created_us: int
    edition: str
    repeatable: bool
    """Whether writing twice is writing once there."""
    approvals: list[Approval] = field(default_factory=list)
    """Those that were counted, and those of which nobody knows because the process died."""
    closed: str | None = None
    """The acknowledged answer that ended it."""
    writes: int = 0


class Model:
    """Follows the world, and judges every write."""

    def __init__(self, world: World) -> None:
        self.history = [world]
        self.lives: dict[str, Life] = {}
        self.stopped_at: int | None = None
        """The moment at which the kill switch was acknowledged, in the harness's own count."""

    @property
    def world(self) -> World:
        return self.history[-1]

    def change(self, **changes: object) -> None:
        """Something in the world is different from now on."""
        self.history.append(replace(self.world, **changes))  # pyright: ignore[reportArgumentType]

    def judge(self, proposal: str, since: int, moment: int, slack: int) -> None:
        """A write happens now, in a step that began when the history had ``since`` entries.

        Each thing must have been as it should at some time within that step: nobody can look at all of them, and
        write, in one instant. Only the kill switch is held to the last moment: it may have been turned ``slack``
        moments ago at most.
        """
        life, window = self.lives[proposal], self.history[since:]
        life.writes += 1
        if life.closed is not None:
            raise Broken(f"a write after it was {life.closed}")
        if not life.repeatable and life.writes > 1:
            raise Broken("a second write")
        if self.stopped_at is not None and moment - self.stopped_at > slack:
            raise Broken(f"a write {moment - self.stopped_at} moments behind the kill switch")
        if all(life.edition != world.edition for world in window):
            raise Broken("a write to a target that has moved on")
        if all(life.requester not in world.groups for world in window):
            raise Broken("a write for somebody who is gone")
        if not any(_good(life, asked, window) for asked in {world.policy for world in window} if asked is not None):
            raise Broken("a write without a valid quorum")


def _good(life: Life, asked: Asks, window: Sequence[World]) -> bool:
    """Whether enough people said yes to what ``asked`` asks, in time, and were in their groups."""
    end = life.created_us + asked.expires_s * SECOND_US
    said = {
        item.person
        for item in life.approvals
        if item.asked == asked and item.at_us <= end and item.person != life.requester
    }
    in_time = any(world.now_us <= end for world in window)
    return in_time and any(_seated(asked.seats, said, world.groups) for world in window)


def _seated(seats: Sequence[str], people: Iterable[str], groups: dict[str, frozenset[str]]) -> bool:
    """Whether different people can take the seats: every way is tried."""
    return any(
        all(seat in groups.get(person, frozenset()) for seat, person in zip(seats, way, strict=True))
        for way in permutations(sorted(people), len(seats))
    )


def check_chain(moves: Sequence[tuple[str | None, str]]) -> str | None:
    """Follow the transitions of one proposal; gives the state they lead to."""
    state: str | None = None
    for before, after in moves:
        if before != state:
            raise Broken(f"a step from {before}, and it was {state}")
        if after not in NEXT.get(state, set()):
            raise Broken(f"a step from {before} to {after}")
        state = after
    return state
