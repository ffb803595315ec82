"""The pages that show what a workspace holds: log, catalog, tickets, policy, controls, scorecard."""

import json
import re

import pytest
from support.console import Browser, Console, text_of

from twokey.audit.note import Verifier
from twokey.audit.proof import check
from twokey.channels.workspace import Workspace
from twokey.core.errors import CheckFailed

PAGES = ("/log", "/catalog", "/tickets", "/policy", "/controls", "/scorecard")


@pytest.fixture(scope="module")
def sam(console: Console) -> Browser:
    return console.browser("sam")


@pytest.mark.parametrize("path", [*PAGES, "/api/log", "/api/catalog", "/scorecard.csv"])
def test_nothing_is_shown_to_who_is_not_in(console: Console, path: str):
    answer = console.browser().get(path)
    assert answer.status_code in {303, 401}
    assert "entries" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_each_page_says_what_it_is(sam: Browser, path: str):
    answer = sam.get(path)
    assert answer.status_code == 200
    assert f'<a href="{path}" aria-current="page">' in answer.text
    assert answer.text.count("<h1>") == 1


def test_the_log_tells_each_entry_and_goes_on(sam: Browser, workspace: Workspace):
    first = sam.get("/log?kind=run.requested").text
    assert "ana asked, through cli (catalog_propose)." in text_of(first)
    paged = sam.get("/api/log?limit=3").json()
    seen = [entry["seq"] for entry in paged["entries"]]
    while paged["next"] is not None:
        paged = sam.get(f"/api/log?limit=3&before={paged['next']}").json()
        seen += [entry["seq"] for entry in paged["entries"]]
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 0
    checkpoint = workspace.ledger.checkpoint()
    assert checkpoint is not None
    assert len(seen) <= checkpoint.size


def test_the_log_is_searched_by_id_by_its_beginning_and_by_words(sam: Browser, proposal: str):
    whole = sam.get(f"/api/log?about=p-{proposal}").json()["entries"]
    assert {entry["subject"] for entry in whole} == {f"p-{proposal}"}
    assert sam.get(f"/api/log?about=p-{proposal[:6]}").json()["entries"] == whole
    moved = next(entry for entry in whole if entry["kind"] == "proposal.moved")
    assert sam.get(f"/api/log?about={moved['id']}").json()["entries"] == [moved]
    words = sam.get("/api/log?about=NEEDS_APPROVAL").json()["entries"]
    assert all("approval" in f"{entry['said']}{entry['event']}" for entry in words)
    assert sam.get("/api/log?about=no-such-words-anywhere").json() == {"entries": [], "next": None}
    assert sam.get("/api/log?kind=no.kind").status_code == 400
    assert sam.get("/api/log?about=l-zzzzzzzzzzzz").status_code == 404


def test_one_change_is_shown_from_its_request_to_where_it_stands(sam: Browser, proposal: str, workspace: Workspace):
    change = sam.get(f"/api/changes/{proposal}").json()
    kinds = [entry["kind"] for entry in change["entries"]]
    assert kinds[0] == "run.requested"
    assert "proposal.moved" in kinds
    assert change["proposals"] == [f"p-{proposal}"]
    assert sam.get(f"/api/changes/{change['run']}").json() == change
    page = text_of(sam.get(f"/log/change/p-{proposal}").text)
    assert "One change from end to end" in page
    assert sam.get("/log/change/r-zzzzzzzzzzzz").status_code == 404
    assert sam.get("/log/change/..%2f..%2fetc").status_code in {400, 404}
    assert workspace.service.find(proposal).run == change["run"]


def test_a_proof_that_is_taken_away_checks_without_the_console(sam: Browser):
    entry = sam.get("/api/log?limit=1").json()["entries"][0]
    answer = sam.get(f"/log/entry/{entry['id']}/proof")
    assert answer.headers["content-disposition"] == f'attachment; filename="{entry["id"]}.proof.json"'
    held = answer.json()
    assert held == sam.get(f"/api/log/{entry['id']}/proof").json()
    verifier = Verifier.parse(held["key"])
    assert check(held["proof"], held["entry"].encode(), verifier) == entry["seq"]
    with pytest.raises(CheckFailed):
        check(held["proof"], held["entry"].replace("l-", "l+").encode(), verifier)
    assert "Proven to be in the log" in text_of(sam.get(f"/log/entry/{entry['id']}").text)
    assert sam.get("/log/entry/nonsense").status_code == 404


