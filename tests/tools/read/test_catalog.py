from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import ValidationError
from support.git_repo import make_commit, run_git, small_project

from twokey.core import canonical
from twokey.core.errors import NotFound, ToolRetry, TwokeyError
from twokey.core.values import Resource
from twokey.tools.contract import Context, Limits, OutsideContract, Place, Places
from twokey.tools.local import read_catalog
from twokey.tools.read.catalog import CatalogArgs, CatalogFiles, ReadCatalog
from twokey.tools.write.local_git import LocalGit

TOOL = read_catalog()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return small_project(tmp_path / "dbt")


def read(location: Path, tool: ReadCatalog = TOOL, **args: Any) -> CatalogFiles:
    place = Place(Resource(kind="repository", id="dbt", granted_by="config"), str(location))
    return tool.call(CatalogArgs.model_validate({"repository": "dbt"} | args), Context(Places((place,)), 0))


def left_out(result: CatalogFiles) -> dict[str, str]:
    return {item.path: item.reason for item in result.left_out}


def test_it_reads_the_project_as_it_was_committed(repository: Path) -> None:
    tip = run_git(repository, "rev-parse", "main").strip()
    (repository / "models/schema.yml").write_text("not committed: true\n")
    (repository / "untracked.yml").write_text("a: 1\n")
    (repository / "README.md").unlink()
    result = read(repository)
    assert (result.branch, result.commit, result.projects) == ("main", tip, ("",))
    assert [(file.path, file.text) for file in result.files] == snapshot(
        [
            ("README.md", "# Shop\n"),
            ("dbt_project.yml", "name: shop\n"),
            (
                "docs/guide.md",
                """\
one
two
three\
""",
            ),
            ("models/orders.sql", "select * from raw.orders\n"),
            (
                "models/schema.yml",
                """\
models:
  - name: orders
    columns:
      - name: id
      - name: contact
""",
            ),
        ]
    )
    for file in result.files:
        assert run_git(repository, "rev-parse", f"main:{file.path}").strip() == file.sha
    assert (result.left_out, result.left_out_more) == ((), 0)
    canonical.encode(result.canonical())


def test_it_reads_the_branch_or_commit_that_was_asked_for(repository: Path) -> None:
    first = run_git(repository, "rev-parse", "main").strip()
    second = make_commit(repository, {"later.md": b"x\n"})
    run_git(repository, "branch", "old", first)
    assert read(repository).commit == second
    assert read(repository, branch="old").commit == first
    assert read(repository, commit=first).commit == first
    with pytest.raises(NotFound):
        read(repository, branch="absent")
    with pytest.raises(NotFound):
        read(repository, commit="0" * 40)
    run_git(repository, "checkout", "--quiet", "--detach")
    with pytest.raises(TwokeyError) as caught:
        read(repository)
    assert caught.value.code == "detached_head"
    assert read(repository, branch="main").commit == second


def test_it_reads_one_folder_of_a_larger_repository(repository: Path) -> None:
    make_commit(repository, {"teams/shop/dbt_project.yml": b"name: x\n", "teams/shop/models/a.yml": b"a: 1\n"})
    result = read(repository, folder="teams/shop")
    assert [file.path for file in result.files] == ["teams/shop/dbt_project.yml", "teams/shop/models/a.yml"]
    assert result.projects == ("teams/shop",)
    assert read(repository).projects == ("", "teams/shop")
    for folder in ("absent", "README.md", "teams/absent"):
        with pytest.raises(ToolRetry):
            read(repository, folder=folder)


