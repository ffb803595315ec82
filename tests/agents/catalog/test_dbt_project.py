"""Reading a repository's dbt projects: what is found, what is reported as uncertain, and where new sources go."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from twokey.agents.catalog import dbt_reading
from twokey.agents.catalog.dbt_project import (
    Ambiguous,
    Found,
    Missing,
    Repository,
    SqlModel,
    Undocumented,
    slug,
)
from twokey.agents.catalog.dbt_reading import read_repository
from twokey.agents.catalog.documented import Documented, DocumentedColumn, read
from twokey.agents.catalog.edits import Conventions
from twokey.agents.catalog.properties import AddNode, AddTests, Column, SetDescription, edit, render_new
from twokey.core.errors import BadInput

PROJECT = b"name: shop\nmodel-paths: [models]\n"
SOURCES = b"""\
sources:
  - name: raw
    schema: landing
    database: lake
    tables:
      - name: orders
        identifier: ORDERS_V2
        description: All orders
        columns:
          - name: id
            description: Key
            data_type: bigint
            data_tests: [unique, {accepted_values: {values: [1]}}, {name: mine, test_name: not_null}]
            meta: {sensitivity: low}
            config: {meta: {owner: x}, tags: [pii]}
            quote: true
          - name: blank
            description: ''
      - name: customers
"""
MODELS = b"""\
models:
  - name: stg_orders
    config: {alias: orders_staged, schema: staging}
    tests: [dbt_utils.few]
    tags: nightly
  - name: fct_sales
    versions: [{v: 1}, {v: 2, config: {alias: sales_two}}]
