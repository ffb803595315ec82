"""Lists of what somebody may read cost what they show, however much there is of others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event
from support import store_values as made
from support.bench import Bench

from twokey.core.lifecycle import State
from twokey.core.values import ID_ALPHABET, Principal
from twokey.policies.reading import UNSAID, Opened, ReadingRules
from twokey.store import proposals, runs
from twokey.store.listing import Position
from twokey.tools import listed
from twokey.tools.reading import LOOKS, Reader

FEW, MANY = 100, 1_500


def name(kind: str, number: int) -> str:
    digits = "".join(ID_ALPHABET[number >> 5 * at & 31] for at in range(11, -1, -1))
    return f"{kind}-{digits}"


def fill(connection: Connection, begin: int, end: int) -> None:
    """Put runs there, with a proposal each: every 50th is lone's, every tenth is private."""
    for number in range(begin, end):
        requester = "lone" if number % 50 == 7 else "ana"
        run, labels = name("r", number), ("security_report",) if number % 10 == 3 else ()
        request = made.request(requester=requester)
        runs.add_run(connection, run=run, request=request, auth="key", places=[made.PLACE], now=number)
        proposal = made.proposal(
            id=name("p", number), run=run, requester=requester, contributors=(requester,), labels=labels
        )
        state = State.EXPIRED if number % 3 else State.AWAITING_APPROVAL
        proposals.add_proposal(
            connection, proposal, made.decision(), state=state, expires_us=number, code="x", now=number
        )


def reader(bench: Bench, who: str, *groups: str, rules: ReadingRules | None = None) -> Reader:
    return Reader(bench.ledger, rules or ReadingRules(UNSAID, {}), Principal(name=who, groups=groups))


@contextmanager
def worked(bench: Bench) -> Iterator[list[int]]:
    """Count what the database does: statements, and in hundreds the steps of its own machine."""
    done = [0, 0]

    def step() -> int:
        done[1] += 1
        return 0

    def execute(*_: object) -> None:
        done[0] += 1

    def borrow(connection: object, *_: object) -> None:
        connection.set_progress_handler(step, 100)  # pyright: ignore[reportAttributeAccessIssue]

    event.listen(bench.engine, "before_cursor_execute", execute)
    event.listen(bench.engine, "checkout", borrow)
    try:
        yield done
    finally:
        event.remove(bench.engine, "before_cursor_execute", execute)
        event.remove(bench.engine, "checkout", borrow)


PAGES: dict[str, Callable[[Reader, Position | None], list[str]]] = {
    "proposals": lambda reads, behind: [line.id for line in listed.proposal_page(reads, behind=behind, limit=20)],
    "runs": lambda reads, behind: [run.id for run in listed.run_page(reads, behind=behind, limit=20)],
}


@pytest.mark.parametrize("what", sorted(PAGES))
def test_a_page_costs_no_more_where_there_is_more(make_bench_once: Callable[[], Bench], what: str):
    bench = make_bench_once()
    costs: dict[str, list[list[int]]] = {"mia": [], "lone": []}
    begin = 0
    for end in (FEW, MANY):
        with bench.engine.begin() as connection:
            fill(connection, begin, end)
        begin = end
        for who, groups in (("mia", ("members",)), ("lone", ())):
            reads = reader(bench, who, *groups)
            with worked(bench) as done:
                found = PAGES[what](reads, None)
            costs[who].append(done)
            if who == "mia":
                wanted = [at for at in range(end - 1, -1, -1) if at % 10 != 3][:20]
                assert found == [name(what[0], at) for at in wanted]
            else:
                assert found == [name(what[0], at) for at in range(end - 1, -1, -1) if at % 50 == 7][:20]
    for who, (few, many) in costs.items():
        assert many[0] <= few[0], (who, costs)
    assert costs["mia"][1][1] <= 2 * costs["mia"][0][1] + 20, costs
    # What is lone's own has grown from two to twenty, and that of others to fifteen hundred.
    assert costs["lone"][1][1] <= 10 * costs["lone"][0][1] + 60, costs


def test_a_list_goes_on_behind_what_it_showed_and_looks_on_within_bounds(make_bench_once: Callable[[], Bench]):
    bench = make_bench_once()
    with bench.engine.begin() as connection:
        fill(connection, 0, FEW)
    for what, page in PAGES.items():
        walked: list[str] = []
        behind: Position | None = None
        reads = reader(bench, "mia", "members")
        while found := page(reads, behind):
            walked += found
            behind = Position(number_of(walked[-1]), walked[-1])
        assert walked == [name(what[0], at) for at in range(FEW - 1, -1, -1) if at % 10 != 3]
    only = UNSAID.model_copy(update={"open": (Opened(environments=("production",)),)})
    strict = reader(bench, "mia", "members", rules=ReadingRules(only, {}))
    with worked(bench) as done:
        assert listed.proposal_page(strict, limit=10) == []
    assert done[0] <= 2 * LOOKS + 1, "two statements a look, beside how the connection is opened"


def number_of(identifier: str) -> int:
    number = 0
    for digit in identifier[2:]:
        number = number * 32 + ID_ALPHABET.index(digit)
    return number


def test_whoever_reads_everything_is_asked_nothing(make_bench_once: Callable[[], Bench]):
    bench = make_bench_once()
    with bench.engine.begin() as connection:
        fill(connection, 0, 30)
    rules = ReadingRules(UNSAID.model_copy(update={"everything": ("auditors",)}), {})
    reads = reader(bench, "audrey", "auditors", rules=rules)
    with worked(bench) as done:
        assert len(listed.proposal_page(reads, limit=30)) == 30
        assert len(listed.run_page(reads, limit=30)) == 30
    assert done[0] <= 4, "one statement a list, beside how the connection is opened"
    assert reads.reads_figures
    assert not reader(bench, "lone").reads_figures
