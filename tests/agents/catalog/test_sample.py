"""The sample workspace of the demo: what was planted in it is found, and its repository is respected."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from support.catalog_workshop import Workshop, files_of, tables_of

from twokey.channels.sample import Sample, build
from twokey.core.lifecycle import State


def placed(workshop: Workshop) -> Sample:
    """Build the sample and put its repository where the bench keeps its own."""
    sample = build(workshop.folder / "sample")
    shutil.rmtree(workshop.bench.repository)
    shutil.copytree(sample.repo, workshop.bench.repository)
    return sample


def test_what_was_planted_is_found_and_nothing_else_is_called_personal(workshop: Workshop):
    sample = placed(workshop)
    found = workshop.job(str(sample.warehouse)).scan()
    personal = {
        finding.subject for finding in found if finding.kind == "sensitivity" and " is personal: " in finding.claim
    }
    assert personal == {f"{each.table}.{each.column}" for each in sample.personal}
    claims = {finding.claim.split(":")[0] for finding in found if finding.kind == "relationship"}
    wanted = {
        f"{each.child}.{each.child_column} refers to {each.parent}.{each.parent_column}" for each in sample.relations
    }
    assert claims == wanted
    dirt = {(finding.subject, finding.kind): finding.claim for finding in found if finding.attention}
    assert dirt["subscriptions.plan", "misspelt_values"].startswith("6 rows")
    assert dirt["subscriptions.ended_on", "impossible_dates"].startswith("5 rows")
    assert dirt["invoices.subscription_id", "orphans"].startswith("9 rows")
    assert dirt["events_daily.browser", "missing_as_text"].startswith("60 rows")
    assert dirt["invoices.paid_on", "missing_as_text"].startswith("41 rows")
    assert ("customers.notes", "sensitivity") in dirt
    assert not any("country" in subject for subject, _ in dirt)
    assert len(dirt) < 10


def test_the_canaries_leave_the_warehouse_nowhere(workshop: Workshop):
    """Customers' values that were planted to be watched do not occur in findings, files or the letter."""
    sample = placed(workshop)
    job = workshop.job(str(sample.warehouse))
    text = str([finding.claim for finding in job.scan()])
    body = job.propose()
    assert body is not None
    for canary in sample.canaries:
        assert canary.value not in text + str(job.drafts())


def test_the_proposals_keep_the_house_in_order_and_their_claims_hold(workshop: Workshop):
    sample = placed(workshop)
    job = workshop.job(str(sample.warehouse))
    findings = job.scan()
    job.propose()
    staging, churn = job.drafts()
    for body in (staging, churn):
        reviewed = job.review(body)
        assert (reviewed.dropped, reviewed.problems) == ((), ())
        assert reviewed.supported >= len(findings)
    before = (Path(sample.repo) / "models/churn/schema.yml").read_text(encoding="utf-8")
    after = files_of(churn)["models/churn/schema.yml"]
    for line in before.splitlines():
        assert line in after or line.strip() == "data_tests: [not_null]"
    names = list(tables_of(after)["churn_features"]["columns"])
    sql = (Path(sample.repo) / "models/churn/churn_features.sql").read_text(encoding="utf-8")
    selected = sql.rpartition("select\n")[2].partition("\nfrom")[0].split(",\n")
    assert names == [line.split()[-1].rpartition(".")[2] for line in selected]  # the house keeps the order of the SQL
    sources = tables_of(files_of(staging)["models/staging/_sources.yml"])
    assert sources["customers"]["columns"]["contact"]["meta"] == {"sensitivity": "personal", "personal_data": "email"}
    assert sources["customers"]["columns"]["country"]["description"].startswith("ISO 3166-1")
    assert "It is for `fernhill/platform-owners`" in staging["args"]["body"]
    assert "It is for `fernhill/model-owners`" in churn["args"]["body"]
    assert "| exposure success_console |" in churn["args"]["body"]
    assert [job.submit(body).state for body in (staging, churn)] == [State.AWAITING_APPROVAL] * 2
    files = files_of(staging) | files_of(churn)
    assert_checks_hold(sample.warehouse, files)


def assert_checks_hold(database: Path, files: dict[str, str]) -> None:
    """Run every test that the files propose as dbt would; none fails on today's rows but those that only warn."""
    run = 0
    with closing(sqlite3.connect(database)) as connection:
        for path, text in files.items():
            if path.endswith(".sql"):
                statement = re.sub(r"\{\{ (?:ref|source)\((?:'[^']*', )?'(\w+)'\) \}\}", r"\1", text)
                assert connection.execute(statement).fetchall() == [], path
                run += 1
                continue
            for name, entry in tables_of(text).items():
                for column, told in entry["columns"].items():
                    for test in told.get("data_tests", []):
                        failing = failing_rows(name, column, test)
                        assert failing is None or connection.execute(failing).fetchall() == [], (name, column, test)
                        run += 1
    assert run > 80


def failing_rows(table: str, column: str, test: Any) -> str | None:
    """The rows that fail a generic test, as SQL; None where it only warns."""
    kind, body = (test, {}) if isinstance(test, str) else next(iter(test.items()))
    if body.get("config", {}).get("severity") == "warn":
        return None
    of, at = f'FROM {table} WHERE "{column}"', body.get("arguments", body)
    if kind == "not_null":
        return f"SELECT 1 {of} IS NULL"
    if kind == "unique":
        return f'SELECT 1 {of} IS NOT NULL GROUP BY "{column}" HAVING count(*) > 1'
    if kind == "accepted_values":
        return f"SELECT 1 {of} NOT IN ({', '.join(repr(value) for value in at['values'])})"
    parent = re.findall(r"'(\w+)'", at["to"])[-1]
    return f"SELECT 1 {of} NOT IN (SELECT {at['field']} FROM {parent} WHERE {at['field']} IS NOT NULL)"
