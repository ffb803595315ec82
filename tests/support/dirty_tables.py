"""Dirty tables made by hand: eight kinds of table, and the faults that people and programs put into them.

Everything is made up and seeded. A kind gives clean rows; ``soil`` copies them and puts faults of one sort into some
cells, so that which cells are wrong is known exactly.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Row = list[str]
Change = Callable[[random.Random, str, Row], str]

_SYLLABLES = [one + other for one in "bdfgklmnprstv" for other in "aeio"]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(rng: random.Random, syllables: int = 3) -> str:
    """Make up a name."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(syllables)).capitalize() + rng.choice(
        ["", "n", "r", "s", "ck"]
    )


@dataclass
class Table:
    """A table of texts; ``wrong`` are the cells that were soiled."""

    name: str
    columns: Sequence[str]
    rows: list[Row]
    wrong: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def soil(self, rng: random.Random, column: str, share: float, change: Change) -> "Table":
        """Change a share of the cells of a column; a change that changes nothing is none."""
        at = self.columns.index(column)
        for row in rng.sample(range(len(self.rows)), max(1, int(share * len(self.rows)))):
            value = self.rows[row][at]
            new = change(rng, value, self.rows[row])
            if (row, at) not in self.wrong and new.strip() != value.strip():
                self.rows[row][at] = new
                self.wrong.add((row, at))
        return self

    def column(self, name: str) -> list[str]:
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


# --- faults --------------------------------------------------------------------------------------------------------


def slip(rng: random.Random, value: str, _: Row) -> str:
    """A letter left out, doubled, changed, or two of them swapped."""
    places = [at for at, char in enumerate(value) if char.isalpha()]
    if len(places) < 5:
        return value
    at = rng.choice(places[:-1])
    kind = rng.randrange(4)
    if kind == 0:
        return value[:at] + value[at + 1 :]
    if kind == 1:
        return value[:at] + value[at] + value[at:]
    if kind == 2:
        return value[:at] + rng.choice(_LETTERS) + value[at + 1 :]
    return value[:at] + value[at + 1] + value[at] + value[at + 2 :]


def becomes(*texts: str) -> Change:
    """One of some texts."""
    return lambda rng, _value, _row: rng.choice(texts)


def written(form: str) -> Change:
    """The same value in another form; ``{}`` stands for it."""
    return lambda _rng, value, _row: form.format(value) if value else value


def another(values: Sequence[str]) -> Change:
    """A value that is right elsewhere."""
    return lambda rng, value, _row: rng.choice([other for other in values if other != value])


def times(factor: float, digits: int = 3) -> Change:
    """A number in another unit, without saying so."""
    return lambda _rng, value, _row: f"{float(value) * factor:.{digits}f}".rstrip("0").rstrip(".")


def with_sign(rng: random.Random, value: str, _: Row) -> str:
    """A sign at the end that nobody meant."""
    return value + rng.choice(["*", "-*", "~"])


def no_day(rng: random.Random, value: str, _: Row) -> str:
    """A day that no calendar has."""
    return value[:5] + rng.choice(["02-30", "13-10", "04-31", "00-12"]) + value[10:]


def day_first(_: random.Random, value: str, __: Row) -> str:
    """An ISO date as people write it."""
    return f"{value[8:10]}/{value[5:7]}/{value[:4]}"


# --- tables --------------------------------------------------------------------------------------------------------


def day(rng: random.Random, first: int = 2019, last: int = 2025) -> str:
    return f"{rng.randint(first, last)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def timetable(rng: random.Random) -> Table:
    """Trips, each as several sites report it."""
    sites = [word(rng, 2).lower() + ".example" for _ in range(14)]
    rows: list[Row] = []
    for number in range(70):
        trip = f"{rng.choice(['AX', 'BQ', 'TL'])}-{1000 + number * 7}"
        hours = sorted(rng.sample(range(24 * 60), 2))
        told = [f"{minute // 60 % 12 or 12}:{minute % 60:02} {'a.m.' if minute < 720 else 'p.m.'}" for minute in hours]
        late = [
            f"{minute // 60 % 12 or 12}:{(minute + 7) % 60:02} {'a.m.' if minute < 720 else 'p.m.'}" for minute in hours
        ]
        gate = f"{rng.choice('ABCD')}{rng.randint(1, 40)}"
        rows += [
            [site, trip, told[0], late[0], told[1], late[1], gate] for site in rng.sample(sites, rng.randint(9, 14))
        ]
    return Table("timetable", ("site", "trip", "planned_start", "start", "planned_end", "end", "gate"), rows)


