"""``search_runbooks``: what is found, how it is cited, and what is never there."""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.effort import seconds
from support.git_repo import make_commit, run_git
from support.runbooks import ask, search

from twokey.core.errors import BadInput, EnvironmentFault, NotFound, TryLater
from twokey.core.values import Resource
from twokey.store.sealing import KeyFile, Sealer, add_key, drop_keys
from twokey.tools.contract import Context, OutsideContract, Place, Places
from twokey.tools.local import search_runbooks
from twokey.tools.read.runbooks import RunbooksArgs, RunbooksResult, SearchRunbooks
from twokey.tools.retrieval import keeping
from twokey.tools.retrieval.shelf import Shelf
from twokey.tools.write.local_git import LocalGit

LATER_US = 4_000_000_000_000_000
"""Long after any file here was touched."""


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "queue.md").write_text(
        "---\ntitle: The queue is long\nservice: worker\nalerts: [jobs pile up]\n---\n# The queue is long\n\n"
        "Jobs wait.\n\n## Drain it\n\nStart more workers: `scale 8`.\n\n## Find the poison\n\nOne job fails for ever.\n"
    )
    (folder / "disk.md").write_text("# Disk full\n\nDelete old archives.\n")
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "runbooks"


@pytest.fixture
def kept(state: Path) -> SearchRunbooks:
    return SearchRunbooks(LocalGit().open, state)


def test_a_section_is_cited_by_file_headings_and_lines(books: Path) -> None:
    answer = search(books, "which job fails over and over, poison")
    first = answer.found[0]
    assert (first.file, first.headings) == ("queue.md", ("The queue is long", "Find the poison"))
    lines = (books / "queue.md").read_text().split("\n")
    assert first.text.split("\n") == lines[first.first_line - 1 : first.last_line]
    assert first.sha256 == hashlib.sha256((books / "queue.md").read_bytes()).hexdigest()
    assert "poison" in first.shared
    assert (answer.searched.files, answer.searched.sections, answer.searched.complete) == (2, 4, True)


def test_what_front_matter_says_of_a_file_counts_for_its_sections(books: Path) -> None:
    found = search(books, "jobs pile up").found
    assert {section.file for section in found} == {"queue.md"}
    assert len(found) == 3


def test_files_are_listed_with_what_their_front_matter_states(books: Path) -> None:
    answer = ask(books, kind="documents")
    queue = answer.documents[1]
    assert (queue.file, queue.title, queue.sections) == ("queue.md", "The queue is long", 3)
    assert [(fact.name, fact.values) for fact in queue.facts][1:] == [
        ("service", ("worker",)),
        ("alerts", ("jobs pile up",)),
    ]
    few = ask(books, kind="documents", most=1)
    assert ([document.file for document in few.documents], few.left_out) == (["disk.md"], 1)


def test_a_change_is_found_at_once_and_what_was_deleted_is_gone_at_once(books: Path, kept: SearchRunbooks) -> None:
    assert search(books, "archives", kept).found[0].file == "disk.md"
    (books / "disk.md").write_text("# Disk full\n\nDelete old snapshots.\n")
    assert search(books, "archives", kept).found == ()
    assert search(books, "snapshots", kept).found[0].file == "disk.md"
    (books / "new.md").write_text("# Fresh\n\nA kangaroo.\n")
    assert search(books, "kangaroo", kept).found[0].file == "new.md"
    (books / "disk.md").unlink()
    assert search(books, "snapshots", kept).found == ()
    (books / "new.md").rename(books / "renamed.md")
    assert search(books, "kangaroo", kept).found[0].file == "renamed.md"


def test_a_change_of_the_same_size_at_the_same_instant_is_found(books: Path, kept: SearchRunbooks) -> None:
    path = books / "disk.md"
    state = path.stat()
    for word in ("apples", "grapes", "mangos", "lemons"):
        path.write_text(f"# Disk full\n\n{word}\n")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert search(books, word, kept).found[0].file == "disk.md"


def test_a_file_whose_dates_tell_that_it_did_not_change_is_not_read_again(
    books: Path, kept: SearchRunbooks, state: Path
) -> None:
    search(books, "jobs", kept, now_us=LATER_US)
    before = {path: path.stat().st_mtime_ns for path in state.glob("*.db")}
    assert search(books, "jobs", kept, now_us=LATER_US).searched.files == 2
    assert {path: path.stat().st_mtime_ns for path in state.glob("*.db")} == before


