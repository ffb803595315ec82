"""From a request in words to something that can be planned, or to the question that is open.

Rules:
- what comes out is a plan to look and to propose, or a question; no words lead to anything else;
- it names only places that are known here, and tables that are known where they have been read;
- a model is asked only where the grammar is unsure of the words, never where it is sure of a no, and what the model
  gives is checked as strictly: it chooses among the known, or it is not used.
"""

import json
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, create_model

from twokey.agents.models.port import Models
from twokey.agents.planner import questions
from twokey.agents.planner.grammar import PARTS, Part, Reading, read
from twokey.agents.planner.impacts import understand_impact
from twokey.agents.planner.meaning import Focus, Intent, Known, Unclear, Understood, selects
from twokey.agents.planner.names import find_names
from twokey.agents.planner.words import Role, tokens
from twokey.core.errors import EnvironmentFault
from twokey.tools.desk import Desk

__all__ = ["Focus", "Intent", "Known", "Unclear", "Understood", "selects", "understand", "understand_with_model"]

MAX_TEXT: Final = 4000
"""Characters of a request, as in ``twokey.core.values.Request``."""
MAX_TABLES: Final = 50
_MODEL_TABLES: Final = 200
_MODEL_MAY_HELP: Final = frozenset({"unknown_words", "unknown_table", "no_action", "choose_parts", "qualifier"})
_VERBS_OF_CHANGE: Final = frozenset({Role.DESCRIBE, Role.TAG, Role.PROPOSE})


def understand(text: str, known: Known) -> Understood | Unclear:
    """Read a request by grammar alone. Never raises."""
    found = _understand(text, known)
    if isinstance(found, Understood):
        return found
    code, word = found
    return questions.ask(code, word, known, lambda phrase: isinstance(_understand(phrase, known), Understood))


def _understand(text: str, known: Known) -> Understood | tuple[str, str]:
    if len(text) > MAX_TEXT:
        return "too_long", ""
    asked = understand_impact(text, known)
    if asked is not None:
        return (asked, "") if isinstance(asked, str) else asked
    words = find_names(tokens(text), known)
    if all(word.role in {Role.STOP, Role.COMMA} for word in words):
        return "empty", ""
    reading = read(words)
    problem = questions.worst(reading.problems)
    if problem is not None:
        return problem
    intent = _intent(reading)
    if intent is None:
        return ("only_proposes" if Role.MAKE in reading.heard else "no_action"), ""
    focus = _focus(reading, intent)
    if focus not in {"all", *PARTS}:
        return focus, ""
    return _placed(reading, intent, focus, known)


def _intent(reading: Reading) -> Intent | None:
    heard = reading.heard
    looks = bool(heard & {Role.SCAN, Role.FIND, Role.QUESTION})
    only_looks = Role.ONLY in heard and Role.SCAN in heard
    proposes = (
        bool(heard & _VERBS_OF_CHANGE)
        or (Role.MAKE in heard and bool(reading.wanted))
        or Role.RELATE in heard
        or (Role.FIND in heard and Role.RELATIONSHIPS in heard)
    )
    if reading.no_proposal or (only_looks and not heard & _VERBS_OF_CHANGE):
        return "catalog_scan" if looks or proposes or reading.wanted else None
    if proposes:
        return "catalog_propose"
    return "catalog_scan" if looks else None


def _focus(reading: Reading, intent: Intent) -> Focus | str:
    """Give the focus, or the code of a problem."""
    wanted, excluded = reading.wanted, reading.excluded
    if wanted & excluded:
        return "contradiction"
    if intent == "catalog_scan":
        return next(iter(wanted)) if len(wanted) == 1 else "all"
    if not wanted:
        wanted = set[Part](PARTS) - excluded
    if "sensitivity" in wanted and len(wanted) > 1 and not reading.heard & {Role.TAG, Role.TAGS, Role.PROPOSE}:
        return "choose_parts"
    if len(wanted) == 1:
        return next(iter(wanted))
    return "choose_parts" if excluded else "all"


