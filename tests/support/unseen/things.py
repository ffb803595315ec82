"""Servers, matches, cars."""

import random

from support.dirty_tables import Row, Table, word
from support.unseen.making import (
    Kind,
    by,
    dotted,
    misread,
    mistyped,
    one_of,
    other_of,
    person,
    some_day,
    us_date,
    weighted,
)


def servers(rng: random.Random) -> Table:
    systems = [("Ubuntu", "22.04"), ("Ubuntu", "20.04"), ("Debian", "12"), ("RHEL", "9.2"), ("Windows Server", "2019")]
    halls = [("fra1", "Frankfurt"), ("ams2", "Amsterdam"), ("lon1", "London"), ("par3", "Paris")]
    rows: list[Row] = []
    for number in range(800):
        hall, town = rng.choice(halls)
        part = rng.choice(["web", "db", "cache", "queue", "batch"])
        stage = weighted(rng, ["prod", "stage", "dev"])
        system, version = rng.choice(systems)
        rows.append(
            [
                f"{part}-{stage}-{number:03d}.{hall}.example.net",
                f"10.{rng.randint(0, 31)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}",
                ":".join(f"{rng.randrange(256):02x}" for _ in range(6)),
                system,
                version,
                f"{rng.choice([4, 8, 16, 32, 64, 128])} GB",
                str(rng.choice([2, 4, 8, 16, 32])),
                stage,
                hall,
                town,
                str(rng.choice([22, 443, 5432, 6379, 8080])),
                some_day(rng, 2018, 2024).isoformat(),
                rng.choice(["true", "false"]),
                f"{' '.join(person(rng))}" if rng.random() < 0.8 else "",
            ]
        )
    names = (
        "host",
        "ip",
        "mac",
        "os",
        "os_version",
        "memory",
        "cores",
        "stage",
        "hall",
        "town",
        "port",
        "installed",
        "monitored",
        "owner",
    )
    return Table("servers", names, rows)


def soil_servers(rng: random.Random, table: Table) -> None:
    table.soil(rng, "ip", 0.03, by(lambda v: v.rsplit(".", 1)[0] + f".{256 + int(v[-1])}"))
    table.soil(rng, "ip", 0.02, by(lambda v: v.replace(".", ",", 1)))
    table.soil(rng, "mac", 0.03, by(lambda v: v.replace(":", "-").upper()))
    table.soil(rng, "os", 0.03, mistyped)
    table.soil(rng, "memory", 0.05, by(lambda v: f"{int(v.split()[0]) * 1024} MB"))
    table.soil(rng, "memory", 0.04, by(lambda v: v.replace(" GB", "GB")))
    table.soil(rng, "cores", 0.01, one_of("0", "-1", "four"))
    table.soil(rng, "stage", 0.04, lambda _r, v, _row: {"prod": "production", "dev": "DEV"}.get(v, v))
    table.soil(rng, "town", 0.03, other_of(["Frankfurt", "Amsterdam", "London", "Paris"]))
    table.soil(rng, "port", 0.02, one_of("70000", "-1", "ssh"))
    table.soil(rng, "installed", 0.04, by(us_date))
    table.soil(rng, "installed", 0.02, one_of("1970-01-01"))
    table.soil(rng, "monitored", 0.04, by(lambda v: v[0].upper()))
    table.soil(rng, "owner", 0.04, lambda _r, v, _row: v or "tbd")
    table.soil(rng, "host", 0.02, by(lambda v: v.replace("-", "_")))


def matches(rng: random.Random) -> Table:
    teams = [
        (
            f"{rng.choice(['FC', 'SV', 'AC', 'Real'])} {word(rng, 2)}",
            word(rng, 2) + rng.choice([" Arena", " Park", "stadion"]),
            rng.randint(9, 75) * 1000,
        )
        for _ in range(20)
    ]
    judges = [" ".join(person(rng)) for _ in range(18)]
    rows: list[Row] = []
    for number in range(1500):
        (home, ground, places), (away, _, _) = rng.sample(teams, 2)
        day = some_day(rng, 2016, 2023)
        season = day.year if day.month > 6 else day.year - 1
        goals = [min(9, int(rng.expovariate(0.6))) for _ in range(2)]
        half = [rng.randint(0, goal) for goal in goals]
        result = "H" if goals[0] > goals[1] else "A" if goals[0] < goals[1] else "D"
        rows.append(
            [
                str(number + 1),
                f"{season}/{(season + 1) % 100:02d}",
                day.isoformat(),
                home,
                away,
                *map(str, goals),
                result,
                *map(str, half),
                ground,
                str(int(places * rng.uniform(0.4, 1))),
                rng.choice(judges),
            ]
        )
    names = (
        "match",
        "season",
        "date",
        "home",
        "away",
        "home_goals",
        "away_goals",
        "result",
        "half_home",
        "half_away",
        "ground",
        "attendance",
        "referee",
    )
    return Table("matches", names, rows)


