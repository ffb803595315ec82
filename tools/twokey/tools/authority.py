"""Whether enough people said yes. The only source is the log; rows tell where in the log to look.

Rules: an approval counts if its entry is included under a verified checkpoint, is an ``approve`` of exactly this
proposal digest and decision digest, is proven to be its person's, was given before it expired, and comes from somebody
who is in a required group now and neither asked for the change nor contributed to it. Proven it is by a signature with
the key that the directory names for that person, and for nobody else, today, or with a key that this one vouched for
(``sessions``); by their linked identity elsewhere, where policy admits such a proof and the link was in force when they
answered and is now; or, in a demo, by assertion.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from twokey.audit.entry import Entry
from twokey.core.errors import CheckFailed, NotFound
from twokey.core.events import AnswerGiven
from twokey.core.ports import Directory
from twokey.core.values import Answer, ApprovalsNeeded, Auth, Decision, GivenOrder, Principal, Proposal
from twokey.store.proposals import ApprovalRecord
from twokey.tools import identity
from twokey.tools.ledger import Ledger
from twokey.tools.proposing import expiry


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes an identity acceptable in this workspace."""

    workspace: str
    demo: bool
    """True only where the log's first entry says so."""
    owners: tuple[str, ...] = ("platform-owners", "risk-owners")
    """Groups whose members may lift a freeze, break glass and review it."""
    break_glass_us: int = 3_600_000_000
    """How long an emergency may last, in microseconds; one hour at most."""


def authentic(answer: Answer | GivenOrder, principal: Principal, rules: Rules) -> bool:
    """Tell whether ``answer`` really comes from ``principal``, in this workspace. No link to elsewhere counts here."""
    statement = answer.statement
    if statement.workspace != rules.workspace or statement.principal != principal.name:
        return False
    if answer.auth == "asserted":
        return rules.demo
    return identity.verify(answer, principal)


def authentic_by_key(answer: Answer | GivenOrder, principal: Principal, directory: Directory, rules: Rules) -> bool:
    """Tell the same where a key that stands for two names stands for neither."""
    shared = principal.key is not None and any(
        other.key == principal.key and other.name != principal.name for other in directory.all()
    )
    return not shared and authentic(answer, principal, rules)


class LinkInForce(Protocol):
    """An external identity that is a principal's."""

    @property
    def principal(self) -> str: ...

    @property
    def at_us(self) -> int: ...


class LinkedIdentities(Protocol):
    """Tells who external identities are."""

    def in_force(self, external: str) -> LinkInForce | None:
        """Give the link of an external identity that is in force now; raises ``CheckFailed`` where it is not proven."""
        ...


class BrowserKeys(Protocol):
    """Tells whose keys browsers hold."""

    def vouches(self, given: Answer | GivenOrder, principal: Principal) -> bool:
        """Tell whether it was signed by a browser in which ``principal`` was in the console at that time."""
        ...


def admits(needed: ApprovalsNeeded, auth: Auth) -> bool:
    """Tell whether policy admits such a proof for an approval. An assertion, which only a demo takes, is as a key."""
    return auth == "asserted" or auth in needed.auth


def barred(proposal: Proposal, needed: ApprovalsNeeded, name: str) -> bool:
    """Tell whether ``name`` can never approve this: they asked for it, contributed to it, or policy excludes them."""
    return name in {proposal.requester, *proposal.contributors, *needed.exclude}


def counting_groups(needed: ApprovalsNeeded, principal: Principal) -> frozenset[str]:
    """Give the required groups that ``principal`` is in."""
    return frozenset(quorum.group for quorum in needed.all_of) & frozenset(principal.groups)


def met(needed: ApprovalsNeeded, people: Iterable[Principal]) -> bool:
    """Tell whether every quorum is reached by different people; ``distinct`` lets one person fill one group only."""
    available = {person.name: counting_groups(needed, person) for person in people}
    seats = [quorum.group for quorum in needed.all_of for _ in range(quorum.n)]
    if not seats:
        return False
    if not needed.distinct:
        return all(sum(quorum.group in groups for groups in available.values()) >= quorum.n for quorum in needed.all_of)
    return _seated(seats, available)


