"""The lists that ``values`` draws from: common names, places and words of several countries, written down by us."""


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def phrases(text: str) -> list[str]:
    """The parts of a text between bars."""
    return [each.strip() for each in text.replace("\n", " ").split("|")]


GIVEN = {
    "en": words("""James Mary Robert Patricia Michael Linda David Barbara Joseph Susan Tyrone Latoya Kevin Brenda Gary Kathleen
        Ethan Madison Austin Brooklyn Dakota Hunter Grace Hope Mark Rose Ruth Wayne Carl Dwayne Tanisha Cody Wanda Earl Doris
        Melvin Bernice Troy Sherri Glenn Darlene Clyde Marcy Devin Kaitlyn Xavier Deshawn Joaquin Mei-Ling Siobhan"""),
    "es": words("""María José Carmen Antonio Guadalupe Juan Rosa Luis Fernanda Carlos Ximena Javier Pilar Andrés Soledad Diego
        Paola Hernán Milagros Rodrigo Yolanda Esteban Consuelo Álvaro Jimena Wilson Yeison Leidy Edwin Nubia"""),
    "pt": words("""João Maria Antônio Francisca Paulo Adriana Luiz Juliana Marcos Márcia Rafael Camila Gustavo Larissa Vinícius
        Beatriz Caio Raimunda Otávio Jussara"""),
    "de": words("""Jürgen Ursula Wolfgang Sabine Klaus Monika Stefan Petra Matthias Heike Uwe Anke Torsten Silke Günter Renate
        Lennart Mia Finn Leonie Jörg Katrin"""),
    "fr": words("""Jean-Pierre Nathalie Michel Isabelle Philippe Sylvie Thierry Valérie Laurent Céline Émile Aurélie Gérard
        Océane Yves Brigitte Mathis Manon Loïc Hélène"""),
    "it": words(
        """Giuseppe Rosa Antonio Angela Salvatore Francesca Luca Chiara Matteo Elisa Gennaro Concetta Davide Martina"""
    ),
    "pl": words(
        """Krzysztof Agnieszka Andrzej Małgorzata Tomasz Katarzyna Paweł Joanna Michał Ewa Grzegorz Iwona Łukasz Beata"""
    ),
    "nl": words("Jan Anja Kees Marijke Bram Lotte Daan Fleur Joost Ilse Ruben Maaike Sjoerd Wietske Hendrik Truus"),
    "sv": words("Lars Anna Mikael Kristina Åsa Göran Birgitta Örjan Elin Oskar Maja Håkan Gunilla Nils Ebba"),
    "tr": words("Mehmet Ayşe Mustafa Fatma Ahmet Zeynep Emre Elif Hüseyin Gül Murat Hatice Çağlar Şule"),
    "in": words("""Rajesh Sunita Amit Pooja Suresh Kavita Vikram Anjali Ramesh Lakshmi Arjun Deepika Sanjay Meena Karthik
        Shruti Gurpreet Harpreet Mohammed Ayesha"""),
    "cz": words("Jiří Jana Petr Lenka Tomáš Hana Václav Zuzana Miroslav Věra Ondřej Kateřina"),
    "ja": words("健太 美咲 翔 陽子 直樹 由美 大輔 恵子 拓也 真由美 誠 花子"),
    "ru": words("Александр Елена Сергей Ольга Дмитрий Наталья Андрей Татьяна Алексей Ирина Михаил Светлана"),
}
FAMILY = {
    "en": words("""Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson White Harris Clark Lewis
        Walker Hall Young King Wright Hill Green Baker Rivera Mitchell Carter Nguyen Patel Kim Bell Cook Bailey Reed Price
        Bennett Wood Brooks Long Foster Powell Jenkins Perry Fisher Stone Knight Lane O'Brien McCarthy Van Washington Boateng
        Kowalczyk Schultz St.Clair Okafor Thibodeaux Yazzie Kealoha"""),
    "es": words("""García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres Flores Rivera Gómez Díaz Cruz
        Morales Reyes Gutiérrez Ortiz Ruiz Quispe Mamani Restrepo Zapata Ospina Cárdenas Bermúdez Arango"""),
    "pt": words(
        "Silva Santos Oliveira Souza Pereira Costa Carvalho Almeida Ribeiro Lopes Araújo Gonçalves Teixeira Moura"
    ),
    "de": words("""Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter Klein Wolf
        Schröder Neumann Zimmermann Krüger Köhler Vogel Groß"""),
    "fr": words(
        "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Simon Laurent Garnier Roux Chevalier Lemoine Aubert"
    ),
    "it": words(
        "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Greco Conti Costa Giordano De_Luca Caruso".replace(
            "_", ""
        )
    ),
    "pl": words(
        "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Lewandowski Zieliński Szymański Dąbrowski Kozłowski Mazur Krawczyk"
    ),
    "nl": words("Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer Kuipers Hoekstra"),
    "sv": words(
        "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Lind Bergström Åkesson"
    ),
    "tr": words("Yılmaz Kaya Demir Çelik Şahin Yıldız Öztürk Aydın Arslan Doğan Koç Kurt"),  # noqa: RUF001 - a Turkish letter
    "in": words(
        "Sharma Verma Gupta Singh Kumar Reddy Iyer Nair Das Mukherjee Joshi Desai Khan Pillai Chowdhury Kaur Naidu"
    ),
    "cz": words("Novák Svoboda Novotný Dvořák Černý Procházka Kučera Veselý Horák Němec Pokorný"),
    "ja": words("佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田"),
    "ru": words("Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов"),
}
CITIES = {
    "us": phrases("""Springfield|Dayton|Tulsa|Bakersfield|Fort Wayne|St. Paul|Baton Rouge|Chandler|Irving|Hialeah|Aurora|Toledo|
        Des Moines|Spokane|Yonkers|Lubbock|Madison|Gilbert|Winston-Salem|Reno|Boise|Buffalo|Pueblo|Cedar Rapids"""),
    "uk": phrases(
        "Leeds|Sheffield|Bradford|Cardiff|Coventry|Stoke-on-Trent|Derby|Plymouth|Swansea|Norwich|Luton|Exeter|Kingston upon Hull"
    ),
    "co": phrases(
        "Medellín|Cali|Barranquilla|Cartagena|Cúcuta|Bucaramanga|Pereira|Santa Marta|Ibagué|Manizales|Villavicencio|Neiva"
    ),
    "br": phrases("São Paulo|Recife|Curitiba|Belém|Goiânia|Campinas|Natal|Porto Alegre|Teresina|Maceió|Santos"),
    "de": phrases(
        "Hannover|Bremen|Dortmund|Essen|Leipzig|Nürnberg|Bielefeld|Wuppertal|Mannheim|Augsburg|Rostock|Kassel"
    ),
    "fr": phrases(
        "Lyon|Toulouse|Rennes|Montpellier|Saint-Étienne|Le Havre|Reims|Dijon|Angers|Nîmes|Brest|Clermont-Ferrand"
    ),
    "it": phrases("Torino|Palermo|Bologna|Catania|Verona|Bari|Trieste|Padova|Reggio Calabria|Ravenna"),
    "pl": phrases("Kraków|Łódź|Wrocław|Poznań|Szczecin|Lublin|Białystok|Katowice|Radom|Toruń"),
    "nl": phrases("Rotterdam|Utrecht|Eindhoven|Groningen|Breda|Nijmegen|'s-Hertogenbosch|Zwolle|Almere"),
    "sv": phrases("Göteborg|Malmö|Västerås|Örebro|Linköping|Helsingborg|Norrköping|Umeå|Borås"),
    "in": phrases("Mumbai|Bengaluru|Hyderabad|Pune|Jaipur|Lucknow|Kanpur|Nagpur|Indore|Coimbatore|Kochi"),
    "au": phrases("Geelong|Hobart|Cairns|Ballarat|Toowoomba|Newcastle|Wollongong|Townsville|Bendigo|Dubbo"),
    "ca": phrases("Winnipeg|Halifax|Saskatoon|Regina|Sudbury|Kelowna|Trois-Rivières|Moncton|Guelph|Red Deer"),
    "world": phrases(
        "Nairobi|Lima|Jakarta|Lagos|Karachi|Osaka|Santiago|Casablanca|Manila|Tashkent|Accra|Hanoi|Bogotá|Warsaw"
    ),
}
STATES_US = phrases("""Alabama|Arizona|California|Colorado|Florida|Georgia|Idaho|Indiana|Kansas|Maine|Michigan|Montana|Nevada|
    New Jersey|New Mexico|North Carolina|Ohio|Oregon|South Dakota|Tennessee|Texas|Utah|Virginia|Washington|Wyoming""")
