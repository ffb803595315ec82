"""Values for labelled tables: made up from small lists and numbers, the same for the same seed. Nobody here exists."""

import random
from collections.abc import Callable
from datetime import date, timedelta


def _listed(text: str) -> list[str]:
    return text.split()


GIVEN = _listed(
    """
    Ana Jonas Mirela Tadeo Ingrid Oluwaseun Priya Wei Fatima Lars Chloé Mateo Sanne Piotr Giulia Kwame Yara Björn Inês Dmitri
    Aoife Thiago Noor Emeka Lucía Hannah Marek Zofia Pedro Femke
    """
)
FAMILY = _listed(
    """
    Varga Lindqvist Okonjo Brandt Ferreira Moreau Castellanos Nowicki DeVries Haddad Iyer Zhang Kessler Rinaldi Osei Duarte
    Halvorsen Petrov Quinn Navarro Schäfer Beaulieu Tanaka Oyelaran Visser Marchetti Kowal Sørensen Abara Lefèvre
    """
)
CITIES = _listed(
    "Grenoble Leiden Porto Lübeck Gdynia Bergamo Salamanca Uppsala Galway Tartu Ghent Aveiro Toledo Halle Nantes"
)
STREETS = _listed("Maple Cedar Harbor Mill Quarry Station Orchard Ridge Willow Chapel")
GERMAN = _listed("Lindenstraße Bahnhofstraße Gartenweg Marktplatz Kirchgasse Rosenallee Mühlenweg Schulstraße")
FRENCH = ["rue des Lilas", "avenue du Parc", "chemin des Vignes", "boulevard Central", "place de la Gare"]
SPANISH = ["Calle Mayor", "Avenida del Puerto", "Calle de la Rosa", "Paseo del Prado", "Plaza Nueva"]
STATES = _listed("OR WA CA NY TX CO MN IL GA VT")
COUNTRIES = ["Portugal", "Germany", "Norway", "Spain", "Italy", "Poland", "France", "Ireland", "Estonia", "Belgium"]
CODES = _listed("PT DE NO ES IT PL FR IE EE BE")
FIRMS = ["GmbH", "Ltd", "Inc.", "S.A.", "LLC", "BV", "SpA", "AG"]
NOUNS = _listed("Anvil Beacon Copper Delta Ember Falcon Granite Harbor Indigo Juniper Kestrel Lantern Meridian Nimbus")
SAID = _listed(
    "order arrived late box was damaged please call back after lunch refund done by team waiting for part twice"
)
WORDS = (
    "Silent River|The Long Winter|Paper Moons|Iron Garden|A Quiet Storm|Glass Orchard|Northern Lights|Salt and Stone"
)

Maker = Callable[[random.Random, int], str]


def _pick(*values: str) -> Maker:
    return lambda chance, _: chance.choice(values)


def _name(chance: random.Random) -> tuple[str, str]:
    return chance.choice(GIVEN), chance.choice(FAMILY)


def _plain(text: str) -> str:
    return "".join(char for char in text.lower() if "a" <= char <= "z")


def _email(chance: random.Random, number: int) -> str:
    given, family = _name(chance)
    return f"{_plain(given)}.{_plain(family)}{number % 90}@example.{chance.choice(['com', 'org', 'net'])}"


def _day(chance: random.Random, first: int, last: int) -> str:
    start = date(first, 1, 1)
    return (start + timedelta(days=chance.randrange((last - first) * 365))).isoformat()


