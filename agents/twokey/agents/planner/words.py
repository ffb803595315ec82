"""The words that a request may be made of, and how text becomes words.

Rules: pure and total, any text gives tokens; nothing is guessed beyond one slip of the finger in a long keyword; every
visible word becomes a token, so that the grammar has to account for it; what nobody can see is taken out.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Final


class Role(Enum):
    """What a word does in a request."""

    ANSWER = "asks for an answer to a card, or for what only a person may do"
    CHANGE = "asks for a write that Twokey has no tool for"
    DESCRIBE = "verb: describe"
    DESCRIPTIONS = "noun: descriptions"
    TAG = "verb: tag"
    TAGS = "noun: tags"
    SENSITIVE = "noun or adjective: personal data"
    RELATE = "verb: relate"
    RELATIONSHIPS = "noun: relationships"
    TESTS = "noun: tests"
    PROPOSE = "propose everything"
    MAKE = "verb that needs one of our nouns"
    SCAN = "verb: look"
    FIND = "verb: find"
    QUESTION = "question word"
    TABLE = "the word table"
    COLUMN = "the word columns"
    ONE_COLUMN = "the word column"
    DATABASE = "the word database"
    REPOSITORY = "the word repository"
    ALL = "all"
    ONLY = "only"
    NOT = "negation"
    BUT = "ends what a negation covers"
    AND = "joins"
    INTO_PLACE = "preposition before a place"
    OF = "preposition before tables"
    ARTICLE = "article"
    QUALIFIER = "selects tables by something else than their name"
    TRIAGE = "the triage job"
    INCIDENT = "the incident job"
    HOLD = "verb: hold, contain"
    FILLER = "says nothing"
    STOP = "end of a clause"
    COMMA = "comma"
    NAME = "a quoted name"
    LOCATION = "a URL"
    UNKNOWN = "any other word"


@dataclass(frozen=True, slots=True)
class Token:
    """One word. ``text`` is folded to lower case, ``raw`` is as written (without quotes and endings such as 's)."""

    text: str
    raw: str
    role: Role


_TABLE: Final[dict[Role, str]] = {
    Role.ANSWER: """
        approve approves approved approving approval approvals accept refuse reject withdraw merge merged merges merging
        bypass override disable freeze unfreeze grant revoke sign login sudo execute apply publish deploy push
    """,
    Role.CHANGE: """
        delete deletes deleted deleting remove removes removed removing drop dropped dropping truncate erase wipe
        destroy purge insert alter overwrite commit rename migrate backfill send upload export download anonymise
        anonymize mask encrypt change changes changing modify modifying edit editing rewrite replace shell curl bash
    """,
    Role.DESCRIBE: "document documenting describe describing annotate annotating explain explaining",
    Role.DESCRIPTIONS: """
        documentation docs doc description descriptions comment comments documented described meaning meanings
    """,
    Role.TAG: "tag tagging classify classifying label labelling labeling mark marking flag flagging",
    Role.TAGS: "tags tagged classification classifications classified labels labelled labeled marked flagged",
    Role.SENSITIVE: """
        personal personally identifiable pii sensitive sensitivity private privacy confidential gdpr email emails e-mail
        e-mails mail phone phones telephone address addresses birthday birthdays birthdate birthdates iban ibans ssn
        passport passports passwords secret secrets
    """,
    Role.RELATE: "relate relating link linking connect connecting join joining",
    Role.RELATIONSHIPS: """
        relationship relationships relation relations joins links reference references fk fks keys key related linked
        connected connections
    """,
    Role.TESTS: "test tests tested testing validation validations constraint constraints checks unique uniqueness",
    Role.PROPOSE: """
        propose proposes proposing proposal proposals suggest suggesting suggestion suggestions pr prs catalog catalogue
        cataloging cataloguing catalogued cataloged
    """,
    Role.MAKE: """
        add adds adding write writes writing create creating make making open opening update updating improve improving
        complete completing fill filling generate generating produce draft drafting prepare declare declaring put
        provide extend
    """,
    Role.SCAN: """
        scan scans scanning profile profiling inspect inspecting look looking analyse analyze analysing analyzing
        explore exploring examine examining show showing list listing count counting see view tell read reading check
        checking report overview summarise summarize summary
    """,
    Role.FIND: "find finding detect detecting discover discovering identify identifying search locate infer",
    Role.QUESTION: "what which where whose how many much",
    Role.TABLE: "table tables model models dataset datasets views",
    Role.COLUMN: "columns fields attributes",
    Role.ONE_COLUMN: "column field attribute",
    Role.DATABASE: "database databases db dbs warehouse warehouses",
    Role.REPOSITORY: "repository repositories repo repos",
    Role.ALL: "all every each everything whole entire any",
    Role.ONLY: "only just solely merely",
    Role.NOT: """
        not no without never skip skipping except excluding exclude avoid avoiding omit omitting ignore ignoring nothing
        neither none
    """,
    Role.BUT: "but however instead",
    Role.AND: "and or and/or plus also then nor &",
    Role.INTO_PLACE: "in on from at inside within against into using",
    Role.OF: "of for between about across among to with over",
    Role.ARTICLE: "the a an this these those my our your their its that",
    Role.QUALIFIER: """
        undocumented untagged untested undescribed new newest newer recent recently latest largest biggest empty old
        older oldest unused first last important other others rest missing stale
    """,
    Role.TRIAGE: "triage triaging issue issues ticket tickets bug bugs duplicate duplicates backlog",
    Role.INCIDENT: """
        incident incidents outage outages alert alerts pager postmortem postmortems latency downtime oncall on-call
        root_cause
    """,
    Role.HOLD: """
        has have having had hold holds holding contain contains containing store stores storing stored include includes
        including lack lacks
    """,
    Role.FILLER: """
        please kindly could would can should will shall might may you i we us me he she they them it want wants need
        needs needed like let lets hi hello hey dear twokey thanks thank now today soon quickly so too there here do
        does did doing is are be being been was were data information info content contents value
        values by as if well both some out up through inside go ahead help must run running start stuff things thing
        kind kinds type types found exist exists structure quality numbers number details detail new_line name named
        names called anything something one ones
    """,
}

_PHRASES: Final[dict[tuple[str, ...], tuple[str, Role]]] = {
    ("pull", "request"): ("pr", Role.PROPOSE),
    ("pull", "requests"): ("pr", Role.PROPOSE),
    ("merge", "request"): ("pr", Role.PROPOSE),
    ("foreign", "key"): ("fk", Role.RELATIONSHIPS),
    ("foreign", "keys"): ("fk", Role.RELATIONSHIPS),
    ("primary", "key"): ("key", Role.TESTS),
    ("primary", "keys"): ("key", Role.TESTS),
    ("accepted", "values"): ("tests", Role.TESTS),
    ("not", "null"): ("tests", Role.TESTS),
    ("e", "mail"): ("email", Role.SENSITIVE),
    ("e", "mails"): ("email", Role.SENSITIVE),
    ("read", "only"): ("read only", Role.ONLY),
    ("dry", "run"): ("read only", Role.ONLY),
    ("read-only",): ("read only", Role.ONLY),
    ("dry-run",): ("read only", Role.ONLY),
    ("root", "cause"): ("root_cause", Role.INCIDENT),
    ("leave", "out"): ("leave out", Role.NOT),
    ("leave", "alone"): ("leave out", Role.NOT),
    ("but", "not"): ("not", Role.NOT),
    ("and", "not"): ("not", Role.NOT),
    ("rather", "than"): ("instead of", Role.NOT),
    ("instead", "of"): ("instead of", Role.NOT),
    ("as", "well", "as"): ("and", Role.AND),
    ("credit", "card"): ("card", Role.SENSITIVE),
    ("credit", "cards"): ("card", Role.SENSITIVE),
}
READ_ONLY: Final = "read only"

ROLES: Final = {word: role for role, words in _TABLE.items() for word in words.split()}
_LONG: Final = 6
_LONG_WORDS: Final = tuple(word for word in ROLES if len(word) >= _LONG and word.isalpha())

_QUOTES: Final = r"\"([^\"\n]{1,200})\"|`([^`\n]{1,200})`|“([^”\n]{1,200})”|(?<!\w)'([^'\n]{1,200})'(?!\w)"
_TOKEN: Final = re.compile(
    rf"{_QUOTES}|([^\s,;\"`]*://[^\s,;\"`]*)|([\w*](?:[\w*.$&/@%+:'-]*[\w*$])?|&)|([,]|[.;:?!\n()])"
)
_NEGATED: Final = re.compile(r"[a-z]+n't|dont|doesnt|didnt|cannot|cant|wont")
_ENDING: Final = re.compile(r"'(?:s|ll|re|ve|d|m)$")


def tokens(text: str) -> tuple[Token, ...]:
    """Split a request into words with their roles; phrases such as "pull request" become one token."""
    found = [_token(match) for match in _TOKEN.finditer(_readable(text))]
    return tuple(_joined(found))


def spelled(word: str) -> Role | None:
    """Give the role of the one keyword that ``word`` misses by a single edit; None where there is none or several."""
    if len(word) < _LONG - 1 or not word.isalpha():
        return None
    return _spelled(word)


@lru_cache(maxsize=4096)
def _spelled(word: str) -> Role | None:
    near = {ROLES[known] for known in _LONG_WORDS if abs(len(known) - len(word)) <= 1 and one_edit(word, known)}
    return near.pop() if len(near) == 1 else None


def one_edit(word: str, other: str) -> bool:
    """Tell whether two words differ by one insertion, deletion, replacement or swap of neighbours."""
    if len(word) > len(other):
        word, other = other, word
    start = next((index for index, letter in enumerate(word) if letter != other[index]), len(word))
    rest, longer = word[start:], other[start:]
    if len(rest) != len(longer):
        return len(longer) == len(rest) + 1 and longer[1:] == rest
    if not rest:
        return False
    return rest[1:] == longer[1:] or (rest[2:] == longer[2:] and rest[:2] == longer[1::-1])


def _readable(text: str) -> str:
    """Fold compatibility forms, and take out what has no shape."""
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'").replace("\r\n", "\n")
    return "".join(
        character if character == "\n" or unicodedata.category(character)[0] != "C" else " " for character in folded
    )


def _token(match: re.Match[str]) -> Token:
    quoted = next((group for group in match.groups()[:4] if group is not None), None)
    if quoted is not None:
        return Token(quoted.strip().casefold(), quoted.strip(), Role.NAME)
    location, word, mark = match.groups()[4:]
    if location is not None:
        return Token(location.casefold(), location, Role.LOCATION)
    if mark is not None:
        return Token(mark, mark, Role.COMMA if mark == "," else Role.STOP)
    folded = word.casefold()
    if _NEGATED.fullmatch(folded):
        return Token("not", word, Role.NOT)
    stem = _ENDING.sub("", folded)
    return Token(stem, word[: len(stem)] if len(word) == len(folded) else stem, ROLES.get(stem, Role.UNKNOWN))


def _joined(found: list[Token]) -> Iterable[Token]:
    index = 0
    while index < len(found):
        for length in (3, 2, 1):
            words = tuple(token.text for token in found[index : index + length] if token.role is not Role.NAME)
            phrase = _PHRASES.get(words) if len(words) == length else None
            if phrase is not None:
                text, role = phrase
                yield replace(found[index], text=text, role=role)
                index += length
                break
        else:
            yield found[index]
            index += 1
