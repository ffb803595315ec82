"""What a summary is told from: what was read, the ranking, and what happened when."""

from collections.abc import Callable
from dataclasses import dataclass

from twokey.agents.incident import impact
from twokey.agents.incident.material import DEGRADES, Material
from twokey.agents.incident.shown import name
from twokey.agents.incident.suspicion import Suspicion
from twokey.agents.incident.timeline import STRONG, Moment, timeline
from twokey.tools.read.telemetry.values import MetricChange


@dataclass(frozen=True)
class Story:
    """All that sentences are made from."""

    material: Material
    suspicion: Suspicion
    moments: tuple[Moment, ...]
    owner: Callable[[str], str]
    """Who answers for a service: a rung of the escalation ladder, and who is on it."""
    deployed: tuple[tuple[str, str], ...] = ()
    """Repositories, and the service that is deployed from each."""

    def first(self, *kinds: str) -> Moment | None:
        """Give the first moment of these kinds."""
        return next((one for one in self.moments if one.kind in kinds), None)

    @property
    def onset(self) -> Moment | None:
        """When it began."""
        return self.first("onset")

    @property
    def page(self) -> Moment | None:
        """The page that belongs to it: the first about it that comes with or after the onset, else the last before."""
        window = self.material.about.window
        pages = [one for one in self.moments if one.kind == "page" and one.at_us < window.end_us]
        onset = self.onset
        start = onset.at_us if onset else window.start_us
        return next((one for one in pages if one.at_us >= start), pages[-1] if pages else None)

    @property
    def recovery(self) -> Moment | None:
        """When it was measured to be over."""
        return next((one for one in self.moments if one.kind == "recovery" and one.measured), None)

    def alerting(self) -> MetricChange | None:
        """Give the metric that stands out most in the service that alerted."""
        mine = impact.of_service(self.material, self.material.about.service)
        worse = [one for one in mine if one.meaning in DEGRADES and one.abnormal >= STRONG]
        strong = worse or [one for one in mine if one.abnormal >= STRONG] or list(mine)
        return max(strong, key=lambda one: abs(float(one.deviation)), default=None)


def tell(
    material: Material,
    suspicion: Suspicion,
    owner: Callable[[str], str],
    deployed: tuple[tuple[str, str], ...] = (),
) -> Story:
    """Put what is known together."""
    return Story(material, suspicion, timeline(material, suspicion.suspects), owner, deployed)


def acknowledged(story: Story) -> Moment | None:
    """Give the first acknowledgement of the page."""
    page = story.page
    if page is None:
        return None
    return next((one for one in story.moments if one.kind == "ack" and one.at_us >= page.at_us), None)


def mitigated(story: Story) -> Moment | None:
    """Give the last mitigation before it was well again, or the last one."""
    start = story.onset or story.page
    found = [one for one in story.moments if one.kind == "mitigation" and (not start or one.at_us >= start.at_us)]
    back = story.recovery
    before = [one for one in found if back is None or one.at_us <= back.at_us]
    return (before or found or [None])[-1]


def began(onset: Moment) -> dict[str, str]:
    """Give what began, and where, as a sentence says it."""
    return {"metric": name(onset.what), "where": name(onset.service)}
