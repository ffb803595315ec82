"""A Markdown file as sections."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import seconds

from twokey.tools.read.runbooks.markdown import MAX_SECTIONS, MAX_WHOLE, parse


def outline(text: str) -> list[tuple[str, int, int]]:
    return [(" > ".join(section.headings), section.first, section.last) for section in parse(text).sections]


def test_sections_carry_the_headings_above_them_and_their_lines() -> None:
    text = "# Top\n\nintro\n\n## One\n\na\n\n### Deep\n\nb\n\n## Two\n\nc\n"
    assert outline(text) == [
        ("Top", 1, 3),
        ("Top > One", 5, 7),
        ("Top > One > Deep", 9, 11),
        ("Top > Two", 13, 15),
    ]


def test_a_heading_with_nothing_below_goes_with_what_it_stands_above() -> None:
    assert outline("# Top\n\n## One\n\na\n\n## Empty\n\n## Two\n\nb\n") == [
        ("Top > One", 1, 5),
        ("Top > Empty", 7, 7),
        ("Top > Two", 9, 11),
    ]


def test_underlined_headings_count_and_marks_in_headings_are_taken_off() -> None:
    assert outline("Top\n===\n\n`code` and [a link](http://x.example)\n---\n\ntext\n") == [
        ("Top > code and a link", 1, 7),
    ]


def test_code_and_tables_are_kept_whole_and_their_hashes_are_no_headings() -> None:
    code = "```sh\n" + "\n".join(f"# step {number} " + "x" * 60 for number in range(60)) + "\n```"
    table = "| a | b |\n|---|---|\n" + "\n".join(f"| {number} | {'y' * 60} |" for number in range(60))
    found = parse(f"# Top\n\nbefore\n\n{code}\n\nbetween\n\n{table}\n\nafter\n").sections
    assert {section.headings for section in found} == {("Top",)}
    assert sum(code in section.text for section in found) == 1
    assert sum(table in section.text for section in found) == 1


def test_a_long_list_is_cut_between_its_items() -> None:
    items = [f"{number}. " + "word " * 60 for number in range(1, 30)]
    found = parse("# Top\n\n" + "\n".join(items) + "\n").sections
    assert len(found) > 3
    for item in items:
        assert sum(item in section.text.split("\n") for section in found) == 1


def test_a_block_without_end_is_cut_all_the_same() -> None:
    found = parse("# Top\n\n```\n" + "line of code\n" * 3_000).sections
    assert len(found) > 2
    assert all(len(section.text) <= MAX_WHOLE + 20 for section in found)


def test_a_file_with_more_sections_than_are_kept_says_so() -> None:
    parsed = parse("".join(f"# {number}\n\ntext\n\n" for number in range(MAX_SECTIONS + 5)))
    assert (len(parsed.sections), parsed.cut) == (MAX_SECTIONS, True)


def test_front_matter_is_read_as_texts() -> None:
    parsed = parse("---\ntitle: Late\nalerts: [a, 'b c']\nsince: 2026-01-01\nnested: {a: 1}\nnone:\n---\nText\n")
    assert parsed.title == "Late"
    assert parsed.facts == (("title", ("Late",)), ("alerts", ("a", "b c")), ("since", ("2026-01-01",)))
    assert [(section.headings, section.first) for section in parsed.sections] == [(("Late",), 8)]


@pytest.mark.parametrize(
    "text",
    [
        "---\n- a\n---\n# T\n\nx\n",
        "---\na: [\n---\n# T\n\nx\n",
        "---\na: 1\n# T\n\nx\n",
        "---\na: &x [*x]\n---\n# T\n\nx\n",
        "--- \n" + "a: b\n" * 9_000 + "---\n# T\n\nx\n",
    ],
)
def test_front_matter_that_is_none_is_ordinary_text(text: str) -> None:
    parsed = parse(text)
    assert parsed.facts == ()
    assert any("x" in section.text for section in parsed.sections)


def test_front_matter_alone_is_a_file_without_sections() -> None:
    assert parse("---\ntitle: Nothing\n---\n").sections == ()
    assert parse("---\ntitle: Nothing\n---").title == "Nothing"
    assert parse("---\n---\nText").facts == ()
    assert parse("").sections == ()


def test_definitions_of_links_are_in_some_section() -> None:
    parsed = parse("[first]: http://a.example\n\n# T\n\nSee [runbook].\n\n[runbook]: http://b.example\n")
    assert any("b.example" in section.text for section in parsed.sections)
    assert any("a.example" in section.text for section in parsed.sections)


WORDS = st.sampled_from(
    [
        "# a",
        "## b",
        "text",
        "- item",
        "  - inner",
        "1. one",
        "```",
        "~~~",
        "> q",
        "===",
        "---",
        "",
        "    code",
        "<div>",
        "[x]: y",
        "* * *",
        ">> # deep",
        "<!-- c",
        "-->",
        "| a | b |",
        "|---|---|",
        "a | b",
        "\t",
    ]
)


@given(st.lists(WORDS, max_size=40))
def test_every_line_that_says_something_is_in_one_section(lines: list[str]) -> None:
    text = "\n".join(lines)
    parsed = parse(text)
    end = 0
    for section in parsed.sections:
        assert end < section.first <= section.last
        assert section.text.split("\n") == lines[section.first - 1 : section.last]
        end = section.last
    if not parsed.facts and not text.startswith("---\n"):
        held = {at for section in parsed.sections for at in range(section.first, section.last + 1)}
        assert {at for at, line in enumerate(lines, 1) if line.strip()} <= held


HOSTILE = {
    "quotes": "> " * 50_000,
    "lists": "- " * 50_000,
    "items": "- a\n" * 5_000,
    "brackets": "[" * 100_000,
    "pipes": "|" * 100_000 + "\n|-|",
    "stars": "*" * 100_000,
    "hashes": "#" * 100_000,
    "ticks": "`" * 100_000,
    "angles": "<" * 100_000,
    "deep quotes": ("> " * 30 + "x\n") * 2_000,
    "definitions": "[a]: <" * 20_000,
    "tabs": "\t" * 100_000 + "x",
    "lines": "a\n" * 20_000,
    "wide table": "| a " * 2_000 + "|\n" + "|---" * 2_000 + "|\n" + "| b |\n" * 200,
}


@pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))
def test_hostile_text_costs_little(text: str) -> None:
    started = time.process_time()
    parse(text)
    assert time.process_time() - started < seconds(5)
