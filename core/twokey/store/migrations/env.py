"""Runs the store's migrations on the connection that ``twokey.store.migrate`` hands in."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="alembic_version_store",
    transactional_ddl=True,
)
context.run_migrations()