@pytest.mark.parametrize(
    "bad", [{"folder": "../x"}, {"folder": ".git"}, {"folder": "/"}, {"commit": "HEAD"}, {"branch": "-x"}, {"more": 1}]
)
def test_arguments_that_lead_elsewhere_never_reach_the_tool(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CatalogArgs.model_validate({"repository": "dbt"} | bad)


def test_a_repository_that_the_run_was_not_given_stays_closed(repository: Path) -> None:
    with pytest.raises(OutsideContract):
        read(repository, repository=str(repository))
    assert TOOL.place_name(CatalogArgs(repository="x")) == "x"


def test_links_and_submodules_are_not_followed(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yml").write_text("password: 1\n")
    (repository / "link.yml").symlink_to(tmp_path / "secret.yml")
    (repository / "inside.yml").symlink_to("models/schema.yml")
    (repository / "outside").symlink_to(tmp_path)
    some = run_git(repository, "rev-parse", "HEAD").strip()
    run_git(repository, "update-index", "--add", "--cacheinfo", f"160000,{some},vendor")
    (repository / "vendor").mkdir()
    make_commit(repository, {})
    result = read(repository)
    assert left_out(result) == {"link.yml": "symlink", "inside.yml": "symlink", "vendor": "submodule"}
    assert "password" not in result.model_dump_json()


def test_what_is_no_description_of_data_is_passed_over(repository: Path) -> None:
    make_commit(
        repository,
        {
            "dbt_packages/other/models/a.yml": b"a: 1\n",
            "target/manifest.yml": b"a: 1\n",
            "models/model.py": b"pass\n",
            "picture.png": b"\0",
            "CODEOWNERS": b"* @ana\n",
            "run.sql": b"select 1\n",
            "UPPER.YML": b"a: 1\n",
        },
    )
    (repository / "run.sql").chmod(0o755)
    make_commit(repository, {})
    result = read(repository)
    paths = {file.path for file in result.files}
    assert {"CODEOWNERS", "run.sql", "UPPER.YML"} <= paths
    assert not {"models/model.py", "picture.png", "target/manifest.yml"} & paths
    assert left_out(result) == {"dbt_packages/": "passed_over", "target/": "passed_over"}


def test_the_manifest_is_read_where_a_repository_keeps_it(repository: Path) -> None:
    make_commit(repository, {"shop/target/manifest.json": b"{}", "shop/target/run.json": b"{}", "target/a.yml": b""})
    (repository / "target" / "manifest.json").symlink_to("/etc/passwd")
    make_commit(repository, {})
    result = read(repository)
    assert [file.path for file in result.files if "target" in file.path] == ["shop/target/manifest.json"]
    assert left_out(result) == {"shop/target/": "passed_over", "target/": "passed_over"}
    assert "1 manifest" in TOOL.summary(CatalogArgs(repository="dbt"), result)


def commit_tree(repository: Path, entries: dict[bytes, bytes]) -> None:
    """Commit a tree with names that no working copy would hold."""
    listing = b""
    for path, content in entries.items():
        blob = run_git(repository, "hash-object", "-w", "--stdin", stdin=content).strip()
        listing += f"100644 blob {blob}\t".encode() + path + b"\0"
    tree = run_git(repository, "mktree", "-z", stdin=listing).strip()
    run_git(repository, "update-ref", "refs/heads/main", run_git(repository, "commit-tree", tree, "-m", "x").strip())


def test_hostile_names_and_contents_are_left_out_and_shown_quoted(repository: Path) -> None:
    commit_tree(
        repository,
        {
            b"a\nb.yml": b"x\n",
            b"\xff.yml": b"x\n",
            b"\x1b[2J.md": b"x\n",
            "\u202elmy.yml".encode(): b"x\n",
            b"back\\slash.sql": b"x\n",
            b"con.yml": b"x\n",
            b"nul.yml ": b"not a candidate\n",
            b"latin.yml": b"gr\xfcn\n",
            b"zero.sql": b"a\0b",
            b"big.yml": b"x" * (1024 * 1024 + 1),
            b"mark.yml": b"\xef\xbb\xbfa: 1\r\n",
        },
    )
    result = read(repository)
    assert [(file.path, file.text) for file in result.files] == [("mark.yml", "\ufeffa: 1\r\n")]
    assert left_out(result) == snapshot(
        {
            '"\\033[2J.md"': "unsafe_path",
            '"\\342\\200\\256lmy.yml"': "unsafe_path",
            '"\\377.yml"': "unsafe_path",
            '"a\\nb.yml"': "unsafe_path",
            '"back\\\\slash.sql"': "unsafe_path",
            "big.yml": "too_large",
            "con.yml": "unsafe_path",
            "latin.yml": "not_text",
            "zero.sql": "not_text",
        }
    )
    assert all(item.path.isprintable() for item in result.left_out)


def test_at_a_bound_descriptions_come_first_and_the_rest_is_counted(repository: Path) -> None:
    make_commit(repository, {f"models/m{number:03}.sql": b"select 1\n" for number in range(300)})
    few = ReadCatalog(LocalGit(), Limits(max_rows=4))
    result = read(repository, few)
    assert [file.path for file in result.files] == [
        "dbt_project.yml",
        "models/m000.sql",
        "models/m001.sql",
        "models/schema.yml",
    ]
    assert len(result.left_out) == 200
    assert result.left_out_more == 301 + 2 - 2 - 200
    assert {item.reason for item in result.left_out} == {"over_the_bound"}
    small = read(repository, ReadCatalog(LocalGit(), Limits(max_bytes=40)))
    assert sum(len(file.text) for file in small.files) <= 40
    assert small.left_out


def test_a_tree_that_is_very_deep_or_very_wide_ends_somewhere(repository: Path) -> None:
    make_commit(repository, {"/".join(["d"] * 40) + "/a.yml": b"x\n"})
    assert [reason for path, reason in left_out(read(repository)).items() if path.startswith("d/")] == ["too_deep"]
    blob = run_git(repository, "rev-parse", "main:README.md").strip()
    wide = "".join(f"100644 blob {blob}\tf{number:04}.txt\n" for number in range(1000))
    folder = run_git(repository, "mktree", stdin=wide.encode()).strip()
    many = "".join(f"040000 tree {folder}\td{number:04}\n" for number in range(210))
    tree = run_git(repository, "mktree", stdin=many.encode()).strip()
    run_git(repository, "update-ref", "refs/heads/main", run_git(repository, "commit-tree", tree, "-m", "x").strip())
    assert set(left_out(read(repository)).values()) == {"over_the_bound"}


def test_the_summary_holds_numbers_and_no_names(repository: Path) -> None:
    make_commit(repository, {"secret_project.yaml": b"a: 1\n"})
    result = read(repository)
    words = TOOL.summary(CatalogArgs(repository="dbt"), result)
    assert words.replace(result.commit[:7], "COMMIT") == snapshot(
        "6 files of the repository at COMMIT (2 Markdown, 1 SQL, 3 YAML), 0 left out."
    )
    assert len(words) <= 400


def test_reading_leaves_nothing_behind(repository: Path) -> None:
    def everything() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in repository.rglob("*") if path.is_file()}

    before = everything()
    read(repository)
    assert everything() == before


def test_the_contract_is_fixed() -> None:
    assert (TOOL.name, TOOL.version, TOOL.kind, TOOL.effect) == ("read_catalog", "3", "repository", "read")
    assert TOOL.schema_digest() == snapshot("e9b9c5213e8f46ad2f26c7e36817c6720a0ecd3fee994e10fa643c4040c98364")
