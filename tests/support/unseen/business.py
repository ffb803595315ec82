"""A catalogue, invoices, restaurants, flats for sale."""

import random

from support.dirty_tables import Row, Table, word
from support.unseen.making import (
    CITIES,
    STREETS,
    Kind,
    by,
    dotted,
    mistyped,
    one_of,
    other_of,
    scaled,
    some_day,
    us_date,
    weighted,
)


def catalogue(rng: random.Random) -> Table:
    brands = [word(rng, 2) for _ in range(30)]
    groups = {"Tea": "g", "Coffee": "g", "Flour": "g", "Oil": "ml", "Juice": "ml", "Soap": "ml", "Rice": "g"}
    rows: list[Row] = []
    for number in range(1400):
        group = weighted(rng, list(groups))
        size = rng.choice([100, 125, 200, 250, 330, 400, 500, 750, 1000])
        cost = rng.lognormvariate(1.2, 0.6)
        rows.append(
            [
                f"{rng.choice('01')}{rng.randint(10**11, 10**12 - 1)}",
                f"{weighted(rng, brands)} {group} {word(rng, 2).lower()}",
                "",
                group,
                f"{size} {groups[group]}",
                f"{cost * 1.6:.2f}",
                f"{cost:.2f}",
                rng.choice(["7", "19"]),
                str(int(rng.expovariate(0.01))),
                weighted(rng, ["DE", "NL", "IT", "BR", "IN", "CO", "ET"]),
                rng.choice(["active", "active", "active", "discontinued"]),
                f"SKU-{number + 1000:05d}",
            ]
        )
        rows[-1][2] = rows[-1][1].split()[0]
    names = ("ean", "name", "brand", "group", "content", "price", "cost", "vat", "stock", "origin", "state", "sku")
    return Table("catalogue", names, rows)


def soil_catalogue(rng: random.Random, table: Table) -> None:
    table.soil(rng, "ean", 0.04, by(lambda v: v.lstrip("0")))
    table.soil(rng, "ean", 0.02, by(lambda v: f"{float(v):.2E}".replace("E+", "E+")))
    table.soil(rng, "content", 0.06, by(lambda v: v.replace(" ", "")))
    table.soil(
        rng,
        "content",
        0.05,
        by(lambda v: f"{int(v.split()[0]) / 1000:g} {'kg' if v.endswith(' g') else 'l'}" if " " in v else v),
    )
    table.soil(rng, "content", 0.02, by(lambda v: v.split(maxsplit=1)[0] if " " in v else v))
    table.soil(rng, "price", 0.04, by(lambda v: v.replace(".", ",")))
    table.soil(rng, "price", 0.03, by(lambda v: v + " EUR"))
    table.soil(rng, "price", 0.01, one_of("0.00"))
    table.soil(rng, "cost", 0.02, lambda _r, v, _row: f"{float(v) * 100:.0f}")
    table.soil(rng, "vat", 0.03, by(lambda v: f"0.{int(v):02d}"))
    table.soil(rng, "stock", 0.02, by(lambda v: "-" + v if v != "0" else v))
    table.soil(rng, "brand", 0.03, mistyped)
    table.soil(rng, "group", 0.02, by(str.lower))
    table.soil(rng, "origin", 0.02, one_of("N/A", "??"))
    table.soil(rng, "state", 0.02, one_of("actve", "discont."))
    table.soil(rng, "sku", 0.02, by(lambda v: v.replace("-", "_")))


def invoices(rng: random.Random) -> Table:
    firms = [
        (
            f"K{number:04d}",
            f"{word(rng)} {rng.choice(['Ltd', 'Inc', 'GmbH'])}",
            weighted(rng, ["EUR", "USD", "GBP", "CHF"]),
        )
        for number in range(1, 121)
    ]
    rows: list[Row] = []
    for number in range(2000):
        firm, name, currency = rng.choice(firms)
        day = some_day(rng, 2022, 2024)
        net = round(rng.lognormvariate(6, 1.2), 2)
        rate = rng.choice([0.19, 0.19, 0.07])
        tax = round(net * rate, 2)
        due = day.fromordinal(day.toordinal() + rng.choice([14, 30, 60]))
        paid = day.fromordinal(day.toordinal() + rng.randint(2, 80)).isoformat() if rng.random() < 0.8 else ""
        rows.append(
            [
                f"{day.year}-{number + 1:06d}",
                firm,
                name,
                day.isoformat(),
                due.isoformat(),
                paid,
                currency,
                f"{net:.2f}",
                f"{rate:.2f}",
                f"{tax:.2f}",
                f"{net + tax:.2f}",
            ]
        )
    names = ("invoice", "customer", "customer_name", "issued", "due", "paid", "currency", "net", "rate", "tax", "gross")
    return Table("invoices", names, rows)


def soil_invoices(rng: random.Random, table: Table) -> None:
    table.soil(rng, "net", 0.05, by(lambda v: f"{float(v):,.2f}".translate(str.maketrans(",.", ".,"))))
    table.soil(rng, "gross", 0.04, by(lambda v: "€" + v))
    table.soil(
        rng, "gross", 0.02, lambda r, v, _row: f"{float(v) + r.choice([10, -20, 100]):.2f}" if v[0] != "€" else v
    )
    table.soil(rng, "rate", 0.04, by(lambda v: f"{float(v) * 100:.0f}"))
    table.soil(rng, "tax", 0.02, by(lambda v: "-" + v))
    table.soil(rng, "issued", 0.05, by(dotted))
    table.soil(rng, "due", 0.02, by(lambda v: f"{int(v[:4]) - 2}{v[4:]}"))
    table.soil(rng, "paid", 0.04, lambda _r, v, _row: v or "0000-00-00")
    table.soil(rng, "paid", 0.02, lambda _r, v, _row: us_date(v) if v[:2] == "20" else v)
    table.soil(rng, "currency", 0.03, by({"EUR": "€", "USD": "$", "GBP": "GB", "CHF": "Fr"}.__getitem__))
    table.soil(rng, "customer_name", 0.03, mistyped)
    table.soil(rng, "customer", 0.02, by(lambda v: "K" + v[1:].lstrip("0")))
    table.soil(rng, "invoice", 0.02, by(lambda v: v.replace("-0", "/0", 1)))


