"""Contacts, a survey, students."""

import random

from support.dirty_tables import Row, Table, word
from support.unseen.making import (
    Kind,
    by,
    dotted,
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


def contacts(rng: random.Random) -> Table:
    towns = [
        ("München", "DE", "80"),
        ("Köln", "DE", "50"),
        ("Nürnberg", "DE", "90"),
        ("Zürich", "CH", "8"),
        ("Genève", "CH", "1"),
        ("Málaga", "ES", "29"),
        ("A Coruña", "ES", "15"),
        ("Orléans", "FR", "45"),
        ("Besançon", "FR", "25"),
        ("Linz", "AT", "4"),
        ("Graz", "AT", "8"),
        ("Berlin", "DE", "10"),
    ]
    firms = [
        f"{word(rng, 2)} {rng.choice(['GmbH', '& Söhne', 'SA', 'Frères', 'AG', 'KG', '& Co'])}" for _ in range(160)
    ]
    rows: list[Row] = []
    for number in range(1500):
        first, last = person(rng)
        town, country, code = rng.choice(towns)
        long = 4 if country in {"CH", "AT"} else 5
        rows.append(
            [
                str(number + 1),
                rng.choice(["Jörg", "Zoë", "René", "Åsa", first, first, first, first]),
                last,
                rng.choice(firms),
                f"{rng.choice(['Hauptstraße', 'Rue Élysée', 'Bahnhofstrasse', 'Calle Mayor', 'Gartenweg'])} {rng.randint(1, 180)}",
                code + "".join(rng.choice("0123456789") for _ in range(long - len(code))),
                town,
                country,
                f"+{rng.randint(31, 49)} {rng.randint(100, 999)} {rng.randint(10_000, 9_999_999)}",
                rng.choice(["customer", "customer", "lead", "supplier"]),
                some_day(rng, 2015, 2024).isoformat(),
            ]
        )
    names = (
        "id",
        "first_name",
        "last_name",
        "company",
        "street",
        "postcode",
        "city",
        "country",
        "phone",
        "status",
        "since",
    )
    return Table("contacts", names, rows)


def soil_contacts(rng: random.Random, table: Table) -> None:
    for column in ("city", "street", "company", "first_name"):
        table.soil(rng, column, 0.06, by(mojibake))
    table.soil(rng, "company", 0.03, by(lambda v: v.replace("&", "&amp;")))
    table.soil(rng, "company", 0.03, by(lambda v: v.replace(" ", "  ", 1)))
    table.soil(rng, "city", 0.04, by(str.upper))
    table.soil(rng, "last_name", 0.03, by(str.upper))
    table.soil(rng, "status", 0.03, by(str.title))
    table.soil(
        rng,
        "country",
        0.02,
        by({"DE": "Deutschland", "CH": "Schweiz", "ES": "España", "FR": "France", "AT": "Österreich"}.__getitem__),
    )
    table.soil(rng, "phone", 0.04, by(lambda v: "00" + v[1:].replace(" ", "")))
    table.soil(rng, "phone", 0.02, one_of("0", "none", "keine Angabe"))
    table.soil(rng, "street", 0.02, by(lambda v: v.replace(" ", "?", 1)))
    table.soil(rng, "since", 0.03, by(dotted))


def survey(rng: random.Random) -> Table:
    regions = ["North", "South", "East", "West", "Islands"]
    remarks = [
        "fine",
        "too long",
        "thanks",
        "the queue was long but staff were kind",
        "no",
        "would come again",
        "n/a for me",
    ]
    rows: list[Row] = [
        [
            f"r{number + 1}",
            some_day(rng, 2024, 2024).isoformat(),
            weighted(rng, regions),
            str(min(94, max(16, int(rng.gauss(46, 17))))),
            rng.choice(["female", "female", "male", "male", "diverse"]),
            str(rng.randint(8, 90) * 100),
            *(str(min(5, max(1, round(rng.gauss(3.5, 1.1))))) for _ in range(4)),
            rng.choice(["yes", "no"]),
            rng.choice(remarks) if rng.random() < 0.4 else "",
            str(rng.randint(1, 6)),
        ]
        for number in range(1200)
    ]
    names = (
        "respondent",
        "answered",
        "region",
        "age",
        "gender",
        "income",
        "q1",
        "q2",
        "q3",
        "q4",
        "again",
        "remark",
        "household",
    )
    return Table("survey", names, rows)


def soil_survey(rng: random.Random, table: Table) -> None:
    for column in ("q1", "q2", "q3", "q4"):
        table.soil(rng, column, 0.03, one_of("9", "99", "-1"))
    table.soil(rng, "age", 0.03, one_of("999"))
    table.soil(rng, "age", 0.01, by(lambda v: str(2024 - int(v)) if v != "999" else v))
    table.soil(rng, "age", 0.01, one_of("thirty", "forty-two", "n.a."))
    table.soil(rng, "income", 0.03, one_of("-1", "9999999"))
    table.soil(rng, "gender", 0.05, by(lambda v: v[0].upper()))
    table.soil(rng, "gender", 0.02, one_of("unknown", "-"))
    table.soil(
        rng,
        "again",
        0.06,
        lambda r, v, _row: r.choice({"yes": ["Y", "TRUE", "1"], "no": ["N", "FALSE", "0"]}.get(v, [v])),
    )
    table.soil(rng, "region", 0.02, mistyped)
    table.soil(rng, "region", 0.02, one_of("unknown"))
    table.soil(rng, "answered", 0.04, by(us_date))
    table.soil(rng, "household", 0.02, one_of("77", "two"))


def students(rng: random.Random) -> Table:
    courses = [
        (
            f"{rng.choice(['MAT', 'PHY', 'BIO', 'HIS'])}{rng.randint(100, 399)}",
            f"{word(rng)} {rng.choice(['Theory', 'Methods', 'Basics'])}",
            str(rng.choice([3, 5, 6, 10])),
            "Prof. " + person(rng)[1],
        )
        for _ in range(30)
    ]
    pupils = [(f"{rng.randint(2018, 2024)}{rng.randint(0, 9999):04d}", " ".join(person(rng))) for _ in range(400)]
    rows: list[Row] = []
    for _ in range(2600):
        year, half = rng.randint(2019, 2024), rng.choice(["WS", "SS"])
        points = min(100, max(5, int(rng.gauss(68, 17))))
        grade = "F" if points < 50 else "D" if points < 60 else "C" if points < 70 else "B" if points < 85 else "A"
        month = rng.choice(["02", "03"]) if half == "WS" else rng.choice(["07", "08"])
        rows.append(
            [
                *rng.choice(pupils),
                *rng.choice(courses),
                f"{half}{year}",
                f"{year}-{month}-{rng.randint(1, 28):02d}",
                str(points),
                grade,
                "no" if grade == "F" else "yes",
            ]
        )
    names = (
        "student",
        "name",
        "course",
        "title",
        "credits",
        "teacher",
        "term",
        "examined",
        "points",
        "grade",
        "passed",
    )
    return Table("students", names, rows)


def soil_students(rng: random.Random, table: Table) -> None:
    table.soil(rng, "title", 0.02, mistyped)
    table.soil(rng, "credits", 0.02, other_of(["3", "5", "6", "10"]))
    table.soil(rng, "teacher", 0.02, by(lambda v: v.removeprefix("Prof. ")))
    table.soil(rng, "term", 0.03, by(lambda v: f"{v[:2]} {v[2:]}"))
    table.soil(rng, "points", 0.01, by(lambda v: str(int(v) + 100)))
    table.soil(rng, "points", 0.02, one_of("abs", "-1"))
    table.soil(rng, "grade", 0.02, other_of(list("ABCDF")))
    table.soil(rng, "grade", 0.01, by(str.lower))
    table.soil(rng, "passed", 0.02, by(lambda v: {"no": "yes", "yes": "no"}[v]))
    table.soil(rng, "student", 0.02, by(lambda v: v[:4] + "-" + v[4:]))
    table.soil(rng, "name", 0.02, by(lambda v: ", ".join(reversed(v.split()))))
    for row in rng.sample(range(len(table.rows)), 30):
        put(table, row, "examined", table.rows[row][7].replace("-02-", "-30-").replace("-07-", "-17-"))


KINDS = {
    "contacts": Kind(contacts, soil_contacts),
    "survey": Kind(survey, soil_survey),
    "students": Kind(students, soil_students),
}
