"""Naming a warehouse."""

import sqlite3
from pathlib import Path

import pytest

from twokey.core.errors import BadInput, EnvironmentFault
from twokey.tools.read.warehouse import canonical_location, display_name
from twokey.tools.read.warehouse.location import parse

SECRET = "hunter2-planted"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "a b%20#.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    monkeypatch.chdir(tmp_path)
    return path


def test_every_spelling_of_a_file_is_one_location(file: Path) -> None:
    spellings = (
        str(file),
        file.name,
        f"sqlite:///{file}",
        f"sqlite:///{file.name}",
        f" {file} ",
        f"sqlite+pysqlite:///{file}",
    )
    assert {canonical_location(text) for text in spellings} == {str(file)}
    assert {display_name(canonical_location(text)) for text in spellings} == {str(file)}
    assert canonical_location("file://" + str(file).replace("%", "%25")) == str(file)


def test_a_folder_is_a_location(tmp_path: Path) -> None:
    place = parse(f"file://localhost{tmp_path}")
    assert (place.kind, place.path, place.text) == ("files", tmp_path, str(tmp_path))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("postgres://ana:pw@host/db", "postgresql+psycopg://ana:pw@host/db"),
        ("postgresql://host/db?sslmode=require", "postgresql+psycopg://host/db?sslmode=require"),
        ("mysql://host/db", "mysql+pymysql://host/db"),
        ("snowflake://u:p@acc/db", "snowflake://u:p@acc/db"),
    ],
)
def test_a_url_names_its_driver(text: str, canonical: str) -> None:
    assert canonical_location(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ana:{SECRET}@host/db",
        f"postgresql://ana:{SECRET}@host:5432/db?password={SECRET}&sslmode=require",
        f"postgresql://host/db?user=ana&passfile={SECRET}&options={SECRET}",
        f"snowflake://u:{SECRET}@acc/db?private_key={SECRET}&warehouse=w",
        f"postgresql://ana:{SECRET}@host:notaport/db",
        f"postgresql://ana:{SECRET}@[broken/db",
        f"sqlite:////tmp/x.db?key={SECRET}",
        f"weird+{'x' * 10}://{SECRET}@:::/",
    ],
)
def test_a_shown_name_holds_no_secret(text: str) -> None:
    if text.startswith("weird"):
        assert SECRET not in display_name(f"weird://u:{SECRET}@h:x")
    else:
        assert SECRET not in display_name(text)


def test_a_shown_name_keeps_what_is_needed_to_reach_it() -> None:
    url = f"postgresql+psycopg://ana:{SECRET}@host:5432/db?host=/run/pg&sslmode=require&twokey_schemas=a,b"
    shown = display_name(url)
    assert canonical_location(shown) == shown
    assert parse(shown).schemas == ("a", "b")
    assert "sslmode=require" in shown


def test_a_location_keeps_its_password_out_of_its_repr() -> None:
    assert SECRET not in repr(parse(f"postgresql://ana:{SECRET}@host/db"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No warehouse is named"),
        ("a\0b.db", "No warehouse is named"),
        ("sqlite://", "names no file on disk"),
        ("sqlite:///:memory:", "names no file on disk"),
        ("sqlite:///file:x.db?mode=rwc", "names no file on disk"),
        ("https://example.com/x.db", "A https address is no database"),
        (f"postgresql://ana:{SECRET}@host:notaport/db", "The database URL cannot be read"),
        ("nowhere.db", "There is no file or folder"),
        ("~no_such_user_here/x.db", "cannot be read: RuntimeError"),
        ("x" * 5000, "cannot be read: OSError"),
        ("/dev/null", "is no regular file"),
        ("sqlite:////tmp", "is a folder, not a database"),
    ],
)
def test_what_cannot_be_a_warehouse_is_bad_input(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as bad:
        canonical_location(text)
    assert SECRET not in str(bad.value.as_json())


def test_a_database_of_the_other_kind_is_bad_input(file: Path) -> None:
    with pytest.raises(BadInput, match="is not a DuckDB database"):
        canonical_location(f"duckdb:///{file}")


def test_a_file_that_may_not_be_read_is_a_fault_of_the_environment() -> None:
    locked = Path("/proc/self/mem")
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        canonical_location(str(locked))
