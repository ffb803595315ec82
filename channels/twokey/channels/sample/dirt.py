"""The dirt of the sample warehouse, planted on purpose and written down.

Rules: every change to a clean cell is made here and returned as a ``Planted``; kinds never touch the same cell of a
column twice; the amounts are fixed, the places come from the seed. A rowid is the position of a row, from 1, except
where the table has an INTEGER PRIMARY KEY: there it is the key.
"""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from twokey.channels.sample import people
from twokey.channels.sample.streams import stream
from twokey.channels.sample.tables import CANARY_CUSTOMER, Cell, Row, Table
from twokey.channels.sample.values import DirtKind, Planted

_IMPOSSIBLE: Final = ("2026-02-30", "2025-13-04", "0000-00-00", "2026-09-31", "2025-11-00")
_INTEGER_KEYS: Final = frozenset({"employees", "customers", "subscriptions", "support_contacts"})


def plant(tables: Mapping[str, Table], seed: int) -> tuple[Planted, ...]:
    """Plant all dirt in ``tables`` and say where it is."""
    random = stream(seed, "dirt")
    customers, events, runs = tables["customers"], tables["events_daily"], tables["model_runs"]
    invoices, subscriptions = tables["invoices"], tables["subscriptions"]
    not_canary = _rows(customers, lambda row: row[0] != CANARY_CUSTOMER)
    with_upload = _rows(events, lambda row: row[events.index("upload_bytes")] != 0)
    unpaid = _rows(invoices, lambda row: row[invoices.index("paid_on")] is None)
    business = _rows(subscriptions, lambda row: row[subscriptions.index("plan")] == "business")
    ended = _rows(subscriptions, lambda row: row[subscriptions.index("ended_on")] is not None)
    domains = people.Addresses(("example.net",))

    def written_note(_: Cell) -> Cell:
        name = people.display_name(random)
        return f"Office manager changed, write to {domains.give(name, random)} ({name.split()[0]}) from now on."

    def with_credential(cell: Cell) -> Cell:
        return json.dumps({**json.loads(str(cell)), "registry_token": people.CANARY_CREDENTIAL})

    def missing(_: Cell) -> Cell:
        return random.choice(("N/A", "-"))

    calendar = iter(_IMPOSSIBLE)
    return (
        _plant(random, customers, "contact", "missing_as_text", not_canary, 19, missing),
        _plant(random, customers, "notes", "personal_in_text", not_canary, 37, written_note),
        _plant(random, events, "upload_bytes", "units_mix", with_upload, 150, _in_megabytes),
        _plant(random, events, "browser", "missing_as_text", _rows(events), 60, lambda _: "N/A"),
        _plant(random, invoices, "paid_on", "missing_as_text", unpaid, 41, lambda _: "-"),
        _plant(random, invoices, "subscription_id", "orphan", _rows(invoices), 9, lambda c: int(str(c)) + 400_000),
        Planted("invoices", "payment ref", "column_name_with_space", ()),
        _plant(random, subscriptions, "plan", "misspelt_category", business, 6, lambda _: "buisness"),
        _plant(random, subscriptions, "ended_on", "impossible_date", ended, 5, lambda _: next(calendar)),
        _plant(random, runs, "params", "credential", _rows(runs), 1, with_credential),
        Planted("churn_scores_v1", None, "stale_table", ()),
    )


def _rows(table: Table, keep: Callable[[Row], bool] = lambda _: True) -> list[int]:
    return [at for at, row in enumerate(table.rows) if keep(row)]


def _in_megabytes(cell: Cell) -> Cell:
    return int(str(cell)) // 1_000_000


def _plant(
    random: Random,
    table: Table,
    column: str,
    kind: DirtKind,
    among: list[int],
    amount: int,
    change: Callable[[Cell], Cell],
) -> Planted:
    at = table.index(column)
    chosen = sorted(random.sample(among, amount))
    for position in chosen:
        table.rows[position][at] = change(table.rows[position][at])
    keyed = table.name in _INTEGER_KEYS
    rowids = (int(str(table.rows[position][0])) if keyed else position + 1 for position in chosen)
    return Planted(table.name, column, kind, tuple(rowids))
