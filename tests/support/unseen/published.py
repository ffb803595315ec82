"""Flights told by many sources, papers, films, books."""

import random

from support.dirty_tables import Row, Table, word
from support.unseen.making import (
    FIRST,
    LAST,
    Kind,
    by,
    misread,
    mistyped,
    mojibake,
    one_of,
    other_of,
    person,
    put,
    some_day,
    us_date,
    weighted,
)


def clock(minutes: int) -> str:
    hour, minute = divmod(minutes % 1440, 60)
    return f"{(hour + 11) % 12 + 1}:{minute:02d} {'a.m.' if hour < 12 else 'p.m.'}"


def flights(rng: random.Random) -> Table:
    """Forty sources tell of the same flights; not each of them tells of each."""
    sources = [word(rng, 2).lower() + ending for ending in ("air", "track", ".com", "aware") for _ in range(9)]
    rows: list[Row] = []
    for _ in range(60):
        carrier, away, back = rng.choice(["AA", "UA", "DL", "CO"]), rng.randrange(300, 1300), rng.randrange(70, 330)
        ports = rng.sample(["ORD", "MIA", "JFK", "SFO", "DEN", "PHX", "DFW", "IAH", "EWR", "LAX"], 2)
        flight = f"{carrier}-{rng.randint(100, 4999)}-{ports[0]}-{ports[1]}"
        late = max(-8, int(rng.gauss(10, 18)))
        times = [clock(away), clock(away + late), clock(away + back), clock(away + back + late - rng.randint(0, 12))]
        rows += [["", source, flight, *times] for source in rng.sample(sources, rng.randint(20, 34))]
    rng.shuffle(rows)
    for at, row in enumerate(rows):
        row[0] = str(at + 1)
    names = ("tuple_id", "src", "flight", "sched_dep_time", "act_dep_time", "sched_arr_time", "act_arr_time")
    return Table("flights", names, rows)


def soil_flights(rng: random.Random, table: Table) -> None:
    times = table.columns[3:]
    sources = sorted({row[1] for row in table.rows})
    habits = dict(
        zip(sources, rng.choices(["", "", "", "dated", "short", "missing", "late"], k=len(sources)), strict=True)
    )
    for row, values in enumerate(table.rows):
        habit = habits[values[1]]
        for column in times:
            value, chance = values[table.columns.index(column)], rng.random()
            if habit == "dated" and chance < 0.7:
                put(table, row, column, f"12/{rng.choice(['01', '02'])}/2011 {value}")
            elif habit == "short" and chance < 0.6:
                put(table, row, column, value.replace(" a.m.", "a").replace(" p.m.", "p"))
            elif habit == "missing" and column.startswith("act") and chance < 0.6:
                put(table, row, column, rng.choice(["", "Not Available"]))
            elif (habit == "late" and chance < 0.5) or chance < 0.04:
                hour, rest = value.split(":")
                put(table, row, column, f"{hour}:{(int(rest[:2]) + rng.randint(1, 25)) % 60:02d}{rest[2:]}")
            elif chance < 0.08:
                put(table, row, column, value + " (Estimated)")


def articles(rng: random.Random) -> Table:
    subjects = ["Clinical", "Applied", "General", "European", "International", "American", "Experimental", "Tropical"]
    fields = ["Medicine", "Surgery", "Psychiatry", "Cardiology", "Nutrition", "Genetics", "Pediatrics", "Oncology"]
    journals: list[tuple[str, str, str, str]] = []
    for subject in subjects:
        for topic in rng.sample(fields, 4):
            issn = f"{rng.choice(['00', '01', '03', '14', '15'])}{rng.randint(10, 99)}-{rng.randint(0, 999):03d}{rng.choice('0123456789X')}"
            language = weighted(rng, ["eng", "fre", "ger", "spa"])
            journals.append((f"{subject} journal of {topic.lower()}", f"{subject[:4]} J {topic[:5]}", issn, language))
    verbs = [
        "effect",
        "treatment",
        "outcome",
        "diagnosis",
        "prevalence",
        "management",
        "prevention",
        "assessment",
        "risk",
        "quality",
        "review",
    ]
    rows: list[Row] = []
    for number in range(1000):
        name, short, issn, language = journals[min(int(rng.expovariate(0.09)), len(journals) - 1)]
        what, whom = rng.sample(verbs, 2), rng.choice(["children", "adults", "patients with asthma", "the elderly"])
        first = rng.randint(1, 1800)
        day = some_day(rng, 1975, 2015)
        authors = ", ".join(
            f"{last}, {first_name[0]}." for first_name, last in (person(rng) for _ in range(rng.randint(1, 5)))
        )
        title = f"{what[0].capitalize()} and {what[1]} of {word(rng).lower()} in {whom}"
        rows.append(
            [
                str(20_000 + number),
                title,
                language,
                name,
                short,
                issn,
                str(rng.randint(1, 120)),
                str(rng.randint(1, 12)) if rng.random() < 0.9 else "",
                f"{day.month}/{day.day}/{day.year % 100:02d}",
                f"{first}-{first + rng.randint(1, 15)!s}",
                authors,
            ]
        )
    names = (
        "id",
        "article_title",
        "language",
        "journal",
        "abbreviation",
        "issn",
        "volume",
        "issue",
        "created",
        "pages",
        "authors",
    )
    return Table("articles", names, rows)


