"""Coming into the console: by a link that works once, in the browser that opened it."""

from support.console import Console, text_of


def test_a_one_time_link_lets_one_browser_in_once(console: Console):
    link = console.link("sam")
    first, second = console.browser(), console.browser()

    assert first.enter(link).json() == {"principal": "sam", "next": "/inbox"}
    assert "Waits for you" in text_of(first.get("/inbox").text)

    refused = second.enter(link)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "link_used"
    assert second.get("/inbox").status_code == 303
