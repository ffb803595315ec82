"""The log as a story: each entry in one sentence.

Rules: a sentence is made of our own words and of what the entry holds, which is ids, codes, names of the directory and
numbers (DESIGN, rule 11); an event that no sentence is written for is told by its kind, so that none is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from twokey.core.events import Event

_Teller = Callable[[Mapping[str, Any]], str]
_ANSWERS: Final = {
    "approve": "approved it",
    "refuse": "refused it",
    "withdraw": "withdrew it",
    "confirm_written": "confirmed that it was written",
    "confirm_not_written": "confirmed that nothing was written",
}
_OUTCOMES: Final = {
    "written": "Written.",
    "not_written": "Nothing was written.",
    "unknown": "Whether it was written is not known.",
}


def _words(code: object) -> str:
    return str(code).replace("_", " ")


def _many(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _moved(event: Mapping[str, Any]) -> str:
    by = f" by {event['by']}" if event["by"] else ""
    to = f"; {event['successor']} takes its place" if event["successor"] else ""
    if event["before"] is None:
        return f"Proposed ({event['code']})."
    return f"{_words(event['before']).capitalize()} became {_words(event['after'])}{by} ({event['code']}){to}."


def _decided(event: Mapping[str, Any]) -> str:
    what = {"allow": "allows", "deny": "denies", "require_approval": "asks people for"}[event["decision"]]
    rules = f" ({', '.join(event['rules'])})" if event["rules"] else ""
    return f"Policy {what} {_words(event['tool'])} at the {event['occasion']}{rules}."


def _answered(event: Mapping[str, Any]) -> str:
    said = event["answer"]["statement"]
    how = f"through {event['channel']}, proven by {event['answer']['auth']}"
    return f"{said['principal']} {_ANSWERS[said['action']]} {how}."


def _ordered(what: str) -> _Teller:
    return lambda event: f"{event['order']['statement']['principal']} {what}."


def _freeze(event: Mapping[str, Any]) -> str:
    done = "stopped all writes" if event["on"] else "let writes go on"
    return f"{event['order']['statement']['principal']} {done}."


def _reviewed(event: Mapping[str, Any]) -> str:
    claims = _many(event["claims"], "claim")
    return f"The reviewer looked at {claims}, found {event['supported']} supported and dropped {event['dropped']}."


def _probed(event: Mapping[str, Any]) -> str:
    held, failed, missing = (len(event[name]) for name in ("held", "failed", "missing"))
    return f"The controls were tried. Held: {held}, failed: {failed}, missing: {missing}."


def _shadowed(event: Mapping[str, Any]) -> str:
    agrees = "agrees" if event["agrees"] else f"would say {_words(event['decision'])}"
    return f"The shadow policy {agrees}; nothing follows from it."


def _model(event: Mapping[str, Any]) -> str:
    tokens = f"{_many(event['tokens_in'], 'token')} in, {_many(event['tokens_out'], 'token')} out"
    return f"The {event['tier']} model was asked: {tokens} ({event['code']})."


def _used(event: Mapping[str, Any]) -> str:
    how = "came in" if event["accepted"] else "was turned away"
    return f"{event['principal']} {how} through {event['channel']}, by {event['auth']} ({event['code']})."


_TELLERS: Final[Mapping[str, _Teller]] = {
    "workspace.created": lambda event: "The workspace was made" + (", as a demo." if event["demo"] else "."),
    "identity.used": _used,
    "credential.created": lambda event: f"{event['principal']} got a credential.",
    "identity.link_asked": lambda event: f"Somebody at {event['channel']} said that they are {event['principal']}.",
    "identity.linked": lambda event: f"{event['principal']} linked an identity at {event['channel']}.",
    "identity.unlinked": lambda event: f"{event['principal']} removed an identity at {event['channel']}.",
    "identity.link_rejected": lambda event: f"Linking an identity was refused ({event['code']}).",
    "console.pass_given": lambda event: f"{event['principal']} made a one-time link to the console.",
    "console.session_opened": lambda event: f"{event['principal']} came into the console, by {event['auth']}.",
    "console.session_closed": lambda event: (
        f"A session of {event['principal']} in the console is over ({event['code']})."
    ),
    "run.requested": lambda event: f"{event['requester']} asked, through {event['channel']} ({event['intent']}).",
    "run.planned": lambda event: f"The planner gave steps to {', '.join(event['agents'])}.",
    "run.ended": lambda event: f"The run is {event['state']} ({event['code']}).",
    "run.taken_over": lambda event: f"Another process took the run up ({event['code']}).",
    "runs.pruned": lambda event: f"{event['principal']} removed what {_many(event['runs'], 'ended run')} left behind.",
    "step.started": lambda event: f"Step {event['step']} began: {event['agent']}.",
    "step.ended": lambda event: (
        f"Step {event['step']} ended with {_many(event['findings'], 'finding')} ({event['code']})."
    ),
    "policy.decided": _decided,
    "policy.enforced": lambda event: f"{event['principal']} put policy number {event['number']} in force.",
    "policy.shadow_begun": lambda _: "A shadow policy begins to look at decisions.",
    "policy.shadowed": _shadowed,
    "tool.called": lambda event: f"{_words(event['tool']).capitalize()} was called in step {event['step']}.",
    "tool.returned": lambda event: f"It returned {event['evidence'] or 'nothing'} ({event['code']}).",
    "model.called": _model,
    "review.ended": _reviewed,
    "proposal.moved": _moved,
    "freeze.changed": _freeze,
    "break_glass.opened": _ordered("declared an emergency"),
    "break_glass.used": lambda event: f"The emergency of {event['opened_by']} was used.",
    "break_glass.reviewed": _ordered("reviewed an emergency"),
    "order.rejected": lambda event: f"An order did not count: {_words(event['order'])} ({event['code']}).",
    "controls.probed": _probed,
    "card.shown": lambda event: f"The card was shown to {event['viewer'] or 'somebody'} through {event['channel']}.",
    "answer.given": _answered,
    "click.rejected": lambda event: f"An answer of {event['principal'] or 'somebody'} did not count ({event['code']}).",
    "channel.rejected": lambda event: (
        f"{event['count']} requests through {event['channel']} were refused ({event['code']})."
    ),
    "delivery.failed": lambda event: f"Something that {event['channel']} received failed for good ({event['code']}).",
    "write.intended": lambda event: f"The write by {_words(event['tool'])} is about to begin.",
    "write.ended": lambda event: f"{_OUTCOMES[event['outcome']]} ({event['code']})",
    "pull_request.ended": lambda event: f"The pull request was {event['outcome']}.",
}
KINDS: Final = tuple(sorted(_TELLERS))
"""Every kind of entry that there is a sentence for."""


def told(event: Event) -> str:
    """Tell one event in a sentence."""
    fields = event.model_dump(mode="json")
    teller = _TELLERS.get(event.kind)
    return f"{_words(event.kind).replace('.', ' ').capitalize()}." if teller is None else teller(fields)
