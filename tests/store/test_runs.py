"""Rows of runs: compare-and-swap, leases, and no row that is believed without a look."""

import threading
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text, update
from sqlalchemy.exc import IntegrityError
from support import store_values as made

from twokey.core.errors import CheckFailed, NotFound
from twokey.store import runs, tables
from twokey.store.runs import RunState

OTHER = "r-000000000002"


def spoil(connection: Connection, **values: Any) -> None:
    """Change rows as somebody with a connection would."""
    connection.execute(update(tables.runs).values(**values))


def test_a_run_comes_back_as_it_was_stored(connection: Connection):
    assert runs.get_run(connection, made.RUN) == runs.RunRecord(
        id=made.RUN,
        requester="ana",
        auth="key",
        channel="cli",
        state="running",
        request=made.request(),
        places=(made.PLACE,),
        code="",
        message="",
        created_us=1,
        updated_us=1,
    )


def test_an_unknown_run_is_not_found(connection: Connection):
    assert runs.has_run(connection, made.RUN)
    assert not runs.has_run(connection, OTHER)
    with pytest.raises(NotFound) as caught:
        runs.get_run(connection, OTHER)
    assert "twokey runs list" in caught.value.next


def test_runs_are_listed_newest_first(connection: Connection):
    for number, now in ((2, 7), (3, 7), (4, 6)):
        runs.add_run(connection, run=f"r-00000000000{number}", request=made.request(), auth="key", places=[], now=now)
    runs.move_run(connection, OTHER, before=["running"], after="waiting", now=9)

    def listed(**arguments: Any) -> list[str]:
        return [record.id[-1] for record in runs.list_runs(connection, **arguments)]

    assert listed() == ["3", "2", "4", "1"]
    assert listed(limit=2) == ["3", "2"]
    assert listed(states=["waiting"]) == ["2"]
    assert listed(states=["waiting", "running"], limit=3) == ["3", "2", "4"]
    assert listed(states=["done"]) == []


def test_a_run_moves_only_from_the_state_that_was_seen(connection: Connection):
    assert runs.move_run(connection, made.RUN, before=["running"], after="waiting", now=2, code="asked", message="Why?")
    assert not runs.move_run(connection, made.RUN, before=["running", "failed"], after="done", now=3)
    assert not runs.move_run(connection, OTHER, before=["running"], after="done", now=3)
    record = runs.get_run(connection, made.RUN)
    assert (record.state, record.code, record.message, record.updated_us) == ("waiting", "asked", "Why?", 2)
    assert runs.move_run(connection, made.RUN, before=["running", "waiting"], after="cancelled", now=4)
    record = runs.get_run(connection, made.RUN)
    assert (record.state, record.code, record.message, record.created_us) == ("cancelled", "", "", 1)


@pytest.mark.parametrize(
    "values",
    [
        {"request": b"no JSON"},
        {"request": b'{"text": "blanks are not canonical"}'},
        {"request": b'{"text":"lacks the rest"}'},
        {"request": b"[]"},
        {"request": b"\xff"},
        {"places": b"{}"},
        {"places": b"1"},
        {"places": b'[{"kind":"moon"}]'},
        {"requester": "sam"},
        {"channel": "slack"},
        {"intent": "something_else"},
        {"auth": "trusted"},
        {"created_us": -1},
        {"updated_us": 2**53},
    ],
    ids=str,
)
def test_a_row_that_was_changed_is_refused(connection: Connection, values: dict[str, Any]):
    spoil(connection, **values)
    for read in (lambda: runs.get_run(connection, made.RUN), lambda: runs.list_runs(connection)):
        with pytest.raises(CheckFailed) as caught:
            read()
        assert caught.value.code == "run_tampered"
        assert "audit verify" in caught.value.next


@pytest.mark.parametrize("column", ["request", "places", "created_us"])
@pytest.mark.parametrize("value", ["'text'", "5", "1.5"])
def test_sqlite_keeps_any_type_in_any_column_and_we_do_not(sqlite_connection: Connection, column: str, value: str):
    sqlite_connection.execute(text(f"UPDATE runs SET {column} = {value}"))
    if (column, value) == ("created_us", "5"):
        assert runs.get_run(sqlite_connection, made.RUN).created_us == 5
        return
    with pytest.raises(CheckFailed):
        runs.get_run(sqlite_connection, made.RUN)


def test_a_state_that_does_not_exist_is_refused_by_the_database(connection: Connection):
    with pytest.raises(IntegrityError, match="ck_runs_state"):
        spoil(connection, state="approved")


def test_a_state_that_does_not_exist_is_refused_when_read(sqlite_connection: Connection):
    """Whoever has the file can switch the rules of the tables off."""
    sqlite_connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
    spoil(sqlite_connection, state="approved")
    with pytest.raises(CheckFailed):
        runs.get_run(sqlite_connection, made.RUN)


