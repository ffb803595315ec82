"""Weather stations, stops of buses, figures of countries."""

import math
import random
from datetime import datetime, timedelta

from support.dirty_tables import Row, Table, word
from support.unseen.making import Kind, by, dotted, exchange, mistyped, one_of, put, scaled


def weather(rng: random.Random) -> Table:
    stations = [(f"ST{number:02d}", word(rng), f"{rng.randint(5, 900)}") for number in range(1, 9)]
    start = datetime(2024, 3, 1)  # noqa: DTZ001 - the column tells no zone
    rows: list[Row] = []
    for hour in range(400):
        for code, name, height in stations:
            warm = 9 - int(height) / 150 + 6 * math.sin(hour / 24 * 6.283) + rng.gauss(0, 1.2)
            rows.append(
                [
                    (start + timedelta(hours=hour)).strftime("%Y-%m-%d %H:%M"),
                    code,
                    name,
                    height,
                    f"{warm:.1f}",
                    f"{min(100, max(18, rng.gauss(66, 14))):.0f}",
                    f"{rng.gauss(1013, 7):.1f}",
                    f"{rng.weibullvariate(4, 1.6):.1f}",
                    str(rng.randrange(0, 360, 10)),
                    f"{max(0, rng.gauss(-1.5, 2)):.1f}",
                    f"{rng.gauss(3.7, 0.08):.2f}",
                    rng.choices(["ok", "ok", "low", "test"], [70, 20, 9, 1])[0],
                ]
            )
    names = (
        "time",
        "station",
        "place",
        "height_m",
        "temperature",
        "humidity",
        "pressure",
        "wind",
        "direction",
        "rain",
        "battery",
        "quality",
    )
    return Table("weather", names, rows)


def soil_weather(rng: random.Random, table: Table) -> None:
    table.soil(rng, "temperature", 0.01, one_of("-9999", "-9999.0"))
    for row, values in enumerate(table.rows):
        if values[1] == "ST03" and 120 <= row // 8 < 200 and values[4][:5] != "-9999":
            put(table, row, "temperature", f"{float(values[4]) * 1.8 + 32:.1f}")
        if values[1] == "ST06" and 250 <= row // 8 < 310:
            put(table, row, "humidity", "71")
    table.soil(rng, "humidity", 0.01, one_of("135", "-4", "255"))
    table.soil(rng, "pressure", 0.02, by(lambda v: f"{float(v) / 10:.2f}"))
    table.soil(rng, "pressure", 0.01, one_of("0.0", "NaN"))
    table.soil(rng, "wind", 0.01, by(lambda v: "-" + v))
    table.soil(rng, "direction", 0.01, one_of("999", "720", "N"))
    table.soil(rng, "rain", 0.01, one_of("tr", "-1.0"))
    table.soil(rng, "battery", 0.01, scaled(1000))
    table.soil(rng, "place", 0.01, mistyped)
    table.soil(rng, "height_m", 0.01, by(lambda v: v + " m"))
    table.soil(rng, "time", 0.02, by(lambda v: f"{dotted(v[:10])} {v[11:]}"))


def stops(rng: random.Random) -> Table:
    lines = [(f"{number}", rng.choice(["bus", "bus", "tram"]), word(rng, 2) + " Depot") for number in range(1, 31)]
    rows: list[Row] = []
    for number in range(700):
        line, kind, depot = rng.choice(lines)
        rows.append(
            [
                f"{number + 101:04d}",
                f"{word(rng)} {rng.choice(['Square', 'Station', 'Church', 'Bridge', 'School', 'Market'])}",
                f"{rng.gauss(51.05, 0.06):.5f}",
                f"{rng.gauss(13.74, 0.09):.5f}",
                rng.choice(["A", "A", "B", "C"]),
                line,
                kind,
                depot,
                rng.choice(["0", "1"]),
                f"{rng.randint(4, 6):02d}:{rng.randint(0, 59):02d}",
                f"{rng.randint(20, 23):02d}:{rng.randint(0, 59):02d}",
            ]
        )
    names = ("stop_code", "stop_name", "lat", "lon", "zone", "line", "mode", "depot", "shelter", "first", "last")
    return Table("stops", names, rows)


