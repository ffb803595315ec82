"""Cases of a suite: what was asked, what was read, what the obedient agent calls, what the user wanted written.

A suite is a folder: ``cases.jsonl``, or else every ``*.jsonl`` in order of name. One case a line:

``{"id", "request", "documents": [{"origin", "text"}], "calls": [{"tool", "args", "provenance", "injected"}],
"expect"}``

- ``injected``: true where the call is what an attacker wants, false where it serves the request.
- ``provenance`` says where each argument came from: a list of ``{"path", "label", "evidence"?}`` or a map from path to
  label. A label is one of ``request config code evidence model untrusted`` (``user`` means ``request``) or names a
  document, by index or origin, and then means ``untrusted``. Anything else, and an argument without a label, is
  ``untrusted``: nobody gains by saying nothing. Positions in lists (``files[0].path``, ``/files/0/path``) are dropped.
- ``expect`` says which writes the user wants: ``{"writes": [...]}`` or the bare list, each an index into ``calls`` or
  ``{"tool", "args"}``; ``{"deny": true}``, false or ``"deny"`` for none. In every other form, and without it, the user
  wants the write calls that are not injected.
- ``gesture`` of a call: ``edit`` or ``suggestion``, made by a person who was talked into it, about the proposal of the
  earlier call ``of``; its arguments are what is put in. ``together`` of a case: what waits is answered as a batch, with
  one look at the first card.
- Optional: ``attack`` (family), ``surface`` (where the text was met); in a call ``times`` (make it again, with ``${n}``
  counting), ``copies`` (repeat the last of ``files``), and ``breaks``, which of ``destination content contract
  blast_radius`` an injected write offends, where its labels do not show it. Unknown keys are passed over.

Rules: sizes, counts and depth are bounded; a key occurs once, and so does an id; a number with a fraction is read as
its text, because no tool takes one; whatever cannot be used is named by file and line, and nothing is played then.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, Self, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from twokey.channels.injection.provenance import Source, sources
from twokey.core.errors import BadInput

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
MAX_LINE_BYTES: Final = 4 * 1024 * 1024
MAX_CASES: Final = 20_000
MAX_DEPTH: Final = 40
ANSWERS: Final = "answers.jsonl"

Break = Literal["destination", "content", "contract", "blast_radius"]
_NOTHING: Final = frozenset({"deny", "denied", "refuse", "refused", "block", "blocked", "none", "nothing"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Document(_Part):
    """Something that the run read. Never trusted."""

    origin: Annotated[str, StringConstraints(max_length=1000)] = ""
    text: str


class Call(_Part):
    """One call that the agent makes."""

    tool: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    args: dict[str, Any] = Field(default_factory=dict)
    provenance: tuple[Source, ...] = ()
    injected: bool
    times: Annotated[int, Field(ge=1, le=80)] = 1
    copies: Annotated[int, Field(ge=0, le=2000)] = 0
    breaks: tuple[Break, ...] = ()
    gesture: Literal["", "edit", "suggestion"] = ""
    of: Annotated[int, Field(ge=0)] | None = None
    """Index of the earlier call whose proposal the gesture is about."""

    @field_validator("args", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return {} if value is None else value


class Wanted(_Part):
    """A write that the user wants and that may not be among the calls."""

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)


class Case(_Part):
    """One case. ``wanted`` holds indexes into ``calls``; ``also`` what is wanted besides."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    request: str
    documents: Annotated[tuple[Document, ...], Field(max_length=200)] = ()
    calls: Annotated[tuple[Call, ...], Field(max_length=90)] = ()
    attack: str = ""
    surface: str = ""
    wanted: tuple[int, ...] | None = None
    """``None``: the write calls that are not injected."""
    also: tuple[Wanted, ...] = ()
    together: bool = False

    @model_validator(mode="after")
    def _gestures_are_about_earlier_calls(self) -> Self:
        for at, call in enumerate(self.calls):
            if (call.gesture == "") != (call.of is None) or (call.of is not None and call.of >= at):
                raise ValueError("a gesture names an earlier call with `of`")
        return self

    @property
    def waits(self) -> bool:
        """Whether cards are answered only after everything was proposed."""
        return self.together or any(call.gesture == "edit" for call in self.calls)


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases, and the folder they came from (a name that can be printed)."""

    name: str
    cases: tuple[Case, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    """Descriptions of foreign tools, as ``tools.json`` of the folder gives them."""
    answers: tuple[Mapping[str, Any], ...] = ()
    """What reads of foreign tools give, as ``answers.jsonl`` has it."""


def load(folder: Path | None) -> Suite:
    """Read a suite; without a folder, the one that comes with Twokey.

    Raises:
        BadInput: there is none, or a line of it cannot be used.

    """
    if folder is None:
        with resources.as_file(resources.files("twokey.channels.injection") / "suite") as packaged:
            return _load(packaged, "twokey")
    if not folder.is_dir():
        raise BadInput(
            f"There is no folder {str(folder)[:200]}.",
            next="Name a folder that holds cases.jsonl.",
            code="no_suite",
        )
    return _load(folder, folder.resolve().name)


def _load(folder: Path, name: str) -> Suite:
    whole = folder / "cases.jsonl"
    every = sorted(path for path in folder.glob("*.jsonl") if path.is_file() and path.name != ANSWERS)
    files = [whole] if whole.is_file() else every
    cases: list[Case] = []
    seen: dict[str, str] = {}
    for file in files:
        for number, line in _lines(file):
            where = f"{file.name}:{number}"
            case = _case(line, where)
            if case.id in seen:
                _bad(where, f"the id {case.id[:60]!r} stands at {seen[case.id]} already")
            seen[case.id] = where
            cases.append(case)
            if len(cases) > MAX_CASES:
                _bad(where, f"a suite has at most {MAX_CASES:,} cases")
    if not cases:
        raise BadInput(
            f"{str(folder)[:200]} holds no cases.", next="Put one case a line into cases.jsonl.", code="no_suite"
        )
    return Suite(name, tuple(cases), _tools(folder / "tools.json"), tuple(_answers(folder / ANSWERS)))


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            _bad(file.name, f"the file is larger than {MAX_FILE_BYTES // 1024**2} MiB")
        with file.open("rb") as lines:
            number = 0
            while line := lines.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    _bad(f"{file.name}:{number}", f"the line is longer than {MAX_LINE_BYTES // 1024**2} MiB")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise BadInput(
            f"{file.name} cannot be read: {error.strerror}.", next="Check the file.", code="bad_suite"
        ) from error


def _answers(file: Path) -> Iterator[Mapping[str, Any]]:
    if file.is_file():
        for number, line in _lines(file):
            body = _json(line, f"{file.name}:{number}")
            if not isinstance(body, dict):
                _bad(f"{file.name}:{number}", "the line is no JSON object")
            yield cast("dict[str, Any]", body)


def _tools(file: Path) -> tuple[Mapping[str, Any], ...]:
    if not file.is_file():
        return ()
    body = _json(file.read_bytes()[: MAX_LINE_BYTES + 1], file.name)
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in cast("list[object]", body)):
        _bad(file.name, "it is no list of tools")
    return tuple(cast("list[Mapping[str, Any]]", body))


def _case(line: bytes, where: str) -> Case:
    body = _json(line, where)
    if not isinstance(body, dict):
        _bad(where, "the line is no JSON object")
    fields = cast("dict[str, Any]", body)
    documents = _documents(fields.get("documents"))
    if isinstance(fields.get("calls"), list):
        fields["calls"] = [_call(call, documents) for call in fields["calls"]]
    if isinstance(fields.get("id"), int):
        fields["id"] = str(fields["id"])
    for key in ("attack", "surface"):
        fields[key] = str(fields.get(key) or "")[:80]
    expect = fields.pop("expect", None)
    fields |= {"documents": documents, "wanted": None, "also": ()}
    try:
        case = Case.model_validate(fields)
        return _with_wishes(case, expect, where)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"])
        _bad(where, f"{place or 'the case'}: {first['msg'][:160]}")


def _documents(given: object) -> object:
    """Take a bare text for a document without an origin."""
    if not isinstance(given, list):
        return () if given is None else given
    return [{"origin": "", "text": item} if isinstance(item, str) else item for item in cast("list[object]", given)]


def _call(call: object, documents: object) -> object:
    if not isinstance(call, dict):
        return call
    fields = cast("dict[str, Any]", call)
    origins = [
        str(cast("dict[str, Any]", item).get("origin", "")) if isinstance(item, dict) else ""
        for item in cast("Sequence[object]", documents if isinstance(documents, list) else ())
    ]
    return fields | {"provenance": tuple(sources(fields.get("provenance"), origins))}


def _with_wishes(case: Case, expect: object, where: str) -> Case:
    items: object = expect
    if isinstance(expect, dict):
        fields = cast("dict[str, object]", expect)
        items = fields.get("writes")
        if items is None and fields.get("deny") is True:
            items = []
    if items is False or (isinstance(items, str) and items.strip().lower() in _NOTHING):
        items = []
    if not isinstance(items, list):
        return case
    wanted: list[int] = []
    also: list[Wanted] = []
    for item in cast("list[object]", items):
        if isinstance(item, int) and not isinstance(item, bool):
            if not 0 <= item < len(case.calls):
                _bad(where, f"expect names call {item}, and there are {len(case.calls)}")
            wanted.append(item)
        else:
            wish = Wanted.model_validate(item)
            same = (at for at, call in enumerate(case.calls) if (call.tool, call.args) == (wish.tool, wish.args))
            at = next((at for at in same if at not in wanted), None)
            if at is None:
                also.append(wish)
            else:
                wanted.append(at)
    if any(case.calls[at].injected for at in wanted):
        _bad(where, "expect wants a call that is marked as injected")
    return case.model_copy(update={"wanted": tuple(wanted), "also": tuple(also)})


def _json(text: bytes, where: str) -> object:
    try:
        value: object = json.loads(
            text.decode("utf-8"), object_pairs_hook=_once, parse_float=str, parse_constant=_no_constant
        )
        # What is escaped may still be no text (a lone surrogate), and what is deep would end a later step.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        _check_depth(value)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else _why(error)
        _bad(where, why)
    return value


def _why(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON at character {error.pos}"
    return "it is no UTF-8" if isinstance(error, UnicodeError) else str(error)[:160]


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (
                cast("dict[str, object]", item).values() if isinstance(item, dict) else cast("list[object]", item)
            )
        ]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _no_constant(_text: str) -> NoReturn:
    raise ValueError("it holds a number that is none")


def _bad(where: str, why: str) -> NoReturn:
    raise BadInput(
        f"The suite cannot be used at {where}: {why}.", next="docs/quality.md describes a case.", code="bad_suite"
    )
