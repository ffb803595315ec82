"""Several processes ask for changes at the same moment: no more pass than a budget has left, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.command import account, repository, warehouse

PROCESSES = 3
PATIENCE_S = 600


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_proposals_pass_than_the_budget_of_the_hour_has_left(tmp_path: Path, database_url: str, most: int):
    store = () if database_url.startswith("sqlite") else ("--store", database_url)
    twokey = account(tmp_path, "ana:analysts,sam:platform-owners", *store)
    assert twokey.workspace is not None
    path = twokey.workspace / "policies" / "data.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["twokey_data"]["budgets"] = [{"over": "hour", "measure": "proposals", "most": most}]
    path.write_text(json.dumps(document), encoding="utf-8")
    repo, data = repository(tmp_path / "repo"), warehouse(tmp_path / "a.db")
    asked = ("catalog", "propose", data, "--repo", repo, "--as", "ana", "--json")
    with ThreadPoolExecutor(PROCESSES) as pool:
        done = list(pool.map(twokey, *([word] * PROCESSES for word in asked)))
    assert all("Traceback" not in each.err for each in done)
    states = [str(proposal["state"]) for each in done for proposal in each.json["proposals"]]
    assert sorted(states) == ["awaiting_approval"] * most + ["denied"] * (PROCESSES - most)
