import re

import yaml

from twokey.channels.sample import Sample
from twokey.channels.sample.telemetry import SCENARIOS


def test_seven_runbooks_with_a_title_and_an_owner(sample: Sample) -> None:
    groups = {group for _, groups in sample.people for group in groups}
    paths = sorted(sample.runbooks.iterdir())

    assert len(paths) == 7
    for path in paths:
        start, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        front = yaml.safe_load(head)
        assert start == ""
        assert body.startswith(f"# {front['title']}\n")
        assert front["owner"] in groups
        assert front["severity"] in {"page", "ticket", "info"}


def test_each_alert_of_the_incidents_is_covered_by_a_runbook(sample: Sample) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sample.runbooks.iterdir())
    for scenario in SCENARIOS:
        assert scenario.title.split(": ")[1] in text


def test_a_runbook_refers_to_runbooks_that_exist(sample: Sample) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sample.runbooks.iterdir()]
    titles = {text.split("title: ")[1].split("\n")[0] for text in texts}
    referred = {match for text in texts for match in re.findall(r"see \*([^*]+)\*", text)}
    assert referred
    assert referred <= titles
