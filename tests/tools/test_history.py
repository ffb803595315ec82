"""Decisions of the past: all of them, with what they were taken on, and nothing that was changed since."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, text, update
from support.bench import Bench

from twokey.core.errors import CheckFailed, NotFound
from twokey.core.events import StepStarted
from twokey.core.values import Counters
from twokey.policies.bundle import ENTRY_POINT
from twokey.policies.input import build
from twokey.policies.replay import call_of
from twokey.store import tables
from twokey.store.usage import Counted
from twokey.tools import calls, history
from twokey.tools.circumstances import Given
from twokey.tools.ledger import PAGE


def test_every_decision_of_a_write_comes_back_with_its_document(bench: Bench):
    record = bench.propose()
    bench.clock.advance(5)
    bench.gate.answer(bench.answer(record), channel="cli")
    bench.gate.execute(record.id)
    found = list(history.past(bench.ledger))
    assert [past.event.occasion for past in found] == ["read", "propose", "click", "execute"]
    for past in found:
        assert past.kept is not None
        assert build(call_of(past.kept.document)).text == past.kept.document
    late = history.past(bench.ledger, since_us=record.created_us + 1)
    assert [past.event.occasion for past in late] == ["click", "execute"]
    proposed = history.find(bench.ledger, found[1].entry)
    assert proposed == found[1]
    assert history.find(bench.ledger, record.id) == found[3]
    asked = calls.of_proposal(
        record.proposal, bench.people.people["ana"], record.created_us, Given(Counted(Counters(), 0), (), frozen=False)
    )
    assert found[1].kept is not None
    assert found[1].kept.document == build(asked).text
    assert ENTRY_POINT.encode() not in found[1].kept.document


def test_a_log_of_many_pages_is_read_to_its_end(bench: Bench):
    desk = bench.desk()
    bench.ledger.record(*(StepStarted(run=desk.run, step=1, agent="catalog") for _ in range(PAGE + 5)))
    bench.evidence(desk)
    assert [past.event.occasion for past in history.past(bench.ledger)] == ["read"]


@pytest.mark.parametrize(
    ("column", "value"), [("document", b'{"effect":"read"}'), ("answer", b"{}"), ("salt", "f" * 32)]
)
def test_a_row_that_was_changed_is_called_altered_and_never_used(bench: Bench, column: str, value: object):
    bench.propose()
    first = next(history.past(bench.ledger)).entry
    with bench.engine.begin() as connection:
        mine = tables.decisions.c.entry == first
        connection.execute(update(tables.decisions).where(mine).values(**{column: value}))
    found = list(history.past(bench.ledger))
    assert [(past.altered, past.kept is None) for past in found] == [(True, True), (False, False)]


def test_a_row_that_is_gone_is_missing_and_not_altered(bench: Bench):
    bench.propose()
    with bench.engine.begin() as connection:
        connection.execute(delete(tables.decisions))
    assert [(past.altered, past.kept) for past in history.past(bench.ledger)] == [(False, None)] * 2


def test_rows_of_two_decisions_that_changed_places_are_altered(bench: Bench):
    bench.propose()
    first, second = (past.entry for past in history.past(bench.ledger))
    with bench.engine.begin() as connection:
        for old, new in ((first, "x"), (second, first), ("x", second)):
            connection.execute(update(tables.decisions).where(tables.decisions.c.entry == old).values(entry=new))
    assert all(past.altered for past in history.past(bench.ledger))


def test_a_log_without_decisions_has_none(make_bench_once: Callable[[], Bench]):
    bench = make_bench_once()
    assert list(history.past(bench.ledger)) == []
    assert history.find(bench.ledger, "p-000000000001") is None
    first = bench.log.entries(limit=1)[0].entry.id
    assert history.find(bench.ledger, first) is None
    with pytest.raises(NotFound):
        history.find(bench.ledger, "l-zzzzzzzzzzzz")


@pytest.mark.parametrize("harm", ["changed", "hidden"])
def test_a_log_that_was_edited_is_found_out_at_the_end(make_bench_once: Callable[[], Bench], harm: str):
    bench = make_bench_once()
    bench.propose()
    with bench.engine.begin() as connection:
        for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        if harm == "changed":
            rows = connection.execute(text("SELECT seq, body FROM log_entries")).all()
            for seq, body in rows:
                other = body.replace(b'"occasion":"propose"', b'"occasion":"execute"')
                connection.execute(text("UPDATE log_entries SET body = :b WHERE seq = :s"), {"b": other, "s": seq})
        else:
            connection.execute(text("DELETE FROM log_entries WHERE seq > 2"))
    with pytest.raises(CheckFailed):
        list(history.past(bench.ledger))