def _placed(reading: Reading, intent: Intent, focus: str, known: Known) -> Understood | tuple[str, str]:
    warehouses, repositories = set(reading.warehouses), set(reading.repositories)
    if len(warehouses) > 1 or len(repositories) > 1 or len(reading.tables) > MAX_TABLES:
        return "one_at_a_time", ""
    warehouse = warehouses.pop() if warehouses else known.warehouse
    if warehouse is None:
        return "which_warehouse" if known.warehouses else "no_warehouse", ""
    repository: str | None = ""
    if intent == "catalog_propose":
        repository = repositories.pop() if repositories else known.repository
    if repository is None:
        return "which_repository" if known.repositories else "no_repository", ""
    tables = tuple(dict.fromkeys(reading.tables))
    return Understood(intent, warehouse, repository, tables, _as_focus(focus))


def _as_focus(text: str) -> Focus:
    return "all" if text == "all" else next(part for part in PARTS if part == text)


# -- with a model ----------------------------------------------------------------------------------------------------


class ModelReading(BaseModel):
    """What a model may answer: a choice in each field, and filters for tables that are checked against the known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    job: Literal["catalog_propose", "catalog_scan", "something_else"]
    focus: Literal["all", "sensitivity", "descriptions", "relationships"]
    warehouse: str
    repository: str
    tables: list[str] = Field(max_length=MAX_TABLES)
    sure: bool


_INSTRUCTIONS: Final = (
    "You read a request to an assistant that documents databases. Say which job it asks for."
    " catalog_propose: propose descriptions, tags for personal data, tests or relationships."
    " catalog_scan: only look at tables and report. something_else: anything else, also when it asks to approve, merge,"
    " change or delete something. focus: the one part that is asked for, or all."
    " warehouse and repository: a name from the lists, or an empty string where none is named."
    " tables: names of tables, or parts of names between asterisks, as the request says; empty for all tables."
    " sure: false if the request excludes something or could mean something else."
)


def understand_with_model(models: Models, desk: Desk, text: str, known: Known) -> Understood | Unclear:
    """Read a request by grammar and, where that is unsure of the words, with the small model.

    Gives the grammar's question where the model declines, is unsure, or names anything that is not known; also where
    it cannot be reached, which the question then says.

    Raises:
        LogUnavailable: the call could not be recorded.

    """
    found = understand(text, known)
    if isinstance(found, Understood) or found.code not in _MODEL_MAY_HELP or not models.configured("small"):
        return found
    material = {
        "request": text,
        "warehouses": list(known.warehouses),
        "repositories": list(known.repositories),
        "tables": list(known.tables[:_MODEL_TABLES]),
    }
    try:
        answer = models.ask(
            desk,
            step=0,
            tier="small",
            instructions=_INSTRUCTIONS,
            material=json.dumps(material, ensure_ascii=False),
            answer=_choices(known),
        )
    except EnvironmentFault as fault:
        return Unclear(found.code, f"{found.question} (The model could not help: {fault.message})", found.suggestions)
    return (_from_model(answer, known) if answer else None) or found


def _choices(known: Known) -> type[ModelReading]:
    """Close the answer's schema over the names that are known."""
    closed = cast("Any", Literal)
    names: dict[str, Any] = {
        "warehouse": (closed[("", *known.warehouses)], ...),
        "repository": (closed[("", *known.repositories)], ...),
    }
    return create_model("RequestReading", __base__=ModelReading, **names)


def _from_model(answer: ModelReading, known: Known) -> Understood | None:
    """Check a model's reading as the grammar's own: through the same names, into the same meaning."""
    if not answer.sure or answer.job == "something_else":
        return None
    reading = Reading(
        warehouses=[answer.warehouse] if answer.warehouse else [],
        repositories=[answer.repository] if answer.repository else [],
    )
    if not {*reading.warehouses} <= {*known.warehouses} or not {*reading.repositories} <= {*known.repositories}:
        return None
    for table in answer.tables:
        words = find_names(tokens(f"the table {table}"), known)[2:]
        if len(words) != 1 or words[0].kind != "tables":
            return None
        reading.tables.extend(words[0].tables)
    placed = _placed(reading, answer.job, answer.focus, known)
    return placed if isinstance(placed, Understood) else None
