"""The page about changing policy: its commands run, in its order, and leave in the log what it says."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from support.command import Command, account, repository, warehouse, warm

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policy.md"


def blocks() -> list[str]:
    """What the page has people type."""
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def twokey(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The workspace that the page speaks of; the folder of the workspace is where its commands are typed."""
    folder = tmp_path_factory.mktemp("page")
    twokey = account(folder, "ana:analysts,sam:platform-owners,rita:risk-owners,kim:risk-owners")
    assert twokey.workspace is not None
    shop, models = warehouse(twokey.workspace / "shop.db"), repository(twokey.workspace / "models")
    asked = twokey.json("catalog", "propose", shop, "--repo", models, "--as", "ana")
    twokey.json("approvals", "approve", asked["proposals"][0]["id"], "--as", "sam")
    return twokey


def caught_up(twokey: Command) -> bool:
    """Whether the shadow has looked at what the page's request led to, the write that it judges otherwise included."""
    seen = [event["agrees"] for event in twokey.log("policy.shadowed")]
    return len(seen) >= 3 and not all(seen)


@pytest.mark.opa
@pytest.mark.timeout(2400)
def test_the_page_works_as_it_stands(twokey: Command, opa: Path, tmp_path: Path):
    workspace = twokey.workspace
    assert workspace is not None
    path = f"{warm().program(tmp_path).parent}{os.pathsep}{os.environ['PATH']}"
    said = ""
    for block in blocks():
        done = subprocess.run(
            ["bash", "-euc", block],
            cwd=workspace,
            env=twokey.environment(TWOKEY_OPA=str(opa), PATH=path),
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        said += done.stdout
        # the shadow has half a second after each command: what one does not get to on a busy machine, the next one does
        while 'shadow = "next"' in (workspace / "twokey.toml").read_text() and not caught_up(twokey):
            assert twokey("runs", "list", TWOKEY_OPA=str(opa)).code == 0
    assert "1 passed, 0 failed" in said
    assert "was changed: 86400 -> 3600" in said
    assert "byte for byte" in said
    assert "for 86400 s, by key, slack -> " in said
    kinds = [event["kind"] for event in twokey.log("policy.shadow_begun", "policy.shadowed", "policy.enforced")]
    assert kinds[0] == "policy.shadow_begun"
    assert kinds[-1] == "policy.enforced"
    assert kinds.count("policy.shadowed") >= 3
    (enforced,) = twokey.log("policy.enforced")
    assert (enforced["number"], enforced["principal"], enforced["signers"]) == (1, "rita", ["kim", "rita"])
    assert any(not event["agrees"] for event in twokey.log("policy.shadowed"))
    last = json.loads((workspace / "policies" / "data.json").read_text())
    assert {risk["expires_s"] for risk in last["twokey_data"]["risks"].values()} <= {3600, 14400}
    assert (workspace / "policies" / "twokey" / "team_test.rego").is_file(), "tests come along"
    assert (workspace / "replay.html").read_text().startswith("<!doctype html>")
    (proposed,) = twokey.rows(
        "SELECT state FROM proposals WHERE run = (SELECT id FROM runs WHERE intent = 'policy_propose')"
    )
    assert proposed == ("awaiting_approval",)
    assert twokey.whole()