CODES_US = words("AL AZ CA CO FL GA ID IN KS ME MI MT NV NJ NM NC OH OR SD TN TX UT VA WA WY PA IL NY")
COUNTIES = phrases("""Jefferson|Franklin|Lincoln|Jackson|Madison|Clay|Marion|Montgomery|Union|Wayne|Orange|Polk|Lake|Monroe|
    Hamilton|Pike|Shelby|Benton|Warren|Grant|Sumter|Osceola""")
DEPARTMENTS = phrases(
    "Antioquia|Cundinamarca|Valle del Cauca|Atlántico|Santander|Boyacá|Tolima|Nariño|Huila|Meta|Cauca|Caldas"
)
LAENDER = phrases(
    "Bayern|Hessen|Sachsen|Niedersachsen|Thüringen|Baden-Württemberg|Nordrhein-Westfalen|Brandenburg|Saarland"
)
PROVINCES = words("ON QC BC AB MB SK NS NB NL PE")
NATIONS = phrases("""United States|Mexico|Brazil|India|China|Japan|Kenya|Nigeria|Egypt|Vietnam|Peru|Chile|Canada|Australia|
    New Zealand|South Africa|Turkey|Greece|Hungary|Czech Republic|South Korea|Saudi Arabia""")
NATIONS_ES = phrases(
    "Estados Unidos|Alemania|Francia|Brasil|Japón|Reino Unido|Suecia|Corea del Sur|Países Bajos|Perú|Marruecos"
)
ISO2 = words("US MX BR IN CN JP KE NG EG VN PE CL CA AU NZ ZA TR GR HU CZ KR SA GB DE FR ES IT")
ISO3 = words("USA MEX BRA IND CHN JPN KEN NGA EGY VNM PER CHL CAN AUS NZL ZAF TUR GRC HUN CZE KOR SAU GBR DEU FRA")
MONEYS = words("USD EUR GBP JPY CAD AUD CHF SEK MXN BRL INR CNY ZAR TRY")
ROADS = phrases("""Main|Oak|2nd|Washington|Park|Elm|Martin Luther King Jr|Sunset|Highland|Lincoln|Pine|Church|Old Mill|NW 14th|
    S Broadway|E 3rd|County Road 12|Peachtree|Spruce Hollow""")
