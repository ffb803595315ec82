"""``twokey controls`` and the profiles, from outside."""

from pathlib import Path

from support.command import account, everything_in, repository, warehouse

from twokey.policies.controls import CONTROLS

MISSING = ["signed_policy", "verifiable_log"]
"""What a workspace lacks as ``twokey init`` makes it: two people's signatures, and encryption."""


def encrypt(workspace: Path) -> None:
    """Have the database encrypted from now on."""
    path = workspace / "twokey.toml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n[store]\nencrypt = true\n", encoding="utf-8")


def profile(workspace: Path, name: str) -> None:
    """Set the workspace's profile."""
    path = workspace / "twokey.toml"
    text = path.read_text(encoding="utf-8").partition("\n[controls]")[0]
    path.write_text(f'{text}\n[controls]\nprofile = "{name}"\n', encoding="utf-8")


def test_the_way_from_a_laptop_to_a_pilot_to_production(tmp_path: Path):
    twokey = account(tmp_path, "ana:analysts,sam:platform-owners,rita:risk-owners")
    assert twokey.workspace is not None
    repo, url = repository(tmp_path / "repo"), warehouse(tmp_path / "small.db")
    propose = ("catalog", "propose", url, "--repo", repo, "--as", "ana")
    profile(twokey.workspace, "pilot")
    assert "never probed" in twokey.refused(*propose, code=1)
    before, target = twokey.rows("SELECT count(*) FROM log_entries")[0][0], everything_in(repo)

    # Held against production two controls are missing, so it fails; what it showed is enough for a pilot.
    done = twokey("controls", "--profile", "production", "--json")
    shown = done.json
    assert done.code == 1
    assert shown["met"] is False
    assert shown["profile"] == "production"
    assert [item["number"] for item in shown["controls"]] == list(range(1, 13))
    states = {item["code"]: item["state"] for item in shown["controls"]}
    assert states == {control.code: "holds" for control in CONTROLS} | dict.fromkeys(MISSING, "missing"), done.out
    assert all(item["evidence"] for item in shown["controls"])
    assert [item["code"] for item in shown["controls"] if item["next"]] == MISSING
    assert "trying 12 of 12" in done.err

    # It left one entry in the log, and nothing anywhere else.
    events = twokey.log(after=before - 1)
    assert [event["kind"] for event in events] == ["controls.probed"]
    assert (events[0]["held"], events[0]["missing"]) == (
        [control.code for control in CONTROLS if control.code not in MISSING],
        MISSING,
    )
    assert (events[0]["policy_revision"], events[0]["data_revision"]) == (
        shown["policy_revision"],
        shown["data_revision"],
    )
    assert twokey.rows("SELECT count(*) FROM runs") == [(0,)]
    assert len(list(twokey.home.iterdir())) == 1
    assert everything_in(repo) == target

    assert twokey.json(*propose)["proposals"][0]["state"] == "awaiting_approval"
    profile(twokey.workspace, "production")
    assert "the database is not encrypted (store.encrypt)" in twokey.refused(*propose, code=1)
    encrypt(twokey.workspace)
    assert "11 (Signed bundle with two-person change)" in twokey.refused(*propose, code=1)
    checks = {check["name"]: (check["level"], check["next"]) for check in twokey("doctor", "--json").json["checks"]}
    assert checks["encryption"] == ("fail", "Run `twokey store seal`."), "what came before lies there as it is"
    twokey.ok("store", "seal")
    shown = twokey("controls", "--json").json
    assert [item["code"] for item in shown["controls"] if item["state"] != "holds"] == ["signed_policy"]
    assert "11 (Signed bundle with two-person change)" in twokey.refused(*propose, code=1)
    assert twokey.whole()


def test_a_worker_does_not_start_in_production_while_a_control_is_missing(tmp_path: Path):
    twokey = account(tmp_path, "ana:analysts,sam:platform-owners,rita:risk-owners")
    assert twokey.workspace is not None
    profile(twokey.workspace, "production")
    done = twokey("worker", "--once")
    assert done.code == 1
    assert "11 Signed bundle with two-person change (missing)" in done.err
    assert [event["missing"] for event in twokey.log("controls.probed")] == [MISSING]
    checks = {check["name"]: check["level"] for check in twokey("doctor", "--json").json["checks"]}
    assert checks["encryption"] == "fail"
