"""The read tool ``search_runbooks``: which section of a team's runbooks speaks of something.

Rules: it reads only folders this run was granted, and the location comes from the run's places, never from an argument;
what is searched for is text and no expression; nothing in a file is followed or run; every answer is bounded, cites
file, headings, lines and commit, and says what could not be read; a summary names counts, never a word of a file.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from twokey.core.errors import BadInput
from twokey.core.values import ResourceKind
from twokey.tools.contract import Context, Limits, ReadTool
from twokey.tools.forge import Repository
from twokey.tools.read.runbooks.values import (
    MAX_UNREAD,
    Document,
    DocumentsRequest,
    DocumentsResult,
    Fact,
    FoundSection,
    RunbooksArgs,
    RunbooksResult,
    Searched,
    SearchRequest,
    SearchResult,
)

if TYPE_CHECKING:
    from twokey.tools.read.runbooks.indexing import State
    from twokey.tools.retrieval.index import Found, Index
    from twokey.tools.retrieval.meaning import Embeddings
    from twokey.tools.retrieval.shelf import Shelf

MAX_TEXT: Final = 4_000
"""Characters of a section that an answer holds."""
_SHARE_FOR_INDEX: Final = 0.7
"""Share of the time of a call after which no further file is put into the index."""
_MOST_SHARED: Final = 8

Open = Callable[[str], AbstractContextManager[Repository]]


class SearchRunbooks(ReadTool[RunbooksArgs, RunbooksResult]):
    """Searches a folder of Markdown.

    ``open_repository`` opens the git repository around it. ``indexes`` is the folder in which what it searches by is
    kept; without one it is made anew for each call. ``embeddings`` gets texts of sections, where there are any.
    """

    name: ClassVar[str] = "search_runbooks"
    version: ClassVar[str] = "1"
    kind: ClassVar[ResourceKind] = "runbooks"
    limits: ClassVar[Limits] = Limits(timeout_s=60)
    input_type = RunbooksArgs
    output_type = RunbooksResult

    def __init__(
        self,
        open_repository: Open,
        indexes: "Shelf | Path | None" = None,
        monotonic: Callable[[], float] = time.monotonic,
        embeddings: "Embeddings | None" = None,
    ) -> None:
        self._open = open_repository
        self._indexes = indexes
        self._monotonic = monotonic
        self._embeddings = embeddings

    def place_name(self, args: RunbooksArgs) -> str:
        """Give the name of the folder's place."""
        return args.runbooks

    def call(self, args: RunbooksArgs, context: Context) -> RunbooksResult:
        """Read.

        Raises:
            OutsideContract: this run was not granted that folder.
            NotFound: there is no folder there.
            TryLater: another process keeps the index.
            TwokeyError: the folder or the index cannot be read.

        """
        from twokey.tools.read.runbooks import indexing  # noqa: PLC0415 - numpy comes in where it is needed
        from twokey.tools.read.runbooks.walking import Folder  # noqa: PLC0415 - as above
        from twokey.tools.retrieval import keeping  # noqa: PLC0415 - as above

        location = context.places.find(self.kind, args.runbooks).location
        if "://" in location:
            raise BadInput(
                "Runbooks are a folder on this machine, and that is an address.",
                next="Name a folder, such as a checkout of the repository they are in.",
                code="no_runbooks",
            )
        folder = Path(location)
        until = self._monotonic() + self.limits.timeout_s * _SHARE_FOR_INDEX
        with keeping.opened(self._indexes, location, "runbooks", self._embeddings) as index:
            state = indexing.follow(index, Folder(folder), context.now_us, until, self._monotonic)
            if isinstance(args.ask, SearchRequest):
                answer = self._found(index, state, folder, args.ask)
            else:
                answer = self._documents(state, folder, args.ask)
        return RunbooksResult(runbooks=args.runbooks, answer=answer)

    def summary(self, args: RunbooksArgs, result: RunbooksResult) -> str:  # noqa: ARG002 - the contract passes both
        """Say what was read, in numbers."""
        answer = result.answer
        searched = answer.searched
        of = f"{searched.sections} sections in {searched.files} files"
        rest = "" if searched.complete else f" indexed so far, {len(searched.unread) + searched.more_unread} not read"
        if isinstance(answer, SearchResult):
            return f"{len(answer.found)} sections found among {of}{rest}."
        return f"{len(answer.documents)} runbooks with {of}{rest}."

    def _found(self, index: "Index", state: "State", folder: Path, ask: SearchRequest) -> SearchResult:
        where = state.where()
        found = [(*where[each.number], each) for each in index.search(ask.text, ask.most) if each.number in where]
        if self._embeddings is not None:
            index.commit()  # keeps the vectors that were made
        searched, commits = self._cited(state, folder, sorted({path for path, _, _ in found}))
        return SearchResult(
            found=tuple(
                FoundSection(
                    file=path,
                    headings=kept.headings,
                    first_line=kept.first,
                    last_line=kept.last,
                    text=each.body[:MAX_TEXT],
                    cut=len(each.body) > MAX_TEXT,
                    sha256=state.files[path].sha256,
                    commit=commits.get(path, ""),
                    alike=min(1_000, max(0, round(1_000 * each.likeness["words"]))),
                    shared=_shared(ask.text, each, index),
                )
                for path, kept, each in found
            ),
            searched=searched.model_copy(update={"meaning": index.meaning}),
        )

    def _documents(self, state: "State", folder: Path, ask: DocumentsRequest) -> DocumentsResult:
        names = sorted(state.files)
        searched, commits = self._cited(state, folder, names[: ask.most])
        return DocumentsResult(
            documents=tuple(
                Document(
                    file=name,
                    title=file.title,
                    facts=tuple(Fact(name=fact, values=values) for fact, values in file.facts),
                    sections=len(file.sections),
                    sha256=file.sha256,
                    commit=commits.get(name, ""),
                )
                for name, file in ((name, state.files[name]) for name in names[: ask.most])
            ),
            left_out=max(0, len(names) - ask.most),
            searched=searched,
        )

    def _cited(self, state: "State", folder: Path, names: Sequence[str]) -> "tuple[Searched, dict[str, str]]":
        from twokey.tools.read.runbooks.history import commits  # noqa: PLC0415 - dulwich comes in where it is needed

        history, found = commits(self._open, folder, [(name, state.files[name].blob) for name in names])
        searched = Searched(
            files=len(state.files),
            sections=state.sections,
            complete=state.complete,
            unread=tuple(state.unread[:MAX_UNREAD]),
            more_unread=max(0, len(state.unread) - MAX_UNREAD),
            history=history,
        )
        return searched, dict(found)


def _shared(text: str, found: "Found", index: "Index") -> tuple[str, ...]:
    """Give the telling words that a text and a section have in common, the rarest first."""
    from twokey.tools.retrieval.words import plain, signs, words  # noqa: PLC0415 - comes in with the index

    asked, said = ({*words(form), *signs(form)} for form in (plain(text), plain(f"{found.title}\n{found.body}")))
    weighed = sorted((-index.rarity(word), word) for word in asked & said)
    return tuple(word for weight, word in weighed if weight < 0)[:_MOST_SHARED]
