"""A workspace that is open decides on the policy that somebody puts in force meanwhile."""

import json
import shutil
from pathlib import Path

import pytest
from support.command import repository, warehouse

from twokey.channels import creation, policy_signing, wiring
from twokey.core.errors import CheckFailed
from twokey.core.lifecycle import State
from twokey.policies import bundle
from twokey.policies.facts import ROOT

PEOPLE = [("ana", ("analysts",)), ("sam", ("platform-owners",)), ("rita", ("risk-owners",))]


def test_what_is_put_in_force_decides_on_what_waits_in_a_process_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOKEY_HOME", str(tmp_path / "home"))
    folder = creation.create(tmp_path / "w", PEOPLE).folder
    models, tables = repository(tmp_path / "models"), warehouse(tmp_path / "a.db")
    with wiring.opened(folder) as workspace:
        ana, _ = workspace.people.identify("ana", "cli")
        asked = workspace.catalog(ana, str(tables), str(models), (), lambda _: None)
        (proposal,) = asked.proposals
        assert proposal.state is State.AWAITING_APPROVAL
        _, before = workspace.policy_in_force()
        shutil.copytree(folder / "policies", tmp_path / "next")
        path = tmp_path / "next" / "data.json"
        document = json.loads(path.read_text())
        document[ROOT]["limits"] = {"files": 1, "lines": 1}
        path.write_text(json.dumps(document))
        policy_signing.enforce(folder, tmp_path / "next", "rita")
        _, after = workspace.policy_in_force()
        assert (after.policy, after.data) == (before.policy, bundle.load(tmp_path / "next").revisions.data)
        sam, credential = workspace.people.identify("sam", "cli")
        answered = workspace.service.answer(sam, credential, action="approve", proposal=proposal.id, tell=None)
        assert (answered.state, answered.code) == (State.DENIED, "too_large")

        (folder / "policies" / "data.json").write_text("{")
        with pytest.raises(CheckFailed):
            workspace.probe_policy()
