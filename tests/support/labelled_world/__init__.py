"""More labelled tables, of the kinds that warehouses, exports and open data hold, in two halves; made up by us.

Both halves were written before the method was read, and parted by a checksum of the tables' names before anything was
measured. Errors of the first half were then read and its gaps closed; those of the second were not.

The labels follow the rules of ``labelled_tables``, and these: where a business and its place are published, what level
they have is left open (``-``), like that of hashes and of what only a table's purpose would tell; the sex of an animal is
no ``GENDER``, and the name of a road without a number no ``STREET_ADDRESS``.
"""

from pathlib import Path

from support.labelled_tables import Labelled
from support.labelled_world.values import maker

HERE = Path(__file__).parent
FIRST_HALF, SECOND_HALF = HERE / "first_half.txt", HERE / "second_half.txt"


def columns_of(half: Path) -> list[Labelled]:
    """Read one half: ``table NAME [ROWS]``, then a line ``HEADER LEVEL CLASS MAKER`` for each column."""
    found: list[Labelled] = []
    table, rows = "", 0
    for line in half.read_text(encoding="utf-8").splitlines():
        words = line.split(" ")
        if words[0] == "table":
            table, rows = words[1], int(words[2]) if len(words) > 2 else 0
        elif line:
            header, level, column_class, made_by = line.rsplit(" ", 3)
            found.append(Labelled(table, header, level.strip("-"), column_class, maker(made_by), rows))
    return found
