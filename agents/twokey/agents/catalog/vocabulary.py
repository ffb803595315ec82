"""Words in names that tell what kind of data a column holds, in the languages warehouses are written in.

Rules: English, German, French, Spanish, Portuguese, Italian and Dutch, without accents (``plain`` takes them off); more
words and more languages stand in ``vocabulary_further``.
An entry of several words matches those words side by side, or written together. Words that mean something harmless in
another of these languages are left to tables about people (``PERSON_TABLE_ONLY``). Nothing here looks at values.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from twokey.agents.catalog.vocabulary_further import FURTHER, FURTHER_IN_TABLES_OF_PEOPLE

Kind = Literal[
    "person_name", "email", "phone", "street_address", "birth_date", "gender", "demographic", "id_number", "user_name",
    "network_address", "device", "health", "credential", "location", "card_number", "bank_account", "amount", "pay",
    "city", "state", "country", "postal_code", "coordinate", "currency", "language", "url", "company", "organisation",
    "free_text", "age", "place", "flag", "key", "moment", "measure", "category", "title", "other",
]  # fmt: skip
"""What a column holds, whichever table it is in."""


_NO_ACCENTS: Final = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae"})  # noqa: RUF001 - a Turkish letter
"""Letters that are letters of their own to Unicode, and that names of columns are written without."""


def plain(words: Iterable[str]) -> tuple[str, ...]:
    """Take accents off, so that ``prénom`` and ``prenom``, ``straße`` and ``strasse`` are one word."""
    return tuple(
        "".join(
            char
            for char in unicodedata.normalize("NFKD", word.translate(_NO_ACCENTS))
            if not unicodedata.combining(char)
        )
        for word in words
    )


def _entries(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(plain(entry.split()) for entry in " ".join(text.split()).split(", "))


def _with(
    known: Mapping[Kind, frozenset[tuple[str, ...]]], further: Mapping[str, str]
) -> Mapping[Kind, frozenset[tuple[str, ...]]]:
    return {kind: entries | _entries(further[kind]) if kind in further else entries for kind, entries in known.items()}


# More telling kinds first: the first that matches wins.
_KNOWN: Final[Mapping[Kind, frozenset[tuple[str, ...]]]] = {
    "credential": _entries(
        """
        api token, secret key, pin code, password, passwd, pwd, passphrase, passwort, kennwort, contrasena, mot de
        passe, senha, wachtwoord, secret, api key, apikey, private key, access token, refresh token, auth token,
        session token, registry token, password hash, security answer
        """
    ),
    "card_number": _entries(
        """
        card last4, card last 4, card expiry, card expiration, card number, credit card, creditcard, debit card, cc
        number, cc num, ccn, pan number, kartennummer, kreditkarte, kreditkartennummer, numero carte, carte bancaire,
        numero tarjeta, tarjeta credito, cvv, cvc
        """
    ),
    "bank_account": _entries(
        """
        bic, swift, swift code, account number, account no, bank code, iban, bank account, bankaccount, account iban,
        kontonummer, bankverbindung, bankkonto, compte bancaire, cuenta bancaria, conta bancaria, conto corrente,
        routing number, sort code, bankrekening, rekeningnummer
        """
    ),
    "email": _entries(
        """
        email, e mail, mail, emails, emailaddress, courriel, correo, correo electronico, mailadresse, posta
        elettronica, adresse mail, email address, emailadres
        """
    ),
    "phone": _entries(
        """
        phone, phones, telephone, mobile, mobile number, cellphone, cell, fax, telefon, telefonnummer, rufnummer,
        handynummer, mobilnummer, handy, telefono, telefone, movil, celular, cellulare, telefoon, telefoonnummer,
        portable, msisdn, whatsapp, phone number, telefax, phonenumber, faxnumber, telephonenumber, telefono fijo
        """
    ),
    "network_address": _entries(
        """
        ip, ip address, ipaddress, ipv4, ipv6, client ip, remote addr, remote address, mac address
        """
    ),
    "device": _entries(
        """
        device fingerprint, device id, deviceid, imei, advertising id, idfa, gaid, cookie id, browser fingerprint,
        user agent
        """
    ),
    "id_number": _entries(
        """
        national insurance, national insurance number, numero secu, personalausweis, personnummer, licence plate,
        license plate, number plate, plate number, kennzeichen, immatriculation, targa, kenteken, ssn, social
        security, social security number, passport, passport number, passport no, drivers license, driver license,
        driving license, license number, national id, nationalid, identity number, tax id, taxid, tax number, tin,
        nino, nhs number, aadhaar, nif, dni, cpf, curp, bsn, pesel, codice fiscale, steuernummer, steuer id,
        sozialversicherungsnummer, ausweisnummer, reisepass, numero securite sociale, carte identite
        """
    ),
    "birth_date": _entries(
        """
        birth place, birthplace, place of birth, geburtsort, lieu naissance, lugar nacimiento, luogo nascita,
        geboorteplaats, birth date, birthdate, birthday, date of birth, born, born on, dob, birth year, year of birth,
        geburtsdatum, geburtstag, geburtsjahr, date naissance, naissance, fecha nacimiento, nacimiento, data
        nascimento, nascimento, data nascita, nascita, geboortedatum
        """
    ),
    "gender": _entries("gender, sex, geschlecht, sexe, sexo, genero, sesso, geslacht"),
    "health": _entries(
        """
        medications, body weight, injury, injuries, symptom, symptoms, treatment, prescription, vaccination,
        pregnancy, medical condition, diagnostico, diagnose, krankheit, maladie, enfermedad, malattia, ziekte, doenca,
        blutgruppe, groupe sanguin, diagnosis, diagnoses, disease, blood type, blood group, medication, allergy,
        allergies, icd10, icd 10
        """
    ),
    "demographic": _entries(
        """
        political affiliation, trade union, union membership, race, ethnicity, ethnic, ethnic group, religion,
        nationality, citizenship, marital status, disability, political party, sexual orientation, familienstand,
        staatsangehoerigkeit, konfession, nationalite, nacionalidad, estado civil, nationaliteit
        """
    ),
    "person_name": _entries(
        """
        preferred name, spouse name, contact person, emergency contact, recipient name, sender name, account holder,
        kontoinhaber, titulaire, first name, firstname, last name, lastname, middle name, middlename, surname, family
        name, given name, forename, maiden name, full name, fullname, person name, contact name, customer name,
        employee name, patient name, student name, user fullname, card holder, cardholder, holder name, beneficiary,
        next of kin, vorname, nachname, familienname, geburtsname, ansprechpartner, prenom, nom famille, apellido,
        apellidos, primer apellido, segundo apellido, primer nombre, segundo nombre, sobrenome, cognome, voornaam,
        achternaam, tussenvoegsel, initials, middle initial, name suffix, suffix, lastname1, nombres, nom de famille,
        nom complet, nombre completo, nome completo, nome e cognome, vollstaendiger name, volledige naam
        """
    ),
    "user_name": _entries(
        """
        linkedin url, linkedin profile, linkedin, username, user name, login, login name, screen name, nickname, nick
        name, benutzername, twitter, skype
        """
    ),
    "street_address": _entries(
        """
        address, street, street address, street name, house number, address line, home address, postal address,
        mailing address, billing address, shipping address, residence, streetaddress, address1, address2, address3,
        strasse, anschrift, adresse, hausnummer, wohnort, direccion, domicilio, calle, rue, direcci n, rua, endereco,
        morada, indirizzo, adres, straat, huisnummer
        """
    ),
    "postal_code": _entries(
        """
        postal code, postalcode, post code, postcode, postal, zip, zip code, zipcode, zip5, plz, postleitzahl, code
        postal, codigo postal, cod postal, cep, cap postale
        """
    ),
    "coordinate": _entries(
        """
        latitude, longitude, lat, lon, lng, long, geo point, breitengrad, laengengrad, breite, laenge, coordinates,
        coordenadas, coordinate, geolocation, latitud, longitud, latitudine, longitudine, northing, easting,
        breedtegraad, lengtegraad
        """
    ),
    "pay": _entries(
        """
        gross pay, net pay, pay rate, hourly rate, base pay, severance, pension contribution, loonkosten, lordo,
        bruttolohn, salary, wage, wages, bonus, payroll, gehalt, lohn, salaire, salario, stipendio, salaris,
        compensation
        """
    ),
    "currency": _entries("currency, currency code, iso currency, waehrung, devise, moneda, moeda, valuta"),
    "country": _entries("country, country code, country name, nation, land, pays, pais, paese, countrycode"),
    "state": _entries(
        """
        state, province, region, county, bundesland, provincia, departement, federal state, state code, parish,
        departamento, municipio, estado, provincie, landkreis, kanton, canton, suburb, prefecture, regione
        """
    ),
    "city": _entries(
        """
        city, town, municipality, stadt, ort, gemeinde, ville, ciudad, cidade, citta, stad, city name, cityname,
        localidad, localite, woonplaats, plaats, comune
        """
    ),
    "language": _entries("language, locale, lang, sprache, langue, idioma, lingua"),
    "url": _entries(
        """
        url, uri, website, web site, homepage, link, weblink, web link, hyperlink, webseite, web, pagina web, site
        web, sitio web, enlace, lien
        """
    ),
    "company": _entries(
        """
        company, company name, companyname, business name, businessname, firm, firma, unternehmen, societe,
        entreprise, empresa, azienda, bedrijf, bedrijfsnaam, corporation, razon social, ragione sociale, raison
        sociale
        """
    ),
    "organisation": _entries(
        """
        organization, organisation, organizationname, organization name, employer, vendor, supplier, vendor name,
        supplier name, agency, agency name, institution, arbeitgeber, employeur, empleador, datore, werkgever,
        lieferant
        """
    ),
    "age": _entries("age, age years, edad, alter, idade, leeftijd, lebensalter"),
    "amount": _entries(
        """
        interest, ebitda, gmv, aov, cash flow, market cap, market value, portfolio value, asset value, liabilities,
        net worth, kontostand, deposit, principal, interest rate, credit score, credit rating, reserve amount,
        premium, debt, dividend, equity, commission, payout, rent, installment, instalment, cashback, gift amount,
        donation, net amount, gross amount, receivable, payable, loan amount, tuition, amount, price, cost, costs,
        revenue, balance, total, subtotal, tax, vat, discount, fee, fees, payment, budget, profit, margin, income,
        turnover, sales, charge, refund, credit limit, mrr, arr, ltv, spend, spent, betrag, preis, umsatz, kosten,
        saldo, summe, steuer, rabatt, montant, prix, solde, importe, precio, monto, preco, importo, prezzo, bedrag,
        prijs, omzet
        """
    ),
    "free_text": _entries(
        """
        note, notes, comment, comments, remark, remarks, description, body, message, text, free text, freetext, memo,
        feedback, bemerkung, bemerkungen, notiz, notizen, kommentar, beschreibung, remarque, commentaire,
        observaciones, comentario, nota, opmerking, details, content, summary
        """
    ),
}  # fmt: skip
BY_NAME: Final = _with(_KNOWN, FURTHER)

_KNOWN_OF_PEOPLE: Final[Mapping[Kind, frozenset[tuple[str, ...]]]] = {
    "person_name": _entries(
        """
        name, names, nombre, nome, nom, naam, display name, displayname, short name, title name
        """
    ),
    "age": _entries("eta"),
    "demographic": _entries("education, occupation, profession, beruf, marital, children"),
}
PERSON_TABLE_ONLY: Final = _with(_KNOWN_OF_PEOPLE, FURTHER_IN_TABLES_OF_PEOPLE)

PEOPLE: Final = frozenset(
    """
    customer client user employee person patient member contact staff student teacher driver passenger guest
    subscriber lead applicant candidate owner resident citizen doctor nurse physician donor voter player
    athlete visitor buyer seller manager agent operator tenant volunteer professor faculty worker participant
    attendee recipient beneficiary kunde kunden mitarbeiter benutzer nutzer patient personal schueler cliente
    clientes empleado empleados usuario usuarios paciente persona personas utilisateur employe salarie personne
    utente dipendente funcionario klant klanten medewerker gebruiker individual borrower insured policyholder
    cardholder parent spouse dependent signatory
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""What a row is where a row is a person."""

STAFF: Final = frozenset(
    """
    employee staff user worker agent manager personnel mitarbeiter empleado employe dipendente medewerker
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""People who do the work, as against those it is done for."""

PUBLISHED: Final = frozenset(
    """
    album artist track song genre movie film book author publisher actor director composer country city region
    state language currency media brand airport airline holiday timezone continent species planet sport league
    team stadium museum language category singer band concert magazine journal station weather exchange article
    recipe podcast episode championship fixture park river mountain lake island glossary university library
    pais paises ciudad ciudades moneda pays ville land laender stadt staedte paese citta indicator county
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""What a row is where it describes the world or something that was published."""

METADATA: Final = frozenset(
    """
    verified validated confirmed flag count cnt number type kind status state sent valid invalid opened clicked
    template format length at on in out enabled disabled opt optin optout consent bounced required preference source
    quality score rank index version domain provider subscribed notified changed updated created available
    allowed visible hidden public deleted active category class channel label hash verification attempts
    retries verifiziert bestaetigt
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""A last word that says that the column tells something *about* an e-mail address, phone, name ..., not the thing."""

FLAGS: Final = frozenset(
    """
    is has had was can should allow allows enable enabled flag ist hat esta
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""A first word (or, for flag and enabled, any) that says that the column answers yes or no."""

MOMENTS: Final = frozenset(
    """
    at on date time timestamp day datetime datum zeit fecha data tag month year week quarter hour since until
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""A last word that says that the column holds a moment or period."""


ROMANCE_HEADS: Final = frozenset(
    """
    departamento municipio ciudad pais provincia estado region codigo correo telefono direccion nombre nombres apellido
    apellidos sexo genero edad fecha calle cidade endereco nome sobrenome telefone codice citta paese indirizzo cognome
    ville pays adresse prenom nom courriel numero departement commune localidad barrio empresa moneda
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""First words that carry the meaning where the language puts the head first (``ciudad de residencia``)."""

NAME_HALVES: Final = frozenset({("first",), ("last",), ("middle",)})
"""Names that say a part of a person's name where another part stands beside them."""


def holds(words: Sequence[str], entries: frozenset[tuple[str, ...]]) -> bool:
    """Tell whether one of ``entries`` stands in ``words``, as words side by side or as one word written together."""
    size = len(words)
    for start in range(size):
        if (words[start],) in entries:
            return True
        for end in range(start + 2, min(size, start + 4) + 1):
            if tuple(words[start:end]) in entries:
                return True
    return False
