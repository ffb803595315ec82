"""Whether text from outside came alive in a rendered document. Parsers that are not ours say what is there.

Each function gives what it found amiss, in words; nothing found is an empty list.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from support.hostile import CANARY, LINK

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
EMPTY = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2800\u3164\ufe00\ufe0f\uffa0\U000e0100\U000e01ef")
TOKEN = re.compile(r"(?!.*//)[A-Za-z0-9_./:+-]+")
VALUE = re.compile(r"p-[0-9a-z]{12}\.[0-9a-f]{32}\.[0-9a-f]{32}(\.[1-9][0-9]{0,4})?")
LABEL = re.compile(
    r"state|STOPPED|EMERGENCY|undoes|instead of|shadow|successor|why|digest|files|findings|text|diff|evidence|rollback"
    r"|policy|answers|log|expires|console|seen|settle|undo|approve|refuse|request|understood|plan|steps|question|try"
    r"|proposals|result|what|next|goes on|found|links|[pr]-[0-9a-z]{12}|Twokey|Waits for you|You asked for|Your runs"
    r"|Findings|Evidence|How to undo|Why\?|Waits for approv|What will be wri|Proposed by Two"
)
# What GitHub would make something of in text that stands outside code.
GITHUB = re.compile(
    r"@[A-Za-z0-9]|#[0-9]|\bGH-[0-9]|://|www\.|:[a-z0-9_+-]+:|\[\^|\$|\b(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b|[*_~`<>&]|\]\("
)
KNOWN = re.compile(r"(paragraph|heading|list_item|bullet_list|strong)_(open|close)|link_close|softbreak|code_inline")
TAGS = {
    "article": {"class"}, "h1": set(), "h2": set(), "h3": set(), "p": set(), "small": set(), "span": set(), "strong": set(),
    "section": {"class"}, "ul": set(), "li": set(), "div": {"class"}, "pre": {"class", "dir"}, "code": {"class"}, "bdi": set(),
    "kbd": set(), "a": {"href", "rel"}, "form": {"method"}, "input": {"type", "name", "value"}, "button": {"class", "type"},
    "details": set(), "summary": set(), "label": set(), "textarea": {"name", "maxlength", "required"},
}  # fmt: skip


def hidden(text: str) -> list[str]:
    """Characters that act, or show nothing."""
    if text.isascii() and text.isprintable():
        return []
    return [f"U+{ord(item):04X}" for item in set(text) - {"\n", "\t"} if _hides(item)]


@functools.cache
def _hides(item: str) -> bool:
    return unicodedata.category(item) in HIDDEN or item in EMPTY


def in_slack(blocks: list[dict[str, Any]]) -> list[str]:
    """What came alive in Slack blocks."""
    return [*_slack(blocks, code=False)]


def _slack(value: Any, *, code: bool) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _slack(inner, code=code)
        return
    kind = value.get("type")
    if kind in {"mrkdwn", "markdown", "user", "usergroup", "channel", "broadcast", "emoji", "date", "image"}:
        yield f"a {kind}"
    if kind == "link" and value["url"] != LINK:
        yield "a link"
    if kind == "button" and not VALUE.fullmatch(value["value"]):
        yield "a value that is not ours"
    code = code or kind == "rich_text_preformatted" or "code" in value.get("style", ())
    for name, inner in value.items():
        if isinstance(inner, str) and name in {"text", "block_id", "action_id"}:
            if CANARY in inner and not code:
                yield f"text from outside in {kind}"
            yield from hidden(inner)
        elif isinstance(inner, (dict, list)):
            yield from _slack(inner, code=code)


def in_markdown(text: str) -> list[str]:
    """What came alive in Markdown; CommonMark with tables and strikethrough says what is code."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [*hidden(text), *_tokens(tokens)]


def _tokens(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        kind, content = token.type, token.content
        if kind == "inline":
            yield from _tokens(token.children or ())
        elif kind == "text":
            yield from _text(content)
        elif kind == "fence":
            yield from () if token.info in {"text", "diff"} else (f"a fence of {token.info}",)
        elif kind == "html_inline":
            yield from () if content in {"<sub>", "</sub>"} else (f"HTML: {content}",)
        elif kind == "link_open":
            yield from () if token.attrs == {"href": LINK} else (f"a link: {token.attrs}",)
        elif not KNOWN.fullmatch(kind):
            yield f"a {kind}"


def _text(content: str) -> Iterator[str]:
    if CANARY in content:
        yield "text from outside that is not code"
    if GITHUB.search(content):
        yield f"alive on GitHub: {content}"


class Page(HTMLParser):
    """Reads HTML as a browser does, and keeps what is wrong with it and what stood in each ``pre``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.found: list[str] = []
        self.passages: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag not in TAGS or not names.keys() <= TAGS[tag]:
            self.found.append(f"<{tag} {names}>")
        if names.get("href", LINK) != LINK:
            self.found.append(f"a link: {names}")
        if tag == "input" and names["name"] == "value" and not VALUE.fullmatch(str(names["value"])):
            self.found.append(f"a value that is not ours: {names}")
        if any(CANARY in str(value) for value in names.values()):
            self.found.append("text from outside in an attribute")
        if tag == "pre":
            self.passages.append("")
        if tag != "input":
            self.open.append((tag, names))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop()[0] != tag:
            self.found.append(f"</{tag}> out of place")

    def handle_data(self, data: str) -> None:
        kind = str(self.open[-1][1].get("class")) if self.open else ""
        if CANARY in data and "foreign" not in kind and not (kind == "name" and TOKEN.fullmatch(data)):
            self.found.append(f"text from outside in {self.open[-1][0]}")
        if self.open and self.open[-1][0] == "pre":
            self.passages[-1] += data
        self.found += hidden(data)

    def handle_comment(self, data: str) -> None:
        self.found.append(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        self.found.append(f"a declaration: {data}")


def in_html(text: str) -> list[str]:
    """What came alive in HTML."""
    page = Page()
    page.feed(text)
    page.close()
    return [*page.found, *(["not closed"] if page.open else [])]


def in_terminal(lines: Iterable[str], labels: int, width: int | None = None) -> list[str]:
    """What came alive in a terminal, or stands where our labels stand."""
    found: list[str] = []
    for line in lines:
        found += hidden(line.replace("\t", "\x00"))
        if "\n" in line:
            found.append("a line break")
        label = line[:labels].strip()
        if label and not LABEL.fullmatch(label):
            found.append(f"a label that is none of ours: {line}")
        if width is not None and columns(line) > width:
            found.append(f"wider than {width}: {line}")
    return found


def columns(line: str) -> int:
    """Columns of a line: wide characters take two, marks none."""
    if line.isascii():
        return len(line)
    return sum(map(_columns, line))


@functools.cache
def _columns(item: str) -> int:
    return 0 if unicodedata.combining(item) else 2 if unicodedata.east_asian_width(item) in "WF" else 1
