"""Databases of many kinds whose relationships are known, to measure how well they are found.

Rules: a database is made from its kind and a seed and from nothing else; its declared foreign keys are the answer, and an
orphan is a row that breaks one. SQLite does not enforce them, so they can be declared and broken. What looks like a
relationship and is none (copies, small integers, ids of several tables in one column) is not declared.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

Words = tuple[str, ...]


@dataclass(frozen=True)
class Thing:
    """What a table holds, in one language: one and many."""

    one: Words
    many: Words


def thing(one: str, many: str = "") -> Thing:
    return Thing(tuple(one.split()), tuple((many or one + "s").split()))


Chain = tuple[Thing, Thing, Thing, Thing]
"""A, B, C, D: C refers to A and B, D refers to C."""

ENGLISH: Final[Sequence[Chain]] = (
    (thing("customer"), thing("product"), thing("order"), thing("payment")),
    (thing("student"), thing("course"), thing("enrollment"), thing("grade")),
    (thing("patient"), thing("doctor"), thing("appointment"), thing("prescription")),
    (thing("reader"), thing("book"), thing("loan"), thing("fine")),
    (thing("airline"), thing("airport"), thing("flight"), thing("booking")),
    (thing("tenant"), thing("property", "properties"), thing("lease"), thing("inspection")),
    (thing("policy holder"), thing("insurance plan"), thing("claim"), thing("claim payment")),
    (thing("warehouse"), thing("supplier"), thing("delivery", "deliveries"), thing("damage report")),
    (thing("artist"), thing("gallery", "galleries"), thing("exhibition"), thing("ticket sale")),
    (thing("company", "companies"), thing("job title"), thing("contract"), thing("invoice")),
)
OTHERS: Final[Mapping[str, Sequence[Chain]]] = {
    "german": (
        (
            thing("kunde", "kunden"),
            thing("artikel", "artikel"),
            thing("bestellung", "bestellungen"),
            thing("zahlung", "zahlungen"),
        ),
        (
            thing("patient", "patienten"),
            thing("arzt", "aerzte"),
            thing("termin", "termine"),
            thing("rezept", "rezepte"),
        ),
    ),
    "spanish": (
        (thing("cliente"), thing("producto"), thing("pedido"), thing("factura")),
        (thing("alumno"), thing("profesor", "profesores"), thing("clase"), thing("nota")),
    ),
    "french": (
        (thing("client"), thing("produit"), thing("commande"), thing("facture")),
        (thing("lecteur"), thing("livre"), thing("emprunt"), thing("amende")),
    ),
    "italian": (
        (
            thing("cliente", "clienti"),
            thing("prodotto", "prodotti"),
            thing("ordine", "ordini"),
            thing("fattura", "fatture"),
        ),
        (thing("lettore", "lettori"), thing("libro", "libri"), thing("prestito", "prestiti"), thing("multa", "multe")),
    ),
    "portuguese": (
        (thing("cliente"), thing("produto"), thing("pedido"), thing("fatura")),
        (thing("paciente"), thing("medico"), thing("consulta"), thing("receita")),
    ),
    "dutch": (
        (
            thing("klant", "klanten"),
            thing("product", "producten"),
            thing("bestelling", "bestellingen"),
            thing("betaling", "betalingen"),
        ),
        (thing("lezer"), thing("boek", "boeken"), thing("uitlening", "uitleningen"), thing("boete")),
    ),
}  # fmt: skip - one chain a line


@dataclass(frozen=True)
class Style:
    """How names are written. ``key`` and ``reference`` are patterns with ``{}`` for the words of the thing."""

    case: str = "snake"
    many: bool = True
    prefix: str = ""
    key: str = "id"
    reference: str = "{} id"

    def name(self, words: Words | str) -> str:
        found = words.split() if isinstance(words, str) else list(words)
        if self.case == "camel":
            return found[0] + "".join(word.capitalize() for word in found[1:])
        if self.case == "pascal":
            return "".join(word.capitalize() for word in found)
        if self.case == "folded":
            return "".join(found)
        joined = "_".join(found)
        return joined.upper() if self.case == "upper" else joined

    def table(self, what: Thing) -> str:
        return self.name((*self.prefix.split(), *(what.many if self.many else what.one)))

    def key_of(self, what: Thing) -> str:
        return self.name(self.key.format(" ".join(what.one)))

    def refers_to(self, what: Thing, role: str = "") -> str:
        return self.name(f"{role} {self.reference.format(' '.join(what.one))}".strip())


@dataclass
class Made:
    """One database before it is written."""

    tables: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    rows: dict[str, list[list[Any]]] = field(default_factory=dict[str, list[list[Any]]])
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    refers: list[tuple[str, tuple[str, ...], str, tuple[str, ...]]] = field(
        default_factory=list[tuple[str, tuple[str, ...], str, tuple[str, ...]]]
    )
    orphans: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Rows that break a reference, by table and first column."""

    def column(self, table: str, column: str) -> list[Any]:
        place = self.tables[table].index(column)
        return [row[place] for row in self.rows[table]]

    def add(self, table: str, columns: Mapping[str, Sequence[Any]], key: Sequence[str] = ()) -> None:
        self.tables[table] = list(columns)
        self.rows[table] = [list(row) for row in zip(*columns.values(), strict=True)]
        self.keys[table] = tuple(key)

    def widen(self, table: str, column: str, values: Sequence[Any]) -> None:
        self.tables[table].append(column)
        for row, value in zip(self.rows[table], values, strict=True):
            row.append(value)

    def refer(self, child: str, columns: Sequence[str] | str, parent: str, targets: Sequence[str] | str) -> None:
        one = (columns,) if isinstance(columns, str) else tuple(columns)
        other = (targets,) if isinstance(targets, str) else tuple(targets)
        self.refers.append((child, one, parent, other))

    def write(self, path: Path) -> None:
        """Write it as a SQLite file that declares everything."""
        with closing(sqlite3.connect(path)) as connection:
            for table, columns in self.tables.items():
                parts = [f'"{column}" {_type(self.column(table, column))}' for column in columns]
                if self.keys[table]:
                    parts.append(f"PRIMARY KEY ({_quoted(self.keys[table])})")
                parts += [
                    f'FOREIGN KEY ({_quoted(one)}) REFERENCES "{parent}" ({_quoted(other)})'
                    for child, one, parent, other in self.refers
                    if child == table
                ]
                connection.execute(f'CREATE TABLE "{table}" ({", ".join(parts)})')
                marks = ", ".join("?" * len(columns))
                connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', self.rows[table])
            connection.commit()


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _type(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    return "TEXT" if kinds == {str} else "REAL" if float in kinds else "INTEGER"


class Maker:
    """Makes tables in one style, with one source of randomness."""

    def __init__(self, random: Random, style: Style, *, ids: str = "numbers") -> None:
        self.random = random
        self.style = style
        self.ids = ids
        self.made = Made()

    def keys(self, count: int, letter: str) -> list[Any]:
        if self.ids == "uuids":
            return [str(UUID(int=self.random.getrandbits(128), version=4)) for _ in range(count)]
        if self.ids == "codes":
            return [f"{letter.upper()}{number:05d}" for number in self.random.sample(range(90_000), count)]
        start = self.random.choice([1, 1, 1, 1_000, 40_000])
        return list(range(start, start + count))

    def thing(self, what: Thing, *, count: int = 0, refers: Sequence[tuple[Thing, str]] = ()) -> str:
        """Make a table with a key, the usual columns, and references (to a thing, in a role)."""
        random, table = self.random, self.style.table(what)
        count = count or random.randrange(40, 160)
        key = self.style.key_of(what)
        columns: dict[str, Sequence[Any]] = {key: self.keys(count, what.one[0][0])}
        for parent, role in refers:
            pool = self.made.column(self.style.table(parent), self.style.key_of(parent))
            columns[self.style.refers_to(parent, role)] = [random.choice(pool) for _ in range(count)]
        columns[self.style.name("name")] = [f"{random.choice(NAMES)} {random.randrange(900)}" for _ in range(count)]
        columns[self.style.name("status")] = [random.choice([1, 2, 3]) for _ in range(count)]
        columns[self.style.name("quantity")] = [random.randrange(1, 30) for _ in range(count)]
        columns[self.style.name("amount")] = [random.randrange(100, 9_000) / 100 for _ in range(count)]
        columns[self.style.name("created at")] = [
            f"2026-0{random.randrange(1, 9)}-1{random.randrange(9)}" for _ in range(count)
        ]
        self.made.add(table, columns, [key])
        for parent, role in refers:
            self.made.refer(
                table, self.style.refers_to(parent, role), self.style.table(parent), self.style.key_of(parent)
            )
        return table

    def chain(self, chain: Chain) -> tuple[str, str, str, str]:
        a, b, c, d = chain
        return self.thing(a), self.thing(b), self.thing(c, refers=[(a, ""), (b, "")]), self.thing(d, refers=[(c, "")])

    def lose(self, table: str, column: str, values: Sequence[Any]) -> None:
        """Make rows refer to what is not there."""
        place = self.made.tables[table].index(column)
        rows = self.random.sample(range(len(self.made.rows[table])), len(values))
        for row, value in zip(rows, values, strict=True):
            self.made.rows[table][row][place] = value
        self.made.orphans[table, column] = len(values)


NAMES: Final = ("Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine", "Rowan", "Yew")
PERSON, TEAM, ITEM = thing("employee"), thing("team"), thing("category", "categories")

STYLES: Final[Mapping[str, Style]] = {
    "plain": Style(),
    "own key names": Style(key="{} id"),
    "camel case": Style(case="camel"),
    "pascal case, singular": Style(case="pascal", many=False, key="{} id"),
    "upper case, numbers": Style(case="upper", many=False, key="{} no", reference="{} no"),
    "folded": Style(case="folded", many=False, key="{} id"),
    "dimensions": Style(prefix="dim", many=False, key="{} key", reference="{} key"),
    "id first": Style(many=False, key="id {}", reference="id {}"),
    "id first, many": Style(key="id", reference="id {}"),
    "foreign key mark": Style(key="id", reference="fk {}"),
    "table prefix": Style(prefix="tbl", case="camel", key="{} id"),
    "bare references": Style(key="id", reference="{}"),
}


def _style(name: str) -> Callable[[Random], Made]:
    def make(random: Random) -> Made:
        maker = Maker(random, STYLES[name])
        maker.chain(random.choice(ENGLISH))
        return maker.made

    return make


def _language(name: str) -> Callable[[Random], Made]:
    def make(random: Random) -> Made:
        style = random.choice([Style(), Style(key="{} id"), Style(many=False, key="id {}", reference="id {}")])
        maker = Maker(random, style)
        maker.chain(random.choice(OTHERS[name]))
        return maker.made

    return make


def _ids(ids: str) -> Callable[[Random], Made]:
    def make(random: Random) -> Made:
        maker = Maker(random, random.choice([Style(), Style(key="{} id")]), ids=ids)
        maker.chain(random.choice(ENGLISH))
        return maker.made

    return make


def _some(random: Random, **changes: Any) -> Maker:
    style = random.choice(["plain", "own key names", "camel case", "pascal case, singular"])
    return Maker(random, STYLES[style], **changes)


def _composite(random: Random) -> Made:
    maker = _some(random)
    style, chain = maker.style, random.choice(ENGLISH)
    whole = maker.thing(chain[2])
    parts = style.name((*chain[2].one, "line"))
    number, line = style.refers_to(chain[2]), style.name("line no")
    lines = [
        (key, n) for key in maker.made.column(whole, style.key_of(chain[2])) for n in range(1, random.randrange(2, 5))
    ]
    maker.made.add(parts, {number: [a for a, _ in lines], line: [b for _, b in lines]}, [number, line])
    maker.made.widen(parts, style.name("amount"), [random.randrange(900) / 4 for _ in lines])
    maker.made.refer(parts, number, whole, style.key_of(chain[2]))
    moves = [random.choice(lines) for _ in range(120)]
    shipped = style.name("shipment")
    maker.made.add(
        shipped,
        {style.name("shipment id"): range(1, 121), number: [a for a, _ in moves], line: [b for _, b in moves]},
        [style.name("shipment id")],
    )
    maker.made.refer(shipped, [number, line], parts, [number, line])
    return maker.made


def _self_reference(random: Random) -> Made:
    maker = _some(random)
    people, groups = maker.thing(PERSON), maker.thing(ITEM)
    for table, what, role in (
        (people, PERSON, random.choice(["manager id", "reports to", "supervisor id"])),
        (groups, ITEM, "parent id"),
    ):
        keys = maker.made.column(table, maker.style.key_of(what))
        above = [None if index < 3 else random.choice(keys[:index]) for index in range(len(keys))]
        maker.made.widen(table, maker.style.name(role), above)
        maker.made.refer(table, maker.style.name(role), table, maker.style.key_of(what))
    return maker.made


def _junction(random: Random) -> Made:
    maker = _some(random)
    a, b, *_ = random.choice(ENGLISH)
    one, other = maker.thing(a), maker.thing(b)
    here, there = maker.style.refers_to(a), maker.style.refers_to(b)
    keys, others = maker.made.column(one, maker.style.key_of(a)), maker.made.column(other, maker.style.key_of(b))
    pairs = random.sample([(x, y) for x in keys for y in others], 200)
    table = maker.style.name((*a.one, *b.one))
    maker.made.add(table, {here: [x for x, _ in pairs], there: [y for _, y in pairs]}, [here, there])
    maker.made.refer(table, here, one, maker.style.key_of(a))
    maker.made.refer(table, there, other, maker.style.key_of(b))
    return maker.made


def _polymorphic(random: Random) -> Made:
    maker = _some(random)
    chain = random.choice(ENGLISH)
    tables = maker.chain(chain)
    what = thing("comment")
    comments = maker.thing(what, refers=[(chain[0], "")])
    kinds = [random.choice(tables[1:3]) for _ in maker.made.rows[comments]]
    pools = {table: maker.made.column(table, maker.made.keys[table][0]) for table in tables}
    maker.made.widen(comments, maker.style.name("subject type"), kinds)
    maker.made.widen(comments, maker.style.name("subject id"), [random.choice(pools[kind]) for kind in kinds])
    return maker.made


def _decoys(random: Random) -> Made:
    """Small integers that all occur among the ids of other tables: levels, priorities, counts, versions."""
    maker = _some(random)
    for table in maker.chain(random.choice(ENGLISH)):
        for name in ("priority", "level", "version no", "retry count", "batch number", "grade code"):
            maker.made.widen(table, maker.style.name(name), [random.randrange(1, 6) for _ in maker.made.rows[table]])
    return maker.made


def _copies(random: Random) -> Made:
    """A copy of the parent's name in the child, and of a whole table beside it."""
    maker = _some(random)
    chain = random.choice(ENGLISH)
    a, _, c, _ = maker.chain(chain)
    style = maker.style
    names = dict(
        zip(maker.made.column(a, style.key_of(chain[0])), maker.made.column(a, style.name("name")), strict=True)
    )
    refers = maker.made.column(c, style.refers_to(chain[0]))
    maker.made.widen(c, style.name((*chain[0].one, "name")), [names[key] for key in refers])
    copy = style.name((*chain[0].many, "backup"))
    maker.made.add(copy, {column: maker.made.column(a, column) for column in list(maker.made.tables[a])})
    return maker.made


def _roles(random: Random) -> Made:
    maker = _some(random)
    user = random.choice([thing("user"), thing("person", "people"), thing("account"), thing("member")])
    people = maker.thing(user)
    deal = maker.thing(random.choice([thing("auction"), thing("transfer"), thing("message"), thing("review")]))
    keys = maker.made.column(people, maker.style.key_of(user))
    for role in random.sample(
        ["buyer id", "seller id", "sender id", "owner id", "created by", "approved by", "reviewer id"], 3
    ):
        maker.made.widen(deal, maker.style.name(role), [random.choice(keys) for _ in maker.made.rows[deal]])
        maker.made.refer(deal, maker.style.name(role), people, maker.style.key_of(user))
    return maker.made


def _twice(random: Random) -> Made:
    """Two references to one table, told apart by a word in front."""
    maker = _some(random)
    teams = maker.thing(TEAM)
    match = thing("match", "matches")
    maker.thing(match, refers=[(TEAM, "home"), (TEAM, "away")])
    place = thing("address", "addresses")
    maker.thing(place)
    maker.thing(thing("shipment"), refers=[(place, "billing"), (place, "delivery"), (match, "")])
    assert teams
    return maker.made


def _extension(random: Random) -> Made:
    maker = _some(random)
    a, b, *_ = random.choice(ENGLISH)
    whole = maker.thing(a)
    maker.thing(b, refers=[(a, "")])
    table, key = maker.style.name((*a.one, "profile")), maker.style.refers_to(a)
    some = random.sample(maker.made.column(whole, maker.style.key_of(a)), 30)
    maker.made.add(table, {key: some, maker.style.name("biography"): [f"text {n}" for n in range(30)]}, [key])
    maker.made.refer(table, key, whole, maker.style.key_of(a))
    return maker.made


def _empty(random: Random) -> Made:
    """Tables without rows: the child, the parent, or both."""
    maker = _some(random)
    tables = maker.chain(random.choice(ENGLISH))
    for table in random.sample(tables, random.choice([1, 2, 4])):
        maker.made.rows[table] = []
    for child, columns, parent, _ in maker.made.refers:
        if not maker.made.rows[parent] and maker.made.rows[child]:
            maker.made.orphans[child, columns[0]] = len(maker.made.rows[child])
    return maker.made


def _nulls(random: Random) -> Made:
    """References that hold nothing, in one table everywhere."""
    maker = _some(random)
    chain = random.choice(ENGLISH)
    *_, c, d = maker.chain(chain)
    for table, what in ((c, chain[0]), (d, chain[2])):
        place = maker.made.tables[table].index(maker.style.refers_to(what))
        for row in maker.made.rows[table]:
            row[place] = None
    return maker.made


def _orphans(random: Random) -> Made:
    """Between one and six rows that refer to nothing: numbers beyond the last."""
    maker = _some(random)
    chain = random.choice(ENGLISH)
    *_, c, d = maker.chain(chain)
    for table, what in ((c, chain[1]), (d, chain[2])):
        maker.lose(
            table, maker.style.refers_to(what), [900_000 + random.randrange(9) for _ in range(random.randrange(1, 7))]
        )
    return maker.made


def _typos(random: Random) -> Made:
    """Codes with slips: a blank too many, lower case, a letter for a digit."""
    maker = _some(random, ids="codes")
    chain = random.choice(ENGLISH)
    *_, c, _ = maker.chain(chain)
    column = maker.style.refers_to(chain[0])
    right = random.sample(maker.made.column(c, column), 3)
    maker.lose(c, column, [f"{right[0]} ", right[1].lower(), right[2][:-1] + "O"])
    return maker.made


def _natural(random: Random) -> Made:
    """Codes of countries and currencies, which mean themselves, beside numbers."""
    maker = _some(random)
    style = maker.style
    codes = {
        "country": ["DE", "FR", "ES", "IT", "NL", "BE", "AT", "PT", "PL", "SE", "NO", "DK"],
        "currency": ["EUR", "SEK", "NOK", "DKK", "PLN", "CHF", "GBP", "USD"],
    }
    tables: dict[str, str] = {}
    for what, known in codes.items():
        table = tables[what] = style.name(f"{what[:-1]}ies")
        maker.made.add(
            table, {style.name("code"): known, style.name("name"): [f"{what} {n}" for n in known]}, [style.name("code")]
        )
    shops = maker.thing(random.choice(ENGLISH)[0])
    for what, known in codes.items():
        column = style.name(random.choice([f"{what} code", what]))
        maker.made.widen(shops, column, [random.choice(known) for _ in maker.made.rows[shops]])
        maker.made.refer(shops, column, tables[what], style.name("code"))
    return maker.made


def _places(random: Random) -> Made:
    maker = _some(random)
    country, region, city = thing("country", "countries"), thing("region"), thing("city", "cities")
    maker.thing(country)
    maker.thing(region, refers=[(country, "")])
    maker.thing(city, refers=[(region, "")])
    maker.thing(random.choice(ENGLISH)[0], refers=[(city, ""), (country, "birth")])
    return maker.made


def _short(random: Random) -> Made:
    """Abbreviated references: three to five letters of the table's name."""
    maker = Maker(random, Style(case=random.choice(["snake", "upper"]), key="{} no", reference="{} no"))
    words = [("department", "dept"), ("employee", "emp"), ("customer", "cust"), ("product", "prod")]
    tables: list[tuple[str, str, str]] = []
    for whole, short in random.sample(words, 3):
        key = maker.style.name(f"{short} no")
        table = maker.style.name(thing(whole).many)
        columns = {
            key: maker.keys(90, short[0]),
            maker.style.name(f"{short} name"): [f"{short} {n}" for n in range(90)],
        }
        maker.made.add(table, columns, [key])
        for parent, parent_key, column in tables:
            maker.made.widen(table, column, [random.choice(maker.made.column(parent, parent_key)) for _ in range(90)])
            maker.made.refer(table, column, parent, parent_key)
        tables.append((table, key, key))
    return maker.made


def _undeclared(random: Random) -> Made:
    """As in a folder of exports: a fact table with a date, a row number and references, and nothing is a key."""
    maker = _some(random)
    chain = random.choice(ENGLISH)
    *_, d = maker.chain(chain)
    rows = len(maker.made.rows[d])
    maker.made.widen(d, maker.style.name("row number"), list(range(1, rows + 1)))
    maker.made.widen(d, maker.style.name("posted on"), [f"2026-03-{1 + n % 28:02d}" for n in range(rows)])
    maker.made.widen(d, maker.style.name("legacy id"), random.sample(range(5_000, 90_000), rows))
    maker.made.widen(d, maker.style.name("session id"), random.sample(range(1, 40), 1) * rows)
    return maker.made


KINDS: Final[Mapping[str, Callable[[Random], Made]]] = {
    **{f"style: {name}": _style(name) for name in STYLES},
    **{f"language: {name}": _language(name) for name in OTHERS},
    "ids: uuids": _ids("uuids"),
    "ids: codes": _ids("codes"),
    "composite keys": _composite,
    "self references": _self_reference,
    "junction table": _junction,
    "polymorphic ids": _polymorphic,
    "decoys of small integers": _decoys,
    "denormalised copies": _copies,
    "roles": _roles,
    "twice the same table": _twice,
    "one extends another": _extension,
    "empty tables": _empty,
    "columns of nulls": _nulls,
    "seeded orphans": _orphans,
    "typos": _typos,
    "natural keys": _natural,
    "places within places": _places,
    "short forms": _short,
    "legacy columns": _undeclared,
}


def database(kind: str, seed: int) -> Made:
    """Make one database."""
    return KINDS[kind](Random(f"{kind}/{seed}"))  # noqa: S311 - made-up data
