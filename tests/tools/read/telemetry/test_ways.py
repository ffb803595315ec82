"""Which way code goes through its work: what is news, what is other work, and whose doing it is."""

from collections.abc import Callable, Iterable
from random import Random

import pytest
from tests.support.incident_bundles import START

from twokey.tools.read.telemetry.changes import work as working
from twokey.tools.read.telemetry.changes.lines import read_lines
from twokey.tools.read.telemetry.changes.ways import Way
from twokey.tools.read.telemetry.changes.weighing import ANOTHER_MOMENT
from twokey.tools.read.telemetry.changes.work import Work
from twokey.tools.read.telemetry.port import Interval, LogRecord, Span

WINDOW = Interval(START, START + 600)
Steps = list[tuple[str, ...]]
"""Each a line (``level``, ``message``) or a call (``service``, ``operation``, ``status``)."""


class Played:
    """Pieces of work of one service, one every two seconds, as spans with lines that carry the span's id."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.lines: list[LogRecord] = []

    def play(
        self, start: float, many: int, steps: Callable[[int], Steps], service: str = "pay", named: str = "span"
    ) -> "Played":
        for at in range(many):
            time = start + 2 * at
            trace, span = f"{len(self.spans):08x}{'a' * 23}1", f"{len(self.spans):08x}bbbbbbb2"
            self.spans.append(Span(time, trace, span, None, service, "charge", 100, None))
            carried = {"span": f"{trace} {span}", "trace": trace, "none": "-"}[named]
            for number, step in enumerate(steps(at)):
                moment = time + (number + 1) / 1_000
                if len(step) == 2:
                    self.lines.append(LogRecord(moment, service, step[0], f"{carried} {step[1]}"))
                else:
                    called, operation, status = step
                    below = f"{len(self.spans):08x}ccccccc3"
                    self.spans.append(Span(moment, trace, below, span, called, operation, 1, status or None))
        return self

    def changed(self) -> list[Way]:
        work = Work(self.spans, WINDOW)
        for line in sorted(self.lines, key=lambda line: line.time):
            work.line(line, bad=line.level == "error")
        return work.changed([span.status == "error" for span in self.spans])


def whole(_: int) -> Steps:
    return [("info", "rules loaded"), ("info", "card charged"), ("info", "receipt written")]


def short(_: int) -> Steps:
    return [("info", "rules loaded")]


@pytest.mark.parametrize("named", ["span", "trace"])
def test_a_line_that_no_longer_follows_is_news(named: str) -> None:
    found = Played().play(START - 400, 40, whole, named=named).play(START, 30, short, named=named).changed()
    gone = next(way for way in found if way.kind == "gone")
    assert (gone.service, gone.operation, gone.callees, gone.failure) == ("pay", "charge", (), False)
    assert (gone.first.rpartition(" ")[2], gone.then.rpartition(" ")[2]) == ("loaded", "charged")
    assert (gone.before, gone.after, gone.since) == ((40, 40), (0, 30), START)
    assert gone.strength > 3
    early = next(way for way in found if way.kind == "new")
    assert (early.first, early.then) == (gone.first, "(end)")


def test_other_work_is_no_news() -> None:
    """Reads and writes take ways of their own: more reads than before change no way."""
    random = Random(5)  # noqa: S311 - a fixed stream

    def mixed(share: float) -> Callable[[int], Steps]:
        def steps(_: int) -> Steps:
            kind = "read" if random.random() < share else "write"
            return [("info", f"{kind} begins"), ("info", f"{kind} goes on"), ("info", f"{kind} is done")]

        return steps

    found = Played().play(START - 400, 60, mixed(0.4)).play(START, 60, mixed(0.8)).changed()
    assert [way for way in found if way.strength > 1] == []


def test_a_new_error_counts_more_than_a_new_line_and_its_end_does_not_count() -> None:
    def with_last(level: str) -> Callable[[int], Steps]:
        return lambda _: [("info", "rules loaded"), (level, "card refused")]

    failing = Played().play(START - 400, 40, short).play(START, 30, with_last("error")).changed()
    saying = Played().play(START - 400, 40, short).play(START, 30, with_last("info")).changed()
    assert failing[0].failure
    assert failing[0].then.endswith("card refused")
    assert failing[0].strength > saying[0].strength
    ended = Played().play(START - 400, 40, with_last("error")).play(START, 30, short).changed()
    assert ended == []


def test_what_stands_beside_errors_alone_is_a_sign_of_failure() -> None:
    """A handler of errors logs no error itself: that it is not called any more is no harm."""

    def sometimes_refused(at: int) -> Steps:
        refused = [("pay", "handle refusal", ""), ("error", "card refused")]
        return [("info", "rules loaded"), *(refused if at % 2 else [("info", "card charged")])]

    before = Played().play(START - 400, 60, sometimes_refused)
    assert before.play(START, 30, lambda _: [("info", "rules loaded"), ("info", "card charged")]).changed() == []


def test_a_break_after_a_call_names_the_one_that_was_called() -> None:
    def paid(_: int) -> Steps:
        return [("info", "begun"), ("bank", "book", ""), ("info", "booked")]

    def cut(status: str) -> Callable[[int], Steps]:
        return lambda _: [("info", "begun"), ("bank", "book", status)]

    found = Played().play(START - 400, 40, paid).play(START, 30, cut("")).changed()
    assert {(way.service, way.callees, way.hidden) for way in found} == {("pay", ("bank",), True)}
    failed = Played().play(START - 400, 40, paid).play(START, 30, cut("error")).changed()
    new = next(way for way in failed if way.kind == "new")
    assert (new.then, new.callees, new.call_failed, new.failure) == ("bank: book", ("bank",), True, True)


def test_one_that_shows_its_own_steps_is_not_hidden() -> None:
    played = Played().play(START - 400, 40, lambda _: [("info", "begun"), ("bank", "charge", ""), ("info", "booked")])
    played.play(START, 30, lambda _: [("info", "begun"), ("bank", "charge", "")])
    played.play(START - 400, 40, whole, service="bank").play(START, 5, whole, service="bank")
    assert not next(way for way in played.changed() if way.service == "pay").hidden


def test_a_span_that_only_calls_is_the_call() -> None:
    spans = []
    for at in range(60):
        time, trace = START - 60 + 2 * at, f"t{at}"
        spans.append(Span(time, trace, f"{at}a", None, "shop", "order", 9, None))
        if at < 30:
            spans.append(Span(time, trace, f"{at}b", f"{at}a", "shop", "POST", 8, None))
            spans.append(Span(time, trace, f"{at}c", f"{at}b", "pay", "charge", 7, None))
    found = Work(spans, WINDOW).changed([False] * len(spans))
    assert {(way.operation, way.then, way.kind) for way in found} == {
        ("order", "pay: charge", "gone"),
        ("order", "(end)", "new"),
    }


def test_the_services_that_an_inner_operation_reaches_are_named() -> None:
    spans = []
    for at in range(60):
        time, trace = START - 60 + 2 * at, f"t{at}"
        spans.append(Span(time, trace, f"{at}a", None, "shop", "order", 9, None))
        spans.append(Span(time, trace, f"{at}b", f"{at}a", "shop", "prepare", 5, None))
        for number, called in enumerate(("pay", "stock")):
            spans.append(Span(time + 0.001 * number, trace, f"{at}{called}", f"{at}b", called, "ask", 1, None))
        spans.append(Span(time, trace, f"{at}s", f"{at}b", "shop", "sum up", 1, None))
        if at < 30:
            spans.append(Span(time + 0.006, trace, f"{at}d", f"{at}a", "shop", "answer", 1, None))
    gone = next(way for way in Work(spans, WINDOW).changed([False] * len(spans)) if way.kind == "gone")
    assert (gone.first, gone.then, gone.callees) == ("prepare", "answer", ("pay", "stock"))


def test_the_start_of_a_window_is_a_guess() -> None:
    found = Played().play(START - 400, 165, whole).play(START - 70, 60, short).changed()
    gone = next(way for way in found if way.kind == "gone")
    assert gone.since == START - 75
    late = Played().play(START - 400, 200, whole).play(START, 60, short).changed()
    assert next(way for way in late if way.kind == "gone").strength > gone.strength + ANOTHER_MOMENT / 2


def test_few_pieces_of_work_say_nothing() -> None:
    assert Played().play(START - 400, 40, whole).play(START, 3, short).changed() == []
    assert Played().play(START - 400, 3, whole).play(START, 40, short).changed() == []


def test_a_log_that_went_missing_is_no_change_of_work() -> None:
    before = Played().play(START - 400, 40, lambda _: [*whole(0), ("bank", "book", "")])
    assert before.play(START, 30, lambda _: [("bank", "book", "")]).changed() == []


def test_lines_without_spans_are_threads_by_their_first_id_and_a_stream_without() -> None:
    def lines(start: float, many: int, said: Iterable[str], thread: bool) -> list[LogRecord]:
        return [
            LogRecord(start + 2 * at + number / 1_000, "pay", "info", f"{at:08x}0f {one}" if thread else one)
            for at in range(many)
            for number, one in enumerate(said)
        ]

    for thread, operation in ((True, ""), (False, "*")):
        work = Work((), WINDOW)
        for line in lines(START - 400, 40, ("rules loaded", "card charged", "receipt written"), thread):
            work.line(line, bad=False)
        for line in lines(START, 30, ("rules loaded", "receipt written"), thread):
            work.line(line, bad=False)
        gone = next(way for way in work.changed(()) if way.kind == "gone" and way.operation == operation)
        assert gone.first.endswith("rules loaded")
        assert gone.then.endswith("card charged")


def test_lines_of_a_new_kind_stand_in_nobodys_way() -> None:
    work = Work((), WINDOW)
    for at in range(100):
        time = START - 100 + 2 * at
        for number, said in enumerate(("begun", *(("noticed something",) if time >= START else ()), "done")):
            work.line(LogRecord(time + number / 1_000, "pay", "info", said), bad=False)
    assert work.changed(()) == []


def test_a_line_that_says_where_it_was_logged_is_known_by_that() -> None:
    """Its text may vary in length and in words: that makes no other step of it."""

    def steps(last: bool) -> Callable[[int], Steps]:
        def made(at: int) -> Steps:
            listed = ", ".join(f"part {chr(97 + each)}" for each in range(1 + at % 5))
            found: Steps = [("info", f"INFO app.Prices#41 asked for {listed}")]
            return [*found, ("info", f"app/prices.py:52 found {listed}")] if last else found

        return made

    gone = Played().play(START - 400, 40, steps(last=True)).play(START, 30, steps(last=False)).changed()
    found = next(way for way in gone if way.kind == "gone")
    assert found.first.startswith("app.Prices#41 ")
    assert found.then.startswith("app/prices.py:52 ")
    assert found.before == (40, 40)


def test_an_error_while_a_call_to_another_failed_is_hearsay() -> None:
    spans = [Span(START, "t", "0000aaa1", None, "shop", "order", 9, None)]
    spans.append(Span(START, "t", "0000aaa2", "0000aaa1", "pay", "charge", 9, None))
    spans.append(Span(START, "t", "0000aaa3", "0000aaa2", "pay", "check", 9, None))
    lines = [
        LogRecord(START, "shop", "error", "0000aaa1 could not order"),
        LogRecord(START, "pay", "error", "0000aaa3 no such card"),
    ]
    found = read_lines(lines, START, Work(spans, WINDOW)).services
    assert (found["pay"].own, found["pay"].hearsay) == ([0, 1], [0, 0])
    assert (found["shop"].own, found["shop"].hearsay) == ([0, 0], [0, 1])
    alone = read_lines(lines[:1], START, Work(spans, WINDOW), failed=[1]).services
    assert alone["shop"].hearsay == [0, 1]


def test_spans_that_call_each_other_in_a_ring_end() -> None:
    spans = [Span(START + at, "t", str(at), str((at + 1) % 3), "abc"[at], "x", 1, None) for at in range(3)]
    work = Work(spans, WINDOW)
    assert work.above([0]) == {1, 2}
    assert work.changed([False] * 3) == []


def test_an_id_that_several_spans_have_is_told_by_its_trace() -> None:
    spans = [
        Span(START, trace, "0000000000000001", None, "pay", "charge", 5, None)
        for trace in ("000000000000000a", "000000000000000b")
    ]
    work = Work(spans, WINDOW)
    said = "000000000000000b 0000000000000001 hello"
    assert work.line(LogRecord(START, "pay", "info", said), bad=False) == 1
    assert work.line(LogRecord(START, "pay", "info", "0000000000000001 hello"), bad=False) is None
    assert work.line(LogRecord(START, "other", "info", said), bad=False) is None
    assert work.line(LogRecord(START + 9, "pay", "info", "000000000000000b late"), bad=False) is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "MOST_THREADS", 2)
    monkeypatch.setattr(working, "MOST_PLACES", 1)
    work = Work((), WINDOW)
    for at in range(60):
        time = START - 60 + 2 * at
        for number, said in enumerate(("a.X#1 begun", *(("b.Y#2 done",) if at < 30 else ()))):
            work.line(LogRecord(time + number / 1_000, "pay", "info", f"{at:08x}0f {said}"), bad=False)
    found = next(way for way in work.changed(()) if way.operation == "" and way.kind == "gone")
    assert found.first.startswith("a.X#1 ")
    assert "#<*>" in found.then  # known by its template
