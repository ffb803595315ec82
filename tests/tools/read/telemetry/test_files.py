"""Files that the settings name: log files, OTLP spans, events, call edges, git history; bounded, and no link is followed."""

import datetime as dt
import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from twokey.tools.read.telemetry import deployments
from twokey.tools.read.telemetry.bundle.files import Tally
from twokey.tools.read.telemetry.files import logs, otlp, patterns, told
from twokey.tools.read.telemetry.files.logs import LogFiles
from twokey.tools.read.telemetry.files.otlp import OtlpFiles
from twokey.tools.read.telemetry.port import Interval, LogRecord, Signal
from twokey.tools.read.telemetry.times import moment

START = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC).timestamp()
WITHIN = Interval(START, START + 3_600)
LATE = START + 7_200


def read(folder: Path, service: str = "web", pattern: str = "*.log*", **more: Any) -> tuple[list[LogRecord], Tally]:
    tally = Tally("logs")
    found = list(LogFiles(folder, {service: pattern}, **more).logs(WITHIN, tally))
    return found, tally


def put(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(path, (LATE, LATE))
    return path


@pytest.mark.parametrize(
    ("line", "seconds", "level", "message"),
    [
        ("2026-03-01T12:00:01Z it works", 1, "", "it works"),
        ("2026-03-01 12:00:01,250 ERROR [main] it failed", 1.25, "error", "ERROR [main] it failed"),
        ("2026-03-01T13:00:01+01:00 INFO hello", 1, "info", "INFO hello"),
        ("[2026-03-01 12:00:01] WARN slow", 1, "warn", "WARN slow"),
        ("<13>Mar  1 12:00:01 host app[1]: hello", 1, "", "host app[1]: hello"),
        (f"{START + 1:.0f} DEBUG in seconds", 1, "debug", "DEBUG in seconds"),
        (f"{START * 1000 + 1500:.0f} in milliseconds", 1.5, "", "in milliseconds"),
        (
            '10.0.0.9 - - [01/Mar/2026:13:00:01 +0100] "GET /" 500 12',
            1,
            "",
            '10.0.0.9 - - [01/Mar/2026:13:00:01 +0100] "GET /" 500 12',
        ),
        ('{"time": "2026-03-01T12:00:01Z", "level": "WARN", "message": "m"}', 1, "warn", "m"),
        (f'{{"ts": {START + 1}, "severity": "critical", "msg": "m", "service": "other"}}', 1, "fatal", "m"),
    ],
)
def test_lines_of_many_writers(tmp_path: Path, line: str, seconds: float, level: str, message: str):
    put(tmp_path / "a.log", line)
    [found], tally = read(tmp_path)
    assert (found.time - START, found.service, found.level, found.message) == (seconds, "web", level, message)
    assert tally.shortfalls() == ()


def test_a_stack_trace_belongs_to_its_line_and_lines_before_the_first_time_are_counted(tmp_path: Path):
    put(
        tmp_path / "a.log",
        "no time yet",
        '{"no": "time"}',
        "2026-03-01T12:00:01Z ERROR it failed",
        "  at one",
        "  at two",
        "2026-03-01T11:00:01Z too early",
        "  and its rest",
        "2026-03-01T12:00:02Z good",
        "x" * 5_000,
        "and more",
    )
    found, tally = read(tmp_path)
    assert [line.message[:40] for line in found] == ["ERROR it failed\n  at one\n  at two", "good\n" + "x" * 35]
    assert len(found[1].message) == 2_000
    assert tally.malformed == 2


def test_a_zone_and_a_year_are_taken_from_around(tmp_path: Path):
    put(tmp_path / "a.log", "2026-03-01 13:00:01 in Berlin")
    [found], _ = read(tmp_path, zone=ZoneInfo("Europe/Berlin"))
    assert found.time == START + 1
    path = put(tmp_path / "b.log", "Dec 31 23:59:59 old", "Mar  1 12:00:01 new", "Feb 30 12:00:00 never")
    os.utime(path, (START + 60, START + 60))
    found, _ = read(tmp_path, pattern="b.log")
    assert [line.message for line in found] == ["new\nFeb 30 12:00:00 never"]


def test_packed_and_rotated_files_are_read_and_links_are_not(tmp_path: Path):
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    put(secret / "secret", "2026-03-01T12:00:01Z password")
    folder = tmp_path / "logs"
    folder.mkdir()
    put(folder / "a.log", "2026-03-01T12:00:03Z third")
    (folder / "a.log.1.gz").write_bytes(gzip.compress(b"2026-03-01T12:00:02Z second\n"))
    (folder / "b.log").symlink_to(secret / "secret")
    os.mkfifo(folder / "c.log")
    found, tally = read(folder)
    assert sorted(line.message for line in found) == ["second", "third"]
    assert tally.unreadable


def test_files_lines_and_bombs_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(5):
        put(tmp_path / f"{number}.log", *(f"2026-03-01T12:00:0{at}Z line" for at in range(5)))
    monkeypatch.setattr(patterns, "MOST_FILES", 3)
    found, tally = read(tmp_path)
    assert (len(found), tally.too_much) == (15, 1_000)
    monkeypatch.setattr(logs, "MOST_LINES", 7)
    found, tally = read(tmp_path)
    assert (len(found), tally.too_much) == (7, 7)
    monkeypatch.setattr(logs, "MOST_BYTES", 1_000)
    (tmp_path / "bomb.log.gz").write_bytes(gzip.compress(b"2026-03-01T12:00:01Z " + b"x" * 50_000_000))
    found, tally = read(tmp_path, pattern="bomb*")
    assert len(found) <= 1
    assert tally.too_much == 1_000
    assert read(tmp_path, pattern="nothing*") == ([], Tally("logs"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T00:00:00Z",
        "12",
        "9" * 20,
        "2026-03-01T12:00:00Z and more",
        "2026-03-01T25:00:00Z",
        "31/Foo/2026:12:00:00 +0000",
    ],
)
def test_what_is_no_time_is_none(text: str):
    assert moment(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-03-01T12:00:00Z", 0.0),
        ("2026-03-01 12:00:00.123456789 +0000", 0.123456789),
        ("2026-03-01T12:00", 0.0),
        ("2026-03-01T11:59:60Z", 0.0),
        ("2026-03-01T04:30:00-07:30", 0.0),
        ("01/Mar/2026:12:00:00 +0000", 0.0),
        (f"{START:.0f}000000", 0.0),
        (f"{START:.0f}000000000", 0.0),
        (f"{START:.0f}.5", 0.5),
    ],
)
def test_times_in_many_forms(text: str, seconds: float):
    found = moment(text)
    assert found is not None
    assert abs(found - START - seconds) < 1e-5


