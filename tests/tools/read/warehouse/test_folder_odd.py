"""Files as people really leave them: read as they are meant, or with a sentence that says why not."""

import csv
import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twokey.tools.read.warehouse import (
    ProfileRequest,
    ProfileResult,
    ProfilesRequest,
    SchemaRequest,
    SelectRequest,
    TableName,
    VersionRequest,
)
from twokey.tools.read.warehouse.csv_dialect import Dialect, dialect_of
from twokey.tools.read.warehouse.duck import DuckSource
from twokey.tools.read.warehouse.folder import File
from twokey.tools.read.warehouse.location import parse
from twokey.tools.read.warehouse.sources import Bounds

Ask = Callable[..., Any]
SETTLED = Bounds(settled_s=0)


def profile(ask: Ask, folder: Path, name: str = "odd", bounds: Bounds | None = None) -> Any:
    return ask(folder, ProfileRequest(table=TableName(name=name)), bounds)


ODD: dict[str, tuple[bytes, list[str], int]] = {
    "a byte order mark": ("\ufeffa,b\n1,x\n2,y\n".encode(), ["a", "b"], 2),
    "semicolons": (b"a;b;c\n1;x,y;3\n2;z;4\n", ["a", "b", "c"], 2),
    "tabs": (b"a\tb\n1\t2\n", ["a", "b"], 1),
    "bars": (b"a|b\n1|2\n3|4\n", ["a", "b"], 2),
    "quotes": (b'a,b\n"x ""y"", z","two\nlines"\n1,2\n', ["a", "b"], 2),
    "Latin-1": ("name,city\nx,Zürich\ny,Köln\n".encode("latin-1"), ["name", "city"], 2),
    "line ends of Windows": (b"a,b\r\n1,2\r\n", ["a", "b"], 1),
    "no line end": (b"a,b\n1,2", ["a", "b"], 1),
    "one column": (b"a\n1\n2\n", ["a"], 2),
    "only a header": (b"a,b,c\n", ["a", "b", "c"], 0),
    "short rows": (b"a,b,c\n1,2\n1,2,3\n", ["a", "b", "c"], 2),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_files_are_read_as_they_are_meant(ask: Ask, tmp_path: Path, kind: str) -> None:
    content, names, rows = ODD[kind]
    (tmp_path / "odd.csv").write_bytes(content)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(content))
    schema = {table.table.name: table for table in ask(tmp_path, SchemaRequest()).tables}
    for name in ("odd", "packed"):
        assert [column.name for column in schema[name].columns] == names
        found = profile(ask, tmp_path, name)
        assert ([column.name for column in found.columns], found.rows) == (names, rows)
        assert not [column.problem for column in found.columns if column.problem]
    if kind == "Latin-1":
        assert ask(tmp_path, SelectRequest(sql="SELECT city FROM odd ORDER BY city")).rows == (("Köln",), ("Zürich",))
    if kind == "semicolons":
        assert ask(tmp_path, SelectRequest(sql="SELECT b FROM odd ORDER BY b")).rows == (("x,y",), ("z",))


def test_a_thousand_columns_are_profiled(ask: Ask, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(1_000)]
    (tmp_path / "wide.csv").write_text(f"{','.join(names)}\n" + f"{','.join('7' * 1)}{',7' * 999}\n" * 30)
    found = profile(ask, tmp_path, "wide")
    assert [column.name for column in found.columns] == names
    assert {(column.values, column.distinct, column.patterns.integer) for column in found.columns} == {(30, 1, 30)}


def test_nested_types_of_parquet_are_text(ask: Ask, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT i AS id, {'a': i, 'b': ['x', 'y']} AS s, [i, i + 1] AS l, MAP {'k': i} AS m,"
            f" '\\x00'::BLOB AS raw, DATE 'infinity' AS d FROM range(70000) r(i)) TO '{tmp_path / 'deep.parquet'}'"
        )
    found = profile(ask, tmp_path, "deep")
    assert (found.rows, found.sampled, found.sampling, found.margin) == (70_000, 50_000, "spread", 24)
    by_name = {column.name: column for column in found.columns}
    assert not [column.problem for column in found.columns if column.problem]
    assert by_name["s"].texts == by_name["l"].texts == by_name["m"].texts == 50_000
    assert (by_name["id"].integers, by_name["id"].nulls_total, by_name["raw"].binaries) == (50_000, 0, 50_000)


