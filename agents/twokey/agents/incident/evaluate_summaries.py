"""``eval summaries``: whether every sentence of a summary is borne out, and whether a summary says what matters.

Rules: the summaries are the product's own, by its own way from bundle to sentence. The scorer is not: it shares no
code with the product's checker, reads times and numbers out of the sentences by itself, and holds them against the
cited answers. ``expected.json`` is read for scoring alone, and may say::

    {
        "cause_service": "a" or null,
        "onset": "2026-01-02T03:04:05Z",
        "alerting_metric": "m",
        "suspects": ["a", "b"],
        "change_events": [{"time": "...", "service": "a"}],
        "timeline": [{"kind": "page", "time": "...", "service": "a"}],
    }

A key that is not there is not asked for. An onset counts within two minutes, a moment within one.
"""

import json
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

from twokey.agents.incident.house import House
from twokey.agents.incident.material import material
from twokey.agents.incident.reading import of_bundle
from twokey.agents.incident.summary import Said, summarize
from twokey.core.canonical import Json
from twokey.core.errors import BadInput

ONSET: Final = timedelta(minutes=2)
MOMENT: Final = timedelta(minutes=1)
_STAMP: Final = re.compile(r"\b(?:(\d{4}-\d\d-\d\d) )?(?:at )?(\d\d):(\d\d):(\d\d)\b")
_DAY: Final = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_SPAN: Final = re.compile(r"\b(?:(\d+) hours? ?)?(?:(\d+) minutes?|(\d+) seconds?)?\b")
_FIGURE: Final = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w-])")
_QUOTED: Final = re.compile("“(.*?)”")
_WORDS: Final = {
    "page": ("page about",),
    "ack": ("acknowledged",),
    "chat": ("wrote",),
    "deploy": ("change of", "acted on"),
    "config": ("change of", "acted on"),
    "change": ("change of", "acted on"),
    "mitigation": ("acted on",),
    "onset": ("began to be unusual",),
    "recovery": ("as before again", "well again"),
}


@dataclass
class Scores:
    """What was counted over all bundles."""

    citations: list[bool] = field(default_factory=list[bool])
    sentences: list[bool] = field(default_factory=list[bool])
    facts: dict[str, list[bool]] = field(default_factory=dict[str, list[bool]])
    moments: list[bool] = field(default_factory=list[bool])
    lengths: list[int] = field(default_factory=list[int])
    milliseconds: list[float] = field(default_factory=list[float])
    unsupported: list[str] = field(default_factory=list[str])
    missed: list[str] = field(default_factory=list[str])


def evaluate(folder: Path) -> dict[str, Any]:
    """Summarize every bundle below ``folder`` and score the summaries.

    Raises:
        BadInput: there is no bundle.

    """
    bundles = sorted(path.parent for path in folder.rglob("incident.json"))
    if not bundles:
        raise BadInput(f"There is no incident bundle below {folder}.", next="Name a folder with bundles.")
    scores = Scores()
    for bundle in bundles:
        _score(bundle, scores)
    every = [right for found in scores.facts.values() for right in found]
    return {
        "cases": len(bundles),
        "citations_resolved": _share(scores.citations),
        "sentences_supported": _share(scores.sentences),
        "facts_recall": _share(every),
        "facts": {name: _share(found) for name, found in sorted(scores.facts.items())},
        "timeline_recall": _share(scores.moments),
        "median_sentences": statistics.median(scores.lengths),
        "ms_per_case": round(statistics.median(scores.milliseconds), 1),
        "unsupported": scores.unsupported[:20],
        "missed": scores.missed[:40],
    }


def _share(found: Sequence[bool]) -> float | None:
    return round(sum(found) / len(found), 4) if found else None


