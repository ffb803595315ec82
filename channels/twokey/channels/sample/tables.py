"""Clean rows of the warehouse, before any dirt.

Rules: each table comes from its own stream of randomness; every relationship in ``RELATIONS`` holds without exception
here. What breaks rules later is planted by ``dirt`` and written down there. Some things look wrong and are right, as
in life: Namibia's country code is ``NA``, a browser is called Safari, ``contact_verified`` is not a contact, and small
integers of one table happen to occur in another.
"""

import json
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final, TypeAlias

from twokey.channels.sample import people
from twokey.channels.sample.streams import stream
from twokey.channels.sample.values import Relation

Cell: TypeAlias = str | int | float | None
Row: TypeAlias = list[Cell]

RELATIONS: Final = (
    Relation("subscriptions", "customer_id", "customers", "customer_id", declared=True),
    Relation("support_contacts", "customer_id", "customers", "customer_id", declared=True),
    Relation("scoring_output", "run_id", "model_runs", "run_id", declared=True),
    Relation("invoices", "subscription_id", "subscriptions", "subscription_id", declared=False),
    Relation("events_daily", "customer_id", "customers", "customer_id", declared=False),
    Relation("scoring_output", "customer_id", "customers", "customer_id", declared=False),
    Relation("churn_scores_v1", "customer_id", "customers", "customer_id", declared=False),
    Relation("customers", "account_manager", "employees", "employee_id", declared=False),
    Relation("support_contacts", "handled_by", "employees", "employee_id", declared=False),
    Relation("model_runs", "triggered_by", "employees", "employee_id", declared=False),
    Relation("employees", "reports_to", "employees", "employee_id", declared=False),
    Relation("churn_features", "customer_id", "customers", "customer_id", declared=False),
    Relation("churn_scores", "customer_id", "customers", "customer_id", declared=False),
    Relation("churn_scores", "run_id", "model_runs", "run_id", declared=False),
)

PRICES: Final = {"starter": 1900, "team": 4900, "business": 9900}
"""Cents per seat and month."""

CANARY_CUSTOMER: Final = 10042

_COUNTRIES: Final = ("GB", "DE", "FR", "US", "NL", "SE", "NA")
_COUNTRY_WEIGHTS: Final = (30, 26, 16, 14, 9, 4, 1)
_TEAMS: Final = ("customer success", "platform", "ml", "billing", "product", "risk")
_TOPICS: Final = ("invoice", "login", "upload", "sharing", "export", "cancel", "other")
_BROWSERS: Final = ("Chrome", "Firefox", "Safari", "Edge")
_NOTES: Final = (
    "Prefers calls in the morning.",
    "Asked for a yearly invoice.",
    "Moving offices in spring.",
    "Wants the export as CSV.",
    "Two more seats after the summer.",
    "Trial extended once.",
    "Speaks French.",
    "Was unhappy about the price change.",
)


@dataclass(frozen=True)
class Table:
    """Name, DDL and rows of one table; rows are lists so that dirt can be planted in them."""

    name: str
    ddl: str
    columns: tuple[str, ...]
    rows: list[Row]

    def index(self, column: str) -> int:
        """Position of ``column``."""
        return self.columns.index(column)


def build(seed: int, now: datetime) -> dict[str, Table]:
    """All tables that the product and the scoring job write (those of dbt are built from them)."""
    employees = _employees(stream(seed, "employees"), now)
    customers = _customers(stream(seed, "customers"), now, employees)
    subscriptions = _subscriptions(stream(seed, "subscriptions"), now, customers)
    runs = _model_runs(stream(seed, "model_runs"), now, employees)
    tables = (
        employees,
        customers,
        subscriptions,
        _invoices(stream(seed, "invoices"), now, customers, subscriptions),
        _events_daily(stream(seed, "events_daily"), now, subscriptions),
        _support_contacts(stream(seed, "support_contacts"), now, customers, employees),
        runs,
        _scoring_output(stream(seed, "scoring_output"), now, subscriptions, runs),
        _churn_scores_v1(stream(seed, "churn_scores_v1"), now, customers),
    )
    return {table.name: table for table in tables}