def soil_articles(rng: random.Random, table: Table) -> None:
    table.soil(
        rng,
        "created",
        0.2,
        by(
            lambda v: (
                "20{2}-{0:0>2}-{1:0>2}".format(*v.split("/"))
                if v[-2:] < "16"
                else "19{2}-{0:0>2}-{1:0>2}".format(*v.split("/"))
            )
        ),
    )
    table.soil(rng, "issn", 0.06, by(lambda v: v.replace("-", "").lstrip("0")))
    table.soil(rng, "issn", 0.02, one_of("", "-1"))
    table.soil(rng, "issue", 0.1, lambda _r, v, _row: v or "-1")
    table.soil(
        rng, "language", 0.05, by({"eng": "English", "fre": "French", "ger": "German", "spa": "Spanish"}.__getitem__)
    )
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    table.soil(
        rng,
        "pages",
        0.05,
        by(lambda v: f"{months[int(v) % 12 if v.isdigit() else int(v.split('-')[1]) % 12]}-{v.split('-')[0][-2:]}"),
    )
    table.soil(rng, "journal", 0.03, mistyped)
    table.soil(rng, "abbreviation", 0.03, mistyped)
    table.soil(rng, "article_title", 0.03, by(lambda v: v[:20]))
    table.soil(rng, "authors", 0.04, by(lambda v: "{" + v.replace(", ", ",") + "}"))


def movies(rng: random.Random) -> Table:
    genres = ["Comedy", "Drama", "Horror", "Thriller", "Romance", "Action", "Documentary", "Animation", "Western"]
    rows: list[Row] = []
    for number in range(1800):
        day = some_day(rng, 1955, 2015)
        rows.append(
            [
                f"tt{rng.randint(10_000, 999_999):07d}{number % 10}",
                " ".join(
                    [
                        rng.choice(["The", "A", "My", "Last", "Red"]),
                        word(rng),
                        rng.choice(["Night", "House", "Song", "City", ""]),
                    ]
                ).strip(),
                str(day.year),
                " ".join(person(rng)),
                f"{rng.gauss(6.3, 1.1):.1f}",
                str(int(rng.lognormvariate(8, 1.5))),
                f"{int(rng.gauss(103, 16))} min",
                weighted(rng, ["USA", "UK", "France", "Germany", "Italy", "Japan", "India", "Canada"]),
                weighted(rng, ["English", "French", "German", "Italian", "Japanese", "Hindi"]),
                ",".join(sorted(rng.sample(genres, rng.randint(1, 3)))),
                day.strftime("%d %B %Y").lstrip("0"),
                rng.choice(["PG-13", "R", "PG", "G", "Not Rated"]) if rng.random() < 0.85 else "",
            ]
        )
    names = (
        "id",
        "name",
        "year",
        "director",
        "rating",
        "votes",
        "duration",
        "country",
        "language",
        "genre",
        "released",
        "certificate",
    )
    return Table("movies", names, rows)


