"""What somebody typed in Slack, as plain words.

Rules: Slack's marks for links, people and channels become what a reader sees of them, its escapes become characters
again; nothing is executed, looked up or fetched.

Source: Slack, "Formatting text for app surfaces", retrieving messages.
"""

import html
import re
from typing import Final

LONGEST: Final = 4000
_MARK: Final = re.compile(r"<([^<>|]{0,3000})(?:\|([^<>]{0,3000}))?>")


def plain(text: str) -> str:
    """Give the words of ``text``."""
    return html.unescape(_MARK.sub(_shown, text)).strip()


def sound(text: str) -> str:
    """Replace lone surrogates: JSON can write them, and no encoding can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _shown(found: re.Match[str]) -> str:
    target, label = found[1], found[2]
    if target.startswith(("@", "#", "!")):
        return f"{target[0]}{label or target[1:]}"
    return target if label is None or label in target else f"{label} ({target})"


def without_mention(text: str, bot: str) -> str:
    """Give the words that are left when the mention of the app is taken away."""
    return plain(re.sub(rf"<@{re.escape(bot)}(\|[^>]{{0,100}})?>", " ", text, count=1))
