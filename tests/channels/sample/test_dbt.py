"""The repository, read by the real git; the models, run on the real warehouse; the property files, by a YAML parser."""

import csv
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dulwich import porcelain
from jsonschema import Draft7Validator

from twokey.channels.sample import Sample, build
from twokey.channels.sample.dbt import TABLES, models, render
from twokey.channels.sample.tables import PRICES


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return build(tmp_path / "fresh").repo


def git(repo: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",  # git does not refresh the index, so each question meets it as it was built
    }
    done = subprocess.run(
        ["git", "-C", str(repo), *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout + done.stderr


def properties(sample: Sample) -> dict[str, Any]:
    return {
        path.relative_to(sample.repo).as_posix(): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(sample.repo.rglob("*.yml"))
    }


def columns(entry: dict[str, Any]) -> list[str]:
    return [column["name"] for column in entry.get("columns", [])]


def test_git_finds_no_fault_in_the_repository(repo: Path) -> None:
    assert git(repo, "fsck", "--strict", "--full", "--no-progress") == ""


def test_the_worktree_is_clean_for_git_and_for_dulwich(repo: Path) -> None:
    assert git(repo, "status", "--porcelain", "--branch", "--ignored") == "## main\n"
    status = porcelain.status(str(repo))
    assert (status.staged, list(status.unstaged), status.untracked) == (
        {"add": [], "delete": [], "modify": []},
        [],
        [],
    )


def test_git_sees_an_edit_as_an_edit_of_that_file_alone(repo: Path) -> None:
    (repo / "README.md").write_text("changed\n", encoding="utf-8")
    assert git(repo, "status", "--porcelain") == " M README.md\n"


def test_three_commits_by_two_people_at_fixed_times(sample: Sample, repo: Path) -> None:
    sam, mia = "Sam Abernathy <sam.abernathy@example.com>", "Mia Okonjo <mia.okonjo@example.com>"
    authors = git(repo, "log", "--format=%an <%ae> %aI %G?").splitlines()
    committers = git(repo, "log", "--format=%cn <%ce> %cI %G?").splitlines()
    assert authors == [
        f"{sam} 2026-11-03T10:55:00+00:00 N",
        f"{mia} 2026-08-26T15:19:00+00:00 N",
        f"{sam} 2026-05-04T07:48:00+00:00 N",
    ]
    assert committers == authors
    assert git(repo, "log", "--format=%s").splitlines() == [
        "Describe some columns and say who owns what",
        "Publish scores with a band",
        "Move the churn features into dbt",
    ]
    assert git(repo, "rev-parse", "HEAD").strip() == sample.commit


def test_each_commit_changes_something_and_the_last_one_two_old_files(repo: Path) -> None:
    assert git(repo, "show", "--format=", "--name-status", "HEAD").splitlines() == [
        "A\tCODEOWNERS",
        "M\tREADME.md",
        "M\tmodels/churn/schema.yml",
    ]


def test_git_itself_would_make_the_same_tree(repo: Path) -> None:
    before = git(repo, "rev-parse", "HEAD^{tree}")
    git(repo, "rm", "--quiet", "-r", "--cached", ".")
    git(repo, "add", "--all")
    assert git(repo, "write-tree") == before


def test_the_settings_of_the_user_change_nothing(sample: Sample, empty_home: Path, tmp_path: Path) -> None:
    hooks = empty_home / "hooks"
    hooks.mkdir()
    (hooks / "post-commit").write_text("#!/bin/sh\ntouch $HOME/ran\n", encoding="utf-8")
    (hooks / "post-commit").chmod(0o755)
    (empty_home / ".gitconfig").write_text(
        f"[user]\n name = Somebody\n email = somebody@example.org\n[init]\n defaultBranch = trunk\n"
        f"[commit]\n gpgSign = true\n[core]\n autocrlf = true\n hooksPath = {hooks}\n[index]\n version = 4\n",
        encoding="utf-8",
    )
    code = (
        "import sys, pathlib; from twokey.channels.sample import build; print(build(pathlib.Path(sys.argv[1])).commit)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "there")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": str(empty_home), "TZ": "Asia/Kathmandu"},
    )

    assert done.stdout.strip() == sample.commit
    assert git(tmp_path / "there" / "dbt", "status", "--porcelain", "--branch") == "## main\n"
    assert not (empty_home / "ran").exists()


def test_property_files_parse(sample: Sample) -> None:
    assert set(properties(sample)) == {
        "dbt_project.yml",
        "models/churn/schema.yml",
        "models/exposures.yml",
        "models/staging/_sources.yml",
        "profiles.example.yml",
    }


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("models/churn/schema.yml", "dbt_yml_files-latest.json"),
        ("models/staging/_sources.yml", "dbt_yml_files-latest.json"),
        ("models/exposures.yml", "dbt_yml_files-latest.json"),
    ],
)
def test_property_files_obey_the_schema_of_dbt(path: str, schema: str, sample: Sample, data: Path) -> None:
    document = json.loads((data / "schemas" / schema).read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(document).iter_errors(properties(sample)[path])] == []


