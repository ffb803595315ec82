"""Where earlier incidents are read."""

from pathlib import Path
from typing import Any

import pytest
from support.bench import Bench, build

from twokey.agents.incident.past import Facts, front_matter
from twokey.agents.incident.past_reading import post_mortems
from twokey.core.errors import TwokeyError
from twokey.core.values import Resource
from twokey.tools.contract import Place

HOUR = 3_600_000_000


def facts(name: str, hour: int) -> Facts:
    return Facts(
        incident=name,
        title=name,
        began_us=hour * HOUR,
        ended_us=hour * HOUR + HOUR // 2,
        service=("shop",),
        suspects=("cart",),
        metrics=("cart: latency",),
    )


@pytest.fixture
def bench(tmp_path: Path, sqlite_url: str, clock: Any, ids: Any) -> Any:
    made = build(tmp_path / "bench", sqlite_url, clock, ids)
    yield made
    made.engine.dispose()


def books(folder: Path) -> Place:
    return Place(Resource(kind="runbooks", id=str(folder), granted_by="request"), str(folder))


def test_post_mortems_are_read_through_policy_and_cited(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "post-mortems"
    folder.mkdir()
    (folder / "a.md").write_text(front_matter(facts("inc-1", 1)) + "# inc-1\n\nIt was slow.\n")
    (folder / "readme.md").write_text("# What this is\n\nReviews.\n")
    desk = bench.desk(places=[books(folder)])
    found, evidence = post_mortems(desk, str(folder), agent="incident", step=1)
    assert [past.facts for past in found] == [facts("inc-1", 1)]
    assert found[0].evidence == evidence
    kept, content = desk.content(evidence)
    assert kept.tool == "search_runbooks"
    assert "a.md" in str(content)


def test_a_folder_that_was_not_granted_is_not_read(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(TwokeyError):
        post_mortems(bench.desk(), str(tmp_path), agent="incident", step=1)
