"""How outside names, texts, numbers and times stand in a sentence of Twokey's own.

Rules: a name or a text from outside is one short line in which nothing acts: no link, no mention, no markup, no
invisible character. A name that is a sentence which claims or orders something names nobody. A text stands between “
and ”, and one that speaks of causes, gives orders, leads elsewhere or may hold a secret is not shown at all. A number
has at most three digits that count, a time is in UTC, to the second. The same value is always written in the same way,
so that a check can look for it.
"""

import re
import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from twokey.tools.write import acting_text

SECOND: Final = 1_000_000
_DIGITS: Final = 3
_NAME: Final = re.compile(r"[^\w.:/+ -]+")
_LEADS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{0,20}:)?//|www\.|(?:javascript|data|mailto|vbscript):", re.IGNORECASE)
_HOST: Final = re.compile(
    r"(?<![\w./@-])(?:(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}|(?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5})?/", re.IGNORECASE
)
"""A host with a path after it, of which some places make a link."""
_PRIVATE: Final = re.compile(
    r"(?i:passw\w*|secret|credential|api[-_ ]?key|token|bearer|authorization)|\d(?:[ .-]?\d){6,}"
    r"|(?=[A-Za-z0-9_+/=-]*[0-9])(?=[A-Za-z0-9_+/=-]*[A-Za-z])[A-Za-z0-9_+/=-]{20,}"
)
"""What may be a secret, or the number of a person or a card: it travels no further than the evidence."""
_WORDS: Final = 2
_ACTS: Final = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}://|www\.|mailto:|@|[<>`\[\]{}|\\~*#“”]|&[#A-Za-z0-9]{1,12};", re.IGNORECASE
)
_CLAIMS: Final = re.compile(
    r"\b(?:caus\w*|because|due|reasons?|culprits?|fault\w*|blam\w*|responsib\w*|roots?|origin\w*|trigger\w*|led|lead\w*"
    r"|result\w*|explain\w*|why|guilty|breaks?|broke\w*|owing|thanks?|stem\w*|ignor\w*|instruct\w*|must|should|please|always"
    r"|never|approv\w*|merg\w*|assign\w*|prompt\w*|system|assistant|tool\w*|run|call|say|tell|write|open|add|send|post)\b",
    re.IGNORECASE,
)
MAX_NAME: Final = 80
MAX_TEXT: Final = 120


def name(text: str) -> str:
    """Give a name of a service, a metric, an operation or a person so that it stands in a sentence."""
    visible = "".join(char if _is_visible(char) else " " for char in text[: 4 * MAX_NAME])
    plain = " ".join(_NAME.sub(" ", _HOST.sub(" ", _LEADS.sub(" ", visible))).split())[:MAX_NAME].strip()
    plain = acting_text.disarmed(plain)
    return "unnamed" if not plain or _is_a_saying(plain, visible) else plain


def _is_a_saying(plain: str, whole: str) -> bool:
    """Tell whether a name is a sentence in disguise: several words, with one that claims, or with what would act."""
    return len(plain.split()) > _WORDS and (_CLAIMS.search(plain) is not None or _ACTS.search(whole) is not None)


def quote(text: str) -> str | None:
    """Quote a text of a log or an event; None where it does more than to say what was done or seen."""
    visible = " ".join("".join(char if _is_visible(char) else " " for char in text[: 4 * MAX_TEXT]).split())
    visible = visible.replace("<*>", "…")
    if (
        not visible
        or _PRIVATE.search(visible)
        or _ACTS.search(visible)
        or _HOST.search(visible)
        or _CLAIMS.search(visible)
        or acting_text.acts_quoted(visible)
    ):
        return None
    return f"“{visible if len(visible) <= MAX_TEXT else f'{visible[: MAX_TEXT - 1].rstrip()}…'}”"


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZ" or char == " "


def number(text: str | int) -> str:
    """Write a number: whole ones with separators, others with three digits that count."""
    value = Decimal(text)
    if value == value.to_integral_value() and abs(value) < Decimal(10) ** 15:
        return f"{int(value):,}"
    if not value:
        return "0"
    places = max(_DIGITS - 1 - value.adjusted(), 0)
    if places > 9:
        return f"{value:.2e}"
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def milliseconds(us: int) -> str:
    """Write microseconds as milliseconds."""
    return number(us // 1_000) if us % 1_000 == 0 else number(f"{us // 1_000}.{us % 1_000:03d}")


def clock(at_us: int) -> str:
    """Write the time of a day in UTC: ``10:02:07``."""
    return _moment(at_us).strftime("%H:%M:%S")


def day(at_us: int) -> str:
    """Write a day in UTC: ``2026-11-20``."""
    return _moment(at_us).strftime("%Y-%m-%d")


def _moment(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // SECOND, tz=UTC)


def length(us: int) -> str:
    """Write how long something took: ``48 seconds``, ``7 minutes``, ``2 hours 5 minutes``."""
    seconds = abs(us) // SECOND
    if seconds < 120:
        return _counted(seconds, "second")
    minutes = (seconds + 30) // 60
    if minutes < 120:
        return _counted(minutes, "minute")
    hours, rest = divmod(minutes, 60)
    return _counted(hours, "hour") + (f" {_counted(rest, 'minute')}" if rest else "")


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def listed(words: list[str]) -> str:
    """Join words: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