def test_a_link_out_of_the_folder_is_never_opened(ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (tmp_path / "outside.csv").write_text("secret\nplanted\n")
    (folder / "in.csv").write_text("a\n1\n")
    (folder / "within.csv").symlink_to("in.csv")
    (folder / "out.csv").symlink_to("../outside.csv")
    (folder / "up.csv").symlink_to(folder / ".." / "files" / ".." / "outside.csv")
    (folder / "round.csv").symlink_to("round.csv")
    (folder / "folder.csv").mkdir()
    tables = {table.table.name: table for table in ask(folder, SchemaRequest()).tables}
    assert {name: bool(table.problem) for name, table in tables.items()} == {
        "folder": True,
        "in": False,
        "out": True,
        "round": True,
        "up": True,
        "within": False,
    }
    asked = ProfilesRequest(tables=tuple(TableName(name=name) for name in sorted(tables)))
    answer = ask(folder, asked)
    assert {item.table.name for item in answer.tables if item.profile} == {"in", "within"}
    assert "planted" not in answer.model_dump_json()
    with DuckSource(parse(str(folder)), Bounds()) as source:
        source.profiles(asked)
        connection = source._session.connection  # pyright: ignore[reportPrivateUsage] - the wall behind the public one
        for path in (tmp_path / "outside.csv", folder / "in.csv.txt", Path("/etc/passwd")):
            with pytest.raises(duckdb.Error):
                connection.execute(f"SELECT * FROM read_csv('{path}')")


def test_a_file_that_changes_while_it_is_read_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    request = ProfileRequest(table=TableName(name="a"))

    class Changing(DuckSource):
        """Somebody writes between the beginning and the end of the reading."""

        def _of_file(self, file: File, request: ProfileRequest) -> ProfileResult:
            found = super()._of_file(file, request)  # pyright: ignore[reportPrivateUsage] - the moment is what this tests
            path.write_text("a\n1\n2\n")
            return found

    with Changing(parse(str(tmp_path)), SETTLED) as source:
        changed = source.profile(request)
    assert [notice.code for notice in changed.notices] == ["changed_while_read"]
    assert changed.version == ""
    with DuckSource(parse(str(tmp_path)), SETTLED) as source:
        still = source.profile(request)
    assert (still.notices, len(still.version)) == ((), 16)


def test_versions_tell_whether_anything_changed(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.csv").write_text("a\n1\n")
    before = ask(tmp_path, VersionRequest(), SETTLED).version
    schema = ask(tmp_path, SchemaRequest(), SETTLED)
    assert before == schema.version == ask(tmp_path, VersionRequest(), SETTLED).version != ""
    versions = {table.table.name: table.version for table in schema.tables}
    assert profile(ask, tmp_path, "a", SETTLED).version == versions["a"] != versions["b"]
    (tmp_path / "b.csv").write_text("a\n2\n")
    later = ask(tmp_path, SchemaRequest(), SETTLED)
    assert later.version not in {"", before}
    assert [table.version == versions[table.table.name] for table in later.tables] == [True, False]
    (tmp_path / "c.csv").symlink_to("nowhere.csv")
    assert ask(tmp_path, VersionRequest(), SETTLED).version not in {"", later.version}
    assert ask(tmp_path, VersionRequest(), Bounds(settled_s=3_600)).version == "", "written a moment ago"


def test_several_tables_are_profiled_like_each_alone(ask: Ask, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"t{number}.csv").write_text("id,mail\n" + "".join(f"{i},u{i}@x.de\n" for i in range(20 + number)))
    names = [TableName(name=name) for name in ("t0", "gone", "t1", "t2")]
    answer = ask(tmp_path, ProfilesRequest(tables=tuple(names)), SETTLED)
    assert [item.table for item in answer.tables] == names
    assert answer.tables[1].problem.startswith("The warehouse has no table 'gone'")
    for item in answer.tables:
        assert item.reached
        assert item.profile is None or item.profile == profile(ask, tmp_path, item.table.name, SETTLED)
    late = ask(tmp_path, ProfilesRequest(tables=tuple(names)), Bounds(call_s=0))
    assert not any(item.reached or item.profile or item.problem for item in late.tables)


CELL = st.text("abäß,;\"'|\t 019.-@", max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_a_dialect_that_is_named_reads_every_cell(tmp_path: Path, rows: list[list[str]], separator: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([["h1", "h2", "h3"], *rows])
    path = tmp_path / "any.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    dialect = dialect_of(path)
    assert dialect in {None, Dialect(separator, "utf-8", whole=True)}
    if dialect is None:
        return
    select = f"SELECT * FROM read_csv('{path}', header=true, all_varchar=true, delim='{separator}', quote='\"')"
    with duckdb.connect() as connection:
        read = connection.execute(select).fetchall()
    assert [[cell or "" for cell in row] for row in read] == rows


@pytest.mark.parametrize(
    "content",
    [
        b"a,b;c\n1,2;3\n",
        b'a\\",b\n1,2\n',
        b"'a','b'\n'1','2'\n",
        b"# note\na,b\n1,2\n",
        b"\xff\xfea\x00,\x00b\x00",
        b"",
    ],
)
def test_where_there_is_doubt_no_dialect_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "doubt.csv"
    path.write_bytes(content)
    assert dialect_of(path) is None
    packed = tmp_path / "broken.csv.gz"
    packed.write_bytes(b"\x1f\x8b" + os.urandom(40))
    assert dialect_of(packed) is None


def test_a_long_file_is_judged_by_its_start(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "".join(f'{i},"two\nlines {i}"\n' for i in range(9_000)))
    assert dialect_of(path) == Dialect(",", "utf-8", whole=False)
