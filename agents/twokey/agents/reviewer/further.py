"""Whether the further checks that a draft adds are backed: tests of packages, the order of dates, freshness.

Rules: as in ``drafts``: a closed list of forms, and for each a supported finding of its kind about the same subject
that says the same, numbers and names included. Whatever is written in another way is not backed.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from twokey.agents.reviewer.scopes import Words, words
from twokey.agents.reviewer.statements import Statement, loaded

SIMPLE: Final = {"not_null": "never_null", "unique": "unique_values"}
"""Kind of the finding that a test without arguments rests on, where its column is no key."""
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
ORDER: Final = re.compile(
    rf"(?:-- [\w ,:.]*\n)?select\n {{4}}(?P<first>{_NAME}),\n {{4}}(?P<second>{_NAME})\n"
    r"from \{\{ (?P<relation>[^{}]+) \}\}\n"
    r"where (?P=first) > (?P=second)\n"
)
_RANGES: Final = frozenset({"dbt_utils.accepted_range", "dbt_expectations.expect_column_values_to_be_between"})
_COMPARISON: Final = re.compile(rf"<= (?P<second>{_NAME})")
_LOADED_AT: Final = re.compile(rf"(?P<plain>{_NAME})|cast\((?P<date>{_NAME}) as timestamp\)")
_AGES: Final[Mapping[str, Words]] = {"warn_after": ("late", "after"), "error_after": ("wrong", "after")}


class Find(Protocol):
    """Tells whether a supported finding of a kind about the subject of a statement says all ``phrases``."""

    def __call__(self, kind: str, each: Statement, /, *phrases: Words) -> bool:
        """Tell it."""
        ...


def of_package(find: Find, each: Statement, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a test of a package is backed."""
    if each.key in _RANGES:
        if arguments == {"min_value": 0, "max_value": 1}:
            return find("range", each, ("from", "0", "to", "1"))
        return arguments == {"min_value": 0} and find("range", each, ("never", "negative"))
    if each.key == "dbt_utils.expression_is_true":
        expression = arguments.get("expression")
        match = _COMPARISON.fullmatch(expression) if isinstance(expression, str) else None
        if match is None or set(arguments) != {"expression"}:
            return False
        return find("date_order", each, ("later", "than", *words(match["second"])))
    return False


def freshness(find: Find, each: Statement) -> bool:
    """Tell whether what is said of a source's freshness is backed: its column, or both of its ages."""
    value = loaded(each.value)
    if each.key == "loaded_at_field":
        match = _LOADED_AT.fullmatch(value)
        return match is not None and find("freshness", each, words(match["plain"] or match["date"]))
    if set(value) != set(_AGES):
        return False
    phrases = [_age(value[key], said) for key, said in _AGES.items()]
    return all(phrases) and find("freshness", each, *phrases)


def _age(age: Any, said: Words) -> Words:
    """Give the words in which a finding says an age; none where it is of another form."""
    if not isinstance(age, dict) or set(age) != {"count", "period"} or age["period"] not in {"hour", "day"}:
        return ()
    count = age["count"]
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        return ()
    return (*said, str(count), f"{age['period']}{'' if count == 1 else 's'}")
