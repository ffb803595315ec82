"""The operations file: what fits, and how it is said what does not."""

from pathlib import Path
from typing import Any

import pytest

from twokey.agents.incident.operations.book import Book, as_data, load
from twokey.channels.sample import shipped
from twokey.core.errors import BadInput

LEAST = "owners: {model: a, platform: b, risk: c}\nendpoints:\n  - {name: scores, service: scoring}\n"


def read(tmp_path: Path, text: str | bytes) -> Book:
    path = tmp_path / "operations.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def test_the_least_file_judges_nothing_by_a_guess(tmp_path: Path) -> None:
    book = read(tmp_path, LEAST)
    endpoint = book.endpoints[0]
    assert endpoint.metrics.named() == ()
    assert endpoint.objective.latency_ms is None
    assert endpoint.objective.availability is None
    assert (book.register_.keys, book.register_.endpoints, book.register_.deployments) == (None, None, None)
    assert book.registered() == {"scoring"}
    assert as_data(book)["register"]["keys"] is None


def test_the_file_of_the_sample_and_of_the_documentation_fits(tmp_path: Path) -> None:
    book = read(tmp_path, shipped.read("operations.yaml"))
    assert [endpoint.name for endpoint in book.endpoints] == ["churn scores", "support answers"]
    assert book.endpoints[0].metrics.named()[:2] == ("latency_p95_ms", "requests_per_s")
    page = (Path(__file__).resolve().parents[4] / "docs" / "ops-review.md").read_text(encoding="utf-8")
    assert read(tmp_path, page.split("```yaml\n")[1].split("```")[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "all of it"),
        ("[1, 2]", "all of it"),
        ("a: [", "no YAML"),
        ("{" * 5_000, "no YAML"),
        (b"\xff", "no UTF-8"),
        (b"#" * 300_000, "larger than 256 KiB"),
        (LEAST.replace("owners", "owner"), "unknown key 'owner'; did you mean 'owners'?"),
        (LEAST.replace("service: scoring", "service: s, objectiv: {}"), "did you mean 'objective'?"),
        (LEAST.replace("service: scoring", "service: s, objective: {latency: 5}"), "did you mean 'latency_ms'?"),
        (LEAST.replace("service: scoring", "service: s, metrics: {zzz: 5}"), "known here: concurrency, cost"),
        (LEAST.replace("service: scoring", "service: s, objective: {availability: 100}"), "availability"),
        (LEAST.replace("service: scoring", "service: s, objective: {latency_ms: .inf}"), "latency_ms"),
        (LEAST.replace("service: scoring", "service: s, objective: {latency_ms: -1}"), "latency_ms"),
        (LEAST.replace(", service: scoring", ""), "'endpoints.0.service' is missing"),
        (LEAST.replace("scores", "'<b>'"), "endpoints.0.name"),
        (LEAST + "  - {name: scores, service: other}\n", "two endpoints have the name 'scores'"),
        (LEAST + "  - {name: other, service: scoring}\n", "two endpoints have the service 'scoring'"),
        (LEAST + "register: {keyz: []}\n", "did you mean 'keys'?"),
        (LEAST + "register: {deployments: {a: 5}}\n", "register.deployments.a"),
        ("!!python/object/apply:os.system [id]", "no YAML"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(tmp_path: Path, text: Any, says: str) -> None:
    with pytest.raises(BadInput) as error:
        read(tmp_path, text)
    assert says in str(error.value)
    assert error.value.code == "bad_operations"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load(tmp_path / "gone.yaml")
