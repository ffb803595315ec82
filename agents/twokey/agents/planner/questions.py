"""The questions that are asked when a request is unclear, and requests that would work instead.

Rules: a question says what is in the way and what is possible; it repeats at most one word of the request, in plain
characters; a suggestion is given only after it was read and understood.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from twokey.agents.planner.meaning import Known, Unclear, short

_ECHOED: Final = re.compile(r"[A-Za-z0-9_.*-]{1,40}")
_SIMPLE_NAME: Final = re.compile(r"[a-z0-9_]{1,60}")
_MOST: Final = 3
_LISTED: Final = 8

_SAYS: Final = {
    "only_people": (
        "Twokey only looks and proposes. Approving, refusing and merging are done by people:"
        " `twokey approvals show ID`, then `twokey approvals approve ID`."
    ),
    "only_proposes": (
        "Twokey changes nothing by itself and has no way to change data. It looks at tables, and proposes descriptions,"
        " tags, tests and relationships that people approve."
    ),
    "triage": "{job}",
    "incident": "{job}",
    "location": "Addresses are not read from a request. Name a place this workspace knows: {places}.",
    "unknown_place": "I know no place called {word}. Known are: {places}.",
    "ambiguous_place": "{word} is both a warehouse and a repository. Say which, as in `the database {word}`.",
    "whole_tables": "A request covers whole tables, not single columns. Which tables do you mean?",
    "negation": "I am not sure what your `not` covers. Say what you want, in one sentence per wish.",
    "cannot_exclude": "Tables cannot be excluded. Which tables do you want instead?",
    "unknown_table": "I know no table whose name is or contains {word}.{tables}",
    "qualifier": "Tables are chosen by name only, so I cannot use {word}. Which tables do you mean?",
    "unknown_words": "I do not understand {word}. What should be done, and for which tables?",
    "too_long": "A request has at most 4,000 characters. Say it shorter.",
    "empty": "What should be done?",
    "no_action": "Should I only look, or propose something? Say for example `document`, `tag` or `show`.",
    "contradiction": "You ask for something and exclude it too. Which is it?",
    "choose_parts": (
        "I can propose one of descriptions, tags, or tests with relationships, or all of them together. Which?"
    ),
    "one_at_a_time": "One request covers one warehouse, one repository and at most 50 names of tables.",
    "which_warehouse": "In which warehouse? Known are: {places}.",
    "which_repository": "For which repository? Known are: {places}.",
    "no_warehouse": (
        "No warehouse is known here. Name one in twokey.toml, or use `twokey catalog propose URL --repo DIR`."
    ),
    "no_repository": "No repository is known here, so nothing can be proposed. Name one in twokey.toml.",
}
"""In the order of importance: of several problems the first is asked about."""
_RANK: Final = {code: rank for rank, code in enumerate(_SAYS)}
_COMMANDS: Final = {"triage": "twokey triage", "incident": "twokey incident"}


def worst(problems: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """Choose the problem to ask about; None where there is none."""
    return min(problems, key=lambda problem: _RANK[problem[0]], default=None)


def ask(code: str, word: str, known: Known, works: Callable[[str], bool]) -> Unclear:
    """Put the question for a problem. ``works`` tells whether a request would be understood."""
    text = _SAYS[code].format(
        word=f"'{word}'" if _ECHOED.fullmatch(word) else "one of your words",
        places=_places(code, known),
        tables=_tables(known),
        job=_job(code, known),
    )
    given = code
    if code in _COMMANDS:
        given = "other_command" if code in known.jobs else "job_not_built"
    suggestions = dict.fromkeys(phrase for phrase in _candidates(code, known) if works(phrase))
    return Unclear(given, text, tuple(suggestions)[:_MOST])


def _job(code: str, known: Known) -> str:
    if code not in _COMMANDS:
        return ""
    if code in known.jobs:
        return f"`ask` covers the catalog. For this use `{_COMMANDS[code]}`."
    return f"This version has no {code} job yet. It can look at tables and propose their documentation."


def _places(code: str, known: Known) -> str:
    names = (*known.warehouses, *known.repositories)
    if code == "which_warehouse":
        names = known.warehouses
    elif code == "which_repository":
        names = known.repositories
    shown = ", ".join(short(name) for name in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{shown}{more}" or "none"


def _tables(known: Known) -> str:
    """Names of tables are outside text: only plain ones are repeated."""
    plain = [name for name in known.tables if _ECHOED.fullmatch(name)]
    if not plain:
        return ""
    more = f" and {len(known.tables) - _LISTED} more" if len(known.tables) > _LISTED else ""
    return f" Known are: {', '.join(plain[:_LISTED])}{more}."


def _candidates(code: str, known: Known) -> list[str]:
    warehouse = known.warehouse or next(iter(known.warehouses), None)
    if warehouse is None:
        return []
    names = known.warehouses[:_MOST] if code == "which_warehouse" else (warehouse,)
    places = [_said(name) for name in names]
    if code == "which_warehouse":
        return [f"document all tables in {place}" for place in places] + [f"show all tables in {places[0]}"]
    to = ""
    if known.repository is None and known.repositories:
        if code == "which_repository":
            return [
                f"document all tables in {places[0]} and open a pull request in {_said(name)}"
                for name in known.repositories
            ]
        to = f" and open a pull request in {_said(known.repositories[0])}"
    tables = _some_table(known)
    return [
        f"document {tables} in {places[0]}{to}",
        f"tag what is personal in {places[0]}{to}",
        f"show what is in {places[0]}",
        f"show all tables in {places[0]}",
    ]


def _some_table(known: Known) -> str:
    for name in known.tables:
        if _SIMPLE_NAME.fullmatch(name):
            return f'the table "{name}"'
    return "all tables"


def _said(name: str) -> str:
    return name if _SIMPLE_NAME.fullmatch(name) else f'"{name}"'