def test_deleted_text_and_secrets_are_in_no_file_of_the_index(books: Path, kept: SearchRunbooks, state: Path) -> None:
    (books / "secret.md").write_text("# Login\n\nThe zebrafish password: hunter22x opens it.\n")
    found = search(books, "zebrafish", kept).found[0]
    assert "hunter22x" not in found.text
    assert "[masked]" in found.text
    assert any(b"zebrafish" in path.read_bytes() for path in state.iterdir())
    (books / "secret.md").unlink()
    search(books, "zebrafish", kept)
    for path in state.iterdir():
        assert b"zebrafish" not in path.read_bytes()
        assert b"hunter22x" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_without_time_what_is_gone_is_taken_out_and_the_rest_is_said(books: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    search(books, "archives", SearchRunbooks(LocalGit().open, state), now_us=LATER_US)
    (books / "disk.md").write_text("# Disk full\n\nDelete old snapshots, all of them.\n")
    ticks = iter(range(0, 10**9, 100))
    hurried = SearchRunbooks(LocalGit().open, state, monotonic=lambda: float(next(ticks)))
    answer = search(books, "archives snapshots", hurried, now_us=LATER_US)
    assert [section.file for section in answer.found] == []
    assert not answer.searched.complete
    assert "indexed so far" in hurried.summary(_args(), RunbooksResult(runbooks="books", answer=answer))
    answer = search(books, "snapshots", SearchRunbooks(LocalGit().open, state), now_us=LATER_US)
    assert ([section.file for section in answer.found], answer.searched.complete) == (["disk.md"], True)


def test_what_is_not_read_is_named(books: Path) -> None:
    (books / "link.md").symlink_to("/etc/passwd")
    (books / "image.md").write_bytes(b"\x89PNG\0")
    (books / "latin.md").write_bytes(b"caf\xe9")
    searched = search(books, "queue").searched
    assert {(each.file, each.reason) for each in searched.unread} == {
        ("link.md", "symlink"),
        ("image.md", "binary"),
        ("latin.md", "not_text"),
    }
    assert not searched.complete


def test_a_file_that_becomes_unreadable_is_gone(books: Path, kept: SearchRunbooks) -> None:
    assert search(books, "archives", kept).found
    (books / "disk.md").write_bytes(b"archives \0")
    answer = search(books, "archives", kept)
    assert answer.found == ()
    assert [each.reason for each in answer.searched.unread] == ["binary"]


def test_the_commit_is_named_where_it_holds_these_bytes(tmp_path: Path) -> None:
    top = tmp_path / "repository"
    top.mkdir()
    run_git(top, "init", "--quiet", "--initial-branch=main")
    commit = make_commit(top, {"docs/books/a.md": b"# Alpha\n\nwalrus\n", "docs/books/b.md": b"# Beta\n\nwalrus too\n"})
    folder = top / "docs" / "books"
    (folder / "b.md").write_text("# Beta\n\nwalrus, changed\n")
    (folder / "c.md").write_text("# Gamma\n\nwalrus, new\n")
    answer = search(folder, "walrus")
    assert answer.searched.history == "read"
    assert {section.file: section.commit for section in answer.found} == {"a.md": commit, "b.md": "", "c.md": ""}
    run_git(top, "checkout", "--quiet", "--detach")
    assert search(folder, "walrus").searched.history == "unreadable"
    assert {document.commit for document in ask(folder, kind="documents").documents} == {""}


def test_runbooks_outside_any_repository_have_no_commit(books: Path) -> None:
    answer = search(books, "queue")
    if not any((each / ".git").exists() for each in books.parents):
        assert answer.searched.history == "none"
    assert {section.commit for section in answer.found} == {""}


class Letters:
    """Makes vectors by counting letters."""

    def __init__(self) -> None:
        self.away = False
        self.given: list[str] = []

    @property
    def name(self) -> str:
        return "letters"

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if self.away:
            raise EnvironmentFault("It is away.", next="Wait.")
        self.given += texts
        return [[float(text.count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


def test_meaning_is_compared_where_a_model_tells_it(books: Path, tmp_path: Path) -> None:
    letters = Letters()
    tool = SearchRunbooks(LocalGit().open, tmp_path / "state", embeddings=letters)
    assert search(books, "jobs wait", tool).searched.meaning == "used"
    sent = len(letters.given)
    search(books, "jobs wait", tool)
    assert len(letters.given) == sent + 1, "a section is sent once"
    assert all("hunter22x" not in text for text in letters.given)
    letters.away = True
    assert search(books, "jobs wait", tool).searched.meaning == "unreachable"


def _args(**asked: str) -> RunbooksArgs:
    return RunbooksArgs.model_validate({"runbooks": "books", "ask": asked or {"kind": "search", "text": "x"}})


def test_only_granted_folders_are_read(books: Path) -> None:
    with pytest.raises(OutsideContract):
        search_runbooks().call(_args(), Context(Places(()), 0))
    for location, error in ((str(books / "gone"), NotFound), ("https://wiki.example/books", BadInput)):
        place = Place(Resource(kind="runbooks", id="books", granted_by="config"), location)
        with pytest.raises(error):
            search_runbooks().call(_args(), Context(Places((place,)), 0))


def test_one_process_at_a_time_has_the_index(books: Path, tmp_path: Path) -> None:
    with (
        keeping.opened(tmp_path / "state", str(books), "runbooks"),
        pytest.raises(TryLater),
        keeping.opened(tmp_path / "state", str(books), "runbooks", wait_s=0),
    ):
        pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(EnvironmentFault), keeping.opened(tmp_path / "file", str(books), "runbooks"):
        pass


def test_a_sealed_index_is_found_again_and_read_by_nobody_else(books: Path, tmp_path: Path) -> None:
    state, key = tmp_path / "state", tmp_path / "store.key"
    plain = SearchRunbooks(LocalGit().open, state)
    search(books, "queue", plain)
    assert [path.suffix for path in state.glob("*.db")] == [".db"]
    add_key(key, "w-000000000000")
    shelf = Shelf(state, Sealer(KeyFile(key, "w-000000000000"), seals=True))
    sealed = SearchRunbooks(LocalGit().open, shelf)
    first = search(books, "queue", sealed)
    (file,) = state.glob("*.sealed")
    held = b"".join(path.read_bytes() for path in state.iterdir())
    assert b"queue" not in held
    assert b"SQLite" not in held
    assert {path.suffix for path in state.iterdir()} == {".lock", ".sealed"}, "what lay there unsealed is gone"
    before = file.stat().st_ino
    assert search(books, "queue", sealed).found == first.found
    assert file.stat().st_ino == before, "what did not change is not written again"

    # What does not open any more costs the work once, and nothing else.
    file.write_bytes(file.read_bytes()[:-1])
    assert search(books, "queue", sealed).found == first.found
    with keeping.opened(shelf, str(books), "runbooks") as index:
        assert len(index) == 4
    add_key(key, "w-000000000000")
    drop_keys(key, "w-000000000000", frozenset())
    assert search(books, "queue", sealed).found == first.found
    assert search(books, "queue", plain).found == first.found
    assert list(state.glob("*.sealed")) == []


def test_an_index_that_is_too_large_to_be_sealed_is_made_each_time(
    books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_SEALED", 10)
    add_key(tmp_path / "store.key", "w-000000000000")
    shelf = Shelf(tmp_path / "state", Sealer(KeyFile(tmp_path / "store.key", "w-000000000000"), seals=True))
    assert search(books, "queue", SearchRunbooks(LocalGit().open, shelf)).found[0].file == "queue.md"
    assert list((tmp_path / "state").glob("*.sealed")) == []


def test_an_index_whose_note_is_damaged_is_made_anew(books: Path, kept: SearchRunbooks, state: Path) -> None:
    search(books, "queue", kept)
    with keeping.opened(state, str(books), "runbooks") as index:
        index.set_note("runbooks/1", '{"queue.md": 1}')
        index.commit()
    assert search(books, "queue", kept).found[0].file == "queue.md"
    with keeping.opened(state, str(books), "runbooks") as index:
        assert len(index) == 4


def test_a_summary_names_counts_and_no_word_of_a_file(books: Path) -> None:
    tool = search_runbooks()
    for answer in (ask(books, tool, kind="search", text="queue"), ask(books, tool, kind="documents")):
        text = tool.summary(_args(), RunbooksResult(runbooks="books", answer=answer))
        assert "queue" not in text
        assert "4 sections in 2 files" in text


@pytest.mark.parametrize(
    "text", ['"', "NEAR(", "a OR b*", "{title} : x", "queue" * 400, "\x00\u202e", "的 队列", "' --"]
)
def test_what_is_searched_for_is_no_expression(books: Path, text: str) -> None:
    search(books, text)


def test_a_folder_that_was_indexed_is_searched_without_reading_it_again(tmp_path: Path, kept: SearchRunbooks) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.md").write_text(f"# Book {number}\n\n## Part\n\nword{number} and more\n")
    search(folder, "word7", kept, now_us=LATER_US)
    started = time.process_time()
    assert search(folder, "word7", kept, now_us=LATER_US).found[0].file == "7.md"
    assert time.process_time() - started < seconds(2)
