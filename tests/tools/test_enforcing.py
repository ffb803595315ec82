"""Which bundle may decide: the one that enough people signed, and the last one that was put in force."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.bench import WORKSPACE, Bench, policy_data

from twokey.core.errors import BadInput, CheckFailed, Refused
from twokey.core.events import PolicyEnforced
from twokey.core.sections import PolicySection
from twokey.core.values import GivenOrder, Identity, Principal
from twokey.policies import bundle as bundles
from twokey.policies import opa_signature
from twokey.policies.bundle import SIGNATURES
from twokey.tools import bundle_approvals
from twokey.tools.bundle_approvals import BundleStatement, path_of
from twokey.tools.enforcing import Enforcement, statement
from twokey.tools.registry import installed

TWO = PolicySection(signers=2)


class Yard:
    """A workbench with two risk owners, and bundles in folders."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.folder = folder
        bench.people.people["kim"] = bench.people.people["kim"].model_copy(update={"groups": ("risk-owners",)})

    def bundle(self, name: str, **changes: Any) -> Path:
        folder = self.folder / name
        bundles.load().with_data(policy_data(installed({}).all(), **changes)).write(folder)
        return folder

    def enforcement(self, section: PolicySection = TWO) -> Enforcement:
        bench = self.bench
        return Enforcement(self.folder, section, ledger=bench.ledger, directory=bench.people, rules=bench.rules)

    def statement(self, folder: Path, number: int) -> BundleStatement:
        return statement(bundles.load(folder), number)

    def order(self, name: str, signed: BundleStatement, **changes: Any) -> GivenOrder:
        fields = {"order": "sign_policy", "words": signed.digest()} | changes
        return self.bench.order(name, fields.pop("order"), **fields)

    def sign(self, folder: Path, number: int, *names: str) -> None:
        signed = self.statement(folder, number)
        for name in names:
            bundle_approvals.add(path_of(folder), signed, self.order(name, signed))

    def identity(self, name: str) -> Identity:
        return Identity(principal=self.bench.people.people[name], auth="key", channel="cli")

    def enforce(self, folder: Path, name: str = "rita", section: PolicySection = TWO) -> PolicyEnforced:
        return self.enforcement(section).enforce(self.identity(name), folder, lambda: None)


@pytest.fixture
def yard(make_bench_once: Callable[[], Bench], tmp_path: Path) -> Yard:
    return Yard(make_bench_once(), tmp_path)


def code(yard: Yard, folder: Path, section: PolicySection = TWO) -> str:
    with pytest.raises(CheckFailed) as caught:
        yard.enforcement(section).accepted(folder)
    return caught.value.code


def test_without_a_demand_any_bundle_decides(yard: Yard):
    folder = yard.bundle("one")
    assert yard.enforcement(PolicySection()).accepted(folder) == bundles.load(folder)
    event = yard.enforce(folder, section=PolicySection())
    assert (event.number, event.signers) == (1, ())


def test_a_bundle_of_two_risk_owners_that_was_put_in_force_decides(yard: Yard):
    folder = yard.bundle("one")
    yard.sign(folder, 7, "rita", "kim")
    assert code(yard, folder) == "policy_not_enforced"
    event = yard.enforce(folder)
    assert (event.number, event.signers, event.principal) == (7, ("kim", "rita"), "rita")
    assert yard.bench.log.entries(WORKSPACE)[-1].entry.event == event
    assert yard.enforcement().accepted(folder) == bundles.load(folder)
    size = len(yard.bench.log.entries())
    assert yard.enforce(folder) == event, "a second time changes nothing"
    assert len(yard.bench.log.entries()) == size


@pytest.mark.parametrize("names", [(), ("rita",), ("rita", "rita"), ("rita", "sam"), ("sam", "ana")])
def test_fewer_than_two_risk_owners_are_not_enough(yard: Yard, names: tuple[str, ...]):
    folder = yard.bundle("one")
    yard.sign(folder, 1, *names)
    assert code(yard, folder) == "policy_signature"
    with pytest.raises(CheckFailed):
        yard.enforce(folder)
    assert yard.enforcement().last() is None


def test_a_bundle_that_was_changed_after_it_was_signed_is_refused(yard: Yard):
    folder = yard.bundle("one")
    yard.sign(folder, 1, "rita", "kim")
    yard.enforce(folder)
    path = folder / "data.json"
    document = json.loads(path.read_text())
    document["twokey_data"]["limits"]["files"] += 1
    path.write_text(json.dumps(document))
    assert code(yard, folder) == "policy_signature"


