"""Taxpayers, employees, patients."""

import random

from support.dirty_tables import Row, Table, word
from support.unseen.making import (
    CITIES,
    Kind,
    by,
    dotted,
    exchange,
    misread,
    mistyped,
    one_of,
    other_of,
    person,
    scaled,
    shift,
    some_day,
    weighted,
)


def tax(rng: random.Random) -> Table:
    zips = {city[0]: [f"{city[2]}{rng.randint(1, 60):02d}" for _ in range(5)] for city in CITIES}
    rates = {city[1]: [round(rng.uniform(0, 4), 2) + step for step in (0, 1.5, 2.75)] for city in CITIES}
    exempt = {city[1]: str(rng.choice([0, 0, 1000, 2200, 3000, 4250])) for city in CITIES}
    rows: list[Row] = []
    for _ in range(4000):
        first, last = person(rng)
        city, state, _, area = rng.choice(CITIES)
        salary = rng.randrange(5, 200) * 500
        rate = rates[state][0 if salary < 20_000 else 1 if salary < 60_000 else 2]
        married = rng.random() < 0.5
        rows.append(
            [
                first,
                last,
                rng.choice("MF"),
                area,
                f"{rng.randint(200, 999)}-{rng.randint(0, 9999):04d}",
                city,
                state,
                rng.choice(zips[city]),
                "M" if married else "S",
                rng.choice("YN"),
                str(salary),
                f"{rate:g}",
                "0" if married else exempt[state],
            ]
        )
    names = (
        "f_name",
        "l_name",
        "gender",
        "area_code",
        "phone",
        "city",
        "state",
        "zip",
        "marital",
        "has_child",
        "salary",
        "rate",
        "exemption",
    )
    return Table("tax", names, rows)


def soil_tax(rng: random.Random, table: Table) -> None:
    table.soil(rng, "f_name", 0.01, by(lambda v: v + "-*"))
    table.soil(rng, "l_name", 0.01, by(lambda v: v[:3] + "'" + v[3:]))
    table.soil(rng, "gender", 0.01, by({"M": "Male", "F": "Female"}.__getitem__))
    table.soil(rng, "city", 0.02, mistyped)
    table.soil(rng, "city", 0.01, by(lambda v: v + "-*"))
    table.soil(rng, "state", 0.02, other_of(table.column("state")))
    table.soil(rng, "zip", 0.03, by(lambda v: v.lstrip("0")))
    table.soil(rng, "zip", 0.01, other_of(table.column("zip")))
    table.soil(rng, "phone", 0.02, by(lambda v: v.replace("-", "")))
    table.soil(rng, "area_code", 0.01, by(lambda v: v[:2]))
    table.soil(rng, "marital", 0.01, by({"M": "married", "S": "single"}.__getitem__))
    table.soil(rng, "rate", 0.02, by(lambda v: f"{float(v) + 3:g}"))
    table.soil(rng, "salary", 0.01, by(lambda v: v + "000"))


def employees(rng: random.Random) -> Table:
    sites = [("Berlin", "DE"), ("Lyon", "FR"), ("Turin", "IT"), ("Gdansk", "PL"), ("Porto", "PT"), ("Graz", "AT")]
    parts = ["Sales", "Engineering", "Finance", "Legal", "Support", "Logistics", "Marketing"]
    heads = {part: " ".join(person(rng)) for part in parts}
    rows: list[Row] = []
    for number in range(900):
        first, last = person(rng)
        born, part, site = some_day(rng, 1960, 2002), weighted(rng, parts), rng.choice(sites)
        hired = born.replace(year=min(2024, born.year + rng.randint(19, 40)), day=rng.choice([1, 15]))
        rows.append(
            [
                f"E{number + 1:05d}",
                first,
                last,
                f"{first}.{last}{number}@example.com".lower(),
                born.isoformat(),
                hired.isoformat(),
                part,
                heads[part],
                site[0],
                site[1],
                str(rng.randrange(28, 130) * 1000),
                rng.choice(["100", "100", "100", "80", "50"]),
            ]
        )
    names = (
        "employee",
        "first",
        "last",
        "mail",
        "born",
        "hired",
        "department",
        "manager",
        "site",
        "country",
        "salary",
        "workload",
    )
    return Table("employees", names, rows)