"""


def shop(more: Mapping[str, bytes] | None = None) -> Repository:
    return read_repository(
        {
            "dbt_project.yml": PROJECT,
            "models/staging/raw/_raw__sources.yml": SOURCES,
            "models/staging/_models.yml": MODELS,
            "models/staging/stg_orders.sql": b"select 1",
            "models/marts/dim_dates.sql": b"{{ config(materialized='table', alias='dates') }} select 1",
            "models/marts/fct_sales.py": b"def model(dbt, session): ...",
            "seeds/seeds.yml": b"seeds:\n  - name: countries\n",
            "snapshots/s.yml": b"snapshots:\n  - name: history\n    config: {schema: old}\n",
            "macros/other.yml": b"models:\n  - name: not_looked_at\n",
            "README.md": b"# shop",
            **(more or {}),
        }
    )


def found(repo: Repository, table: str, schema: str | None = None, database: str | None = None) -> str:
    match = repo.find(table, schema=schema, database=database)
    assert isinstance(match, Found), match
    return f"{match.node.path}:{match.node.properties.node}"


def test_every_documented_node_is_listed_with_what_it_has() -> None:
    repo = shop()
    nodes = {node.properties.node: node.properties for node in repo.nodes}
    assert list(nodes) == ["stg_orders", "fct_sales", ("raw", "orders"), ("raw", "customers"), "countries", "history"]
    assert nodes["raw", "orders"] == Documented(
        kind="source",
        name="orders",
        source="raw",
        description="All orders",
        columns=(
            DocumentedColumn(
                name="id",
                description="Key",
                data_type="bigint",
                tests=("unique", "accepted_values", "not_null"),
                meta={"sensitivity": "low", "owner": "x"},
                tags=("pii",),
                quote=True,
            ),
            DocumentedColumn(name="blank"),
        ),
        schema="landing",
        database="lake",
        identifier="ORDERS_V2",
    )
    assert nodes["stg_orders"].tests == ("dbt_utils.few",)
    assert nodes["stg_orders"].tags == ("nightly",)
    assert [(model.name, model.alias) for model in repo.undocumented] == [("dim_dates", "dates")]
    assert repo.projects[0].name == "shop"
    assert repo.problems == repo.unreadable == ()


def test_a_table_is_found_by_the_name_it_has_in_the_database() -> None:
    repo = shop()
    raw = "models/staging/raw/_raw__sources.yml"
    assert found(repo, "orders_v2", "LANDING") == f"{raw}:('raw', 'orders')"
    assert found(repo, "ORDERS_V2") == f"{raw}:('raw', 'orders')"
    assert found(repo, "customers", "landing", "lake") == f"{raw}:('raw', 'customers')"
    assert found(repo, "orders_staged", "dbt_ana_staging") == "models/staging/_models.yml:stg_orders"
    assert found(repo, "fct_sales_v1", "any") == "models/staging/_models.yml:fct_sales"
    assert found(repo, "sales_two") == "models/staging/_models.yml:fct_sales"
    assert found(repo, "countries", "dbt") == "seeds/seeds.yml:countries"


@pytest.mark.parametrize(
    ("table", "schema", "database"),
    [
        ("orders", "landing", None),  # the table is called ORDERS_V2 there
        ("customers", "raw", None),  # the source stands for landing
        ("customers", "landing", "other"),
        ("stg_orders", "staging", None),  # it has an alias
        ("orders_staged", "marts", None),
        ("history", "new", None),
        ("not_looked_at", None, None),
    ],
)
def test_a_table_that_no_node_stands_for_is_missing(table: str, schema: str | None, database: str | None) -> None:
    assert shop().find(table, schema=schema, database=database) == Missing()


def test_a_model_known_by_its_sql_alone_says_where_it_should_be_documented() -> None:
    model = SqlModel("dim_dates", "models/marts/dim_dates.sql", "", "dates")
    assert shop().find("dates", schema="dbt") == Undocumented(model, "models/marts/_marts__models.yml")
    beside = shop({"models/marts/all.yml": b"models:\n  - name: other\n"})
    assert beside.find("dates") == Undocumented(model, "models/marts/all.yml")


def test_the_alias_in_the_sql_of_a_documented_model_is_its_name() -> None:
    repo = shop({"models/marts/m.yml": b"models:\n  - name: dim_dates\n"})
    assert found(repo, "dates") == "models/marts/m.yml:dim_dates"
    assert repo.find("dim_dates") == Missing()


def test_nothing_is_guessed_where_two_nodes_answer() -> None:
    repo = shop({"models/marts/again.yml": b"models:\n  - name: fct_sales\n  - name: customers\n"})
    twice = repo.find("fct_sales_v1")
    assert isinstance(twice, Found)  # only one of the two has versions
    assert isinstance(repo.find("fct_sales"), Ambiguous)
    assert repo.find("customers") == Ambiguous(
        ("models/marts/again.yml", "models/staging/raw/_raw__sources.yml"), "More than one node answers to this table."
    )
    assert found(repo, "customers", "landing") == "models/staging/raw/_raw__sources.yml:('raw', 'customers')"
    assert found(repo, "customers", "analytics") == "models/marts/again.yml:customers"
    two_files = shop({"models/marts/customers.sql": b"select 1"})
    assert isinstance(two_files.find("customers"), Ambiguous)


def test_an_exact_name_wins_over_one_in_other_case() -> None:
    repo = shop({"models/x.yml": b"models: [{name: a}, {name: A}]\n"})
    assert found(repo, "A") == "models/x.yml:A"
    assert found(repo, "a") == "models/x.yml:a"


def test_a_templated_schema_is_not_guessed() -> None:
    repo = shop(
        {"models/x.yml": b"sources:\n  - name: s\n    schema: \"{{ var('s') }}\"\n    tables: [{name: only}]\n"}
    )
    assert repo.find("only", schema="s") == Ambiguous(
        ("models/x.yml",), "The schema of the only matching source is a template."
    )
    assert found(repo, "only") == "models/x.yml:('s', 'only')"


def test_a_file_that_cannot_be_read_is_listed_and_makes_its_tables_uncertain() -> None:
    repo = shop(
        {"models/bad.yml": b"models:\n  - name: Secret_Table\n  bad", "models/big.yml": b"#" * (4 * 1024 * 1024 + 1)}
    )
    assert [(file.path, file.code) for file in repo.unreadable] == [
        ("models/bad.yml", "not_yaml"),
        ("models/big.yml", "too_large"),
    ]
    assert repo.find("secret_table") == Ambiguous(
        ("models/bad.yml",), "A property file that cannot be read mentions this table."
    )
    assert repo.find("nowhere") == Missing()
    assert found(repo, "customers") == "models/staging/raw/_raw__sources.yml:('raw', 'customers')"


def test_a_new_source_goes_where_dbt_people_look_for_it() -> None:
    repo = shop()
    assert repo.new_source_path("raw") == "models/staging/raw/_raw__sources.yml"
    assert repo.new_source_path("Web Shop") == "models/staging/web_shop/_web_shop__sources.yml"
    assert repo.source_of("LANDING") == "raw"
    assert repo.source_of("raw") is None
    assert repo.source_of("landing", database="other") is None
    assert read_repository({}).new_source_path("crm") == "models/crm/_crm__sources.yml"
    moved = read_repository({"dbt/dbt_project.yml": b"source-paths: [src/models]\n"})
    assert moved.new_source_path("crm") == "dbt/src/models/staging/crm/_crm__sources.yml"


def test_a_source_in_several_files_or_an_unreadable_one_is_left_to_a_person() -> None:
    again = b"sources:\n  - name: raw\n    tables: [{name: more}]\n"
    again += b"  - name: second\n    schema: landing\n    tables: [{name: x}]\n"
    repo = shop({"models/again.yml": again})
    for ask, code in (
        (lambda: repo.new_source_path("raw"), "several_files"),
        (lambda: repo.source_of("landing"), "several_sources"),
        (lambda: repo.new_source_path("raw", project="elsewhere"), "no_such_project"),
        (lambda: shop({"models/staging/x/_x__sources.yml": b"a: ["}).new_source_path("x"), "unreadable_file"),
    ):
        with pytest.raises(BadInput) as caught:
            ask()
        assert caught.value.code == code


def test_several_projects_are_told_apart() -> None:
    repo = read_repository(
        {
            "a/dbt_project.yml": b"name: a\n",
            "a/models/x.yml": b"models: [{name: m}]\n",
            "a/nested/dbt_project.yml": b"name: nested\nmodel-paths: [m]\n",
            "a/nested/m/x.yml": b"models: [{name: n}]\n",
            "a/nested/models/y.yml": b"models: [{name: no}]\n",
            "a/dbt_packages/utils/dbt_project.yml": b"name: utils\n",
            "a/dbt_packages/utils/models/x.yml": b"models: [{name: installed}]\n",
            "elsewhere/models/x.yml": b"models: [{name: stray}]\n",
        }
    )
    assert [project.root for project in repo.projects] == ["a", "a/nested"]
    assert [(node.project, node.properties.name) for node in repo.nodes] == [("a", "m"), ("a/nested", "n")]
    assert repo.new_source_path("s", project="a/nested") == "a/nested/m/staging/s/_s__sources.yml"
    with pytest.raises(BadInput) as caught:
        repo.new_source_path("s")
    assert caught.value.code == "several_projects"


@pytest.mark.parametrize("folder", ["../../etc", "/etc", "", "{{ env_var('X') }}", "models/../..", 7])
def test_a_project_cannot_point_outside_itself(folder: object) -> None:
    text = f"model-paths: [{folder!r}]\n" if isinstance(folder, str) else "model-paths: [7]\n"
    repo = read_repository({"dbt_project.yml": text.encode(), "models/x.yml": b"models: [{name: m}]\n"})
    assert repo.projects[0].model_paths == ("models",)
    assert len(repo.problems) == 1
    assert [node.path for node in repo.nodes] == ["models/x.yml"]


@pytest.mark.parametrize("content", [b"", b"- a\n", b"model-paths: models\n", b"name: 3\n"])
def test_an_odd_project_file_means_the_defaults(content: bytes) -> None:
    repo = read_repository({"dbt_project.yml": content, "models/x.yml": b"models: [{name: m}]\n"})
    assert len(repo.nodes) == 1


def test_a_project_file_that_cannot_be_read_is_listed() -> None:
    repo = read_repository({"dbt_project.yml": b"a: [", "models/x.yml": b"models: [{name: m}]\n"})
    assert [file.path for file in repo.unreadable] == ["dbt_project.yml"]
    assert len(repo.nodes) == 1


def test_paths_that_leave_the_repository_are_not_read() -> None:
    repo = read_repository(
        {"../x/dbt_project.yml": b"", "/models/x.yml": b"models: [{name: m}]", "models/../y.yml": b""}
    )
    assert repo.nodes == ()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("raw", "raw"),
        ("Web Shop!", "web_shop"),
        ("../../etc/passwd", "etc_passwd"),
        ("a/b", "a_b"),
        ("x" * 99, "x" * 64),
    ],
)
def test_a_name_becomes_a_part_of_a_path_that_stays_where_it_is(name: str, path: str) -> None:
    assert slug(name) == path


@pytest.mark.parametrize("name", ["日本", "…", "", "größe", "\ud800"])
def test_a_name_that_loses_letters_is_told_apart_by_its_hash(name: str) -> None:
    assert slug(name) == slug(name)
    assert slug(name) != slug(name + "x")
    assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert len(slug(name)) > 8 or slug(name) == "gro_e"


class Lazy(Mapping[str, bytes]):
    """A tree that counts what is read of it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.read: list[str] = []

    def __getitem__(self, path: str) -> bytes:
        self.read.append(path)
        return self.files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def test_only_files_of_the_projects_are_read_and_each_once() -> None:
    tree = Lazy(
        {
            "dbt_project.yml": PROJECT,
            "models/a.yml": b"models: []",
            "models/a.sql": b"",
            "models/a.md": b"",
            "data/huge.parquet": b"",
            "seeds/countries.csv": b"",
        }
    )
    read_repository(tree)
    assert sorted(tree.read) == ["dbt_project.yml", "models/a.sql", "models/a.yml"]


