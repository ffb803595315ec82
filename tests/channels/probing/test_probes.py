"""The probes, each beside its own failure: with the guard taken away, what it tries gets through and it says so."""

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest
from dulwich.repo import Repo

from twokey.channels import wiring
from twokey.channels.probing import content, keeping, people, pilot, signing, stopping, undoing
from twokey.channels.probing.disguises import beside, disguised
from twokey.channels.probing.engines import Evaluate, TurnableClock, TurnableEngine
from twokey.channels.probing.world import World, scratch
from twokey.core.entropy import SystemClock
from twokey.core.sections import ControlsSection, PolicySection, WorkspaceSection
from twokey.core.settings import Settings
from twokey.core.values import ApprovalsNeeded
from twokey.policies import bundle, facts
from twokey.policies.bundle import Bundle
from twokey.policies.controls import CONTROLS, Attack, Evidence, Gap, judge
from twokey.tools.contract import Context, Marker, Outcome, Rendered
from twokey.tools.gate import Gate
from twokey.tools.local import close_pull_request
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.registry import Registry, installed
from twokey.tools.steps import Result
from twokey.tools.trackers import Trackers
from twokey.tools.write.close_pull_request import CloseArgs, ClosedPullRequest, ClosePullRequest
from twokey.tools.write.restore_ticket import RestoreTicket, RestoreTicketArgs

OWNERS = ("platform-owners", "risk-owners")


class Make(Protocol):
    """Makes a scratch workspace."""

    def __call__(
        self, held: Bundle | None = None, settings: Settings | None = None, **more: Any
    ) -> AbstractContextManager[World]: ...


def live(**changes: Any) -> Settings:
    """Settings of a workspace that is to be probed."""
    sections: dict[str, Any] = {
        "workspace": WorkspaceSection(id="w-000000000000"),
        "policy": PolicySection(deadline_ms=10_000),
        "controls": ControlsSection(owners=OWNERS),
    }
    return Settings(**(sections | changes))


def rules(**changes: Any) -> Bundle:
    """The bundle as ``init`` writes it, with some of its data replaced."""
    held = bundle.load()
    tools = [(tool.name, tool.version, tool.effect, tool.schema_digest()) for tool in installed({}).all()]
    document = held.document()
    document[facts.ROOT] |= changes
    return held.with_data(facts.with_tools(document, tools))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes scratch workspaces; ``held`` and ``settings`` are the live one's."""

    @contextmanager
    def made(held: Bundle | None = None, settings: Settings | None = None, **more: Any) -> Generator[World]:
        with scratch(tmp_path, settings or live(), held or rules(), live_folder=tmp_path, **more) as world:
            yield world

    return made


def seen(evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    return {item.what: item for item in evidence}


def through(evidence: Iterable[Evidence]) -> set[str]:
    """What got through."""
    return {item.what for item in evidence if isinstance(item, Attack) and item.through}


def state(evidence: Iterable[Evidence]) -> str:
    return judge(CONTROLS[0], evidence).state


# -- guards taken away ----------------------------------------------------------------------------------------


class YesEngine(TurnableEngine):
    """An engine that lets everything through that one person approves."""

    def evaluate(self, document: bytes) -> object:
        call = json.loads(document)
        if call["effect"] == "read":
            return answer("allow", None)
        shaped = sorted({call["requester"]["name"], *call["change"]["contributors"]})
        return answer(
            "require_approval",
            {**PEOPLE, "exclude": shaped},
        )


PEOPLE: dict[str, Any] = {
    "all_of": [{"group": "platform-owners", "n": 1}],
    "distinct": True,
    "expires_s": 3600,
    "max_uses": 1,
}


def answer(effect: str, approvals: object) -> dict[str, Any]:
    if isinstance(approvals, dict) and "binds" in ApprovalsNeeded.model_fields:
        approvals = {**approvals, "binds": ["proposal_digest", "decision_digest"]}
    return {
        "effect": effect,
        "approvals": approvals,
        "reasons": [{"code": "yes", "message": "Yes.", "rule": "R99"}],
        "obligations": [],
        "warnings": [],
    }


class StandingClock(TurnableClock):
    """A clock that nobody can move."""

    def advance(self, seconds: int) -> None:
        del seconds


class LenientGate:
    """A gate that writes whenever it is asked to carry something out, whatever it finds."""

    def __init__(self, gate: Gate, world: World) -> None:
        self._gate = gate
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate, name)

    def execute(self, proposal: str) -> Result:
        with Repo(str(self._world.repository)) as repo:
            number = next(self._world.numbers)
            repo.refs[f"refs/heads/twokey/lenient-{number}".encode()] = repo.head()  # pyright: ignore[reportArgumentType]
        return self._gate.execute(proposal)