ROAD_ENDS = words("St Ave Rd Blvd Dr Ln Ct Pl Way Pkwy Ter Cir STREET AVENUE Hwy")
ROADS_UK = phrases(
    "High Street|Station Road|Church Lane|Victoria Road|The Green|Mill Lane|Queens Drive|Albert Terrace|Manor Close"
)
ROADS_BR = phrases("Rua das Flores|Avenida Brasil|Travessa São José|Alameda Santos|Rua XV de Novembro|Praça da Sé")
ROADS_IT = phrases("Via Roma|Corso Garibaldi|Piazza Dante|Viale Europa|Via dei Mille|Vicolo Stretto")
ROADS_PL = phrases("ul. Długa|ul. Mickiewicza|al. Niepodległości|ul. Polna|os. Słoneczne|pl. Wolności")
ROADS_NL = phrases("Dorpsstraat|Kerkweg|Prinsengracht|Molenlaan|Stationsplein|Julianalaan")
ROADS_SV = phrases("Storgatan|Kungsvägen|Björkstigen|Skolgatan|Norra Allén")
FIRM_HEADS = phrases("""Acme|Blue Ridge|Summit|Pioneer|Lakeside|Golden Gate|Northwest|Premier|Allied|Heritage|Titan|Evergreen|
    Smith & Sons|Johnson Brothers|Miller|Delgado|Patel|Kim's|Three Rivers|Big Sky|Capital City|Eagle|Liberty|Metro""")
