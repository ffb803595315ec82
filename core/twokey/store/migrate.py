"""Brings a database to the current shape, one Alembic history per portion of the code.

Rules: a history only moves forward here, as a whole or not at all; of several processes one moves it and the others
find it moved; a database that is newer than this version is refused, not guessed at.
"""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from twokey.core.errors import EnvironmentFault

VERSION_TABLE: Final = "alembic_version_store"
HEAD: Final = "0012"
"""The newest revision. Kept here so that an up-to-date database costs one query and not the import of Alembic."""
FOLDER: Final = Path(__file__).parent / "migrations"
LOCK: Final = 0x74_77_6F_6B_65_79
"""Key of the advisory lock that migrating processes queue on (PostgreSQL; SQLite has one writer)."""


def migrate(engine: Engine) -> None:
    """Create or upgrade the store's tables, in one transaction; several processes may call it at once.

    Raises:
        EnvironmentFault: the database is newer than this version of Twokey, or cannot be changed.

    """
    try:
        with engine.begin() as connection:
            if _current(connection) != HEAD:
                _upgrade(connection)
    except (SQLAlchemyError, OSError) as error:
        raise EnvironmentFault(
            "The workspace's database could not be brought up to date.",
            next="Check that the database can be written, and that nothing else holds it.",
            code="store_unavailable",
        ) from error


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Alembic is slow to come in, on a busy machine longer than a transaction may stand still; what is half migrated
        # must not be cut off.
        connection.execute(select(func.set_config("idle_in_transaction_session_timeout", "0", True)))
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))

    from alembic import command  # noqa: PLC0415 - slow to import and rarely needed
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    current = _current(connection)
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise EnvironmentFault(
            "The workspace's database was written by a newer version of Twokey.",
            next="Upgrade twokey, then try again.",
            code="store_newer",
        )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