def _seated(seats: list[str], available: dict[str, frozenset[str]]) -> bool:
    """Bipartite matching of seats to people (augmenting paths): each person takes one seat at most."""
    taken: dict[str, int] = {}

    def place(seat: int, tried: set[str]) -> bool:
        for name, groups in available.items():
            if seats[seat] in groups and name not in tried:
                tried.add(name)
                if name not in taken or place(taken[name], tried):
                    taken[name] = seat
                    return True
        return False

    return all(place(seat, set()) for seat in range(len(seats)))


class Authority:
    """Counts approvals."""

    def __init__(
        self,
        ledger: Ledger,
        directory: Directory,
        rules: Rules,
        links: LinkedIdentities | None = None,
        browsers: BrowserKeys | None = None,
    ) -> None:
        """Without ``links`` no answer that comes from elsewhere counts, without ``browsers`` none of the console."""
        self._browsers = browsers
        self._ledger = ledger
        self._directory = directory
        self._rules = rules
        self._links = links

    def approvers(
        self,
        proposal: Proposal,
        digest: str,
        decision: Decision,
        rows: Iterable[ApprovalRecord],
        *,
        proven: Mapping[str, Entry] | None = None,
    ) -> dict[str, str]:
        """Give who validly approved: name to log entry. Rows that the log does not bear out are passed over.

        ``proven`` are the entries of all answers that the log holds, where the caller has had it prove them already.
        """
        valid: dict[str, str] = {}
        for row in rows:
            if row.action == "approve":
                entry = self._proven(row.entry) if proven is None else proven.get(row.entry)
                name = self._approver(proposal, digest, decision, entry)
                if name is not None:
                    valid[name] = row.entry
        return valid

    def authentic(self, answer: Answer | GivenOrder, principal: Principal) -> bool:
        """Tell whether ``answer`` comes from ``principal``: a key that stands for two names stands for neither.

        From elsewhere come answers to cards, and of the orders only the one that stops all writes.
        """
        if answer.external is not None:
            return self._linked(answer, answer.external, principal)
        if authentic_by_key(answer, principal, self._directory, self._rules):
            return True
        return self._browsers is not None and self._browsers.vouches(answer, principal)

    def _linked(self, answer: Answer | GivenOrder, external: str, principal: Principal) -> bool:
        said = answer.statement
        if said.workspace != self._rules.workspace or said.principal != principal.name or self._links is None:
            return False
        if isinstance(answer, GivenOrder) and answer.statement.order != "freeze_on":
            return False
        try:
            link = self._links.in_force(external)
        except CheckFailed:
            return False
        return link is not None and link.principal == principal.name and link.at_us <= said.at_us

    def people(self, names: Iterable[str]) -> list[Principal]:
        """Look names up as the directory has them now."""
        found = (self._directory.principal(name) for name in names)
        return [principal for principal in found if principal is not None]

    def _proven(self, entry: str) -> Entry | None:
        try:
            return self._ledger.proven(entry)
        except (CheckFailed, NotFound):
            return None

    def _approver(self, proposal: Proposal, digest: str, decision: Decision, entry: Entry | None) -> str | None:
        event = entry.event if entry else None
        if not isinstance(event, AnswerGiven):
            return None
        statement = event.answer.statement
        principal = self._directory.principal(statement.principal)
        needed = decision.approvals
        if principal is None or needed is None:
            return None
        good = (
            statement.action == "approve"
            and statement.proposal == proposal.id
            and statement.proposal_digest == digest
            and statement.decision_digest == decision.digest()
            and statement.at_us <= expiry(proposal, decision)
            and admits(needed, event.answer.auth)
            and self.authentic(event.answer, principal)
            and not barred(proposal, needed, principal.name)
            and bool(counting_groups(needed, principal))
        )
        return principal.name if good else None
