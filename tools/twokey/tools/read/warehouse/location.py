"""Where a warehouse is: reads what a person typed, and names it without its credentials.

Rules: only existing files and folders and well-formed URLs pass; nothing is created, opened for writing or contacted
here. ``canonical_location`` may hold a password and stays in memory; ``display_name`` never does, and opening it again
reaches the same warehouse where the server knows the user by other means.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote

from twokey.core.errors import BadInput, EnvironmentFault

Kind = Literal["sqlite", "duckdb", "files", "server"]

DATA_SUFFIXES: Final = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
"""Files of a folder that are tables."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,60})://")
_DRIVERS: Final = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "oracle": "oracle+oracledb",
}
_SHOWN_OPTIONS: Final = frozenset(
    {
        "host",
        "port",
        "sslmode",
        "channel_binding",
        "target_session_attrs",
        "warehouse",
        "role",
        "charset",
        "driver",
        "http_path",
        "catalog",
        "schema",
        "twokey_schemas",
    }
)  # fmt: skip - reads as the one list it is
_NEXT: Final = "Give a SQLite or DuckDB file, a folder of CSV or Parquet files, or a database URL."


@dataclass(frozen=True, slots=True)
class Location:
    """A place that was understood. ``text`` is the canonical form and may hold a password."""

    kind: Kind
    text: str = field(repr=False)
    path: Path | None = None
    schemas: tuple[str, ...] = ()
    """Schemas that may be read; empty for all that are not the system's own."""


def canonical_location(text: str) -> str:
    """Give the one spelling of a location: an absolute path, or a URL with its driver. May hold a password.

    Raises:
        BadInput: there is no such file, it is no database, or the URL cannot be read.

    """
    return parse(text).text


def display_name(location: str) -> str:
    """Give the location without password and without options that may hold one. Never fails.

    A path is given as it is. Of a URL driver, user, host, port, database and a short list of harmless options stay.
    """
    found = _SCHEME.match(location.strip())
    if found is None:
        return location.strip()
    if _file_of_url(location.strip()) is not None:
        return location.strip().partition("?")[0]
    from sqlalchemy.engine import URL, make_url  # noqa: PLC0415 - 0.3 s that files and help need not pay
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

    try:
        url = make_url(location.strip())
        shown = {key: value for key, value in url.query.items() if key.lower() in _SHOWN_OPTIONS}
        bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, shown)
        return bare.render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return f"{found.group(1)}://…"


def parse(text: str) -> Location:
    """Understand a location.

    Raises:
        BadInput: there is no such file, it is no database, or the URL cannot be read.

    """
    text = text.strip()
    if not text or any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise BadInput("No warehouse is named.", next=_NEXT, code="warehouse_location")
    if _SCHEME.match(text):
        named = _file_of_url(text)
        return _of_url(text) if named is None else _of_path(named[1], named[0])
    return _of_path(text, None)


def _file_of_url(text: str) -> tuple[str, str] | None:
    """Give scheme and path of a URL that names a local file, else ``None``."""
    scheme, _, rest = text.partition("://")
    base = scheme.lower()
    if base in {"sqlite", "sqlite+pysqlite", "duckdb", "duckdb+duckdb_engine"}:
        return base.partition("+")[0], rest.partition("?")[0].removeprefix("/")
    if base == "file":
        return "file", unquote(rest.removeprefix("localhost"))
    return None


def _of_path(text: str, scheme: str | None) -> Location:
    if text in {"", ":memory:"} or text.startswith("file:"):
        raise BadInput("The URL names no file on disk.", next="Write sqlite:///PATH.", code="warehouse_location")
    try:
        path = Path(text).expanduser().resolve()
        exists, folder = path.exists(), path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise BadInput(
            f"The path cannot be read: {type(error).__name__}.", next=_NEXT, code="warehouse_location"
        ) from error
    if not exists:
        raise BadInput(f"There is no file or folder {_short(path)}.", next=_NEXT, code="warehouse_missing")
    if folder:
        if scheme in {"sqlite", "duckdb"}:
            raise BadInput(f"{_short(path)} is a folder, not a database.", next=_NEXT, code="not_a_database")
        return Location("files", str(path), path)
    if not path.is_file():
        raise BadInput(f"{_short(path)} is no regular file.", next=_NEXT, code="not_a_database")
    if scheme in {None, "file"} and path.name.lower().endswith(DATA_SUFFIXES):
        return Location("files", str(path), path)
    return Location(_kind_of_file(path, scheme), str(path), path)


def _kind_of_file(path: Path, scheme: str | None) -> Kind:
    """Tell a database by its first bytes (SQLite: the first 16; DuckDB: ``DUCK`` after an 8-byte checksum)."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise EnvironmentFault(
            f"{_short(path)} cannot be read: {error.strerror}.",
            next="Give the user that runs Twokey read access to the file.",
            code="warehouse_unreadable",
        ) from error
    if not start:
        raise BadInput(f"{_short(path)} is empty: it holds no database.", next=_NEXT, code="empty_warehouse")
    if start == b"SQLite format 3\0" and scheme != "duckdb":
        return "sqlite"
    if start[8:12] == b"DUCK" and scheme != "sqlite":
        return "duckdb"
    wanted = {"sqlite": "SQLite ", "duckdb": "DuckDB "}.get(scheme or "", "")
    raise BadInput(f"{_short(path)} is not a {wanted}database.", next=_NEXT, code="not_a_database")


def _of_url(text: str) -> Location:
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - 0.3 s that files and help need not pay
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise BadInput(
            "The database URL cannot be read.",
            next="Write it as postgresql://USER@HOST/DATABASE; percent-encode signs such as @ and / in a password.",
            code="warehouse_location",
        ) from error
    if url.drivername in {"http", "https", "ftp", "s3", "gs", "ssh"}:
        raise BadInput(f"A {url.drivername} address is no database.", next=_NEXT, code="warehouse_location")
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    listed = url.query.get("twokey_schemas", "")
    joined = listed if isinstance(listed, str) else ",".join(listed)
    schemas = tuple(sorted({name.strip() for name in joined.split(",") if name.strip()}))
    return Location("server", url.render_as_string(hide_password=False), schemas=schemas)


def _short(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 120 else "…" + text[-119:]