# -- spans ---------------------------------------------------------------------------------------------------------------


def span(number: int, **more: Any) -> dict[str, Any]:
    start = int((START + number) * 1e9)
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": f"{number:016x}",
        "parentSpanId": "",
        "name": "GET /",
        "kind": 2,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 25_000_000),
        "attributes": [],
        "status": {"code": 2} if number == 1 else {},
    } | more


def document(*spans: Any, service: str = "basket") -> dict[str, Any]:
    attributes = [
        {"key": "host", "value": {"stringValue": "h"}},
        {"key": "service.name", "value": {"stringValue": service}},
    ]
    return {
        "resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}]
    }


def spans(folder: Path) -> tuple[list[Any], Tally]:
    tally = Tally("traces")
    return list(OtlpFiles(folder, ["*.json*"]).spans(WITHIN, tally)), tally


def test_spans_come_from_lines_and_from_a_whole_document(tmp_path: Path):
    lines = [
        json.dumps(document(span(0), span(1, parentSpanId=f"{0:016x}"))),
        "no document",
        json.dumps(document(span(2), service="search")),
    ]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "whole.json").write_text(json.dumps(document(span(3), span(4_000)), indent=2), encoding="utf-8")
    found, tally = spans(tmp_path)
    assert [(one.service, one.time - START, one.milliseconds, one.status, one.parent) for one in found] == [
        ("basket", 0, 25.0, None, None),
        ("basket", 1, 25.0, "error", f"{0:016x}"),
        ("search", 2, 25.0, None, None),
        ("basket", 3, 25.0, None, None),
    ]
    assert tally.malformed == 1


@pytest.mark.parametrize(
    "broken",
    [
        "x",
        span(1, startTimeUnixNano="soon"),
        span(1, endTimeUnixNano=None),
        span(1, endTimeUnixNano="1"),
        span(1, startTimeUnixNano="9" * 20),
        span(1, startTimeUnixNano=True),
        span(1, traceId=""),
        span(1, spanId=7),
        span(1, name=None),
    ],
)
def test_what_is_no_span_is_counted(tmp_path: Path, broken: Any):
    (tmp_path / "a.json").write_text(
        json.dumps(document(broken, span(2, status="x", startTimeUnixNano=int(START * 1e9)))), encoding="utf-8"
    )
    found, tally = spans(tmp_path)
    assert (len(found), tally.malformed) == (1, 1)