def _iban(chance: random.Random, _: int) -> str:
    account = f"{chance.randrange(10**18):018d}"
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def _card(chance: random.Random, _: int) -> str:
    digits = "4" + f"{chance.randrange(10**14):014d}"
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 - index % 2)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def _dni(chance: random.Random, _: int) -> str:
    number = chance.randrange(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _sentence(chance: random.Random, _: int) -> str:
    return " ".join(chance.choice(SAID) for _ in range(chance.randrange(6, 14))).capitalize() + "."


def _sparse(chance: random.Random, number: int) -> str:
    if number % 40 == 7:
        return f"write to {_email(chance, number)} instead"
    return _sentence(chance, number)


def _address(chance: random.Random, _: int) -> str:
    return f"{chance.randrange(1, 9000)} {chance.choice(STREETS)} {chance.choice(['St', 'Ave', 'Rd', 'Lane', 'Drive'])}"


def _whole(chance: random.Random, number: int) -> str:
    return (
        f"{_address(chance, number)}\n{chance.choice(CITIES)}, {chance.choice(STATES)} {chance.randrange(10000, 99999)}"
    )


MAKERS: dict[str, Maker] = {
    "key": lambda _, number: str(1000 + number),
    "code": lambda chance, _: f"{chance.choice(NOUNS)[:2].upper()}-{chance.randrange(100, 999)}",
    "uuid": lambda chance, _: (
        f"{chance.getrandbits(32):08x}-{chance.getrandbits(16):04x}-4{chance.getrandbits(12):03x}-"
        f"a{chance.getrandbits(12):03x}-{chance.getrandbits(48):012x}"
    ),
    "first": lambda chance, _: chance.choice(GIVEN),
    "last": lambda chance, _: chance.choice(FAMILY),
    "full": lambda chance, _: " ".join(_name(chance)),
    "turned": lambda chance, _: ", ".join(reversed(_name(chance))),
    "initial": lambda chance, _: chance.choice("ABCDEFGHJKLM"),
    "email": _email,
    "user": lambda chance, number: f"{_plain(chance.choice(GIVEN))}{number}",
    "phone": lambda chance, _: f"+49 30 {chance.randrange(1_000_000, 9_999_999)}",
    "phone_us": lambda chance, _: (
        f"({chance.choice([503, 206, 415])}) {chance.randrange(200, 999)}-{chance.randrange(1000, 9999)}"
    ),
    "phone_plain": lambda chance, _: f"6{chance.randrange(10_000_000, 99_999_999)}",
    "street": _address,
    "street_de": lambda chance, _: f"{chance.choice(GERMAN)} {chance.randrange(1, 180)}",
    "street_fr": lambda chance, _: f"{chance.randrange(1, 180)} {chance.choice(FRENCH)}",
    "street_es": lambda chance, _: f"{chance.choice(SPANISH)}, {chance.randrange(1, 180)}",
    "unit": lambda chance, _: f"Apt {chance.randrange(1, 80)}",
    "whole_address": _whole,
    "city": lambda chance, _: chance.choice(CITIES),
    "zip": lambda chance, _: f"{chance.randrange(1_000, 99_999):05d}",
    "state": lambda chance, _: chance.choice(STATES),
    "country": lambda chance, _: chance.choice(COUNTRIES),
    "country2": lambda chance, _: chance.choice(CODES),
    "birth": lambda chance, _: _day(chance, 1945, 2007),
    "day": lambda chance, _: _day(chance, 2022, 2026),
    "stamp": lambda chance, _: f"{_day(chance, 2022, 2026)} {chance.randrange(24):02d}:{chance.randrange(60):02d}:00",
    "money": lambda chance, _: f"{chance.uniform(1, 4000):.2f}",
    "pay": lambda chance, _: str(chance.randrange(28, 140) * 1000),
    "int": lambda chance, _: str(chance.randrange(1, 5000)),
    "small": lambda chance, _: str(chance.randrange(0, 12)),
    "ratio": lambda chance, _: f"{chance.random():.4f}",
    "percent": lambda chance, _: f"{chance.uniform(0, 100):.1f}",
    "flag": _pick("0", "1"),
    "bool": _pick("true", "false"),
    "yes": _pick("Yes", "No"),
    "status": _pick("open", "closed", "pending"),
    "level": _pick("gold", "silver", "basic"),
    "channel": _pick("web", "store", "partner"),
    "method": _pick("card", "transfer", "cash"),
    "browser": _pick("Safari", "Chrome", "Firefox", "Edge"),
    "version": lambda chance, _: f"{chance.randrange(1, 9)}.{chance.randrange(20)}.{chance.randrange(10)}",
    "sentence": _sentence,
    "sparse_email": _sparse,
    "url": lambda chance, _: f"https://example.com/{chance.choice(NOUNS).lower()}/{chance.randrange(1, 900)}",
    "iban": _iban,
    "card": _card,
    "cvv": lambda chance, _: str(chance.randrange(100, 999)),
    "ssn": lambda chance, _: f"{chance.randrange(100, 660)}-{chance.randrange(10, 99)}-{chance.randrange(1000, 9999)}",
    "dni": _dni,
    "passport": lambda chance, _: f"C{chance.randrange(10**7, 10**8)}",
    "ip": lambda chance, _: ".".join(str(chance.randrange(1, 250)) for _ in range(4)),
    "token": lambda chance, _: (
        "sk_live_" + "".join(chance.choice("abcdefghjkmnpqrstuvwxyzABCDEFG23456789") for _ in range(24))
    ),
    "hash": lambda chance, _: f"$2b$12${chance.getrandbits(160):040x}",
    "sha": lambda chance, _: f"{chance.getrandbits(160):040x}",
    "gender": _pick("F", "M", "X"),
    "gender_word": _pick("female", "male", "non-binary"),
    "gender_de": _pick("weiblich", "männlich", "divers"),
    "race": _pick("White", "Black", "Asian", "Hispanic", "Two or more races"),
    "religion": _pick("Catholic", "Protestant", "Muslim", "Jewish", "None"),
    "marital": _pick("single", "married", "divorced", "widowed"),
    "blood": _pick("A+", "0-", "B+", "AB-"),
    "illness": _pick("asthma", "hypertension", "migraine", "diabetes type 2"),
    "age": lambda chance, _: str(chance.randrange(18, 92)),
    "year": lambda chance, _: str(chance.randrange(1990, 2026)),
    "lat": lambda chance, _: f"{chance.uniform(37, 60):.6f}",
    "lon": lambda chance, _: f"{chance.uniform(-9, 25):.6f}",
    "point": lambda chance, _: f"({chance.uniform(37, 60):.5f}, {chance.uniform(-9, 25):.5f})",
    "currency": _pick("EUR", "USD", "PLN", "NOK"),
    "company": lambda chance, _: f"{chance.choice(NOUNS)} {chance.choice(NOUNS)} {chance.choice(FIRMS)}",
    "product": lambda chance, _: f"{chance.choice(NOUNS)} {chance.randrange(100, 900)}",
    "title": lambda chance, _: chance.choice(WORDS.split("|")),
    "genre": _pick("drama", "comedy", "documentary"),
    "language": _pick("German", "French", "Polish", "Spanish"),
    "locale": _pick("de", "fr", "pl", "es"),
    "department": _pick("Sales", "Research", "Support", "Finance"),
    "job": _pick("Analyst", "Engineer", "Buyer", "Team lead"),
    "unit_name": _pick("kg", "piece", "box"),
    "empty": lambda _chance, _number: "",
    "agent": lambda chance, _: f"Mozilla/5.0 (X11; Linux) Gecko/2010 Firefox/{chance.randrange(90, 130)}.0",
    "imei": lambda chance, _: f"35{chance.randrange(10**12, 10**13)}",
    "plate": lambda chance, _: (
        f"{chance.choice('BHM')}-{chance.choice('ABCD')}{chance.choice('EFGH')} {chance.randrange(100, 999)}"
    ),
    "mac": lambda chance, _: ":".join(f"{chance.getrandbits(8):02x}" for _ in range(6)),
}
