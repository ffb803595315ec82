"""Reading a repository on GitHub: each object is held to its id, however the listing is cut or made up."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from support.git_repo import run_git
from twins.github.fixtures import LOCATION, Stand
from twins.github.server import Fault

from twokey.core.errors import TwokeyError
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.github.forge import GitHubRepository
from twokey.tools.github.owners import reviewers
from twokey.tools.read.catalog import CatalogArgs, ReadCatalog
from twokey.tools.read.commits import Undo

CONTEXT = Context(Places((Place(Resource(kind="repository", id="dbt", granted_by="config"), LOCATION),)), 0)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TwokeyError) as caught:
        call()
    return caught.value.code


def opened(github: Stand) -> GitHubRepository:
    with github.forge().open(LOCATION) as repository:
        return repository


def test_the_catalog_is_read_from_github(github: Stand) -> None:
    found = ReadCatalog(github.forge()).call(CatalogArgs(repository="dbt"), CONTEXT)
    assert found.projects == ("",)
    assert [file.path for file in found.files] == ["README.md", "dbt_project.yml", "docs/guide.md", "models/orders.sql", "models/schema.yml"]  # fmt: skip
    assert found.commit == github.branches()["main"]
    listings = [call for call in github.twin.calls if "/git/trees/" in call.path]
    assert len(listings) == 1


def test_an_object_that_was_read_is_not_asked_for_again(github: Stand) -> None:
    forge = github.forge()
    for _ in range(2):
        ReadCatalog(forge).call(CatalogArgs(repository="dbt"), CONTEXT)
    blobs = [call for call in github.twin.calls if "/git/blobs/" in call.path]
    assert len(blobs) == len({call.path for call in blobs}) == 5


def test_a_listing_that_github_cuts_is_read_folder_by_folder_or_refused(github: Stand) -> None:
    github.world.truncate_at = 3
    repository = opened(github)
    root = repository.root(repository.tip("main"))
    assert [entry.name for entry in repository.directory(root)] == [
        b"README.md",
        b"dbt_project.yml",
        b"docs",
        b"models",
    ]
    github.world.cut_folders = True
    assert refused(lambda: opened(github).directory(root)) == "listing_cut"


def test_a_commit_and_what_taking_it_back_gives_are_read_from_github(github: Stand) -> None:
    seen = opened(github)
    base = seen.describe().commit
    (only,) = seen.landed(base, 0, 10)
    assert (only.id, only.parents) == (base, ())
    assert list(seen.landed(base, only.at_us + 1, 10)) == []
    (github.work / "late.sql").write_text("select 1\n")
    run_git(github.work, "add", "--all")
    run_git(github.work, "commit", "--quiet", "--message", "late")
    run_git(github.work, "push", "--quiet", "origin", "HEAD:main")
    late = run_git(github.work, "rev-parse", "HEAD").strip()
    undo = Undo(commit=late[:12], since_us=only.at_us, until_us=only.at_us)
    found = ReadCatalog(github.forge()).call(CatalogArgs(repository="dbt", undo=undo), CONTEXT).undone
    assert found is not None
    assert (found.code, found.commit, [file.path for file in found.files]) == ("clean", late, ["late.sql"])


def cut(value: Any) -> Any:
    return {**value, "tree": value["tree"][:-1]}


def renamed(value: Any) -> Any:
    return {**value, "tree": [{**value["tree"][0], "path": "other.md"}, *value["tree"][1:]]}


def twice(value: Any) -> Any:
    return {**value, "tree": [value["tree"][0], *value["tree"]]}


def odd(value: Any) -> Any:
    return {**value, "tree": [{**value["tree"][0], "mode": "rwx"}]}


def homeless(value: Any) -> Any:
    return {**value, "tree": [*value["tree"], {**value["tree"][0], "path": "nowhere/x.md"}]}


@pytest.mark.parametrize("change", [cut, renamed, twice, odd, homeless])
def test_a_listing_that_does_not_give_its_id_is_refused(github: Stand, change: Callable[[Any], Any]) -> None:
    root = opened(github).root(github.branches()["main"])
    github.twin.faults = [Fault("tamper", "GET", "/git/trees/", change=change)]
    assert refused(lambda: opened(github).directory(root)) == "corrupt_repository"


def test_content_refs_and_commits_are_held_to_what_was_asked(github: Stand) -> None:
    repository = opened(github)
    main = github.branches()["main"]
    blob = repository.file_id(main, "README.md")
    assert blob is not None
    other = base64.b64encode(b"# Evil\n").decode()
    for part in ({"content": other}, {"content": "###"}, {"content": "x", "encoding": "utf-8"}):
        change: Callable[[Any], Any] = lambda value, part=part: {**value, **part}  # noqa: E731
        github.twin.faults = [Fault("tamper", "GET", "/git/blobs/", change=change)]
        assert refused(lambda: opened(github).blob(blob, 100)) == "corrupt_repository"
    github.twin.faults = [Fault("tamper", "GET", "/git/commits/", change=lambda value: {**value, "sha": "0" * 40})]
    assert refused(lambda: opened(github).root(main)) == "corrupt_repository"
    github.twin.faults = [Fault("tamper", "GET", "/git/ref/", change=lambda value: {**value, "ref": "refs/heads/x"})]
    assert refused(lambda: opened(github).tip("main")) == "corrupt_repository"
    assert refused(lambda: repository.blob("../x", 9)) == "corrupt_repository"


def test_what_is_too_large_is_not_read(github: Stand) -> None:
    repository = opened(github)
    main = github.branches()["main"]
    blob = repository.file_id(main, "README.md")
    assert blob is not None
    assert repository.blob(blob, 3) is None
    assert not [call for call in github.twin.calls if "/git/blobs/" in call.path]
    assert opened(github).blob(blob, 3) is None
    assert opened(github).blob(blob, 100) == b"# Shop\n"


def test_what_is_not_there_is_said_plainly(github: Stand) -> None:
    repository = opened(github)
    assert refused(lambda: repository.tip("nowhere")) == "no_branch"
    assert refused(lambda: repository.root("0" * 40)) == "no_commit"
    del github.world.repositories["acme/dbt"]
    assert refused(lambda: repository.tip("main")) == "github_not_found"
    assert refused(lambda: repository.root("0" * 40)) == "github_not_found"


def test_a_repository_without_commits_is_said_to_be_so(github: Stand) -> None:
    for name in list(github.repository.git.refs.as_dict()):
        if name != b"HEAD":
            del github.repository.git.refs[name]
    assert refused(lambda: opened(github).describe()) == "no_commits"


def test_a_repository_with_links_and_submodules_is_read_around_them(github: Stand) -> None:
    tree = run_git(github.work, "rev-parse", "HEAD^{tree}").strip()
    head = github.branches()["main"]
    blob = run_git(github.work, "hash-object", "-w", "--stdin", stdin=b"README.md").strip()
    listing = (
        f"120000 blob {blob}\tlink\n160000 commit {head}\tsub\n040000 tree {tree}\tinner\n100755 blob {blob}\trun\n"
    )
    made = run_git(github.work, "mktree", "--missing", stdin=listing.encode()).strip()
    commit = run_git(github.work, "commit-tree", made, "-p", head, "-m", "odd").strip()
    run_git(github.work, "push", "--quiet", "origin", f"{commit}:refs/heads/main")
    repository = opened(github)
    assert repository.root(commit) == made
    assert {entry.name: entry.mode for entry in repository.directory(made)} == {
        b"inner": 0o040000,
        b"link": 0o120000,
        b"run": 0o100755,
        b"sub": 0o160000,
    }


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("*", ("a", "a/b/c.md"), ()),
        ("*.md", ("a.md", "x/y/a.md"), ("a.mdx",)),
        ("/docs/", ("docs/a", "docs/b/c"), ("x/docs/a", "docs")),
        ("docs/", ("docs/a", "x/docs/a"), ("docs",)),
        ("docs/*", ("docs/a",), ("docs/b/c", "x/docs/a")),
        ("/a/**/z", ("a/z", "a/b/c/z"), ("z", "b/z")),
        ("apps/", ("apps/x/y",), ("xapps/y",)),
        ("/models", ("models/a/b",), ("x/models/a", "models2")),
        ("**/logs", ("logs/a", "x/y/logs/b"), ()),
        ("a?c", ("abc",), ("ac", "a/c")),
        ("lib/**", ("lib/a/b",), ("lib",)),
    ],
)
def test_code_owners_are_read_as_github_reads_them(
    github: Stand, pattern: str, fits: tuple[str, ...], fits_not: tuple[str, ...]
) -> None:
    del github
    from twokey.tools.github.owners import _pattern  # pyright: ignore[reportPrivateUsage]

    assert [path for path in fits if not _pattern(pattern).match(path)] == []
    assert [path for path in fits_not if _pattern(pattern).match(path)] == []


def test_the_last_rule_decides_and_odd_rules_name_nobody(github: Stand) -> None:
    text = "# owners\n* @ana # everybody\n!x @mallory\n/models/ @sam ana@example.org @acme/data\n/models/raw\n"
    github.commit({"docs/CODEOWNERS": text.encode()})
    repository = opened(github)
    root = repository.root(github.branches()["main"])
    assert reviewers(repository, root, ["README.md", "x"]).people == ("ana",)
    found = reviewers(repository, root, ["models/a.sql", "models/raw/b.sql"])
    assert (found.people, found.teams) == (("sam",), ("data",))
    github.commit({"CODEOWNERS": b"* @kim\n"})
    again = opened(github)
    assert reviewers(again, again.root(github.branches()["main"]), ["README.md"]).people == ("kim",)