FIRM_TAILS = phrases("""Construction Inc|Plumbing LLC|Holdings Corp.|Logistics, Inc.|Foods Co|Electric|Auto Repair|Landscaping LLC|
    Pharmacy|Dental Group PC|Consulting|Builders, LLC|Technologies Inc.|Trucking|Bakery|Properties LP|Services|Supply Company""")
FIRMS_DE = phrases(
    "Nordbau GmbH|Becker & Söhne KG|Elektro Vogel e.K.|Stadtwerke AG|Wolf Logistik GmbH & Co. KG|Zahnlabor Klein GmbH"
)
FIRMS_ES = phrases(
    "Construcciones del Norte S.A.S.|Distribuidora La Rosa LTDA|Transportes Gómez S.A.|Inversiones Pérez y Cía|Servicios Integrales SAS"
)
FIRMS_FR = phrases(
    "Boulangerie Dubois SARL|Transports Leroy SAS|Garage Martin|Imprimerie du Centre SA|Électricité Roux EURL"
)
PRODUCTS = phrases("""Billy bookcase|Emma mattress 90x200|Alexa speaker|Madeleine tin|Dr. Martens boot|Jack Daniel's 0.7l|Ben & Jerry's tub|
    Oscar bin 20 L|Victoria sponge|Margherita pizza|Lazy Susan|Bloody Mary mix|Caesar salad|Earl Grey tea|Anna lamp|Sebastian desk""")
HERBS = phrases(
    "Black-eyed Susan|Sweet William|Japanese Maple|Norway Spruce|Virginia Creeper|London Plane|Douglas Fir|Jacaranda|Rosemary|Sage"
)
SCHOOLS = phrases(
    "Lincoln Elementary|Washington High School|Martin Luther King Middle|St. Mary Academy|Roosevelt K-8|Eleanor Charter"
)
AGENCIES = phrases(
    "Department of Health|Parks and Recreation|Office of the Mayor|Public Works|Fire & Rescue|Water Authority|Police Department"
)
SPORTS = phrases(
    "Tigers|Riverside Hawks|Jackson Generals|Madison Mallards|Austin Thunder|Charlotte Royals|Savannah Bananas"
)
SHIPS = phrases("Queen Mary|Ever Given|Emma Maersk|MSC Isabella|Lady Hamilton|Santa Maria|HMS Victoria|Star Princess")
DRUGS = phrases("Atorvastatin 20 mg|Metformin 500mg|Amoxicillin|Lisinopril|Levothyroxine|Omeprazole DR|Albuterol HFA")
ILLS = phrases(
    "Type 2 diabetes|Asthma|Essential hypertension|Major depression|Fracture of wrist|Migraine without aura|COPD"
)
TITLES = phrases(
    "Police Officer II|Sr. Accountant|Bus Driver|Registered Nurse|Deputy Clerk|Firefighter|Teacher - Grade 4|IT Manager|Custodian"
)
RACES = phrases(
    "White|Black or African American|Asian|American Indian or Alaska Native|Hispanic|Two or More Races|Unknown"
)
SAYINGS = phrases("""Customer called about a late parcel|Mrs. Ortiz asked for a refund and was told to wait|No issues found|Replaced filter and
    checked pressure|Spoke with David from the warehouse, he will call back|Left voicemail|Pothole near the corner of Main and 3rd|
    Meeting moved to Friday|Needs follow up|The invoice was sent twice by mistake|Tree fell on the fence during the storm|Closed per manager""")
EVENTS = words("page_view add_to_cart checkout login logout search purchase scroll click error")
AGENTS = phrases("""Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36|curl/8.4.0|
    Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) Mobile/15E148|okhttp/4.12.0|Googlebot/2.1 (+http://www.google.com/bot.html)""")
