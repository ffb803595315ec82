"""What Twokey writes under issues and pull requests: short, in its own words, and about nothing that it was told.

Rules: a notice is made of its code, or of the states of a run and its proposals; nothing that anybody wrote is
repeated, so nothing of it can come alive as a mention, a link or markup. Names stand in code spans.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from twokey.store.proposals import ProposalRecord
from twokey.store.runs import RunRecord

HELP: Final = (
    "What can be asked here, in the first line of a comment:\n\n"
    "- `/twokey ask TEXT`: ask for something in your own words\n"
    "- `/twokey catalog [TABLE]`: propose documentation for tables with such a name, or all\n"
    "- `/twokey triage [#NUMBER ...]`: sort these issues, or the one the comment stands under\n"
    "- `/twokey incident ID`: what happened in an incident, with evidence\n"
    "- `/twokey link NAME`: say who you are, to confirm it with your own key\n"
    "- `/twokey help`: this list\n\n"
    "A suggestion (GitHub's suggestion block) for lines of a pull request of Twokey is proposed as a pull request of "
    "its own; other review comments on it are taken as requests. "
    "Nothing that is written here approves anything."
)
NOTICES: Final[Mapping[str, str]] = {
    "help": HELP,
    "not_linked": (
        "Twokey does not know who you are, so nothing was done. Say it with `/twokey link NAME`, NAME being the one "
        "that the workspace has for you, then confirm it with your own key within an hour."
    ),
    "bad_incident": "That is no id of an incident. Write it as `inc-0412`.",
    "not_by_typing": (
        "Nothing was approved or refused. Cards are answered with a key or in Slack, never with a comment: "
        "`twokey approvals list`."
    ),
    "link_asked": (
        "You said who you are. It counts once that principal confirms it with their own key, within an hour:\n\n"
        "`twokey link confirm github:NUMBER`\n\n"
        "The number is that of the account which asked. Confirm it only if that account is yours (`twokey link list`). "
        "If it is not listed there, the workspace knows nobody of that name, they have another account here, or there "
        "were too many asks: try again in an hour."
    ),
    "unknown_principal": "The workspace knows nobody of that name. Nothing was linked.",
    "linked_already": "That is confirmed already. Nothing was changed.",
    "linked_to_another": "This account is linked to somebody else. An owner of the controls can undo that.",
    "principal_linked": "That principal has another account here. It has to be unlinked first.",
    "no_command": f"There is no such command. {HELP}",
    "no_default_place": "The workspace names no warehouse and repository for that; its settings have to.",
    "bad_table": "That is no part of a table's name. Use letters, digits, `_` and dots.",
    "bad_ticket": "Name tickets by their numbers, such as #12, at most 25 of them.",
    "no_tickets": "The workspace names no tickets for that; its settings have to.",
    "bad_input": "There was nothing to ask for, or too much. Say in a sentence what you want.",
    "suggestion_unfit": (
        "That suggestion does not fit what was proposed: it has to be one block, about lines of the commit that Twokey "
        "opened the pull request with."
    ),
    "answered": "The answer in this review was taken; the card shows what became of it.",
}
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}")
_ESCALATED: Final = re.compile(r"(p-[0-9a-z]{12})\.([12])(?:\.([a-z][a-z0-9_-]{0,39}))?")
_OTHERWISE: Final = "That was not done. `twokey doctor`, run where Twokey runs, says what is wrong."


def notice(code: str, number: str = "") -> str:
    """Give the notice for a code; ``number`` is that of the account that it is about."""
    words = NOTICES.get(code, _OTHERWISE)
    return words.replace("github:NUMBER", f"github:{number}") if _NUMBER.fullmatch(number) else words


def escalated(about: str) -> str:
    """Say that nobody answers a proposal; ``about`` is its id, the step, and who is asked where somebody is."""
    found = _ESCALATED.fullmatch(about)
    if found is None:
        return _OTHERWISE
    proposal, level, who = found.groups()
    asked = f"`{who}` is asked now" if who else "nobody of those who are to be asked is there"
    step = "somebody else of the team" if level == "1" else "the rung above"
    return (
        f"Proposal `{proposal}` waits past its deadline; next is {step}: {asked}.\n"
        f"- look at it with `twokey approvals show {proposal}`; comments here approve nothing"
    )


def progress(run: RunRecord, made: Sequence[ProposalRecord]) -> str:
    """Tell where a run stands."""
    lines = [
        f"Run `{run.id}`, asked for by `{run.requester}`: **{run.state}**" + (f" (`{run.code}`)" if run.code else "")
    ]
    for record in made:
        lines.append(f"- proposal `{record.id}`: **{record.state.value.replace('_', ' ')}**")
        if record.state.value == "awaiting_approval":
            lines.append(f"  - look at it with `twokey approvals show {record.id}`; comments here approve nothing")
    return "\n".join(lines)
