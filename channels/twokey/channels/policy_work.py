"""What ``twokey policy`` does with a workspace and its bundles.

Rules: nothing here changes a workspace; a report exists only of a replay that came to its end and that the log bears
out; times are UTC.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from twokey.audit.entry import Entry
from twokey.channels import opa_program, wiring
from twokey.channels.policy_checks import Checked, checked
from twokey.channels.replay_report import Report
from twokey.channels.replay_run import Replaying
from twokey.channels.replay_saving import REPLAYS, saved
from twokey.core import settings
from twokey.core.errors import BadInput, CheckFailed, NotFound
from twokey.core.settings import Settings
from twokey.policies import bundle, strict_json
from twokey.policies.bundle import BundleRevisions
from twokey.policies.diff import Difference, diff
from twokey.policies.replay import answer_to, call_of
from twokey.store.decisions import Kept
from twokey.tools import entries, history


def instant(text: str) -> int:
    """Read a day or a time (ISO 8601; UTC where no zone is given) as microseconds.

    Raises:
        BadInput: it is neither.

    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no time.", next="Write 2026-11-29 or 2026-11-29T10:00Z.") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * 1_000_000


@contextmanager
def replaying(
    workspace: Path, folder: Path | None, *, since_us: int, report: Path | None, engines: int
) -> Generator[Replaying]:
    """Open what a replay of ``workspace`` on the bundle in ``folder`` needs (by default on its own)."""
    held = wiring.bundle_of(workspace, folder)
    made = Report(report) if report is not None else None
    try:
        encrypts = settings.load(workspace).store.encrypt
        place = None if encrypts else workspace / wiring.STATE_FOLDER / REPLAYS
        with wiring.opened_ledger(workspace) as ledger, saved(place, held.revisions, since_us) as before:
            yield Replaying(ledger, held, lambda: wiring.batch_engine(held), since_us, engines, made, before)
    finally:
        if made is not None:
            made.close()


def check(workspace: Path, folder: Path | None) -> Checked:
    """Check a bundle strictly: form, data, built-ins, and that both engines compile it."""
    where, config = _folder(workspace, folder)
    return checked(where, opa_program.find(config), wiring.batch_engine)


def test(workspace: Path, folder: Path | None) -> opa_program.Tested:
    """Run a bundle's own tests; raises ``EnvironmentFault`` where there is no ``opa``, ``CheckFailed``."""
    where, config = _folder(workspace, folder)
    return opa_program.test(opa_program.needed(config), where)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a bundle answers to one document, and what was answered to it then, where it is one of the past."""

    answer: dict[str, Any]
    then: dict[str, Any] | None
    entry: str | None
    document: dict[str, Any]
    revisions: BundleRevisions


def evaluate(workspace: Path, folder: Path | None, what: str, read: Callable[[], bytes]) -> Evaluated:
    """Decide on a document: of the log's decision ``what`` (id or number of an entry), or the one that ``read`` gives.

    Raises:
        BadInput: the document is none.
        CheckFailed: what was kept of the decision is not what the log says.
        NotFound: there is no such decision, or its input was not kept.

    """
    held = wiring.bundle_of(workspace, folder)
    past = None
    if what.startswith("p-") or entries.is_name(what):
        with wiring.opened_ledger(workspace) as ledger:
            named = Entry.decode(entries.prove(ledger, what).body).id if what.isdigit() else what
            past = _kept(history.find(ledger, named))
        document, then = past.document, orjson.loads(past.answer)
    else:
        document, then = _document(read()), None
    engine = wiring.batch_engine(held)
    try:
        (raw,) = engine.evaluate_many([document])
    finally:
        engine.close()
    return Evaluated(
        answer_to(raw, document), then, past.entry if past else None, orjson.loads(document), held.revisions
    )


def _kept(past: history.Past | None) -> Kept:
    if past is not None and past.altered:
        raise CheckFailed(
            "What the store keeps of this decision is not what the log says.",
            next="Treat the workspace's database as tampered with; run `twokey audit verify`.",
            code="decision_tampered",
        )
    if past is None or past.kept is None:
        raise NotFound(
            "There is no such decision, or its input was not kept.", next="Name an entry of `twokey audit show`."
        )
    return past.kept


def _document(text: bytes) -> bytes:
    """Check that ``text`` is an input document and give it as it is."""
    try:
        strict_json.loads(text)
        call_of(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise BadInput(
            f"The input is no call: {where or 'it'} does not fit ({first['msg'][:100]}).",
            next="Take one from a decision of the past, as docs/policy.md shows, and change it.",
        ) from error
    except (ValueError, AttributeError) as error:
        raise BadInput("The input is no JSON object.", next="Give one call as JSON.") from error
    return text


def differences(old: Path, new: Path) -> list[Difference]:
    """Compare two bundle folders."""
    return diff(bundle.load(old), bundle.load(new))


def _folder(workspace: Path, folder: Path | None) -> tuple[Path, Settings | None]:
    """Give the folder to look at, and the settings where there is a workspace; raises ``BadInput`` without a folder."""
    if folder is not None and not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", next="Name the folder of a policy bundle.", code="no_bundle")
    try:
        config = settings.load(workspace)
    except NotFound:
        if folder is None:
            raise
        return folder, None
    return folder if folder is not None else workspace / config.policy.bundle, config


def shadow_folder(workspace: Path) -> Path:
    """Give the folder of the shadow bundle; raises ``BadInput`` where the settings name none."""
    named = settings.load(workspace).policy.shadow
    if not named:
        raise BadInput("The settings name no shadow bundle.", next="Name one with policy.shadow in twokey.toml.")
    return workspace / named
