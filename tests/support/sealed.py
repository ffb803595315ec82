"""A store with one row of each kind that holds words, and what whoever copies the database reads of it."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, text

from support import store_values as made
from twokey.core import canonical
from twokey.core.lifecycle import State
from twokey.store import evidence, glass, inbox, proposals, runs, switches
from twokey.store.decisions import Kept, add_decision, get_decisions
from twokey.store.glass import GlassRecord
from twokey.store.inbox import InboundRecord
from twokey.store.proposals import ApprovalRecord
from twokey.store.sealing import KeyFile, Sealer
from twokey.store.switches import FreezeRecord

WORKSPACE = "w-000000000000"
SECRET = "planted-4711"


def sealer(key: Path, *, seals: bool = True) -> Sealer:
    """What seals with the keys in the file ``key``."""
    return Sealer(KeyFile(key, WORKSPACE), seals=seals)


def fill(connection: Connection, number: int = 1) -> None:
    """One row in every table that holds words, each with the secret in each of them."""
    run, name, entry = f"r-00000000000{number}", f"p-00000000000{number}", f"l-00000000000{number}"
    places = [made.PLACE.model_copy(update={"id": SECRET})]
    runs.add_run(connection, run=run, request=made.request(text=SECRET), auth="key", places=places, now=number)
    runs.move_run(connection, run, before=["running"], after="failed", now=number, message=SECRET)
    runs.put_document(connection, run=run, name="plan", body={"say": SECRET}, now=number)
    content: canonical.Json = {"rows": [SECRET]}
    read = made.evidence(content, id=f"e-00000000000{number}", run=run, summary=SECRET)
    evidence.add_evidence(connection, read, canonical.encode(content))
    commitment = canonical.commitment(made.SALT, [SECRET, number])
    evidence.add_opening(connection, commitment=commitment, salt=made.SALT, value=[SECRET, number])
    proposal = made.proposal(id=name, run=run, why=SECRET, nonce=str(number).rjust(32, "0"))
    decision = made.decision(reasons=(made.decision().reasons[0].model_copy(update={"message": SECRET}),))
    proposals.add_proposal(
        connection, proposal, decision, state=State.AWAITING_APPROVAL, expires_us=99, code="x", now=number
    )
    proposals.move_proposal(
        connection,
        name,
        before=State.AWAITING_APPROVAL,
        after=State.DONE,
        code="x",
        now=number,
        decision=decision,
        result={"say": SECRET},
    )
    answer = ApprovalRecord(name, proposal.digest(), decision.digest(), "sam", "approve", entry, SECRET, number)
    proposals.add_approval(connection, answer)
    glass.add_glass(
        connection, GlassRecord(f"g-00000000000{number}", name, "sam", SECRET, SECRET, entry, number, number + 9)
    )
    glass.review_glass(connection, f"g-00000000000{number}", by="ana", words=SECRET, entry=entry)
    inbound = InboundRecord(
        f"i-00000000000{number}", "slack", f"k{number}", "x", SECRET.encode(), "done", "", 0, number, number
    )
    inbox.add_inbound(connection, inbound)
    switches.set_freeze(connection, FreezeRecord(True, entry, "sam", SECRET, number))
    long = canonical.encode({"say": SECRET, "more": "x" * 600})
    add_decision(connection, Kept(entry, made.SALT, long, canonical.encode(SECRET)), at_us=number)


def read(connection: Connection, number: int = 1) -> str:
    """Everything of that, as those who may read it get it."""
    run, name, entry = f"r-00000000000{number}", f"p-00000000000{number}", f"l-00000000000{number}"
    kept = get_decisions(connection, [entry])[entry]
    assert kept is not None
    said: list[Any] = [
        runs.get_run(connection, run),
        runs.get_document(connection, run=run, name="plan"),
        evidence.get_evidence(connection, f"e-00000000000{number}"),
        evidence.get_opening(connection, canonical.commitment(made.SALT, [SECRET, number])),
        proposals.get_proposal(connection, name),
        proposals.list_approvals(connection, name),
        glass.list_glass(connection),
        inbox.get_inbound(connection, f"i-00000000000{number}"),
        switches.get_freeze(connection),
        kept.document,
        kept.answer,
        kept.salt,
    ]
    assert all(SECRET in repr(each) for each in said[:-1])
    return repr(said)


def everything(url: str) -> bytes:
    """Every column of every table, as whoever copies the database reads it, and the bytes of SQLite's files."""
    engine = create_engine(url)
    held = bytearray()
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                held += repr(tuple(row)).encode()
                held += b"".join(bytes(value) for value in row if isinstance(value, bytes | memoryview))
    engine.dispose()
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            held += file.read_bytes()
    return bytes(held)