def test_a_repository_beyond_the_bounds_is_read_in_part_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"models/m{number}.yml": b"models: [{name: m%d}]" % number for number in range(5)}
    monkeypatch.setattr(dbt_reading, "MAX_FILES", 3)
    repo = read_repository({"dbt_project.yml": PROJECT, **files})
    assert len(repo.nodes) == 2
    assert repo.problems == ("Some files were not read: the repository has more than is read at once.",)
    monkeypatch.setattr(dbt_reading, "MAX_FILES", 0)
    assert read_repository({"dbt_project.yml": PROJECT}).projects[0].declared is False
    monkeypatch.setattr(dbt_reading, "MAX_PATHS", 2)
    assert "6 files" in read_repository({"dbt_project.yml": PROJECT, **files}).problems[0]


def test_conventions_are_those_of_most_files() -> None:
    old = b"models:\n  - name: m\n    tests:\n      - accepted_values:\n          values: [a]\n"
    new = b"models:\n  - name: n\n    data_tests:\n      - relationships:\n          arguments:\n            field: a\n"
    assert shop().conventions == Conventions(test_arguments=False)
    assert read_repository({}).conventions == Conventions()
    assert read_repository({"models/a.yml": old}).conventions == Conventions(tests_key="tests", test_arguments=False)
    assert read_repository({"models/a.yml": old, "models/b.yml": new}).conventions == Conventions()


