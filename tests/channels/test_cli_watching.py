"""``incident watch`` on the command line."""

import pytest
from support.alert_scene import OLD_SECRET, SECRET, alert_scene
from support.command import Command
from support.small_bundle import write_bundle


@pytest.fixture(scope="module")
def twokey(tmp_path_factory: pytest.TempPathFactory) -> Command:
    folder = tmp_path_factory.mktemp("watching")
    with alert_scene(folder):
        pass
    variables = {"ALERT_SECRET": SECRET, "ALERT_SECRET_OLD": OLD_SECRET}
    return Command(folder / "home", folder, folder / "w", variables)


def test_a_round_tells_the_incident_and_leaves_its_update_to_people(twokey: Command):
    bundle = write_bundle(twokey.folder / "bundle")
    done = twokey.ok("--as", "ana", "incident", "watch", bundle, "--rounds", "1", "--json")
    assert (done.json["rounds"], done.json["over"]) == (1, False)
    assert {one["state"] for one in done.json["proposals"]} == {"awaiting_approval"}
    assert len(done.json["proposals"]) == 2


def test_an_incident_that_nobody_knows_is_refused(twokey: Command):
    assert "incident" in twokey.refused("--as", "ana", "incident", "watch", "./nowhere", "--rounds", "1", code=2)