def test_a_file_that_is_no_document_is_unreadable_and_others_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "a.json").write_text("[1,\n2]\n{", encoding="utf-8")
    assert spans(tmp_path)[1].unreadable
    (tmp_path / "a.json").write_text(
        json.dumps({"resourceSpans": [{}, 7, {"resource": [], "scopeSpans": [{}]}]}), encoding="utf-8"
    )
    assert spans(tmp_path) == ([], Tally("traces"))
    (tmp_path / "a.json").write_text(json.dumps(document(*map(span, range(9)))), encoding="utf-8")
    monkeypatch.setattr(otlp, "MOST_SPANS", 4)
    found, tally = spans(tmp_path)
    assert (len(found), tally.too_much) == (4, 4)
    monkeypatch.setattr(otlp, "MOST_WHOLE", 10)
    (tmp_path / "a.json").write_text(json.dumps(document(span(1)), indent=1), encoding="utf-8")
    assert spans(tmp_path)[1].too_much == 10


# -- events, edges, deployments --------------------------------------------------------------------------------------------


def tally_of(signal: Signal) -> Tally:
    return Tally(signal)


def test_events_and_edges_are_read_as_those_of_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    event = {"time": "2026-03-01T12:00:01Z", "kind": "config", "service": "web", "actor": "ana", "text": "flag on"}
    put(tmp_path / "events.jsonl", json.dumps(event), "no event", json.dumps(event | {"time": "2026-03-02T12:00:01Z"}))
    events = tally_of("events")
    assert [one.text for one in told.events_of(tmp_path, ["events*"], WITHIN, events)] == ["flag on"]
    assert events.malformed == 1
    put(tmp_path / "calls.csv", "caller,callee", "web,basket", "web,basket", "one", "a,b,c", "basket,stock")
    edges = tally_of("topology")
    found = told.edges_of(tmp_path, ["calls.csv"], edges)
    assert [(one.caller, one.callee) for one in found] == [("basket", "stock"), ("web", "basket")]
    assert edges.malformed == 2
    monkeypatch.setattr(told, "MOST_EDGES", 1)
    assert len(told.edges_of(tmp_path, ["calls.csv"], edges)) == 1
    assert edges.too_much == 1


def git(folder: Path, *words: str, at: float = START) -> None:
    environment = {
        "GIT_AUTHOR_NAME": "Ana Diaz",
        "GIT_AUTHOR_EMAIL": "ana@private.example",
        "GIT_COMMITTER_NAME": "x",
        "GIT_COMMITTER_EMAIL": "x@x",
        "GIT_AUTHOR_DATE": f"{at:.0f} +0200",
        "GIT_COMMITTER_DATE": f"{at:.0f} +0200",
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
    }
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, env=environment)


def test_what_came_into_a_branch_is_a_deployment_with_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    empty = tally_of("events")
    assert list(deployments.from_git(str(repo), "web", WITHIN, empty)) == []
    git(repo, "commit", "-q", "--allow-empty", "-m", "before", at=START - 60)
    git(repo, "checkout", "-q", "-b", "side")
    git(repo, "commit", "-q", "--allow-empty", "-m", "on a side", at=START + 10)
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "side", "-m", "Merge the side\n\nwith a body", at=START + 20)
    git(repo, "commit", "-q", "--allow-empty", "-m", "after", at=START + 7_200)
    [found] = deployments.from_git(str(repo), "web", WITHIN, empty)
    assert (found.time, found.kind, found.service, found.actor) == (START + 20, "deploy", "web", "Ana Diaz")
    commit, _, subject = found.text.partition(" ")
    assert (len(commit), subject) == (12, "Merge the side")
    assert empty.shortfalls() == ()
    monkeypatch.setattr(deployments, "MOST_COMMITS", 1)
    assert list(deployments.from_git(str(repo), "web", WITHIN, empty)) == []
    assert empty.too_much == 1
    broken = tally_of("events")
    assert list(deployments.from_git(str(tmp_path), "web", WITHIN, broken)) == []
    assert broken.unreadable
