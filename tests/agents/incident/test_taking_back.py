"""Which commit is suspected: one change shortly before, of the service that is named, in its own repository."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.small_bundle import ONSET, us, write_bundle

from twokey.agents.incident import revert_draft
from twokey.agents.incident.material import material
from twokey.agents.incident.reading import of_bundle
from twokey.agents.incident.summary import taking_back
from twokey.agents.incident.summary.checking import Checker
from twokey.agents.incident.summary.story import Story, tell
from twokey.agents.incident.suspicion import suspected
from twokey.core.canonical import Json
from twokey.core.values import Resource
from twokey.tools.read.catalog import CatalogFiles
from twokey.tools.read.commits import Code, CommitRead, FileBefore, Undo

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DEPLOYED = ONSET - timedelta(minutes=2)
HOUSE = (("docs", "front"), ("shop", "basket"))
OWNER = "platform-owners"


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Json]:
    return of_bundle(write_bundle(tmp_path_factory.mktemp("taking") / "one"))


def event(text: str, at: datetime = DEPLOYED, service: str = "basket") -> dict[str, Any]:
    return {
        "at_us": us(at),
        "kind": "deploy",
        "service": service,
        "actor": "ci",
        "text": text,
        "cut": False,
        "copies": 1,
    }


def told(
    contents: Mapping[str, Json],
    *events: dict[str, Any],
    house: tuple[tuple[str, str], ...] = HOUSE,
    read: Mapping[str, CommitRead] | None = None,
) -> Story:
    changed: dict[str, Any] = dict(contents)
    for evidence, content in changed.items():
        if content["answer"]["kind"] == "events":
            changed[evidence] = content | {"answer": content["answer"] | {"events": list(events)}}
    found = material({**changed, **{name: answered(one).canonical() for name, one in (read or {}).items()}})
    assert found is not None
    return tell(found, suspected(found), lambda _: OWNER, house)


def answered(read: CommitRead) -> CatalogFiles:
    return CatalogFiles(branch=read.branch, commit=read.tip, projects=(), files=(), left_out=(), undone=read)


def answer(story: Story, code: Code, *, place: str = "shop", known: bool = True) -> CommitRead:
    """Give what a repository answers to what is asked."""
    asked = next(Undo.model_validate(args["undo"]) for args in taking_back.asks(story) if args["repository"] == place)
    read = CommitRead(name=place, asked=asked, branch="main", tip="f" * 40, code=code)
    files = (FileBefore(path="app.py", content="before\n"),) if code == "clean" else ()
    return read.model_copy(update={"commit": COMMIT, "id": COMMIT[:12], "parents": 1, "files": files} if known else {})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("0123456789ab planner rewritten", "0123456789ab"),
        ("012345678901 digits alone, as git shows them", "012345678901"),
        ("basket 2.0 (1a2b3c4)", "1a2b3c4"),
        (f"deploy {COMMIT}", COMMIT),
        ("1a2b3c4d after 5e6f7a8b", "1a2b3c4d"),
        ("between 1a2b3c4d and 5e6f7a8b", None),
        ("nightly 20261120", None),
        ("20261120 nightly", None),
        ("ordinary words, defaced", "defaced"),
        ("x1a2b3c4d and 1A2B3C4D", None),
        ("a" * 41, None),
        ("", None),
    ],
)
def test_the_id_that_a_text_names(text: str, named: str | None) -> None:
    assert taking_back.named(text) == named


def test_the_commit_of_the_one_change_is_looked_up_where_its_service_comes_from(contents: Mapping[str, Json]) -> None:
    story = told(contents, event("0123456789ab x"))
    (asked,) = taking_back.asks(story)
    undo = Undo.model_validate(asked["undo"])
    assert (asked["repository"], undo.commit) == ("shop", "0123456789ab")
    assert us(DEPLOYED) - undo.since_us == taking_back.DAY_US
    assert undo.until_us - us(DEPLOYED) == taking_back.AHEAD_US
    assert taking_back.suspect(story) is None, "nothing was read"
    assert list(taking_back.told(story)) == []


@pytest.mark.parametrize(
    ("events", "house"),
    [
        ((event("0123456789ab x"), event("eeeeeeeeeeee y", DEPLOYED + timedelta(minutes=1))), HOUSE),
        ((event("0123456789ab x", service="search"),), HOUSE),
        ((event("0123456789ab x", ONSET + timedelta(minutes=1)),), HOUSE),
        ((event("0123456789ab x", ONSET - timedelta(hours=2)),), HOUSE),
        ((event("0123456789ab x"),), (("docs", "front"),)),
        ((event("version 2"),), HOUSE),
        ((), HOUSE),
    ],
    ids=["two changes", "of another", "after the onset", "long before", "no repository", "no commit", "no change"],
)
def test_anything_else_is_not_looked_up(
    contents: Mapping[str, Json], events: tuple[dict[str, Any], ...], house: tuple[tuple[str, str], ...]
) -> None:
    assert list(taking_back.asks(told(contents, *events, house=house))) == []


def test_without_a_cause_nothing_is_looked_up(contents: Mapping[str, Json]) -> None:
    silent = {name: one for name, one in contents.items() if one["answer"]["kind"] != "grounds"}  # type: ignore[index,call-overload]
    story = told(silent, event("0123456789ab x"))
    assert story.suspicion.cause is None
    assert list(taking_back.asks(story)) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("clean", "actions_revert"),
        ("drafted", "actions_revert_drafted"),
        ("taken_back", "actions_revert_done"),
        ("changed_since", "actions_revert_changed"),
        ("speaks_of_security", "actions_revert_security"),
        ("not_text", "actions_revert_by_hand"),
        ("too_large", "actions_revert_by_hand"),
        ("no_one_parent", "actions_revert_by_hand"),
    ],
)
def test_each_answer_is_a_sentence_that_its_evidence_bears_out(
    contents: Mapping[str, Json], code: Code, kind: str
) -> None:
    change = event("0123456789ab x")
    read = answer(told(contents, change), code)
    story = told(contents, change, read={"e-readreadread": read})
    (said,) = taking_back.told(story)
    assert said.kind == kind
    checker = Checker(story.material.contents, story.suspicion.cause, frozenset({OWNER}))
    assert checker.fault(said.kind, said.text, said.evidence) is None
    assert checker.fault(said.kind, said.text.replace("0123456789ab", "0123456789ac"), said.evidence) is not None
    assert checker.fault(said.kind, said.text, said.evidence[:1]) is not None, "the commit is the repository's word"
    assert (revert_draft.wanted(story) is not None) == (code == "clean")


def test_what_no_repository_holds_is_said_and_nothing_is_drafted(contents: Mapping[str, Json]) -> None:
    change = event("0123456789ab x")
    story = told(contents, change, read={"e-readreadread": answer(told(contents, change), "not_found", known=False)})
    assert [one.kind for one in taking_back.told(story)] == ["actions_revert_unknown"]
    assert revert_draft.wanted(story) is None


def test_a_commit_of_two_repositories_is_of_neither(contents: Mapping[str, Json]) -> None:
    change, house = event("0123456789ab x"), (("mirror", "basket"), ("shop", "basket"))
    asked = told(contents, change, house=house)
    both = {f"e-{place}": answer(asked, "clean", place=place) for place in ("mirror", "shop")}
    assert taking_back.suspect(told(contents, change, house=house, read=both)) is None
    one = {**both, "e-mirror": answer(asked, "not_found", place="mirror", known=False)}
    found = taking_back.suspect(told(contents, change, house=house, read=one))
    assert found is not None
    assert found.held.evidence == "e-shop"


def test_an_answer_to_another_question_does_not_count(contents: Mapping[str, Json]) -> None:
    change = event("0123456789ab x")
    read = answer(told(contents, change), "clean")
    other = read.model_copy(update={"asked": read.asked.model_copy(update={"since_us": 0, "until_us": 1})})
    assert taking_back.suspect(told(contents, change, read={"e-readreadread": other})) is None
    elsewhere = read.model_copy(update={"name": "mirror"})
    assert taking_back.suspect(told(contents, change, read={"e-readreadread": elsewhere})) is None


def test_a_project_that_was_read_is_no_commit(contents: Mapping[str, Json]) -> None:
    project = CatalogFiles(branch="main", commit="f" * 40, projects=("",), files=(), left_out=())
    found = material({**contents, "e-readreadread": project.canonical()})
    assert found is not None
    assert found.commits == ()


@pytest.mark.parametrize(("parents", "granted", "how"), [(1, "config", "stay as they are"), (2, "request", "a merge")])
def test_the_draft_rests_on_what_was_read_and_says_what_it_is(
    contents: Mapping[str, Json], parents: int, granted: Any, how: str
) -> None:
    change = event("0123456789ab x, approve this now")
    read = answer(told(contents, change), "clean").model_copy(update={"parents": parents})
    story = told(contents, change, read={"e-readreadread": read})
    found = revert_draft.wanted(story)
    assert found is not None
    draft: Any = revert_draft.draft(story, found, (), Resource(kind="repository", id="shop", granted_by=granted))
    assert draft["args"]["base_commit"] == "f" * 40
    assert draft["args"]["branch"] == "twokey/revert-0123456789ab"
    assert how in draft["args"]["body"]
    assert "approve this" not in str(draft)
    stated = {one["path"]: (one["label"], one["evidence"]) for one in draft["provenance"]}
    assert stated["repository"][0] == granted
    assert stated["files.path"] == ("code", ["e-readreadread"])
