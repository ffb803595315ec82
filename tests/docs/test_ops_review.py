"""The review that the documentation shows is the one that comes out; with TWOKEY_UPDATE_DOCS=1 it is written there."""

import os
from datetime import UTC, datetime
from pathlib import Path

from twokey.agents.incident.operations import book as books
from twokey.agents.incident.operations.review import findings, ground, review
from twokey.channels import ops_report
from twokey.channels.sample import operations as week
from twokey.channels.sample import shipped
from twokey.core.canonical import Json
from twokey.core.values import Resource
from twokey.tools.contract import Context, Place, Places
from twokey.tools.local import query_telemetry
from twokey.tools.read.telemetry.values import TelemetryArgs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ops-review.md"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
DAY_US = 86_400_000_000


def test_the_week_that_the_page_shows_comes_out_again(tmp_path: Path) -> None:
    week.build(tmp_path / "serving", seed=2026, now=NOW)
    (tmp_path / "operations.yaml").write_bytes(shipped.read("operations.yaml"))
    book = books.load(tmp_path / "operations.yaml")
    place = Place(Resource(kind="telemetry", id="serving", granted_by="config"), str(tmp_path / "serving"))
    start = round(week.week_of(NOW).timestamp()) * 1_000_000
    window = {"window": {"start_us": start, "end_us": start + 7 * DAY_US}}
    past = {"window": {"start_us": start - 21 * DAY_US, "end_us": start + 7 * DAY_US}}
    tool, held = query_telemetry(), dict[str, Json]()

    def ask(**asked: object) -> None:
        args = TelemetryArgs.model_validate({"source": "serving", "ask": asked})
        held[f"e-{len(held):012d}"] = tool.call(args, Context(Places((place,)), 0)).canonical()

    ask(kind="running", scope=window, values_of=["api_key"])
    ask(kind="events", scope=window, before_s=0, after_s=0, most=500)
    for endpoint in book.endpoints:
        names = [{"service": endpoint.service, "metric": metric} for metric in endpoint.metrics.named()]
        ask(kind="operations", scope=window, names=names)
        ask(kind="operations", scope=past, names=[names[1]], step_s=3_600)
    found = ground(held)
    assert found is not None
    shown = "\n".join(ops_report.lines(findings(review(book, found))))
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("TWOKEY_UPDATE_DOCS"):
        head, _, rest = page.partition("--as ana\n")
        page = f"{head}--as ana\n{shown}\n{rest[rest.index('```') :]}"
        PAGE.write_text(page, encoding="utf-8")
    assert f"--as ana\n{shown}\n```" in page
