"""How a ticket is built, apart from its words: lengths, pasted parts, links, marks, and the manner it is written in.

Rules: every sign is a short token ``name:value``; counts are taken in powers of two, so that one line more or less
makes no difference. Signs quote at most single words of the text.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from twokey.agents.triage.text import Parts
from twokey.agents.triage.words import words

_REFERENCE: Final = re.compile(r"(?<!\w)#\d{1,9}")
_MENTION: Final = re.compile(r"(?<!\w)@\w")
_VERSION: Final = re.compile(r"\b\d{1,4}\.\d")
_FENCED: Final = re.compile(r"^```(\w{1,15})", re.MULTILINE)
_TOPIC: Final = re.compile(r"\[?([\w./ -]{1,20})[:\]]")
_TRACE: Final = re.compile(r"Traceback|\bat \w{1,60}[.(]|Exception|Error")
_SMALL_I: Final = re.compile(r"(?<!\w)i (?!\.)")
_THANKS: Final = re.compile(r"thank|please|hello|hi ")
_END: Final = re.compile(r"[.!?]\s")
_MANNER: Final = ("i", "we", "you", "my", "it", "this", "should", "would", "could", "can", "not", "but", "when")
_PER: Final = 200
"""Words that a frequency is counted per."""
_NO_ANSWER: Final = frozenset({"_no response_", "no response"})


def bucket(count: int) -> int:
    """Give 0 for 0, 1 for 1 and 2, 2 for 3 to 6, and so on."""
    return (count + 1).bit_length() - 1


def build(parts: Parts) -> Iterator[str]:
    """Tell how the ticket is built."""
    for name, count in (
        ("characters", parts.characters),
        ("prose", sum(map(len, parts.prose))),
        ("pasted", len(parts.pasted)),
        ("fences", parts.fences),
        ("quotes", parts.quotes),
        ("links", parts.links),
        ("images", parts.images),
        ("boxes", parts.boxes),
        ("ticked", parts.ticked),
        ("fields", len(parts.fields)),
        ("hints", len(parts.hints)),
        ("asks", sum(line.count("?") for line in parts.prose)),
    ):
        yield f"{name}:{bucket(count)}"
    yield from _title(parts.title)
    opening = words(parts.prose[0]) if parts.prose else []
    yield f"opens:{' '.join(opening[:2])}"
    yield f"opens with:{' '.join(opening[:1])}"
    pasted = " ".join(parts.pasted[:200])
    yield f"trace:{_TRACE.search(pasted) is not None}"
    low = pasted.lower()
    yield f"warning:{'warning' in low}"
    yield f"error:{'error' in low}"


def _title(title: str) -> Iterator[str]:
    said = words(title)
    yield f"title asks:{title.endswith('?')}"
    yield f"title first:{''.join(said[:1])}"
    yield f"title last:{''.join(said[-1:])}"
    yield f"title words:{bucket(len(said))}"
    yield f"title ticked:{'`' in title}"
    yield f"title colon:{':' in title}"
    yield f"title case:{title[:1].isupper()}"
    if title.startswith("["):
        yield f"title bracket:{title[1:12].lower()}"


def manner(parts: Parts) -> Iterator[str]:
    """Tell in which manner the ticket is written."""
    low, prose = parts.raw.lower(), " . ".join(parts.prose)
    said = words(prose)
    for name, count in (
        ("references", len(_REFERENCE.findall(parts.raw))),
        ("source links", low.count("/blob/")),
        ("forge links", low.count("github.com") + low.count("gitlab.com")),
        ("changes", low.count("/pull/") + low.count(" pr ")),
        ("mentions", len(_MENTION.findall(prose))),
        ("unanswered", sum(answer in _NO_ANSWER for _, answer in parts.fields)),
        ("agreed", sum(answer in {"yes", "true"} for _, answer in parts.fields)),
        ("versions", len(_VERSION.findall(prose))),
        ("exclaims", prose.count("!")),
    ):
        yield f"{name}:{bucket(count)}"
    yield from _sentences(prose)
    yield from _frequencies(said)
    for language in _FENCED.findall(parts.raw[:8_000])[:3]:
        yield f"fenced:{language.lower()}"
    last = words(parts.prose[-1]) if parts.prose else []
    yield f"ends:{' '.join(last[:2])}"
    yield f"capitals:{sum(word[:1].isupper() for word in parts.title.split()[:30])}"
    topic = _TOPIC.match(parts.title)
    yield f"topic:{topic[1].lower() if topic is not None else ''}"
    yield f"first field:{parts.fields[0][0] if parts.fields else ''}"
    yield f"ascii:{parts.raw.isascii()}"
    yield f"small i:{_SMALL_I.search(prose) is not None}"
    yield f"thanks:{_THANKS.search(prose.lower()) is not None}"
    yield f"asks early:{'?' in prose[:300]}"
    yield f"says little:{len(said) < 4}"


def _sentences(prose: str) -> Iterator[str]:
    start = prose[:3_000]
    count = len(_END.findall(start)) + 1
    yield f"sentences:{bucket(count)}"
    yield f"sentence length:{bucket(len(start) // count)}"


def _frequencies(said: Sequence[str]) -> Iterator[str]:
    counts, total = Counter(said), len(said) + 1
    for word in _MANNER:
        yield f"{word}:{bucket(_PER * counts[word] // total)}"
