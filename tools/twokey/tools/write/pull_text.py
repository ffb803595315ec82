"""Says what title and text of a pull request do besides saying something, from the text itself.

Rules: a forge acts on what stands there: it calls people, makes links, takes orders, closes tickets when the change is
merged, and leaves checks out. None of that shows in the diff, so each is a label of its own on the card, with a risk in
the policy data, and a team may forbid it there. The title goes into the commit as well.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from twokey.tools.write import acting_text

_CALLED: Final[Mapping[str, str]] = {
    "mentions_people": "text_mentions_people",
    "links_elsewhere": "text_links_elsewhere",
    "commands_bots": "text_commands_bots",
    "hides_characters": "hides_characters",
}
"""Markup is no deed here: the texts of pull requests are Markdown, and forges take from it what runs."""
_CLOSES: Final = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?|implement(?:s|ed)?)\b:?\s+(?:(?:issue|ticket|bug)s?:?\s+)?"
    r"(?:[\w.-]+/[\w.-]+)?(?:#|gh-|https?://\S{1,200}/)\d",
    re.IGNORECASE,
)
"""Words by which GitHub and GitLab close a ticket."""
_SKIPS: Final = re.compile(
    r"\[(?:skip|no)[ _-]?[a-z]{2,20}\]|\[[a-z]{2,20}[ _-]skip\]|^skip-checks:\s*true|\*{3}no_ci\*{3}",
    re.IGNORECASE | re.MULTILINE,
)
"""Words by which a commit or its pull request is passed over by checks."""


def labels(title: str, body: str) -> Iterator[str]:
    """Give the labels of title and text."""
    text = f"{title}\n{body}"
    yield from (_CALLED[deed] for deed in acting_text.deeds(text) if deed in _CALLED)
    if _CLOSES.search(text):
        yield "text_closes_tickets"
    if _SKIPS.search(text):
        yield "text_skips_checks"