def test_verifying_is_asked_for_with_the_token_and_says_how_it_ended(console: Console, sam: Browser):
    assert "Every entry is verified when somebody asks" in text_of(sam.get("/log").text)
    refused = sam.submit("/log/verify", {"csrf": "0" * 64})
    assert refused.status_code == 409
    assert sam.get("/log/verify").status_code in {404, 405}
    assert sam.submit("/log/verify", {}).status_code == 303
    console.site.verification.wait(60)
    assert console.site.verification.last.state == "ok", console.site.verification.last
    assert "Verified whole" in text_of(sam.get("/log").text)
    state = sam.get("/api/log-state").json()
    assert (state["verified"], state["rejected"]) == ("ok", 0)


def test_the_catalog_shows_tables_columns_and_findings_with_their_evidence(sam: Browser):
    page = sam.get("/catalog")
    found = sam.get("/api/catalog").json()["warehouses"]
    assert len(found) == 1
    columns = {column["name"]: column for table in found[0]["tables"] for column in table["columns"]}
    assert all(column["type"] for column in columns.values())
    sensitive = [
        name for name, column in columns.items() if any(f["kind"] == "sensitivity" for f in column["findings"])
    ]
    assert sensitive
    text = text_of(page.text)
    assert all(name in text for name in columns)
    evidence = found[0]["evidence"]
    assert f'href="/evidence/{evidence}"' in page.text
    shown = sam.get(f"/evidence/{evidence}")
    assert shown.status_code == 200
    assert sam.get(f"/api/evidence/{evidence}").json()["run"] == found[0]["run"]
    assert sam.get("/evidence/e-zzzzzzzzzzzz").status_code == 404
    assert sam.get("/evidence/..").status_code in {303, 404}


def test_lists_lead_to_their_proposals(sam: Browser, proposal: str):
    assert f'href="/p/{proposal}"' in sam.get("/catalog").text
    items = sam.get("/api/proposals?agent=catalog&state=awaiting_approval").json()
    assert [item["id"] for item in items["proposals"]] == [f"p-{proposal}"]
    assert sam.get("/api/proposals?state=blessed").status_code == 400
    assert sam.get("/api/proposals?behind=1.p-000000000000").json() == {"proposals": [], "next": None}
    first = sam.get("/api/proposals?limit=1").json()
    assert sam.get(f"/api/proposals?limit=1&behind={first['next']}").json()["proposals"] == []
    assert sam.get(f"/api/proposals/{proposal}").json()["digest"] == first["proposals"][0]["digest"]
    runs = sam.get("/api/runs").json()["runs"]
    assert sam.get(f"/api/runs/{runs[0]['id']}").json()["proposals"] == [f"p-{proposal}"]
    assert "No run has read tickets yet" in text_of(sam.get("/tickets").text)


def test_policy_tells_every_rule_and_how_often_it_spoke_lately(sam: Browser):
    view = sam.get("/api/policy").json()
    assert view["same_folder"]
    assert len(view["rules"]) > 20
    assert sum(rule["lately"] for rule in view["rules"]) > 0
    text = text_of(sam.get("/policy?rule=R07").text)
    assert all(rule["title"] in text for rule in view["rules"])


def test_controls_that_were_never_tried_are_not_lit(sam: Browser):
    view = sam.get("/api/controls").json()
    assert len(view["controls"]) == 12
    assert {light["state"] for light in view["controls"]} == {"unknown"}
    assert "They were never tried here" in text_of(sam.get("/controls").text)


def test_the_scorecard_is_the_one_of_the_command(sam: Browser):
    page = text_of(sam.get("/scorecard").text)
    card = sam.get("/api/scorecard").json()
    for section in card["sections"].values():
        for figure in section.values():
            assert figure["title"] in page
    assert sam.get("/scorecard.csv").text.startswith("quarter,section,figure")
    assert sam.get("/scorecard?quarter=soon").status_code == 400
    assert sam.get("/scorecard?quarter=2020-Q1").status_code == 200


def test_who_asks_through_the_api_needs_the_token(sam: Browser):
    refused = sam.post("/api/requests", {"text": "scan"}, csrf="0" * 64)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "other_session")
    assert sam.post("/api/requests", {"text": ""}).status_code == 400
    taken = sam.post("/api/requests", {"text": "What is in the warehouse?"})
    assert taken.status_code == 202
    assert sam.get(f"/api/runs/{taken.json()['run']}").json()["run"]["requester"] == "sam"


def test_the_api_says_what_it_answers(sam: Browser):
    described = sam.get("/api/openapi.json").json()
    assert set(described["paths"]) >= {"/api/proposals", "/api/log", "/api/scorecard", "/api/requests"}
    assert "422" not in json.dumps(described)
    assert sam.get("/api/nothing").status_code == 404


def test_no_page_of_data_has_scripts_or_styles_in_it(sam: Browser):
    for path in PAGES:
        page = sam.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page)
        assert " style=" not in page
        assert not re.search(r"\son[a-z]+=", page)
