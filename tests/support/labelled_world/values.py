"""Every value for the labelled tables of ``labelled_world``; made up like those of ``people``."""

import random

from support.labelled_values import MAKERS, Maker
from support.labelled_world.people import PEOPLE_AND_PLACES, day, digits, drawn, letters, listed, one
from support.labelled_world.words import (
    AGENCIES,
    AGENTS,
    DRUGS,
    EVENTS,
    FIRM_HEADS,
    FIRM_TAILS,
    FIRMS_DE,
    FIRMS_ES,
    FIRMS_FR,
    HERBS,
    ILLS,
    PRODUCTS,
    RACES,
    ROAD_ENDS,
    ROADS,
    SAYINGS,
    SCHOOLS,
    SHIPS,
    SPORTS,
    TITLES,
)


def _cpf(chance: random.Random) -> str:
    nine = [chance.randrange(10) for _ in range(9)]
    for _ in range(2):
        rest = sum(each * weight for each, weight in zip(nine, range(len(nine) + 1, 1, -1), strict=True)) * 10 % 11
        nine.append(rest % 10)
    text = "".join(map(str, nine))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def _pesel(chance: random.Random) -> str:
    text = f"{chance.randrange(50, 99)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}{chance.randrange(10**4):04d}"
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    return text + str(-sum(int(each) * weight for each, weight in zip(text, weights, strict=True)) % 10)


def _dms(chance: random.Random, most: int, ends: str) -> str:
    return f"{chance.randrange(most)}°{chance.randrange(60):02d}'{chance.uniform(0, 60):04.1f}\"{chance.choice(ends)}"


def _iban(land: str, number: str) -> str:
    return f"{land}{98 - int(number + f'{ord(land[0]) - 55}{ord(land[1]) - 55}00') % 97:02d}{number}"


def _hex(chance: random.Random, count: int) -> str:
    return f"{chance.getrandbits(count * 4):0{count}x}"


def luhn(text: str) -> str:
    """These digits with their check digit."""
    doubled = [int(each) * (2 if index % 2 == 0 else 1) for index, each in enumerate(reversed(text))]
    return text + str(-sum(each - 9 if each > 9 else each for each in doubled) % 10)


