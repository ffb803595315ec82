"""Terms of a text: words, signs and runs of characters.

Rules: any text is taken, in any language, in time that grows with its length; what lies beyond the bounds is not looked
at, so that a log of a megabyte weighs no more than its first lines. A *sign* is what programs write and people copy:
the name of an exception or of a method, a path, a setting, an error code, the key of another ticket. Two texts that
share a rare sign speak of one thing even where they share no word.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MAX_TITLE: Final = 300
MAX_BODY: Final = 20_000
MAX_RUNS_BODY: Final = 1_500
"""Characters of the body whose runs of characters are compared."""
MAX_TERM: Final = 60
MAX_FRAMES: Final = 12
"""Lines of one stack trace that are looked at: those next to the fault."""
TITLE_COUNTS: Final = 2
"""How many times a word of the title counts."""

_WORD: Final = re.compile(r"(?:\b[vV])?\d+(?:\.\d+)+|[^\W\d_]\w*|\d+")
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts that put no space between words (Thai, Lao, Burmese, Khmer, Chinese, Japanese): pairs of characters count."""
_PARTS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\x00-\x7f]+")
_FRAME: Final = re.compile(r"^\s{0,40}(?:at\s+[\w.$/<>]+\(|File \"[^\"\n]{1,200}\", line \d+|#\d+\s+0x)", re.MULTILINE)
_SIGNS: Final = re.compile(
    r"(?<![\w.])"
    r"(?:[A-Za-z_$][\w$]{0,59}(?:[.:/_-][\w$]{1,60}){1,12}"  # dotted, slashed, dashed and snake_case names
    r"|[A-Za-z]{1,30}[a-z][A-Z]\w{0,60}"  # camelCase
    r"|[A-Z][A-Z0-9]{1,15}-\d{1,10}"  # keys of tickets, CVE numbers
    r"|[A-Z]{1,6}\d{2,8}"  # error codes
    r"|#\d{1,9})"
)
_LOWER_WORDS: Final = re.compile(r"[a-z]+(?:[/-][a-z]+)")
_STOP: Final = frozenset(
    "a an and are as at be been being but by can could did do does for from had has have how i if in into is it its"  # noqa: SIM905
    " me my no not of on or our should so such than that the their them then there these they this those to up us was"
    " we were what when where which while who why will with would you your".split()
)
_ENDINGS: Final = ("ations", "ation", "ments", "ment", "ingly", "edly", "ings", "ing", "ies", "ed", "es", "s", "ly")
_SHORTEST_STEM: Final = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text is compared by. ``words`` counts those of title and body together."""

    title: Counter[str]
    words: Counter[str]
    signs: Counter[str]
    runs: str
    """The characters whose runs are compared."""


def plain(text: str) -> str:
    """Give a text in one form for one meaning (NFKC), without what is not shown."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)


def terms_of(title: str, body: str) -> Terms:
    """Give the terms of a text that has a title."""
    title = plain(title[:MAX_TITLE])
    body = without_deep_frames(plain(body[:MAX_BODY]))
    titled = Counter(words(title))
    both = Counter(words(body))
    for word, count in titled.items():
        both[word] += TITLE_COUNTS * count
    return Terms(
        title=titled,
        words=both,
        signs=Counter(signs(f"{title}\n{body}")),
        runs=" ".join(f"{title} {title} {body[:MAX_RUNS_BODY]}".lower().split()),
    )


def words(text: str) -> Iterator[str]:
    """Give the words, stemmed; a name of several parts gives the whole and its parts."""
    for found in _WORD.finditer(text):
        word = found[0][:MAX_TERM]
        if word[0].isdigit() or "." in word:
            yield word.lstrip("vV")
            continue
        if _UNSPACED.search(word):
            yield from (word[at : at + 2].lower() for at in range(max(1, len(word) - 1)))
            continue
        parts: list[str] = _PARTS.findall(word)
        if len(parts) > 1:
            yield word.lower()
        for part in parts:
            lowered = part.lower()
            if len(lowered) > 1 and lowered not in _STOP:
                yield stem(lowered)


def stem(word: str) -> str:
    """Cut an English ending off; crude, and the same for both texts that are compared."""
    if word.isascii():
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
                return word[: -len(ending)]
    return word


def signs(text: str) -> Iterator[str]:
    """Give the signs, as they are written."""
    for found in _SIGNS.finditer(text):
        sign = found[0][:MAX_TERM]
        if not _LOWER_WORDS.fullmatch(sign):
            yield sign
            if "." in sign or "/" in sign:
                yield re.split(r"[./]", sign)[-1]


def without_deep_frames(text: str) -> str:
    """Leave out the lines of a stack trace that are far from the fault."""
    kept: list[str] = []
    frames = 0
    for line in text.split("\n"):
        if _FRAME.match(line):
            frames += 1
            if frames > MAX_FRAMES:
                continue
        elif line.strip():
            frames = 0 if not line.lstrip().startswith(("...", "Caused by")) else frames
        kept.append(line)
    return "\n".join(kept)


def top(counts: Counter[str], weight: Iterable[float], most: int) -> list[str]:
    """Give the ``most`` heaviest terms; ``weight`` goes with the terms of ``counts`` in order."""
    ranked = sorted(zip(counts, weight, strict=True), key=lambda item: (-item[1], item[0]))
    return [term for term, _ in ranked[:most]]