def _score(bundle: Path, scores: Scores) -> None:
    started = time.perf_counter()
    contents = of_bundle(bundle)
    found = material(contents)
    said = summarize(found, House()).said if found is not None else ()
    scores.milliseconds.append(1_000 * (time.perf_counter() - started))
    scores.lengths.append(len(said))
    known = frozenset(_names(contents.values()))
    for one in said:
        resolved = [bool(contents.get(evidence)) for evidence in one.evidence]
        scores.citations += resolved or [False]
        cited = [contents.get(evidence) for evidence in one.evidence]
        borne_out = bool(cited) and all(resolved) and supported(one.text, cited, known)
        scores.sentences.append(borne_out)
        if not borne_out:
            scores.unsupported.append(f"{bundle.name}: {one.text}")
    expected = bundle / "expected.json"
    if expected.exists():
        wanted = cast("dict[str, Any]", json.loads(expected.read_text("utf-8")))
        for name, right in _facts(wanted, said):
            scores.facts.setdefault(name, []).append(right)
            if not right:
                scores.missed.append(f"{bundle.name}: {name}")
        for moment in wanted.get("timeline", ()):
            right = _told(said, moment)
            scores.moments.append(right)
            if not right:
                scores.missed.append(f"{bundle.name}: {moment.get('kind')} at {moment.get('time')}")


# -- whether a sentence is borne out --------------------------------------------------------------------------------


def supported(text: str, cited: Sequence[Json], known: frozenset[str]) -> bool:
    """Tell whether what a sentence says stands in what it cites; ``known`` are all names there are."""
    flat = [leaf for content in cited for leaf in _leaves(content, "")]
    texts = " \n ".join(str(value) for _, value in flat if isinstance(value, str))
    for quoted in _QUOTED.findall(text):
        pieces = [piece.strip().lower() for piece in quoted.split("…")]
        if not all(piece in " ".join(texts.replace("<*>", " ").lower().split()) for piece in pieces):
            return False
    rest = _QUOTED.sub(" ", text).partition(" Owner: ")[0]
    for name in sorted(known, key=len, reverse=True):
        if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", rest):
            if name not in texts:
                return False
            rest = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", " ", rest)
    moments = {int(value) for key, value in flat if key.endswith("_us") and isinstance(value, int)}
    return _times_hold(rest, moments) and _figures_hold(rest, flat, moments, _failed_requests(text, flat))


def _times_hold(text: str, moments: set[int]) -> bool:
    clocks = {_stamp(at).strftime("%H:%M:%S") for at in moments}
    days = {_stamp(at).strftime("%Y-%m-%d") for at in moments}
    return all(f"{h}:{m}:{s}" in clocks for _, h, m, s in _STAMP.findall(text)) and set(_DAY.findall(text)) <= days


def _figures_hold(  # a sentence, what it cites, and a number that was worked out
    text: str, flat: Sequence[tuple[str, object]], moments: set[int], counted: float | None
) -> bool:
    said = sorted({at for at in moments if _stamp(at).strftime("%H:%M:%S") in text})
    apart = [abs(one - other) / 1e6 for one in said for other in said if one != other] or [0.0]
    bare = _DAY.sub(" ", _STAMP.sub(" ", text))
    values = [float(str(value)) for _, value in flat if _is_figure(value)]
    values += [float(str(value)) / 1_000 for key, value in flat if key.startswith("self_") and _is_figure(value)]

    def within(match: re.Match[str]) -> str:
        seconds = _seconds(match)
        loose = 31 if "minute" in match[0] or "hour" in match[0] else 1
        held = any(abs(seconds - other) <= loose for other in apart) or (seconds in values and "samples for" in text)
        return " " if held else match[0]

    bare = re.sub(
        r"\b(?:\d+ hours?)?(?: ?\d+ (?:minutes?|seconds?))?\b", lambda m: within(m) if m[0].strip() else m[0], bare
    )
    for at, figure in enumerate(_FIGURE.findall(bare)):
        number = float(figure.replace(",", ""))
        if at == 0 and counted is not None and abs(number - counted) <= max(1.0, 0.005 * counted):
            continue
        if not any(abs(number - value) <= abs(value) * 0.005 + 1e-12 for value in values):
            return False
    return True


