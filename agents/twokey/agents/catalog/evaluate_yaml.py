"""How well property files are edited: ``twokey eval yaml DIR``.

Rules: the editor is the product's own (``properties``), with nothing special-cased, and ``yaml_score`` judges it
without its code. Every ``.yml`` and ``.yaml`` below the folder is read, links not followed. Per file: it is written
back without a change; then every column of a model, seed, snapshot or source table that lacks a description or a test
gets one, one node gets a new column, and one description is changed. A file that the editor refuses as a whole counts
with its reason. ``files_per_s`` is files per second of processor time for reading, writing back and editing, without
the judging.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twokey.agents.catalog import properties, yaml_score
from twokey.agents.catalog.editing import SECTIONS
from twokey.agents.catalog.edits import AddColumn, AddTests, Column, Edit, SetDescription
from twokey.agents.catalog.properties import Edited, Refusal
from twokey.agents.catalog.vetting import NodeName
from twokey.agents.catalog.yaml_score import Path as Path_
from twokey.agents.catalog.yaml_score import Wish
from twokey.agents.catalog.yaml_tree import BYTE_ORDER_MARK, MAX_BYTES, Document, Plain, Unreadable, parse, plain
from twokey.core.errors import BadInput

MAX_FILES: Final = 100_000
MAX_TOTAL: Final = 1024 * 1024 * 1024

NEW_COLUMN: Final = "added_by_evaluation"
CHANGED: Final = "Told anew by the evaluation: this text replaces the one before."
_TEXTS: Final = (
    "What this column holds.",
    "One value a row: what the source says, unchanged.",
    "Wert der Größe in € (“netto”), as it's told.",
    (
        "A longer text, as people write it where a column needs to be explained: what it means, where it comes from, "
        "how often it is filled, and what to keep in mind when it is joined with something else."
    ),
)
_TESTS_KEYS: Final = ("data_tests", "tests")


@dataclass(slots=True)
class _Totals:
    """What the files gave so far."""

    files: int = 0
    identical: int = 0
    without_nodes: int = 0
    edits: int = 0
    refusals: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    noise: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    differences: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    edited_files: int = 0
    seconds: float = 0.0


def on_folder(folder: Path) -> dict[str, Any]:
    """Edit every property file below a folder in memory, and judge what came out; nothing is written.

    Gives ``files``, ``noop_identical``, ``edits`` (made), ``refused`` (edits or whole files that were not done),
    ``refused_share`` (of edits tried), ``reasons`` (code -> count), ``refusals`` (each with file, place, code and
    reason), ``files_edited``, ``files_without_nodes``, ``noise_lines``, ``noise``, ``semantic_changes``, ``changes``,
    ``seconds`` and ``files_per_s``.

    Raises:
        BadInput: there is no such folder, no file in it, or more than can be read.

    """
    totals = _Totals()
    for path in _paths(folder):
        _one(totals, folder, path)
    tried = totals.edits + len(totals.refusals)
    return {
        "files": totals.files,
        "noop_identical": totals.identical,
        "edits": totals.edits,
        "refused": len(totals.refusals),
        "refused_share": round(len(totals.refusals) / tried, 4) if tried else 0.0,
        "reasons": dict(Counter(each["code"] for each in totals.refusals).most_common()),
        "files_edited": totals.edited_files,
        "files_without_nodes": totals.without_nodes,
        "noise_lines": len(totals.noise),
        "semantic_changes": len(totals.differences),
        "seconds": round(totals.seconds, 4),
        "files_per_s": round(totals.files / totals.seconds, 1) if totals.seconds else 0.0,
        "refusals": totals.refusals,
        "noise": totals.noise,
        "changes": totals.differences,
    }


def edited(data: bytes) -> Edited:
    """Make the edits of the evaluation to one file.

    Raises:
        Unreadable: the file is no YAML that can be read safely.

    """
    return properties.edit(data, [edit for edit, _ in _asked(_content(parse(data)))])


def _content(document: Document) -> Plain:
    return None if document.root is None else plain(document.root)


def _paths(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BadInput("There is no such folder.", next="Name a folder with dbt property files.", code="no_folder")
    found: list[Path] = []
    size = 0
    for at, _, names in os.walk(folder):
        for name in names:
            path = Path(at, name)
            if path.suffix.lower() in {".yml", ".yaml"} and path.is_file() and not path.is_symlink():
                found.append(path)
                size += path.stat().st_size
        if len(found) > MAX_FILES or size > MAX_TOTAL:
            raise BadInput("The folder holds more than is read at once.", next="Name a smaller one.", code="too_large")
    if not found:
        raise BadInput("The folder holds no .yml or .yaml file.", next="Name another folder.", code="no_files")
    return sorted(found)


def _one(totals: _Totals, folder: Path, path: Path) -> None:
    name = path.relative_to(folder).as_posix()
    began = time.process_time()
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    totals.files += 1
    try:
        document = parse(data)
        totals.identical += properties.rewritten(document) == data
    except Unreadable as error:
        totals.identical += properties.edit(data, [SetDescription("none", None, CHANGED)]).text == data
        totals.seconds += time.process_time() - began
        totals.refusals.append({"file": name, "place": "", "edit": "", "code": error.code, "reason": error.message})
        return
    asked = _asked(_content(document))
    edited = properties.edit(data, tuple(edit for edit, _ in asked), parsed=document)
    totals.seconds += time.process_time() - began
    totals.without_nodes += not asked
    totals.edits += len(edited.applied)
    totals.edited_files += bool(edited.applied)
    totals.refusals += [_refusal(name, refusal) for refusal in edited.refused]
    before, after = (text.decode().removeprefix(BYTE_ORDER_MARK) for text in (data, edited.text))
    wishes = {id(edit): wish for edit, wish in asked}
    found = yaml_score.score(before, after, [wishes[id(edit)] for edit in edited.applied])
    totals.noise += [{"file": name, "line": line[:200]} for line in found.noise]
    totals.differences += [{"file": name, "place": place} for place in found.differences]


def _refusal(name: str, refusal: Refusal) -> dict[str, str]:
    edit = refusal.edit
    node = edit.node if isinstance(edit.node, str) else ".".join(edit.node)
    column = edit.column if isinstance(edit, SetDescription | AddTests) else NEW_COLUMN
    place = node if column is None else f"{node}.{column}"
    return {
        "file": name,
        "place": place,
        "edit": type(edit).__name__,
        "code": refusal.code,
        "reason": refusal.reason,
    }


# --- what is asked -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """A node of a file: its address for the editor, where it stands, and what it says."""

    node: NodeName
    path: Path_
    said: Mapping[str, Plain]

    @property
    def columns(self) -> "list[tuple[str, Path_, Mapping[str, Plain]]]":
        return [
            (str(each["name"]), (*self.path, "columns", number), each)
            for number, each in _named(self.said.get("columns"))
        ]


def _asked(content: Plain) -> list[tuple[Edit, Wish]]:
    """Give every edit to make, each with what it should lead to."""
    places = list(_places(content)) if isinstance(content, dict) else []
    asked: list[tuple[Edit, Wish]] = []
    for place in places:
        for name, path, said in place.columns:
            if _is_blank(said.get("description")):
                text = _TEXTS[len(asked) % len(_TEXTS)]
                asked.append((SetDescription(place.node, name, text), Wish(path, ("description",), text)))
            if not any(said.get(key) for key in _TESTS_KEYS):
                wish = Wish(path, _TESTS_KEYS, items=("not_null",))
                asked.append((AddTests(place.node, name, ("not_null",)), wish))
    for place in [*(each for each in places if each.columns), *places][:1]:
        column = Column(NEW_COLUMN, _TEXTS[0])
        item = {"name": NEW_COLUMN, "description": _TEXTS[0]}
        asked.append((AddColumn(place.node, column), Wish(place.path, ("columns",), items=(item,))))
    for node, name, path in list(_described(places))[:1]:
        asked.append((SetDescription(node, name, CHANGED, replace=True), Wish(path, ("description",), CHANGED)))
    return asked


def _places(content: Mapping[str, Plain]) -> Iterator[_Place]:
    for section in SECTIONS:
        for number, each in _named(content.get(section)):
            yield _Place(str(each["name"]), (section, number), each)
    for outer, source in _named(content.get("sources")):
        for number, each in _named(source.get("tables")):
            yield _Place((str(source["name"]), str(each["name"])), ("sources", outer, "tables", number), each)


def _named(value: Plain) -> Iterator[tuple[int, Mapping[str, Plain]]]:
    for number, each in enumerate(value if isinstance(value, list) else []):
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield number, each


def _described(places: Iterable[_Place]) -> Iterator[tuple[NodeName, str | None, Path_]]:
    for place in places:
        if not _is_blank(place.said.get("description")):
            yield place.node, None, place.path
        for name, path, said in place.columns:
            if not _is_blank(said.get("description")):
                yield place.node, name, path


def _is_blank(value: Plain) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
