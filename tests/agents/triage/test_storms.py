"""Storms: many reports of one incident are found as one, and work as ever is not taken for one."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from support.storms import INCIDENTS, Made, stream

from twokey.agents.triage.storms import MOST_HELD, Report, Storm, Watch, storms
from twokey.channels.sample import tickets as sample_tickets
from twokey.tools.local_tickets import LocalTickets
from twokey.tools.tickets import Query


def pairs(groups: list[list[int]]) -> set[tuple[int, int]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def measured(made: Made) -> tuple[float, float]:
    """Give precision and recall over pairs of tickets."""
    found = pairs([[report.number for report in storm.reports] for storm in storms(made.reports)])
    groups: dict[int, list[int]] = {}
    for number, incident in made.truth.items():
        groups.setdefault(incident, []).append(number)
    truth = pairs([*groups.values()])
    return len(found & truth) / max(1, len(found)), len(found & truth) / len(truth)


def test_storms_are_found_in_a_quiet_tracker() -> None:
    precision, recall = measured(stream(5, ("certificate", "model", "dns"), 43_200))
    assert precision >= 0.8
    assert recall >= 0.75


@pytest.mark.soak
def test_storms_are_found_in_many_trackers() -> None:
    scores = [measured(stream(seed, tuple(INCIDENTS), 43_200)) for seed in range(10)]
    assert sum(precision for precision, _ in scores) / len(scores) >= 0.8
    assert sum(recall for _, recall in scores) / len(scores) >= 0.8


def test_the_storm_of_the_sample_is_one(tmp_path: Path) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    sample_tickets.build(tmp_path / "tickets", now)
    reports = [
        Report(
            ticket.number,
            ticket.key,
            int(datetime.fromisoformat(ticket.created_at).timestamp()),
            ticket.title,
            ticket.body,
            ticket.author,
        )
        for page in LocalTickets(tmp_path / "tickets").list(Query(state="all"))
        for ticket in page
    ]
    reports.sort(key=lambda report: report.made)
    found = [*storms(reports)]
    assert len(found) == 1
    keys = [report.key for report in found[0].reports]
    assert keys[0] == "FERN-135"
    assert {"FERN-136", "FERN-138"} <= {*keys} <= {f"FERN-{number}" for number in range(135, 140)}


def at(minutes: float, title: str, author: str = "", number: int = 0) -> Report:
    made = int((datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).timestamp())
    return Report(number or int(minutes * 60), f"K-{number}", made, title, "", author)


def found_in(reports: list[Report]) -> list[list[str]]:
    return [[report.title for report in storm.reports] for storm in storms(reports)]


def test_a_storm_is_seen_while_it_lasts_and_given_when_it_is_over() -> None:
    watch = Watch()
    given: list[Storm] = []
    for minute in range(4):
        given += watch.see(at(minute, "Cannot log in: error 500", f"p{minute}"))
    assert given == []
    assert [len(storm.reports) for storm in watch.now()] == [4]
    over = [*watch.see(at(600, "Something else entirely"))]
    assert [storm.first.made for storm in over] == [at(0, "").made]
    assert watch.now() == ()
    assert [*watch.end()] == []


def test_alike_tickets_one_by_one_over_days_are_no_storm() -> None:
    assert found_in([at(1_000 * number, "Please add a user to the team", f"p{number}") for number in range(30)]) == []


def test_a_person_who_clears_a_desk_is_no_storm() -> None:
    titles = (
        "Export is slow",
        "Wrong colour of the chart",
        "Typo in the mail",
        "Search finds too little",
        "Add a filter",
    )
    usual = [at(1_440 * day, f"Task number {day * 37}", f"p{day}") for day in range(10)]
    desk = [at(15_000 + number, title, "ana") for number, title in enumerate(titles)]
    assert found_in([*usual, *desk]) == []


def test_two_are_no_storm_and_a_pause_ends_one() -> None:
    usual = [at(720 * number, f"Usual thing {number * 91}", f"p{number}") for number in range(12)]
    assert found_in([*usual, at(9_000, "Disk full"), at(9_001, "Disk is full")]) == []
    burst = [at(9_000 + number, "Disk full again", f"q{number}") for number in range(3)]
    late = [at(20_000 + number, "Disk full again", f"r{number}") for number in range(3)]
    assert [len(storm) for storm in found_in([*usual, *burst, *late])] == [3, 3]


def test_what_is_held_is_bounded() -> None:
    watch = Watch()
    for number in range(MOST_HELD + 50):
        for _ in watch.see(at(number / 60, f"text {number}", f"p{number}", number + 1)):
            pass
    assert len(watch._held) == MOST_HELD  # pyright: ignore[reportPrivateUsage] - the bound itself
