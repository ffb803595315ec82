"""Earlier incidents that are like one."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runbooks import ask

from twokey.agents.incident.past import LINKED_AT, Facts, Past, facts, front_matter, of_document, similar
from twokey.tools.read.runbooks import Document
from twokey.tools.read.telemetry.values import About, LogChange, LogsResult, MetricChange, MetricsResult, Stretch

DAY = 24 * 3600 * 1_000_000


def made(name: str, day: int, **more: Any) -> Facts:
    return Facts.model_validate(
        {"incident": name, "title": name, "began_us": day * DAY, "ended_us": day * DAY + DAY // 24} | more
    )


def past(*args: Any, **more: Any) -> Past:
    one = made(*args, **more)
    return Past(one, "e-000000000001", f"{one.incident}.md")


SLOW = {"service": ("shop",), "suspects": ("cart", "db"), "metrics": ("cart: latency", "shop: latency", "cart: cpu")}
FULL = {
    "service": ("shop",),
    "suspects": ("disk",),
    "metrics": ("disk: used",),
    "templates": ("disk: no space left on <*>",),
}


def test_the_same_trouble_is_linked_with_what_both_have() -> None:
    found = similar(made("now", 9, **SLOW), [past("slow", 1, **SLOW), past("full", 2, **FULL)])
    assert [alike.past.facts.incident for alike in found] == ["slow"]
    assert found[0].permille == 1_000
    assert {one.trait: one.names for one in found[0].shared} == {
        "service": ("shop",),
        "suspects": ("cart", "db"),
        "metrics": ("cart: latency", "shop: latency", "cart: cpu"),
    }


def test_the_alerting_service_alone_links_nothing() -> None:
    assert similar(made("now", 9, service=("shop",)), [past("old", 1, service=("shop",))]) == ()
    assert similar(made("now", 9, **SLOW), [past("full", 2, **FULL)]) == ()


def test_what_was_not_over_before_it_began_is_not_looked_at() -> None:
    now = made("now", 9, **SLOW)
    later, at_once, itself = past("later", 10, **SLOW), past("during", 9, **SLOW), past("now", 1, **SLOW)
    assert similar(now, [later, at_once, itself]) == ()
    over = Past(made("over", 8, **SLOW).model_copy(update={"ended_us": now.began_us}), "e-000000000001", "x.md")
    assert len(similar(now, [over])) == 1


def test_an_incident_counts_once_and_the_latest_of_equals_comes_first() -> None:
    found = similar(made("now", 9, **SLOW), [past("a", 1, **SLOW), past("b", 3, **SLOW), past("a", 2, **SLOW)], most=5)
    assert [alike.past.facts.incident for alike in found] == ["b", "a"]
    assert len(similar(made("now", 9, **SLOW), [past(str(day), day, **SLOW) for day in range(8)])) == 3


def test_log_lines_that_one_does_not_state_are_left_out_and_nothing_else_is() -> None:
    loud = SLOW | {"templates": ("db: lock wait <*>",)}
    assert similar(made("now", 9, **loud), [past("old", 1, **SLOW)])[0].permille == 1_000
    assert similar(made("now", 9, **SLOW), [past("old", 1, **(SLOW | {"metrics": ()}))])[0].permille == 571
    quiet = {"service": ("shop",), "templates": ("db: lock wait <*>",)}
    assert similar(made("now", 9, **loud), [past("old", 1, **quiet)]) == ()


ABOUT = About(
    id="inc-1",
    title="shop: slow",
    service="shop",
    window=Stretch(start_us=9 * DAY, end_us=9 * DAY + 60_000_000),
    baseline=Stretch(start_us=8 * DAY, end_us=9 * DAY),
)


def changed(service: str, metric: str, abnormal: int) -> MetricChange:
    return MetricChange(
        service=service,
        metric=metric,
        meaning="latency",
        samples_before=9,
        samples_after=9,
        before="1",
        after="2",
        extreme="3",
        deviation="4",
        abnormal=abnormal,
        onset_us=None,
        gap_s=0,
    )


def line(change: Any, template: str, level: str = "error") -> LogChange:
    return LogChange(
        service="db", level=level, template=template, before=0, after=3, first_us=None, change=change, example="x"
    )


def test_facts_are_what_the_evidence_says_changed() -> None:
    metrics = MetricsResult(changes=(changed("cart", "latency", 900), changed("shop", "cpu", 10)))
    logs = LogsResult(
        changes=(
            line("new", "lock wait <*>"),
            line("other", "ok"),
            line("burst", "retry"),
            line("new", "all is well", "info"),
            line("burst", "often", ""),
            line("new", "odd", ""),
        ),
        lines_before=1,
        lines_after=9,
    )
    one = facts(ABOUT, suspects=["cart", "db", "x", "y"], cause="cart", metrics=metrics, logs=logs)
    assert one.metrics == ("cart: latency",)
    assert one.templates == ("db: lock wait <*>", "db: retry", "db: odd")
    assert (one.service, one.suspects, one.cause) == (("shop",), ("cart", "db", "x"), "cart")
    assert facts(ABOUT).metrics == ()


TEXT = st.text(max_size=60)


def about(title: str, service: str) -> About:
    return ABOUT.model_copy(update={"title": title, "service": service})


@given(
    st.builds(
        facts,
        st.builds(about, TEXT, TEXT),
        suspects=st.lists(TEXT, max_size=4),
        cause=TEXT,
    )
)
def test_front_matter_is_read_back_as_it_was_written(one: Facts) -> None:
    from twokey.tools.read.runbooks.markdown import parse

    parsed = parse(front_matter(one) + "\n# Post-mortem\n\ntext\n")
    document = Document.model_validate(
        {
            "file": "a.md",
            "title": parsed.title,
            "facts": [{"name": name, "values": values} for name, values in parsed.facts],
            "sections": 1,
            "sha256": "0" * 64,
        }
    )
    read = of_document(document, "e-000000000001")
    assert read is not None
    title = one.title or parsed.title
    assert read.facts == one.model_copy(update={"title": title})


def test_post_mortems_are_read_from_a_folder_and_other_files_are_none(tmp_path: Path) -> None:
    one = made("inc-7", 3, **(SLOW | {"cause": "cart"}))
    (tmp_path / "a.md").write_text(front_matter(one) + "# inc-7\n\nIt was slow.\n")
    for name, text in {
        "other.md": "# A runbook\n\ntext\n",
        "no-time.md": front_matter(one).replace("ended", "finished"),
        "no-zone.md": front_matter(one).replace('Z"', '"'),
        "no-id.md": front_matter(one).replace("incident:", "about:"),
        "backwards.md": front_matter(one).replace("began", "x").replace("ended", "began").replace("x:", "ended:"),
        "bad-time.md": front_matter(one).replace("1970", "soon"),
    }.items():
        (tmp_path / name).write_text(text)
    documents = ask(tmp_path, kind="documents").documents
    found = [read for document in documents if (read := of_document(document, "e-000000000001")) is not None]
    assert [read.facts for read in found] == [one]
    assert found[0].where == "a.md"


FAMILIES = 8


def incident(random: Random, family: int, number: int) -> Facts:
    """One of several kinds of trouble, each time with other company, and from the service that pages for all of them."""
    culprit, victims = f"s{family}", [f"s{(family + step) % FAMILIES}" for step in (1, 2)]
    signs = [f"{culprit}: cpu", f"{culprit}: latency", *(f"{victim}: latency" for victim in victims)]
    noise = [f"s{random.randrange(20)}: {random.choice(['cpu', 'memory', 'requests'])}" for _ in range(3)]
    suspects = [culprit, *random.sample(victims, 1)] if random.random() < 0.8 else [victims[0], culprit]
    return made(
        f"inc-{number}",
        number,
        service=(random.choice(["front", f"s{family}"]),),
        suspects=tuple(suspects),
        metrics=tuple(sign for sign in [*signs, *noise] if random.random() < 0.8),
        templates=(f"{culprit}: failed with <*>",) if random.random() < 0.6 else (f"s{random.randrange(20)}: late",),
        cause=culprit,
    )


def scored(seed: int) -> tuple[int, int, int, int]:
    """Give how many were linked, rightly linked, could have been linked, and were linked first and rightly."""
    random = Random(seed)  # noqa: S311 - drawn for a test
    kinds = [random.randrange(FAMILIES) for _ in range(60)]
    every = [Past(incident(random, kind, number), "e-000000000001", "x.md") for number, kind in enumerate(kinds)]
    linked = right = first = possible = 0
    for number, kind in enumerate(kinds):
        found = similar(every[number].facts, every)
        same = [kinds[int(alike.past.facts.incident[4:])] == kind for alike in found]
        assert all(alike.past.facts.ended_us <= every[number].facts.began_us for alike in found)
        linked, right = linked + len(same), right + sum(same)
        if kind in kinds[:number]:
            possible += 1
            first += bool(same and same[0])
    return linked, right, possible, first


def test_generated_incidents_of_one_kind_find_each_other() -> None:
    linked, right, possible, first = (sum(column) for column in zip(*(scored(seed) for seed in range(5)), strict=True))
    assert right / linked >= 0.9
    assert first / possible >= 0.7


@pytest.mark.parametrize("permille", [LINKED_AT])
def test_the_threshold_is_the_one_that_the_documentation_states(permille: int) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "runbooks.md").read_text()
    assert f"{permille} of 1,000" in text
