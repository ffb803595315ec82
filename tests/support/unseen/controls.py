"""Tables whose oddities are right: rare values, long tails, look-alike names, several forms side by side."""

import random
from collections.abc import Callable

from support.dirty_tables import Row, Table, word
from support.unseen.making import CITIES, FIRST, LAST, person, some_day, weighted


def rare_categories(rng: random.Random) -> Table:
    """One value in a thousand is a value, too, and short codes differ in one letter."""
    codes = [*("AA", "AB", "AC", "BA", "BB", "CA", "CB", "ZZ", "X1")]
    kinds = ["standard", "express", "economy", "overnight", "same day", "courier by boat", "pigeon"]
    rows: list[Row] = [
        [
            str(number),
            weighted(rng, codes),
            weighted(rng, kinds),
            rng.choices(["closed", "open", "lost"], [960, 38, 2])[0],
            rng.choices(["no", "yes"], [995, 5])[0],
            weighted(rng, ["EUR", "USD", "GBP", "JPY", "ISK", "XOF"]),
        ]
        for number in range(1500)
    ]
    return Table("rare_categories", ("id", "class", "service", "state", "insured", "currency"), rows)


def long_tails(rng: random.Random) -> Table:
    """Amounts over six powers of ten, refunds below zero, counts that are mostly nought."""
    rows: list[Row] = [
        [
            f"T{number:06d}",
            f"{rng.lognormvariate(3, 2) * rng.choices([1, -1], [97, 3])[0]:.2f}",
            str(max(0, int(rng.paretovariate(0.8)) - 1)),
            f"{rng.choices([0, rng.uniform(1, 40)], [95, 5])[0]:.1f}",
            str(int(rng.paretovariate(0.6) * 10)),
            f"{rng.gauss(0, 1) * rng.expovariate(0.5):.4f}",
        ]
        for number in range(2000)
    ]
    return Table("long_tails", ("id", "amount", "clicks", "discount", "bytes", "drift"), rows)


def look_alikes(rng: random.Random) -> Table:
    """Names that differ in a letter and are all right."""
    first = [
        "Jon",
        "John",
        "Joan",
        "Ann",
        "Anne",
        "Anna",
        "Hannah",
        "Hanna",
        "Marc",
        "Mark",
        "Maria",
        "Marie",
        "Mario",
        "Eric",
        "Erik",
        "Erika",
    ]
    last = [
        "Meyer",
        "Meier",
        "Maier",
        "Mayer",
        "Smith",
        "Smyth",
        "Schmidt",
        "Schmitt",
        "Hansen",
        "Hanson",
        "Jansen",
        "Janssen",
        "Petersen",
        "Peterson",
        "Reed",
        "Reid",
        "Read",
    ]
    town = [
        "Newton",
        "Newtown",
        "Norton",
        "Morton",
        "Weston",
        "Easton",
        "Preston",
        "Hampton",
        "Compton",
        "Brampton",
        "Houston",
    ]
    rows: list[Row] = [
        [
            str(number),
            weighted(rng, first),
            rng.choice(last),
            rng.choice(town),
            f"{rng.randint(1, 400)}{rng.choice(['', '', '', 'a', 'b'])}",
            some_day(rng, 1940, 2005).isoformat(),
        ]
        for number in range(1200)
    ]
    return Table("look_alikes", ("id", "first", "last", "town", "house", "born"), rows)


def free_text(rng: random.Random) -> Table:
    """Titles and remarks of any length and form, many of them empty, some told twice."""
    words = [word(rng, rng.randint(1, 4)).lower() for _ in range(500)]

    def said(least: int, most: int) -> str:
        text = " ".join(rng.choice(words) for _ in range(rng.randint(least, most)))
        return rng.choice(
            [
                text.capitalize(),
                text,
                text.upper(),
                text.capitalize() + ".",
                text + "?",
                text + " (see #12)",
                text + " - 50 %",
            ]
        )

    rows: list[Row] = [
        [
            f"#{number}",
            said(2, 7),
            said(5, 60) if rng.random() < 0.5 else "",
            rng.choice(["n/a for us", "ok", "OK, thanks", "", "", "", said(1, 3)]),
            "; ".join(said(1, 2) for _ in range(rng.randint(0, 4))),
        ]
        for number in range(900)
    ]
    return Table("free_text", ("ticket", "title", "body", "answer", "tags"), rows)


def old_and_new_codes(rng: random.Random) -> Table:
    """A numbering that was changed, part numbers of several makers, versions."""
    rows: list[Row] = []
    for _ in range(1400):
        day = some_day(rng, 2015, 2024)
        order = f"{rng.randint(1, 99_999)}" if day.year < 2019 else f"ORD-{day.year}-{rng.randint(1, 9999):04d}"
        maker = rng.choice(["Bosk", "Nuvo", "Tyr"])
        part = {
            "Bosk": f"{rng.randint(1000, 9999)}.{rng.randint(10, 99)}",
            "Nuvo": f"NV{rng.randint(10**5, 10**6 - 1)}",
            "Tyr": "".join(rng.choice("ABCDEF0123456789") for _ in range(rng.randint(6, 9))),
        }[maker]
        release = f"{rng.randint(0, 12)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}" + rng.choice(
            ["", "", "", "-rc1", "-beta.2"]
        )
        rows.append(
            [
                order,
                day.isoformat(),
                maker,
                part,
                release,
                rng.choice(["XS", "S", "M", "L", "XL", "XXL", "38", "40", "42"]),
            ]
        )
    return Table("old_and_new_codes", ("order", "day", "maker", "part", "release", "size"), rows)


