"""Where the arguments of a draft really came from, as far as Twokey can tell by itself.

Rules: an agent's word is a claim. What can be checked is checked: `request` has to occur in what was asked, `config`
has to be a place or a name of the settings, `evidence` has to cite some; else the claim counts as `untrusted`.
Evidence is trusted where Twokey made it and the log says so, never because its row says so. Whatever label stands
beside it, a value that untrusted evidence of the run holds is named, unless the request, the settings or a receipt name
it too. A value that is longer than any name is named as well, since nobody looks for it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from twokey.core.canonical import Json
from twokey.core.values import Evidence, Origin, Provenance, Request, Resource
from twokey.tools.contract import Places

MAX_NAME: Final = 1000
"""Characters of the longest value that is looked for."""
MAX_DEPTH: Final = 5
_SEGMENT: Final = re.compile(r"[a-z0-9_]{1,40}")
_MAX_PATH: Final = 100
_BEFORE: Final = r"(?<![\w/\\@:.-])"
_AFTER: Final = r"(?!\.?[\w/\\@:-])"


@dataclass(frozen=True, slots=True)
class Read:
    """One piece of evidence of the run, with what it holds. ``receipt``: the log says that Twokey made it."""

    evidence: Evidence
    content: Json
    receipt: bool = False
    vouched: Json = None
    """What of the content the resource lists by itself: names in it are known to the resource."""

    @property
    def trusted(self) -> bool:
        """Whether Twokey made it itself."""
        return self.receipt and self.evidence.trusted


@dataclass(frozen=True, slots=True)
class Origins:
    """What was found: the claims as they count, and arguments whose values untrusted evidence holds."""

    provenance: tuple[Origin, ...]
    copied: tuple[str, ...]
    mentioned: tuple[str, ...]


def origin_of(resource: Resource) -> str:
    """Give what evidence that was read from ``resource`` names as its origin."""
    return f"{resource.kind} {resource.id}"[:400]


class Known:
    """What a run has ``read``, made ready once to be searched for what is written to the resource of origin ``own``."""

    def __init__(self, read: Sequence[Read], own: str) -> None:
        self.own: Final = own
        self.evidence: Final = {item.evidence.id: item for item in read}
        self.receipts: Final = {text for item in read if item.trusted for text in scalars(item.content)}
        mine = [item for item in read if not item.trusted and item.evidence.origin == own]
        elsewhere = [item for item in read if not item.trusted and item.evidence.origin != own]
        self.listed: Final = {text for item in mine for text in scalars(item.vouched, names=False)}
        self.ours, self.others = (
            _Text(text for item in part for text in scalars(item.content)) for part in (mine, elsewhere)
        )


def examine(
    args: dict[str, Any], claims: Iterable[Provenance], *, request: Request, places: Places, known: Known
) -> Origins:
    """Hold the claims about ``args`` of a write against what was asked, configured and read."""
    leaves = list(_leaves(args))
    asked = _Asked(request, places)
    provenance = tuple(_origin(claim, leaves, asked, known.evidence, known.own) for claim in claims)
    copied, mentioned = _copies(leaves, asked, known)
    return Origins(provenance, tuple(sorted(copied)), tuple(sorted(mentioned)))


def _origin(
    claim: Provenance, leaves: list[tuple[str, str]], asked: "_Asked", evidence: dict[str, Read], own: str
) -> Origin:
    values = [value for path, value in leaves if path == claim.path or path.startswith(f"{claim.path}.")]
    cited = [evidence.get(name) for name in claim.evidence]
    label = claim.label
    if (
        (label == "request" and not all(asked.named(value) for value in values))
        or (label == "config" and not all(value in asked.configured for value in values))
        or (label == "evidence" and not cited)
    ):
        label = "untrusted"
    return Origin(
        path=claim.path,
        label=label,
        evidence=claim.evidence,
        trusted=all(item is not None and item.trusted for item in cited),
        same_resource=all(item is not None and (item.trusted or item.evidence.origin == own) for item in cited),
    )


def _copies(leaves: list[tuple[str, str]], asked: "_Asked", known: Known) -> tuple[set[str], set[str]]:
    """Give the paths whose values untrusted evidence holds: not known to the resource itself, and known to it."""
    copied, mentioned = set[str](), set[str]()
    for value in {value for _, value in leaves}:
        if value in known.receipts or value in asked.configured or (len(value) <= MAX_NAME and asked.named(value)):
            continue
        where = {path for path, other in leaves if other == value}
        if len(value) > MAX_NAME:
            copied |= where
        elif value not in known.listed:
            copied |= where if known.ours.holds(value) or known.others.holds(value) else set()
        elif known.others.holds(value) or known.ours.speaks_of(value):
            mentioned |= where
    return copied, mentioned


class _Asked:
    """What the request and the settings name."""

    def __init__(self, request: Request, places: Places) -> None:
        self.configured = {item.resource.id for item in places.items if item.resource.granted_by == "config"}
        self.configured |= places.names
        self._named = {item.resource.id for item in places.items if item.resource.granted_by == "request"}
        self._text = "\n".join((request.text, *scalars(request.args)))

    def named(self, value: str) -> bool:
        """Tell whether the request names ``value``, as a whole and not as a part of something else."""
        if value in self._named:
            return True
        # A pattern is built only for what is there at all: most values are not.
        return (
            value != ""
            and value in self._text
            and re.search(_BEFORE + re.escape(value) + _AFTER, self._text) is not None
        )


class _Text:
    """Many pieces of text, searched regardless of case and form."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._all = "".join(f"\0{_folded(piece)}\0" for piece in dict.fromkeys(pieces))

    def holds(self, value: str) -> bool:
        """Tell whether a piece is ``value`` or has it in it."""
        return _folded(value) in self._all

    def speaks_of(self, value: str) -> bool:
        """Tell whether a piece has ``value`` in it and is more than that."""
        folded = _folded(value)
        return self._all.count(folded) > self._all.count(f"\0{folded}\0")


def _folded(text: str) -> str:
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return folded.replace("\0", " ")


def _leaves(args: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the path of every value; items of a list have the path of the list. Odd names count as values, too."""
    waiting: list[tuple[str, int, object]] = [("", 0, args)]
    while waiting:
        path, depth, node = waiting.pop()
        if isinstance(node, dict):
            for key, item in cast("dict[str, object]", node).items():
                inner = f"{path}.{key}" if path else key
                if depth <= MAX_DEPTH and _SEGMENT.fullmatch(key) and len(inner) <= _MAX_PATH:
                    waiting.append((inner, depth + 1, item))
                else:
                    waiting.append((path, depth, item))
                    yield path, key
        elif isinstance(node, list | tuple):
            waiting.extend((path, depth, item) for item in cast("list[object]", node))
        elif isinstance(node, str | int) and not isinstance(node, bool) and node != "":
            yield path, str(node)


def scalars(content: Json, *, names: bool = True) -> Iterator[str]:
    """Give every string and number in ``content``, and the ``names`` of keys where they are asked for."""
    waiting: list[object] = [content]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            named = cast("dict[str, object]", node)
            waiting.extend(named.values())
            if names:
                yield from named
        elif isinstance(node, list | tuple):
            waiting.extend(cast("list[object]", node))
        elif isinstance(node, str | int) and not isinstance(node, bool):
            yield str(node)
