"""In which language a ticket is written.

Rules: told by script where a script belongs to one language or nearly so, and by the commonest small words elsewhere.
A text of few words, or one without enough of them, is ``und``; where two languages are about equally strong it is
``mul``. Pasted parts do not count, because code is English everywhere. The answer helps to route and to choose words;
nothing is refused on its account.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from twokey.agents.triage.text import Parts
from twokey.agents.triage.words import words

SAMPLE: Final = 3_000
LEAST_LETTERS: Final = 6

_SCRIPTS: Final[tuple[tuple[int, int, str], ...]] = (
    (0x0370, 0x03FF, "el"), (0x0530, 0x058F, "hy"), (0x0590, 0x05FF, "he"), (0x0E00, 0x0E7F, "th"),
    (0x0E80, 0x0EFF, "lo"), (0x1000, 0x109F, "my"), (0x10A0, 0x10FF, "ka"), (0x1200, 0x137F, "am"),
    (0x1780, 0x17FF, "km"), (0x0900, 0x097F, "hi"), (0x0980, 0x09FF, "bn"), (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"), (0x0B80, 0x0BFF, "ta"), (0x0C00, 0x0C7F, "te"), (0x0C80, 0x0CFF, "kn"),
    (0x0D00, 0x0D7F, "ml"), (0x0D80, 0x0DFF, "si"), (0xAC00, 0xD7AF, "ko"), (0x1100, 0x11FF, "ko"),
    (0x3040, 0x30FF, "ja"), (0x4E00, 0x9FFF, "han"), (0x3400, 0x4DBF, "han"), (0x0400, 0x04FF, "cyrl"),
    (0x0600, 0x06FF, "arab"),
)  # fmt: skip
_CYRILLIC: Final[tuple[tuple[str, str], ...]] = (
    ("\u0456\u0457\u0454\u0491", "uk"), ("\u045e", "be"), ("\u0452\u045b\u0459\u045a\u0458\u045f", "sr"),
    ("\u044b\u044d\u0451", "ru"), ("\u044a", "bg"),
)  # fmt: skip
_ARABIC: Final[tuple[tuple[str, str], ...]] = (
    ("\u0679\u06d2\u06ba\u0688", "ur"),
    ("\u067e\u0686\u06af\u06cc\u06a9", "fa"),
)
_SMALL: Final[Mapping[str, str]] = {
    "en": "the and is of to in it that for with not this are was on be have when but you we do can how what please i",
    "de": "der die das und ist nicht ein eine wir ich zu mit auf den von es wenn aber auch wird werden bitte kann wie",
    "fr": "le la les et est pas une des nous je dans pour que qui sur avec il mais vous ne du au ce comment sont",
    "es": "el los las y es no una un de que en por para con se pero cuando como est\u00e1 al lo c\u00f3mo hay del",
    "pt": "o os as e n\u00e3o uma um de que em por para com se mas quando como est\u00e1 ao do da no na voc\u00ea",
    "it": "il gli le e \u00e8 non una un di che in per con si ma quando come del della sono ho questo alla nel",
    "nl": "de het een en is niet van ik wij we dat in op te met voor maar als wordt kan zijn deze er hoe",
    "sv": "och att det som en \u00e4r inte jag vi p\u00e5 med f\u00f6r n\u00e4r men kan har den till hur av",
    "da": "og at det som en er ikke jeg vi p\u00e5 med for n\u00e5r men kan har den til hvordan af efter blev",
    "nb": "og at det som en er ikke jeg vi p\u00e5 med for n\u00e5r men kan har den til hvordan av etter ble",
    "fi": "ja on ei se ett\u00e4 kun mutta me min\u00e4 t\u00e4m\u00e4 ovat miten tai jos niin mit\u00e4 voi olla",
    "pl": "i w nie na jest si\u0119 \u017ce z do to jak po ale czy dla mo\u017cna nam prosz\u0119 od kiedy",
    "cs": "a je v na se \u017ee to ne po s ale jak kdy\u017e pro m\u016f\u017eeme jsme jsou pros\u00edm nebo",
    "sk": "a je v na sa \u017ee to nie po s ale ako ke\u010f pre m\u00f4\u017eeme sme s\u00fa pros\u00edm alebo",
    "hu": "a az \u00e9s nem hogy is egy van ez de ha mint csak vagy nek\u00fcnk k\u00e9rem meg mert lehet",
    "ro": "\u0219i nu este un o de la cu pe pentru c\u0103 dar c\u00e2nd cum sunt am s\u0103 din mai",
    "tr": "ve bir bu da de i\u00e7in ile \u00e7ok ama ne nas\u0131l de\u011fil olarak var yok daha gibi sonra",
    "vi": "v\u00e0 kh\u00f4ng l\u00e0 c\u1ee7a c\u00f3 cho \u0111\u01b0\u1ee3c m\u1ed9t khi nh\u01b0ng t\u00f4i",
    "id": "dan yang tidak di untuk dengan ini itu kami saya pada dari bisa jika tetapi adalah bagaimana akan",
    "hr": "i je u na se da ne za ali kako kad smo su od nije to mo\u017eemo molim ili nakon",
    "sl": "in je v na se da ne za ali kako ko smo so od ni to lahko prosim pri po",
    "et": "ja on ei see et kui aga me ma kuidas v\u00f5i oli seda pole palun p\u00e4rast",
    "lv": "un ir nav ka bet k\u0101 m\u0113s es ar no uz par l\u016bdzu p\u0113c kad vai",
    "lt": "ir yra ne kad bet kaip mes a\u0161 su i\u0161 po pra\u0161ome ar kai tai nuo",
    "ca": "el els les i \u00e9s no una un de que en per amb quan com est\u00e0 al s\u00f3n per\u00f2 aquest",
    "sw": "na ya kwa ni wa hii si katika lakini tafadhali jinsi kama hakuna baada",
    "af": "die en is nie 'n het van ek ons dat in op te met vir maar as kan hoe",
}  # fmt: skip
_LISTED: Final = {language: frozenset(listed.split()) for language, listed in _SMALL.items()}


def of(parts: Parts) -> str:
    """Give the ISO 639-1 code of the language, ``und`` or ``mul``."""
    text = f"{parts.title} {' '.join(parts.prose)}"[:SAMPLE]
    letters = [mark for mark in text if mark.isalpha()]
    if len(letters) < LEAST_LETTERS:
        return "und"
    scripts = Counter(_script(mark) for mark in letters)
    script, count = max(scripts.items(), key=lambda entry: (entry[1], entry[0]))
    if script == "han" and scripts["ja"] * 10 > count:
        return "ja"
    if script and count * 10 < 6 * len(letters):
        return "mul"
    if not script:
        return _latin(text, foreign=len(letters) - count, letters=len(letters))
    if script == "cyrl":
        return next((code for marks, code in _CYRILLIC if any(mark in text.lower() for mark in marks)), "ru")
    if script == "arab":
        return next((code for marks, code in _ARABIC if any(mark in text for mark in marks)), "ar")
    return "zh" if script == "han" else script


def _script(mark: str) -> str:
    place = ord(mark)
    if place < 0x370:
        return ""
    return next((code for start, end, code in _SCRIPTS if start <= place <= end), "")


def _latin(text: str, *, foreign: int, letters: int) -> str:
    said = words(text)
    found = {language: sum(word in listed for word in said) for language, listed in _LISTED.items()}
    ranked = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    (best, most), (other, second) = ranked[0], ranked[1]
    if most * 10 < len(said) or most == second:
        return "und"
    if foreign * 10 > 3 * letters:
        return "mul"
    apart = len(_LISTED[best] & set(said) - _LISTED[other])
    other_apart = len(_LISTED[other] & set(said) - _LISTED[best])
    return "mul" if second * 10 > 7 * most and other_apart >= 6 and apart >= 6 else best
