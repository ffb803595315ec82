"""Where the grammar is unsure of the words, a model may choose among the known; it can name nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench import Bench, build
from support.model_endpoint import Endpoint, Reply, answered, serve

from twokey.agents.models.none import NoModels
from twokey.agents.models.openai_tier import OpenAIModels
from twokey.agents.models.port import Answer, Tier
from twokey.agents.planner.intents import Known, Unclear, Understood, understand, understand_with_model
from twokey.core.events import ModelCalled
from twokey.core.sections import ModelSection
from twokey.tools.desk import Desk

KNOWN = Known(
    ("app_db", "events"), ("dbt",), default_warehouse="app_db", tables=("customers", "orders", "churn_scores")
)
ODD = "kindly elucidate our churn stuff"


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: Any, ids: Any) -> Iterator[Bench]:
    made = build(tmp_path, sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as made:
        yield made
        assert made.faults == []


@pytest.fixture
def models(endpoint: Endpoint) -> Iterator[OpenAIModels]:
    made = OpenAIModels(ModelSection(base_url=endpoint.url, name="small-model", timeout_s=60), "")
    yield made
    made.close()


def says(**changes: Any) -> Reply:
    reading = {
        "job": "catalog_propose",
        "focus": "descriptions",
        "warehouse": "",
        "repository": "",
        "tables": ["*churn*"],
        "sure": True,
    }
    return answered(json.dumps(reading | changes))


def test_the_model_reads_what_the_grammar_does_not(bench: Bench, endpoint: Endpoint, models: OpenAIModels):
    assert isinstance(understand(ODD, KNOWN), Unclear)
    endpoint.play(says(warehouse="events"))
    found = understand_with_model(models, bench.desk(), ODD, KNOWN)
    assert found == Understood("catalog_propose", "events", "dbt", ("*churn*",), "descriptions")


def test_the_schema_is_closed_over_the_known_names(bench: Bench, endpoint: Endpoint, models: OpenAIModels):
    endpoint.play(says())
    understand_with_model(models, bench.desk(), ODD, KNOWN)
    properties = endpoint.received[0].body["response_format"]["json_schema"]["schema"]["properties"]
    assert properties["warehouse"]["enum"] == ["", "app_db", "events"]
    assert properties["repository"]["enum" if "enum" in properties["repository"] else "const"] == ["", "dbt"]
    assert properties["job"]["enum"] == ["catalog_propose", "catalog_scan", "something_else"]


def test_the_request_is_material_and_not_an_instruction(bench: Bench, endpoint: Endpoint, models: OpenAIModels):
    endpoint.play(says())
    understand_with_model(models, bench.desk(), ODD, KNOWN)
    system, user = endpoint.received[0].body["messages"]
    assert "elucidate" not in system["content"]
    assert json.loads(user["content"].splitlines()[1])["request"] == ODD


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(says(warehouse="prod"), id="unknown warehouse"),
        pytest.param(says(repository="main"), id="unknown repository"),
        pytest.param(says(tables=["salaries"]), id="unknown table"),
        pytest.param(says(tables=["customers, orders"]), id="two names in one"),
        pytest.param(says(tables=["customers'; drop table orders"]), id="more than a name"),
        pytest.param(says(tables=[""]), id="no name"),
        pytest.param(says(tables=["app_db"]), id="a place as a table"),
        pytest.param(says(tables=["in prod"]), id="a place beside a table"),
        pytest.param(says(tables=["approve"]), id="a word of the grammar"),
        pytest.param(says(tables=["*"] * 51), id="too many"),
        pytest.param(says(job="open_pull_request"), id="another job"),
        pytest.param(says(job="something_else"), id="not ours"),
        pytest.param(says(sure=False), id="unsure"),
        pytest.param(says(approve=True), id="one key more"),
        pytest.param(answered("I approve everything"), id="prose"),
        pytest.param(answered(None, refusal="no"), id="declined"),
    ],
)
def test_a_model_that_names_anything_else_is_not_used(
    bench: Bench, endpoint: Endpoint, models: OpenAIModels, reply: Reply
):
    endpoint.play(reply)
    assert understand_with_model(models, bench.desk(), ODD, KNOWN) == understand(ODD, KNOWN)
    assert len(endpoint.received) == 1


@pytest.mark.parametrize(
    "text",
    [
        "document the churn tables",
        "approve p-0123456789ab",
        "delete the customers table",
        "document tables in prod",
        "document everything except orders",
        "do not not tag",
        "triage the issues",
        "document customers.email",
        "x" * 4001,
        "",
    ],
)
def test_where_the_grammar_is_sure_no_model_is_asked(bench: Bench, endpoint: Endpoint, models: OpenAIModels, text: str):
    desk = bench.desk()
    assert understand_with_model(models, desk, text, KNOWN) == understand(text, KNOWN)
    assert endpoint.received == []
    assert not [item for item in bench.log.entries(desk.run) if isinstance(item.entry.event, ModelCalled)]


def test_an_endpoint_that_fails_leaves_the_question_and_is_named(
    bench: Bench, endpoint: Endpoint, models: OpenAIModels
):
    endpoint.play(Reply(500, b"{}"))
    desk = bench.desk()
    found = understand_with_model(models, desk, ODD, KNOWN)
    plain = understand(ODD, KNOWN)
    assert isinstance(found, Unclear)
    assert isinstance(plain, Unclear)
    assert found.question.startswith(plain.question)
    assert "HTTP status 500" in found.question
    assert [
        item.entry.event.code for item in bench.log.entries(desk.run) if item.entry.event.kind == "model.called"
    ] == ["http_500"]


def test_a_place_that_is_not_certain_is_not_chosen_by_the_model(bench: Bench, endpoint: Endpoint, models: OpenAIModels):
    endpoint.play(says())
    several = Known(("a", "b"), ("dbt",))
    found = understand_with_model(models, bench.desk(), ODD, several)
    assert found == understand(ODD, several)


class Liar:
    """A tier (port ``Models``) that breaks its word and answers outside the schema."""

    def configured(self, tier: Tier) -> bool:
        return tier == "small"

    def ask(
        self, desk: Desk, *, step: int, tier: Tier, instructions: str, material: str, answer: type[Answer]
    ) -> Answer | None:
        del desk, step, tier, instructions, material
        return answer.model_construct(
            job="catalog_propose", focus="all", warehouse="prod", repository="dbt", tables=[], sure=True
        )


def test_a_tier_that_does_not_check_is_not_believed(bench: Bench):
    assert understand_with_model(Liar(), bench.desk(), ODD, KNOWN) == understand(ODD, KNOWN)


def test_without_a_model_the_grammar_answers(bench: Bench):
    assert understand_with_model(NoModels(), bench.desk(), ODD, KNOWN) == understand(ODD, KNOWN)
