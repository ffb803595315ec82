"""What the unseen tables are made of: names, places, dates, and faults of single cells and of whole rows."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from support.dirty_tables import Row, Table

FIRST = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Farid",
    "Greta",
    "Hassan",
    "Ines",
    "Jonas",
    "Karin",
    "Liam",
    "Maria",
    "Noah",
    "Olga",
    "Paul",
    "Quentin",
    "Rosa",
    "Samir",
    "Tina",
    "Uwe",
    "Vera",
    "Walter",
    "Xenia",
    "Yusuf",
    "Zoe",
    "Alice",
    "Bruno",
    "Carmen",
    "Dennis",
    "Elena",
    "Fatima",
    "George",
    "Helen",
    "Igor",
    "Julia",
    "Kevin",
    "Laura",
    "Martin",
    "Nadia",
]
LAST = [
    "Adams",
    "Baker",
    "Castillo",
    "Duarte",
    "Eriksson",
    "Fischer",
    "Garcia",
    "Hoffmann",
    "Ivanova",
    "Jensen",
    "Kowalski",
    "Larsen",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petersen",
    "Quinn",
    "Rossi",
    "Schneider",
    "Tanaka",
    "Underwood",
    "Vasquez",
    "Weber",
    "Xu",
    "Young",
    "Zimmermann",
    "Abbott",
    "Brennan",
    "Carlsson",
    "Delgado",
]
# City, state, first three digits of its postal codes, area code.
CITIES = [
    ("Springfield", "MA", "011", "413"),
    ("Boston", "MA", "021", "617"),
    ("Providence", "RI", "029", "401"),
    ("Manchester", "NH", "031", "603"),
    ("Hartford", "CT", "061", "860"),
    ("Newark", "NJ", "071", "973"),
    ("Albany", "NY", "122", "518"),
    ("Rochester", "NY", "146", "585"),
    ("Pittsburgh", "PA", "152", "412"),
    ("Baltimore", "MD", "212", "410"),
    ("Richmond", "VA", "232", "804"),
    ("Charleston", "SC", "294", "843"),
    ("Savannah", "GA", "314", "912"),
    ("Tallahassee", "FL", "323", "850"),
    ("Nashville", "TN", "372", "615"),
    ("Louisville", "KY", "402", "502"),
    ("Cleveland", "OH", "441", "216"),
    ("Detroit", "MI", "482", "313"),
    ("Milwaukee", "WI", "532", "414"),
    ("Minneapolis", "MN", "554", "612"),
    ("Omaha", "NE", "681", "402"),
    ("New Orleans", "LA", "701", "504"),
    ("Oklahoma City", "OK", "731", "405"),
    ("San Antonio", "TX", "782", "210"),
    ("Denver", "CO", "802", "303"),
    ("Salt Lake City", "UT", "841", "801"),
    ("Albuquerque", "NM", "871", "505"),
    ("Sacramento", "CA", "958", "916"),
    ("Portland", "OR", "972", "503"),
    ("Seattle", "WA", "981", "206"),
]
STREETS = [
    "Main",
    "Oak",
    "Maple",
    "Cedar",
    "Washington",
    "Lake",
    "Hill",
    "Park",
    "Church",
    "Mill",
    "River",
    "Spring",
    "High",
    "Union",
    "Chestnut",
    "Walnut",
]


@dataclass(frozen=True)
class Kind:
    """How a table is made, and how it is soiled."""

    make: Callable[[random.Random], Table]
    soil: Callable[[random.Random, Table], None]


def some_day(rng: random.Random, first: int, last: int) -> date:
    start = date(first, 1, 1)
    return start + timedelta(days=rng.randrange((date(last, 12, 31) - start).days))


def person(rng: random.Random) -> tuple[str, str]:
    return rng.choice(FIRST), rng.choice(LAST)


def weighted(rng: random.Random, values: Sequence[str]) -> str:
    """Choose the first values much more often than the last ones."""
    return values[min(int(rng.paretovariate(0.9)) - 1, len(values) - 1)]


def mistyped(rng: random.Random, value: str, _: Row) -> str:
    """A letter next to the right one, one left out, doubled, or two swapped."""
    places = [at for at, char in enumerate(value) if char.isalpha()]
    if len(places) < 3:
        return value
    at = rng.choice(places[1:])
    kind = rng.randrange(4)
    if kind == 0:
        return value[:at] + value[at + 1 :]
    if kind == 1:
        return value[:at] + value[at] + value[at:]
    if kind == 2:
        return value[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + value[at + 1 :]
    return value[: at - 1] + value[at] + value[at - 1] + value[at + 1 :]


def misread(rng: random.Random, value: str, _: Row) -> str:
    """A digit that was read as a letter."""
    pairs = {"0": "O", "1": "l", "5": "S", "8": "B"}
    places = [at for at, char in enumerate(value) if char in pairs]
    if not places:
        return value
    at = rng.choice(places)
    return value[:at] + pairs[value[at]] + value[at + 1 :]


def one_of(*texts: str) -> Callable[[random.Random, str, Row], str]:
    return lambda rng, _value, _row: rng.choice(texts)


def other_of(values: Sequence[str]) -> Callable[[random.Random, str, Row], str]:
    kinds = sorted(set(values))
    return lambda rng, _value, _row: rng.choice(kinds)


def by(change: Callable[[str], str]) -> Callable[[random.Random, str, Row], str]:
    """A change that needs no chance; an empty cell is left alone."""
    return lambda _rng, value, _row: change(value) if value else value


def scaled(factor: float, digits: int = 0) -> Callable[[random.Random, str, Row], str]:
    return by(lambda value: f"{float(value) * factor:.{digits}f}")


def mojibake(value: str) -> str:
    """UTF-8 read as Windows-1252, where that is possible."""
    try:
        return value.encode("utf-8").decode("cp1252")
    except UnicodeDecodeError:
        return value


def us_date(value: str) -> str:
    """Turn 2019-04-07 into 4/7/2019."""
    year, month, day = value.split("-")
    return f"{int(month)}/{int(day)}/{year}"


def dotted(value: str) -> str:
    """Turn 2019-04-07 into 07.04.2019."""
    year, month, day = value.split("-")
    return f"{day}.{month}.{year}"


def put(table: Table, row: int, column: str, value: str) -> None:
    """Write a wrong value into a cell and note it, where it differs."""
    at = table.columns.index(column)
    if (row, at) not in table.wrong and value.strip() != table.rows[row][at].strip():
        table.rows[row][at] = value
        table.wrong.add((row, at))


def exchange(rng: random.Random, table: Table, one: str, other: str, share: float) -> None:
    """In some rows two columns have changed places."""
    left, right = table.columns.index(one), table.columns.index(other)
    for row in rng.sample(range(len(table.rows)), max(1, int(share * len(table.rows)))):
        here, there = table.rows[row][left], table.rows[row][right]
        put(table, row, one, there)
        put(table, row, other, here)


def shift(rng: random.Random, table: Table, first: str, share: float) -> None:
    """In some rows a cell was lost, and what follows moved to the left."""
    start = table.columns.index(first)
    for row in rng.sample(range(len(table.rows)), max(1, int(share * len(table.rows)))):
        moved = [*table.rows[row][start + 1 :], ""]
        for column, value in zip(table.columns[start:], moved, strict=True):
            put(table, row, column, value)