def films(rng: random.Random) -> Table:
    """Films with lengths, years, makers."""
    genres = ["Drama", "Comedy", "Thriller", "Documentary", "Animation", "Adventure"]
    ratings = ["general", "guidance", "restricted", "adults only"]
    makers = [f"{word(rng, 2)} {word(rng, 3)}" for _ in range(160)]
    rows = [
        [
            str(number + 1),
            " ".join(word(rng, rng.randint(1, 4)) for _ in range(rng.randint(1, 4))),
            str(rng.randint(1955, 2024)),
            rng.choice(makers),
            rng.choice(genres),
            f"{rng.randint(70, 190)} min",
            rng.choice(ratings),
            f"{rng.randint(10, 98) / 10:.1f}",
            f"{rng.randint(40, 900_000):,}",
            day(rng, 1990, 2024),
        ]
        for number in range(1200)
    ]
    names = ("id", "title", "year", "maker", "genre", "length", "rating", "score", "votes", "released")
    return Table("films", names, rows)


def papers(rng: random.Random) -> Table:
    """Papers in journals; title, short title and number of a journal belong together."""
    journals = [
        (
            f"Journal of {word(rng, 3)} {word(rng, 3)} Research",
            f"J. {word(rng, 2)}. Res.",
            f"{rng.randint(1000, 9999)}-{rng.randint(1000, 9999)}",
        )
        for _ in range(60)
    ]
    rows: list[Row] = []
    for number in range(1000):
        title, short, issn = rng.choice(journals)
        first = rng.randint(1, 900)
        rows.append(
            [
                str(90_000 + number),
                " ".join(word(rng, rng.randint(1, 4)).lower() for _ in range(rng.randint(5, 11))).capitalize(),
                rng.choice(["eng", "eng", "eng", "eng", "fre", "ger", "spa"]),
                title,
                short,
                issn,
                str(rng.randint(1, 90)),
                str(rng.randint(1, 12)),
                f"{first}-{first + rng.randint(2, 20)}",
                day(rng, 1998, 2016),
            ]
        )
    names = ("id", "title", "language", "journal", "journal_short", "issn", "volume", "issue", "pages", "created")
    return Table("papers", names, rows)


def taxpayers(rng: random.Random) -> Table:
    """People with places and tax; a postal code tells town and state, a state tells its rate."""
    states = [
        (f"{a}{b}", f"{rng.randint(10, 90) / 10:.1f}") for a, b in zip("ABCDEFGHKLMN", "QRSTUVWXYZQR", strict=True)
    ]
    towns = [(f"{rng.randint(0, 9)}{rng.randint(1000, 9999)}", word(rng, 3), *rng.choice(states)) for _ in range(180)]
    firsts, lasts = [word(rng, 2) for _ in range(300)], [word(rng, 3) for _ in range(700)]
    rows: list[Row] = []
    for _ in range(4000):
        code, town, state, rate = rng.choice(towns)
        married = rng.choice(["S", "M", "M"])
        rows.append(
            [
                rng.choice(firsts),
                rng.choice(lasts),
                rng.choice("FM"),
                f"{rng.randint(200, 989)}-{rng.randint(1000, 9999)}",
                town,
                state,
                code,
                married,
                rng.choice("YN"),
                str(rng.randint(10, 180) * 500),
                rate,
            ]
        )
    names = ("first", "last", "gender", "phone", "town", "state", "postal_code", "marital", "child", "salary", "rate")
    return Table("taxpayers", names, rows)


def parcels(rng: random.Random) -> Table:
    """Parcels with weights, dates in order and a status."""
    rows: list[Row] = []
    for number in range(1500):
        ordered = rng.randint(0, 900)
        sent, arrived = ordered + rng.randint(0, 6), ordered + rng.randint(8, 30)
        rows.append(
            [
                f"P{number:06}",
                rng.choice(["waiting", "packed", "travelling", "delivered", "delivered", "returned"]),
                f"{rng.randint(200, 30_000) / 1000:.2f} kg",
                str(rng.randint(10, 120)),
                *(f"{2022 + at // 336}-{at % 336 // 28 + 1:02}-{at % 28 + 1:02}" for at in (ordered, sent, arrived)),
                f"{rng.randint(300, 25_000) / 100:.2f}",
                rng.choice(["north", "south", "east", "west"]),
            ]
        )
    return Table(
        "parcels", ("parcel", "status", "weight", "width_cm", "ordered", "sent", "arrived", "price", "region"), rows
    )