def restaurants(rng: random.Random) -> Table:
    cuisines = [
        "american",
        "italian",
        "french",
        "mexican",
        "japanese",
        "chinese",
        "thai",
        "steakhouses",
        "delis",
        "seafood",
    ]
    rows: list[Row] = []
    for _ in range(330):
        city, state, code, area = rng.choice(CITIES[:12])
        place = [
            f"{rng.choice(['cafe', 'chez', 'the', 'la', 'old'])} {word(rng, 2).lower()}",
            f"{rng.randint(1, 9800)} {rng.choice(STREETS).lower()} {rng.choice(['st.', 'ave.', 'blvd.', 'rd.'])}",
            city.lower(),
            state.lower(),
            f"{code}{rng.randint(1, 99):02d}",
            f"{area}-{rng.randint(200, 999)}-{rng.randint(0, 9999):04d}",
            rng.choice(cuisines),
            "$" * rng.randint(1, 4),
            f"{rng.uniform(2.5, 5):.1f}",
        ]
        rows += [list(place) for _ in range(rng.choice([1, 1, 2, 2, 3, 5]))]
    rng.shuffle(rows)
    names = ("name", "address", "city", "state", "zip", "phone", "cuisine", "price_range", "stars")
    return Table("restaurants", names, rows)


def soil_restaurants(rng: random.Random, table: Table) -> None:
    table.soil(rng, "name", 0.03, mistyped)
    table.soil(
        rng,
        "address",
        0.05,
        by(lambda v: v.replace("st.", "street").replace("ave.", "avenue").replace("blvd.", "boulevard")),
    )
    table.soil(rng, "phone", 0.06, by(lambda v: v.replace("-", "/", 1)))
    table.soil(rng, "phone", 0.02, by(lambda v: v[4:] if v[3] == "-" else v))
    table.soil(rng, "city", 0.03, mistyped)
    table.soil(rng, "city", 0.02, by(lambda v: v + " city"))
    table.soil(rng, "state", 0.02, other_of(table.column("state")))
    table.soil(rng, "zip", 0.04, by(lambda v: v.lstrip("0")))
    table.soil(rng, "cuisine", 0.03, by(lambda v: v.title()))
    table.soil(rng, "price_range", 0.03, one_of("", "moderate", "cheap"))
    table.soil(rng, "stars", 0.03, by(lambda v: v + " stars"))
    table.soil(rng, "stars", 0.02, one_of("-1", "NaN"))


def flats(rng: random.Random) -> Table:
    rows: list[Row] = []
    for number in range(1100):
        city, state, code, _ = rng.choice(CITIES[10:24])
        area, each = max(22, int(rng.gauss(84, 27))), rng.uniform(1800, 5200)
        price = round(area * each / 500) * 500
        rows.append(
            [
                f"F-{number + 1:04d}",
                city,
                state,
                f"{code}{rng.randint(1, 20):02d}",
                str(area),
                f"{max(1, round(area / 28 + rng.gauss(0, 0.5)))}",
                str(price),
                f"{price / area:.0f}",
                str(rng.randint(1890, 2024)),
                rng.choice("ABCDEFG"),
                str(rng.randint(0, 12)),
                rng.choice(["yes", "no"]),
                some_day(rng, 2024, 2024).strftime("%d/%m/%Y"),
            ]
        )
    names = (
        "listing",
        "city",
        "state",
        "zip",
        "area_m2",
        "rooms",
        "price",
        "price_m2",
        "built",
        "energy",
        "floor",
        "balcony",
        "listed",
    )
    return Table("flats", names, rows)


def soil_flats(rng: random.Random, table: Table) -> None:
    table.soil(rng, "city", 0.03, mistyped)
    table.soil(rng, "state", 0.02, one_of("-", ""))
    table.soil(rng, "area_m2", 0.04, scaled(10.764))
    table.soil(rng, "area_m2", 0.02, by(lambda v: v + " m2"))
    table.soil(rng, "price", 0.05, by(lambda v: f"{int(v) / 1000:g}k"))
    table.soil(rng, "price", 0.02, one_of("1", "on request"))
    table.soil(rng, "rooms", 0.02, by(lambda v: v + " rooms"))
    table.soil(rng, "built", 0.02, by(lambda v: v[2:]))
    table.soil(rng, "built", 0.01, one_of("0", "3020"))
    table.soil(rng, "energy", 0.04, by(str.lower))
    table.soil(rng, "energy", 0.02, one_of("X", "n/a"))
    table.soil(rng, "floor", 0.04, by(lambda v: {"0": "ground", "1": "1st", "2": "2nd", "3": "3rd"}.get(v, v + "th")))
    table.soil(rng, "balcony", 0.04, by(lambda v: v[0]))
    table.soil(rng, "listed", 0.04, by(lambda v: "-".join(reversed(v.split("/")))))
    table.soil(rng, "zip", 0.02, by(lambda v: v + "-"))


KINDS = {
    "catalogue": Kind(catalogue, soil_catalogue),
    "invoices": Kind(invoices, soil_invoices),
    "restaurants": Kind(restaurants, soil_restaurants),
    "flats": Kind(flats, soil_flats),
}
