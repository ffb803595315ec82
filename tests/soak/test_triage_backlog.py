"""A backlog is gone through run by run: each ticket once, cut off and taken up again, in memory that does not grow."""

import json
import os
import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.backlog import Backlog, write

from twokey.agents.state import Progress
from twokey.agents.triage.team import PAGES
from twokey.channels import creation, triage_start, wiring
from twokey.channels.workspace import NEXT_TICKETS, Workspace
from twokey.core.values import Identity

PEOPLE = [("ana", ("analysts",)), ("sam", ("platform-owners",)), ("rita", ("risk-owners",))]
A_RUN = 100 * PAGES
ALL = int(os.environ.get("BACKLOG_TICKETS", "100000"))
"""How many tickets the long test goes through."""


class Cut(BaseException):
    """Ends a run where it stands."""


@contextmanager
def workspace(folder: Path, backlog: Backlog) -> Generator[tuple[Workspace, Identity]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOKEY_HOME", str(folder / "home"))
        sections = triage_start.sections(str(backlog.folder))
        files = {triage_start.ROUTING: triage_start.routing(PEOPLE)}
        made = creation.create(folder / "w", PEOPLE, sections=sections, files=files)
        with wiring.opened(made.folder) as opened:
            yield opened, opened.identify("ana", "cli")[0]


def cut_after(pages: int) -> Any:
    def tell(progress: Progress) -> None:
        if progress.text.startswith(f"page {pages} "):
            raise Cut

    return tell


def judged(opened: Workspace, run: str) -> list[str]:
    """The tickets that a run says a kind of, or that it cannot tell."""
    told = opened.service.findings(run)
    return [finding.subject for finding in told if finding.kind in {"ticket_kind", "ticket_unsure"}]


def gone_through(opened: Workspace, ana: Identity, seen: list[str], told: Any = None) -> int:
    """Go through all that there is, run by run; gives how many runs it took."""
    since, passed, runs = None, (), 0
    while True:
        began = time.monotonic()
        outcome = opened.triage(ana, (), since, lambda _: None, passed=passed)
        runs += 1
        seen += judged(opened, outcome.run.id)
        going_on = opened.service.document(outcome.run.id, NEXT_TICKETS)
        if told is not None:
            told(runs, len(outcome.proposals), time.monotonic() - began)
        if not isinstance(going_on, dict):
            return runs
        since, passed = str(going_on["since"]), tuple(int(number) for number in going_on["passed"])


def test_a_backlog_is_gone_through_once_and_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    backlog = write(tmp_path / "tickets", A_RUN + 60, new_share=0.02)
    with workspace(tmp_path, backlog) as (opened, ana):
        with pytest.raises(Cut):
            opened.triage(ana, (), None, cut_after(3))
        (cut,) = opened.service.runs(limit=5)
        outcome = opened.resume(cut.id, lambda _: None)
        pages = len(list(opened.ledger.history(cut.id, "tool.called")))
        searched = sum(1 for _ in judged(opened, cut.id))
        assert pages <= PAGES + 1 + 2 * searched  # no page was read twice, but for the one that was being read
        going_on = opened.service.document(outcome.run.id, NEXT_TICKETS)
        assert isinstance(going_on, dict)
        first = judged(opened, cut.id)
        since, passed = str(going_on["since"]), tuple(int(number) for number in going_on["passed"])
        rest = opened.triage(ana, (), since, lambda _: None, passed=passed)
        second = judged(opened, rest.run.id)
        assert opened.service.document(rest.run.id, NEXT_TICKETS) is None
    assert sorted(first + second) == sorted(backlog.new)


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_a_large_backlog_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    """Writes a line for each run to ``backlog.jsonl`` beside the workspace, and says what it took."""
    backlog = write(tmp_path / "tickets", ALL, new_share=float(os.environ.get("BACKLOG_NEW", "0.01")))
    seen: list[str] = []
    sizes: list[int] = []

    def told(run: int, proposals: int, seconds: float) -> None:
        sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        line = {"run": run, "proposals": proposals, "seconds": round(seconds, 1), "rss_mb": sizes[-1]}
        with (tmp_path / "backlog.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    with workspace(tmp_path, backlog) as (opened, ana):
        runs = gone_through(opened, ana, seen, told)
    assert runs >= ALL // A_RUN
    assert sorted(seen) == sorted(backlog.new)
    assert sizes[-1] <= sizes[len(sizes) // 4] + 150
