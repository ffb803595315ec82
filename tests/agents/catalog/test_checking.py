"""What a repository says of a warehouse, held against the warehouse: in CI and before a commit."""

from pathlib import Path

import pytest
from support.command import Command
from support.warehouse_facts import column, table, warehouse

from twokey.agents.catalog.checking import Checked, Item, check, compare
from twokey.agents.catalog.dbt_reading import read_repository
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.lines import lines_of
from twokey.agents.catalog.understanding import understand
from twokey.channels.working_tree import WorkingTree
from twokey.core.errors import BadInput

PEOPLE = table("people", column("id", "INTEGER"), column("email", "VARCHAR(80)"), column("town", "TEXT"), key=("id",))
SAID = b"""\
sources:
  - name: app
    schema: main
    tables:
      - name: people
        columns:
          - name: id
            data_type: bigint
          - name: EMAIL
            meta: {sensitivity: pii}
          - name: town
"""


def checked(*tables: Table, chosen: tuple[str, ...] | None = None, dialect: str = "sqlite", **files: bytes) -> Checked:
    """Hold files (all of them models) against tables."""
    contents = {"dbt_project.yml": b"name: shop\n"} | {f"models/{name}.yml": text for name, text in files.items()}
    found = understand(warehouse(*tables, dialect=dialect), chosen or [each.key for each in tables], {})
    return compare(found, read_repository(contents), contents, source="shop")


def codes(items: tuple[Item, ...]) -> list[tuple[str, int, str]]:
    return [(item.path, item.line, item.code) for item in items]


def test_what_is_marked_and_kept_is_no_problem():
    done = checked(PEOPLE, a=SAID)
    assert (done.problems, done.notes) == ((), ())
    assert (done.tables, done.columns) == (1, 3)


def test_a_personal_column_must_be_marked_by_somebody():
    bare = SAID.replace(b"            meta: {sensitivity: pii}\n", b"")
    (item,) = checked(PEOPLE, a=bare).problems
    assert (item.path, item.line, item.code, item.table, item.column) == (
        "models/a.yml",
        9,
        "untagged_pii",
        "people",
        "email",
    )
    assert item.message.startswith("people.email is personal and is not marked: the name says e-mail address")
    assert (
        checked(
            PEOPLE, a=bare.replace(b"- name: EMAIL\n", b"- name: EMAIL\n            tags: [public, PII]\n")
        ).problems
        == ()
    )


def test_a_personal_column_that_nobody_documents_is_shown_where_it_should_be():
    missing = SAID.replace(b"          - name: EMAIL\n            meta: {sensitivity: pii}\n", b"")
    (item,) = checked(PEOPLE, a=missing).problems
    assert (item.line, item.code) == (5, "untagged_pii")
    assert "is not documented" in item.message
    (item,) = checked(PEOPLE).problems
    assert (item.path, item.line) == ("models/staging/shop/_shop__sources.yml", 1)
    assert "in a table that nobody documents" in item.message


def test_a_mark_on_the_table_is_a_note():
    said = SAID.replace(b"            meta: {sensitivity: pii}\n", b"").replace(
        b"      - name: people\n", b"      - name: people\n        meta: {contains_pii: true}\n"
    )
    done = checked(PEOPLE, a=said)
    assert done.problems == ()
    assert codes(done.notes) == [("models/a.yml", 10, "pii_marked_on_table")]


def test_a_documented_column_that_is_gone_or_renamed_breaks():
    said = SAID + b"          - name: birthday\n          - name: town_name\n"
    moved = table("people", *PEOPLE.columns[:2], column("town_names", "TEXT"), key=("id",))
    done = checked(moved, a=said.replace(b"          - name: town\n", b""))
    assert codes(done.problems) == [("models/a.yml", 11, "column_removed"), ("models/a.yml", 12, "column_renamed")]
    assert "town_names looks like its new name" in done.problems[1].message


def test_a_type_that_holds_less_or_is_another_breaks():
    said = SAID.replace(b"name: town\n", b"name: town\n            data_type: text\n")
    changed = table("people", column("id", "integer"), PEOPLE.columns[1], column("town", "jsonb"), key=("id",))
    done = checked(changed, a=said, dialect="postgresql")
    assert codes(done.problems) == [("models/a.yml", 7, "type_narrowed"), ("models/a.yml", 11, "type_changed")]
    assert done.problems[0].message == "people.id is documented as bigint and is integer."
    contents = {"models/a.yml": said}
    found = understand(warehouse(changed, dialect="duckdb"), ["people"], {})
    guessed = compare(found, read_repository(contents), contents, typed=False)
    assert guessed.problems == ()


