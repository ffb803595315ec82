"""Whom a change concerns."""

import time

import pytest

from twokey.agents.catalog import letter
from twokey.agents.catalog.changes import Change
from twokey.agents.catalog.dbt_reading import read_repository
from twokey.agents.catalog.owners import of_files, rules

CODEOWNERS = """\
# the last rule that matches counts
*                 @all
*.sql             @sql # comment
/models/          @models @extra not-an-owner
models/marts/     @marts
docs/*            docs@example.org
/models/**/x.yml  @deep
/models/free/
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ("@all",)),
        ("a/b.sql", ("@sql",)),
        ("models/a.yml", ("@models", "@extra")),
        ("models/a.sql", ("@models", "@extra")),
        ("other/models/a.yml", ("@all",)),
        ("models/marts/deep/a.yml", ("@marts",)),
        ("docs/a.md", ("docs@example.org",)),
        ("docs/deep/a.md", ("@all",)),
        ("models/a/b/x.yml", ("@deep",)),
        ("models/x.yml", ("@deep",)),
        ("models/free/a.yml", ()),
    ],
)
def test_the_last_rule_that_matches_says_who_owns_a_file(path: str, owners: tuple[str, ...]):
    found = of_files([path], {"CODEOWNERS": CODEOWNERS.encode()}, read_repository({}))
    assert found.get(path, ()) == owners


def test_the_file_that_the_forge_reads_counts():
    contents = {"CODEOWNERS": b"* @top\n", ".github/CODEOWNERS": b"* @forge\n", "docs/CODEOWNERS": b"* @docs\n"}
    assert of_files(["a"], contents, read_repository({})) == {"a": ("@forge",)}


def test_without_a_rule_the_meta_of_what_a_file_documents_says_it():
    text = b"models:\n  - {name: a, meta: {owner: ana}}\n  - {name: b, config: {meta: {owner: ben}}}\n  - {name: c}\n"
    repository = read_repository({"models/a.yml": text, "models/b.yml": b"models: [{name: d, meta: {owner: 3}}]\n"})
    assert of_files(["models/a.yml", "models/b.yml"], {}, repository) == {"models/a.yml": ("ana", "ben")}


def test_a_hostile_file_costs_no_time():
    began = time.process_time()
    text = ("/".join(["**", "*a*a*a*a*b"] * 12) + " @x\n") * 5_000 + "/ @y\n" + "x" * 1_000 + " @z\n[a-z] @w\n"
    assert len(rules(text)) <= 2_000
    assert of_files(["a" * 90 + "/" + "a/" * 100 + "z"], {"CODEOWNERS": text.encode()}, read_repository({})) == {}
    assert time.process_time() - began < 10
    assert [rule.fits("b") for rule in rules("[a-z] @w\n")] == [False]


def test_the_letter_names_the_owners_of_each_file_harmlessly():
    owners = {"models/a.yml": ("@team", "[x](http://evil)")}
    written = letter.write(Change({"models/a.yml": ""}, ()), (), warehouse="shop", evidence=(), owners=owners)
    assert "### Owners\n\n- `models/a.yml`: \uff20team, (x)(http: / /evil)" in written.body
    assert "### Owners" not in letter.write(Change({}, ()), (), warehouse="shop", evidence=()).body
