"""Whether a ticket advertises, or is noise.

Rules: a ticket is called spam only on several signs at once, because a person who wrote in earnest must not be turned
away: words of advertising, links to many places, capitals and marks instead of sentences. A ticket with code, a log, a
version or a filled-in form is never spam. An empty ticket is empty and no spam.
"""

import re
from typing import Final

from twokey.agents.triage.phrases import Phrases
from twokey.agents.triage.quoting import quoted
from twokey.agents.triage.text import Parts
from twokey.agents.triage.values import Judgement

ENOUGH: Final = 4
_ADVERTISING: Final[dict[str, int]] = {
    "buy now": 3, "buy cheap": 3, "cheap": 1, "discount*": 1, "promo code": 3, "limited offer": 3, "limited time": 2,
    "special offer": 3, "best price*": 2, "order now": 3, "click here": 2, "click below": 2, "visit our": 2,
    "visit my": 2, "our website": 1, "check out my": 2, "subscribe to": 1, "whatsapp": 2, "telegram": 1,
    "call now": 3, "toll free": 3, "customer care number": 4, "helpline": 2, "support phone number": 3,
    "casino*": 3, "betting": 3, "slot*": 1, "lottery": 3, "jackpot": 3, "viagra": 4, "cialis": 4, "pills": 2,
    "weight loss": 3, "escort*": 4, "dating": 2, "loan*": 2, "payday": 3, "forex": 2, "binary options": 3,
    "crypto investment": 4, "guaranteed profit*": 4, "guaranteed returns": 4, "make money": 3, "earn money": 3,
    "earn _ per day": 3, "work from home": 2, "passive income": 3, "free followers": 4, "seo services": 4,
    "backlinks": 3, "guest post": 4, "rank your": 3, "essay writing": 4, "write my essay": 4, "free download": 2,
    "cracked version": 3, "full movie": 4, "watch online": 3, "airdrop": 3, "seed phrase": 2, "double your": 3,
    "inheritance": 2, "you have won": 4, "congratulations you": 3, "dear beneficiary": 4, "asdf*": 3, "qwerty*": 2,
    "hacktoberfest please": 3, "star my repo*": 3, "test test": 2,
}  # fmt: skip
_FOUND: Final = Phrases(tuple(_ADVERTISING))
_HOST: Final = re.compile(r"https?://([a-z0-9.-]{3,80})", re.IGNORECASE)
_VERSION: Final = re.compile(r"\b\d{1,4}\.\d{1,4}\.\d")


def judge(parts: Parts) -> Judgement | None:
    """Tell whether a ticket is spam; None where it is not."""
    if parts.pasted or parts.fields or parts.fences or _VERSION.search(parts.raw[:4_000]) is not None:
        return None
    said = {each.phrase: each.words for each in _FOUND.find(parts) if not each.denied}
    weight = sum(_ADVERTISING[phrase] for phrase in said)
    hosts = {match.casefold() for match in _HOST.findall(parts.raw[:8_000])}
    letters = sum(mark.isalpha() for mark in parts.title)
    shouting = letters >= 12 and sum(mark.isupper() for mark in parts.title) * 10 > 8 * letters
    signs = [f"It says {', '.join(quoted(words) for words in list(said.values())[:3])}."] if said else []
    if len(hosts) >= 3:
        weight += 1
        signs.append(f"It links to {len(hosts)} sites.")
    if shouting or parts.title.count("!") >= 2:
        weight += 1
        signs.append("Its title shouts.")
    if said and parts.links and len(" ".join(parts.prose)) < 400:
        weight += 1
        signs.append("It is short and leads elsewhere.")
    if weight < ENOUGH or not said:
        return None
    return Judgement(value="spam", confidence_permille=min(970, 700 + 50 * weight), reasons=tuple(signs))