def _table(name: str, ddl: str, rows: list[Row]) -> Table:
    """Read the column names off the DDL, so that they are written once."""
    columns = [line.strip() for line in ddl.strip().splitlines()]
    names = [
        line.split('"')[1] if line.startswith('"') else line.split()[0]
        for line in columns
        if not line.startswith(("PRIMARY KEY", "FOREIGN KEY"))
    ]
    return Table(name, f"CREATE TABLE {name} (\n{ddl.strip()}\n)", tuple(names), rows)


def _day(now: datetime, days_ago: float) -> str:
    return (now - timedelta(days=days_ago)).date().isoformat()


def _second(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _text(cell: Cell) -> str:
    return str(cell)


def _number(cell: Cell) -> int:
    return int(str(cell))


def _age(now: datetime, day: Cell) -> int:
    """Days from ``day`` to ``now``."""
    return (now.date() - date.fromisoformat(_text(day))).days


def _settled(subscriptions: Table, now: datetime) -> list[int]:
    """Customers whose subscription runs and is older than the events that are kept."""
    return [_number(row[1]) for row in subscriptions.rows if row[3] == "active" and _age(now, row[4]) > 46]


def _signed_up(customers: Table, now: datetime, days_ago: int) -> list[Row]:
    at = customers.index("signup_date")
    return [row for row in customers.rows if _age(now, row[at]) >= days_ago]


def _employees(random: Random, now: datetime) -> Table:
    ddl = """
        employee_id INTEGER PRIMARY KEY,
        display_name TEXT NOT NULL,
        login TEXT NOT NULL,
        team TEXT NOT NULL,
        started_on TEXT NOT NULL,
        reports_to INTEGER
    """
    addresses = people.Addresses(("example.com",))
    rows: list[Row] = []
    for number in range(240):
        name = people.display_name(random)
        # a tree: everybody but the first reports to somebody who came before, mostly one of the first thirty
        boss = None if number == 0 else 101 + random.randrange(min(number, 30))
        team = random.choices(_TEAMS, (5, 2, 1, 2, 3, 1))[0]
        name, team = people.TEAM.get(number, (name, team))
        started = _day(now, 20 + random.random() * 2400)
        rows.append([101 + number, name, addresses.give(name, random), team, started, boss])
    return _table("employees", ddl, rows)


def _customers(random: Random, now: datetime, employees: Table) -> Table:
    ddl = """
        customer_id INTEGER PRIMARY KEY,
        full_name TEXT NOT NULL,
        contact TEXT,
        contact_verified INTEGER NOT NULL,
        phone TEXT,
        country TEXT NOT NULL,
        plan TEXT NOT NULL,
        signup_date TEXT NOT NULL,
        account_manager INTEGER,
        notes TEXT
    """
    addresses = people.Addresses(("example.org", "example.net"))
    managers = [row[0] for row in employees.rows if row[3] == "customer success"]
    rows: list[Row] = []
    for number in range(5_000):
        name = people.display_name(random)
        country = random.choices(_COUNTRIES, _COUNTRY_WEIGHTS)[0]
        contact = addresses.give(name, random)
        phone = people.phone(country, random) if random.random() < 0.82 else None
        if 10_001 + number == CANARY_CUSTOMER:
            name, contact, phone = people.CANARY_NAME, people.CANARY_EMAIL, people.CANARY_PHONE
        rows.append(
            [
                10_001 + number,
                name,
                contact,
                int(random.random() < 0.9),
                phone,
                country,
                random.choices(("free", *PRICES), (20, 38, 30, 12))[0],
                _day(now, 5 + random.random() ** 1.5 * 1900),
                random.choice(managers) if random.random() < 0.6 else None,
                random.choice(_NOTES) if random.random() < 0.22 else None,
            ]
        )
    return _table("customers", ddl, rows)


def _subscriptions(random: Random, now: datetime, customers: Table) -> Table:
    ddl = """
        subscription_id INTEGER PRIMARY KEY,
        customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
        plan TEXT NOT NULL,
        status TEXT NOT NULL,
        started_on TEXT NOT NULL,
        ended_on TEXT,
        seats INTEGER NOT NULL
    """
    plan_at, signup_at = customers.index("plan"), customers.index("signup_date")
    rows: list[Row] = []
    for customer in customers.rows:
        plan = _text(customer[plan_at])
        if plan == "free":
            continue
        signup = datetime.fromisoformat(_text(customer[signup_at])).replace(tzinfo=now.tzinfo)
        age = (now - signup).days
        started = signup + timedelta(days=random.randrange(max(1, age // 4)))
        status = random.choices(("active", "cancelled", "paused"), (72, 24, 4))[0]
        ended = None
        if status == "cancelled":
            ended = (started + timedelta(days=random.randrange(1 + (now - started).days))).date().isoformat()
        seats = min(60, 1 + int(random.expovariate(0.25)))
        number = 500_001 + len(rows)
        rows.append([number, customer[0], plan, status, started.date().isoformat(), ended, seats])
    return _table("subscriptions", ddl, rows)


def _invoices(random: Random, now: datetime, customers: Table, subscriptions: Table) -> Table:
    ddl = """
        invoice_no TEXT PRIMARY KEY,
        subscription_id INTEGER NOT NULL,
        issued_on TEXT NOT NULL,
        due_on TEXT NOT NULL,
        paid_on TEXT,
        amount_cents INTEGER NOT NULL,
        currency TEXT NOT NULL,
        sent_to TEXT NOT NULL,
        "payment ref" TEXT
    """
    account = {row[0]: row for row in customers.rows}
    contact_at, country_at = customers.index("contact"), customers.index("country")
    currencies: dict[Cell, str] = {"GB": "GBP", "US": "USD"}
    chosen: list[tuple[int, Row]] = []
    while len(chosen) < 4_800:
        subscription = random.choice(subscriptions.rows)
        oldest = min(420, _age(now, subscription[4]))
        newest = 0 if subscription[5] is None else _age(now, subscription[5])
        if newest < oldest:
            chosen.append((random.randrange(newest, oldest), subscription))
    rows: list[Row] = []
    for number, (age, subscription) in enumerate(sorted(chosen, key=lambda pair: (-pair[0], _number(pair[1][0])))):
        customer = account[subscription[1]]
        days_to_pay = int(random.gammavariate(2.2, 5.0))
        paid = _day(now, age - days_to_pay) if days_to_pay < age else None
        billing = f"billing-{_number(customer[0])}@{random.choice(('example.org', 'example.net'))}"
        rows.append(
            [
                f"INV-{_day(now, age)[:4]}-{number + 1:06d}",
                subscription[0],
                _day(now, age),
                _day(now, age - 14),
                paid,
                PRICES[_text(subscription[2])] * _number(subscription[6]),
                currencies.get(customer[country_at], "EUR"),
                customer[contact_at] if random.random() < 0.8 else billing,
                f"RF{random.randrange(10, 99)}{random.randrange(10**9):09d}" if paid else None,
            ]
        )
    return _table("invoices", ddl, rows)


def _events_daily(random: Random, now: datetime, subscriptions: Table) -> Table:
    ddl = """
        event_date TEXT NOT NULL,
        customer_id INTEGER NOT NULL,
        logins INTEGER NOT NULL,
        minutes_active INTEGER NOT NULL,
        upload_bytes INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        browser TEXT NOT NULL,
        PRIMARY KEY (event_date, customer_id)
    """
    active = _settled(subscriptions, now)
    keys: set[tuple[str, int]] = set()
    while len(keys) < 5_000:
        # some accounts are far busier than others
        customer = active[int(random.random() ** 2 * len(active))]
        keys.add((_day(now, 1 + random.randrange(45)), customer))
    rows: list[Row] = []
    for day, customer_id in sorted(keys):
        logins = 1 + int(random.expovariate(0.4))
        megabytes = min(4_000.0, max(1.0, random.lognormvariate(3.6, 1.2)))
        uploaded = int(megabytes * 1_000_000) if random.random() < 0.92 else 0
        errors = int(random.expovariate(1.2)) if random.random() < 0.3 else 0
        browser = random.choices(_BROWSERS, (55, 18, 17, 10))[0]
        rows.append([day, customer_id, logins, logins * (1 + random.randrange(25)), uploaded, errors, browser])
    return _table("events_daily", ddl, rows)


def _support_contacts(random: Random, now: datetime, customers: Table, employees: Table) -> Table:
    ddl = """
        contact_id INTEGER PRIMARY KEY,
        customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
        opened_at TEXT NOT NULL,
        channel TEXT NOT NULL,
        reached_via TEXT,
        topic TEXT NOT NULL,
        handled_by INTEGER NOT NULL
    """
    contact_at, phone_at = customers.index("contact"), customers.index("phone")
    agents = [row[0] for row in employees.rows if row[3] in {"customer success", "billing"}]
    known = _signed_up(customers, now, 301)
    moments = sorted(now - timedelta(seconds=3_600 + random.randrange(300 * 86_400)) for _ in range(1_200))
    rows: list[Row] = []
    for number, moment in enumerate(moments):
        customer = random.choice(known)
        channel = random.choices(("email", "phone", "chat"), (50, 35, 15))[0]
        reached = {"email": customer[contact_at], "phone": customer[phone_at]}.get(channel)
        topic, agent = random.choice(_TOPICS), random.choice(agents)
        rows.append([number + 1, customer[0], _second(moment), channel, reached, topic, agent])
    return _table("support_contacts", ddl, rows)


def _model_runs(random: Random, now: datetime, employees: Table) -> Table:
    ddl = """
        run_id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        model_version TEXT NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        status TEXT NOT NULL,
        triggered_by INTEGER,
        auc REAL,
        params TEXT NOT NULL
    """
    owners = [row[0] for row in employees.rows if row[3] == "ml"]
    first = now.replace(hour=2, minute=15, second=0, microsecond=0) - timedelta(days=209)
    rows: list[Row] = []
    for day in range(210):
        at = first + timedelta(days=day)
        version = f"churn-{3 + day // 70}.{day // 7 % 10}"
        kinds = ("train", "score") if day % 7 == 0 else ("score",)
        for kind in kinds:
            started = at + timedelta(seconds=random.randrange(90), hours=int(kind == "score"))
            failed = random.random() < 0.04
            finished = started + timedelta(seconds=200 + random.randrange(900))
            params = {"kind": kind, "rows": 2_400 + random.randrange(300), "seed": random.randrange(1_000)}
            rows.append(
                [
                    f"{kind}-{started:%Y%m%d}",
                    kind,
                    version,
                    _second(started),
                    None if failed else _second(finished),
                    "failed" if failed else "ok",
                    random.choice(owners) if random.random() < 0.15 else None,
                    round(random.gauss(0.81, 0.01), 4) if kind == "train" and not failed else None,
                    json.dumps(params),
                ]
            )
    return _table("model_runs", ddl, rows)


def _scoring_output(random: Random, now: datetime, subscriptions: Table, runs: Table) -> Table:
    ddl = """
        run_id TEXT NOT NULL REFERENCES model_runs (run_id),
        customer_id INTEGER NOT NULL,
        scored_at TEXT NOT NULL,
        raw_score REAL NOT NULL
    """
    active = _settled(subscriptions, now)
    last_runs = [row for row in runs.rows if row[1] == "score" and row[5] == "ok"][-9:]
    rows: list[Row] = []
    for run in last_runs:
        chosen = sorted(random.sample(active, 500))
        rows.extend([run[0], customer, run[4], round(random.betavariate(1.6, 4.2), 6)] for customer in chosen)
    return _table("scoring_output", ddl, rows)


def _churn_scores_v1(random: Random, now: datetime, customers: Table) -> Table:
    ddl = """
        customer_id INTEGER NOT NULL,
        scored_on TEXT NOT NULL,
        p_churn REAL NOT NULL,
        model TEXT NOT NULL
    """
    edges: Sequence[float] = (0.2, 0.5)
    rows: list[Row] = []
    for customer in sorted(random.sample(_signed_up(customers, now, 492), 600), key=lambda row: _number(row[0])):
        models = ("rules-1", "logit-1", "logit-2")
        model = models[bisect(edges, random.random())]
        rows.append([customer[0], _day(now, 431 + random.randrange(60)), round(random.random(), 3), model])
    return _table("churn_scores_v1", ddl, rows)
