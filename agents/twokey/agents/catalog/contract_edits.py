"""What a person may want changed in one data contract, as frozen values.

``table`` is the name of an entry of ``schema``, ``column`` the name of one of its ``properties`` (None: the table).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Metric: TypeAlias = Literal["nullValues", "duplicateValues", "invalidValues"]


@dataclass(frozen=True, slots=True)
class Describe:
    """Give a table or column its description. One that a person wrote stays unless ``replace``."""

    table: str
    column: str | None
    text: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Classify:
    """Give a column its classification. Another one is refused with ``exists``."""

    table: str
    column: str
    word: str


@dataclass(frozen=True, slots=True)
class SetType:
    """Give a column its ``physicalType``, as the warehouse spells it. Another one is refused with ``exists``."""

    table: str
    column: str
    type: str


@dataclass(frozen=True, slots=True)
class AddCheck:
    """Add a quality check that no value may fail. A check of the same metric is not added twice.

    ``nullValues``: no value is missing. ``duplicateValues``: no two are alike. ``invalidValues``: each is one of
    ``values``. ``warn`` marks a check that today's data would fail.
    """

    table: str
    column: str
    metric: Metric
    values: Sequence[str | int] = ()
    warn: bool = False


@dataclass(frozen=True, slots=True)
class AddProperty:
    """Make sure that a table lists a column; it goes behind the last one."""

    table: str
    column: str
    type: str | None = None
    description: str | None = None
    classification: str | None = None


ContractEdit: TypeAlias = Describe | Classify | SetType | AddCheck | AddProperty
