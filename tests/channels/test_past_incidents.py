"""An incident that is like an earlier one: known from what an earlier run read, and from a post-mortem in a folder."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from twokey.agents.incident.past import Facts, front_matter
from twokey.channels import creation, wiring
from twokey.channels.sample import DEFAULT_NOW, telemetry
from twokey.channels.service import Outcome
from twokey.channels.workspace import Workspace
from twokey.core.canonical import Json
from twokey.core.values import Finding
from twokey.store import evidence
from twokey.store import runs as store

FIRST, SECOND, OTHER = "inc-0412", "inc-0598", "inc-0409"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Two incidents of one kind with nine days between them, and one of another kind."""
    folder = tmp_path_factory.mktemp("past")
    telemetry.build(folder / "telemetry", seed=1, now=DEFAULT_NOW)
    telemetry.build(folder / "later", seed=2, now=DEFAULT_NOW + timedelta(days=9))
    shutil.move(folder / "later" / FIRST, folder / "telemetry" / SECOND)
    about = folder / "telemetry" / SECOND / "incident.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"id": SECOND}))
    (folder / "books").mkdir()
    long_ago = round(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
    written = Facts(
        incident="inc-0077",
        title="scoring was slow",
        began_us=long_ago,
        ended_us=long_ago + 3_600_000_000,
        service=("scoring-api",),
        suspects=("feature-store",),
        metrics=("feature-store: latency_p95_ms", "scoring-api: latency_p95_ms", "gateway: latency_p95_ms"),
        templates=("feature-store: lookup timed out after <*> ms, <*> entities",),
        cause="feature-store",
    )
    text = front_matter(written) + "# inc-0077\n\nIt was slow.\n"
    (folder / "books" / "2026-03-01-inc-0077.md").write_text(text)
    lie = written.model_copy(update={"incident": "inc-9999", "began_us": 4 * 10**15, "ended_us": 4 * 10**15})
    (folder / "books" / "tomorrow.md").write_text(front_matter(lie) + "# inc-9999\n\nNot yet.\n")
    creation.create(
        folder / "workspace",
        [("ana", ("platform-owners",))],
        demo=True,
        sections={
            "places.telemetry": {"kind": "telemetry", "location": str(folder / "telemetry")},
            "places.books": {"kind": "runbooks", "location": str(folder / "books")},
            "incident": {"telemetry": "telemetry", "runbooks": "books"},
        },
    )
    with wiring.opened(folder / "workspace") as opened:
        yield opened


def told(workspace: Workspace, which: str) -> Outcome:
    who, _ = workspace.identify("ana", "demo")
    return workspace.incident(who, which, lambda _: None, looks_only=True)


def links(workspace: Workspace, outcome: Outcome) -> list[Finding]:
    return [one for one in workspace.service.findings(outcome.run.id) if one.kind in {"links_past", "links_run"}]


@pytest.fixture(scope="module")
def runs(workspace: Workspace) -> dict[str, Outcome]:
    return {which: told(workspace, which) for which in (FIRST, OTHER, SECOND)}


def test_an_earlier_run_and_a_post_mortem_are_linked_with_what_they_share(
    workspace: Workspace, runs: dict[str, Outcome]
) -> None:
    found = links(workspace, runs[SECOND])
    said = " ".join(one.claim for one in found)
    assert FIRST in said
    assert "as an earlier run read it: in both feature-store, feature-store: " in said
    assert "inc-0077" in said
    assert "feature-store" in said
    assert OTHER not in said
    assert "inc-9999" not in said, "it was not over"
    review = workspace.service.document(runs[SECOND].run.id, "review")
    assert (review["dropped"], review["problems"]) == (0, [])


def test_what_is_cited_is_evidence_of_this_run(workspace: Workspace, runs: dict[str, Outcome]) -> None:
    for one in links(workspace, runs[SECOND]):
        with workspace.ledger.look() as connection:
            values = [evidence.get_evidence(connection, name)[0] for name in one.evidence]
        assert {value.run for value in values} == {runs[SECOND].run.id}
    adopted = workspace.service.document(runs[SECOND].run.id, "incident-earlier")
    assert list(adopted) == [runs[FIRST].run.id]


def test_nobody_learns_from_what_came_later_or_from_another_kind(
    workspace: Workspace, runs: dict[str, Outcome]
) -> None:
    assert SECOND not in " ".join(one.claim for one in links(workspace, told(workspace, FIRST)))
    assert links(workspace, runs[OTHER]) == []


def test_what_other_runs_noted_is_a_hint_and_nothing_in_it_has_to_be_right(
    workspace: Workspace, runs: dict[str, Outcome]
) -> None:
    noted = workspace.service.document(runs[FIRST].run.id, "incident-facts")
    foreign = {"source": "elsewhere", "ask": {"kind": "overview"}}
    pieces = [1, ["e-1"], ["e-000000000000", {"source": 1}], ["e-000000000000", foreign], [2, {}]]
    bodies: list[Json] = [{"facts": noted["facts"], "pieces": pieces}, {"facts": "none"}, "nothing", {"pieces": 1}]
    with workspace.ledger.change() as unit:
        every = store.recent_documents(unit.connection, prefix="incident-facts", but="r-000000000000", limit=50)
        for at, (run, _) in enumerate(every):
            body = bodies[at % len(bodies)]
            store.put_document(unit.connection, run=run, name="incident-facts", body=body, now=1)
    again = told(workspace, SECOND)
    assert [one.kind for one in links(workspace, again)] == ["links_past"]
    assert workspace.service.document(again.run.id, "incident-earlier") == {}