# -- leases ---------------------------------------------------------------------------------------------------------


def test_a_lease_has_one_holder_until_it_runs_out(connection: Connection):
    def take(holder: str, now: int, until: int) -> bool:
        return runs.take_run(connection, made.RUN, holder=holder, now=now, until=until)

    assert take("x-1", 10, 20)
    assert not take("x-2", 19, 30)
    assert take("x-1", 15, 25), "renewed"
    assert not take("x-2", 24, 30)
    assert take("x-2", 25, 35), "run out: `until` is the first moment that is free"
    assert not take("x-1", 26, 40)


def test_a_lease_that_is_given_back_is_free_at_once(connection: Connection):
    assert runs.take_run(connection, made.RUN, holder="x-1", now=10, until=20)
    runs.leave_run(connection, made.RUN, holder="x-2")  # not theirs to give
    assert not runs.take_run(connection, made.RUN, holder="x-2", now=11, until=20)
    runs.leave_run(connection, made.RUN, holder="x-1")
    assert runs.take_run(connection, made.RUN, holder="x-2", now=11, until=20)


def test_who_drives_a_run_is_known_even_after_the_lease_has_run_out(connection: Connection):
    assert runs.driver(connection, made.RUN) is None
    assert runs.driver(connection, OTHER) is None
    runs.take_run(connection, made.RUN, holder="x-1", now=10, until=11)
    assert not runs.take_run(connection, made.RUN, holder="x-2", now=10, until=20)
    assert runs.driver(connection, made.RUN) == "x-1"
    runs.leave_run(connection, made.RUN, holder="x-1")
    assert runs.driver(connection, made.RUN) is None


def test_a_lease_is_renewed_by_its_holder_and_takes_nothing_over(connection: Connection):
    runs.take_run(connection, made.RUN, holder="x-1", now=10, until=20)
    assert runs.renew_run(connection, made.RUN, holder="x-1", until=30)
    assert not runs.renew_run(connection, made.RUN, holder="x-2", until=99)
    assert not runs.take_run(connection, made.RUN, holder="x-2", now=29, until=40)
    assert runs.take_run(connection, made.RUN, holder="x-2", now=30, until=40)
    assert not runs.renew_run(connection, made.RUN, holder="x-1", until=99), "it was taken over"


def test_a_run_goes_on_under_its_holder_until_it_is_taken_over_or_ended(connection: Connection):
    assert not runs.still_drives(connection, made.RUN, holder="x-1")
    runs.take_run(connection, made.RUN, holder="x-1", now=10, until=20)
    assert runs.still_drives(connection, made.RUN, holder="x-1"), "nobody has taken it, however late it is"
    assert not runs.still_drives(connection, made.RUN, holder="x-2")
    runs.move_run(connection, made.RUN, before=["running"], after="cancelled", now=3)
    assert not runs.still_drives(connection, made.RUN, holder="x-1")


def test_who_no_longer_drives_a_run_does_not_end_it(connection: Connection):
    runs.take_run(connection, made.RUN, holder="x-1", now=10, until=20)
    assert not runs.move_run(connection, made.RUN, before=["running"], after="done", now=3, holder="x-2")
    assert runs.get_driven(connection, made.RUN)[1] == "x-1"
    assert runs.move_run(connection, made.RUN, before=["running"], after="done", now=3, holder="x-1")
    record, holder = runs.get_driven(connection, made.RUN)
    assert (record, holder) == (runs.get_run(connection, made.RUN), None), "its lease was given back"
    with pytest.raises(NotFound):
        runs.get_driven(connection, OTHER)


def test_nobody_holds_a_run_that_does_not_exist(connection: Connection):
    assert not runs.take_run(connection, OTHER, holder="x-1", now=10, until=20)
    runs.leave_run(connection, OTHER, holder="x-1")


