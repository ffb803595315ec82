"""How fast a warehouse is read and understood, beside DuckDB's own SUMMARIZE of the same files in the same run.

Rules: both sides use one processor and one thread, and begin with the file as it lies there: finding out how it is
written counts for both. Tries of the two alternate, and the best of each counts, so that a busy machine costs both the
same. The end-to-end figure is a whole run of the product in a workspace of its own, gate, log and review included: from
the request to the proposal that waits; ``rescan_speedup`` compares how long that run read the warehouse with how long a
second one did, before and after which nothing was changed. Memory is that of the process, imports included.
"""

import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import duckdb
from dulwich import porcelain

from twokey.agents.catalog import reading, understanding
from twokey.agents.state import Progress
from twokey.channels import bench_tables, creation, wiring
from twokey.channels.workspace import Workspace
from twokey.core.errors import CheckFailed
from twokey.core.values import Identity, Resource, Value
from twokey.tools.contract import Context, Place, Places
from twokey.tools.read.warehouse import ProfileResult, QueryArgs, QueryWarehouse, SchemaRequest
from twokey.tools.read.warehouse.sources import Bounds

FIELDS: Final = 3_000
_AUTHOR: Final = b"bench <bench@localhost>"
_NAME: Final = "w"
_STAGES: Final = ("read", "concluded", "drafted", "proposed")
"""Reading until the last key is counted, what is concluded of it, the change, and review, policy and card."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is made and how often it is tried. ``rows`` of a table of the warehouse, ``large`` of the one file.

    ``many`` is how many tables the SQLite database has whose reading is measured in memory.
    """

    tables: int = 100
    rows: int = 10_000
    large: int = 50_000
    files: int = 400
    many: int = 1_000
    tries: int = 5


QUICK: Final = Sizes(tables=20, files=100, tries=3)


