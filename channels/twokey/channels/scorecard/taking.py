"""Takes the figures of a quarter from a workspace.

Rules: every figure comes from rows of this workspace, from evidence that a run stored, or from the file of training
that the settings name; hours saved rest on minutes per task that the settings state, and say so; a task without a
stated assumption saves nothing. What is not known is unknown, and never zero.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from twokey.channels.scorecard import repository, training
from twokey.channels.scorecard.values import Figure, Quarter, Scorecard, Section
from twokey.core.errors import BadInput
from twokey.core.lifecycle import State
from twokey.core.ports import Clock
from twokey.core.sections import ScorecardSection
from twokey.core.values import Finding, Report
from twokey.store import figures
from twokey.store.figures import Made, Ran
from twokey.tools.ledger import Ledger

SECOND_US: Final = 1_000_000
MILLION: Final = 1_000_000
REVIEW: Final = "ops_"
"""How the kinds of an ops review's findings begin ..."""
SHADOW: Final = "ops_shadow_"
"""... and those about endpoints, keys and deployments that nobody registered."""
_CARRIED_OUT: Final = frozenset({State.DONE})


def take(
    ledger: Ledger, settings: ScorecardSection, folder: Path, clock: Clock, quarter: Quarter | None = None
) -> Scorecard:
    """Take the figures of a quarter, by default of the one that goes on.

    Raises:
        CheckFailed: a row was tampered with.
        LogUnavailable: the database cannot be read.

    """
    now = clock.now_us()
    quarter = quarter or Quarter.at(now)
    stretch = {"since": quarter.since_us, "until": quarter.until_us}
    with ledger.look() as connection:
        made = figures.proposals_made(connection, **stretch)
        ran = figures.runs_without_proposals(connection, **stretch)
        sections = (
            _saved(made, ran, settings.minutes),
            _approvals(connection, stretch, made),
            _cost(connection, stretch, made, ran),
            _data(connection, quarter),
            _training(settings, folder, quarter),
            _shadow(connection, stretch),
        )
    return Scorecard(quarter, now, sections)


def _saved(made: Sequence[Made], ran: Sequence[Ran], minutes: Mapping[str, int]) -> Section:
    tasks = Counter[str]()
    for each in made:
        tasks[each.tool] += each.count if each.state in _CARRIED_OUT else 0
    for each in ran:
        tasks[each.intent] += each.count if each.state == "done" else 0
    found: list[Figure] = []
    total = 0
    for name, count in sorted(tasks.items()):
        if not count or not name:
            continue
        title = name.replace("_", " ")
        if name not in minutes:
            note = f"{count:,} done; scorecard.minutes states no time for {name}"
            found.append(Figure(name, f"Hours saved by {title}", None, "hours", note))
            continue
        total += count * minutes[name]
        note = f"{count:,} done, {minutes[name]:,} minutes each assumed"
        found.append(Figure(name, f"Hours saved by {title}", _hours(count * minutes[name]), "hours", note))
    note = "from what was carried out and from runs that only read; the minutes per task are assumed"
    found.append(Figure("total", "Hours saved", _hours(total), "hours", note if found else "nothing was done"))
    return Section("hours_saved", "Hours saved", tuple(found))


def _hours(minutes: int) -> str:
    return _decimal(Decimal(minutes) / 60, 1)


def _approvals(connection: Connection, stretch: Mapping[str, int], made: Sequence[Made]) -> Section:
    waits = sorted(figures.approval_waits(connection, **stretch))
    given = {each.action: each.count for each in figures.answers_given(connection, **stretch)}
    states = Counter[State]()
    for each in made:
        states[each.state] += each.count
    none = "" if waits else "nothing was approved"
    return Section(
        "approvals",
        "Approvals",
        (
            Figure("proposals", "Proposals", sum(states.values()), "", "made in the quarter"),
            Figure("approved", "Approved", len(waits), "", "proposals whose last approval was given in the quarter"),
            Figure("median_wait_s", "Median time to approval", _quantile(waits, 50), "s", none),
            Figure("p90_wait_s", "Time to approval, 9 of 10", _quantile(waits, 90), "s", none),
            Figure("refused", "Refused by people", given.get("refuse", 0), "", "answers given in the quarter"),
            Figure("denied", "Denied by policy", states[State.DENIED], "", "proposals of the quarter"),
            Figure("expired", "Not answered in time", states[State.EXPIRED], "", "proposals of the quarter"),
            Figure("withdrawn", "Withdrawn", given.get("withdraw", 0), "", "answers given in the quarter"),
            Figure("done", "Carried out", states[State.DONE], "", "proposals of the quarter"),
            Figure("reverted", "Taken back", states[State.REVERTED], "", "proposals of the quarter"),
        ),
    )


