from random import Random

import pytest

from twokey.channels.sample import people


@pytest.fixture
def random() -> Random:
    return Random(1)  # noqa: S311 - sample data


def test_namesakes_get_different_addresses(random: Random) -> None:
    addresses = people.Addresses(("example.org",))
    given = [addresses.give("Søren Müller", random) for _ in range(3)]
    assert given == ["soren.muller@example.org", "soren.muller2@example.org", "soren.muller3@example.org"]


def test_nobody_else_gets_the_address_of_the_canary(random: Random) -> None:
    assert people.Addresses(("example.org",)).give(people.CANARY_NAME, random) != people.CANARY_EMAIL


@pytest.mark.parametrize(
    ("country", "starts"),
    [
        ("US", ("(202) 555-01",)),
        ("DE", ("030 23125-",)),
        ("FR", ("01 99 00 ", "06 39 98 ")),
        ("GB", ("020 7946 0", "07700 900")),
        ("NA", ("+1 202 555 01",)),
    ],
)
def test_numbers_lie_in_ranges_for_fiction(country: str, starts: tuple[str, ...], random: Random) -> None:
    numbers = [people.phone(country, random) for _ in range(200)]
    assert all(number.startswith(starts) for number in numbers)
    assert {start for start in starts for number in numbers if number.startswith(start)} == set(starts)
