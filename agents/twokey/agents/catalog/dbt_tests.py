"""The further checks of a table in the form that dbt takes them: generic tests, a singular test, freshness.

Rules: a test of a package stands only where the project says that it uses the package (``house``); nothing is written
twice, whatever it is called; names reach SQL only where they are plain identifiers. Each comes with the finding that it
rests on.

Formats: https://docs.getdbt.com/reference/resource-properties/data-tests and .../freshness; the tests of packages are
those of dbt_utils (``accepted_range``, ``expression_is_true``) and dbt_expectations (``expect_column_...``).
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from twokey.agents.catalog import vetting, worth
from twokey.agents.catalog.edits import AddFreshness
from twokey.agents.catalog.facts import Table
from twokey.agents.catalog.understanding import About
from twokey.agents.catalog.vetting import JsonLike, NodeName, NotAllowed
from twokey.core.values import Finding
from twokey.tools.read.warehouse import Arrivals, Inspected, Order

Lookup = Callable[[str | None, str], Finding | None]
"""Gives the finding about a column of the table at hand (None for the table), by its kind."""

BETWEEN: Final = "dbt_expectations.expect_column_values_to_be_between"
RANGE: Final = "dbt_utils.accepted_range"
_RANGES: Final = (RANGE, BETWEEN)
_MOST_UNITS: Final = 1_000
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def of_column(
    about: About, found: Inspected | None, finding: Lookup, packages: Collection[str], present: Sequence[str]
) -> Iterator[tuple[JsonLike, Finding]]:
    """Give the further tests of a column that ``present`` (names of its tests) lack."""
    name = about.column.name
    for kind, test in (("unique_values", "unique"), ("never_null", "not_null")):
        rests_on = finding(name, kind)
        if rests_on is not None and test not in present:
            yield test, rests_on
    ranged, bounds = finding(name, "range"), worth.bounds_of(about)
    if ranged is not None and bounds is not None and not set(_RANGES) & set(present):
        test = next((each for each in _RANGES if each.partition(".")[0] in packages), None)
        if test is not None:
            low, high = bounds
            yield {test: {"min_value": low} | ({} if high is None else {"max_value": high})}, ranged
    ordered, order = finding(name, "date_order"), worth.order_of(found, name)
    if ordered is not None and order is not None and by_package(order, packages) and vetting.EXPRESSION not in present:
        yield {vetting.EXPRESSION: {"expression": f"<= {order.later}"}}, ordered


def by_package(order: Order, packages: Collection[str]) -> bool:
    """Tell whether a package of the project tests the order of two dates."""
    return "dbt_utils" in packages and all(map(_IDENTIFIER.fullmatch, (order.column, order.later)))


def order_test(node: NodeName, order: Order, quoted: Callable[[str], bool]) -> str | None:
    """Write the singular test of the order of two dates; None where a name may not stand in SQL as it is."""
    names = (order.column, order.later)
    if not all(map(_IDENTIFIER.fullmatch, names)) or any(map(quoted, names)):
        return None
    try:
        relation = vetting.relation(node)
    except NotAllowed:
        return None
    return (
        "-- The first of these dates is never later than the second: this finds rows in which it is.\n"
        f"select\n    {order.column},\n    {order.later}\nfrom {{{{ {relation} }}}}\n"
        f"where {order.column} > {order.later}\n"
    )


def freshness(node: NodeName, table: Table, arrivals: Arrivals) -> AddFreshness | None:
    """Say when a source table is late; None for a model, which is as fresh as what it is made of."""
    if isinstance(node, str) or arrivals.error_after >= _MOST_UNITS:
        return None
    family = table.by_name[arrivals.column].family
    return AddFreshness(
        node, arrivals.column, family == "date", arrivals.unit, arrivals.warn_after, arrivals.error_after
    )
