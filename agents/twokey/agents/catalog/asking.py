"""Asks a warehouse without a gate, for evaluations only: they keep no evidence and propose nothing.

Rules: the same read tool with the same limits as under the gate; the one place it may read is the one that was named.
"""

from twokey.agents.catalog import reading
from twokey.agents.catalog.reading import Ask
from twokey.core.values import Resource, Value
from twokey.tools.contract import Context, Place, Places
from twokey.tools.read.warehouse import QueryArgs, QueryWarehouse, display_name


def alone(location: str) -> Ask:
    """Give what asks the warehouse at ``location``; answers come without evidence."""
    tool = QueryWarehouse()
    name = display_name(location)
    place = Place(Resource(kind="warehouse", id=name[:400] or "warehouse", granted_by="request"), location)
    context = Context(places=Places((place,)), now_us=0)

    def ask(request: reading.Request) -> tuple[Value, str]:
        return tool.call(QueryArgs(warehouse=place.resource.id, ask=request), context).answer, ""

    return ask
