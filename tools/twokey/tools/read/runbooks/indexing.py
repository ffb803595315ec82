"""The index of one folder of runbooks, kept up with it.

Rules: before anything is searched the folder is looked at whole. What is gone or was changed is taken out first and at
once, however little time there is; what is new or was changed is put in until the time is over, and the next call goes
on. So an answer never holds text that is not in the folder any more, and holds all that is there where it says that it
is complete. Secrets are masked before they reach the index. A file that was touched less than two seconds before it was
read is read again the next time, since its dates may not tell a further change (as git does with its own index).
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from twokey.core.values import Value
from twokey.tools.read.runbooks.markdown import Parsed, Section, parse
from twokey.tools.read.runbooks.masking import masked
from twokey.tools.read.runbooks.values import Unread
from twokey.tools.read.runbooks.walking import Folder, Seen, Unreadable, text_of
from twokey.tools.retrieval.index import Index, Text

_NOTE: Final = "runbooks/1"
_RACY_NS: Final = 2_000_000_000
_SHOWN_FACTS: Final = ("service", "services", "alert", "alerts", "tags", "component", "components")
"""Front matter that says what a whole file is about: its values count for each section."""
MAX_TITLE_FACTS: Final = 120


class Kept(Value):
    """One section in the index, and where it lies in its file."""

    number: int
    headings: tuple[str, ...]
    first: int
    last: int


class File(Value):
    """One file in the index. ``stamp`` is empty where its dates do not tell whether it changed."""

    stamp: str
    sha256: str
    blob: str
    """The id that git gives these bytes."""
    title: str
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    sections: tuple[Kept, ...]
    cut: bool = False


_FILES: Final[TypeAdapter[dict[str, File]]] = TypeAdapter(Annotated[dict[str, File], Field()])


@dataclass(slots=True)
class State:
    """What the index holds of a folder, and what it does not."""

    files: dict[str, File]
    unread: list[Unread] = field(default_factory=list[Unread])
    complete: bool = True

    @property
    def sections(self) -> int:
        """How many sections can be found."""
        return sum(len(file.sections) for file in self.files.values())

    def where(self) -> Mapping[int, tuple[str, Kept]]:
        """Give file and place of each section by its number."""
        return {kept.number: (path, kept) for path, file in self.files.items() for kept in file.sections}


def follow(
    index: Index, folder: Folder, now_us: int, until: float, monotonic: Callable[[], float] = time.monotonic
) -> State:
    """Bring the index up to the folder until ``monotonic`` reaches ``until``; ``now_us`` is the time of day.

    Raises:
        NotFound: there is no such folder.
        EnvironmentFault: it may not be read.

    """
    held = _held(index)
    state = State(dict(held))
    there: dict[str, Seen] = {}
    for seen in folder.look():
        if seen.fault is None:
            there[seen.path] = seen
        else:
            state.unread.append(Unread(file=seen.path, reason=seen.fault))
    waiting = [path for path, seen in there.items() if path not in held or held[path].stamp != seen.stamp]
    doubtful = {path: held[path] for path in waiting if path in held and not held[path].stamp}
    for path in [path for path in held if path not in there or (path in waiting and path not in doubtful)]:
        _take_out(index, state.files.pop(path))
    for path in [*doubtful, *(path for path in waiting if path not in doubtful)]:
        if path not in doubtful and monotonic() >= until:
            state.complete = False
            break
        _put_in(index, state, folder, path, now_us)
    if state.files != held:
        index.set_note(_NOTE, _FILES.dump_json(state.files).decode())
        index.commit()
    state.complete = state.complete and not state.unread and not any(file.cut for file in state.files.values())
    return state


def _held(index: Index) -> dict[str, File]:
    """Read what the index says that it holds; with a note that cannot be read it is emptied and made anew."""
    note = index.note(_NOTE)
    try:
        return _FILES.validate_json(note) if note else _emptied(index)
    except ValidationError:
        return _emptied(index)


def _emptied(index: Index) -> dict[str, File]:
    for number, _ in list(index.versions()):
        index.drop(number)
    return {}


def _take_out(index: Index, file: File) -> None:
    for kept in file.sections:
        index.drop(kept.number)


def _put_in(index: Index, state: State, folder: Folder, path: str, now_us: int) -> None:
    """Read a file and put its sections in; what cannot be taken in is noted, and what was there of it is gone."""
    before = state.files.pop(path, None)
    try:
        content, seen = folder.read(path)
        sha256 = hashlib.sha256(content).hexdigest()
        stamp = seen.stamp if now_us * 1_000 - seen.changed_ns >= _RACY_NS else ""
        if before is not None and before.sha256 == sha256:
            state.files[path] = before.model_copy(update={"stamp": stamp})
            return
        if before is not None:
            _take_out(index, before)
            before = None
        parsed = parse(masked(text_of(content)))
    except Unreadable as error:
        if before is not None:
            _take_out(index, before)
        state.unread.append(Unread(file=path, reason=error.reason))
        return
    blob = hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
    state.files[path] = File(
        stamp=stamp,
        sha256=sha256,
        blob=blob,
        title=parsed.title,
        facts=parsed.facts,
        sections=tuple(_indexed(index, path, sha256, parsed)),
        cut=parsed.cut,
    )


def _indexed(index: Index, path: str, version: str, parsed: Parsed) -> Iterable[Kept]:
    about = _about(parsed)
    for at, section in enumerate(parsed.sections):
        digest = hashlib.sha256(f"{path}\0{at}".encode()).digest()
        number = int.from_bytes(digest[:8]) >> 1
        index.put(
            Text(
                number=number,
                key=f"{path}:{section.first}",
                version=f"{version}.{at}",
                made=0,
                title=_title(path, section, about),
                body=section.text,
            )
        )
        yield Kept(number=number, headings=section.headings, first=section.first, last=section.last)


def _title(path: str, section: Section, about: str) -> str:
    headings = section.headings or (path.rpartition("/")[2].rpartition(".")[0],)
    return f"{' > '.join(headings)[: 280 - len(about)]} {about}"


def _about(parsed: Parsed) -> str:
    values = [value for name, values in parsed.facts if name.casefold() in _SHOWN_FACTS for value in values]
    return " ".join(values)[:MAX_TITLE_FACTS]
