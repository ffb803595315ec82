"""Security, spam, priority, what is missing, the area and the language of a ticket."""

# ruff: noqa: RUF001 - letters of forty languages
import pytest
from support.security_tickets import NEAR_MISSES, REPORTS

from twokey.agents.triage import areas, language, missing, priority, security, spam
from twokey.agents.triage.quoting import quoted
from twokey.agents.triage.text import take_apart


@pytest.mark.parametrize(("title", "body"), REPORTS)
def test_a_report_of_a_weakness_is_noticed(title: str, body: str) -> None:
    assert security.judge(take_apart(title, body)) is not None


def test_few_tickets_that_only_speak_of_security_are_taken_for_reports() -> None:
    taken = [title for title, body in NEAR_MISSES if security.judge(take_apart(title, body)) is not None]
    assert len(taken) <= 2, taken


def test_a_ticket_cannot_talk_its_way_out_of_being_private() -> None:
    told = security.judge(
        take_apart("Not a security issue, do not treat as security", "There is no SQL injection here, really.")
    )
    assert told is not None
    assert told.reasons == ('It says "security issue", "sql injection", "security", which reports of weaknesses do.',)


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("BUY CHEAP FOLLOWERS NOW!!!", "Best price, click here https://a.example https://b.example https://c.example"),
        ("You have won", "Dear beneficiary, click below https://x.example"),
        ("Earn money from home", "Guaranteed profit with crypto investment, write on whatsapp +1 555"),
        ("SEO services", "We rank your site with backlinks, visit our website https://seo.example"),
    ],
)
def test_advertising_is_spam(title: str, body: str) -> None:
    assert spam.judge(take_apart(title, body)) is not None


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Loan table: dating of rows is wrong", "The loan amount of yesterday has the date of today. Version 2.4.1"),
        ("discounts are counted twice", "The discount of an order is applied again in the mart."),
        ("PLEASE HELP!!!", "The console does not open, https://console.example"),
        ("", ""),
        ("Spam filter lets 'buy now, limited offer, casino' through", "```\nscore 0.2\n```"),
        ("Telegram alerts", "See https://a.example https://b.example https://c.example"),
    ],
)
def test_what_somebody_wrote_in_earnest_is_no_spam(title: str, body: str) -> None:
    assert spam.judge(take_apart(title, body)) is None


@pytest.mark.parametrize(
    ("title", "body", "family", "level"),
    [
        (
            "Scoring is down in production",
            "No scores since 02:00, all customers are affected, no workaround.",
            "bug",
            "urgent",
        ),
        (
            "Wrong numbers in the revenue mart",
            "Since the last release. Used by the board meeting on Monday.",
            "bug",
            "high",
        ),
        ("Export fails sometimes", "Workaround: run it again.", "bug", "normal"),
        ("Typo on the login page", "Cosmetic, no hurry.", "bug", "low"),
        ("Not urgent: outage page is ugly", "It would be nice to have another icon.", "feature", "low"),
        ("URGENT!!! asap", "critical, urgent, immediately", "question", "normal"),
        ("urgent", "please", "bug", "normal"),
        ("No data was lost", "and it is not blocked, production is not affected", "bug", None),
        ("Add a filter", "so that we see ours first", "feature", None),
        ("Support for production dashboards of all users", "We want to see them.", "feature", "normal"),
        (
            "Report needed by Friday",
            "The regulator asked for it, deadline is the audit next week.",
            "feature",
            "normal",
        ),
        ("Batch job blocked", "There is no known workaround and the month-end closing waits.", "incident", "high"),
    ],
)
def test_priority_follows_from_what_happens(title: str, body: str, family: str, level: str | None) -> None:
    told = priority.judge(take_apart(title, body), family)
    assert (told.value if told else None) == level
    assert told is None or all(": it says " in reason for reason in told.reasons)


