"""Whom a change concerns."""

import time

import pytest
from support.effort import seconds

from twokey.agents.catalog import letter
from twokey.agents.catalog.codeowners import rules
from twokey.agents.catalog.dbt_reading import read_repository
from twokey.agents.catalog.owners import Owned, of_files, shown
from twokey.agents.catalog.written import Change
from twokey.tools.forge import Writer

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
    assert (found[path].names if path in found else ()) == owners


def test_the_file_that_the_forge_reads_counts():
    contents = {"CODEOWNERS": b"* @top\n", ".github/CODEOWNERS": b"* @forge\n", "docs/CODEOWNERS": b"* @docs\n"}
    assert of_files(["a"], contents, read_repository({})) == {"a": Owned(("@forge",), "CODEOWNERS", 99)}


def test_without_a_rule_the_meta_of_what_a_file_documents_says_it():
    text = b"models:\n  - {name: a, meta: {owner: ana}}\n  - {name: b, config: {meta: {owner: ben}}}\n  - {name: c}\n"
    repository = read_repository({"models/a.yml": text, "models/b.yml": b"models: [{name: d, meta: {owner: 3}}]\n"})
    owned = Owned(("ana", "ben"), "meta", 90)
    assert of_files(["models/a.yml", "models/b.yml"], {}, repository) == {"models/a.yml": owned}


def test_the_owner_of_a_source_a_group_and_a_tag_count_in_that_order():
    files = {
        "models/a.yml": b"sources:\n  - {name: s, meta: {owner: mia}, tables: [{name: t, tags: ['owner:zoe']}]}\n",
        "models/b.yml": b"models:\n  - {name: b, config: {group: finance}, tags: ['team:zoe']}\n  - {name: c, group: ops}\n",
        "models/c.yml": b"models: [{name: d, tags: ['team:growth', 'owner: ', daily]}]\n",
        "models/groups.yml": b"groups:\n  - {name: finance, owner: {name: Finn, email: finn@example.org}}\n  - 3\n  - {name: ops}\n",
        "models/broken.yml": b"groups: [\n",
        "models/flat.yml": b"groups: none\n",
        "models/list.yml": b"- groups:\n",
    }
    found = of_files(files, files, read_repository(files))
    assert found == {
        "models/a.yml": Owned(("mia",), "meta", 90),
        "models/b.yml": Owned(("Finn", "ops"), "group", 90),
        "models/c.yml": Owned(("growth",), "tag", 80),
    }
    assert all(owned.stated for owned in found.values())


def test_where_nobody_states_it_those_who_wrote_most_are_guessed():
    history = {
        "a.yml": (Writer(who="Ana", share=70), Writer(who="Ben", share=20)),
        "b.yml": (Writer(who="Ben", share=29),),
        "c.yml": (Writer(who="Zoe", share=45), Writer(who="Ana", share=40)),
        "d.yml": (Writer(who="Ana", share=100),),
        "e.yml": (Writer(who="Ana", share=100),),
    }
    contents = {"CODEOWNERS": b"d.yml @team\ne.yml\n"}
    found = of_files(history, contents, read_repository({}), history)
    assert found == {
        "a.yml": Owned(("Ana",), "history", 60),
        "c.yml": Owned(("Zoe", "Ana"), "history", 45),
        "d.yml": Owned(("@team",), "CODEOWNERS", 99),
    }
    assert [path for path, owned in found.items() if owned.stated] == ["d.yml"]


@pytest.mark.parametrize(
    ("owner", "name"), [("@team/x", "team/x"), ("docs@example.org", "docs"), ("Mia", "Mia"), ("@", "@")]
)
def test_a_name_calls_nobody_and_shows_no_address(owner: str, name: str):
    assert shown(owner) == name


def test_a_hostile_file_costs_no_time():
    began = time.process_time()
    text = ("/".join(["**", "*a*a*a*a*b"] * 12) + " @x\n") * 5_000 + "/ @y\n" + "x" * 1_000 + " @z\n[a-z] @w\n"
    assert len(rules(text)) <= 2_000
    assert of_files(["a" * 90 + "/" + "a/" * 100 + "z"], {"CODEOWNERS": text.encode()}, read_repository({})) == {}
    assert time.process_time() - began < seconds(10)
    assert [rule.fits("b") for rule in rules("[a-z] @w\n")] == [False]


def test_the_letter_names_the_owners_of_each_file_harmlessly():
    owned = Owned(("@team", "[x](http://evil)", "docs@example.org"), "CODEOWNERS", 99)
    around = letter.Around(owners={"models/a.yml": owned, "b.yml": Owned(("Mia",), "history", 40)})
    written = letter.write(
        Change({"models/a.yml": "", "b.yml": ""}, ()), (), warehouse="shop", evidence=(), around=around
    )
    assert "- `team`, `(x)(http: / /evil)`, `docs` (CODEOWNERS): `models/a.yml`" in written.body
    assert "- `Mia` (wrote most of it, which is a guess): `b.yml`" in written.body
    assert "### Owners" not in letter.write(Change({}, ()), (), warehouse="shop", evidence=()).body