def lenient(world: World) -> World:
    gate: Any = LenientGate(world.parts.gate, world)
    return dataclasses.replace(world, parts=dataclasses.replace(world.parts, gate=gate))


def yes(engine: TurnableEngine) -> TurnableEngine:
    return YesEngine(engine)


# -- each probe holds, and fails ------------------------------------------------------------------------------

HOLDING: dict[str, Callable[[World], Iterable[Evidence]]] = {
    "pinned_tools": pilot.pinned_tools,
    "bound_approvals": pilot.bound_approvals,
    "separate_people": people.separate_people,
    "break_glass": people.break_glass,
    "rollback": undoing.rollback,
    "taint": content.taint,
    "field_limits": content.field_limits,
    "limits": content.limits,
    "freezes": stopping.freezes,
    "verifiable_log": keeping.verifiable_log,
}


def test_these_controls_hold_in_a_workspace_as_init_makes_it(make: Make):
    with make() as world:
        for name, probe in HOLDING.items():
            evidence = list(probe(world))
            assert state(evidence) == "holds", (name, [str(item) for item in evidence])


def test_default_deny_holds_for_each_kind_of_fault(make: Make):
    with make() as world:
        evidence = seen(pilot.default_deny(world))
        assert state(evidence.values()) == "holds"
        tried = evidence["approved writes meanwhile"]
        assert isinstance(tried, Attack)
        assert tried.tried == len(pilot.FAULTS) >= 10
        assert tried.recorded == tried.tried


def test_default_deny_fails_where_an_engine_lets_everything_through(make: Make):
    with make(wrap=yes) as world:
        assert through(pilot.default_deny(world, {})) >= {
            "a write tool that no rule knows",
            "a request of somebody in no group",
        }


def test_default_deny_fails_where_a_broken_engine_is_taken_for_a_yes(make: Make):
    with make() as world:
        said_yes = YesEngine(world.engine).evaluate

        def open_wide(_: Evaluate) -> Evaluate:
            return said_yes

        assert through(pilot.default_deny(world, {"open": open_wide})) >= {
            "proposals while the engine is silent, gone, undefined or wrong",
        }


def test_pinned_tools_fails_where_an_engine_knows_no_list(make: Make):
    with make(wrap=yes) as world:
        assert through(pilot.pinned_tools(world)) == {
            "the same tool in another version",
            "the same tool with one argument more",
            "tools whose names look like it",
        }


def test_bound_approvals_fails_where_identities_are_asserted(make: Make):
    demo = live(workspace=WorkspaceSection(id="w-000000000000", demo=True))
    with make(settings=demo) as world:
        evidence = list(pilot.bound_approvals(world))
        assert through(evidence) == {"approvals that nobody signed"}
        assert "twokey init" in judge(CONTROLS[2], evidence).next


def test_bound_approvals_fails_where_time_stands_still(make: Make):
    with make() as world:
        world.clock = StandingClock(SystemClock())  # the gate keeps its own, which nobody moves
        assert through(pilot.bound_approvals(world)) == {
            "approvals after their time",
            "a write after the time of its approval",
        }


def test_bound_approvals_fails_where_a_gate_carries_out_whatever_it_is_given(make: Make):
    with make() as world:
        evidence = list(pilot.bound_approvals(lenient(world)))
        attacks = {item.what for item in evidence if isinstance(item, Attack)}
        assert through(evidence) == attacks
        assert len(attacks) == 13


def test_separate_people_fails_where_one_person_is_enough_for_everything(make: Make):
    one = {name: {"quorum": 1, "expires_s": 3600} for name in ("normal", "elevated", "high")}
    with make(rules(risks=one, escalation=[])) as world:
        assert through(people.separate_people(world)) == {
            "one person alone, for a change of CI, owners, policy or git settings"
        }


def test_separate_people_fails_where_a_gate_does_not_count(make: Make):
    with make() as world:
        assert through(people.separate_people(lenient(world))) == {
            "the requester's own approval, although in every group",
            "approvals of people in no group that is asked",
            "one person too few, who approve twice",
            "a write one of whose approvers has left the group",
        }