def test_calling_itself_urgent_never_makes_a_ticket_urgent() -> None:
    shouted = take_apart("URGENT P0 outage", "urgent urgent asap critical in production")
    told = priority.judge(shouted, "bug")
    assert told is not None
    assert told.value == "high"


BUG = "When I open the page it shows an error instead of the list. I expected the list."


@pytest.mark.parametrize(
    ("title", "body", "family", "codes"),
    [
        ("Crash", "", "bug", ["description"]),
        ("it does not work", "help", None, ["description"]),
        ("List is empty", BUG, "bug", ["logs", "version"]),
        ("List is empty", f"{BUG}\n\nVersion 2.3.1\n\n```\nValueError: x\n```", "bug", []),
        (
            "Numbers are wrong in the churn report",
            "There are more rows than customers in the second quarter, on staging, v3.",
            "bug",
            ["steps", "expected"],
        ),
        ("Add a filter to the list of accounts", "A filter by region, at the top of the list.", "feature", ["need"]),
        ("Add a filter to the list of accounts", "So that we see ours first.", "feature", []),
        (
            "Access to the orders table please",
            "I am new in the team and start on Monday morning.",
            "access",
            ["approver"],
        ),
        ("Alert: freshness", "The freshness check of the mart is red again, nobody knows why.", "incident", ["actual"]),
        ("How do I run this on my machine?", "I could not find a page that says it.", "question", []),
        ("Something odd with the list of accounts", "I do not know what to say about it, sorry.", None, []),
    ],
)
def test_what_is_missing_is_asked_for(title: str, body: str, family: str | None, codes: list[str]) -> None:
    assert [item.code for item in missing.of(take_apart(title, body), family)] == codes


def test_an_empty_field_of_a_form_is_missing_and_a_filled_one_is_not() -> None:
    form = "### Steps to reproduce\n\n1. open it\n\n### Version\n\n_No response_\n\n### Expected behavior\n\nA list of accounts, the new ones first, as the page says it would be.\n\n### Actual behavior\n\nNothing at all happens, and the page says error."
    assert [item.code for item in missing.of(take_apart("List stays empty", form), "bug")] == [
        "logs",
        "version",
    ]


def test_the_form_of_a_team_adds_what_it_wants_answered() -> None:
    parts = take_apart("Add a filter to the list", "So that we see ours first, and need not scroll.")
    assert missing.of(parts, "feature") == ()
    asked = missing.of(parts, "feature", ["Environment", "Your name"])
    assert [item.code for item in asked] == ["environment"]
    assert asked[0].ask.endswith("?")


def test_an_area_is_named_by_the_title_alone_and_by_one_label() -> None:
    labels = ["scoring-api", "scoring", "area/console", "feature store"]
    told = areas.named(take_apart("Console shows no accounts", "scoring api is fine"), labels)
    assert told is not None
    assert (told.value, told.reasons) == ("area/console", ('The title names "area console".',))
    longest = areas.named(take_apart("scoring-api: timeouts", ""), labels)
    assert longest is not None
    assert longest.value == "scoring-api"
    assert areas.named(take_apart("console and feature store differ", ""), labels) is None
    assert areas.named(take_apart("nothing of it", ""), labels) is None


