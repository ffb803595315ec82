"""What is said of tickets that came in a storm.

Rules: storms are looked for among all tickets that the run has read; the one that stands for a storm names the others,
and each of them names it. A report of a weakness is in no storm: nothing of it is said elsewhere. Nothing is proposed
because of a storm alone; a person sees it and closes the others, or does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from twokey.agents.triage.deciding import Decided, Said
from twokey.agents.triage.storms import Report, Storm, storms
from twokey.tools.read.ticket_pages import TicketRead
from twokey.tools.write.ticket_change import called, reads_like_a_weakness

SURE: Final = 80
MOST_NAMED: Final = 10
_MINUTE_S: Final = 60


def with_storms(judged: Sequence[Decided], tickets: Mapping[int, TicketRead]) -> list[Decided]:
    """Say of each ticket of ``judged`` in which storm it came, among all ``tickets``."""
    private = {decided.ticket.number for decided in judged if decided.private}
    said: dict[int, Said] = {}
    for storm in storms(_reports(tickets.values(), private)):
        for report in storm.reports:
            said[report.number] = _said(storm, report, tickets)
    return [
        replace(decided, said=(*decided.said, said[decided.ticket.number]))
        if decided.ticket.number in said
        else decided
        for decided in judged
    ]


def _reports(tickets: Iterable[TicketRead], private: set[int]) -> list[Report]:
    found: list[Report] = []
    for ticket in tickets:
        try:
            made = int(datetime.fromisoformat(ticket.created_at).timestamp())
        except ValueError:
            continue
        if ticket.number not in private and not reads_like_a_weakness(ticket):
            found.append(Report(ticket.number, ticket.key, made, ticket.title, ticket.body, ticket.author))
    return sorted(found, key=lambda report: (report.made, report.number))


def _said(storm: Storm, report: Report, tickets: Mapping[int, TicketRead]) -> Said:
    first, name = called(tickets[storm.first.number]), called(tickets[report.number])
    if report.number != storm.first.number:
        return Said("ticket_storm", f"{name} came in the storm that {first} began.", SURE)
    minutes = max(1, round((storm.reports[-1].made - storm.first.made) / _MINUTE_S))
    within = "a minute" if minutes == 1 else f"{minutes} minutes"
    others = [called(tickets[other.number]) for other in storm.others]
    named = ", ".join(others[:MOST_NAMED]) + (f" and {len(others) - MOST_NAMED} more" if others[MOST_NAMED:] else "")
    claim = f"{name} is the first of {len(storm.reports)} tickets that report one thing within {within}: {named}."
    return Said("ticket_storm", claim, SURE, attention=True)
