"""Has witnesses sign this log's checkpoint, over HTTP, after C2SP ``tlog-witness``.

Rules: only the addresses of the settings are asked; a redirect is not followed, and no proxy or other habit of the
environment plays a part. An answer is bounded in bytes and in time, however slowly it comes. A signature counts only if
it is that of the key in the settings and fits this checkpoint. The alarm that witnesses are for, a log that was rolled
back or rewritten, is raised by a checkpoint that one shows and that bears the log's own signature, by nothing else that
it says, and is never passed over.
"""

import contextlib
import hashlib
import http.client
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from twokey.audit.export import add_cosignatures
from twokey.audit.note import unbase64
from twokey.audit.verify import BadArgument
from twokey.audit.verify_cosigned import Witness
from twokey.audit.witness import head_of, request
from twokey.channels import wiring
from twokey.channels.wiring import Standing
from twokey.core import settings
from twokey.core.errors import BadInput, CheckFailed
from twokey.core.sections import WitnessSection
from twokey.tools.timed_http import connected

MAX_ANSWER: Final = 64 * 1024
TIMEOUT_S: Final = 10.0
"""How long one answer may take, in seconds."""
ROUNDS: Final = 3
"""How often a witness is asked that says each time that it has signed another size by now."""
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,15})\n")

State = Literal["cosigned", "unreachable", "refused", "ahead", "contradicts"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking one witness."""

    name: str
    state: State
    text: str
    """One line that says it."""
    time: int | None = None
    """When the witness signed, in seconds since 1970."""
    line: str = ""
    """The signature line, with its line break."""
    evidence: str = ""
    """Where it raises the alarm: the checkpoint with the log's signature that shows it. Worth keeping."""

    @property
    def alarms(self) -> bool:
        """Whether the witness says that the log was rolled back or rewritten."""
        return self.state in {"ahead", "contradicts"}

    def as_json(self) -> dict[str, Any]:
        """Give the form for programs."""
        return {
            "name": self.name,
            "state": self.state,
            "time": self.time,
            "text": self.text,
            "evidence": self.evidence or None,
        }


class _Fault(Exception):  # noqa: N818 - becomes an answer
    """The witness did not answer as one does. Says how."""


def known(witnesses: Mapping[str, WitnessSection]) -> dict[str, tuple[str, Witness]]:
    """Give address and key of each configured witness.

    Raises:
        BadInput: none is configured, or a key is none of a witness.

    """
    if not witnesses:
        raise BadInput(
            "No witness is configured.",
            next="Add a section audit.witnesses.NAME with url and key to twokey.toml (docs/audit.md).",
        )
    found: dict[str, tuple[str, Witness]] = {}
    for name, section in witnesses.items():
        try:
            found[name] = section.url, Witness.parse(section.key)
        except BadArgument as error:
            raise BadInput(
                f"twokey.toml: audit.witnesses.{name}.key does not fit. {error}",
                next="Copy the line that `twokey audit witness new` or `show` printed there.",
                code="bad_settings",
            ) from error
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking every witness."""

    size: int
    root: str
    note: str
    """The checkpoint with every cosignature that there is."""
    answers: tuple[Answer, ...]

    @property
    def exit_code(self) -> int:
        """0 where all have signed, 1 where one raises the alarm or refuses, 3 where one cannot be reached."""
        states = {answer.state for answer in self.answers} - {"cosigned"}
        return 0 if not states else 3 if states == {"unreachable"} else 1


def ask_all(folder: Path, exported: Path | None) -> Asked:
    """Have the witnesses of a workspace sign its newest checkpoint, or that of an exported log, to keep it there.

    Raises:
        BadInput: no witness is configured, or a key is none of a witness.
        NotFound: there is no checkpoint.
        CheckFailed: the exported log's is none of this log, or moved on meanwhile.
        EnvironmentFault: the folder cannot be written.

    """
    witnesses = known(settings.load(folder).audit.witnesses)
    with wiring.standing(folder, exported) as log:
        answers = tuple(ask(name, url, key, log) for name, (url, key) in witnesses.items())
    lines = [answer.line for answer in answers if answer.line]
    note = with_lines(log.checkpoint.note, lines) if lines else log.checkpoint.note
    if exported is not None and lines:
        add_cosignatures(exported, note, log.verifier)
    return Asked(log.checkpoint.size, log.checkpoint.root, note, answers)


def look_at_all(folder: Path, witnesses: Mapping[str, WitnessSection]) -> list[Answer]:
    """Hold a workspace's log to what each witness signed last; raises like ``ask_all``. Nothing is signed."""
    found = known(witnesses)
    with wiring.standing(folder, None) as log:
        return [look(name, url, key, log) for name, (url, key) in found.items()]


def ask(name: str, url: str, key: Witness, log: Standing, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """Have one witness sign the checkpoint."""
    try:
        return _ask(name, url, key, log, timeout_s)
    except _Fault as fault:
        return Answer(name, "unreachable", f"{name} {fault}")


def look(name: str, url: str, key: Witness, log: Standing, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """Hold the log to the last checkpoint that a witness says it signed. Nothing is signed."""
    try:
        return _look(name, url, key, log, timeout_s)
    except _Fault as fault:
        return Answer(name, "unreachable", f"{name} {fault}")


def with_lines(note: str, lines: Sequence[str]) -> str:
    """Add signature lines to a checkpoint; each takes the place of an older one of the same name and key."""
    new = {_signer(line) for line in lines}
    text, _, tail = note.rpartition("\n\n")
    kept = [line for line in tail.splitlines() if _signer(line) not in new]
    return f"{text}\n\n" + "".join(f"{line}\n" for line in kept) + "".join(lines)


def _signer(line: str) -> tuple[str, bytes]:
    _, name, encoded = line.split()
    return name, (unbase64(encoded) or b"")[:4]


def _ask(name: str, url: str, key: Witness, log: Standing, timeout_s: float) -> Answer:
    size, old = log.checkpoint.size, 0
    text = head_of(log.checkpoint.note).text
    for _ in range(ROUNDS):
        body = request(old, log.proof(old) if old else [], log.checkpoint.note)
        status, answer = _exchange("POST", url, "/add-checkpoint", body, timeout_s)
        if status == 200:
            return _signed(name, answer, key, text, size)
        said = _SIZE.fullmatch(answer) if status == 409 else None
        if status == 422 or (said is not None and int(said[1]) > size):
            # What a witness merely says raises no alarm: a checkpoint with the log's own signature does.
            seen = _look(name, url, key, log, timeout_s)
            return seen if seen.alarms else Answer(name, "refused", _unshown(name, old, size, said))
        if said is None:
            return Answer(name, "refused", f"{name} does not sign: {_WHY.get(status, f'status {status}')}")
        old = int(said[1])
    return Answer(name, "refused", f"{name} signs other sizes meanwhile; ask again")


_WHY: Final = {
    403: "it does not accept the log's signature; have its owner compare the log's key",
    404: "it does not know this log; have its owner add the log's key",
}


def _unshown(name: str, old: int, size: int, said: re.Match[bytes] | None) -> str:
    why = (
        f"finds that this checkpoint does not continue the one of size {old:,}"
        if said is None
        else f"says that it has signed size {int(said[1]):,}, and there are {size:,} entries"
    )
    return f"{name} {why}; it shows no checkpoint that proves it. Ask its owner for the one that it signed"


def _signed(name: str, answer: bytes, key: Witness, text: str, size: int) -> Answer:
    for line in answer.decode("utf-8", errors="replace").splitlines():
        time = key.time_in(text, line)
        if time is not None:
            return Answer(name, "cosigned", f"{name} cosigned size {size:,}", time, f"{line}\n")
    return Answer(name, "refused", f"{name} answered without a signature of its key that fits")


def _look(name: str, url: str, key: Witness, log: Standing, timeout_s: float) -> Answer:
    origin = hashlib.sha256(log.verifier.name.encode()).hexdigest()
    status, body = _exchange("GET", url, f"/{origin}/checkpoint", b"", timeout_s)
    if status == 404:
        return Answer(name, "refused", f"{name} shows no checkpoint of this log")
    note = body.decode("utf-8", errors="replace")
    try:
        signed, time = log.verifier.checkpoint(note), key.time_of(note)
    except CheckFailed:
        return Answer(name, "refused", f"{name} gave something that is no checkpoint of this log (status {status})")
    here = log.checkpoint.size
    if signed.size > here:
        what = f"{name} has seen {signed.size:,} entries of this log, and there are {here:,}: it was rolled back"
        return Answer(name, "ahead", f"{what}, or somebody else signs with its key", evidence=note)
    if signed.size and log.root(signed.size) != signed.root:
        what = f"{name} has seen another log of size {signed.size:,} with this one's signature"
        return Answer(name, "contradicts", f"{what}: its history was rewritten", evidence=note)
    if time is None:
        return Answer(name, "refused", f"{name} gave a checkpoint that its own key did not sign")
    return Answer(name, "cosigned", f"{name} signed size {signed.size:,}, which this log continues", time)


def _exchange(method: str, url: str, path: str, body: bytes, timeout_s: float) -> tuple[int, bytes]:
    """Ask once; gives status and body. Raises ``_Fault``."""
    parts = urlsplit(url)
    try:
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        with connected(parts.hostname or "", parts.port, timeout_s, tls) as (connection, late):
            headers = {"Accept-Encoding": "identity", "User-Agent": "twokey"}
            connection.request(method, f"{parts.path}{path}", body or None, headers)
            with contextlib.closing(connection.getresponse()) as response:
                answer = response.read(MAX_ANSWER + 1)
                status = response.status
    except TimeoutError:
        raise _Fault("did not answer in time") from None
    except ssl.SSLError:
        raise _Fault("has a certificate that is not trusted here") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise _Fault("cannot be reached, or stopped in the middle of its answer") from None
    if late.is_set():  # what was cut off looks like an end where the length was not told
        raise _Fault("did not answer in time")
    if len(answer) > MAX_ANSWER:
        raise _Fault("answered with more than a witness has to say")
    return status, answer
