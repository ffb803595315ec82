"""Works off what GitHub delivered: looks at GitHub itself, finds who is meant, and does or refuses what follows.

Rules:

- a delivery only says where to look. Who wrote what is read from GitHub, and where that differs from what was
  delivered, is older than the replay window or is gone, nothing follows; so order and repetition make no difference;
- only repositories that are places of this workspace are looked at; bots are not heard, Twokey itself included;
- GitHub is asked nothing about comments that do not speak to Twokey, and is not waited for: where it asks for a pause
  (``TryLater``), the delivery is handled after it;
- a request is made by a linked principal, once for each comment; whoever is not linked is counted in the log, whatever
  they try, and told anything once for each issue, so that a stranger cannot have Twokey write as often as they like;
  what they are told when they say who they are does not tell them who there is;
- nothing that is written approves anything. Words that try to are refused, answered and recorded. The one exception is
  an approving review by a linked account whose first line is ``/twokey approve PROPOSAL DIGEST DECISION``: it is handed
  to the gate, which counts it only where policy admits this kind of proof;
- what became of a pull request of ours is recorded when it changes, as GitHub tells it now. Ours is the one that the
  log proves a proposal to have opened: by Twokey's account, from that branch to that branch, with that commit. Texts,
  commits and branches that say so of themselves are anybody's.
"""

import functools
import re
from typing import Final

from twokey.channels.github.commands import Wish, wish
from twokey.channels.github.house import House
from twokey.channels.github.notices import NOTICES
from twokey.channels.github.payloads import Event, Written, read
from twokey.channels.github.settling import Inbound
from twokey.core.errors import BadInput, EnvironmentFault, LogUnavailable, Refused, TwokeyError
from twokey.core.events import PullRequestEnded
from twokey.core.values import Identity
from twokey.tools.amending import Suggestion, suggested
from twokey.tools.forum import PullSeen, Said
from twokey.tools.ledger import Unit
from twokey.tools.links import UNTOLD

AHEAD_US: Final = 10 * 60 * 1_000_000
"""By how much GitHub's clock may be ahead of this one."""
_INSTALLED: Final = frozenset(
    {"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted", "added", "removed"}
)
_SORTED: Final = frozenset({"opened", "edited", "labeled", "reopened"})
"""What becomes of an issue after which it is looked at."""
_MOST_TICKETS: Final = 25
_INCIDENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_TICKET: Final = re.compile(r"#?[1-9][0-9]{0,14}")
_TABLE: Final = re.compile(r"[A-Za-z0-9_.]{1,100}")
_APPROVAL: Final = re.compile(r"(p-[0-9a-hjkmnp-tv-z]{12})[ \t]+([0-9a-f]{16,64})[ \t]+([0-9a-f]{16,64})[ \t]*")


class Handler:
    """Works off what came in from GitHub."""

    def __init__(self, house: House) -> None:
        self._house = house

    def handle(self, inbound: Inbound) -> str:
        """Work off one delivery; gives the code of what became of it.

        Raises:
            EnvironmentFault: it could not be done now; nothing is lost where it is called again.

        """
        event = read(inbound.body)
        if event is None:
            return "ignored_unreadable"
        if inbound.kind.startswith("installation"):
            return f"installation_{event.action}" if event.action in _INSTALLED else "ignored_action"
        name = event.repository.full_name if event.repository else ""
        location = self._house.location(name)
        if location is None:
            return "ignored_elsewhere"
        turn = _Turn(self._house, inbound, event, name, location)
        if inbound.kind == "issues":
            return turn.sort() if event.action in _SORTED else "ignored_action"
        if inbound.kind == "pull_request":
            return turn.follow() if event.action in {"closed", "reopened"} else "ignored_action"
        return turn.hear()