def soil_movies(rng: random.Random, table: Table) -> None:
    table.soil(rng, "duration", 0.12, by(lambda v: f"{int(v.split()[0]) // 60} hr. {int(v.split()[0]) % 60} min."))
    table.soil(rng, "duration", 0.02, by(lambda v: v.split(maxsplit=1)[0]))
    table.soil(rng, "year", 0.03, by(lambda v: f"({v})"))
    table.soil(rng, "rating", 0.04, by(lambda v: v + "/10"))
    table.soil(rng, "rating", 0.02, by(lambda v: v if "/" in v else str(round(float(v) * 10))))
    table.soil(rng, "votes", 0.1, by(lambda v: f"{int(v):,}" if v.isdigit() else v))
    table.soil(rng, "country", 0.03, lambda _r, v, _row: {"USA": "United States", "UK": "United Kingdom"}.get(v, v))
    table.soil(rng, "genre", 0.06, by(lambda v: v.replace(",", " | ")))
    table.soil(rng, "released", 0.05, by(lambda v: v + " (USA)"))
    table.soil(rng, "released", 0.04, by(lambda v: v.split()[-1] if v[0].isdigit() and v[-1].isdigit() else v))
    table.soil(rng, "director", 0.02, by(str.upper))
    table.soil(rng, "certificate", 0.03, one_of("N/A", "none"))
    table.soil(rng, "language", 0.02, mistyped)


def check_digit(digits: str) -> str:
    return digits + str(-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits)) % 10)


def books(rng: random.Random) -> Table:
    """A library's loans: each book is lent several times."""
    houses = [
        (word(rng, 2) + " " + rng.choice(["Press", "Books", "Verlag"]), str(rng.randint(100, 999))) for _ in range(25)
    ]
    stock: list[Row] = []
    for _ in range(300):
        house, code = rng.choice(houses)
        title = f"{rng.choice(['A Short', 'The', 'Notes on', 'In the', 'Café of'])} {word(rng)} {rng.choice(['Garden', 'Winter', 'Atlas', 'Élan', 'Übung', ''])}"
        stock.append(
            [
                check_digit(f"978{rng.choice('013')}{code}{rng.randint(0, 99_999):05d}"),
                title.strip(),
                f"{rng.choice(LAST)}, {rng.choice(FIRST)}",
                house,
                str(rng.randint(1950, 2023)),
                str(int(rng.lognormvariate(5.6, 0.4))),
                weighted(rng, ["en", "de", "fr", "es", "it"]),
                f"{rng.choice('ABCDEFGH')}{rng.randint(1, 40):02d}.{rng.randint(100, 999)}",
            ]
        )
    rows: list[Row] = []
    for number in range(2200):
        lent = some_day(rng, 2023, 2024)
        due = lent.fromordinal(lent.toordinal() + rng.choice([14, 28]))
        back = lent.fromordinal(lent.toordinal() + rng.randint(1, 45))
        rows.append(
            [
                f"L{number:06d}",
                *rng.choice(stock),
                lent.isoformat(),
                due.isoformat(),
                back.isoformat() if rng.random() < 0.85 else "",
            ]
        )
    names = (
        "loan",
        "isbn",
        "title",
        "author",
        "publisher",
        "year",
        "pages",
        "language",
        "shelf",
        "lent",
        "due",
        "returned",
    )
    return Table("books", names, rows)


def soil_books(rng: random.Random, table: Table) -> None:
    table.soil(rng, "isbn", 0.02, by(lambda v: f"{float(v):.5E}".replace("E+12", "E+12")))
    table.soil(rng, "isbn", 0.01, by(lambda v: v[:5] + v[6] + v[5] + v[7:] if v.isdigit() else v))
    table.soil(rng, "title", 0.02, by(mojibake))
    table.soil(rng, "publisher", 0.02, mistyped)
    table.soil(rng, "year", 0.01, misread)
    table.soil(rng, "year", 0.01, by(lambda v: "2" + v if v.isdigit() else v))
    table.soil(rng, "pages", 0.04, by(lambda v: v + " p."))
    table.soil(rng, "language", 0.02, other_of(["English", "german", "EN"]))
    table.soil(rng, "shelf", 0.02, by(str.lower))
    table.soil(rng, "lent", 0.03, by(us_date))
    table.soil(
        rng, "returned", 0.02, lambda _r, v, row: f"{int(row[9][:4]) - 1}{v[4:]}" if v and row[9][:2] == "20" else v
    )
    table.soil(rng, "author", 0.02, by(lambda v: " ".join(reversed(v.split(", ")))))


KINDS = {
    "flights": Kind(flights, soil_flights),
    "articles": Kind(articles, soil_articles),
    "movies": Kind(movies, soil_movies),
    "books": Kind(books, soil_books),
}