def _failed_requests(text: str, flat: Sequence[tuple[str, object]]) -> float | None:
    """Work out anew how many requests failed, from the points that are cited: share times rate times seconds."""
    if " requests to " not in text or len(_STAMP.findall(text)) != 2:
        return None
    series: list[list[tuple[int, float]]] = []
    called: list[tuple[str, str]] = []
    service, at = "", 0
    for key, value in flat:
        if key == "service":
            service = str(value)
        elif key == "metric":
            called.append((service, str(value)))
            series.append([])
        elif key == "at_us" and series:
            at = int(str(value))
        elif key == "value" and series:
            series[-1].append((at, float(str(value))))
    named = [
        points for name, points in zip(called, series, strict=True) if points and all(each in text for each in name)
    ]
    if len(named) != 2:
        return None
    shares, rates = sorted(named, key=lambda points: max(value for _, value in points))
    clocks = ["{}:{}:{}".format(*found[1:]) for found in _STAMP.findall(text)]
    start, end = (next((t for t in (p[0] for p in shares) if f"{_stamp(t):%H:%M:%S}" == c), None) for c in clocks)
    if start is None or end is None:
        return None
    times = [t for t, _ in shares if start <= t < end] + [end]
    lengths = dict(zip(times, [(b - a) / 1e6 for a, b in pairwise(times)], strict=False))
    rate = {t: next((value for other, value in reversed(rates) if other <= t), 0.0) for t in times}
    return sum(value * rate[t] * lengths[t] for t, value in shares if t in lengths)


def _seconds(match: re.Match[str]) -> float:
    found = {unit: int(count) for count, unit in re.findall(r"(\d+) (hour|minute|second)", match[0])}
    return found.get("hour", 0) * 3600 + found.get("minute", 0) * 60 + found.get("second", 0)


def _is_figure(value: object) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int):
        return True
    return isinstance(value, str) and re.fullmatch(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?", value) is not None


def _leaves(node: Json, key: str) -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        for name, item in node.items():
            yield from _leaves(item, name)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for item in node:
            yield from _leaves(item, key)
    else:
        yield key, node


def _names(contents: Any) -> Iterator[str]:
    for content in contents:
        for key, value in _leaves(content, ""):
            if key in {"service", "metric", "operation", "caller", "callee", "actor", "services"} and value:
                yield str(value)


def _stamp(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us // 1_000_000, tz=UTC)


# -- whether it says what matters -----------------------------------------------------------------------------------


def _facts(wanted: Mapping[str, Any], said: Sequence[Said]) -> Iterator[tuple[str, bool]]:
    texts = [one.text for one in said]
    every = "\n".join(texts)
    if "cause_service" in wanted:
        cause = wanted["cause_service"]
        about = [text for text in texts if "cause" in text]
        named = f"cause lies in {cause}." if cause else "No cause was found"
        yield "cause_service", any(named in text for text in about)
    if wanted.get("onset"):
        near = [at for one in said if "began" in one.text for at in _stamps(one)]
        yield "onset", any(abs(at - _moment(wanted["onset"])) <= ONSET for at in near)
    if wanted.get("alerting_metric"):
        yield "alerting_metric", str(wanted["alerting_metric"]) in every
    for service in wanted.get("suspects", ()):
        yield "suspects", any(str(service) in one.text for one in said if not one.kind.startswith("timeline"))
    for change in wanted.get("change_events", ()):
        yield "change_events", _told(said, {"kind": "change", **change})


def _told(said: Sequence[Said], wanted: Mapping[str, Any]) -> bool:
    at = _moment(str(wanted["time"]))
    words = _WORDS.get(str(wanted.get("kind", "")), ("",))
    service = str(wanted.get("service", ""))
    for one in said:
        if not one.kind.startswith("timeline") or one.at_us is None:
            continue
        if any(word in one.text for word in words) and service in one.text and abs(_stamp(one.at_us) - at) <= MOMENT:
            clock = _stamp(one.at_us).strftime("%H:%M:%S")
            return one.text.startswith((clock, f"{_stamp(one.at_us):%Y-%m-%d} {clock}"))
    return False


def _stamps(one: Said) -> Iterator[datetime]:
    if one.at_us is not None:
        yield _stamp(one.at_us)
    days = _DAY.findall(one.text)
    for _, h, m, s in _STAMP.findall(one.text):
        for day in days:
            yield datetime.fromisoformat(f"{day}T{h}:{m}:{s}+00:00")


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
