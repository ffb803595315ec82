"""Pages of proposals and runs that somebody may read, newest first.

Rules: a page goes on behind the last row that it shows; rows that may not be read are passed over, a bounded number of
them (``reading.LOOKS``); who reads only their own is given these by an index, however much there is of others.
"""

from collections.abc import Sequence

from twokey.core.lifecycle import State
from twokey.store import listing
from twokey.store.listing import Position, ProposalLine
from twokey.store.runs import RunRecord, RunState
from twokey.tools.reading import Reader


def proposal_page(
    reader: Reader,
    *,
    states: Sequence[State] = (),
    agent: str | None = None,
    behind: Position | None = None,
    limit: int,
) -> list[ProposalLine]:
    """Give a page of proposals; see ``listing.proposal_lines``."""
    with reader.ledger.look() as connection:
        return reader.page(
            lambda place: listing.proposal_lines(
                connection, states=states, agent=agent, requester=reader.only, behind=place, limit=limit
            ),
            lambda line: line.position,
            lambda found: reader.lines(connection, found),
            behind=behind,
            limit=limit,
        )


def run_page(
    reader: Reader, *, states: Sequence[RunState] = (), behind: Position | None = None, limit: int
) -> list[RunRecord]:
    """Give a page of runs; see ``listing.run_page``."""
    with reader.ledger.look() as connection:

        def readable(found: Sequence[RunRecord]) -> list[RunRecord]:
            seen = reader.reads_runs(connection, found)
            return [run for run in found if run.id in seen]

        return reader.page(
            lambda place: listing.run_page(connection, states=states, requester=reader.only, behind=place, limit=limit),
            lambda run: Position(run.created_us, run.id),
            readable,
            behind=behind,
            limit=limit,
        )
