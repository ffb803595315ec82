"""OpenLineage events, the files of training runs, and what breaks if a column changes."""

import json
from typing import Any

from twokey.agents.catalog.lineage import events, experiments
from twokey.agents.catalog.lineage.impact import impact
from twokey.agents.catalog.lineage.values import Edge, Gap, Lineage, Thing, Traced

TABLES = ("raw.people", "clean_people", "totals")


def lines(*found: Any) -> bytes:
    return b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in found)


def event(kind: str = "COMPLETE", **changes: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "job": {"namespace": "nightly", "name": "load"},
        "inputs": [{"name": "lake/raw/people", "facets": {"version": {"datasetVersion": "v7"}}}],
        "outputs": [
            {
                "name": "db.marts.totals",
                "facets": {
                    "columnLineage": {"fields": {"Mail": {"inputFields": [{"name": "raw.people", "field": "EMAIL"}]}}}
                },
            }
        ],
    } | changes


def said(found: Traced) -> list[str]:
    return [f"{edge.source} -> {edge.target} ({edge.how})" for edge in found.edges]


def test_events_join_tables_jobs_and_dataset_versions():
    found = events.trace({"lineage/run.jsonl": lines(event())}, TABLES)
    assert said(found) == [
        "raw.people -> job nightly/load (read)",
        "raw.people -> dataset version raw.people@v7 (read)",
        "dataset version raw.people@v7 -> job nightly/load (read)",
        "job nightly/load -> totals (written)",
        "raw.people.email -> totals.mail (value)",
    ]
    assert found.gaps == ()


def test_a_job_that_only_started_or_failed_wrote_nothing():
    for kind in ("START", "FAIL", "ABORT"):
        found = events.trace({"e.jsonl": lines(event(kind))}, TABLES)
        assert not [edge for edge in found.edges if edge.how in {"written", "value"}]


def test_a_dataset_that_could_be_two_tables_keeps_its_own_name():
    found = events.trace(
        {"e.jsonl": lines(event(inputs=[{"name": "people"}], outputs=[]))}, ("raw.people", "hr.people")
    )
    assert said(found) == ["people -> job nightly/load (read)"]


def test_lines_that_are_no_events_are_counted():
    odd = [b"{", b"[]", b'"x"', {"job": 5}, {"job": {"name": ""}}, b"\xff", b"[" * 100_000]
    found = events.trace({"e.jsonl": lines(*odd, b"", event(inputs=5, outputs=[5, {"name": 5}]))}, TABLES)
    assert found.gaps == (Gap("e.jsonl", "", "7 lines are no OpenLineage event"),)
    assert found.edges == ()


def test_odd_fields_of_an_event_are_left_out():
    fields = {"a": 5, "b": {"inputFields": 5}, "c": {"inputFields": [5, {"name": "x"}, {"field": "y"}]}}
    output = {"name": "totals", "facets": {"columnLineage": {"fields": fields}}}
    found = events.trace({"e.ndjson": lines(event(inputs=[], outputs=[output, {"name": "x", "facets": 5}]))}, TABLES)
    assert said(found) == ["job nightly/load -> totals (written)", "job nightly/load -> x (written)"]


RUNS = {
    "mlruns/0/ab12/meta.yaml": "run_id: ab12cd34ef\nrun_name: churn\nexperiment_id: '0'\n",
    "mlruns/0/datasets/d1/meta.yaml": (
        'name: people_features\ndigest: 9f\nsource_type: table\nsource: \'{"table": "marts.clean_people"}\'\n'
        'schema: \'{"mlflow_colspec": [{"name": "Mail", "type": "string"}, {"type": "long"}]}\'\n'
    ),
    "mlruns/0/ab12/inputs/i1/meta.yaml": (
        "source_id: d1\nsource_type: DATASET\ndestination_id: ab12cd34ef\ndestination_type: RUN\n"
    ),
    "mlruns/models/churn/version-3/meta.yaml": "name: churn\nversion: 3\nrun_id: ab12cd34ef\ncurrent_stage: Production\n",
}


def runs(changes: dict[str, str] | None = None) -> Traced:
    files = RUNS | (changes or {})
    return experiments.trace({path: text.encode() for path, text in files.items()}, TABLES)


def test_a_training_run_is_joined_to_its_data_and_to_what_serves_it():
    found = runs()
    assert said(found) == [
        "clean_people -> dataset version people_features@9f (read)",
        "dataset version people_features@9f -> feature set people_features (read)",
        "feature set people_features -> training run churn (ab12cd34) (trained_on)",
        "clean_people.mail -> feature set people_features.mail (value)",
        "feature set people_features.mail -> training run churn (ab12cd34) (trained_on)",
        "training run churn (ab12cd34) -> model version churn 3 (registered)",
        "model version churn 3 -> deployment churn: Production (deployed)",
    ]
    assert found.gaps == ()


