"""A batch is exactly the list that was shown: whatever differs in it is another batch."""

from typing import Any

import pytest
from pydantic import ValidationError

from twokey.core.batches import Batch, BatchItem
from twokey.core.values import ApprovalsNeeded, Statement, Together

ITEMS = tuple(BatchItem(proposal=f"p-00000000000{n}", digest=str(n) * 64, decision="d" * 64) for n in range(1, 4))
BATCH = Batch(workspace="w-000000000001", kind="sorts", viewer="sam", items=ITEMS[:2])


@pytest.mark.parametrize(
    "changes",
    [
        {"items": ITEMS},
        {"items": ITEMS[:1] + ITEMS[2:]},
        {"items": (ITEMS[1], ITEMS[0])},
        {"items": (ITEMS[0], ITEMS[1].model_copy(update={"digest": "0" * 64}))},
        {"items": (ITEMS[0], ITEMS[1].model_copy(update={"decision": "0" * 64}))},
        {"viewer": "kim"},
        {"viewer": None},
        {"kind": "others"},
        {"workspace": "w-000000000002"},
    ],
)
def test_another_list_has_another_digest(changes: dict[str, Any]):
    assert BATCH.model_copy(update=changes).digest() != BATCH.digest()


@pytest.mark.parametrize("items", [(), ITEMS[:1], (ITEMS[0], ITEMS[1], ITEMS[0]), ITEMS[:1] * 51])
def test_a_batch_holds_several_cards_each_once(items: tuple[BatchItem, ...]):
    with pytest.raises(ValidationError):
        Batch(workspace="w-000000000001", kind="sorts", viewer="sam", items=items)


def test_it_says_what_was_shown_of_a_proposal():
    assert BATCH.item(ITEMS[1].proposal) == ITEMS[1]
    assert BATCH.item(ITEMS[2].proposal) is None


def test_what_names_no_batch_has_the_form_that_it_had_before():
    said = Statement(
        workspace="w-000000000001",
        action="approve",
        proposal="p-000000000001",
        proposal_digest="a" * 64,
        decision_digest="b" * 64,
        principal="sam",
        at_us=1,
    )
    assert "batch" not in said.model_dump(mode="json")
    assert said.model_copy(update={"batch": "c" * 64}).model_dump(mode="json")["batch"] == "c" * 64
    assert "batch" not in ApprovalsNeeded().model_dump(mode="json")
    held = ApprovalsNeeded(batch=Together(kind="sorts", most=2)).model_dump(mode="json")["batch"]
    assert held == {"kind": "sorts", "most": 2}


@pytest.mark.parametrize("most", [1, 51])
def test_one_card_is_no_batch_and_a_hundred_are_not_read(most: int):
    with pytest.raises(ValidationError):
        Together(kind="sorts", most=most)
