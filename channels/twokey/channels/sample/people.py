"""Invented people: the team of the demo, and names with contact details for the rows of the warehouse.

Rules: nobody here exists. E-mail addresses lie under example.com, example.org and example.net (RFC 2606); telephone
numbers lie in ranges that regulators keep free for fiction: +1 202 555 01xx (NANPA), 020 7946 0xxx and 07700 900xxx
(Ofcom), 030 23125 xxx (Bundesnetzagentur), 01 99 00 xx xx and 06 39 98 xx xx (Arcep).
"""

import unicodedata
from random import Random
from typing import Final

from twokey.channels.sample.values import Person

PEOPLE: Final[tuple[Person, ...]] = (
    ("ana", ("analysts",)),
    ("mia", ("model-owners",)),
    ("rita", ("risk-owners",)),
    ("sam", ("platform-owners",)),
)

TEAM: Final = {
    30: ("Ana Lindqvist", "product"),
    31: ("Mia Okonjo", "ml"),
    32: ("Rita Valk", "risk"),
    33: ("Sam Abernathy", "platform"),
}
"""Display names and teams of ``PEOPLE``, by their position among the employees."""

CANARY_CREDENTIAL: Final = "example-token-4f9c2b7e81d6a03598e1"
CANARY_NAME: Final = "Ottoline Pemberwick"
CANARY_EMAIL: Final = "ottoline.pemberwick@example.org"
CANARY_PHONE: Final = "+44 7700 900417"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words("""
    Adaeze Agnes Aiko Alba Amara Anselm Anton Astrid Aurel Bastian Beatriz Bela Birgit Bram Calla Cees
    Chidi Clara Corentin Dagmar Dario Delphine Desta Edda Efua Eilidh Elio Emre Esme Fabian Farah Fergus
    Fien Gaspard Greta Hakon Hana Hedda Idris Ilse Imke Ines Ivo Jarek Jolanda Jürgen Kaito Kamila
    Kerstin Kwame Lale Léonie Lorcan Ludo Maëlle Malik Marek Mathilde Mirela Naledi Niamh Noé Odile
    Oskar Paloma Petra Quentin Radka Renske Rufus Sanna Sefa Silke Søren Tadeo Tamsin Thandi Tilda
    Ulrike Vasco Wanda Xenia Yara Yusuf Zofia
""")
_LAST: Final = _words("""
    Achterberg Adeyemi Ainsley Albrecht Amsel Aranda Ashdown Baptiste Barrow Bellweather Bergström
    Birkholz Boateng Bramhall Brandl Brouwer Caldera Carrick Castellan Chevrier Cobb Crespin Dahlgren
    Delacroix Dietz Dunmore Ekberg Elsworth Engelhart Fairweather Falk Fenwick Ferrand Fink Gallow
    Garnier Gerlach Giraud Goodchild Gräf Hallam Hartwell Heikkinen Hollander Hyde Ibarra Iwu Janssen
    Jelinek Kessler Kingsley Kovar Kruger Lacombe Lanz Larkspur Lefort Lindholm Lockyer Maddox Marchetti
    Marlow Mbeki Mercier Moravec Müller Nakata Nettles Nordin Novotna Oakes Olivier Ostrander Paget
    Pemberton Petit Pinheiro Quill Rademaker Ravn Redfern Renaud Rooke Sandoval Schaller Seaborn Sorel
    Stadler Strand Tavares Thorne Tremblay Umber Vandermeer Vasquez Vogel Wainwright Weiss Whitlock
    Winter Yilmaz Zeller
""")


def display_name(stream: Random) -> str:
    """One invented first and last name."""
    return f"{stream.choice(_FIRST)} {stream.choice(_LAST)}"


class Addresses:
    """E-mail addresses made from names, each given once."""

    def __init__(self, domains: tuple[str, ...]) -> None:
        self._domains = domains
        self._given: set[str] = {CANARY_EMAIL}

    def give(self, name: str, stream: Random) -> str:
        """Make an address that was not given before; a number tells namesakes apart."""
        plain = unicodedata.normalize("NFKD", name.lower().replace("ø", "o")).encode("ascii", "ignore").decode()
        local, domain = ".".join(plain.split()), stream.choice(self._domains)
        address, number = f"{local}@{domain}", 1
        while address in self._given:
            number += 1
            address = f"{local}{number}@{domain}"
        self._given.add(address)
        return address


def phone(country: str, stream: Random) -> str:
    """Make a number from a range kept for fiction, written the way people of ``country`` (ISO 3166-1) tend to."""
    last = f"{stream.randrange(10_000):04d}"
    match country:
        case "US":
            return f"(202) 555-01{last[:2]}"
        case "DE":
            return f"030 23125-{last[:3]}"
        case "FR":
            prefix = stream.choice(("01 99 00", "06 39 98"))
            return f"{prefix} {last[:2]} {last[2:]}"
        case "GB":
            return stream.choice((f"020 7946 0{last[:3]}", f"07700 900{last[1:]}"))
        case _:
            return f"+1 202 555 01{last[:2]}"
