"""An exception holds only while somebody who owns the rule stands behind it."""

from pathlib import Path
from typing import Any

import pytest
from support.bench import WORKSPACE, People

from twokey.core.values import Principal
from twokey.policies import bundle
from twokey.policies.facts import ROOT, complete
from twokey.tools.identity import Credential, KeyRing
from twokey.tools.waivers import Waivers, sign

BEFORE, END = 1_767_225_599_999_999, 1_767_225_600_000_000
DRAFT: dict[str, Any] = {
    "name": "large_move",
    "rule": "R10",
    "scope": {"resource": "dbt"},
    "until": "2026-01-01T00:00",
    "zone": "UTC",
    "why": "The models move to another folder.",
}


class Office:
    """Sam owns the rule, ana does not."""

    def __init__(self, folder: Path) -> None:
        ring = KeyRing(folder)
        self.keys = {name: ring.create(name) for name in ("sam", "ana")}
        self.people = People(
            Principal(name="sam", groups=("platform-owners",), key=self.keys["sam"].public),
            Principal(name="ana", groups=("members",), key=self.keys["ana"].public),
        )

    def waivers(self, exception: dict[str, Any], workspace: str = WORKSPACE) -> Waivers:
        document = bundle.load().document()
        document[ROOT]["exceptions"] = [exception]
        return Waivers(complete(document), self.people, workspace)

    def fault(self, exception: dict[str, Any], *, now: int = BEFORE, workspace: str = WORKSPACE) -> str:
        waivers = self.waivers(exception, workspace)
        assert waivers.in_force(now) == ()
        (ignored,) = waivers.ignored(now)
        assert (ignored.name, ignored.rule) == (exception["name"], exception["rule"])
        return ignored.why


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def signed(by: Credential, **changes: Any) -> dict[str, Any]:
    return sign(by, WORKSPACE, DRAFT | changes)


def test_an_exception_that_an_owner_of_the_rule_signed_holds_until_its_end(office: Office):
    waivers = office.waivers(signed(office.keys["sam"]))
    assert waivers.in_force(BEFORE) == ("large_move",)
    assert waivers.ignored(BEFORE) == []
    assert office.fault(signed(office.keys["sam"]), now=END) == "it has ended"


def test_nobody_else_signs(office: Office):
    assert "not in the group" in office.fault(signed(office.keys["ana"]))
    assert "signature" in office.fault(signed(office.keys["ana"]) | {"signer": "sam"})
    assert "no key" in office.fault(signed(office.keys["sam"]) | {"signer": "eve"})


@pytest.mark.parametrize(
    "change",
    [
        {"name": "larger_move"},
        {"rule": "R23"},
        {"scope": {"kind": "repository"}},
        {"until": "2027-01-01T00:00"},
        {"zone": "Europe/Berlin"},
        {"why": "Because."},
    ],
)
def test_what_was_signed_cannot_be_changed(office: Office, change: dict[str, Any]):
    assert "signature" in office.fault(signed(office.keys["sam"]) | change, now=0)


def test_an_exception_of_another_workspace_does_not_hold(office: Office):
    assert "signature" in office.fault(signed(office.keys["sam"]), workspace="w-000000000001")


def test_a_signer_who_left_the_group_or_shares_a_key_stands_behind_nothing(office: Office):
    exception = signed(office.keys["sam"])
    sam = office.people.people["sam"]
    office.people.people["sam"] = sam.model_copy(update={"groups": ("members",)})
    assert "not in the group" in office.fault(exception)
    office.people.people |= {"sam": sam, "twin": sam.model_copy(update={"name": "twin"})}
    assert "somebody else" in office.fault(exception)
    office.people.people |= {"sam": sam.model_copy(update={"key": None})}
    assert "no key" in office.fault(exception)


def test_a_rule_that_nobody_owns_has_no_exceptions(office: Office):
    document = bundle.load().document()
    document[ROOT] |= {"exceptions": [signed(office.keys["sam"])], "rule_owners": {}}
    assert Waivers(complete(document), office.people, WORKSPACE).in_force(BEFORE) == ()