def sensors(rng: random.Random) -> Table:
    """Readings of sensors that each have a place and a model."""
    places = [(f"s-{number:03}", word(rng, 3), rng.choice(["mk1", "mk2", "mk3"])) for number in range(45)]
    rows: list[Row] = []
    for number in range(3000):
        sensor, place, model = rng.choice(places)
        rows.append(
            [
                str(number),
                sensor,
                place,
                model,
                f"2025-{number // 250 % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:00",
                f"{rng.gauss(18, 6):.1f}",
                f"{rng.uniform(20, 95):.0f}",
                f"{rng.gauss(1013, 8):.1f}",
            ]
        )
    return Table(
        "sensors", ("reading", "sensor", "place", "model", "taken_at", "celsius", "humidity_pct", "pressure"), rows
    )


def staff(rng: random.Random) -> Table:
    """People at work; a department has one site and one cost centre."""
    departments = [
        (f"{word(rng, 3)} {kind}", word(rng, 3), f"CC-{rng.randint(100, 999)}")
        for kind in ("Sales", "Support", "Research", "Finance", "Logistics", "Legal")
        for _ in range(5)
    ]
    rows: list[Row] = []
    for number in range(900):
        department, site, centre = rng.choice(departments)
        name = f"{word(rng, 2)} {word(rng, 3)}"
        rows.append(
            [
                f"{number + 1:05}",
                name,
                department,
                site,
                centre,
                f"+49 {rng.randint(30, 99)} {rng.randint(100_000, 999_999)}",
                day(rng, 2001, 2024),
                str(rng.randint(19, 66)),
                rng.choice(["full time", "full time", "part time", "contract"]),
                f"{rng.randint(28, 140) * 1000}",
            ]
        )
    names = ("number", "name", "department", "site", "cost_centre", "phone", "joined", "age", "contract", "salary")
    return Table("staff", names, rows)


def shop(rng: random.Random) -> Table:
    """Sales of products that have a category, a supplier and a country; amounts have a long tail."""
    suppliers = [
        (
            f"{word(rng, 3)} {rng.choice(['Ltd', 'GmbH', 'SA'])}",
            rng.choice(["Austria", "Australia", "Norway", "Niger", "Nigeria", "Peru"]),
        )
        for _ in range(25)
    ]
    products = [
        (f"{word(rng, 2)} {word(rng, 2)}", rng.choice(["Tools", "Garden", "Kitchen", "Toys"]), *rng.choice(suppliers))
        for _ in range(120)
    ]
    rows: list[Row] = []
    for number in range(2500):
        product, category, supplier, country = rng.choice(products)
        rows.append(
            [
                str(500_000 + number),
                product,
                category,
                supplier,
                country,
                str(rng.randint(1, 12)),
                f"{rng.lognormvariate(3, 1.1):.2f}",
                rng.choice(["card", "cash", "transfer", "voucher"]),
                rng.choice(["", "", "", "gift", "late", "fragile"]),
                day(rng, 2023, 2025),
            ]
        )
    names = ("sale", "product", "category", "supplier", "country", "pieces", "amount", "payment", "remark", "sold_on")
    return Table("shop", names, rows)


CLEAN: dict[str, Callable[[random.Random], Table]] = {
    made.__name__: made for made in (timetable, films, papers, taxpayers, parcels, sensors, staff, shop)
}


def soiled(name: str, seed: int = 1) -> Table:
    """Give a table of a kind with the faults that are usual in it."""
    rng = random.Random(f"{name}/{seed}")  # noqa: S311 - repeatable, no secret
    table = CLEAN[name](rng)
    _SOIL[name](rng, table)
    return table


def clean(name: str, seed: int = 1) -> Table:
    """Give a table of a kind without any fault."""
    return CLEAN[name](random.Random(f"{name}/{seed}"))  # noqa: S311 - repeatable, no secret


def _timetable(rng: random.Random, table: Table) -> None:
    for column in ("planned_start", "start", "planned_end", "end"):
        table.soil(rng, column, 0.12, another(table.column(column)))
        table.soil(rng, column, 0.08, written("12/02/2011 {}"))
        table.soil(rng, column, 0.08, becomes(""))
    table.soil(rng, "gate", 0.1, another(table.column("gate")))


