"""What a short, misspelt or vague name hints at, where the values say the same.

Rules
- A hint alone says nothing: ``st`` is a state where the values are states and a street where they are streets, and
  ``owner`` is a person where enough of the values are written as full names. So a hint never needs to be right.
- Hints are asked only where the name says nothing by ``named``, and never say more than that would.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from twokey.agents.catalog import classes, names
from twokey.agents.catalog.facts import Column, Profile
from twokey.agents.catalog.named import kind_of
from twokey.agents.catalog.spelling import repaired
from twokey.agents.catalog.vocabulary import FLAGS, METADATA, MOMENTS, PEOPLE, Kind, plain

_HOUSE: Final[dict[str, tuple[str, ...]]] = {
    "ad": ("name",),
    "add": ("address",),
    "brth": ("birth",),
    "cap": ("zip",),
    "ccy": ("currency",),
    "cel": ("cell",),
    "ciu": ("ciudad",),
    "cntry": ("country",),
    "cnty": ("county",),
    "comp": ("company",),
    "cntct": ("contact",),
    "cp": ("zip",),
    "ct": ("city",),
    "cty": ("city", "county", "country"),
    "cur": ("currency",),
    "dir": ("address",),
    "direc": ("address",),
    "dpto": ("departamento",),
    "depto": ("departamento",),
    "eml": ("email",),
    "first": ("first_name",),
    "fn": ("first_name",),
    "fnm": ("first_name",),
    "frst": ("first",),
    "gen": ("gender",),
    "geschl": ("gender",),
    "gndr": ("gender",),
    "given": ("first_name",),
    "last": ("last_name",),
    "init": ("initial",),
    "ln": ("last_name",),
    "lnm": ("last_name",),
    "lst": ("last",),
    "mid": ("middle",),
    "mi": ("middle_initial",),
    "mname": ("middle_name",),
    "mob": ("mobile",),
    "mun": ("municipio",),
    "mpio": ("municipio",),
    "mcpio": ("municipio",),
    "nm": ("name",),
    "nme": ("name",),
    "pcode": ("postcode",),
    "ph": ("phone",),
    "phn": ("phone",),
    "phne": ("phone",),
    "pob": ("city",),
    "prov": ("province",),
    "pstl": ("postal",),
    "sfx": ("suffix",),
    "st": ("state", "street"),
    "str": ("street",),
    "telef": ("telefono",),
    "tfno": ("telefono",),
    "tlf": ("telefon",),
    "tlfn": ("telefon",),
    "twn": ("town",),
    "zp": ("zip",),
}
"""What abbreviations that depend on the house may stand for, the likelier first."""
_ROLES: Final = PEOPLE | frozenset(
    """
    who by author artist composer writer editor director producer contributor creator inspector officer official judge
    attorney lawyer counsel prosecutor plaintiff defendant suspect victim offender arrestee detainee inmate witness
    deputy sheriff mayor governor senator councilmember councilman alderman commissioner trustee representative
    legislator minister secretary treasurer chairman chairperson chair president director superintendent supervisor
    principal dean coach captain master rector pastor chaplain administrator coordinator investigator researcher analyst
    interviewer assignee assigned requester requestor reporter reviewer approver approved submitter caller holder
    registrant licensee permittee taxpayer grantor grantee lessor lessee landlord borrower coborrower lender payer payee
    consignee consignor shipper traveler traveller guardian mother father spouse husband wife child partner relative
    heir elector candidate nominee engineer architect surveyor broker realtor dealer physician surgeon dentist
    veterinarian pharmacist therapist counselor provider prescriber instructor tutor pupil scholar graduate alumni
    responsable titular propietario gerente encargado funcionario alcalde concejal docente estudiante paciente
    inhaber besitzer leiter bearbeiter betreuer ansprechpartner vertreter arzt lehrer schueler proprietaire gerant
    locataire demandeur auteur enfant medecin proprietario responsavel titolare medico docente eigenaar houder
    wlasciciel pracownik klient vlastnik agare kund
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
"""Whom a column may name by what they do."""
_LEAST_FULL_NAMES: Final = 0.35
_LEAST_PARTS: Final = 0.4
_TELLING: Final = 0.9


def kind_hinted(column: Column) -> Kind | None:
    """Give what the name hints at, if the values agree; None where they do not, or were not seen."""
    profile = column.profile
    if profile is None or profile.looked == 0 or profile.distinct < 2:
        return None  # one value, again and again, confirms nothing
    spelled: Kind | None = next(
        (kind for kind in _spelled_otherwise(column.name) if _confirmed(column, profile, kind)), None
    )
    if spelled is None and _names_somebody(column.name) and _are_full_names(profile):
        return "person_name"
    return spelled


@lru_cache(maxsize=65_536)
def _spelled_otherwise(name: str) -> tuple[Kind, ...]:
    """Give what the name says with its abbreviations written out, or without a slip."""
    return tuple(dict.fromkeys(_readings(name)))


def _readings(name: str) -> Iterator[Kind]:
    found = plain(names.expanded(name))
    for spelled in (*_written_out(found), repaired(found), tuple(map(_end_of, found))):
        kind = kind_of("_".join(spelled)) if spelled != found else None
        if kind is not None:
            yield kind


@lru_cache(maxsize=65_536)
def _names_somebody(name: str) -> bool:
    """Whether the name may be one of a person, by what they do or because it is a name of something."""
    found = plain(names.expanded(name))
    if not found or found[0] in FLAGS or found[-1] in METADATA or found[-1] in MOMENTS:
        return False
    return found[-1] in {"name", "names"} or not _ROLES.isdisjoint(map(names.singular, found))


_ENDS: Final = ("zip", "city", "state", "street", "addr", "phone", "email", "sex", "race", "lat", "lon")
"""What stands at the end of names such as ``GSTREET``, after a mark of at most three letters."""
_LONGEST_MARK: Final = 3


def _end_of(word: str) -> str:
    return next((end for end in _ENDS if word.endswith(end) and 0 < len(word) - len(end) <= _LONGEST_MARK), word)


def _written_out(found: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Write the abbreviations of a house out, the likelier meaning first; one with several meanings in each."""
    bare = found[:-1] if len(found) > 1 and found[-1] in {"cd", "code", "nm", "nme", "nbr", "no"} else found
    if bare != found:
        yield bare
    for kept in dict.fromkeys((found, bare)):
        most = max((len(_HOUSE.get(word, ())) for word in kept), default=0)
        for turn in range(most):
            yield tuple(
                meant[min(turn, len(meant) - 1)] if (meant := _HOUSE.get(word)) is not None else word for word in kept
            )


def _confirmed(column: Column, profile: Profile, kind: Kind) -> bool:
    if kind == "birth_date":
        return profile.share("date", "datetime", "local_date") >= _TELLING or column.family in {"date", "timestamp"}
    if kind not in classes.TESTS or not classes.agrees(column, kind):
        return False
    if kind == "person_name":
        if profile.signal("organisation") >= 0.5 or profile.distinct < 3:
            return False
        parts = ("given_name", "name_part", "initial"), ("surname",), ("full_name",)
        return any(profile.signal(*signals) >= _LEAST_PARTS for signals in parts)
    if kind == "city":
        return profile.signal("city") >= 0.1
    return True


def _are_full_names(profile: Profile) -> bool:
    """Whether enough values are full names; no list of names is complete, and some rows may name companies."""
    against = profile.signal("organisation", "company", "prose", "street")
    return profile.distinct >= 5 and profile.signal("full_name") >= _LEAST_FULL_NAMES and against < 0.5
