"""Reading one file as a table, for a program that measures the tool on labelled files.

Rules: the file is read as the tool reads it; nothing is granted to a run by this, and nothing is kept.
"""

from pathlib import Path
from typing import Final

from twokey.core.errors import BadInput
from twokey.tools.read.warehouse.sources import Bounds, Most, Sampled, open_source

MAX_CELLS: Final = 20_000_000


def read_file(path: Path, max_rows: int) -> Sampled:
    """Read at most ``max_rows`` rows of a CSV or Parquet file.

    Raises:
        BadInput: it is not there, is no such file, or holds no table.

    """
    with open_source(str(path.resolve()), Bounds(call_s=600, statement_s=300)) as source:
        tables = source.schema().tables
    if len(tables) != 1 or tables[0].problem:
        raise BadInput(f"{path.name} holds no table that can be read.", next="Give a CSV file with a header row.")
    with open_source(str(path.resolve()), Bounds(call_s=600, statement_s=300)) as source:
        return source.sample(tables[0].table, Most(max_rows, MAX_CELLS))
