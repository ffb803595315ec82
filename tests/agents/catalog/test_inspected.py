"""What is wrong in cells, told to a person: one sentence and one repair each, borne out by the evidence."""

import json
import sqlite3
from contextlib import closing
from typing import Any, get_args

import pytest
from inline_snapshot import snapshot
from support.catalog_workshop import Workshop
from support.warehouse_facts import table

from twokey.agents.catalog import inspected
from twokey.agents.catalog.reading import cells_each
from twokey.tools.read.warehouse import Inspected, Problem, TableName, UnitConversion
from twokey.tools.read.warehouse.inspection import found

ITEMS = table("items", "weight", "price", "town", "land", "odd\nname", "*" * 9)


def problem(code: str, *columns: str, **changes: Any) -> Problem:
    values: dict[str, Any] = {"cells": 7, "confidence": 90, "columns": columns or ("weight",)}
    return Problem(code=code, **(values | changes))


def told(*problems: Problem, **changes: Any) -> list[inspected.Said]:
    return list(inspected.said(ITEMS, Inspected(table=TableName(name="items"), problems=problems, **changes)))


def conversion(given: str, wanted: str, factor: str, cells: int) -> UnitConversion:
    return UnitConversion(given=given, wanted=wanted, factor=factor, cells=cells)


def test_every_code_the_tool_gives_can_be_told() -> None:
    assert set(inspected.codes()) == set(get_args(found.Code))


@pytest.mark.parametrize("code", inspected.codes())
def test_a_claim_is_a_sentence_with_a_repair(code: str) -> None:
    (said,) = told(problem(code, "land", by=("town",), rows=7, newest="2026-01-05"))
    assert said.claim.endswith(".")
    assert "items" in said.claim
    assert said.kind == code


def units(detail: str, *conversions: UnitConversion) -> str:
    (said,) = told(problem("unit_mismatch", detail=detail, conversions=conversions))
    assert said.attention
    return said.claim


def test_units_are_told_with_their_conversion() -> None:
    assert units("units", conversion("gram", "kilogram", "0.001", 7)) == snapshot(
        "7 rows of items.weight are not in the unit of the others: multiply the 7 in gram by 0.001 to have kilogram."
    )
    assert units(
        "spellings", conversion("milliliter", "milliliter", "1", 7), conversion("milliliter", "liter", "0.001", 0)
    ) == snapshot(
        "7 rows of items.weight carry their unit in the value, written in several ways: store the number alone and name the unit once, as milliliter (1 milliliter is 0.001 liter)."
    )
    assert units("some_bare", conversion("percent", "", "1", 7)) == snapshot(
        "7 rows of items.weight are not in the unit of the others: 7 written in percent are numbers of the same size as the bare ones, so take the unit away."
    )
    assert units("some_bare", conversion("", "centimeter", "1", 7)) == snapshot(
        "7 rows of items.weight are not in the unit of the others: 7 without a unit are of the same size as those in centimeter, so they are in centimeter too."
    )
    assert units("some_bare", conversion("EUR", "USD", "", 7)) == snapshot(
        "7 rows of items.weight are not in the unit of the others: no fixed factor leads from the 7 in EUR to USD."
    )
    assert units("scale", conversion("", "", "0.001", 7)) == snapshot(
        "7 rows of items.weight are of another scale than the others: multiply by 0.001, if it is their unit that differs."
    )


@pytest.mark.parametrize("detail", ["", "second_format", "length", "characters"])
def test_formats_are_told_apart(detail: str) -> None:
    claims = {
        told(problem("format_break", detail=each))[0].claim for each in ("", "second_format", "length", "characters")
    }
    assert len(claims) == 4
    assert told(problem("format_break", detail=detail))[0].claim in claims


@pytest.mark.parametrize(
    ("code", "details"),
    [
        ("format_break", ("", "second_format", "length", "characters", "thousands", "check_digit", "cut")),
        ("spelling_variants", ("", "shortened")),
        ("dependency", ("", "missing", "contained", "sum", "domain")),
        ("spilled_value", ("", "columns", "rows")),
        ("wrong_order", ("", "numbers")),
        ("outlier", ("", "sign", "scale")),
    ],
)
def test_what_is_repaired_in_another_way_is_told_in_other_words(code: str, details: tuple[str, ...]) -> None:
    claims = {said.claim for each in details for said in told(problem(code, "land", "town", by=("town",), detail=each))}
    assert len(claims) == len(details)
    assert all(claim.endswith(".") and "items.land" in claim for claim in claims)


