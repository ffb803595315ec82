import hashlib
import json
from collections.abc import Callable

import pytest
import rfc8785

from twokey.core.values import Call
from twokey.policies.input import build


def test_the_document_is_the_call_and_the_time_in_nanoseconds(write: Callable[..., Call]) -> None:
    call = write(now_us=2**53 - 1)
    document = build(call)
    found = json.loads(document.text)
    assert found.pop("now_ns") == (2**53 - 1) * 1000
    assert found == {"type": "twokey/input/v1", **call.model_dump(mode="json")}


def test_the_digest_is_of_the_canonical_part(read: Callable[..., Call]) -> None:
    document = build(read())
    part = json.loads(document.text)
    del part["now_ns"]
    assert document.digest == hashlib.sha256(rfc8785.dumps(part)).hexdigest()


def test_another_time_is_another_input(read: Callable[..., Call]) -> None:
    assert build(read(now_us=1)).digest != build(read(now_us=2)).digest


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53, "\ud800", {"ключ": 1}, object()])
def test_what_has_no_canonical_form_is_refused(read: Callable[..., Call], value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        build(read().model_copy(update={"args": {"sql": value}}))
