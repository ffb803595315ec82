"""What a ticket's text consists of: what somebody wrote, what they pasted, and what a form asked.

Rules
- Every text is accepted: empty, binary, a megabyte in one line, any language and direction. What lies beyond the bounds
  is not read; the beginning and the end of a text are.
- The work grows linearly with what is read. No pattern here can be made to search long: every repeat is over one class
  of characters or bounded.
- Nothing of the text is interpreted: tags are dropped, entities are decoded once, links stay unvisited words.
- Control characters, zero-width and direction marks are taken out, so that words which look alike are read alike
  (Unicode NFKC).

A text is taken line by line, in the manner of CommonMark (https://spec.commonmark.org/0.31.2/): fenced and
indented code, quotes (``>``), headings. What looks like a log or a stack trace is pasted, too, wherever it stands.
"""

import html
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final

MAX_TITLE: Final = 400
MAX_HEAD: Final = 16_000
MAX_TAIL: Final = 4_000
"""Characters of a body that are read: this many from the beginning, and from the end."""
MAX_LINE: Final = 1_000
MAX_FIELDS: Final = 40
MAX_ANSWER: Final = 60
"""An answer longer than this is prose and no choice of a form."""
MOSTLY: Final = 0.2
"""Share of characters that are none which makes a text binary."""

_FENCE: Final = re.compile(r" {0,3}(?:```|~~~)")
_HEADING: Final = re.compile(r" {0,3}#{1,6} {0,8}(?=[^ #])")
_BOLD: Final = re.compile(r"(?:\*\*|__)([^*_]{2,120})(?:\*\*|__) ?:?(.*)")
_LABELLED: Final = re.compile(r"(?:[-*] )?([^\W\d_][^:?!.,()]{1,38}): {1,4}(\S.{0,60})$")
_BOX: Final = re.compile(r"[-*] \[[ xX]\] ")
_PASTED: Final = re.compile(
    r"(?:Traceback \(most|File \"|at [\w$.<>]{2,120} ?\(|Caused by: |>>> |\$ |#\d{1,3} 0x|0x[0-9a-fA-F]{6}"
    r"|\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?\d\d:\d\d:\d\d"
    r"|(?:[A-Za-z]{1,30}\.){0,6}[A-Za-z]{1,40}(?:Error|Exception)\b ?:"
    r"|(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL)\b|diff --git|[+-]{3} [ab]/|@@ )"
)
_URL: Final = re.compile(r"\b(?:https?|ftp|www)(?:://|\.)[^\s<>()\[\]\"']{1,400}")
_IMAGE: Final = re.compile(r"!\[[^\]\n]{0,200}\](?:\([^()\s]{0,400}\))?")
_TICKED: Final = re.compile(r"`([^`\n]{1,200})`")
_DROPPED: Final = {"Cc", "Cf", "Co", "Cs", "Cn"}
_TAG: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9-]{0,20}(?:[\s/][^<>]{0,300})?>")
_MARKUP: Final = str.maketrans(dict.fromkeys("*`#~|", " "))


@dataclass(frozen=True, slots=True)
class Parts:
    """A ticket taken apart. All text is plain, in Unicode NFKC, without marks that cannot be seen."""

    title: str
    prose: tuple[str, ...]
    """Lines somebody wrote, pasted parts and quotes left out."""
    pasted: tuple[str, ...]
    """Lines of code, logs and traces."""
    fields: tuple[tuple[str, str], ...]
    """Headings in order, in lower case, each with its answer where that is short, else an empty one."""
    raw: str
    """The body as far as it is read, with its markup."""
    hints: tuple[str, ...]
    """Lines of comments that only the editor shows: what a form told the writer to do."""
    fences: int = 0
    quotes: int = 0
    links: int = 0
    images: int = 0
    boxes: int = 0
    ticked: int = 0
    """Words in backticks."""
    binary: bool = False
    characters: int = 0
    """Length of the body as it came."""


def take_apart(title: str, body: str) -> Parts:
    """Take a ticket apart; never fails."""
    characters = len(body)
    if len(body) > MAX_HEAD + MAX_TAIL:
        body = f"{body[:MAX_HEAD]}\n{body[-MAX_TAIL:]}"
    binary = _is_binary(body)
    raw = "" if binary else clean(body)
    shown, hints = _without_comments(raw)
    taker = _Taker()
    for line in shown.split("\n"):
        taker.take(line[:MAX_LINE].rstrip())
    count = taker.counts
    return Parts(
        title=clean(title[:MAX_TITLE]).replace("\n", " ").strip(),
        prose=tuple(taker.prose),
        pasted=tuple(taker.pasted),
        fields=tuple(taker.fields[:MAX_FIELDS]),
        raw=raw,
        hints=hints,
        fences=count["fences"],
        quotes=count["quotes"],
        links=count["links"],
        images=count["images"],
        boxes=count["boxes"],
        ticked=count["ticked"],
        binary=binary,
        characters=characters,
    )