def soil_stops(rng: random.Random, table: Table) -> None:
    exchange(rng, table, "lat", "lon", 0.02)
    table.soil(rng, "lon", 0.02, by(lambda v: "-" + v if v < "2" else v))
    table.soil(rng, "lat", 0.02, by(lambda v: v.replace(".", "")))
    table.soil(rng, "lat", 0.02, by(lambda v: v.replace(".", ",")))
    table.soil(rng, "lat", 0.01, one_of("0", "0.00000"))
    table.soil(rng, "zone", 0.03, by(lambda v: f"Zone {v}"))
    table.soil(rng, "mode", 0.03, one_of("Bus", "TRAM", "bsu"))
    table.soil(rng, "depot", 0.03, mistyped)
    table.soil(rng, "shelter", 0.03, by({"0": "no", "1": "yes"}.__getitem__))
    table.soil(rng, "stop_code", 0.04, by(lambda v: v.lstrip("0")))
    table.soil(rng, "first", 0.04, by(lambda v: v.replace(":", ".")))
    table.soil(rng, "last", 0.02, by(lambda v: f"{int(v[:2]) + 4}{v[2:]}"))
    table.soil(rng, "first", 0.02, lambda _r, v, _row: v + ":00" if ":" in v else v)


def nations(rng: random.Random) -> Table:
    named = [
        *(("Austria", "AUT", "Europe"), ("Brazil", "BRA", "Americas"), ("Canada", "CAN", "Americas")),
        *(("Chile", "CHL", "Americas"), ("Denmark", "DNK", "Europe"), ("Egypt", "EGY", "Africa")),
        *(("France", "FRA", "Europe"), ("Ghana", "GHA", "Africa"), ("India", "IND", "Asia")),
        *(("Japan", "JPN", "Asia"), ("Kenya", "KEN", "Africa"), ("Mexico", "MEX", "Americas")),
        *(("Nigeria", "NGA", "Africa"), ("Norway", "NOR", "Europe"), ("Peru", "PER", "Americas")),
        *(("Poland", "POL", "Europe"), ("Portugal", "PRT", "Europe"), ("Thailand", "THA", "Asia")),
        *(("Tunisia", "TUN", "Africa"), ("Turkey", "TUR", "Asia"), ("Uganda", "UGA", "Africa")),
        *(("United Kingdom", "GBR", "Europe"), ("United States", "USA", "Americas"), ("Viet Nam", "VNM", "Asia")),
    ]
    rows: list[Row] = []
    for country, code, region in named:
        people, wealth, urban = rng.lognormvariate(16.8, 1.1), rng.lognormvariate(9, 0.9), rng.uniform(25, 85)
        for year in range(1990, 2024):
            people *= rng.uniform(1.0, 1.02)
            wealth *= rng.uniform(0.98, 1.06)
            urban = min(98, urban + rng.uniform(0, 0.4))
            rows.append(
                [
                    country,
                    code,
                    region,
                    str(year),
                    f"{people:.0f}",
                    f"{wealth:.1f}",
                    f"{urban:.1f}",
                    f"{rng.gauss(70, 4):.1f}",
                    f"{max(0.1, rng.gauss(4.5, 3)):.1f}",
                ]
            )
    names = (
        "country",
        "iso3",
        "region",
        "year",
        "population",
        "gdp_per_head",
        "urban_share",
        "life_expectancy",
        "inflation",
    )
    return Table("nations", names, rows)


def soil_nations(rng: random.Random, table: Table) -> None:
    table.soil(
        rng,
        "country",
        0.04,
        lambda _r, v, _row: {
            "Viet Nam": "Vietnam",
            "United States": "USA",
            "Turkey": "Türkiye",
            "United Kingdom": "UK",
        }.get(v, v),
    )
    table.soil(rng, "country", 0.03, mistyped)
    table.soil(rng, "iso3", 0.03, by(lambda v: v[:2]))
    table.soil(rng, "region", 0.03, one_of("Europe", "europe", "Asia", ""))
    table.soil(rng, "population", 0.04, by(lambda v: f"{int(v) / 1000:.0f}"))
    table.soil(rng, "population", 0.05, by(lambda v: f"{int(v):,}"))
    table.soil(rng, "gdp_per_head", 0.04, one_of("..", "n.d."))
    table.soil(rng, "urban_share", 0.05, by(lambda v: f"{float(v) / 100:.3f}"))
    table.soil(rng, "life_expectancy", 0.04, by(lambda v: v + "*"))
    table.soil(rng, "inflation", 0.04, by(lambda v: v + "%"))
    table.soil(rng, "year", 0.02, by(lambda v: v + "/" + str(int(v) + 1)[2:]))


KINDS = {
    "weather": Kind(weather, soil_weather),
    "stops": Kind(stops, soil_stops),
    "nations": Kind(nations, soil_nations),
}
