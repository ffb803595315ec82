"""Closed classes of words that values are written in, folded: gender, origin, months, streets, companies.

Rules: English, German, French, Spanish, Portuguese, Italian and Dutch; only words that mean one thing in a column
whose values are mostly of the class. Nothing here names a person or a place.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(" ".join(text.split()).split(", "))


GENDERS: Final = _words(
    """
    m, f, male, female, man, woman, men, women, boy, girl, non-binary, nonbinary, non binary, transgender, trans male,
    trans female, mannlich, weiblich, divers, maennlich, homme, femme, masculin, feminin, hombre, mujer, masculino,
    femenino, feminino, homem, mulher, uomo, donna, maschio, femmina, femminile, maschile, vrouw, vrouwelijk,
    mannelijk, varon, hembra, genderqueer, genderfluid, agender, w, mixto, mixta, mixte, gemischt
    """
)
ORIGINS: Final = _words(
    """
    white, black, hispanic, asian, caucasian, latino, latina, latinx, african american, black or african american,
    african-american, native american, american indian, american indian or alaska native, pacific islander, american
    indian/alaska native, native hawaiian or other pacific islander, hispanic or latino, hispanic/latino, white
    hispanic, black hispanic, white non-hispanic, black non-hispanic, non-hispanic white, non-hispanic black,
    asian/pacific islander, asian / pacific islander, asian and pacific islander, two or more races, multiracial,
    mixed race, biracial, middle eastern, arab, indigenous, mestizo, afrocolombiano, afrodescendiente, indigena, not
    hispanic or latino, non-hispanic, non hispanic, not hispanic, hawaiian, asian american, white british, black
    caribbean, black african, other white, filipino, chinese, japanese, korean, vietnamese, native alaskan, multiple,
    multi-ethnic, latin american, european american, aboriginal, first nations, maori, roma, south asian, east asian,
    multi-racial, asian indian, christian, catholic, roman catholic, protestant, muslim, jewish, hindu, buddhist,
    sikh, atheist, agnostic, lutheran, evangelical, katholisch, evangelisch, orthodox, islam, christianity, judaism,
    hinduism, buddhism, single, married, divorced, widowed, separated, ledig, verheiratet, geschieden, verwitwet,
    celibataire, marie, divorce, soltero, casado, divorciado, viudo, soltera, casada, divorciada, viuda, domestic
    partnership, civil union
    """
)
MONTHS: Final = _words(
    """
    january, february, march, april, may, june, july, august, september, october, november, december, jan, feb, mar,
    apr, jun, jul, aug, sep, sept, oct, nov, dec, januar, februar, marz, mai, juni, juli, oktober, dezember, janvier,
    fevrier, mars, avril, juin, juillet, aout, septembre, octobre, novembre, decembre, enero, febrero, marzo, abril,
    mayo, junio, julio, agosto, septiembre, octubre, noviembre, diciembre, janeiro, fevereiro, marco, maio, junho,
    julho, setembro, outubro, novembro, dezembro, gennaio, febbraio, aprile, maggio, giugno, luglio, settembre,
    ottobre, dicembre, januari, februari, maart, mei, augustus
    """
)
WEEKDAYS: Final = _words(
    """
    monday, tuesday, wednesday, thursday, friday, saturday, sunday, mon, tue, tues, wed, thu, thur, thurs, fri, sat,
    sun, montag, dienstag, mittwoch, donnerstag, freitag, samstag, sonntag, lundi, mardi, mercredi, jeudi, vendredi,
    samedi, dimanche, lunes, martes, miercoles, jueves, viernes, sabado, domingo, lunedi, martedi, mercoledi, giovedi,
    venerdi, domenica, maandag, dinsdag, woensdag, donderdag, vrijdag, zaterdag, zondag
    """
)
COLOURS: Final = _words(
    """
    red, green, blue, yellow, orange, purple, pink, brown, grey, gray, silver, gold, beige, maroon, navy, teal,
    turquoise, violet, cyan, magenta, tan, rot, grun, blau, gelb, schwarz, weiss, rouge, vert, bleu, jaune, noir,
    blanc, rojo, verde, azul, amarillo, negro, blanco, gris
    """
)
STREETS: Final = _words(
    """
    street, st, avenue, ave, av, road, rd, drive, dr, boulevard, blvd, lane, ln, court, ct, way, place, pl, terrace,
    ter, circle, cir, highway, hwy, parkway, pkwy, square, sq, trail, trl, loop, alley, aly, plaza, plz, crescent,
    cres, close, mews, row, route, rte, rt, expressway, freeway, turnpike, pike, wharf, pier, quay, promenade,
    esplanade, broadway, crossing, xing, bend, cove, cv, heights, hts, ridge, rdg, run, point, pt, grove, gardens,
    gate, walk, path, green, parade, pde, rue, allee, chemin, impasse, quai, cours, calle, cl, cll, carrera, cra, kr,
    cr, avenida, avda, diagonal, dg, transversal, tv, tr, paseo, camino, rua, travessa, estrada, alameda, via, viale,
    corso, piazza, largo, strasse, str, weg, platz, gasse, ring, damm, ufer, straat, laan, plein, gracht, kade, dijk,
    sr, cr, fm, ci, bv, centre, center, mall, hill, hl, vista, vis, passage, byway, bypass
    """
)
FIRMS: Final = _words(
    """
    inc, incorporated, llc, l.l.c, ltd, limited, corp, corporation, co, company, plc, llp, lp, pllc, gmbh, ag, kg,
    ohg, kgaa, sa, s.a, sas, s.a.s, sarl, srl, s.r.l, spa, s.p.a, bv, b.v, nv, n.v, oy, ab, as, aps, pty, pte, ltda,
    eireli, sl, s.l, cv, lllp, pc, p.c, p.a, llc., inc., ltd., corp., co., ug, se, e.k, holdings, enterprises,
    associates, partners, group, industries, consulting, solutions, technologies, systems, logistics, contractors,
    properties
    """
)
ORGANISATIONS: Final = _words(
    """
    school, university, college, institute, department, dept, church, bank, hospital, hotel, restaurant, cafe, bar,
    foundation, association, society, council, committee, commission, agency, authority, office, center, centre,
    clinic, library, museum, services, service, club, union, board, district, city, county, state, ministry, academy,
    theatre, theater, park, store, market, shop, studio, station, program, project, trust, fund, farm, farms, plan,
    plans, team, security, development, management, the, of, and, for, shelter, house, home, homes, apartments,
    colegio, escuela, universidad, instituto, fundacion, asociacion, hospital, clinica, secretaria, alcaldia, schule,
    verein, stiftung, amt, ecole, universite, mairie, ospedale, scuola, banco, biblioteca, plaza
    """
)
NAME_PARTS: Final = _words(
    """
    jr, jr., sr, sr., i, ii, iii, iv, v, vi, vii, viii, mr, mr., mrs, mrs., ms, ms., miss, dr, dr., prof, prof., esq,
    esq., phd, ph.d., md, m.d., hon, hon., rev, rev., herr, frau, mme, mlle, m., sra, sr, srta, dona, don, sig,
    sig.ra, dhr, mevr
    """
)
COUNTRY_NAMES: Final = _words(
    """
    usa, u.s.a., us, u.s., united states of america, uk, u.k., great britain, england, scotland, wales, northern
    ireland, south korea, north korea, russia, vietnam, iran, syria, laos, bolivia, venezuela, tanzania, moldova,
    ivory coast, czech republic, holland, macedonia, burma, the netherlands, republic of ireland, turkey, swaziland,
    cape verde, uae, united arab emirates, hong kong, taiwan, estados unidos, reino unido, espana, etats-unis,
    royaume-uni, vereinigte staaten
    """
)
STATE_ABBREVIATIONS: Final = _words("dc, pr, gu, vi, mp, as, nsw, vic, qld, wa, sa, tas, act, nt")
DIRECTIONS: Final = _words(
    """
    north, south, east, west, northeast, northwest, southeast, southwest, north east, north west, south east, south
    west, central, northern, southern, eastern, western, upper, lower, centre, center, middle, nord, sud, est, ouest,
    norte, sur, este, oeste, metro, island, islands, city, capital, total, other, point, river, green, blue, red,
    center, bay, lake, union, liberty, trinity
    """
)
"""Words that are the name of some district or person somewhere, and mean something else nearly everywhere."""