def test_a_signature_on_something_else_does_not_count(yard: Yard):
    folder = yard.bundle("one")
    signed, other = yard.statement(folder, 1), yard.statement(folder, 2)
    path = path_of(folder)
    for order in (
        yard.order("kim", other),
        yard.order("kim", signed, workspace="w-000000000009"),
        yard.order("kim", signed, order="freeze_on"),
        yard.order("kim", signed).model_copy(update={"signature": "0" * 128}),
        GivenOrder(statement=yard.order("kim", signed).statement, auth="asserted"),
    ):
        path.unlink(missing_ok=True)
        bundle_approvals.add(path, signed, yard.order("rita", signed))
        bundle_approvals.add(path, signed, order)
        assert code(yard, folder) == "policy_signature", order


def test_who_left_the_group_or_the_directory_or_shares_a_key_does_not_count(yard: Yard):
    folder, people = yard.bundle("one"), yard.bench.people.people
    yard.sign(folder, 1, "rita", "kim")
    kim = people["kim"]
    people["kim"] = kim.model_copy(update={"groups": ("analysts",)})
    assert code(yard, folder) == "policy_signature"
    del people["kim"]
    assert code(yard, folder) == "policy_signature"
    people["kim"] = kim
    people["max"] = Principal(name="max", groups=("risk-owners",), key=kim.key)
    assert code(yard, folder) == "policy_signature"


def test_an_older_bundle_is_a_rollback_however_well_it_is_signed(yard: Yard):
    old, new = yard.bundle("old"), yard.bundle("new", limits={"files": 1, "lines": 1})
    yard.sign(old, 1, "rita", "kim")
    yard.enforce(old)
    yard.sign(new, 2, "rita", "kim")
    yard.enforce(new)
    assert code(yard, old) == "policy_rollback"
    with pytest.raises(CheckFailed, match="step back"):
        yard.enforce(old)
    third = yard.bundle("third", limits={"files": 2, "lines": 1})
    yard.sign(third, 2, "rita", "kim")
    with pytest.raises(CheckFailed, match="step back"):
        yard.enforce(third)
    yard.sign(old, 3, "rita", "kim")
    assert yard.enforce(old).number == 3, "going back is a step forward that two people signed"
    assert yard.enforcement().accepted(old) == bundles.load(old)
    assert code(yard, new) == "policy_rollback"


def test_only_an_owner_puts_a_policy_in_force(yard: Yard):
    folder = yard.bundle("one")
    yard.sign(folder, 1, "rita", "kim")
    with pytest.raises(Refused):
        yard.enforce(folder, "sam")
    assert yard.enforcement().last() is None


def test_the_signature_of_opa_is_demanded_where_a_key_is_named(yard: Yard, tmp_path: Path):
    folder, key = yard.bundle("one"), tmp_path / "key.pem"
    opa_signature.new_key(key)
    section = PolicySection(verification_key="key.pem.pub")
    assert code(yard, folder, section) == "policy_signature"
    text = opa_signature.sign(bundles.files_of(folder), opa_signature.load_key(key))
    (folder / SIGNATURES).write_bytes(text)
    assert yard.enforcement(section).accepted(folder) == bundles.load(folder)
    with pytest.raises(BadInput):
        yard.enforcement(PolicySection(verification_key="nowhere.pem")).accepted(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 70_000, b'{"statement":{},"orders":[]}'])
def test_signatures_that_cannot_be_read_are_none(yard: Yard, content: bytes):
    folder = yard.bundle("one")
    path_of(folder).write_bytes(content)
    with pytest.raises(CheckFailed):
        yard.enforcement().accepted(folder)
    path_of(folder).unlink()
    path_of(folder).mkdir()
    with pytest.raises(CheckFailed):
        yard.enforcement().accepted(folder)
    path_of(folder).rmdir()


def test_signatures_that_cannot_be_written_are_said(yard: Yard):
    folder = yard.bundle("one")
    signed = yard.statement(folder, 1)
    with pytest.raises(BadInput):
        bundle_approvals.add(yard.folder / "nowhere" / "x.json", signed, yard.order("rita", signed))


def test_signatures_on_another_number_go(yard: Yard):
    folder = yard.bundle("one")
    yard.sign(folder, 1, "rita", "kim")
    yard.sign(folder, 2, "rita")
    held = bundle_approvals.read(path_of(folder))
    assert held is not None
    assert [order.statement.principal for order in held.orders] == ["rita"]