def test_odd_content_of_a_property_file_is_passed_over() -> None:
    assert read(b"") == read(b"- a\n") == read(b"models: 3\nsources: [x, {name: 1}, {name: s, tables: {a: b}}]\n") == ()
    (node,) = read(b"models: [{name: m, columns: [7, {name: 5}], versions: [1, {v: null}], tests: [3, {}], meta: 4}]\n")
    assert node == Documented(kind="model", name="m")


def test_merge_keys_and_aliases_count_as_own() -> None:
    text = (
        b"base: &b {description: Shared, meta: {n: 0x1F, f: 1.5, i: -7, z: 0, b: yes, d: 2024-01-01, s: 1:30, x: .x}}\n"
    )
    (node,) = read(text + b"models:\n  - <<: [*b]\n    name: m\n    columns: &c [{name: A}]\n")
    assert node.description == "Shared"
    assert node.meta == {"n": "0x1F", "f": 1.5, "i": -7, "z": 0, "b": True, "d": "2024-01-01", "s": "1:30", "x": ".x"}
    assert node.column("a") == node.column("A") == DocumentedColumn("A")
    assert node.column("b") is None


def test_a_number_without_end_stays_a_text() -> None:
    (node,) = read(b"models: [{name: m, meta: {a: " + b"9" * 10_000 + b"}}]\n")
    assert node.meta == {"a": "9" * 10_000}


