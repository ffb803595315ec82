"""Fixtures every folder shares: fresh databases, fixed time and ids, and the development data where it is."""

import gc
import hashlib
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, text
from support.compiled import share_compiled
from support.crash.stage import fast_folder
from support.measuring import MEASURING
from support.postgresql_server import begun

from twokey.audit import storage
from twokey.core.values import ID_ALPHABET
from twokey.store import database, migrate

ROOT = Path(__file__).resolve().parent.parent
OPA_VERSION = "1.20.2"

# A busy machine makes a test slow, not wrong; pytest-timeout ends what hangs. Each run tries other examples; where time
# is no matter (`make coverage`) it tries more of them. Continuous integration, which says whether a change breaks
# something, tries the same ones as long as a test is the same: what is found by chance has nothing to do with the change.
settings.register_profile(
    "twokey",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(os.environ.get("TWOKEY_TEST_EXAMPLES", "40")),
)
settings.load_profile("twokey")

share_compiled()


def pytest_collection() -> None:
    """What is read before the tests begin stays, too: there is nothing to collect yet. None of it is measured."""
    gc.disable()
    MEASURING.begin()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that nobody waits for it in the end."""
    items.sort(key=lambda item: item.path.parent.name != "soak")


def pytest_collection_finish() -> None:
    """What is there when the tests begin stays: the collector of garbage need not look through it again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_sessionfinish() -> None:
    """Whatever is measured after the last test is measured no more."""
    MEASURING.end()


def pytest_unconfigure() -> None:
    """Libraries complain at the end of what was not cleared away."""
    gc.unfreeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Measure what is meant to cover something."""
    MEASURING.at(item)


@pytest.fixture(scope="session")
def data() -> Path:
    """The development data; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("TWOKEY_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("development data is not here (TWOKEY_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """Names of folders that are not there yet. (``mktemp`` reads through all that it ever made, for each.)"""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_home(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """No test sees or touches the keys of the person who runs it."""
    home = next(_homes)
    home.mkdir()
    monkeypatch.setenv("TWOKEY_HOME", str(home))
    for name in ("TWOKEY_WORKSPACE", "TWOKEY_AS"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def _postgresql_admin(server: str) -> Generator[Engine]:
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT")
    try:
        yield admin
    finally:
        admin.dispose()


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[str]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    with tempfile.TemporaryDirectory(prefix="tk-pg-", dir=fast_folder(), ignore_cleanup_errors=True) as folder:
        server = begun(Path(folder) / "data")
        try:
            url = str(server.get_uri())
            with _postgresql_admin(url) as admin, admin.connect() as connection:
                # What dies here dies with its databases; tests of what survives have servers of their own.
                for name in ("fsync", "full_page_writes", "autovacuum"):
                    connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
                connection.execute(text("SELECT pg_reload_conf()"))
            yield url
        finally:
            server.cleanup()


def _migrated(url: str) -> None:
    """Give a database the tables of a workspace, as the newest migrations make them."""
    engine = database.open_engine(url)
    migrate.migrate(engine)
    storage.migrate(engine)
    engine.dispose()


def _url_of(admin: Engine, name: str) -> str:
    return str(admin.url.set(database=name).render_as_string(hide_password=False))


@pytest.fixture(scope="session")
def _postgresql_makes(_postgresql_server: str) -> Iterator[Engine]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """Who makes databases: connected once."""
    with _postgresql_admin(_postgresql_server) as admin:
        yield admin


@contextmanager
def _postgresql_database(admin: Engine, template: str) -> Generator[str]:
    name = f"t_{secrets.token_hex(6)}"
    with admin.connect() as connection:
        # Nothing is flushed here, so that a copy of the files costs a third of one that goes through the server's log.
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'))
    yield _url_of(admin, name)
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def _postgresql_template(_postgresql_makes: Engine) -> str:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    with _postgresql_makes.connect() as connection:
        connection.execute(text('CREATE DATABASE "tk_template"'))
    _migrated(_url_of(_postgresql_makes, "tk_template"))
    return "tk_template"


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    path = tmp_path_factory.mktemp("template") / "store.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgresql_url(_postgresql_makes: Engine, _postgresql_template: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database: a workspace's tables, and nothing in them."""
    with _postgresql_database(_postgresql_makes, _postgresql_template) as url:
        yield url


@pytest.fixture(scope="session")
def shared_postgresql_url(_postgresql_makes: Engine, _postgresql_template: str) -> Iterator[str]:
    """The URL of a PostgreSQL database that tests share; whoever uses it leaves it as it was."""
    with _postgresql_database(_postgresql_makes, _postgresql_template) as url:
        yield url


@pytest.fixture
def empty_postgresql_url(_postgresql_makes: Engine) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database without tables."""
    with _postgresql_database(_postgresql_makes, "template1") as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """The URL of a fresh SQLite file: a workspace's tables, and nothing in them."""
    shutil.copyfile(_sqlite_template, tmp_path / "store.db")
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database, once on SQLite and once on PostgreSQL. Its tables are there: making them takes long."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database without tables, once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue(f"empty_{request.param}_url"))


def _named_opa() -> str | None:
    beside = ROOT / ".venv" / "bin" / "opa"
    return os.environ.get("TWOKEY_OPA") or (str(beside) if beside.exists() else shutil.which("opa"))


@pytest.fixture(scope="session")
def opa() -> Path:
    """The pinned OPA; tests that need it skip where it is absent, except under CI."""
    name = _named_opa()
    version = ""
    if name:
        output = subprocess.run([name, "version"], capture_output=True, text=True, check=True).stdout
        version = output.splitlines()[0].removeprefix("Version: ")
    if version == OPA_VERSION:
        return Path(str(name))
    missing = f"OPA {OPA_VERSION} is not here (TWOKEY_OPA, .venv/bin/opa, PATH); found {version or 'none'}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def opa_sha256(opa: Path) -> str:
    return hashlib.sha256(opa.read_bytes()).hexdigest()


class FixedClock:
    """A clock that stands still until told to move. Microseconds."""

    def __init__(self, start_us: int = 1_767_225_600_000_000) -> None:
        self.time_us = start_us

    def now_us(self) -> int:
        return self.time_us

    def advance(self, seconds: float) -> None:
        self.time_us += int(seconds * 1_000_000)


class CountingIds:
    """Ids that count up, so that a test can name them."""

    def __init__(self) -> None:
        self.count = 0

    def new(self, prefix: str) -> str:
        self.count += 1
        number, digits = self.count, ""
        while number:
            number, rest = divmod(number, 32)
            digits = ID_ALPHABET[rest] + digits
        return f"{prefix}-{digits:0>12}"

    def salt(self) -> str:
        self.count += 1
        return f"{self.count:032x}"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()
