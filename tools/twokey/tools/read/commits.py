"""Finds one commit in a repository's own history, and works out what taking it back would change.

Rules:
- a commit is named by the first digits of its id, which come from outside: it counts only where it is one of the
  branch's own (along first parents), was committed in the stretch that is asked about, and is the only such one;
- a merge is taken back against its first parent; the first commit of a history, one whose parent is not here, and one
  that joins more than two are not. It is taken back in one branch, and where that is there, it is not done again;
- one whose message speaks of security is not taken back by code, whatever else is true;
- what taking it back gives is worked out on top of the branch as it is now (``git_undo``), or said to be impossible,
  and why. Nothing is written. Messages, paths and contents are outside text.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from twokey.core.canonical import Json
from twokey.core.errors import NotFound
from twokey.core.values import Count, Instant, Value
from twokey.tools.forge import Landed, ObjectName, Repository
from twokey.tools.plain_text import BranchName, check_line
from twokey.tools.write.git_undo import MAX_FILES, undo

MOST_COMMITS: Final = 2_000
SHOWN: Final = 12
"""Digits of an id that people are shown."""
MAX_STRETCH_US: Final = 31 * 86_400_000_000
MAX_SUBJECT: Final = 200
MAX_MESSAGE: Final = 64 * 1024
"""Characters of a message that are looked at; of a longer one nobody knows what it speaks of."""
_SECURITY: Final = re.compile(
    r"\b(?:cve-?\d|ghsa-|cwe-?\d|secur|insecur|vulnerab|exploit|attack|malicious|harden|xss|csrf|ssrf|rce\b|inject"
    r"|travers|sanit|escap(?:e|es|ed|ing)\b|auth(?:n|z)?\b|authenti|authori[sz]|unauthori|credential|secret|passw"
    r"|tokens?\b|permission|privileg|encrypt|decrypt|tls\b|ssl\b|certificat|leak|disclos|spoof|bypass|overflow|dos\b"
    r"|denial)",
    re.IGNORECASE,
)
Code = Literal[
    "clean",
    "taken_back",
    "drafted",
    "changed_since",
    "not_text",
    "too_large",
    "speaks_of_security",
    "no_one_parent",
    "not_found",
]
"""``drafted``: a branch that takes it back is there already, and ``taken_back``: nothing is left of it."""


class Undo(Value):
    """Which commit: the first digits of its id, and the stretch in which it was committed."""

    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,40}$")]
    since_us: Instant
    until_us: Instant

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not 0 <= self.until_us - self.since_us <= MAX_STRETCH_US:
            raise ValueError("a stretch begins before it ends, and is a month at most")
        return self


class FileBefore(Value):
    """One file as taking the commit back leaves it: its whole text, or nothing where it goes. Untrusted."""

    path: Annotated[str, StringConstraints(max_length=400)]
    content: str | None


class CommitRead(Value):
    """What was found. Without a ``commit`` nothing is known but what was asked."""

    name: str
    """The repository, as it was asked for."""
    asked: Undo
    branch: BranchName
    tip: ObjectName
    """Where the branch stood, on top of which ``files`` are worked out."""
    code: Code
    commit: ObjectName | None = None
    id: str = ""
    """Its first digits, as people are shown them."""
    at_us: Instant | None = None
    parents: Count = 0
    subject: Annotated[str, StringConstraints(max_length=MAX_SUBJECT)] = ""
    """The first line of its message, as far as it can be shown; outside text."""
    files: Annotated[tuple[FileBefore, ...], Field(max_length=MAX_FILES)] = ()
    """Where it is ``clean``: what taking it back changes."""


def read(repository: Repository, name: str, asked: Undo) -> CommitRead:
    """Look for the commit in the branch that HEAD names, and work out what taking it back would change.

    Raises:
        TwokeyError: the repository cannot be read.

    """
    base = repository.describe()
    nothing = CommitRead(name=name, asked=asked, branch=base.branch, tip=base.commit, code="not_found")
    found = list(_named(repository, base.commit, asked))
    if len(found) != 1:
        return nothing
    code, files = _taken_back(repository, found[0], base.commit)
    return nothing.model_copy(
        update={
            "code": code,
            "commit": found[0].id,
            "id": found[0].id[:SHOWN],
            "at_us": found[0].at_us,
            "parents": len(found[0].parents),
            "subject": _subject(found[0].message),
            "files": files,
        }
    )


def listed(content: Json) -> Json:
    """Give the names of branch, commits and files; messages and contents are those of whoever wrote them."""
    if not isinstance(content, dict):
        return None
    files = content.get("files")
    paths = [file.get("path") for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    return [content.get("branch"), content.get("tip"), content.get("commit"), content.get("id"), *paths]


def summary(found: CommitRead) -> str:
    """Say what was found, in numbers."""
    if found.commit is None:
        return f"no single commit {found.asked.commit[:SHOWN]} of that stretch in the branch"
    return f"commit {found.id}: taking it back is {found.code}, {len(found.files)} files"


def _named(repository: Repository, tip: str, asked: Undo) -> Iterator[Landed]:
    for one in repository.landed(tip, asked.since_us, MOST_COMMITS):
        if one.id.startswith(asked.commit) and one.at_us <= asked.until_us:
            yield one


def _taken_back(repository: Repository, one: Landed, tip: str) -> tuple[Code, tuple[FileBefore, ...]]:
    if len(one.message) > MAX_MESSAGE or _SECURITY.search(one.message):
        return "speaks_of_security", ()
    if not 1 <= len(one.parents) <= 2:
        return "no_one_parent", ()
    if _has_branch(repository, branch_of(one.id)):
        return "drafted", ()
    undone = undo(repository, one.tree, repository.root(one.parents[0]), repository.root(tip))
    files = (FileBefore(path=edit.path, content=_text(edit.content)) for edit in undone.edits)
    return undone.code, tuple(files)


def branch_of(commit: str) -> str:
    """Give the branch in which a commit is taken back: one for each commit, so that it is done once."""
    return f"twokey/revert-{commit[:SHOWN]}"


def _has_branch(repository: Repository, name: str) -> bool:
    try:
        repository.tip(name)
    except NotFound:
        return False
    return True


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode()


def _subject(message: str) -> str:
    """Give the first line where it can be shown as it is; else nothing."""
    line = message.strip().partition("\n")[0].strip()[:MAX_SUBJECT].strip()
    try:
        return check_line(line)
    except ValueError:
        return ""
