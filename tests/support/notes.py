"""Small tools on a real target, a folder of text files, with a place for a fault at every step.

Each write tool promises something else (``keyed``, ``reconcilable``, ``neither``). ``at`` maps the name of a step to
what happens when the tool comes to it: raise, wait, or end the process.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeAlias

from conftest import CountingIds, FixedClock
from pydantic import StringConstraints

from support.bench import Bench, build, policy_data
from twokey.core.errors import Refused
from twokey.core.ports import Policy
from twokey.core.values import (
    ContentHash,
    FileChange,
    Finding,
    Provenance,
    Resource,
    ResourceKind,
    RollbackPlan,
    Target,
    Value,
)
from twokey.policies import bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.guard import Guard
from twokey.store.proposals import ProposalRecord
from twokey.tools.contract import Context, Guarantee, Marker, Outcome, Place, ReadTool, Rendered, Reverse, WriteTool
from twokey.tools.desk import Desk, Reading
from twokey.tools.proposing import Draft
from twokey.tools.registry import AnyTool

RULES: Final = "rules"
"""A file of the folder that is there to be read."""

Steps: TypeAlias = Mapping[str, Callable[[], None]]


class MakeBench(Protocol):
    """Makes a workbench with these tools, of which a test may give some."""

    def __call__(self, tools: Iterable[AnyTool] = ()) -> Bench: ...


Name = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]


class NoteArgs(Value):
    folder: str
    name: Name
    text: str


class Written(Value):
    name: Name
    sha256: str


class NoteWriter(WriteTool[NoteArgs, Written]):
    """What the write tools share."""

    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "tickets"
    input_type = NoteArgs
    output_type = Written

    def __init__(self, at: Steps | None = None) -> None:
        self._at = {} if at is None else at

    def pass_(self, step: str) -> None:
        self._at.get(step, lambda: None)()

    def folder(self, args: NoteArgs, context: Context) -> Path:
        return Path(context.places.find(self.kind, args.folder).location)

    def place_name(self, args: NoteArgs) -> str:
        self.pass_("place")
        return args.folder

    def render(self, args: NoteArgs, context: Context) -> Rendered:
        self.pass_("render")
        edition = self.folder(args, context) / "EDITION"
        return Rendered(
            preview=f"{args.name}\n{args.text}",
            content=(ContentHash(name=args.name, hash=f"sha256:{sha256(args.text)}"),),
            target=Target(kind=self.kind, id=args.folder, version=edition.read_text() if edition.exists() else "1"),
            files=(FileChange(path=args.name, added=1, removed=0),),
            labels=("adds_files",),
            rollback=RollbackPlan(text="Remove the note."),
        )

    def apply(self, args: NoteArgs, rendered: Rendered, marker: Marker, context: Context) -> Written:
        self.pass_("before")
        self.write(self.folder(args, context), args, marker)
        self.pass_("after")
        return Written(name=args.name, sha256=rendered.content[0].hash.removeprefix("sha256:"))

    def reconcile(self, args: NoteArgs, rendered: Rendered, marker: Marker, context: Context) -> Outcome[Written]:
        del rendered
        self.pass_("look")
        seen = self.look(self.folder(args, context), args, marker)
        if seen is None:
            return Outcome("absent")
        if seen != args.text:
            return Outcome("different")
        return Outcome("written", Written(name=args.name, sha256=sha256(seen)))

    def reverse(self, args: NoteArgs, rendered: Rendered, marker: Marker, context: Context) -> Reverse:
        """A note is taken back by one that says so: what is undone is whatever the tool says it is."""
        del rendered, marker, context
        self.pass_("reverse")
        return Reverse(self.name, {"folder": args.folder, "name": f"un{args.name}", "text": "Not so."}, "Take it back.")

    def write(self, folder: Path, args: NoteArgs, marker: Marker) -> None:
        raise NotImplementedError

    def look(self, folder: Path, args: NoteArgs, marker: Marker) -> str | None:
        raise NotImplementedError


class KeyedNotes(NoteWriter):
    """One file per key: writing twice is writing once. Another text under the name is refused."""

    name: ClassVar[str] = "write_note"
    guarantee: ClassVar[Guarantee] = "keyed"

    def write(self, folder: Path, args: NoteArgs, marker: Marker) -> None:
        if any(folder.glob(f"{args.name}.*")) and not self._path(folder, args, marker).exists():
            raise Refused("There is another note of that name.", next="Choose another name.", code="name_taken")
        self._path(folder, args, marker).write_text(args.text)
        note_effect(folder, marker.key)

    def look(self, folder: Path, args: NoteArgs, marker: Marker) -> str | None:
        mine = self._path(folder, args, marker)
        if mine.exists():
            return mine.read_text()
        return next((path.read_text() for path in folder.glob(f"{args.name}.*")), None)

    def _path(self, folder: Path, args: NoteArgs, marker: Marker) -> Path:
        return folder / f"{args.name}.{marker.key[:16]}"


class HalvedNotes(KeyedNotes):
    """Writes a note in two halves, with a step between them; one half alone is part of it."""

    def write(self, folder: Path, args: NoteArgs, marker: Marker) -> None:
        half = folder / f"half.{marker.key[:16]}"
        half.write_text(args.text)
        self.pass_("between")
        super().write(folder, args, marker)
        half.unlink()

    def reconcile(self, args: NoteArgs, rendered: Rendered, marker: Marker, context: Context) -> Outcome[Written]:
        if (self.folder(args, context) / f"half.{marker.key[:16]}").exists():
            return Outcome("partly")
        return super().reconcile(args, rendered, marker, context)


class TracedNotes(NoteWriter):
    """Lines of one file, each with its mark: writing twice is two lines, and each can be found."""

    name: ClassVar[str] = "trace_note"
    guarantee: ClassVar[Guarantee] = "reconcilable"

    def write(self, folder: Path, args: NoteArgs, marker: Marker) -> None:
        with (folder / f"{args.name}.lines").open("a") as file:
            file.write(f"{marker.key} {args.text}\n")
        note_effect(folder, marker.key)

    def look(self, folder: Path, args: NoteArgs, marker: Marker) -> str | None:
        path = folder / f"{args.name}.lines"
        lines = path.read_text().splitlines() if path.exists() else []
        return next((line.partition(" ")[2] for line in lines if line.startswith(marker.key)), None)


class BlindNotes(NoteWriter):
    """Lines without a mark: nobody can tell later who wrote them."""

    name: ClassVar[str] = "blind_note"
    guarantee: ClassVar[Guarantee] = "neither"

    def write(self, folder: Path, args: NoteArgs, marker: Marker) -> None:
        del args
        note_effect(folder, marker.key)

    def look(self, folder: Path, args: NoteArgs, marker: Marker) -> str | None:
        del folder, args, marker


class ReadArgs(Value):
    folder: str
    name: Name
    token: str = ""


class Note(Value):
    text: str


class ReadNotes(ReadTool[ReadArgs, Note]):
    """Reads one file of the folder."""

    name: ClassVar[str] = "read_note"
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "tickets"
    input_type = ReadArgs
    output_type = Note

    def __init__(self, at: Steps | None = None) -> None:
        self._at = {} if at is None else at
        self.calls = 0

    def place_name(self, args: ReadArgs) -> str:
        return args.folder

    def call(self, args: ReadArgs, context: Context) -> Note:
        self.calls += 1
        self._at.get("call", lambda: None)()
        folder = Path(context.places.find(self.kind, args.folder).location)
        return Note(text=(folder / args.name).read_text())

    def summary(self, args: ReadArgs, result: Note) -> str:
        self._at.get("summary", lambda: None)()
        return f"{args.name}: {len(result.text)} characters"


WRITERS: tuple[type[NoteWriter], ...] = (KeyedNotes, TracedNotes, BlindNotes)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def note_effect(folder: Path, key: str) -> None:
    """Put one line under the folder for every effect, whoever had it."""
    with folder.with_suffix(".effects").open("a") as file:
        file.write(f"{key}\n")


def effects(folder: Path) -> int:
    """How often a tool has had an effect on the folder; the keyed one may repeat itself and changes nothing then."""
    path = folder.with_suffix(".effects")
    return len(path.read_text().split()) if path.exists() else 0


def notes(folder: Path) -> list[str]:
    """The texts of the folder's notes, as somebody who reads it finds them."""
    return [path.read_text() for path in sorted(folder.iterdir()) if path.name not in {"EDITION", RULES}]