def many_countries(rng: random.Random) -> Table:
    """Post codes, phones and names as each country writes them."""
    forms: dict[str, tuple[Callable[[], str], str]] = {
        "US": (lambda: f"{rng.randint(501, 99_950):05d}", "+1"),
        "NL": (lambda: f"{rng.randint(1000, 9999)} {rng.choice('ABCDE')}{rng.choice('ABCDE')}", "+31"),
        "GB": (
            lambda: (
                f"{rng.choice(['SW', 'M', 'LS', 'EH'])}{rng.randint(1, 20)} {rng.randint(1, 9)}{rng.choice('ABDE')}{rng.choice('ABDE')}"
            ),
            "+44",
        ),
        "AT": (lambda: f"{rng.randint(1010, 9990)}", "+43"),
        "CA": (
            lambda: (
                f"{rng.choice('KLMV')}{rng.randint(1, 9)}{rng.choice('ABC')} {rng.randint(1, 9)}{rng.choice('ABC')}{rng.randint(1, 9)}"
            ),
            "+1",
        ),
    }
    rows: list[Row] = []
    for number in range(1300):
        country = weighted(rng, list(forms))
        code, dial = forms[country]
        name = rng.choice(
            [
                "José Ángel Núñez",
                "Søren Kierkegård",
                "Anne-Marie O'Neil",
                "van der Berg, Jan",
                *(" ".join(person(rng)) for _ in range(9)),
            ]
        )
        rows.append(
            [
                str(number),
                name,
                code(),
                country,
                f"{dial} {rng.randint(10**7, 10**10)}",
                some_day(rng, 2020, 2024).isoformat(),
            ]
        )
    return Table("many_countries", ("id", "name", "postcode", "country", "phone", "joined"), rows)


def moves(rng: random.Random) -> Table:
    """Customers who move house and change names: what looks like a rule has right exceptions, early and late."""
    zips = {city[0]: [f"{city[2]}{at:02d}" for at in range(4)] for city in CITIES}
    rows: list[Row] = []
    for number in range(300):
        first, last = person(rng)
        city, state, _, _ = rng.choice(CITIES)
        day = some_day(rng, 2018, 2020)
        for _ in range(rng.randint(2, 8)):
            if rng.random() < 0.06:
                city, state, _, _ = rng.choice(CITIES)
            if rng.random() < 0.02:
                last = rng.choice(LAST)
            day = day.fromordinal(day.toordinal() + rng.randint(5, 200))
            rows.append(
                [
                    f"C{number:04d}",
                    first,
                    last,
                    city,
                    state,
                    rng.choice(zips[city]),
                    day.isoformat(),
                    f"{rng.lognormvariate(4, 1):.2f}",
                ]
            )
    return Table("moves", ("customer", "first", "last", "city", "state", "zip", "ordered", "total"), rows)


def machine_log(rng: random.Random) -> Table:
    """Nulls in blocks, bursts, a counter that starts anew, codes that occur once."""
    rows: list[Row] = []
    counter, clock = 0, 1_700_000_000
    for number in range(2500):
        clock += rng.choices([1, 5, 3600], [50, 45, 1])[0]
        counter = 0 if rng.random() < 0.002 else counter + rng.randint(1, 9)
        broken = 900 < number < 1000
        level = weighted(rng, ["INFO", "DEBUG", "WARN", "ERROR", "FATAL"])
        rows.append(
            [
                str(clock),
                level,
                str(counter),
                "" if broken else f"{rng.gauss(55, 6):.1f}",
                f"0x{rng.getrandbits(32):08x}",
                str(weighted(rng, ["200", "404", "301", "500", "418", "503"])),
                weighted(rng, ["/", "/login", "/items", "/items/9", "/favicon.ico"]),
            ]
        )
    return Table("machine_log", ("at", "level", "counter", "load", "trace", "status", "path"), rows)


def outliers_that_are_so(rng: random.Random) -> Table:
    """Cities and villages, houses and castles, infants and the very old."""
    rows: list[Row] = []
    for number in range(800):
        people = int(rng.lognormvariate(7.5, 1.8))
        area = max(0.1, people / rng.lognormvariate(5.5, 1))
        rows.append(
            [
                f"{number + 1:05d}",
                f"{word(rng)}{rng.choice(['', ' am See', '-sur-Mer', ' upon Till'])}",
                str(people),
                f"{area:.1f}",
                f"{people / area:.1f}",
                str(rng.choices([rng.randint(0, 900), rng.randint(900, 3200), rng.randint(-9, 0)], [90, 8, 2])[0]),
                str(rng.choices([rng.randint(900, 1900), rng.randint(1900, 1999)], [85, 15])[0]),
                rng.choice(FIRST + LAST) + " " + rng.choice(LAST),
            ]
        )
    return Table(
        "outliers_that_are_so",
        ("code", "name", "people", "area_km2", "density", "height_m", "chartered", "mayor"),
        rows,
    )


CONTROLS: dict[str, Callable[[random.Random], Table]] = {
    made.__name__: made
    for made in (
        rare_categories,
        long_tails,
        look_alikes,
        free_text,
        old_and_new_codes,
        many_countries,
        moves,
        machine_log,
        outliers_that_are_so,
    )
}