def measure(sizes: Sizes) -> dict[str, Any]:
    """Measure; fields per second, seconds scaled to 3,000 fields, and ratios to the floor."""
    with tempfile.TemporaryDirectory(prefix="twokey-bench-") as name, _one_processor():
        folder = Path(name)
        # first, because the most memory that a process ever took is all that it can tell
        many_s, many_rss = _many(bench_tables.many_tables(folder / "many.db", tables=sizes.many))
        warehouse = bench_tables.warehouse(folder / "warehouse.duckdb", tables=sizes.tables, rows=sizes.rows)
        large = bench_tables.large_file(folder / "large", rows=sizes.large)
        small = bench_tables.small_files(folder / "small", files=sizes.files)
        large_s, large_floor_s = beside(large, tries=sizes.tries)
        small_s, small_floor_s = beside(small, tries=max(1, sizes.tries // 2))
        large_fields, small_fields = _fields(large), _fields(small)
        run = _whole_run(folder, warehouse)
    fields = warehouse.tables * warehouse.columns
    scale = FIELDS / fields
    return {
        "fields_per_s": round(large_fields / large_s, 1),
        "summarize_fields_per_s": round(large_fields / large_floor_s, 1),
        "vs_summarize": round(large_floor_s / large_s, 2),
        "small_fields_per_s": round(small_fields / small_s, 1),
        "small_summarize_fields_per_s": round(small_fields / small_floor_s, 1),
        "small_vs_summarize": round(small_floor_s / small_s, 2),
        "end_to_end_3000_s": round(run["all"] * scale, 2),
        "end_to_end_3000_cpu_s": round(run["all_cpu"] * scale, 2),
        "end_to_end_fields": fields,
        "stages_s": {stage: round(run[stage] * scale, 2) for stage in _STAGES},
        "stages_cpu_s": {stage: round(run[f"{stage}_cpu"] * scale, 2) for stage in _STAGES},
        "rescan_s": round(run["again"], 3),
        "rescan_speedup": round(run["read"] / run["again"], 1),
        "thousand_tables_s": round(many_s * 1_000 / sizes.many, 2),
        "thousand_tables_rss_mb": many_rss,
        "rss_mb": _rss_mb(),
    }


def _rss_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _many(path: Path) -> tuple[float, float]:
    """Profile and judge a database of many tables; gives the seconds, and the most memory that it took."""
    seconds = _timed(lambda: _understood(path))
    return seconds, _rss_mb()


@contextmanager
def _one_processor() -> Generator[None]:
    """Keep this process on one processor, where the system can."""
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def beside(folder: Path, *, tries: int) -> tuple[float, float]:
    """Give the best time of profiling and classifying every file of ``folder``, and that of SUMMARIZE. Seconds."""
    ours, floor = [], []
    for _ in range(tries):
        floor.append(_timed(lambda: _summarize(folder)))
        ours.append(_timed(lambda: _understood(folder)))
    return min(ours), min(floor)


def _timed(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _summarize(folder: Path) -> None:
    with duckdb.connect(":memory:", config={"threads": "1"}) as connection:
        for path in sorted(folder.iterdir()):
            try:
                connection.execute(f"SUMMARIZE SELECT * FROM '{path}'").fetchall()  # noqa: S608 - a path made here
            except duckdb.ConversionException:
                # among many files there is one in which the dirt misleads DuckDB about a type: then it reads texts
                connection.execute(
                    f"SUMMARIZE SELECT * FROM read_csv('{path}', all_varchar = true)"  # noqa: S608 - as above
                ).fetchall()


def _understood(warehouse: Path) -> understanding.Understanding:
    """Read a warehouse as a scan does, and judge every column; what keys there may be is not counted."""
    tool = QueryWarehouse(Bounds(threads=1))
    place = Place(Resource(kind="warehouse", id=_NAME, granted_by="request"), str(warehouse))
    context = Context(places=Places((place,)), now_us=0)

    def ask(request: reading.Request) -> tuple[Value, str]:
        return tool.call(QueryArgs(warehouse=_NAME, ask=request), context).answer, ""

    schema = reading.schema_of(ask(SchemaRequest())[0])
    profiles: dict[str, ProfileResult] = {}
    for reads in reading.profiles(ask, list(reading.names_of(schema).items())):
        profiles.update({read.table: read.profile for read in reads if read.profile is not None})
    if len(profiles) != len(schema.tables):
        raise CheckFailed("Not every table was profiled.", next="Run it again on a machine that does nothing else.")
    facts = reading.with_profiles(reading.warehouse_of(schema), profiles)
    return understanding.understand(facts, tuple(profiles), {}, understanding.Questions((), ()))


def _fields(folder: Path) -> int:
    headers = (path.read_text(encoding="utf-8").partition("\n")[0] for path in folder.iterdir())
    return sum(header.count(",") + 1 for header in headers)


def _whole_run(folder: Path, warehouse: bench_tables.Made) -> Mapping[str, float]:
    """Ask for the documentation of the warehouse, then scan it again. Seconds."""
    repository = _repository(folder / "dbt")
    made = creation.create(
        folder / "workspace",
        [("ana", ("analysts",)), ("sam", ("platform-owners",))],
        # what is measured is the time and not the deadline, which a busy machine may miss
        sections={"policy": {"deadline_ms": 10_000}},
    )
    with wiring.opened(made.folder) as workspace:
        identity, _ = workspace.identify("ana", "cli")
        # what a process loads once is `bench startup`, not this
        _run(workspace, identity, str(bench_tables.warehouse(folder / "tiny.duckdb", tables=1, rows=10).path), None)
        first = _run(workspace, identity, str(warehouse.path), str(repository))
        again = _run(workspace, identity, str(warehouse.path), None)
    return first | {"again": again["read"]}


def _run(workspace: Workspace, identity: Identity, url: str, repository: str | None) -> dict[str, float]:
    """Run the catalog job; gives how long each stage took, by the clock and of the processor."""
    told: list[tuple[int, float, float]] = []
    started, cpu = time.perf_counter(), time.process_time()

    def tell(progress: Progress) -> None:
        told.append((progress.step, time.perf_counter() - started, time.process_time() - cpu))

    outcome = workspace.catalog(identity, url, repository, (), tell)
    end = (0, time.perf_counter() - started, time.process_time() - cpu)
    if repository is not None and not outcome.proposals:
        raise CheckFailed(
            f"The run ended as {outcome.run.code}, without a proposal.", next="Run `twokey doctor`, then try again."
        )
    # the last thing a scan tells is what it concluded; what it told before, was reading
    scan = [each for each in told if each[0] == 1]
    draft = [each for each in told if each[0] == 2][-1:]
    took = {"all": end[1], "all_cpu": end[2]}
    before = (0, 0.0, 0.0)
    for stage, reached in zip(_STAGES, [*scan[-2:], *draft, end], strict=False):
        took |= {stage: reached[1] - before[1], f"{stage}_cpu": reached[2] - before[2]}
        before = reached
    return took


def _repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: bench\nversion: '1.0'\nmodel-paths: [models]\n", encoding="utf-8")
    with porcelain.init(folder) as repo:
        repo.refs.set_symbolic_ref(cast("Any", b"HEAD"), cast("Any", b"refs/heads/main"))
        porcelain.add(repo, [str(folder / "dbt_project.yml")])
        porcelain.commit(repo, message=b"Begin", author=_AUTHOR, committer=_AUTHOR)
    return folder