@cache
def notes_policy(
    expires_s: int = 86400, quorum: int = 1, proofs: tuple[str, ...] = ("key",), together: int = 0
) -> Policy:
    """The real bundle for these tools; one engine serves the tests of a process. ``together`` is how long a batch is."""
    tools: list[AnyTool] = [*(writer() for writer in WRITERS), ReadNotes()]
    data = policy_data(tools)["twokey_data"]
    groups = data["groups"]
    data["may_name"]["write"]["tickets"] = groups
    data["risks"] = {name: {"quorum": quorum, "expires_s": expires_s, "auth": proofs} for name in data["risks"]}
    if together:
        rule = {"kind": "notes", "tool": "write_note", "labels": ["adds_files"], "risks": ["normal"], "most": together}
        data["batches"] = [rule]
    data["contracts"] = {
        tool.name: {"kinds": ["tickets"], "places": ["folder", "name"], "content": ["text"]} for tool in tools
    }
    return Guard(Embedded(bundle.load().with_data({"twokey_data": data}), deadline_s=10.0))


def notes_bench(folder: Path, url: str, clock: FixedClock, ids: CountingIds, tools: Iterable[AnyTool] = ()) -> Bench:
    """A workbench with these tools, and an empty folder of notes beside the repository."""
    given = {tool.name: tool for tool in tools}
    rest: list[AnyTool] = [*(writer() for writer in WRITERS), ReadNotes()]
    made = build(folder, url, clock, ids, [given.get(tool.name, tool) for tool in rest])
    made.policy.policy = notes_policy()
    target(made).mkdir()
    (target(made) / RULES).write_text("Be brief.")
    return made