WORLD: dict[str, Maker] = {
    **MAKERS,
    **PEOPLE_AND_PLACES,
    "mf": listed("M", "F"),
    "mfu": listed("M", "F", "U", ""),
    "hf": listed("H", "F"),
    "wm": listed("w", "m", "d"),
    "gender_12": listed("1", "2"),
    "gender_words": listed("Male", "Female", "Female", "Non-binary", "Prefer not to say"),
    "gender_es": listed("MASCULINO", "FEMENINO"),
    "gender_pt": listed("Feminino", "Masculino", "Não informado"),
    "gender_ja": listed("男", "女"),
    "race_us": listed(*RACES),
    "ethnic": listed("Hispanic or Latino", "Not Hispanic or Latino", "Declined"),
    "married": listed("S", "M", "D", "W"),
    "married_fr": listed("célibataire", "marié(e)", "divorcé(e)", "veuf"),
    "faith": listed("Hindu", "Muslim", "Christian", "Sikh", "Jain", "Buddhist"),
    "age_years": drawn(lambda chance: str(min(97, max(1, int(chance.gauss(41, 18)))))),
    "age_band": listed("0-17", "18-24", "25-34", "35-44", "45-64", "65+"),
    "born_us": drawn(lambda chance: day(chance, 1938, 2008, "%m/%d/%Y")),
    "born_dots": drawn(lambda chance: day(chance, 1938, 2008, "%d.%m.%Y")),
    "born_slash": drawn(lambda chance: day(chance, 1938, 2008, "%d/%m/%Y")),
    "born": drawn(lambda chance: day(chance, 1938, 2008)),
    "birth_year": drawn(lambda chance: str(chance.randrange(1935, 2008))),
    "recent": drawn(lambda chance: day(chance, 2019, 2025)),
    "recent_us": drawn(lambda chance: day(chance, 2019, 2025, "%m/%d/%Y")),
    "recent_slash": drawn(lambda chance: day(chance, 2019, 2025, "%d/%m/%Y")),
    "recent_t": drawn(
        lambda chance: (
            day(chance, 2019, 2025, "%Y-%m-%dT") + f"{chance.randrange(24):02d}:{chance.randrange(60):02d}:00.000"
        )
    ),
    "compact_day": drawn(lambda chance: day(chance, 2015, 2025, "%Y%m%d")),
    "epoch": drawn(lambda chance: str(chance.randrange(1_500_000_000, 1_760_000_000))),
    "epoch_ms": drawn(lambda chance: str(chance.randrange(1_500_000_000_000, 1_760_000_000_000))),
    "clock": drawn(lambda chance: f"{chance.randrange(24):02d}:{chance.randrange(60):02d}"),
    "month": listed("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug"),
    "weekday": listed("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "fiscal": listed("FY2021", "FY2022", "FY2023", "FY2024"),
    "ssn_wrong": drawn(lambda chance: f"{one(chance, '000', '666', '987')}-{digits(chance, 2)}-{digits(chance, 4)}"),
    "ssn_masked": drawn(lambda chance: f"XXX-XX-{digits(chance, 4)}"),
    "cpf": drawn(_cpf),
    "pesel": drawn(_pesel),
    "nino": drawn(
        lambda chance: (
            f"{chance.choice('ABCEGHJKLMPRSTWX')}{chance.choice('ABCEGHJKLMPRSTWX')}{digits(chance, 6)}{chance.choice('ABCD')}"
        )
    ),
    "cedula": drawn(lambda chance: one(chance, digits(chance, 8), f"1{digits(chance, 9)}")),
    "licence": drawn(lambda chance: f"{chance.choice('ABCDSTW')}{digits(chance, 7)}"),
    "card_wrong": drawn(lambda chance: f"{luhn('4' + digits(chance, 14))[:-1]}{chance.choice('0123456789')}"),
    "card_right": drawn(lambda chance: luhn("4" + digits(chance, 14))),
    "card_last4": drawn(lambda chance: f"**** **** **** {chance.randrange(10**4):04d}"),
    "four_digits": drawn(lambda chance: f"{chance.randrange(10**4):04d}"),
    "iban_nl": drawn(lambda chance: one(chance, "NL") + digits(chance, 2) + "ABNA" + digits(chance, 10)),
    "iban_fr": drawn(lambda chance: _iban("FR", digits(chance, 23))),
    "bic": listed("DEUTDEFF", "BNPAFRPP", "INGBNL2A", "CHASUS33"),
    "routing": listed("021000021", "011401533", "091000019"),
    "account": drawn(lambda chance: digits(chance, 10)),
    "dollars": drawn(lambda chance: f"${chance.uniform(5, 90000):,.2f}"),
    "euros": drawn(lambda chance: f"{chance.uniform(5, 9000):.2f}".replace(".", ",") + " €"),
    "wage": drawn(lambda chance: f"{chance.uniform(24000, 180000):.2f}"),
    "hourly": drawn(lambda chance: f"{chance.uniform(12, 70):.2f}"),
    "big_money": drawn(lambda chance: str(chance.randrange(50, 9000) * 1000)),
    "lat_us": drawn(lambda chance: f"{chance.uniform(29, 46):.6f}"),
    "lon_us": drawn(lambda chance: f"{-chance.uniform(72, 120):.6f}"),
    "lat_dms": drawn(lambda chance: _dms(chance, 60, "N")),
    "lon_dms": drawn(lambda chance: _dms(chance, 170, "EW")),
    "point_wkt": drawn(lambda chance: f"POINT ({-chance.uniform(72, 120):.5f} {chance.uniform(29, 46):.5f})"),
    "pair": drawn(lambda chance: f"({chance.uniform(29, 46):.6f}, {-chance.uniform(72, 120):.6f})"),
    "easting": drawn(lambda chance: f"{chance.uniform(320000, 480000):.2f}"),
    "northing": drawn(lambda chance: f"{chance.uniform(4100000, 4900000):.2f}"),
    "state_plane_x": drawn(lambda chance: f"{chance.uniform(1100000, 1200000):.4f}"),
    "geohash": drawn(
        lambda chance: "9q8y" + "".join(chance.choice("0123456789bcdefghjkmnpqrstuvwxyz") for _ in range(5))
    ),
    "firm": drawn(lambda chance: f"{chance.choice(FIRM_HEADS)} {chance.choice(FIRM_TAILS)}"),
    "upper_firm": drawn(lambda chance: f"{chance.choice(FIRM_HEADS)} {chance.choice(FIRM_TAILS)}".upper()),
    "firm_de": listed(*FIRMS_DE),
    "firm_es": listed(*FIRMS_ES),
    "firm_fr": listed(*FIRMS_FR),
    "goods": listed(*PRODUCTS),
    "plant": listed(*HERBS),
    "school": listed(*SCHOOLS),
    "agency": listed(*AGENCIES),
    "team": listed(*SPORTS),
    "ship": listed(*SHIPS),
    "drug": listed(*DRUGS),
    "ill": listed(*ILLS),
    "icd": listed("E11.9", "J45.909", "I10", "F32.1", "S62.90XA", "G43.009"),
    "position": listed(*TITLES),
    "note": drawn(lambda chance: f"{chance.choice(SAYINGS)}. {chance.choice(SAYINGS)}."),
    "short_note": listed(*SAYINGS),
    "event": listed(*EVENTS),
    "agent_long": listed(*AGENTS),
    "ip4": drawn(
        lambda chance: (
            f"{chance.randrange(11, 220)}.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
        )
    ),
    "ip6": drawn(lambda chance: "2001:db8:" + ":".join(_hex(chance, 4) for _ in range(6))),
    "mac_dash": drawn(lambda chance: "-".join(_hex(chance, 2).upper() for _ in range(6))),
    "md5": drawn(lambda chance: _hex(chance, 32)),
    "sha256": drawn(lambda chance: _hex(chance, 64)),
    "jwt": drawn(lambda chance: f"eyJhbGciOiJIUzI1NiJ9.eyJ{_hex(chance, 20)}.{_hex(chance, 30)}"),
    "site": drawn(
        lambda chance: (
            f"{one(chance, 'https://', 'http://', '')}www.{letters(chance.choice(FIRM_HEADS))}.example.com{one(chance, '', '/', '/about')}"
        )
    ),
    "path": drawn(lambda chance: f"/{one(chance, 'products', 'blog', 'cart')}/{chance.randrange(1, 900)}"),
    "bucket": drawn(lambda chance: f"s3://lake/raw/{day(chance, 2023, 2025)}/part-{chance.randrange(99):04d}.parquet"),
    "n10": drawn(lambda chance: digits(chance, 10)),
    "n9": drawn(lambda chance: digits(chance, 9)),
    "n5": drawn(lambda chance: digits(chance, 5)),
    "n3": drawn(lambda chance: digits(chance, 3)),
    "case": drawn(lambda chance: f"{chance.randrange(2018, 2026)}-{digits(chance, 6)}"),
    "permit": drawn(lambda chance: f"{one(chance, 'BLD', 'ELE', 'PLM')}{chance.randrange(18, 26)}-{digits(chance, 5)}"),
    "tracking": drawn(lambda chance: "1Z" + "".join(chance.choice("0123456789ABCDEFGHW") for _ in range(16))),
    "vin": drawn(lambda chance: "1HG" + "".join(chance.choice("0123456789ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(14))),
    "sku": drawn(
        lambda chance: f"{one(chance, 'SH', 'TR', 'BG')}-{digits(chance, 4)}-{one(chance, 'BLK', 'RED', 'NVY')}"
    ),
    "ean": drawn(lambda chance: "40" + digits(chance, 11)),
    "isbn": drawn(lambda chance: "978" + digits(chance, 10)),
    "naics": listed("236220", "238220", "722511", "811111", "541330", "484110"),
    "fips": drawn(lambda chance: f"{chance.randrange(1, 56):02d}{chance.randrange(1, 300):03d}"),
    "kw": drawn(lambda chance: f"{chance.gauss(0, 1):.5f}"),
    "count": drawn(lambda chance: str(int(chance.lognormvariate(3, 1.2)))),
    "temp": drawn(lambda chance: f"{chance.gauss(18, 7):.1f}"),
    "share": drawn(lambda chance: f"{chance.random():.3f}"),
    "yn": listed("Y", "N"),
    "trade": listed("General Contractor", "Electrical", "Plumbing", "Food Service", "Retail"),
    "state_of_case": listed("OPEN", "CLOSED", "IN REVIEW", "PENDING PAYMENT"),
    "grade": listed("A", "B", "C", "D"),
    "one_value": listed("ACTIVE"),
    "colour": listed("Red", "Scarlet", "Olive", "Amber", "Violet", "Ruby"),
    "mixed_ref": drawn(lambda chance: one(chance, digits(chance, 4), f"REF{digits(chance, 3)}", "n/a", "see note")),
    "charge": drawn(lambda chance: f"ch_{chance.getrandbits(70):x}"),
    "expiry": drawn(lambda chance: f"{chance.randrange(1, 13):02d}/{chance.randrange(24, 32)}"),
    "money_float": drawn(lambda chance: f"{chance.uniform(10, 900):.8f}"),
    "practice": listed("Oak Tree Surgery", "Riverside Medical Centre", "The Mill Practice", "St. John's Surgery"),
    "nhs": drawn(lambda chance: f"{digits(chance, 3)} {digits(chance, 3)} {digits(chance, 4)}"),
    "pet": listed("Bella", "Max", "Luna", "Charlie", "Lucy", "Rocky", "Daisy", "Milo", "*Biscuit", "Princess"),
    "pet_sex": listed("Neutered Male", "Spayed Female", "Intact Male", "Unknown"),
    "breed": listed("Labrador Retriever", "Domestic Shorthair", "Jack Russell Terrier", "St. Bernard", "Pit Bull Mix"),
    "race_letter": listed("H", "B", "W", "A", "O", "X"),
    "race_pt": listed("Branca", "Parda", "Preta", "Amarela", "Indígena"),
    "race_uk": listed("White British", "Asian - Pakistani", "Black Caribbean", "Mixed - White and Asian", "Not stated"),
    "marital_de": listed("ledig", "verheiratet", "geschieden", "verwitwet"),
    "faith_de": listed("rk", "ev", "ohne", "islam."),
    "cinsiyet": listed("Erkek", "Kadın"),  # noqa: RUF001 - a Turkish letter
    "plec": listed("K", "M"),
    "money_lower": listed("usd", "eur", "gbp"),
    "status_ru": listed("новый", "оплачен", "отменён"),
    "street_us_bare": drawn(lambda chance: f"{chance.choice(ROADS)} {chance.choice(ROAD_ENDS)}".upper()),
    "ward": drawn(lambda chance: f"Ward {chance.randrange(1, 12)}"),
}


def dirty(make: Maker) -> Maker:
    """These values with what people leave in place of them: nothing, dashes, blanks around, "unknown"."""
    dirt = ("", "", "N/A", "-", "unknown", "0", "TBD")
    return lambda chance, row: (
        chance.choice(dirt) if chance.random() < 0.18 else f"{make(chance, row)}{chance.choice(['', '', ' '])}"
    )


def sparse(make: Maker) -> Maker:
    """These values in one row of fifteen, and nothing in the others."""
    return lambda chance, row: make(chance, row) if row % 15 == 4 else ""


def maker(name: str) -> Maker:
    """The maker of this name, where ``dirty.`` or ``sparse.`` may stand before it."""
    how, _, rest = name.rpartition(".")
    made = WORLD[rest]
    return dirty(made) if how == "dirty" else sparse(made) if how == "sparse" else made
