"""Reading an incident bundle: what is there is given, what is broken is counted, what reaches outside is refused."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.support.incident_bundles import START, iso, write

from twokey.core.errors import BadInput, NotFound
from twokey.tools.read.telemetry.bundle import Bundle, files, find_bundles, samples
from twokey.tools.read.telemetry.port import Edge, Interval, Shortfall, Telemetry

ALL = Interval(START - 10_000, START + 10_000)


def line(**changes: object) -> dict[str, object]:
    return {"time": iso(START), "service": "a", "level": "INFO", "message": "up", **changes}


def span(**changes: object) -> dict[str, object]:
    given: dict[str, object] = {"time": iso(START), "trace_id": "t", "span_id": "s", "parent_id": None}
    return {**given, "service": "a", "operation": "go", "duration_ms": 2.5, "status": None, **changes}


def metrics(folder: Path, content: bytes) -> Bundle:
    write(folder)
    (folder / "metrics.csv").write_bytes(b"time,service,metric,value\n" + content)
    return Bundle(folder)


def test_what_is_there_is_given(tmp_path: Path) -> None:
    event = {"time": "2023-11-14T23:13:20+01:00", "kind": "deploy", "service": "a", "actor": "bot", "text": "1.2"}
    folder = write(
        tmp_path / "b",
        samples=[(START, "a", "m", 1.5), (START + 60, "a", "m", 2)],
        edges=[("a", "b"), ("a", "b")],
        logs=[line()],
        spans=[span(), span(span_id="u", parent_id="s", status="ok")],
        events=[event],
    )
    bundle: Telemetry = Bundle(folder)
    assert [each.service for each in bundle.incidents()] == ["storefront"]
    (series,) = bundle.series(ALL)
    assert (series.service, series.metric) == ("a", "m")
    assert series.times.tolist() == [START, START + 60]
    assert series.values.tolist() == [1.5, 2.0]
    assert bundle.edges() == (Edge("a", "b"),)
    assert [(each.level, each.message, each.time) for each in bundle.logs(ALL)] == [("info", "up", START)]
    assert [(each.id, each.parent, each.status) for each in bundle.spans(ALL)] == [("s", None, None), ("u", "s", "ok")]
    assert [(each.kind, each.time) for each in bundle.events(ALL)] == [("deploy", START)]
    assert bundle.shortfalls() == ()
    assert Bundle(folder).holds() == ("metrics", "logs", "traces", "topology", "events")


def test_files_that_are_missing_are_empty(tmp_path: Path) -> None:
    bundle = Bundle(write(tmp_path / "b"))
    assert bundle.series(ALL) == bundle.edges() == bundle.events(ALL) == ()
    assert not [*bundle.logs(ALL), *bundle.spans(ALL)]
    assert bundle.shortfalls() == bundle.holds() == ()


def test_only_what_lies_in_the_interval_is_given(tmp_path: Path) -> None:
    early, late = Interval(0, START), Interval(START, START + 1)
    bundle = Bundle(write(tmp_path / "b", samples=[(START, "a", "m", 1)], logs=[line()]))
    assert bundle.series(early) == ()
    assert len(bundle.series(late)) == len(list(bundle.logs(late))) == 1
    assert not list(bundle.logs(early))


def test_lines_in_any_order_quoted_or_not_make_the_same_series(tmp_path: Path) -> None:
    bundle = metrics(
        tmp_path / "b",
        b'20,b,m,2\r\n10,a,m,1\n"15",a,m,"3"\n10,"x,y",m,4\n10,"x","y,m",5\n10,b,m,7\n20,b,m,8\n',
    )
    found = {(each.service, each.metric): each for each in bundle.series(Interval(0, 100))}
    assert {key: each.values.tolist() for key, each in found.items()} == {
        ("a", "m"): [1, 3],
        ("b", "m"): [7, 8],  # of two samples at one time the later line counts
        ("x,y", "m"): [4],
        ("x", "y,m"): [5],
    }
    assert bundle.shortfalls() == ()


@pytest.mark.parametrize(
    "bad",
    [
        *(b"1,a,m", b"1,a,m,1,2", b"x,a,m,1", b"1,a,m,nan", b"1,a,m,inf", b"1,a,m,true", b"1,a,m,null", b"1,a,m,"),
        *(b"1,,m,1", b"1,a,,1", b'1,"a,m,1', b"1,a\0,m,1", b"1," + b"a" * 700 + b",m,1", b"1,a,m,[1]", b'"1,a,m,1"'),
    ],
)
def test_a_line_that_is_no_sample_is_counted_and_left_out(tmp_path: Path, bad: bytes) -> None:
    bundle = metrics(tmp_path / "b", b"1,a,m,5\n" + bad + b"\n2,a,m,6")
    (series,) = bundle.series(Interval(0, 10))
    assert series.values.tolist() == [5, 6]
    assert bundle.shortfalls() == (Shortfall("metrics", "malformed", 1),)


def test_numbers_are_read_as_python_reads_them(tmp_path: Path) -> None:
    texts = ["1", "-2.5", "1e3", ".5", "+7", "0.1234567890123456789", "1_0", " 8"]
    rows = "".join(f"{at},a,m,{text}\n" for at, text in enumerate(texts))
    (series,) = metrics(tmp_path / "b", rows.encode()).series(Interval(0, 100))
    assert series.values.tolist() == [float(text) for text in texts]


def test_a_table_larger_than_a_block_is_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK", 64)
    rows = [(at, service, "m", at / 7) for service in "ab" for at in range(200)]
    bundle = Bundle(write(tmp_path / "b", samples=rows))
    one, two = bundle.series(Interval(0, 1000))
    assert one.values.tolist() == two.values.tolist() == [at / 7 for at in range(200)]
    assert np.all(np.diff(one.times) > 0)


def test_too_many_samples_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_SAMPLES", 3)
    bundle = Bundle(write(tmp_path / "b", samples=[(at, "a", "m", 1) for at in range(9)]))
    (series,) = bundle.series(Interval(0, 100))
    assert len(series.times) == 3
    assert bundle.shortfalls() == (Shortfall("metrics", "too_much", 3),)


def test_a_header_of_another_kind_is_unreadable(tmp_path: Path) -> None:
    folder = write(tmp_path / "b")
    (folder / "metrics.csv").write_text("when,who\n1,2\n")
    (folder / "topology.csv").write_text("a,b\nc,d\n")
    bundle = Bundle(folder)
    assert bundle.series(ALL) == bundle.edges() == ()
    assert [(each.signal, each.code) for each in bundle.shortfalls()] == [
        ("metrics", "unreadable"),
        ("topology", "unreadable"),
    ]


def test_records_that_are_none_are_counted(tmp_path: Path) -> None:
    bad_times = ["yesterday", 5, "2023-11-14T22:13:99Z", "2023-11-14T22:13:xxZ", "9" * 400]
    logs = [line(), *(line(time=each) for each in bad_times), line(service=""), line(message=7), line(level=3)]
    spans = [span(), span(duration_ms=-1), span(duration_ms=True), span(trace_id=None), span(duration_ms="1")]
    folder = write(tmp_path / "b", logs=logs, spans=spans, packed=False)
    with (folder / "logs.jsonl").open("a") as file:
        file.write('[1]\n{"broken\n\n   \n')
    bundle = Bundle(folder)
    assert len(list(bundle.logs(ALL))) == len(list(bundle.spans(ALL))) == 1
    assert bundle.shortfalls() == (Shortfall("logs", "malformed", 10), Shortfall("traces", "malformed", 4))


def test_long_texts_are_cut(tmp_path: Path) -> None:
    bundle = Bundle(write(tmp_path / "b", logs=[line(service="s" * 999, message="m" * 99_999)]))
    (found,) = bundle.logs(ALL)
    assert (len(found.service), len(found.message)) == (300, 2_000)


@pytest.mark.parametrize("name", ["metrics.csv", "logs.jsonl", "traces.jsonl.gz", "topology.csv", "events.jsonl"])
@pytest.mark.parametrize("trap", ["link", "pipe", "folder"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, name: str, trap: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("time,service,metric,value\n1,a,m,1\n")
    folder = write(tmp_path / "b")
    if trap == "link":
        (folder / name).symlink_to(secret)
    elif trap == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).mkdir()
    bundle = Bundle(folder)
    assert bundle.series(Interval(0, 10)) == bundle.edges() == bundle.events(ALL) == ()
    assert not [*bundle.logs(ALL), *bundle.spans(ALL)]
    assert [each.code for each in bundle.shortfalls()] == ["unreadable"]


def test_an_archive_that_grows_without_end_is_read_up_to_a_bound(tmp_path: Path) -> None:
    folder = write(tmp_path / "b")
    (folder / "topology.csv.gz").write_bytes(gzip.compress(b"caller,callee\n" + b"a,b\n" * 6_000_000, 9))
    bundle = Bundle(folder)
    assert bundle.edges() == (Edge("a", "b"),)
    assert [each.code for each in bundle.shortfalls()][:1] == ["too_much"]


def test_a_line_without_end_is_not_kept(tmp_path: Path) -> None:
    folder = write(tmp_path / "b")
    (folder / "logs.jsonl.gz").write_bytes(gzip.compress(b"x" * 12_000_000))
    bundle = Bundle(folder)
    assert not list(bundle.logs(ALL))
    assert bundle.shortfalls() == (Shortfall("logs", "unreadable", 1),)


def test_an_archive_that_stops_in_the_middle_gives_what_came_before(tmp_path: Path) -> None:
    folder = write(tmp_path / "b", logs=[line(message=f"{at} {os.urandom(30).hex()}") for at in range(4_000)])
    packed = (folder / "logs.jsonl.gz").read_bytes()
    (folder / "logs.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    bundle = Bundle(folder)
    assert 0 < len(list(bundle.logs(ALL))) < 4_000
    assert ("logs", "unreadable") in [(each.signal, each.code) for each in bundle.shortfalls()]


def test_several_archives_in_one_file_are_one_text(tmp_path: Path) -> None:
    folder = write(tmp_path / "b")
    one = gzip.compress(b"caller,callee\n")
    (folder / "topology.csv.gz").write_bytes(one + gzip.compress(b"a,b\n"))
    assert Bundle(folder).edges() == (Edge("a", "b"),)


def test_the_answer_is_never_opened(tmp_path: Path) -> None:
    folder = write(tmp_path / "b", samples=[(START, "a", "m", 1)], truth={"service": "a"})
    (folder / "truth.json").unlink()
    os.mkfifo(folder / "truth.json")  # who opens it waits for ever
    bundle = Bundle(folder)
    assert len(bundle.series(ALL)) == 1
    assert "truth" not in "".join(bundle.holds())


@pytest.mark.parametrize(
    "about",
    [
        "[]",
        "{",
        '{"id": "x"}',
        json.dumps({"id": 1, "title": "t", "service": "s", "window": {}, "baseline": {}}),
        json.dumps(
            {
                "id": "i",
                "title": "t",
                "service": "s",
                "window": {"from": iso(START + 9), "to": iso(START)},
                "baseline": {"from": iso(START), "to": iso(START)},
            }
        ),
        json.dumps(
            {
                "id": "i",
                "title": "t",
                "service": "s",
                "window": {"from": iso(START), "to": iso(START)},
                "baseline": {"from": iso(START), "to": iso(START)},
            }
        ),
        " " * 100_000,
    ],
)
def test_an_incident_that_says_nothing_usable_is_one_sentence(tmp_path: Path, about: str) -> None:
    folder = write(tmp_path / "b")
    (folder / "incident.json").write_text(about)
    with pytest.raises(BadInput, match=r"incident\.json cannot be used"):
        Bundle(folder)


def test_bundles_are_found_below_a_folder_and_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere" / "x")
    one, two = write(tmp_path / "all" / "z" / "one"), write(tmp_path / "all" / "two")
    (tmp_path / "all" / "linked").symlink_to(elsewhere)
    assert find_bundles(tmp_path / "all") == (two, one)
    assert find_bundles(one) == (one,)
    (tmp_path / "empty").mkdir()
    for nothing in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(NotFound, match="no incident bundle"):
            find_bundles(nothing)
        with pytest.raises(NotFound, match="no incident bundle"):
            Bundle(nothing)