def target(bench: Bench) -> Path:
    return bench.repository.with_name("notes")


def notes_desk(bench: Bench, *, text: str = "") -> Desk:
    resource = Resource(kind="tickets", id=str(target(bench)), granted_by="request")
    return bench.desk(places=[Place(resource, resource.id)], text=text)


def read_rules(desk: Desk) -> Reading[Note]:
    """One piece of evidence for a run."""
    (place,) = desk.places.items[1:]
    return desk.read("read_note", {"folder": place.location, "name": RULES}, agent="catalog", step=1, result=Note)


def note_draft(desk: Desk, tool: str = "write_note", **changes: Any) -> Draft:
    """A draft of a note, with one finding and evidence for it."""
    cited = (read_rules(desk).evidence.id,)
    args = {"folder": desk.places.items[1].location, "name": "hello", "text": "Good morning."} | changes
    finding = Finding(id="f-1", subject="hello", kind="says", claim="It is morning.", evidence=cited, confidence=90)
    provenance = tuple(Provenance(path=path, label="code") for path in ("folder", "name", "text"))
    return Draft(tool=tool, args=args, provenance=provenance, findings=(finding,), why="Because it is morning.")


def proposed_note(bench: Bench, tool: str = "write_note", **changes: Any) -> ProposalRecord:
    """A note that ana asks for."""
    desk = notes_desk(bench)
    return desk.propose(note_draft(desk, tool, **changes), agent="catalog", step=2)


def approved_note(bench: Bench, tool: str = "write_note", **changes: Any) -> ProposalRecord:
    """A note that ana asked for and sam approved."""
    record = proposed_note(bench, tool, **changes)
    bench.gate.answer(bench.answer(record), channel="cli")
    return bench.gate.find(record.id)
