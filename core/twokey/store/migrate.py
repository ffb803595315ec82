"""Brings a database to the current shape, one Alembic history per portion of the code.

Rules: a history only moves forward here; a database that is newer than this version is refused, not guessed at.
"""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from twokey.core.errors import EnvironmentFault

VERSION_TABLE = "alembic_version_store"
FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Create or upgrade the store's tables, in one transaction.

    Raises:
        EnvironmentFault: the database is newer than this version of Twokey, or cannot be changed.

    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with engine.begin() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
            current = context.get_current_revision()
            if current == script.get_current_head():
                return
            if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
                raise EnvironmentFault(
                    "The workspace's database was written by a newer version of Twokey.",
                    next="Upgrade twokey, then try again.",
                    code="store_newer",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise EnvironmentFault(
            "The workspace's database could not be brought up to date.",
            next="Check that the database can be written, and that nothing else holds it.",
            code="store_unavailable",
        ) from error
