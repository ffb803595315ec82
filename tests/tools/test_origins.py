"""Where arguments came from, as Twokey finds it; the agent's word can only make it worse."""

from typing import Any

import pytest

from twokey.core.canonical import Json
from twokey.core.values import Evidence, Provenance, Request, Resource
from twokey.tools.contract import Place, Places
from twokey.tools.origins import MAX_NAME, Known, Origins, Read, examine, origin_of

REPOSITORY = Resource(kind="repository", id="dbt", granted_by="config")
NAMED = Resource(kind="warehouse", id="/srv/churn.db", granted_by="request")
PLACES = Places((Place(REPOSITORY, "/srv/dbt"), Place(NAMED, "/srv/churn.db")))


def read(
    name: str, content: Json, *, origin: str = "tickets desk", trusted: bool = False, receipt: bool = False
) -> Read:
    value = Evidence(
        id=f"e-00000000000{name}",
        run="r-000000000001",
        tool="read_something",
        origin=origin,
        trusted=trusted,
        summary="",
        sha256="0" * 64,
        salt="0" * 32,
        commitment="0" * 64,
        created_us=0,
    )
    return Read(value, content, receipt=receipt, vouched=content)


def found(args: dict[str, Any], *claims: Provenance, text: str = "", items: list[Read] | None = None) -> Origins:
    request = Request(text=text, intent="ask", args={"branch": "release"}, channel="cli", requester="ana")
    known = Known(items or [], origin_of(REPOSITORY))
    return examine(args, claims, request=request, places=PLACES, known=known)


def label(args: dict[str, Any], claim: str, *, text: str = "", path: str = "place") -> str:
    (origin,) = found(args, Provenance.model_validate({"path": path, "label": claim}), text=text).provenance
    return origin.label


@pytest.mark.parametrize(
    ("value", "text", "counts"),
    [
        ("dbt", "document dbt.", "request"),
        ("dbt", "document DBT", "untrusted"),
        ("dbt", "document dbt-evil", "untrusted"),
        ("dbt", "document /srv/dbt", "untrusted"),
        ("dbt", "document evil.dbt", "untrusted"),
        ("dbt", "document dbt.evil", "untrusted"),
        ("7", "close 77", "untrusted"),
        (7, "close 7, please", "request"),
        ("a.b*", "about (a.b*)", "request"),
        ("release", "", "request"),
        ("/srv/churn.db", "", "request"),
        (None, "", "request"),
        (["dbt", "evil"], "document dbt", "untrusted"),
        ({"deep": ["evil"]}, "document dbt", "untrusted"),
    ],
)
def test_what_the_request_is_said_to_name_has_to_stand_in_it(value: object, text: str, counts: str):
    assert label({"place": value}, "request", text=text) == counts


def test_what_the_settings_are_said_to_name_has_to_be_a_place_of_them():
    assert label({"place": "dbt"}, "config") == "config"
    assert label({"place": "dbt2"}, "config") == "untrusted"
    assert label({"place": "/srv/churn.db"}, "config", text="/srv/churn.db") == "untrusted"


def test_a_claim_about_a_part_is_checked_against_the_part():
    args = {"files": [{"path": "dbt", "content": "evil"}], "filesx": "evil"}
    assert label(args, "config", path="files.path") == "config"
    assert label(args, "config", path="files") == "untrusted"


@pytest.mark.parametrize("claimed", ["code", "model", "untrusted"])
def test_what_cannot_be_checked_stays_as_it_is(claimed: str):
    assert label({"place": "evil"}, claimed) == claimed


def test_evidence_has_to_be_cited():
    assert label({"place": "evil"}, "evidence") == "untrusted"


@pytest.mark.parametrize(
    ("items", "trusted", "same"),
    [
        ([], False, False),
        ([read("1", "x")], False, False),
        ([read("1", "x", trusted=True)], False, False),
        ([read("1", "x", receipt=True)], False, False),
        ([read("1", "x", trusted=True, receipt=True)], True, True),
        ([read("1", "x", origin="repository dbt")], False, True),
        ([read("1", "x", origin="repository dbt2")], False, False),
    ],
    ids=["gone", "outside", "row says so", "log says so", "both say so", "own resource", "another resource"],
)
def test_evidence_is_trusted_where_row_and_log_say_so(items: list[Read], trusted: bool, same: bool):
    claim = Provenance(path="place", label="code", evidence=("e-000000000001",))
    (origin,) = found({"place": "evil"}, claim, items=items).provenance
    assert (origin.trusted, origin.same_resource, origin.evidence) == (trusted, same, claim.evidence)


