"""What ``search_runbooks`` is asked and answers.

Rules: everything a file says is outside text, whoever wrote it; secrets in it are masked before anything else sees it.
A section is cited by file, headings, lines, the digest of the file and, where the bytes are those of a commit, that
commit: whoever opens the file there finds the words at those lines. Every list is bounded and says what is not in it.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from twokey.core.values import Count, Digest, Value

MAX_FOUND: Final = 20
MAX_DOCUMENTS: Final = 500
MAX_FACTS: Final = 60
MAX_UNREAD: Final = 50
Permille = Annotated[int, Field(ge=0, le=1_000)]
Path = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Heading = Annotated[str, StringConstraints(max_length=300)]
Line = Annotated[int, Field(ge=1)]
Commit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40})?$")]
Reason = Literal[
    "symlink", "no_file", "too_large", "binary", "not_text", "too_deep", "too_many", "bad_name", "unreadable"
]


class SearchRequest(Value):
    """Sections that speak of ``text``."""

    kind: Literal["search"] = "search"
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    most: Annotated[int, Field(ge=1, le=MAX_FOUND)] = 5


class DocumentsRequest(Value):
    """The files there are, with what their front matter states."""

    kind: Literal["documents"] = "documents"
    most: Annotated[int, Field(ge=1, le=MAX_DOCUMENTS)] = MAX_DOCUMENTS


class RunbooksArgs(Value):
    """Arguments of ``search_runbooks``. ``runbooks`` is the name of a place this run may touch."""

    runbooks: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    ask: Annotated[SearchRequest | DocumentsRequest, Field(discriminator="kind")]


class Fact(Value):
    """What front matter states under one name: one value, or several."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    values: tuple[Annotated[str, StringConstraints(max_length=500)], ...]


class FoundSection(Value):
    """A section that was found: lines ``first_line`` to ``last_line`` of ``file``, both counted from 1."""

    file: Path
    headings: tuple[Heading, ...]
    """From the document's title down."""
    first_line: Line
    last_line: Line
    text: str
    cut: bool = False
    """The section goes on after ``text``."""
    sha256: Digest
    """Of the file's bytes."""
    commit: Commit = ""
    """A commit that holds exactly these bytes at this place; empty where none is known to."""
    alike: Permille
    """How alike its words and the text are (cosine)."""
    shared: tuple[Annotated[str, StringConstraints(max_length=100)], ...] = ()
    """Telling words that both have, the rarest first."""


class Unread(Value):
    """A file that was passed over, and why."""

    file: Path
    reason: Reason


class Searched(Value):
    """What was looked in. Not ``complete``: there was no time for every changed file, or some were passed over."""

    files: Count
    sections: Count
    complete: bool
    unread: tuple[Unread, ...] = ()
    more_unread: Count = 0
    history: Literal["none", "read", "unreadable"] = "none"
    """Whether the folder lies in a git repository whose history could be read."""
    meaning: Literal["off", "used", "unreachable"] = "off"
    """Whether likeness of meaning was compared, by the model that the settings name."""


class SearchResult(Value):
    """What was found, the best first."""

    kind: Literal["search"] = "search"
    found: tuple[FoundSection, ...]
    searched: Searched


class Document(Value):
    """One file."""

    file: Path
    title: Heading
    facts: tuple[Fact, ...]
    sections: Count
    sha256: Digest
    commit: Commit = ""


class DocumentsResult(Value):
    """The files there are, by name."""

    kind: Literal["documents"] = "documents"
    documents: tuple[Document, ...]
    left_out: Count = 0
    searched: Searched


class RunbooksResult(Value):
    """The answer, of the kind that was asked for."""

    runbooks: str
    answer: Annotated[SearchResult | DocumentsResult, Field(discriminator="kind")]
