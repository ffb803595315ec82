"""Names, contacts and places for ``labelled_world``: made up from small lists and numbers, the same for the same seed.

The names are common ones of their countries, put together by chance; nobody here is meant. Addresses of mail and of the
web end in reserved names, and numbers that have a check digit have a right one unless the maker says otherwise.
"""

import random
from collections.abc import Callable
from datetime import date, timedelta

from support.labelled_values import Maker
from support.labelled_world.words import (
    CITIES,
    CODES_US,
    COUNTIES,
    DEPARTMENTS,
    FAMILY,
    FIRM_HEADS,
    FIRM_TAILS,
    GIVEN,
    ISO2,
    ISO3,
    LAENDER,
    MONEYS,
    NATIONS,
    NATIONS_ES,
    PROVINCES,
    ROAD_ENDS,
    ROADS,
    ROADS_BR,
    ROADS_IT,
    ROADS_NL,
    ROADS_PL,
    ROADS_SV,
    ROADS_UK,
    STATES_US,
)


def one(chance: random.Random, *values: str) -> str:
    """One of these texts."""
    return chance.choice(values)


def digits(chance: random.Random, count: int) -> str:
    """So many digits, the first of them no zero."""
    return str(chance.randrange(1, 10)) + "".join(str(chance.randrange(10)) for _ in range(count - 1))


def day(chance: random.Random, first: int, last: int, form: str = "%Y-%m-%d") -> str:
    """A day of these years, written in this form."""
    return (date(first, 1, 1) + timedelta(days=chance.randrange((last - first + 1) * 365))).strftime(form)


def person(chance: random.Random, land: str, form: str = "{g} {f}") -> str:
    """A name of this land: ``g`` given, ``f`` family, ``m`` middle initial."""
    return form.format(g=chance.choice(GIVEN[land]), f=chance.choice(FAMILY[land]), m=chance.choice("ABCDEFGHJKLMRSTW"))


def letters(text: str) -> str:
    """The plain letters of a text."""
    return "".join(each for each in text.lower() if "a" <= each <= "z") or "post"


def _mail(chance: random.Random, land: str = "en") -> str:
    given, family = letters(chance.choice(GIVEN[land])), letters(chance.choice(FAMILY[land]))
    name = one(
        chance, f"{given}.{family}", f"{given[0]}{family}", f"{given}{chance.randrange(99)}", f"{family}_{given[0]}"
    )
    return f"{name}@{one(chance, 'mail.example.com', 'example.org', 'corp.example', 'city.example.net')}"


def _street(chance: random.Random) -> str:
    return f"{chance.randrange(1, 19000)} {chance.choice(ROADS)} {chance.choice(ROAD_ENDS)}"


def _postcode_uk(chance: random.Random) -> str:
    return f"{one(chance, 'LS', 'S', 'CF', 'NR', 'EX', 'BD')}{chance.randrange(1, 29)} {chance.randrange(1, 9)}{chance.choice('ABDEFGHJLN')}{chance.choice('PQRSTUW')}"


def _postcode_ca(chance: random.Random) -> str:
    letters = "ABCEGHJKLMNPRSTVXY"
    return f"{chance.choice(letters)}{chance.randrange(10)}{chance.choice(letters)} {chance.randrange(10)}{chance.choice(letters)}{chance.randrange(10)}"


def _phone_us(chance: random.Random, form: str) -> str:
    return form.format(
        one(chance, "213", "312", "404", "512", "617", "702", "808"), chance.randrange(200, 999), digits(chance, 4)
    )


def listed(*values: str) -> Maker:
    return lambda chance, _: chance.choice(values)


def drawn(make: Callable[[random.Random], str]) -> Maker:
    return lambda chance, _: make(chance)


def _lands() -> dict[str, Maker]:
    makers: dict[str, Maker] = {}
    for land in GIVEN:
        makers[f"given_{land}"] = listed(*GIVEN[land])
        makers[f"family_{land}"] = listed(*FAMILY[land])
        makers[f"full_{land}"] = lambda chance, _, land=land: person(
            chance, land, "{f} {g}" if land == "ja" else "{g} {f}"
        )
        makers[f"turned_{land}"] = lambda chance, _, land=land: person(chance, land, "{f}, {g}")
        makers[f"mail_{land}"] = lambda chance, _, land=land: _mail(chance, land)
    makers |= {f"city_{land}": listed(*cities) for land, cities in CITIES.items()}
    return makers


