"""Labelled tables, second half: written after the method was frozen, by the rules of ``labelled_tables``."""

SECOND_HALF = """
table students
student_no operational other key
given_name pii PERSON_NAME first
family_name pii PERSON_NAME last
nationality pii COUNTRY country
home_address pii STREET_ADDRESS street
guardian_email pii EMAIL email
mobile pii PHONE phone
religion pii DEMOGRAPHIC religion
enrolled_on operational other day
grade_level operational other small
tuition_fee financial other money
scholarship operational other yes

table bookings
booking_ref operational other code
guest_name pii PERSON_NAME turned
guest_phone pii PHONE phone_us
arrival operational other day
departure operational other day
room_type operational other level
nights operational other small
price_per_night financial other money
deposit financial other money
special_requests operational other sentence
cancelled operational other bool
source operational other channel

table funcionarios
matricula operational other key
nome pii PERSON_NAME full
sobrenome pii PERSON_NAME last
data_nascimento pii other birth
sexo pii GENDER gender
endereco pii STREET_ADDRESS street_es
cidade operational CITY city
telefone pii PHONE phone_plain
salario financial other pay
departamento operational other department
estado_civil pii DEMOGRAPHIC marital
ativo operational other flag

table dipendenti
codice operational other key
nome pii PERSON_NAME first
cognome pii PERSON_NAME last
indirizzo pii STREET_ADDRESS street_es
citta operational CITY city
stipendio financial other pay
data_nascita pii other birth
posta_elettronica pii EMAIL email
sesso pii GENDER gender
cellulare pii PHONE phone
reparto operational other department

table loans
loan_id operational other uuid
borrower_name pii PERSON_NAME full
principal financial other money
interest_rate financial other percent
monthly_payment financial other money
account_iban financial other iban
start_date operational other day
term_months operational other small
credit_score financial other int
collateral operational other sentence
defaulted operational other flag

table devices
device_id operational other key
serial_no operational other code
mac_address pii other mac
firmware operational other version
last_seen operational other stamp
owner_email pii EMAIL email
battery_pct operational other percent
latitude pii COORDINATE lat
longitude pii COORDINATE lon
signal_strength operational other int
status operational other status

table insurance_claims
claim_number operational other code
policyholder pii PERSON_NAME full
licence_plate pii other plate
injury pii other illness
claim_amount financial other money
reserve financial other money
adjuster_notes pii other sparse_email
reported_at operational other stamp
closed_at operational other stamp
fault operational other yes
city operational CITY city

table newsletter
subscriber_id operational other key
mail pii EMAIL email
confirmed operational other bool
opt_in_at operational other stamp
opened_count operational other small
unsubscribed operational other flag
language operational other locale
signup_ip pii other ip
campaign_code operational other code
utm_source operational other channel

table airports
airport_code public other code
airport_name public other product
city public CITY city
country public COUNTRY country
latitude public COORDINATE lat
longitude public COORDINATE lon
elevation_ft public other int
runways public other small
website public URL url

table books
isbn_key operational other key
title public other title
author public PERSON_NAME full
publisher public other company
year public other year
pages public other int
genre public other genre
blurb public other sentence
cover_url public URL url

table tracks
track_id operational other key
track_name public other title
composer public PERSON_NAME full
album public other title
genre public other genre
milliseconds public other int
explicit public other bool

table sensor_readings
reading_id operational other key
sensor operational other code
measured_at operational other stamp
temperature_c operational other percent
humidity operational other ratio
voltage operational other ratio
error_code operational other code
calibrated operational other flag
firmware_version operational other version
site operational other code

table expenses
expense_id operational other key
employee_id operational other int
employee_name pii PERSON_NAME full
merchant operational other company
net_amount financial other money
vat financial other money
reimbursement_iban financial other iban
submitted_at operational other day
approved operational other yes
category operational other department
receipt_url operational URL url

table donors
donor_id operational other key
donor_name pii PERSON_NAME turned
email_address pii EMAIL email
address_line_1 pii STREET_ADDRESS street
address_line_2 pii STREET_ADDRESS unit
zip_code operational POSTAL_CODE zip
state operational STATE state
age pii DEMOGRAPHIC age
gift_amount financial other money
last_gift_at operational other day
anonymous operational other yes
preferred_contact operational other channel

table experiments
experiment_key operational other code
variant operational other level
visitor_id operational other uuid
exposed_at operational other stamp
converted operational other bool
revenue financial other money
browser operational other browser
country operational COUNTRY country2
p_value operational other ratio
owner operational other department

table salaries_fr
identifiant operational other key
nom_de_famille pii PERSON_NAME last
prenom pii PERSON_NAME first
date_de_naissance pii other birth
sexe pii GENDER gender
numero_de_telephone pii PHONE phone
salaire financial other pay
prime financial other money
ville operational CITY city
service operational other department
date_embauche operational other day
"""
