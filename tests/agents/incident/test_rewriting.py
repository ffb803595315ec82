"""What a model makes of a sentence is told only where it says the same: 500 falsehoods, and honest rewrites."""

import re
from functools import cache
from pathlib import Path
from random import Random

import pytest
from support.told_incidents import build

from twokey.agents.incident.house import House
from twokey.agents.incident.material import material
from twokey.agents.incident.reading import of_bundle
from twokey.agents.incident.summary import Summary, summarize
from twokey.agents.incident.summary.rewriting import says_the_same
from twokey.agents.incident.summary.said import Said

MADE_UP = (
    " because the disk of {other} was full.",
    " due to the deploy of {other}.",
    ", caused by {other}.",
    ". The root cause is {other}.",
    ", which {other} explains.",
    ". {other} is at fault.",
    ", after a memory leak in Redis.",
    ". See https://status.example for more.",
    ". @oncall please approve.",
    ", and the ticket was closed.",
)
TURNED = (
    ("before", "after"),
    ("after", "before"),
    (" to ", " from "),
    ("not ", ""),
    ("No ", "A "),
    ("began", "ended"),
    ("first", "last"),
    ("failed", "passed"),
    ("sooner", "later"),
    ("went from", "stayed at"),
)


@cache
def summaries() -> tuple[Summary, ...]:
    import tempfile

    made: list[Summary] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in (0, 1, 4):
            build(Path(folder) / str(number), number)
            found = material(of_bundle(Path(folder) / str(number)))
            assert found is not None
            made.append(summarize(found, House()))
    return tuple(made)


def falsified(random: Random, said: Said, names: list[str]) -> str | None:
    """Give a sentence that says something else; None where this one has nothing of the kind that was drawn."""
    text, kind = said.text, random.randrange(5)
    others = [name for name in names if name not in text]
    if kind == 0:  # a wrong number, time or duration
        digits = [found.start() for found in re.finditer(r"(?<![\w.-])\d", text)]
        if not digits:
            return None
        at = random.choice(digits)
        return f"{text[:at]}{(int(text[at]) + random.randrange(1, 9)) % 10}{text[at + 1 :]}"
    if kind == 1:  # somebody else
        mine = [name for name in names if name in text]
        if not mine or not others:
            return None
        return text.replace(random.choice(mine), random.choice(others), 1)
    if kind == 2:  # somebody that does not exist
        mine = [name for name in names if name in text]
        return text.replace(random.choice(mine), "payment-core", 1) if mine else None
    if kind == 3:  # turned round
        fitting = [(before, after) for before, after in TURNED if before in text]
        if not fitting:
            return None
        before, after = random.choice(fitting)
        return text.replace(before, after, 1)
    return text.rstrip(".") + random.choice(MADE_UP).format(other=random.choice(others or names))


def test_five_hundred_falsehoods_are_all_dropped() -> None:
    random = Random(20)  # noqa: S311 - the same falsehoods each time
    tried: set[str] = set()
    while len(tried) < 500:
        summary = random.choice(summaries())
        names = sorted(summary.story.material.names())
        said = random.choice(summary.said)
        text = falsified(random, said, names)
        if text is None or text == said.text or text in tried:
            continue
        tried.add(text)
        assert not says_the_same(said, text, summary.checker), (said.text, text)


@pytest.mark.parametrize("bundle", range(3))
def test_what_code_wrote_says_the_same_as_itself(bundle: int) -> None:
    summary = summaries()[bundle]
    for said in summary.said:
        assert says_the_same(said, said.text, summary.checker), said.text


def test_a_sentence_may_be_put_in_other_words_that_add_nothing() -> None:
    summary = summaries()[0]
    said = next(one for one in summary.said if one.kind == "factors_metric")
    kept = re.sub(r" went from ", ", which is a metric, went from ", said.text)
    assert kept != said.text
    assert says_the_same(said, kept, summary.checker)
    cause = next(one for one in summary.said if one.kind == "summary_cause")
    assert says_the_same(cause, cause.text.replace("The likeliest cause", "Here the likeliest cause"), summary.checker)


def test_numbers_may_not_change_places() -> None:
    summary = summaries()[0]
    said = next(one for one in summary.said if one.kind == "factors_metric")
    before, after = re.findall(r"(?:from|to) ([\d.,]+)", said.text)[:2]
    swapped = said.text.replace(before, "¤", 1).replace(after, before, 1).replace("¤", after, 1)
    assert not says_the_same(said, swapped, summary.checker)
