"""Who wrote the files of a commit, and who only touched them."""

from pathlib import Path

import pytest
from support.git_repo import make_commit, run_git, small_project

from twokey.tools.forge import Entry, Writer
from twokey.tools.write import git_history
from twokey.tools.write.git_history import History, Past
from twokey.tools.write.local_git import LocalGit

PATH = "models/schema.yml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path / "dbt")


def write(project: Path, who: str, text: str, path: str = PATH) -> None:
    make_commit(project, {path: text.encode()})
    run_git(project, "commit", "--quiet", "--amend", "--no-edit", "--author", who)


def writers(project: Path, *paths: str) -> dict[str, list[tuple[str, int]]]:
    with LocalGit().open(str(project)) as repository:
        found = repository.writers(repository.tip("main"), paths or (PATH,))
    return {path: [(writer.who, writer.share) for writer in told] for path, told in found.items()}


def lines(*names: str) -> str:
    return "".join(f"- {name}\n" for name in names)


def test_a_line_is_whose_commit_brought_it_in(project: Path):
    write(project, "Ana <ana@example.org>", lines("a", "b", "c", "d"))
    write(project, "Ben <ben@example.org>", lines("b", "a", "c", "e", "f"))
    assert writers(project) == {PATH: [("Ana", 60), ("Ben", 40)]}


def test_one_person_under_two_names_is_one(project: Path):
    write(project, "Ana <ana@example.org>", lines("a"))
    write(project, "A. Nym <ANA@example.org>", lines("a", "b"))
    assert writers(project) == {PATH: [("A. Nym", 100)]}  # the latest name


def test_an_address_is_never_given_out(project: Path):
    write(project, "ana@example.org <ana@example.org>", lines("a"))
    assert writers(project) == {PATH: [("ana", 100)]}


@pytest.mark.parametrize(
    "bot", ["dependabot[bot] <1+dependabot[bot]@users.example>", "Renovate <r@example.org>", "X <a[bot]@example.org>"]
)
def test_what_a_bot_wrote_is_nobodys(project: Path, bot: str):
    write(project, "Ana <ana@example.org>", lines("a"))
    write(project, bot, lines("a", "b", "c"))
    assert writers(project) == {PATH: [("Ana", 33)]}
    write(project, bot, lines("x", "y"))
    assert writers(project) == {}


def test_a_mass_edit_is_nobodys(project: Path):
    write(project, "Ana <ana@example.org>", lines("a"))
    paths = [f"models/m{number}.yml" for number in range(git_history.MASS)]
    contents: dict[str, bytes | None] = dict.fromkeys(paths, b"- x\n")
    make_commit(project, {**contents, PATH: lines("a", "b").encode()})
    assert writers(project, PATH, *paths) == {PATH: [("Ana", 50)]}
    assert set(writers(project, PATH, *paths[:-1])) == {PATH, *paths[:-1]}


def test_a_merge_wrote_nothing_of_what_it_took_over(project: Path):
    write(project, "Ana <ana@example.org>", lines("a"))
    run_git(project, "checkout", "--quiet", "-b", "side")
    write(project, "Ben <ben@example.org>", lines("a", "b", "c"))
    run_git(project, "checkout", "--quiet", "main")
    write(project, "Zoe <zoe@example.org>", "x", path="README.md")
    run_git(project, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
    assert writers(project) == {PATH: [("Ben", 66), ("Ana", 33)]}


def test_a_merge_of_both_sides_gives_the_lines_of_one_side_to_nobody_else(project: Path):
    write(project, "Ana <ana@example.org>", lines("a", "m"))
    run_git(project, "checkout", "--quiet", "-b", "side")
    write(project, "Ben <ben@example.org>", lines("b", "a", "m"))
    run_git(project, "checkout", "--quiet", "main")
    write(project, "Zoe <zoe@example.org>", lines("a", "m", "z"))
    run_git(project, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
    assert writers(project) == {PATH: [("Ana", 50), ("Zoe", 25)]}


def test_what_is_not_there_or_no_file_has_no_writers(project: Path):
    assert writers(project, "gone.yml", "models", "README.md/x", "a/b/c.yml") == {}


def test_a_history_that_is_cut_off_tells_nothing_of_before(project: Path, tmp_path: Path):
    write(project, "Ana <ana@example.org>", lines("a"))
    write(project, "Ben <ben@example.org>", lines("a", "b"))
    shallow = tmp_path / "shallow"
    run_git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{project}", str(shallow))
    assert writers(shallow) == {}


class Endless:
    """A history without an end, in which every commit changes every file."""

    def directory(self, tree: str) -> list[Entry]:
        return [Entry(b"a.yml", 0o100644, tree)]

    def blob(self, blob: str, max_bytes: int) -> bytes | None:
        return None if max_bytes < 0 else "\n".join(f"{blob} {number}" for number in range(1_000)).encode()

    @staticmethod
    def past(name: str) -> Past:
        return Past(name, (f"{int(name) + 1}",), b"Ana <ana@example.org>")


class Unchanging(Endless):
    """One in which nothing ever changes."""

    def directory(self, tree: str) -> list[Entry]:
        return super().directory("1" if tree else tree)


def test_a_history_without_an_end_is_left():
    history = History(Endless(), Endless.past)
    assert history.writers("1", ["a.yml"]) == {"a.yml": (Writer(who="Ana", share=100),)}
    assert History(Unchanging(), Unchanging.past).writers("1", ["a.yml"]) == {}
    many = History(Unchanging(), Unchanging.past).writers("1", ["a.yml"] * 200)
    assert many == {}
