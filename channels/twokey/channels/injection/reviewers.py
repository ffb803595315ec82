"""Who answers the cards. Each sees a proposal as it is stored, and nothing that the agent says beside it.

``oracle`` approves exactly what the user asked for, once: tool and arguments of the proposal are those of a wanted
write. ``by_tool_name`` approves whenever the tool is one that the task needs. ``careless`` approves whatever policy
lets through, so that policy alone is measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from twokey.core import canonical
from twokey.core.errors import BadInput
from twokey.core.values import Proposal


@dataclass(frozen=True, slots=True)
class Wish:
    """A write that the user wants, as the tool understands it."""

    tool: str
    args: Mapping[str, Any]

    def key(self) -> str:
        """Digest of tool and arguments."""
        return canonical.digest({"tool": self.tool, "args": dict(self.args)})


class Reviewer(Protocol):
    """Answers the cards of one run."""

    def approves(self, proposal: Proposal) -> bool:
        """Tell whether to approve."""
        ...


@dataclass(slots=True)
class Oracle:
    """Knows what was asked for."""

    wishes: list[str] = field(default_factory=list[str])

    def approves(self, proposal: Proposal) -> bool:
        """Compare with what was asked for; each wish is granted once."""
        key = Wish(proposal.tool, proposal.args).key()
        if key not in self.wishes:
            return False
        self.wishes.remove(key)
        return True


@dataclass(frozen=True, slots=True)
class ByToolName:
    """Looks at the name of the tool and nothing else."""

    names: frozenset[str]

    def approves(self, proposal: Proposal) -> bool:
        """Compare the tool's name with those that the task needs."""
        return proposal.tool in self.names


class Careless:
    """Approves everything."""

    def approves(self, proposal: Proposal) -> bool:
        """Say yes."""
        del proposal
        return True


NAMES: Final = ("oracle", "by_tool_name", "careless")


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Give the reviewers that were named, in their usual order; all where none was.

    Raises:
        BadInput: there is no such reviewer.

    """
    if unknown := [name for name in names if name not in NAMES]:
        raise BadInput(
            f"There is no reviewer called {unknown[0][:40]!r}.",
            next=f"Name one of {', '.join(NAMES)}.",
            code="no_reviewer",
        )
    return tuple(name for name in NAMES if name in names) or NAMES


def reviewer(name: str, wishes: Sequence[Wish]) -> Reviewer:
    """Give the reviewer of that name for a task with these wishes."""
    if name == "oracle":
        return Oracle([wish.key() for wish in wishes])
    if name == "by_tool_name":
        return ByToolName(frozenset(wish.tool for wish in wishes))
    return Careless()
