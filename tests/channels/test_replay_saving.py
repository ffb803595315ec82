"""An interrupted replay goes on where it stopped, and what it goes on with counts only where the log still says so."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete
from support.bench import Bench, CountingIds, FixedClock, build, own_tools, policy_data

from twokey.channels.replay_report import Report
from twokey.channels.replay_run import Replaying
from twokey.channels.replay_saving import MOST_FILES, Nothing, saved
from twokey.core.errors import CheckFailed
from twokey.policies import bundle
from twokey.policies.bundle import Bundle, BundleRevisions
from twokey.policies.engines.embedded import Embedded
from twokey.store import tables

STRICT = {"files": 0, "lines": 10}


class Counting:
    """A real engine that counts what it is asked."""

    def __init__(self, engine: Embedded) -> None:
        self._engine = engine
        self.asked = 0

    def evaluate_many(self, documents: Sequence[bytes], /) -> list[object]:
        self.asked += len(documents)
        return self._engine.evaluate_many(documents)

    def revisions(self) -> BundleRevisions:
        return self._engine.revisions()

    def close(self) -> None:
        """The engine serves all tests."""


class Yard:
    """A log with four decisions, and replays of it on a stricter bundle."""

    def __init__(self, bench: Bench, folder: Path, held: Bundle, engine: Embedded) -> None:
        self.bench = bench
        self.folder = folder
        self.held = held
        self.engine = Counting(engine)
        record = bench.propose()
        bench.gate.answer(bench.answer(record), channel="cli")
        bench.gate.execute(record.id)

    @property
    def files(self) -> list[Path]:
        return sorted((self.folder / "replays").glob("*"))

    def replay(self, *, stop_after: int = 99) -> tuple[str, int, int]:
        """Replay; gives the report, how many decisions were carried over, and how many were asked of an engine."""
        before, path = self.engine.asked, self.folder / "report.md"
        path.write_text("")
        with closing(Report(path)) as report, saved(self.folder / "replays", self.held.revisions, 0) as kept:
            run = Replaying(self.bench.ledger, self.held, lambda: self.engine, 0, 1, report, kept)
            with closing(run.changes()) as changes:
                for count, _ in changes:
                    if count == stop_after:
                        break
        return path.read_text(), kept.carried, self.engine.asked - before


@pytest.fixture(scope="module")
def strict() -> Iterator[Embedded]:
    engine = Embedded(bundle.load().with_data(policy_data(own_tools(), limits=STRICT)), deadline_s=60)
    yield engine
    engine.close()


@pytest.fixture
def yard(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds, strict: Embedded) -> Iterator[Yard]:
    bench = build(tmp_path / "bench", sqlite_url, clock, ids)
    yield Yard(bench, tmp_path, bundle.load().with_data(policy_data(own_tools(), limits=STRICT)), strict)
    bench.engine.dispose()


def test_what_was_found_before_is_not_asked_again_and_the_report_is_the_same(yard: Yard) -> None:
    whole = yard.replay()
    assert "R10" in whole[0]
    assert whole[1:] == (0, 4)
    assert yard.files == [], "a replay that came to its end leaves nothing"
    assert yard.replay(stop_after=3) == ("", 0, 4)
    (left,) = yard.files
    assert left.stat().st_mode & 0o777 == 0o600
    assert len(left.read_bytes().splitlines()) == 3
    assert yard.replay(stop_after=2)[1] == 3, "stopped once more, before anything new was found"
    assert len(left.read_bytes().splitlines()) == 3
    assert yard.replay() == (whole[0], 3, 1)
    assert yard.files == []


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda text: text[:-5],
    "zeros": lambda text: b"\0" * len(text),
    "other entries": lambda text: text.replace(b"l-", b"x-"),
    "an empty line first": lambda text: b"[]\n" + text,
    "no list": lambda text: b'{"a": 1}\n' + text,
    "another kind": lambda text: text.replace(b'"stricter"', b'"invented"').replace(b'"same"', b'"invented"'),
    "no JSON": lambda text: b"".join(line[:-1] + b"]\n" for line in text.splitlines(keepends=True)),
}


@pytest.mark.parametrize("spoilt", list(SPOILT))
def test_a_file_that_does_not_fit_is_begun_anew_where_it_stops_fitting(yard: Yard, spoilt: str) -> None:
    whole = yard.replay()[0]
    yard.replay(stop_after=3)
    (left,) = yard.files
    left.write_bytes(SPOILT[spoilt](left.read_bytes()))
    report, carried, asked = yard.replay()
    assert report == whole
    assert carried + asked == 4
    assert carried <= 2


def test_what_is_no_longer_kept_of_a_decision_is_not_carried_over(yard: Yard) -> None:
    yard.replay(stop_after=3)
    with yard.bench.engine.begin() as connection:
        connection.execute(delete(tables.decisions))
    report, carried, asked = yard.replay()
    assert (carried, asked) == (0, 0)
    assert "R10" not in report


def test_a_log_that_does_not_bear_it_out_leaves_nothing_to_go_on_with(yard: Yard) -> None:
    yard.replay(stop_after=3)
    with saved(yard.folder / "replays", yard.held.revisions, 0) as kept:
        run = Replaying(yard.bench.ledger, yard.held, lambda: yard.engine, 0, 1, None, kept)
        with closing(run.changes()) as changes:
            next(changes)
            with pytest.raises(CheckFailed):
                changes.throw(CheckFailed("The log does not bear it out.", next="Verify it."))
    assert yard.files == []


def test_two_at_once_and_a_place_that_cannot_be_written_keep_nothing(yard: Yard) -> None:
    with saved(yard.folder / "replays", yard.held.revisions, 0) as kept:
        assert not isinstance(kept, Nothing)
        assert yard.replay() == (yard.replay()[0], 0, 4)
        assert len(yard.files) == 1
    (yard.folder / "file").write_text("x")
    with saved(yard.folder / "file", yard.held.revisions, 0) as kept:
        assert isinstance(kept, Nothing)
    yard.files[0].unlink()
    elsewhere = yard.folder / "elsewhere"
    elsewhere.write_text("mine")
    with saved(yard.folder / "replays", yard.held.revisions, 0) as kept:
        pass
    (made,) = yard.files
    made.unlink()
    made.symlink_to(elsewhere)
    with saved(yard.folder / "replays", yard.held.revisions, 0) as kept:
        assert isinstance(kept, Nothing)
    assert elsewhere.read_text() == "mine"


def test_where_the_database_is_encrypted_nothing_is_kept(yard: Yard) -> None:
    with saved(None, yard.held.revisions, 0) as before:
        assert isinstance(before, Nothing)


def test_another_bundle_or_beginning_has_a_file_of_its_own_and_only_the_latest_stay(yard: Yard) -> None:
    folder = yard.folder / "replays"
    for number in range(MOST_FILES + 3):
        with saved(folder, BundleRevisions(f"{number:064}", "b" * 64), number % 2):
            pass
    assert len(yard.files) == MOST_FILES
