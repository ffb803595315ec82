"""Spans in files of OTLP JSON behind the telemetry port. After the OpenTelemetry protocol's JSON form: one
``ExportTraceServiceRequest`` in each line, as the collector's file exporter writes them, or one as a whole file.

Rules: the service is the resource's ``service.name``; ids, names and times that are none are counted and left out;
times are nanoseconds since 1970, as text or numbers; a status of 2 (``STATUS_CODE_ERROR``) is ``error``, 1 is ``ok``.
At most ``MOST_SPANS`` spans of at most ``MOST_BYTES`` of one file are read; a line is at most as long as the reader of
bundles takes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import orjson

from twokey.tools.read.telemetry.bundle.files import Tally, whole_lines
from twokey.tools.read.telemetry.files.patterns import MOST_FILES, matching
from twokey.tools.read.telemetry.port import MAX_NAME, Interval, Span

MOST_SPANS: Final = 2_000_000
MOST_BYTES: Final = 2 * 1024 * 1024 * 1024
MOST_WHOLE: Final = 64 * 1024 * 1024
"""Bytes of a file that is one document."""
_NANO: Final = 1_000_000_000
_STATUS: Final = {0: None, 1: "ok", 2: "error", "STATUS_CODE_UNSET": None, "STATUS_CODE_OK": "ok"}
_ERROR: Final = frozenset({"STATUS_CODE_ERROR"})


class OtlpFiles:
    """Spans of the files that ``patterns`` mean."""

    def __init__(self, folder: Path, patterns: Sequence[str]) -> None:
        self._folder = folder
        self._patterns = tuple(patterns)

    def spans(self, within: Interval, tally: Tally) -> Iterator[Span]:
        """Give the spans that start in ``within``; what falls short goes to ``tally``."""
        left = MOST_SPANS
        for pattern in self._patterns:
            paths, more = matching(self._folder, pattern)
            if more:
                tally.too_much = MOST_FILES
            for path in paths:
                for span in _file(path, tally):
                    if span.time not in within:
                        continue
                    if not left:
                        tally.too_much = MOST_SPANS
                        return
                    left -= 1
                    yield span


def _file(path: Path, tally: Tally) -> Iterator[Span]:
    whole: list[bytes] | None = []
    held = 0
    for block in whole_lines(path.parent, path.name, MOST_BYTES, tally):
        for line in block.split(b"\n"):
            if not line or line.isspace():
                continue
            if whole is not None:
                document = _object(line) if not whole else None
                if document is None:  # the first line is no document: the file as a whole may be one
                    whole.append(line)
                    held += len(line)
                    if held > MOST_WHOLE:
                        tally.too_much = MOST_WHOLE
                        return
                    continue
                whole = None
                yield from _spans(document, tally)
                continue
            document = _object(line)
            if document is None:
                tally.malformed += 1
            else:
                yield from _spans(document, tally)
    if whole:
        document = _object(b"\n".join(whole))
        if document is None:
            tally.unreadable = True
        else:
            yield from _spans(document, tally)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value: Any = orjson.loads(text)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _spans(document: dict[str, Any], tally: Tally) -> Iterator[Span]:
    for resource in _list(document, "resourceSpans"):
        service = _service(resource)
        for scope in _list(resource, "scopeSpans") or _list(resource, "instrumentationLibrarySpans"):
            for found in _list(scope, "spans"):
                span = _span(found, service)
                if span is None:
                    tally.malformed += 1
                else:
                    yield span


def _list(value: object, name: str) -> list[Any]:
    found = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return cast("list[Any]", found) if isinstance(found, list) else []


def _service(resource: object) -> str:
    found = cast("dict[str, Any]", resource).get("resource") if isinstance(resource, dict) else None
    for attribute in _list(found, "attributes"):
        if isinstance(attribute, dict) and cast("dict[str, Any]", attribute).get("key") == "service.name":
            value = cast("dict[str, Any]", attribute).get("value")
            text = cast("dict[str, Any]", value).get("stringValue") if isinstance(value, dict) else None
            return text[:MAX_NAME] if isinstance(text, str) else ""
    return ""


def _span(found: object, service: str) -> Span | None:
    item = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    start, end = _nano(item.get("startTimeUnixNano")), _nano(item.get("endTimeUnixNano"))
    trace, span, name = item.get("traceId"), item.get("spanId"), item.get("name")
    if start is None or end is None or end < start or not (isinstance(trace, str) and isinstance(span, str)):
        return None
    if not trace or not span or not isinstance(name, str):
        return None
    parent, status = item.get("parentSpanId"), item.get("status")
    code = cast("dict[str, Any]", status).get("code", 0) if isinstance(status, dict) else 0
    return Span(
        start / _NANO,
        trace[:MAX_NAME],
        span[:MAX_NAME],
        parent[:MAX_NAME] if isinstance(parent, str) and parent else None,
        service,
        name[:MAX_NAME],
        (end - start) / 1_000_000,
        "error" if code in _ERROR else _STATUS.get(code) if isinstance(code, int | str) else None,
    )


def _nano(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None
