"""Who somebody is elsewhere: both sides have to say so, and the log alone bears it out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CountingIds, FixedClock
from sqlalchemy import delete, insert, text, update
from support import post
from support.bench import WORKSPACE, Bench, build
from support.bench import People as BenchPeople

from twokey.audit.entry import Entry
from twokey.core.errors import CheckFailed, Refused
from twokey.core.events import IdentityLinked, LinkAsked, LinkRejected, WorkspaceCreated
from twokey.core.values import GivenOrder, Order, Principal
from twokey.store import links as rows
from twokey.store import tables
from twokey.tools.authority import Rules
from twokey.tools.link_book import FORGET_US, LinkBook, Told
from twokey.tools.links import MOST_OF_ALL, MOST_OF_ONE, OPEN_US, SHOWN, Links

SAM, KIM, HUB = "slack:T01/U0SAM", "slack:T01/U0KIM", "github:583231"
HOUR_S = 3600


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    """On SQLite, for what does not depend on the database."""
    made = build(tmp_path, sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def both(tmp_path: Path, database_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Bench]:
    """On SQLite and on PostgreSQL."""
    made = build(tmp_path, database_url, clock, ids)
    yield made
    made.engine.dispose()


def ask(bench: Bench, external: str = SAM, name: str = "sam") -> None:
    bench.gate.links.ask(external, name, "slack")


def order(bench: Bench, external: str = SAM, name: str = "sam", word: str = "link", **changes: Any) -> GivenOrder:
    return bench.order(name, word, external=external, **changes)


def confirm(bench: Bench, external: str = SAM, name: str = "sam") -> None:
    bench.gate.links.confirm(order(bench, external, name), channel="cli")


def link(bench: Bench, external: str = SAM, name: str = "sam") -> None:
    ask(bench, external, name)
    confirm(bench, external, name)


def unlink(bench: Bench, external: str = SAM, name: str = "sam") -> str:
    bench.clock.advance(1)
    return bench.gate.links.remove(order(bench, external, name, "unlink"), channel="cli")


def who(bench: Bench, external: str = SAM) -> str | None:
    found = bench.gate.links.principal(external)
    return found.name if found else None


def refused(bench: Bench, do: Any, code: str) -> None:
    """It is refused with this code, and so the log says."""
    with pytest.raises(Refused) as caught:
        do()
    assert caught.value.code == code
    last = [item.entry.event for item in bench.log.entries(WORKSPACE, kind="identity.link_rejected")][-1]
    assert isinstance(last, LinkRejected)
    assert last.code == code


def linked_row(**values: Any) -> dict[str, Any]:
    return {
        "external": SAM,
        "principal": "sam",
        "provider": "slack",
        "entry": "l-0000000000zz",
        "linked_us": 1,
        **values,
    }


# -- both sides have to say so ----------------------------------------------------------------------------------------


def test_an_identity_is_somebodys_when_both_said_so(both: Bench):
    ask(both)
    assert who(both) is None, "asking makes nobody anybody"
    assert [item.external for item in both.gate.links.asked("sam")] == [SAM]
    assert both.gate.links.asked("kim") == []
    confirm(both)
    assert who(both) == "sam"
    assert both.gate.links.external("sam", "slack") == SAM
    assert both.gate.links.external("sam", "github") is None
    assert both.gate.links.asked("sam") == []
    assert both.kinds("sam") == ["identity.link_asked", "identity.linked"]
    assert [(item.principal, item.external, item.proven) for item in both.gate.links.listed()] == [("sam", SAM, True)]


def test_another_process_sees_it_at_once(bench: Bench):
    other = bench.sibling()
    assert other.links.principal(SAM) is None
    link(bench)
    found = other.links.principal(SAM)
    assert found is not None
    assert found.name == "sam"
    unlink(bench)
    assert other.links.principal(SAM) is None


def test_the_wrong_principal_confirms_nothing(bench: Bench):
    """The confused deputy: kim is led to confirm an identity that asked to be sam, or the reverse."""
    ask(bench)
    refused(bench, lambda: confirm(bench, SAM, "kim"), "not_asked")
    forged = order(bench).model_copy(update={"statement": order(bench, name="kim").statement})
    refused(bench, lambda: bench.gate.links.confirm(forged, channel="cli"), "not_authenticated")
    assert who(bench) is None


def test_an_identity_that_nobody_asked_with_is_not_linked(bench: Bench):
    refused(bench, lambda: confirm(bench), "not_asked")
    ask(bench)
    refused(bench, lambda: confirm(bench, KIM), "not_asked")


def test_an_ask_to_be_somebody_else_takes_the_place_of_the_one_before(bench: Bench):
    ask(bench)
    ask(bench, SAM, "kim")
    refused(bench, lambda: confirm(bench), "not_asked")
    bench.clock.advance(1)
    confirm(bench, SAM, "kim")
    assert who(bench) == "kim"


def test_an_ask_is_open_for_an_hour_and_renewed_when_asked_again(bench: Bench):
    ask(bench)
    bench.clock.advance(60)
    ask(bench)
    assert len(bench.kinds("sam")) == 1, "one that is minutes old is not recorded again"
    bench.clock.advance(HOUR_S - 120)
    ask(bench)
    assert len(bench.kinds("sam")) == 2
    bench.clock.advance(HOUR_S)
    confirm(bench)
    assert who(bench) == "sam"
    ask(bench, KIM, "kim")
    bench.clock.advance(HOUR_S + 1)
    assert bench.gate.links.asked("kim") == []
    refused(bench, lambda: confirm(bench, KIM, "kim"), "not_asked")


def test_nobody_is_asked_to_be_whom_the_directory_does_not_know(bench: Bench):
    refused(bench, lambda: ask(bench, SAM, "<!channel> *Policy: ALLOW*"), "unknown_principal")
    assert "Policy" not in "".join(str(item.entry.canonical()) for item in bench.log.entries())


def test_one_identity_is_one_principals_and_a_principal_has_one_per_provider(bench: Bench):
    link(bench)
    refused(bench, lambda: ask(bench), "linked_already")
    refused(bench, lambda: ask(bench, SAM, "kim"), "linked_to_another")
    refused(bench, lambda: ask(bench, KIM, "sam"), "principal_linked")
    link(bench, HUB)
    assert (who(bench), who(bench, HUB)) == ("sam", "sam")


def test_two_asks_are_not_both_confirmed(bench: Bench):
    ask(bench, SAM)
    ask(bench, KIM, "sam")
    confirm(bench, SAM)
    refused(bench, lambda: confirm(bench, KIM, "sam"), "principal_linked")
    assert who(bench, KIM) is None


def test_of_two_processes_that_confirm_one_wins(both: Bench, monkeypatch: pytest.MonkeyPatch):
    """The second looked before the first had linked."""
    ask(both)
    other = both.sibling().links
    given = order(both)

    def first(*_: object) -> None:
        confirm(both)

    monkeypatch.setattr(other, "_refuse_linked", first)
    monkeypatch.setattr(other._book, "told", _stale(other._book))  # pyright: ignore[reportPrivateUsage]
    refused(both, lambda: other.confirm(given, channel="cli"), "linked_already")
    assert who(both) == "sam"
    assert both.kinds("sam").count("identity.linked") == 1


def _stale(book: LinkBook) -> Any:
    before = book.told()
    return lambda: before


# -- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_is_not_used_twice(both: Bench):
    ask(both)
    given = order(both)
    both.gate.links.confirm(given, channel="cli")
    unlink(both)
    refused(both, lambda: both.gate.links.confirm(given, channel="cli"), "not_asked")
    ask(both)
    refused(both, lambda: both.gate.links.confirm(given, channel="cli"), "stale_order")
    assert who(both) is None


def test_an_order_from_before_the_ask_confirms_nothing(bench: Bench):
    given = order(bench)
    bench.clock.advance(1)
    ask(bench)
    refused(bench, lambda: bench.gate.links.confirm(given, channel="cli"), "stale_order")


def test_an_unlinking_does_not_undo_what_was_linked_since(bench: Bench):
    link(bench)
    bench.clock.advance(1)
    given = order(bench, word="unlink")
    bench.gate.links.remove(given, channel="cli")
    bench.clock.advance(1)
    link(bench)
    refused(bench, lambda: bench.gate.links.remove(given, channel="cli"), "stale_order")
    assert who(bench) == "sam"


@pytest.mark.parametrize("seconds", [-120, 16 * 60])
def test_an_order_is_good_for_a_quarter_of_an_hour(bench: Bench, seconds: int):
    ask(bench)
    given = order(bench)
    bench.clock.advance(seconds)
    refused(bench, lambda: bench.gate.links.confirm(given, channel="cli"), "stale_order")


def test_an_order_to_do_something_else_links_nothing(bench: Bench):
    ask(bench)
    refused(bench, lambda: bench.gate.links.confirm(order(bench, word="unlink"), channel="cli"), "other_order")
    refused(bench, lambda: bench.gate.links.confirm(bench.order("sam", "freeze_on"), channel="cli"), "other_order")
    refused(bench, lambda: bench.gate.links.remove(order(bench), channel="cli"), "other_order")


def test_an_identity_elsewhere_links_and_unlinks_nothing(bench: Bench):
    link(bench)
    ask(bench, HUB)
    for word, external in (("link", HUB), ("unlink", SAM)):
        given = GivenOrder(statement=order(bench, external, word=word).statement, auth="slack", external=SAM)
        do = bench.gate.links.confirm if word == "link" else bench.gate.links.remove
        refused(bench, lambda do=do, given=given: do(given, channel="slack"), "not_authenticated")
    assert (who(bench), who(bench, HUB)) == ("sam", None)


def test_an_order_for_another_workspace_or_by_nobody_counts_for_nothing(bench: Bench):
    ask(bench)
    given = order(bench, workspace="w-zzzzzzzzzzzz")
    refused(bench, lambda: bench.gate.links.confirm(given, channel="cli"), "not_authenticated")
    del bench.people.people["sam"]
    refused(bench, lambda: bench.gate.links.confirm(order(bench), channel="cli"), "not_authenticated")


def test_in_a_demo_an_assertion_links(bench: Bench):
    """There an asserted identity is as good as a key, and everything in the log says so."""
    rules = Rules(workspace=WORKSPACE, demo=True)
    book = LinkBook(bench.ledger, bench.people, rules)
    demo = Links(bench.ledger, bench.people, rules, bench.clock, book)
    demo.ask(SAM, "sam", "slack")
    demo.confirm(GivenOrder(statement=order(bench).statement, auth="asserted"), channel="demo")
    found = demo.principal(SAM)
    assert found is not None
    assert found.name == "sam"
    assert who(bench) is None, "not without a demo"


# -- unlinking --------------------------------------------------------------------------------------------------------


def test_the_principal_and_owners_of_the_controls_unlink_and_nobody_else(bench: Bench):
    link(bench, HUB, "ana")
    refused(bench, lambda: bench.gate.links.remove(order(bench, SAM, "ana", "unlink"), channel="cli"), "not_theirs")
    link(bench)
    refused(bench, lambda: bench.gate.links.remove(order(bench, SAM, "ana", "unlink"), channel="cli"), "not_theirs")
    assert unlink(bench, HUB, "ana") == "ana"
    assert unlink(bench, SAM, "rita") == "sam"
    assert (who(bench), who(bench, HUB)) == (None, None)
    refused(bench, lambda: unlink(bench, SAM, "rita"), "not_linked")


def test_after_unlinking_an_identity_has_to_ask_again(bench: Bench):
    link(bench)
    unlink(bench)
    refused(bench, lambda: confirm(bench), "not_asked")
    link(bench, KIM)
    assert who(bench, KIM) == "sam"


def test_a_link_lasts_no_longer_than_the_key_that_ordered_it(bench: Bench):
    link(bench)
    sam = bench.people.people["sam"]
    bench.people.people["sam"] = sam.model_copy(update={"key": bench.keys["rita"].public})
    del bench.people.people["rita"]
    assert who(bench) is None
    assert [item.proven for item in bench.gate.links.listed()] == [False]
    bench.people.people["sam"] = sam
    assert who(bench) == "sam"
    bench.people.people["sam2"] = Principal(name="sam2", key=sam.key)
    assert who(bench) is None, "a key that stands for two names stands for neither"
    del bench.people.people["sam2"], bench.people.people["sam"]
    assert who(bench) is None


# -- rows and entries that somebody edited ----------------------------------------------------------------------------


def tamper(bench: Bench, statement: Any) -> None:
    with bench.engine.begin() as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        update(tables.links).values(principal="kim"),
        update(tables.links).values(entry="l-0000000000zz"),
        update(tables.links).values(provider="gitlab"),
        delete(tables.links),
    ],
    ids=["another principal", "another entry", "no provider", "deleted"],
)
def test_a_row_that_was_edited_gives_nobody_anything_and_is_noticed(bench: Bench, statement: Any):
    link(bench)
    tamper(bench, statement)
    with pytest.raises(CheckFailed) as caught:
        who(bench)
    assert caught.value.code in {"link_not_proven", "link_tampered"}
    with pytest.raises(CheckFailed):
        bench.gate.links.external("sam", "slack")


def test_a_row_that_was_added_gives_nobody_anything_and_is_noticed(both: Bench):
    tamper(both, insert(tables.links).values(**linked_row()))
    with pytest.raises(CheckFailed) as caught:
        who(both)
    assert caught.value.code == "link_not_proven"
    with pytest.raises(CheckFailed):
        both.gate.links.external("sam", "slack")
    with pytest.raises(CheckFailed):
        ask(both)
    assert [item.proven for item in both.gate.links.listed()] == [False]


def test_unlinking_sets_an_edited_row_right(both: Bench):
    tamper(both, insert(tables.links).values(**linked_row()))
    refused(both, lambda: unlink(both, SAM, "ana"), "not_theirs")
    assert unlink(both, SAM, "rita") == "rita"
    assert who(both) is None
    both.clock.advance(1)
    link(both)
    tamper(both, delete(tables.links))
    assert unlink(both) == "sam"
    both.clock.advance(1)
    link(both)
    tamper(both, update(tables.links).values(provider="gitlab"))
    assert unlink(both) == "sam"
    assert who(both) is None


def test_an_unlinking_that_was_hidden_is_noticed(bench: Bench):
    """Whoever owns the database takes the triggers off, hides the entry, and puts the row back."""
    link(bench)
    (linked,) = [item.entry.id for item in bench.log.entries("sam", kind="identity.linked")]
    unlink(bench)
    with bench.engine.begin() as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        seq = connection.execute(text("SELECT seq FROM log_entries WHERE kind = 'identity.unlinked'")).scalar_one()
        connection.execute(text("DELETE FROM log_entries WHERE seq = :seq"), {"seq": seq})
        connection.execute(insert(tables.links).values(**linked_row(entry=linked)))
    for gate in (bench.gate, bench.sibling()):
        with pytest.raises(CheckFailed) as caught:
            gate.links.principal(SAM)
        assert caught.value.code == "history_not_proven"


def test_a_link_in_the_log_that_nobody_asked_for_links_nobody(bench: Bench):
    """Whoever can write into the log cannot make somebody up: the ask and the signature are looked at again."""
    entry = IdentityLinked(principal="sam", external=SAM, order=order(bench), channel="cli")
    bench.ledger.record(entry)
    assert who(bench) is None
    ask(bench, KIM, "kim")
    given = order(bench, KIM, "kim")
    forged = given.model_copy(update={"signature": "0" * 128})
    with bench.ledger.change() as unit:
        made = unit.record(IdentityLinked(principal="kim", external=KIM, order=forged, channel="cli"))
        assert rows.add_link(unit.connection, rows.LinkRecord(KIM, "kim", "slack", made, bench.clock.now_us()))
    assert who(bench, KIM) is None, "the log is in order, the signature is not"


def test_other_entries_and_orders_link_nobody():
    told = Told()
    event = WorkspaceCreated(workspace=WORKSPACE, demo=True, version="0")
    told.take(Entry(id="l-000000000001", time_us=1, workspace=WORKSPACE, event=event))
    assert (told.links, told.asks, told.ended_us) == ({}, {}, {})
    statement = Order(workspace=WORKSPACE, order="freeze_on", principal="sam", at_us=1)
    assert not told.may_link(GivenOrder(statement=statement, auth="asserted"))


def test_a_change_that_is_being_signed_is_no_contradiction(both: Bench):
    """Between the commit of a link and the checkpoint that covers it, whoever looks signs what is pending."""
    ask(both)
    given = order(both)
    with both.engine.begin() as connection:
        unit_entry = both.log.prepare(IdentityLinked(principal="sam", external=SAM, order=given, channel="cli"))
        both.log.settle(connection, [unit_entry])
        row = rows.LinkRecord(SAM, "sam", "slack", unit_entry.entry_id, given.statement.at_us)
        assert rows.add_link(connection, row)
        assert not rows.add_link(connection, row)
    assert who(both) == "sam"
    with both.engine.begin() as connection:
        assert [item.principal for item in rows.list_links(connection)] == ["sam"]


def test_asks_that_came_to_their_end_are_forgotten_by_the_times_of_the_log(bench: Bench):
    book = LinkBook(bench.ledger, BenchPeople(), Rules(workspace=WORKSPACE, demo=False))
    for number in range(1, SHOWN + 3):
        ask(bench, f"github:{number}")
    ask(bench)
    assert len(book.told().asks) == SHOWN + 3
    shown = bench.gate.links.asked("sam")
    assert len(shown) == SHOWN, "who asks often fills nobody's screen"
    bench.clock.time_us += OPEN_US // 2
    ask(bench)
    bench.clock.time_us += OPEN_US // 2 + FORGET_US + 1
    ask(bench, "github:99")
    assert set(book.told().asks) == {SAM, "github:99"}, "what was renewed is younger than what came before it"
    again = LinkBook(bench.ledger, BenchPeople(), Rules(workspace=WORKSPACE, demo=False))
    assert again.told().asks == book.told().asks
    refused(bench, lambda: confirm(bench, "github:1"), "not_asked")
    confirm(bench)
    assert who(bench) == "sam"


def test_an_entry_from_a_clock_that_is_ahead_holds_back_no_forgetting():
    told = Told()

    def take(external: str, at_us: int) -> None:
        event = LinkAsked(principal="sam", external=external, channel="slack", at_us=at_us, until_us=at_us + OPEN_US)
        told.take(
            Entry(id="l-000000000001", time_us=at_us if at_us < 10 * OPEN_US else 1, workspace=WORKSPACE, event=event)
        )

    take(KIM, 100 * OPEN_US)
    take(SAM, 1)
    take(HUB, OPEN_US + FORGET_US + 2)
    assert set(told.asks) == {KIM, HUB}


def test_one_identity_is_heard_so_often_within_an_hour(bench: Bench):
    for number in range(MOST_OF_ONE):
        ask(bench, SAM, ("sam", "kim")[number % 2])
    size = len(bench.log.entries(limit=1000))
    noted: list[str] = []
    for asked in ("kim", "rita"):
        with pytest.raises(Refused) as caught:
            bench.gate.links.ask(SAM, asked, "slack", noted.append)
        assert caught.value.code == "too_many_asks"
    assert (noted, len(bench.log.entries(limit=1000))) == (["too_many_asks"] * 2, size)
    ask(bench, KIM, "kim")
    bench.clock.advance(HOUR_S + 1)
    link(bench, SAM, "rita")
    assert who(bench) == "rita"


def test_all_of_one_provider_are_heard_so_often_within_an_hour(bench: Bench):
    with bench.ledger.change() as unit:
        now = bench.clock.now_us()
        for number in range(MOST_OF_ALL):
            who_asks = f"github:{number + 1}"
            unit.record(
                LinkAsked(principal="sam", external=who_asks, channel="github", at_us=now, until_us=now + OPEN_US)
            )
    refused(bench, lambda: ask(bench, HUB), "too_many_asks")
    ask(bench, "github:7")
    link(bench)
    assert who(bench) == "sam", "strangers at one provider keep nobody from being heard at another"


def test_what_strangers_try_in_vain_is_counted_where_somebody_counts(bench: Bench):
    noted: list[str] = []
    before = bench.log.latest()
    with pytest.raises(Refused):
        bench.gate.links.ask(SAM, "nobody", "github", noted.append)
    assert (noted, bench.log.latest()) == (["unknown_principal"], before)


def test_a_log_without_entries_links_nobody(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds):
    made = post.build(tmp_path, sqlite_url, clock, ids)
    book = LinkBook(made.ledger, BenchPeople(), Rules(workspace=WORKSPACE, demo=False))
    assert book.in_force(SAM) is None
    made.engine.dispose()