def test_what_is_found_can_be_edited_and_found_again() -> None:
    repo = shop()
    match = repo.find("customers", schema="landing")
    assert isinstance(match, Found)
    edited = edit(
        SOURCES,
        [SetDescription(match.node.properties.node, None, "People"), AddNode(("raw", "items"), columns=[Column("id")])],
        conventions=repo.conventions,
    )
    assert len(edited.applied) == 2
    path = repo.new_source_path("crm")
    new = render_new([AddNode(("crm", "leads"), schema="crm_db")], conventions=repo.conventions)
    after = shop({match.node.path: edited.text, path: new.text})
    assert found(after, "items", "landing") == "models/staging/raw/_raw__sources.yml:('raw', 'items')"
    assert found(after, "leads", "crm_db") == f"{path}:('crm', 'leads')"
    assert edit(edited.text, [AddTests(("raw", "items"), "id", ["unique"])]).refused == ()


# --- schemas and versions -------------------------------------------------------------------------------------------


def test_versions_of_a_model_are_files_of_one_node_and_the_latest_comes_first() -> None:
    text = b"models:\n  - name: m\n    versions: [{v: 1, defined_in: m_old}, {v: 3}, {v: 2, config: {alias: two}}]\n"
    (node,) = read(text)
    assert node.versions == ("m_v3", "m_v1", "two")
    assert node.version_files == ("m_v3", "m_old", "m_v2")
    assert read(text + b"    latest_version: 2\n")[0].versions[0] == "two"
    assert read(b"models: [{name: m, versions: [{v: a}, {v: b}]}]\n")[0].versions == ("m_va", "m_vb")
    repo = shop({"models/v.yml": text, "models/m_old.sql": b"", "models/m_v3.sql": b"", "models/m_v2.sql": b""})
    assert found(repo, "m_v3") == found(repo, "two") == "models/v.yml:m"
    assert "m_old" not in [model.name for model in repo.undocumented]
    assert repo.find("m_old") == Missing()


def test_a_schema_comes_from_the_sql_else_from_the_folder() -> None:
    project = b"""\
name: shop
models:
  +schema: all
  shop:
    marts:
      +schema: mart
      deep: {schema: deeper, +tags: [a]}
    odd: 3
"""
    repo = read_repository(
        {
            "dbt_project.yml": project,
            "models/marts/a.sql": b"select 1",
            "models/marts/deep/b.sql": b"select 1",
            "models/marts/c.sql": b"{{ config(schema='own', materialized='view') }} select 1",
            "models/d.sql": b"select 1",
            "models/marts/m.yml": b"models: [{name: a}]\n",
        }
    )
    assert {model.name: model.schema for model in repo.models} == {"a": "mart", "b": "deeper", "c": "own", "d": None}
    assert found(repo, "a", "dbt_mart") == "models/marts/m.yml:a"
    assert repo.find("a", schema="dbt_own") == Missing()
    assert isinstance(repo.find("b", schema="deeper"), Undocumented)
    assert repo.find("b", schema="mart") == Missing()
    assert isinstance(repo.find("d", schema="anything"), Undocumented)


# --- the manifest ---------------------------------------------------------------------------------------------------