def test_models_give_exactly_the_tables_of_the_warehouse(warehouse: sqlite3.Connection) -> None:
    assert tuple(models()) == TABLES
    for name, select in models().items():
        again = warehouse.execute(select)
        stored = warehouse.execute(f"SELECT * FROM {name}")
        assert [column[0] for column in again.description] == [column[0] for column in stored.description]
        assert again.fetchall() == stored.fetchall()


def test_the_test_of_the_project_passes_on_the_warehouse(sample: Sample, warehouse: sqlite3.Connection) -> None:
    sql = (sample.repo / "tests/assert_scores_are_probabilities.sql").read_text(encoding="utf-8")
    assert warehouse.execute(render(sql, {})).fetchall() == []


def test_documented_names_exist_and_the_documentation_has_gaps(sample: Sample, warehouse: sqlite3.Connection) -> None:
    def actual(table: str) -> list[str]:
        return [row[1] for row in warehouse.execute(f"PRAGMA table_info({table})")]

    documents = properties(sample)
    documented = {model["name"]: columns(model) for model in documents["models/churn/schema.yml"]["models"]}
    sources = documents["models/staging/_sources.yml"]["sources"]
    documented |= {table["name"]: columns(table) for source in sources for table in source["tables"]}

    assert all(set(names) <= set(actual(table)) for table, names in documented.items())
    missing = {table: [name for name in actual(table) if name not in documented[table]] for table in TABLES}
    assert missing == {
        "churn_features": ["contact", "country", "seats", "logins_30d", "upload_mb_30d", "contacts_90d"],
        "churn_scores": ["model_version", "scored_at"],
    }
    covered = {table["name"] for source in sources for table in source["tables"]}
    everything = {name for (name,) in warehouse.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert everything - covered - set(TABLES) == {"employees", "churn_scores_v1"}
    assert "sensitivity" not in json.dumps(documents)


def test_files_look_as_people_write_them(sample: Sample) -> None:
    text = (sample.repo / "models/churn/schema.yml").read_text(encoding="utf-8")
    # what a rewriting YAML library would lose or reformat
    for shape in ("# was: platform", "description: |\n", ">-\n", "'Last day", '"Invoices', "[not_null]", "# TODO(ana)"):
        assert shape in text


def test_the_seed_file_agrees_with_the_prices_on_the_invoices(sample: Sample) -> None:
    with (sample.repo / "seeds/plan_prices.csv").open(encoding="utf-8", newline="") as file:
        assert {row["plan"]: int(row["price_cents_per_seat"]) for row in csv.DictReader(file)} == PRICES


@pytest.mark.parametrize("sql", ["select {{ var('x') }}", "{% if true %}select 1{% endif %}", "{{ ref(model()) }}"])
def test_jinja_that_is_not_known_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match="not rendered"):
        render(sql, {})
