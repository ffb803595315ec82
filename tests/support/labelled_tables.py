"""Tables with labelled columns: what each holds and how sensitive it is. The first half; made up by us.

The labels follow these rules. ``pii`` is what names, reaches or describes one person: names, contact data wherever they
stand, birth, gender, origin, health, official numbers, user names, network addresses, devices, position; and
credentials. ``financial`` is money, pay and means of payment. ``public`` is what a table about the world or about
something published says. The rest is ``operational``: keys, states, moments, measures, flags, notes, and places that are
too large to single a person out.
"""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.labelled_values import MAKERS, Maker

ROWS = 120

FIRST_HALF = """
table customers
customer_id operational other key
first_name pii PERSON_NAME first
last_name pii PERSON_NAME last
email pii EMAIL email
phone pii PHONE phone
birth_date pii other birth
gender pii GENDER gender_word
street pii STREET_ADDRESS street
city operational CITY city
zip operational POSTAL_CODE zip
country operational COUNTRY country
email_verified operational other bool
created_at operational other stamp
segment operational other level

table orders
order_id operational other key
customer_id operational other int
order_date operational other day
status operational other status
channel operational other channel
total_amount financial other money
tax financial other money
discount financial other money
currency public CURRENCY currency
note operational other sentence
item_count operational other small

table mitarbeiter
personal_nr operational other key
vorname pii PERSON_NAME first
nachname pii PERSON_NAME last
geburtsdatum pii other birth
geschlecht pii GENDER gender_de
strasse pii STREET_ADDRESS street_de
ort operational CITY city
plz operational POSTAL_CODE zip
telefon pii PHONE phone
gehalt financial other pay
abteilung operational other department
eintritt operational other day

table clientes
id operational other key
nombre pii PERSON_NAME first
apellidos pii PERSON_NAME last
correo_electronico pii EMAIL email
telefono pii PHONE phone_plain
direccion pii STREET_ADDRESS street_es
ciudad operational CITY city
codigo_postal operational POSTAL_CODE zip
pais operational COUNTRY country
dni pii ID_NUMBER dni
fecha_nacimiento pii other birth
saldo financial other money

table factures
numero operational other code
montant financial other money
devise public CURRENCY currency
date_facture operational other day
courriel pii EMAIL email
prenom pii PERSON_NAME first
adresse pii STREET_ADDRESS street_fr
ville operational CITY city
code_postal operational POSTAL_CODE zip
statut operational other status

table web_sessions
session_id operational other uuid
user_name pii other user
ip_address pii other ip
user_agent pii other agent
browser operational other browser
started_at operational other stamp
page_views operational other small
duration_s operational other int
landing_page operational URL url
converted operational other flag
app_version operational other version

table payments
payment_id operational other key
card_number financial other card
cvv financial other cvv
iban financial other iban
amount financial other money
fee financial other money
payment_method operational other method
paid_at operational other stamp
currency_code public CURRENCY currency
failure_code operational other code
is_refund operational other flag

table films
film_id operational other key
title public other title
genre public other genre
release_year public other year
language public other language
rating public other small
description public other sentence
trailer_url public URL url
updated_at operational other stamp

table countries
country_code public COUNTRY country2
name public COUNTRY country
currency public CURRENCY currency
area public other int
population public other int
capital public CITY city
website public URL url

table patients
patient_id operational other key
full_name pii PERSON_NAME full
date_of_birth pii other birth
sex pii GENDER gender
ethnicity pii DEMOGRAPHIC race
marital_status pii DEMOGRAPHIC marital
blood_type pii other blood
diagnosis pii other illness
ssn pii ID_NUMBER ssn
age pii DEMOGRAPHIC age
admitted_on operational other day
ward operational other code

table stores
store_id operational other key
store_name operational other company
store_phone pii PHONE phone_us
address pii STREET_ADDRESS street
city operational CITY city
state operational STATE state
zipcode operational POSTAL_CODE zip
latitude operational COORDINATE lat
longitude operational COORDINATE lon
opened_on operational other day
floor_area operational other int

table accounts
account_id operational other key
login pii other user
password_hash pii other hash
api_key pii other token
role operational other level
last_login operational other stamp
failed_logins operational other small
is_active operational other bool
plan operational other level
mrr financial other money

table support_tickets
ticket_id operational other key
opened_at operational other stamp
priority operational other level
body pii other sparse_email
resolution operational other sentence
status operational other status
first_response_minutes operational other int
satisfaction operational other small
contact pii EMAIL email
agent_id operational other int

table model_runs
run_id operational other uuid
model_version operational other version
auc operational other ratio
loss operational other ratio
started_at operational other stamp
finished_at operational other stamp
rows_seen operational other int
commit operational other sha
deployed operational other bool
notes operational other sentence

table werknemers
nummer operational other key
voornaam pii PERSON_NAME first
achternaam pii PERSON_NAME last
geboortedatum pii other birth
geslacht pii GENDER gender_word
adres pii STREET_ADDRESS street_de
woonplaats operational CITY city
postcode operational POSTAL_CODE zip
salaris financial other pay
bankrekening financial other iban
afdeling operational other department

table suppliers
supplier_id operational other key
company_name operational COMPANY company
contact_name pii PERSON_NAME full
contact_email pii EMAIL email
fax pii PHONE phone_us
homepage operational URL url
vat_rate financial other percent
payment_terms_days operational other small
country operational COUNTRY country2
rating operational other small
"""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One column: its table, its name, what is true of it, and what its values are made by."""

    table: str
    column: str
    level: str
    column_class: str
    maker: Maker
    rows: int = 0
    """How many rows its table has; 0 for as many as all."""


def columns_of(text: str) -> list[Labelled]:
    """Read the columns out of a text like ``FIRST_HALF``."""
    found: list[Labelled] = []
    table = ""
    for line in text.split("\n"):
        words = line.split(" ")
        if words[0] == "table":
            table = words[1]
        elif len(words) == 4:
            found.append(Labelled(table, words[0], words[1], words[2], MAKERS[words[3]]))
    return found


def write(columns: Sequence[Labelled], folder: Path, *, rows: int = ROWS, seed: int = 7) -> tuple[Path, Path]:
    """Write the tables as CSV files and the labels beside them; gives the folder of the tables and the labels."""
    tables = folder / "tables"
    tables.mkdir(parents=True)
    by_table: dict[str, list[Labelled]] = {}
    for column in columns:
        by_table.setdefault(column.table, []).append(column)
    for table, held in by_table.items():
        chance = random.Random(f"{seed}/{table}")  # noqa: S311 - the same tables each time
        with (tables / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([column.column for column in held])
            writer.writerows([[column.maker(chance, row) for column in held] for row in range(held[0].rows or rows)])
    truth = folder / "truth.csv"
    with truth.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["table", "column_index", "column", "semantic_type", "class", "pii", "sensitivity"])
        for table, held in by_table.items():
            for index, column in enumerate(held):
                personal = column.column_class in _PERSONAL
                row = [f"{table}.csv", index, column.column, "", column.column_class, int(personal), column.level]
                writer.writerow(row)
    return tables, truth


_PERSONAL = {"PERSON_NAME", "EMAIL", "PHONE", "STREET_ADDRESS", "GENDER", "DEMOGRAPHIC", "ID_NUMBER"}