SPOKEN = {
    "en": "The job fails when we start it and it is not clear what to do with this file",
    "de": "Der Export bricht ab, wenn die Datei leer ist, und es wird nicht gesagt, was wir tun sollen",
    "fr": "Le rapport est vide quand on ouvre la page et nous ne savons pas comment faire pour les comptes",
    "es": "El informe no se abre cuando hay una fecha vacía y no sabemos qué hacer con los datos del mes",
    "pt": "O relatório não abre quando uma data está vazia e não sabemos o que fazer com os dados do mês",
    "it": "Il rapporto non si apre quando una data è vuota e non sappiamo che cosa fare con il mese",
    "nl": "Het rapport is leeg als we de pagina openen en het is niet duidelijk wat we met deze datum moeten",
    "sv": "Rapporten är tom när vi öppnar sidan och det är inte klart hur vi ska göra med den för att det",
    "fi": "Raportti on tyhjä kun sivu avataan ja ei ole selvää miten tämä on tehty niin että se toimii",
    "pl": "Raport jest pusty i nie wiadomo jak to zrobić, ale czy można to poprawić na dla nas po zmianie",
    "cs": "Zpráva je prázdná, když se otevře, a není jasné, jak to opravit, protože se to na ní ale nezdá pro nás",
    "hu": "A jelentés üres, és nem tudjuk, hogy mit tegyünk, ha ez az oldal csak így van, kérem meg",
    "ro": "Raportul este gol și nu știm cum să facem când este un cont din luna asta pentru că nu sunt date",
    "tr": "Rapor boş ve bu sayfa için ne yapacağımız belli değil ama bir hata olarak çok sık var",
    "vi": "Báo cáo không có dữ liệu và chúng tôi không biết khi nào được sửa cho các tài khoản của một khách",
    "id": "Laporan kosong dan kami tidak tahu apa yang harus dilakukan dengan data ini pada bulan itu di sini",
    "el": "Η αναφορά είναι κενή", "he": "הדוח ריק כשפותחים", "ar": "التقرير فارغ عند فتح الصفحة", "fa": "گزارش خالی است چون پیدا نشد",
    "ur": "رپورٹ خالی ہے اور ڈیٹا نہیں", "hi": "रिपोर्ट खाली है", "bn": "রিপোর্ট খালি", "ta": "அறிக்கை காலியாக உள்ளது", "te": "నివేదిక ఖాళీగా ఉంది",
    "kn": "ವರದಿ ಖಾಲಿಯಾಗಿದೆ", "ml": "റിപ്പോർട്ട് ശൂന്യമാണ്", "gu": "અહેવાલ ખાલી છે", "pa": "ਰਿਪੋਰਟ ਖਾਲੀ ਹੈ", "si": "වාර්තාව හිස්ය",
    "th": "รายงานว่างเปล่า", "lo": "ລາຍງານຫວ່າງເປົ່າ", "my": "အစီရင်ခံစာ", "km": "របាយការណ៍", "ka": "ანგარიში ცარიელია",
    "hy": "Զեկույցը դատարկ է", "am": "ሪፖርቱ ባዶ ነው", "ko": "보고서가 비어 있습니다", "ja": "レポートが空です、なぜですか", "zh": "报告是空的怎么办",
    "ru": "Отчёт пустой, и мы не знаем, что делать", "uk": "Звіт порожній, і ми не знаємо, що робити з ним її", "bg": "Отчетът е празен и не знаем защо въобще",
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), SPOKEN.items())
def test_forty_languages_are_told(code: str, text: str) -> None:
    assert language.of(take_apart("", text)) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "und"), ("12 34 !!", "und"), ("KeyError ValueError", "und"), ("Отчёт пустой why is it empty now please", "mul"),
     ("the report is empty 报告是空的怎么办呢谢谢大家", "mul"), ("```\nimport os\n```", "und")],
)  # fmt: skip
def test_what_cannot_be_told_is_not(text: str, code: str) -> None:
    assert language.of(take_apart("", text)) == code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", '"plain words"'),
        ("@ana closes #12 <b>`rm`</b> [x](http://e)", '"ana closes 12 b rm b x http e"'),
        ("password: hunter2 and more", '"... and more"'),
        ("mail ana@example.org now", '"mail ... now"'),
        ("AKIAIOSFODNN7EXAMPLE is it", '"... is it"'),
        ("{{ config }} {% x %} $(id)", '"config % x % id"'),
        ("a" * 10 + " " + "b c " * 30, '"aaaaaaaaaa b c b c b c b c b c b c b..."'),
        ("two\nlines\u202e", '"two lines"'),
    ],
)
def test_a_quote_is_inert(text: str, shown: str) -> None:
    assert quoted(text) == shown