def test_taint_fails_where_an_engine_does_not_ask_where_arguments_came_from(make: Make):
    with make(wrap=yes) as world:
        assert through(content.taint(world)) == {
            "a place that untrusted text chose",
            "a place that a model chose",
            "a place that does not say where it came from",
            "a place that a text named, and the agent says that code or the request did",
            "content that untrusted text wrote, and no contract quotes",
        }


def test_field_limits_fails_where_any_number_is_allowed(make: Make):
    wide = [{"kind": kind, "classes": [], "most": 10**6} for kind in ("personal", "financial", "secret", "other")]
    with make(rules(field_limits=wide)) as world:
        assert through(content.field_limits(world)) == {
            "any number of personal fields",
            "any number of financial fields",
        }


def test_limits_fails_where_nothing_has_a_budget(make: Make):
    with make(rules(budgets=[])) as world:
        assert through(content.limits(world)) == {
            "one proposal more than a run may have",
            "one proposal more than an hour may have",
            "a write when its budget of cost is used up",
        }


class Unmovable(World):
    """A workspace whose rules decide on the data they have, whatever else is said."""

    @contextmanager
    def ruled_by(self, **changes: Any) -> Generator[None]:
        del changes
        yield


def test_limits_fails_where_budgets_are_larger_than_anybody_can_read(make: Make):
    wide = [{"over": over, "measure": "proposals", "most": 10**6} for over in ("run", "hour")]
    with make(rules(budgets=[*wide, {"over": "day", "measure": "cost", "most": 1}])) as world:
        assert through(content.budgets(world)) == {"any number of proposals"}


def test_freezes_fails_where_rules_do_not_follow_the_calendar(make: Make):
    with make() as world:
        parts = {field.name: getattr(world, field.name) for field in dataclasses.fields(world)}
        assert through(content.calendar(Unmovable(**parts))) == {
            "a write in a change freeze",
            "an approved write in a change freeze",
        }


def test_limits_fails_where_there_is_no_limit(make: Make):
    with make(rules(limits={"files": 10**9, "lines": 10**9})) as world:
        assert through(content.limits(world)) == {"a write of any length"}


def test_limits_fails_where_an_engine_counts_nothing(make: Make):
    with make(wrap=yes) as world:
        assert through(content.limits(world)) >= {"a write one line longer than it may be", "a write of one file more"}


@pytest.mark.parametrize(
    "probe", [content.field_limits, content.budgets, content.calendar], ids=lambda item: item.__name__
)
def test_rules_that_the_bundle_lacks_are_missing(make: Make, probe: Callable[[World], Iterable[Evidence]]):
    with make() as world:
        world.held = dataclasses.replace(world.held, modules=())
        evidence = list(probe(world))
        assert state(evidence) == "missing"
        assert [item for item in evidence if isinstance(item, Gap)]


def test_freezes_fails_where_a_gate_does_not_look(make: Make):
    with make() as world:
        assert through(stopping.freezes(lenient(world))) >= {
            "an approved write behind the kill switch",
            "approvals behind the kill switch",
            "a freeze lifted by people who do not own the controls",
            "a freeze lifted by editing the database",
        }


def test_freezes_and_break_glass_fail_where_everybody_owns_the_controls(make: Make):
    anybody = live(controls=ControlsSection(owners=(*OWNERS, "bystanders")))
    with make(settings=anybody) as world:
        assert through(stopping.freezes(world)) == {"a freeze lifted by people who do not own the controls"}
        assert through(people.break_glass(world)) == {"emergencies declared by people who do not own the controls"}


def test_break_glass_fails_where_an_emergency_does_not_end(make: Make):
    with make() as world:
        world.clock = StandingClock(SystemClock())
        assert through(people.break_glass(world)) == {"a write after the emergency under which it was approved"}


class KeepingClose(ClosePullRequest):
    """Says that it closed a pull request, and leaves the branch."""

    name: ClassVar[str] = "close_pull_request"

    def apply(self, args: CloseArgs, rendered: Rendered, marker: Marker, context: Context) -> ClosedPullRequest:
        del rendered, marker, context
        return ClosedPullRequest(pull=args.pull, branch=args.branch, head=args.head)

    def reconcile(
        self, args: CloseArgs, rendered: Rendered, marker: Marker, context: Context
    ) -> Outcome[ClosedPullRequest]:
        return Outcome("written", self.apply(args, rendered, marker, context))