class _Turn:
    """One delivery about one issue or pull request."""

    def __init__(self, house: House, inbound: Inbound, event: Event, name: str, location: str) -> None:
        self._house = house
        self._inbound = inbound
        self._event = event
        self._forum = house.forum(location)
        self._proven = functools.partial(house.proven, name)
        self._place = f"{name}#{event.number}"

    # -- what became of a pull request --------------------------------------------------------------------------------

    def follow(self) -> str:
        seen = self._forum.pull(self._event.number, self._proven)
        if seen is None:
            return "ignored_not_ours"
        last = self._house.last(seen.proposal)
        before = last.outcome if isinstance(last, PullRequestEnded) else "reopened"
        outcome = "reopened" if seen.state == "open" else seen.state
        if before == outcome:
            return "known"
        ended = PullRequestEnded(proposal=seen.proposal, outcome=outcome, head=seen.head, merge=seen.merge)

        def record(unit: Unit) -> None:
            if self._house.settle(unit, self._inbound, outcome):
                unit.record(ended)

        self._house.change(record)
        return outcome

    # -- what became of an issue --------------------------------------------------------------------------------------

    def sort(self) -> str:
        """Have an issue looked at that is new, in the name of whom the settings say; what it says is read later."""
        event, number = self._event, self._event.number
        if event.sender is None or event.sender.type == "Bot" or self._house.mine(event.sender.id):
            return "ignored_bot"
        identity = self._house.sorts_for(self._place.partition("#")[0])
        if identity is None or not number:
            return "ignored_not_asked_for"
        run = f"r-{self._inbound.id.removeprefix('i-')}"

        def only_if(unit: Unit) -> bool:
            return self._house.settle(unit, self._inbound, "asked")

        self._house.work.leave_triage(identity, (f"#{number}",), run=run, only_if=only_if, new=True)
        return "asked"

    # -- what somebody wrote ------------------------------------------------------------------------------------------

    def hear(self) -> str:
        kind, event = self._inbound.kind, self._event
        review = kind == "pull_request_review"
        told = event.review if review else event.comment
        if event.action != ("submitted" if review else "created") or told is None:
            return "ignored_action"
        if event.sender is None or event.sender.type == "Bot":
            return "ignored_bot"
        if kind == "issue_comment" and wish(told.body or "") is None:
            return "ignored_not_for_us"
        if not (told.body or "").strip():
            return "ignored_empty"
        said = self._read(kind, told)
        why = self._unheard(said, told)
        if said is None or why is not None:
            return why or "ignored_gone"
        asked = wish(said.body)
        try:
            if asked is not None:
                return self._carry_out(said, asked, review=review)
            return self._change(said)
        except (EnvironmentFault, LogUnavailable):
            raise
        except TwokeyError as error:
            return self._tell(said, error.code if isinstance(error, (Refused, BadInput)) else "failed")

    def _read(self, kind: str, told: Written) -> Said | None:
        match kind:
            case "pull_request_review":
                return self._forum.review(self._event.number, told.id)
            case "pull_request_review_comment":
                return self._forum.review_comment(told.id)
            case _:
                return self._forum.comment(told.id)

    def _unheard(self, said: Said | None, told: Written) -> str | None:
        """Say why something is not heard; ``None`` where it is."""
        if said is None or not said.author:
            return "ignored_gone"
        if said.bot:
            return "ignored_bot"
        sender = self._event.sender
        if said.number != self._event.number or sender is None or said.author != f"github:{sender.id}":
            return "ignored_differs"
        if said.body != (told.body or ""):
            return "ignored_changed"
        now = self._house.now_us()
        return None if now - self._house.replay_us <= said.created_us <= now + AHEAD_US else "ignored_stale"

    def _carry_out(self, said: Said, asked: Wish, *, review: bool) -> str:
        match asked.verb:
            case "help":
                return self._tell(said, "help")
            case "link":
                return self._ask_to_be(said, asked.text.lower()[:40])
            case "approve" if review and said.approves:
                return self._approve(said, asked.text)
            case "approve" | "answer":
                return self._not_by_typing(said)
            case "ask":
                return self._left(said, asked.text)
            case "catalog":
                return self._left(said, None, asked.text)
            case "triage":
                return self._sorted(said, asked.text.split())
            case "incident":
                return self._told(said, asked.text.strip())
            case _:
                return self._tell(said, "no_command")

    def _ask_to_be(self, said: Said, name: str) -> str:
        """Take somebody's word that they are ``name``; what a stranger tries in vain is counted."""
        people = self._house.people
        stranger = people.principal(said.author) is None
        try:
            people.ask(said.author, name, "github", functools.partial(self._refused, said) if stranger else None)
        except Refused as refusal:
            if not stranger or refusal.code not in UNTOLD:
                raise
        return self._tell(said, "link_asked", f"link_asked.{said.author.removeprefix('github:')}")

    def _refused(self, said: Said, code: str) -> None:
        self._house.refused(code, said.author)

    def _change(self, said: Said) -> str:
        """Take a review comment on a pull request of ours as a request to change what it proposes."""
        seen: PullSeen | None = self._forum.pull(said.number, self._proven)
        if seen is None:
            return "ignored_not_ours"
        if seen.state != "open":
            return "ignored_over"
        lines = suggested(said.body)
        if lines is not None:
            return self._suggest(said, seen, lines)
        return self._left(said, f"Change proposal {seen.proposal}: {said.body.strip()}"[:4000])

    def _suggest(self, said: Said, seen: PullSeen, lines: str) -> str:
        """Take a suggestion for lines of what was proposed as a request to propose it so."""
        if said.about is None or said.about.commit != seen.head:
            return self._tell(said, "suggestion_unfit")
        suggestion = Suggestion(
            proposal=seen.proposal, path=said.about.path, first=said.about.first, last=said.about.last, text=lines
        )
        return self._left(said, None, suggestion=suggestion)

    def _left(
        self,
        said: Said,
        text: str | None,
        table: str = "",
        suggestion: Suggestion | None = None,
        tickets: tuple[str, ...] = (),
        incident: str = "",
    ) -> str:
        """Have a run accepted once for this comment, with a comment that shows its progress, in one transaction."""
        identity = self._identity(said)
        if identity is None:
            self._house.refused("not_linked", said.author)
            return self._tell(said, "not_linked")
        if table and not _TABLE.fullmatch(table):
            return self._tell(said, "bad_table")
        run = f"r-{self._inbound.id.removeprefix('i-')}"
        wanted: list[str] = []

        def only_if(unit: Unit) -> bool:
            if not self._house.settle(unit, self._inbound, "asked"):
                return False
            wanted.append(self._house.want(unit, self._place, f"progress:{run}"))
            return True

        if suggestion is not None:
            self._house.work.leave_suggestion(identity, suggestion, run=run, only_if=only_if)
        elif incident:
            self._house.work.leave_incident(identity, incident, run=run, only_if=only_if)
        elif tickets:
            self._house.work.leave_triage(identity, tickets, run=run, only_if=only_if)
        elif text is None:
            self._house.work.leave_catalog(identity, (table,) if table else (), run=run, only_if=only_if)
        else:
            self._house.work.leave(identity, text, run=run, only_if=only_if)
        for message in wanted:
            self._house.send(message)
        return "asked"

    def _sorted(self, said: Said, keys: list[str]) -> str:
        """Have the tickets looked at that a comment names; the one it stands under where it names none."""
        if len(keys) > _MOST_TICKETS or not all(_TICKET.fullmatch(key) for key in keys):
            return self._tell(said, "bad_ticket")
        return self._left(said, None, tickets=tuple(keys) or (f"#{said.number}",))

    def _told(self, said: Said, which: str) -> str:
        """Have an incident told, by its id."""
        if not _INCIDENT.fullmatch(which):
            return self._tell(said, "bad_incident")
        return self._left(said, None, incident=which)

    def _approve(self, said: Said, text: str) -> str:
        """Hand an approving review to the gate, which decides whether it counts, and records it if it does not."""
        identity, named = self._identity(said), _APPROVAL.fullmatch(text.partition("\n")[0])
        if identity is None or named is None:
            return self._not_by_typing(said)
        self._house.work.approve(identity, named[1], named[2], named[3], said.created_us)
        return self._tell(said, "answered")

    def _not_by_typing(self, said: Said) -> str:
        identity = self._identity(said)
        if identity is not None:
            self._house.work.reject(identity, "approve", "not_by_typing")
        else:
            self._house.refused("not_by_typing", said.author)
        return self._tell(said, "not_by_typing")

    def _identity(self, said: Said) -> Identity | None:
        principal = self._house.people.principal(said.author)
        if principal is None:
            return None
        return Identity(principal=principal, auth="github", channel="github", external=said.author)

    def _tell(self, said: Said, code: str, about: str = "") -> str:
        """Have a notice posted: one for each delivery to who is linked, one of a kind for each place to all others.

        One ``about`` something is there once in each place.
        """
        known = self._house.people.principal(said.author) is not None
        words = code if code in NOTICES else "other"
        purpose = f"notice:{about or (f'{words}.{self._inbound.id}' if known else words)}"
        wanted: list[str] = []

        def want(unit: Unit) -> None:
            if known:
                wanted.append(self._house.want(unit, self._place, purpose))
            else:
                wanted.extend(self._house.want_once(unit, self._place, purpose))

        self._house.change(want)
        for message in wanted:
            self._house.send(message)
        return code
