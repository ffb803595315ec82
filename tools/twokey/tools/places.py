"""Which places a run may touch, and where they really are.

Rules: a place comes from the workspace's settings or from the request of an authenticated person, never from what was
read. The name of a place that a request named *is* its location without credentials, so it is covered by the
proposal's digest and no database row can redirect it.
"""

from collections.abc import Iterable, Mapping

from twokey.core.values import Resource
from twokey.tools.contract import Place, Places


class PlaceBook:
    """Resolves resources to places. ``configured`` maps the names in the settings to locations."""

    def __init__(
        self,
        configured: Iterable[Place] = (),
        secrets: Mapping[str, str] | None = None,
        names: Iterable[str] = (),
    ) -> None:
        """``names`` are what the settings let a write use besides places: labels, people."""
        self._names = frozenset(names)
        self._configured = {(place.resource.kind, place.resource.id): place for place in configured}
        self._secrets = dict(secrets or {})

    def remember(self, name: str, location: str) -> None:
        """Keep, in this process only, the full location (with its password) of a place that a request named."""
        self._secrets[name] = location

    def configured(self) -> tuple[Place, ...]:
        """What the settings name."""
        return tuple(self._configured.values())

    def places(self, resources: Iterable[Resource]) -> Places:
        """Give the allow-list for a run that was granted ``resources``."""
        found: list[Place] = []
        for resource in resources:
            if resource.granted_by == "config":
                place = self._configured.get((resource.kind, resource.id))
                if place is not None:
                    found.append(place)
            else:
                found.append(Place(resource, self._secrets.get(resource.id, resource.id)))
        return Places(tuple(found), self._names)
