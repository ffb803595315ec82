"""The policy in force takes the next decision of a process that runs, and where none may decide, everything is denied."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bench import Bench, own_tools, policy_data
from support.origins import origins

from twokey.core.errors import EnvironmentFault, LogUnavailable, TwokeyError
from twokey.core.sections import PolicySection
from twokey.core.values import Call, Decision, GivenOrder, Identity
from twokey.policies import bundle as bundles
from twokey.policies.bundle import Bundle
from twokey.policies.engines.embedded import Embedded
from twokey.policies.facts import ROOT
from twokey.tools import bundle_approvals, file_locks
from twokey.tools.bundle_approvals import path_of
from twokey.tools.enforcing import Enforcement, statement
from twokey.tools.in_force import Held, PolicyInForce

SOON_US = 4_102_444_800_000_000


class Place:
    """A workspace's folder with a bundle in it, and the policy of a process that runs there."""

    def __init__(self, bench: Bench, folder: Path, section: PolicySection) -> None:
        bench.people.people["kim"] = bench.people.people["kim"].model_copy(update={"groups": ("risk-owners",)})
        self.bench = bench
        self.folder = folder
        self.section = section
        self.engines: list[Embedded] = []
        self.exceptions: tuple[str, ...] = ()
        self.wait_s = 120.0
        self.policy = PolicyInForce(
            seen=lambda: self.enforcement.seen(self.bundle),
            load=lambda: self.enforcement.accepted(self.bundle),
            hold=self.hold,
        )

    @property
    def bundle(self) -> Path:
        return self.folder / "policies"

    @property
    def enforcement(self) -> Enforcement:
        bench = self.bench
        return Enforcement(
            self.folder,
            self.section,
            ledger=bench.ledger,
            directory=bench.people,
            rules=bench.rules,
            wait_s=self.wait_s,
        )

    def hold(self, held: Bundle) -> Held:
        self.engines.append(Embedded(held, deadline_s=10))
        return Held(held, self.engines[-1], self)

    def in_force(self, now_us: int) -> tuple[str, ...]:
        assert now_us
        return self.exceptions

    def write(self, name: str, **changes: Any) -> Path:
        """Write a bundle whose data differs from the packaged one by ``changes``."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        bundles.load().with_data(policy_data(own_tools(), **changes)).write(folder)
        return folder

    def sign(self, folder: Path, number: int) -> None:
        signed = statement(bundles.load(folder), number)
        for name in ("rita", "kim"):
            given: GivenOrder = self.bench.order(name, "sign_policy", words=signed.digest())
            bundle_approvals.add(path_of(folder), signed, given)

    def enforce(self, folder: Path, install: Callable[[], None] | None = None) -> None:
        identity = Identity(principal=self.bench.people.people["rita"], auth="key", channel="cli")
        self.enforcement.enforce(identity, folder, install or (lambda: self.install(folder)))

    def install(self, folder: Path) -> None:
        if folder == self.bundle:
            return
        shutil.rmtree(self.bundle, ignore_errors=True)
        if path_of(folder).exists():
            shutil.copyfile(path_of(folder), path_of(self.bundle))
        folder.rename(self.bundle)

    def decide(self, **changes: Any) -> Decision:
        return self.policy.decide(_write(**changes))

    def on(self, decision: Decision) -> bool:
        """Whether the bundle that lies there took the decision."""
        held = bundles.load(self.bundle).revisions
        return (decision.policy_revision, decision.data_revision) == (held.policy, held.data)


def _write(**changes: Any) -> Call:
    tool = next(tool for tool in own_tools() if tool.name == "open_pull_request")
    fields: dict[str, Any] = {
        "requester": {"name": "ana", "groups": ["analysts"]},
        "agent": "catalog",
        "run": "r-000000000001",
        "step": 1,
        "tool": tool.name,
        "version": tool.version,
        "tool_schema": tool.schema_digest(),
        "effect": "write",
        "args": {"repository": "dbt"},
        "provenance": origins(repository="config"),
        "resource": {"kind": "repository", "id": "dbt", "granted_by": "config"},
        "change": {
            "proposal": "p-000000000001",
            "contributors": ["ana"],
            "files": [{"path": "a.yml", "added": 4, "removed": 1}],
            "labels": [],
            "evidence": 1,
            "rollback": True,
        },
        "counters": {over: {} for over in ("run", "requester_hour", "hour", "day")},
        "now_us": SOON_US,
    }
    return Call.model_validate(fields | changes)


def faulty(decision: Decision) -> bool:
    return decision.effect == "deny" and [reason.code for reason in decision.reasons] == ["engine_fault"]


@pytest.fixture
def make_place(make_bench_once: Callable[[], Bench], tmp_path: Path) -> Iterator[Callable[..., Place]]:
    made: list[Place] = []

    def make(signers: int = 0) -> Place:
        place = Place(make_bench_once(), tmp_path, PolicySection(signers=signers))
        made.append(place)
        place.write("policies")
        return place

    yield make
    for place in made:
        place.policy.close()
        for engine in place.engines:
            assert engine.process is None, "every engine is closed, also those of bundles before"


def test_a_process_that_runs_takes_its_next_decision_on_the_new_bundle(make_place: Callable[..., Place]) -> None:
    place = make_place()
    before = place.decide()
    assert before.effect == "require_approval"
    assert place.on(before)
    place.decide()
    assert len(place.engines) == 1, "nothing changed, so nothing was loaded again"
    place.enforce(place.write("next", limits={"files": 0, "lines": 10}))
    after = place.decide()
    assert [reason.code for reason in after.reasons] == ["too_large"]
    assert place.on(after)
    assert after.data_revision != before.data_revision
    assert place.engines[0].process is None
    assert place.policy.revisions() == bundles.load(place.bundle).revisions
    assert place.policy.name == after.engine


def test_one_file_that_is_edited_where_it_lies_counts_at_once(make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.decide()
    path = place.bundle / "data.json"
    document = json.loads(path.read_text())
    document[ROOT]["limits"]["lines"] = 1
    path.write_text(json.dumps(document))
    assert [reason.code for reason in place.decide().reasons] == ["too_large"]


def test_files_that_were_only_touched_start_no_engine(make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.decide()
    os.utime(place.bundle / "data.json", ns=(0, 0))
    assert not faulty(place.decide())
    assert len(place.engines) == 1


def _gone(folder: Path) -> None:
    shutil.rmtree(folder)


SPOILT: dict[str, Callable[[Path], object]] = {
    "data that is no JSON": lambda folder: (folder / "data.json").write_text("{"),
    "no data": lambda folder: (folder / "data.json").unlink(),
    "no Rego": lambda folder: (folder / "twokey" / "tools.rego").write_text("package x\n\n{"),
    "a file that has no place there": lambda folder: (folder / "notes.txt").write_text("x"),
    "a link": lambda folder: (folder / "twokey" / "extra.rego").symlink_to("/etc/passwd"),
    "no folder": _gone,
}


@pytest.mark.parametrize("spoilt", list(SPOILT))
def test_a_broken_bundle_denies_until_it_is_mended(make_place: Callable[..., Place], spoilt: str) -> None:
    place = make_place()
    assert not faulty(place.decide())
    SPOILT[spoilt](place.bundle)
    for _ in range(2):
        assert faulty(place.decide()), "and the bundle before does not decide in its place"
    place.write("policies")
    assert place.decide().effect == "require_approval"


def test_where_nothing_may_decide_nobody_is_told_that_something_does(make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.exceptions = ("moving",)
    assert place.policy.in_force(SOON_US) == ("moving",)
    assert place.policy.evaluate(b"{}") is not None
    (place.bundle / "data.json").unlink()
    assert place.policy.in_force(SOON_US) == ()
    assert place.policy.name == "none"
    for ask in (place.policy.revisions, lambda: place.policy.evaluate(b"{}")):
        with pytest.raises(TwokeyError):
            ask()


def test_a_bundle_that_no_engine_takes_denies(make_place: Callable[..., Place]) -> None:
    place = make_place()
    rules = place.bundle / "twokey" / "tools.rego"
    rules.write_text(rules.read_text() + "\ntool_listed if nowhere(1)\n\nnowhere(x) := nobody\n")
    with pytest.raises(TwokeyError):
        place.policy.current().engine.evaluate(b"{}")
    assert faulty(place.decide())


def test_where_signatures_are_demanded_an_unsigned_change_denies(make_place: Callable[..., Place]) -> None:
    place = make_place(signers=2)
    assert faulty(place.decide()), "nobody has put anything in force"
    place.sign(place.bundle, 1)
    assert faulty(place.decide())
    place.enforce(place.bundle)
    assert place.decide().effect == "require_approval"
    wide = place.write("wide", limits={"files": 10_000, "lines": 10_000_000})
    shutil.copyfile(wide / "data.json", place.bundle / "data.json")
    assert faulty(place.decide())


def test_what_was_put_in_force_ends_the_old_bundle_even_before_its_files_lie_there(
    make_place: Callable[..., Place],
) -> None:
    place = make_place(signers=2)
    place.sign(place.bundle, 1)
    place.enforce(place.bundle)
    assert not faulty(place.decide())
    fresh = place.write("next", limits={"files": 0, "lines": 10})
    place.sign(fresh, 2)

    def dies() -> None:
        raise EnvironmentFault("The disk is full.", next="Make room.")

    with pytest.raises(EnvironmentFault):
        place.enforce(fresh, dies)
    assert faulty(place.decide()), "the log says that another bundle is in force"
    place.enforce(fresh)
    assert [reason.code for reason in place.decide().reasons] == ["too_large"]


def test_a_bundle_that_is_being_put_in_force_is_waited_for(make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.enforce(place.bundle)
    fresh = place.write("next", limits={"files": 0, "lines": 10})
    found: list[Decision] = []
    asking = threading.Thread(target=lambda: found.append(place.decide()))

    def slowly() -> None:
        shutil.rmtree(place.bundle)
        asking.start()
        asking.join(0.05)
        assert not found, "nothing is decided while nothing lies there"
        place.install(fresh)

    place.enforce(fresh, slowly)
    asking.join(60)
    assert [reason.code for reason in found[0].reasons] == ["too_large"]


def test_who_keeps_the_lock_for_too_long_has_everything_denied(make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.enforce(place.bundle)
    place.wait_s = 0
    lock = place.folder / "policies.lock"
    with lock.open("rb") as other:
        file_locks.hold(other.fileno(), 0, EnvironmentFault("Busy.", next="Wait."))
        assert faulty(place.decide())
    assert not faulty(place.decide())
    lock.unlink()
    lock.symlink_to("/etc/passwd")
    os.utime(place.bundle / "data.json", ns=(0, 0))
    assert faulty(place.decide()), "a lock that is a link is none"


def test_an_exception_has_to_hold_in_the_bundle_that_decides(make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.exceptions = ("moving",)
    assert place.decide(exceptions=["moving"]).effect == "require_approval"
    place.exceptions = ()
    assert faulty(place.decide(exceptions=["moving"])), "it was looked up in the bundle before"


def test_a_log_that_cannot_be_read_denies(make_place: Callable[..., Place]) -> None:
    place = make_place(signers=1)

    def broken() -> object:
        raise LogUnavailable("No log.", next="Wait.")

    def worse() -> object:
        raise ZeroDivisionError

    for seen in (broken, worse):
        policy = PolicyInForce(seen=seen, load=lambda: bundles.load(place.bundle), hold=place.hold)
        assert faulty(policy.decide(_write()))
    assert place.engines == []
    with pytest.raises(LogUnavailable):
        PolicyInForce(seen=broken, load=lambda: bundles.load(place.bundle), hold=place.hold).current()


def test_a_deny_that_no_bundle_gave_says_so(make_place: Callable[..., Place]) -> None:
    place = make_place()
    (place.bundle / "data.json").unlink()
    decision = place.decide()
    assert (decision.engine, decision.policy_revision, decision.data_revision) == ("none", "0" * 64, "0" * 64)