def test_a_table_is_gone_only_where_another_of_its_source_is_there():
    said = SAID + b"      - name: orders\n  - name: elsewhere\n    schema: other\n    tables: [{name: x}]\n"
    done = checked(PEOPLE, a=said)
    assert codes(done.problems) == [("models/a.yml", 12, "table_removed")]
    other = table("towns", column("id", "INTEGER"))
    assert checked(PEOPLE, other, chosen=("people",), a=said).problems == ()


def test_what_is_uncertain_is_a_note():
    twice = SAID.replace(b"name: app", b"name: other")
    done = checked(PEOPLE, a=SAID, b=twice, c=b"models: [")
    assert done.problems == ()
    assert codes(done.notes) == [("models/c.yml", 1, "unreadable_file"), ("models/a.yml", 1, "not_mapped")]


def test_names_of_the_warehouse_are_harmless_in_messages():
    hostile = table("people`@all", column("email", "TEXT"))
    (item,) = checked(hostile).problems
    assert "@" not in item.message
    assert "`" not in item.message


def test_lines_are_those_of_names_wherever_they_stand():
    text = b"models:\n  - columns:\n      - {name: a}\n      - description: x\n        name: b\n    name: m\n  - *x\n"
    assert lines_of(text) == {}
    lines = lines_of(b"x: &x {name: y}\n" + text + b"sources: 3\n")
    assert lines == {("m", None): 7, ("m", "a"): 4, ("m", "b"): 6, ("y", None): 8}
    assert lines_of(b"- a\n") == lines_of(b"") == {}


def test_where_several_files_could_document_a_table_none_is_named():
    more = b"sources:\n  - name: app\n    schema: main\n    tables: [{name: x}]\n"
    said = SAID.replace(b"name: people", b"name: others")
    (item, *_) = checked(PEOPLE, a=said, b=more).problems
    assert (item.path, item.code) == ("dbt_project.yml", "untagged_pii")


def test_what_is_amiss_with_the_repository_is_a_note():
    contents = {"dbt_project.yml": b"model-paths: [../x]\n"}
    (note,) = compare(understand(warehouse(), [], {}), read_repository(contents), contents).notes
    assert note.code == "repository_problem"


def test_no_table_of_that_name_is_bad_input(tmp_path: Path):
    (tmp_path / "people.csv").write_text("id\n1\n")
    with pytest.raises(BadInput, match="No table"):
        check(str(tmp_path), {}, tables=["*nothing*"])


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_fails_with_one_line_for_each_problem(tmp_path: Path):
    data, repository = tmp_path / "data", tmp_path / "repository"
    (repository / "models").mkdir(parents=True)
    (repository / "models" / "a.yml").write_bytes(
        SAID.replace(b"schema: main", b"schema: data").replace(b"EMAIL", b"gone")
    )
    data.mkdir()
    (data / "people.csv").write_text("id,email,town\n" + "".join(f"{n},p{n}@example.org,Ulm\n" for n in range(30)))
    twokey = Command(home=tmp_path / "home", folder=tmp_path)
    done = twokey("catalog", "check", "data", "--repo", "repository")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[-1] == "2 problems in 1 tables, 3 columns"
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["models/a.yml:5:", "untagged_pii"],
        ["models/a.yml:9:", "column_removed"],
    ]
    (repository / "models" / "a.yml").write_bytes(SAID)
    done = twokey("catalog", "check", "data", "--repo", "repository", "--json")
    assert (done.code, done.json["ok"], done.json["problems"]) == (0, True, [])
    assert not (tmp_path / "home").exists() or not list((tmp_path / "home").rglob("*.key"))


def test_the_working_tree_is_read_lazily_and_no_further_than_the_folder(tmp_path: Path):
    (tmp_path / "secret.yml").write_text("x: 1")
    folder = tmp_path / "repository"
    for name in (".git/config.yml", "dbt_packages/a.yml", "models/a.yml", "target/manifest.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link.yml").symlink_to(tmp_path / "secret.yml")
    (folder / "outside").symlink_to(tmp_path)
    tree = WorkingTree(folder)
    assert list(tree) == ["models/a.yml", "target/manifest.json"]
    assert len(tree) == 2
    assert tree["models/a.yml"] == b"models/a.yml"
    for path in ("../secret.yml", "link.yml", "outside/secret.yml"):
        with pytest.raises(KeyError):
            tree[path]
    (folder / "models" / "a.yml").unlink()
    assert tree["models/a.yml"] == b""
    with pytest.raises(BadInput):
        WorkingTree(folder / "none")


def test_a_folder_with_too_many_files_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("twokey.channels.working_tree.MAX_FILES", 1)
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")
    with pytest.raises(BadInput):
        WorkingTree(tmp_path)