def test_rollback_fails_where_a_tool_only_says_that_it_took_something_back(make: Make):
    real: Any = close_pull_request()
    keeping_tool = KeepingClose(real._forge)
    with make(tools=beside(installed({}), keeping_tool)) as world:
        assert "what open_pull_request wrote, after it was taken back" in through(undoing.rollback(world))


ONLY: dict[str, Any] = {"tool": "update_ticket", "path": "labels.add", "resources": []}


class LoudRestore(RestoreTicket):
    """Takes everything back but what was said, and says that it did."""

    def apply(self, args: RestoreTicketArgs, rendered: Rendered, marker: Marker, context: Context) -> Any:
        silent = args.model_copy(update={"strike": None, "says": ""})
        return super().apply(silent, rendered, marker, context)

    def reconcile(self, args: RestoreTicketArgs, rendered: Rendered, marker: Marker, context: Context) -> Any:
        silent = args.model_copy(update={"strike": None, "says": ""})
        return super().reconcile(silent, rendered, marker, context)


def test_rollback_fails_where_a_comment_is_left_standing(make: Make):
    loud = LoudRestore(Trackers(LocalTickets, None))
    with make(tools=beside(installed({}), loud)) as world:
        assert "what update_ticket wrote, after it was taken back" in through(undoing.rollback(world))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"forbidden_changes": ["comments_ticket"]}, "holds"),
        ({"forbidden_changes": ["closes_ticket", "labels_ticket"]}, "holds"),
        ({"allowed_values": [ONLY | {"values": ["ours", "theirs"]}]}, "holds"),
        ({"forbidden_changes": ["comments_ticket", "closes_ticket", "labels_ticket"]}, "missing"),
    ],
)
def test_rollback_is_tried_with_what_the_live_policy_allows(make: Make, changes: dict[str, Any], expected: str):
    with make(rules(**changes)) as world:
        evidence = list(undoing.rollback(world))
        assert state(evidence) == expected, [str(item) for item in evidence]


def test_a_write_tool_that_nobody_can_try_is_missing(make: Make):
    with make(tools=beside(installed({}), disguised("drop_tables"))) as world:
        evidence = list(undoing.rollback(world, {}))
        assert state(evidence) == "missing"
        assert [str(item) for item in evidence] == ["missing: a way to try 5 of 5 write tools"]


def test_signed_policy_holds_where_two_people_are_asked_and_is_missing_where_fewer_are(make: Make):
    with make(settings=live(policy=PolicySection(deadline_ms=10_000, signers=2))) as world:
        evidence = list(signing.signed_policy(world))
        assert state(evidence) == "holds", [str(item) for item in evidence]
        world.live = live(policy=PolicySection(signers=1))
        assert state(signing.signed_policy(world)) == "missing"


def test_signed_policy_fails_where_anybodys_signature_counts(make: Make):
    anybody = PolicySection(deadline_ms=10_000, signers=2, signer_groups=("risk-owners", "bystanders"))
    with make(settings=live(policy=anybody)) as world:
        assert "bundles signed by people who may not" in through(signing.signed_policy(world))


def test_the_log_fails_where_it_holds_a_secret(make: Make):
    with make() as world:
        assert "a secret in the entries of the log" in through(keeping.verifiable_log(world, "asker"))


def test_the_log_fails_where_the_database_takes_edits(make: Make):
    with make() as world:
        with closing(sqlite3.connect(world.folder / wiring.STATE_FOLDER / "twokey.db")) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f'DROP TRIGGER "{name}"')
            connection.commit()
        assert "edits of the log's tables, refused by the database" in through(keeping.verifiable_log(world))


class NoSwitch(World):
    """A workspace whose kill switch turns nothing."""

    def turn(self, *, on: bool, name: str = "") -> None:
        del on, name


def test_the_kill_switch_fails_where_it_turns_nothing(make: Make):
    with make() as world:
        parts = {field.name: getattr(world, field.name) for field in dataclasses.fields(world)}
        evidence = list(stopping.kill_switch(NoSwitch(**parts)))
        assert through(evidence) == {"a write that had begun when the kill switch was turned"}


def test_the_registry_beside_replaces_a_tool_of_that_name():
    tools = beside(Registry([close_pull_request()]), disguised("close_pull_request", "2"))
    assert [(tool.name, tool.version) for tool in tools.all()] == [("close_pull_request", "2")]