def test_what_names_something_that_is_not_there_is_a_gap():
    found = runs(
        {
            "mlruns/0/ab12/inputs/i2/meta.yaml": "source_id: d9\ndestination_id: ab12cd34ef\ndestination_type: RUN\n",
            "mlruns/models/other/version-1/meta.yaml": "name: other\nversion: 1\nrun_id: nobody\ncurrent_stage: None\n",
        }
    )
    assert [gap.path for gap in found.gaps] == [
        "mlruns/0/ab12/inputs/i2/meta.yaml",
        "mlruns/models/other/version-1/meta.yaml",
    ]
    assert len(found.edges) == 7


def test_files_that_say_something_else_are_left_out():
    odd = {
        "a/meta.yaml": "[1, 2]",
        "b/meta.yaml": "run_id: true\n",
        "c/meta.yaml": "x: [",
        "d/meta.yml": "",
        "mlruns/0/datasets/d2/meta.yaml": "name: n\ndigest: 1\nsource: '['\nschema: 5\n",
        "mlruns/0/ab12/inputs/i3/meta.yaml": "source_id: d2\ndestination_id: ab12cd34ef\ndestination_type: RUN\n",
    }
    found = runs(odd)
    assert found.gaps == ()
    assert "dataset version n@1 -> feature set n (read)" in said(found)


def table(name: str, column: str = "") -> Thing:
    return Thing("table", name, column)


def whole() -> Lineage:
    model = Traced(
        edges=(
            Edge(table("raw.people", "email"), table("clean_people", "mail"), "value", "clean.sql"),
            Edge(table("raw.people", "id"), table("clean_people", "id"), "value", "clean.sql"),
            Edge(table("raw.people"), table("clean_people"), "read", "clean.sql"),
            Edge(table("clean_people", "id"), table("totals"), "rows", "totals.sql"),
            Edge(table("clean_people"), table("totals"), "read", "totals.sql"),
            Edge(table("totals", "n"), table("last", "n"), "value", "last.sql"),
            Edge(table("raw.people"), table("murky"), "read", "murky.sql"),
            Edge(table("murky"), Thing("exposure", "board"), "documented", "x.yml"),
            Edge(table("clean_people"), Thing("exposure", "report"), "documented", "x.yml"),
        ),
        gaps=(Gap("murky.sql", "", "its SQL could not be parsed"),),
    )
    return Lineage.of([model, runs()])


def test_what_depends_on_a_column_is_told_step_by_step():
    found = impact(whole(), table("raw.people", "email"))
    assert [(str(item.thing), item.words, item.steps) for item in found.sure] == [
        ("clean_people.mail", "is computed from it", 1),
        ("feature set people_features.mail", "is computed from it", 2),
        ("exposure report", "uses its table", 2),
        ("training run churn (ab12cd34)", "was trained on it", 3),
        ("model version churn 3", "was made from it", 4),
        ("deployment churn: Production", "serves it", 5),
    ]
    assert [str(item.thing) for item in found.possible] == [
        "murky",
        "dataset version people_features@9f",
        "exposure board",
    ]


def test_a_column_that_decides_rows_changes_everything_made_from_them():
    assert [str(item.thing) for item in impact(whole(), table("clean_people", "id")).sure] == [
        "totals",
        "exposure report",
        "last.n",
    ]


def test_a_whole_table_leads_to_what_each_of_its_columns_leads_to():
    found = {str(item.thing) for item in impact(whole(), table("raw.people")).sure}
    assert {"clean_people", "clean_people.mail", "clean_people.id", "murky", "totals", "last.n"} <= found


def test_nothing_depends_on_what_nobody_reads_and_circles_end():
    assert impact(whole(), table("raw.people", "phone")).sure == ()
    circle = Lineage.of(
        [
            Traced(
                edges=(
                    Edge(table("a", "x"), table("b", "x"), "value", "b.sql"),
                    Edge(table("b", "x"), table("a", "x"), "value", "a.sql"),
                )
            )
        ]
    )
    assert [str(item.thing) for item in impact(circle, table("a", "x")).sure] == ["b.x"]
    assert circle.columns_of("a") == ("x",)
    assert [str(edge.source) for edge in circle.comes_from(table("a", "x"))] == ["b.x"]
