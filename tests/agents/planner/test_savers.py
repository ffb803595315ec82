"""The tables of checkpoints on PostgreSQL: set up by whichever process comes first, and by one at a time."""

import threading
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from twokey.agents.planner import savers
from twokey.core.errors import EnvironmentFault

pytestmark = pytest.mark.postgresql


def test_processes_that_begin_at_the_same_moment_do_not_hinder_each_other(postgresql_url: str):
    plain = postgresql_url.replace("+psycopg", "", 1)
    start, found = threading.Barrier(4), list[Any]()

    def begin() -> None:
        start.wait(60)
        with closing(savers.PostgresqlStates(plain, bytes(32))) as states, states.lent() as lent:
            found.append(lent.saver.get_tuple({"configurable": {"thread_id": "r-1"}}))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [None] * 4


def test_a_process_that_does_not_finish_is_not_waited_for_without_end(postgresql_url: str):
    plain = postgresql_url.replace("+psycopg", "", 1)
    alone = savers._alone  # pyright: ignore[reportPrivateUsage]
    connect = psycopg.Connection[dict[str, Any]].connect
    with (
        connect(plain, autocommit=True, row_factory=dict_row) as first,
        connect(plain, autocommit=True, row_factory=dict_row) as second,
    ):
        with alone(first), pytest.raises(EnvironmentFault) as caught, alone(second, patience_s=0.1):
            pass
        assert caught.value.code == "store_busy"
        with alone(second):
            pass
