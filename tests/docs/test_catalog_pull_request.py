"""The pull requests that the documentation shows are those that the catalog job makes today.

To write the page anew: ``TWOKEY_UPDATE_DOCS=1 pytest tests/docs/test_catalog_pull_request.py``.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, CountingIds, FixedClock
from support.bench import build
from support.catalog_workshop import Workshop
from support.git_repo import make_commit

from twokey.channels import sample
from twokey.core.lifecycle import State
from twokey.tools.write.pull_request import split_preview

PAGE = ROOT / "docs" / "catalog-pull-request.md"
INTRODUCTION = """\
# Pull requests of the catalog job

What `twokey catalog propose` opens, whole: the text as a forge shows it, and the diff. Evidence ids are shortened here.
This page is written by `TWOKEY_UPDATE_DOCS=1 pytest tests/docs/test_catalog_pull_request.py`, and a test fails where it
says something else than the job does.
"""
SAMPLE = """\
## The sample workspace

The warehouse and repository of `twokey demo`. Two teams own what changes, so there are two pull requests.
"""
CHINOOK = """\
## Chinook, in a repository that says nothing yet

[Chinook](https://github.com/lerocha/chinook-database) is a sample database of a music shop (MIT licence). The
repository holds a `dbt_project.yml`, one model and an exposure that reads it.
"""
MUSIC: dict[str, bytes | None] = {
    "dbt_project.yml": b"name: music_store\nversion: '1.0.0'\nprofile: music_store\nmodel-paths: [models]\n",
    "models/marts/revenue_by_country.sql": (
        b"select c.Country as country, sum(i.Total) as revenue\n"
        b"from {{ source('chinook', 'Invoice') }} as i\n"
        b"join {{ source('chinook', 'Customer') }} as c on i.CustomerId = c.CustomerId\n"
        b"group by c.Country\n"
    ),
    "models/marts/exposures.yml": (
        b"exposures:\n  - name: revenue_report\n    type: dashboard\n    owner: {name: Finance}\n"
        b"    depends_on: [ref('revenue_by_country')]\n"
    ),
}


@pytest.fixture
def workshop(tmp_path: Path, sqlite_url: str, clock: FixedClock, ids: CountingIds) -> Iterator[Workshop]:
    bench = build(tmp_path / "bench", sqlite_url, clock, ids)
    yield Workshop(bench, tmp_path)
    bench.engine.dispose()


def pull_requests(workshop: Workshop, warehouse: str) -> str:
    """The pull requests of a whole run, each checked by the reviewer and accepted by the gate, as Markdown."""
    job = workshop.job(warehouse)
    job.scan()
    job.propose()
    shown: list[str] = []
    for body in job.drafts():
        assert job.review(body).problems == ()
        record = job.submit(body)
        assert record.state is State.AWAITING_APPROVAL
        diff = re.sub(r"^index .*\n", "", split_preview(record.proposal.preview)[1], flags=re.MULTILINE)
        args = record.proposal.args
        shown.append(f"### {args['title']}\n\n{args['body']}\n\n````diff\n{diff.strip()}\n````\n")
    return _shortened("\n---\n\n".join(shown))


def _shortened(text: str) -> str:
    ids = list(dict.fromkeys(re.findall(r"\be-[0-9a-z]{12}\b", text)))
    for number, each in enumerate(ids, 1):
        text = text.replace(each, f"e-{number}")
    return text


def of_the_sample(workshop: Workshop) -> str:
    built = sample.build(workshop.folder / "sample")
    shutil.rmtree(workshop.bench.repository)
    shutil.copytree(built.repo, workshop.bench.repository)
    return pull_requests(workshop, str(built.warehouse))


def of_chinook(workshop: Workshop, data: Path) -> str:
    shutil.copy(data / "joins" / "chinook.sqlite", workshop.folder / "chinook.sqlite")
    make_commit(workshop.bench.repository, MUSIC)
    return pull_requests(workshop, str(workshop.folder / "chinook.sqlite"))


def agrees(introduction: str, text: str) -> None:
    """Compare a section with the page, or write it there where that is asked for."""
    wanted = f"{introduction}\n{text}"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else INTRODUCTION
    if os.environ.get("TWOKEY_UPDATE_DOCS"):
        head, found, rest = page.partition(introduction)
        after = rest[rest.find("\n## ") + 1 :] if "\n## " in rest else ""
        page = f"{head.rstrip()}\n\n{wanted}\n{after}" if found else f"{page.rstrip()}\n\n{wanted}"
        PAGE.write_text(f"{page.rstrip()}\n", encoding="utf-8")
    assert wanted.rstrip() in page


def test_the_sample_workspace(workshop: Workshop):
    agrees(SAMPLE, of_the_sample(workshop))


def test_chinook(workshop: Workshop, data: Path):
    agrees(CHINOOK, of_chinook(workshop, data))