def _films(rng: random.Random, table: Table) -> None:
    def in_hours(_: random.Random, value: str, __: Row) -> str:
        minutes = int(value.removesuffix(" min"))
        return f"{minutes // 60} hr. {minutes % 60} min."

    table.soil(rng, "length", 0.2, in_hours)
    table.soil(rng, "genre", 0.02, slip)
    table.soil(rng, "rating", 0.02, slip)
    table.soil(rng, "score", 0.05, becomes("N/A", "-", "unknown"))
    table.soil(rng, "released", 0.06, day_first)
    table.soil(rng, "year", 0.01, written("({})"))


def _papers(rng: random.Random, table: Table) -> None:
    table.soil(rng, "journal", 0.03, slip)
    table.soil(rng, "journal_short", 0.03, another(table.column("journal_short")))
    table.soil(rng, "issn", 0.03, another(table.column("issn")))
    table.soil(rng, "issn", 0.02, lambda _r, value, _row: value.replace("-", ""))
    table.soil(rng, "created", 0.05, day_first)
    table.soil(rng, "pages", 0.02, lambda _r, value, _row: value.replace("-", " to "))
    table.soil(rng, "volume", 0.03, becomes("NaN", "n/a"))


def _taxpayers(rng: random.Random, table: Table) -> None:
    table.soil(rng, "town", 0.02, with_sign)
    table.soil(rng, "last", 0.005, with_sign)
    table.soil(rng, "state", 0.02, another(table.column("state")))
    table.soil(rng, "rate", 0.02, another(table.column("rate")))
    table.soil(rng, "postal_code", 1.0, lambda _r, value, _row: value.lstrip("0") if _r.random() < 0.3 else value)
    table.soil(rng, "salary", 0.01, becomes("NULL", "-"))


def _parcels(rng: random.Random, table: Table) -> None:
    table.soil(rng, "weight", 0.15, lambda _r, value, _row: f"{float(value.removesuffix(' kg')) * 1000:.0f} g")
    table.soil(
        rng,
        "weight",
        0.05,
        lambda _r, value, _row: f"{float(value.removesuffix(' kg')) * 2.2046:.2f} lbs" if "kg" in value else value,
    )
    table.soil(rng, "status", 0.02, slip)
    table.soil(rng, "arrived", 0.01, lambda _r, _value, row: "2021" + row[4][4:])
    table.soil(rng, "ordered", 0.01, no_day)
    table.soil(rng, "price", 0.004, times(1000))
    table.soil(rng, "region", 0.02, lambda _r, value, _row: value.upper())


def _sensors(rng: random.Random, table: Table) -> None:
    table.soil(rng, "celsius", 0.01, becomes("-999"))
    table.soil(rng, "humidity_pct", 0.01, becomes("140", "255", "-20"))
    table.soil(rng, "pressure", 0.005, times(100))
    table.soil(rng, "place", 0.02, another(table.column("place")))
    table.soil(rng, "model", 0.01, slip)
    table.soil(rng, "taken_at", 0.01, no_day)


def _staff(rng: random.Random, table: Table) -> None:
    table.soil(rng, "department", 0.03, slip)
    table.soil(rng, "site", 0.03, another(table.column("site")))
    table.soil(rng, "cost_centre", 0.02, lambda _r, value, _row: value.replace("-", ""))
    table.soil(rng, "phone", 0.05, lambda _r, value, _row: value.replace("+49 ", "0"))
    table.soil(rng, "age", 0.01, becomes("-1", "199", "0.5k"))
    table.soil(rng, "contract", 0.02, slip)
    table.soil(rng, "number", 0.03, lambda _r, value, _row: value.lstrip("0"))
    table.soil(rng, "joined", 0.01, becomes("1900-01-01", "2199-12-31"))


def _shop(rng: random.Random, table: Table) -> None:
    table.soil(rng, "category", 0.02, slip)
    table.soil(rng, "supplier", 0.02, slip)
    table.soil(rng, "country", 0.015, another(table.column("country")))
    table.soil(rng, "amount", 0.3, written("{} EUR"))
    table.soil(rng, "payment", 0.01, lambda _r, value, _row: f" {value.title()}")
    table.soil(rng, "pieces", 0.01, becomes("two", "a lot", "?"))


_SOIL: dict[str, Callable[[random.Random, Table], None]] = {
    "timetable": _timetable,
    "films": _films,
    "papers": _papers,
    "taxpayers": _taxpayers,
    "parcels": _parcels,
    "sensors": _sensors,
    "staff": _staff,
    "shop": _shop,
}