def soil_matches(rng: random.Random, table: Table) -> None:
    table.soil(rng, "season", 0.03, by(lambda v: v.replace("/", "-")))
    table.soil(rng, "date", 0.04, by(dotted))
    table.soil(rng, "home", 0.03, by(lambda v: v.split()[-1]))
    table.soil(rng, "away", 0.03, mistyped)
    table.soil(rng, "home_goals", 0.01, one_of("30", "-1", "x"))
    table.soil(rng, "result", 0.02, other_of(list("HDA")))
    table.soil(rng, "result", 0.02, one_of("1", "2", "home"))
    table.soil(rng, "half_home", 0.02, by(lambda v: str(int(v) + 10)))
    table.soil(rng, "ground", 0.03, mistyped)
    table.soil(rng, "attendance", 0.06, by(lambda v: f"{int(v):,}".replace(",", ".")))
    table.soil(rng, "attendance", 0.02, one_of("0", "unknown"))
    table.soil(rng, "referee", 0.03, by(lambda v: f"{v[0]}. {v.split()[-1]}"))


def cars(rng: random.Random) -> Table:
    models = [
        (word(rng, 2), maker)
        for maker in ("Ford", "Opel", "Fiat", "Seat", "Volvo", "Skoda", "Mazda", "Honda")
        for _ in range(5)
    ]
    rows: list[Row] = []
    for _ in range(1600):
        model, maker = rng.choice(models)
        year = rng.randint(2003, 2023)
        first = some_day(rng, year, year)
        age = 2024 - year
        rows.append(
            [
                "W" + "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(16)),
                f"{rng.choice(['B', 'M', 'HH', 'K'])}-{''.join(rng.choice('ABCDEFG') for _ in range(2))} {rng.randint(1, 9999)}",
                maker,
                model,
                str(year),
                first.strftime("%m/%Y"),
                str(int(age * rng.gauss(14_000, 3000) + 500)),
                rng.choice(["petrol", "petrol", "diesel", "electric", "hybrid"]),
                weighted(rng, ["black", "grey", "white", "blue", "red", "green", "yellow"]),
                str(rng.randint(45, 220)),
                str(max(400, int(26_000 * 0.87**age * rng.uniform(0.7, 1.3) / 10) * 10)),
                rng.choice(["manual", "automatic"]),
                str(rng.choice([2, 4, 5, 5, 5])),
            ]
        )
    names = (
        "vin",
        "plate",
        "make",
        "model",
        "year",
        "registered",
        "mileage",
        "fuel",
        "colour",
        "power_kw",
        "price",
        "gearbox",
        "doors",
    )
    return Table("cars", names, rows)


def soil_cars(rng: random.Random, table: Table) -> None:
    table.soil(rng, "vin", 0.02, by(lambda v: v[:-2]))
    table.soil(rng, "vin", 0.02, misread)
    table.soil(rng, "plate", 0.03, by(lambda v: v.replace(" ", "").replace("-", "")))
    table.soil(rng, "make", 0.02, other_of(table.column("make")))
    table.soil(rng, "make", 0.02, by(str.upper))
    table.soil(rng, "model", 0.03, mistyped)
    table.soil(rng, "year", 0.02, by(lambda v: v[2:]))
    table.soil(rng, "registered", 0.04, by(lambda v: v[3:] + "-" + v[:2]))
    table.soil(rng, "registered", 0.02, lambda _r, v, _row: f"{int(v[:2]) + 12}{v[2:]}" if v[2] == "/" else v)
    table.soil(rng, "mileage", 0.06, by(lambda v: v + " km"))
    table.soil(rng, "mileage", 0.02, one_of("1", "999999", "k.A."))
    table.soil(rng, "fuel", 0.03, by(lambda v: v[0].upper()))
    table.soil(rng, "colour", 0.03, one_of("gray", "schwarz", "blakc", "-"))
    table.soil(rng, "power_kw", 0.03, by(lambda v: f"{int(v) * 1.36:.0f} PS"))
    table.soil(rng, "price", 0.03, by(lambda v: f"{v},-"))
    table.soil(rng, "price", 0.02, by(lambda v: v + "00" if v.isdigit() else v))
    table.soil(rng, "gearbox", 0.03, by({"manual": "man.", "automatic": "Automatik"}.__getitem__))
    table.soil(rng, "doors", 0.02, one_of("4/5", "50"))


KINDS = {
    "servers": Kind(servers, soil_servers),
    "matches": Kind(matches, soil_matches),
    "cars": Kind(cars, soil_cars),
}
