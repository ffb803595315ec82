"""Runs the log's migrations on the connection that ``twokey.audit.storage.migrate`` hands in."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="alembic_version_audit",
    transactional_ddl=True,
)
context.run_migrations()