def test_what_is_missing_and_what_is_wrong_are_told_apart() -> None:
    wrong, missing = told(
        problem("dependency", "land", by=("town",)), problem("dependency", "land", by=("town",), detail="missing")
    )
    assert "contradict" in wrong.claim
    assert "blank" in missing.claim
    (misplaced,) = told(problem("disagreement", "land", by=("town",), detail="misplaced"))
    assert "another one" in misplaced.claim


def test_a_sample_is_said_to_be_one() -> None:
    (said,) = told(problem("outlier"), sampling="spread", sampled=1200, rows=90_000)
    assert said.claim.endswith("(Seen in 1,200 rows that were looked at.)")
    assert not said.attention


def test_what_cannot_be_named_or_is_not_sure_is_not_told() -> None:
    assert told(problem("outlier", "odd\nname")) != []
    assert told(problem("outlier", "*" * 9)) == []
    assert told(problem("outlier", "unknown")) == []
    assert told(problem("outlier", confidence=40)) == []
    assert told(problem("from_the_future")) == []


def test_many_tables_get_fewer_cells_each() -> None:
    assert cells_each(0) == cells_each(1) == 150_000
    assert cells_each(50) == 30_000
    assert cells_each(100_000) == 15_000


SOILED = (
    "CREATE TABLE parcels (parcel_id INTEGER PRIMARY KEY, weight TEXT, status TEXT, town TEXT, land TEXT, due TEXT)",
    """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
    INSERT INTO parcels SELECT i, (1 + i % 37) || ' kg', CASE i % 3 WHEN 0 THEN 'waiting' WHEN 1 THEN 'sent' ELSE 'arrived' END,
    'Town' || (i % 9), 'Land' || (i % 9 % 4), '2025-03-' || substr('0' || (1 + i % 28), -2) FROM n""",
    "UPDATE parcels SET weight = '250 g' WHERE parcel_id % 20 = 0",
    "UPDATE parcels SET status = 'ariived <!channel>' WHERE parcel_id = 5",
    "UPDATE parcels SET land = 'planted@example.com' WHERE parcel_id = 77",
    "UPDATE parcels SET due = '2025-02-30' WHERE parcel_id IN (9, 10)",
)


def test_a_scan_tells_what_is_wrong_and_its_evidence_bears_it_out(workshop: Workshop) -> None:
    """The findings cite evidence, survive review, and hold no value of a cell; what a profile said is said once."""
    job = workshop.job(workshop.database(*SOILED, "CREATE TABLE empty (id INTEGER PRIMARY KEY)"))
    found = job.scan()
    kinds = [(finding.subject, finding.kind) for finding in found]
    assert len(kinds) == len(set(kinds))
    told = {finding.kind: finding for finding in found}
    assert told["unit_mismatch"].claim == snapshot(
        "20 rows of parcels.weight are not in the unit of the others: multiply the 20 in gram by 0.001 to have kilogram."
    )
    assert told["unit_mismatch"].attention
    assert told["dependency"].subject == "parcels.land"
    assert told["impossible_dates"].attention
    text = json.dumps([finding.model_dump(mode="json") for finding in found])
    assert "channel" not in text
    assert "planted" not in text
    body = job.propose()
    assert body is not None
    reviewed = job.review(body)
    assert (reviewed.dropped, reviewed.problems) == ((), ())
    assert any("looked at the cells of 1 table" in progress.text for progress in job.told)


def test_a_question_about_something_else_looks_at_no_cells(workshop: Workshop) -> None:
    job = workshop.job(workshop.database(*SOILED), focus="sensitivity")
    assert {finding.kind for finding in job.scan()} == {"sensitivity"}


def test_a_table_that_is_gone_meanwhile_is_passed_over(workshop: Workshop) -> None:
    """Between the profile and the look at the cells a table disappears: the rest is told all the same."""
    path = workshop.database(*SOILED, "CREATE TABLE gone (id INTEGER PRIMARY KEY)", "INSERT INTO gone VALUES (1)")
    job = workshop.job(path)

    def drop(progress: Any) -> None:
        job.told.append(progress)
        if progress.done == progress.total == 2 and progress.text.startswith("profiled"):
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("DROP TABLE gone")
                connection.commit()

    from twokey.agents.catalog.graph import build_scan
    from twokey.agents.state import Surroundings

    surroundings = Surroundings(desk=job.desk, models=job.surroundings.models, tell=drop)
    build_scan().invoke({"run": job.desk.run, "position": 0}, context=surroundings)
    assert "unit_mismatch" in {finding.kind for finding in job.findings(1)}
