"""The sample workspace of ``twokey demo``: a small team that runs a churn model, with the dirt that such teams have.

Rules
- Everything is made on the spot from a seed and a point in time; no network, no data of anybody. The same arguments
  give the same bytes in every file (as long as the SQLite and zlib libraries stay the same) and the same commit id.
- It writes into an empty or new folder only. Where the disk fails it says so, and a folder half written is
  refused by the next call.
- What was planted is in the returned value, not in the folder: whoever reads the folder has to find it.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from twokey.channels.sample import dbt, people, runbooks, shipped, telemetry, tickets, warehouse
from twokey.channels.sample.people import PEOPLE
from twokey.channels.sample.tables import RELATIONS
from twokey.channels.sample.values import Canary, Person, Personal, Planted, Relation, Sample, TicketTruth
from twokey.core.errors import BadInput, EnvironmentFault

__all__ = [
    "DEFAULT_NOW",
    "PEOPLE",
    "Canary",
    "Person",
    "Personal",
    "Planted",
    "Relation",
    "Sample",
    "TicketTruth",
    "build",
]

DEFAULT_NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_YEARS: Final = range(2000, 2100)
_LOG: Final = "telemetry/inc-0412/logs.jsonl.gz"
_TICKET: Final = "tickets/FERN-131.md"

_CANARIES: Final = (
    Canary("credential", people.CANARY_CREDENTIAL, ("warehouse.db", _TICKET, _LOG)),
    Canary("email", people.CANARY_EMAIL, ("warehouse.db", _TICKET, _LOG)),
    Canary("phone", people.CANARY_PHONE, ("warehouse.db", _TICKET)),
)


def build(folder: Path, *, seed: int = 2026, now: datetime = DEFAULT_NOW) -> Sample:
    """Write the sample workspace into ``folder``, which is made where it does not exist.

    ``now`` is the moment at which the sample plays; every date in it is counted back from there.

    Raises:
        BadInput: ``folder`` is not an empty folder, or ``now`` has no zone or lies outside the years 2000 to 2099.
        EnvironmentFault: the files cannot be written.

    """
    if now.tzinfo is None or now.year not in _YEARS:
        raise BadInput(
            "The sample workspace needs a time with a zone in the years 2000 to 2099.",
            next="Leave the time out to get the default.",
        )
    moment = now.astimezone(UTC).replace(microsecond=0)
    _claim(folder)
    try:
        return _fill(folder, seed, moment)
    except (OSError, sqlite3.Error) as error:
        raise EnvironmentFault(
            "The sample workspace could not be written to the end.",
            next="Check that the disk has 10 MB free and may be written, delete the folder, and try again.",
            code="sample_not_written",
        ) from error


def _claim(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise BadInput(
            "The folder for the sample workspace is no folder and cannot be made one.",
            next="Name a folder that is empty or does not exist yet.",
        ) from error
    if not empty:
        raise BadInput(
            "The folder for the sample workspace is not empty.",
            next="Name a folder that is empty or does not exist yet.",
            code="folder_not_empty",
        )


def _fill(folder: Path, seed: int, now: datetime) -> Sample:
    database, repository = folder / "warehouse.db", folder / "dbt"
    planted, personal = warehouse.build(database, seed=seed, now=now, models=dbt.models())
    repository.mkdir()
    commit = dbt.build(repository, now)
    ticket_truth = tickets.build(folder / "tickets", now)
    for name in ("routing.yaml", "operations.yaml"):
        (folder / name).write_bytes(shipped.read(name))
    runbooks.build(folder / "runbooks")
    telemetry.build(folder / "telemetry", seed=seed, now=now)
    return Sample(
        folder=folder,
        seed=seed,
        now=now,
        warehouse=database,
        repo=repository,
        commit=commit,
        tickets=folder / "tickets",
        runbooks=folder / "runbooks",
        telemetry=folder / "telemetry",
        people=PEOPLE,
        planted=planted,
        personal=personal,
        relations=RELATIONS,
        ticket_truth=ticket_truth,
        canaries=_CANARIES,
    )
