"""Migrations: the history makes the tables of ``tables.py``, as a whole or not at all, once."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from support import store_values as made

from twokey.core import canonical
from twokey.core.errors import EnvironmentFault
from twokey.store import database, migrate, proposals, runs, tables
from twokey.store.migrate import VERSION_TABLE


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """A database without tables."""
    opened = database.open_engine(empty_database_url)
    yield opened
    opened.dispose()


def shape(engine: Engine) -> dict[str, Any]:
    """Everything that the database itself says of its tables."""
    look = inspect(engine)
    return {
        name: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in look.get_columns(name)
            ],
            "primary key": look.get_pk_constraint(name),
            "foreign keys": sorted(
                (str(key["name"]), key["constrained_columns"], key["referred_table"], key["referred_columns"])
                for key in look.get_foreign_keys(name)
            ),
            "unique": sorted((str(rule["name"]), rule["column_names"]) for rule in look.get_unique_constraints(name)),
            "checks": sorted((str(rule["name"]), rule["sqltext"]) for rule in look.get_check_constraints(name)),
            "indexes": sorted(
                (str(index["name"]), index["column_names"], bool(index["unique"])) for index in look.get_indexes(name)
            ),
        }
        for name in look.get_table_names()
        if name != VERSION_TABLE
    }


def versions(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE} ORDER BY 1")).scalars())


def test_the_history_makes_the_tables_that_the_code_uses(empty: Engine):
    tables.metadata.create_all(empty)
    declared = shape(empty)
    tables.metadata.drop_all(empty)
    migrate.migrate(empty)
    assert shape(empty) == declared
    assert set(declared) == {
        "approvals",
        "broken_glass",
        "counters",
        "decisions",
        "documents",
        "evidence",
        "executions",
        "inbox",
        "jobs",
        "links",
        "messages",
        "openings",
        "proposals",
        "reservations",
        "runs",
        "schedules",
        "slack_teams",
        "switches",
    }
    assert declared["approvals"]["checks"]
    assert declared["proposals"]["foreign keys"]
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, tables.metadata) == []


def test_the_newest_revision_is_the_one_the_code_names():
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_a_second_time_changes_nothing(empty: Engine):
    migrate.migrate(empty)
    with empty.begin() as connection:
        connection.execute(text(f"INSERT INTO openings (commitment, salt, value) VALUES ('{'0' * 64}', 's', 'v')"))
    before = shape(empty)
    migrate.migrate(empty)
    assert (shape(empty), versions(empty)) == (before, [migrate.HEAD])
    with empty.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM openings")).scalar_one() == 1


def test_messages_of_before_are_as_old_as_when_they_were_last_touched(empty: Engine):
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        columns, values = (
            "id, channel, place, purpose, state, updated_us",
            "'m-1', 'slack', 'T/C', 'card', 'wanted', 77",
        )
        connection.execute(text(f"INSERT INTO messages ({columns}) VALUES ({values})"))
    migrate.migrate(empty)
    with empty.connect() as connection:
        assert connection.execute(text("SELECT wanted_us FROM messages")).scalar_one() == 77


def test_proposals_of_before_say_beside_their_body_what_it_says(empty: Engine):
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    bodies = {
        made.PROPOSAL: canonical.encode(made.proposal().canonical()),
        "p-000000000002": b"{}",
        "p-000000000003": b"\xff",
        "p-000000000004": b"[1]",
    }
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        runs.add_run(connection, run=made.RUN, request=made.request(), auth="key", places=[], now=1)
        columns = "id, run, digest, state, body, decision, decision_digest, expires_us, created_us, updated_us"
        for number, (identifier, body) in enumerate(bodies.items()):
            digest = made.proposal().digest() if identifier == made.PROPOSAL else f"{number:064d}"
            connection.execute(
                text(
                    f"INSERT INTO proposals ({columns}) VALUES "
                    "(:id, :run, :digest, 'done', :body, :decision, :decided, 9, 5, 5)"
                ),
                {
                    "id": identifier,
                    "run": made.RUN,
                    "digest": digest,
                    "body": body,
                    "decision": canonical.encode(made.decision().canonical()),
                    "decided": made.decision().digest(),
                },
            )
    migrate.migrate(empty)
    with empty.connect() as connection:
        assert proposals.get_proposal(connection, made.PROPOSAL).proposal == made.proposal()
        said = connection.execute(
            text("SELECT agent, tool, target FROM proposals WHERE id <> :mine"), {"mine": made.PROPOSAL}
        )
        assert {tuple(row) for row in said} == {("", "", "")}


def test_several_processes_may_begin_at_once(empty: Engine, empty_database_url: str):
    start, faults = threading.Barrier(4), list[Exception]()

    def begin() -> None:
        own = database.open_engine(empty_database_url)
        try:
            start.wait(60)
            migrate.migrate(own)
        except Exception as error:  # noqa: BLE001 - told to the test below
            faults.append(error)
        finally:
            own.dispose()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert versions(empty) == [migrate.HEAD]


def test_a_newer_database_is_refused_and_left_alone(empty: Engine):
    migrate.migrate(empty)
    with empty.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    before = shape(empty)
    with pytest.raises(EnvironmentFault, match="written by a newer version of Twokey") as caught:
        migrate.migrate(empty)
    assert (caught.value.code, caught.value.next) == ("store_newer", "Upgrade twokey, then try again.")
    assert (shape(empty), versions(empty)) == (before, ["9999"])


def unusable(engine: Engine) -> None:
    with pytest.raises(EnvironmentFault, match="could not be brought up to date") as caught:
        migrate.migrate(engine)
    assert caught.value.code == "store_unavailable"


def test_two_versions_at_once_are_refused(empty: Engine):
    migrate.migrate(empty)
    with empty.begin() as connection:
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES ('9999')"))
    unusable(empty)


def test_a_failure_in_the_middle_leaves_nothing_behind(empty: Engine):
    """The sixth table is there already, as somebody else's."""
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE approvals (theirs INTEGER)"))
    unusable(empty)
    assert inspect(empty).get_table_names() == ["approvals"]
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE approvals"))
    migrate.migrate(empty)
    assert versions(empty) == [migrate.HEAD]


def test_a_database_that_takes_no_changes_is_said(empty: Engine, empty_database_url: str):
    if empty.dialect.name == "sqlite":
        with empty.connect():
            pass  # makes the file
        only_read = create_engine(f"sqlite:///file:{empty.url.database}?mode=ro&uri=true")
    else:
        only_read = create_engine(empty_database_url, connect_args={"options": "-c default_transaction_read_only=on"})
    unusable(only_read)
    only_read.dispose()
    assert inspect(empty).get_table_names() == []
