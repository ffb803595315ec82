"""More words of the same kinds as ``vocabulary``: rarer ones of its languages, and those of further languages.

Rules: as there. Polish, Czech, Croatian, Romanian, Hungarian, Finnish, Swedish, Norwegian, Danish, Turkish, Indonesian
and Vietnamese without accents; Russian, Greek, Arabic, Chinese, Japanese and Korean in their own scripts. A word that
means something common in another of these languages (``ad``, ``by``, ``nem``) is left out.
"""

from collections.abc import Mapping
from typing import Final

FURTHER: Final[Mapping[str, str]] = {
    "credential": "haslo, heslo, parola, sifre, losenord, passord, salasana, пароль, パスワード, 密码, 비밀번호",
    "card_number": "card no, cardnumber, card nr, cc no, ccnum, kortnummer, numer karty, kart no, carta di credito",
    "bank_account": """
        rib, bban, clabe, cbu, aba, aba number, aba routing, sortcode, sort codes, bank acct, kontonr, rekeningnr,
        kontonummer, cuenta banco, numero cuenta, numero de cuenta, numero compte, numero conta, numer konta,
        bankkonto, bankgiro, cislo uctu, hesap no, расчетный счет, 口座番号, 银行账号, 银行卡号
    """,
    "email": """
        mails, correos, e post, epost, epostadress, eposta, e posta, sahkoposti, emaili, electronic mail, mel,
        indirizzo email, почта, электронная почта, メール, メールアドレス, 邮箱, 电子邮件, 電子郵件, 이메일, البريد
        الالكتروني
    """,
    "phone": """
        contact number, contact no, landline, pager, tty, toll free, mobilephone, cellular, cell no, telefonos,
        celulares, telefones, telemovel, fijo, numero contacto, numero de contacto, telefonnr, mobil, mobilnr,
        mobiltelefon, handynr, puhelin, puhelinnumero, telefonszam, telefonu, komorka, so dien thoai, no hp,
        telepon, телефон, мобильный, τηλεφωνο, 電話, 電話番号, 携帯電話, 携帯番号, 电话, 手机, 手机号, 手机号码,
        联系电话, 전화번호, الهاتف
    """,
    "network_address": "ipaddr, ip addr, source ip, src ip, dst ip, mac addr, macaddr",
    "device": "imsi, udid, android id",
    "id_number": """
        nhs no, cedula, cedula ciudadania, cedula de ciudadania, documento identidad, documento de identidad, numero
        documento, numero de documento, nro documento, num documento, numero identificacion, numero de
        identificacion, cuil, nie, nir, id card, identity card, identity no, voter id, driver licence, drivers
        licence, driving licence, driver license no, drivers license number, driver licence number, medicare number,
        medicaid number, permiso conducir, personnr, personalnummer, svnr, ahv nr, steuernr, ausweisnr, passnummer,
        pasaporte, passaporte, passaporto, passeport, paspoort, paszport, cnp, oib, rodne cislo, fodselsnummer,
        henkilotunnus, tc kimlik, tckn, паспорт, инн, снилс, マイナンバー, 個人番号, 身份证, 身份证号, 身份证号码,
        주민등록번호
    """,
    "birth_date": """
        fecha nac, fecha de nac, fecha de nacimiento, f nacimiento, dt nasc, data nasc, dt nascimento, nasc, naiss,
        dt naiss, date naiss, date de naissance, data di nascita, geb, geb datum, gebdatum, gebdat, geb dat,
        geboortedat, birth yr, birth dt, brthdt, data urodzenia, datum narozeni, datum rodenja, data nasterii,
        szuletesi datum, syntymaaika, fodelsedatum, fodselsdato, fodselsdag, fodt, dogum tarihi, ngay sinh, tanggal
        lahir, дата рождения, год рождения, ημερομηνια γεννησης, 生年月日, 誕生日, 出生日期, 生日, 출생일, 생년월일,
        تاريخ الميلاد
    """,
    "gender": """
        gender identity, plec, pohlavi, spol, kon, kjonn, sukupuoli, cinsiyet, gioi tinh, jenis kelamin, пол, φυλο,
        性別, 性别, 성별, الجنس
    """,
    "health": """
        icd, icd9, icd 9, dx, dx code, disorder, comorbidity, hiv status, bmi, blood pressure, drug name, medicine,
        medicament, medicamento, medikament, allergie, alergias, discapacidad salud, diagnoza, 病名, 診断, 诊断,
        диагноз
    """,
    "demographic": """
        ancestry, caste, tribe, native language, mother tongue, veteran status, disability status, marital, racial,
        descent, estado conyugal, etnia, raza, grupo etnico, pertenencia etnica, religiao, raca, cor raca, raca cor,
        estado civil, nacionalidade, stato civile, cittadinanza, nazionalita, religione, situation familiale,
        situation matrimoniale, etat civil, origine ethnique, glaube, religionszugehoerigkeit, staatsbuergerschaft,
        zivilstand, nationalitaet, burgerlijke staat, geloof, narodowosc, obywatelstwo, stan cywilny, rodinny stav,
        statsborgerskap, medborgarskap, civilstand, sivilstatus, medeni hal, uyruk, национальность, гражданство,
        семейное положение, 国籍, 民族, 婚姻状况
    """,
    "person_name": """
        surnames, given names, forenames, first names, last names, christian name, name of applicant, name of owner,
        nome da mae, nome do pai, nome mae, nombre del representante legal, nombre representante legal, imie,
        imiona, nazwisko, imie i nazwisko, jmeno, prijmeni, prezime, ime i prezime, prenume, nume si prenume,
        vezeteknev, keresztnev, etunimi, sukunimi, fornamn, efternamn, fornavn, efternavn, etternavn, soyad, soyadi,
        soyisim, adsoyad, adi soyadi, ad soyad, ho ten, ho va ten, nama lengkap, familiya, фио, имя, фамилия,
        отчество, ονομα, επωνυμο, ονοματεπωνυμο, 氏名, 姓名, お名前, フリガナ, 姓, 성명, 이름, الاسم
    """,
    "user_name": "screenname, user login, twitter handle, instagram, login id, loginname, brukernavn, anvandarnamn",
    "street_address": """
        situs, domicile, premise address, domicilios, dir residencia, logradouro, adres1, adresa, ulica, ulice,
        utca, gata, gatuadress, gateadresse, gadenavn, osoite, katuosoite, sokak, adresi, alamat, dia chi, адрес,
        улица, διευθυνση, οδος, 住所, 所在地, 地址, 주소, العنوان
    """,
    "postal_code": """
        zip plus4, zip plus 4, zips, zip codes, codepostal, cod post, codice postale, npa, eircode, pincode, postnr,
        postnummer, postinumero, psc, kod pocztowy, postanski broj, iranyitoszam, posta kodu, kode pos, почтовый
        индекс, 郵便番号, 邮编, 邮政编码, 우편번호
    """,
    "coordinate": """
        geo lat, geo lon, xcoord, ycoord, x coord, y coord, x coordinate, y coordinate, geo x, geo y, intptlat,
        intptlon, lati, latit, longi, longit, gps, gps coordinates, coord lat, coord lon, szerokosc, dlugosc,
        широта, долгота, 緯度, 経度, 纬度, 经度
    """,
    "pay": """
        earnings, remuneration, remuneracion, remuneracao, sueldo, nomina, vencimento, retribuzione, verguetung,
        entgelt, besoldung, traitement brut, traitement net, stipend, honorar, annual pay, total pay, regular pay,
        overtime pay, other pay, base comp, total comp, pensja, wynagrodzenie, mzda, maas, gaji, palkka, lonn,
        зарплата, оклад, 給与, 给与, 年収, 工资, 薪资, 급여
    """,
    "currency": "monnaie, wahrung, divisa, waluta, mena, para birimi, валюта, 通貨, 货币",
    "country": "ulke, страна, χωρα, 国, 国家, 국가, البلد",
    "state": """
        provincia, provincias, departamentos, municipios, comunidad autonoma, uf, wojewodztwo, fylke, oblast, judet,
        zupanija, voivodeship, область, регион, 都道府県, 省份, 省
    """,
    "city": """
        ciudades, localidades, localita, miasto, miejscowosc, mesto, oras, varos, kaupunki, postort, poststed,
        sehir, kota, город, πολη, 市区町村, 城市, 도시, المدينة
    """,
    "language": "idiomas, jezyk, jazyk, sprak, dil, язык, 言語, 语言",
    "url": "urls, websites, web page, webpage, internetseite, internetadresse, strona www, сайт, 网址",
    "organisation": "organizacja, organizace, организация",
    "company": """
        nazwa firmy, foretag, foretagsnamn, virksomhed, sirket, компания, 会社名, 企業名, 公司, 公司名称, 회사명
    """,
    "age": "alder, wiek, vek, yas, возраст, 年齢, 年龄, 나이",
    "amount": """
        amounts, expense, expenses, expenditure, expenditures, disbursement, encumbrance, appropriation, valuation,
        escrow, assessed value, appraised value, land value, land val, bldg val, dues, savings, net income, fico,
        fico score, dti, valor contrato, valor del contrato, valor total, valor pagado, valor unitario, cuantia,
        gasto, gastos, ingreso, ingresos, egresos, honorarios, presupuesto, beitrag, beitraege, gebuehr, zahlung,
        rechnungsbetrag, ausgaben, einnahmen, chiffre affaires, recette, depense, depenses, cotisation, spesa,
        ricavo, receita, despesa, valor pago, mensalidade, kwota, cena, oplata, castka, pris, belop, belob, avgift,
        tutar, fiyat, ucret, bakiye, hinta, harga, сумма, цена, стоимость, 金額, 価格, 料金, 売上, 金额, 价格, 금액
    """,
    "free_text": "uwagi, opis, poznamka, anmarkning, merknad, aciklama, комментарий, примечание, 備考, 备注, 비고",
}
"""Entries by kind, as ``vocabulary`` writes them."""

FURTHER_IN_TABLES_OF_PEOPLE: Final[Mapping[str, str]] = {
    "person_name": "namn, navn, nazwa, nume, nimi, nev, nama, isim, ime, 名前, 名",
}
"""What is a person's only where a row is a person."""
