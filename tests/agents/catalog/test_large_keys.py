"""Relationships of tables that are too large to be looked at whole."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.warehouse_facts import column, integers, table, warehouse

from twokey.agents.catalog import findings, looking, reading
from twokey.agents.catalog.facts import Join
from twokey.agents.catalog.findings import Citations
from twokey.agents.catalog.joins import Counted
from twokey.agents.catalog.understanding import questions, understand
from twokey.agents.reviewer.claims import fault
from twokey.agents.reviewer.scopes import Content
from twokey.tools.read.warehouse import KeyCheck, KeyFacts, KeysRequest, KeysResult, SchemaRequest, TableName
from twokey.tools.read.warehouse.values import Tally

ORDERS = table("orders", column("order_id", "INTEGER", integers(complete=False)), "note")
LINES = table("lines", column("line_id", "INTEGER", integers()), column("order_id", "INTEGER", integers(unique=False)))
ITSELF = Join("orders", ("order_id",), "orders", ("order_id",))
REFERS = Join("lines", ("order_id",), "orders", ("order_id",))


def counts(**changes: Any) -> Counted:
    whole = Counted(
        filled=900, distinct=900, present=900, orphan_rows=0, parent_rows=900, parent_distinct=900, parent_filled=900
    )
    return replace(whole, **changes)


def test_a_key_that_only_a_sample_shows_is_asked_for_and_referred_to():
    found = warehouse(ORDERS, LINES)
    asked = questions(found, ["orders", "lines"])
    assert asked.whole == (("orders", ("order_id",)),)
    assert [(join.child, join.parent) for join in asked.joins] == [("lines", "orders")]
    (join,) = asked.joins
    held = understand(found, ["orders", "lines"], {ITSELF: counts(), join: counts()})
    assert held.keys["orders"].columns == ("order_id",)
    assert held.keys["orders"].confidence == 95
    assert [each.parent for each in held.joins] == ["orders"]
    # seen in part only: nothing contradicts the reference, but nobody calls it the key
    part = counts(looked=300, present=300, parent_sure=False)
    some = understand(found, ["orders", "lines"], {ITSELF: part, join: part})
    assert "orders" not in some.keys
    assert [each.parent for each in some.joins] == ["orders"]
    twice = counts(parent_distinct=899)
    none = understand(found, ["orders", "lines"], {ITSELF: twice, join: twice})
    assert ("orders" in none.keys, none.joins) == (False, ())


FACTS = KeyFacts(
    check=KeyCheck(
        child=TableName(name="lines"),
        child_columns=("order_id",),
        parent=TableName(name="orders"),
        parent_columns=("order_id",),
    ),
    child_rows=9_000_000,
    child_filled=9_000_000,
    child_distinct=4_000_000,
    child_margin=27,
    looked=500_000,
    present=499_990,
    orphans=10,
    orphans_most=140,
    orphan_rows=31,
    orphan_rows_about=248,
    orphan_shapes=(Tally(text="9999999", count=8), Tally(text="-9", count=2)),
    parent_rows=4_100_000,
    parent_filled=4_100_000,
    parent_distinct=4_100_000,
    parent_margin=30,
)


SCHEMA, COUNTS = "e-" + 12 * "1", "e-" + 12 * "2"


def claims(facts: KeyFacts) -> Mapping[str, str]:
    """What is said of the relationship, by kind of finding; each claim holds against the evidence."""
    found = warehouse(ORDERS, LINES)
    (join,) = questions(found, ["orders", "lines"]).joins
    counted = reading.counted(facts)
    assert counted is not None
    understood = understand(found, ["orders", "lines"], {join: counted})
    told = findings.collect(understood, Citations(SCHEMA, {}, {join: COUNTS}, {}), focus="relationships")
    answer = {"answer": KeysResult(checks=(facts,)).model_dump(mode="json")}
    evidence = {SCHEMA: Content({}), COUNTS: Content(answer)}
    of_join = [finding for finding in told.items if finding.kind in {"relationship", "orphans"}]
    assert [fault(finding, evidence) for finding in of_join] == [None] * 2
    return {finding.kind: finding.claim for finding in of_join}


def test_an_estimate_is_told_as_one_and_its_numbers_stand_in_the_evidence():
    told = claims(FACTS)
    assert told["relationship"].endswith(
        "499,990 of 500,000 different values that were looked for are found there; of about 4,000,000 in all at most 140 "
        "are missing, as far as that tells."
    )
    assert told["orphans"] == (
        "At least 31 rows of lines.order_id hold a value that orders.order_id lacks, of the form “9999999” or “-9” "
        "(masked); going by the values that were looked for it is about 248."
    )
    whole = FACTS.model_copy(
        update={"looked": None, "child_margin": 0, "child_distinct": 500_000, "orphan_rows": 1, "orphan_shapes": ()}
    )
    assert claims(whole)["orphans"] == "1 row of lines.order_id holds a value that orders.order_id lacks."


def test_what_time_did_not_reach_is_asked_for_again():
    checks = tuple(
        FACTS.check.model_copy(update={"child": TableName(name=f"t{number}")})
        for number in range(reading.CHECKS_AT_ONCE + 2)
    )
    asked: list[int] = []

    def ask(request: object) -> tuple[KeysResult, str]:
        assert isinstance(request, KeysRequest)
        asked.append(len(request.checks))
        facts = [KeyFacts(check=check, reached=number < 60) for number, check in enumerate(request.checks)]
        return KeysResult(checks=tuple(facts)), f"e-{len(asked)}"

    answers = list(reading.counts(ask, checks))
    assert asked == [100, 42]
    assert [evidence for _, _, evidence in answers] == ["e-1", "e-2"]
    reached = [fact.check for _, result, _ in answers for fact in result.checks if fact.reached]
    assert sorted(check.child.name for check in reached) == sorted(check.child.name for check in checks)


def test_an_answer_that_reaches_nothing_does_not_go_on_forever():
    def ask(request: object) -> tuple[KeysResult, str]:
        assert isinstance(request, KeysRequest)
        return KeysResult(checks=tuple(KeyFacts(check=check, reached=False) for check in request.checks)), ""

    checks = [FACTS.check, FACTS.check.model_copy(update={"child": TableName(name="t")})]
    assert len(list(reading.counts(ask, checks))) == 2


def test_a_large_table_without_declared_keys_is_joined(tmp_path: Path):
    """60,000 rows are more than a profile looks at, so that the key is known from the counts alone."""
    path = tmp_path / "w.db"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (order_id INTEGER)")
        connection.execute("CREATE TABLE lines (order_id INTEGER)")
        connection.execute(f"{numbers} INSERT INTO orders SELECT 7 * i FROM n")
        connection.execute(f"{numbers} INSERT INTO lines SELECT CASE WHEN i % 20000 THEN 7 * i ELSE i END FROM n")
        connection.commit()
    ask = looking.alone(str(path))
    understood = looking.understood(reading.schema_of(ask(SchemaRequest())[0]), ask)
    assert understood.keys["orders"].columns == ("order_id",)
    (join,) = understood.joins
    assert (join.child, join.parent, join.orphans, join.orphan_shapes) == ("lines", "orders", 3, ("99999",))


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_three_million_keys_and_more_in_bounded_memory(kind: str, tmp_path: Path):
    """Counted in a process of its own, whose memory is read afterwards: 3,000,000 and 6,000,000 different values."""
    import json
    import subprocess
    import sys

    import duckdb

    sizes = {"orders": 3_100_000, "events": 6_000_000}
    path = tmp_path / f"w.{'db' if kind == 'sqlite' else 'duckdb'}"
    if kind == "sqlite":
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE orders (order_id INTEGER PRIMARY KEY)")
            connection.execute("CREATE TABLE lines (order_id INTEGER)")
            connection.execute("CREATE TABLE events (event_key TEXT)")
            connection.execute(f"{numbers.format(sizes['orders'])} INSERT INTO orders SELECT 3 * i FROM n")
            connection.execute(f"{numbers.format(3_000_000)} INSERT INTO lines SELECT 3 * i + (i % 30000 = 0) FROM n")
            connection.execute(f"{numbers.format(sizes['events'])} INSERT INTO events SELECT 'event-' || i FROM n")
            connection.commit()
    else:
        with duckdb.connect(str(path)) as duck:
            duck.execute(f"CREATE TABLE orders AS SELECT 3 * range order_id FROM range({sizes['orders']})")
            duck.execute(
                "CREATE TABLE lines AS SELECT 3 * i + (i % 30000 = 0)::INT order_id FROM range(1, 3000001) r(i)"
            )
            duck.execute(f"CREATE TABLE events AS SELECT 'event-' || range event_key FROM range({sizes['events']})")
    program = (
        "import json, resource, sys\n"
        "from twokey.agents.catalog import looking, reading\n"
        "from twokey.tools.read.warehouse import KeysRequest\n"
        "checks = KeysRequest.model_validate_json(sys.argv[2])\n"
        "answers = [r for _, r, _ in reading.counts(looking.alone(sys.argv[1]), checks.checks)]\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "print(json.dumps({'mb': peak, 'facts': [f.model_dump(mode='json') for r in answers for f in r.checks]}))\n"
    )
    event = TableName(name="events")
    checks = KeysRequest(
        checks=(
            FACTS.check,
            KeyCheck(child=event, child_columns=("event_key",), parent=event, parent_columns=("event_key",)),
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), checks.model_dump_json()], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    lines, events = (KeyFacts.model_validate(fact) for fact in answer["facts"] if fact["reached"])
    assert (lines.problem, events.problem) == ("", "")
    looked = lines.child_distinct if lines.looked is None else lines.looked
    assert abs(lines.present / looked - 2_999_900 / 3_000_000) < 0.001
    assert lines.orphans <= 100 <= 2 * lines.orphans_most
    assert lines.parent_distinct == lines.parent_filled
    assert abs(events.child_distinct - 6_000_000) <= 6_000_000 * 2 * events.child_margin / 10_000
    assert events.orphans == 0
    assert answer["mb"] < 700