def soil_employees(rng: random.Random, table: Table) -> None:
    shift(rng, table, "department", 0.02)
    exchange(rng, table, "site", "department", 0.02)
    exchange(rng, table, "born", "hired", 0.02)
    table.soil(rng, "mail", 0.02, by(lambda v: v.replace("@", "")))
    table.soil(rng, "mail", 0.02, one_of("-", "unknown"))
    table.soil(rng, "born", 0.05, by(lambda v: dotted(v) if v[4] == "-" else v))
    table.soil(rng, "born", 0.02, one_of("1900-01-01"))
    table.soil(rng, "department", 0.02, by(str.upper))
    table.soil(rng, "salary", 0.02, lambda _r, v, _row: str(round(int(v) / 12)) if v.isdigit() and int(v) > 1000 else v)
    table.soil(rng, "workload", 0.04, lambda _r, v, _row: {"100": "1", "80": "0.8", "50": "0.5"}.get(v, v))
    table.soil(rng, "country", 0.02, lambda _r, v, _row: {"DE": "Germany", "FR": "France", "PL": "Poland"}.get(v, v))
    table.soil(rng, "first", 0.02, by(lambda v: v.lower()))


def clinic(rng: random.Random) -> Table:
    codes = [
        (f"{rng.choice('ABCEIJKMNR')}{rng.randint(10, 99)}.{rng.randint(0, 9)}", f"{word(rng)} of the {part}")
        for part in ["heart", "lung", "liver", "skin", "ear", "eye", "knee", "hip", "hand", "foot"]
        for _ in range(3)
    ]
    patients = [
        (f"P{number:05d}", some_day(rng, 1930, 2018).isoformat(), rng.choice("mf"), rng.gauss(171, 9))
        for number in range(600)
    ]
    rows: list[Row] = []
    for number in range(2500):
        patient, born, sex, height = rng.choice(patients)
        came = some_day(rng, 2021, 2024)
        code, text = rng.choice(codes)
        high = int(rng.gauss(125, 14))
        rows.append(
            [
                str(70_001 + number),
                patient,
                born,
                sex,
                came.isoformat(),
                came.fromordinal(came.toordinal() + int(rng.expovariate(0.3))).isoformat(),
                f"{height:.0f}",
                f"{rng.gauss(75, 13):.1f}",
                f"{rng.gauss(37, 0.5):.1f}",
                f"{high}/{int(high * rng.uniform(0.58, 0.7))}",
                code,
                text,
                weighted(rng, ["public", "private", "self"]),
            ]
        )
    names = (
        "visit",
        "patient",
        "born",
        "sex",
        "admitted",
        "discharged",
        "height_cm",
        "weight_kg",
        "temperature",
        "pressure",
        "diagnosis",
        "diagnosis_text",
        "insurance",
    )
    return Table("clinic", names, rows)


def soil_clinic(rng: random.Random, table: Table) -> None:
    table.soil(rng, "born", 0.01, lambda _r, v, _row: f"20{30 + int(v[2:4]) % 40}{v[4:]}")
    table.soil(
        rng, "admitted", 0.01, by(lambda v: v[:5] + "02-3" + v[9].translate(str.maketrans("23456789", "01010101")))
    )
    table.soil(rng, "discharged", 0.02, by(lambda v: f"{int(v[:4]) - 1}{v[4:]}"))
    table.soil(rng, "discharged", 0.03, by(lambda v: dotted(v) if v[4] == "-" else v))
    table.soil(rng, "height_cm", 0.05, scaled(0.01, 2))
    table.soil(rng, "height_cm", 0.01, one_of("0", "999"))
    table.soil(rng, "temperature", 0.04, by(lambda v: f"{float(v) * 1.8 + 32:.1f}"))
    table.soil(rng, "weight_kg", 0.02, by(lambda v: v.replace(".", "")))
    table.soil(rng, "sex", 0.03, by({"m": "male", "f": "female"}.__getitem__))
    table.soil(rng, "sex", 0.01, one_of("x9", "?"))
    table.soil(rng, "pressure", 0.02, by(lambda v: v.replace("/", "-")))
    table.soil(rng, "diagnosis", 0.02, misread)
    table.soil(rng, "diagnosis_text", 0.02, mistyped)
    table.soil(rng, "insurance", 0.02, mistyped)


KINDS = {
    "tax": Kind(tax, soil_tax),
    "employees": Kind(employees, soil_employees),
    "clinic": Kind(clinic, soil_clinic),
}