PEOPLE_AND_PLACES: dict[str, Maker] = {
    **_lands(),
    "upper_last": drawn(lambda chance: chance.choice(FAMILY["en"]).upper()),
    "upper_first": drawn(lambda chance: chance.choice(GIVEN["en"]).upper()),
    "upper_turned": drawn(lambda chance: person(chance, "en", "{f}, {g} {m}").upper()),
    "upper_city": drawn(lambda chance: chance.choice(CITIES["us"]).upper()),
    "upper_street": drawn(lambda chance: _street(chance).upper()),
    "middle": drawn(
        lambda chance: one(
            chance, "", "", person(chance, "en", "{m}"), person(chance, "en", "{m}."), person(chance, "en", "{g}")
        )
    ),
    "suffix": drawn(lambda chance: chance.choice(["", "", "", "", "Jr", "Sr", "III", "II", "Jr.", "MD"])),
    "prefix": listed("Mr.", "Mrs.", "Ms.", "Dr."),
    "titled": drawn(
        lambda chance: f"{one(chance, 'Dr.', 'Mr.', 'Ms.', 'Hon.')} {person(chance, 'en', '{g} {m}. {f}')}"
    ),
    "two_people": drawn(
        lambda chance: f"{chance.choice(FAMILY['en'])} {chance.choice(GIVEN['en'])} & {chance.choice(GIVEN['en'])}"
    ),
    "person_or_firm": drawn(
        lambda chance: (
            person(chance, "en").upper()
            if chance.random() < 0.6
            else f"{chance.choice(FIRM_HEADS)} {chance.choice(FIRM_TAILS)}".upper()
        )
    ),
    "family2_es": drawn(lambda chance: f"{chance.choice(FAMILY['es'])} {chance.choice(FAMILY['es'])}"),
    "full_es2": drawn(
        lambda chance: (
            f"{chance.choice(GIVEN['es'])} {chance.choice(FAMILY['es'])} {chance.choice(FAMILY['es'])}".upper()
        )
    ),
    "initials": drawn(lambda chance: chance.choice("ABCDEFGHJKLMNPRSTW") + chance.choice("ABCDEFGHJKLMNPRSTW")),
    "login": drawn(
        lambda chance: (
            f"{chance.choice('abcdefgjklmrst')}{letters(chance.choice(FAMILY['en']))}{chance.choice(['', '1', '2', '07'])}"
        )
    ),
    "handle": drawn(
        lambda chance: f"@{letters(chance.choice(GIVEN['en']))}_{chance.choice(['dev', 'codes', 'xo', '99', 'runs'])}"
    ),
    "masked_mail": drawn(lambda chance: f"{chance.choice('abcdejkmprs')}***@***.example"),
    "phone_dash": drawn(lambda chance: _phone_us(chance, "{}-{}-{}")),
    "phone_dots": drawn(lambda chance: _phone_us(chance, "{}.{}.{}")),
    "phone_ten": drawn(lambda chance: _phone_us(chance, "{}{}{}")),
    "phone_plus": drawn(lambda chance: _phone_us(chance, "+1 {} {} {}")),
    "phone_ext": drawn(
        lambda chance: (
            _phone_us(chance, "({}) {}-{}")
            + one(chance, "", "", f" x{chance.randrange(10, 999)}", f" ext. {chance.randrange(10, 99)}")
        )
    ),
    "phone_uk": drawn(
        lambda chance: one(
            chance, f"07{digits(chance, 3)} {digits(chance, 6)}", f"0113 {digits(chance, 3)} {digits(chance, 4)}"
        )
    ),
    "phone_fr": drawn(
        lambda chance: f"0{chance.randrange(1, 8)} " + " ".join(f"{chance.randrange(100):02d}" for _ in range(4))
    ),
    "phone_de": drawn(
        lambda chance: one(
            chance, f"0171/{digits(chance, 7)}", f"+49 511 {digits(chance, 6)}", f"(0511) {digits(chance, 5)}"
        )
    ),
    "phone_br": drawn(lambda chance: f"({one(chance, '11', '21', '81')}) 9{digits(chance, 4)}-{digits(chance, 4)}"),
    "phone_in": drawn(lambda chance: f"+91 {chance.randrange(7, 10)}{digits(chance, 9)}"),
    "phone_co": drawn(
        lambda chance: one(chance, f"3{one(chance, '00', '12', '20')}{digits(chance, 7)}", f"604{digits(chance, 7)}")
    ),
    "phone_au": drawn(
        lambda chance: one(
            chance,
            f"04{digits(chance, 2)} {digits(chance, 3)} {digits(chance, 3)}",
            f"(03) {digits(chance, 4)} {digits(chance, 4)}",
        )
    ),
    "phone_jp": drawn(lambda chance: f"0{one(chance, '90', '80', '3')}-{digits(chance, 4)}-{digits(chance, 4)}"),
    "phone_ru": drawn(
        lambda chance: f"+7 (9{digits(chance, 2)}) {digits(chance, 3)}-{digits(chance, 2)}-{digits(chance, 2)}"
    ),
    "street_us": drawn(_street),
    "street_whole": drawn(
        lambda chance: (
            f"{_street(chance)}, {chance.choice(CITIES['us'])}, {chance.choice(CODES_US)} {digits(chance, 5)}"
        )
    ),
    "street_block": drawn(
        lambda chance: (
            f"{chance.randrange(1, 99)}XX BLOCK OF {chance.choice(ROADS).upper()} {chance.choice(['ST', 'AVE'])}"
        )
    ),
    "unit_us": drawn(
        lambda chance: one(
            chance,
            "",
            "",
            "",
            f"Apt {chance.randrange(1, 40)}",
            f"Suite {chance.randrange(100, 900)}",
            f"#{chance.randrange(1, 30)}",
            "PO Box " + digits(chance, 3),
        )
    ),
    "street_uk": drawn(
        lambda chance: f"{one(chance, 'Flat 2, ', '', '', '')}{chance.randrange(1, 240)} {chance.choice(ROADS_UK)}"
    ),
    "street_co": drawn(
        lambda chance: (
            f"{one(chance, 'CL', 'CR', 'Calle', 'Carrera', 'KR', 'AV')} {chance.randrange(1, 99)} {one(chance, '# ', 'No. ', '')}{chance.randrange(1, 99)} - {chance.randrange(1, 99)}"
        )
    ),
    "street_br": drawn(lambda chance: f"{chance.choice(ROADS_BR)}, {chance.randrange(1, 2000)}"),
    "street_it": drawn(lambda chance: f"{chance.choice(ROADS_IT)}, {chance.randrange(1, 200)}"),
    "street_pl": drawn(
        lambda chance: f"{chance.choice(ROADS_PL)} {chance.randrange(1, 90)}{one(chance, '', '/4', '/12', 'A')}"
    ),
    "street_nl": drawn(
        lambda chance: f"{chance.choice(ROADS_NL)} {chance.randrange(1, 240)}{one(chance, '', '', 'a', '-II')}"
    ),
    "street_sv": drawn(lambda chance: f"{chance.choice(ROADS_SV)} {chance.randrange(1, 90)}"),
    "street_ja": drawn(
        lambda chance: (
            f"東京都{one(chance, '新宿区', '渋谷区', '港区')}{one(chance, '本町', '青山', '代々木')}{chance.randrange(1, 9)}-{chance.randrange(1, 30)}"
        )
    ),
    "street_ru": drawn(
        lambda chance: (
            f"ул. {one(chance, 'Ленина', 'Садовая', 'Мира', 'Гагарина')}, д. {chance.randrange(1, 90)}, кв. {chance.randrange(1, 200)}"
        )
    ),
    "zip_us": drawn(lambda chance: f"{chance.randrange(1001, 99501):05d}"),
    "zip4": drawn(lambda chance: one(chance, digits(chance, 5), f"{digits(chance, 5)}-{digits(chance, 4)}")),
    "zip_float": drawn(lambda chance: f"{digits(chance, 5)}.0"),
    "zip_uk": drawn(_postcode_uk),
    "zip_ca": drawn(_postcode_ca),
    "zip_br": drawn(lambda chance: f"{digits(chance, 5)}-{digits(chance, 3)}"),
    "zip_nl": drawn(lambda chance: f"{digits(chance, 4)} {chance.choice('ABCDEGHK')}{chance.choice('ABDEGHX')}"),
    "zip_pl": drawn(lambda chance: f"{digits(chance, 2)}-{digits(chance, 3)}"),
    "zip_sv": drawn(lambda chance: f"{digits(chance, 3)} {digits(chance, 2)}"),
    "zip_in": drawn(lambda chance: digits(chance, 6)),
    "zip_au": drawn(lambda chance: str(chance.randrange(2000, 7400))),
    "state_us": listed(*CODES_US),
    "state_name": listed(*STATES_US),
    "county": listed(*COUNTIES),
    "county_word": drawn(lambda chance: f"{chance.choice(COUNTIES)} County"),
    "department_co": listed(*DEPARTMENTS),
    "municipality": drawn(lambda chance: chance.choice(CITIES["co"]).upper()),
    "land_de": listed(*LAENDER),
    "province": listed(*PROVINCES),
    "state_au": listed("NSW", "VIC", "QLD", "TAS", "WA", "SA"),
    "uf_br": listed("SP", "RJ", "PE", "PR", "PA", "GO", "RN", "RS"),
    "nation": listed(*NATIONS),
    "nation_es": listed(*NATIONS_ES),
    "iso2": listed(*ISO2),
    "iso3": listed(*ISO3),
    "money_code": listed(*MONEYS),
    "lang2": listed("en", "fr", "pt-BR", "de", "zh", "ar", "hi"),
    "people": listed("French", "Mexican", "Nigerian", "British", "Indian", "Polish", "Vietnamese"),
}
