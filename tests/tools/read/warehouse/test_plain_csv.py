"""What is split here is what DuckDB reads, and what could be taken in two ways is left to DuckDB."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.tools.read.warehouse.folder import files_of, ways_to_read
from twokey.tools.read.warehouse.plain_csv import plain_rows


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_fields_are_texts_and_empty_ones_are_null(tmp_path: Path):
    path = _file(tmp_path, "id,name,at\n007, Ana ,\n,NULL,2024-01-01\n")
    assert plain_rows(path) == (["id", "name", "at"], [("007", " Ana ", None), (None, "NULL", "2024-01-01")])


def test_a_quoted_field_may_hold_a_separator(tmp_path: Path):
    path = _file(tmp_path, 'id,"note"\n1,"a, b"\n"2"," c "\n')
    assert plain_rows(path) == (["id", "note"], [("1", "a, b"), ("2", " c ")])


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path):
    assert plain_rows(_file(tmp_path, "id;name")) == (["id", "name"], [])


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n"x""y",z\n',
        'a,b\n"",y\n',
        'a,b\n "x",y\n',
        'a,b\n"x" ,y\n',
        'a,b\nx"y,z\n',
        'a,b\n"x\nw",y\n',
        'a,b\n"x,y\n',
        "a,b\nx\\,y\n",
        "a,b\r\nx,y\r\n",
        "a,b\n#x,y\n",
        "a,b\n\nx,y\n",
        "a,b\nx,y\n\n",
        "a,b\nx\n",
        "a,b\nx,y,z\n",
        "a,A\nx,y\n",
        "a,\nx,y\n",
        "a, b\nx,y\n",
        "1,2\nx,y\n",
        "a\nx\n",
        "a,b\nx,\0\n",
        "a,b\n\ufeffx,y\n",
        "",
        b"a,b\nx,\xe4\n",
        "a,b\nx,\ufffd\n",
        "a,b\n" + "x,y\n" * 600,
    ],
)
def test_what_is_not_plain_is_left_to_duckdb(tmp_path: Path, text: str | bytes):
    assert plain_rows(_file(tmp_path, text)) is None


FIELDS = st.sampled_from(
    [
        *("", " ", "x", " x ", "1", "00123", "1.5", "1e5", "NULL", "true", "2024-01-01", "#", "O'Neil", "é", "漢"),
        *("\u2028", "\x0b", "\x1f", "\u00a0", "a|b", "a;b", "/*", "--", "'q'"),
        *('"a,b"', '"a;b"', '"a|b"', '"a\tb"', '" x "', '"1"', '"#"'),
    ]
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": "1"}) as opened:
        yield opened


@settings(max_examples=40)
@given(st.sampled_from(",;\t|"), st.integers(2, 4), st.data(), st.booleans())
def test_duckdb_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    connection: duckdb.DuckDBPyConnection,
    separator: str,
    width: int,
    data: st.DataObject,
    ended: bool,
):
    rows = data.draw(st.lists(st.lists(FIELDS, min_size=width, max_size=width), max_size=6))
    lines = [separator.join(row) for row in ([f"c{number}" for number in range(width)], *rows)]
    path = _file(tmp_path_factory.getbasetemp(), "\n".join(lines) + ("\n" if ended else ""))
    found = plain_rows(path)
    if found is None:
        return
    names, cells = found
    cursor = connection.execute(ways_to_read(files_of(path)[0], as_text=True)[0].select)
    assert [str(item[0]) for item in cursor.description or ()] == names
    assert cursor.fetchall() == cells