def _quantile(waits: Sequence[int], percent: int) -> int | None:
    """Give the smallest wait that so many percent do not exceed (nearest rank), in seconds."""
    return waits[max(0, -(-len(waits) * percent // 100) - 1)] // SECOND_US if waits else None


def _cost(connection: Connection, stretch: Mapping[str, int], made: Sequence[Made], ran: Sequence[Ran]) -> Section:
    spent = figures.spent(connection, **stretch)
    done = sum(each.count for each in made if each.state in _CARRIED_OUT)
    done += sum(each.count for each in ran if each.state == "done")
    note = "calls of models, at the prices of the settings" if spent else "no priced call of a model"
    each = _decimal(Decimal(spent) / MILLION / done, 6) if done else None
    return Section(
        "cost",
        "Cost",
        (
            Figure("spent", "Spent on models", _decimal(Decimal(spent) / MILLION, 6), "of your currency", note),
            Figure("tasks", "Tasks done", done, "", "writes carried out, and runs that only read"),
            Figure("per_task", "Cost per task", each, "of your currency", note if done else "no task was done"),
        ),
    )


def _data(connection: Connection, quarter: Quarter) -> Section:
    found = repository.latest(connection, quarter)
    if found is None:
        why = "no run of the quarter read a repository, or what it read was removed"
        names = (
            ("lineage_models", "Models with whole lineage"),
            ("lineage_columns", "Columns with lineage"),
            ("checks_each", "Checks per pipeline"),
            ("without_checks", "Pipelines without a check"),
        )
        unknown = tuple(Figure(name, title, None, "", why) for name, title in names)
        return Section("data", "Data", unknown)
    source = f"run {found.run}, evidence {found.evidence}"
    return Section(
        "data",
        "Data",
        (
            _share("lineage_models", "Models with whole lineage", found.followed, found.models, source),
            _share("lineage_columns", "Columns with lineage", found.columns_followed, found.columns, source),
            Figure(
                "checks_each",
                "Checks per pipeline",
                _decimal(Decimal(found.checks) / found.tables, 2) if found.tables else None,
                "",
                f"{found.checks:,} checks, {found.tables:,} documented tables; {source}",
            ),
            _share("without_checks", "Pipelines without a check", found.without, found.tables, source),
        ),
    )


def _share(name: str, title: str, part: int, whole: int, source: str) -> Figure:
    value = _decimal(Decimal(part) * 100 / whole, 1) if whole else None
    return Figure(name, title, value, "%", f"{part:,} of {whole:,}; {source}")


def _training(settings: ScorecardSection, folder: Path, quarter: Quarter) -> Section:
    name, title = "training", "Training and pulse"
    if not settings.training:
        why = "scorecard.training names no file"
        return Section(name, title, (Figure("completed", "Training completed", None, "%", why), _no_pulse(why)))
    try:
        held = training.read(folder / settings.training, quarter)
    except BadInput as error:  # a figure that is unknown keeps no other back, and says why
        return Section(
            name,
            title,
            (Figure("completed", "Training completed", None, "%", error.message), _no_pulse(error.message)),
        )
    levels = tuple(_level(number, level) for number, level in enumerate(held.levels, 1))
    pulse = (
        _no_pulse("nobody gave a score")
        if held.pulse is None
        else Figure("pulse", "Pulse score", str(held.pulse), "of 5", f"{held.answers:,} answers")
    )
    nobody = (Figure("completed", "Training completed", None, "%", "the file has no row of the quarter"),)
    return Section(name, title, (*(levels or nobody), pulse))


def _level(number: int, level: training.Level) -> Figure:
    value = _decimal(Decimal(level.completed) * 100 / level.people, 1)
    note = f"{level.completed:,} of {level.people:,} people"
    return Figure(f"completed_{number}", f"Training completed: {level.name}", value, "%", note)


def _no_pulse(why: str) -> Figure:
    return Figure("pulse", "Pulse score", None, "of 5", why)


def _shadow(connection: Connection, stretch: Mapping[str, int]) -> Section:
    bodies = figures.latest_documents(connection, "report-", **stretch)
    reviews: dict[str, list[Finding]] = {}
    for run, body in bodies:
        found = [one for one in Report.model_validate(body).findings if one.kind.startswith(REVIEW)]
        if found:
            reviews.setdefault(run, []).extend(found)
    looked = [one for found in reviews.values() for one in found if one.kind.startswith(SHADOW)]
    if not looked:
        note = f"none of {len(reviews):,} ops reviews looked for it" if reviews else "no ops review of the quarter"
        return Section("shadow_ai", "Shadow AI", (Figure("findings", "Shadow AI found", None, "findings", note),))
    number = sum(1 for one in looked if one.attention)
    note = f"findings that want attention, of {len(reviews):,} ops {'review' if len(reviews) == 1 else 'reviews'}"
    return Section("shadow_ai", "Shadow AI", (Figure("findings", "Shadow AI found", number, "findings", note),))


def _decimal(value: Decimal, places: int) -> str:
    return str(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN))
