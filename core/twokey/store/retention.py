"""What ended runs leave behind, inside a transaction that the caller holds.

Rules: only a run that has ended, that nobody drives and none of whose proposals is open may lose anything; of such a
run its documents and the evidence that none of its proposals cites. Rows of runs, proposals, approvals, executions,
openings and of the log stay, and so does every piece of evidence that a proposal cites. (A proposal cites evidence of
its own run only; see ``tools.proposing``.)
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, select

from twokey.core.lifecycle import OPEN
from twokey.store import proposals, tables

ENDED: Final = ("done", "failed", "cancelled")


def removable_runs(connection: Connection, *, before: int, now: int, after: str = "", limit: int = 50) -> list[str]:
    """Give the ids of runs that ended before ``before`` and still hold documents, in order, from the id ``after`` on.

    Times are microseconds. A run's documents go together with the rest of it, so one without has been pruned.
    """
    query = _removable(before, now).where(tables.runs.c.id > after).limit(limit)
    return list(connection.execute(query).scalars())


def still_removable(connection: Connection, batch: Sequence[str], *, before: int, now: int) -> list[str]:
    """Give those of ``batch`` of which that still holds, and on PostgreSQL lock them until the transaction ends."""
    query = _removable(before, now).where(tables.runs.c.id.in_(batch)).with_for_update()
    return list(connection.execute(query).scalars())


def _removable(before: int, now: int) -> Select[str]:
    runs, made = tables.runs.c, tables.proposals.c
    return (
        select(runs.id)
        .where(
            runs.state.in_(ENDED),
            runs.updated_us < before,
            runs.holder.is_(None) | (runs.lease_until_us <= now),
            exists().where(tables.documents.c.run == runs.id),
            ~exists().where(made.run == runs.id, made.state.in_([state.value for state in OPEN])),
        )
        .order_by(runs.id)
    )


def count_removable(connection: Connection, run: str) -> tuple[int, int]:
    """Count a run's documents, and its evidence that no proposal cites; raises ``CheckFailed`` as reading them does."""
    documents = select(func.count()).select_from(tables.documents).where(tables.documents.c.run == run)
    evidence = select(func.count()).select_from(tables.evidence).where(*_uncited(connection, run))
    return connection.execute(documents).scalar_one(), connection.execute(evidence).scalar_one()


def remove(connection: Connection, run: str) -> tuple[int, int]:
    """Remove what ``count_removable`` counts, and say how much it was.

    Raises:
        CheckFailed: a proposal of the run is not as it was stored, so what it cites is not known.

    """
    uncited = _uncited(connection, run)
    documents = connection.execute(delete(tables.documents).where(tables.documents.c.run == run)).rowcount
    return documents, connection.execute(delete(tables.evidence).where(*uncited)).rowcount


def _uncited(connection: Connection, run: str) -> list[ColumnElement[Any]]:
    query = select(tables.proposals.c.id).where(tables.proposals.c.run == run)
    made = [proposals.get_proposal(connection, each) for each in connection.execute(query).scalars().all()]
    cited = sorted({ref.id for record in made for ref in record.proposal.evidence})
    return [tables.evidence.c.run == run, tables.evidence.c.id.not_in(cited)]
