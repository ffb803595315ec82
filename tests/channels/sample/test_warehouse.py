"""The planted dirt is there in the stated numbers, and nothing else is wrong. Checked in SQL, without the generator."""

import json
import re
import sqlite3
from datetime import date

import pytest

from twokey.channels.sample import Planted, Sample
from twokey.channels.sample.tables import CANARY_CUSTOMER

# how a reader who knows the column would find the dirt
CONDITIONS = {
    ("customers", "contact", "missing_as_text"): "contact IN ('N/A', '-')",
    ("customers", "notes", "personal_in_text"): "notes LIKE '%@example.net%'",
    ("events_daily", "upload_bytes", "units_mix"): "upload_bytes BETWEEN 1 AND 999999",
    ("events_daily", "browser", "missing_as_text"): "browser = 'N/A'",
    ("invoices", "paid_on", "missing_as_text"): "paid_on = '-'",
    ("invoices", "subscription_id", "orphan"): "subscription_id NOT IN (SELECT subscription_id FROM subscriptions)",
    ("subscriptions", "plan", "misspelt_category"): "plan NOT IN ('starter', 'team', 'business')",
    ("subscriptions", "ended_on", "impossible_date"): "ended_on IS NOT NULL AND NOT is_date(ended_on)",
    ("model_runs", "params", "credential"): "params LIKE '%example-token-%'",
}
AMOUNTS = {
    ("customers", "contact", "missing_as_text"): 19,
    ("customers", "notes", "personal_in_text"): 37,
    ("events_daily", "upload_bytes", "units_mix"): 150,
    ("events_daily", "browser", "missing_as_text"): 60,
    ("invoices", "paid_on", "missing_as_text"): 41,
    ("invoices", "subscription_id", "orphan"): 9,
    ("subscriptions", "plan", "misspelt_category"): 6,
    ("subscriptions", "ended_on", "impossible_date"): 5,
    ("model_runs", "params", "credential"): 1,
    ("invoices", "payment ref", "column_name_with_space"): 0,
    ("churn_scores_v1", None, "stale_table"): 0,
}
PATTERNS = {
    "EMAIL": re.compile(r"[a-z0-9.-]+@example\.(com|org|net)"),
    "PHONE": re.compile(
        r"\(202\) 555-01\d\d|\+1 202 555 01\d\d|030 23125-\d{3}|(01 99 00|06 39 98) \d\d \d\d"
        r"|020 7946 0\d{3}|07700 900\d{3}|\+44 7700 900\d{3}"
    ),
    "PERSON_NAME": re.compile(r"[^\W\d_]+ [^\W\d_]+"),
}


def key(planted: Planted) -> tuple[str, str | None, str]:
    return planted.table, planted.column, planted.kind


def tables(warehouse: sqlite3.Connection) -> dict[str, list[str]]:
    names = [name for (name,) in warehouse.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: [row[1] for row in warehouse.execute(f"PRAGMA table_info({name})")] for name in names}


def test_the_stated_amounts(sample: Sample) -> None:
    assert {key(planted): planted.rows for planted in sample.planted} == AMOUNTS


@pytest.mark.parametrize("where", CONDITIONS)
def test_planted_dirt_is_in_the_stated_rows_and_in_no_other(
    where: tuple[str, str, str], sample: Sample, warehouse: sqlite3.Connection
) -> None:
    (planted,) = (planted for planted in sample.planted if key(planted) == where)

    found = warehouse.execute(f"SELECT rowid FROM {where[0]} WHERE {CONDITIONS[where]} ORDER BY rowid").fetchall()

    assert tuple(rowid for (rowid,) in found) == planted.rowids


def test_three_percent_of_the_uploads_are_in_megabytes(sample: Sample, warehouse: sqlite3.Connection) -> None:
    (rows,) = warehouse.execute("SELECT count(*) FROM events_daily").fetchone()
    (planted,) = (planted for planted in sample.planted if planted.kind == "units_mix")
    assert planted.rows / rows == 0.03


def test_structural_dirt(sample: Sample, warehouse: sqlite3.Connection) -> None:
    assert "payment ref" in tables(warehouse)["invoices"]
    (newest,) = warehouse.execute("SELECT max(scored_on) FROM churn_scores_v1").fetchone()
    assert (sample.now.date() - date.fromisoformat(newest)).days > 400


def test_every_other_date_is_one(sample: Sample, warehouse: sqlite3.Connection) -> None:
    dirty = {(p.table, p.column) for p in sample.planted}
    columns = [
        (table, column)
        for table, names in tables(warehouse).items()
        for column in names
        if column.endswith(("_on", "_at", "_date"))
    ]
    assert len(columns) >= 14
    for table, column in columns:
        (wrong,) = warehouse.execute(
            f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND NOT is_date({column})"
        ).fetchone()
        assert (wrong > 0) == ((table, column) in dirty), (table, column)


