"""Making edits of one file so that each is proven or left out.

Rules: the result is parsed again and must equal the old content plus the edits, node for node. Where it does not, each
half of the edits is made by itself until the culprit is alone; how much is parsed in that search is bounded. Nothing
is raised for what a file or an edit holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from twokey.agents.catalog.vetting import NotAllowed
from twokey.agents.catalog.yaml_tree import Document, Node, Unreadable, parse, same

PROOF_BYTES: Final = 64 * 1024 * 1024
"""How much may be parsed in search of an edit that cannot be proven."""

E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class Session(Protocol[E_contra]):
    """One parsed file and the edits made to it so far."""

    @property
    def root(self) -> Node:
        """The changed tree: what the new text must parse to."""
        ...

    def apply(self, edit: E_contra) -> bool:
        """Carry out one edit; tell whether it changed anything. Raises ``NotAllowed`` where nothing was changed."""
        ...

    def written(self) -> str:
        """Give the text with the edits made."""
        ...


@dataclass(frozen=True)
class Refusal(Generic[E]):
    """An edit that was not made: a stable ``code`` and one sentence that quotes nothing of the file or the edit."""

    edit: E
    code: str
    reason: str


@dataclass(frozen=True)
class Edited(Generic[E]):
    """The outcome for one file.

    ``text`` holds the bytes of the file with every edit in ``applied``; the same bytes as before where that is empty.
    ``unchanged`` were true already. Each edit given is in exactly one of ``applied``, ``unchanged`` and ``refused``.
    """

    text: bytes
    applied: tuple[E, ...] = ()
    unchanged: tuple[E, ...] = ()
    refused: tuple[Refusal[E], ...] = ()


def settle(
    data: bytes, edits: Sequence[E], session: Callable[[Document], Session[E]], parsed: Document | None = None
) -> Edited[E]:
    """Make the edits to one file, in their order.

    Args:
        data: The bytes of the file.
        edits: What to change.
        session: Opens the file for its kind of edits; may raise ``NotAllowed``.
        parsed: What ``parse`` made of ``data``, where the caller has it. It is used up.

    """
    return _Settling(session, PROOF_BYTES).settle(data, tuple(edits), parsed)


@dataclass(slots=True)
class _Settling(Generic[E]):
    session: Callable[[Document], Session[E]]
    left: int

    def settle(self, data: bytes, edits: tuple[E, ...], parsed: Document | None = None) -> Edited[E]:
        if not edits:
            return Edited(data)
        try:
            document = parsed or parse(data)
            session = self.session(document)
        except (Unreadable, NotAllowed) as error:
            reason = error.message if isinstance(error, Unreadable) else error.reason
            return Edited(data, refused=tuple(Refusal(each, error.code, reason) for each in edits))
        applied: list[E] = []
        unchanged: list[E] = []
        refused: list[Refusal[E]] = []
        for each in edits:
            try:
                (applied if session.apply(each) else unchanged).append(each)
            except NotAllowed as error:
                refused.append(Refusal(each, error.code, error.reason))
        written = document.encoded(session.written()) if applied else data
        if not applied or _proven(session.root, written):
            return Edited(written, tuple(applied), tuple(unchanged), tuple(refused))
        self.left -= len(data)
        if len(applied) == 1 or self.left < 0:
            reason = "The result would not parse to the old content plus the edit."
            unproven = [Refusal(each, "not_proven", reason) for each in applied]
            return Edited(data, (), tuple(unchanged), (*refused, *unproven))
        half = len(applied) // 2
        first = self.settle(data, tuple(applied[:half]))
        second = self.settle(first.text, tuple(applied[half:]))
        return Edited(
            second.text,
            first.applied + second.applied,
            (*unchanged, *first.unchanged, *second.unchanged),
            (*refused, *first.refused, *second.refused),
        )


def _proven(expected: Node, written: bytes) -> bool:
    """Parse the result and compare it with what was meant."""
    try:
        return same(expected, parse(written).root)
    except Unreadable:
        return False
