"""Whatever happens in whatever order, a write needs a valid quorum at that moment, and happens once at most."""

import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import CountingIds, FixedClock
from sqlalchemy import Connection, create_engine, text
from support.interleavings import (
    Interleaving,
    MakeGate,
    Step,
    Template,
    clean,
    copied,
    plan,
    smaller,
    sound,
    template,
)
from support.lifecycle_model import Broken

from twokey.audit.entry import Entry
from twokey.core.ports import Clock, Directory, Ids
from twokey.core.values import Decision, Principal, Proposal
from twokey.store.proposals import ApprovalRecord, ProposalRecord
from twokey.store.switches import FreezeRecord
from twokey.tools import executor
from twokey.tools.authority import Authority, Rules
from twokey.tools.executor import Applied
from twokey.tools.gate import Gate
from twokey.tools.kill_switch import KillSwitch
from twokey.tools.sight import Sight
from twokey.tools.standing import Standing
from twokey.tools.steps import Steps

SAMPLE = 60
SAMPLE_ON_POSTGRESQL = 12
SOAK_SHARDS = 40
SOAK_SHARD = 240
SOAK_ON_POSTGRESQL = 400


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder on a memory file system where there is one: what is lost with the power is not what is tested here."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def on_sqlite(memory: Path) -> Template:
    return template(memory / "template", f"sqlite:///{memory / 'template.db'}")


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    caplog.set_level(logging.CRITICAL)


Run = Callable[[list[Step]], Counter[str]]


def on_a_copy(start: Template, live: Path, make: MakeGate = sound) -> Run:
    """Runs plans on fresh copies of a SQLite file."""

    def run(steps: list[Step]) -> Counter[str]:
        with copied(start, live) as url:
            world = Interleaving(start, live, url, make)
            world.run(steps)
        return world.seen

    return run


