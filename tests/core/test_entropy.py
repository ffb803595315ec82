"""Time and identifiers as the running product takes them."""

import re
import time

from pydantic import TypeAdapter

from twokey.core.entropy import RandomIds, SystemClock
from twokey.core.ports import Clock, Ids
from twokey.core.values import ID_ALPHABET, Instant, ProposalId, Salt


def test_the_clock_gives_microseconds_since_1970():
    clock: Clock = SystemClock()
    before, now, after = time.time_ns() // 1000, clock.now_us(), time.time_ns() // 1000
    assert before <= now <= after
    assert TypeAdapter(Instant).validate_python(now, strict=True) == now


def test_ids_fit_their_pattern_and_use_every_character():
    made: Ids = RandomIds()
    several = [made.new("p") for _ in range(500)]
    for identifier in several:
        assert TypeAdapter(ProposalId).validate_python(identifier) == identifier
    assert len(set(several)) == len(several)
    # 6,000 draws: that one of 32 characters is missing has a probability below 1e-80.
    assert set("".join(identifier.removeprefix("p-") for identifier in several)) == set(ID_ALPHABET)
    assert all(identifier.startswith("w-") for identifier in (made.new("w"), made.new("w")))


def test_the_alphabet_has_no_characters_that_are_mistaken_for_others():
    assert (len(ID_ALPHABET), len(set(ID_ALPHABET))) == (32, 32)
    assert not set("ilou") & set(ID_ALPHABET)


def test_salts_are_128_random_bits():
    made = RandomIds()
    several = {made.salt() for _ in range(100)}
    assert len(several) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", salt) and TypeAdapter(Salt).validate_python(salt) for salt in several)
