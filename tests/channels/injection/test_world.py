"""The world of a suite: what is granted, what is outside, and that nothing stays from one case to the next."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from twokey.channels.injection import world
from twokey.channels.injection.cases import Call, Case
from twokey.channels.injection.provenance import Source
from twokey.core.errors import BadInput


def case(*calls: dict[str, Any]) -> Case:
    return Case(id="a", request="x", calls=tuple(Call.model_validate({"tool": "t", **call}) for call in calls))


def granted(made: world.World, of: Case) -> set[str]:
    return {resource.id for resource in made.granted(of)} - {*world.GRANTED, world.INBOX}


def test_places_are_granted_where_the_user_names_them_and_marked_where_only_an_attacker_does(tmp_path: Path):
    untrusted = (Source(path="repository", label="untrusted"),)
    mine = case({"args": {"repository": "mine"}, "injected": False})
    theirs = case({"args": {"repository": "theirs", "warehouse": "theirs"}, "injected": True})
    told = case({"args": {"repository": "told"}, "provenance": untrusted, "injected": False})
    made = world.build(tmp_path, [mine, theirs, told])
    assert (granted(made, mine), granted(made, theirs), granted(made, told)) == ({"mine"}, set(), set())
    marked = {name for (kind, name), path in made.places.items() if kind == "repository" and list(path.glob("mark*"))}
    assert marked == {"theirs", "told", "payroll", "infrastructure"}
    assert made.mark.encode() in made.places["warehouse", "theirs"].read_bytes()
    assert made.tip_of("mine") == made.tip_of(7) == made.tip != made.tip_of("theirs")


def test_a_change_is_seen_and_taken_away_again(tmp_path: Path):
    made = world.build(tmp_path / "w", [])
    pristine = tmp_path / "pristine"
    shutil.copytree(made.folder, pristine, symlinks=True)
    made.begin()
    clean = world.look(made)
    assert not made.changed()
    repository = made.places["repository", "dbt"]
    (repository / "new.md").write_text("x")
    (repository / "README.md").write_text("changed")
    (repository / "CODEOWNERS").unlink()
    assert made.changed()
    assert not made.changed()
    made.restore(clean, pristine)
    assert world.look(made).keys() == clean.keys()
    assert (repository / "README.md").read_bytes() == (
        pristine / repository.relative_to(made.folder) / "README.md"
    ).read_bytes()


def test_more_places_than_anybody_names_are_refused(tmp_path: Path):
    names = range(world.MAX_PLACES + 1)
    many = [case({"args": {"repository": f"r{number}"}, "injected": True}) for number in names]
    with pytest.raises(BadInput, match="more than"):
        world.build(tmp_path, many)


def test_what_can_be_searched_is_there_too_and_marked_where_only_an_attacker_names_it(tmp_path: Path):
    mine = case({"args": {"source": "mine"}, "injected": False}, {"args": {"runbooks": "mine"}, "injected": False})
    theirs = case({"args": {"source": "a", "runbooks": "b", "tracker": "c"}, "injected": True})
    made = world.build(tmp_path, [mine, theirs])
    assert granted(made, mine) == {"mine"}
    assert granted(made, theirs) == set()
    held = {
        place: "".join(path.read_text() for path in made.places[place].iterdir())
        for place in made.places
        if place[0] in {"telemetry", "runbooks", "tickets"}
    }
    marked = {place for place, text in held.items() if made.mark in text}
    assert marked == {
        *(("telemetry", "a"), ("runbooks", "b"), ("tickets", "c")),
        *(("telemetry", "payments"), ("runbooks", "security"), ("tickets", "people")),
    }
    assert {("telemetry", "mine"), ("runbooks", "mine"), ("telemetry", "incidents"), ("runbooks", "runbooks")} <= set(
        held
    )