def manifest(*nodes: dict[str, Any], **sources: dict[str, Any]) -> bytes:
    """A manifest as dbt writes it, with what nobody needs left out."""
    named = {
        f"model.{number}": {"package_name": "shop", "resource_type": "model"} | each
        for number, each in enumerate(nodes)
    }
    also = {key: {"package_name": "shop", "resource_type": "source"} | each for key, each in sources.items()}
    return json.dumps({"metadata": {"dbt_schema_version": "v12"}, "nodes": named, "sources": also}).encode()


def test_the_manifest_says_which_relation_a_node_is() -> None:
    written = manifest(
        {"name": "stg_orders", "schema": "Custom", "alias": "o", "database": "lake"},
        {"name": "dim_dates", "schema": "custom", "alias": "days"},
        {"name": "countries", "schema": "ref", "resource_type": "seed"},
        t={"name": "only", "source_name": "s", "schema": "real", "identifier": "ONLY_2"},
    )
    templated = b"sources:\n  - name: s\n    schema: \"{{ var('s') }}\"\n    tables: [{name: only}]\n"
    repo = shop({"target/manifest.json": written, "models/x.yml": templated})
    assert repo.problems == ()
    assert found(repo, "O", "custom") == "models/staging/_models.yml:stg_orders"
    assert found(repo, "o", "custom", "LAKE") == "models/staging/_models.yml:stg_orders"
    assert repo.find("o", schema="custom", database="other") == Missing()
    assert found(repo, "only_2", "real") == "models/x.yml:('s', 'only')"
    assert found(repo, "countries", "ref") == "seeds/seeds.yml:countries"
    days = repo.find("days", schema="custom")
    assert isinstance(days, Undocumented)
    assert days.model.path == "models/marts/dim_dates.sql"
    assert found(repo, "customers", "landing") == "models/staging/raw/_raw__sources.yml:('raw', 'customers')"


def test_two_nodes_of_one_relation_are_left_to_a_person() -> None:
    written = manifest(
        {"name": "stg_orders", "schema": "a", "alias": "x"}, {"name": "fct_sales", "schema": "a", "alias": "x"}
    )
    assert isinstance(shop({"target/manifest.json": written}).find("x", schema="a"), Ambiguous)


def test_a_manifest_names_nothing_that_the_files_do_not_hold() -> None:
    written = manifest(
        {"name": "gone", "schema": "a", "alias": "secret"},
        {"name": "stg_orders", "schema": "a", "alias": "x", "package_name": "another"},
        {"name": "stg_orders", "schema": 7},
        {"name": "stg_orders", "resource_type": "test", "schema": "a"},
        x={"name": "orders", "schema": "a"},
    )
    repo = shop({"target/manifest.json": written})
    assert repo.find("secret", schema="a") == repo.find("x", schema="a") == Missing()
    assert repo.problems == ("target/manifest.json: 1 nodes of the manifest are not in the files; build it anew.",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[1]", "names no nodes"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"nodes": 3, "sources": null}', "names no nodes"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_a_problem_and_no_end(data: bytes, reason: str) -> None:
    repo = shop({"target/manifest.json": data})
    assert reason in repo.problems[0]
    assert found(repo, "countries", "dbt") == "seeds/seeds.yml:countries"


def test_a_manifest_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twokey.agents.catalog.manifest.MAX_NODES", 1)
    two = manifest({"name": "a", "schema": "a"}, {"name": "b", "schema": "a"})
    assert "more than 1 nodes" in shop({"target/manifest.json": two}).problems[0]
    monkeypatch.setattr("twokey.agents.catalog.manifest.MAX_BYTES", 10)
    assert "more than 10 bytes" in shop({"target/manifest.json": two}).problems[0]


def test_the_manifest_lies_where_the_project_says() -> None:
    written = manifest({"name": "stg_orders", "schema": "a", "alias": "x"})
    project = b"name: shop\ntarget-path: build\n"
    repo = read_repository({"dbt_project.yml": project, "models/m.yml": MODELS, "build/manifest.json": written})
    assert found(repo, "x", "a") == "models/m.yml:stg_orders"
    outside = read_repository({"dbt_project.yml": b"name: shop\ntarget-path: ../x\n", "../x/manifest.json": written})
    assert outside.projects[0].target_path == "target"
