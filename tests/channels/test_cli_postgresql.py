"""PostgreSQL from outside: as the store of a workspace, and as the warehouse that is documented."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from inline_snapshot import snapshot
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from support.command import Command, account, repository, warehouse
from support.git_repo import run_git

pytestmark = pytest.mark.postgresql


def execute(url: str, *statements: str) -> list[Any]:
    """Run statements; gives the rows of the last one."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return list(results[-1]) if results[-1].returns_rows else []
    finally:
        engine.dispose()


def test_the_whole_job_with_state_and_log_on_postgresql(tmp_path: Path, empty_postgresql_url: str):
    twokey, repo = (
        account(tmp_path, "ana:analysts,sam:platform-owners", "--store", empty_postgresql_url),
        tmp_path / "repo",
    )
    repository(repo)
    assert not twokey.database.exists()
    asked = twokey.json("catalog", "propose", warehouse(tmp_path / "a.db"), "--repo", repo, "--as", "ana")
    identifier = asked["proposals"][0]["id"]
    assert twokey.json("approvals", "approve", identifier, "--as", "sam")["state"] == "done"
    assert run_git(repo, "for-each-ref", "refs/heads/twokey/")
    verified = twokey.json("audit", "verify")
    assert (verified["ok"], verified["size"]) == (
        True,
        execute(empty_postgresql_url, "SELECT count(*) FROM log_entries")[0][0],
    )
    assert not list((tmp_path / "w" / ".twokey").glob("*.db"))
    with pytest.raises(DBAPIError, match="append-only"):
        execute(empty_postgresql_url, "DELETE FROM log_entries")
    ((seq,),) = execute(empty_postgresql_url, "SELECT seq FROM log_entries WHERE kind = 'answer.given'")
    execute(
        empty_postgresql_url,
        "ALTER TABLE log_entries DISABLE TRIGGER ALL",
        f"UPDATE log_entries SET body = set_byte(body, 40, 65) WHERE seq = {seq}",
    )
    done = twokey("audit", "verify", "--json")
    assert (done.code, done.json["first_bad"]) == (1, seq)
    told = Command(home=tmp_path / "home", folder=tmp_path).refused(
        "init", "w2", "--principal", "ana:a,sam:b", "--store", empty_postgresql_url, code=2
    )
    assert told == snapshot("That database holds the log of another workspace already.")
    assert not (tmp_path / "w2").exists()
    assert len(list((tmp_path / "home").iterdir())) == 1


def test_a_store_that_cannot_be_used_makes_no_workspace(tmp_path: Path, empty_postgresql_url: str):
    twokey = Command(home=tmp_path / "home", folder=tmp_path)
    told = {
        url: twokey.refused("init", "w", "--principal", "ana:a,sam:b", "--store", url, code=code)
        for url, code in (
            ("postgresql://ana:planted-password@127.0.0.1/db", 2),
            ("mysql://127.0.0.1/db", 2),
            ("nothing at all", 2),
            ("sqlite://", 2),
        )
    }
    assert told == snapshot(
        {
            "postgresql://ana:planted-password@127.0.0.1/db": "The store's address holds a password, and none is written into the settings.",
            "mysql://127.0.0.1/db": "Twokey cannot keep its store in 'mysql'.",
            "nothing at all": "The store's address is not a database URL.",
            "sqlite://": "The store's address names no plain SQLite file.",
        }
    )
    told_of = twokey.refused("init", "w", "--principal", "ana:a,sam:b", "--store", "postgresql://127.0.0.1:1/d", code=3)
    assert told_of.startswith("The workspace's database cannot be used:")
    assert not list(tmp_path.glob("*/*"))
    twokey.ok("init", "w", "--principal", "ana:a,sam:b", TWOKEY_STORE__URL=empty_postgresql_url)
    twokey.workspace = tmp_path / "w"
    assert "store" not in (tmp_path / "w" / "twokey.toml").read_text(encoding="utf-8")
    assert twokey.json("audit", "verify", TWOKEY_STORE__URL=empty_postgresql_url)["ok"]
    assert twokey("approvals", "list").code == 3, "without the variable there is no log"


def test_a_warehouse_on_postgresql_is_read_and_never_written(tmp_path: Path, empty_postgresql_url: str):
    execute(
        empty_postgresql_url,
        "CREATE SCHEMA shop",
        'CREATE TABLE shop.customers (id integer PRIMARY KEY, "e-mail" text NOT NULL, "new\nline" text)',
        "CREATE TABLE shop.orders (id integer PRIMARY KEY, customer_id integer REFERENCES shop.customers, placed date)",
        "CREATE TABLE shop.nothing ()",
        "CREATE VIEW shop.broken AS SELECT 1 / (SELECT count(*) FROM shop.orders WHERE false) AS x",
        "INSERT INTO shop.customers SELECT n, 'c' || n || '@example.org', null FROM generate_series(1, 200) AS n",
        "INSERT INTO shop.orders SELECT n, n, date '2026-01-01' FROM generate_series(1, 200) AS n",
    )
    twokey, repo = account(tmp_path), repository(tmp_path / "repo")
    asked = twokey.json("catalog", "propose", empty_postgresql_url, "--repo", repo, "--as", "ana")
    shown = twokey.json("approvals", "show", asked["proposals"][0]["id"])
    assert twokey.json("approvals", "approve", shown["id"], "--as", "sam")["state"] == "done"
    branch = shown["args"]["branch"]
    (name,) = run_git(repo, "diff", "--name-only", f"main..{branch}").split()
    (source,) = yaml.safe_load(run_git(repo, "show", f"{branch}:{name}"))["sources"]
    assert source["schema"] == "shop"
    columns = {table["name"]: {item["name"]: item for item in table["columns"]} for table in source["tables"]}
    assert set(columns["customers"]) == {"id", "e-mail", "new\nline"}
    assert "relationships" in str(columns["orders"]["customer_id"]["data_tests"])
    wanting = " ".join(item["claim"] for item in shown["findings"] if item["attention"])
    assert "broken could not be read" in wanting
    assert "nothing was left alone: It has no columns." in wanting
    assert twokey.whole()
    assert execute(empty_postgresql_url, "SELECT count(*) FROM shop.orders") == [(200,)]
    tables = execute(empty_postgresql_url, "SELECT relname FROM pg_stat_user_tables ORDER BY relname")
    assert tables == [("customers",), ("nothing",), ("orders",)], "nothing was left in the warehouse"
