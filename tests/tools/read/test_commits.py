"""``read_catalog`` asked to undo: which commits count, what taking one back gives, and what nobody may talk it into."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from inline_snapshot import snapshot
from pydantic import ValidationError
from support.git_repo import make_commit, run_git, small_project

from twokey.core.errors import Refused
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.forge import Base, Forge, Landed
from twokey.tools.local import read_catalog
from twokey.tools.read import commits
from twokey.tools.read.catalog import CatalogArgs, CatalogFile, CatalogFiles, LeftOut, ReadCatalog, Written
from twokey.tools.read.commits import CommitRead, Undo

TOOL = read_catalog()
NOW = 1_700_000_000 * 1_000_000
DAY = 86_400 * 1_000_000


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return small_project(tmp_path / "shop")


def look(repo: Path, commit: str, *, since: int = NOW - DAY, until: int = NOW + DAY) -> CommitRead:
    found = answer(repo, commit, since=since, until=until).undone
    assert found is not None
    return found


def asked(commit: str, *, since: int = NOW - DAY, until: int = NOW + DAY) -> CatalogArgs:
    return CatalogArgs(repository="shop", undo=Undo(commit=commit, since_us=since, until_us=until))


def answer(
    repo: Path | str, commit: str, *, since: int = NOW - DAY, until: int = NOW + DAY, tool: ReadCatalog = TOOL
) -> CatalogFiles:
    place = Place(Resource(kind="repository", id="shop", granted_by="config"), str(repo))
    return tool.call(asked(commit, since=since, until=until), Context(Places((place,)), NOW))


class Alike:
    """A forge with one repository, of which only the commits of its branch are known."""

    def __init__(self, landed: list[Landed]) -> None:
        self._landed = landed

    @contextmanager
    def open(self, location: str) -> Generator["Alike"]:
        assert location == "anywhere"
        yield self

    def describe(self) -> Base:
        return Base(branch="main", commit="f" * 40, bare=True, shallow=False)

    def landed(self, tip: str, since_us: int, most: int) -> Iterator[Landed]:
        assert (tip, since_us < NOW, most > 1) == ("f" * 40, True, True)
        yield from self._landed


def files(found: CommitRead) -> dict[str, str | None]:
    return {file.path: file.content for file in found.files}


def test_what_it_gives_is_what_git_reverts(shop: Path):
    make_commit(shop, {"app.py": b"".join(b"line %d\n" % at for at in range(20)), "old.txt": b"old\n"})
    text = b"".join(b"line %d\n" % at if at != 3 else b"planner = 2\n" for at in range(20))
    bad = make_commit(shop, {"app.py": text, "new.txt": b"new\n", "old.txt": None}, "planner rewritten")
    make_commit(shop, {"app.py": text.replace(b"line 15\n", b"line 15, and more\n"), "README.md": b"# Better\n"})
    found = look(shop, bad[:12])
    assert (found.code, found.commit, found.id, found.subject) == ("clean", bad, bad[:12], "planner rewritten")
    run_git(shop, "revert", "--no-edit", bad)
    for path, content in files(found).items():
        assert (shop / path).exists() == (content is not None)
        assert content is None or (shop / path).read_text() == content
    assert sorted(files(found)) == run_git(shop, "diff", "--name-only", "HEAD~1").split()


@pytest.mark.parametrize(
    ("later", "code"),
    [
        ({"a.txt": b"one\nTWO, again\nthree\n"}, "changed_since"),
        ({"a.txt": None}, "changed_since"),
        ({"a.txt": b"one\ntwo\nthree\n"}, "taken_back"),
        ({"a.txt": b"\xff\xfe"}, "not_text"),
        ({"a.txt": b"one\0"}, "not_text"),
    ],
)
def test_what_went_on_since_is_never_lost(shop: Path, later: dict[str, bytes | None], code: str):
    make_commit(shop, {"a.txt": b"one\ntwo\nthree\n"})
    bad = make_commit(shop, {"a.txt": b"one\nTWO\nthree\n"})
    make_commit(shop, later)
    found = look(shop, bad)
    assert (found.code, found.files) == (code, ())


def test_a_commit_that_is_none_of_the_branch_in_that_stretch_does_not_count(shop: Path):
    run_git(shop, "checkout", "--quiet", "-b", "side")
    foreign = make_commit(shop, {"b.txt": b"b\n"}, "on another branch")
    run_git(shop, "checkout", "--quiet", "main")
    old = make_commit(shop, {"c.txt": b"c\n"})
    assert look(shop, foreign).code == "not_found"
    assert look(shop, old, until=NOW - 1).code == "not_found"
    assert look(shop, old, since=NOW + 1).code == "not_found"
    assert look(shop, "0" * 40).commit is None
    assert look(shop, old[:7]).code == "clean"


def test_two_commits_with_the_same_digits_are_none():
    alike = [Landed(f"abcdef0{at}" + "0" * 32, "0" * 40, ("0" * 40,), NOW, "x") for at in range(2)]
    found = answer("anywhere", "abcdef0", until=NOW, tool=ReadCatalog(cast("Forge", Alike(alike)))).undone
    assert found is not None
    assert (found.code, found.commit) == ("not_found", None)


def test_what_came_in_with_a_merge_is_taken_back_with_it_and_not_alone(shop: Path):
    run_git(shop, "checkout", "--quiet", "-b", "side")
    inner = make_commit(shop, {"b.txt": b"b\n"})
    run_git(shop, "checkout", "--quiet", "main")
    make_commit(shop, {"c.txt": b"c\n"})
    run_git(shop, "merge", "--quiet", "--no-ff", "-m", "merge side", "side")
    merge = run_git(shop, "rev-parse", "HEAD").strip()
    assert look(shop, inner).code == "not_found"
    found = look(shop, merge)
    assert (found.code, found.parents, files(found)) == ("clean", 2, {"b.txt": None})


def test_the_first_commit_and_one_of_many_parents_are_not_taken_back(shop: Path):
    first = run_git(shop, "rev-list", "--max-parents=0", "HEAD").strip()
    assert look(shop, first).code == "no_one_parent"
    sides = [f"side{at}" for at in range(2)]
    for side in sides:
        run_git(shop, "checkout", "--quiet", "-b", side, first)
        make_commit(shop, {f"{side}.txt": b"x\n"})
    run_git(shop, "checkout", "--quiet", "main")
    make_commit(shop, {"c.txt": b"c\n"})
    run_git(shop, "merge", "--quiet", "--no-ff", "-m", "all", *sides)
    assert look(shop, run_git(shop, "rev-parse", "HEAD").strip()).code == "no_one_parent"


@pytest.mark.parametrize(
    "message",
    [
        "Fix CVE-2026-1234",
        "escape names in the page",
        "bump\n\nSee GHSA-xxxx-yyyy-zzzz",
        "check permissions before a read",
        "ordinary\n\n" + "x" * commits.MAX_MESSAGE,
    ],
)
def test_a_fix_of_something_that_protects_is_not_taken_back_by_code(shop: Path, message: str):
    fix = make_commit(shop, {"b.txt": b"b\n"}, message)
    found = look(shop, fix)
    assert (found.code, found.commit, found.files) == ("speaks_of_security", fix, ())


@pytest.mark.parametrize("message", ["Tokenizer for names\n\nCo-authored-by: Ben <b@example.org>", "planner rewritten"])
def test_ordinary_words_are_no_reason(shop: Path, message: str):
    assert look(shop, make_commit(shop, {"b.txt": b"b\n"}, message)).code == "clean"


def test_executables_links_and_modes_are_left_to_people(shop: Path):
    (shop / "run.sh").write_text("#!/bin/sh\n")
    (shop / "run.sh").chmod(0o755)
    added = make_commit(shop, {"b.txt": b"b\n"})
    assert look(shop, added).code == "not_text"
    (shop / "run.sh").chmod(0o644)
    assert look(shop, make_commit(shop, {})).code == "not_text"
    (shop / "link").symlink_to("b.txt")
    assert look(shop, make_commit(shop, {})).code == "not_text"


def test_a_name_that_a_change_may_not_have_is_left_to_people(shop: Path):
    assert look(shop, make_commit(shop, {"aux.txt": b"x\n"})).code == "not_text"


def test_a_change_of_very_much_is_left_to_people(shop: Path):
    many: dict[str, bytes | None] = {f"many/{at}.txt": b"x\n" for at in range(101)}
    assert look(shop, make_commit(shop, many)).code == "too_large"
    large: dict[str, bytes | None] = {f"large/{at}.txt": b"x" * 900_000 for at in range(3)}
    make_commit(shop, large)
    gone = make_commit(shop, dict.fromkeys(large))
    assert look(shop, gone).code == "too_large"


def test_where_a_branch_takes_it_back_already_that_is_said(shop: Path):
    bad = make_commit(shop, {"b.txt": b"b\n"})
    run_git(shop, "branch", commits.branch_of(bad))
    assert look(shop, bad).code == "drafted"


def test_a_history_that_is_cut_off_has_no_parent_to_go_back_to(shop: Path, tmp_path: Path):
    bad = make_commit(shop, {"b.txt": b"b\n"})
    shallow = tmp_path / "shallow"
    run_git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{shop}", str(shallow))
    assert look(shallow, bad).code == "no_one_parent"


def test_a_subject_that_hides_something_is_not_shown(shop: Path):
    assert look(shop, make_commit(shop, {"b.txt": b"b\n"}, "safe \u202e elbatcepsus")).subject == ""


def test_only_names_are_the_repositorys_own_word(shop: Path):
    bad = make_commit(shop, {"b.txt": b"b\n"}, "says docs/guide.md")
    listed = TOOL.listed(answer(shop, bad).canonical())
    assert listed == ["main", bad, bad, bad[:12], "b.txt"]
    assert TOOL.listed({"undone": "else"}) is None
    assert TOOL.listed({"undone": {}}) == [None, None, None, None]
    assert TOOL.listed("else") == "else"


def test_of_a_project_all_is_listed_as_before(shop: Path):
    place = Place(Resource(kind="repository", id="shop", granted_by="config"), str(shop))
    project = TOOL.call(CatalogArgs(repository="shop"), Context(Places((place,)), NOW))
    assert project.undone is None
    assert TOOL.listed(project.canonical()) == project.canonical()


def test_a_repository_that_the_run_was_not_given_is_not_looked_into(shop: Path):
    place = Place(Resource(kind="repository", id="shop", granted_by="config"), str(shop))
    foreign = asked("0" * 12).model_copy(update={"repository": "payroll"})
    with pytest.raises(Refused) as caught:
        TOOL.call(foreign, Context(Places((place,)), NOW))
    assert caught.value.code == "outside_contract"


@pytest.mark.parametrize("beside", [{"folder": "models"}, {"commit": "0" * 40}, {"branch": "main"}])
def test_a_question_is_about_a_project_or_about_a_commit(beside: dict[str, str]):
    with pytest.raises(ValidationError) as caught:
        CatalogArgs.model_validate(asked("0" * 12).model_dump() | beside)
    (fault,) = caught.value.errors()
    assert fault["msg"] == snapshot(
        "Value error, an undo is about the repository's own branch: no branch, commit or folder beside it"
    )


@pytest.mark.parametrize(
    "beside",
    [
        {"projects": ("",)},
        {"files": (CatalogFile(path="a.md", text="a", sha="0" * 40),)},
        {"left_out": (LeftOut(path="a", reason="symlink"),)},
        {"written": (Written(file="a.yml", writers=()),)},
    ],
)
def test_an_answer_holds_a_project_or_what_an_undo_would_change(shop: Path, beside: dict[str, Any]):
    found = answer(shop, "0" * 12)
    assert (found.branch, found.commit) == ("main", run_git(shop, "rev-parse", "main").strip())
    with pytest.raises(ValidationError, match="an answer holds a project, or what an undo would change"):
        CatalogFiles.model_validate({**found.model_dump(), **beside})


def test_what_is_asked_is_bounded_and_what_is_found_is_told_in_numbers(shop: Path):
    with pytest.raises(ValueError, match="a month at most"):
        look(shop, "0" * 12, since=NOW, until=NOW - 1)
    with pytest.raises(ValueError, match="String should match"):
        look(shop, "HEAD~1x")
    bad = make_commit(shop, {"b.txt": b"b\n"})
    told = TOOL.summary(asked(bad), answer(shop, bad))
    assert told == f"commit {bad[:12]}: taking it back is clean, 1 files"
    none = TOOL.summary(asked("f" * 12), answer(shop, "f" * 12))
    assert none == "no single commit ffffffffffff of that stretch in the branch"
