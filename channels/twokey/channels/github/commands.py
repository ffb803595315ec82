"""What a comment asks of Twokey.

Rules: a comment is for Twokey where its first line begins with ``/twokey``; what is quoted, indented, fenced or said
further down is not. The rest of that line and of the comment is the text. Words with which people try to answer a card
are no request: they are told apart here, so that each is refused and recorded and none reaches an agent.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Verb = Literal["ask", "catalog", "triage", "incident", "help", "link", "answer", "approve", "unknown"]
MAX_TEXT: Final = 4000
_FIRST: Final = re.compile(r"/twokey(?:[ \t]+(?P<verb>[^\s]{1,40}))?(?P<rest>.*)", re.DOTALL)
_ANSWERS: Final = frozenset({"approved", "refuse", "reject", "withdraw", "confirm", "lgtm", "deny"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants. ``text`` is theirs, unchanged but for blanks around it."""

    verb: Verb
    text: str = ""


def wish(body: str) -> Wish | None:
    """Read what a comment asks; ``None`` where it does not speak to Twokey."""
    found = _FIRST.match(body.replace("\r\n", "\n"))
    if found is None or (found["verb"] is None and found["rest"].strip()):
        return None
    verb, text = (found["verb"] or "help").lower(), found["rest"].strip()
    if verb == "approve":
        return Wish("approve", text)
    if verb in _ANSWERS:
        return Wish("answer", text)
    if verb == "ask":
        first = re.split(r"\s", text.lstrip("/`'\".,: "), maxsplit=1)[0].lower().strip(".,:!`'\"")
        return Wish("answer" if first in _ANSWERS | {"approve"} else "ask", text[:MAX_TEXT])
    if verb in {"catalog", "triage", "incident", "help", "link"}:
        return Wish(verb, text)  # pyright: ignore[reportArgumentType] - one of the five
    return Wish("unknown", text)
