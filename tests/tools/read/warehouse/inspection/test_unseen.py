"""Twenty kinds of table that were written before the detectors were read, and tables whose oddities are right."""

import pytest
from support import unseen
from support.dirty_tables import Table
from support.inspected_rows import problems


def found(table: Table) -> set[tuple[int, int]]:
    columns = {name: [row[at] or None for row in table.rows] for at, name in enumerate(table.columns)}
    return {cell for problem in problems(columns) if problem.claims for cell in problem.cells}


@pytest.mark.parametrize("name", unseen.KINDS)
def test_faults_of_many_kinds_are_found_and_little_else(name: str) -> None:
    table = unseen.soiled(name)
    flagged = found(table)
    hits = len(flagged & table.wrong)
    assert hits >= 0.98 * len(flagged)
    assert hits >= (0.65 if name == "weather" else 0.82) * len(table.wrong)


@pytest.mark.parametrize("name", [*unseen.KINDS, *unseen.CONTROLS])
def test_what_is_odd_and_right_is_left_in_peace(name: str) -> None:
    assert len(found(unseen.clean(name))) <= 8


def test_what_was_soiled_is_known_cell_by_cell() -> None:
    for name in unseen.KINDS:
        soiled, clean = unseen.soiled(name), unseen.clean(name)
        assert soiled.wrong == {
            (row, at)
            for row, (mine, theirs) in enumerate(zip(soiled.rows, clean.rows, strict=True))
            for at, (one, other) in enumerate(zip(mine, theirs, strict=True))
            if one.strip() != other.strip()
        }
