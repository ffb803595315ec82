"""Whose doing it is that code took another way: the service's own, or that of the one it had just called."""

from collections import defaultdict

from twokey.agents.incident.ranking import Reason
from twokey.agents.incident.ranking.code import EXPLAINED, HIDDEN, SHOWN, TOLD, from_ways
from twokey.tools.read.telemetry.changes.grounds import Grounds, WaySeen


def way(service: str, *callees: str, strength: int = 400, **more: object) -> WaySeen:
    seen = {
        "operation": "work",
        "change": "gone",
        "first": "begun",
        "then": "done",
        "before": (40, 40),
        "after": (0, 30),
    }
    return WaySeen.model_validate(
        {"service": service, "callees": callees, "strength": strength, "since_us": 7, **seen, **more}
    )


def reasons(*ways: WaySeen) -> dict[str, list[Reason]]:
    names = {name for each in ways for name in (each.service, *each.callees)}
    nothing = dict.fromkeys(("harms", "waits", "flows", "calls", "slow", "odd", "acts"), ())
    grounds = Grounds.model_validate(
        {"service": "web", "start_us": 0, "end_us": 9, "services": tuple(sorted(names)), "pasts": 0, "ways": ways}
        | {"spans": 9, "lines": 9}
        | nothing
    )
    found: defaultdict[str, list[Reason]] = defaultdict(list)
    from_ways(grounds, found)
    return found


def scores(*ways: WaySeen) -> dict[str, float]:
    return {service: round(sum(each.score for each in found), 3) for service, found in reasons(*ways).items()}


def test_a_change_after_a_step_of_its_own_is_its_own_doing() -> None:
    (reason,) = reasons(way("pay"))["pay"]
    assert reason == Reason("broken", 4.0, "done", "40/40", "0/30", 7)


def test_what_is_gone_and_what_is_new_after_one_step_are_nearly_the_same_news() -> None:
    assert scores(way("pay"), way("pay", change="new", then="(end)", strength=200)) == {"pay": 5.0}


def test_a_change_after_a_call_is_shared_by_what_the_called_one_shows() -> None:
    assert scores(way("pay", "bank")) == {"pay": 4 * (1 - SHOWN), "bank": 4 * SHOWN}
    assert scores(way("pay", "bank", hidden=True)) == {"pay": 4 * (1 - HIDDEN), "bank": 4 * HIDDEN}
    failed = scores(way("pay", "bank", call_failed=True, failure=True))
    assert failed == {"pay": round(4 * (1 - TOLD), 3), "bank": round(4 * TOLD, 3)}
    assert scores(way("pay", "bank", change="new", then="no answer from bank")) == failed


def test_several_callers_that_tell_the_same_are_believed() -> None:
    found = scores(way("pay", "bank"), way("shop", "bank", strength=300))
    assert found["bank"] == round(4 * TOLD + 3 * TOLD / 2, 3)
    assert found["bank"] > max(found["pay"], found["shop"])


def test_the_called_ones_own_change_explains_its_callers() -> None:
    found = scores(way("pay", "bank"), way("bank", strength=200))
    assert found == {"pay": round(4 * (1 - EXPLAINED), 3), "bank": round(2 + 4 * EXPLAINED, 3)}


def test_blame_is_passed_on_down_to_the_last_that_was_called() -> None:
    found = scores(way("web", "shop", call_failed=True), way("shop", "pay", call_failed=True, strength=300))
    assert max(found, key=lambda name: found[name]) == "pay"
    assert "answers_badly" not in [each.kind for each in reasons(way("web", "shop"))["web"]]


def test_blame_ends_where_services_call_each_other_in_a_ring() -> None:
    ring = (way("a", "b", call_failed=True), way("b", "a", call_failed=True, strength=300))
    assert set(scores(*ring)) == {"a", "b"}


def test_nobody_is_blamed_by_name_where_several_were_called() -> None:
    assert scores(way("pay", "bank", "stock")) == {"pay": 4 * (1 - SHOWN)}