def clean(text: str) -> str:
    """Give the text as it is read: NFKC, line feeds for line ends, and nothing that cannot be seen."""
    if text.isascii():
        plain = text if text.isprintable() else "".join(mark for mark in text if mark >= " " or mark in "\n\t\r")
    else:
        # a single character can stand for eighteen
        composed = unicodedata.normalize("NFKC", text)[: len(text) + MAX_LINE]
        plain = "".join(mark for mark in composed if mark in "\n\t\r" or unicodedata.category(mark) not in _DROPPED)
    return plain.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")


def _is_binary(text: str) -> bool:
    sample = text[:4_000]
    none = sum(
        mark == "\ufffd" or (mark < " " and mark not in "\n\t\r\f\x1b") or "\ud800" <= mark <= "\udfff"
        for mark in sample
    )
    return none > MOSTLY * len(sample)


def _without_comments(text: str) -> tuple[str, tuple[str, ...]]:
    kept: list[str] = []
    hints: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        kept.append(text[at:start])
        end = text.find("-->", start + 4)
        if end < 0:
            # an open comment hides what follows from a reader of the page, and not from us
            at = start + 4
            break
        hints.extend(line.strip() for line in text[start + 4 : end].split("\n") if line.strip())
        at = end + 3
    kept.append(text[at:])
    return "".join(kept), tuple(hints[:MAX_FIELDS])


class _Taker:
    """Takes lines in their order and sorts them."""

    def __init__(self) -> None:
        self.prose: list[str] = []
        self.pasted: list[str] = []
        self.fields: list[tuple[str, str]] = []
        self.counts: Counter[str] = Counter()
        self._fence = ""
        self._after_blank = True
        self._asked = False

    def take(self, line: str) -> None:
        stripped = line.lstrip()
        fenced = _FENCE.match(line) is not None
        if self._fence:
            if fenced and stripped.startswith(self._fence):
                self._fence = ""
            elif stripped:
                self.pasted.append(stripped)
        elif fenced:
            self._fence, self._asked = stripped[:3], False
            self.counts["fences"] += 1
        elif not stripped:
            self._after_blank = True
        else:
            self._take_open(line, stripped)

    def _take_open(self, line: str, stripped: str) -> None:
        indented = self._after_blank and line.startswith("    ")
        self._after_blank = indented
        if stripped.startswith(">") and not stripped.startswith(">>>"):
            self.counts["quotes"] += 1
        elif indented or _PASTED.match(stripped) is not None:
            self.pasted.append(stripped)
        else:
            self._take_prose(stripped)

    def _take_prose(self, stripped: str) -> None:
        self.counts["links"] += len(_URL.findall(stripped))
        self.counts["images"] += len(_IMAGE.findall(stripped)) + stripped.count("<img")
        self.counts["ticked"] += len(_TICKED.findall(stripped))
        self.counts["boxes"] += _BOX.match(stripped) is not None
        said = plain(stripped)
        if not said:
            return
        self.prose.append(said)
        field = _field(stripped, said)
        if field is not None:
            self.fields.append(field)
            self._asked = not field[1]
        elif self._asked:
            # the first line under a heading answers it
            self._asked = False
            if len(said) <= MAX_ANSWER:
                self.fields[-1] = (self.fields[-1][0], said.casefold())


def plain(line: str) -> str:
    """Give a line without tags, markup, links and entities."""
    if "<" in line:
        line = _without_tags(line)
    if "&" in line:
        line = html.unescape(line)
    line = _URL.sub(" ", _IMAGE.sub(" ", line))
    return " ".join(line.translate(_MARKUP).split())


def _without_tags(line: str) -> str:
    kept: list[str] = []
    at = 0
    for match in _TAG.finditer(line):
        kept.append(line[at : match.start()])
        at = match.end()
    kept.append(line[at:])
    return " ".join(kept)


def _field(stripped: str, said: str) -> tuple[str, str] | None:
    heading = _HEADING.match(stripped)
    if heading is not None:
        return _name(said), ""
    bold = _BOLD.match(stripped)
    if bold is not None:
        return _name(plain(bold[1])), plain(bold[2])[:MAX_ANSWER].casefold()
    labelled = _LABELLED.match(said)
    return (_name(labelled[1]), labelled[2].casefold()) if labelled is not None else None


def _name(said: str) -> str:
    return said.casefold().strip(" :?.*")[:MAX_ANSWER]