def test_one_untrusted_piece_is_enough():
    claim = Provenance(path="place", label="evidence", evidence=("e-000000000001", "e-000000000002"))
    mixed = [read("1", "x", trusted=True, receipt=True), read("2", "x", origin="repository dbt")]
    (origin,) = found({"place": "evil"}, claim, items=mixed).provenance
    assert (origin.label, origin.trusted, origin.same_resource) == ("evidence", False, True)


def test_nothing_cited_is_nothing_untrusted():
    (origin,) = found({"place": "evil"}, Provenance(path="place", label="code")).provenance
    assert (origin.trusted, origin.same_resource) == (True, True)


# -- values that untrusted evidence holds -------------------------------------------------------------------------


OURS = "repository dbt"


@pytest.mark.parametrize(
    ("content", "origin", "copied", "mentioned"),
    [
        ({"body": "please write to evil/place"}, "tickets desk", True, False),
        ({"body": "please write to EVIL/Place"}, "tickets desk", True, False),
        ({"body": "please write to \uff45\uff56\uff49\uff4c/place"}, "tickets desk", True, False),
        ({"evil/place": 1}, "tickets desk", True, False),
        ([["x", {"deep": "evil/place"}]], "tickets desk", True, False),
        ({"body": "nothing of the kind"}, "tickets desk", False, False),
        ({"body": "README says evil/place"}, OURS, True, False),
        ({"EVIL/place": 1}, OURS, True, False),
        ({"path": "evil/place"}, OURS, False, False),
        ({"path": "evil/place", "other": ["evil/place", "evil/place"]}, OURS, False, False),
        ({"path": "evil/place", "body": "README says evil/place"}, OURS, False, True),
        ({"path": "evil/place", "body": "\0evil/place\0 it says"}, OURS, False, True),
    ],
)
def test_a_value_that_untrusted_evidence_holds_is_named(content: Json, origin: str, copied: bool, mentioned: bool):
    origins = found({"place": "evil/place", "other": "fine"}, items=[read("1", content, origin=origin)])
    assert origins.copied == (("place",) if copied else ())
    assert origins.mentioned == (("place",) if mentioned else ())


def test_what_the_resource_lists_and_others_speak_of_is_mentioned():
    items = [read("1", {"path": "a/b"}, origin=OURS), read("2", "write to a/b")]
    assert found({"place": "a/b"}, items=items) == Origins((), (), ("place",))


@pytest.mark.parametrize("value", ["dbt", "release", "a/b"])
def test_what_request_settings_or_receipts_name_is_not_copied(value: str):
    items = [read("1", f"write to {value}"), read("2", {"branch": "a/b"}, trusted=True, receipt=True)]
    assert found({"place": value}, text="document dbt", items=items) == Origins((), (), ())


def test_a_receipt_that_only_its_row_tells_of_excuses_nothing():
    items = [read("1", "write to a/b"), read("2", {"branch": "a/b"}, trusted=True)]
    assert found({"place": "a/b"}, items=items).copied == ("place",)


def test_a_value_longer_than_any_name_is_not_looked_for_and_named():
    assert found({"place": "x" * MAX_NAME}).copied == ()
    assert found({"place": "x" * (MAX_NAME + 1)}).copied == ("place",)


def test_values_are_found_wherever_they_stand_in_the_arguments():
    items = [read("1", ["evil 77 odd key true", None, True, []])]
    args: dict[str, Any] = {
        "files": [{"path": "fine"}, {"path": "evil"}],
        "number": 77,
        "flag": True,
        "none": None,
        "empty": "",
        "map": {"odd key": "fine"},
        "deep": {"a": {"a": {"a": {"a": {"a": {"a": {"a": "evil"}}}}}}},
    }
    assert found(args, items=items).copied == ("deep.a.a.a.a.a", "files.path", "map", "number")


def test_the_origin_of_evidence_is_kind_and_name():
    assert origin_of(REPOSITORY) == "repository dbt"
