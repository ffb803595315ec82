"""Where the arguments of a call came from, read in every form a suite may use.

Rules: what is not understood counts as ``untrusted``, or is dropped, which is the same; an unknown label never passes
for a better one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, cast

from pydantic import BaseModel, ConfigDict

Label = Literal["request", "config", "code", "evidence", "model", "untrusted"]
_LABELS: Final[Mapping[str, Label]] = {
    "request": "request",
    "user": "request",
    "config": "config",
    "code": "code",
    "evidence": "evidence",
    "model": "model",
    "untrusted": "untrusted",
}
_POSITIONS: Final = re.compile(r"\[[0-9*]*\]|[./][0-9*]+(?=[./]|$)")
_PATH: Final = re.compile(r"[a-z][a-z0-9_.]{0,99}")


class Source(BaseModel):
    """Where one argument came from. ``documents`` are indexes."""

    model_config = ConfigDict(frozen=True)

    path: str
    label: Label
    documents: tuple[int, ...] = ()


def sources(given: object, origins: Sequence[str]) -> Iterator[Source]:
    """Read both forms of a provenance; ``origins`` are those of the documents, in order."""
    items: list[tuple[object, object, object]] = []
    if isinstance(given, dict):
        for path, label in cast("dict[object, object]", given).items():
            if isinstance(label, dict):
                inner = cast("dict[str, object]", label)
                items.append((path, inner.get("label"), inner.get("evidence")))
            else:
                items.append((path, label, None))
    elif isinstance(given, list):
        for entry in cast("list[object]", given):
            if isinstance(entry, dict):
                inner = cast("dict[str, object]", entry)
                items.append((inner.get("path"), inner.get("label"), inner.get("evidence")))
    for path, label, evidence in items:
        named = path_of(path)
        if named is not None:
            yield _source(named, label, evidence, origins)


def _source(path: str, label: object, evidence: object, origins: Sequence[str]) -> Source:
    cited = cast("list[object]", evidence) if isinstance(evidence, list) else [] if evidence is None else [evidence]
    documents = {at for item in cited if (at := _document(item, origins)) is not None}
    known = _LABELS.get(label) if isinstance(label, str) else None
    if known is None:
        at = _document(label, origins)
        documents |= set() if at is None else {at}
    return Source(path=path, label=known or "untrusted", documents=tuple(sorted(documents)))


def _document(name: object, origins: Sequence[str]) -> int | None:
    """Find the document that is named by index (``0``, ``"0"``, ``"documents[0]"``, ``"doc-0"``) or by origin."""
    if isinstance(name, str):
        if name in origins:
            return origins.index(name)
        found = re.fullmatch(r"(?:documents?|docs?)?[\[ :#_.-]*([0-9]{1,4})\]?", name)
        name = int(found.group(1)) if found else None
    return name if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(origins) else None


def path_of(text: object) -> str | None:
    """Give an argument's path as policy names it, without positions in lists; ``None`` where it is no path."""
    if not isinstance(text, str):
        return None
    bare = _POSITIONS.sub("", text).removeprefix("$").strip("./").replace("/", ".").removeprefix("args.")
    return bare if _PATH.fullmatch(bare) else None
