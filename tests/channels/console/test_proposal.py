"""The page of a proposal and its answer: everything is there, and only what was seen is answered, by whom it is asked."""

from support.console import Console, text_of

from twokey.channels.workspace import Workspace


def test_everything_one_needs_to_decide_is_on_the_page(console: Console, proposal: str):
    page = console.browser("sam").get(f"/p/{proposal}")
    said = text_of(page.text)
    assert page.status_code == 200
    for wanted in (
        "Why",
        "Change",
        "Evidence",
        "Rollback",
        "Who has to agree",
        "1 of platform-owners",
        "can still answer: sam",
        "Policy",
        "Checkpoint",
        "Approve",
    ):
        assert wanted in said, wanted


def test_who_asked_finds_no_button_that_approves(console: Console, proposal: str):
    said = text_of(console.browser("ana").get(f"/p/{proposal}").text)
    assert "others answer" in said
    assert "Approve" not in said
    assert "Withdraw" in said


def test_an_answer_is_signed_by_the_browser_and_counts(console: Console, workspace: Workspace, proposal: str):
    result = console.browser("sam").answer(proposal, "approve")
    assert result.json() == {"id": f"p-{proposal}", "state": "approved", "code": "quorum_met"}
    assert workspace.service.carry_out(f"p-{proposal}").state.value == "done"
    said = text_of(console.browser("ana").get(f"/p/{proposal}").text)
    assert "Receipt" in said
    assert "sam answered: approve (key)" in said
