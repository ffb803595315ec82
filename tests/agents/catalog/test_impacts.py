"""What breaks if a column changes, asked at a real desk."""

import json
from typing import Any

from support.catalog_workshop import Job, Workshop

from twokey.agents.catalog.impacts import MOST_MEANT, impact_step
from twokey.agents.reviewer.checks import review
from twokey.core.values import Finding, Plan, Report, Step

FILES = {
    "dbt_project_DOT_yml": "name: shop\n",
    "models__sources_DOT_yml": "sources:\n  - name: raw\n    tables: [{name: people}, {name: orders}]\n",
    "models__clean_people_DOT_sql": "select *, lower(email) as mail from {{ source('raw', 'people') }}",
    "models__totals_DOT_sql": (
        "select p.mail, sum(o.amount) as total from {{ ref('clean_people') }} p "
        "join {{ source('raw', 'orders') }} o on o.person = p.id group by 1"
    ),
    "models__murky_DOT_sql": "select {{ columns() }} from {{ source('raw', 'people') }}",
    "models__exposures_DOT_yml": "exposures:\n  - name: weekly_report\n    depends_on: [ref('totals')]\n",
}
TABLES = ("CREATE TABLE people (id INTEGER, email TEXT)", "CREATE TABLE orders (person INTEGER, amount INTEGER)")


def asked(workshop: Workshop, of: str, warehouse: str = "") -> tuple[Job, tuple[Finding, ...]]:
    job = workshop.job(warehouse or "none")
    args = {"repository": str(workshop.bench.repository), "warehouse": warehouse, "of": of}
    step = Step(number=1, agent="catalog", action="impact", args=args)
    job.desk.keep("plan", Plan(understood="Say it.", steps=(step,)).canonical())
    runtime: Any = type("Runtime", (), {"context": job.surroundings})
    assert impact_step({"run": job.desk.run, "position": 0}, runtime) == {}
    return job, job.findings(1)


def test_everything_that_depends_is_told_with_the_file_that_says_so(workshop: Workshop):
    workshop.commit(**FILES)
    job, found = asked(workshop, "people.email", workshop.database(*TABLES))
    assert [finding.claim for finding in found] == [
        (
            "If raw.people.email changes: clean_people.email depends on raw.people.email (value), "
            "as `models/clean_people.sql` says."
        ),
        (
            "If raw.people.email changes: clean_people.mail depends on raw.people.email (value), "
            "as `models/clean_people.sql` says."
        ),
        ("If raw.people.email changes: totals.mail depends on clean_people.mail (value), as `models/totals.sql` says."),
        "If raw.people.email changes: totals depends on clean_people.mail (rows), as `models/totals.sql` says.",
        (
            "If raw.people.email changes: exposure weekly_report depends on totals (documented), "
            "as `models/exposures.yml` says."
        ),
        (
            "If raw.people.email changes, perhaps: murky depends on raw.people (read), as `models/murky.sql` says. "
            "It could not be followed column by column."
        ),
    ]
    assert [finding.attention for finding in found] == [False, False, False, False, True, False]
    assert job.told[-1].text == "lineage follows 2 of 3 models and 5 of 6 columns; 1 gap"
    evidence = {each: job.desk.content(each)[1] for finding in found for each in finding.evidence}
    assert review(Report(agent="reviewer", findings=found), evidence).dropped == ()


def test_asked_again_after_a_crash_it_reads_nothing_anew(workshop: Workshop):
    workshop.commit(**FILES)
    job, found = asked(workshop, "orders.amount")
    before = workshop.bench.evidence_rows(job.desk.run)
    runtime: Any = type("Runtime", (), {"context": job.surroundings})
    impact_step({"run": job.desk.run, "position": 0}, runtime)
    assert workshop.bench.evidence_rows(job.desk.run) == before == 1
    assert job.findings(1) == found


def test_what_nobody_tells_of_and_what_nothing_depends_on_are_different_answers(workshop: Workshop):
    workshop.commit(**FILES)
    assert [finding.kind for finding in asked(workshop, "nobody.knows")[1]] == ["no_such_table"]
    (nothing,) = asked(workshop, "totals.total")[1]
    assert nothing.claim.startswith("If totals.total changes: exposure weekly_report")
    workshop.commit(models__exposures_DOT_yml="version: 2\n")
    (nothing,) = asked(workshop, "totals.total")[1]
    assert nothing.claim == "Nothing that the repository tells of depends on it."


def test_a_name_that_fits_several_things_is_answered_for_a_few(workshop: Workshop):
    sources = "".join(f"  - name: s{number}\n    tables: [{{name: same}}]\n" for number in range(MOST_MEANT + 2))
    models: dict[str, str] = {
        f"models__m{number}_DOT_sql": f"select a from {{{{ source('s{number}', 'same') }}}}"
        for number in range(MOST_MEANT + 2)
    }
    workshop.commit(dbt_project_DOT_yml="name: x\n", models__s_DOT_yml=f"sources:\n{sources}", **models)
    found = asked(workshop, "same.a")[1]
    assert len(found) == MOST_MEANT


def test_events_count_only_where_their_path_says_what_they_are(workshop: Workshop):
    event = {
        "eventType": "COMPLETE",
        "job": {"namespace": "nightly", "name": "export"},
        "inputs": [{"name": "totals"}],
        "outputs": [{"name": "elsewhere.report"}],
    }
    text = json.dumps(event) + "\n"
    workshop.commit(**FILES, lineage__events_DOT_jsonl=text, data__rows_DOT_jsonl='{"name": "Ada"}\n')
    found = asked(workshop, "totals.total")[1]
    assert any("job nightly/export depends on totals" in finding.claim for finding in found)
    assert any("elsewhere.report depends on job nightly/export" in finding.claim for finding in found)


def test_names_of_the_repository_are_told_harmlessly(workshop: Workshop):
    workshop.commit(
        dbt_project_DOT_yml="name: x\n",
        models__a_DOT_sql="select 1 as a",
        models__e_DOT_yml="exposures:\n  - name: '<!channel> [x](http://evil.example) `@all`'\n    depends_on: [ref('a')]\n",
    )
    (found,) = asked(workshop, "a.a")[1] or [None]
    assert found is not None
    assert not set("<>[]@") & set(found.claim)
    assert "://" not in found.claim
