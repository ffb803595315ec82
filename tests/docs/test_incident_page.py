"""The post-mortem that the documentation shows is the one that the incident job writes today.

To write page and pictures anew: ``TWOKEY_UPDATE_DOCS=1 pytest tests/docs/test_incident_page.py``.
"""

import os
import re
from pathlib import Path

from conftest import ROOT

from twokey.agents.incident.house import House
from twokey.agents.incident.material import material
from twokey.agents.incident.postmortem import Document, compose
from twokey.agents.incident.reading import of_bundle
from twokey.agents.incident.summary import summarize
from twokey.agents.incident.summary.said import as_finding
from twokey.agents.triage import routing
from twokey.channels import sample

PAGE = ROOT / "docs" / "incident.md"
PICTURES = ROOT / "docs" / "incident"
BEGINS = "## A post-mortem, as it is proposed\n"
SAYS = f"""{BEGINS}
The incident of the sample workspace (`twokey demo`), whole. Evidence ids are shortened. This part of the page and its
pictures are written by `TWOKEY_UPDATE_DOCS=1 pytest tests/docs/test_incident_page.py`, and a test fails where they say
something else than the job does.

"""


def written(folder: Path) -> Document:
    built = sample.build(folder / "sample")
    found = material(of_bundle(built.telemetry / "inc-0412"))
    assert found is not None
    house = House(routing=routing.load(built.folder / "routing.yaml"))
    summary = summarize(found, house)
    assert summary.dropped == ()
    findings = [as_finding(one, number) for number, one in enumerate(summary.said, 1)]
    return compose(summary.story, findings, "incident")


def shown(document: Document) -> str:
    head, _, text = document.text.removeprefix("---\n").partition("\n---\n")
    text = re.sub(r"^#", "###", text.strip(), flags=re.MULTILINE)
    text = re.sub(r"\be-0*(\d+)\b", r"e-\1", text)
    return f"{SAYS}```yaml\n{head}\n```\n\n{text}\n"


def test_the_page_shows_the_post_mortem_with_its_pictures(tmp_path: Path) -> None:
    document = written(tmp_path)
    if os.environ.get("TWOKEY_UPDATE_DOCS"):
        before = PAGE.read_text(encoding="utf-8").partition(BEGINS)[0].rstrip()
        PAGE.write_text(f"{before}\n\n{shown(document)}", encoding="utf-8")
        PICTURES.mkdir(exist_ok=True)
        for name, svg in document.pictures.items():
            (PICTURES / name).write_text(svg, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8").endswith(shown(document))
    assert {path.name: path.read_text(encoding="utf-8") for path in PICTURES.iterdir()} == dict(document.pictures)