def test_nothing_happens_before_its_beginning_or_after_now(sample: Sample, warehouse: sqlite3.Connection) -> None:
    joined = "FROM {0} AS x JOIN customers AS c USING (customer_id)"
    bill = "FROM invoices AS i JOIN subscriptions AS s USING (subscription_id)"
    for query in (
        f"SELECT count(*) {joined.format('subscriptions')} WHERE x.started_on < c.signup_date",
        f"SELECT count(*) {joined.format('support_contacts')} WHERE x.opened_at < c.signup_date",
        f"SELECT count(*) {joined.format('events_daily')} WHERE x.event_date < c.signup_date",
        f"SELECT count(*) {joined.format('churn_scores')} WHERE x.scored_at < c.signup_date",
        f"SELECT count(*) {joined.format('churn_scores_v1')} WHERE x.scored_on < c.signup_date",
        f"SELECT count(*) {bill} WHERE i.issued_on < s.started_on",
        f"SELECT count(*) {bill} WHERE i.issued_on > s.ended_on AND is_date(s.ended_on)",
        "SELECT count(*) FROM invoices WHERE paid_on < issued_on AND paid_on <> '-'",
        "SELECT count(*) FROM subscriptions WHERE ended_on < started_on AND is_date(ended_on)",
        "SELECT count(*) FROM model_runs WHERE finished_at < started_at",
        f"SELECT count(*) FROM events_daily WHERE event_date >= '{sample.now:%Y-%m-%d}'",
        f"SELECT count(*) FROM model_runs WHERE started_at > '{sample.now:%Y-%m-%d %H:%M:%S}'",
    ):
        assert warehouse.execute(query).fetchone() == (0,), query


def test_relations_hold_but_for_the_planted_orphans(sample: Sample, warehouse: sqlite3.Connection) -> None:
    orphans = {(p.table, p.column): p.rows for p in sample.planted if p.kind == "orphan"}
    for relation in sample.relations:
        column, parent = relation.child_column, relation.parent_column
        (linked,) = warehouse.execute(f"SELECT count({column}) FROM {relation.child}").fetchone()
        (lost,) = warehouse.execute(
            f"SELECT count(*) FROM {relation.child} WHERE {column} IS NOT NULL"
            f" AND {column} NOT IN (SELECT {parent} FROM {relation.parent})"
        ).fetchone()
        assert linked > 20, relation
        assert lost == orphans.get((relation.child, column), 0), relation


def test_declared_keys_are_those_that_are_said_to_be_and_hold(sample: Sample, warehouse: sqlite3.Connection) -> None:
    declared = {
        (table, row[3], row[2], row[4])
        for table in tables(warehouse)
        for row in warehouse.execute(f"PRAGMA foreign_key_list({table})")
    }

    assert declared == {(r.child, r.child_column, r.parent, r.parent_column) for r in sample.relations if r.declared}
    assert warehouse.execute("PRAGMA foreign_key_check").fetchall() == []
    assert warehouse.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_personal_data_is_where_the_sample_says_and_in_no_other_column(
    sample: Sample, warehouse: sqlite3.Connection
) -> None:
    told = {(p.table, p.column, p.data_class): p.rows for p in sample.personal}
    found: dict[tuple[str, str, str], int] = {}
    for table, columns in tables(warehouse).items():
        for column in columns:
            cells = [cell for (cell,) in warehouse.execute(f'SELECT "{column}" FROM {table}') if isinstance(cell, str)]
            for data_class, pattern in PATTERNS.items():
                matches = sum(
                    bool(pattern.search(cell) if data_class == "EMAIL" else pattern.fullmatch(cell)) for cell in cells
                )
                if matches:
                    found[table, column, data_class] = matches
    # teams, topics and notes of two words have the shape of a name, and only the shape
    shapes = {at for at in found if at[2] == "PERSON_NAME"} - set(told)
    assert {at[:2] for at in shapes} <= {("employees", "team"), ("customers", "notes")}
    assert {at: rows for at, rows in found.items() if at not in shapes} == told
    assert told["customers", "contact", "EMAIL"] == 4_981


def test_eleven_tables_of_a_small_company(warehouse: sqlite3.Connection) -> None:
    found = tables(warehouse)

    assert len(found) == 11
    assert 60 <= sum(map(len, found.values())) <= 80
    for table in found:
        (rows,) = warehouse.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert 200 <= rows <= 5_000, table


def test_no_column_is_constant_by_mistake(warehouse: sqlite3.Connection) -> None:
    constant = [
        (table, column)
        for table, columns in tables(warehouse).items()
        for column in columns
        if warehouse.execute(f'SELECT count(DISTINCT "{column}") FROM {table}').fetchone()[0] < 2
    ]
    assert constant == [("churn_features", "snapshot_date")]


def test_what_looks_wrong_and_is_right(warehouse: sqlite3.Connection) -> None:
    (namibia,) = warehouse.execute("SELECT count(*) FROM customers WHERE country = 'NA'").fetchone()
    (safari,) = warehouse.execute("SELECT count(*) FROM events_daily WHERE browser = 'Safari'").fetchone()
    (flags,) = warehouse.execute("SELECT count(*) FROM customers WHERE contact_verified NOT IN (0, 1)").fetchone()
    assert (namibia > 20, safari > 200, flags) == (True, True, 0)


def test_the_canary_customer_and_the_credential_can_be_read(sample: Sample, warehouse: sqlite3.Connection) -> None:
    values = {canary.kind: canary.value for canary in sample.canaries}

    row = warehouse.execute(f"SELECT contact, phone FROM customers WHERE customer_id = {CANARY_CUSTOMER}").fetchone()
    (params,) = warehouse.execute("SELECT params FROM model_runs WHERE params LIKE '%token%'").fetchone()

    assert row == (values["email"], values["phone"])
    assert json.loads(params)["registry_token"] == values["credential"]
