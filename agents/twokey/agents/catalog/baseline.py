"""An earlier reading of a warehouse, to compare today with.

Rules: it is evidence of this run, taken over from the earlier one after the desk has proven from the log what was read
then and policy has allowed the same read now. Rows are not kept: profiles and measures are enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twokey.agents.catalog.facts import Profile
from twokey.tools.read.warehouse import Measured


@dataclass(frozen=True, slots=True)
class Then:
    """What one table was: profiles by column, rows, measures; and the evidence that says so."""

    rows: int | None = None
    rows_exact: bool = False
    columns: Mapping[str, Profile] = field(default_factory=dict[str, Profile])
    measured: Measured | None = None
    profile_evidence: str = ""
    cells_evidence: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The reading that is compared with: whose run it was (empty: there is none), and what is evidence of this one.

    A piece of evidence may speak of more tables than it counts for, so it is named for each table by its key.
    """

    run: str = ""
    profiles: Mapping[str, str] = field(default_factory=dict[str, str])
    cells: Mapping[str, str] = field(default_factory=dict[str, str])
