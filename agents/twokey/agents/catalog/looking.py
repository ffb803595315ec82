"""Reading and understanding a warehouse without a run: for checks in CI and for evaluations.

Rules: the tool and the conclusions are those of a scan; only the gate and the evidence are missing, because nothing is
proposed, kept or told to an agent here. The place is the one that the person named, and no other.
"""

from typing import Final

from twokey.agents.catalog import reading, understanding
from twokey.agents.catalog.facts import Join
from twokey.agents.catalog.joins import Counted
from twokey.agents.catalog.reading import Ask
from twokey.agents.catalog.understanding import Understanding
from twokey.core.values import Resource, Value
from twokey.tools.contract import Context, Place, Places
from twokey.tools.read.warehouse import (
    ProfileResult,
    QueryArgs,
    QueryWarehouse,
    SchemaResult,
    display_name,
)

MAX_NAME: Final = 400


def alone(location: str) -> Ask:
    """Ask a warehouse without a gate; no evidence is kept, so its id is empty."""
    tool = QueryWarehouse()
    name = display_name(location)
    place = Place(Resource(kind="warehouse", id=name[:MAX_NAME] or "warehouse", granted_by="request"), location)
    context = Context(places=Places((place,)), now_us=0)

    def ask(request: reading.Request) -> tuple[Value, str]:
        return tool.call(QueryArgs(warehouse=place.resource.id, ask=request), context).answer, ""

    return ask


def understood(schema: SchemaResult, ask: Ask, wanted: tuple[str, ...] = ()) -> Understanding:
    """Understand a warehouse as a scan does: profile, propose, count, settle.

    Args:
        schema: What the warehouse declares.
        ask: Asks it.
        wanted: Filters of tables as in a plan; empty for all.

    """
    infos = reading.names_of(schema)
    bare = reading.warehouse_of(schema)
    chosen = reading.chosen(bare, wanted)
    profiles: dict[str, ProfileResult] = {}
    readable = [(key, infos[key]) for key in chosen if not infos[key].problem and infos[key].columns]
    for found in reading.profiles(ask, readable):
        # a table that cannot be profiled is judged by its names, as in a scan
        profiles.update({read.table: read.profile for read in found if read.profile is not None})
    warehouse = reading.with_profiles(bare, profiles)
    questions = understanding.questions(warehouse, chosen)
    asked = questions.all
    checks = reading.checks_of(asked, infos)
    answered = {fact.check: fact for _, result, _ in reading.counts(ask, checks) for fact in result.checks}
    counts: dict[Join, Counted] = {}
    for join, check in zip(asked, checks, strict=True):
        counted = reading.counted(answered[check])
        if counted is not None:
            counts[join] = counted
    return understanding.understand(warehouse, chosen, counts, questions)