def held(run: Run, seeds: range) -> Counter[str]:
    """Run the plans of these seeds; a failure is told with the smallest plan that still fails."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        steps = plan(seed)
        try:
            seen += run(steps)
        except Broken as broken:
            told = str(broken)
            least = smaller(steps, lambda shorter: says(run, shorter) == told)  # noqa: B023 - used at once
            lines = "\n".join(f"  {step}" for step in least)
            pytest.fail(f"{told} (seed {seed})\n{lines}")
    return seen


def says(run: Run, steps: list[Step]) -> str | None:
    """What the model says against a plan."""
    try:
        run(steps)
    except Broken as broken:
        return str(broken)
    return None


def not_vacuous(seen: Counter[str], plans: int) -> None:
    """Enough of everything was there for the result to mean something."""
    for what, share in {
        "write": 0.2,
        "crash": 0.1,
        "meanwhile": 0.1,
        "refusal": 1.0,
        "acknowledged approve": 0.4,
        "edit": 0.2,
        "freeze": 0.5,
    }.items():
        assert seen[what] >= share * plans, (what, seen)


def report(request: pytest.FixtureRequest, seen: Counter[str], plans: int) -> None:
    """Leave the figures where the report of a soak shows them."""
    steps = sum(count for what, count in seen.items() if what in STEPS)
    figures = {"interleavings": plans, "steps": steps, **{what: seen[what] for what in ("write", "refusal", "crash")}}
    figures |= {what: seen[what] for what in sorted(seen) if what.startswith(("ended", "meanwhile", "acknowledged"))}
    request.node.add_report_section("call", "figures", str(figures))
    folder = Path(".cache")
    if folder.is_dir():
        with (folder / "soak-races.txt").open("a") as file:
            file.write(f"{request.node.name}: {figures}\n")


STEPS = ("click", "execute", "recover", "wait", "freeze", "choose", "member", "move", "edit", "expire", "replay")


def test_no_order_of_things_writes_without_a_quorum_or_twice(memory: Path, on_sqlite: Template):
    not_vacuous(held(on_a_copy(on_sqlite, memory / "live"), range(SAMPLE)), SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("shard", range(SOAK_SHARDS))
def test_ten_thousand_orders_of_things(memory: Path, on_sqlite: Template, shard: int, request: pytest.FixtureRequest):
    first = 1_000_000 + shard * SOAK_SHARD
    seen = held(on_a_copy(on_sqlite, memory / "live"), range(first, first + SOAK_SHARD))
    report(request, seen, SOAK_SHARD)
    not_vacuous(seen, SOAK_SHARD)


# -- on PostgreSQL ---------------------------------------------------------------------------------------------------


@contextmanager
def on_postgresql(url: str, folder: Path) -> Generator[Run]:
    """Runs plans on fresh copies of a PostgreSQL database."""
    start = template(folder / "postgresql", url)
    address = create_engine(url).url
    admin = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    copy, live = f"{address.database}_copy", folder / "live-postgresql"

    def run(steps: list[Step]) -> Counter[str]:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{copy}" TEMPLATE "{address.database}" STRATEGY FILE_COPY'))
        shutil.rmtree(live, ignore_errors=True)
        (live / "home").mkdir(parents=True)
        for name in ("log.key", "log.key.pin"):
            shutil.copy2(start.folder / "home" / name, live / "home" / name)
        clean(start)
        here = address.set(database=copy).render_as_string(hide_password=False)
        world = Interleaving(start, live, here)
        world.run(steps)
        return world.seen

    yield run
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)'))
    admin.dispose()


@pytest.mark.postgresql
def test_no_order_of_things_on_postgresql(memory: Path, postgresql_url: str):
    with on_postgresql(postgresql_url, memory) as run:
        seen = held(run, range(5_000, 5_000 + SAMPLE_ON_POSTGRESQL))
    assert seen["write"] > 0, seen


@pytest.mark.soak
@pytest.mark.postgresql
@pytest.mark.timeout(7200)
def test_hundreds_of_orders_of_things_on_postgresql(memory: Path, postgresql_url: str, request: pytest.FixtureRequest):
    with on_postgresql(postgresql_url, memory) as run:
        seen = held(run, range(2_000_000, 2_000_000 + SOAK_ON_POSTGRESQL))
    report(request, seen, SOAK_ON_POSTGRESQL)
    not_vacuous(seen, SOAK_ON_POSTGRESQL)


# -- gates that are broken on purpose, so that one sees that the model finds it ---------------------------------------


class Deaf(KillSwitch):
    """Hears of no kill switch."""

    def off(self, connection: Connection | None = None) -> FreezeRecord | str:
        del connection
        return self.record()

    def turned(self, seen: FreezeRecord) -> str | None:
        del seen

    def hold(self, connection: Connection, seen: FreezeRecord) -> None:
        del connection, seen


class Trusting(Authority):
    """Takes rows for people who approved."""

    def approvers(
        self,
        proposal: Proposal,
        digest: str,
        decision: Decision,
        rows: Iterable[ApprovalRecord],
        *,
        proven: Mapping[str, Entry] | None = None,
    ) -> dict[str, str]:
        del proposal, digest, decision, proven
        return {row.principal: row.entry for row in rows}


class Incurious(Steps):
    """Does not look whether the target has moved on."""

    def stale(self, record: ProposalRecord, *, evidence_stands: bool) -> str | None:
        del record, evidence_stands


class Forgetful:
    """A directory that never hears that somebody left (port ``Directory``)."""

    def __init__(self, directory: Directory) -> None:
        self._known = {person.name: person for person in directory.all()}

    def principal(self, name: str) -> Principal | None:
        return self._known.get(name)

    def all(self) -> tuple[Principal, ...]:
        return tuple(self._known.values())


class DeafGate(Gate):
    def __init__(self, steps: Steps, *, ids: Ids, rules: Rules) -> None:
        super().__init__(steps, ids=ids, rules=rules)
        self._switch = Deaf(steps.ledger, rules.workspace)
        self._sight = Sight(steps.ledger, self._switch, self._emergencies, steps.circumstances)


class TrustingGate(Gate):
    def __init__(self, steps: Steps, *, ids: Ids, rules: Rules) -> None:
        super().__init__(steps, ids=ids, rules=rules)
        self._authority = Trusting(steps.ledger, steps.directory, rules)


class HastyGate(Gate):
    """Takes a write over by writing."""

    def _resume(self, record: ProposalRecord, intent: str, proven: Standing) -> Applied | None:
        del proven
        return executor.apply(*self._permit(record, intent))


def of_other_parts(kind: type[Steps] = Steps, **changes: Any) -> MakeGate:
    """Makes the gate with other parts than it should have; each is made from what is there."""

    def make(steps: Steps, ids: CountingIds, rules: Rules) -> Gate:
        names = ("ledger", "policy", "registry", "directory", "clock", "_book")
        parts = {name.lstrip("_"): getattr(steps, name) for name in names}
        parts |= {name: change(parts[name]) for name, change in changes.items()}
        return Gate(kind(**parts), ids=ids, rules=rules)

    return make


def stopped(clock: Clock) -> Clock:
    """Time stands still, so that nothing expires."""
    return FixedClock(clock.now_us())


def of_kind(kind: type[Gate]) -> MakeGate:
    return lambda steps, ids, rules: kind(steps, ids=ids, rules=rules)


APPROVED = Step("click", 1, "sam", "approve")
TWO_PEOPLE = (Step("choose", how="two"), APPROVED, APPROVED, replace(APPROVED, who="kim"))
"""The first click finds that policy asks for more than the card says."""
ROW_OF_ANOTHER = (
    *TWO_PEOPLE,
    Step("member", who="kim", how="none"),
    Step("member", who="rita", how="platform"),
    Step("edit", 1, "rita", "approve"),
    Step("execute", 1),
)
DIED_MEANWHILE = tuple(
    (APPROVED, Step("execute", 1, cut=(moment, "die")), Step("wait", how="lease"), Step("recover", 1))
    for moment in range(1, 25)
)
FROZEN_MEANWHILE = tuple(
    (APPROVED, Step("execute", 1, cut=(moment, Step("freeze", who="kim", how="on")))) for moment in range(1, 25)
)
"""Somebody turns the kill switch at every moment of an execution."""


def frozen_takeovers(last: int) -> list[list[Step]]:
    """The same while a takeover looks, and writes again what was not there: the first executor died before its tool wrote.

    ``last`` is the last moment of an execution at which nothing is written yet.
    """
    return [
        [
            replace(APPROVED, proposal=0),
            Step("execute", 0, cut=(last, "die")),
            Step("wait", how="lease"),
            Step("recover", 0, cut=(moment, Step("freeze", who="kim", how="on"))),
        ]
        for moment in range(last - 4, last + 9)
    ]


def test_the_kill_switch_at_any_moment_of_a_takeover_is_minded(memory: Path, on_sqlite: Template):
    run = on_a_copy(on_sqlite, memory / "taken-over")
    deaths = {moment: run([APPROVED, Step("execute", 1, cut=(moment, "die"))]) for moment in range(1, 25)}
    takeovers = frozen_takeovers(max(at for at, item in deaths.items() if item["crash"] and not item["write"]))
    seen = [run(list(steps)) for steps in takeovers]  # fails with what the model says against one
    assert sum(1 for item in seen if item["crash"] and item["meanwhile"]) >= 4, "and it came in between"


def test_the_kill_switch_at_any_moment_of_an_execution_is_minded(memory: Path, on_sqlite: Template):
    run = on_a_copy(on_sqlite, memory / "frozen")
    seen = [run(list(steps)) for steps in FROZEN_MEANWHILE]
    stopped = [item for item in seen if item["meanwhile"] and not item["write"]]
    too_late = [item for item in seen if item["meanwhile"] and item["write"]]
    assert len(stopped) >= 6
    assert len(too_late) <= 8, "what comes after the tool was called, or in the moment before"


@pytest.mark.parametrize(
    ("make", "told", "plans"),
    [
        pytest.param(of_kind(DeafGate), "behind the kill switch", FROZEN_MEANWHILE, id="deaf"),
        pytest.param(of_kind(TrustingGate), "without a valid quorum", (ROW_OF_ANOTHER,), id="trusting"),
        pytest.param(of_kind(HastyGate), "a second write", DIED_MEANWHILE, id="hasty"),
        pytest.param(
            of_other_parts(Incurious),
            "a target that has moved on",
            ((APPROVED, Step("move", how="2"), Step("execute", 1)),),
            id="incurious",
        ),
        pytest.param(
            of_other_parts(directory=Forgetful),
            "without a valid quorum",
            ((APPROVED, Step("member", who="sam", how="none"), Step("execute", 1)),),
            id="forgetful",
        ),
        pytest.param(
            of_other_parts(clock=stopped),
            "without a valid quorum",
            ((APPROVED, Step("wait", how="day"), Step("execute", 1)),),
            id="stopped",
        ),
    ],
)
def test_the_model_finds_a_gate_that_is_broken_on_purpose(
    memory: Path, on_sqlite: Template, make: MakeGate, told: str, plans: tuple[tuple[Step, ...], ...]
):
    run, sound_run = on_a_copy(on_sqlite, memory / "broken", make), on_a_copy(on_sqlite, memory / "sound")
    assert any(told in (says(run, list(steps)) or "") for steps in plans)
    through = plans[::4] if plans is FROZEN_MEANWHILE else plans  # all of these are in the test above
    assert all(says(sound_run, list(steps)) is None for steps in through), "and nothing against the gate as it is"
