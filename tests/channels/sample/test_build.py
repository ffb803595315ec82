"""What ``build`` promises: the same bytes from the same arguments, in an empty folder, or a sentence."""

import gzip
import hashlib
import os
import re
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from support.effort import seconds

from twokey.channels.sample import DEFAULT_NOW, PEOPLE, Sample, build
from twokey.core.errors import BadInput

ROOT = Path(__file__).resolve().parents[3]


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes_and_commit(tmp_path: Path) -> None:
    one, other = build(tmp_path / "one"), build(tmp_path / "other")

    assert tree(one.folder) == tree(other.folder)
    assert one.commit == other.commit
    assert (one.planted, one.personal) == (other.planted, other.personal)


def test_another_process_with_another_hash_seed_gives_the_same_bytes(sample: Sample, tmp_path: Path) -> None:
    code = "import sys, pathlib; from twokey.channels.sample import build; build(pathlib.Path(sys.argv[1]))"
    target = tmp_path / "there"

    subprocess.run([sys.executable, "-c", code, str(target)], check=True, env={**os.environ, "PYTHONHASHSEED": "77"})

    assert tree(target) == tree(sample.folder)


def test_a_seed_changes_warehouse_and_telemetry_and_nothing_else(sample: Sample, tmp_path: Path) -> None:
    other = build(tmp_path / "other", seed=7)

    changed = {path for path, digest in tree(other.folder).items() if tree(sample.folder)[path] != digest}
    assert changed == {
        "warehouse.db",
        *(
            f"telemetry/{bundle}/{file}"
            for bundle in ("inc-0409", "inc-0412")
            for file in ("logs.jsonl.gz", "metrics.csv.gz", "traces.jsonl.gz")
        ),
    }
    assert other.commit == sample.commit
    assert [(p.table, p.column, p.kind, p.rows) for p in other.planted] == [
        (p.table, p.column, p.kind, p.rows) for p in sample.planted
    ]
    assert other.planted != sample.planted


@pytest.mark.parametrize("seed", [0, -1, 3, 2**80])
def test_any_seed_can_be_built(seed: int, tmp_path: Path) -> None:
    assert build(tmp_path, seed=seed).seed == seed


def test_the_same_moment_in_another_zone_is_the_same_sample(sample: Sample, tmp_path: Path) -> None:
    elsewhere = DEFAULT_NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))

    other = build(tmp_path / "other", now=elsewhere)

    assert other.commit == sample.commit
    assert other.warehouse.read_bytes() == sample.warehouse.read_bytes()
    assert other.now == sample.now == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_another_time_moves_the_dates(sample: Sample, tmp_path: Path) -> None:
    other = build(tmp_path / "other", now=DEFAULT_NOW + timedelta(days=400))

    assert other.commit != sample.commit
    assert "2027-" in (other.tickets / "FERN-140.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 23, 9, 0),  # noqa: DTZ001 - the missing zone is the point
        datetime(1999, 12, 31, tzinfo=UTC),
        datetime(2100, 1, 1, tzinfo=UTC),
    ],
)
def test_a_time_without_zone_or_far_away_is_refused_before_anything_is_made(now: datetime, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs a time with a zone"):
        build(tmp_path / "new", now=now)
    assert not (tmp_path / "new").exists()


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("mine", encoding="utf-8")

    with pytest.raises(BadInput) as refusal:
        build(tmp_path)

    assert refusal.value.code == "folder_not_empty"
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]
    assert (tmp_path / ".hidden").read_text(encoding="utf-8") == "mine"


def test_a_second_build_into_the_same_folder_is_refused(tmp_path: Path) -> None:
    build(tmp_path)
    before = tree(tmp_path)

    with pytest.raises(BadInput, match="not empty"):
        build(tmp_path, seed=1)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_is_no_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")

    with pytest.raises(BadInput, match="no folder"):
        build(tmp_path / name)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("limit", [4_096, 2_400_000])
def test_a_disk_that_refuses_gives_a_sentence_and_no_traceback(limit: int, tmp_path: Path) -> None:
    # a limit on the size of a file, which fails a write as a full disk does: in SQLite, and in its compaction
    code = f"""
import pathlib, resource, signal, sys
from twokey.channels.sample import build
from twokey.core.errors import EnvironmentFault
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
usual = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, usual[1]))
try:
    build(pathlib.Path(sys.argv[1]))
except EnvironmentFault as error:
    sys.stdout.write(error.code + ": " + error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, usual)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "new")], capture_output=True, text=True, check=True
    )

    assert done.stdout == "sample_not_written: The sample workspace could not be written to the end."
    with pytest.raises(BadInput, match="not empty"):
        build(tmp_path / "new")


def test_it_takes_less_than_three_seconds_of_work(tmp_path: Path) -> None:
    before = time.process_time()
    build(tmp_path)
    assert time.process_time() - before < seconds(3)


def test_the_paths_exist_and_the_team_has_the_four_groups(sample: Sample) -> None:
    assert sample.warehouse.is_file()
    assert all(path.is_dir() for path in (sample.repo, sample.tickets, sample.runbooks, sample.telemetry))
    assert sorted(path.name for path in sample.folder.iterdir()) == [
        "dbt",
        "operations.yaml",
        "routing.yaml",
        "runbooks",
        "telemetry",
        "tickets",
        "warehouse.db",
    ]
    assert sample.people == PEOPLE
    assert dict(sample.people) == {
        "ana": ("analysts",),
        "mia": ("model-owners",),
        "rita": ("risk-owners",),
        "sam": ("platform-owners",),
    }


def test_canaries_lie_exactly_where_the_sample_says(sample: Sample) -> None:
    texts = {
        path.relative_to(sample.folder).as_posix(): (
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        )
        for path in sample.folder.rglob("*")
        if path.is_file()
    }

    assert {canary.kind for canary in sample.canaries} == {"credential", "email", "phone"}
    for canary in sample.canaries:
        holding = {path for path, text in texts.items() if canary.value.encode() in text}
        assert holding == set(canary.places)


def test_no_address_leads_out_of_the_example_domains(sample: Sample, warehouse: sqlite3.Connection) -> None:
    texts = {"warehouse.db": "\n".join(warehouse.iterdump())}
    for path in sample.folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts and path != sample.warehouse:
            data = path.read_bytes()
            texts[path.name] = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()

    # groups in CODEOWNERS are no addresses
    domains = {
        name: set(re.findall(r"@(example\.(?:com|org|net)\b|fernhill/|.?)", text)) for name, text in texts.items()
    }
    assert domains["warehouse.db"] == {"example.com", "example.org", "example.net"}
    assert set().union(*domains.values()) == domains["warehouse.db"] | {"fernhill/"}


def test_every_file_of_the_sample_is_in_the_wheel() -> None:
    folder = ROOT / "channels/twokey/channels/sample"
    here = {
        path.relative_to(folder.parents[2]).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    shipped = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}

    assert here <= shipped
    assert "twokey/channels/sample/files/dbt/gitignore" in here
