"""What deliveries of Alertmanager and PagerDuty tell: who was paged about what, who took over, when it was over.

Rules: nothing is believed but what a field of the documented shape says; what is missing is missing, and a delivery
that is no such document tells nothing. Texts are outside text: cut, with control characters as blanks. Which page
belongs to which is told by the sender's own keys: of Alertmanager the fingerprint of an alert and when it began, in the
group it was sent with; of PagerDuty the incident.

Sources: the webhook payload of Alertmanager (version 4), and of PagerDuty's webhooks (V3).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from twokey.tools.read.telemetry.times import moment

Kind: TypeAlias = Literal["alertmanager", "pagerduty"]
Happened: TypeAlias = Literal["page", "ack", "resolved"]
MOST_ALERTS: Final = 500
"""Alerts of one delivery that are looked at."""
MAX_TITLE: Final = 300
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PAGERDUTY: Final[Mapping[str, Happened]] = {
    "incident.triggered": "page",
    "incident.reopened": "page",
    "incident.acknowledged": "ack",
    "incident.resolved": "resolved",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One thing that a delivery tells. ``at`` is when it happened, ``began`` when what it is about began (seconds)."""

    happened: Happened
    key: str
    """The same for all that is told of one alert."""
    group: str
    """The same for alerts that the sender takes to belong together."""
    at: float
    began: float
    title: str
    service: str
    who: str


def told(kind: Kind, body: bytes, service_labels: Sequence[str]) -> tuple[Page, ...] | None:
    """Read a delivery; ``None`` where it is none of that kind."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    whole = cast("dict[str, Any]", value)
    return _alertmanager(whole, service_labels) if kind == "alertmanager" else _pagerduty(whole)


def essence(kind: Kind, body: bytes, service_labels: Sequence[str]) -> bytes | None:
    """Give what an incident needs of a delivery, in the form of its sender, so that ``told`` reads it as before.

    That is when it happened, which alert or incident it is about, and the labels that name service and alert. Texts
    that people wrote, who took over, links and all other labels are left out. ``None`` where it tells nothing.
    """
    if not told(kind, body, service_labels):
        return None
    whole: dict[str, Any] = json.loads(body)
    left = _essential_group(whole, service_labels) if kind == "alertmanager" else _essential_event(whole)
    return json.dumps(left, separators=(",", ":")).encode()


def _essential_group(whole: Mapping[str, Any], service_labels: Sequence[str]) -> Mapping[str, Any]:
    names = (*service_labels, "alertname")
    alerts = [
        {key: _text(alert.get(key)) for key in ("status", "fingerprint", "startsAt", "endsAt")}
        | {"labels": {name: _text(labels.get(name)) for name in names if _text(labels.get(name))}}
        for alert in (_map(item) for item in whole["alerts"][:MOST_ALERTS])
        for labels in (_map(alert.get("labels")),)
    ]
    return {"version": "4", "groupKey": whole["groupKey"], "alerts": alerts}


def _essential_event(whole: Mapping[str, Any]) -> Mapping[str, Any]:
    event = _map(whole.get("event"))
    data = _map(event.get("data"))
    about = {key: _text(data.get(key)) for key in ("id", "created_at")}
    service = {"summary": _text(_map(data.get("service")).get("summary"))}
    kept = {key: _text(event.get(key)) for key in ("event_type", "resource_type", "occurred_at")}
    return {"event": {**kept, "data": {**about, "service": service}}}


def _alertmanager(whole: Mapping[str, Any], service_labels: Sequence[str]) -> tuple[Page, ...] | None:
    alerts, group = whole.get("alerts"), whole.get("groupKey")
    if whole.get("version") != "4" or not isinstance(alerts, list) or not isinstance(group, str):
        return None
    found: list[Page] = []
    for item in cast("list[Any]", alerts)[:MOST_ALERTS]:
        alert = _map(item)
        labels, notes = _map(alert.get("labels")), _map(alert.get("annotations"))
        began, ended = moment(_text(alert.get("startsAt"))), moment(_text(alert.get("endsAt")))
        fingerprint = _text(alert.get("fingerprint"))
        if began is None or not fingerprint or alert.get("status") not in {"firing", "resolved"}:
            continue
        title = _text(notes.get("summary")) or _text(notes.get("description")) or _text(labels.get("alertname"))
        page = Page(
            happened="page",
            key=_digest(fingerprint, f"{began:.3f}"),
            group=_digest(group),
            at=began,
            began=began,
            title=title[:MAX_TITLE],
            service=next((text for name in service_labels if (text := _text(labels.get(name)))), ""),
            who="alertmanager",
        )
        found.append(page)
        if alert["status"] == "resolved" and ended is not None and ended >= began:
            found.append(_later(page, "resolved", ended, "alertmanager"))
    return tuple(found)


def _pagerduty(whole: Mapping[str, Any]) -> tuple[Page, ...] | None:
    event = _map(whole.get("event"))
    data, at = _map(event.get("data")), moment(_text(event.get("occurred_at")))
    number = _text(data.get("id"))
    if event.get("resource_type") != "incident" or at is None or not number:
        return None
    happened = _PAGERDUTY.get(_text(event.get("event_type")))
    if happened is None:
        return ()
    reopened = event.get("event_type") == "incident.reopened"
    began = moment(_text(data.get("created_at")))
    page = Page(
        happened="page",
        key=_digest(number, f"{at:.3f}" if reopened else ""),
        group=_digest(number),
        at=at,
        began=at if reopened or began is None else min(began, at),
        title=_text(data.get("title"))[:MAX_TITLE],
        service=_text(_map(data.get("service")).get("summary")),
        who="pagerduty",
    )
    if happened == "page":
        return (page,)
    return (_later(page, happened, at, _text(_map(event.get("agent")).get("summary")) or "pagerduty"),)


def _later(page: Page, happened: Happened, at: float, who: str) -> Page:
    return Page(happened, page.key, page.group, at, page.began, page.title, page.service, who)


def _map(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Give a text as one bounded line."""
    if not isinstance(value, str):
        return ""
    readable = value[:2_000].encode("utf-8", "replace").decode()
    return " ".join(_CONTROL.sub(" ", readable).split())[:MAX_TITLE]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