def test_of_many_who_want_a_run_one_gets_it(engine: Engine):
    with engine.begin() as connection:
        runs.add_run(connection, run=made.RUN, request=made.request(), auth="key", places=[], now=1)
    start, taken = threading.Barrier(4), list[bool]()

    def want(number: int) -> None:
        start.wait(60)
        with engine.begin() as connection:
            taken.append(runs.take_run(connection, made.RUN, holder=f"x-{number}", now=10, until=20))

    threads = [threading.Thread(target=want, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, False, False, True]


def test_of_many_who_move_a_run_one_does(engine: Engine):
    with engine.begin() as connection:
        runs.add_run(connection, run=made.RUN, request=made.request(), auth="key", places=[], now=1)
    start, moved = threading.Barrier(4), list[RunState]()
    ends: tuple[RunState, ...] = ("done", "failed", "cancelled", "waiting")

    def move(after: RunState) -> None:
        start.wait(60)
        with engine.begin() as connection:
            if runs.move_run(connection, made.RUN, before=["running"], after=after, now=2):
                moved.append(after)

    threads = [threading.Thread(target=move, args=(after,)) for after in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert moved == [runs.get_run(connection, made.RUN).state]


def test_of_many_who_hold_a_run_each_sees_what_the_one_before_did(engine: Engine):
    with engine.begin() as connection:
        runs.add_run(connection, run=made.RUN, request=made.request(), auth="key", places=[], now=1)
    start = threading.Barrier(4)

    def add() -> None:
        start.wait(60)
        with engine.begin() as connection:
            runs.hold_run(connection, made.RUN)
            count = len(runs.list_documents(connection, run=made.RUN, prefix="note-"))
            runs.put_document(connection, run=made.RUN, name=f"note-{count}", body=count, now=2)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert runs.list_documents(connection, run=made.RUN, prefix="note-") == [0, 1, 2, 3]


# -- documents ------------------------------------------------------------------------------------------------------


def test_documents_are_listed_by_the_beginning_of_their_name(connection: Connection):
    for name in ("report-2", "report-1", "reporting"):
        runs.put_document(connection, run=made.RUN, name=name, body=name, now=2)
    assert runs.list_documents(connection, run=made.RUN, prefix="report-") == ["report-1", "report-2"]
    assert runs.list_documents(connection, run=made.RUN, prefix="%") == []
    assert runs.list_documents(connection, run=OTHER, prefix="report-") == []


def test_a_document_is_replaced_by_the_same_step_and_only_there(connection: Connection):
    runs.add_run(connection, run=OTHER, request=made.request(), auth="key", places=[], now=1)
    assert not runs.has_document(connection, run=made.RUN, name="plan")
    for run, body in ((made.RUN, ["a"]), (OTHER, ["b"]), (made.RUN, ["c", None])):
        runs.put_document(connection, run=run, name="plan", body=body, now=2)
    runs.put_document(connection, run=made.RUN, name="report", body={"n": 1}, now=2)
    assert runs.get_document(connection, run=made.RUN, name="plan") == ["c", None]
    assert runs.get_document(connection, run=OTHER, name="plan") == ["b"]
    assert runs.has_document(connection, run=made.RUN, name="plan")
    for _ in range(2):  # what is gone may be dropped again
        runs.drop_document(connection, run=made.RUN, name="plan")
        assert not runs.has_document(connection, run=made.RUN, name="plan")
    assert runs.get_document(connection, run=OTHER, name="plan") == ["b"]
    assert runs.get_document(connection, run=made.RUN, name="report") == {"n": 1}


def test_a_document_that_is_not_there_is_not_found(connection: Connection):
    with pytest.raises(NotFound, match=f"Run {made.RUN} has no plan"):
        runs.get_document(connection, run=made.RUN, name="plan")


@pytest.mark.parametrize("body", [b"", b"{}{}", b"{ }", b'{"a":1,"a":2}', b"1.5", b"\xff"])
def test_a_document_that_was_changed_is_refused(connection: Connection, body: bytes):
    runs.put_document(connection, run=made.RUN, name="plan", body={}, now=2)
    connection.execute(update(tables.documents).values(body=body))
    with pytest.raises(CheckFailed) as caught:
        runs.get_document(connection, run=made.RUN, name="plan")
    assert caught.value.code == "document_tampered"


def test_a_document_that_is_not_there_is_none(connection: Connection):
    assert runs.find_document(connection, run=made.RUN, name="question") is None
    runs.put_document(connection, run=made.RUN, name="question", body={"a": 1}, now=1)
    runs.put_document(connection, run=made.RUN, name="question", body={"a": 2}, now=2)
    assert runs.find_document(connection, run=made.RUN, name="question") == {"a": 2}
    connection.execute(update(tables.documents).values(body=b"{ }"))
    with pytest.raises(CheckFailed):
        runs.find_document(connection, run=made.RUN, name="question")


def test_documents_of_other_runs_are_read_newest_first(connection: Connection):
    for number, run in enumerate(("r-00000000000a", "r-00000000000b", "r-00000000000c"), 10):
        runs.add_run(connection, run=run, request=made.request(), auth="key", places=[], now=number)
        runs.put_document(connection, run=run, name="scan-1", body=number, now=number)
        runs.put_document(connection, run=run, name="plan", body=0, now=number)
    found = runs.recent_documents(connection, prefix="scan-", but="r-00000000000c", limit=5)
    assert found == [("r-00000000000b", 11), ("r-00000000000a", 10)]
    assert runs.recent_documents(connection, prefix="scan-", but="r-000000000000", limit=1) == [("r-00000000000c", 12)]
